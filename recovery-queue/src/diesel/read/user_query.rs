//! Queries of the user's own inside the consistent read.

use std::time::Duration;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Text;
use guardrails::facts::{
    Dialect, FactsError, FactsResult, Offender, Offenders, Query, single_statement,
};

use crate::diesel::conn::database::{Param, failed};
use crate::diesel::read::snapshot::SqlSnapshot;
use crate::diesel::read::time_limit;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    reason: String,
}

impl SqlSnapshot<'_> {
    /// Counts and lists the rows of a query: the first column is the key, the second the reason.
    pub(crate) fn offending_query(
        &mut self,
        query: &Query<'_>,
        limit: usize,
        time: Option<Duration>,
    ) -> FactsResult<Offenders> {
        let dialect = if self.database().is_sqlite() { Dialect::Sqlite } else { Dialect::Postgres };
        let sql = single_statement(query.sql(), dialect)?;
        let binds: Vec<Param<'_>> = query.binds().iter().map(|bind| Param::Text(bind)).collect();
        let binds = binds.as_slice();
        // Nobody outside knows the columns' names; a query of one column has no reason.
        let two = self.isolated(|read| run(read, sql, binds, ["key, reason", "reason"], limit));
        let first = match two {
            Err(error) if may_be_the_columns(&error) => error,
            other => return other.map_err(|error| explained(error, time)),
        };
        match self.isolated(|read| run(read, sql, binds, ["key", "''"], limit)) {
            // It has two columns or more, so what was wrong with it is what was said first.
            Err(error) if may_be_the_columns(&error) => Err(explained(first, time)),
            other => other.map_err(|error| explained(error, time)),
        }
    }

    /// Runs a part of the read so that its failure leaves the transaction as it was.
    fn isolated<T>(&mut self, part: impl FnOnce(&mut Self) -> QueryResult<T>) -> QueryResult<T> {
        self.database().script("SAVEPOINT guardrails_query")?;
        let result = part(self);
        let back = if result.is_ok() { "" } else { "ROLLBACK TO SAVEPOINT guardrails_query; " };
        self.database().script(&format!("{back}RELEASE SAVEPOINT guardrails_query"))?;
        result
    }
}

fn run(
    read: &mut SqlSnapshot<'_>,
    sql: &str,
    binds: &[Param<'_>],
    [columns, reason]: [&str; 2],
    limit: usize,
) -> QueryResult<Offenders> {
    let found = format!("WITH guardrails_found({columns}) AS (\n{sql}\n)");
    let count = format!("{found} SELECT count(*) AS value FROM guardrails_found");
    let total = read.in_time(|db| db.int(&count, binds))?;
    let mut listed = Vec::new();
    if total > 0 && limit > 0 {
        // The order of bytes is the same on both backends and in the program.
        let bytes = if read.database().is_sqlite() { "" } else { " COLLATE \"C\"" };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let first = format!(
            "{found} SELECT key, reason FROM (SELECT COALESCE(CAST(key AS TEXT), '') AS key, \
             COALESCE(CAST({reason} AS TEXT), '') AS reason FROM guardrails_found) f \
             ORDER BY key{bytes}, reason{bytes} LIMIT ${}",
            binds.len() + 1
        );
        let mut all = binds.to_vec();
        all.push(Param::Int(limit));
        let rows: Vec<Found> = read.in_time(|db| db.query(&first, &all))?;
        listed = rows.into_iter().map(|row| Offender::new(row.key, row.reason)).collect();
    }
    Ok(Offenders { population: None, total: u64::try_from(total).unwrap_or_default(), listed })
}

/// Says whether an error may be about the number of columns; no code tells it from others of its kind.
fn may_be_the_columns(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::Unknown, said)
        if !time_limit::is_over(said.message()))
}

fn explained(error: DieselError, time: Option<Duration>) -> FactsError {
    match &error {
        DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => {
            FactsError::Refused { reason: "it writes, and the read is read-only".to_owned() }
        }
        DieselError::DatabaseError(_, said) if time_limit::is_over(said.message()) => {
            FactsError::TimedOut { limit: time.unwrap_or_default() }
        }
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, said) => FactsError::Refused {
            reason: format!("the database says: {}", without_values(said.message())),
        },
        _ => FactsError::unavailable(failed("the query of a check")(error)),
    }
}

/// A message of the database without the digits that a value of a row may have put into it.
fn without_values(message: &str) -> String {
    message.chars().map(|c| if c.is_ascii_digit() { '*' } else { c }).collect()
}
