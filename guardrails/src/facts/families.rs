use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Names one consistent read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// What the store calls the read, such as PostgreSQL's `pg_current_snapshot()`.
    pub id: String,
    /// The moment that the read shows, by the store's clock.
    pub as_of: DateTime<Utc>,
}

impl Snapshot {
    /// Makes the name of a read.
    pub fn new(id: impl Into<String>, as_of: DateTime<Utc>) -> Self {
        Self { id: id.into(), as_of }
    }
}

/// Something that must hold for every member of a population.
///
/// The population is what the invariant speaks of; its size is the denominator of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Invariant {
    /// No lead that is `matched` is in the backlog. Population: matched leads. Key: the lead's
    /// `source_pk`.
    MatchedNotInBacklog,
    /// The person of every matched lead has an origin. Population: matched leads. Key: the lead's
    /// `source_pk`.
    MatchedHasOrigin,
    /// The lead of every origin is linked to the origin's person. Population: origins. Key: the
    /// person's key.
    OriginHasLink,
    /// Every matched lead has a link. Population: matched leads. Key: the lead's `source_pk`.
    MatchedHasLink,
    /// The link of every matched lead leads to the person that the queue names. Population: matched
    /// leads that have a link. Key: the lead's `source_pk`.
    LinkToSamePerson,
    /// A lead's key is written in one way in every table: no key of a link, origin, claim or ledger
    /// row differs from the queue's only in case, surrounding blanks, leading zeros or a trailing
    /// `.0`, and none is blank. Population: distinct keys over all tables. Key: the odd spelling.
    SourcePkInOneFormat,
    /// By the ledger every lead is in the state that the queue says. Population: leads of the queue.
    /// Key: the lead's `source_pk`.
    LedgerAgreesWithQueue,
    /// Every actionable source has its packet, complete. Population: actionable sources. Key: the
    /// source or the packet's file name.
    PacketComplete,
}

impl std::fmt::Display for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::MatchedNotInBacklog => "matched_not_in_backlog",
            Self::MatchedHasOrigin => "matched_has_origin",
            Self::OriginHasLink => "origin_has_link",
            Self::MatchedHasLink => "matched_has_link",
            Self::LinkToSamePerson => "link_to_same_person",
            Self::SourcePkInOneFormat => "source_pk_in_one_format",
            Self::LedgerAgreesWithQueue => "ledger_agrees_with_queue",
            Self::PacketComplete => "packet_complete",
        })
    }
}

/// One row that breaks an invariant.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Offender {
    /// The row's key, such as a lead's `source_pk`; never a phone, document or e-mail.
    pub key: String,
    /// Why this row is here.
    pub reason: String,
}

impl Offender {
    /// Makes an offender from its key and its reason.
    pub fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into() }
    }
}

/// The rows that break an invariant: all counted, some listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offenders {
    /// How many rows the invariant speaks of, or `None` where only the offenders can be counted.
    pub population: Option<u64>,
    /// How many rows break it: exact, however many are listed.
    pub total: u64,
    /// The first of them, in the order of their keys.
    pub listed: Vec<Offender>,
}

impl Offenders {
    /// Says that none of a population breaks the invariant.
    #[must_use]
    pub fn none_of(population: u64) -> Self {
        Self { population: Some(population), ..Self::default() }
    }

    /// Counts offenders of a population, sorts them and lists the first `limit`.
    ///
    /// ```
    /// use guardrails::facts::{Offender, Offenders};
    ///
    /// let all = vec![Offender::new("b", "no link"), Offender::new("a", "no link")];
    /// let cut = Offenders::of(all, Some(10), 1);
    /// assert_eq!((cut.total, cut.listed[0].key.as_str()), (2, "a"));
    /// ```
    #[must_use]
    pub fn of(mut all: Vec<Offender>, population: Option<u64>, limit: usize) -> Self {
        all.sort();
        let total = all.len() as u64;
        all.truncate(limit);
        Self { population, total, listed: all }
    }
}

/// How many leads carry a fail reason.
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

/// How many failed leads of one reason hold no usable identifier of one kind.
///
/// A lead that lacks several kinds counts under each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LackCount {
    /// The fail reason's code.
    pub reason: String,
    /// The kind: `document`, `phone` or `email`.
    pub kind: String,
    /// How many leads of the reason lack it.
    pub leads: u64,
}

impl LackCount {
    /// Counts the leads of a reason that lack a kind.
    pub fn new(reason: impl Into<String>, kind: impl Into<String>, leads: u64) -> Self {
        Self { reason: reason.into(), kind: kind.into(), leads }
    }
}

/// The queue and the backlog, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueFacts {
    /// Leads in the backlog now, by its own view.
    pub backlog: u64,
    /// Leads of the backlog that the queue does not hold at all: a seed is due.
    pub backlog_not_in_queue: u64,
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

/// The migrations that the program holds and those that the database has applied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationFacts {
    /// Versions that the program holds, in its order; one that two sources carry stands twice.
    pub embedded: Vec<String>,
    /// Versions that the database has applied, in the order of application.
    pub applied: Vec<String>,
    /// Applied versions whose source or tables have changed since, each with what changed.
    pub drifted: Vec<Offender>,
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
