//! The queue store: what a backend must do.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use crate::backlog::Backlog;
use crate::error::{ConfigError, StoreError};
use crate::key::{PersonKey, RunId, SourcePk};
use crate::ledger::{DailyMetrics, LedgerSlot, daily_metrics};
use crate::options::{RecoverOptions, SeedOptions};
use crate::outlook::{AGE_BOUNDS, AgeBucket};
use crate::recover::{Cursor, Progress, RunSummary};
use crate::resolver::{FailReason, Resolver};

/// Says where a lead stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In the backlog, waiting for a decision.
    Pending,
    /// Linked to a person.
    Matched,
    /// In the backlog, decided as not matched until something changes.
    Failed,
    /// No longer in the backlog, and not by a match.
    Withdrawn,
}

impl Status {
    /// Lists every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Matched, Self::Failed, Self::Withdrawn];

    /// Gives the word, as the view `recovery_queue` shows it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Matched => "matched",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Holds one row of the recovery queue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueRow {
    /// The lead's key.
    pub source_pk: SourcePk,
    /// The backlog that it came from.
    pub backlog: String,
    /// Where it stands.
    pub status: Status,
    /// Why it failed.
    pub reason: Option<FailReason>,
    /// The person, when matched.
    pub person_key: Option<PersonKey>,
    /// Technical attempts that failed since it became pending.
    pub attempts: u32,
    /// When the lead came into being.
    pub lead_at: DateTime<Utc>,
    /// When the queue first saw it.
    pub first_seen_at: DateTime<Utc>,
    /// When it came to its status.
    pub since: DateTime<Utc>,
    /// Not worked on before this time: a back-off or a lease.
    pub not_before: Option<DateTime<Utc>>,
    /// The run that settled it.
    pub run_id: Option<RunId>,
}

/// Holds one identity link: a lead is a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkRow {
    /// The lead.
    pub source_pk: SourcePk,
    /// The person.
    pub person_key: PersonKey,
    /// The rule that decided; `MANUAL` for a person's decision.
    pub rule: String,
    /// How sure the decision was, in the resolver's words.
    pub confidence: String,
    /// Who decided by hand; absent when a run did.
    pub decided_by: Option<String>,
    /// The run that decided.
    pub run_id: Option<RunId>,
    /// When.
    pub linked_at: DateTime<Utc>,
}

/// Holds one identity origin: the first lead of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OriginRow {
    /// The person.
    pub person_key: PersonKey,
    /// The person's first lead, by creation time.
    pub source_pk: SourcePk,
    /// When that lead came into being.
    pub lead_at: DateTime<Utc>,
    /// Since when it is known as the origin.
    pub since: DateTime<Utc>,
}

/// Says what a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunKind {
    /// Seeds from a backlog.
    Seed,
    /// Recovers leads.
    Recover,
}

impl RunKind {
    /// Gives the word, as it is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Recover => "recover",
        }
    }
}

/// Describes a run that is about to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewRun {
    /// What it does.
    pub kind: RunKind,
    /// Who runs it, such as a host or a job's name.
    pub actor: String,
    /// The policy's version, where the resolver has one.
    pub policy: Option<String>,
}

impl NewRun {
    /// Describes a run of a kind by somebody.
    pub fn new(kind: RunKind, actor: impl Into<String>, policy: Option<String>) -> Self {
        Self { kind, actor: actor.into(), policy }
    }
}

/// Holds what is recorded of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunRecord {
    /// Its number.
    pub run_id: RunId,
    /// What it did.
    pub kind: RunKind,
    /// Who ran it.
    pub actor: String,
    /// The policy's version.
    pub policy: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; absent while it works, and for good when it was killed.
    pub finished_at: Option<DateTime<Utc>>,
    /// Leads per event kind (`matched`, `failed`, `arrived` …), from the ledger.
    pub events: BTreeMap<String, u64>,
    /// Leads settled per second; absent while unfinished or when nothing was settled.
    pub leads_per_second: Option<f64>,
}

/// Tells what a seed did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeedSummary {
    /// The backlog's name.
    pub backlog: String,
    /// Leads in the backlog, each counted once.
    pub backlog_size: u64,
    /// Rows that named a lead a second time.
    pub duplicates: u64,
    /// Rows without a date; they are dated with the time of the seed.
    pub undated: u64,
    /// Whether this was the backlog's first seed, so that arrivals are the opening balance.
    pub opening: bool,
    /// Leads that became pending as new, or came back.
    pub arrived: u64,
    /// Failed leads that became pending again.
    pub reopened: u64,
    /// Leads that left the backlog without a match.
    pub withdrawn: u64,
    /// Matched leads that are still in the backlog.
    pub leaks: u64,
    /// Of these, the ones not known before.
    pub new_leaks: u64,
    /// Leads that another backlog of this store already works on; they stay there.
    pub held_elsewhere: u64,
}

impl SeedSummary {
    /// Says whether the seed changed the queue.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.arrived + self.reopened + self.withdrawn + self.new_leaks > 0
    }
}

/// Tells what one batch did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchSummary {
    /// Leads claimed.
    pub claimed: u64,
    /// Leads settled as matched, those already linked included.
    pub matched: u64,
    /// Leads that were linked before the batch.
    pub already_linked: u64,
    /// Leads settled as failed, by reason.
    pub failed: BTreeMap<FailReason, u64>,
    /// Leads put off after a technical error.
    pub retried: u64,
    /// Leads whose lease was lost before the answer came; nothing was written for them.
    pub lost_leases: u64,
}

/// Names one batch to a store.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BatchRequest<'a> {
    /// The run that the batch belongs to.
    pub run: RunId,
    /// How many leads at most.
    pub size: u32,
    /// The run's options.
    pub options: &'a RecoverOptions,
    /// Whether the attempt is counted before it is made, for a lead that may kill the process.
    pub careful: bool,
}

impl<'a> BatchRequest<'a> {
    /// Names a batch.
    #[must_use]
    pub fn new(run: RunId, size: u32, options: &'a RecoverOptions) -> Self {
        Self { run, size, options, careful: false }
    }
}

/// Keeps the recovery queue, durably.
///
/// Five commands write, each all or nothing; [`snapshot`](QueueStore::snapshot) reads. The loop over the
/// batches is provided on top. The trait is object-safe; [`MemoryStore`](crate::MemoryStore) is its plainest
/// implementation, and the feature `testing` has a conformance suite for others.
pub trait QueueStore {
    /// Brings the queue in line with a backlog, in one transaction.
    ///
    /// A seed with unchanged data changes nothing.
    ///
    /// # Errors
    /// A backlog that cannot be read as one is refused before anything is written.
    fn seed(
        &mut self,
        backlog: &dyn Backlog,
        options: &SeedOptions,
    ) -> Result<SeedSummary, StoreError>;

    /// Opens a run, and mends identity origins that are missing.
    fn open_run(&mut self, run: &NewRun) -> Result<RunId, StoreError>;

    /// Claims a batch, has it resolved, and writes link, origin, settled row and ledger events, in one
    /// transaction (with leases: in two, each write fenced by the lease's token).
    ///
    /// The cursor moves past the leads claimed, so that a run looks at none of them twice in a pass.
    fn recover_batch(
        &mut self,
        batch: &BatchRequest<'_>,
        cursor: &mut Cursor,
        resolver: &mut dyn Resolver,
    ) -> Result<BatchSummary, StoreError>;

    /// Closes a run: its end is recorded.
    fn close_run(&mut self, run: RunId) -> Result<(), StoreError>;

    /// Makes the failed leads that hold one of these wake keys pending again, and only those; gives how many.
    ///
    /// Call it with the keys of a person who is new or has changed.
    fn wake(&mut self, keys: &[String]) -> Result<u64, StoreError>;

    /// Opens a consistent read of the whole store.
    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError>;

    /// Connects anew after the database was away; stores without a connection do nothing.
    fn reconnect(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Leaves a mark that a worker works with batches of a size, or takes its mark away.
    ///
    /// A mark that a dead worker left behind makes the next run begin with smaller batches, so that a lead
    /// that kills the process is found. Stores that die with the process do nothing.
    fn mark(&mut self, worker: &str, size: Option<u32>) -> Result<(), StoreError> {
        let _ = (worker, size);
        Ok(())
    }

    /// Takes all marks away; gives the smallest size among them.
    fn take_marks(&mut self) -> Result<Option<u32>, StoreError> {
        Ok(None)
    }

    /// Recovers leads, batch after batch, until none is left, the limit is reached or `progress` says stop.
    ///
    /// `progress` is called after each batch, between transactions: to break there is the graceful shutdown.
    fn recover(
        &mut self,
        resolver: &mut dyn Resolver,
        options: &RecoverOptions,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<RunSummary, StoreError> {
        crate::recover::recover(self, resolver, options, progress)
    }
}

/// Reads the store as it was at one instant.
///
/// Rows are pushed, so that ten million of them need no memory. A row's order is by key within its kind.
pub trait Snapshot {
    /// Gives the instant, by the clock of the store.
    fn as_of(&self) -> DateTime<Utc>;

    /// Pushes every row of the recovery queue, in the order of the lead keys.
    fn queue(&mut self, each: &mut dyn FnMut(QueueRow)) -> Result<(), StoreError>;

    /// Pushes every identity link, in the order of the lead keys.
    fn links(&mut self, each: &mut dyn FnMut(LinkRow)) -> Result<(), StoreError>;

    /// Pushes every identity origin, in the order of the person keys.
    fn origins(&mut self, each: &mut dyn FnMut(OriginRow)) -> Result<(), StoreError>;

    /// Pushes the ledger's slots that begin before `until`, in the order of time.
    fn ledger(
        &mut self,
        until: DateTime<Utc>,
        each: &mut dyn FnMut(LedgerSlot),
    ) -> Result<(), StoreError>;

    /// Gives the latest runs, newest first.
    fn runs(&mut self, limit: u32) -> Result<Vec<RunRecord>, StoreError>;

    /// Gives the keys of leads that were matched and seen in their backlog by a later seed, in order.
    fn leaks(&mut self) -> Result<Vec<SourcePk>, StoreError>;

    /// Gives the keys of leads that are matched and are in this backlog now, in order.
    fn matched_in(&mut self, backlog: &dyn Backlog) -> Result<Vec<SourcePk>, StoreError>;

    /// Counts the leads of each status; a status without leads is counted as 0.
    fn status_counts(&mut self) -> Result<BTreeMap<Status, u64>, StoreError> {
        let mut counts: BTreeMap<Status, u64> = Status::ALL.map(|status| (status, 0)).into();
        self.queue(&mut |row| *counts.entry(row.status).or_default() += 1)?;
        Ok(counts)
    }

    /// Counts the failed leads of each reason.
    fn reason_counts(&mut self) -> Result<BTreeMap<FailReason, u64>, StoreError> {
        let mut counts = BTreeMap::new();
        self.queue(&mut |row| {
            if let Some(reason) = row.reason {
                *counts.entry(reason).or_default() += 1;
            }
        })?;
        Ok(counts)
    }

    /// Counts the leads of the backlog by age, youngest first.
    fn ageing(&mut self) -> Result<Vec<AgeBucket>, StoreError> {
        let now = self.as_of();
        let mut counts = [0; AGE_BOUNDS.len()];
        self.queue(&mut |row| {
            if matches!(row.status, Status::Pending | Status::Failed) {
                counts[AgeBucket::of(now - row.lead_at)] += 1;
            }
        })?;
        Ok(AgeBucket::all(|bucket| counts[bucket]))
    }

    /// Counts the pending leads whose back-off or lease is over and that nobody has claimed again.
    fn overdue(&mut self) -> Result<u64, StoreError> {
        let now = self.as_of();
        let mut overdue = 0;
        self.queue(&mut |row| overdue += u64::from(row.not_before.is_some_and(|at| at <= now)))?;
        Ok(overdue)
    }

    /// Computes the daily metrics of `from..=to` in a zone; see [`daily_metrics`].
    ///
    /// # Errors
    /// A span of more than 100 years or with its ends swapped is refused.
    fn daily_metrics(
        &mut self,
        from: NaiveDate,
        to: NaiveDate,
        zone: Tz,
    ) -> Result<Vec<DailyMetrics>, StoreError> {
        if to < from || (to - from).num_days() > 36_600 {
            return Err(ConfigError::new(
                "span of days",
                format!("{from}..{to}"),
                "it ends before it begins, or is longer than 100 years",
                "give two dates in order",
            )
            .into());
        }
        let mut slots = Vec::new();
        self.ledger(crate::ledger::utc_end_of(to), &mut |slot| slots.push(slot))?;
        Ok(daily_metrics(slots, from, to, zone))
    }
}

/// Gives the size of the backlog by the queue: leads pending or failed.
#[must_use]
pub fn backlog_size(counts: &BTreeMap<Status, u64>) -> u64 {
    [Status::Pending, Status::Failed].iter().filter_map(|status| counts.get(status)).sum()
}

pub(crate) fn from_std(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
