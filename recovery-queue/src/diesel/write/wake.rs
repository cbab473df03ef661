//! Wake-ups in databases.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::diesel::conn::database::{Database, IntRow, Param, failed, now};
use crate::diesel::conn::namespace::Names;
use crate::diesel::tables::queue_wake_key;
use crate::diesel::write::events::Events;
use crate::diesel::write::lead_rows::{make_pending_leads, remove};
use crate::diesel::write::seed;
use crate::model::error::StoreError;
use crate::model::ledger::EventKind;

const WAKE: &str = "the wake-up";
/// Keys or leads of one statement.
const PART: usize = 2000;

#[derive(QueryableByName)]
struct Woken {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = BigInt)]
    backlog_id: i64,
}

/// Makes the failed leads that hold one of these keys pending again; gives how many.
pub(crate) fn wake(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    keys: &[String],
) -> Result<u64, StoreError> {
    seed::lock(db, names)?;
    let now = now(db, clock)?;
    let mut woken = 0;
    // One bind a key; the keys of a person are few, those of an import are cut into parts.
    for chunk in keys.chunks(PART) {
        let places: Vec<String> = (1..=chunk.len()).map(|i| format!("${i}")).collect();
        let params: Vec<Param<'_>> = chunk.iter().map(|key| Param::Text(key)).collect();
        let leads = format!(
            "SELECT w.lead_id FROM {{ns}}queue_wake_key w WHERE w.wake_key IN ({})",
            places.join(", ")
        );
        woken += wake_leads(db, names, now, &leads, &params)?;
    }
    Ok(woken)
}

/// Makes failed leads pending again, `limit` at most, that hold a key which does not begin with `reading`; gives how many.
pub(crate) fn wake_outdated(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    reading: &str,
    limit: u32,
) -> Result<u64, StoreError> {
    // Keys that begin so lie between it and itself with a sign behind it that is greater than any digit or letter.
    let behind = format!("{reading}~");
    let mut leads: Vec<i64> = Vec::new();
    for (side, bound) in [("<", reading), (">", &behind)] {
        // A lead has several keys: whoever is left over is met by the next call.
        let rows: Vec<IntRow> = db
            .query(
                &names.sql(&format!(
                    "SELECT lead_id AS value FROM {{ns}}queue_wake_key WHERE wake_key {side} $1 \
                     ORDER BY wake_key, lead_id LIMIT {limit}"
                )),
                &[Param::Text(bound)],
            )
            .map_err(failed(WAKE))?;
        leads.extend(rows.into_iter().map(|row| row.value));
    }
    if leads.is_empty() {
        return Ok(0);
    }
    leads.sort_unstable();
    leads.dedup();
    leads.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    seed::lock(db, names)?;
    let now = now(db, clock)?;
    let mut woken = 0;
    for part in leads.chunks(PART) {
        woken += wake_leads(db, names, now, &list(part.iter().copied()), &[])?;
    }
    Ok(woken)
}

fn list(ids: impl Iterator<Item = i64>) -> String {
    ids.map(|id| id.to_string()).collect::<Vec<_>>().join(", ")
}

/// Wakes the failed ones of `leads`: a query for their ids, or a list of them.
fn wake_leads(
    db: &mut Database,
    names: &Names,
    now: i64,
    leads: &str,
    params: &[Param<'_>],
) -> Result<u64, StoreError> {
    // As a join, PostgreSQL may read all that is settled for the few that are woken.
    let hit = match (db.is_sqlite(), leads.starts_with("SELECT")) {
        (true, _) => format!("lead_id IN ({leads})"),
        (false, true) => format!("lead_id = ANY (ARRAY({leads}))"),
        (false, false) => format!("lead_id = ANY (ARRAY[{leads}])"),
    };
    let rows: Vec<Woken> = db
        .query(
            &names.sql(&format!(
                "DELETE FROM {{ns}}queue_settled WHERE {hit} AND +status = 2 \
                 RETURNING lead_id, backlog_id"
            )),
            params,
        )
        .map_err(failed(WAKE))?;
    let mut by_backlog: BTreeMap<i64, u64> = BTreeMap::new();
    for part in rows.chunks(PART) {
        let ids: Vec<i64> = part.iter().map(|row| row.lead_id).collect();
        make_pending_leads(db, names, now, &ids).map_err(failed(WAKE))?;
        // What is pending keeps no wake keys.
        remove!(db, names, queue_wake_key.lead_id, &ids).map_err(failed(WAKE))?;
        for row in part {
            *by_backlog.entry(row.backlog_id).or_default() += 1;
        }
    }
    let mut woken = 0;
    for (backlog_id, leads) in by_backlog {
        let mut events = Events::default();
        events.add(EventKind::Reopened, None, leads);
        events.append(db, names, now, backlog_id, None)?;
        woken += leads;
    }
    Ok(woken)
}
