//! The record of runs, and the marks that tell a worker that died.

use crate::model::error::StoreError;
use crate::model::key::RunId;
use crate::model::run::{NewRun, RunOutcome};

/// A store that records runs.
///
/// Without it [`Recover::recover`](crate::Recover::recover) works all the same; nobody learns afterwards who ran when and how it ended.
/// What is recorded is read by [`Snapshot::runs`](crate::Snapshot::runs).
pub trait RunStore {
    /// Opens a run, and mends identity origins that are missing.
    fn open_run(&mut self, run: &NewRun) -> Result<RunId, StoreError>;

    /// Closes a run: its end, its figures and how it ended are recorded. To close it twice is no error; the
    /// second time holds.
    fn close_run(&mut self, run: RunId, outcome: RunOutcome) -> Result<(), StoreError>;

    /// Leaves a mark that a worker works with batches of a size, or takes its mark away.
    ///
    /// A mark that a dead worker left behind makes the next run begin with smaller batches, so that a lead
    /// that kills the process is found. A worker is named `RUN/NUMBER`.
    fn mark(&mut self, worker: &str, size: Option<u32>) -> Result<(), StoreError>;

    /// Takes away the marks that dead workers left behind, gives the smallest size among them, and closes the
    /// runs that ended so as [`Killed`](RunOutcome::Killed); `run` is the one that asks.
    ///
    /// A store that cannot tell a live worker from a dead one takes every worker for dead: it then starts with
    /// smaller batches than it must, and a run closed too early is closed again when it ends.
    fn take_marks(&mut self, run: RunId) -> Result<Option<u32>, StoreError>;
}
