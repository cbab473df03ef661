//! Rows as a stream of Arrow record batches (Arrow Columnar Format, IPC streaming format).

use std::io::{BufReader, BufWriter, Read, Write};
use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, Int64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::rows::{Column, Rows, Type, Value, WriteRows};
use crate::cli::Failure;

/// How many rows one batch holds at most.
const BATCH: usize = 8_192;

pub(super) struct ArrowRows<R: Read> {
    reader: StreamReader<BufReader<R>>,
    batch: Option<RecordBatch>,
    at: usize,
    places: Vec<Option<usize>>,
}

impl<R: Read> ArrowRows<R> {
    pub(super) fn open(names: &[&str], input: R) -> Result<(Self, Vec<Option<usize>>), Failure> {
        let reader =
            StreamReader::try_new_buffered(input, None).map_err(|error| unreadable(&error))?;
        let schema = reader.schema();
        let places: Vec<Option<usize>> = names
            .iter()
            .map(|name| schema.fields().iter().position(|field| field.name() == name))
            .collect();
        for place in places.iter().flatten() {
            let field = schema.field(*place);
            let known = [
                DataType::Utf8,
                DataType::LargeUtf8,
                DataType::Utf8View,
                DataType::Int32,
                DataType::Int64,
                DataType::Null,
            ];
            if !known.contains(field.data_type()) {
                return Err(Failure::new(format_args!(
                    "the column {} is of type {}, which is neither text nor a whole number",
                    field.name(),
                    field.data_type()
                ))
                .remedy("cast it to a string or to a 64-bit integer"));
            }
        }
        Ok((Self { reader, batch: None, at: 0, places: places.clone() }, places))
    }
}

impl<R: Read> Rows for ArrowRows<R> {
    fn advance(&mut self) -> Result<bool, Failure> {
        self.at += 1;
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.num_rows()) {
            self.at = 0;
            self.batch = self.reader.next().transpose().map_err(|error| unreadable(&error))?;
            if self.batch.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn value(&self, column: usize) -> Value<'_> {
        let (Some(batch), Some(&Some(place))) = (&self.batch, self.places.get(column)) else {
            return Value::Null;
        };
        let array = batch.column(place);
        if array.is_null(self.at) {
            return Value::Null;
        }
        match array.data_type() {
            DataType::Utf8 => Value::Text(array.as_string::<i32>().value(self.at)),
            DataType::LargeUtf8 => Value::Text(array.as_string::<i64>().value(self.at)),
            DataType::Utf8View => Value::Text(array.as_string_view().value(self.at)),
            DataType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(self.at).into()),
            DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(self.at)),
            _ => Value::Null,
        }
    }
}

fn unreadable(error: &ArrowError) -> Failure {
    Failure::new(format_args!("the rows cannot be read as an Arrow stream: {error}"))
        .remedy("hand them over in the IPC streaming format, whole")
}

pub(super) struct ArrowWriter<W: Write> {
    out: StreamWriter<BufWriter<W>>,
    schema: Arc<Schema>,
    columns: Vec<Builder>,
}

enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
}

impl<W: Write> ArrowWriter<W> {
    pub(super) fn new(columns: &[Column], output: W) -> Result<Self, Failure> {
        let field = |column: &Column| match column.kind {
            Type::Text => Field::new(column.name, DataType::Utf8, true),
            Type::Int => Field::new(column.name, DataType::Int64, true),
        };
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let out = StreamWriter::try_new_buffered(output, &schema).map_err(|e| unwritable(&e))?;
        let builder = |column: &Column| match column.kind {
            Type::Text => Builder::Text(StringBuilder::new()),
            Type::Int => Builder::Int(Int64Builder::new()),
        };
        Ok(Self { out, schema, columns: columns.iter().map(builder).collect() })
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let arrays: Vec<ArrayRef> = self
            .columns
            .iter_mut()
            .map(|column| match column {
                Builder::Text(builder) => Arc::new(builder.finish()) as ArrayRef,
                Builder::Int(builder) => Arc::new(builder.finish()),
            })
            .collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        batch.and_then(|batch| self.out.write(&batch)).map_err(|error| unwritable(&error))
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| match column {
            Builder::Text(builder) => builder.len(),
            Builder::Int(builder) => builder.len(),
        })
    }
}

impl<W: Write> WriteRows for ArrowWriter<W> {
    fn write(&mut self, row: &[Value<'_>]) -> Result<(), Failure> {
        for (column, value) in self.columns.iter_mut().zip(row) {
            match column {
                Builder::Text(builder) => builder.append_option(value.text()),
                Builder::Int(builder) => builder.append_option(value.int()),
            }
        }
        if self.rows() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        if self.rows() > 0 {
            self.flush()?;
        }
        self.out.finish().map_err(|error| unwritable(&error))?;
        self.out.get_mut().flush().map_err(|error| unwritable(&error.into()))
    }
}

fn unwritable(error: &ArrowError) -> Failure {
    Failure::new(format_args!("the rows cannot be written: {error}"))
        .remedy("see why whoever reads them has ended")
}
