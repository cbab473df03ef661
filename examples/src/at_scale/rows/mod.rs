//! Rows of fixed columns as a stream: CSV, or with their features Arrow IPC and Parquet.

#[cfg(feature = "arrow")]
mod arrow;
mod csv;
mod formats;
#[cfg(feature = "parquet")]
mod parquet;

use std::fs::File;
use std::io;

use clap::ValueEnum;

use crate::cli::Failure;

pub use self::formats::RowWriter;
pub(in crate::at_scale) use self::formats::open;

/// One column of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Type,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// Text, or a whole number or a day that a stream may hold in its place and that is read as its digits, or as
    /// YYYY-MM-DD.
    Value,
    /// A whole number of 64 bits; text that is one will do.
    Int,
}

impl Type {
    /// Says what a column of this type may be.
    #[cfg(feature = "arrow")]
    fn told(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Value => "text, a whole number or a day",
            Self::Int => "a whole number of 64 bits",
        }
    }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Type::Text }
}

const fn value(name: &'static str) -> Column {
    Column { name, kind: Type::Value }
}

const fn int(name: &'static str) -> Column {
    Column { name, kind: Type::Int }
}

/// What `keys` writes: for each record one row of part 0 that carries it sealed, and one of part 1 for each key.
pub const KEYS: &[Column] = &[
    text("record"),
    int("part"),
    text("kind"),
    text("form"),
    int("hi"),
    int("lo"),
    int("list_up_to"),
    text("sealed"),
    text("stamp"),
];

/// What `decide` reads, sorted by lead and part: the lead (part 0; `holders` says how many rows follow), the counts of
/// its keys (part 1), the persons that were joined (part 2).
pub const GROUPS: &[Column] = &[
    value("lead"),
    int("part"),
    int("hi"),
    int("lo"),
    int("holders"),
    value("person"),
    text("sealed"),
    text("stamp"),
];

/// What `decide` writes: a decision as `decisions.csv` holds it, and what it was made by.
pub const DECISIONS: &[Column] = &[
    text("source_pk"),
    text("status"),
    text("person_key"),
    text("match_rule"),
    text("confidence"),
    text("fail_reason"),
    text("evidence"),
    text("record_digest"),
    text("stamp"),
];

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// CSV with a header (RFC 4180).
    #[default]
    Csv,
    /// The streaming format of Arrow IPC; needs the feature `arrow`.
    Arrow,
    /// Parquet, read from a file and not from a pipe; needs the feature `parquet`.
    Parquet,
}

/// One value of a row that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A text.
    Text(&'a str),
    /// A number.
    Int(i64),
}

/// Where rows come from; columns are named by their place among those that were asked for.
pub trait Rows {
    /// Moves on to the next row; tells whether there is one.
    ///
    /// # Errors
    ///
    /// A stream that breaks off or holds no such row, named by the row's number.
    fn advance(&mut self) -> Result<bool, Failure>;

    /// Returns a text of the row; nothing for a blank one, and where the stream has no such column.
    fn text(&self, column: usize) -> Option<&str>;

    /// Returns a whole number of the row; nothing where it is none.
    fn int(&self, column: usize) -> Option<i64>;
}

/// The rows of a stream, and for each column that was asked for whether the stream has it.
pub(in crate::at_scale) struct Opened {
    pub(super) rows: Box<dyn Rows>,
    pub(super) has: Vec<bool>,
    /// The columns of the stream, as messages name them.
    pub(super) names: String,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Finds where the columns that are asked for stand among those of a stream; nothing for those that it lacks.
///
/// # Errors
///
/// A column that stands there twice.
fn places(wanted: &[(&str, Type)], names: &[&str]) -> Result<Vec<Option<usize>>, Failure> {
    let place = |&(name, _): &(&str, Type)| {
        let mut found = (0..names.len()).filter(|at| names[*at] == name);
        match (found.next(), found.next()) {
            (place, None) => Ok(place),
            (_, Some(_)) => {
                Err(Failure::new(format_args!("the rows have the column {name} twice"))
                    .remedy("select it once by this name"))
            }
        }
    };
    wanted.iter().map(place).collect()
}

/// Returns the standard input as a file, of which a format may read the end first.
///
/// # Errors
///
/// The system's.
pub fn standard_input() -> Result<File, Failure> {
    #[cfg(windows)]
    let input = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned();
    #[cfg(not(windows))]
    let input = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
    let input = input.map_err(|error| {
        Failure::new(format_args!("the standard input cannot be read: {error}"))
    })?;
    Ok(File::from(input))
}

/// Where rows go.
trait WriteRows {
    fn write(&mut self, row: &[Value<'_>]) -> Result<(), Failure>;
    fn finish(self: Box<Self>) -> Result<(), Failure>;
}

/// Tells that what is written does not arrive.
fn unwritable(why: impl std::fmt::Display) -> Failure {
    Failure::new(format_args!("the rows cannot be written: {why}"))
        .remedy("see why whoever reads them has ended")
}
