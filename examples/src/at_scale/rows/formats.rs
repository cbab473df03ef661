//! Rows opened and begun in the format that is asked for.

use std::fs::File;
use std::io::Write;

#[cfg(feature = "arrow")]
use super::arrow;
use super::csv;
#[cfg(feature = "parquet")]
use super::parquet;
use super::{Column, Format, Opened, Type, Value, WriteRows};
use crate::cli::Failure;

/// Opens a stream and finds columns by name.
///
/// # Errors
///
/// A stream of another form, a column that it has twice, and one of a type that is not read; named.
pub(in crate::at_scale) fn open(
    format: Format,
    wanted: &[(&str, Type)],
    input: File,
) -> Result<Opened, Failure> {
    match format {
        Format::Csv => csv::open(wanted, input),
        #[cfg(feature = "arrow")]
        Format::Arrow => arrow::open(wanted, input),
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::open(wanted, input),
        #[cfg(not(feature = "parquet"))]
        other => Err(not_built(other)),
    }
}

#[cfg(not(feature = "parquet"))]
fn not_built(format: Format) -> Failure {
    let feature = if format == Format::Arrow { "arrow" } else { "parquet" };
    Failure::new(format_args!("this program was built without the feature `{feature}`"))
        .remedy(format_args!("build it with --features {feature}, or use --format csv"))
}

/// Writes rows of known columns.
pub struct RowWriter(Box<dyn WriteRows>);

impl std::fmt::Debug for RowWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RowWriter").finish_non_exhaustive()
    }
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
        output: impl Write + Send + 'static,
    ) -> Result<Self, Failure> {
        Ok(Self(match format {
            Format::Csv => Box::new(csv::CsvWriter::new(columns, output)?),
            #[cfg(feature = "arrow")]
            Format::Arrow => Box::new(arrow::ArrowWriter::stream(columns, output)?),
            #[cfg(feature = "parquet")]
            Format::Parquet => Box::new(parquet::writer(columns, output)?),
            #[cfg(not(feature = "parquet"))]
            other => return Err(not_built(other)),
        }))
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
    pub fn finish(self) -> Result<(), Failure> {
        self.0.finish()
    }
}
