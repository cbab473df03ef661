//! The migrations of a service, whose book is Diesel's, and the checksums that we keep beside that book.

use std::any::Any;
use std::collections::BTreeMap;
use std::error::Error;

use diesel::backend::Backend;
use diesel::connection::{BoxableConnection, SimpleConnection};
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use guardrails::Remedy;
use guardrails::facts::Offender;
use guardrails::recovery::MigrationFacts;

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::migrate::digest;
use crate::diesel::tables::queue_service_migration as kept;
use crate::model::error::StoreError;

/// The migrations of a service's own: what its program embeds, whose book Diesel keeps in
/// `__diesel_schema_migrations`.
///
/// Diesel's book has no checksums, so it cannot tell whether a file was edited after it was applied. With the scripts
/// ([`of_scripts`](Self::of_scripts)) the store keeps one for each applied version, from the first time that
/// [`SqlStore::record_service_migrations`](crate::SqlStore::record_service_migrations) sees it.
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
/// let embedded = FileBasedMigrations::from_path(dir.path())?;
/// let service = ServiceMigrations::of_scripts::<Sqlite>("service", &embedded)?;
/// assert_eq!(service.versions(), ["20260101000000"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServiceMigrations {
    name: String,
    versions: Vec<String>,
    /// The checksums by version, where the scripts are known.
    checksums: BTreeMap<String, String>,
    remedy: Option<Remedy>,
}

/// A connection that keeps the script that a migration hands over, and runs nothing.
struct ScriptOnly(String);

impl SimpleConnection for ScriptOnly {
    fn batch_execute(&mut self, script: &str) -> QueryResult<()> {
        self.0.push_str(script);
        Ok(())
    }
}

impl<DB: Backend> BoxableConnection<DB> for ScriptOnly {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

const READ: &str = "the look at the service's migrations";

impl ServiceMigrations {
    /// Reads the versions of what a program embeds, under the name that reports call the book by; what was edited
    /// since it was applied cannot be told.
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
        Ok(Self { name: name.into(), versions, checksums: BTreeMap::new(), remedy: None })
    }

    /// Reads versions and scripts of migrations that are SQL alone, as those of `embed_migrations!` and of folders are,
    /// so that one that is edited after it was applied is found.
    ///
    /// Each is asked for its script by running it on a connection that keeps the text and does nothing else: give no
    /// migrations in code. Line endings are no edit.
    ///
    /// # Errors
    /// A source that cannot list its migrations, a script that cannot be read.
    pub fn of_scripts<DB: Backend>(
        name: impl Into<String>,
        source: &impl MigrationSource<DB>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut read = Self::of(name, source)?;
        for migration in source.migrations()? {
            let mut script = ScriptOnly(String::new());
            migration.run(&mut script)?;
            let checksum = digest(&script.0.replace("\r\n", "\n"));
            read.checksums.insert(migration.name().version().to_string(), checksum);
        }
        Ok(read)
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

    /// Reads Diesel's book, in the order of application; nothing is made where there is none.
    fn applied(db: &mut Database) -> Result<Vec<String>, StoreError> {
        let exists = if db.is_sqlite() {
            "SELECT count(*) AS value FROM sqlite_master WHERE name = '__diesel_schema_migrations'"
        } else {
            "SELECT count(to_regclass('__diesel_schema_migrations')) AS value"
        };
        if db.int(exists, &[]).map_err(failed(READ))? == 0 {
            return Ok(Vec::new());
        }
        // Those of one transaction have one time.
        let applied = "SELECT CAST(version AS TEXT) AS value FROM __diesel_schema_migrations \
                       ORDER BY run_on, version";
        let applied: Vec<TextRow> = db.query(applied, &[]).map_err(failed(READ))?;
        Ok(applied.into_iter().map(|row| row.value).collect())
    }

    /// Reads the checksums that are recorded, by version; none where the queue's tables are older than that.
    fn recorded(
        &self,
        db: &mut Database,
        names: &Names,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        const TABLE: &str = "queue_service_migration";
        let exists = match &names.schema {
            None => db.int(
                "SELECT count(*) AS value FROM sqlite_master WHERE name = $1",
                &[Param::Text(TABLE)],
            ),
            Some(schema) => db.int(
                "SELECT count(*) AS value FROM pg_catalog.pg_tables \
                 WHERE schemaname = $1 AND tablename = $2",
                &[Param::Text(schema), Param::Text(TABLE)],
            ),
        };
        if exists.map_err(failed(READ))? == 0 {
            return Ok(BTreeMap::new());
        }
        let of_book = kept::table.filter(kept::book.eq(&self.name));
        let rows: Vec<(String, String)> =
            typed!(db, names, load, of_book.select((kept::version, kept::sha256)))
                .map_err(failed(READ))?;
        Ok(rows.into_iter().collect())
    }

    /// Reads Diesel's book and the checksums beside it.
    pub(super) fn book(
        &self,
        db: &mut Database,
        names: &Names,
    ) -> Result<MigrationFacts, StoreError> {
        let applied = Self::applied(db)?;
        let recorded = self.recorded(db, names)?;
        let mut book = MigrationFacts {
            book: self.name.clone(),
            remedy: self.remedy.clone(),
            embedded: self.versions.clone(),
            ..MigrationFacts::default()
        };
        for version in applied.iter().filter(|version| self.versions.contains(version)) {
            match (self.checksums.get(version), recorded.get(version)) {
                (Some(now), Some(then)) if now != then => {
                    let changed = "its script is another than when it was first recorded";
                    book.drifted.push(Offender::new(version, changed));
                }
                (Some(_), Some(_)) => {}
                _ => book.unverified.push(version.clone()),
            }
        }
        book.applied = applied;
        Ok(book)
    }
}

/// Records the checksum of each script that is applied and has none yet; where all have one, nothing is written.
pub(crate) fn record(
    db: &mut Database,
    names: &Names,
    service: &ServiceMigrations,
) -> Result<(), StoreError> {
    const RECORD: &str = "the record of the service's migrations";
    let recorded = service.recorded(db, names)?;
    let seen = ServiceMigrations::applied(db)?;
    let new: Vec<(&String, &String)> = service
        .checksums
        .iter()
        .filter(|(version, _)| seen.contains(version) && !recorded.contains_key(*version))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    db.transaction(RECORD, |db| {
        let now = db.now().map_err(failed(RECORD))?;
        for (version, sha256) in &new {
            let row = (
                kept::book.eq(&service.name),
                kept::version.eq(version),
                kept::sha256.eq(sha256),
                kept::recorded_at.eq(now),
            );
            let insert = diesel::insert_into(kept::table)
                .values(row)
                .on_conflict((kept::book, kept::version))
                .do_nothing();
            typed!(db, names, execute, insert).map_err(failed(RECORD))?;
        }
        Ok(())
    })
}
