//! The values of a `metrics.csv`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use kpi_gap_queue::files::{FileProblem, MetricsSummary, read_metrics};
use kpi_gap_queue::{GapPolicy, InMemoryMetrics, MetricQuery, MetricRef, MetricStore, StoreError};
use serde::Serialize;

use crate::cli::{Console, Exit, Failure};
use crate::files;

/// How many refused rows are listed; all are counted.
const LISTED: usize = 20;

/// Holds the values of a CSV file, and what was refused of it.
#[derive(Debug)]
pub struct CsvMetrics {
    path: PathBuf,
    metrics: InMemoryMetrics,
    reading: Reading,
}

/// Tells how the reading of a file of values went.
#[derive(Debug, Clone, Serialize)]
pub struct Reading {
    /// The file as it was named.
    pub file: String,
    /// Rows and columns by what became of them.
    #[serde(flatten)]
    pub summary: MetricsSummary,
    /// The first refused rows.
    pub rows_refused_listed: Vec<FileProblem>,
}

impl CsvMetrics {
    /// Reads a file of values.
    ///
    /// # Errors
    ///
    /// A file that is missing or cannot be read, or has a wrong header.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        files::open(path)?.read_to_end(&mut bytes)?;
        let file = path.display().to_string();
        let mut metrics = InMemoryMetrics::new();
        let mut listed = Vec::new();
        let summary = read_metrics(
            &file,
            bytes.as_slice(),
            &GapPolicy::default().names,
            |_, metric| metrics.push(metric),
            |problem| {
                if listed.len() < LISTED {
                    listed.push(problem);
                }
            },
        )?;
        let reading = Reading { file, summary, rows_refused_listed: listed };
        Ok(Self { path: path.to_owned(), metrics, reading })
    }

    /// Returns the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns how the reading went.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        &self.reading
    }
}

impl Reading {
    /// Tells on stderr what was ignored, missing or refused.
    pub fn tell(&self, console: &Console) {
        let file = &self.file;
        let summary = &self.summary;
        if !summary.columns_ignored.is_empty() {
            let names = summary.columns_ignored.join(", ");
            console.note(format_args!("{file}: ignored unknown columns: {names}"));
        }
        if !summary.columns_missing.is_empty() {
            let names = summary.columns_missing.join(", ");
            console.note(format_args!("{file}: missing columns read as blank: {names}"));
        }
        if summary.rows_without_value_total > 0 {
            let rows = summary.rows_without_value_total;
            console.warn(format_args!("{file}: {rows} rows hold no value and count as none"));
        }
        for problem in &self.rows_refused_listed {
            console.warn(problem);
        }
        let unlisted = summary.rows_refused_total - self.rows_refused_listed.len() as u64;
        if unlisted > 0 {
            console.warn(format_args!("{file}: … and {unlisted} more refused rows"));
        }
    }

    /// Returns what the exit code must say of the file.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.summary.rows_refused_total == 0 { Exit::Done } else { Exit::RowsRefused }
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
