//! How long the statements of one check may take in all, on both backends.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use guardrails::facts::FactsError;

use crate::diesel::conn::database::Database;
#[cfg(feature = "sqlite")]
use crate::diesel::conn::interrupt;
use crate::diesel::read::snapshot::SqlSnapshot;
use crate::model::error::StoreError;

/// What is said of a statement that ran out of time, whatever the database said of it.
const OVER: &str = "the time is over";

/// Says whether a message is that of a statement that ran out of time.
pub(crate) fn is_over(message: &str) -> bool {
    message == OVER
}

fn over() -> DieselError {
    DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(OVER.to_owned()))
}

/// Sorts what a store says by what a check can do about it.
pub(crate) fn explained(error: StoreError, limit: Option<Duration>) -> FactsError {
    match error {
        StoreError::Schema { reason, .. } => FactsError::NotMigrated { detail: reason },
        StoreError::Database { source, .. } if is_over(&source.to_string()) => {
            FactsError::TimedOut { limit: limit.unwrap_or_default() }
        }
        other => FactsError::unavailable(other),
    }
}

impl SqlSnapshot<'_> {
    /// Sets how long all statements from here on may take, and revives a transaction that a statement has
    /// stopped.
    pub(crate) fn limit_time(&mut self, budget: Option<Duration>, first: bool) {
        // A limit too long to be reckoned with is none.
        self.deadline = budget.and_then(|budget| Instant::now().checked_add(budget));
        let db = self.database();
        if db.is_sqlite() {
            return;
        }
        // PostgreSQL refuses every statement after a failed one until it is rolled back to a savepoint.
        let start = if first { "" } else { "ROLLBACK TO SAVEPOINT guardrails_check; " };
        let set =
            format!("{start}SAVEPOINT guardrails_check; SET LOCAL statement_timeout TO DEFAULT");
        if let Err(error) = db.script(&set) {
            // The statement that follows will say the same, where somebody hears it.
            tracing::debug!(name: "recovery_queue.time_limit_lost", %error);
        }
    }

    /// Runs one statement with what is left of the time.
    pub(crate) fn in_time<T>(
        &mut self,
        statement: impl FnOnce(&mut Database<'_>) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let Some(deadline) = self.deadline else { return statement(self.database()) };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(over());
        }
        let db = self.database();
        #[cfg(feature = "sqlite")]
        let result = if db.is_sqlite() {
            interrupt::until(Some(deadline), || statement(db))
        } else {
            limited(db, left).and_then(|()| statement(db))
        };
        #[cfg(not(feature = "sqlite"))]
        let result = limited(db, left).and_then(|()| statement(db));
        match result {
            // No code tells it, and servers translate their messages; but the statement was given just that time.
            Err(DieselError::DatabaseError(DatabaseErrorKind::Unknown, _))
                if Instant::now() >= deadline =>
            {
                Err(over())
            }
            other => other,
        }
    }
}

/// Gives the next statement of PostgreSQL what is left of the time, and no less than that: the server counts in
/// whole milliseconds.
fn limited(db: &mut Database<'_>, left: Duration) -> QueryResult<()> {
    let millis = (left.as_millis() + 1).clamp(1, i32::MAX as u128);
    db.script(&format!("SET LOCAL statement_timeout = {millis}"))
}
