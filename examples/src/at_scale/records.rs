//! Records of leads or persons, in either format.

use std::fs::File;

use clap::ValueEnum;
use raw_packets::table::{RefusedRow, Row, TableSchema};

use super::rows::{self, Format, Rows, Type};
use crate::cli::{Console, Exit, Failure};
use crate::own::OwnColumns;
use crate::tables::{self, Tables, failed};

/// How many refused rows of a stream are told one by one.
const TOLD: u64 = 10;

/// What records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Of {
    /// Leads, by the columns of leads.csv.
    Leads,
    /// Persons, by the columns of persons.csv; one with several rows is one person.
    Persons,
}

impl Of {
    /// Returns the plural by which messages name the records.
    #[must_use]
    pub fn whose(self) -> &'static str {
        match self {
            Self::Leads => "leads",
            Self::Persons => "persons",
        }
    }

    /// Returns the columns of a file, and those of which one names the record.
    fn table(self) -> (TableSchema, &'static [&'static str]) {
        match self {
            Self::Leads => (TableSchema::leads(), &["id", "external_id"]),
            Self::Persons => (TableSchema::persons(), &["person_key"]),
        }
    }
}

/// One row of records.
pub trait Cells {
    /// Returns the text of a column, and nothing for a blank one.
    fn text(&self, column: &str) -> Option<&str>;
}

impl Cells for Row<'_> {
    fn text(&self, column: &str) -> Option<&str> {
        self.optional(column)
    }
}

/// Reads records by the columns of a table and of a policy's own kinds, and hands each to `each`, which may refuse it by saying why.
///
/// A table of CSV is read as every runner reads it; columns of Arrow and Parquet are found by their plain names. Memory
/// holds one row, or one record batch.
///
/// # Errors
///
/// A stream that cannot be read or names no key, and what `each` returns.
pub fn read(
    format: Format,
    of: Of,
    tables: &Tables,
    own: &OwnColumns,
    input: File,
    console: &Console,
    mut each: impl FnMut(&dyn Cells) -> Result<Option<&'static str>, Failure>,
) -> Result<Exit, Failure> {
    let (schema, keys) = of.table();
    let schema = own.of_table(schema, keys);
    if format == Format::Csv {
        let mut table = tables.read_from("standard input", input, &schema)?;
        while let Some(row) = table.next_row().map_err(failed)? {
            let line = row.line();
            if let Some(why) = each(&row)? {
                table.refuse(RefusedRow::new(line, None, why));
            }
        }
        let report = table.finish();
        tables::tell(&report, console);
        return Ok(tables::exit(&report));
    }
    let columns: Vec<&str> = schema.columns().iter().map(String::as_str).collect();
    let wanted: Vec<_> = columns.iter().map(|name| (*name, Type::Value)).collect();
    let opened = rows::open(format, &wanted, input)?;
    let known = |name: &String| columns.iter().zip(&opened.has).any(|(at, has)| *has && at == name);
    for any_of in schema.needed() {
        if !any_of.iter().any(known) {
            return Err(Failure::new(format_args!(
                "the stream of {} has no column {}; it has {}",
                of.whose(),
                any_of.join(", nor "),
                opened.names
            ))
            .remedy("select one by this name"));
        }
    }
    let (mut rows, mut number, mut refused) = (opened.rows, 0_u64, 0_u64);
    while rows.advance()? {
        number += 1;
        let row = StreamRow { rows: &*rows, columns: &columns };
        if let Some(why) = each(&row)? {
            refused += 1;
            if refused <= TOLD {
                console.warn(format_args!("row {number} is refused: {why}"));
            }
        }
    }
    if refused > 0 {
        console.warn(format_args!("{refused} rows were refused"));
        return Ok(Exit::RowsRefused);
    }
    Ok(Exit::Done)
}

struct StreamRow<'a> {
    rows: &'a dyn Rows,
    columns: &'a [&'a str],
}

impl Cells for StreamRow<'_> {
    fn text(&self, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|name| *name == column)?;
        self.rows.text(place).filter(|text| !text.trim().is_empty())
    }
}
