//! What is asked of a store and what it tells of it: seeds and batches.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::model::key::RunId;
use crate::model::options::RecoverOptions;
use crate::model::rejection::Rejection;
use crate::model::resolver::FailReason;

/// What a seed did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SeedSummary {
    /// The backlog's name.
    pub backlog: String,
    /// Leads in the backlog, each counted once; where only those that a feed names were read, the leads of it that the
    /// queue holds open after the seed, and the leaks.
    pub backlog_size: u64,
    /// How many leads were looked at, where a feed named them; `None` where the whole backlog was read.
    pub touched: Option<u64>,
    /// Rows that named a lead a second time, of the leads that were read.
    pub duplicates: u64,
    /// Rows without a date, of the leads that were read; they are dated with the time of the seed.
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
    /// Leads that could not be taken and were left out, each alone; those that the queue holds already stay as they
    /// are.
    pub rejected: u64,
    /// The first of them by key, at most [`Rejection::LISTED`]; the guardrail `rejected` lists more.
    pub rejections: Vec<Rejection>,
    /// Times that the seed was tried again because the database was away.
    pub reconnects: u64,
}

impl SeedSummary {
    /// Says whether the seed changed the queue.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.arrived + self.reopened + self.withdrawn + self.new_leaks > 0
    }
}

/// What one batch did.
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
    /// Leads that had left their backlog since they were claimed: settled as withdrawn, whatever was answered.
    pub withdrawn: u64,
    /// Leads put off after a technical error.
    pub retried: u64,
    /// Leads whose lease was lost before the answer came; nothing was written for them.
    pub lost_leases: u64,
}

/// One batch, as a store is asked for it.
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
    /// How many leads the batch after this one will ask for, at most; 0 where none is to be begun ahead.
    pub next: u32,
}

impl<'a> BatchRequest<'a> {
    /// Names a batch.
    #[must_use]
    pub fn new(run: RunId, size: u32, options: &'a RecoverOptions) -> Self {
        Self { run, size, options, careful: false, next: 0 }
    }
}

#[cfg_attr(not(any(feature = "sqlite", feature = "postgres")), allow(dead_code))] // the databases keep times so
pub(crate) fn from_std(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
