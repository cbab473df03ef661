//! Opening a database: what a URL names, and how a connection is set up.

use std::time::Duration;

#[cfg(feature = "sqlite")]
use diesel::prelude::*;

use crate::diesel::conn::database::Database;
use crate::diesel::conn::lent::{Held, Waits};
use crate::diesel::conn::namespace::Namespace;
#[cfg(feature = "postgres")]
use crate::diesel::conn::own_session;
#[cfg(feature = "postgres")]
use crate::diesel::conn::session::Session;
use crate::diesel::conn::sqlite_file::SqliteFile;
use crate::diesel::conn::url::{DatabaseUrl, PostgresUrl};
use crate::model::error::{ConfigError, StoreError};

/// Sets how a database is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenOptions {
    /// Where the tables lie on PostgreSQL. Default: schema `recovery`.
    pub namespace: Namespace,
    /// How long a writer of SQLite waits for another one. Default: 60 s.
    pub busy_timeout: Duration,
    /// How long a connection to PostgreSQL may take to come about, for each address of the server's name; in whole
    /// seconds, 2 at least. A limit in the URL goes before it. Default: 3 s.
    pub connect_timeout: Duration,
    /// Memory for SQLite's page cache, in KiB. Default: 65,536.
    pub cache_kib: u32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            namespace: Namespace::default(),
            busy_timeout: Duration::from_mins(1),
            connect_timeout: Duration::from_secs(3),
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

    /// Sets how long a writer of SQLite waits for another one.
    #[must_use]
    pub fn with_busy_timeout(mut self, limit: Duration) -> Self {
        self.busy_timeout = limit;
        self
    }

    /// Sets how long a connection to PostgreSQL may take to come about.
    #[must_use]
    pub fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets the memory for SQLite's page cache, in KiB.
    #[must_use]
    pub fn with_cache_kib(mut self, kib: u32) -> Self {
        self.cache_kib = kib;
        self
    }
}

/// Makes the temporary table of a batch: once per connection of ours, for each batch on a lent one.
#[cfg(feature = "sqlite")]
pub(crate) const BATCH_TABLE: &str = include_str!("../../../queries/sqlite/batch_table.sql");

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
) -> Result<Database<'static>, StoreError> {
    match url {
        DatabaseUrl::Sqlite(file) => sqlite(file, options, purpose),
        DatabaseUrl::Postgres(url) => postgres(url, options, purpose),
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable { operation: "the opening of the database", source: Box::new(error) }
}

#[cfg(feature = "sqlite")]
fn sqlite(
    file: &SqliteFile,
    options: &OpenOptions,
    purpose: Purpose,
) -> Result<Database<'static>, StoreError> {
    let name = file.address()?;
    let purpose = if file.is_read_only() { Purpose::Read } else { purpose };
    let establish = || SqliteConnection::establish(&name);
    // Only the reads of checks are ever given a time limit.
    #[cfg(feature = "guardrails")]
    let establish = || match purpose {
        Purpose::Write => establish(),
        Purpose::Read => crate::diesel::conn::interrupt::interruptible(establish),
    };
    // SQLite's own words name no file.
    let mut connection = establish().map_err(|error| {
        let (path, remedy) =
            (file.display().to_string(), "check the path, and that you may read and write it");
        unavailable(ConfigError::new("database path", path, error.to_string(), remedy))
    })?;
    crate::diesel::conn::sqlite_text::register(&mut connection)
        .map_err(crate::diesel::conn::database::failed("the opening of the database"))?;
    let mut db =
        Database::Sqlite(Held::Ours(Box::new(connection), Waits::new(options.busy_timeout)));
    // The journal mode lies in the file and is the migration's to set: opening changes nothing in it.
    let mut setup = format!(
        "PRAGMA busy_timeout = {}; PRAGMA synchronous = FULL; \
         PRAGMA foreign_keys = ON; PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY; \
         PRAGMA wal_autocheckpoint = 50000;",
        options.busy_timeout.as_millis(),
        options.cache_kib,
    );
    match purpose {
        Purpose::Write => setup.push_str(BATCH_TABLE),
        Purpose::Read => setup.push_str("PRAGMA query_only = ON;"),
    }
    db.script(&setup).map_err(|error| {
        if crate::diesel::conn::failure::is_locked(&error) {
            return crate::diesel::conn::database::failed("the opening of the database")(error);
        }
        let said = error.to_string();
        let path = file.display().to_string();
        let (reason, remedy) = if said.contains("not a database") {
            ("it holds another kind of file".to_owned(), "give a file of SQLite, or a new path")
        } else {
            (said, "give a sound file of SQLite, such as a backup, or a new path")
        };
        ConfigError::new("database path", path, reason, remedy).into()
    })?;
    Ok(db)
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(file: &SqliteFile, _: &OpenOptions, _: Purpose) -> Result<Database<'static>, StoreError> {
    Err(ConfigError::new(
        "database path",
        file.display().to_string(),
        "this build has no SQLite",
        "build with the feature sqlite",
    )
    .into())
}

#[cfg(feature = "postgres")]
fn postgres(
    url: &PostgresUrl,
    options: &OpenOptions,
    _: Purpose,
) -> Result<Database<'static>, StoreError> {
    let url = url.with_connect_timeout(options.connect_timeout);
    let (connection, keeps) = own_session::establish(&url).map_err(|error| {
        if error.to_string().contains("SSL support is not compiled in") {
            let remedy = "link a libpq with TLS, or build with the feature postgres-bundled-tls";
            ConfigError::new("database URL", "sslmode=…", "this build has no TLS", remedy).into()
        } else {
            unavailable(error)
        }
    })?;
    Ok(Database::Postgres(Session::new(
        Held::Ours(Box::new(connection), Waits::new(options.busy_timeout)),
        keeps,
    )))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &PostgresUrl, _: &OpenOptions, _: Purpose) -> Result<Database<'static>, StoreError> {
    Err(ConfigError::new(
        "database URL",
        "postgres://…",
        "this build has no PostgreSQL",
        "build with the feature postgres",
    )
    .into())
}
