//! What the workers of a run share to count it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::reconnect::Patience;
use crate::model::cursor::SharedCursor;
use crate::model::key::RunId;
use crate::model::options::RecoverOptions;
use crate::model::progress::{Progress, RunSummary, Stopped};
use crate::model::stop::Stop;
use crate::model::work::BatchSummary;

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

    /// Gives how many leads a batch of up to `size` could reserve now.
    pub(super) fn left(&self, size: u32) -> u32 {
        u32::try_from(self.left.load(Relaxed)).unwrap_or(u32::MAX).min(size)
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
