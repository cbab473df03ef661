//! The values of a `metrics.csv`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kpi_gap_queue::files::{FileProblem, MetricsSummary, read_metrics};
use kpi_gap_queue::{GapPolicy, InMemoryMetrics, MetricQuery, MetricRef, MetricStore, StoreError};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::raw_row::PROVENANCE;
use crate::cli::{Console, Exit, Failure};
use crate::files;

/// How many refused rows are listed; all are counted.
const LISTED: usize = 20;

/// Holds the values of a CSV file, and what was refused of it.
#[derive(Debug)]
pub struct CsvMetrics {
    path: PathBuf,
    bytes: Vec<u8>,
    sha256: String,
    metrics: InMemoryMetrics,
    /// The line of each value by its metric key.
    lines: BTreeMap<String, u64>,
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
        Self::read(path, bytes)
    }

    /// Reads a file of values, or begins one where there is none.
    ///
    /// # Errors
    ///
    /// As [`CsvMetrics::open`], but for a file that is missing.
    pub fn open_or_begin(path: &Path) -> Result<Self, Failure> {
        if path.exists() { Self::open(path) } else { Self::read(path, Vec::new()) }
    }

    pub(super) fn read(path: &Path, bytes: Vec<u8>) -> Result<Self, Failure> {
        let file = path.display().to_string();
        let names = GapPolicy::default().names;
        let mut metrics = InMemoryMetrics::new();
        let mut lines = BTreeMap::new();
        let mut listed = Vec::new();
        // A file that is yet to be has no header.
        let mut summary = MetricsSummary::default();
        if path.exists() || !bytes.is_empty() {
            summary = read_metrics(
                &file,
                bytes.as_slice(),
                &names,
                |line, metric| {
                    lines.insert(metric.key(), line);
                    metrics.push(metric);
                },
                |problem| {
                    if listed.len() < LISTED {
                        listed.push(problem);
                    }
                },
            )?;
        }
        summary.columns_ignored.retain(|column| !PROVENANCE.contains(&column.as_str()));
        let reading = Reading { file, summary, rows_refused_listed: listed };
        let sha256 = sha256(&bytes);
        Ok(Self { path: path.to_owned(), bytes, sha256, metrics, lines, reading })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }

    pub(super) fn lines(&self) -> &BTreeMap<String, u64> {
        &self.lines
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

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every write");
        text
    })
}

#[cfg(test)]
mod tests {
    use raw_packets::testing::{metric_sink_conformance, sample_load, sample_stamp};
    use raw_packets::{Effect, MetricSink as _, Run};

    use super::*;

    const KEY: &str = "kpi:a|es:sample|2024-01-01|year";

    fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        std::fs::write(&path, content).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_of_values_keeps_the_laws_of_a_sink() {
        let mut folders = Vec::new();
        metric_sink_conformance(|| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("metrics.csv");
            folders.push(folder);
            CsvMetrics::open_or_begin(&path).unwrap()
        });
    }

    #[test]
    fn a_load_keeps_unknown_columns_and_broken_rows_and_an_undoing_brings_the_row_back_as_it_was() {
        let before = "colour,kpi_id,sanction_source_id,period_date,period_granularity,value\n\
            red,kpi:a,es:sample,2024-01-01,year,0.5\n\
            blue,kpi:b,es:sample,01/01/2024,year,7\n\
            green\n";
        let (_folder, path) = file(before);
        let mut values = CsvMetrics::open(&path).unwrap();
        let load = sample_load(&[("kpi:a", 12), ("kpi:c", 3)]);
        let receipt = values.load(&load, Run::Commit).unwrap();
        assert_eq!(receipt.effects[KEY], Effect::Corrected);
        assert_eq!(receipt.count(Effect::Inserted), 1);

        let after = std::fs::read_to_string(&path).unwrap();
        assert!(after.contains("red,kpi:a,es:sample,2024-01-01,year,0.12,"), "{after}");
        assert!(after.contains("blue,kpi:b,es:sample,01/01/2024,year,7"), "{after}");
        assert!(after.contains("\ngreen\n"), "{after}");
        let again = CsvMetrics::open(&path).unwrap();
        assert_eq!(again.reading().summary.rows_refused_total, 2);
        assert_eq!(again.reading().summary.columns_ignored, ["colour"]);

        let undone = values.undo(load.id(), &sample_stamp()).unwrap();
        assert_eq!((undone.restored.len(), undone.removed.len()), (1, 1));
        let back = std::fs::read_to_string(&path).unwrap();
        assert!(back.contains("red,kpi:a,es:sample,2024-01-01,year,0.5,"), "{back}");
        assert!(!back.contains("kpi:c"), "{back}");
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_is_not_overwritten() {
        let (_folder, path) = file("sanction_source_id,kpi_id\n");
        let mut values = CsvMetrics::open(&path).unwrap();
        std::fs::write(&path, "sanction_source_id,kpi_id,value\ns,k,1\n").unwrap();
        let refused = values.load(&sample_load(&[("kpi:a", 12)]), Run::Commit).unwrap_err();
        let said = std::error::Error::source(&refused).unwrap().to_string();
        assert!(said.contains("changed since it was read"), "{said}");
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("s,k,1\n"));
    }

    /// Makes the last line of a history one that was written before the values were replaced.
    fn make_pending(csv: &Path) {
        let history = csv.with_file_name("metrics.csv.history.jsonl");
        let text = std::fs::read_to_string(&history).unwrap();
        let (before, last) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
        let last = last.replacen("\"entries\"", "\"pending\":true,\"entries\"", 1);
        std::fs::write(&history, format!("{before}\n{last}\n").trim_start()).unwrap();
    }

    #[test]
    fn a_load_that_was_cut_off_before_the_values_were_replaced_never_happened() {
        let (_folder, path) = file("sanction_source_id,kpi_id\n");
        let before = std::fs::read(&path).unwrap();
        let mut values = CsvMetrics::open(&path).unwrap();
        let load = sample_load(&[("kpi:a", 12)]);
        values.load(&load, Run::Commit).unwrap();
        // What lies there when the rename of the values never came; once as it was, once changed by hand.
        for by_hand in ["", "es:other,kpi:z\n"] {
            make_pending(&path);
            std::fs::write(&path, [before.as_slice(), by_hand.as_bytes()].concat()).unwrap();
            let mut values = CsvMetrics::open(&path).unwrap();
            assert_eq!(values.history(KEY).unwrap(), []);
            assert_eq!(values.load(&load, Run::Commit).unwrap().count(Effect::Inserted), 1);
            assert_eq!(values.history(KEY).unwrap().len(), 1, "the same load is not there twice");
        }
    }

    #[test]
    fn a_load_that_was_cut_off_after_the_values_were_replaced_happened_once() {
        let (_folder, path) = file("sanction_source_id,kpi_id\n");
        let mut values = CsvMetrics::open(&path).unwrap();
        let load = sample_load(&[("kpi:a", 12)]);
        values.load(&load, Run::Commit).unwrap();
        for by_hand in ["", "es:other,kpi:z,\n"] {
            make_pending(&path);
            let now = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, now + by_hand).unwrap();
            let mut values = CsvMetrics::open(&path).unwrap();
            assert_eq!(values.load(&load, Run::Commit).unwrap().count(Effect::Unchanged), 1);
            assert_eq!(values.history(KEY).unwrap().len(), 1);
        }
    }
}
