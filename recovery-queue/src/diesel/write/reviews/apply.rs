//! Decisions applied: links, rejected pairs and cases put off, with what it takes to undo them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::parts::{CHUNK, REVIEW, append_events, by, record_actions};
use super::stand::{Before, states};
use super::state::{listed, pairs_of};
use crate::diesel::batch::settled::Context;
use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::{insert_rows, typed};
use crate::diesel::tables::{
    queue_lead, queue_link, queue_person, queue_rejected_pair, queue_review, queue_review_load,
    queue_settled,
};
use crate::diesel::write::lead_rows::{make_pending_leads, take};
use crate::diesel::write::origins;
use crate::model::error::StoreError;
use crate::model::key::PersonKey;
use crate::model::lead::LeadActionKind;
use crate::model::ledger::EventKind;
use crate::model::links::MANUAL_RULE;
use crate::model::review::judge::Taken;
use crate::model::review::{Review, ReviewDecision, ReviewEffect, ReviewLoad, ReviewReceipt};

/// Gives the ids of persons, made where they are new.
fn persons<'k>(
    db: &mut Database,
    names: &Names,
    keys: impl Iterator<Item = &'k PersonKey>,
) -> Result<HashMap<String, i64>, StoreError> {
    let keys: BTreeSet<&str> = keys.map(PersonKey::as_str).collect();
    let keys: Vec<&str> = keys.into_iter().collect();
    let mut ids = HashMap::with_capacity(keys.len());
    for part in keys.chunks(CHUNK) {
        let rows = part.iter().map(|key| queue_person::person_key.eq(*key));
        insert_rows!(db, names, queue_person, rows, on_conflict_do_nothing())
            .map_err(failed(REVIEW))?;
        let known = queue_person::table.filter(queue_person::person_key.eq_any(part));
        let rows: Vec<(String, i64)> =
            typed!(db, names, load, known.select((queue_person::person_key, queue_person::id)))
                .map_err(failed(REVIEW))?;
        ids.extend(rows);
    }
    Ok(ids)
}

/// A load in its transaction.
struct Apply<'a, 'c> {
    db: &'a mut Database<'c>,
    names: &'a Names,
    now: i64,
    load: &'a ReviewLoad,
    persons: HashMap<String, i64>,
    before: HashMap<i64, Before>,
    receipt: &'a mut ReviewReceipt,
    events: BTreeMap<(i64, EventKind, Option<String>), u64>,
}

/// Applies what was taken of a load.
pub(super) fn apply(
    db: &mut Database,
    names: &Names,
    now: i64,
    load: &ReviewLoad,
    taken: &[Taken],
    receipt: &mut ReviewReceipt,
) -> Result<(), StoreError> {
    let review = |one: &Taken| &load.reviews[one.at];
    let moved: Vec<i64> = taken
        .iter()
        .filter(|one| one.effect == ReviewEffect::Applied && review(one).decision.until().is_none())
        .map(|one| one.lead_id)
        .collect();
    let before = states(db, names, &moved)?;
    let mentioned = taken
        .iter()
        .flat_map(|one| review(one).decision.person().into_iter().chain(&review(one).candidates));
    let persons = persons(db, names, mentioned)?;
    let mut apply =
        Apply { db, names, now, load, persons, before, receipt, events: BTreeMap::new() };
    apply.links(taken)?;
    apply.rejections(taken)?;
    apply.record(taken)?;
    let events = std::mem::take(&mut apply.events);
    append_events(apply.db, names, now, events)
}

impl<'a> Apply<'a, '_> {
    fn review(&self, taken: &Taken) -> &'a Review {
        &self.load.reviews[taken.at]
    }

    /// Names who decided: both where two did.
    fn decided_by(&self, taken: &Taken) -> String {
        let own = &self.review(taken).decided_by;
        match &taken.first {
            Some((_, first)) => format!("{first}, {own}"),
            None => own.clone(),
        }
    }

    /// Links the leads that are somebody.
    fn links(&mut self, taken: &[Taken]) -> Result<(), StoreError> {
        let applied: Vec<(&Taken, &PersonKey)> = taken
            .iter()
            .filter(|one| one.effect == ReviewEffect::Applied)
            .filter_map(|one| Some((one, self.review(one).decision.person()?)))
            .collect();
        let leads: Vec<i64> = applied.iter().map(|(one, _)| one.lead_id).collect();
        take(self.db, self.names, &leads).map_err(failed(REVIEW))?;
        // A worker may have matched one while its row was waited for.
        for part in leads.chunks(CHUNK) {
            let linked = queue_link::table
                .inner_join(queue_lead::table.on(queue_lead::id.eq(queue_link::lead_id)))
                .filter(queue_link::lead_id.eq_any(part));
            let linked: Vec<String> =
                typed!(self.db, self.names, load, linked.limit(1).select(queue_lead::source_pk))
                    .map_err(failed(REVIEW))?;
            if let Some(key) = linked.into_iter().next() {
                let reason = "a run matched it while the decisions were loaded; load them again";
                return Err(StoreError::Conflict { key, reason: reason.to_owned() });
            }
        }
        for part in applied.chunks(CHUNK) {
            self.link(part)?;
        }
        let by_backlog =
            by(applied.iter().map(|(one, person)| (one.backlog_id, self.persons[person.as_str()])));
        for (backlog_id, mut persons) in by_backlog {
            persons.sort_unstable();
            persons.dedup();
            let context = Context { backlog_id, run_id: 0, now: self.now };
            for part in persons.chunks(CHUNK) {
                origins::ensure(self.db, self.names, &listed(part), &context)?;
            }
        }
        for (one, _) in applied {
            if self.before.get(&one.lead_id).is_none_or(Before::was_open) {
                *self.events.entry((one.backlog_id, EventKind::Matched, None)).or_default() += 1;
            }
            match self.review(one).decision {
                ReviewDecision::NewPerson(_) => self.receipt.new_persons += 1,
                _ => self.receipt.linked += 1,
            }
        }
        Ok(())
    }

    fn link(&mut self, part: &[(&Taken, &PersonKey)]) -> Result<(), StoreError> {
        let texts: Vec<(String, String)> = part
            .iter()
            .map(|(one, _)| {
                let review = self.review(one);
                let evidence =
                    serde_json::json!({ "packet": review.packet, "reason": review.comment });
                (self.decided_by(one), evidence.to_string())
            })
            .collect();
        let persons: Vec<i64> =
            part.iter().map(|(_, person)| self.persons[person.as_str()]).collect();
        let now = self.now;
        let links =
            part.iter().zip(&texts).zip(&persons).map(|(((one, _), (by, evidence)), person)| {
                (
                    queue_link::lead_id.eq(one.lead_id),
                    queue_link::person_id.eq(person),
                    queue_link::rule.eq(MANUAL_RULE),
                    queue_link::confidence.eq("manual"),
                    queue_link::decided_by.eq(by),
                    queue_link::linked_at.eq(now),
                    queue_link::evidence.eq(evidence),
                )
            });
        insert_rows!(self.db, self.names, queue_link, links).map_err(failed(REVIEW))?;
        let settled = part.iter().zip(&persons).map(|((one, _), person)| {
            (
                queue_settled::lead_id.eq(one.lead_id),
                queue_settled::backlog_id.eq(one.backlog_id),
                queue_settled::status.eq(1),
                queue_settled::person_id.eq(person),
                queue_settled::attempts.eq(0),
                queue_settled::settled_at.eq(now),
            )
        });
        insert_rows!(self.db, self.names, queue_settled, settled).map_err(failed(REVIEW))
    }

    /// Remembers who the leads are not, and has those that are nobody shown decided anew.
    fn rejections(&mut self, taken: &[Taken]) -> Result<(), StoreError> {
        let mut pairs: Vec<(i64, i64, String, String, String)> = Vec::new();
        let mut anew = Vec::new();
        for one in taken.iter().filter(|one| one.effect == ReviewEffect::Applied) {
            let review = self.review(one);
            let failed = self.before.get(&one.lead_id).is_some_and(|was| was.stood == "failed");
            if failed && review.decision.is_decided_anew() {
                anew.push(one);
            }
            match &review.decision {
                ReviewDecision::NoneOfThese => self.receipt.none_of_these += 1,
                ReviewDecision::Corrected(_) => {
                    self.receipt.corrected += 1;
                    continue;
                }
                ReviewDecision::NewPerson(_) => {}
                ReviewDecision::Link(_) => continue,
                ReviewDecision::Later(_) => {
                    self.receipt.later += 1;
                    continue;
                }
            }
            let by = self.decided_by(one);
            let why = if review.comment.trim().is_empty() {
                review.decision.word().to_owned()
            } else {
                review.comment.clone()
            };
            let person = review.decision.person();
            for key in review.candidates.iter().filter(|key| Some(*key) != person) {
                let id = self.persons[key.as_str()];
                pairs.push((one.lead_id, id, key.as_str().to_owned(), by.clone(), why.clone()));
            }
        }
        pairs.sort_unstable();
        pairs.dedup_by_key(|pair| (pair.0, pair.1));
        let leads: BTreeSet<i64> = pairs.iter().map(|pair| pair.0).collect();
        let leads: Vec<i64> = leads.into_iter().collect();
        let holding = pairs_of(self.db, self.names, &leads).map_err(failed(REVIEW))?;
        let holding: BTreeSet<(i64, i64)> =
            holding.into_iter().map(|pair| (pair.lead_id, pair.person_id)).collect();
        pairs.retain(|pair| !holding.contains(&(pair.0, pair.1)));
        for part in pairs.chunks(CHUNK) {
            self.reject(part).map_err(failed(REVIEW))?;
        }
        self.receipt.rejected_pairs += pairs.len() as u64;
        for (lead, _, key, _, _) in pairs {
            self.before.entry(lead).or_default().rejected.push(key);
        }
        let ids: Vec<i64> = anew.iter().map(|one| one.lead_id).collect();
        take(self.db, self.names, &ids).map_err(failed(REVIEW))?;
        make_pending_leads(self.db, self.names, self.now, &ids).map_err(failed(REVIEW))?;
        for one in anew {
            *self.events.entry((one.backlog_id, EventKind::Reopened, None)).or_default() += 1;
        }
        Ok(())
    }

    fn reject(&mut self, part: &[(i64, i64, String, String, String)]) -> QueryResult<()> {
        use queue_rejected_pair as pair;
        // A pair holds for the data that it was decided on.
        let leads = part.iter().map(|(lead, ..)| *lead);
        let leads = queue_lead::table.filter(queue_lead::id.eq_any(leads));
        let columns = (queue_lead::id, queue_lead::lead_version);
        let versions: Vec<(i64, Option<String>)> =
            typed!(self.db, self.names, load, leads.select(columns))?;
        let versions: HashMap<i64, Option<String>> = versions.into_iter().collect();
        let now = self.now;
        let rows = part.iter().map(|(lead, person, _, by, why)| {
            (
                pair::lead_id.eq(lead),
                pair::person_id.eq(person),
                pair::lead_version.eq(versions.get(lead).and_then(Option::as_deref)),
                pair::rejected_at.eq(now),
                pair::rejected_by.eq(by),
                pair::comment.eq(why),
            )
        });
        insert_rows!(
            self.db,
            self.names,
            queue_rejected_pair,
            rows,
            on_conflict((pair::lead_id, pair::person_id)),
            do_update(),
            set((
                pair::lead_version.eq(excluded(pair::lead_version)),
                pair::rejected_at.eq(excluded(pair::rejected_at)),
                pair::rejected_by.eq(excluded(pair::rejected_by)),
                pair::comment.eq(excluded(pair::comment)),
            ))
        )
    }

    /// Records the load, its decisions and the leads' history.
    fn record(&mut self, taken: &[Taken]) -> Result<(), StoreError> {
        let key = self.load.id();
        let row = (
            queue_review_load::load_key.eq(&key),
            queue_review_load::loaded_at.eq(self.now),
            queue_review_load::loaded_by.eq(&self.load.by),
        );
        let insert = diesel::insert_into(queue_review_load::table).values(row);
        let load_id: i64 =
            typed!(self.db, self.names, get_result, insert.returning(queue_review_load::id))
                .map_err(failed(REVIEW))?;
        for part in taken.chunks(CHUNK) {
            self.record_part(load_id, part)?;
        }
        for effect in [ReviewEffect::Applied, ReviewEffect::Disagreeing] {
            self.settle_first(taken, effect)?;
        }
        for one in taken {
            match one.effect {
                ReviewEffect::Applied => self.receipt.applied.push(one.at),
                ReviewEffect::Waiting => self.receipt.waiting += 1,
                ReviewEffect::Disagreeing => self.receipt.disagreeing += 1,
                _ => {}
            }
        }
        let mut actions = Vec::new();
        for one in taken.iter().filter(|one| one.effect == ReviewEffect::Applied) {
            let review = self.review(one);
            let word = review.decision.word();
            let why = match review.comment.trim() {
                "" => word.to_owned(),
                comment => format!("{word}: {comment}"),
            };
            actions.push((one.lead_id, self.decided_by(one), why, one.fail_reason.clone()));
        }
        record_actions(self.db, self.names, self.now, LeadActionKind::Reviewed, &actions)?;
        self.receipt.load = Some(key);
        Ok(())
    }

    fn record_part(&mut self, load_id: i64, part: &[Taken]) -> Result<(), StoreError> {
        let states: Vec<Option<String>> = part
            .iter()
            .map(|one| {
                let before = self.before.get(&one.lead_id)?;
                Some(serde_json::to_string(before).expect("a state is plain data"))
            })
            .collect();
        let rows = part.iter().zip(&states).map(|(one, state)| {
            let review = self.review(one);
            // What waits or disagrees has changed nothing that could be put back.
            let applied = one.effect == ReviewEffect::Applied;
            let person = review.decision.person().map(|person| self.persons[person.as_str()]);
            let until = review.decision.until().map(|until| until.timestamp_micros());
            (
                queue_review::load_id.eq(load_id),
                queue_review::packet_id.eq(one.packet_id),
                queue_review::lead_id.eq(one.lead_id),
                queue_review::decision.eq(review.decision.word()),
                queue_review::person_id.eq(person),
                queue_review::comes_back_at.eq(until),
                queue_review::decided_by.eq(&review.decided_by),
                queue_review::comment.eq(&review.comment),
                queue_review::fail_reason.eq(one.fail_reason.as_deref()),
                queue_review::decided_at.eq(self.now),
                queue_review::effect.eq(one.effect.code()),
                queue_review::state_before.eq(state.as_deref().filter(|_| applied)),
                queue_review::corrected.eq(review.decision.corrected()),
            )
        });
        let rows: Vec<_> = rows.collect();
        insert_rows!(self.db, self.names, queue_review, rows.into_iter()).map_err(failed(REVIEW))
    }

    /// Says of the first of two decisions what became of it.
    fn settle_first(&mut self, taken: &[Taken], of: ReviewEffect) -> Result<(), StoreError> {
        let leads: Vec<i64> = taken
            .iter()
            .filter(|one| one.effect == of && one.first.is_some())
            .map(|one| one.lead_id)
            .collect();
        let becomes = match of {
            ReviewEffect::Applied => ReviewEffect::Confirmed,
            other => other,
        };
        for part in leads.chunks(CHUNK) {
            let firsts = queue_review::table
                .filter(queue_review::effect.eq(ReviewEffect::Waiting.code()))
                .filter(queue_review::lead_id.eq_any(part));
            let becomes = queue_review::effect.eq(becomes.code());
            typed!(self.db, self.names, execute, diesel::update(firsts).set(becomes))
                .map_err(failed(REVIEW))?;
        }
        Ok(())
    }
}
