//! Changing the candidate index: any number of persons in one transaction.

use std::collections::{BTreeMap, HashMap};

use identity_matching::Normalised;
use identity_matching::index::{IndexKey, StoredPerson};

use super::{PersonRow, SqlIndex, Statements, check_mark, hex, json};
use crate::diesel::conn::database::{Database, IntRow, Param, failed};
use crate::model::error::StoreError;
use crate::model::key::PersonKey;

const WRITE: &str = "the change of the candidate index";

/// What becomes of one person.
#[derive(Default)]
struct Edit {
    /// What was known before counts on.
    keeps: bool,
    /// What is known now; nothing removes the person.
    now: Option<StoredPerson>,
}

impl SqlIndex<'_> {
    /// Adds records of persons; a person's several records are one person.
    ///
    /// All of them in one transaction, whose size is the caller's affair: some thousands are fast, and memory holds
    /// them once. A person that holds already what it is to hold is not written.
    ///
    /// # Errors
    /// A key that no store takes, and the database's; nothing is changed then.
    pub fn insert(&mut self, records: &[(&str, &Normalised)]) -> Result<(), StoreError> {
        self.write(records, true)
    }

    /// Puts records in the place of all that was known of their persons, or adds the persons.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn replace(&mut self, records: &[(&str, &Normalised)]) -> Result<(), StoreError> {
        self.write(records, false)
    }

    /// Removes persons with all their records; gives how many there were.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn remove(&mut self, persons: &[&str]) -> Result<u64, StoreError> {
        let edits = persons.iter().map(|&person| (person, Edit::default())).collect();
        self.apply(edits)
    }

    fn write(&mut self, records: &[(&str, &Normalised)], keeps: bool) -> Result<(), StoreError> {
        let mut edits: BTreeMap<&str, Edit> = BTreeMap::new();
        for &(person, record) in records {
            let edit = edits.entry(person).or_insert_with(|| Edit { keeps, now: None });
            edit.now.get_or_insert_default().add(record, &self.seal);
        }
        self.apply(edits).map(|_| ())
    }

    /// Makes the changes; gives how many of the persons were known.
    fn apply(&mut self, edits: BTreeMap<&str, Edit>) -> Result<u64, StoreError> {
        if edits.is_empty() {
            return Ok(0);
        }
        for (&person, edit) in &edits {
            if edit.now.is_some() {
                PersonKey::new(person)?;
            }
        }
        let seal = self.seal.clone();
        let (db, statements) = (
            self.db.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner),
            &self.statements,
        );
        let (names, mark, counts_holders) = (&self.names, self.mark.as_str(), !self.is_building);
        db.transaction(WRITE, |db| {
            if let Some(lock) = &statements.lock {
                let _: Vec<IntRow> = db.query(lock, &[]).map_err(failed(WRITE))?;
            }
            check_mark(db, names, mark)?;
            // A key that cannot be stored names nobody.
            let wanted: Vec<&str> =
                edits.keys().copied().filter(|person| PersonKey::new(*person).is_ok()).collect();
            let rows: Vec<PersonRow> = list(db, &statements.known, &wanted)?;
            let known_total = rows.len() as u64;
            let mut known: HashMap<String, (i64, Vec<u8>)> =
                rows.into_iter().map(|row| (row.person_key, (row.id, row.held))).collect();
            let mut changes = Changes::default();
            for (person, edit) in edits {
                let before = match known.remove(person) {
                    Some((id, bytes)) => {
                        let held = StoredPerson::from_bytes(&bytes, person, &seal)
                            .map_err(|error| damaged(person, &error))?;
                        Some((id, held, bytes))
                    }
                    None => None,
                };
                let now = edit.now.map(|mut now| {
                    if let (true, Some((_, held, _))) = (edit.keeps, &before) {
                        now.merge(held);
                    }
                    now
                });
                match (before, now) {
                    (None, None) => {}
                    (None, Some(now)) => {
                        changes.added.push((person, hex(&now.to_bytes(person, &seal)), now));
                    }
                    (Some((id, held, _)), None) => {
                        changes.removed.push(id);
                        changes.differ(id, &held, &StoredPerson::default());
                    }
                    (Some((id, held, bytes)), Some(now)) => {
                        let written = now.to_bytes(person, &seal);
                        if written != bytes {
                            changes.changed.push((id, hex(&written)));
                            changes.differ(id, &held, &now);
                        }
                    }
                }
            }
            changes.make(db, statements, counts_holders)?;
            Ok(known_total)
        })
    }
}

fn damaged(person: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Conflict { key: person.to_owned(), reason: error.to_string() }
}

/// What is written, gathered over all persons of a batch.
#[derive(Default)]
struct Changes<'a> {
    added: Vec<(&'a str, String, StoredPerson)>,
    changed: Vec<(i64, String)>,
    removed: Vec<i64>,
    held: Vec<(String, i64)>,
    released: Vec<(String, i64)>,
}

impl Changes<'_> {
    /// Notes which keys a person holds anew and which no more.
    fn differ(&mut self, id: i64, before: &StoredPerson, now: &StoredPerson) {
        let holds = |person: &StoredPerson, key: IndexKey| {
            person.keys().binary_search_by_key(&key, |held| held.key).is_ok()
        };
        let anew = now.keys().iter().filter(|held| !holds(before, held.key));
        self.held.extend(anew.map(|held| (hex(&held.key.to_bytes()), id)));
        let gone = before.keys().iter().filter(|held| !holds(now, held.key));
        self.released.extend(gone.map(|held| (hex(&held.key.to_bytes()), id)));
    }

    fn make(
        mut self,
        db: &mut Database,
        statements: &Statements,
        counts_holders: bool,
    ) -> Result<(), StoreError> {
        if !self.added.is_empty() {
            let rows: Vec<(&str, &str)> =
                self.added.iter().map(|(person, held, _)| (*person, held.as_str())).collect();
            let made: Vec<PersonRow> = list(db, &statements.add, &rows)?;
            let ids: HashMap<String, i64> =
                made.into_iter().map(|row| (row.person_key, row.id)).collect();
            for (person, _, now) in std::mem::take(&mut self.added) {
                let id = ids.get(person).copied().ok_or_else(|| StoreError::NotFound {
                    what: "person",
                    key: person.to_owned(),
                })?;
                self.differ(id, &StoredPerson::default(), &now);
            }
        }
        run(db, &statements.change, &self.changed)?;
        run(db, &statements.remove, &self.removed)?;
        run(db, &statements.release, &self.released)?;
        run(db, &statements.hold, &self.held)?;
        if !counts_holders {
            return Ok(());
        }
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for (key, _) in &self.held {
            *counts.entry(key).or_default() += 1;
        }
        for (key, _) in &self.released {
            *counts.entry(key).or_default() -= 1;
        }
        let counts: Vec<(&str, i64)> =
            counts.into_iter().filter(|&(_, count)| count != 0).collect();
        statements.count.iter().try_for_each(|statement| run(db, statement, &counts))
    }
}

fn run<T: serde::Serialize>(db: &mut Database, sql: &str, rows: &[T]) -> Result<(), StoreError> {
    if !rows.is_empty() {
        db.execute(sql, &[Param::Text(&json(rows))]).map_err(failed(WRITE))?;
    }
    Ok(())
}

fn list<T: serde::Serialize>(
    db: &mut Database,
    sql: &str,
    rows: &[T],
) -> Result<Vec<PersonRow>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    db.query(sql, &[Param::Text(&json(rows))]).map_err(failed(WRITE))
}
