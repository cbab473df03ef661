//! Rows as CSV with a header (RFC 4180).

use std::fs::File;
use std::io::Write;

use csv::{ErrorKind, Position, Reader, StringRecord};

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

/// How many bytes wait before they are handed on.
const FULL: usize = 1 << 16;

/// Writes rows into one buffer. `keys` writes six rows for each record, so nothing is allocated for a cell, and a cell is looked
/// through once.
pub(super) struct CsvWriter<W: Write> {
    out: W,
    buffer: Vec<u8>,
}

impl<W: Write> CsvWriter<W> {
    pub(super) fn new(columns: &[Column], out: W) -> Result<Self, Failure> {
        let mut writer = Self { out, buffer: Vec::with_capacity(2 * FULL) };
        let header: Vec<_> = columns.iter().map(|column| Value::Text(column.name)).collect();
        writer.write(&header)?;
        Ok(writer)
    }

    fn hand_on(&mut self) -> Result<(), Failure> {
        self.out.write_all(&self.buffer).map_err(unwritable)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> WriteRows for CsvWriter<W> {
    fn write(&mut self, row: &[Value<'_>]) -> Result<(), Failure> {
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                self.buffer.push(b',');
            }
            match value {
                Value::Null => {}
                Value::Text(text) => put(&mut self.buffer, text),
                Value::Int(number) => {
                    self.buffer.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
                }
            }
        }
        self.buffer.push(b'\n');
        if self.buffer.len() >= FULL { self.hand_on() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        self.hand_on()?;
        self.out.flush().map_err(unwritable)
    }
}

/// Adds a cell, between quotation marks where it holds a mark, a comma or the end of a line; a mark within stands twice.
fn put(buffer: &mut Vec<u8>, text: &str) {
    // Without an early end, so that many bytes are compared at once.
    let plain =
        text.bytes().fold(true, |plain, byte| plain & !matches!(byte, b'"' | b',' | b'\n' | b'\r'));
    if plain {
        buffer.extend_from_slice(text.as_bytes());
        return;
    }
    buffer.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| byte == b'"') {
        let (part, after) = rest.split_at(at + 1);
        buffer.extend_from_slice(part);
        buffer.push(b'"');
        rest = after;
    }
    buffer.extend_from_slice(rest);
    buffer.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

    use super::*;
    use crate::at_scale::rows::KEYS;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn rows_are_the_bytes_that_the_library_writes_and_are_read_back(
            rows in prop::collection::vec(
                (prop::collection::vec("[a-z\"\"\\r\\n,;# ñ{}:]{0,12}|\\PC{0,8}", 8), any::<i64>()),
                0..20,
            )
        ) {
            let written = Shared::default();
            let mut ours = Box::new(CsvWriter::new(KEYS, written.clone()).unwrap());
            let mut library = csv::Writer::from_writer(Vec::new());
            library.write_record(KEYS.iter().map(|column| column.name)).unwrap();
            for (texts, number) in &rows {
                let number_text = number.to_string();
                let texts = texts.iter().map(String::as_str);
                let cell = |text| match text {
                    "" => Value::Null,
                    text => Value::Text(text),
                };
                let row: Vec<_> =
                    texts.clone().map(cell).chain([Value::Int(*number)]).collect();
                ours.write(&row).unwrap();
                library.write_record(texts.chain([number_text.as_str()])).unwrap();
            }
            ours.finish().unwrap();
            let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
            prop_assert_eq!(&written, &String::from_utf8(library.into_inner().unwrap()).unwrap());
            let mut reader = csv::Reader::from_reader(written.as_bytes());
            let read: Vec<StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), rows.len());
            for (read, (texts, number)) in read.iter().zip(&rows) {
                prop_assert!(read.iter().eq(texts.iter().map(String::as_str).chain([number.to_string().as_str()])));
            }
        }
    }
}
