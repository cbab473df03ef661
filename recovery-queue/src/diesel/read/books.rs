//! The books of migrations: the queue's own, and those that Diesel keeps for a service.

use std::error::Error;

use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::migration::MigrationSource;
use guardrails::Remedy;
use guardrails::facts::{
    Dialect, Facts, FactsError, FactsResult, Offender, Offenders, Query, Snapshot as FactsSnapshot,
    Tables,
};
use guardrails::recovery::{
    AgeBucket, Invariant, LackCount, LedgerFacts, MigrationFacts, QueueFacts, RecoveryFacts,
    RunFacts,
};

use crate::diesel::conn::database::{Database, TextRow, failed};
use crate::diesel::migrate::status::MigrationStatus;
use crate::diesel::store::SqlStore;
use crate::model::error::StoreError;

/// The migrations of a service's own: what its program embeds, whose book Diesel keeps in
/// `__diesel_schema_migrations`.
///
/// ```
/// use diesel::sqlite::Sqlite;
/// use diesel_migrations::FileBasedMigrations;
/// use recovery_queue::ServiceMigrations;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// # let dir = tempfile::tempdir()?;
/// # std::fs::create_dir(dir.path().join("2026-01-01-000000_leads"))?;
/// # std::fs::write(dir.path().join("2026-01-01-000000_leads/up.sql"), "CREATE TABLE leads (id TEXT)")?;
/// # std::fs::write(dir.path().join("2026-01-01-000000_leads/down.sql"), "DROP TABLE leads")?;
/// # let embedded = FileBasedMigrations::from_path(dir.path())?;
/// let service = ServiceMigrations::of::<Sqlite>("service", &embedded)?;
/// assert_eq!(service.versions(), ["20260101000000"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServiceMigrations {
    name: String,
    versions: Vec<String>,
    remedy: Option<Remedy>,
}

impl ServiceMigrations {
    /// Reads the versions of what a program embeds, under the name that reports call the book by.
    ///
    /// # Errors
    /// A source that cannot list its migrations.
    pub fn of<DB: Backend>(
        name: impl Into<String>,
        source: &impl MigrationSource<DB>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut versions: Vec<String> = source
            .migrations()?
            .iter()
            .map(|migration| migration.name().version().to_string())
            .collect();
        versions.sort_unstable();
        Ok(Self { name: name.into(), versions, remedy: None })
    }

    /// Says how the service applies what is pending.
    #[must_use]
    pub fn with_remedy(mut self, words: &str, command: &str) -> Self {
        self.remedy = Some(Remedy::new(words).command(command));
        self
    }

    /// Returns the embedded versions, oldest first.
    #[must_use]
    pub fn versions(&self) -> &[String] {
        &self.versions
    }

    /// Reads Diesel's book beside them; nothing is made where there is none.
    pub(super) fn book(&self, db: &mut Database) -> Result<MigrationFacts, StoreError> {
        const READ: &str = "the look at the service's migrations";
        let exists = if db.is_sqlite() {
            "SELECT count(*) AS value FROM sqlite_master WHERE name = '__diesel_schema_migrations'"
        } else {
            "SELECT count(to_regclass('__diesel_schema_migrations')) AS value"
        };
        let applied: Vec<TextRow> = if db.int(exists, &[]).map_err(failed(READ))? == 0 {
            Vec::new()
        } else {
            // Those of one transaction have one time.
            let applied = "SELECT CAST(version AS TEXT) AS value FROM __diesel_schema_migrations \
                           ORDER BY run_on, version";
            db.query(applied, &[]).map_err(failed(READ))?
        };
        Ok(MigrationFacts {
            book: self.name.clone(),
            remedy: self.remedy.clone(),
            embedded: self.versions.clone(),
            applied: applied.into_iter().map(|row| row.value).collect(),
            ..MigrationFacts::default()
        })
    }
}

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
    }
}

/// The books of a database whose tables this build must not work on, and nothing else.
///
/// Where [`SqlStore::read`] is refused, since migrations are pending, were edited or are those of a newer program, the check
/// of the heads says what is wrong; every other check is an `error` that names the refusal.
///
/// ```
/// use guardrails::clock::Stopped;
/// use guardrails::{Suite, Verdict};
/// use recovery_queue::{BookFacts, DatabaseUrl, OpenOptions, SqlStore};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("new.sqlite");
/// let mut store = SqlStore::open(&DatabaseUrl::Sqlite(path.into()), OpenOptions::default())?;
/// assert!(store.read().is_err(), "nothing is migrated yet");
/// let facts = BookFacts::read(&mut store, &[])?;
/// let report = Suite::recovery().run(&facts, &Stopped);
/// assert_eq!(report.check("single_migration_head").map(|check| check.verdict), Some(Verdict::Fail));
/// assert_eq!(report.check("drain").map(|check| check.verdict), Some(Verdict::Error));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BookFacts {
    snapshot: FactsSnapshot,
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
        let db = &mut store.db;
        for service in services {
            books.push(service.book(db)?);
        }
        let now = db.now().map_err(failed("the look at the migrations"))?;
        let (name, dialect) = if db.is_sqlite() {
            ("sqlite", Dialect::Sqlite)
        } else {
            ("postgres", Dialect::Postgres)
        };
        let as_of = DateTime::<Utc>::from_timestamp_micros(now).unwrap_or_default();
        let snapshot = FactsSnapshot::new(format!("{name}:books:{now}"), as_of);
        Ok(Self { snapshot, dialect, books, refusal })
    }

    fn refused<T>(&self) -> FactsResult<T> {
        Err(FactsError::unavailable(self.refusal.as_str()))
    }
}

impl Facts for BookFacts {
    fn snapshot(&self) -> FactsSnapshot {
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
