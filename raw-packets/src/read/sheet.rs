//! A returned file as a table: a header, its rows, and what is odd about them.

use super::{MAX_ROWS, NotRead};
use crate::template::Labels;
use crate::value::is_blank;

/// How many rows are looked at for the header.
const HEADER_WITHIN: usize = 30;

/// A returned file as a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sheet {
    /// The row of the header, counted from 1.
    pub(crate) header_row: u64,
    /// The labels, trimmed.
    pub(crate) header: Vec<String>,
    /// The rows below the header that hold anything.
    pub(crate) rows: Vec<SheetRow>,
    /// How many more such rows were not read, being too many.
    pub(crate) rows_beyond: u64,
    /// How many rows above the header hold anything.
    pub(crate) rows_above: usize,
    /// The decimal mark that the file's form uses.
    pub(crate) decimal_mark: char,
    /// The id of the packet, where the file carries one.
    pub(crate) packet_id: Option<String>,
    /// The delimiter of the file's form; `None` in a workbook.
    pub(crate) delimiter: Option<u8>,
    /// Whether the double quotes of the file are odd in number, so that one may have been left open.
    pub(crate) odd_quotes: bool,
    /// What was odd about the file as a whole.
    pub(crate) oddities: Vec<Oddity>,
    /// What stands beside the table.
    pub(crate) remarks: Vec<Remark>,
    /// Of an upright form, the row in which the value of each column stands; empty of a table.
    pub(crate) upright: Vec<u64>,
}

/// Something that a workbook holds beside the table that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "xlsx"), expect(dead_code, reason = "only workbooks hold such"))]
pub(crate) enum Remark {
    /// This sheet was read in the place of another that is not filled in.
    Chosen {
        /// The sheet that was read.
        read: String,
        /// The sheet that is issued.
        unfilled: String,
    },
    /// Another sheet that is filled in, with other values.
    Rival {
        /// Its name.
        name: String,
        /// The sheet that was read.
        read: String,
    },
    /// A sheet that is not read.
    Sheet {
        /// Its name.
        name: String,
        /// How it begins.
        says: String,
    },
    /// A comment on a cell.
    Comment {
        /// The row, counted from 1.
        row: u64,
        /// The column, counted from 0.
        column: usize,
        /// What it says.
        says: String,
    },
    /// A row that is not shown.
    Hidden {
        /// The row, counted from 1.
        row: u64,
    },
}

/// Something odd about a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Oddity {
    /// The bytes are not UTF-8.
    Encoding {
        /// Where the first byte that is not UTF-8 stands, counted from 1.
        row: u64,
    },
    /// Zeros stand in a text file.
    NulBytes,
    /// The bytes are in this encoding, which was decoded.
    Decoded(&'static str),
    /// Nothing at all is in the file.
    Empty,
    /// All cells of a row stand in its first, with this character between them.
    OneColumn(char),
    /// Single quotes stand around the cells.
    SingleQuotes,
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
    /// It has a password.
    Password,
    /// It is of a kind that is not read, or could not be taken from the folder.
    Not(NotRead),
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
        self.cells.iter().all(|cell| is_blank(&cell.text))
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
    Number {
        /// Whether the workbook counts days from 1904.
        since_1904: bool,
    },
    /// A number that is shown as a percentage; its text is a hundredth of what is shown.
    Percentage,
    /// A day or a time; the text of a day is `YYYY-MM-DD`.
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

/// Puts rows together to a sheet, finding the header among the first of them.
pub(crate) struct Builder<'l> {
    labels: &'l Labels,
    /// Rows that may stand above the header.
    pending: Vec<SheetRow>,
    sheet: Sheet,
}

impl<'l> Builder<'l> {
    pub(crate) fn new(labels: &'l Labels, sheet: Sheet) -> Self {
        Self { labels, pending: Vec::new(), sheet }
    }

    /// Adds a row; one without any text is none.
    pub(crate) fn push(&mut self, row: SheetRow) {
        if row.is_blank() {
            return;
        }
        if !self.sheet.header.is_empty() {
            self.below(row);
        } else if is_single_quoted(&row, self.labels) {
            self.sheet.oddities.push(Oddity::SingleQuotes);
            self.head(row);
        } else if self
            .labels
            .are_enough(row.cells.iter().map(|cell| crate::value::trim(&cell.text)))
        {
            self.sheet.rows_above = self.pending.len();
            self.pending.clear();
            self.head(row);
        } else {
            self.pending.push(row);
            if self.pending.len() == HEADER_WITHIN {
                self.settle();
            }
        }
    }

    fn head(&mut self, row: SheetRow) {
        self.sheet.header_row = row.number;
        let labels = row.cells.into_iter().map(|cell| crate::value::trim(&cell.text).to_owned());
        self.sheet.header = labels.collect();
    }

    fn below(&mut self, row: SheetRow) {
        if self.sheet.rows.len() < MAX_ROWS {
            self.sheet.rows.push(row);
        } else {
            self.sheet.rows_beyond += 1;
        }
    }

    /// Takes the first row for the header where no row looks like one.
    fn settle(&mut self) {
        let mut rows = std::mem::take(&mut self.pending).into_iter();
        let Some(first) = rows.next() else { return };
        let one_column = one_column(&first, self.labels).map(Oddity::OneColumn);
        self.sheet.oddities.extend(one_column);
        self.head(first);
        rows.for_each(|row| self.below(row));
    }

    pub(crate) fn finish(mut self) -> Sheet {
        self.settle();
        if self.sheet.header.is_empty() {
            self.sheet.oddities.push(Oddity::Empty);
        }
        // A workbook may have a sheet that explains the fields; one that is filled in says so in its header.
        let headed = self.sheet.delimiter.is_none();
        laid_out(self.sheet, self.labels, headed)
    }
}

/// The labels of an upright form, by language.
pub(crate) const FORM_LABELS: [[&str; 3]; 2] =
    [["field", "value", "what it means"], ["campo", "valor", "qué significa"]];

/// Lays an upright form out as a table of one row: each field in a row of its own, its value behind it.
///
/// `headed` asks for the header of a form that was issued.
pub(crate) fn laid_out(sheet: Sheet, labels: &Labels, headed: bool) -> Sheet {
    let is =
        |form: &[&str; 3]| (0..2).all(|at| sheet.header.get(at).is_some_and(|l| l == form[at]));
    if headed && !FORM_LABELS.iter().any(is) {
        return sheet;
    }
    let below = sheet.rows.iter().filter_map(|row| row.cells.first().map(|cell| &cell.text));
    let fields =
        sheet.header.first().into_iter().chain(below).map(|field| crate::value::trim(field));
    let known = |label: &&str| labels.find(label).is_some();
    // The header of a table has more labels than its first column.
    let in_header =
        sheet.header.iter().map(|label| crate::value::trim(label)).filter(known).count();
    if !labels.are_enough(fields.clone()) || in_header >= fields.filter(known).count() {
        return sheet;
    }
    let form = if sheet.delimiter.is_some() { Form::Text } else { Form::TypedText };
    let typed = |text: String| Cell { text, form };
    // The first row is a header of its own, or the first field.
    let is_field = sheet.header.first().is_some_and(|label| labels.find(label).is_some());
    let first = is_field.then(|| SheetRow {
        number: sheet.header_row,
        cells: sheet.header.iter().cloned().map(typed).collect(),
    });
    let mut laid = Sheet { header_row: 1, header: Vec::new(), rows: Vec::new(), ..sheet };
    let mut cells = Vec::new();
    for row in first.into_iter().chain(sheet.rows) {
        let mut row_cells = row.cells.into_iter();
        let label = row_cells.next().map_or_else(String::new, |cell| cell.text);
        laid.header.push(crate::value::trim(&label).to_owned());
        cells.push(row_cells.next().unwrap_or_else(|| typed(String::new())));
        laid.upright.push(row.number);
    }
    laid.rows.push(SheetRow { number: 2, cells });
    laid
}

/// Finds the delimiter of a row whose only cell is a whole header.
fn one_column(row: &SheetRow, labels: &Labels) -> Option<char> {
    let mut filled = row.cells.iter().filter(|cell| !is_blank(&cell.text));
    let (Some(cell), None) = (filled.next(), filled.next()) else { return None };
    [',', ';', '\t', '|'].into_iter().find(|delimiter| {
        let delimiter = *delimiter;
        cell.text.contains(delimiter)
            && labels.are_enough(cell.text.split(delimiter).map(|l| l.trim().trim_matches('"')))
    })
}

/// Says whether a row is a header but for the quotes around its labels.
fn is_single_quoted(row: &SheetRow, labels: &Labels) -> bool {
    let quotes = ['\'', '‘', '’'];
    let cells = || row.cells.iter().map(|cell| crate::value::trim(&cell.text));
    cells().all(|label| label.is_empty() || label.starts_with(quotes))
        && labels.are_enough(cells().map(|label| label.trim_matches(quotes)))
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
