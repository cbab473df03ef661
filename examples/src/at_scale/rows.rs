//! Rows of fixed columns as a stream: CSV, or Arrow IPC with the feature `arrow`.

use std::io::{Read, Write};

use clap::ValueEnum;

use crate::cli::Failure;

/// One column of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Type,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Int,
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Type::Text }
}

const fn int(name: &'static str) -> Column {
    Column { name, kind: Type::Int }
}

/// What `keys` writes: for each record one row of part 0 that carries it sealed, and one of part 1 for each key.
pub const KEYS: &[Column] = &[
    text("record"),
    int("part"),
    text("kind"),
    text("form"),
    int("hi"),
    int("lo"),
    int("list_up_to"),
    text("sealed"),
    text("stamp"),
];

/// What `decide` reads, sorted by lead and part: the lead (part 0; `holders` says how many rows follow), the counts of
/// its keys (part 1), the persons that were joined (part 2).
pub const GROUPS: &[Column] = &[
    text("lead"),
    int("part"),
    int("hi"),
    int("lo"),
    int("holders"),
    text("person"),
    text("sealed"),
    text("stamp"),
];

/// What `decide` writes: a decision as `decisions.csv` holds it, and what it was made by.
pub const DECISIONS: &[Column] = &[
    text("source_pk"),
    text("status"),
    text("person_key"),
    text("match_rule"),
    text("confidence"),
    text("fail_reason"),
    text("evidence"),
    text("record_digest"),
    text("stamp"),
];

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// CSV with a header (RFC 4180).
    #[default]
    Csv,
    /// The streaming format of Arrow IPC; needs the feature `arrow`.
    Arrow,
}

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A text.
    Text(&'a str),
    /// A number.
    Int(i64),
}

impl<'a> Value<'a> {
    /// Returns the text, and nothing for a blank one.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        match self {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// Returns the number; a text of digits is one.
    #[must_use]
    pub fn int(self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Null => None,
        }
    }
}

/// Where rows come from.
pub trait Rows {
    /// Moves on to the next row; tells whether there is one.
    ///
    /// # Errors
    ///
    /// A stream that breaks off or holds no such row, named by the row's number.
    fn advance(&mut self) -> Result<bool, Failure>;

    /// Returns a value of the row by the position of its column; nothing where the stream has no such column.
    fn value(&self, column: usize) -> Value<'_>;
}

/// Reads rows of known columns; the stream may name them in any order, and more.
pub struct RowReader {
    rows: Box<dyn Rows>,
    columns: &'static [Column],
    row: u64,
}

impl std::fmt::Debug for RowReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowReader").field("row", &self.row).finish_non_exhaustive()
    }
}

impl RowReader {
    /// Reads the header of a stream; every column of `columns` must be there.
    ///
    /// # Errors
    ///
    /// A stream of another form, and columns that are missing, named.
    pub fn new(
        format: Format,
        columns: &'static [Column],
        input: impl Read + 'static,
    ) -> Result<Self, Failure> {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let (rows, places) = open(format, &names, input)?;
        let missing: Vec<&str> = names
            .iter()
            .zip(&places)
            .filter_map(|(name, place)| place.is_none().then_some(*name))
            .collect();
        if !missing.is_empty() {
            return Err(Failure::new(format_args!(
                "the rows lack the columns {}",
                missing.join(", ")
            ))
            .remedy("select the columns by these names, as the SQL beside this program does"));
        }
        Ok(Self { rows, columns, row: 0 })
    }

    /// Moves on to the next row; tells whether there is one.
    ///
    /// # Errors
    ///
    /// As [`Rows::advance`].
    pub fn advance(&mut self) -> Result<bool, Failure> {
        let found = self.rows.advance()?;
        self.row += u64::from(found);
        Ok(found)
    }

    /// Returns the number of the row, from 1; a header does not count.
    #[must_use]
    pub fn row(&self) -> u64 {
        self.row
    }

    /// Returns a value of the row.
    #[must_use]
    pub fn value(&self, name: &str) -> Value<'_> {
        let place = self.columns.iter().position(|column| column.name == name);
        place.map_or(Value::Null, |place| self.rows.value(place))
    }

    /// Returns a number of the row.
    ///
    /// # Errors
    ///
    /// A blank, or a text that is no number; named by row and column.
    pub fn int(&self, name: &str) -> Result<i64, Failure> {
        self.value(name).int().ok_or_else(|| {
            Failure::new(format_args!("row {}: `{name}` holds no whole number", self.row))
                .remedy("hand the column over as a 64-bit integer")
        })
    }
}

/// The rows of a stream, and the place of each column in it.
pub(super) type Opened = (Box<dyn Rows>, Vec<Option<usize>>);

/// Opens a stream and finds the columns by name; those that are not there have no place.
///
/// # Errors
///
/// A stream of another form.
pub(super) fn open(
    format: Format,
    names: &[&str],
    input: impl Read + 'static,
) -> Result<Opened, Failure> {
    match format {
        Format::Csv => {
            let (rows, places) = CsvRows::open(names, input)?;
            Ok((Box::new(rows), places))
        }
        #[cfg(feature = "arrow")]
        Format::Arrow => {
            let (rows, places) = super::rows_arrow::ArrowRows::open(names, input)?;
            Ok((Box::new(rows), places))
        }
        #[cfg(not(feature = "arrow"))]
        Format::Arrow => Err(no_arrow()),
    }
}

#[cfg(not(feature = "arrow"))]
fn no_arrow() -> Failure {
    Failure::new("this program was built without Arrow")
        .remedy("build it with --features arrow, or use --format csv")
}

struct CsvRows<R> {
    reader: csv::Reader<R>,
    record: csv::StringRecord,
    places: Vec<Option<usize>>,
}

impl<R: Read> CsvRows<R> {
    fn open(names: &[&str], input: R) -> Result<(Self, Vec<Option<usize>>), Failure> {
        let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(input);
        let header = reader.headers().map_err(|error| unreadable(&error))?;
        let places: Vec<Option<usize>> =
            names.iter().map(|name| header.iter().position(|column| column == *name)).collect();
        let rows = Self { reader, record: csv::StringRecord::new(), places: places.clone() };
        Ok((rows, places))
    }
}

impl<R: Read> Rows for CsvRows<R> {
    fn advance(&mut self) -> Result<bool, Failure> {
        self.reader.read_record(&mut self.record).map_err(|error| unreadable(&error))
    }

    fn value(&self, column: usize) -> Value<'_> {
        let place = self.places.get(column).copied().flatten();
        match place.and_then(|place| self.record.get(place)) {
            None | Some("") => Value::Null,
            Some(text) => Value::Text(text),
        }
    }
}

/// Tells where a stream of CSV cannot be read, without its values.
fn unreadable(error: &csv::Error) -> Failure {
    let line = error.position().map(csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::Io(error) => error.to_string(),
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!(
                "it has {len} cells and the header {expected_len}: the stream was cut short or mixed"
            )
        }
        _ => "it is no CSV".to_owned(),
    };
    match line {
        Some(line) => Failure::new(format_args!("line {line} of the rows cannot be read: {what}")),
        None => Failure::new(format_args!("the rows cannot be read: {what}")),
    }
}

/// Writes rows of known columns.
pub struct RowWriter(Box<dyn WriteRows>);

impl std::fmt::Debug for RowWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RowWriter").finish_non_exhaustive()
    }
}

/// Where rows go.
pub(super) trait WriteRows {
    fn write(&mut self, row: &[Value<'_>]) -> Result<(), Failure>;
    fn finish(&mut self) -> Result<(), Failure>;
}

impl RowWriter {
    /// Begins a stream with its header.
    ///
    /// # Errors
    ///
    /// An output that cannot be written.
    pub fn new(
        format: Format,
        columns: &'static [Column],
        output: impl Write + 'static,
    ) -> Result<Self, Failure> {
        match format {
            Format::Csv => {
                let mut out =
                    csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(output);
                out.write_record(columns.iter().map(|column| column.name))
                    .map_err(|error| unwritable(&error))?;
                Ok(Self(Box::new(CsvWriter(out))))
            }
            #[cfg(feature = "arrow")]
            Format::Arrow => {
                Ok(Self(Box::new(super::rows_arrow::ArrowWriter::new(columns, output)?)))
            }
            #[cfg(not(feature = "arrow"))]
            Format::Arrow => Err(no_arrow()),
        }
    }

    /// Writes one row: a value for each column, in their order.
    ///
    /// # Errors
    ///
    /// An output that cannot be written.
    pub fn write(&mut self, row: &[Value<'_>]) -> Result<(), Failure> {
        self.0.write(row)
    }

    /// Ends the stream.
    ///
    /// # Errors
    ///
    /// An output that cannot be written.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.0.finish()
    }
}

struct CsvWriter<W: Write>(csv::Writer<W>);

impl<W: Write> WriteRows for CsvWriter<W> {
    fn write(&mut self, row: &[Value<'_>]) -> Result<(), Failure> {
        for value in row {
            match value {
                Value::Null => self.0.write_field(""),
                Value::Text(text) => self.0.write_field(text),
                Value::Int(number) => self.0.write_field(number.to_string()),
            }
            .map_err(|error| unwritable(&error))?;
        }
        self.0.write_record(None::<&[u8]>).map_err(|error| unwritable(&error))
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.0.flush().map_err(|error| unwritable(&error.into()))
    }
}

fn unwritable(error: &csv::Error) -> Failure {
    let what = match error.kind() {
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => "the row is no CSV".to_owned(),
    };
    Failure::new(format_args!("the rows cannot be written: {what}"))
        .remedy("see why whoever reads them has ended")
}
