//! Tables from outside, the same for every runner: how they are opened, what is told of them, and where refused rows go.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use kpi_gap_queue::GapPolicy;
use raw_packets::table::{ColumnMap, TableError, TableReader, TableReport, TableSchema};
use raw_packets::{CsvOptions, CsvStoreError};

use crate::cli::{Console, Exit, Failure};
use crate::files::{self, AtomicFile};
use crate::progress::Bars;

/// The flags of runners that read tables.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct TableArgs {
    /// What your files call the columns: lines such as `phone = "Teléfono"`, below `[leads]`, `[persons]` … or above
    /// all of them.
    #[arg(long, value_name = "TOML")]
    pub columns: Option<PathBuf>,
    /// Writes every refused row: file, line, column and reason, never the value.
    #[arg(long, value_name = "CSV")]
    pub refused: Option<PathBuf>,
}

/// How a run reads tables, and where it writes what it refuses.
#[derive(Debug, Default)]
pub struct Tables {
    map: ColumnMap,
    bars: Bars,
    refused: Option<RefusedRows>,
}

impl TableArgs {
    /// Reads the map of columns and begins the file of refused rows; `bars` show how far a file is read.
    ///
    /// # Errors
    ///
    /// A map that cannot be read or names what no table has, a file that cannot be written.
    pub fn open(&self, bars: Bars) -> Result<Tables, Failure> {
        let map = self.columns.as_deref().map(read_map).transpose()?.unwrap_or_default();
        let refused = self.refused.as_deref().map(RefusedRows::create).transpose()?;
        Ok(Tables { map, bars, refused })
    }
}

fn read_map(path: &Path) -> Result<ColumnMap, Failure> {
    let text = files::text(path)?;
    let tables = [
        TableSchema::leads(),
        TableSchema::persons(),
        TableSchema::claims(),
        TableSchema::truth(),
        TableSchema::metrics(&GapPolicy::default().names),
    ];
    ColumnMap::from_toml(&text, &tables).map_err(|error| {
        Failure::new(format_args!("{}: {error}", path.display()))
            .remedy("write lines such as phone = \"Teléfono\", below [leads] or above all sections")
    })
}

impl Tables {
    /// Opens a table and reads its header.
    ///
    /// # Errors
    ///
    /// A missing or unreadable file, and a header without the columns that the table needs.
    pub fn read(&self, path: &Path, schema: &TableSchema) -> Result<TableReader, Failure> {
        let file = self.bars.reading(files::open(path)?, "reading");
        self.read_from(&path.display().to_string(), file, schema)
    }

    /// Opens a table that is no file of its own, such as standard input, and reads its header.
    ///
    /// # Errors
    ///
    /// As [`Tables::read`].
    pub fn read_from(
        &self,
        name: &str,
        input: impl std::io::Read + Send + 'static,
        schema: &TableSchema,
    ) -> Result<TableReader, Failure> {
        let mut table = TableReader::new(name, input, schema, &self.map).map_err(failed)?;
        if let Some(rows) = self.refused.clone() {
            let file = name.to_owned();
            table.on_refused(move |row| {
                rows.write(&file, row.line, row.column.as_deref(), &row.reason);
            });
        }
        Ok(table)
    }

    /// Returns how a file of values is read and written: by the map of columns, what it refuses into the file of refused rows.
    #[must_use]
    pub fn values_options(&self, path: &Path) -> CsvOptions {
        let options = CsvOptions::default().with_columns(self.map.clone()).with_mode(files::mode());
        let Some(refused) = self.refused.clone() else { return options };
        let file = path.display().to_string();
        options.with_refused(move |row| {
            refused.write(&file, row.line, row.column.as_deref(), &row.reason);
        })
    }

    /// Reads a table that was read before: what it refuses is written already.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { map: self.map.clone(), bars: self.bars, refused: None }
    }

    /// Puts the file of refused rows in its place; every table must be finished.
    ///
    /// # Errors
    ///
    /// The disk's.
    pub fn finish(self) -> Result<(), Failure> {
        self.refused.map_or(Ok(()), RefusedRows::commit)
    }
}

/// The file of refused rows.
#[derive(Clone, Debug)]
struct RefusedRows(Arc<Mutex<Written>>);

#[derive(Debug)]
struct Written {
    out: csv::Writer<AtomicFile>,
    /// The first error; the rows after it are not written.
    failed: Option<csv::Error>,
}

impl RefusedRows {
    fn create(path: &Path) -> Result<Self, Failure> {
        let mut out = csv::Writer::from_writer(AtomicFile::create(path)?);
        out.write_record(["file", "line", "column", "reason"])?;
        Ok(Self(Arc::new(Mutex::new(Written { out, failed: None }))))
    }

    fn write(&self, file: &str, line: u64, column: Option<&str>, reason: &str) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.failed.is_none() {
            let line = line.to_string();
            let row = [file, &line, column.unwrap_or_default(), reason].map(files::cell);
            written.failed = written.out.write_record(row).err();
        }
    }

    fn commit(self) -> Result<(), Failure> {
        let written = Arc::into_inner(self.0)
            .ok_or_else(|| Failure::new("refused rows: a table is still being read"))?
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = written.failed {
            return Err(Failure::from(error));
        }
        written.out.into_inner().map_err(|error| Failure::new(error.error()))?.commit()
    }
}

/// Returns why a file of values cannot be read, with what to do.
#[must_use]
pub fn unread(error: CsvStoreError) -> Failure {
    let remedy = error.remedy();
    Failure::from(error).remedy(remedy)
}

/// Returns why a table cannot be read, with what to do.
#[must_use]
pub fn failed(error: TableError) -> Failure {
    let remedy = error.remedy();
    Failure::from(error).remedy(remedy)
}

/// Tells on stderr how a table was read, what of it was ignored, and what was refused, line by line.
pub fn tell(report: &TableReport, console: &Console) {
    report.notes().iter().for_each(|note| console.note(note));
    report.warnings().iter().for_each(|warning| console.warn(warning));
}

/// Returns what the exit code must say of a table.
#[must_use]
pub fn exit(report: &TableReport) -> Exit {
    if report.is_clean() { Exit::Done } else { Exit::RowsRefused }
}
