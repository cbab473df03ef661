//! Loads into the table of values, each in one transaction.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use raw_packets::{
    Act, Effect, HistoryEntry, KpiRow, LeftOutRecord, Load, LoadId, LoadReceipt, MetricSink, Run,
    SinkError, Stamp, UndoReceipt, plan_undo,
};

use super::DatabaseMetrics;
use super::statements::StoredEntry;
use crate::cli::Failure;
use crate::metrics::raw_row::{self, RawRow};
use crate::service::Database;

/// Says what a load does to a key; a row that is there but not whole is corrected.
fn effect(row: &KpiRow, current: Option<&RawRow>) -> Effect {
    match current.map(|raw| raw_row::kpi_row(&row.metric_key, raw)) {
        None => Effect::Inserted,
        Some(None) => Effect::Corrected,
        Some(Some(current)) => Effect::of(row, Some(&current)),
    }
}

/// Runs `work` in one transaction, in which nobody else loads; an error of either kind undoes it.
fn transact<T>(
    database: &RefCell<Database>,
    work: impl FnOnce(&mut Database) -> Result<Result<T, SinkError>, Failure>,
) -> Result<T, SinkError> {
    database
        .borrow_mut()
        .transaction(|database| {
            database.lock_values()?;
            work(database)
        })
        .map_err(|failure| SinkError::store(failure.to_string()))?
}

/// As with a file, a row that was not loaded may lack what a load has; the history keeps it as it stood.
impl MetricSink for DatabaseMetrics {
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError> {
        transact(&self.database, |database| {
            let keys: Vec<&str> = load.rows().iter().map(|row| row.metric_key.as_str()).collect();
            let mut current = database.values(&keys)?;
            let effects: BTreeMap<_, _> = load
                .rows()
                .iter()
                .map(|row| (row.metric_key.clone(), effect(row, current.get(&row.metric_key))))
                .collect();
            let receipt = LoadReceipt { load_id: load.id().clone(), effects };
            if run == Run::Dry {
                return Ok(Ok(receipt));
            }
            let mut rows = Vec::new();
            let mut entries = Vec::new();
            for row in load.rows() {
                if receipt.effects[&row.metric_key] == Effect::Unchanged {
                    continue;
                }
                let replaced = current.remove(&row.metric_key);
                let old = replaced.as_ref().and_then(|raw| raw_row::kpi_row(&row.metric_key, raw));
                let mut raw = RawRow::new();
                raw_row::write(row, &mut raw);
                rows.push(raw);
                let entry = HistoryEntry {
                    load_id: load.id().clone(),
                    act: Act::Load,
                    old,
                    new: Some(row.clone()),
                    by: load.stamp().by.clone(),
                    at: load.stamp().at,
                };
                entries.push((entry, replaced));
            }
            if !rows.is_empty() {
                database.replace_values(&rows, &[])?;
                database.put_entries(&entries)?;
            }
            let newest = database.left_out()?.pop();
            if let Some(record) = LeftOutRecord::of(load, newest.as_ref()) {
                database.put_left_out(&record)?;
            }
            Ok(Ok(receipt))
        })
    }

    fn undo(&mut self, load_id: &LoadId, stamp: &Stamp) -> Result<UndoReceipt, SinkError> {
        transact(&self.database, |database| {
            let stored = database.changes_beside(load_id)?;
            let changes: Vec<_> = stored.iter().map(StoredEntry::read).collect::<Result<_, _>>()?;
            let undo = match plan_undo(load_id, &changes) {
                Ok(undo) => undo,
                Err(refused) => return Ok(Err(refused)),
            };
            // What the newest standing load of this id replaced, as it stood.
            let mut replaced: HashMap<&str, RawRow> = HashMap::new();
            for (stored, change) in stored.iter().zip(&changes) {
                if change.load_id == *load_id
                    && change.act == Act::Load
                    && let Some(key) = change.metric_key()
                {
                    replaced.remove(key);
                    if let Some(json) = &stored.replaced {
                        replaced.insert(key, serde_json::from_str(json)?);
                    }
                }
            }
            let keys: Vec<&str> = undo.keys().map(String::as_str).collect();
            let current = database.values(&keys)?;
            let mut rows = Vec::new();
            let mut entries = Vec::new();
            for &key in &keys {
                let back = replaced.remove(key);
                let entry = HistoryEntry {
                    load_id: load_id.clone(),
                    act: Act::Undo,
                    old: current.get(key).and_then(|raw| raw_row::kpi_row(key, raw)),
                    new: undo[key].clone(),
                    by: stamp.by.clone(),
                    at: stamp.at,
                };
                entries.push((entry, None));
                rows.extend(back);
            }
            let restored: Vec<String> = rows.iter().map(|row| row["metric_key"].clone()).collect();
            let removed: Vec<&str> = keys
                .iter()
                .copied()
                .filter(|key| !restored.iter().any(|back| back == key))
                .collect();
            database.replace_values(&rows, &removed)?;
            database.put_entries(&entries)?;
            let removed = removed.into_iter().map(str::to_owned).collect();
            Ok(Ok(UndoReceipt { load_id: load_id.clone(), removed, restored }))
        })
    }

    fn history(&self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError> {
        let mut database = self.database.borrow_mut();
        database
            .changes_of_key(metric_key)
            .and_then(|stored| stored.iter().map(StoredEntry::read).collect())
            .map_err(|failure| SinkError::store(failure.to_string()))
    }

    fn left_out(&self) -> Result<Vec<LeftOutRecord>, SinkError> {
        let mut database = self.database.borrow_mut();
        database.left_out().map_err(|failure| SinkError::store(failure.to_string()))
    }
}
