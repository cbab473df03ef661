//! The books of migrations as facts, read where the store itself may refuse to work.

use chrono::{DateTime, Utc};
use guardrails::Remedy;
use guardrails::facts::{
    Dialect, Facts, FactsError, FactsResult, Offender, Offenders, Query, SnapshotInfo, Tables,
};
use guardrails::recovery::{
    AgeBucket, Invariant, LackCount, LedgerFacts, MigrationFacts, QueueFacts, RecoveryFacts,
    RunFacts,
};

use crate::diesel::conn::database::failed;
use crate::diesel::migrate::status::MigrationStatus;
use crate::diesel::service_migrations::ServiceMigrations;
use crate::diesel::store::SqlStore;
use crate::model::error::StoreError;

/// The queue's own book.
pub(super) fn own(status: MigrationStatus) -> MigrationFacts {
    let changed = |version| Offender::new(version, "applied from a file with another checksum");
    let missing = |what| Offender::new(what, "it is missing");
    MigrationFacts {
        book: "recovery queue".to_owned(),
        remedy: Some(
            Remedy::new("Migrate; every runner that writes does so when it starts.")
                .command("seed_queue"),
        ),
        embedded: status.embedded,
        applied: status.applied,
        drifted: status
            .changed
            .into_iter()
            .map(changed)
            .chain(status.missing.into_iter().map(missing))
            .collect(),
        made: status.made,
        unrecorded: status.unrecorded,
        ..MigrationFacts::default()
    }
}

/// The books of a database whose tables this build must not work on, and nothing else.
///
/// Where [`SqlStore::read`] is refused, since migrations are pending, were edited or are those of a newer program, the check
/// of the heads says what is wrong; every other check is an `error` that names the refusal.
///
/// ```
/// use guardrails::clock::StoppedClock;
/// use guardrails::{Suite, Verdict};
/// use recovery_queue::{BookFacts, DatabaseUrl, OpenOptions, SqlStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("new.sqlite");
/// let mut store = SqlStore::open(&DatabaseUrl::Sqlite(path.into()), OpenOptions::default())?;
/// assert!(store.read().is_err(), "nothing is migrated yet");
/// let facts = BookFacts::read(&mut store, &[])?;
/// let report = Suite::recovery().run(&facts, &StoppedClock);
/// assert_eq!(report.check("single_migration_head").map(|check| check.verdict), Some(Verdict::Fail));
/// assert_eq!(report.check("drain").map(|check| check.verdict), Some(Verdict::Error));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BookFacts {
    snapshot: SnapshotInfo,
    dialect: Dialect,
    books: Vec<MigrationFacts>,
    refusal: String,
}

impl BookFacts {
    /// Reads the queue's book and those of the services; nothing is made, migrated or locked.
    ///
    /// # Errors
    /// A database that cannot be read at all.
    pub fn read(store: &mut SqlStore, services: &[ServiceMigrations]) -> Result<Self, StoreError> {
        let status = store.migration_status()?;
        let refusal = match status.refusal() {
            Some((reason, remedy)) => format!("the queue's tables are refused: {reason}; {remedy}"),
            None if !status.pending.is_empty() => {
                "the queue's tables are not migrated to this version".to_owned()
            }
            None => "the books alone were read".to_owned(),
        };
        let mut books = vec![own(status)];
        let (db, names) = (&mut store.db, &store.names);
        for service in services {
            books.push(service.book(db, names)?);
        }
        let now = db.now().map_err(failed("the look at the migrations"))?;
        let (name, dialect) = if db.is_sqlite() {
            ("sqlite", Dialect::Sqlite)
        } else {
            ("postgres", Dialect::Postgres)
        };
        let as_of = DateTime::<Utc>::from_timestamp_micros(now).unwrap_or_default();
        let snapshot = SnapshotInfo::new(format!("{name}:books:{now}"), as_of);
        Ok(Self { snapshot, dialect, books, refusal })
    }

    fn refused<T>(&self) -> FactsResult<T> {
        Err(FactsError::unavailable(self.refusal.as_str()))
    }
}

impl Facts for BookFacts {
    fn snapshot(&self) -> SnapshotInfo {
        self.snapshot.clone()
    }
}

impl Tables for BookFacts {
    fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn query(&self, _: &Query<'_>, _: usize) -> FactsResult<Offenders> {
        self.refused()
    }
}

impl RecoveryFacts for BookFacts {
    fn queue(&self) -> FactsResult<QueueFacts> {
        self.refused()
    }

    fn offenders(&self, _: Invariant, _: usize) -> FactsResult<Offenders> {
        self.refused()
    }

    fn ledger(&self) -> FactsResult<LedgerFacts> {
        self.refused()
    }

    fn runs(&self, _: usize) -> FactsResult<Vec<RunFacts>> {
        self.refused()
    }

    fn migrations(&self) -> FactsResult<Vec<MigrationFacts>> {
        Ok(self.books.clone())
    }

    fn ageing(&self) -> FactsResult<Vec<AgeBucket>> {
        self.refused()
    }

    fn lacking(&self) -> FactsResult<Vec<LackCount>> {
        self.refused()
    }
}
