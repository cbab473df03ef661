//! Rows as Arrow record batches (Arrow Columnar Format), and as a stream of them (IPC streaming format).

use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, Int64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_cast::cast;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::{Column, Opened, Rows, Type, Value, WriteRows, places, unwritable};
use crate::cli::Failure;

/// How many rows one batch holds at most.
pub(super) const BATCH: usize = 8_192;

pub(super) fn open(wanted: &[(&str, Type)], input: File) -> Result<Opened, Failure> {
    let batches = whole(|| StreamReader::try_new_buffered(input, None), unreadable)?;
    let schema = batches.schema();
    opened(wanted, &schema, batches, unreadable)
}

/// Reads what somebody else wrote: of a stream that is damaged the reader itself may panic.
pub(super) fn whole<T, E: Display>(
    read: impl FnOnce() -> Result<T, E>,
    unreadable: fn(&dyn Display) -> Failure,
) -> Result<T, Failure> {
    match panic::catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| unreadable(&error)),
        Err(_) => Err(unreadable(&"it is damaged")),
    }
}

fn unreadable(error: &dyn Display) -> Failure {
    Failure::new(format_args!("the rows cannot be read as an Arrow stream: {error}"))
        .remedy("hand them over in the IPC streaming format, whole and not compressed")
}

/// Finds columns in a schema, and refuses those of a type that is not read.
pub(super) fn opened(
    wanted: &[(&str, Type)],
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + 'static,
    unreadable: fn(&dyn Display) -> Failure,
) -> Result<Opened, Failure> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let places = places(wanted, &names)?;
    let mut columns = Vec::new();
    for ((name, kind), place) in wanted.iter().zip(&places) {
        if let Some(place) = *place {
            let found = schema.field(place).data_type();
            if !is_read(*kind, found) {
                return Err(Failure::new(format_args!(
                    "the column {name} is of the type {found}, and must be {}",
                    kind.told()
                ))
                .remedy(format_args!("cast it, as by CAST({name} AS {})", to_cast(*kind))));
            }
        }
        columns.push((*kind, *place));
    }
    let has = places.iter().map(Option::is_some).collect();
    let rows = Batches { source: batches, columns, cells: Vec::new(), at: 0, rows: 0, unreadable };
    Ok(Opened { rows: Box::new(rows), has, names: names.join(", ") })
}

fn to_cast(kind: Type) -> &'static str {
    if kind == Type::Int { "BIGINT" } else { "VARCHAR" }
}

/// Tells whether a column of Arrow can be read as what is asked for; one of nothing but nulls always can.
fn is_read(kind: Type, found: &DataType) -> bool {
    use DataType::{Date32, Dictionary, LargeUtf8, Null, Utf8, Utf8View};
    match found {
        Utf8 | LargeUtf8 | Utf8View | Null => true,
        Dictionary(_, values) => is_read(kind, values),
        Date32 => kind == Type::Value,
        whole => whole.is_integer() && kind != Type::Text,
    }
}

struct Batches<B> {
    source: B,
    columns: Vec<(Type, Option<usize>)>,
    cells: Vec<Cells>,
    at: usize,
    rows: usize,
    /// Says what could not be read.
    unreadable: fn(&dyn Display) -> Failure,
}

/// A column of the batch, as it was asked for.
enum Cells {
    None,
    Text(StringArray),
    Int(Int64Array),
}

impl Cells {
    fn of(kind: Type, array: &ArrayRef) -> Result<Self, ArrowError> {
        let to = if kind == Type::Int { DataType::Int64 } else { DataType::Utf8 };
        // What is no such value becomes null, and is told by its row.
        let array = if *array.data_type() == to { Arc::clone(array) } else { cast(array, &to)? };
        Ok(match kind {
            Type::Int => Self::Int(array.as_primitive::<Int64Type>().clone()),
            Type::Text | Type::Value => Self::Text(array.as_string::<i32>().clone()),
        })
    }
}

impl<B: Iterator<Item = Result<RecordBatch, ArrowError>>> Batches<B> {
    fn next_batch(&mut self) -> Result<bool, ArrowError> {
        let Some(batch) = self.source.next().transpose()? else { return Ok(false) };
        (self.at, self.rows) = (0, batch.num_rows());
        let cells = self.columns.iter().map(|(kind, place)| {
            place.map_or(Ok(Cells::None), |place| Cells::of(*kind, batch.column(place)))
        });
        self.cells = cells.collect::<Result<_, _>>()?;
        Ok(true)
    }
}

impl<B: Iterator<Item = Result<RecordBatch, ArrowError>>> Rows for Batches<B> {
    fn advance(&mut self) -> Result<bool, Failure> {
        self.at += 1;
        while self.at >= self.rows {
            let unreadable = self.unreadable;
            if !whole(|| self.next_batch(), unreadable)? {
                self.rows = 0;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn text(&self, column: usize) -> Option<&str> {
        match self.cells.get(column)? {
            Cells::Text(cells) if cells.is_valid(self.at) => Some(cells.value(self.at)),
            _ => None,
        }
        .filter(|text| !text.is_empty())
    }

    fn int(&self, column: usize) -> Option<i64> {
        match self.cells.get(column)? {
            Cells::Int(cells) if cells.is_valid(self.at) => Some(cells.value(self.at)),
            _ => None,
        }
    }
}

/// Where batches go.
pub(super) trait WriteBatches {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure>;
    fn finish(self) -> Result<(), Failure>;
}

impl<W: Write> WriteBatches for StreamWriter<BufWriter<W>> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        StreamWriter::write(self, batch).map_err(unwritable)
    }

    fn finish(mut self) -> Result<(), Failure> {
        StreamWriter::finish(&mut self).map_err(unwritable)?;
        self.get_mut().flush().map_err(unwritable)
    }
}

pub(super) struct ArrowWriter<B> {
    out: B,
    schema: Arc<Schema>,
    columns: Vec<Builder>,
}

enum Builder {
    Text(StringBuilder),
    Int(Int64Builder),
}

impl<W: Write> ArrowWriter<StreamWriter<BufWriter<W>>> {
    pub(super) fn stream(columns: &[Column], output: W) -> Result<Self, Failure> {
        Self::new(columns, |schema| {
            StreamWriter::try_new_buffered(output, schema).map_err(unwritable)
        })
    }
}

impl<B> ArrowWriter<B> {
    pub(super) fn new(
        columns: &[Column],
        begin: impl FnOnce(&Arc<Schema>) -> Result<B, Failure>,
    ) -> Result<Self, Failure> {
        let field = |column: &Column| match column.kind {
            Type::Text | Type::Value => Field::new(column.name, DataType::Utf8, true),
            Type::Int => Field::new(column.name, DataType::Int64, true),
        };
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let builder = |column: &Column| match column.kind {
            Type::Text | Type::Value => Builder::Text(StringBuilder::new()),
            Type::Int => Builder::Int(Int64Builder::new()),
        };
        let columns = columns.iter().map(builder).collect();
        Ok(Self { out: begin(&schema)?, schema, columns })
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| match column {
            Builder::Text(builder) => builder.len(),
            Builder::Int(builder) => builder.len(),
        })
    }
}

impl<B: WriteBatches> ArrowWriter<B> {
    fn flush(&mut self) -> Result<(), Failure> {
        let arrays: Vec<ArrayRef> = self
            .columns
            .iter_mut()
            .map(|column| match column {
                Builder::Text(builder) => Arc::new(builder.finish()) as ArrayRef,
                Builder::Int(builder) => Arc::new(builder.finish()),
            })
            .collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(unwritable)?;
        self.out.write(&batch)
    }
}

impl<B: WriteBatches> WriteRows for ArrowWriter<B> {
    fn write(&mut self, row: &[Value<'_>]) -> Result<(), Failure> {
        for (column, value) in self.columns.iter_mut().zip(row) {
            match (column, value) {
                (Builder::Text(builder), Value::Text(text)) => builder.append_value(text),
                (Builder::Text(builder), _) => builder.append_null(),
                (Builder::Int(builder), Value::Int(number)) => builder.append_value(*number),
                (Builder::Int(builder), _) => builder.append_null(),
            }
        }
        if self.rows() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        if self.rows() > 0 {
            self.flush()?;
        }
        self.out.finish()
    }
}
