//! The loop over the batches of a run.

mod async_resolver;
mod batch_size;
mod isolate;
mod leased;
mod read_ahead;
mod reconnect;
mod summary;

use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

pub use async_resolver::AsyncResolver;
pub use isolate::resolve_isolated;
pub(crate) use isolate::storable;
pub use read_ahead::ReadAhead;
pub(crate) use reconnect::{Patience, retry_on_outage};

use crate::model::cursor::Cursor;
use crate::model::error::{ConfigError, StoreError};
use crate::model::key::RunId;
use crate::model::options::{ClaimMode, RecoverOptions};
use crate::model::progress::{Progress, RunSummary, Stopped};
use crate::model::resolver::Resolver;
use crate::model::run::{NewRun, RunKind, RunOutcome};
use crate::model::work::{BatchRequest, BatchSummary};
use crate::store::QueueStore;
use crate::trace;
use batch_size::Pace;
use reconnect::Outage;
use summary::Shared;

/// The loop over the batches, which every store has.
///
/// ```
/// # #[cfg(feature = "testing")]
/// # fn main() -> Result<(), recovery_queue::StoreError> {
/// use recovery_queue::testing::ScriptedResolver;
/// use recovery_queue::{InMemoryStore, Recover, RecoverOptions};
///
/// let run = InMemoryStore::new().recover(&mut ScriptedResolver::new(), &RecoverOptions::default())?;
/// assert_eq!(run.claimed, 0);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
pub trait Recover: QueueStore {
    /// Recovers leads, batch after batch, until none is left, the limit is reached or the options'
    /// [`stop`](RecoverOptions::stop) is asked, which is seen between two batches.
    ///
    /// # Errors
    /// A way of claiming that the store or the resolver has not, and the store's.
    fn recover(
        &mut self,
        resolver: &mut dyn Resolver,
        options: &RecoverOptions,
    ) -> Result<RunSummary, StoreError> {
        recover(self, resolver, options, &mut |_| ControlFlow::Continue(()))
    }

    /// Recovers leads as [`recover`](Self::recover) does, and calls `progress` after each batch, between transactions: to
    /// break there is another way to stop.
    ///
    /// # Errors
    /// As [`recover`](Self::recover).
    fn recover_with_progress(
        &mut self,
        resolver: &mut dyn Resolver,
        options: &RecoverOptions,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<RunSummary, StoreError> {
        recover(self, resolver, options, progress)
    }
}

impl<S: QueueStore + ?Sized> Recover for S {}

/// Called after each batch, between transactions; to break stops the run.
type Tell<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// Recovers one batch in the way of claiming that the options name.
fn one_batch<S: QueueStore + ?Sized>(
    store: &mut S,
    request: &BatchRequest<'_>,
    cursor: &mut Cursor,
    resolver: &mut dyn Resolver,
    patience: Patience<'_>,
) -> Result<BatchSummary, StoreError> {
    match request.options.claim {
        ClaimMode::Transaction => store.recover_batch(request, cursor, resolver),
        ClaimMode::Lease { ttl } => {
            leased::recover(store, request, ttl, cursor, resolver, patience)
        }
    }
}

/// Recovers leads with one store until none is left, the limit is reached or somebody says stop.
fn drain<S: QueueStore + ?Sized>(
    store: &mut S,
    resolver: &mut dyn Resolver,
    shared: &Shared<'_>,
    pace: &mut Pace,
    progress: &mut Tell<'_>,
) -> Result<Stopped, StoreError> {
    let mut cursor = Cursor::beside(&shared.claimed);
    let who = pace.worker.clone();
    let patience = shared.patience(&who);
    let mut outage = Outage::new(patience);
    loop {
        if shared.is_asked() {
            return Ok(Stopped::Asked);
        }
        let size = shared.reserve(pace.size);
        if size == 0 {
            return Ok(Stopped::Limit);
        }
        let fresh = cursor.at_start();
        let request = BatchRequest {
            careful: pace.careful,
            next: shared.left(pace.size),
            ..BatchRequest::new(shared.run_id, size, shared.options)
        };
        let span = trace::batch(shared.run_id, pace.number, size);
        let batch = span.in_scope(|| one_batch(store, &request, &mut cursor, resolver, patience));
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                shared.give_back(u64::from(size));
                if let StoreError::Cut { setting, limit, .. } = &error {
                    trace::cut(setting, *limit, size);
                    if pace.halve(store, shared)? {
                        cursor.rewind();
                        continue;
                    }
                }
                // What was committed before the connection went is no longer pending: nothing is done twice.
                match outage.survive(store, error) {
                    Ok(()) => {}
                    // Whoever is to stop does not wait until a resolver or a database is back.
                    Err(error) if shared.is_asked() && error.is_retryable() => {
                        return Ok(Stopped::Asked);
                    }
                    Err(error) => return Err(error),
                }
                pace.mark(store, shared)?;
                cursor.rewind();
                continue;
            }
        };
        outage.is_over();
        shared.give_back(u64::from(size).saturating_sub(batch.claimed));
        if batch.claimed == 0 {
            // Leads that another worker held and gave back stand behind the cursor: look once more from
            // the start, and end when a look from the start finds nothing.
            if fresh {
                return Ok(Stopped::Drained);
            }
            cursor.rewind();
            continue;
        }
        pace.landed(store, shared)?;
        span.in_scope(|| trace::batch_settled(shared.run_id, &batch));
        if shared.tell(pace.number, &batch, progress).is_break() {
            shared.stop.ask();
        }
    }
}

/// Works as one worker of a run; its mark goes when it ends, by an error too, and stays when it dies.
fn work<S: QueueStore + ?Sized>(
    store: &mut S,
    resolver: &mut dyn Resolver,
    shared: &Shared<'_>,
    number: usize,
    crashed: Option<u32>,
    progress: &mut Tell<'_>,
) -> Result<Stopped, StoreError> {
    let mut pace = Pace::new(shared, number, crashed);
    let stopped =
        pace.mark(store, shared).and_then(|()| drain(store, resolver, shared, &mut pace, progress));
    let unmarked = pace.unmark(store, shared, stopped.is_ok());
    // A mark that cannot be removed the next run takes for that of a dead worker; whoever stops need not wait for it.
    if shared.is_asked() { stopped } else { unmarked.and(stopped) }
}

/// Opens a run; gives it with the size of the batch that a dead worker had in hand.
fn start<S: QueueStore + ?Sized>(
    store: &mut S,
    options: &RecoverOptions,
    reconnects: &AtomicU64,
) -> Result<(RunId, Option<u32>), StoreError> {
    options.check()?;
    store.heed(&options.stop);
    let run = NewRun::new(RunKind::Recover, options.actor.clone(), options.policy.clone());
    let patience = Patience::new(&options.actor, options.max_reconnects, &options.stop, reconnects);
    let run_id = retry_on_outage(store, patience, |store| match store.run_store() {
        Some(runs) => runs.open_run(&run),
        None => Ok(RunId::UNRECORDED),
    })?;
    let crashed = retry_on_outage(store, patience, |store| match store.run_store() {
        Some(runs) => runs.take_marks(run_id),
        None => Ok(None),
    })?;
    Ok((run_id, crashed))
}

/// Refuses a way of claiming that the store or the resolver has not.
fn check_claim<S: QueueStore + ?Sized>(
    store: &mut S,
    resolver: &dyn Resolver,
    options: &RecoverOptions,
) -> Result<(), ConfigError> {
    let (value, reason, remedy) = match options.claim {
        ClaimMode::Lease { .. } if store.lease_store().is_none() => {
            ("lease", "this store lends no leads", "use ClaimMode::Transaction")
        }
        ClaimMode::Transaction if resolver.needs_lease() => (
            "transaction",
            "this resolver waits for others, and a transaction would stay open meanwhile",
            "use ClaimMode::Lease",
        ),
        _ => return Ok(()),
    };
    Err(ConfigError::new("claim", value, reason, remedy))
}

/// Records how a run ended, and tells it.
fn end<S: QueueStore + ?Sized>(
    store: &mut S,
    shared: Shared<'_>,
    result: Result<Stopped, StoreError>,
) -> Result<RunSummary, StoreError> {
    let (run_id, options, stop) = (shared.run_id, shared.options, shared.stop.clone());
    let close = |store: &mut S, outcome| match store.run_store() {
        Some(runs) => runs.close_run(run_id, outcome),
        None => Ok(()),
    };
    match result {
        Ok(stopped) => {
            let closed = retry_on_outage(store, shared.patience(&options.actor), |store| {
                close(store, RunOutcome::from(stopped))
            });
            let recorded = match closed {
                Ok(()) => store.run_store().is_some(),
                // The next run finds it unfinished and closes it as killed.
                Err(error) if stop.is_asked() && error.is_retryable() => {
                    trace::end_unrecorded(run_id, &error);
                    false
                }
                Err(error) => return Err(error),
            };
            let mut summary = shared.summary(stopped, recorded);
            if recorded && summary.reconnects > 0 {
                // What was committed and not answered is in the ledger.
                let uncounted = AtomicU64::new(0);
                let (who, max) = (&options.actor, options.max_reconnects);
                let patience = Patience::new(who, max, &stop, &uncounted);
                let record = retry_on_outage(store, patience, |store| {
                    let runs = store.snapshot()?.runs(1000)?;
                    Ok(runs.into_iter().find(|run| run.run_id == run_id))
                })?;
                if let Some(record) = record {
                    summary.correct(&record);
                }
            }
            trace::run_done(&summary);
            Ok(summary)
        }
        Err(error) => {
            if let Err(unrecorded) = close(store, RunOutcome::Failed) {
                trace::end_unrecorded(run_id, &unrecorded);
            }
            Err(error)
        }
    }
}

fn recover<S: QueueStore + ?Sized>(
    store: &mut S,
    resolver: &mut dyn Resolver,
    options: &RecoverOptions,
    progress: &mut Tell<'_>,
) -> Result<RunSummary, StoreError> {
    check_claim(store, resolver, options)?;
    let reconnects = AtomicU64::new(0);
    let (run_id, crashed) = start(store, options, &reconnects)?;
    let span = trace::run(run_id, 1);
    let _entered = span.enter();
    let shared = Shared::new(run_id, options, reconnects);
    let result = work(store, resolver, &shared, 0, crashed, progress);
    end(store, shared, result)
}

/// Recovers leads with several workers, each with a store and a resolver of its own, as one run.
///
/// The limit holds for all together; `progress` is called after each batch of any of them, and to break there
/// stops all after the batch in hand. PostgreSQL gains by workers, SQLite has one writer and does not.
///
/// # Errors
/// The first worker's error; the others finish the batch in hand and stop.
pub fn recover_with_workers<S, R>(
    workers: &mut [(S, R)],
    options: &RecoverOptions,
    progress: &mut (dyn FnMut(&Progress) -> ControlFlow<()> + Send),
) -> Result<RunSummary, StoreError>
where
    S: QueueStore + Send,
    R: Resolver + Send,
{
    for (store, resolver) in &mut *workers {
        check_claim(store, resolver, options)?;
        store.heed(&options.stop);
    }
    let Some((first, _)) = workers.first_mut() else {
        return Err(ConfigError::new("workers", "0", "nobody would work", "use 1 or more").into());
    };
    let reconnects = AtomicU64::new(0);
    let (run_id, crashed) = start(first, options, &reconnects)?;
    let span = trace::run(run_id, workers.len());
    let _entered = span.enter();
    let shared = Shared::new(run_id, options, reconnects);
    let progress = Mutex::new(progress);
    let results: Vec<Result<Stopped, StoreError>> = std::thread::scope(|scope| {
        let handles: Vec<_> = workers
            .iter_mut()
            .enumerate()
            .map(|(number, (store, resolver))| {
                let (shared, progress, span) = (&shared, &progress, span.clone());
                scope.spawn(move || {
                    let _entered = span.enter();
                    let mut tell = |state: &Progress| {
                        let mut tell = progress.lock().unwrap_or_else(PoisonError::into_inner);
                        (*tell)(state)
                    };
                    let result = work(store, resolver, shared, number, crashed, &mut tell);
                    if result.is_err() {
                        shared.stop.ask();
                    }
                    result
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    // The first error holds; else whoever did not drain the queue says why.
    let together = results.into_iter().reduce(|all, one| match (all, one) {
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        (Ok(Stopped::Drained), Ok(one)) => Ok(one),
        (Ok(all), Ok(_)) => Ok(all),
    });
    let Some((first, _)) = workers.first_mut() else {
        return Ok(shared.summary(Stopped::Drained, false));
    };
    end(first, shared, together.unwrap_or(Ok(Stopped::Drained)))
}
