//! The loop over the batches of a run, and the isolation of leads that a resolver cannot take.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::error::StoreError;
use crate::key::RunId;
use crate::options::{Backoff, RecoverOptions};
use crate::resolver::{ClaimedLead, FailReason, Resolution, ResolveError, Resolver};
use crate::store::{BatchRequest, BatchSummary, NewRun, QueueStore, RunKind};

/// Marks how far a run has come in each backlog.
///
/// Claims go forward only, so a run looks at no lead twice in a pass and never wades through the rows that
/// it has just removed.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// Per backlog: the claim order of the last lead claimed.
    pub(crate) positions: BTreeMap<i64, Position>,
    /// The backlog that was served last; the next one is served first.
    pub(crate) served: Option<i64>,
}

/// The place of a pending lead in the claim order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) priority: i64,
    pub(crate) lead_at: i64,
    pub(crate) lead_id: i64,
}

impl Position {
    /// Comes before every lead.
    pub(crate) const START: Self =
        Self { priority: i64::MIN, lead_at: i64::MIN, lead_id: i64::MIN };
}

impl Cursor {
    /// Makes a cursor that stands before the first lead.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn at_start(&self) -> bool {
        self.positions.is_empty()
    }

    fn rewind(&mut self) {
        self.positions.clear();
    }

    pub(crate) fn position(&self, backlog: i64) -> Position {
        self.positions.get(&backlog).copied().unwrap_or(Position::START)
    }

    /// Orders backlogs so that the one after the last served comes first.
    pub(crate) fn in_turn(&self, mut backlogs: Vec<i64>) -> Vec<i64> {
        backlogs.sort_unstable();
        if let Some(served) = self.served {
            let next = backlogs.partition_point(|&id| id <= served);
            backlogs.rotate_left(next);
        }
        backlogs
    }
}

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
    /// Leads put off after a technical error.
    pub retried: u64,
    /// Leads whose lease was lost before the answer came.
    pub lost_leases: u64,
    /// Times that a batch was tried again because the database was away.
    pub reconnects: u64,
    /// Why the run ended.
    pub stopped: Stopped,
}

impl RunSummary {
    /// Gives the number of failed leads of all reasons.
    #[must_use]
    pub fn failed_total(&self) -> u64 {
        self.failed.values().sum()
    }
}

fn add(total: &mut BatchSummary, batch: &BatchSummary) {
    total.claimed += batch.claimed;
    total.matched += batch.matched;
    total.already_linked += batch.already_linked;
    total.retried += batch.retried;
    total.lost_leases += batch.lost_leases;
    for (&reason, leads) in &batch.failed {
        *total.failed.entry(reason).or_default() += leads;
    }
}

/// What the workers of a run share.
struct Shared<'a> {
    run_id: RunId,
    options: &'a RecoverOptions,
    /// Leads that may still be claimed.
    left: AtomicU64,
    stop: AtomicBool,
    reconnects: AtomicU64,
    state: Mutex<Progress>,
}

impl<'a> Shared<'a> {
    fn new(run_id: RunId, options: &'a RecoverOptions) -> Self {
        Self {
            run_id,
            options,
            left: AtomicU64::new(options.limit.unwrap_or(u64::MAX)),
            stop: AtomicBool::new(false),
            reconnects: AtomicU64::new(0),
            state: Mutex::new(Progress {
                run_id,
                batches: 0,
                total: BatchSummary::default(),
                worker: 0,
            }),
        }
    }

    /// Reserves up to `size` leads of the limit.
    fn reserve(&self, size: u32) -> u32 {
        let take = |left: u64| u32::try_from(left).unwrap_or(u32::MAX).min(size);
        self.left
            .fetch_update(Relaxed, Relaxed, |left| Some(left - u64::from(take(left))))
            .map_or(0, take)
    }

    fn give_back(&self, leads: u64) {
        let _ = self.left.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_add(leads)));
    }

    fn summary(self, stopped: Stopped) -> RunSummary {
        let Progress { run_id, batches, total, .. } =
            self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let BatchSummary { claimed, matched, already_linked, failed, retried, lost_leases } = total;
        RunSummary {
            run_id,
            batches,
            claimed,
            matched,
            already_linked,
            failed,
            retried,
            lost_leases,
            reconnects: self.reconnects.into_inner(),
            stopped,
        }
    }
}

/// Starts small after a crash and doubles with each batch that lands.
struct Pace {
    number: usize,
    worker: String,
    size: u32,
    full: u32,
    careful: bool,
}

impl Pace {
    fn start<S: QueueStore + ?Sized>(
        store: &mut S,
        number: usize,
        run_id: RunId,
        full: u32,
        crashed: Option<u32>,
    ) -> Result<Self, StoreError> {
        let worker = format!("{run_id}/{}", number + 1);
        let size = crashed.map_or(full, |size| (size / 2).clamp(1, full));
        store.mark(&worker, Some(size))?;
        Ok(Self { number, worker, size, full, careful: crashed.is_some() && size == 1 })
    }

    fn landed<S: QueueStore + ?Sized>(&mut self, store: &mut S) -> Result<(), StoreError> {
        if self.size < self.full {
            self.size = self.size.saturating_mul(2).min(self.full);
            self.careful = false;
            store.mark(&self.worker, Some(self.size))?;
        }
        Ok(())
    }
}

/// How long a worker waits for the database: 0.2 s at first, 10 s at most.
const PATIENCE: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10), 0x5eed);

/// Waits and connects anew, as often as the options allow.
fn reconnect<S: QueueStore + ?Sized>(
    store: &mut S,
    shared: &Shared<'_>,
    worker: &str,
    mut error: StoreError,
) -> Result<(), StoreError> {
    for attempt in 1..=shared.options.max_reconnects {
        if !matches!(error, StoreError::Unavailable { .. }) {
            return Err(error);
        }
        tracing::warn!(%error, attempt, "the database is away, trying again");
        shared.reconnects.fetch_add(1, Relaxed);
        std::thread::sleep(PATIENCE.delay(worker, attempt));
        match store.reconnect() {
            Ok(()) => return Ok(()),
            Err(again) => error = again,
        }
    }
    Err(error)
}

/// Recovers leads with one store until none is left, the limit is reached or somebody says stop.
fn drain<S: QueueStore + ?Sized>(
    store: &mut S,
    resolver: &mut dyn Resolver,
    shared: &Shared<'_>,
    mut pace: Pace,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Stopped, StoreError> {
    let mut cursor = Cursor::new();
    let mut outages = 0;
    let stopped = loop {
        if shared.stop.load(Relaxed) {
            break Stopped::Asked;
        }
        let size = shared.reserve(pace.size);
        if size == 0 {
            break Stopped::Limit;
        }
        let fresh = cursor.at_start();
        let request = BatchRequest {
            careful: pace.careful,
            ..BatchRequest::new(shared.run_id, size, shared.options)
        };
        let batch = match store.recover_batch(&request, &mut cursor, resolver) {
            Ok(batch) => batch,
            Err(error) => {
                shared.give_back(u64::from(size));
                outages += 1;
                if outages > shared.options.max_reconnects {
                    return Err(error);
                }
                // What was committed before the connection went is no longer pending: nothing is done twice.
                reconnect(store, shared, &pace.worker, error)?;
                cursor.rewind();
                continue;
            }
        };
        outages = 0;
        shared.give_back(u64::from(size).saturating_sub(batch.claimed));
        if batch.claimed == 0 {
            // Leads that another worker held and gave back stand behind the cursor: look once more from
            // the start, and end when a look from the start finds nothing.
            if fresh {
                break Stopped::Drained;
            }
            cursor.rewind();
            continue;
        }
        pace.landed(store)?;
        tracing::debug!(
            run = shared.run_id.get(),
            claimed = batch.claimed,
            matched = batch.matched,
            "batch settled"
        );
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.batches += 1;
        state.worker = pace.number;
        add(&mut state.total, &batch);
        if progress(&state).is_break() {
            shared.stop.store(true, Relaxed);
        }
    };
    store.mark(&pace.worker, None)?;
    Ok(stopped)
}

pub(crate) fn recover<S: QueueStore + ?Sized>(
    store: &mut S,
    resolver: &mut dyn Resolver,
    options: &RecoverOptions,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<RunSummary, StoreError> {
    options.check()?;
    let run_id = store.open_run(&new_run(options))?;
    let crashed = store.take_marks()?;
    let shared = Shared::new(run_id, options);
    let pace = Pace::start(store, 0, run_id, options.batch_size, crashed)?;
    let stopped = drain(store, resolver, &shared, pace, progress)?;
    store.close_run(run_id)?;
    Ok(shared.summary(stopped))
}

fn new_run(options: &RecoverOptions) -> NewRun {
    NewRun::new(RunKind::Recover, options.actor.clone(), options.policy.clone())
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
    options.check()?;
    let Some((first, _)) = workers.first_mut() else {
        return Err(crate::error::ConfigError::new(
            "workers",
            "0",
            "nobody would work",
            "use 1 or more",
        )
        .into());
    };
    let run_id = first.open_run(&new_run(options))?;
    let crashed = first.take_marks()?;
    let shared = Shared::new(run_id, options);
    let progress = Mutex::new(progress);
    let results: Vec<Result<Stopped, StoreError>> = std::thread::scope(|scope| {
        let handles: Vec<_> = workers
            .iter_mut()
            .enumerate()
            .map(|(number, (store, resolver))| {
                let (shared, progress) = (&shared, &progress);
                scope.spawn(move || {
                    let result = Pace::start(store, number, run_id, options.batch_size, crashed)
                        .and_then(|pace| {
                            drain(store, resolver, shared, pace, &mut |state| {
                                let mut tell =
                                    progress.lock().unwrap_or_else(PoisonError::into_inner);
                                (*tell)(state)
                            })
                        });
                    if result.is_err() {
                        shared.stop.store(true, Relaxed);
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
    let mut stopped = Stopped::Drained;
    for result in results {
        match result? {
            Stopped::Drained => {}
            other => stopped = other,
        }
    }
    if let Some((first, _)) = workers.first_mut() {
        first.close_run(run_id)?;
    }
    Ok(shared.summary(stopped))
}

/// Resolves a batch; where the resolver fails or panics on it, halves it until the lead at fault is alone.
///
/// A lead alone at fault gets a technical error; all others get their own resolution.
pub(crate) fn resolve_isolated(
    resolver: &mut dyn Resolver,
    leads: &[ClaimedLead],
) -> Result<Vec<Resolution>, StoreError> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    // A resolver that panicked is called again with a part of the batch: it must not rely on state that it
    // left half-changed. That is said in the trait's docs of batches; here nothing of ours is shared with it.
    let answer = catch_unwind(AssertUnwindSafe(|| resolver.resolve(leads)));
    let message = match answer {
        Ok(Ok(resolutions)) => {
            if resolutions.len() != leads.len() {
                return Err(StoreError::ResolutionCount {
                    wanted: leads.len(),
                    given: resolutions.len(),
                });
            }
            return Ok(resolutions.into_iter().map(storable).collect());
        }
        Ok(Err(ResolveError::Unavailable(reason))) => {
            return Err(StoreError::ResolverUnavailable { reason });
        }
        Ok(Err(ResolveError::Batch(message))) => message,
        Err(_) => "the resolver panicked".to_owned(),
    };
    if leads.len() == 1 {
        return Ok(vec![storable(Resolution::error(message))]);
    }
    let (left, right) = leads.split_at(leads.len() / 2);
    let mut resolutions = resolve_isolated(resolver, left)?;
    resolutions.extend(resolve_isolated(resolver, right)?);
    Ok(resolutions)
}

/// The longest rule, confidence or wake key that a store keeps, in bytes.
const MAX_WORD_BYTES: usize = 64;

/// Turns a resolution that a database would refuse into a technical error of that lead alone.
fn storable(resolution: Resolution) -> Resolution {
    let word = |text: &str| text.len() <= MAX_WORD_BYTES && !text.contains('\0');
    let text = |text: &Option<String>| text.as_deref().is_none_or(|text| !text.contains('\0'));
    let problem = match &resolution {
        Resolution::Matched(found) if !word(&found.rule) => "the rule's name cannot be stored",
        Resolution::Matched(found) if !word(&found.confidence) => "the confidence cannot be stored",
        Resolution::Matched(found) if !text(&found.evidence) => "the evidence holds a NUL byte",
        Resolution::Unmatched { evidence, .. } if !text(evidence) => {
            "the evidence holds a NUL byte"
        }
        Resolution::Unmatched { wake_keys, .. } if !wake_keys.iter().all(|key| word(key)) => {
            "a wake key cannot be stored"
        }
        Resolution::Error { message } if message.contains('\0') => "an error with a NUL byte",
        _ => return resolution,
    };
    Resolution::error(problem)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::key::SourcePk;

    fn leads(count: usize) -> Vec<ClaimedLead> {
        (0..count)
            .map(|i| {
                ClaimedLead::new(SourcePk::new(format!("L-{i}")).unwrap(), DateTime::<Utc>::MIN_UTC)
            })
            .collect()
    }

    #[test]
    fn a_lead_that_panics_fails_alone() {
        let mut resolver = |leads: &[ClaimedLead]| {
            assert!(leads.iter().all(|lead| lead.source_pk.as_str() != "L-5"));
            Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
        };
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let resolutions = resolve_isolated(&mut resolver, &leads(9)).unwrap();
        std::panic::set_hook(hook);
        for (i, resolution) in resolutions.iter().enumerate() {
            assert_eq!(matches!(resolution, Resolution::Error { .. }), i == 5);
        }
    }

    #[test]
    fn a_wrong_number_of_resolutions_is_an_error() {
        let mut resolver = |_: &[ClaimedLead]| Ok(Vec::new());
        assert!(matches!(
            resolve_isolated(&mut resolver, &leads(2)),
            Err(StoreError::ResolutionCount { wanted: 2, given: 0 })
        ));
    }

    #[test]
    fn backlogs_are_served_in_turn() {
        let cursor = Cursor { served: Some(2), ..Cursor::default() };
        assert_eq!(cursor.in_turn(vec![1, 2, 3]), [3, 1, 2]);
    }
}
