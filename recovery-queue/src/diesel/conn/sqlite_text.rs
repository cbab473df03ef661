//! Whether a value of SQLite is a text that both backends and the program can hold.
//!
//! SQLite keeps any bytes as text; read as UTF-8 they would become another key.

use diesel::sql_types::{Binary, Nullable};
use diesel::sqlite::SqliteConnection;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Says whether bytes are UTF-8 without a NUL; an absent value is.
    fn rq_is_text(bytes: Nullable<Binary>) -> diesel::sql_types::Bool;
}

/// Gives a connection the function `rq_is_text`.
pub(crate) fn register(connection: &mut SqliteConnection) -> diesel::QueryResult<()> {
    rq_is_text_utils::register_impl(connection, |bytes: Option<Vec<u8>>| {
        bytes.is_none_or(|bytes| std::str::from_utf8(&bytes).is_ok() && !bytes.contains(&0))
    })
}
