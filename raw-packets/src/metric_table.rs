//! What every store of values does in the same way: decide what a load changes, and what undoing it
//! puts back.

use std::collections::BTreeMap;

use crate::load::{KpiRow, Load, LoadId, LoadStamp};
use crate::sink::{
    Act, Effect, HistoryEntry, LeftOutRecord, LoadReceipt, Run, SinkError, UndoReceipt,
};

/// A table of values within the caller's transaction.
///
/// Three questions and one change are all that a store has to know; [`load_into`] and [`undo_in`] decide.
/// The caller begins a transaction in which nobody else loads, calls one of them, and commits where it
/// returns `Ok`. A dry run never calls [`apply`](Self::apply).
///
/// ```
/// use raw_packets::{InMemorySink, LoadId, MetricTable, SinkError, LoadStamp, undo_in};
///
/// // In memory every call is a transaction of its own.
/// let mut table = InMemorySink::new();
/// assert!(MetricTable::rows(&mut table, &["kpi:a|es:town|2024-12-31|year"])?.is_empty());
/// let stamp = LoadStamp::new("ana", chrono::DateTime::UNIX_EPOCH);
/// let unknown = undo_in(&mut table, &LoadId::new("load-0"), &stamp);
/// assert!(matches!(unknown, Err(SinkError::NotFound { .. })));
/// # Ok::<(), SinkError>(())
/// ```
pub trait MetricTable {
    /// Returns what stands at these keys; a row that lacks what a load has, for it was written by other
    /// means, stands as `None`. Keys without a row are left out.
    fn rows(&mut self, keys: &[&str]) -> Result<BTreeMap<String, Option<KpiRow>>, SinkError>;

    /// Returns the changes of at least every key that the load changed, oldest first.
    fn changes_beside(&mut self, load_id: &LoadId) -> Result<Vec<HistoryEntry>, SinkError>;

    /// Returns the newest record of what a partial load left out.
    fn newest_left_out(&mut self) -> Result<Option<LeftOutRecord>, SinkError>;

    /// Makes changes: of the values, of the history, and of the records of what was left out.
    ///
    /// Of an [`Act::Load`] the row becomes [`HistoryEntry::new`], columns of others untouched; what stood
    /// there may be kept beside the entry. Of an [`Act::Undo`] what the load replaced comes back as it
    /// stood, where it was kept, else [`HistoryEntry::new`]; the row goes where that is `None`.
    fn apply(&mut self, changes: &MetricChanges) -> Result<(), SinkError>;
}

/// The changes of one load, or of undoing it; a table applies all of them or none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MetricChanges {
    /// The changes of values, sorted by key.
    pub changes: Vec<MetricChange>,
    /// The record of what was left out.
    pub left_out: Option<LeftOutRecord>,
}

/// One change of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricChange {
    /// The key; the entry does not say it where neither of its sides is whole.
    pub metric_key: String,
    /// The change as the history keeps it.
    pub entry: HistoryEntry,
}

/// Applies a load to a table: what states another fact is written, and the old value goes to the history.
///
/// # Errors
///
/// Those of the table.
pub fn load_into(
    table: &mut (impl MetricTable + ?Sized),
    load: &Load,
    run: Run,
) -> Result<LoadReceipt, SinkError> {
    let keys: Vec<&str> = load.rows().iter().map(|row| row.metric_key.as_str()).collect();
    let mut standing = table.rows(&keys)?;
    let mut receipt = LoadReceipt { load_id: load.id().clone(), effects: BTreeMap::new() };
    let mut changes = MetricChanges::default();
    for row in load.rows() {
        let stood = standing.remove(&row.metric_key);
        let effect = match &stood {
            None => Effect::Inserted,
            Some(None) => Effect::Corrected,
            Some(Some(current)) => Effect::of(row, Some(current)),
        };
        receipt.effects.insert(row.metric_key.clone(), effect);
        if effect != Effect::Unchanged {
            let entry = HistoryEntry {
                load_id: load.id().clone(),
                act: Act::Load,
                old: stood.flatten(),
                new: Some(row.clone()),
                by: load.stamp().by.clone(),
                at: load.stamp().at,
            };
            changes.changes.push(MetricChange { metric_key: row.metric_key.clone(), entry });
        }
    }
    if run == Run::Commit {
        changes.left_out = LeftOutRecord::of(load, table.newest_left_out()?.as_ref());
        if changes != MetricChanges::default() {
            table.apply(&changes)?;
        }
    }
    Ok(receipt)
}

/// Undoes a load in a table: what it inserted goes, what it corrected comes back.
///
/// # Errors
///
/// [`SinkError::NotFound`] where the load changed nothing that still stands, [`SinkError::Superseded`] where
/// a later load wrote one of its keys, and those of the table.
pub fn undo_in(
    table: &mut (impl MetricTable + ?Sized),
    load_id: &LoadId,
    stamp: &LoadStamp,
) -> Result<UndoReceipt, SinkError> {
    let undo = plan_undo(load_id, &table.changes_beside(load_id)?)?;
    let keys: Vec<&str> = undo.keys().map(String::as_str).collect();
    let mut standing = table.rows(&keys)?;
    let change = |(key, back): (&String, &Option<KpiRow>)| MetricChange {
        metric_key: key.clone(),
        entry: HistoryEntry {
            load_id: load_id.clone(),
            act: Act::Undo,
            old: standing.remove(key).flatten(),
            new: back.clone(),
            by: stamp.by.clone(),
            at: stamp.at,
        },
    };
    let changes = undo.iter().map(change).collect();
    table.apply(&MetricChanges { changes, left_out: None })?;
    let back = table.rows(&keys)?;
    let (restored, removed) = undo.into_keys().partition(|key| back.contains_key(key));
    Ok(UndoReceipt { load_id: load_id.clone(), removed, restored })
}

/// Finds what undoing `load_id` has to do, given the history, oldest entry first, of at least every
/// key that the load touched: which rows to put back (`Some`) or to take away (`None`).
fn plan_undo(
    load_id: &LoadId,
    history: &[HistoryEntry],
) -> Result<BTreeMap<String, Option<KpiRow>>, SinkError> {
    // What stands: an undoing takes the load that it undid from the top.
    let mut standing: BTreeMap<&str, Vec<&HistoryEntry>> = BTreeMap::new();
    for entry in history {
        let Some(key) = entry.metric_key() else { continue };
        let of_key = standing.entry(key).or_default();
        match entry.act {
            Act::Load => of_key.push(entry),
            Act::Undo => drop(of_key.pop()),
        }
    }
    let mut undo = BTreeMap::new();
    for (metric_key, entries) in standing {
        match entries.last() {
            Some(last) if last.load_id == *load_id => {
                undo.insert(metric_key.to_owned(), last.old.clone());
            }
            Some(last) if entries.iter().any(|entry| entry.load_id == *load_id) => {
                let by = last.load_id.clone();
                return Err(SinkError::Superseded { metric_key: metric_key.to_owned(), by });
            }
            _ => {}
        }
    }
    if undo.is_empty() {
        return Err(SinkError::NotFound { load_id: load_id.clone() });
    }
    Ok(undo)
}
