//! Links made, undone and moved by hand.

use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::links::{Decider, LinkHistoryRow};

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
