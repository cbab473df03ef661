use std::borrow::Cow;

use super::{Facts, FactsResult, Offenders};

/// The SQL of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite, from 3.35 on.
    Sqlite,
    /// PostgreSQL, from 12 on.
    Postgres,
}

/// One reading statement with its values apart: `$1`, `$2` … stand for the binds in their order.
///
/// A value is never written into the text, so none can end a string or become SQL.
///
/// ```
/// use guardrails::facts::Query;
///
/// let query = Query::new("SELECT id FROM invoices WHERE status = $1").bind("lost");
/// assert_eq!(query.binds(), ["lost"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<'a> {
    sql: Cow<'a, str>,
    binds: Vec<String>,
}

impl<'a> Query<'a> {
    /// Makes a query without binds.
    pub fn new(sql: impl Into<Cow<'a, str>>) -> Self {
        Self { sql: sql.into(), binds: Vec::new() }
    }

    /// Adds the value of the next bind, as text.
    #[must_use]
    pub fn bind(mut self, value: impl Into<String>) -> Self {
        self.binds.push(value.into());
        self
    }

    /// Returns the statement.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Returns the values of `$1`, `$2` … in order.
    #[must_use]
    pub fn binds(&self) -> &[String] {
        &self.binds
    }
}

/// Facts in tables that can be asked by SQL: what declared checks and queries need.
///
/// Two methods make every [`TableCheck`](crate::TableCheck) work on a service's own database, through the
/// driver that it has.
pub trait Tables: Facts {
    /// Says which SQL the database reads.
    fn dialect(&self) -> Dialect;

    /// Runs a query and lists at most `limit` of its rows; the total is exact whatever the limit.
    ///
    /// The first column is the row's key and the second, where there is one, its reason, both as text. The
    /// listing is in the order of the keys by bytes. The query runs inside the snapshot and must be a single
    /// reading statement: anything else is [`FactsError::Refused`](super::FactsError::Refused), and nothing
    /// is written. [`single_statement`](super::single_statement) looks at the form for an implementation.
    fn query(&self, query: &Query<'_>, limit: usize) -> FactsResult<Offenders>;
}

macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<F: Tables + ?Sized> Tables for $pointer {
            fn dialect(&self) -> Dialect {
                (**self).dialect()
            }
            fn query(&self, query: &Query<'_>, limit: usize) -> FactsResult<Offenders> {
                (**self).query(query, limit)
            }
        }
    )+};
}
forward!(&F, Box<F>, std::rc::Rc<F>, std::sync::Arc<F>);
