//! Rows of text in bulk: `COPY` on PostgreSQL, a prepared insert of many rows on `SQLite`.

use std::io::{self, Write};

use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{PgConnection, SqliteConnection, copy_from};

use crate::cli::Failure;

/// Rows of one statement on `SQLite`; the whole has far fewer binds than it takes.
const ROWS: usize = 128;

/// Rows in memory: the line of each, and its cells one after the other in one text.
#[derive(Default)]
pub(super) struct Rows {
    text: String,
    lines: Vec<i64>,
    /// Where each cell begins and ends; none for NULL.
    cells: Vec<Option<(usize, usize)>>,
}

impl Rows {
    /// Adds a row.
    pub(super) fn add<'v>(&mut self, line: i64, cells: impl IntoIterator<Item = Option<&'v str>>) {
        self.lines.push(line);
        for cell in cells {
            self.cells.push(cell.map(|cell| {
                let begin = self.text.len();
                self.text.push_str(cell);
                (begin, self.text.len())
            }));
        }
    }

    /// Gives how many rows there are.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Gives how many bytes of text the cells have.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    fn cell(&self, at: usize) -> Option<&str> {
        self.cells[at].map(|(begin, end)| &self.text[begin..end])
    }

    /// Inserts the rows into a temporary table whose first column is the line.
    pub(super) fn insert(
        &self,
        connection: &mut SqliteConnection,
        table: &str,
        columns: &[&str],
    ) -> QueryResult<()> {
        let width = columns.len();
        let cells: Vec<_> = (0..self.cells.len()).map(|at| self.cell(at)).collect();
        for (lines, cells) in self.lines.chunks(ROWS).zip(cells.chunks(ROWS * width)) {
            Insert { table, columns, lines, cells }.execute(connection)?;
        }
        Ok(())
    }

    /// Copies the rows into a temporary table of this name.
    pub(super) fn copy(&self, connection: &mut PgConnection, table: &str) -> Result<(), Failure> {
        let write = |out: &mut dyn Write| self.write(out).map_err(Copying::Text);
        macro_rules! into {
            ($($name:ident $whole:ident),+) => {
                match table {
                    $(stringify!($name) => {
                        copy_from(incoming::$name::table)
                            .from_raw_data(incoming::$whole, write)
                            .execute(connection)
                    })+
                    _ => return Err(Failure::new(format_args!("{table}: no such staging table"))),
                }
            };
        }
        let copied = into!(incoming_leads Leads, incoming_persons Persons, incoming_claims Claims);
        copied.map(|_| ()).map_err(Failure::from)
    }

    /// Writes the rows in the text format of `COPY`.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = self.cells.len().checked_div(self.lines.len()).unwrap_or_default();
        let mut text = Vec::with_capacity(self.text.len() + self.cells.len() * 3);
        for (row, line) in self.lines.iter().enumerate() {
            write!(text, "{line}")?;
            for at in row * width..(row + 1) * width {
                text.push(b'\t');
                match self.cell(at) {
                    None => text.extend_from_slice(b"\\N"),
                    Some(cell) => escape(cell, &mut text),
                }
            }
            text.push(b'\n');
        }
        out.write_all(&text)
    }
}

/// Writes a cell so that `COPY` reads it back as it is.
fn escape(cell: &str, text: &mut Vec<u8>) {
    for byte in cell.bytes() {
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'\t' => text.extend_from_slice(b"\\t"),
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\r' => text.extend_from_slice(b"\\r"),
            other => text.push(other),
        }
    }
}

/// Why rows could not be copied.
#[derive(Debug, thiserror::Error)]
enum Copying {
    #[error("the rows cannot be written")]
    Text(#[source] io::Error),
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

/// One insert of many rows.
struct Insert<'a> {
    table: &'a str,
    columns: &'a [&'a str],
    lines: &'a [i64],
    cells: &'a [Option<&'a str>],
}

impl QueryId for Insert<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<SqliteConnection> for Insert<'_> {}

impl QueryFragment<Sqlite> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("INSERT INTO temp.");
        out.push_identifier(self.table)?;
        out.push_sql(" (line");
        for column in self.columns {
            out.push_sql(", ");
            out.push_identifier(column)?;
        }
        out.push_sql(") VALUES ");
        for (row, line) in self.lines.iter().enumerate() {
            out.push_sql(if row == 0 { "(" } else { ",(" });
            out.push_bind_param::<BigInt, _>(line)?;
            let width = self.columns.len();
            for cell in &self.cells[row * width..(row + 1) * width] {
                out.push_sql(",");
                out.push_bind_param::<Nullable<Text>, _>(cell)?;
            }
            out.push_sql(")");
        }
        Ok(())
    }
}

/// The temporary tables that files go into, as `COPY` names them: with all their columns, in their order.
mod incoming {
    use diesel::pg::{CopyTarget, Pg};
    use diesel::prelude::*;
    use diesel::query_builder::AstPass;
    use diesel::sql_types::BigInt;

    macro_rules! tables {
        ($($name:ident $whole:ident),+) => {$(
            diesel::table! {
                $name (line) {
                    line -> BigInt,
                }
            }

            /// The whole table.
            pub(super) struct $whole;

            impl CopyTarget for $whole {
                type Table = $name::table;
                type SqlType = BigInt;

                fn walk_target(mut out: AstPass<'_, '_, Pg>) -> QueryResult<()> {
                    out.push_identifier(stringify!($name))
                }
            }
        )+};
    }

    tables!(incoming_leads Leads, incoming_persons Persons, incoming_claims Claims);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_as_copy_reads_it() {
        let mut rows = Rows::default();
        rows.add(2, [Some("a\tb"), None, Some("")]);
        rows.add(3, [Some("c\\N"), Some("d\r\ne"), Some("ñ")]);
        let mut text = Vec::new();
        rows.write(&mut text).unwrap();
        let expected = "2\ta\\tb\t\\N\t\n3\tc\\\\N\td\\r\\ne\tñ\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
