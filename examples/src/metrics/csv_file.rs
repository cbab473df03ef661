//! The values of a `metrics.csv`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kpi_gap_queue::{InMemoryMetrics, MetricQuery, MetricRef, MetricStore, StoreError};
use raw_packets::table::MetricTotals;
use sha2::{Digest as _, Sha256};

use super::raw_row::PROVENANCE;
use crate::cli::{Console, Exit, Failure};
use crate::files;
use crate::tables::{self, Tables, failed};

/// Holds the values of a CSV file, and what was refused of it.
#[derive(Debug)]
pub struct CsvMetrics {
    path: PathBuf,
    tables: Tables,
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
    pub fn open(tables: &Tables, path: &Path) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        files::open(path)?.read_to_end(&mut bytes)?;
        Self::read(tables, path, bytes)
    }

    /// Reads a file of values, or begins one where there is none.
    ///
    /// # Errors
    ///
    /// As [`CsvMetrics::open`], but for a file that is missing.
    pub fn open_or_begin(tables: &Tables, path: &Path) -> Result<Self, Failure> {
        if path.exists() { Self::open(tables, path) } else { Self::read(tables, path, Vec::new()) }
    }

    pub(super) fn read(tables: &Tables, path: &Path, bytes: Vec<u8>) -> Result<Self, Failure> {
        let mut metrics = InMemoryMetrics::new();
        let mut lines = BTreeMap::new();
        // A file that is yet to be has no header.
        let mut reading = MetricTotals::default();
        if path.exists() || !bytes.is_empty() {
            let mut rows = tables.read_metrics(path, bytes.clone())?;
            while let Some((line, metric)) = rows.next_metric().map_err(failed)? {
                lines.insert(metric.key(), line);
                metrics.push(metric);
            }
            reading = rows.finish();
        }
        let table = &mut reading.table;
        table.columns_ignored.retain(|column| !PROVENANCE.contains(&column.as_str()));
        let (tables, sha256) = (tables.again(), sha256(&bytes));
        Ok(Self { path: path.to_owned(), tables, bytes, sha256, metrics, lines, reading })
    }

    /// How the file was read, and is to be read again.
    pub(super) fn tables(&self) -> &Tables {
        &self.tables
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
    pub fn reading(&self) -> &MetricTotals {
        &self.reading
    }

    /// Tells on stderr what was ignored, missing or refused.
    pub fn tell(&self, console: &Console) {
        tables::tell(&self.reading.table, console);
        let rows = self.reading.rows_without_value_total;
        if rows > 0 {
            let file = self.path.display();
            console.warn(format_args!("{file}: {rows} rows hold no value and count as none"));
        }
    }

    /// Returns what the exit code must say of the file.
    #[must_use]
    pub fn exit(&self) -> Exit {
        tables::exit(&self.reading.table)
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
            CsvMetrics::open_or_begin(&Tables::default(), &path).unwrap()
        });
    }

    #[test]
    fn a_load_keeps_unknown_columns_and_broken_rows_and_an_undoing_brings_the_row_back_as_it_was() {
        let before = "colour,kpi_id,sanction_source_id,period_date,period_granularity,value\n\
            red,kpi:a,es:sample,2024-01-01,year,0.5\n\
            blue,kpi:b,es:sample,01/01/2024,year,7\n\
            green\n";
        let (_folder, path) = file(before);
        let mut values = CsvMetrics::open(&Tables::default(), &path).unwrap();
        let load = sample_load(&[("kpi:a", 12), ("kpi:c", 3)]);
        let receipt = values.load(&load, Run::Commit).unwrap();
        assert_eq!(receipt.effects[KEY], Effect::Corrected);
        assert_eq!(receipt.count(Effect::Inserted), 1);

        let after = std::fs::read_to_string(&path).unwrap();
        assert!(after.contains("red,kpi:a,es:sample,2024-01-01,year,0.12,"), "{after}");
        assert!(after.contains("blue,kpi:b,es:sample,01/01/2024,year,7"), "{after}");
        assert!(after.contains("\ngreen,,,"), "{after}");
        let again = CsvMetrics::open(&Tables::default(), &path).unwrap();
        assert_eq!(again.reading().table.rows_refused_total, 2);
        assert_eq!(again.reading().table.columns_ignored, ["colour"]);

        let undone = values.undo(load.id(), &sample_stamp()).unwrap();
        assert_eq!((undone.restored.len(), undone.removed.len()), (1, 1));
        let back = std::fs::read_to_string(&path).unwrap();
        assert!(back.contains("red,kpi:a,es:sample,2024-01-01,year,0.5,"), "{back}");
        assert!(!back.contains("kpi:c"), "{back}");
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_is_not_overwritten() {
        let (_folder, path) = file("sanction_source_id,kpi_id\n");
        let mut values = CsvMetrics::open(&Tables::default(), &path).unwrap();
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
        let mut values = CsvMetrics::open(&Tables::default(), &path).unwrap();
        let load = sample_load(&[("kpi:a", 12)]);
        values.load(&load, Run::Commit).unwrap();
        // What lies there when the rename of the values never came; once as it was, once changed by hand.
        for by_hand in ["", "es:other,kpi:z\n"] {
            make_pending(&path);
            std::fs::write(&path, [before.as_slice(), by_hand.as_bytes()].concat()).unwrap();
            let mut values = CsvMetrics::open(&Tables::default(), &path).unwrap();
            assert_eq!(values.history(KEY).unwrap(), []);
            assert_eq!(values.load(&load, Run::Commit).unwrap().count(Effect::Inserted), 1);
            assert_eq!(values.history(KEY).unwrap().len(), 1, "the same load is not there twice");
        }
    }

    #[test]
    fn a_load_that_was_cut_off_after_the_values_were_replaced_happened_once() {
        let (_folder, path) = file("sanction_source_id,kpi_id\n");
        let mut values = CsvMetrics::open(&Tables::default(), &path).unwrap();
        let load = sample_load(&[("kpi:a", 12)]);
        values.load(&load, Run::Commit).unwrap();
        for by_hand in ["", "es:other,kpi:z,\n"] {
            make_pending(&path);
            let now = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, now + by_hand).unwrap();
            let mut values = CsvMetrics::open(&Tables::default(), &path).unwrap();
            assert_eq!(values.load(&load, Run::Commit).unwrap().count(Effect::Unchanged), 1);
            assert_eq!(values.history(KEY).unwrap().len(), 1);
        }
    }
}
