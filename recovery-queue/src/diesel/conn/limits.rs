//! Limits of a PostgreSQL server that end a transaction: found by how long things took, not by what is said of them.
//!
//! Diesel hands on neither the code of such an end nor anything that a server does not translate. But a limit can only
//! have ended what took at least as long. So the settings are read after the failure, in a session of the same role.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::diesel::conn::database::Database;
use crate::diesel::conn::pace::Pace;
use crate::model::error::StoreError;

#[derive(QueryableByName)]
struct Limit {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    millis: i64,
}

/// A setting, and which part of a transaction it limits.
type Limiting = (&'static str, fn(Pace) -> Duration);

const LIMITS: [Limiting; 4] = [
    ("idle_in_transaction_session_timeout", |pace| pace.idle),
    ("lock_timeout", |pace| pace.statement),
    ("statement_timeout", |pace| pace.statement),
    ("transaction_timeout", |pace| pace.transaction),
];

/// Gives the setting that ended a transaction, with its value; `None` where nothing took as long as any allows.
pub(crate) fn reached(
    db: &mut Database,
    pace: Pace,
) -> QueryResult<Option<(&'static str, Duration)>> {
    // Only limits that are set and that are counted in milliseconds, as all four are.
    let set: Vec<Limit> = db.query(
        "SELECT CAST(name AS TEXT) AS name, CAST(setting AS BIGINT) AS millis FROM pg_settings \
         WHERE unit = 'ms' AND setting <> '0' AND name IN ('idle_in_transaction_session_timeout', \
             'lock_timeout', 'statement_timeout', 'transaction_timeout')",
        &[],
    )?;
    Ok(LIMITS.into_iter().find_map(|(name, part)| {
        let limit = set.iter().find(|limit| limit.name == name)?;
        let limit = Duration::from_millis(u64::try_from(limit.millis).ok()?);
        (part(pace) >= limit).then_some((name, limit))
    }))
}

/// Tells a failure by the limit that caused it. A lock that was waited for too long may be free the next time.
pub(crate) fn told(error: StoreError, setting: &'static str, limit: Duration) -> StoreError {
    match error {
        StoreError::Unavailable { operation, source }
        | StoreError::Unclear { operation, source } => {
            if setting == "lock_timeout" {
                StoreError::Unavailable { operation, source }
            } else {
                StoreError::Cut { operation, setting, limit, source }
            }
        }
        other => other,
    }
}
