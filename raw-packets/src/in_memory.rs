//! A place in memory to load into, for tests and dry runs.

use std::collections::BTreeMap;

use crate::load::{KpiRow, Load, LoadId, LoadStamp};
use crate::metric_table::{MetricChange, MetricChanges, MetricTable, load_into, undo_in};
use crate::sink::{
    HistoryEntry, LeftOutRecord, LoadReceipt, MetricSink, Run, SinkError, UndoReceipt,
};

/// A sink that keeps values and their history in memory, for tests and for data that need not last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InMemorySink {
    rows: BTreeMap<String, KpiRow>,
    history: Vec<HistoryEntry>,
    left_out: Vec<LeftOutRecord>,
}

impl InMemorySink {
    /// Makes an empty sink.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a sink from rows and the history, oldest entry first, as an earlier one held them.
    ///
    /// Of rows with one key the last counts.
    #[must_use]
    pub fn from_parts(rows: impl IntoIterator<Item = KpiRow>, history: Vec<HistoryEntry>) -> Self {
        let rows = rows.into_iter().map(|row| (row.metric_key.clone(), row)).collect();
        Self { rows, history, left_out: Vec::new() }
    }

    /// Returns the rows in the order of their keys.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &KpiRow> {
        self.rows.values()
    }

    /// Returns every change, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[HistoryEntry] {
        &self.history
    }
}

impl MetricTable for InMemorySink {
    fn rows(&mut self, keys: &[&str]) -> Result<BTreeMap<String, Option<KpiRow>>, SinkError> {
        let row = |key: &&str| Some(((*key).to_owned(), Some(self.rows.get(*key)?.clone())));
        Ok(keys.iter().filter_map(row).collect())
    }

    fn changes_beside(&mut self, _: &LoadId) -> Result<Vec<HistoryEntry>, SinkError> {
        Ok(self.history.clone())
    }

    fn newest_left_out(&mut self) -> Result<Option<LeftOutRecord>, SinkError> {
        Ok(self.left_out.last().cloned())
    }

    fn apply(&mut self, changes: &MetricChanges) -> Result<(), SinkError> {
        for MetricChange { metric_key, entry } in &changes.changes {
            match &entry.new {
                Some(row) => drop(self.rows.insert(metric_key.clone(), row.clone())),
                None => drop(self.rows.remove(metric_key)),
            }
            self.history.push(entry.clone());
        }
        self.left_out.extend(changes.left_out.clone());
        Ok(())
    }
}

impl MetricSink for InMemorySink {
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError> {
        load_into(self, load, run)
    }

    fn undo(&mut self, load_id: &LoadId, stamp: &LoadStamp) -> Result<UndoReceipt, SinkError> {
        undo_in(self, load_id, stamp)
    }

    fn history(&mut self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError> {
        let of_key = |entry: &&HistoryEntry| entry.metric_key() == Some(metric_key);
        Ok(self.history.iter().filter(of_key).cloned().collect())
    }

    fn left_out(&mut self) -> Result<Vec<LeftOutRecord>, SinkError> {
        Ok(self.left_out.clone())
    }
}
