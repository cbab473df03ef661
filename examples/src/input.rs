//! CSV tables from outside: columns by name, broken rows told one by one.
//!
//! The rules, the same for every table: the header names the columns, in any order and case; a column
//! that the table does not know is ignored with a note; a missing column other than the required ones
//! reads as blank; a row that is broken is refused with its line and does not stop the rest. A row is one
//! line, so that a quote left open costs its own row and not all that follow. The file is streamed: memory
//! does not grow with it, but for the list of refused rows, which is cut (its count is not).

mod lines;

use std::fmt::Display;
use std::path::{Path, PathBuf};

use self::lines::Lines;
use crate::cli::{Console, Exit, Failure};
use crate::files;

/// How many refused rows are listed; all are counted.
const LISTED: usize = 20;

/// A row that was refused: where and why.
///
/// The value itself is not kept: it may identify a person.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RefusedRow {
    /// The line of the file, the header being line 1.
    pub line: u64,
    /// The column, where one is to blame.
    pub column: Option<&'static str>,
    /// What is wrong and what to do.
    pub reason: String,
}

/// A table of outside rows, read by column name.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    lines: Lines,
    columns: Vec<(&'static str, Option<usize>)>,
    width: usize,
    unknown: Vec<String>,
    refused: Vec<RefusedRow>,
    refused_total: u64,
    read_total: u64,
}

impl Table {
    /// Opens a table and reads its header.
    ///
    /// At least one column of `required` must be there (the ids that name a row); the other `columns` may be
    /// missing.
    ///
    /// # Errors
    ///
    /// A missing or unreadable file, an empty one, a header with none of the required columns or with one
    /// column twice.
    pub fn open(
        path: &Path,
        required: &[&'static str],
        columns: &[&'static str],
    ) -> Result<Self, Failure> {
        let mut lines = Lines::new(files::open(path)?);
        let wrong = |what: &dyn Display| {
            Failure::new(format_args!("{}: line 1: {what}", path.display()))
                .remedy(format_args!("the first line must name the columns: {}", columns.join(",")))
        };
        let names: Vec<String> = match lines.next(path)? {
            None => return Err(wrong(&"the file is empty: there is no header")),
            Some(Err(why)) => return Err(wrong(&why)),
            Some(Ok(())) => (0..lines.width())
                .map(|at| {
                    let name = lines.field(at);
                    let name = name.strip_prefix('\u{feff}').unwrap_or(name);
                    name.trim().to_ascii_lowercase()
                })
                .collect(),
        };
        let mut found = Vec::with_capacity(columns.len());
        for &column in columns {
            let mut places = names.iter().enumerate().filter(|(_, name)| *name == column);
            let place = places.next().map(|(at, _)| at);
            if places.next().is_some() {
                return Err(wrong(&format_args!("column `{column}` stands there twice")));
            }
            found.push((column, place));
        }
        if !found.iter().any(|(name, at)| required.contains(name) && at.is_some()) {
            return Err(wrong(&format_args!(
                "the header has no column {}; it reads `{}`",
                required.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "),
                shortened(&names.join(",")),
            )));
        }
        let width = names.len();
        let unknown = names.into_iter().filter(|name| !columns.contains(&name.as_str())).collect();
        Ok(Self {
            path: path.to_owned(),
            lines,
            columns: found,
            width,
            unknown,
            refused: Vec::new(),
            refused_total: 0,
            read_total: 0,
        })
    }

    /// Reads on to the next whole row; broken ones in between are refused, blank lines are passed over.
    ///
    /// # Errors
    ///
    /// Only an error of the disk: it ends the table, for what follows is unknown.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, Failure> {
        loop {
            let Some(outcome) = self.lines.next(&self.path)? else { return Ok(None) };
            if self.lines.is_blank() {
                continue;
            }
            self.read_total += 1;
            let line = self.lines.number();
            let found = self.lines.width();
            match outcome {
                Err(why) => self.refuse(line, None, why),
                Ok(()) if found != self.width => {
                    let width = self.width;
                    self.refuse(
                        line,
                        None,
                        format!("{found} fields where the header has {width}; check the quotes and commas"),
                    );
                }
                Ok(()) => break,
            }
        }
        Ok(Some(Row { lines: &self.lines, columns: &self.columns }))
    }

    /// Counts and lists a row as refused.
    pub fn refuse(&mut self, line: u64, column: Option<&'static str>, reason: impl Into<String>) {
        self.refused_total += 1;
        if self.refused.len() < LISTED {
            self.refused.push(RefusedRow { line, column, reason: reason.into() });
        }
    }

    /// Counts rows as refused that the listing leaves out.
    pub fn refuse_unlisted(&mut self, rows: u64) {
        self.refused_total += rows;
    }

    /// Ends the table and sums it up.
    #[must_use]
    pub fn close(self) -> TableSummary {
        TableSummary {
            file: self.path.display().to_string(),
            columns_ignored: self.unknown,
            rows_read_total: self.read_total,
            rows_refused_total: self.refused_total,
            rows_refused_listed: self.refused,
        }
    }
}

/// What a table held, for the messages and the JSON of a run.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TableSummary {
    /// The file as it was named.
    pub file: String,
    /// Columns of the file that nobody reads.
    pub columns_ignored: Vec<String>,
    /// Rows below the header.
    pub rows_read_total: u64,
    /// Rows among them that were refused, exactly.
    pub rows_refused_total: u64,
    /// The first refused rows.
    pub rows_refused_listed: Vec<RefusedRow>,
}

impl TableSummary {
    /// Tells on stderr what was ignored and what was refused, line by line.
    pub fn tell(&self, console: &Console) {
        let file = &self.file;
        if !self.columns_ignored.is_empty() {
            let names = shortened(&self.columns_ignored.join(", "));
            console.note(format_args!("{file}: ignored unknown columns: {names}"));
        }
        for row in &self.rows_refused_listed {
            let column = row.column.map(|name| format!(", column `{name}`")).unwrap_or_default();
            console.warn(format_args!("{file}: line {}{column}: {}", row.line, row.reason));
        }
        let unlisted = self.rows_refused_total - self.rows_refused_listed.len() as u64;
        if unlisted > 0 {
            console.warn(format_args!("{file}: … and {unlisted} more refused rows"));
        }
    }

    /// Returns what the exit code must say of this table.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.rows_refused_total == 0 { Exit::Done } else { Exit::RowsRefused }
    }
}

/// One whole row, by column name.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    lines: &'a Lines,
    columns: &'a [(&'static str, Option<usize>)],
}

impl<'a> Row<'a> {
    /// Returns the line of the file.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.lines.number()
    }

    /// Returns a column's text as it stands, byte for byte; a missing column is blank.
    ///
    /// # Panics
    ///
    /// When the name is none of those the table was opened with.
    #[must_use]
    pub fn text(&self, column: &str) -> &'a str {
        let (_, place) = self
            .columns
            .iter()
            .find(|(name, _)| *name == column)
            .expect("the caller asks for a column that it opened the table with");
        place.map_or("", |at| self.lines.field(at))
    }

    /// Returns a column's text, or nothing where it is empty.
    #[must_use]
    pub fn optional(&self, column: &str) -> Option<&'a str> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }
}

fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain("…".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::lines::LONGEST;
    use super::*;
    use proptest::prelude::*;

    fn table(content: &[u8]) -> (tempfile::TempDir, Result<Table, Failure>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leads.csv");
        std::fs::write(&path, content).unwrap();
        let table = Table::open(&path, &["id"], &["id", "phone"]);
        (folder, table)
    }

    #[test]
    fn columns_are_found_by_name_in_any_order_and_case() {
        let (_folder, table) = table(b"\xef\xbb\xbfPHONE,other,Id\r\n5,\"x, y\",1\r\n");
        let mut table = table.unwrap();
        let row = table.next_row().unwrap().unwrap();
        assert_eq!((row.text("id"), row.text("phone"), row.line()), ("1", "5", 2));
        assert!(table.next_row().unwrap().is_none());
        assert_eq!(table.close().columns_ignored, ["other"]);
    }

    #[test]
    fn a_missing_column_reads_as_blank_but_a_missing_id_is_an_error() {
        let (_folder, only_id) = table(b"id\n1\n");
        assert_eq!(only_id.unwrap().next_row().unwrap().unwrap().optional("phone"), None);
        for header in [b"phone\n1\n".as_slice(), b"", b"\n", b"id,id\n", b"\xff\n", b"\"id\n"] {
            let (_folder, wrong) = table(header);
            let said = wrong.unwrap_err().to_string();
            assert!(said.contains("line 1") && said.contains("what to do"), "{said}");
        }
    }

    #[test]
    fn a_broken_row_is_refused_by_line_and_the_rest_is_read() {
        let (_folder, table) = table(b"id,phone\n1\n2,\xff\n4,\"open\n\n3,9");
        let mut table = table.unwrap();
        assert_eq!(table.next_row().unwrap().unwrap().text("id"), "3");
        assert!(table.next_row().unwrap().is_none());
        let summary = table.close();
        let lines: Vec<_> = summary.rows_refused_listed.iter().map(|row| row.line).collect();
        assert_eq!((lines, summary.rows_refused_total), (vec![2, 3, 4], 3));
        assert_eq!((summary.rows_read_total, summary.exit()), (4, Exit::RowsRefused));
    }

    #[test]
    fn an_overlong_line_is_refused_and_the_next_is_read() {
        let long = vec![b'x'; LONGEST + 5];
        let (_folder, table) = table(&[b"id,phone\n".as_slice(), &long, b"\n7,8\n"].concat());
        let mut table = table.unwrap();
        assert_eq!(table.next_row().unwrap().unwrap().line(), 3);
        assert_eq!(table.close().rows_refused_total, 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_and_every_row_is_counted(
            content in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b",\"\n\r".to_vec())], 0..400),
        ) {
            let (_folder, table) = table(&[b"id,phone\n".as_slice(), &content].concat());
            let mut table = table.unwrap();
            let mut whole = 0;
            while let Some(row) = table.next_row().unwrap() {
                let _ = (row.text("id"), row.text("phone"));
                whole += 1;
            }
            let summary = table.close();
            prop_assert_eq!(summary.rows_read_total, whole + summary.rows_refused_total);
        }

        #[test]
        fn what_a_csv_writer_writes_is_read_back_byte_for_byte(id in "[^\r\n\0]{1,20}", phone in "[^\r\n\0]{0,20}") {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(["id", "phone"]).unwrap();
            writer.write_record([&id, &phone]).unwrap();
            let (_folder, table) = table(&writer.into_inner().unwrap());
            let mut table = table.unwrap();
            let row = table.next_row().unwrap().unwrap();
            prop_assert_eq!((row.text("id"), row.text("phone")), (id.as_str(), phone.as_str()));
        }
    }
}
