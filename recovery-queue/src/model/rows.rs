//! The rows that users read: queue, links, origins.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::resolver::FailReason;

/// Where a lead stands.
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

/// One row of the recovery queue.
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

impl QueueRow {
    /// Makes the row of a lead that nothing is known of but where it stands; seen first and in its status since `since`.
    pub fn new(
        source_pk: SourcePk,
        backlog: impl Into<String>,
        status: Status,
        lead_at: DateTime<Utc>,
        since: DateTime<Utc>,
    ) -> Self {
        Self {
            source_pk,
            backlog: backlog.into(),
            status,
            reason: None,
            person_key: None,
            attempts: 0,
            lead_at,
            first_seen_at: since,
            since,
            not_before: None,
            run_id: None,
        }
    }

    /// Brings the lead to another status: whatever belonged to the one before is gone.
    pub fn reset(&mut self, status: Status, since: DateTime<Utc>) {
        let (key, first_seen_at) = (self.source_pk.clone(), self.first_seen_at);
        *self = Self::new(key, std::mem::take(&mut self.backlog), status, self.lead_at, since);
        self.first_seen_at = first_seen_at;
    }

    /// Tells whether the lead may be tried: it is pending, and rests no longer.
    #[must_use]
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.status == Status::Pending && self.not_before.is_none_or(|until| until <= now)
    }
}

/// One identity link: a lead is a person.
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

impl LinkRow {
    /// Makes a link that neither a run nor a person by hand is on record for.
    pub fn new(
        source_pk: SourcePk,
        person_key: PersonKey,
        rule: impl Into<String>,
        confidence: impl Into<String>,
        linked_at: DateTime<Utc>,
    ) -> Self {
        Self {
            source_pk,
            person_key,
            rule: rule.into(),
            confidence: confidence.into(),
            decided_by: None,
            run_id: None,
            linked_at,
        }
    }
}

/// One identity origin: the first lead of a person.
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

impl OriginRow {
    /// Makes the origin of a person.
    #[must_use]
    pub fn new(
        person_key: PersonKey,
        source_pk: SourcePk,
        lead_at: DateTime<Utc>,
        since: DateTime<Utc>,
    ) -> Self {
        Self { person_key, source_pk, lead_at, since }
    }
}

/// Gives the size of the backlog by the queue: leads pending or failed.
#[must_use]
pub fn backlog_size(counts: &BTreeMap<Status, u64>) -> u64 {
    [Status::Pending, Status::Failed].iter().filter_map(|status| counts.get(status)).sum()
}
