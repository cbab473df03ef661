//! Values in a CSV file: a metric store and a metric sink at once (feature `csv-store`).
//!
//! The file is replaced as a whole or left as it is, under a lock beside it (`….lock`); what each load changed stands in a
//! history beside it (`….history.jsonl`). Unknown columns and broken rows of the file stay as they are.

mod atomic;
mod error;
mod history;
mod sink;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use kpi_gap_queue::{
    GapPolicy, InMemoryMetrics, MetricQuery, MetricRef, MetricStore, ReportNames, StoreError,
};

pub use self::error::CsvStoreError;
use crate::digest::sha256;
use crate::load::KpiRow;
use crate::table::{ColumnMap, MetricRows, MetricTotals, RefusedRow};

/// Text by column.
type RawRow = BTreeMap<String, String>;

/// Takes the rows that are refused.
type OnRefused = Box<dyn FnMut(&RefusedRow) + Send>;

/// Options of reading and writing a file of values.
#[non_exhaustive]
pub struct CsvOptions {
    /// What the file calls its columns.
    pub columns: ColumnMap,
    /// What the policy calls the columns.
    pub names: ReportNames,
    /// The mode of a new file, on systems that have modes; one that is replaced keeps its own. Default: its owner's alone.
    pub mode: u32,
    on_refused: Option<OnRefused>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            columns: ColumnMap::default(),
            names: GapPolicy::default().names,
            mode: 0o600,
            on_refused: None,
        }
    }
}

impl CsvOptions {
    /// Sets what the file calls its columns.
    #[must_use]
    pub fn with_columns(mut self, columns: ColumnMap) -> Self {
        self.columns = columns;
        self
    }

    /// Sets what the policy calls the columns.
    #[must_use]
    pub fn with_names(mut self, names: ReportNames) -> Self {
        self.names = names;
        self
    }

    /// Sets the mode of a new file.
    #[must_use]
    pub fn with_mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Hands every row that is refused when the file is opened to `each`.
    #[must_use]
    pub fn with_refused(mut self, each: impl FnMut(&RefusedRow) + Send + 'static) -> Self {
        self.on_refused = Some(Box::new(each));
        self
    }

    /// The options for a file that was read before: what it refuses is told already.
    fn again(&self) -> Self {
        let (columns, names) = (self.columns.clone(), self.names.clone());
        Self { columns, names, mode: self.mode, on_refused: None }
    }
}

impl fmt::Debug for CsvOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvOptions").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// The values of a CSV file, and what was refused of it.
///
/// ```
/// use raw_packets::{CsvMetrics, CsvOptions};
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("metrics.csv");
/// std::fs::write(&file, "kpi_id,sanction_source_id,value\nkpi:a,es:town,0.5\n")?;
/// let values = CsvMetrics::open(&file, CsvOptions::default())?;
/// assert_eq!(values.reading().table.rows_read_total, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CsvMetrics {
    path: PathBuf,
    options: CsvOptions,
    bytes: Vec<u8>,
    sha256: String,
    metrics: InMemoryMetrics,
    /// The line of each value by its metric key.
    lines: BTreeMap<String, u64>,
    reading: MetricTotals,
}

impl CsvMetrics {
    /// Reads a file of values.
    ///
    /// # Errors
    ///
    /// A file that is missing or cannot be read, or has a wrong header.
    pub fn open(path: &Path, options: CsvOptions) -> Result<Self, CsvStoreError> {
        let bytes = std::fs::read(path).map_err(CsvStoreError::io("read", path))?;
        Self::read(path, bytes, options)
    }

    /// Reads a file of values, or begins one where there is none.
    ///
    /// # Errors
    ///
    /// As [`CsvMetrics::open`], but for a file that is missing.
    pub fn open_or_begin(path: &Path, options: CsvOptions) -> Result<Self, CsvStoreError> {
        if path.exists() {
            Self::open(path, options)
        } else {
            Self::read(path, Vec::new(), options)
        }
    }

    fn read(path: &Path, bytes: Vec<u8>, mut options: CsvOptions) -> Result<Self, CsvStoreError> {
        let mut metrics = InMemoryMetrics::new();
        let mut lines = BTreeMap::new();
        // A file that is yet to be has no header.
        let mut reading = MetricTotals::default();
        if path.exists() || !bytes.is_empty() {
            let file = std::io::Cursor::new(bytes.clone());
            let name = path.display().to_string();
            let mut rows = MetricRows::new(name, file, &options.names, &options.columns)?;
            if let Some(each) = options.on_refused.take() {
                rows.on_refused(each);
            }
            while let Some((line, metric)) = rows.next_metric()? {
                lines.insert(metric.key(), line);
                metrics.push(metric);
            }
            reading = rows.finish();
        }
        let table = &mut reading.table;
        table.columns_ignored.retain(|column| !KpiRow::PROVENANCE.contains(&column.as_str()));
        let sha256 = sha256(&bytes);
        Ok(Self { path: path.to_owned(), options, bytes, sha256, metrics, lines, reading })
    }

    fn options(&self) -> &CsvOptions {
        &self.options
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn sha256(&self) -> &str {
        &self.sha256
    }

    fn lines(&self) -> &BTreeMap<String, u64> {
        &self.lines
    }

    /// Returns the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns how the reading went.
    #[must_use]
    pub fn reading(&self) -> &MetricTotals {
        &self.reading
    }
}

impl MetricStore for CsvMetrics {
    fn push_metrics(
        &self,
        query: MetricQuery<'_>,
        sink: &mut dyn FnMut(MetricRef<'_>),
    ) -> Result<(), StoreError> {
        self.metrics.push_metrics(query, sink)
    }
}
