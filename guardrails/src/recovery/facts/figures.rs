use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::facts::Offender;

/// The number of leads with one fail reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// The reason's code, such as `NO_CANDIDATES`.
    pub reason: String,
    /// How many leads carry it.
    pub leads: u64,
}

impl ReasonCount {
    /// Pairs a reason with its count.
    pub fn new(reason: impl Into<String>, leads: u64) -> Self {
        Self { reason: reason.into(), leads }
    }
}

/// The number of failed leads of one reason that hold no usable identifier of just these kinds.
///
/// Each lead counts once: under the whole set of kinds that it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LackCount {
    /// The fail reason's code.
    pub reason: String,
    /// The kinds that the leads lack, such as `document`, `phone`, `email`; at least one.
    pub kinds: Vec<String>,
    /// Those of the kinds of which the leads gave a value that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// How many leads of the reason lack just these.
    pub leads: u64,
}

impl LackCount {
    /// Counts the leads of a reason that lack just these kinds.
    pub fn new<K: Into<String>>(
        reason: impl Into<String>,
        kinds: impl IntoIterator<Item = K>,
        leads: u64,
    ) -> Self {
        let kinds = kinds.into_iter().map(Into::into).collect();
        Self { reason: reason.into(), kinds, unread: Vec::new(), leads }
    }

    /// Says of which of the kinds the leads gave a value that could not be read.
    #[must_use]
    pub fn unread<K: Into<String>>(mut self, kinds: impl IntoIterator<Item = K>) -> Self {
        self.unread = kinds.into_iter().map(Into::into).collect();
        self
    }
}

/// The queue and the backlog, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueFacts {
    /// Leads in the backlog now, by its own view.
    pub backlog: u64,
    /// Leads of the backlog that the queue does not hold at all: a seed is due.
    pub backlog_not_in_queue: u64,
    /// Leads of the backlog that the last seed left out, since they cannot be taken, and that the queue does not hold.
    #[serde(default)]
    pub rejected: u64,
    /// Leads of the backlog that somebody has taken out of the work by hand.
    #[serde(default)]
    pub cancelled: u64,
    /// Leads of the queue that wait for their turn.
    pub pending: u64,
    /// Leads of the queue that have their person.
    pub matched: u64,
    /// Leads of the queue that have a fail reason.
    pub failed: u64,
    /// Leads of the queue that left the backlog by themselves.
    pub withdrawn: u64,
    /// The failed leads by reason, most leads first.
    pub reasons: Vec<ReasonCount>,
}

/// One day of the ledger, in the time zone that the metrics were asked in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyMetrics {
    /// The day.
    pub day: NaiveDate,
    /// Open leads when the day began.
    pub backlog_start: i64,
    /// Leads that came into the backlog.
    pub new_backlog_in: i64,
    /// Leads that left it matched.
    pub matched_out: i64,
    /// Leads that left it in another way.
    pub other_out: i64,
    /// Open leads when the day ended.
    pub backlog_end: i64,
    /// `backlog_end − backlog_start`.
    pub net_change: i64,
    /// The reason that most leads failed with on that day.
    pub top_fail_reason: Option<String>,
}

/// The daily rows, and what ledger and queue each say is open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerFacts {
    /// Days without a gap, oldest first.
    pub days: Vec<DailyMetrics>,
    /// Open leads by the sum of all ledger events.
    pub open_by_ledger: i64,
    /// Open leads by the queue: `pending` and `failed`.
    pub open_by_queue: i64,
    /// The day that is not over yet, where the last row is one.
    #[serde(default)]
    pub unfinished: Option<NaiveDate>,
    /// Leads matched in the 24 hours before the read: another figure than `matched_out`, which counts a day of the
    /// calendar.
    #[serde(default)]
    pub matched_last_24h: Option<u64>,
}

/// One run of the recovery: what it found and what it left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    /// The run's id.
    pub run_id: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; `None` for a run that is under way or was cut off.
    pub finished_at: Option<DateTime<Utc>>,
    /// Leads in the backlog before it.
    pub backlog_before: u64,
    /// Leads in the backlog after it.
    pub backlog_after: u64,
    /// Leads that came into the backlog since `backlog_before` was counted.
    pub new_backlog_in: u64,
    /// Leads that the run matched.
    pub matched: u64,
    /// Leads that left the backlog otherwise in that time.
    pub other_out: u64,
    /// Leads that the run tried and that failed, by reason, most leads first.
    pub failed: Vec<ReasonCount>,
}

/// One book of migrations: those that the program holds and those that the database has applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationFacts {
    /// Whose book it is, such as `recovery queue`; blank where there is only one.
    #[serde(default)]
    pub book: String,
    /// What to do about pending migrations: a sentence, and the command that does it.
    #[serde(default)]
    pub remedy: Option<crate::Remedy>,
    /// Versions that the program holds, in its order; one that two sources carry stands twice.
    pub embedded: Vec<String>,
    /// Versions that the database has applied, in the order of application.
    pub applied: Vec<String>,
    /// Applied versions whose source or tables have changed since, each with what changed.
    pub drifted: Vec<Offender>,
    /// Applied versions of which nobody recorded a checksum, so that it cannot be told whether their source was edited.
    #[serde(default)]
    pub unverified: Vec<String>,
    /// Pending versions whose tables are there already, since another branch or program made them.
    #[serde(default)]
    pub made: Vec<String>,
    /// Tables that the migrations make, which are there though the book records no migration.
    #[serde(default)]
    pub unrecorded: Vec<String>,
}

/// Leads of the backlog whose age lies in a range of days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeBucket {
    /// The least age in whole days.
    pub from_days: u32,
    /// The age in whole days that is too much; `None` for the last, open bucket.
    pub below_days: Option<u32>,
    /// How many leads.
    pub leads: u64,
}
