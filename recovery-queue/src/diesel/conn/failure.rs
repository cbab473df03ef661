//! What an error of the database means for the caller, told by codes and never by words that a server translates.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

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
        let source = Box::new(without_values(error));
        if transient {
            StoreError::Unavailable { operation, source }
        } else {
            StoreError::Database { operation, source }
        }
    }
}

/// What a server said of a row, its values left out.
#[derive(Debug)]
struct Discreet {
    message: String,
    said: Box<dyn DatabaseErrorInformation + Send + Sync>,
}

impl DatabaseErrorInformation for Discreet {
    fn message(&self) -> &str {
        &self.message
    }

    /// Nothing: it repeats the row.
    fn details(&self) -> Option<&str> {
        None
    }

    fn hint(&self) -> Option<&str> {
        self.said.hint()
    }

    fn table_name(&self) -> Option<&str> {
        self.said.table_name()
    }

    fn column_name(&self) -> Option<&str> {
        self.said.column_name()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.said.constraint_name()
    }

    fn statement_position(&self) -> Option<i32> {
        None
    }
}

/// Leaves the values of rows out of what a server says: they identify persons.
///
/// A message that points at a place of the statement is about the statement, which holds no value. One that does not
/// may quote what stands in a row, in the quotation marks of the server's language.
fn without_values(error: DieselError) -> DieselError {
    match error {
        DieselError::DatabaseError(kind, said) if said.statement_position().is_none() => {
            let message = unquoted(said.message());
            DieselError::DatabaseError(kind, Box::new(Discreet { message, said }))
        }
        error => error,
    }
}

/// Replaces what stands in quotation marks.
fn unquoted(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut letters = message.chars();
    while let Some(letter) = letters.next() {
        let close = match letter {
            '"' => '"',
            '«' => '»',
            '„' | '“' => '“',
            _ => {
                out.push(letter);
                continue;
            }
        };
        // A value may hold the mark itself: what is left out goes on to the last one.
        let rest = letters.as_str();
        let end = rest
            .rfind([close, '”'])
            .map_or(rest.len(), |at| at + rest[at..].chars().next().map_or(0, char::len_utf8));
        out.push_str("(a value, not shown)");
        letters = rest[end..].chars();
    }
    out
}

/// So that `connection.transaction(…)` can hold calls of a store.
impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        failed("the caller's statement")(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_quotation_marks_of_any_language_are_left_out() {
        for (said, told) in [
            (
                "invalid input syntax for type bigint: \"ana@correo.pe\"",
                "invalid input syntax for type bigint: (a value, not shown)",
            ),
            (
                "la sintaxis no es válida: «Ana \"X\"»",
                "la sintaxis no es válida: (a value, not shown)",
            ),
            ("ungültig: „Ana“ hier", "ungültig: (a value, not shown) hier"),
            ("value \"9\"9\" is out of range", "value (a value, not shown) is out of range"),
            ("open \"987", "open (a value, not shown)"),
            ("canceling statement due to lock timeout", "canceling statement due to lock timeout"),
        ] {
            assert_eq!(unquoted(said), told);
        }
        let error = DieselError::DatabaseError(
            DatabaseErrorKind::Unknown,
            Box::new("value \"987654321\" is wrong".to_owned()),
        );
        let told = failed("the look at the backlog")(error);
        let source = std::error::Error::source(&told).map(ToString::to_string);
        assert!(!format!("{told} {told:?} {source:?}").contains("987654321"));
    }
}
