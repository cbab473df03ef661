//! Decisions applied: links, rejected pairs and cases put off, with what it takes to undo them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde::{Deserialize, Serialize};

use super::parts::{CHUNK, REVIEW, by, places};
use super::state::{by_ids, listed};
use crate::diesel::batch::settled::Context;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::events::Events;
use crate::diesel::write::origins;
use crate::model::error::StoreError;
use crate::model::key::PersonKey;
use crate::model::lead::LeadActionKind;
use crate::model::ledger::EventKind;
use crate::model::links::MANUAL_RULE;
use crate::model::review::judge::Taken;
use crate::model::review::{Review, ReviewDecision, ReviewEffect, ReviewLoad, ReviewReceipt};

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

#[derive(QueryableByName)]
struct StateRow {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = Text)]
    stood: String,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = BigInt)]
    since: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    rests_until: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    run_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    told: Option<String>,
}

#[derive(QueryableByName)]
struct WakeRow {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = Text)]
    wake_key: String,
}

#[derive(QueryableByName)]
struct PersonRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    person_key: String,
}

#[derive(QueryableByName)]
struct Linked {
    #[diesel(sql_type = Text)]
    source_pk: String,
}

#[derive(QueryableByName)]
struct Pair {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = BigInt)]
    person_id: i64,
}

/// Where leads stand.
pub(super) fn states(
    db: &mut Database,
    names: &Names,
    leads: &[i64],
) -> Result<HashMap<i64, Before>, StoreError> {
    let sql = "SELECT s.lead_id, CASE WHEN s.status = 2 THEN 'failed' WHEN s.cancelled = 1 THEN 'cancelled' \
                 ELSE 'withdrawn' END AS stood, s.attempts, s.settled_at AS since, \
             CAST(NULL AS BIGINT) AS rests_until, s.reason, s.run_id, s.evidence AS told \
         FROM {ns}queue_settled s WHERE s.status <> 1 AND s.lead_id IN ({}) \
         UNION ALL SELECT q.lead_id, 'parked', q.attempts, q.since, q.not_before, NULL, NULL, q.message \
         FROM {ns}queue_parked q WHERE q.lead_id IN ({}) \
         UNION ALL SELECT p.lead_id, 'pending', p.attempts, p.since, NULL, NULL, NULL, NULL \
         FROM {ns}queue_lead l JOIN {ns}queue_pending p ON p.backlog_id = l.backlog_id \
             AND p.priority = l.priority AND p.lead_at = l.lead_at AND p.lead_id = l.id WHERE l.id IN ({})";
    let rows: Vec<StateRow> = by_ids(db, names, sql, leads)?;
    let sql = "SELECT lead_id, wake_key FROM {ns}queue_wake_key WHERE lead_id IN ({}) \
         ORDER BY lead_id, wake_key";
    let keys: Vec<WakeRow> = by_ids(db, names, sql, leads)?;
    let mut keys = by(keys.into_iter().map(|row| (row.lead_id, row.wake_key)));
    let state = |row: StateRow| {
        let before = Before {
            stood: row.stood,
            attempts: row.attempts,
            since: row.since,
            rests_until: row.rests_until,
            reason: row.reason,
            run_id: row.run_id,
            text: row.told,
            wake_keys: keys.remove(&row.lead_id).unwrap_or_default(),
            rejected: Vec::new(),
        };
        (row.lead_id, before)
    };
    Ok(rows.into_iter().map(state).collect())
}

/// Takes leads out of wherever they wait. On PostgreSQL this waits for workers that hold them.
pub(super) fn take(db: &mut Database, names: &Names, leads: &[i64]) -> Result<(), StoreError> {
    for part in leads.chunks(CHUNK) {
        let ids = listed(part);
        for sql in [
            format!(
                "DELETE FROM {{ns}}queue_pending WHERE (backlog_id, priority, lead_at, lead_id) IN \
                 (SELECT l.backlog_id, l.priority, l.lead_at, l.id FROM {{ns}}queue_lead l WHERE l.id IN ({ids}))"
            ),
            format!("DELETE FROM {{ns}}queue_parked WHERE lead_id IN ({ids})"),
            format!("DELETE FROM {{ns}}queue_wake_key WHERE lead_id IN ({ids})"),
            format!("DELETE FROM {{ns}}queue_settled WHERE lead_id IN ({ids}) AND status <> 1"),
        ] {
            db.execute(&names.sql(&sql), &[]).map_err(failed(REVIEW))?;
        }
    }
    Ok(())
}

/// Makes leads pending that are nowhere.
pub(super) fn make_pending(
    db: &mut Database,
    names: &Names,
    now: i64,
    leads: &[i64],
) -> Result<(), StoreError> {
    for part in leads.chunks(CHUNK) {
        let sql = format!(
            "INSERT INTO {{ns}}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
             SELECT backlog_id, priority, lead_at, id, 0, $1 FROM {{ns}}queue_lead WHERE id IN ({})",
            listed(part)
        );
        db.execute(&names.sql(&sql), &[Param::Int(now)]).map_err(failed(REVIEW))?;
    }
    Ok(())
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
        let sql = format!(
            "INSERT INTO {{ns}}queue_lead_action (lead_id, kind, at, decided_by, reason, fail_reason) VALUES {}",
            places(part.len(), 6)
        );
        let mut params = Vec::with_capacity(part.len() * 6);
        for (lead, by, why, reason) in part {
            params.extend([
                Param::Int(*lead),
                Param::Text(kind.code()),
                Param::Int(now),
                Param::Text(by),
                Param::Text(why),
                Param::OptText(reason.as_deref()),
            ]);
        }
        db.execute(&names.sql(&sql), &params).map_err(failed(REVIEW))?;
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
        let reason = reason.as_deref().map(crate::model::resolver::FailReason::stored);
        events.add(kind, reason, leads);
        events.append(db, names, now, backlog, None)?;
    }
    Ok(())
}

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
        let params: Vec<Param<'_>> = part.iter().map(|key| Param::Text(key)).collect();
        let sql = format!(
            "INSERT INTO {{ns}}queue_person (person_key) VALUES {} ON CONFLICT (person_key) DO NOTHING",
            places(part.len(), 1)
        );
        db.execute(&names.sql(&sql), &params).map_err(failed(REVIEW))?;
        let binds: Vec<String> = (1..=part.len()).map(|bind| format!("${bind}")).collect();
        let sql = format!(
            "SELECT id, person_key FROM {{ns}}queue_person WHERE person_key IN ({})",
            binds.join(", ")
        );
        let rows: Vec<PersonRow> = db.query(&names.sql(&sql), &params).map_err(failed(REVIEW))?;
        ids.extend(rows.into_iter().map(|row| (row.person_key, row.id)));
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

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.db.execute(&self.names.sql(sql), params).map_err(failed(REVIEW))
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
        take(self.db, self.names, &leads)?;
        // A worker may have matched one while its row was waited for.
        let sql = "SELECT l.source_pk FROM {ns}queue_link k JOIN {ns}queue_lead l ON l.id = k.lead_id \
             WHERE k.lead_id IN ({})";
        let linked: Vec<Linked> = by_ids(self.db, self.names, sql, &leads)?;
        if let Some(lead) = linked.into_iter().next() {
            return Err(StoreError::Conflict {
                key: lead.source_pk,
                reason: "a run matched it while the decisions were loaded; load them again".into(),
            });
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
        let sql = format!(
            "INSERT INTO {{ns}}queue_link \
                 (lead_id, person_id, rule, confidence, decided_by, linked_at, evidence) VALUES {}",
            places(part.len(), 7)
        );
        let mut params = Vec::with_capacity(part.len() * 7);
        for (((one, _), (by, evidence)), person) in part.iter().zip(&texts).zip(&persons) {
            params.extend([
                Param::Int(one.lead_id),
                Param::Int(*person),
                Param::Text(MANUAL_RULE),
                Param::Text("manual"),
                Param::Text(by),
                Param::Int(self.now),
                Param::Text(evidence),
            ]);
        }
        self.execute(&sql, &params)?;
        let sql = format!(
            "INSERT INTO {{ns}}queue_settled \
                 (lead_id, backlog_id, status, person_id, attempts, settled_at) VALUES {}",
            places(part.len(), 6)
        );
        let mut params = Vec::with_capacity(part.len() * 6);
        for ((one, _), person) in part.iter().zip(&persons) {
            params.extend([one.lead_id, one.backlog_id, 1, *person, 0, self.now].map(Param::Int));
        }
        self.execute(&sql, &params)?;
        Ok(())
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
        let sql = "SELECT r.lead_id, r.person_id FROM {ns}queue_rejected_pair r \
             JOIN {ns}queue_lead l ON l.id = r.lead_id WHERE r.lead_id IN ({}) \
               AND l.lead_version IS NOT DISTINCT FROM r.lead_version";
        let holding: Vec<Pair> = by_ids(self.db, self.names, sql, &leads)?;
        let holding: BTreeSet<(i64, i64)> =
            holding.into_iter().map(|pair| (pair.lead_id, pair.person_id)).collect();
        pairs.retain(|pair| !holding.contains(&(pair.0, pair.1)));
        for part in pairs.chunks(CHUNK) {
            self.reject(part)?;
        }
        self.receipt.rejected_pairs += pairs.len() as u64;
        for (lead, _, key, _, _) in pairs {
            self.before.entry(lead).or_default().rejected.push(key);
        }
        let ids: Vec<i64> = anew.iter().map(|one| one.lead_id).collect();
        take(self.db, self.names, &ids)?;
        make_pending(self.db, self.names, self.now, &ids)?;
        for one in anew {
            *self.events.entry((one.backlog_id, EventKind::Reopened, None)).or_default() += 1;
        }
        Ok(())
    }

    fn reject(&mut self, part: &[(i64, i64, String, String, String)]) -> Result<(), StoreError> {
        // The version is read with each row, so that a pair holds for the data that it was decided on.
        let rows: Vec<String> = part
            .iter()
            .enumerate()
            .map(|(at, (lead, person, ..))| {
                let (by, why) = (2 * at + 2, 2 * at + 3);
                format!(
                    "({lead}, {person}, (SELECT l.lead_version FROM {{ns}}queue_lead l WHERE l.id = {lead}), \
                     $1, ${by}, ${why})"
                )
            })
            .collect();
        let sql = format!(
            "INSERT INTO {{ns}}queue_rejected_pair \
                 (lead_id, person_id, lead_version, rejected_at, rejected_by, comment) VALUES {} \
             ON CONFLICT (lead_id, person_id) DO UPDATE SET lead_version = excluded.lead_version, \
                 rejected_at = excluded.rejected_at, rejected_by = excluded.rejected_by, \
                 comment = excluded.comment",
            rows.join(", ")
        );
        let mut params = vec![Param::Int(self.now)];
        for (_, _, _, by, why) in part {
            params.extend([Param::Text(by), Param::Text(why)]);
        }
        self.execute(&sql, &params)?;
        Ok(())
    }

    /// Records the load, its decisions and the leads' history.
    fn record(&mut self, taken: &[Taken]) -> Result<(), StoreError> {
        let key = self.load.id();
        let sql = "INSERT INTO {ns}queue_review_load (load_key, loaded_at, loaded_by) VALUES ($1, $2, $3)";
        let row = [Param::Text(&key), Param::Int(self.now), Param::Text(&self.load.by)];
        self.execute(sql, &row)?;
        let sql = "SELECT max(id) AS value FROM {ns}queue_review_load WHERE load_key = $1";
        let load_id =
            self.db.int(&self.names.sql(sql), &[Param::Text(&key)]).map_err(failed(REVIEW))?;
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
        let sql = format!(
            "INSERT INTO {{ns}}queue_review (load_id, packet_id, lead_id, decision, person_id, \
                 comes_back_at, decided_by, comment, fail_reason, decided_at, effect, state_before, corrected) VALUES {}",
            places(part.len(), 13)
        );
        let mut params = Vec::with_capacity(part.len() * 13);
        for (one, state) in part.iter().zip(&states) {
            let review = self.review(one);
            // What waits or disagrees has changed nothing that could be put back.
            let applied = one.effect == ReviewEffect::Applied;
            let person = review.decision.person().map(|person| self.persons[person.as_str()]);
            params.extend([
                Param::Int(load_id),
                Param::Int(one.packet_id),
                Param::Int(one.lead_id),
                Param::Text(review.decision.word()),
                Param::OptInt(person),
                Param::OptInt(review.decision.until().map(|until| until.timestamp_micros())),
                Param::Text(&review.decided_by),
                Param::Text(&review.comment),
                Param::OptText(one.fail_reason.as_deref()),
                Param::Int(self.now),
                Param::Text(one.effect.code()),
                Param::OptText(state.as_deref().filter(|_| applied)),
                Param::OptText(review.decision.corrected()),
            ]);
        }
        self.execute(&sql, &params)?;
        Ok(())
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
            let sql = format!(
                "UPDATE {{ns}}queue_review SET effect = $1 WHERE effect = $2 AND lead_id IN ({})",
                listed(part)
            );
            let params = [becomes, ReviewEffect::Waiting].map(|effect| Param::Text(effect.code()));
            self.execute(&sql, &params)?;
        }
        Ok(())
    }
}
