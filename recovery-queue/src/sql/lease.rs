//! Batches under leases, for resolvers that are slow or remote: claim, commit, resolve, write what is still ours.

use std::collections::BTreeSet;
use std::time::Duration;

use super::batch::{BATCH, Claim, Settled, claim, verdicts, write};
use super::database::{Begin, Database, IntRow, Param, failed};
use super::namespace::Names;
use super::store::now;
use crate::error::StoreError;
use crate::recover::Cursor;
use crate::resolver::Resolver;
use crate::store::{BatchRequest, BatchSummary, from_std};

/// Writes the keys of claims, which are numbers of ours, as rows of `VALUES`.
fn keys(backlog_id: i64, claims: &[Claim]) -> String {
    let mut rows = String::new();
    for Claim { priority, lead_at, lead_id, .. } in claims {
        let row = if rows.is_empty() {
            // The first row gives the columns their type; PostgreSQL would take small numbers for integers, which
            // fit no index on bigint.
            format!(
                "(CAST({backlog_id} AS BIGINT), CAST({priority} AS BIGINT), \
                 CAST({lead_at} AS BIGINT), CAST({lead_id} AS BIGINT))"
            )
        } else {
            format!(", ({backlog_id}, {priority}, {lead_at}, {lead_id})")
        };
        rows.push_str(&row);
    }
    rows
}

/// Parks the claimed leads under a new fencing token.
///
/// The attempt counts from now on: a worker that dies has made it.
fn park(
    db: &mut Database,
    names: &Names,
    backlog_id: i64,
    claims: &[Claim],
    until: i64,
) -> Result<i64, StoreError> {
    let token = db
        .int(
            &names.sql(
                "UPDATE {ns}queue_token SET last = last + 1 WHERE id = 1 RETURNING last AS value",
            ),
            &[],
        )
        .map_err(failed(BATCH))?;
    // By the whole key, so that neither statement looks at more than the batch.
    let these = format!(
        "(backlog_id, priority, lead_at, lead_id) IN (VALUES {})",
        keys(backlog_id, claims)
    );
    db.execute(
        &names.sql(&format!(
            "INSERT INTO {{ns}}queue_parked \
                 (lead_id, backlog_id, not_before, lease_token, attempts, since) \
             SELECT lead_id, backlog_id, $1, $2, attempts + 1, since FROM {{ns}}queue_pending \
             WHERE {these}"
        )),
        &[Param::Int(until), Param::Int(token)],
    )
    .map_err(failed(BATCH))?;
    db.execute(&names.sql(&format!("DELETE FROM {{ns}}queue_pending WHERE {these}")), &[])
        .map_err(failed(BATCH))?;
    Ok(token)
}

/// Gives leased leads back as they were: the attempt was not the leads' fault.
fn give_back(db: &mut Database, names: &Names, token: i64) -> Result<(), StoreError> {
    db.execute(
        &names.sql(
            "INSERT INTO {ns}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
             SELECT l.backlog_id, l.priority, l.lead_at, l.id, q.attempts - 1, q.since \
             FROM {ns}queue_parked q JOIN {ns}queue_lead l ON l.id = q.lead_id WHERE q.lease_token = $1",
        ),
        &[Param::Int(token)],
    )
    .map_err(failed(BATCH))?;
    db.execute(
        &names.sql("DELETE FROM {ns}queue_parked WHERE lease_token = $1"),
        &[Param::Int(token)],
    )
    .map_err(failed(BATCH))?;
    Ok(())
}

pub(super) fn recover(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    batch: &BatchRequest<'_>,
    ttl: Duration,
    cursor: &mut Cursor,
    resolver: &mut dyn Resolver,
) -> Result<BatchSummary, StoreError> {
    let leased = db.transaction_as(Begin::Batch, BATCH, |db| {
        let Some((context, claims)) = claim(db, names, clock, batch, cursor)? else {
            return Ok(None);
        };
        let until = context.now.saturating_add(from_std(ttl));
        let token = park(db, names, context.backlog_id, &claims, until)?;
        Ok(Some((context, claims, token)))
    })?;
    let Some((mut context, claims, token)) = leased else {
        return Ok(BatchSummary::default());
    };
    let last = claims.last().map_or(context.after, Claim::position);
    cursor.positions.insert(context.backlog_id, last);
    cursor.served = Some(context.backlog_id);
    let claimed = claims.len() as u64;
    let settled = match verdicts(claims, batch, context.now, resolver) {
        Ok(settled) => settled,
        Err(error) => {
            db.transaction_as(Begin::Batch, BATCH, |db| give_back(db, names, token))?;
            return Err(error);
        }
    };
    context.leased = true;
    db.transaction_as(Begin::Batch, BATCH, |db| {
        context.now = now(db, clock)?;
        // The fence: what no longer carries our token belongs to somebody else.
        let ours: Vec<IntRow> = db
            .query(
                &names.sql(
                    "DELETE FROM {ns}queue_parked WHERE lease_token = $1 RETURNING lead_id AS value",
                ),
                &[Param::Int(token)],
            )
            .map_err(failed(BATCH))?;
        let ours: BTreeSet<i64> = ours.into_iter().map(|row| row.value).collect();
        let kept: Vec<Settled> =
            settled.into_iter().filter(|lead| ours.contains(&lead.claim.lead_id)).collect();
        let mut summary = if kept.is_empty() {
            BatchSummary::default()
        } else {
            write(db, names, &context, last, &kept)?
        };
        summary.claimed = claimed;
        summary.lost_leases = claimed - kept.len() as u64;
        Ok(summary)
    })
}
