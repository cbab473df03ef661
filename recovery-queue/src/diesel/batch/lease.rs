//! Batches under leases: the claim is committed, and each later write is fenced by its token.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::diesel::batch::again::{self, Settling};
use crate::diesel::batch::open::open_leads;
use crate::diesel::batch::settled::{BATCH, Claim, Context, rows};
use crate::diesel::batch::{Claimed, claim, hook, verdicts, write};
use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::rejected_pairs;
use crate::model::cursor::Cursor;
use crate::model::error::StoreError;
use crate::model::lease::Lease;
use crate::model::resolver::Resolution;
use crate::model::work::{BatchRequest, BatchSummary, from_std};
use crate::worker::storable;

fn until(now: i64, ttl: Duration) -> DateTime<Utc> {
    let micros = now.saturating_add(from_std(ttl));
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Names the rows of a lease; the time is there for the index.
const HELD: &str = "q.not_before = $1 AND q.lease_token = $2";

fn held(lease: &Lease) -> [Param<'static>; 2] {
    [Param::Int(lease.until().timestamp_micros()), Param::Int(lease.token())]
}

/// Claims the next leads and parks them under a new fencing token.
///
/// The attempt counts from now on: a worker that dies has made it.
pub(crate) fn take(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    batch: &BatchRequest<'_>,
    ttl: Duration,
    cursor: &mut Cursor,
) -> Result<Option<Lease>, StoreError> {
    let Some(Claimed { context, claims, .. }) = claim(db, names, clock, batch, cursor)? else {
        return Ok(None);
    };
    let until = until(context.now, ttl);
    let token = db
        .int(
            &names.sql(
                "UPDATE {ns}queue_token SET last = last + 1 WHERE id = 1 RETURNING last AS value",
            ),
            &[],
        )
        .map_err(failed(BATCH))?;
    let rows = rows(&claims, |claim| {
        let until = until.timestamp_micros();
        [claim.lead_id, context.backlog_id, until, token, claim.attempts + 1, claim.since]
    });
    db.execute(
        &names.sql(&format!(
            "INSERT INTO {{ns}}queue_parked \
                 (lead_id, backlog_id, not_before, lease_token, attempts, since) VALUES {rows}"
        )),
        &[],
    )
    .map_err(failed(BATCH))?;
    let rejected = rejected_pairs::of_claims(db, names, &claims)?;
    let leads = open_leads(&claims, batch.options, &rejected);
    Ok(Some(Lease::new(token, claims.len() as u64, until, leads)))
}

/// Prolongs a lease; gives how many of its leads are still held.
pub(crate) fn renew(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    lease: &mut Lease,
    ttl: Duration,
) -> Result<u64, StoreError> {
    let until = until(now(db, clock)?, ttl);
    let sql =
        "UPDATE {ns}queue_parked SET not_before = $1 WHERE not_before = $2 AND lease_token = $3";
    let [was, token] = held(lease);
    let params = [Param::Int(until.timestamp_micros()), was, token];
    let kept = db.execute(&names.sql(sql), &params).map_err(failed(BATCH))?;
    lease.prolong(until);
    Ok(kept)
}

/// Gives leased leads back as they were: the attempt was not the leads' fault.
pub(crate) fn give_back(
    db: &mut Database,
    names: &Names,
    lease: &Lease,
) -> Result<u64, StoreError> {
    db.execute(
        &names.sql(&format!(
            "INSERT INTO {{ns}}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
             SELECT l.backlog_id, l.priority, l.lead_at, l.id, q.attempts - 1, q.since \
             FROM {{ns}}queue_parked q JOIN {{ns}}queue_lead l ON l.id = q.lead_id WHERE {HELD}"
        )),
        &held(lease),
    )
    .map_err(failed(BATCH))?;
    release(db, names, lease)
}

fn release(db: &mut Database, names: &Names, lease: &Lease) -> Result<u64, StoreError> {
    let sql = "DELETE FROM {ns}queue_parked WHERE not_before = $1 AND lease_token = $2";
    db.execute(&names.sql(sql), &held(lease)).map_err(failed(BATCH))
}

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = BigInt)]
    backlog_id: i64,
    #[diesel(embed)]
    claim: Claim,
}

/// Writes the answers of the leads that the lease still holds.
pub(crate) fn settle(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    batch: &BatchRequest<'_>,
    lease: &Lease,
    answers: &[Resolution],
    settling: &mut Settling,
) -> Result<BatchSummary, StoreError> {
    let leads = lease.leads();
    if answers.len() != leads.len() {
        return Err(StoreError::ResolutionCount { wanted: leads.len(), given: answers.len() });
    }
    // The fence: what no longer carries our token belongs to somebody else.
    let lock = if db.is_sqlite() { "" } else { " FOR UPDATE OF q" };
    let ours: Vec<Held> = db
        .query(
            &names.sql(&format!(
                "SELECT q.backlog_id, l.priority, l.lead_at, q.lead_id, q.attempts - 1 AS attempts, \
                     q.since, l.source_pk, l.lead_version, k.person_id \
                 FROM {{ns}}queue_parked q JOIN {{ns}}queue_lead l ON l.id = q.lead_id \
                 LEFT JOIN {{ns}}queue_link k ON k.lead_id = q.lead_id \
                 WHERE {HELD} ORDER BY l.priority, l.lead_at, l.id{lock}"
            )),
            &held(lease),
        )
        .map_err(failed(BATCH))?;
    let lost = lease.claimed().saturating_sub(ours.len() as u64);
    let Some(backlog_id) = ours.first().map(|row| row.backlog_id) else {
        return Ok(BatchSummary { claimed: lost, lost_leases: lost, ..BatchSummary::default() });
    };
    release(db, names, lease)?;
    let context = Context { backlog_id, run_id: batch.run.get(), now: now(db, clock)? };
    let mut answers: HashMap<&str, &Resolution> =
        leads.iter().map(|lead| lead.source_pk.as_str()).zip(answers).collect();
    let claims: Vec<Claim> = ours.into_iter().map(|row| row.claim).collect();
    // A person may have been rejected since the leads were claimed.
    let rejected = rejected_pairs::of_claims(db, names, &claims)?;
    let mut settled = verdicts(claims, batch.options, context.now, |claim| {
        answers.remove(claim.source_pk.as_str()).map(|answer| storable(answer.clone()))
    });
    again::refuse_rejected(&mut settled, &rejected);
    again::look(db, names, &context, &mut settled, &mut settling.looks)?;
    let mut summary = write(db, names, &context, &settled)?;
    hook::call(settling.after_settle.as_mut(), db, &settled)?;
    summary.claimed = lease.claimed();
    summary.lost_leases = lost;
    Ok(summary)
}
