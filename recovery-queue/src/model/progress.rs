//! What a run tells: its progress and its summary.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::key::RunId;
use crate::model::ledger::EventKind;
use crate::model::resolver::FailReason;
use crate::model::run::{RunOutcome, RunRecord};
use crate::model::work::BatchSummary;

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The run.
    pub run_id: RunId,
    /// Batches done.
    pub batches: u64,
    /// What they did, summed up.
    pub total: BatchSummary,
    /// The worker whose batch has just landed, counted from 0.
    pub worker: usize,
}

impl Progress {
    /// Makes the progress of a run that has just begun.
    #[must_use]
    pub fn new(run_id: RunId) -> Self {
        Self { run_id, batches: 0, total: BatchSummary::default(), worker: 0 }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stopped {
    /// Nothing is left to claim.
    Drained,
    /// The limit is reached.
    Limit,
    /// The caller asked to stop.
    Asked,
}

impl From<Stopped> for RunOutcome {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Drained => Self::Done,
            Stopped::Limit => Self::Limit,
            Stopped::Asked => Self::Asked,
        }
    }
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RunSummary {
    /// The run.
    pub run_id: RunId,
    /// Batches done.
    pub batches: u64,
    /// Leads claimed; a lead put off and claimed again counts twice.
    pub claimed: u64,
    /// Leads settled as matched.
    pub matched: u64,
    /// Of these, the ones that were linked already.
    pub already_linked: u64,
    /// Leads settled as failed, by reason.
    pub failed: BTreeMap<FailReason, u64>,
    /// Leads that had left their backlog since the seed: withdrawn, whatever was answered.
    pub withdrawn: u64,
    /// Leads put off after a technical error.
    pub retried: u64,
    /// Leads whose lease was lost before the answer came.
    pub lost_leases: u64,
    /// Times that a batch was tried again because the database was away.
    pub reconnects: u64,
    /// Why the run ended.
    pub stopped: Stopped,
    /// Whether the end of the run is on record: not where the store records no runs, nor where the database was away
    /// as the run was asked to stop. Then the next run finds it and records it as killed.
    pub recorded: bool,
}

impl RunSummary {
    /// Makes the summary of a run that did nothing.
    #[must_use]
    pub fn new(run_id: RunId, stopped: Stopped) -> Self {
        Self {
            run_id,
            batches: 0,
            claimed: 0,
            matched: 0,
            already_linked: 0,
            failed: BTreeMap::new(),
            withdrawn: 0,
            retried: 0,
            lost_leases: 0,
            reconnects: 0,
            stopped,
            recorded: false,
        }
    }

    /// Gives the number of failed leads of all reasons.
    #[must_use]
    pub fn failed_total(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Takes the figures that the ledger has of the run: some batches may have been committed unheard.
    pub(crate) fn correct(&mut self, record: &RunRecord) {
        let events = |kind: EventKind| record.events.get(kind.code()).copied().unwrap_or_default();
        self.matched = events(EventKind::Matched);
        self.withdrawn = events(EventKind::Withdrawn);
        self.retried = events(EventKind::Retried);
        self.failed.clone_from(&record.failed);
        let settled = self.matched + self.failed_total() + self.withdrawn;
        self.claimed = settled + self.retried + self.lost_leases;
    }
}
