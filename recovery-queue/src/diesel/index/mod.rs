//! The population's candidate index as tables: matching against persons who do not fit into memory.

mod statements;
mod write;

use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use identity_matching::index::{
    CandidateIndex, CandidateRead, Holders, InRead, IndexError, IndexKey, PersonId, PersonView,
    Seal, StoredPerson,
};
use identity_matching::{HashKey, READING};

use crate::diesel::SqlStore;
use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::open::Purpose;
use crate::diesel::conn::transaction::Begin;
use crate::model::error::{ConfigError, StoreError};
use statements::Statements;

const OPEN: &str = "the opening of the candidate index";
const READ: &str = "the reading of the candidate index";

/// Keeps the candidate index of a population in the tables of a store.
///
/// It answers as [`InMemoryIndex`](identity_matching::index::InMemoryIndex) does, and decisions over it are the same.
/// Memory holds one batch; the tables hold, for each person, its key, its keys as keyed hashes and its names and dates
/// of birth encrypted, all under one secret. Nobody reads an identifier from them without it.
///
/// A batch of look-ups is one statement, all those of one batch of subjects see the population as of one instant, and
/// a change of any number of persons is one transaction. The index has a connection of its own, which the threads of
/// one matcher take in turn: give each worker its own index by [`SqlStore::candidate_index`]. A value that thousands of
/// persons hold costs one counter.
///
/// Leads must be read by the options that the persons were read by: after a change of them
/// ([`fingerprint`](identity_matching::NormaliseOptions::fingerprint) tells), [`replace`](Self::replace) every person.
///
/// ```
/// use identity_matching::{
///     DeterministicMatcher, HashKey, Matcher, Normaliser, Policy, Record, Region,
/// };
/// use recovery_queue::{DatabaseUrl, OpenOptions, SqlStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("queue.sqlite");
/// # let path = path.to_str().expect("a path of the test");
/// let mut store = SqlStore::open(&DatabaseUrl::parse(path)?, OpenOptions::default())?;
/// store.migrate()?;
/// let normaliser = Normaliser::for_region(Region::parse("PE")?);
/// let ana = Record { phones: vec!["+51 987 654 321".into()], ..Record::default() };
/// let mut index = store.candidate_index(HashKey::new(*b"a secret of 16 B"))?;
/// index.insert(&[("P-1", &normaliser.normalise(&ana))])?;
/// let matcher = DeterministicMatcher::new(index, normaliser, Policy::default())?;
/// assert_eq!(matcher.decide_one(&ana)?.outcome.person(), Some("P-1"));
/// # Ok(())
/// # }
/// ```
pub struct SqlIndex {
    /// Whoever has it locked has a read of its own.
    db: Mutex<Database<'static>>,
    names: Names,
    statements: Statements,
    seal: Seal,
}

impl std::fmt::Debug for SqlIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlIndex").field("names", &self.names.label).finish_non_exhaustive()
    }
}

impl SqlStore {
    /// Opens the candidate index that lies beside the queue, on a connection of its own.
    ///
    /// The first call fixes the secret for good; it may be kept wherever the service keeps its others.
    ///
    /// # Errors
    /// [`StoreError::Config`] when the index is under another secret, or was made by a version of `identity-matching` that
    /// read values otherwise ([`READING`]); tables that are not migrated.
    pub fn candidate_index(&self, secret: HashKey) -> Result<SqlIndex, StoreError> {
        let mut db = self.source.connect(&self.options, Purpose::Write)?;
        let seal = Seal::new(secret);
        // The secret's mark, and the version of the reading that the keys were made by.
        let secret_mark = hex(&seal.mark());
        let mark = format!("{secret_mark}.{READING}");
        let names = self.names.clone();
        db.execute(
            &names.sql(
                "INSERT INTO {ns}queue_index (id, secret_mark) VALUES (1, $1) ON CONFLICT DO NOTHING",
            ),
            &[Param::Text(&mark)],
        )
        .map_err(failed(OPEN))?;
        let held: Vec<TextRow> = db
            .query(&names.sql("SELECT secret_mark AS value FROM {ns}queue_index"), &[])
            .map_err(failed(OPEN))?;
        let held = held.first().map_or("", |row| row.value.as_str());
        if held != mark && held.split('.').next() == Some(secret_mark.as_str()) {
            return Err(ConfigError::new(
                "reading of the candidate index",
                held.split('.').nth(1).unwrap_or("1"),
                "its keys were made by another version of identity-matching, which read some values otherwise",
                "delete the rows of the tables queue_index, queue_index_person, queue_index_holder and queue_index_hub, and insert every person anew",
            )
            .into());
        }
        if held != mark {
            return Err(ConfigError::new(
                "secret of the candidate index",
                "…",
                "the index was made with another one",
                "give the secret that it was made with, or empty its tables and build it anew",
            )
            .into());
        }
        let statements = Statements::new(db.is_sqlite(), &names);
        Ok(SqlIndex { db: Mutex::new(db), names, statements, seal })
    }
}

#[derive(QueryableByName)]
struct HolderRow {
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    person_id: Option<i64>,
}

#[derive(QueryableByName)]
struct PersonRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    person_key: String,
    #[diesel(sql_type = Binary)]
    held: Vec<u8>,
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(DIGITS[usize::from(half)]))
        .collect()
}

fn json<T: serde::Serialize + ?Sized>(rows: &T) -> String {
    serde_json::to_string(rows).expect("numbers and texts are JSON")
}

impl SqlIndex {
    /// Counts the persons.
    ///
    /// # Errors
    /// The database's.
    pub fn persons_total(&mut self) -> Result<u64, StoreError> {
        let sql = self.names.sql("SELECT count(*) AS value FROM {ns}queue_index_person");
        let total = self.database().int(&sql, &[]).map_err(failed(READ))?;
        Ok(u64::try_from(total).unwrap_or_default())
    }

    fn database(&mut self) -> &mut Database<'static> {
        self.db.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(
    reason: &str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> IndexError {
    IndexError::Unavailable { reason: reason.to_owned(), source: Some(source.into()) }
}

fn person_id(id: i64) -> Result<PersonId, IndexError> {
    u64::try_from(id)
        .map(PersonId::new)
        .map_err(|error| unavailable("a person of the index has no number", error))
}

/// One read: a transaction on the index's connection, ended also where the look-ups panic.
struct SqlRead<'a> {
    db: MutexGuard<'a, Database<'static>>,
    index: &'a SqlIndex,
}

impl SqlRead<'_> {
    fn query<T: crate::diesel::conn::database::Row>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<T>, IndexError> {
        self.db.query(sql, params).map_err(|error| unavailable(READ, failed(READ)(error)))
    }
}

impl Drop for SqlRead<'_> {
    fn drop(&mut self) {
        // Nothing was written: rolled back is as good as committed, and also ends a read that failed.
        self.db.rollback();
    }
}

impl CandidateIndex for SqlIndex {
    fn as_held(&self, key: IndexKey) -> IndexKey {
        self.seal.key(key)
    }

    fn read(&self, look_up: &mut InRead<'_>) -> Result<(), IndexError> {
        // A panic of another thread leaves no statement half done.
        let mut db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        db.begin(Begin::Snapshot).map_err(|error| unavailable(READ, failed(READ)(error)))?;
        look_up(&mut SqlRead { db, index: self })
    }
}

impl CandidateRead for SqlRead<'_> {
    fn holders(
        &mut self,
        keys: &[IndexKey],
        limit: u32,
        report: &mut dyn FnMut(usize, Holders<'_>),
    ) -> Result<(), IndexError> {
        if keys.is_empty() {
            return Ok(());
        }
        let wanted: Vec<String> = keys.iter().map(|key| hex(&key.to_bytes())).collect();
        let rows: Vec<HolderRow> = self.query(
            &self.index.statements.holders,
            &[Param::Text(&json(&wanted)), Param::Int(i64::from(limit))],
        )?;
        let mut persons = Vec::new();
        for group in rows.chunk_by(|left, right| left.at == right.at) {
            persons.clear();
            for row in group {
                persons.extend(row.person_id.map(person_id).transpose()?);
            }
            let first = &group[0];
            let at = usize::try_from(first.at).unwrap_or(usize::MAX);
            let total = u32::try_from(first.total).unwrap_or(u32::MAX);
            report(at, Holders { total, persons: &persons });
        }
        Ok(())
    }

    fn persons(
        &mut self,
        ids: &[PersonId],
        report: &mut dyn FnMut(usize, PersonView<'_>),
    ) -> Result<(), IndexError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut wanted: Vec<u64> = ids.iter().map(|id| id.get()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let rows: Vec<PersonRow> =
            self.query(&self.index.statements.persons, &[Param::Text(&json(&wanted))])?;
        let mut known = Vec::with_capacity(rows.len());
        for row in rows {
            let person = StoredPerson::from_bytes(&row.held, &row.person_key, &self.index.seal)
                .map_err(|error| unavailable("a person of the index is damaged", error))?;
            known.push((person_id(row.id)?, row.person_key, person));
        }
        for (at, id) in ids.iter().enumerate() {
            let place = known.binary_search_by_key(id, |(id, ..)| *id);
            // Removed between two reads: who asks again finds the population as it is now.
            let place = place.map_err(|_| IndexError::Unavailable {
                reason: "a person was removed since its key was looked up: look it up again".into(),
                source: None,
            })?;
            let (_, key, person) = &known[place];
            report(at, person.view(key));
        }
        Ok(())
    }
}
