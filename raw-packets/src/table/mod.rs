//! Tables of outside rows, in whatever form a spreadsheet, a script or a CRM exported them.
//!
//! One reader for every table that people hand over: leads, persons, claims, labelled truth, values. It finds
//! out how the file was written, says so, and reads it; a row that cannot be read is refused by its line, and
//! the rest is read.
//!
//! | a file | is read as |
//! |---|---|
//! | UTF-8, with or without a byte order mark, also before a quoted header | it stands |
//! | UTF-16 and UTF-32, little or big endian, with or without a mark | decoded |
//! | rows that are not UTF-8 | Windows-1252, each counted as a guess unless the [`ColumnMap`] states it |
//! | commas, semicolons, tabs or bars between the cells; a line `sep=;` or `#TYPE …` above the header | whichever names most columns |
//! | lines that end in LF, CR LF or CR | as rows; inside quotes they are part of the value (RFC 4180) |
//! | blank lines, lines of separators or dashes alone, a count of the rows such as `(3 rows)` | left out |
//! | blanks around every name of the header, as in a drawn table | no part of the cells, unless quoted |
//! | rows shorter than the header, or longer by blank cells | blank cells |
//! | a header in other case, with blanks, hyphens or accents (`External ID`) | the same column |
//! | a workbook, a PDF, a compressed file, JSON, HTML; names in `'single'` or `“curly”` quotes | refused, named for what it is |
//! | a row that repeats the header, or stands in one pair of quotes | refused |
//!
//! A quote that is not closed costs its own line: what follows is read again from the next line on, and until
//! the place where the quote would have ended only rows with all the cells of the header are taken, so that no
//! piece of a text passes for a row.
//!
//! No message holds a value of the file: a value may identify a person. A header is not repeated either, for
//! in a file without a header it is a row; names of unknown columns are told only where they are plainly names.
//!
//! The file is streamed. Memory holds one row of at most [`MAX_ROW`] bytes and the first refused rows.
//!
//! ```
//! use raw_packets::table::{ColumnMap, TableReader, TableSchema};
//!
//! let file = "\u{feff}\"External ID\";\"phone\"\r\n\"web-1\";\"987 654 321\"\r\n;;\r\n";
//! let leads = TableSchema::leads();
//! let mut table = TableReader::new("leads.csv", file.as_bytes(), &leads, &ColumnMap::default())?;
//! let row = table.next_row()?.expect("the file has one row");
//! assert_eq!((row.line(), row.text("external_id"), row.text("phone")), (2, "web-1", "987 654 321"));
//! assert!(table.next_row()?.is_none());
//! let report = table.finish();
//! assert_eq!((report.separator, report.rows_read_total), ("semicolon", 1));
//! # Ok::<(), raw_packets::table::TableError>(())
//! ```

mod columns;
mod decode;
mod error;
mod header;
mod lines;
#[cfg(feature = "kpi-gap-queue")]
mod metrics;
mod names;
mod reader;
mod record;
mod report;
mod schema;

pub use self::columns::{ColumnMap, ColumnMapError};
pub use self::error::{ForeignFile, TableError};
#[cfg(feature = "kpi-gap-queue")]
pub use self::metrics::{MetricRows, MetricTotals};
pub use self::reader::{Entry, MAX_ROW, Row, TableReader};
pub use self::report::{RefusedRow, TableReport};
pub use self::schema::TableSchema;
