//! Links made, undone and moved by hand.

use serde::Serialize;

use chrono::{DateTime, Utc};

use crate::model::error::StoreError;
use crate::model::key::{PersonKey, RunId, SourcePk};

/// Holds one link that was undone or moved.
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

/// Says who decides by hand, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decider<'a> {
    /// The person or program that decides.
    pub by: &'a str,
    /// Why; kept in the history.
    pub reason: &'a str,
}

/// The rule of a link made by hand.
pub const MANUAL_RULE: &str = "MANUAL";

/// Makes, undoes and moves identity links by hand, each in one transaction with its origins and events.
pub trait LinkStore {
    /// Links a lead that the queue knows and that is not linked to a person.
    ///
    /// # Errors
    /// `NotFound` for an unknown lead, `Conflict` for one that is linked already.
    fn link(
        &mut self,
        lead: &SourcePk,
        person: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError>;

    /// Undoes a lead's link; the lead is pending again and counts in the backlog as an arrival.
    ///
    /// # Errors
    /// `NotFound` for an unknown lead, `Conflict` for one that is not linked.
    fn unlink(&mut self, lead: &SourcePk, decider: Decider<'_>) -> Result<(), StoreError>;

    /// Moves a lead's link to another person; the backlog does not change.
    ///
    /// # Errors
    /// As [`unlink`](Self::unlink), and `Conflict` where the lead is linked to that person already.
    fn move_link(
        &mut self,
        lead: &SourcePk,
        to: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError>;

    /// Gives the links that a lead had, oldest first.
    fn link_history(&mut self, lead: &SourcePk) -> Result<Vec<LinkHistoryRow>, StoreError>;
}
