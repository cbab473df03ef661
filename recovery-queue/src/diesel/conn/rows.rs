//! What goes into a statement and what comes out of it, on either backend.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

#[cfg(feature = "postgres")]
use diesel::pg::Pg;
#[cfg(feature = "sqlite")]
use diesel::sqlite::Sqlite;

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
