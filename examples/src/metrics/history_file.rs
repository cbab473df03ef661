//! The history beside a `metrics.csv`: what each load changed, one line of JSON per load.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use raw_packets::HistoryEntry;
use serde::{Deserialize, Serialize};

use super::raw_row::RawRow;
use crate::cli::Failure;
use crate::files;

/// What one load, or the undoing of one, changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Batch {
    /// The SHA-256 of the values before.
    pub(super) csv_before: String,
    /// The SHA-256 of the values after: the change counts once the file with it is in its place.
    pub(super) csv_after: String,
    /// Every change of a value.
    pub(super) entries: Vec<HistoryEntry>,
    /// The rows that were replaced, as they stood, by metric key.
    pub(super) replaced: BTreeMap<String, RawRow>,
}

/// Every load that was made into a file of values.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    path: PathBuf,
    pub(super) batches: Vec<Batch>,
}

impl History {
    /// Reads the history of a file of values whose content has this hash.
    ///
    /// The history is written before the values, so that its last change may never have come to pass; it
    /// is left out then.
    pub(super) fn open(csv: &Path, csv_now: &str) -> Result<Self, Failure> {
        let mut path = csv.as_os_str().to_owned();
        path.push(".history.jsonl");
        let path = PathBuf::from(path);
        let mut batches = Vec::new();
        if path.exists() {
            let text = std::io::read_to_string(files::open(&path)?)?;
            for (at, line) in text.lines().enumerate() {
                let batch: Batch = serde_json::from_str(line).map_err(|error| {
                    Failure::new(format_args!("{}: line {}: {error}", path.display(), at + 1))
                        .remedy("restore the file from a copy, or move it away to begin anew")
                })?;
                batches.push(batch);
            }
        }
        let came_to_pass =
            |batch: &Batch| batch.csv_before != csv_now || batch.csv_after == csv_now;
        if batches.last().is_some_and(|batch| !came_to_pass(batch)) {
            batches.pop();
        }
        Ok(Self { path, batches })
    }

    /// Adds a change and writes the history.
    pub(super) fn push(&mut self, batch: Batch) -> Result<(), Failure> {
        self.batches.push(batch);
        files::write_with(&self.path, |file| {
            for batch in &self.batches {
                serde_json::to_writer(&mut *file, batch)?;
                std::io::Write::write_all(file, b"\n")?;
            }
            Ok(())
        })
    }

    /// Returns every change, oldest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = &HistoryEntry> {
        self.batches.iter().flat_map(|batch| &batch.entries)
    }

    /// Returns the row that the last standing load of this id replaced, as it stood.
    pub(super) fn replaced(&self, load_id: &str, key: &str) -> Option<&RawRow> {
        self.batches.iter().rev().find_map(|batch| {
            let of_load = batch.entries.iter().any(|entry| {
                entry.act == raw_packets::Act::Load && entry.load_id.as_str() == load_id
            });
            if of_load { batch.replaced.get(key) } else { None }
        })
    }
}
