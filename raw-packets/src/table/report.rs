//! What became of the rows and columns of a file.

use std::borrow::Cow;

use serde::Serialize;

/// A row that was refused: where and why.
///
/// The value itself is not kept: it may identify a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RefusedRow {
    /// The line of the file on which the row begins, the first line being 1.
    pub line: u64,
    /// The column, where one is to blame.
    pub column: Option<Cow<'static, str>>,
    /// What is wrong and what to do.
    pub reason: Cow<'static, str>,
}

impl RefusedRow {
    /// Makes the notice of a row; `reason` must not hold a value of it.
    pub fn new(
        line: u64,
        column: impl Into<Option<&'static str>>,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        let column = column.into().map(Cow::Borrowed);
        Self { line, column, reason: reason.into() }
    }
}

/// A summary of a table, for the messages and the JSON of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct TableReport {
    /// The file as it was named.
    pub file: String,
    /// How the text was encoded: `UTF-8`, `UTF-16`, `UTF-32` or `Windows-1252`.
    pub encoding: &'static str,
    /// What separates the cells: `comma`, `semicolon`, `tab` or `bar`.
    pub separator: &'static str,
    /// Columns of the file that nobody reads: the name, or the place where the name may be a value.
    pub columns_ignored: Vec<String>,
    /// Columns of the table that the file lacks; they count as blank.
    pub columns_missing: Vec<String>,
    /// Columns of the file whose names look like columns of the table, with those.
    pub columns_suggested: Vec<(String, String)>,
    /// Columns of the file whose names look like a column of the table that another one is already, with that: what
    /// they hold is not read.
    pub columns_doubled: Vec<(String, String)>,
    /// Rows below the header, blank ones left out.
    pub rows_read_total: u64,
    /// Rows among them that are shorter than the header.
    pub rows_short_total: u64,
    /// Rows among them that were read as Windows-1252 because they are not UTF-8.
    pub rows_guessed_total: u64,
    /// The line of the first of these.
    pub rows_guessed_first: Option<u64>,
    /// Rows among them that were refused, exactly.
    pub rows_refused_total: u64,
    /// The first refused rows.
    pub rows_refused_listed: Vec<RefusedRow>,
}

impl TableReport {
    /// How many refused rows are listed; all are counted.
    pub const LISTED: usize = 20;

    /// Says whether every row was read as it stands: none refused, none by a guess at its encoding.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.rows_refused_total == 0 && self.rows_guessed_total == 0
    }

    /// Returns what a reader may want to know, line by line.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let file = &self.file;
        let mut notes = Vec::new();
        if self.separator != "comma" && !self.separator.is_empty() {
            notes.push(format!("{file}: the cells are separated by the {}", self.separator));
        }
        if !matches!(self.encoding, "UTF-8" | "") {
            notes.push(format!("{file}: the text is {}", self.encoding));
        }
        if !self.columns_ignored.is_empty() {
            let names = self.columns_ignored.join(", ");
            notes.push(format!("{file}: ignored unknown columns: {names}"));
        }
        for (name, column) in &self.columns_suggested {
            notes.push(format!(
                "{file}: `{name}` looks like `{column}`; to read it, write {column} = \"{name}\" in the map of columns"
            ));
        }
        for (name, column) in &self.columns_doubled {
            notes.push(format!(
                "{file}: `{name}` looks like another `{column}`; its values are not read: map the one that counts, or put the values of both into one cell, a slash between them"
            ));
        }
        if !self.columns_missing.is_empty() {
            let names = self.columns_missing.join(", ");
            notes.push(format!("{file}: missing columns read as blank: {names}"));
        }
        if self.rows_short_total > 0 {
            let rows = self.rows_short_total;
            notes.push(format!(
                "{file}: {rows} rows are shorter than the header; the missing cells read as blank"
            ));
        }
        notes
    }

    /// Returns what must be told even to one who asked for quiet, line by line.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let file = &self.file;
        let mut warnings = Vec::new();
        if let Some(first) = self.rows_guessed_first {
            let rows = self.rows_guessed_total;
            warnings.push(format!(
                "{file}: line {first}: not UTF-8, read as Windows-1252 ({rows} rows in all); save the file as UTF-8, or write encoding = \"windows-1252\" in the map of columns"
            ));
        }
        for row in &self.rows_refused_listed {
            let column = row.column.as_ref().map(|name| format!(", column `{name}`"));
            let column = column.unwrap_or_default();
            warnings.push(format!("{file}: line {}{column}: {}", row.line, row.reason));
        }
        let unlisted = self.rows_refused_total - self.rows_refused_listed.len() as u64;
        if unlisted > 0 {
            warnings.push(format!("{file}: … and {unlisted} more refused rows"));
        }
        warnings
    }
}
