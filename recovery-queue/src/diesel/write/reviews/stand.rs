//! Where leads stand, as it is kept with a decision so that undoing it puts them back.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::parts::{CHUNK, REVIEW, by};
use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::tables::{
    is_pending_of_lead, queue_lead, queue_parked, queue_pending, queue_settled, queue_wake_key,
};
use crate::model::error::StoreError;

/// Where a lead stood before a decision was applied, and which pairs it rejected.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Before {
    /// `pending`, `parked` or `failed`; `withdrawn` or `cancelled` where it had left its backlog.
    pub(super) stood: String,
    pub(super) attempts: i64,
    /// When it came to where it stood.
    pub(super) since: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rests_until: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) run_id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) wake_keys: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rejected: Vec<String>,
}

impl Before {
    /// Says whether the lead was in its backlog.
    pub(super) fn was_open(&self) -> bool {
        !matches!(self.stood.as_str(), "withdrawn" | "cancelled")
    }
}

/// Where leads stand.
pub(super) fn states(
    db: &mut Database,
    names: &Names,
    leads: &[i64],
) -> Result<HashMap<i64, Before>, StoreError> {
    let mut stand = HashMap::with_capacity(leads.len());
    for part in leads.chunks(CHUNK) {
        stand.extend(settled(db, names, part).map_err(failed(REVIEW))?);
        stand.extend(waiting(db, names, part).map_err(failed(REVIEW))?);
        let keys = queue_wake_key::table
            .filter(queue_wake_key::lead_id.eq_any(part))
            .order((queue_wake_key::lead_id, queue_wake_key::wake_key));
        let keys: Vec<(i64, String)> = typed!(
            db,
            names,
            load,
            keys.select((queue_wake_key::lead_id, queue_wake_key::wake_key))
        )
        .map_err(failed(REVIEW))?;
        for (lead, keys) in by(keys) {
            if let Some(before) = stand.get_mut(&lead) {
                before.wake_keys = keys;
            }
        }
    }
    Ok(stand)
}

/// Those of the leads that are settled and not matched.
fn settled(db: &mut Database, names: &Names, leads: &[i64]) -> QueryResult<Vec<(i64, Before)>> {
    type Row = (i64, i64, i64, i64, i64, Option<String>, Option<i64>, Option<String>);
    let rows: Vec<Row> = typed!(
        db,
        names,
        load,
        queue_settled::table
            .filter(queue_settled::lead_id.eq_any(leads))
            .filter(queue_settled::status.ne(1))
            .select((
                queue_settled::lead_id,
                queue_settled::status,
                queue_settled::cancelled,
                queue_settled::attempts,
                queue_settled::settled_at,
                queue_settled::reason,
                queue_settled::run_id,
                queue_settled::evidence,
            ))
    )?;
    let before = |(lead, status, cancelled, attempts, since, reason, run_id, text): Row| {
        let stood = match (status, cancelled) {
            (2, _) => "failed",
            (_, 1) => "cancelled",
            _ => "withdrawn",
        };
        let stood = stood.to_owned();
        (lead, Before { stood, attempts, since, reason, run_id, text, ..Before::default() })
    };
    Ok(rows.into_iter().map(before).collect())
}

/// Those of the leads that are pending, or rest.
fn waiting(db: &mut Database, names: &Names, leads: &[i64]) -> QueryResult<Vec<(i64, Before)>> {
    let parked = queue_parked::table.filter(queue_parked::lead_id.eq_any(leads)).select((
        queue_parked::lead_id,
        queue_parked::attempts,
        queue_parked::since,
        queue_parked::not_before,
        queue_parked::message,
    ));
    let parked: Vec<(i64, i64, i64, i64, Option<String>)> = typed!(db, names, load, parked)?;
    let pending = queue_lead::table
        .inner_join(queue_pending::table.on(is_pending_of_lead!()))
        .filter(queue_lead::id.eq_any(leads))
        .select((queue_lead::id, queue_pending::attempts, queue_pending::since));
    let pending: Vec<(i64, i64, i64)> = typed!(db, names, load, pending)?;
    let parked = parked.into_iter().map(|(lead, attempts, since, until, text)| {
        let (stood, rests_until) = ("parked".to_owned(), Some(until));
        (lead, Before { stood, attempts, since, rests_until, text, ..Before::default() })
    });
    let pending = pending.into_iter().map(|(lead, attempts, since)| {
        (lead, Before { stood: "pending".to_owned(), attempts, since, ..Before::default() })
    });
    Ok(parked.chain(pending).collect())
}
