//! The spans and events of this crate, so that their names and fields stand in one place.
//!
//! They hold numbers, names of backlogs and codes; never a key of a lead or person.

use tracing::Span;

use crate::model::error::StoreError;
use crate::model::key::RunId;
use crate::model::progress::RunSummary;
use crate::model::work::BatchSummary;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use crate::model::work::SeedSummary;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn seed(backlog: &str) -> Span {
    tracing::info_span!("recovery_queue.seed", backlog)
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn seeded(run: RunId, seed: &SeedSummary) {
    tracing::info!(
        name: "recovery_queue.seeded",
        run_id = run.get(),
        backlog_size = seed.backlog_size,
        arrived = seed.arrived,
        reopened = seed.reopened,
        withdrawn = seed.withdrawn,
        leaks = seed.leaks,
    );
}

pub(crate) fn run(run: RunId, workers: usize) -> Span {
    tracing::info_span!("recovery_queue.run", run_id = run.get(), workers)
}

pub(crate) fn run_done(done: &RunSummary) {
    tracing::info!(
        name: "recovery_queue.run_done",
        run_id = done.run_id.get(),
        batches = done.batches,
        claimed = done.claimed,
        matched = done.matched,
        failed = done.failed_total(),
        withdrawn = done.withdrawn,
        retried = done.retried,
        lost_leases = done.lost_leases,
        reconnects = done.reconnects,
    );
}

pub(crate) fn batch(run: RunId, worker: usize, size: u32) -> Span {
    tracing::debug_span!("recovery_queue.batch", run_id = run.get(), worker, size)
}

pub(crate) fn batch_settled(run: RunId, batch: &BatchSummary) {
    tracing::debug!(
        name: "recovery_queue.batch_settled",
        run_id = run.get(),
        claimed = batch.claimed,
        matched = batch.matched,
        failed = batch.failed.values().sum::<u64>(),
        withdrawn = batch.withdrawn,
        retried = batch.retried,
        lost_leases = batch.lost_leases,
    );
}

/// With its sources, which a subscriber writes behind it.
fn chain(error: &StoreError) -> &(dyn std::error::Error + 'static) {
    error
}

pub(crate) fn end_unrecorded(run: RunId, error: &StoreError) {
    tracing::warn!(name: "recovery_queue.end_unrecorded", run_id = run.get(), error = chain(error));
}

pub(crate) fn reconnect(error: &StoreError, attempt: u32) {
    tracing::warn!(name: "recovery_queue.reconnect", error = chain(error), attempt);
}

pub(crate) fn cut(setting: &str, limit: std::time::Duration, size: u32) {
    tracing::warn!(name: "recovery_queue.batch_cut", setting, ?limit, size);
}
