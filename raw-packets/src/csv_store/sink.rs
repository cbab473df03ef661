//! Loads into a `metrics.csv`: the file is replaced as a whole or left as it is.

use std::collections::BTreeMap;
use std::fs::File;

use super::CsvMetrics;
use super::atomic::replace;
use super::error::CsvStoreError;
use super::history::{Batch, History};
use super::table::CsvTable;
use crate::digest::sha256;
use crate::load::{KpiRow, Load, LoadId, LoadStamp};
use crate::metric_table::{MetricChange, MetricChanges, MetricTable, load_into, undo_in};
use crate::sink::{
    Act, HistoryEntry, LeftOutRecord, LoadReceipt, MetricSink, Run, SinkError, UndoReceipt,
};
use fs4::FileExt;

impl CsvMetrics {
    /// Takes the turn of writing and makes sure that nobody wrote since the file was read.
    fn lock(&self) -> Result<File, SinkError> {
        let mut lock = self.path().as_os_str().to_owned();
        lock.push(".lock");
        let file = File::create(&lock).map_err(SinkError::store)?;
        FileExt::lock(&file).map_err(SinkError::store)?;
        let now = match std::fs::read(self.path()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(SinkError::store(error)),
        };
        if sha256(&now) == self.sha256() {
            return Ok(file);
        }
        Err(SinkError::store(CsvStoreError::Changed { path: self.path().to_owned() }))
    }

    fn table(&self) -> Result<CsvTable, SinkError> {
        CsvTable::new(self.options(), self.path(), self.bytes(), self.lines())
            .map_err(SinkError::store)
    }

    fn open_history(&self) -> Result<History, SinkError> {
        let table = self.table()?;
        // A row that was taken away has no value any more; one that was put has the entry's.
        let stands = |entry: &HistoryEntry| {
            let key = entry.metric_key().unwrap_or_default();
            match (&entry.new, table.kpi_row(key)) {
                (Some(new), Some(row)) => row.states_the_same(new),
                (None, None) => true,
                _ => false,
            }
        };
        History::open(self.path(), self.sha256(), self.options().mode, stands)
            .map_err(SinkError::store)
    }

    /// Writes the history, then the values, whose rename is what makes the change, then that it was made.
    fn commit(
        &mut self,
        table: &CsvTable,
        history: &mut History,
        batch: Batch,
    ) -> Result<(), SinkError> {
        if batch.entries.is_empty() {
            // No value changes: what is told of the load is all there is to write.
            history.announce(batch, self.sha256().to_owned()).map_err(SinkError::store)?;
            return history.settle().map_err(SinkError::store);
        }
        let bytes = table.to_bytes().map_err(SinkError::store)?;
        history.announce(batch, sha256(&bytes)).map_err(SinkError::store)?;
        replace(self.path(), &bytes, self.options().mode).map_err(SinkError::store)?;
        history.settle().map_err(SinkError::store)?;
        *self = Self::read(self.path(), bytes, self.options().again()).map_err(SinkError::store)?;
        Ok(())
    }
}

/// The file within a change: its rows, and the history that the change is written to.
///
/// A row that was written by hand may lack what a load has, such as its evidence; the history then keeps it
/// as it stood, and an undoing brings it back, but an entry of the history shows no old value.
struct Open<'f> {
    file: &'f mut CsvMetrics,
    table: CsvTable,
    history: History,
}

impl MetricTable for Open<'_> {
    fn rows(&mut self, keys: &[&str]) -> Result<BTreeMap<String, Option<KpiRow>>, SinkError> {
        let there = keys.iter().filter(|key| self.table.raw(key).is_some());
        Ok(there.map(|key| ((*key).to_owned(), self.table.kpi_row(key))).collect())
    }

    fn changes_beside(&mut self, _: &LoadId) -> Result<Vec<HistoryEntry>, SinkError> {
        Ok(self.history.entries().cloned().collect())
    }

    fn newest_left_out(&mut self) -> Result<Option<LeftOutRecord>, SinkError> {
        Ok(self.history.left_out().next_back().cloned())
    }

    fn apply(&mut self, changes: &MetricChanges) -> Result<(), SinkError> {
        let mut batch = Batch::new(self.file.sha256());
        batch.left_out.clone_from(&changes.left_out);
        for MetricChange { metric_key, entry } in &changes.changes {
            if entry.act == Act::Load
                && let Some(raw) = self.table.raw(metric_key)
            {
                batch.replaced.insert(metric_key.clone(), raw);
            }
            let as_it_stood = self.history.replaced(entry.load_id.as_str(), metric_key);
            match (entry.act, as_it_stood, &entry.new) {
                (Act::Undo, Some(raw), _) => self.table.put_raw(metric_key, raw),
                (_, _, Some(row)) => self.table.put(row),
                (_, _, None) => self.table.remove(metric_key),
            }
            batch.entries.push(entry.clone());
        }
        self.file.commit(&self.table, &mut self.history, batch)
    }
}

impl CsvMetrics {
    fn change(&mut self) -> Result<Open<'_>, SinkError> {
        let (table, history) = (self.table()?, self.open_history()?);
        Ok(Open { file: self, table, history })
    }
}

impl MetricSink for CsvMetrics {
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError> {
        let _lock = if run == Run::Commit { Some(self.lock()?) } else { None };
        let mut change = self.change()?;
        let receipt = load_into(&mut change, load, run)?;
        if run == Run::Commit {
            change.history.decide().map_err(SinkError::store)?;
        }
        Ok(receipt)
    }

    fn undo(&mut self, load_id: &LoadId, stamp: &LoadStamp) -> Result<UndoReceipt, SinkError> {
        let _lock = self.lock()?;
        undo_in(&mut self.change()?, load_id, stamp)
    }

    fn history(&mut self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError> {
        let of_key = |entry: &&HistoryEntry| entry.metric_key() == Some(metric_key);
        Ok(self.open_history()?.entries().filter(of_key).cloned().collect())
    }

    fn left_out(&mut self) -> Result<Vec<LeftOutRecord>, SinkError> {
        Ok(self.open_history()?.left_out().cloned().collect())
    }
}
