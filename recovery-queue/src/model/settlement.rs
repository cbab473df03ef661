//! What becomes of a lead: by the answer of a resolver, and by a seed.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::backlog::{Backlog, BacklogRows};
use crate::model::key::{PersonKey, RunId};
use crate::model::ledger::EventKind;
use crate::model::options::{RecoverOptions, SeedOptions};
use crate::model::rejection::Rejection;
use crate::model::resolver::{ClaimedLead, FailReason, LONGEST_REST, Resolution};
use crate::model::rows::{QueueRow, Status};
use crate::model::work::{BatchSummary, SeedSummary};

/// What becomes of a claimed lead by the answer of a resolver; for stores.
///
/// ```
/// use chrono::DateTime;
/// use recovery_queue::{ClaimedLead, RecoverOptions, Resolution, Settlement, SourcePk, Status};
///
/// let lead = ClaimedLead::new(SourcePk::new("L-1")?, DateTime::UNIX_EPOCH);
/// let now = DateTime::UNIX_EPOCH;
/// let told = Settlement::of(&Resolution::error("it timed out"), &lead, now, &RecoverOptions::default());
/// assert_eq!((told.status, told.attempts), (Status::Pending, 1));
/// assert!(told.not_before > Some(now), "it rests");
/// # Ok::<(), recovery_queue::KeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settlement {
    /// Where the lead stands now.
    pub status: Status,
    /// Why it failed.
    pub reason: Option<FailReason>,
    /// The person, when matched.
    pub person_key: Option<PersonKey>,
    /// Technical attempts that have failed.
    pub attempts: u32,
    /// When it may be claimed again after a technical error.
    pub not_before: Option<DateTime<Utc>>,
}

impl Settlement {
    /// Says what becomes of a lead: after a technical error it rests, and is given up as `ERROR` at
    /// [`max_attempts`](RecoverOptions::max_attempts).
    #[must_use]
    pub fn of(
        answer: &Resolution,
        lead: &ClaimedLead,
        now: DateTime<Utc>,
        options: &RecoverOptions,
    ) -> Self {
        let mut settlement = Self {
            status: Status::Failed,
            reason: None,
            person_key: None,
            attempts: lead.attempts,
            not_before: None,
        };
        match answer {
            Resolution::Matched(found) => {
                settlement.status = Status::Matched;
                settlement.person_key = Some(found.person_key.clone());
            }
            Resolution::Unmatched { reason, .. } => settlement.reason = Some(reason.clone()),
            Resolution::Later { rest, .. } => {
                settlement.status = Status::Pending;
                let rest = TimeDelta::from_std((*rest).min(LONGEST_REST)).unwrap_or_default();
                settlement.not_before = Some(now + rest);
            }
            Resolution::Error { .. } => {
                settlement.attempts += 1;
                if settlement.attempts >= options.max_attempts {
                    settlement.reason = Some(FailReason::Error);
                } else {
                    let rest = options.backoff.delay(lead.source_pk.as_str(), settlement.attempts);
                    settlement.status = Status::Pending;
                    settlement.not_before =
                        Some(now + TimeDelta::from_std(rest).unwrap_or_default());
                }
            }
        }
        settlement
    }

    /// Says what becomes of a lead that has left its backlog since it was claimed, whatever was answered.
    #[must_use]
    pub fn withdrawn(lead: &ClaimedLead) -> Self {
        Self {
            status: Status::Withdrawn,
            reason: None,
            person_key: None,
            attempts: lead.attempts,
            not_before: None,
        }
    }

    /// Says what becomes of a lead that was matched to a person who is gone: it fails as `PERSON_GONE`.
    #[must_use]
    pub fn person_gone(lead: &ClaimedLead) -> Self {
        let reason = Some(FailReason::PersonGone);
        Self { status: Status::Failed, reason, ..Self::withdrawn(lead) }
    }

    /// Says what becomes of a lead that was matched to a person whom somebody has rejected for it: it fails as `REJECTED`.
    #[must_use]
    pub fn rejected(lead: &ClaimedLead) -> Self {
        let reason = Some(FailReason::Rejected);
        Self { status: Status::Failed, reason, ..Self::withdrawn(lead) }
    }

    /// Writes what became of a lead into its row.
    pub fn write(self, row: &mut QueueRow, run: RunId, now: DateTime<Utc>) {
        row.status = self.status;
        row.reason = self.reason;
        row.person_key = self.person_key;
        row.attempts = self.attempts;
        row.not_before = self.not_before;
        row.since = now;
        row.run_id = (self.status != Status::Pending).then_some(run);
    }
}

impl BatchSummary {
    /// Begins the summary of a batch of so many leads.
    #[must_use]
    pub fn of(claimed: u64) -> Self {
        Self { claimed, ..Self::default() }
    }

    /// Counts what became of one lead.
    pub fn count(&mut self, settlement: &Settlement) {
        match (settlement.status, &settlement.reason) {
            (Status::Matched, _) => self.matched += 1,
            (Status::Failed, Some(reason)) => *self.failed.entry(reason.clone()).or_default() += 1,
            (Status::Withdrawn, _) => self.withdrawn += 1,
            _ => self.retried += 1,
        }
    }

    /// Gives the ledger's events of the batch.
    #[must_use]
    pub fn events(&self) -> Vec<(EventKind, Option<FailReason>, u64)> {
        let mut events = vec![(EventKind::Matched, None, self.matched)];
        events.extend(
            self.failed.iter().map(|(why, &leads)| (EventKind::Failed, Some(why.clone()), leads)),
        );
        events.push((EventKind::Withdrawn, None, self.withdrawn));
        events.push((EventKind::Retried, None, self.retried));
        events.retain(|(_, _, leads)| *leads > 0);
        events
    }
}

/// What a seed does with a lead that the store knows; for stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeedStep {
    /// It stays as it is.
    Keep,
    /// It was withdrawn, and becomes pending again.
    Arrive,
    /// It had failed, and becomes pending again.
    Reopen,
    /// It is matched and still in the backlog.
    Leak,
    /// Another backlog works on it.
    HeldElsewhere,
}

impl SeedOptions {
    /// Says what a seed does with a lead: `here` where it belongs to the backlog that is seeded, `changed` where its
    /// version is another than the one known.
    #[must_use]
    pub fn step(&self, row: &QueueRow, here: bool, changed: bool, now: DateTime<Utc>) -> SeedStep {
        let rest = self.cool_down.map(|rest| TimeDelta::from_std(rest).unwrap_or(TimeDelta::MAX));
        let rested = rest.is_some_and(|rest| now - row.since >= rest);
        match row.status {
            Status::Withdrawn => SeedStep::Arrive,
            Status::Matched => SeedStep::Leak,
            Status::Pending | Status::Failed if !here => SeedStep::HeldElsewhere,
            Status::Failed if changed || rested => SeedStep::Reopen,
            Status::Pending | Status::Failed => SeedStep::Keep,
        }
    }
}

impl SeedSummary {
    /// Begins the summary of a seed from rows; `opening` where the store has never seen the backlog.
    #[must_use]
    pub fn of(backlog: &dyn Backlog, rows: &BacklogRows, opening: bool) -> Self {
        Self {
            backlog: backlog.name().to_owned(),
            backlog_size: rows.len() as u64,
            duplicates: rows.duplicates(),
            opening,
            rejected: rows.rejected().len() as u64,
            rejections: rows
                .rejected()
                .iter()
                .take(Rejection::LISTED)
                .map(|(key, reason)| Rejection::new(key.as_str(), *reason))
                .collect(),
            ..Self::default()
        }
    }

    /// Counts what a seed did with one lead; leaks are counted by who knows which are new.
    pub fn count(&mut self, step: SeedStep) {
        match step {
            SeedStep::Arrive => self.arrived += 1,
            SeedStep::Reopen => self.reopened += 1,
            SeedStep::HeldElsewhere => self.held_elsewhere += 1,
            SeedStep::Leak => self.leaks += 1,
            SeedStep::Keep => {}
        }
    }

    /// Gives the ledger's events of the seed.
    #[must_use]
    pub fn events(&self) -> Vec<(EventKind, Option<FailReason>, u64)> {
        let arrival = if self.opening { EventKind::Opening } else { EventKind::Arrived };
        let mut events = vec![
            (arrival, None, self.arrived),
            (EventKind::Reopened, None, self.reopened),
            (EventKind::Withdrawn, None, self.withdrawn),
            (EventKind::Leaked, None, self.new_leaks),
        ];
        events.retain(|(_, _, leads)| *leads > 0);
        events
    }
}
