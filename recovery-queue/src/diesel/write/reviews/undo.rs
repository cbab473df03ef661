//! A load undone: every lead stands where it stood, and what happened since is never overwritten.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;

use super::parts::{CHUNK, append_events, by, record_actions};
use super::stand::{Before, states};
use super::state::listed;
use crate::diesel::batch::settled::Context;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::{insert_rows, typed};
use crate::diesel::tables::{
    queue_lead, queue_leak, queue_link, queue_parked, queue_pending, queue_person,
    queue_rejected_pair, queue_review, queue_review_load, queue_settled, queue_wake_key,
};
use crate::diesel::write::lead_rows::{keep_links, make_pending_leads, remove, take};
use crate::diesel::write::origins;
use crate::model::error::StoreError;
use crate::model::lead::LeadActionKind;
use crate::model::ledger::EventKind;
use crate::model::links::Decider;
use crate::model::review::{ReviewDecision, ReviewEffect, ReviewUndone};

const UNDO: &str = "the undoing of reviews";

#[derive(Queryable)]
struct Reviewed {
    id: i64,
    lead_id: i64,
    source_pk: String,
    backlog_id: i64,
    decision: String,
    person_id: Option<i64>,
    decided_at: i64,
    effect: String,
    state_before: Option<String>,
    /// The person that the lead is linked to now.
    linked: Option<i64>,
    linked_at: Option<i64>,
    status: Option<i64>,
}

/// A decision of another load.
#[derive(Queryable)]
struct Later {
    id: i64,
    lead_id: i64,
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
    let standing = queue_review_load::table
        .filter(queue_review_load::load_key.eq(load))
        .filter(queue_review_load::undone_at.is_null())
        .order(queue_review_load::id.desc())
        .limit(1);
    let found: Option<i64> = typed!(db, names, get_result, standing.select(queue_review_load::id))
        .optional()
        .map_err(failed(UNDO))?;
    let Some(load_id) = found else {
        return Err(StoreError::NotFound { what: "load of reviews", key: load.to_owned() });
    };
    let rows: Vec<Reviewed> = typed!(
        db,
        names,
        load,
        queue_review::table
            .inner_join(queue_lead::table.on(queue_lead::id.eq(queue_review::lead_id)))
            .left_join(queue_link::table.on(queue_link::lead_id.eq(queue_review::lead_id)))
            .left_join(queue_settled::table.on(queue_settled::lead_id.eq(queue_review::lead_id)))
            .filter(queue_review::load_id.eq(load_id))
            .order(queue_review::id)
            .select((
                queue_review::id,
                queue_review::lead_id,
                queue_lead::source_pk,
                queue_lead::backlog_id,
                queue_review::decision,
                queue_review::person_id,
                queue_review::decided_at,
                queue_review::effect,
                queue_review::state_before,
                queue_link::person_id.nullable(),
                queue_link::linked_at.nullable(),
                queue_settled::status.nullable(),
            ))
    )
    .map_err(failed(UNDO))?;
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
    take(db, names, &ids).map_err(failed(UNDO))?;
    make_pending_leads(db, names, now, &anew).map_err(failed(UNDO))?;
    put_back(db, names, now, &back)?;
    done.restored = ids.len() as u64;

    // The first of two decisions waits for its second again.
    let leads: Vec<i64> = rows.iter().map(|row| row.lead_id).collect();
    for part in leads.chunks(CHUNK) {
        let effects = [ReviewEffect::Confirmed, ReviewEffect::Disagreeing].map(ReviewEffect::code);
        let firsts = queue_review::table
            .filter(queue_review::load_id.ne(load_id))
            .filter(queue_review::effect.eq_any(effects))
            .filter(queue_review::lead_id.eq_any(part));
        let waits = queue_review::effect.eq(ReviewEffect::Waiting.code());
        typed!(db, names, execute, diesel::update(firsts).set(waits)).map_err(failed(UNDO))?;
    }
    let undone =
        (queue_review_load::undone_at.eq(now), queue_review_load::undone_by.eq(decider.by));
    let this_load = queue_review_load::table.filter(queue_review_load::id.eq(load_id));
    typed!(db, names, execute, diesel::update(this_load).set(undone)).map_err(failed(UNDO))?;
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
    let mut others: Vec<Later> = Vec::new();
    for part in ids.chunks(CHUNK) {
        let found: Vec<Later> = typed!(
            db,
            names,
            load,
            queue_review::table
                .inner_join(
                    queue_review_load::table.on(queue_review_load::id.eq(queue_review::load_id))
                )
                .inner_join(queue_lead::table.on(queue_lead::id.eq(queue_review::lead_id)))
                .filter(queue_review_load::undone_at.is_null())
                .filter(queue_review::load_id.ne(load_id))
                .filter(queue_review::lead_id.eq_any(part))
                .select((queue_review::id, queue_review::lead_id, queue_lead::source_pk))
        )
        .map_err(failed(UNDO))?;
        others.extend(found);
    }
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
        keep_links(db, names, now, &ids, decider).map_err(failed(UNDO))?;
        remove!(db, names, queue_link.lead_id, &ids).map_err(failed(UNDO))?;
        remove!(db, names, queue_leak.lead_id, &ids).map_err(failed(UNDO))?;
        remove!(db, names, queue_settled.lead_id, &ids).map_err(failed(UNDO))?;
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
            let persons = queue_person::table.filter(queue_person::person_key.eq_any(keys));
            let pairs = queue_rejected_pair::table
                .filter(queue_rejected_pair::lead_id.eq(row.lead_id))
                .filter(queue_rejected_pair::person_id.eq_any(persons.select(queue_person::id)));
            allowed +=
                typed!(db, names, execute, diesel::delete(pairs)).map_err(failed(UNDO))? as u64;
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
        let rows = part.iter().map(|(row, before)| {
            (
                queue_settled::lead_id.eq(row.lead_id),
                queue_settled::backlog_id.eq(row.backlog_id),
                queue_settled::status.eq(if before.was_open() { 2 } else { 3 }),
                queue_settled::cancelled.eq(i64::from(before.stood == "cancelled")),
                queue_settled::reason.eq(before.reason.as_deref()),
                queue_settled::attempts.eq(before.attempts),
                queue_settled::run_id.eq(before.run_id),
                queue_settled::settled_at.eq(before.since),
                queue_settled::evidence.eq(before.text.as_deref()),
            )
        });
        insert_rows!(db, names, queue_settled, rows).map_err(failed(UNDO))?;
    }
    let failed_back = stood("failed");
    let keys: Vec<(&str, i64)> = failed_back
        .iter()
        .flat_map(|(row, before)| before.wake_keys.iter().map(|key| (key.as_str(), row.lead_id)))
        .collect();
    for part in keys.chunks(CHUNK) {
        let rows = part.iter().map(|(key, lead)| {
            (queue_wake_key::wake_key.eq(*key), queue_wake_key::lead_id.eq(lead))
        });
        insert_rows!(db, names, queue_wake_key, rows).map_err(failed(UNDO))?;
    }
    for part in stood("parked").chunks(CHUNK) {
        let rows = part.iter().map(|(row, before)| {
            (
                queue_parked::lead_id.eq(row.lead_id),
                queue_parked::backlog_id.eq(row.backlog_id),
                queue_parked::not_before.eq(before.rests_until.unwrap_or(before.since)),
                queue_parked::attempts.eq(before.attempts),
                queue_parked::since.eq(before.since),
                queue_parked::message.eq(before.text.as_deref()),
            )
        });
        insert_rows!(db, names, queue_parked, rows).map_err(failed(UNDO))?;
    }
    for part in stood("pending").chunks(CHUNK) {
        let ids: Vec<i64> = part.iter().map(|(row, _)| row.lead_id).collect();
        let place = (queue_lead::backlog_id, queue_lead::priority, queue_lead::lead_at);
        let places = queue_lead::table.filter(queue_lead::id.eq_any(&ids));
        let places: Vec<(i64, (i64, i64, i64))> =
            typed!(db, names, load, places.select((queue_lead::id, place)))
                .map_err(failed(UNDO))?;
        let places: HashMap<i64, (i64, i64, i64)> = places.into_iter().collect();
        let rows = part.iter().filter_map(|(row, before)| {
            let (backlog, priority, lead_at) = places.get(&row.lead_id).copied()?;
            let since = if before.since == 0 { now } else { before.since };
            Some((
                queue_pending::backlog_id.eq(backlog),
                queue_pending::priority.eq(priority),
                queue_pending::lead_at.eq(lead_at),
                queue_pending::lead_id.eq(row.lead_id),
                queue_pending::attempts.eq(before.attempts),
                queue_pending::since.eq(since),
            ))
        });
        insert_rows!(db, names, queue_pending, rows).map_err(failed(UNDO))?;
    }
    Ok(())
}
