//! Rows as a file of Parquet.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use arrow_array::{RecordBatch, RecordBatchReader as _};
use parquet::arrow::ArrowWriter as FileWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::arrow::{ArrowWriter, BATCH, WriteBatches, opened, whole};
use super::{Column, Opened, Type, unwritable};
use crate::cli::Failure;

/// How many rows a group holds, which memory holds while they are written.
const GROUP: usize = 1 << 17;

pub(super) fn open(wanted: &[(&str, Type)], mut input: File) -> Result<Opened, Failure> {
    // Where its columns lie is written at a file's end, which a pipe has not yet.
    if !input.metadata().is_ok_and(|metadata| metadata.is_file())
        || input.seek(SeekFrom::Start(0)).is_err()
    {
        return Err(Failure::new("the rows come through a pipe, and Parquet is read from its end")
            .remedy("give a file as the standard input (< rows.parquet), or hand the rows over as CSV or an Arrow stream"));
    }
    let file = whole(|| ParquetRecordBatchReaderBuilder::try_new(input), unreadable)?;
    let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
    let listed = file.schema().fields().iter().enumerate();
    let listed = listed.filter(|(_, field)| names.contains(&field.name().as_str()));
    let mask = ProjectionMask::roots(file.parquet_schema(), listed.map(|(at, _)| at));
    let batches = whole(|| file.with_projection(mask).with_batch_size(BATCH).build(), unreadable)?;
    let schema = batches.schema();
    opened(wanted, &schema, batches, unreadable)
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format_args!("the rows cannot be read as Parquet: {error}"))
        .remedy("hand over one whole file, compressed by Snappy, LZ4 or Zstandard, or not at all")
}

impl<W: Write + Send> WriteBatches for FileWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        FileWriter::write(self, batch).map_err(unwritable)
    }

    fn finish(self) -> Result<(), Failure> {
        let mut out = self.into_inner().map_err(unwritable)?;
        out.flush().map_err(unwritable)
    }
}

pub(super) fn writer<W: Write + Send>(
    columns: &[Column],
    output: W,
) -> Result<ArrowWriter<FileWriter<W>>, Failure> {
    let options = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP))
        .build();
    ArrowWriter::new(columns, |schema| {
        FileWriter::try_new(output, std::sync::Arc::clone(schema), Some(options))
            .map_err(unwritable)
    })
}
