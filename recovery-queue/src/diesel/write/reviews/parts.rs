//! What the statements on cases and decisions share.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::insert_rows;
use crate::diesel::tables::queue_lead_action;
use crate::diesel::write::events::Events;
use crate::model::error::StoreError;
use crate::model::lead::LeadActionKind;
use crate::model::ledger::EventKind;
use crate::model::resolver::FailReason;

pub(crate) const REVIEW: &str = "the load of reviews";

/// How many rows or keys a statement takes.
pub(crate) const CHUNK: usize = 500;

/// Appends to a list of a map.
pub(crate) fn by<K: Ord, V>(rows: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, Vec<V>> {
    let mut map: BTreeMap<K, Vec<V>> = BTreeMap::new();
    for (key, value) in rows {
        map.entry(key).or_default().push(value);
    }
    map
}

/// Records what was done with leads by hand.
pub(super) fn record_actions(
    db: &mut Database,
    names: &Names,
    now: i64,
    kind: LeadActionKind,
    rows: &[(i64, String, String, Option<String>)],
) -> Result<(), StoreError> {
    for part in rows.chunks(CHUNK) {
        let rows = part.iter().map(|(lead, by, why, reason)| {
            (
                queue_lead_action::lead_id.eq(lead),
                queue_lead_action::kind.eq(kind.code()),
                queue_lead_action::at.eq(now),
                queue_lead_action::decided_by.eq(by),
                queue_lead_action::reason.eq(why),
                queue_lead_action::fail_reason.eq(reason.as_deref()),
            )
        });
        insert_rows!(db, names, queue_lead_action, rows).map_err(failed(REVIEW))?;
    }
    Ok(())
}

/// Appends one event for each backlog, kind and reason.
pub(super) fn append_events(
    db: &mut Database,
    names: &Names,
    now: i64,
    counted: BTreeMap<(i64, EventKind, Option<String>), u64>,
) -> Result<(), StoreError> {
    for ((backlog, kind, reason), leads) in counted {
        let mut events = Events::default();
        let reason = reason.as_deref().map(FailReason::stored);
        events.add(kind, reason, leads);
        events.append(db, names, now, backlog, None)?;
    }
    Ok(())
}
