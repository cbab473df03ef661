//! Loads into a `metrics.csv`: the file is replaced as a whole or left as it is.

use std::collections::BTreeMap;
use std::fs::File;

use fs4::FileExt;
use raw_packets::{
    Act, Effect, HistoryEntry, KpiRow, LeftOutRecord, Load, LoadId, LoadReceipt, MetricSink, Run,
    SinkError, Stamp, UndoReceipt, plan_undo,
};

use super::csv_file::{CsvMetrics, sha256};
use super::csv_table::CsvTable;
use super::history_file::{Batch, History};
use crate::cli::Failure;
use crate::files;

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn store(failure: Failure) -> SinkError {
    SinkError::store(failure.to_string())
}

fn csv_error(error: csv::Error) -> SinkError {
    SinkError::store(error)
}

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
        let path = self.path().display();
        Err(SinkError::store(format!("{path} was changed since it was read; run again")))
    }

    fn table(&self) -> Result<CsvTable, SinkError> {
        CsvTable::new(self.bytes(), self.lines()).map_err(csv_error)
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
        History::open(self.path(), self.sha256(), stands).map_err(store)
    }

    /// Writes the history, then the values, whose rename is what makes the change, then that it was made.
    fn commit(
        &mut self,
        table: &CsvTable,
        mut history: History,
        batch: Batch,
    ) -> Result<(), SinkError> {
        if batch.entries.is_empty() {
            // No value changes: what is told of the load is all there is to write.
            history.announce(batch, self.sha256().to_owned()).map_err(store)?;
            return history.settle().map_err(store);
        }
        let bytes = table.to_bytes().map_err(csv_error)?;
        history.announce(batch, sha256(&bytes)).map_err(store)?;
        files::write_atomic(self.path(), &bytes).map_err(store)?;
        history.settle().map_err(store)?;
        *self = Self::read(self.path(), bytes).map_err(store)?;
        Ok(())
    }
}

/// Says what a load does to a key; a row that is there but not whole is corrected.
fn effect(table: &CsvTable, row: &KpiRow) -> Effect {
    match table.kpi_row(&row.metric_key) {
        Some(current) => Effect::of(row, Some(&current)),
        None if table.raw(&row.metric_key).is_some() => Effect::Corrected,
        None => Effect::Inserted,
    }
}

/// A row that was written by hand may lack what a load has, such as its evidence; the history then
/// keeps it as it stood, and an undoing brings it back, but an entry of the history shows no old value.
impl MetricSink for CsvMetrics {
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError> {
        let mut table = self.table()?;
        let effects: BTreeMap<_, _> =
            load.rows().iter().map(|row| (row.metric_key.clone(), effect(&table, row))).collect();
        let receipt = LoadReceipt { load_id: load.id().clone(), effects };
        if run == Run::Dry {
            return Ok(receipt);
        }
        let _lock = self.lock()?;
        let mut history = self.open_history()?;
        let mut batch = Batch::new(self.sha256());
        batch.left_out = LeftOutRecord::of(load, history.left_out().next_back());
        let unchanged = receipt.count(Effect::Unchanged) == receipt.effects.len();
        if unchanged && batch.left_out.is_none() {
            history.decide().map_err(store)?;
            return Ok(receipt);
        }
        for row in load.rows() {
            if receipt.effects[&row.metric_key] == Effect::Unchanged {
                continue;
            }
            batch.entries.push(HistoryEntry {
                load_id: load.id().clone(),
                act: Act::Load,
                old: table.kpi_row(&row.metric_key),
                new: Some(row.clone()),
                by: load.stamp().by.clone(),
                at: load.stamp().at,
            });
            if let Some(raw) = table.raw(&row.metric_key) {
                batch.replaced.insert(row.metric_key.clone(), raw);
            }
            table.put(row);
        }
        self.commit(&table, history, batch)?;
        Ok(receipt)
    }

    fn undo(&mut self, load_id: &LoadId, stamp: &Stamp) -> Result<UndoReceipt, SinkError> {
        let _lock = self.lock()?;
        let history = self.open_history()?;
        let undo = plan_undo(load_id, history.entries())?;
        let mut table = self.table()?;
        let mut batch = Batch::new(self.sha256());
        let mut receipt =
            UndoReceipt { load_id: load_id.clone(), removed: Vec::new(), restored: Vec::new() };
        for (key, back) in undo {
            let old = table.kpi_row(&key);
            match (history.replaced(load_id.as_str(), &key), &back) {
                (Some(raw), _) => table.put_raw(&key, raw),
                (None, Some(row)) => table.put(row),
                (None, None) => table.remove(&key),
            }
            let there = table.raw(&key).is_some();
            if there { &mut receipt.restored } else { &mut receipt.removed }.push(key);
            batch.entries.push(HistoryEntry {
                load_id: load_id.clone(),
                act: Act::Undo,
                old,
                new: back,
                by: stamp.by.clone(),
                at: stamp.at,
            });
        }
        self.commit(&table, history, batch)?;
        Ok(receipt)
    }

    fn history(&self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError> {
        let of_key = |entry: &&HistoryEntry| entry.metric_key() == Some(metric_key);
        Ok(self.open_history()?.entries().filter(of_key).cloned().collect())
    }

    fn left_out(&self) -> Result<Vec<LeftOutRecord>, SinkError> {
        Ok(self.open_history()?.left_out().cloned().collect())
    }
}
