//! One connection to either backend, with the few verbs that the store needs.
//!
//! Cold statements are [typed](super::typed). Hot ones, and what Diesel's query language cannot say, are SQL text with
//! binds. `$1`, `$2` … mean the same to both backends as long as each statement names them
//! first in ascending order, which a debug assertion holds us to.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{BigInt, Nullable, Text};

#[cfg(feature = "postgres")]
use diesel::pg::Pg;
#[cfg(feature = "sqlite")]
use diesel::sqlite::{Sqlite, SqliteConnection};

pub(crate) use crate::diesel::conn::failure::failed;
use crate::diesel::conn::lent::{Conn, Held};
use crate::diesel::conn::pace::Pace;
use crate::diesel::conn::prepared::Statement;
pub(crate) use crate::diesel::conn::rows::{IntRow, Param, Row, TextRow};
#[cfg(feature = "postgres")]
use crate::diesel::conn::session::Session;
use crate::model::error::StoreError;

/// A connection, ours or lent.
pub(crate) enum Database<'c> {
    #[cfg(feature = "sqlite")]
    Sqlite(Held<'c, SqliteConnection>),
    #[cfg(feature = "postgres")]
    Postgres(Session<'c>),
}

impl<'c> From<Conn<'c>> for Database<'c> {
    fn from(lent: Conn<'c>) -> Self {
        match lent {
            #[cfg(feature = "sqlite")]
            Conn::Sqlite(connection) => Self::Sqlite(Held::Lent(connection, None)),
            #[cfg(feature = "postgres")]
            Conn::Postgres(connection) => {
                Self::Postgres(Session::new(Held::Lent(connection, None), false))
            }
        }
    }
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

impl Database<'_> {
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

    #[cfg(not(feature = "sqlite"))]
    #[allow(clippy::unused_self)]
    pub(crate) fn is_sqlite(&self) -> bool {
        false
    }

    /// Says whether the store set the connection up and may leave settings, statements and tables on it.
    pub(crate) fn is_ours(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.is_ours(),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.connection.is_ours(),
        }
    }

    /// Changes on SQLite with each commit of another connection, and with none of this one.
    #[cfg(any(feature = "sqlite", feature = "guardrails"))]
    pub(crate) fn data_version(&mut self) -> QueryResult<i64> {
        if !self.is_sqlite() {
            return Ok(0);
        }
        self.int_prepared("SELECT data_version AS value FROM pragma_data_version")
    }

    /// Says whether the session is proven to serve nobody else, so that what lies on it is found again.
    pub(crate) fn is_own_session(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.is_ours(),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.connection.is_ours() && session.keeps(),
        }
    }

    /// Gives how long the parts of the last transaction took, on PostgreSQL.
    #[cfg_attr(
        not(feature = "sqlite"),
        expect(clippy::unnecessary_wraps, reason = "SQLite has no pace of its own")
    )]
    pub(crate) fn pace(&self) -> Option<Pace> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => None,
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => Some(session.pace()),
        }
    }

    /// Has hot statements kept prepared by name.
    pub(crate) fn keep_prepared(&mut self) {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.keep(true),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => {}
        }
    }

    /// Lends the connection on, with what is known of it.
    pub(crate) fn lend(&mut self) -> Database<'_> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => Database::Sqlite(connection.lend()),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => Database::Postgres(session.lend()),
        }
    }

    /// Lends the bare connection.
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => Conn::Sqlite(connection),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => Conn::Postgres(&mut session.connection),
        }
    }

    /// Runs one statement and gives the number of rows that it touched.
    pub(crate) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> QueryResult<u64> {
        let rows = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite_query(sql, params)?.execute(&mut **connection)?,
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.run(|conn| pg_query(sql, params).execute(conn))?,
        };
        Ok(rows as u64)
    }

    /// Runs one statement and gives its rows.
    pub(crate) fn query<T: Row>(&mut self, sql: &str, params: &[Param<'_>]) -> QueryResult<Vec<T>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite_query(sql, params)?.load(&mut **connection),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.run(|conn| pg_query(sql, params).load(conn)),
        }
    }

    /// Runs a statement of every batch, as [`execute`](Self::execute) does; a connection of ours keeps it prepared.
    pub(crate) fn execute_prepared(&mut self, sql: &str, params: &[Param<'_>]) -> QueryResult<u64> {
        let rows = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                let kept = connection.is_ours();
                Statement { sql, params, kept }.execute(&mut **connection)?
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session
                .run_kept(|connection, kept| Statement { sql, params, kept }.execute(connection))?,
        };
        Ok(rows as u64)
    }

    /// Runs a statement of every batch, as [`query`](Self::query) does; a connection of ours keeps it prepared.
    pub(crate) fn query_prepared<T: Row>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> QueryResult<Vec<T>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => {
                let kept = connection.is_ours();
                Statement { sql, params, kept }.load(&mut **connection)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session
                .run_kept(|connection, kept| Statement { sql, params, kept }.load(connection)),
        }
    }

    /// Runs a statement that gives one number in a column named `value`.
    pub(crate) fn int(&mut self, sql: &str, params: &[Param<'_>]) -> QueryResult<i64> {
        let rows: Vec<IntRow> = self.query(sql, params)?;
        rows.first().map(|row| row.value).ok_or(DieselError::NotFound)
    }

    /// Runs a statement of every batch, as [`int`](Self::int) does; a connection of ours keeps it prepared.
    pub(crate) fn int_prepared(&mut self, sql: &str) -> QueryResult<i64> {
        let rows: Vec<IntRow> = self.query_prepared(sql, &[])?;
        rows.first().map(|row| row.value).ok_or(DieselError::NotFound)
    }

    /// Runs a script of statements without binds.
    pub(crate) fn script(&mut self, sql: &str) -> QueryResult<()> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => connection.batch_execute(sql),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.run(|connection| connection.batch_execute(sql)),
        }
    }

    /// Takes over what was learnt of the way to the database before the connection went.
    #[cfg_attr(not(feature = "postgres"), allow(clippy::unused_self))]
    pub(crate) fn remember(&mut self, before: &Self) {
        match (self, before) {
            #[cfg(feature = "postgres")]
            (Self::Postgres(session), Self::Postgres(before)) => {
                session.keep(session.keeps() && before.keeps());
            }
            #[cfg(feature = "sqlite")]
            _ => {}
        }
    }

    /// Gives the expression of the database's clock, in microseconds since 1970.
    pub(crate) fn clock(&self) -> &'static str {
        clock(self.is_sqlite())
    }

    /// Asks the database's clock, in microseconds since 1970.
    pub(crate) fn now(&mut self) -> QueryResult<i64> {
        self.int_prepared(&format!("SELECT {} AS value", self.clock()))
    }
}

/// Gives the expression of a backend's clock, in microseconds since 1970.
///
/// `unixepoch('subsec')` is NULL before SQLite 3.42, which a system may still have; `now` is one instant in a statement.
pub(crate) fn clock(is_sqlite: bool) -> &'static str {
    if is_sqlite {
        "(CAST(strftime('%s', 'now') AS INTEGER) * 1000000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER) * 1000)"
    } else {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
    }
}

/// Gives the instant that stands for the clock, else what the database's says.
pub(crate) fn now(db: &mut Database, clock: Option<i64>) -> Result<i64, StoreError> {
    match clock {
        Some(now) => Ok(now),
        None => db.now().map_err(failed("the look at the clock")),
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[test]
    fn binds_out_of_order_are_found() {
        assert!(ascending("SELECT $1, $2, $1"));
        assert!(!ascending("SELECT $2, $1"));
    }
}
