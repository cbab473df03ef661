//! Wake-ups: the failed leads that hold a key of a person who is new or has changed are tried again.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::diesel::conn::database::{Database, Param, failed, now};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::events::Events;
use crate::diesel::write::seed;
use crate::model::error::StoreError;
use crate::model::ledger::EventKind;

/// Makes the failed leads that hold one of these keys pending again; gives how many.
pub(crate) fn wake(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    keys: &[String],
) -> Result<u64, StoreError> {
    const WAKE: &str = "the wake-up";
    seed::lock(db, names)?;
    let now = now(db, clock)?;
    let mut woken = 0;
    // One bind a key; the keys of a person are few, those of an import are cut into parts.
    for chunk in keys.chunks(2000) {
        let places: Vec<String> = (1..=chunk.len()).map(|i| format!("${i}")).collect();
        let params: Vec<Param<'_>> = chunk.iter().map(|key| Param::Text(key)).collect();
        let leads = format!(
            "SELECT w.lead_id FROM {{ns}}queue_wake_key w WHERE w.wake_key IN ({})",
            places.join(", ")
        );
        // As a join, PostgreSQL may read all that is settled for the few that are woken.
        let hit = if db.is_sqlite() {
            format!("lead_id IN ({leads})")
        } else {
            format!("lead_id = ANY (ARRAY({leads}))")
        };
        let rows: Vec<Woken> = db
            .query(
                &names.sql(&format!(
                    "DELETE FROM {{ns}}queue_settled WHERE {hit} AND +status = 2 \
                     RETURNING lead_id, backlog_id"
                )),
                &params,
            )
            .map_err(failed(WAKE))?;
        let mut by_backlog: BTreeMap<i64, u64> = BTreeMap::new();
        for part in rows.chunks(2000) {
            let ids: Vec<String> = part.iter().map(|row| row.lead_id.to_string()).collect();
            let ids = ids.join(", ");
            db.execute(
                &names.sql(&format!(
                    "INSERT INTO {{ns}}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
                     SELECT l.backlog_id, l.priority, l.lead_at, l.id, 0, $1 FROM {{ns}}queue_lead l \
                     WHERE l.id IN ({ids})"
                )),
                &[Param::Int(now)],
            )
            .map_err(failed(WAKE))?;
            // What is pending keeps no wake keys.
            db.execute(
                &names.sql(&format!("DELETE FROM {{ns}}queue_wake_key WHERE lead_id IN ({ids})")),
                &[],
            )
            .map_err(failed(WAKE))?;
            for row in part {
                *by_backlog.entry(row.backlog_id).or_default() += 1;
            }
        }
        for (backlog_id, leads) in by_backlog {
            let mut events = Events::default();
            events.add(EventKind::Reopened, None, leads);
            events.append(db, names, now, backlog_id, None)?;
            woken += leads;
        }
    }
    Ok(woken)
}

#[derive(QueryableByName)]
struct Woken {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = BigInt)]
    backlog_id: i64,
}
