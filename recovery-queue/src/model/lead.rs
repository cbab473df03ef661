//! What is known of one lead or one person, and what a person may do with leads by hand.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::model::error::ConfigError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::links::{Decider, LinkHistoryRow};
use crate::model::resolver::FailReason;
use crate::model::rows::{LinkRow, OriginRow, QueueRow};
use crate::model::store_action::StoreActionKind;

/// Everything that the store knows of one lead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeadRecord {
    /// Its row of the recovery queue: status, reason, attempts, times.
    pub row: QueueRow,
    /// The evidence behind its status, as JSON; of a pending lead what the last technical error said, if any.
    pub evidence: Option<String>,
    /// Its identity link.
    pub link: Option<LinkRow>,
    /// The identity origin of the person that it is linked to.
    pub origin: Option<OriginRow>,
    /// Links that were undone or moved, oldest first.
    pub former_links: Vec<LinkHistoryRow>,
    /// What was done with it by hand, oldest first.
    pub actions: Vec<LeadAction>,
}

impl LeadRecord {
    /// Makes a record of a row, with nothing else known.
    #[must_use]
    pub fn new(row: QueueRow) -> Self {
        Self {
            row,
            evidence: None,
            link: None,
            origin: None,
            former_links: Vec::new(),
            actions: Vec::new(),
        }
    }
}

/// Everything that the store knows of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonRecord {
    /// The person.
    pub person_key: PersonKey,
    /// The person's first lead.
    pub origin: Option<OriginRow>,
    /// The leads linked to the person, in the order of their keys.
    pub links: Vec<LinkRow>,
    /// The leads that were linked to the person and are no more, oldest end first.
    pub former_links: Vec<(SourcePk, LinkHistoryRow)>,
}

impl PersonRecord {
    /// Makes a record of a person who has no links.
    #[must_use]
    pub fn new(person_key: PersonKey) -> Self {
        Self { person_key, origin: None, links: Vec::new(), former_links: Vec::new() }
    }
}

/// What was done with a lead by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeadActionKind {
    /// It became pending again.
    Reopened,
    /// It was taken out of the work.
    Cancelled,
    /// What disagreed about it was put right.
    Reconciled,
    /// A person decided it.
    Reviewed,
    /// A person's decision of it was undone.
    ReviewUndone,
    /// Something that this build does not know; its word stands before the reason.
    Unknown,
}

impl LeadActionKind {
    /// Lists every kind that this build writes.
    pub const ALL: [Self; 5] =
        [Self::Reopened, Self::Cancelled, Self::Reconciled, Self::Reviewed, Self::ReviewUndone];

    /// Gives the word, as it is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Reopened => "reopened",
            Self::Cancelled => "cancelled",
            Self::Reconciled => "reconciled",
            Self::Reviewed => "reviewed",
            Self::ReviewUndone => "review_undone",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// One thing that was done with a lead by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeadAction {
    /// What was done.
    pub kind: LeadActionKind,
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Why the lead had failed until then.
    pub fail_reason: Option<FailReason>,
}

impl LeadAction {
    /// Makes an action on a lead that had not failed.
    pub fn new(
        kind: LeadActionKind,
        at: DateTime<Utc>,
        by: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self { kind, at, by: by.into(), reason: reason.into(), fail_reason: None }
    }
}

/// The leads to be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reopen<'a> {
    /// These leads, failed or cancelled.
    Keys(&'a [SourcePk]),
    /// All that failed for this reason.
    Reason(FailReason),
    /// All that were decided by a run under another policy than this one, or under none: what
    /// [`RecoverOptions::policy`](crate::RecoverOptions::policy) named when they failed.
    OtherPolicyThan(&'a str),
}

/// Whom the store is to forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forget<'a> {
    /// A lead: its key, its evidence and its history.
    Lead(&'a SourcePk),
    /// A person: the key, every link to it, and the evidence that names it. Leads that were linked to the person are
    /// pending again.
    Person(&'a PersonKey),
}

impl Forget<'_> {
    /// Checks that the decider says who and why, and does not name whom is to be forgotten: that is kept.
    pub(crate) fn check(self, decider: Decider<'_>) -> Result<(), ConfigError> {
        decider.check()?;
        let key = match self {
            Self::Lead(key) => key.as_str(),
            Self::Person(key) => key.as_str(),
        };
        let ends = |beside: Option<char>| beside.is_none_or(|beside| !beside.is_alphanumeric());
        let names = |text: &str| {
            text.match_indices(key).any(|(at, _)| {
                ends(text[..at].chars().next_back()) && ends(text[at + key.len()..].chars().next())
            })
        };
        if names(decider.by) || names(decider.reason) {
            return Err(ConfigError::new(
                "reason",
                "…",
                "it names whom is to be forgotten, and it is kept",
                "say why without the key, such as the number of the request",
            ));
        }
        Ok(())
    }

    pub(crate) fn kind(self) -> StoreActionKind {
        match self {
            Self::Lead(_) => StoreActionKind::LeadForgotten,
            Self::Person(_) => StoreActionKind::PersonForgotten,
        }
    }
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Forgotten {
    /// Rows removed.
    pub rows: u64,
    /// Texts of evidence that named whom was forgotten, and were replaced by `{"forgotten":true}`.
    pub evidence: u64,
    /// Leads that became pending again, since their link is gone.
    pub reopened: u64,
    /// Columns of the store's tables in which the key was looked for afterwards, and not found.
    pub columns_searched: u64,
}

/// How long what is done with is kept; `None` = for ever.
///
/// Matched and failed leads stay, whatever their age: their links and their place in the backlog hang on them. So does
/// the ledger, which has a roll-up of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Withdrawn leads, by the time since they were: key, history and all. One that comes back is new.
    pub withdrawn: Option<std::time::Duration>,
    /// The evidence of matched leads, by the time since they were.
    pub evidence: Option<std::time::Duration>,
    /// Links that were undone or moved, origins that were replaced and actions by hand, by the time since.
    pub history: Option<std::time::Duration>,
    /// Runs, by the time since they ended.
    pub runs: Option<std::time::Duration>,
}

impl Retention {
    /// Keeps everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes leads that were withdrawn so long ago.
    #[must_use]
    pub fn with_withdrawn(mut self, age: std::time::Duration) -> Self {
        self.withdrawn = Some(age);
        self
    }

    /// Removes the evidence of leads that were matched so long ago.
    #[must_use]
    pub fn with_evidence(mut self, age: std::time::Duration) -> Self {
        self.evidence = Some(age);
        self
    }

    /// Removes history that ended so long ago.
    #[must_use]
    pub fn with_history(mut self, age: std::time::Duration) -> Self {
        self.history = Some(age);
        self
    }

    /// Removes runs that ended so long ago.
    #[must_use]
    pub fn with_runs(mut self, age: std::time::Duration) -> Self {
        self.runs = Some(age);
        self
    }
}

impl fmt::Display for Retention {
    /// Writes what is removed at which age in days, such as `withdrawn 30 d, runs 90 d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ages = [
            ("withdrawn", self.withdrawn),
            ("evidence", self.evidence),
            ("history", self.history),
            ("runs", self.runs),
        ];
        let told: Vec<String> = ages
            .into_iter()
            .filter_map(|(what, age)| Some(format!("{what} {} d", age?.as_secs() / 86_400)))
            .collect();
        f.write_str(&told.join(", "))
    }
}

impl Pruned {
    /// Returns how many rows and texts were removed.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.leads + self.evidence + self.history + self.runs
    }
}

/// What retention removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pruned {
    /// Withdrawn leads.
    pub leads: u64,
    /// Texts of evidence.
    pub evidence: u64,
    /// Rows of history.
    pub history: u64,
    /// Runs.
    pub runs: u64,
}
