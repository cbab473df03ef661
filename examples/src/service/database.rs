//! Opening the database, and the tables and the view that are the service's.

use std::fmt;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use serde::Serialize;

use crate::cli::Failure;
use crate::files;

/// The name of the view that holds the backlog: the leads with neither an identity link nor a claim.
pub const BACKLOG_VIEW: &str = "backlog_leads";

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Where a database lies.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An embedded `SQLite` file.
    Sqlite(PathBuf),
    /// A PostgreSQL server, by its URL.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads a `--database-url`: a path, `sqlite://PATH` or `postgres://…`; nothing means the file `default`.
    ///
    /// # Errors
    ///
    /// An empty value or a scheme that is none of these.
    ///
    /// ```
    /// use reference_runners::service::DatabaseUrl;
    /// let url = DatabaseUrl::parse(Some("sqlite://data/recovery.sqlite"), "unused".as_ref()).unwrap();
    /// assert_eq!(url, DatabaseUrl::Sqlite("data/recovery.sqlite".into()));
    /// assert!(DatabaseUrl::parse(Some("mysql://h/d"), "unused".as_ref()).is_err());
    /// ```
    pub fn parse(url: Option<&str>, default: &Path) -> Result<Self, Failure> {
        let Some(url) = url else { return Ok(Self::Sqlite(default.to_owned())) };
        let wrong = |what: &str| {
            Failure::new(format_args!("--database-url: {what}"))
                .remedy("give a path, sqlite://PATH or postgres://USER@HOST/DATABASE")
        };
        if let Some(path) = url.strip_prefix("sqlite://") {
            if path.is_empty() {
                return Err(wrong("`sqlite://` names no file"));
            }
            return Ok(Self::Sqlite(path.into()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        if let Some((scheme, _)) = url.split_once("://") {
            return Err(wrong(&format!("the scheme `{scheme}` is not known")));
        }
        if url.is_empty() {
            return Err(wrong("it is empty"));
        }
        Ok(Self::Sqlite(url.into()))
    }

    /// Returns the URL as Diesel's connections take it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sqlite(path) => path.to_str().unwrap_or_default(),
            Self::Postgres(url) => url,
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// Shows the file, or the server without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
                let place = place.split_once('?').map_or(place, |(place, _)| place);
                write!(f, "{scheme}://{place}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The service's connection.
pub struct Database {
    pub(super) connection: AnyConnection,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("dialect", &self.connection.dialect())
            .finish_non_exhaustive()
    }
}

#[derive(diesel::MultiConnection)]
pub(super) enum AnyConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl AnyConnection {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

impl Dialect {
    /// Writes an insert that takes all its rows from one JSON array of objects.
    pub(super) fn insert_json(self, table: &str, columns: &[(&str, &str)]) -> String {
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        match self {
            Self::Sqlite => {
                let values: Vec<_> =
                    columns.iter().map(|(name, _)| format!("value ->> '{name}'")).collect();
                format!(
                    "INSERT INTO {table} ({names}) SELECT {} FROM json_each($1)",
                    values.join(", ")
                )
            }
            Self::Postgres => {
                let typed: Vec<_> =
                    columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
                format!(
                    "INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_to_recordset($1::jsonb) AS r ({})",
                    typed.join(", ")
                )
            }
        }
    }

    /// Writes the rows of a JSON array of strings as a table expression with the column `value`.
    pub(super) fn json_texts(self) -> &'static str {
        match self {
            Self::Sqlite => "(SELECT value FROM json_each($1))",
            Self::Postgres => {
                "(SELECT value FROM jsonb_array_elements_text($1::jsonb) AS t (value))"
            }
        }
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

impl Database {
    /// Opens the database and brings the service's tables up to date.
    ///
    /// A `SQLite` file and its folder are made where they are missing.
    ///
    /// # Errors
    ///
    /// A file that cannot be opened or is no database, a server that does not answer, a migration that fails.
    pub fn open(url: &DatabaseUrl) -> Result<Self, Failure> {
        let cannot = |why: &dyn fmt::Display, remedy: &str| {
            Failure::new(format_args!("{url}: cannot be opened: {why}")).remedy(remedy)
        };
        let connection = match url {
            DatabaseUrl::Sqlite(path) => {
                let remedy = "name a file in a folder that you may write to, and that is a SQLite database or new";
                if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
                    std::fs::create_dir_all(folder).map_err(|error| cannot(&error, remedy))?;
                }
                if path.exists() {
                    files::open(path)?;
                }
                let mut sqlite = SqliteConnection::establish(url.as_str())
                    .map_err(|error| cannot(&error, remedy))?;
                sqlite
                    .batch_execute("PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;")
                    .map_err(|error| cannot(&error, remedy))?;
                sqlite
                    .run_pending_migrations(SQLITE)
                    .map_err(|error| cannot(&error, "see the cause; nothing was changed"))?;
                AnyConnection::Sqlite(sqlite)
            }
            DatabaseUrl::Postgres(_) => {
                let mut postgres = PgConnection::establish(url.as_str()).map_err(|error| {
                    cannot(&error, "check that the server runs and the URL is right")
                })?;
                // Diesel's migrations take no lock of their own: two that start at once would collide.
                postgres.batch_execute("SELECT pg_advisory_lock(7249016541)")?;
                postgres
                    .run_pending_migrations(POSTGRES)
                    .map_err(|error| cannot(&error, "see the cause; nothing was changed"))?;
                postgres.batch_execute("SELECT pg_advisory_unlock(7249016541)")?;
                AnyConnection::Postgres(postgres)
            }
        };
        Ok(Self { connection })
    }

    /// Makes the backlog view, over the service's own tables and the queue's `identity_links`.
    ///
    /// A lead that does not say when it came into being counts from its first import.
    ///
    /// The queue's tables must exist already.
    ///
    /// # Errors
    ///
    /// The database's, named.
    pub fn create_backlog_view(&mut self) -> Result<(), Failure> {
        let create = match self.connection.dialect() {
            Dialect::Sqlite => "CREATE VIEW IF NOT EXISTS",
            Dialect::Postgres => "CREATE OR REPLACE VIEW",
        };
        self.connection.batch_execute(&format!(
            "{create} {BACKLOG_VIEW} AS
             SELECT source_pk AS lead_source_pk, coalesce(lead_created_at, imported_at) AS lead_date,
                    version AS lead_version
             FROM leads
             WHERE NOT EXISTS (SELECT 1 FROM identity_links AS link WHERE link.source_pk = leads.source_pk)
               AND NOT EXISTS (SELECT 1 FROM claims AS claim WHERE claim.source_pk = leads.source_pk)"
        ))?;
        Ok(())
    }

    /// Counts the rows of one of the service's tables or of the backlog view.
    ///
    /// # Errors
    ///
    /// The database's, such as a table that is not there.
    pub fn count(&mut self, table: &'static str) -> Result<u64, Failure> {
        Ok(self.number(&format!("SELECT count(*) AS n FROM {table}"))?.unsigned_abs())
    }

    /// Runs all of `work` in one transaction: on an error nothing of it stays.
    pub(super) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // Immediate where the dialect knows it: a reader that turns writer later could be refused as busy.
        let begin = match self.connection.dialect() {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            Dialect::Postgres => "BEGIN",
        };
        self.connection.batch_execute(begin)?;
        match work(self) {
            Ok(done) => {
                self.connection.batch_execute("COMMIT")?;
                Ok(done)
            }
            Err(failure) => {
                self.connection.batch_execute("ROLLBACK")?;
                Err(failure)
            }
        }
    }

    /// Runs a statement and returns how many rows it touched.
    pub(super) fn execute(&mut self, sql: &str) -> Result<u64, Failure> {
        Ok(diesel::sql_query(sql).execute(&mut self.connection)? as u64)
    }

    /// Returns the column `n` of a query's one row.
    pub(super) fn number(&mut self, sql: &str) -> Result<i64, Failure> {
        let row: Count = diesel::sql_query(sql).get_result(&mut self.connection)?;
        Ok(row.n)
    }

    /// Runs a statement with one JSON bind and returns how many rows it touched.
    pub(super) fn execute_json(
        &mut self,
        sql: String,
        json: &impl Serialize,
    ) -> Result<usize, Failure> {
        Ok(diesel::sql_query(sql)
            .bind::<Text, _>(serde_json::to_string(json)?)
            .execute(&mut self.connection)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_shown_without_its_password() {
        let url = DatabaseUrl::parse(
            Some("postgres://ops:secret@127.0.0.1:5432/leads?x=1"),
            Path::new(""),
        );
        assert_eq!(url.unwrap().to_string(), "postgres://127.0.0.1:5432/leads");
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(
            &path,
            "these are notes, not a database, and long enough to be read as a header",
        )
        .unwrap();
        let said = Database::open(&DatabaseUrl::Sqlite(path.clone())).unwrap_err().to_string();
        assert!(said.contains("notes.txt") && said.contains("what to do"), "{said}");
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("these are notes"));
    }
}
