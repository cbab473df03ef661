//! Links made, undone and moved by hand.

use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::links::{Decider, LinkHistoryRow, RejectedPair};

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

    /// Remembers that a person is not the lead, so that no run matches the two; another call replaces who said so and why.
    ///
    /// It holds while the lead's data is of the version that it is of now: what was decided on other data is decided anew.
    ///
    /// # Errors
    /// `NotFound` for an unknown lead, `Conflict` for one that is linked to the person: undo the link first.
    fn reject_pair(
        &mut self,
        lead: &SourcePk,
        person: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError>;

    /// Forgets that a person was rejected for a lead; says whether it was.
    fn allow_pair(&mut self, lead: &SourcePk, person: &PersonKey) -> Result<bool, StoreError>;

    /// Lists the persons who were rejected for a lead, or all pairs, by lead and person.
    fn rejected_pairs(&mut self, lead: Option<&SourcePk>) -> Result<Vec<RejectedPair>, StoreError>;

    /// Gives the links that a lead had, oldest first.
    fn link_history(&mut self, lead: &SourcePk) -> Result<Vec<LinkHistoryRow>, StoreError>;
}
