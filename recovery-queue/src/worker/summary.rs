//! What a run tells: its progress, its summary, and what its workers share to count them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::cursor::SharedCursor;
use super::reconnect::Patience;
use crate::model::key::RunId;
use crate::model::ledger::EventKind;
use crate::model::options::RecoverOptions;
use crate::model::resolver::FailReason;
use crate::model::run::RunRecord;
use crate::model::stop::Stop;
use crate::model::work::BatchSummary;

/// Tells how far a run has come.
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

/// Says why a run ended.
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

/// Tells what a run did.
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
}

impl RunSummary {
    /// Takes the figures that the ledger has of the run: some batches may have been committed unheard.
    pub(super) fn correct(&mut self, record: &RunRecord) {
        let events = |kind: EventKind| record.events.get(kind.code()).copied().unwrap_or_default();
        self.matched = events(EventKind::Matched);
        self.withdrawn = events(EventKind::Withdrawn);
        self.retried = events(EventKind::Retried);
        self.failed.clone_from(&record.failed);
        let settled = self.matched + self.failed_total() + self.withdrawn;
        self.claimed = settled + self.retried + self.lost_leases;
    }
}

fn add(total: &mut BatchSummary, batch: &BatchSummary) {
    total.claimed += batch.claimed;
    total.matched += batch.matched;
    total.already_linked += batch.already_linked;
    total.withdrawn += batch.withdrawn;
    total.retried += batch.retried;
    total.lost_leases += batch.lost_leases;
    for (reason, leads) in &batch.failed {
        *total.failed.entry(reason.clone()).or_default() += leads;
    }
}

/// What the workers of a run share.
pub(super) struct Shared<'a> {
    pub(super) run_id: RunId,
    pub(super) options: &'a RecoverOptions,
    /// Leads that may still be claimed.
    left: AtomicU64,
    /// Asked with the options' flag, and by a worker that an error ended.
    pub(super) stop: Stop,
    pub(super) reconnects: AtomicU64,
    pub(super) claimed: SharedCursor,
    state: Mutex<Progress>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(run_id: RunId, options: &'a RecoverOptions, reconnects: AtomicU64) -> Self {
        Self {
            run_id,
            options,
            left: AtomicU64::new(options.limit.unwrap_or(u64::MAX)),
            stop: options.stop.child(),
            reconnects,
            claimed: SharedCursor::new(),
            state: Mutex::new(Progress::new(run_id)),
        }
    }

    /// Says whether the run is to stop.
    pub(super) fn is_asked(&self) -> bool {
        self.stop.is_asked()
    }

    /// Gives how long `who` of this run waits for a database that is away.
    pub(super) fn patience<'b>(&'b self, who: &'b str) -> Patience<'b> {
        Patience::new(who, self.options.max_reconnects, &self.stop, &self.reconnects)
    }

    /// Reserves up to `size` leads of the limit.
    pub(super) fn reserve(&self, size: u32) -> u32 {
        let take = |left: u64| u32::try_from(left).unwrap_or(u32::MAX).min(size);
        self.left
            .fetch_update(Relaxed, Relaxed, |left| Some(left - u64::from(take(left))))
            .map_or(0, take)
    }

    pub(super) fn give_back(&self, leads: u64) {
        let _ = self.left.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_add(leads)));
    }

    /// Counts a batch that landed, and tells it.
    pub(super) fn tell(
        &self,
        worker: usize,
        batch: &BatchSummary,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.batches += 1;
        state.worker = worker;
        add(&mut state.total, batch);
        progress(&state)
    }

    pub(super) fn summary(self, stopped: Stopped, recorded: bool) -> RunSummary {
        let Progress { run_id, batches, total, .. } =
            self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let BatchSummary {
            claimed,
            matched,
            already_linked,
            failed,
            withdrawn,
            retried,
            lost_leases,
        } = total;
        RunSummary {
            run_id,
            batches,
            claimed,
            matched,
            already_linked,
            failed,
            withdrawn,
            retried,
            lost_leases,
            reconnects: self.reconnects.into_inner(),
            stopped,
            recorded,
        }
    }
}
