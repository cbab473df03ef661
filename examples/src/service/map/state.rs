//! What the runners keep for themselves beside tables of the operator's: a secret, and marks of what was read.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Text;
use recovery_queue::WakeKeys;

use super::MAPPED_VIEW;
use super::file::TableMap;
use super::mapped::Mapped;
use crate::cli::Failure;
use crate::lead;
use crate::service::database::Database;
use crate::service::population::{LeadRecord, PersonKeyRow, PersonRecord};

/// How many persons wake leads up at once.
const PAGE: usize = 1_000;

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct Failed {
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = Text)]
    evidence: String,
}

impl Database {
    /// Opens tables of the operator's; what is the runners' own lies behind `namespace`, such as `"recovery".`.
    ///
    /// # Errors
    ///
    /// A mapping that does not fit its tables, and a role without the rights for what is pending.
    pub(crate) fn prepare_mapped(mut self, namespace: &str, links: &str) -> Result<Self, Failure> {
        namespace.clone_into(&mut self.namespace);
        let state = format!("{namespace}runner_state");
        if !self.is_there(&state)? {
            let secret = if self.is_postgres() {
                "replace(CAST(gen_random_uuid() AS TEXT) || CAST(gen_random_uuid() AS TEXT), '-', '')"
            } else {
                "lower(hex(randomblob(32)))"
            };
            self.transaction(|database| {
                database.execute(&format!(
                    "CREATE TABLE IF NOT EXISTS {state} (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)"
                ))?;
                database.execute(&format!(
                    "INSERT INTO {state} (name, value) VALUES ('wake_secret', {secret}) \
                     ON CONFLICT (name) DO NOTHING"
                ))
            })
            .map_err(|failure| {
                Failure::new(format_args!("{state} cannot be made: {failure}"))
                    .remedy("run once as the role that owns the queue's namespace")
            })?;
        }
        if let Some(select) = self.map.as_ref().and_then(|map| map.derived(links)) {
            self.ensure_view(&format!("{namespace}{MAPPED_VIEW}"), &select)?;
        }
        Ok(self)
    }

    /// Reads tables of the operator's from now on.
    ///
    /// # Errors
    ///
    /// A mapping that does not fit its tables.
    pub(crate) fn mapped(mut self, map: &TableMap) -> Result<Self, Failure> {
        let mapped = Mapped::resolve(&mut self, map)?;
        self.map = Some(mapped);
        Ok(self)
    }

    /// Returns the mapping of the operator's tables, where there is one.
    #[must_use]
    pub fn table_map(&self) -> Option<&TableMap> {
        self.map.as_ref().map(|mapped| &mapped.map)
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Looks for what is the runners' own behind `namespace`, where the tables are the operator's.
    #[must_use]
    pub(crate) fn within(mut self, namespace: &str) -> Self {
        if self.map.is_some() {
            namespace.clone_into(&mut self.namespace);
        }
        self
    }

    /// Says whether a table or view of this name, as it stands in statements, is there.
    pub(crate) fn is_there(&mut self, name: &str) -> Result<bool, Failure> {
        let sql = if self.is_postgres() {
            "SELECT CAST(count(to_regclass($1)) AS TEXT) AS value"
        } else {
            "SELECT CAST(count(*) AS TEXT) AS value FROM sqlite_master WHERE name = $1"
        };
        let found: Kept =
            diesel::sql_query(sql).bind::<Text, _>(name).get_result(&mut self.connection)?;
        Ok(found.value != "0")
    }

    /// Tells whether the runners have kept anything here.
    pub(crate) fn keeps_marks(&mut self) -> Result<bool, Failure> {
        self.is_there(&format!("{}runner_state", self.namespace))
    }

    /// Returns a mark of the runners' own.
    pub(crate) fn kept(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let sql = format!("SELECT value FROM {}runner_state WHERE name = $1", self.namespace);
        let found: Option<Kept> = diesel::sql_query(sql)
            .bind::<Text, _>(name)
            .get_result(&mut self.connection)
            .optional()?;
        Ok(found.map(|kept| kept.value))
    }

    /// Keeps a mark of the runners' own.
    pub(crate) fn keep(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let sql = format!(
            "INSERT INTO {}runner_state (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            self.namespace
        );
        diesel::sql_query(sql)
            .bind::<Text, _>(name)
            .bind::<Text, _>(value)
            .execute(&mut self.connection)?;
        Ok(())
    }

    /// Keeps a mark of the runners' own in the place of `was`, unless somebody has changed it meanwhile; says whether it did.
    pub(crate) fn keep_after(
        &mut self,
        name: &str,
        was: &str,
        value: &str,
    ) -> Result<bool, Failure> {
        let sql = format!(
            "UPDATE {}runner_state SET value = $1 WHERE name = $2 AND value = $3",
            self.namespace
        );
        let kept = diesel::sql_query(sql)
            .bind::<Text, _>(value)
            .bind::<Text, _>(name)
            .bind::<Text, _>(was)
            .execute(&mut self.connection)?;
        Ok(kept == 1)
    }

    /// Makes the failed leads pending again that share a key with a person of the operator's who changed since the
    /// last time, or for whom one came into question who changed or is gone; gives how many. Without a mapping nobody is
    /// looked for, and without a column that tells a change only those who are gone.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn wake_by_changed_persons(&mut self, keys: &WakeKeys) -> Result<u64, Failure> {
        let Some(mapped) = self.map.take() else { return Ok(0) };
        let woken = self.transaction(|database| database.wake_by_marks(&mapped, keys));
        self.map = Some(mapped);
        woken
    }

    fn wake_by_marks(&mut self, mapped: &Mapped, keys: &WakeKeys) -> Result<u64, Failure> {
        let mut changed = Vec::new();
        for change in &mapped.changes {
            let mark: Kept = diesel::sql_query(&change.mark).get_result(&mut self.connection)?;
            // On the first run nobody has failed yet.
            if let Some(last) = self.kept(&change.mark_name)? {
                let rows: Vec<PersonKeyRow> = if last.is_empty() {
                    self.load(&change.all)?
                } else {
                    diesel::sql_query(&change.past)
                        .bind::<Text, _>(last)
                        .load(&mut self.connection)?
                };
                changed.extend(rows.into_iter().map(|row| row.person_key));
            }
            self.keep(&change.mark_name, &mark.value)?;
        }
        let changed: BTreeSet<String> = changed.into_iter().collect();
        let mut held = Vec::new();
        self.each_record(mapped, &changed, |person| {
            held.extend(keys.of(&person.given().record()));
        })?;
        let leads = self.leads_of_former_keys(mapped, &changed)?;
        for page in leads.chunks(PAGE) {
            let page: Vec<&str> = page.iter().map(String::as_str).collect();
            let rows: Vec<LeadRecord> = self.load_json(mapped.leads.clone(), &page)?;
            held.extend(rows.iter().flat_map(|lead| keys.of(&lead.given().record())));
        }
        held.sort_unstable();
        held.dedup();
        Ok(self.queue().wake(&held)?)
    }

    /// Lists the failed leads for whom somebody came into question who has changed or is gone: the keys of before stand in
    /// no table, but who had them stands in the evidence.
    fn leads_of_former_keys(
        &mut self,
        mapped: &Mapped,
        changed: &BTreeSet<String>,
    ) -> Result<Vec<String>, Failure> {
        let sql = format!(
            "SELECT source_pk, evidence FROM {}recovery_queue \
             WHERE status = 'failed' AND evidence LIKE '%\"candidates\":[{{%'",
            self.namespace
        );
        let (mut failed, mut named) = (Vec::new(), BTreeSet::new());
        self.stream(&sql, &mut |page: Vec<Failed>| {
            for lead in page {
                let candidates = lead::evidence(&lead.evidence).map(|evidence| evidence.candidates);
                let persons = candidates.into_iter().flatten().map(|candidate| candidate.person);
                let persons: Vec<String> = persons.collect();
                named.extend(persons.iter().cloned());
                failed.push((lead.source_pk, persons));
            }
            Ok(())
        })?;
        let mut there = BTreeSet::new();
        self.each_record(mapped, &named, |person| {
            there.insert(person.person_key);
        })?;
        let is_other = |person: &String| changed.contains(person) || !there.contains(person);
        failed.retain(|(_, persons)| persons.iter().any(is_other));
        Ok(failed.into_iter().map(|(lead, _)| lead).collect())
    }

    /// Hands each record of these persons to `each`; memory holds those of a page.
    fn each_record(
        &mut self,
        mapped: &Mapped,
        persons: &BTreeSet<String>,
        mut each: impl FnMut(PersonRecord),
    ) -> Result<(), Failure> {
        let persons: Vec<&String> = persons.iter().collect();
        for page in persons.chunks(PAGE) {
            for records in &mapped.persons {
                let rows: Vec<PersonRecord> = self.load_json(records.of_listed(), &page)?;
                rows.into_iter().for_each(&mut each);
            }
        }
        Ok(())
    }
}
