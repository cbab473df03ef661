//! Opening a database: what a URL names, and how a connection is set up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::prelude::*;

use crate::diesel::conn::database::Database;
use crate::diesel::conn::namespace::{Names, Namespace};
#[cfg(feature = "postgres")]
use crate::diesel::conn::session::Session;
use crate::model::error::{ConfigError, StoreError};

/// Names a database: a file of SQLite or a server of PostgreSQL.
///
/// ```
/// use recovery_queue::DatabaseUrl;
///
/// assert!(matches!(DatabaseUrl::parse("leads.sqlite")?, DatabaseUrl::Sqlite(_)));
/// assert!(matches!(DatabaseUrl::parse("postgres://localhost/crm")?, DatabaseUrl::Postgres(_)));
/// # Ok::<(), recovery_queue::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseUrl {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// The connection string of a PostgreSQL server.
    Postgres(String),
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            // The string may hold a password.
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl DatabaseUrl {
    /// Reads a path, `sqlite://PATH`, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// Another scheme, an empty text and SQLite's in-memory name are refused.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path =
            text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        if path.contains("://") {
            let scheme = text.split("://").next().unwrap_or_default();
            return Err(ConfigError::new(
                "database URL",
                format!("{scheme}://…"),
                "there is no such backend",
                "give a path, sqlite://PATH or postgres://USER@HOST/DATABASE",
            ));
        }
        if path.is_empty() || path == ":memory:" || path.starts_with("file:") {
            return Err(ConfigError::new(
                "database URL",
                text,
                "it names no file",
                "give a path; for a queue in memory use MemoryStore",
            ));
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

/// Sets how a database is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenOptions {
    /// Where the tables lie. Default: schema `recovery` on PostgreSQL, no prefix on SQLite.
    pub namespace: Namespace,
    /// How long a writer of SQLite waits for another one. Default: 60 s.
    pub busy_timeout: Duration,
    /// Memory for SQLite's page cache, in KiB. Default: 65,536.
    pub cache_kib: u32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            namespace: Namespace::default(),
            busy_timeout: Duration::from_secs(60),
            cache_kib: 65_536,
        }
    }
}

impl OpenOptions {
    /// Sets where the tables lie.
    #[must_use]
    pub fn with_namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = namespace;
        self
    }

    pub(crate) fn names(&self, url: &DatabaseUrl) -> Names {
        match url {
            DatabaseUrl::Sqlite(_) => self.namespace.sqlite(),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(_) => self.namespace.postgres(),
            #[cfg(not(feature = "postgres"))]
            DatabaseUrl::Postgres(_) => self.namespace.sqlite(),
        }
    }
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Read,
}

pub(crate) fn connect(
    url: &DatabaseUrl,
    options: &OpenOptions,
    purpose: Purpose,
) -> Result<Database, StoreError> {
    match url {
        DatabaseUrl::Sqlite(path) => sqlite(path, options, purpose),
        DatabaseUrl::Postgres(url) => postgres(url, purpose),
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable { operation: "the opening of the database", source: Box::new(error) }
}

#[cfg(feature = "sqlite")]
fn sqlite(path: &Path, options: &OpenOptions, purpose: Purpose) -> Result<Database, StoreError> {
    let Some(name) = path.to_str() else {
        return Err(ConfigError::new(
            "database path",
            path.display().to_string(),
            "it is not UTF-8",
            "use another path",
        )
        .into());
    };
    let establish = || SqliteConnection::establish(name);
    // Only a read is ever given a time limit.
    let mut connection = match purpose {
        Purpose::Write => establish(),
        Purpose::Read => crate::diesel::conn::interrupt::interruptible(establish),
    }
    .map_err(unavailable)?;
    crate::diesel::conn::sqlite_text::register(&mut connection)
        .map_err(crate::diesel::conn::database::failed("the opening of the database"))?;
    let mut db = Database::Sqlite(connection);
    // The journal mode lies in the file and is the migration's to set: opening changes nothing in it.
    let mut setup = format!(
        "PRAGMA busy_timeout = {}; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY; \
         PRAGMA wal_autocheckpoint = 50000;",
        options.busy_timeout.as_millis(),
        options.cache_kib,
    );
    match purpose {
        Purpose::Write => setup.push_str(crate::diesel::batch::sqlite::PREPARE),
        Purpose::Read => setup.push_str("PRAGMA query_only = ON;"),
    }
    db.script(&setup).map_err(|error| {
        if error.to_string().contains("not a database") {
            ConfigError::new(
                "database path",
                name,
                "it holds another kind of file",
                "give a file of SQLite, or a new path",
            )
            .into()
        } else {
            crate::diesel::conn::database::failed("the opening of the database")(error)
        }
    })?;
    Ok(db)
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(path: &Path, _: &OpenOptions, _: Purpose) -> Result<Database, StoreError> {
    Err(ConfigError::new(
        "database path",
        path.display().to_string(),
        "this build has no SQLite",
        "build with the feature sqlite",
    )
    .into())
}

#[cfg(feature = "postgres")]
fn postgres(url: &str, purpose: Purpose) -> Result<Database, StoreError> {
    let connection = PgConnection::establish(url).map_err(|error| {
        if error.to_string().contains("SSL support is not compiled in") {
            let remedy = "link a libpq with TLS, or build with the feature postgres-bundled-tls";
            ConfigError::new("database URL", "sslmode=…", "this build has no TLS", remedy).into()
        } else {
            unavailable(error)
        }
    })?;
    let mut db = Database::Postgres(Session::new(connection));
    let mut setup = "SET TIME ZONE 'UTC'; SET client_min_messages = warning;".to_owned();
    if purpose == Purpose::Read {
        setup.push_str(" SET default_transaction_read_only = on;");
    }
    db.script(&setup)
        .map_err(crate::diesel::conn::database::failed("the opening of the database"))?;
    Ok(db)
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str, _: Purpose) -> Result<Database, StoreError> {
    Err(ConfigError::new(
        "database URL",
        "postgres://…",
        "this build has no PostgreSQL",
        "build with the feature postgres",
    )
    .into())
}
