//! Batches under leases, for resolvers that are slow or remote: claim, commit, resolve, write what is still ours.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::diesel::batch::{BATCH, Claim, Settled, claim, rows, verdicts, write};
use crate::diesel::conn::database::{Begin, Database, IntRow, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::store::now;
use crate::model::error::StoreError;
use crate::model::resolver::Resolver;
use crate::model::work::{BatchRequest, BatchSummary, from_std};
use crate::worker::Cursor;

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
    let rows = rows(claims, |claim| {
        [claim.lead_id, backlog_id, until, token, claim.attempts + 1, claim.since]
    });
    db.execute(
        &names.sql(&format!(
            "INSERT INTO {{ns}}queue_parked \
                 (lead_id, backlog_id, not_before, lease_token, attempts, since) VALUES {rows}"
        )),
        &[],
    )
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

pub(crate) fn recover(
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
    let claimed = claims.len() as u64;
    let settled = match verdicts(claims, batch, context.now, resolver) {
        Ok(settled) => settled,
        Err(error) => {
            db.transaction_as(Begin::Batch, BATCH, |db| give_back(db, names, token))?;
            return Err(error);
        }
    };
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
            write(db, names, &context, &kept)?
        };
        summary.claimed = claimed;
        summary.lost_leases = claimed - kept.len() as u64;
        Ok(summary)
    })
}
