//! The history beside a `metrics.csv`: what each load changed, one line of JSON per load.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RawRow;
use super::atomic::replace;
use super::error::CsvStoreError;
use crate::sink::{Act, HistoryEntry, LeftOutRecord};

/// What one load, or the undoing of one, changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Batch {
    /// The SHA-256 of the values before.
    pub(super) csv_before: String,
    /// The SHA-256 of the values after.
    pub(super) csv_after: String,
    /// Whether the values were yet to be replaced when this was written: only where a run was cut off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pending: bool,
    /// Every change of a value.
    pub(super) entries: Vec<HistoryEntry>,
    /// The rows that were replaced, as they stood, by metric key.
    pub(super) replaced: BTreeMap<String, RawRow>,
    /// What a partial load left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) left_out: Option<LeftOutRecord>,
}

impl Batch {
    /// Begins a change of the values that have this hash.
    pub(super) fn new(csv_before: &str) -> Self {
        Self {
            csv_before: csv_before.to_owned(),
            csv_after: String::new(),
            pending: true,
            entries: Vec::new(),
            replaced: BTreeMap::new(),
            left_out: None,
        }
    }
}

/// Every load that was made into a file of values.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    path: PathBuf,
    batches: Vec<Batch>,
    /// The mode of a new file.
    mode: u32,
    /// Whether the file still says of its last change that it is to come.
    undecided: bool,
}

impl History {
    /// Reads the history of a file of values whose content has this hash; `stands` says whether the
    /// values are as an entry left them.
    ///
    /// A change is written down before the values are replaced, and once more after. One that was cut off
    /// between was made if the values are those after it. Where somebody has changed them by hand since,
    /// it was made if they hold what it wrote. What was not made is left out.
    pub(super) fn open(
        csv: &Path,
        csv_now: &str,
        mode: u32,
        stands: impl Fn(&HistoryEntry) -> bool,
    ) -> Result<Self, CsvStoreError> {
        let mut path = csv.as_os_str().to_owned();
        path.push(".history.jsonl");
        let path = PathBuf::from(path);
        let mut batches: Vec<Batch> = Vec::new();
        if path.exists() {
            let text = std::fs::read_to_string(&path).map_err(CsvStoreError::io("read", &path))?;
            for (at, line) in text.lines().enumerate() {
                let batch = serde_json::from_str(line).map_err(|source| {
                    CsvStoreError::History { path: path.clone(), line: at + 1, source }
                })?;
                batches.push(batch);
            }
        }
        let mut undecided = false;
        if let Some(last) = batches.last_mut().filter(|last| last.pending) {
            undecided = true;
            let was_made = last.csv_after == csv_now
                || last.csv_before != csv_now && last.entries.iter().all(stands);
            last.pending = false;
            if !was_made {
                batches.pop();
            }
        }
        Ok(Self { path, batches, mode, undecided })
    }

    /// Writes down a change that is about to be made, with the hash that the values will have.
    pub(super) fn announce(
        &mut self,
        mut batch: Batch,
        csv_after: String,
    ) -> Result<(), CsvStoreError> {
        batch.csv_after = csv_after;
        self.batches.push(batch);
        self.write()
    }

    /// Writes down that the announced change was made.
    pub(super) fn settle(&mut self) -> Result<(), CsvStoreError> {
        if let Some(last) = self.batches.last_mut() {
            last.pending = false;
        }
        self.undecided = false;
        self.write()
    }

    /// Writes down what became of a change that was cut off, if there was one.
    pub(super) fn decide(&mut self) -> Result<(), CsvStoreError> {
        if self.undecided { self.settle() } else { Ok(()) }
    }

    fn write(&self) -> Result<(), CsvStoreError> {
        let mut bytes = Vec::new();
        for batch in &self.batches {
            serde_json::to_writer(&mut bytes, batch).expect("a batch is plain data");
            bytes.push(b'\n');
        }
        replace(&self.path, &bytes, self.mode)
    }

    /// Returns every change, oldest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = &HistoryEntry> {
        self.batches.iter().flat_map(|batch| &batch.entries)
    }

    /// Returns what partial loads left out, oldest first.
    pub(super) fn left_out(&self) -> impl DoubleEndedIterator<Item = &LeftOutRecord> {
        self.batches.iter().filter_map(|batch| batch.left_out.as_ref())
    }

    /// Returns the row that the last standing load of this id replaced, as it stood.
    pub(super) fn replaced(&self, load_id: &str, key: &str) -> Option<&RawRow> {
        self.batches.iter().rev().find_map(|batch| {
            let of_load = batch
                .entries
                .iter()
                .any(|entry| entry.act == Act::Load && entry.load_id.as_str() == load_id);
            if of_load { batch.replaced.get(key) } else { None }
        })
    }
}
