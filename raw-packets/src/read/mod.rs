//! Bytes into a sheet: a header and rows of cells, whatever program wrote the file.

mod text;

pub(crate) use self::text::read_csv;

/// How long a cell may be, in characters: the limit of the spreadsheets that wrote it.
pub(crate) const MAX_CELL: usize = 32_767;

/// How many rows of a file are read; a packet has one, and what lies beyond is counted only.
pub(crate) const MAX_ROWS: usize = 1_000;

/// A returned file as a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sheet {
    /// The row of the header, counted from 1.
    pub(crate) header_row: u64,
    /// The labels, trimmed.
    pub(crate) header: Vec<String>,
    /// The rows below the header, blank ones too.
    pub(crate) rows: Vec<SheetRow>,
    /// How many rows were not read, being too many.
    pub(crate) rows_beyond: u64,
    /// The decimal mark that the file's form uses.
    pub(crate) decimal_mark: char,
    /// The id of the packet, where the file carries one.
    pub(crate) packet_id: Option<String>,
    /// The delimiter of the file's form; `None` in a workbook.
    pub(crate) delimiter: Option<u8>,
    /// What was odd about the file as a whole.
    pub(crate) oddities: Vec<Oddity>,
}

/// Something odd about a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// The bytes are not UTF-8.
    Encoding {
        /// Where the first byte that is not UTF-8 stands, counted from 1.
        row: u64,
    },
    /// The bytes are UTF-16, which was decoded.
    Utf16,
    /// Nothing at all is in the file.
    Empty,
    /// The file is no table, or one that cannot be read.
    Unreadable(Unreadable),
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "xlsx"), expect(dead_code, reason = "only workbooks are so"))]
pub(crate) enum Unreadable {
    /// It unpacks to more than any packet.
    TooLarge {
        /// The most bytes.
        limit: u64,
    },
    /// It consists of more parts than any packet.
    TooManyParts {
        /// How many there are.
        parts: usize,
    },
    /// What the parser said, blank where it broke down.
    Damaged {
        /// The parser's words.
        problem: String,
    },
    /// It is a workbook, and feature `xlsx` is not built in.
    #[cfg_attr(feature = "xlsx", expect(dead_code, reason = "here it is built in"))]
    NotBuiltIn,
    /// It is a workbook of the binary kind.
    Before2007,
    /// It is a workbook of the `OpenDocument` kind.
    OpenDocument,
    /// It is a document of Apple's Numbers.
    Numbers,
}

/// One row of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SheetRow {
    /// The row's number in a spreadsheet, the first row being 1.
    pub(crate) number: u64,
    /// The cells, as many as the row has.
    pub(crate) cells: Vec<Cell>,
}

impl SheetRow {
    pub(crate) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.text.trim().is_empty())
    }
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The text; of a typed cell its canonical form.
    pub(crate) text: String,
    /// What the file knows about the cell beside its text.
    pub(crate) form: Form,
}

/// What a file knows about a cell beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "xlsx"), expect(dead_code, reason = "only workbooks have it"))]
pub(crate) enum Form {
    /// Text, as every cell of a CSV file is.
    Text,
    /// Text that a workbook knows to be text, and so never a formula.
    TypedText,
    /// A number; its text has a decimal point.
    Number,
    /// A day; its text is `YYYY-MM-DD`.
    Date,
    /// A formula; its text starts with `=`.
    Formula,
    /// An error value, such as `#REF!`.
    Error,
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), form: Form::Text }
    }
}

/// Returns a column's letters: 0 is `A`, 26 is `AA`.
pub(crate) fn column_letters(mut index: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'A' + u8::try_from(index % 26).expect("a remainder below 26")));
        index /= 26;
        if index == 0 {
            break;
        }
        index -= 1;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::column_letters;

    #[test]
    fn columns_are_lettered_as_spreadsheets_do() {
        for (index, letters) in
            [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (702, "AAA")]
        {
            assert_eq!(column_letters(index), letters);
        }
    }
}
