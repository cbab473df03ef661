//! Loads into the table of values, each in one transaction.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use raw_packets::{
    Act, HistoryEntry, KpiRow, LeftOutRecord, Load, LoadId, LoadReceipt, LoadStamp, MetricChange,
    MetricChanges, MetricSink, MetricTable, Run, SinkError, UndoReceipt, load_into, undo_in,
};

use super::DatabaseMetrics;
use super::RawRow;
use super::statements::StoredEntry;
use crate::cli::Failure;
use crate::service::Database;

/// Runs `work` in one transaction, in which nobody else loads; an error of either kind undoes it.
fn transact<T>(
    database: &RefCell<Database>,
    dry_run: bool,
    work: impl FnOnce(&mut Database) -> Result<Result<T, SinkError>, Failure>,
) -> Result<T, SinkError> {
    database
        .borrow_mut()
        .attempt(dry_run, |database| {
            database.lock_values()?;
            work(database)
        })
        .map_err(|failure| SinkError::store(failure.to_string()))?
}

/// The values within a transaction.
///
/// As with a file, a row that was not loaded may lack what a load has; the history keeps it as it stood.
impl MetricTable for Database {
    fn rows(&mut self, keys: &[&str]) -> Result<BTreeMap<String, Option<KpiRow>>, SinkError> {
        let rows = self.values(keys).map_err(failed)?.into_iter();
        Ok(rows.map(|(key, raw)| (key.clone(), KpiRow::from_cells(&key, &raw))).collect())
    }

    fn changes_beside(&mut self, load_id: &LoadId) -> Result<Vec<HistoryEntry>, SinkError> {
        let stored = self.stored_beside(load_id).map_err(failed)?;
        stored.iter().map(StoredEntry::read).collect::<Result<_, _>>().map_err(failed)
    }

    fn newest_left_out(&mut self) -> Result<Option<LeftOutRecord>, SinkError> {
        Ok(self.left_out().map_err(failed)?.pop())
    }

    fn apply(&mut self, changes: &MetricChanges) -> Result<(), SinkError> {
        write(self, changes).map_err(failed)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn failed(failure: Failure) -> SinkError {
    SinkError::store(failure.to_string())
}

fn write(database: &mut Database, changes: &MetricChanges) -> Result<(), Failure> {
    let undone = changes.changes.iter().find(|change| change.entry.act == Act::Undo);
    let mut as_it_stood = match undone {
        Some(change) => replaced_by(database, &change.entry.load_id)?,
        None => HashMap::new(),
    };
    let keys: Vec<&str> = changes.changes.iter().map(|change| change.metric_key.as_str()).collect();
    let mut current = database.values(&keys)?;
    let (mut rows, mut removed, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    for MetricChange { metric_key, entry } in &changes.changes {
        match (entry.act, &entry.new) {
            (Act::Load, Some(row)) => {
                let mut raw = RawRow::new();
                row.write_cells(&mut raw);
                rows.push(raw);
                entries.push((entry.clone(), current.remove(metric_key)));
                continue;
            }
            _ => match as_it_stood.remove(metric_key) {
                Some(raw) => rows.push(raw),
                None => removed.push(metric_key.as_str()),
            },
        }
        entries.push((entry.clone(), None));
    }
    if !entries.is_empty() {
        database.replace_values(&rows, &removed)?;
        database.put_entries(&entries)?;
    }
    changes.left_out.iter().try_for_each(|record| database.put_left_out(record))
}

/// Returns the rows that the newest standing load of this id replaced, as they stood.
fn replaced_by(
    database: &mut Database,
    load_id: &LoadId,
) -> Result<HashMap<String, RawRow>, Failure> {
    let mut replaced = HashMap::new();
    for stored in database.stored_beside(load_id)? {
        let change = stored.read()?;
        if change.load_id == *load_id
            && change.act == Act::Load
            && let Some(key) = change.metric_key()
        {
            replaced.remove(key);
            if let Some(json) = &stored.replaced {
                replaced.insert(key.to_owned(), serde_json::from_str(json)?);
            }
        }
    }
    Ok(replaced)
}

impl DatabaseMetrics {
    /// Undoes a load, or says what undoing it would do.
    ///
    /// # Errors
    ///
    /// As [`MetricSink::undo`].
    pub fn undo_in(
        &mut self,
        load_id: &LoadId,
        stamp: &LoadStamp,
        run: Run,
    ) -> Result<UndoReceipt, SinkError> {
        transact(&self.database, run == Run::Dry, |database| Ok(undo_in(database, load_id, stamp)))
    }

    /// Lists what loads and their undoing did, oldest first: the load, what was done, when, by whom, to how many values.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn loads(&mut self) -> Result<Vec<LoadAct>, Failure> {
        self.database.get_mut().load(
            "SELECT load_id, act, changed_at, changed_by, count(*) AS changed_total FROM metric_history \
             GROUP BY load_id, act, changed_at, changed_by ORDER BY min(id)",
        )
    }
}

/// What a load or its undoing did.
#[derive(Debug, QueryableByName)]
pub struct LoadAct {
    /// The load.
    #[diesel(sql_type = Text)]
    pub load_id: String,
    /// `load` or `undo`.
    #[diesel(sql_type = Text)]
    pub act: String,
    /// When, as RFC 3339.
    #[diesel(sql_type = Text)]
    pub changed_at: String,
    /// By whom.
    #[diesel(sql_type = Text)]
    pub changed_by: String,
    /// Values that were changed.
    #[diesel(sql_type = BigInt)]
    pub changed_total: i64,
}

impl MetricSink for DatabaseMetrics {
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError> {
        transact(&self.database, false, |database| Ok(load_into(database, load, run)))
    }

    fn undo(&mut self, load_id: &LoadId, stamp: &LoadStamp) -> Result<UndoReceipt, SinkError> {
        self.undo_in(load_id, stamp, Run::Commit)
    }

    fn history(&mut self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError> {
        let stored = self.database.get_mut().changes_of_key(metric_key).map_err(failed)?;
        stored.iter().map(StoredEntry::read).collect::<Result<_, _>>().map_err(failed)
    }

    fn left_out(&mut self) -> Result<Vec<LeftOutRecord>, SinkError> {
        self.database.get_mut().left_out().map_err(failed)
    }
}
