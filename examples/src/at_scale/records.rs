//! Records of leads or persons, in either format.

use std::io::Read;

use raw_packets::table::{RefusedRow, Row, TableSchema};

use super::rows::{self, Format, Rows};
use crate::cli::{Console, Exit, Failure};
use crate::tables::{self, Tables, failed};

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

/// Reads records by the columns of a table and hands each to `each`, which may refuse it by saying why.
///
/// A table of CSV is read as every runner reads it; columns of an Arrow stream are found by their plain names. Memory
/// holds one row, or one record batch.
///
/// # Errors
///
/// A stream that cannot be read or names no key, and what `each` returns.
pub fn read(
    format: Format,
    tables: &Tables,
    schema: &TableSchema,
    input: impl Read + Send + 'static,
    console: &Console,
    mut each: impl FnMut(&dyn Cells) -> Result<Option<&'static str>, Failure>,
) -> Result<Exit, Failure> {
    if format == Format::Csv {
        let mut table = tables.read_from("standard input", input, schema)?;
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
    let (mut rows, places) = rows::open(format, &columns, input)?;
    let known = |name: &str| {
        columns.iter().zip(&places).any(|(column, place)| *column == name && place.is_some())
    };
    if !["id", "external_id", "person_key"].into_iter().any(known) {
        return Err(Failure::new("the stream has no column that names its records").remedy(
            "give leads a column `id` or `external_id`, and persons a column `person_key`",
        ));
    }
    let mut refused = 0_u64;
    while rows.advance()? {
        let row = StreamRow { rows: &*rows, columns: &columns };
        if each(&row)?.is_some() {
            refused += 1;
        }
    }
    if refused > 0 {
        console.warn(format_args!("{refused} records have no key and were refused"));
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
        self.rows.value(place).text().filter(|text| !text.trim().is_empty())
    }
}
