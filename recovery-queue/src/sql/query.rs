//! Queries of the user's own inside the consistent read.

use std::time::Duration;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Text;
use guardrails::facts::{FactsError, FactsResult, Offender, Offenders, single_statement};

use super::database::{Database, Param, failed};
use super::snapshot::SqlSnapshot;

/// What PostgreSQL says when `statement_timeout` ends a statement.
const TIMED_OUT: &str = "statement timeout";

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    reason: String,
}

impl SqlSnapshot<'_> {
    /// Counts and lists the rows of a query: the first column is the key, the second the reason.
    pub(super) fn offending_query(
        &mut self,
        sql: &str,
        limit: usize,
        time: Option<Duration>,
    ) -> FactsResult<Offenders> {
        let sql = single_statement(sql)?;
        let db = self.database();
        // Nobody outside knows the columns' names; a query of one column has no reason.
        let two = isolated(db, |db| run(db, sql, "key, reason", "reason", limit));
        match two {
            Err(DieselError::DatabaseError(DatabaseErrorKind::Unknown, _)) => {
                isolated(db, |db| run(db, sql, "key", "''", limit))
                    .map_err(|error| explained(error, time))
            }
            other => other.map_err(|error| explained(error, time)),
        }
    }

    /// Sets how long each statement may take, and revives a transaction that a time-out has stopped.
    ///
    /// SQLite has no such setting and is not limited.
    pub(super) fn limit_time(&mut self, budget: Option<Duration>, first: bool) {
        let db = self.database();
        if db.is_sqlite() {
            return;
        }
        // PostgreSQL refuses every statement after a failed one until it is rolled back to a savepoint.
        let start = if first { "" } else { "ROLLBACK TO SAVEPOINT guardrails_check; " };
        let millis = budget.map_or(0, |limit| limit.as_millis().clamp(1, i32::MAX as u128));
        let set =
            format!("{start}SAVEPOINT guardrails_check; SET LOCAL statement_timeout = {millis}");
        if let Err(error) = db.script(&set) {
            // The statement that follows will say the same, where somebody hears it.
            tracing::debug!(%error, "the time limit could not be set");
        }
    }
}

/// Runs a part of the read so that its failure leaves the transaction as it was.
fn isolated<T>(
    db: &mut Database,
    part: impl FnOnce(&mut Database) -> QueryResult<T>,
) -> QueryResult<T> {
    db.script("SAVEPOINT guardrails_query")?;
    let result = part(db);
    let back = if result.is_ok() { "" } else { "ROLLBACK TO SAVEPOINT guardrails_query; " };
    db.script(&format!("{back}RELEASE SAVEPOINT guardrails_query"))?;
    result
}

fn run(
    db: &mut Database,
    sql: &str,
    columns: &str,
    reason: &str,
    limit: usize,
) -> QueryResult<Offenders> {
    let found = format!("WITH guardrails_found({columns}) AS (\n{sql}\n)");
    let total = db.int(&format!("{found} SELECT count(*) AS value FROM guardrails_found"), &[])?;
    let mut listed = Vec::new();
    if total > 0 && limit > 0 {
        // The order of bytes is the same on both backends and in the program.
        let bytes = if db.is_sqlite() { "" } else { " COLLATE \"C\"" };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: Vec<Found> = db.query(
            &format!(
                "{found} SELECT key, reason FROM (SELECT COALESCE(CAST(key AS TEXT), '') AS key, \
                 COALESCE(CAST({reason} AS TEXT), '') AS reason FROM guardrails_found) f \
                 ORDER BY key{bytes}, reason{bytes} LIMIT $1"
            ),
            &[Param::Int(limit)],
        )?;
        listed = rows.into_iter().map(|row| Offender::new(row.key, row.reason)).collect();
    }
    Ok(Offenders { population: None, total: u64::try_from(total).unwrap_or_default(), listed })
}

fn explained(error: DieselError, time: Option<Duration>) -> FactsError {
    match &error {
        DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => {
            FactsError::Refused { reason: "it writes, and the read is read-only".to_owned() }
        }
        DieselError::DatabaseError(_, said) if said.message().contains(TIMED_OUT) => {
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
