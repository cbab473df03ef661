//! Rows as CSV with a header (RFC 4180).

use std::fs::File;
use std::io::Write;

use csv::{ErrorKind, Position, Reader, StringRecord, Writer};

use super::{Column, Opened, Rows, Type, Value, WriteRows, places, unwritable};
use crate::cli::Failure;

struct CsvRows {
    reader: Reader<File>,
    record: StringRecord,
    places: Vec<Option<usize>>,
}

pub(super) fn open(wanted: &[(&str, Type)], input: File) -> Result<Opened, Failure> {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(input);
    let header = reader.headers().map_err(|error| unreadable(&error))?;
    let names: Vec<&str> = header.iter().collect();
    let places = places(wanted, &names)?;
    let (has, names) = (places.iter().map(Option::is_some).collect(), names.join(", "));
    let rows = Box::new(CsvRows { reader, record: StringRecord::new(), places });
    Ok(Opened { rows, has, names })
}

impl Rows for CsvRows {
    fn advance(&mut self) -> Result<bool, Failure> {
        self.reader.read_record(&mut self.record).map_err(|error| unreadable(&error))
    }

    fn text(&self, column: usize) -> Option<&str> {
        let place = self.places.get(column).copied().flatten()?;
        self.record.get(place).filter(|text| !text.is_empty())
    }

    fn int(&self, column: usize) -> Option<i64> {
        self.text(column)?.trim().parse().ok()
    }
}

/// Tells where a stream of CSV cannot be read, without its values.
fn unreadable(error: &csv::Error) -> Failure {
    let line = error.position().map(Position::line);
    let what = match error.kind() {
        ErrorKind::Io(error) => error.to_string(),
        ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
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

pub(super) struct CsvWriter<W: Write>(Writer<W>);

impl<W: Write> CsvWriter<W> {
    pub(super) fn new(columns: &[Column], output: W) -> Result<Self, Failure> {
        let mut out = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(output);
        let header = columns.iter().map(|column| column.name);
        out.write_record(header).map_err(|error| lost(&error))?;
        Ok(Self(out))
    }
}

impl<W: Write> WriteRows for CsvWriter<W> {
    fn write(&mut self, row: &[Value<'_>]) -> Result<(), Failure> {
        for value in row {
            match value {
                Value::Null => self.0.write_field(""),
                Value::Text(text) => self.0.write_field(text),
                Value::Int(number) => self.0.write_field(number.to_string()),
            }
            .map_err(|error| lost(&error))?;
        }
        self.0.write_record(None::<&[u8]>).map_err(|error| lost(&error))
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        self.0.flush().map_err(unwritable)
    }
}

fn lost(error: &csv::Error) -> Failure {
    match error.kind() {
        ErrorKind::Io(error) => unwritable(error),
        _ => unwritable("the row is no CSV"),
    }
}
