//! Transactions: the store's own, or one savepoint in the caller's.
//!
//! A connection that is in a transaction already (by Diesel's count) is joined: the work is one savepoint, to which an
//! error rolls back before it is returned; nothing is tried again, since the caller's statements would be lost. What
//! is set for the work is set back before the savepoint is released, and an error takes it back by itself.

#[cfg(feature = "sqlite")]
use std::time::{Duration, Instant};

#[cfg(feature = "sqlite")]
use diesel::connection::SimpleConnection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::diesel::conn::database::{Database, TextRow};
use crate::diesel::conn::failure::{failed, is_locked};
#[cfg(feature = "sqlite")]
use crate::diesel::conn::lent::Held;
use crate::model::error::StoreError;
use crate::model::stop::Stop;

/// How a transaction begins.
#[derive(Clone, Copy)]
pub(crate) enum Begin {
    /// To write: immediate on SQLite, so that two writers queue up and none fails as "locked"; no statement here
    /// runs for long enough to repay PostgreSQL's compiler.
    Write,
    /// To write a batch: every look-up goes by index.
    ///
    /// Before `ANALYZE` PostgreSQL underestimates a backlog and sorts it whole to find its first thousand leads. So
    /// scans and sorts are disabled; where one cannot be avoided it is then thought so dear that the server would
    /// compile the statement, so that is disabled, too.
    Batch,
    /// To read everything as of one instant. Before `ANALYZE` PostgreSQL expects so many rows of each look-up that it would
    /// compile the statement each time, for longer than it runs.
    Snapshot,
}

impl Begin {
    /// Gives the settings of PostgreSQL that hold for the transaction.
    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Write | Self::Snapshot => &[("jit", "off")],
            Self::Batch => &[
                ("enable_bitmapscan", "off"),
                ("enable_seqscan", "off"),
                ("enable_sort", "off"),
                ("jit", "off"),
                ("plan_cache_mode", "force_generic_plan"),
            ],
        }
    }

    /// Gives the statements that begin a transaction of PostgreSQL.
    #[cfg(feature = "postgres")]
    fn postgres(self) -> String {
        let begin = match self {
            Self::Write | Self::Batch => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let settings =
            self.settings().iter().map(|(name, value)| format!("SET LOCAL {name} = {value}"));
        std::iter::once(begin.to_owned()).chain(settings).collect::<Vec<_>>().join("; ")
    }
}

/// Runs the same on the connection of either backend.
macro_rules! on_connection {
    ($db:expr, |$connection:ident| $body:expr) => {
        match $db {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(held) => {
                let $connection: &mut diesel::sqlite::SqliteConnection = held;
                $body
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(session) => {
                let $connection: &mut diesel::pg::PgConnection = &mut session.connection;
                $body
            }
        }
    };
}

/// How often a wait for another writer of SQLite looks at the flag that asks to stop.
#[cfg(feature = "sqlite")]
const LOOK: Duration = Duration::from_millis(250);

/// Begins a transaction that writes, at once on SQLite, so that two writers queue up and none fails half-way.
///
/// SQLite would wait for the other writer without a look at the flag, so the wait is cut into short ones.
#[cfg(feature = "sqlite")]
fn begin_immediate(held: &mut Held<'_, diesel::SqliteConnection>) -> QueryResult<()> {
    let waits = held.waits().and_then(|waits| Some((waits.limit, waits.stop.clone()?)));
    let connection = &mut **held;
    let Some((limit, stop)) = waits else {
        return AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE");
    };
    let waiting = |time: Duration| format!("PRAGMA busy_timeout = {}", time.as_millis());
    connection.batch_execute(&waiting(limit.min(LOOK)))?;
    let since = Instant::now();
    let done = loop {
        match AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE") {
            Err(error) if is_locked(&error) && !stop.is_asked() && since.elapsed() < limit => {}
            done => break done,
        }
    };
    connection.batch_execute(&waiting(limit))?;
    done
}

impl Database<'_> {
    /// Has the flag end the waits of a connection of ours.
    pub(crate) fn heed(&mut self, stop: &Stop) {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(held) => held.heed(stop),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.connection.heed(stop),
        }
    }

    /// Says whether a transaction is open.
    pub(crate) fn in_transaction(&mut self) -> QueryResult<bool> {
        let depth = on_connection!(self, |connection| {
            AnsiTransactionManager::transaction_manager_status_mut(connection).transaction_depth()
        });
        Ok(depth?.is_some())
    }

    /// Begins a transaction, or a savepoint where one is open.
    pub(crate) fn begin(&mut self, begin: Begin) -> QueryResult<()> {
        if self.in_transaction()? {
            return on_connection!(self, |connection| {
                AnsiTransactionManager::begin_transaction(connection)
            });
        }
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => match begin {
                Begin::Write | Begin::Batch => begin_immediate(connection),
                Begin::Snapshot => AnsiTransactionManager::begin_transaction_sql(
                    &mut **connection,
                    "BEGIN DEFERRED",
                ),
            },
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.begin(&begin.postgres()),
        }
    }

    /// Commits, or releases the savepoint.
    pub(crate) fn commit(&mut self) -> QueryResult<()> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                AnsiTransactionManager::commit_transaction(&mut **connection)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.run(AnsiTransactionManager::commit_transaction),
        }
    }

    /// Rolls back, to the savepoint where the transaction is the caller's; says whether the database heard of it.
    pub(crate) fn rollback(&mut self) -> bool {
        let result = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                let depth =
                    AnsiTransactionManager::transaction_manager_status_mut(&mut **connection)
                        .transaction_depth();
                // On a full disk SQLite has rolled back by itself; then there is one to roll back again. A
                // caller's transaction is not begun again: its commit must fail.
                if depth.is_ok_and(|depth| depth.is_some_and(|depth| depth.get() == 1)) {
                    connection.batch_execute("BEGIN").ok();
                }
                AnsiTransactionManager::rollback_transaction(&mut **connection)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => {
                AnsiTransactionManager::rollback_transaction(&mut *session.connection)
            }
        };
        if let Err(error) = &result {
            // The server rolls back by itself when the connection is gone.
            tracing::debug!(name: "recovery_queue.rollback_lost", %error);
        }
        result.is_ok()
    }

    /// Runs `body` in one transaction; any error rolls it back.
    pub(crate) fn transaction<T>(
        &mut self,
        operation: &'static str,
        body: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.transaction_as(Begin::Write, operation, body)
    }

    /// Runs `body` in one transaction that begins in a given way; any error rolls it back.
    pub(crate) fn transaction_as<T>(
        &mut self,
        begin: Begin,
        operation: &'static str,
        body: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.in_transaction().map_err(failed(operation))? {
            return self.join(begin, operation, body);
        }
        self.begin(begin).map_err(failed(operation))?;
        let done = body(self).and_then(|value| {
            self.commit().map_err(failed(operation))?;
            Ok(value)
        });
        done.map_err(|error| {
            if !self.rollback() {
                return gone(error);
            }
            self.judged(error)
        })
    }

    /// Runs `body` as one savepoint of the transaction that is open.
    fn join<T>(
        &mut self,
        begin: Begin,
        operation: &'static str,
        body: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.begin(begin).map_err(|error| {
            let source = Box::new(error);
            StoreError::Aborted { operation, source }
        })?;
        let done = self
            .set(begin)
            .map_err(failed(operation))
            .and_then(|before| {
                let value = body(self)?;
                self.set_back(begin, &before).map_err(failed(operation))?;
                Ok(value)
            })
            .and_then(|value| {
                self.commit().map_err(failed(operation))?;
                Ok(value)
            });
        done.map_err(|error| {
            if !self.rollback() {
                return gone(error);
            }
            match error {
                StoreError::Unavailable { operation, source }
                    if source.downcast_ref().is_some_and(is_locked) =>
                {
                    StoreError::Busy { operation, source }
                }
                other => other,
            }
        })
    }

    /// Sets what holds for the work on PostgreSQL, in the caller's transaction; gives what held before.
    fn set(&mut self, begin: Begin) -> QueryResult<Vec<String>> {
        let settings = begin.settings();
        if self.is_sqlite() || settings.is_empty() {
            return Ok(Vec::new());
        }
        let asked: Vec<String> = settings
            .iter()
            .enumerate()
            .map(|(at, (name, _))| format!("SELECT {at} AS at, current_setting('{name}') AS value"))
            .collect();
        let sql = format!("SELECT value FROM ({}) s ORDER BY at", asked.join(" UNION ALL "));
        let before: Vec<TextRow> = self.query(&sql, &[])?;
        let sets: Vec<String> =
            settings.iter().map(|(name, value)| format!("SET LOCAL {name} = {value}")).collect();
        self.script(&sets.join("; "))?;
        Ok(before.into_iter().map(|row| row.value).collect())
    }

    /// Sets back what held before.
    fn set_back(&mut self, begin: Begin, before: &[String]) -> QueryResult<()> {
        use crate::diesel::conn::database::Param;
        for ((name, _), value) in begin.settings().iter().zip(before) {
            let _: Vec<TextRow> = self.query(
                "SELECT set_config($1, $2, true) AS value",
                &[Param::Text(name), Param::Text(value)],
            )?;
        }
        Ok(())
    }

    /// Tells an error of PostgreSQL that has no code here: it may be a deadlock, or a statement that was lost.
    fn judged(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Database { operation, source }
                if !self.is_sqlite() && source.downcast_ref().is_some_and(is_unknown) =>
            {
                StoreError::Unclear { operation, source }
            }
            other => other,
        }
    }
}

fn is_unknown(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::Unknown, _))
}

/// Tells an error after which even a rollback failed: the connection is gone, whatever words said so.
fn gone(error: StoreError) -> StoreError {
    match error {
        StoreError::Database { operation, source } => StoreError::Unavailable { operation, source },
        other => other,
    }
}
