//! What an error of the database means for the caller, told by codes and never by words that a server translates.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::model::error::StoreError;

/// What SQLite says of a lock that another connection holds; it speaks one language.
const LOCKED: &str = "database is locked";

/// Says whether another connection held a lock of SQLite.
pub(crate) fn is_locked(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, said) => said.message() == LOCKED,
        _ => false,
    }
}

/// Sorts a database error by whether the same call may succeed later.
///
/// Diesel keeps few of PostgreSQL's codes. Those that it does not, such as a deadlock's, are the transaction's to
/// judge ([`transaction`](super::transaction)).
pub(crate) fn failed(operation: &'static str) -> impl FnOnce(DieselError) -> StoreError {
    move |error| {
        let transient = match &error {
            DieselError::DatabaseError(
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::UnableToSendCommand,
                _,
            )
            | DieselError::BrokenTransactionManager => true,
            error => is_locked(error),
        };
        let source = Box::new(error);
        if transient {
            StoreError::Unavailable { operation, source }
        } else {
            StoreError::Database { operation, source }
        }
    }
}

/// So that `connection.transaction(…)` can hold calls of a store.
impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        failed("the caller's statement")(error)
    }
}
