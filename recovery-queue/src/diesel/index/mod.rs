//! The population's candidate index as tables: matching against persons who do not fit into memory.

mod statements;
mod write;

use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use identity_matching::index::{
    CandidateIndex, CandidateRead, Holders, InRead, IndexError, IndexKey, IndexedPerson, PersonId,
    Seal, StoredPerson,
};
use identity_matching::{HashKey, Normaliser};

use crate::diesel::SqlStore;
use crate::diesel::borrowed::BorrowedStore;
use crate::diesel::conn::database::{Database, IntRow, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::open::Purpose;
use crate::diesel::conn::transaction::Begin;
use crate::model::error::{ConfigError, StoreError};
use statements::Statements;

const OPEN: &str = "the opening of the candidate index";
const READ: &str = "the reading of the candidate index";
const REBUILD: &str = "the rebuild of the candidate index";

/// A candidate index of a population in the tables of a store.
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
/// Leads must be read as the persons were: the tables carry the normaliser's
/// [fingerprint](identity_matching::Normaliser::fingerprint), an index of another one is refused, and
/// [`SqlStore::rebuild_candidate_index`] makes it anew. While it does, and after it, whoever has the former index open is
/// refused too, so that nobody is missed unnoticed.
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
/// let mut index = store.candidate_index(HashKey::new(*b"a secret of 16 B"), &normaliser)?;
/// index.insert(&[("P-1", &normaliser.normalise(&ana))])?;
/// let matcher = DeterministicMatcher::new(index, normaliser, Policy::default())?;
/// assert_eq!(matcher.decide_one(&ana)?.outcome.person(), Some("P-1"));
/// # Ok(())
/// # }
/// ```
///
/// A service that changes persons on its own connection changes the index there, too, in one transaction:
/// [`BorrowedStore::candidate_index`].
pub struct SqlIndex<'c> {
    /// Whoever has it locked has a read of its own.
    db: Mutex<Database<'c>>,
    names: Names,
    statements: Statements,
    seal: Seal,
    /// What the tables must say of secret and reading.
    mark: String,
    /// Whether it is being filled anew: counters are made at the end then, of all keys at once.
    is_building: bool,
}

impl std::fmt::Debug for SqlIndex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlIndex").field("names", &self.names.label).finish_non_exhaustive()
    }
}

/// What stands behind the mark of an index that is being rebuilt, and before the number of the rebuild.
const REBUILDING: &str = ".rebuilding.";

impl SqlStore {
    /// Opens the candidate index that lies beside the queue, on a connection of its own.
    ///
    /// The first call fixes the secret and the reading; the secret may be kept wherever the service keeps its others.
    ///
    /// # Errors
    /// [`StoreError::Config`] when the index is under another secret, its persons were read otherwise than `normaliser`
    /// reads leads, or it is being rebuilt; tables that are not migrated.
    pub fn candidate_index(
        &self,
        secret: HashKey,
        normaliser: &Normaliser,
    ) -> Result<SqlIndex<'static>, StoreError> {
        let db = self.source.connect(&self.options, Purpose::Write)?;
        SqlIndex::open(db, self.names.clone(), secret, normaliser)
    }

    /// Empties the candidate index, has it filled anew, and opens it: after a change of how values are read, or of the
    /// secret.
    ///
    /// `fill` inserts the whole population, in parts of its choice. Until it returns the index is refused to everybody
    /// else; where it fails, or the process ends, the index stays refused until it is rebuilt again. Of two rebuilds at
    /// once the one that began first fails.
    ///
    /// # Errors
    /// The database's, and what `fill` returns.
    pub fn rebuild_candidate_index<E: From<StoreError>>(
        &self,
        secret: HashKey,
        normaliser: &Normaliser,
        fill: impl FnOnce(&mut SqlIndex<'static>) -> Result<(), E>,
    ) -> Result<SqlIndex<'static>, E> {
        let connected = self.source.connect(&self.options, Purpose::Write);
        let db = connected?;
        let (seal, _, mark) = marks(secret, normaliser);
        let mut index = SqlIndex::new(db, self.names.clone(), seal, mark.clone());
        let building = index.change_mark(|before, db, names| {
            let number = before.split_once(REBUILDING).and_then(|(_, number)| number.parse().ok());
            for table in ["holder", "hub", "person"] {
                let sql = names.sql(&format!("DELETE FROM {{ns}}queue_index_{table}"));
                db.execute(&sql, &[]).map_err(failed(REBUILD))?;
            }
            Ok(format!("{mark}{REBUILDING}{}", number.unwrap_or(0_u64) + 1))
        })?;
        index.is_building = true;
        fill(&mut index)?;
        index.is_building = false;
        index.change_mark(|held, db, names| {
            if held != building {
                return Err(rebuilt());
            }
            db.execute(&names.sql(&statements::counters()), &[]).map_err(failed(REBUILD))?;
            Ok(mark)
        })?;
        Ok(index)
    }
}

impl<'c> BorrowedStore<'c> {
    /// Opens the candidate index on the store's connection: what it changes is one savepoint of the caller's transaction.
    ///
    /// # Errors
    /// As [`SqlStore::candidate_index`].
    pub fn candidate_index(
        self,
        secret: HashKey,
        normaliser: &Normaliser,
    ) -> Result<SqlIndex<'c>, StoreError> {
        SqlIndex::open(self.db, self.names, secret, normaliser)
    }
}

/// Makes the seal, the mark of its secret, and the mark of secret and reading.
fn marks(secret: HashKey, normaliser: &Normaliser) -> (Seal, String, String) {
    let seal = Seal::new(secret);
    let secret_mark = hex(&seal.mark());
    let mark = format!("{secret_mark}.{}", normaliser.fingerprint());
    (seal, secret_mark, mark)
}

fn held_mark(db: &mut Database, names: &Names) -> diesel::QueryResult<String> {
    let sql = names.sql("SELECT secret_mark AS value FROM {ns}queue_index");
    let held: Vec<TextRow> = db.query(&sql, &[])?;
    Ok(held.into_iter().next().map(|row| row.value).unwrap_or_default())
}

/// Refuses an index that was rebuilt since it was opened.
fn check_mark(db: &mut Database, names: &Names, mark: &str) -> Result<(), StoreError> {
    if held_mark(db, names).map_err(failed(READ))? == mark {
        return Ok(());
    }
    Err(rebuilt())
}

fn rebuilt() -> StoreError {
    let what = "it was rebuilt, or is being rebuilt, since it was opened";
    ConfigError::new("candidate index", "…", what, "open it again").into()
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

impl<'c> SqlIndex<'c> {
    /// Opens the index, and fixes its secret and reading where nobody has; where it stands nothing is written.
    fn open(
        mut db: Database<'c>,
        names: Names,
        secret: HashKey,
        normaliser: &Normaliser,
    ) -> Result<Self, StoreError> {
        let (seal, secret_mark, mark) = marks(secret, normaliser);
        let mut held = held_mark(&mut db, &names).map_err(failed(OPEN))?;
        if held.is_empty() {
            let first = "INSERT INTO {ns}queue_index (id, secret_mark) VALUES (1, $1) ON CONFLICT DO NOTHING";
            db.execute(&names.sql(first), &[Param::Text(&mark)]).map_err(failed(OPEN))?;
            held = held_mark(&mut db, &names).map_err(failed(OPEN))?;
        }
        if held == mark {
            return Ok(Self::new(db, names, seal, mark));
        }
        Err(if held.contains(REBUILDING) {
            ConfigError::new(
                "candidate index",
                "…",
                "it is being rebuilt, or a rebuild of it was broken off",
                "wait for its end; where it was broken off, rebuild it again (rebuild_candidate_index)",
            )
        } else if held.split('.').next() == Some(secret_mark.as_str()) {
            ConfigError::new(
                "reading of the candidate index",
                held.split('.').nth(1).unwrap_or("1"),
                "its persons were read by another version of identity-matching, or by other options",
                "make it anew from the population, by rebuild_candidate_index",
            )
        } else {
            ConfigError::new(
                "secret of the candidate index",
                "…",
                "the index was made with another one",
                "give the secret that it was made with, or make it anew by rebuild_candidate_index",
            )
        }
        .into())
    }

    fn new(db: Database<'c>, names: Names, seal: Seal, mark: String) -> Self {
        let statements = Statements::new(db.is_sqlite(), &names);
        Self { db: Mutex::new(db), names, statements, seal, mark, is_building: false }
    }

    /// Changes the mark, and what goes with it, in one transaction that others wait for; gives the new one.
    fn change_mark(
        &mut self,
        change: impl FnOnce(&str, &mut Database, &Names) -> Result<String, StoreError>,
    ) -> Result<String, StoreError> {
        let Self { db, names, statements, mark, .. } = self;
        let db = db.get_mut().unwrap_or_else(PoisonError::into_inner);
        *mark = db.transaction(REBUILD, |db| {
            let first = "INSERT INTO {ns}queue_index (id, secret_mark) VALUES (1, '') ON CONFLICT DO NOTHING";
            db.execute(&names.sql(first), &[]).map_err(failed(REBUILD))?;
            if let Some(lock) = &statements.lock {
                let _: Vec<IntRow> = db.query(lock, &[]).map_err(failed(REBUILD))?;
            }
            let held = held_mark(db, names).map_err(failed(REBUILD))?;
            let changed = change(&held, db, names)?;
            let sql = "UPDATE {ns}queue_index SET secret_mark = $1";
            db.execute(&names.sql(sql), &[Param::Text(&changed)]).map_err(failed(REBUILD))?;
            Ok(changed)
        })?;
        Ok(mark.clone())
    }

    /// Counts the persons.
    ///
    /// # Errors
    /// The database's.
    pub fn persons_total(&mut self) -> Result<u64, StoreError> {
        let sql = self.names.sql("SELECT count(*) AS value FROM {ns}queue_index_person");
        let total = self.database().int(&sql, &[]).map_err(failed(READ))?;
        Ok(u64::try_from(total).unwrap_or_default())
    }

    fn database(&mut self) -> &mut Database<'c> {
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
struct SqlRead<'a, 'c> {
    db: MutexGuard<'a, Database<'c>>,
    index: &'a SqlIndex<'c>,
}

impl SqlRead<'_, '_> {
    fn query<T: crate::diesel::conn::database::Row>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<T>, IndexError> {
        self.db.query(sql, params).map_err(|error| unavailable(READ, failed(READ)(error)))
    }
}

impl Drop for SqlRead<'_, '_> {
    fn drop(&mut self) {
        // Nothing was written: rolled back is as good as committed, and also ends a read that failed.
        self.db.rollback();
    }
}

impl CandidateIndex for SqlIndex<'_> {
    fn as_held(&self, key: IndexKey) -> IndexKey {
        self.seal.key(key)
    }

    fn read(&self, look_up: &mut InRead<'_>) -> Result<(), IndexError> {
        // A panic of another thread leaves no statement half done.
        let mut db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        db.begin(Begin::Snapshot).map_err(|error| unavailable(READ, failed(READ)(error)))?;
        let mut read = SqlRead { db, index: self };
        check_mark(&mut read.db, &self.names, &self.mark)
            .map_err(|error| unavailable(&error.to_string(), error))?;
        look_up(&mut read)
    }
}

impl CandidateRead for SqlRead<'_, '_> {
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
        report: &mut dyn FnMut(usize, IndexedPerson<'_>),
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
