//! A load undone: every lead stands where it stood, and what happened since is never overwritten.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::apply::{Before, append_events, make_pending, record_actions, states, take};
use super::parts::{CHUNK, by, places};
use super::state::{by_ids, listed};
use crate::diesel::batch::settled::Context;
use crate::diesel::conn::database::{Database, IntRow, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::link_history::keep_links;
use crate::diesel::write::origins;
use crate::model::error::StoreError;
use crate::model::lead::LeadActionKind;
use crate::model::ledger::EventKind;
use crate::model::links::Decider;
use crate::model::review::{ReviewDecision, ReviewEffect, ReviewUndone};

const UNDO: &str = "the undoing of reviews";

#[derive(QueryableByName)]
struct Reviewed {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = BigInt)]
    backlog_id: i64,
    #[diesel(sql_type = Text)]
    decision: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    person_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    decided_at: i64,
    #[diesel(sql_type = Text)]
    effect: String,
    #[diesel(sql_type = Nullable<Text>)]
    state_before: Option<String>,
    /// The person that the lead is linked to now.
    #[diesel(sql_type = Nullable<BigInt>)]
    linked: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    linked_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    status: Option<i64>,
}

/// A decision of another load.
#[derive(QueryableByName)]
struct Later {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = Text)]
    source_pk: String,
}

impl Reviewed {
    fn is_applied(&self) -> bool {
        self.effect == ReviewEffect::Applied.code()
    }

    fn links(&self) -> bool {
        let links = [ReviewDecision::LINK, ReviewDecision::NEW_PERSON];
        self.is_applied() && links.contains(&self.decision.as_str())
    }

    /// Says whether it had the lead decided anew.
    fn opens(&self) -> bool {
        let opens = [ReviewDecision::NONE_OF_THESE, ReviewDecision::CORRECTED];
        self.is_applied() && opens.contains(&self.decision.as_str())
    }

    fn before(&self) -> Before {
        let stored = self.state_before.as_deref();
        // What was forgotten, or cannot be read, is put back as pending: it is decided anew.
        let read = stored.and_then(|text| serde_json::from_str::<Before>(text).ok());
        read.unwrap_or_else(|| Before { stood: "pending".to_owned(), ..Before::default() })
    }
}

fn conflict(lead: &str, reason: &str) -> StoreError {
    StoreError::Conflict { key: lead.to_owned(), reason: reason.to_owned() }
}

/// Undoes a load, inside its transaction.
pub(super) fn undo(
    db: &mut Database,
    names: &Names,
    now: i64,
    load: &str,
    decider: Decider<'_>,
) -> Result<ReviewUndone, StoreError> {
    let sql = "SELECT id AS value FROM {ns}queue_review_load \
         WHERE load_key = $1 AND undone_at IS NULL ORDER BY id DESC LIMIT 1";
    let found: Vec<IntRow> =
        db.query(&names.sql(sql), &[Param::Text(load)]).map_err(failed(UNDO))?;
    let Some(load_id) = found.first().map(|row| row.value) else {
        return Err(StoreError::NotFound { what: "load of reviews", key: load.to_owned() });
    };
    let sql = "SELECT r.id, r.lead_id, l.source_pk, l.backlog_id, r.decision, r.person_id, r.decided_at, \
             r.effect, r.state_before, k.person_id AS linked, k.linked_at, s.status \
         FROM {ns}queue_review r JOIN {ns}queue_lead l ON l.id = r.lead_id \
         LEFT JOIN {ns}queue_link k ON k.lead_id = r.lead_id \
         LEFT JOIN {ns}queue_settled s ON s.lead_id = r.lead_id WHERE r.load_id = $1 ORDER BY r.id";
    let rows: Vec<Reviewed> =
        db.query(&names.sql(sql), &[Param::Int(load_id)]).map_err(failed(UNDO))?;
    refuse(db, names, load_id, &rows)?;
    let mut done = ReviewUndone { reviews: rows.len() as u64, ..ReviewUndone::default() };
    let mut events: BTreeMap<(i64, EventKind, Option<String>), u64> = BTreeMap::new();

    let linked: Vec<&Reviewed> = rows.iter().filter(|row| row.links()).collect();
    unlink(db, names, now, &linked, decider)?;
    done.unlinked = linked.len() as u64;
    for row in linked.iter().filter(|row| row.before().was_open()) {
        *events.entry((row.backlog_id, EventKind::Arrived, None)).or_default() += 1;
    }
    done.allowed_pairs = allow(db, names, &rows)?;

    // A lead that was to be decided anew and that a run has matched since stays matched: that is the run's.
    let moved = rows.iter().filter(|row| row.links() || row.opens() && row.status != Some(1));
    let moved: Vec<(&Reviewed, Before)> = moved.map(|row| (row, row.before())).collect();
    let ids: Vec<i64> = moved.iter().map(|(row, _)| row.lead_id).collect();
    let stand = states(db, names, &ids)?;
    let mut anew = Vec::new();
    let mut back = Vec::new();
    for (row, before) in &moved {
        let settled_since =
            !row.links() && stand.get(&row.lead_id).is_some_and(|now| now.stood == "failed");
        if settled_since {
            anew.push(row.lead_id);
            *events.entry((row.backlog_id, EventKind::Reopened, None)).or_default() += 1;
        } else {
            back.push((*row, before));
            if before.stood == "failed" {
                let kind = (row.backlog_id, EventKind::Failed, before.reason.clone());
                *events.entry(kind).or_default() += 1;
            }
        }
    }
    take(db, names, &ids)?;
    make_pending(db, names, now, &anew)?;
    put_back(db, names, now, &back)?;
    done.restored = ids.len() as u64;

    // The first of two decisions waits for its second again.
    let leads: Vec<i64> = rows.iter().map(|row| row.lead_id).collect();
    for part in leads.chunks(CHUNK) {
        let sql = format!(
            "UPDATE {{ns}}queue_review SET effect = $1 WHERE load_id <> $2 AND effect IN ($3, $4) \
               AND lead_id IN ({})",
            listed(part)
        );
        let params = [
            Param::Text(ReviewEffect::Waiting.code()),
            Param::Int(load_id),
            Param::Text(ReviewEffect::Confirmed.code()),
            Param::Text(ReviewEffect::Disagreeing.code()),
        ];
        db.execute(&names.sql(&sql), &params).map_err(failed(UNDO))?;
    }
    let sql = "UPDATE {ns}queue_review_load SET undone_at = $1, undone_by = $2 WHERE id = $3";
    let params = [Param::Int(now), Param::Text(decider.by), Param::Int(load_id)];
    db.execute(&names.sql(sql), &params).map_err(failed(UNDO))?;
    let action = |row: &Reviewed| {
        let why = format!("{}: {}", row.decision, decider.reason);
        (row.lead_id, decider.by.to_owned(), why, None)
    };
    let actions: Vec<_> = rows.iter().filter(|row| row.is_applied()).map(action).collect();
    record_actions(db, names, now, LeadActionKind::ReviewUndone, &actions)?;
    append_events(db, names, now, events)?;
    Ok(done)
}

/// Refuses to undo what was changed since.
fn refuse(
    db: &mut Database,
    names: &Names,
    load_id: i64,
    rows: &[Reviewed],
) -> Result<(), StoreError> {
    for row in rows.iter().filter(|row| row.links()) {
        if row.linked != row.person_id || row.linked_at != Some(row.decided_at) {
            return Err(conflict(&row.source_pk, "its link was changed since; nothing was undone"));
        }
    }
    // What a run found by a corrected value cannot stand where the value is taken back.
    let stands = |row: &&Reviewed| row.is_applied() && row.decision == ReviewDecision::CORRECTED;
    if let Some(row) = rows.iter().filter(stands).find(|row| row.linked.is_some()) {
        return Err(conflict(
            &row.source_pk,
            "it was matched since by what was corrected; undo its link first, nothing was undone",
        ));
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.lead_id).collect();
    let own: BTreeMap<i64, i64> = rows.iter().map(|row| (row.lead_id, row.id)).collect();
    let sql = format!(
        "SELECT r.id, r.lead_id, l.source_pk FROM {{ns}}queue_review r \
         JOIN {{ns}}queue_review_load o ON o.id = r.load_id AND o.undone_at IS NULL \
         JOIN {{ns}}queue_lead l ON l.id = r.lead_id \
         WHERE r.load_id <> {load_id} AND r.lead_id IN ({{}})"
    );
    let others: Vec<Later> = by_ids(db, names, &sql, &ids)?;
    match others.into_iter().find(|other| own.get(&other.lead_id).is_some_and(|id| other.id > *id))
    {
        Some(later) => {
            Err(conflict(&later.source_pk, "it was decided again since; undo that load first"))
        }
        None => Ok(()),
    }
}

fn unlink(
    db: &mut Database,
    names: &Names,
    now: i64,
    linked: &[&Reviewed],
    decider: Decider<'_>,
) -> Result<(), StoreError> {
    for part in linked.chunks(CHUNK) {
        let ids: Vec<i64> = part.iter().map(|row| row.lead_id).collect();
        let ids = listed(&ids);
        let end = [Param::Int(now), Param::Text(decider.by), Param::Text(decider.reason)];
        let sql = keep_links(&format!("lead_id IN ({ids})"));
        db.execute(&names.sql(&sql), &end).map_err(failed(UNDO))?;
        for table in ["queue_link", "queue_leak", "queue_settled"] {
            let sql = format!("DELETE FROM {{ns}}{table} WHERE lead_id IN ({ids})");
            db.execute(&names.sql(&sql), &[]).map_err(failed(UNDO))?;
        }
    }
    let persons = by(linked.iter().filter_map(|row| Some((row.backlog_id, row.person_id?))));
    for (backlog_id, persons) in persons {
        let context = Context { backlog_id, run_id: 0, now };
        let persons: BTreeSet<i64> = persons.into_iter().collect();
        let persons: Vec<i64> = persons.into_iter().collect();
        for part in persons.chunks(CHUNK) {
            origins::ensure(db, names, &listed(part), &context)?;
        }
    }
    // An origin that is back is known since when it was known.
    let persons: BTreeSet<i64> = linked.iter().filter_map(|row| row.person_id).collect();
    let persons: Vec<i64> = persons.into_iter().collect();
    let decided_at = linked.first().map_or(now, |row| row.decided_at);
    for part in persons.chunks(CHUNK) {
        let was = "FROM {ns}queue_origin_history h WHERE h.person_id = p.id \
             AND h.lead_id = p.origin_lead_id AND h.ended_at";
        let sql = format!(
            "UPDATE {{ns}}queue_person AS p SET origin_since = (SELECT max(h.since) {was} = $1), \
                 origin_run_id = (SELECT max(h.run_id) {was} = $1) \
             WHERE p.id IN ({}) AND EXISTS (SELECT 1 {was} = $1)",
            listed(part)
        );
        db.execute(&names.sql(&sql), &[Param::Int(decided_at)]).map_err(failed(UNDO))?;
    }
    Ok(())
}

/// Forgets the pairs that the load rejected; gives how many.
fn allow(db: &mut Database, names: &Names, rows: &[Reviewed]) -> Result<u64, StoreError> {
    let mut allowed = 0;
    for row in rows.iter().filter(|row| row.is_applied()) {
        for keys in row.before().rejected.chunks(CHUNK) {
            let binds: Vec<String> = (2..=keys.len() + 1).map(|bind| format!("${bind}")).collect();
            let sql = format!(
                "DELETE FROM {{ns}}queue_rejected_pair WHERE lead_id = $1 AND person_id IN \
                 (SELECT p.id FROM {{ns}}queue_person p WHERE p.person_key IN ({}))",
                binds.join(", ")
            );
            let mut params = vec![Param::Int(row.lead_id)];
            params.extend(keys.iter().map(|key| Param::Text(key)));
            allowed += db.execute(&names.sql(&sql), &params).map_err(failed(UNDO))?;
        }
    }
    Ok(allowed)
}

/// Puts leads back where they stood: failed with their reason, evidence and wake keys, out of the backlog, resting or
/// pending.
fn put_back(
    db: &mut Database,
    names: &Names,
    now: i64,
    back: &[(&Reviewed, &Before)],
) -> Result<(), StoreError> {
    let stood = |place: &str| -> Vec<&(&Reviewed, &Before)> {
        back.iter().filter(|(_, before)| before.stood == place).collect()
    };
    let settled = [stood("failed"), stood("withdrawn"), stood("cancelled")].concat();
    for part in settled.chunks(CHUNK) {
        let sql = format!(
            "INSERT INTO {{ns}}queue_settled \
                 (lead_id, backlog_id, status, cancelled, reason, attempts, run_id, settled_at, evidence) VALUES {}",
            places(part.len(), 9)
        );
        let mut params = Vec::with_capacity(part.len() * 9);
        for (row, before) in part {
            params.extend([
                Param::Int(row.lead_id),
                Param::Int(row.backlog_id),
                Param::Int(if before.was_open() { 2 } else { 3 }),
                Param::Int(i64::from(before.stood == "cancelled")),
                Param::OptText(before.reason.as_deref()),
                Param::Int(before.attempts),
                Param::OptInt(before.run_id),
                Param::Int(before.since),
                Param::OptText(before.text.as_deref()),
            ]);
        }
        db.execute(&names.sql(&sql), &params).map_err(failed(UNDO))?;
    }
    let failed_back = stood("failed");
    let keys: Vec<(&str, i64)> = failed_back
        .iter()
        .flat_map(|(row, before)| before.wake_keys.iter().map(|key| (key.as_str(), row.lead_id)))
        .collect();
    for part in keys.chunks(CHUNK) {
        let sql = format!(
            "INSERT INTO {{ns}}queue_wake_key (wake_key, lead_id) VALUES {}",
            places(part.len(), 2)
        );
        let mut params = Vec::with_capacity(part.len() * 2);
        for (key, lead) in part {
            params.extend([Param::Text(key), Param::Int(*lead)]);
        }
        db.execute(&names.sql(&sql), &params).map_err(failed(UNDO))?;
    }
    for part in stood("parked").chunks(CHUNK) {
        let sql = format!(
            "INSERT INTO {{ns}}queue_parked \
                 (lead_id, backlog_id, not_before, attempts, since, message) VALUES {}",
            places(part.len(), 6)
        );
        let mut params = Vec::with_capacity(part.len() * 6);
        for (row, before) in part {
            params.extend([
                Param::Int(row.lead_id),
                Param::Int(row.backlog_id),
                Param::Int(before.rests_until.unwrap_or(before.since)),
                Param::Int(before.attempts),
                Param::Int(before.since),
                Param::OptText(before.text.as_deref()),
            ]);
        }
        db.execute(&names.sql(&sql), &params).map_err(failed(UNDO))?;
    }
    for part in stood("pending").chunks(CHUNK) {
        let since = |before: &Before| if before.since == 0 { now } else { before.since };
        let rows = part.iter().map(|(row, before)| {
            format!("({}, {}, {})", row.lead_id, before.attempts, since(before))
        });
        let sql = format!(
            "WITH v(lead_id, attempts, since) AS (VALUES {}) \
             INSERT INTO {{ns}}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
             SELECT l.backlog_id, l.priority, l.lead_at, l.id, v.attempts, v.since \
             FROM v JOIN {{ns}}queue_lead l ON l.id = v.lead_id",
            rows.collect::<Vec<_>>().join(", ")
        );
        db.execute(&names.sql(&sql), &[]).map_err(failed(UNDO))?;
    }
    Ok(())
}
