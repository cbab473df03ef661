//! Where loads go: one small trait, its in-memory implementation, and the history that makes a
//! load undoable.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::load::{KpiRow, LeftOut, Load, LoadId, LoadStamp};

/// The choice whether a run is kept or rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Run {
    /// Everything is done, and the transaction is committed.
    Commit,
    /// Everything is done as in a real run, and then rolled back.
    Dry,
}

/// The effect of a load on one metric key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// There was no value.
    Inserted,
    /// There was another value, or the same on other evidence; the old one goes to the history.
    Corrected,
    /// The very same fact was there.
    Unchanged,
}

impl Effect {
    /// Returns what writing `new` over `current` does.
    ///
    /// Every sink decides by this, so that all of them are idempotent in the same way.
    #[must_use]
    pub fn of(new: &KpiRow, current: Option<&KpiRow>) -> Self {
        match current {
            None => Self::Inserted,
            Some(current) if current.states_the_same(new) => Self::Unchanged,
            Some(_) => Self::Corrected,
        }
    }
}

/// The result of a load; of a dry run, what it would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadReceipt {
    /// The load's id, by which it can be undone.
    pub load_id: LoadId,
    /// Every metric key of the load with what happened to it, sorted.
    pub effects: BTreeMap<String, Effect>,
}

impl LoadReceipt {
    /// Counts the keys with one effect.
    #[must_use]
    pub fn count(&self, effect: Effect) -> usize {
        self.effects.values().filter(|found| **found == effect).count()
    }
}

/// The result of undoing a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UndoReceipt {
    /// The load that was undone.
    pub load_id: LoadId,
    /// The keys whose value went away, for the load had inserted it.
    pub removed: Vec<String>,
    /// The keys whose earlier value is back, for the load had corrected it.
    pub restored: Vec<String>,
}

/// The kind of action that wrote an entry of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A load.
    Load,
    /// The undoing of a load.
    Undo,
}

/// One change of one value; entries are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The load that made the change, or that was undone.
    pub load_id: LoadId,
    /// What wrote the entry.
    pub act: Act,
    /// The value before; `None` where there was none.
    pub old: Option<KpiRow>,
    /// The value after; `None` where there is none any more.
    pub new: Option<KpiRow>,
    /// Who made the change.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What a partial load left out; records are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutRecord {
    /// The load that left them out.
    pub load_id: LoadId,
    /// The packets that stayed out, and why.
    pub packets: Vec<LeftOut>,
    /// Who loaded.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl LeftOutRecord {
    /// Returns what a sink has to add to its records for a load; `None` where everything came in, or the
    /// newest of its records for this load says the same.
    #[must_use]
    pub fn of(load: &Load, newest: Option<&Self>) -> Option<Self> {
        let known = newest.is_some_and(|newest| {
            newest.load_id == *load.id() && newest.packets == load.left_out()
        });
        (!load.left_out().is_empty() && !known).then(|| Self {
            load_id: load.id().clone(),
            packets: load.left_out().to_vec(),
            by: load.stamp().by.clone(),
            at: load.stamp().at,
        })
    }
}

/// The reason why a sink did nothing. Whatever the error, nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// No load of that id changed anything that is still to be undone.
    #[error(
        "nothing to undo: the load `{load_id}` is not known, changed nothing or is undone already"
    )]
    NotFound {
        /// The id as given.
        load_id: LoadId,
    },
    /// A later load wrote the same key; undo that one first.
    #[error("`{metric_key}` was written again by the load `{by}`; undo that load first")]
    Superseded {
        /// The key in question.
        metric_key: String,
        /// The later load.
        by: LoadId,
    },
    /// The store behind the sink failed: see the source.
    #[error("the store failed")]
    Store {
        /// What the store said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SinkError {
    /// Wraps what a store said.
    pub fn store(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Store { source: source.into() }
    }
}

/// A store that takes loads: each one whole, in one transaction, idempotent by metric key.
///
/// An implementation over a store implements [`MetricTable`](crate::MetricTable) for what it has within a transaction, begins
/// one and calls [`load_into`](crate::load_into) or [`undo_in`](crate::undo_in), which decide for every store alike. The suite in `testing`
/// (feature `testing`) runs the laws against any implementation. [`InMemorySink`](crate::InMemorySink) is always there.
pub trait MetricSink {
    /// Applies a load in one transaction; in a dry run, rolls it back.
    ///
    /// A key whose row states the same fact stays untouched, its provenance, too. What the load leaves
    /// out is recorded with it, as [`LeftOutRecord::of`] says. On an error nothing is written.
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError>;

    /// Undoes a load in one transaction: what it inserted goes, what it corrected comes back.
    ///
    /// Refused where a later load wrote one of the keys. The history keeps both.
    fn undo(&mut self, load_id: &LoadId, stamp: &LoadStamp) -> Result<UndoReceipt, SinkError>;

    /// Returns every change of one key, oldest first.
    fn history(&mut self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError>;

    /// Returns what partial loads left out, oldest first.
    fn left_out(&mut self) -> Result<Vec<LeftOutRecord>, SinkError>;
}

impl<S: MetricSink + ?Sized> MetricSink for &mut S {
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError> {
        (**self).load(load, run)
    }

    fn undo(&mut self, load_id: &LoadId, stamp: &LoadStamp) -> Result<UndoReceipt, SinkError> {
        (**self).undo(load_id, stamp)
    }

    fn history(&mut self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError> {
        (**self).history(metric_key)
    }

    fn left_out(&mut self) -> Result<Vec<LeftOutRecord>, SinkError> {
        (**self).left_out()
    }
}

impl<S: MetricSink + ?Sized> MetricSink for Box<S> {
    fn load(&mut self, load: &Load, run: Run) -> Result<LoadReceipt, SinkError> {
        (**self).load(load, run)
    }

    fn undo(&mut self, load_id: &LoadId, stamp: &LoadStamp) -> Result<UndoReceipt, SinkError> {
        (**self).undo(load_id, stamp)
    }

    fn history(&mut self, metric_key: &str) -> Result<Vec<HistoryEntry>, SinkError> {
        (**self).history(metric_key)
    }

    fn left_out(&mut self) -> Result<Vec<LeftOutRecord>, SinkError> {
        (**self).left_out()
    }
}

impl HistoryEntry {
    /// Returns the key that was changed; `None` only for an entry that holds no row at all.
    #[must_use]
    pub fn metric_key(&self) -> Option<&str> {
        self.new.as_ref().or(self.old.as_ref()).map(|row| row.metric_key.as_str())
    }
}
