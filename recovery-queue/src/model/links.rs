//! Links made by hand, and links that were undone or moved.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::model::error::ConfigError;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::rows::LinkRow;

/// One link that was undone or moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LinkHistoryRow {
    /// The person that the lead was linked to.
    pub person_key: PersonKey,
    /// The rule that had decided.
    pub rule: String,
    /// Who had decided by hand; absent when a run did.
    pub decided_by: Option<String>,
    /// The run that had decided.
    pub run_id: Option<RunId>,
    /// When it was linked.
    pub linked_at: DateTime<Utc>,
    /// When it was undone or moved.
    pub ended_at: DateTime<Utc>,
    /// By whom.
    pub ended_by: String,
    /// Why.
    pub reason: String,
}

impl LinkHistoryRow {
    /// Makes the record of a link that was undone or moved.
    pub fn new(
        link: LinkRow,
        ended_at: DateTime<Utc>,
        ended_by: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            person_key: link.person_key,
            rule: link.rule,
            decided_by: link.decided_by,
            run_id: link.run_id,
            linked_at: link.linked_at,
            ended_at,
            ended_by: ended_by.into(),
            reason: reason.into(),
        }
    }
}

/// Who decides by hand, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decider<'a> {
    /// The person or program that decides.
    pub by: &'a str,
    /// Why; kept in the history.
    pub reason: &'a str,
}

impl Decider<'_> {
    /// Checks that it says who decides and why.
    ///
    /// # Errors
    /// A text that is blank, longer than 2,000 bytes or holds a NUL byte.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (what, text) in [("decider", self.by), ("reason", self.reason)] {
            if text.trim().is_empty() || text.contains('\0') || text.len() > 2000 {
                return Err(ConfigError::new(
                    what,
                    text.chars().take(40).collect::<String>(),
                    "it is blank, too long or holds a NUL byte",
                    "say who decides and why in up to 2000 bytes",
                ));
            }
        }
        Ok(())
    }
}

/// A pair of a lead and a person that somebody has looked at and rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RejectedPair {
    /// The lead.
    pub source_pk: SourcePk,
    /// The person.
    pub person_key: PersonKey,
    /// When.
    pub rejected_at: DateTime<Utc>,
    /// By whom.
    pub rejected_by: String,
    /// Why.
    pub comment: String,
    /// Whether it still holds: not once the lead's data is of another version than it was.
    pub holds: bool,
}

impl RejectedPair {
    /// Makes a pair that holds.
    #[must_use]
    pub fn new(
        source_pk: SourcePk,
        person_key: PersonKey,
        rejected_at: DateTime<Utc>,
        decider: Decider<'_>,
    ) -> Self {
        let (rejected_by, comment) = (decider.by.to_owned(), decider.reason.to_owned());
        Self { source_pk, person_key, rejected_at, rejected_by, comment, holds: true }
    }
}

/// The rule of a link made by hand.
pub const MANUAL_RULE: &str = "MANUAL";
