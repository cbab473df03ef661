//! The invariants of some leads alone, each found by its number: what they cost follows how many they are.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Text;
use guardrails::facts::{FactsError, FactsResult, Offender, Offenders};
use guardrails::recovery::Invariant;

use crate::diesel::conn::database::{IntRow, Param, TextRow};
use crate::diesel::read::broken;
use crate::diesel::read::facts::StoreFacts;
use crate::diesel::read::given_leads::CHUNK;
use crate::diesel::read::presence::Looks;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    reason: String,
}

#[derive(QueryableByName)]
struct Linked {
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = Text)]
    person_key: String,
}

/// Numbers of leads or persons as the parameter of a statement, which takes them apart as `t.id`.
fn list(numbers: &[i64]) -> String {
    let words: Vec<String> = numbers.iter().map(i64::to_string).collect();
    format!("[{}]", words.join(","))
}

/// The numbers that are asked for, as `t.id`.
fn asked(sqlite: bool) -> &'static str {
    if sqlite {
        "(SELECT value AS id FROM json_each($1)) t"
    } else {
        "(SELECT CAST(e.v AS BIGINT) AS id FROM json_array_elements_text(CAST($1 AS json)) AS e (v)) t"
    }
}

impl StoreFacts<'_> {
    /// Lists which of the touched leads break an invariant.
    pub(crate) fn touched_offenders(
        &self,
        leads: &[i64],
        invariant: Invariant,
        limit: usize,
    ) -> FactsResult<Offenders> {
        let sqlite = self.is_sqlite();
        let t = asked(sqlite);
        let matched =
            format!("{t} CROSS JOIN {{ns}}queue_settled s WHERE s.lead_id = t.id AND s.status = 1");
        match invariant {
            Invariant::MATCHED_NOT_IN_BACKLOG => self.touched_in_backlog(leads, &matched, limit),
            Invariant::MATCHED_HAS_ORIGIN => {
                self.of_each(leads, broken::without_origin(&matched), limit)
            }
            Invariant::ORIGIN_HAS_LINK => {
                let origins = format!(
                    "{t} CROSS JOIN {{ns}}queue_person p WHERE p.id = t.id AND p.origin_lead_id IS NOT NULL"
                );
                let persons = self.touched_persons(leads)?;
                self.of_each(&persons, broken::origin_without_link(&origins), limit)
            }
            Invariant::MATCHED_HAS_LINK => {
                self.of_each(leads, broken::without_link(&matched), limit)
            }
            Invariant::LINK_TO_SAME_PERSON => {
                self.of_each(leads, broken::linked_to_another(&matched), limit)
            }
            Invariant::LEDGER_AGREES_WITH_QUEUE => {
                let known = format!("{t} CROSS JOIN {{ns}}queue_lead l WHERE l.id = t.id");
                self.of_each(
                    leads,
                    [format!(
                        "SELECT x.key, CASE WHEN x.states = 0 THEN 'in no state' ELSE 'in more than one state' END AS reason \
                         FROM (SELECT l.source_pk AS key, \
                             (SELECT count(*) FROM {{ns}}queue_pending p WHERE p.backlog_id = l.backlog_id \
                                 AND p.priority = l.priority AND p.lead_at = l.lead_at AND p.lead_id = l.id) \
                             + (SELECT count(*) FROM {{ns}}queue_parked p WHERE p.lead_id = l.id) \
                             + (SELECT count(*) FROM {{ns}}queue_settled p WHERE p.lead_id = l.id) AS states \
                             FROM {known}) x WHERE x.states <> 1"
                    ), known],
                    limit,
                )
            }
            Invariant::REJECTED_NOT_LINKED => {
                let pairs = format!(
                    "{t} CROSS JOIN {{ns}}queue_rejected_pair r CROSS JOIN {{ns}}queue_lead l \
                     WHERE r.lead_id = t.id AND l.id = t.id AND l.lead_version IS NOT DISTINCT FROM r.lead_version"
                );
                self.of_each(
                    leads,
                    [format!(
                        "SELECT l.source_pk AS key, 'it is linked to a person who was rejected for it' AS reason FROM {pairs} \
                         AND (SELECT k.person_id FROM {{ns}}queue_link k WHERE k.lead_id = r.lead_id) = r.person_id"
                    ), pairs],
                    limit,
                )
            }
            Invariant::LINK_TARGET_EXISTS => self.touched_to_nobody(leads, limit),
            other => Err(FactsError::not_provided(other.as_str())),
        }
    }

    /// Counts and lists what a query finds among numbers, part by part.
    fn of_each(
        &self,
        numbers: &[i64],
        [found, population]: [String; 2],
        limit: usize,
    ) -> FactsResult<Offenders> {
        let count = format!("SELECT count(*) AS value FROM {population}");
        let (mut all, mut among) = (Vec::new(), 0);
        for chunk in numbers.chunks(CHUNK) {
            let numbers = list(chunk);
            let rows: Vec<Found> = self.read_with(&found, &[Param::Text(&numbers)])?;
            all.extend(rows.into_iter().map(|row| Offender::new(row.key, row.reason)));
            let rows: Vec<IntRow> = self.read_with(&count, &[Param::Text(&numbers)])?;
            among += rows.first().map_or(0, |row| u64::try_from(row.value).unwrap_or_default());
        }
        Ok(Offenders::of(all, Some(among), limit))
    }

    /// Gives the persons whom the leads are matched or linked to, or were linked to before.
    fn touched_persons(&self, leads: &[i64]) -> FactsResult<Vec<i64>> {
        let sqlite = self.is_sqlite();
        let t = asked(sqlite);
        let mut persons = BTreeSet::new();
        for table in ["queue_settled", "queue_link", "queue_link_history"] {
            for chunk in leads.chunks(CHUNK) {
                let sql = format!(
                    "SELECT DISTINCT x.person_id AS value FROM {t} CROSS JOIN {{ns}}{table} x \
                     WHERE x.lead_id = t.id AND x.person_id IS NOT NULL"
                );
                let rows: Vec<IntRow> = self.read_with(&sql, &[Param::Text(&list(chunk))])?;
                persons.extend(rows.into_iter().map(|row| row.value));
            }
        }
        Ok(persons.into_iter().collect())
    }

    fn touched_in_backlog(
        &self,
        leads: &[i64],
        matched: &str,
        limit: usize,
    ) -> FactsResult<Offenders> {
        let mut keys: Vec<String> = Vec::new();
        for chunk in leads.chunks(CHUNK) {
            let sql = format!(
                "SELECT (SELECT l.source_pk FROM {{ns}}queue_lead l WHERE l.id = s.lead_id) AS value FROM {matched}"
            );
            let rows: Vec<TextRow> = self.read_with(&sql, &[Param::Text(&list(chunk))])?;
            keys.extend(rows.into_iter().map(|row| row.value));
        }
        let asked: Vec<&str> = keys.iter().map(String::as_str).collect();
        let held = self.held_by_backlog(&asked)?;
        let found =
            held.into_iter().map(|key| Offender::new(key, "matched, and still in the backlog"));
        Ok(Offenders::of(found.collect(), Some(keys.len() as u64), limit))
    }

    fn touched_to_nobody(&self, leads: &[i64], limit: usize) -> FactsResult<Offenders> {
        let Some(persons) = self.person_relation()? else {
            return Err(FactsError::not_provided(Invariant::LINK_TARGET_EXISTS.as_str()));
        };
        let sqlite = self.is_sqlite();
        let t = asked(sqlite);
        let (mut looks, mut gone, mut links) = (Looks::default(), Vec::new(), 0);
        for chunk in leads.chunks(CHUNK) {
            let sql = format!(
                "SELECT l.source_pk, p.person_key FROM {t} CROSS JOIN {{ns}}queue_link k \
                 CROSS JOIN {{ns}}queue_lead l CROSS JOIN {{ns}}queue_person p \
                 WHERE k.lead_id = t.id AND l.id = t.id AND p.id = k.person_id"
            );
            let rows: Vec<Linked> = self.read_with(&sql, &[Param::Text(&list(chunk))])?;
            links += rows.len() as u64;
            let keys: BTreeSet<&str> = rows.iter().map(|row| row.person_key.as_str()).collect();
            let keys: Vec<&str> = keys.into_iter().collect();
            let absent = self.absent(&mut looks, &persons, &keys)?;
            let absent: BTreeSet<&str> = absent.into_iter().map(|at| keys[at]).collect();
            let theirs = rows.iter().filter(|row| absent.contains(row.person_key.as_str()));
            gone.extend(theirs.map(|row| Offender::new(&row.source_pk, "its person is gone")));
        }
        Ok(Offenders::of(gone, Some(links), limit))
    }
}
