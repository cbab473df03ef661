//! The reader: header, rows, refusals.

use std::fmt;
use std::io::Read;

use encoding_rs::WINDOWS_1252;

use super::columns::{ColumnMap, Encoding};
use super::decode::Decoded;
use super::error::TableError;
use super::header::{SEPARATORS, Wanted};
use super::lines::{Lines, Seen};
use super::record::{Cells, Found, NUL, TOO_LONG, UNCLOSED};
use super::report::{RefusedRow, TableReport};
use super::schema::TableSchema;
use crate::value::is_blank;

/// The most bytes of one row, the line breaks within its quotes included.
pub const MAX_ROW: usize = 1 << 20;

/// How many rows are looked through for a header that does not stand first.
const SEARCHED: usize = 20;

type Listener = Box<dyn FnMut(&RefusedRow) + Send>;

/// A table of outside rows, read row by row.
///
/// See the [module](super) for what it reads.
pub struct TableReader {
    lines: Lines,
    cells: Cells,
    separator: u8,
    encoding: Option<Encoding>,
    columns: Vec<String>,
    header: Vec<String>,
    /// The names of the columns as the file writes them.
    names: Vec<String>,
    places: Vec<Option<usize>>,
    width: usize,
    /// What was handed out last and is still in the window.
    pending: (usize, u64),
    /// Up to where a quote was open that is not closed.
    doubtful_until: u64,
    line: u64,
    report: TableReport,
    listener: Option<Listener>,
}

impl TableReader {
    /// Begins a table and reads its header; `name` is what messages call the file.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is no text, an empty one, and a header that lacks what the schema needs or
    /// names a column twice.
    pub fn new(
        name: impl Into<String>,
        file: impl Read + Send + 'static,
        schema: &TableSchema,
        map: &ColumnMap,
    ) -> Result<Self, TableError> {
        let name = name.into();
        let cannot = |source| TableError::Read { file: name.as_str().into(), source };
        let decoded = Decoded::new(Box::new(file)).map_err(cannot)?;
        let decoded =
            decoded.map_err(|kind| TableError::Foreign { file: name.as_str().into(), kind })?;
        let lines = Lines::new(decoded, MAX_ROW).map_err(cannot)?;
        let encoding = map.encoding(schema.name());
        let mut table = Self {
            cells: Cells::default(),
            separator: b',',
            encoding,
            columns: schema.columns().to_vec(),
            header: Vec::new(),
            names: Vec::new(),
            places: Vec::new(),
            width: 0,
            pending: (0, 0),
            doubtful_until: 0,
            line: 0,
            report: TableReport {
                file: name,
                encoding: lines.encoding().unwrap_or(match encoding {
                    Some(Encoding::Windows1252) => "Windows-1252",
                    _ => "UTF-8",
                }),
                ..TableReport::default()
            },
            lines,
            listener: None,
        };
        table.read_header(schema, map)?;
        Ok(table)
    }

    /// Hands every row that is refused from now on to `each`; without it the first ones are kept and the others
    /// counted.
    pub fn on_refused(&mut self, each: impl FnMut(&RefusedRow) + Send + 'static) {
        self.listener = Some(Box::new(each));
    }

    /// Reads on to the next row; broken ones in between are refused, blank ones are passed over.
    ///
    /// # Errors
    ///
    /// Only an error of the disk: it ends the table, for what follows is unknown.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, TableError> {
        while let Some(step) = self.advance()? {
            match step {
                Step::Row => return Ok(Some(Row { table: self })),
                Step::Blank => {}
                Step::Refused(why) => self.refuse_line(why),
            }
        }
        Ok(None)
    }

    /// Reads on as [`next_row`](Self::next_row) does, and stops at what is refused, too: for whoever has to keep a
    /// file as it is.
    ///
    /// # Errors
    ///
    /// Those of [`next_row`](Self::next_row).
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>, TableError> {
        while let Some(step) = self.advance()? {
            match step {
                Step::Row => return Ok(Some(Entry::Row(Row { table: self }))),
                Step::Blank => {}
                Step::Refused(why) => {
                    self.refuse_line(why);
                    let (bytes, _) = self.pending;
                    return Ok(Some(Entry::Refused(&self.lines.window()[..bytes])));
                }
            }
        }
        Ok(None)
    }

    fn refuse_line(&mut self, why: &'static str) {
        self.report.rows_read_total += 1;
        self.refuse(RefusedRow::new(self.line, None, why));
    }

    /// Returns the names of the file's columns: those of the table as the table calls them, others as they stand.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Counts and lists a row as refused, such as one that was read and makes no sense.
    pub fn refuse(&mut self, row: RefusedRow) {
        self.report.rows_refused_total += 1;
        if let Some(listener) = &mut self.listener {
            listener(&row);
        }
        if self.report.rows_refused_listed.len() < TableReport::LISTED {
            self.report.rows_refused_listed.push(row);
        }
    }

    /// Returns what became of the rows so far.
    #[must_use]
    pub fn report(&self) -> &TableReport {
        &self.report
    }

    /// Ends the table and sums it up.
    #[must_use]
    pub fn finish(self) -> TableReport {
        self.report
    }

    fn cannot(&self) -> impl FnOnce(std::io::Error) -> TableError + use<> {
        let file = self.report.file.as_str().into();
        |source| TableError::Read { file, source }
    }

    /// Goes on to what follows: a row, or why there is none.
    fn advance(&mut self) -> Result<Option<Step>, TableError> {
        let (bytes, lines) = std::mem::take(&mut self.pending);
        self.lines.advance(bytes, lines);
        self.line = self.lines.number;
        let found = self.cells.split(&mut self.lines, self.separator).map_err(self.cannot())?;
        let (bytes, lines) = match found {
            Found::End => return Ok(None),
            Found::TooLong => {
                self.lines.skip_line().map_err(self.cannot())?;
                return Ok(Some(Step::Refused(TOO_LONG)));
            }
            Found::Broken { why, bytes, lines, until } => {
                self.doubt(until);
                self.pending = (bytes, lines);
                return Ok(Some(Step::Refused(why)));
            }
            Found::Row { bytes, lines } => (bytes, lines),
        };
        let doubtful = self.lines.position < self.doubtful_until;
        let window = &self.lines.window()[..bytes];
        self.pending = (bytes, lines);
        if (0..self.cells.len()).all(|at| is_blank_cell(self.cells.get(window, at)))
            || (lines == 1 && is_no_row(window, self.separator))
        {
            return Ok(Some(Step::Blank));
        }
        let text = std::str::from_utf8(window);
        let mut guessed = false;
        let as_1252 = match self.encoding {
            _ if self.lines.encoding().is_some() => false,
            Some(Encoding::Windows1252) => !window.is_ascii(),
            Some(Encoding::Utf8) => false,
            None => text.is_err(),
        };
        if as_1252 {
            if !self.cells.decode(window, windows_1252) {
                return Ok(Some(Step::Refused(NEITHER)));
            }
            guessed = self.encoding.is_none();
        } else if text.is_err() {
            return Ok(Some(Step::Refused(NOT_UTF_8)));
        }
        // A header is not measured against itself.
        if self.width == 0 {
            return Ok(Some(Step::Row));
        }
        let window = &self.lines.window()[..bytes];
        let beyond = self.width..self.cells.len();
        let extra = beyond.into_iter().any(|at| !is_blank_cell(self.cells.get(window, at)));
        if extra && lines > 1 {
            // A quote that was left open ended at another value's quote.
            self.doubt(bytes);
            if let Seen::Line(line) = self.lines.line(0).map_err(self.cannot())? {
                self.pending = (line.next, 1);
            }
            return Ok(Some(Step::Refused(UNCLOSED)));
        }
        if extra {
            return Ok(Some(Step::Refused(TOO_WIDE)));
        }
        if self.cells.len() == 1 && self.width > 1 && self.is_row_in_one_cell() {
            return Ok(Some(Step::Refused(QUOTED_WHOLE)));
        }
        if self.repeats_header() {
            return Ok(Some(Step::Refused(HEADER_AGAIN)));
        }
        // Behind an open quote only what is surely a row is one.
        if doubtful && (self.cells.len() < self.width || self.cells.has_stray_quote()) {
            return Ok(Some(Step::Refused(PIECE)));
        }
        self.report.rows_read_total += 1;
        self.report.rows_short_total += u64::from(self.cells.len() < self.width);
        if guessed {
            self.report.rows_guessed_total += 1;
            self.report.rows_guessed_first.get_or_insert(self.line);
        }
        Ok(Some(Step::Row))
    }

    /// Says whether the only cell of a row holds a whole row.
    fn is_row_in_one_cell(&self) -> bool {
        let text = self.cell(0).bytes();
        text.filter(|byte| *byte == self.separator).count() + 1 >= self.width
    }

    /// Says whether a row names the columns once more, as where files were joined.
    fn repeats_header(&self) -> bool {
        let name = |at: usize| self.cell(at).trim_matches(is_edge);
        self.cells.len() >= self.width
            && self.names.iter().enumerate().all(|(at, known)| name(at) == known)
    }

    /// Notes that up to so many bytes further on a line may be a piece of a value.
    fn doubt(&mut self, bytes: usize) {
        let until = self.lines.position.saturating_add(bytes as u64);
        self.doubtful_until = self.doubtful_until.max(until);
    }

    fn read_header(&mut self, schema: &TableSchema, map: &ColumnMap) -> Result<(), TableError> {
        let wanted = Wanted::new(schema, map);
        self.take_program_line()?;
        // The first row that is not blank, by the separator that makes most sense of it.
        let mut broken = None;
        let mut best: Option<(usize, usize, u8, &'static str)> = None;
        loop {
            let mut blank = false;
            for (separator, name) in SEPARATORS {
                self.separator = separator;
                self.pending = (0, 0);
                match self.advance()? {
                    None => {
                        return Err(TableError::Empty {
                            file: self.report.file.as_str().into(),
                            columns: schema.columns().join(",").into(),
                        });
                    }
                    Some(Step::Row) => {
                        let cells = self.header_cells();
                        let known = wanted.recognised(cells.iter().map(String::as_str));
                        if best.is_none_or(|(most, width, ..)| (known, cells.len()) > (most, width))
                        {
                            best = Some((known, cells.len(), separator, name));
                        }
                    }
                    Some(Step::Blank) => blank = true,
                    Some(Step::Refused(why)) => broken = Some(why),
                }
            }
            // A line of separators is blank by one of them.
            if !blank {
                break;
            }
            best = None;
            let (bytes, lines) = std::mem::take(&mut self.pending);
            self.lines.advance(bytes, lines);
        }
        let Some((.., separator, name)) = best else {
            return Err(TableError::BrokenHeader {
                file: self.report.file.as_str().into(),
                line: self.line,
                problem: broken.unwrap_or(NUL),
            });
        };
        self.separator = separator;
        self.report.separator = name;
        self.pending = (0, 0);
        self.advance()?;
        let (cells, line) = (self.header_cells(), self.line);
        let further = self.header_further_down(&wanted, &cells)?;
        self.places = wanted.places(&cells, line, further, &mut self.report)?;
        // Columns without a name at the end are none.
        self.width = cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
        if is_padded(&cells[..self.width]) {
            self.cells.set_padded();
        }
        self.header = cells;
        self.header.truncate(self.width);
        self.names = self.header.iter().map(|name| name.trim_matches(is_edge).to_owned()).collect();
        for (column, place) in self.columns.iter().zip(&self.places) {
            if let Some(place) = *place {
                self.header[place].clone_from(column);
            }
        }
        Ok(())
    }

    /// Looks for the header below, where what stands first names no column at all.
    fn header_further_down(
        &mut self,
        wanted: &Wanted<'_>,
        first: &[String],
    ) -> Result<Option<u64>, TableError> {
        if wanted.recognised(first.iter().map(String::as_str)) > 0 || wanted.needs_nothing() {
            return Ok(None);
        }
        // The table is refused whatever is found, so nothing need be kept.
        for _ in 0..SEARCHED {
            let (bytes, lines) = std::mem::take(&mut self.pending);
            self.lines.advance(bytes, lines);
            for (separator, _) in SEPARATORS {
                self.separator = separator;
                self.pending = (0, 0);
                match self.advance()? {
                    Some(Step::Row) => {
                        let cells = self.header_cells();
                        if wanted.recognised(cells.iter().map(String::as_str)) > 1 {
                            return Ok(Some(self.line));
                        }
                    }
                    Some(Step::Blank | Step::Refused(_)) => {}
                    None => return Ok(None),
                }
            }
        }
        Ok(None)
    }

    /// Takes off what programs write above the header for one another: `sep=;` of spreadsheets, `#TYPE …` of `PowerShell`.
    fn take_program_line(&mut self) -> Result<(), TableError> {
        if let Seen::Line(line) = self.lines.line(0).map_err(self.cannot())? {
            let text = &self.lines.window()[line.begin..line.end];
            let text = text.trim_ascii();
            let text = text.strip_prefix(b"\"").unwrap_or(text);
            let begins = |mark: &[u8]| {
                text.get(..mark.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(mark))
            };
            if begins(b"sep=") || begins(b"#TYPE ") {
                self.lines.advance(line.next, 1);
            }
        }
        Ok(())
    }

    fn header_cells(&self) -> Vec<String> {
        let window = self.lines.window();
        let cells = 0..self.cells.len();
        cells.map(|at| String::from_utf8_lossy(self.cells.get(window, at)).into_owned()).collect()
    }

    fn cell(&self, at: usize) -> &str {
        let bytes = self.cells.get(self.lines.window(), at);
        std::str::from_utf8(bytes).expect("the whole row was checked, and cells are cut at ASCII")
    }
}

/// What stands next in a file.
enum Step {
    Row,
    Blank,
    Refused(&'static str),
}

const NOT_UTF_8: &str = "the text is not UTF-8; save the file as UTF-8";
const NEITHER: &str = "the text is neither UTF-8 nor Windows-1252; save the file as UTF-8";
const TOO_WIDE: &str = "the row has more cells than the header has names; put values that hold the separator into quotes, or name the column";
const QUOTED_WHOLE: &str =
    "the whole row stands in one pair of quotes; take these quotes away, or export the table again";
const HEADER_AGAIN: &str =
    "the row repeats the header, as where files were joined; delete the line";
const PIECE: &str =
    "a quote above is not closed, and this line may be a piece of that value; correct the quotes";

/// Decodes Windows-1252; nothing where a byte has no meaning in it.
fn windows_1252(bytes: &[u8]) -> Option<String> {
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    // What the encoding leaves open, the standard maps to controls that no text holds.
    let open = text.chars().any(|c| matches!(c, '\u{80}'..='\u{9f}'));
    (!open).then(|| text.into_owned())
}

/// Says whether a line is one that programs draw or write around rows: of dashes below a header (psql, sqlcmd, Markdown), a
/// count of the rows at the end (psql, sqlcmd, SQL*Plus), the mark of the end of a text of DOS.
fn is_no_row(line: &[u8], separator: u8) -> bool {
    let line = line.trim_ascii();
    match line {
        [b'-' | b'=' | b'+' | b'|' | b':', ..] => {
            let is_drawn = |byte: u8| {
                matches!(byte, b'-' | b'=' | b'+' | b'|' | b':' | b' ' | b'\t') || byte == separator
            };
            line.iter().all(|byte| is_drawn(*byte))
                && line.windows(2).any(|pair| matches!(pair, b"--" | b"=="))
        }
        [b'(' | b'0'..=b'9', ..] if line.len() < 60 => counts_rows(line),
        [0x1a] => true,
        _ => false,
    }
}

/// Says whether a line says how many rows there are: `(3 rows affected)`, `(3 filas)`, `3 rows selected.`
fn counts_rows(line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let text = text.strip_suffix('.').unwrap_or(text);
    let text = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    let Some((count, words)) = text.split_once(' ') else { return false };
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
    count.bytes().all(|byte| byte.is_ascii_digit())
        && words.split(' ').all(is_word)
        && ["row", "fila", "linha", "registro"].iter().any(|word| words.starts_with(word))
}

/// Says whether the names of a header are set apart by blanks, as in a table that is drawn; then the cells are, too.
fn is_padded(names: &[String]) -> bool {
    let padded = |names: &[String], is: fn(&str) -> bool| {
        !names.is_empty() && names.iter().all(|name| is_blank(name) || is(name))
    };
    let before = names.get(1..).unwrap_or_default();
    // One blank behind one name is a slip.
    let after = names.split_last().map_or(&[][..], |(_, names)| names);
    padded(before, |name| name.starts_with([' ', '\t']))
        || (after.len() > 1 && padded(after, |name| name.ends_with([' ', '\t'])))
}

/// What may stand around the name of a column.
fn is_edge(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

fn is_blank_cell(bytes: &[u8]) -> bool {
    bytes.is_empty() || std::str::from_utf8(bytes).is_ok_and(is_blank)
}

impl fmt::Debug for TableReader {
    /// Shows the place, never the content: it may identify persons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TableReader");
        shown.field("file", &self.report.file).field("line", &self.line).finish_non_exhaustive()
    }
}

/// The next row, or the next broken line, of a table.
#[derive(Debug)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// A row.
    Row(Row<'a>),
    /// Lines that were refused, as they stand; nothing where they are longer than a row may be.
    Refused(&'a [u8]),
}

/// One row, by column.
///
/// `Debug` shows its line alone.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    table: &'a TableReader,
}

impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("line", &self.line()).finish_non_exhaustive()
    }
}

impl<'a> Row<'a> {
    /// Returns the line of the file on which the row begins.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.table.line
    }

    /// Returns a column's text as it stands, byte for byte; a missing column is blank.
    ///
    /// # Panics
    ///
    /// When the schema has no column of this name.
    #[must_use]
    pub fn text(&self, column: &str) -> &'a str {
        let at = self.table.columns.iter().position(|name| name == column);
        self.at(at.expect("the caller asks for a column of its schema"))
    }

    /// Returns a column's text, or nothing where it is blank: empty, or blanks and invisible characters alone.
    ///
    /// # Panics
    ///
    /// When the schema has no column of this name.
    #[must_use]
    pub fn optional(&self, column: &str) -> Option<&'a str> {
        Some(self.text(column)).filter(|text| !is_blank(text))
    }

    /// Returns the texts of all columns, in the order of the schema.
    pub fn cells(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let row = *self;
        (0..row.table.columns.len()).map(move |at| row.at(at))
    }

    /// Returns the texts of all columns that the file has, in its own order; see [`TableReader::header`].
    pub fn all(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let table = self.table;
        (0..table.width).map(move |at| table.cell(at))
    }

    fn at(self, column: usize) -> &'a str {
        self.table.places[column].map_or("", |place| self.table.cell(place))
    }
}
