//! One connection to either backend, with the few verbs that the store needs.
//!
//! Diesel's own two-backend connection has no batch insert, `ON CONFLICT` or `SKIP LOCKED`, so statements are
//! SQL text with binds. `$1`, `$2` … mean the same to both backends as long as each statement names them
//! first in ascending order, which a debug assertion holds us to.

use diesel::connection::SimpleConnection;
#[cfg(feature = "sqlite")]
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{BigInt, Nullable, Text};

#[cfg(feature = "postgres")]
use diesel::pg::Pg;
#[cfg(feature = "sqlite")]
use diesel::sqlite::{Sqlite, SqliteConnection};

use crate::diesel::conn::prepared::Statement;
#[cfg(feature = "postgres")]
use crate::diesel::conn::session::Session;
use crate::model::error::StoreError;

/// A value bound to a statement.
#[derive(Clone, Copy)]
pub(crate) enum Param<'a> {
    Int(i64),
    OptInt(Option<i64>),
    Text(&'a str),
    OptText(Option<&'a str>),
    #[cfg(feature = "postgres")]
    Ints(&'a [i64]),
    #[cfg(feature = "postgres")]
    OptTexts(&'a [Option<&'a str>]),
}

/// A row that both backends can read.
#[cfg(all(feature = "sqlite", feature = "postgres"))]
pub(crate) trait Row: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static {}
#[cfg(all(feature = "sqlite", feature = "postgres"))]
impl<T: QueryableByName<Sqlite> + QueryableByName<Pg> + 'static> Row for T {}

/// A row that the one backend can read.
#[cfg(all(feature = "sqlite", not(feature = "postgres")))]
pub(crate) trait Row: QueryableByName<Sqlite> + 'static {}
#[cfg(all(feature = "sqlite", not(feature = "postgres")))]
impl<T: QueryableByName<Sqlite> + 'static> Row for T {}

/// A row that the one backend can read.
#[cfg(all(feature = "postgres", not(feature = "sqlite")))]
pub(crate) trait Row: QueryableByName<Pg> + 'static {}
#[cfg(all(feature = "postgres", not(feature = "sqlite")))]
impl<T: QueryableByName<Pg> + 'static> Row for T {}

#[derive(QueryableByName)]
pub(crate) struct IntRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) value: i64,
}

#[derive(QueryableByName)]
pub(crate) struct TextRow {
    #[diesel(sql_type = Text)]
    pub(crate) value: String,
}

pub(crate) enum Database {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(Session),
}

/// How a transaction begins.
#[derive(Clone, Copy)]
pub(crate) enum Begin {
    /// To write: immediate on SQLite, so that two writers queue up and none fails as "locked"; no statement here
    /// runs for long enough to repay PostgreSQL's compiler.
    Write,
    /// To write a batch: every look-up goes by index.
    ///
    /// Before a table that was just filled is analysed, PostgreSQL takes its backlogs for small and sorts the
    /// whole of one to find its first thousand leads. What is switched off counts as very dear where it cannot
    /// be avoided, which must not call the compiler in. The settings end with the transaction.
    Batch,
    /// To read everything as of one instant.
    Snapshot,
}

macro_rules! bind_scalar {
    ($query:expr, $param:expr, $other:pat => $arrays:expr) => {
        match $param {
            Param::Int(value) => $query.bind::<BigInt, _>(value),
            Param::OptInt(value) => $query.bind::<Nullable<BigInt>, _>(value),
            Param::Text(value) => $query.bind::<Text, _>(value),
            Param::OptText(value) => $query.bind::<Nullable<Text>, _>(value),
            #[cfg(feature = "postgres")]
            $other => $arrays,
        }
    };
}

#[cfg(feature = "sqlite")]
type SqliteQuery<'a> =
    diesel::query_builder::BoxedSqlQuery<'a, Sqlite, diesel::query_builder::SqlQuery>;
#[cfg(feature = "postgres")]
type PgQuery<'a> = diesel::query_builder::BoxedSqlQuery<'a, Pg, diesel::query_builder::SqlQuery>;

#[cfg(feature = "sqlite")]
#[cfg_attr(not(feature = "postgres"), allow(clippy::unnecessary_wraps))] // arrays come with PostgreSQL
fn sqlite_query<'a>(sql: &str, params: &[Param<'a>]) -> QueryResult<SqliteQuery<'a>> {
    debug_assert!(ascending(sql), "binds must first appear in ascending order: {sql}");
    let mut query = diesel::sql_query(sql).into_boxed::<Sqlite>();
    for &param in params {
        query = bind_scalar!(query, param, _ => {
            return Err(DieselError::QueryBuilderError("arrays are bound on PostgreSQL only".into()));
        });
    }
    Ok(query)
}

#[cfg(feature = "postgres")]
fn pg_query<'a>(sql: &str, params: &[Param<'a>]) -> PgQuery<'a> {
    use diesel::sql_types::Array;
    let mut query = diesel::sql_query(sql).into_boxed::<Pg>();
    for &param in params {
        query = match param {
            Param::Ints(values) => query.bind::<Array<BigInt>, _>(values),
            Param::OptTexts(values) => query.bind::<Array<Nullable<Text>>, _>(values),
            scalar => bind_scalar!(query, scalar, _ => query),
        };
    }
    query
}

/// Says whether `$1`, `$2` … first appear in ascending order, as SQLite numbers them.
#[cfg(feature = "sqlite")]
fn ascending(sql: &str) -> bool {
    let mut highest = 0;
    for piece in sql.split('$').skip(1) {
        let digits: String = piece.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse::<u32>() {
            if number > highest + 1 {
                return false;
            }
            highest = highest.max(number);
        }
    }
    true
}

impl Database {
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    #[cfg(not(feature = "sqlite"))]
    #[allow(clippy::unused_self)]
    pub(crate) fn is_sqlite(&self) -> bool {
        false
    }

    /// Runs one statement and gives the number of rows that it touched.
    pub(crate) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> QueryResult<u64> {
        let rows = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite_query(sql, params)?.execute(connection)?,
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => pg_query(sql, params).execute(&mut session.connection)?,
        };
        Ok(rows as u64)
    }

    /// Runs one statement and gives its rows.
    pub(crate) fn query<T: Row>(&mut self, sql: &str, params: &[Param<'_>]) -> QueryResult<Vec<T>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite_query(sql, params)?.load(connection),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => pg_query(sql, params).load(&mut session.connection),
        }
    }

    /// Runs a statement of every batch, as [`execute`](Self::execute) does; the connection keeps it prepared.
    pub(crate) fn execute_prepared(&mut self, sql: &str, params: &[Param<'_>]) -> QueryResult<u64> {
        let rows = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                debug_assert!(ascending(sql), "binds must first appear in ascending order: {sql}");
                Statement { sql, params, kept: true }.execute(connection)?
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session
                .run(|connection, kept| Statement { sql, params, kept }.execute(connection))?,
        };
        Ok(rows as u64)
    }

    /// Runs a statement of every batch, as [`query`](Self::query) does; the connection keeps it prepared.
    pub(crate) fn query_prepared<T: Row>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> QueryResult<Vec<T>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                debug_assert!(ascending(sql), "binds must first appear in ascending order: {sql}");
                Statement { sql, params, kept: true }.load(connection)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => {
                session.run(|connection, kept| Statement { sql, params, kept }.load(connection))
            }
        }
    }

    /// Runs a statement that gives one number in a column named `value`.
    pub(crate) fn int(&mut self, sql: &str, params: &[Param<'_>]) -> QueryResult<i64> {
        let rows: Vec<IntRow> = self.query(sql, params)?;
        rows.first().map(|row| row.value).ok_or(DieselError::NotFound)
    }

    /// Runs a script of statements without binds.
    pub(crate) fn script(&mut self, sql: &str) -> QueryResult<()> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.batch_execute(sql),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.connection.batch_execute(sql),
        }
    }

    pub(crate) fn begin(&mut self, begin: Begin) -> QueryResult<()> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => AnsiTransactionManager::begin_transaction_sql(
                connection,
                match begin {
                    Begin::Write | Begin::Batch => "BEGIN IMMEDIATE",
                    Begin::Snapshot => "BEGIN DEFERRED",
                },
            ),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.begin(
                match begin {
                    Begin::Write => "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL jit = off",
                    Begin::Batch => {
                        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL enable_bitmapscan = off; \
                         SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; \
                         SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_generic_plan"
                    }
                    Begin::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                },
                matches!(begin, Begin::Batch),
            ),
        }
    }

    pub(crate) fn commit(&mut self) -> QueryResult<()> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => AnsiTransactionManager::commit_transaction(connection),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.commit(),
        }
    }

    /// Rolls back; says whether the database heard of it.
    pub(crate) fn rollback(&mut self) -> bool {
        let result = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                // On a full disk SQLite has rolled back by itself; then there is one to roll back again.
                connection.batch_execute("BEGIN").ok();
                AnsiTransactionManager::rollback_transaction(connection)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.rollback(),
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
        self.begin(begin).map_err(failed(operation))?;
        match body(self) {
            Ok(value) => match self.commit() {
                Ok(()) => Ok(value),
                Err(error) => {
                    let error = failed(operation)(error);
                    Err(if self.rollback() { error } else { gone(error) })
                }
            },
            Err(error) => Err(if self.rollback() { error } else { gone(error) }),
        }
    }

    /// Takes over what was learnt of the way to the database before the connection went.
    #[cfg_attr(not(feature = "postgres"), allow(clippy::unused_self))]
    pub(crate) fn remember(&mut self, before: &Self) {
        match (self, before) {
            #[cfg(feature = "postgres")]
            (Self::Postgres(session), Self::Postgres(before)) => session.pooled = before.pooled,
            #[cfg(feature = "sqlite")]
            _ => {}
        }
    }

    /// Gives the expression of the database's clock, in microseconds since 1970.
    pub(crate) fn clock(&self) -> &'static str {
        if self.is_sqlite() {
            "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
        } else {
            "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
        }
    }

    /// Asks the database's clock, in microseconds since 1970.
    pub(crate) fn now(&mut self) -> QueryResult<i64> {
        let sql = format!("SELECT {} AS value", self.clock());
        let rows: Vec<IntRow> = self.query_prepared(&sql, &[])?;
        rows.first().map(|row| row.value).ok_or(DieselError::NotFound)
    }
}

/// Tells an error after which even a rollback failed: the connection is gone, whatever words said so.
fn gone(error: StoreError) -> StoreError {
    match error {
        StoreError::Database { operation, source } => StoreError::Unavailable { operation, source },
        other => other,
    }
}

/// Sorts a database error by whether the same call may succeed later.
pub(crate) fn failed(operation: &'static str) -> impl FnOnce(DieselError) -> StoreError {
    move |error| {
        let text = error.to_string();
        let transient = match &error {
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::UnableToSendCommand,
                _,
            )
            | DieselError::BrokenTransactionManager => true,
            _ => TRANSIENT.iter().any(|sign| text.contains(sign)),
        };
        let source = Box::new(error);
        if transient {
            StoreError::Unavailable { operation, source }
        } else {
            StoreError::Database { operation, source }
        }
    }
}

/// What the databases say when waiting or reconnecting helps; Diesel keeps no code for these.
const TRANSIENT: [&str; 10] = [
    "database is locked",
    "deadlock detected",
    "terminating connection",
    "server closed the connection",
    "no connection to the server",
    "the database system is",
    "connection refused",
    "Connection refused",
    "could not receive data",
    crate::diesel::conn::prepared::LOST,
];

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[test]
    fn binds_out_of_order_are_found() {
        assert!(ascending("SELECT $1, $2, $1"));
        assert!(!ascending("SELECT $2, $1"));
    }
}
