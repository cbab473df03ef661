//! The size of a worker's batches, which starts small after a crash.

use super::reconnect::retry_on_outage;
use super::summary::Shared;
use crate::model::error::StoreError;
use crate::store::QueueStore;

/// Starts small after a crash and doubles with each batch that lands.
pub(super) struct Pace {
    pub(super) number: usize,
    pub(super) worker: String,
    pub(super) size: u32,
    full: u32,
    /// Whether the next batch is one lead that may kill the process.
    pub(super) careful: bool,
}

fn write<S: QueueStore + ?Sized>(
    store: &mut S,
    worker: &str,
    size: Option<u32>,
) -> Result<(), StoreError> {
    match store.run_store() {
        Some(runs) => runs.mark(worker, size),
        None => Ok(()),
    }
}

impl Pace {
    /// Makes the pace of a worker; `crashed` is the size of the batch that a dead worker had in hand.
    pub(super) fn new(shared: &Shared<'_>, number: usize, crashed: Option<u32>) -> Self {
        let full = shared.options.batch_size;
        let size = crashed.map_or(full, |size| (size / 2).clamp(1, full));
        let worker = format!("{}/{}", shared.run_id, number + 1);
        Self { number, worker, size, full, careful: crashed.is_some() && size == 1 }
    }

    /// Leaves the mark that tells, should the process die, how big the batch in hand was.
    pub(super) fn mark<S: QueueStore + ?Sized>(
        &self,
        store: &mut S,
        shared: &Shared<'_>,
    ) -> Result<(), StoreError> {
        retry_on_outage(store, shared.patience(&self.worker), |store| {
            write(store, &self.worker, Some(self.size))
        })
    }

    /// Takes the mark away; where the run has failed, in one try and without a word.
    pub(super) fn unmark<S: QueueStore + ?Sized>(
        &self,
        store: &mut S,
        shared: &Shared<'_>,
        well: bool,
    ) -> Result<(), StoreError> {
        if well {
            let patience = shared.patience(&self.worker);
            retry_on_outage(store, patience, |store| write(store, &self.worker, None))
        } else {
            // Patience is at its end: the next run takes a mark that cannot be removed for that of a dead worker.
            write(store, &self.worker, None).or(Ok(()))
        }
    }

    /// Halves the size for good, where a limit of the database ended a batch; says whether there was anything to halve.
    pub(super) fn halve<S: QueueStore + ?Sized>(
        &mut self,
        store: &mut S,
        shared: &Shared<'_>,
    ) -> Result<bool, StoreError> {
        if self.size <= 1 {
            return Ok(false);
        }
        self.size /= 2;
        self.full = self.size;
        self.mark(store, shared)?;
        Ok(true)
    }

    /// Doubles the size after a batch that landed.
    pub(super) fn landed<S: QueueStore + ?Sized>(
        &mut self,
        store: &mut S,
        shared: &Shared<'_>,
    ) -> Result<(), StoreError> {
        if self.size < self.full {
            self.size = self.size.saturating_mul(2).min(self.full);
            self.careful = false;
            self.mark(store, shared)?;
        }
        Ok(())
    }
}
