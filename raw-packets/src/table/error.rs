//! Why a table cannot be read at all.

use std::io;

/// The reason why a table cannot be read; no message holds a value of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file could not be read.
    #[error("{file}: cannot be read")]
    Read {
        /// The file as it was named.
        file: Box<str>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is no table.
    #[error("{file}: line 1: this is {kind}, not a table in text")]
    Foreign {
        /// The file as it was named.
        file: Box<str>,
        /// What it is.
        kind: ForeignFile,
    },
    /// The file has no header.
    #[error("{file}: line 1: the file is empty: there is no header")]
    Empty {
        /// The file as it was named.
        file: Box<str>,
        /// The columns of the table, separated by commas.
        columns: Box<str>,
    },
    /// The header cannot be read as a row.
    #[error("{file}: line {line}: the header cannot be read: {problem}")]
    BrokenHeader {
        /// The file as it was named.
        file: Box<str>,
        /// The line of the header.
        line: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// None of the columns that the table needs is recognised.
    #[error("{file}: line {line}: the header has no column {wanted}, among {found}{hint}")]
    MissingColumn {
        /// The file as it was named.
        file: Box<str>,
        /// The line of the header.
        line: u64,
        /// The columns of which one is needed, in words.
        wanted: Box<str>,
        /// How many columns were found, and what separates them.
        found: Box<str>,
        /// What else was seen, such as a header further below; may be blank.
        hint: Box<str>,
        /// The columns of the table, separated by commas.
        columns: Box<str>,
    },
    /// Two columns of the file are the same column of the table.
    #[error(
        "{file}: line {line}: column `{column}` stands there twice, as columns {first} and {second}"
    )]
    DuplicateColumn {
        /// The file as it was named.
        file: Box<str>,
        /// The line of the header.
        line: u64,
        /// The column of the table.
        column: Box<str>,
        /// The first place, from 1.
        first: usize,
        /// The second place, from 1.
        second: usize,
    },
}

impl TableError {
    /// Returns what the user can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Read { .. } => "check the file and that you may read it".to_owned(),
            Self::Foreign { kind, .. } => kind.remedy().to_owned(),
            Self::Empty { columns, .. } => {
                format!("the first line must name the columns: {columns}")
            }
            Self::BrokenHeader { .. } => {
                "correct the first line, or export the file again".to_owned()
            }
            Self::MissingColumn { columns, .. } => format!(
                "the first line must name the columns: {columns}; name those of a file of your own in a map of columns"
            ),
            Self::DuplicateColumn { .. } => {
                "keep one of the two, or say which one counts in a map of columns".to_owned()
            }
        }
    }
}

/// The kind of a file that is no table in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForeignFile {
    /// A workbook, or another document in a zip archive.
    Workbook,
    /// A workbook of Excel before 2007.
    OldWorkbook,
    /// A compressed file.
    Compressed,
    /// A document for print.
    Pdf,
    /// A database of `SQLite`.
    Sqlite,
    /// A file of Apache Parquet.
    Parquet,
    /// A page or a document in HTML or XML.
    Markup,
    /// A document in JSON.
    Json,
    /// A document of a word processor in RTF.
    RichText,
}

impl std::fmt::Display for ForeignFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Workbook => "a workbook (xlsx or ods) or a zip archive",
            Self::OldWorkbook => "a workbook of Excel 97-2003 (xls)",
            Self::Compressed => "a compressed file (gzip or another)",
            Self::Pdf => "a PDF document",
            Self::Sqlite => "a SQLite database",
            Self::Parquet => "a Parquet file",
            Self::Markup => "HTML or XML",
            Self::Json => "JSON",
            Self::RichText => "a document of a word processor (RTF)",
        })
    }
}

impl ForeignFile {
    fn remedy(self) -> &'static str {
        match self {
            Self::Workbook | Self::OldWorkbook => {
                "open it in the spreadsheet program and save the sheet as \"CSV UTF-8\""
            }
            Self::Compressed => "unpack it first",
            Self::Pdf
            | Self::Sqlite
            | Self::Parquet
            | Self::Markup
            | Self::Json
            | Self::RichText => "export the rows as CSV in UTF-8",
        }
    }
}
