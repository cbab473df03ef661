//! Leads that people decide: cases given out, decisions taken back.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::model::error::StoreError;
use crate::model::key::SourcePk;
use crate::model::links::Decider;
use crate::model::review::figures::{ReviewFigures, put_off};
use crate::model::review::{
    NewReviewPacket, ReviewCase, ReviewLoad, ReviewLoadRow, ReviewReceipt, ReviewRow, ReviewUndone,
    ReviewerChange,
};

/// A store that keeps what people are asked to decide, and applies what they decide.
///
/// What a case shows is the service's: the store holds which leads were given to whom, and a fingerprint of what was shown.
pub trait ReviewStore {
    /// Lists who may decide, by name; where nobody is listed, anybody may.
    fn reviewers(&mut self) -> Result<Vec<String>, StoreError>;

    /// Adds a name to the list of who may decide, or takes it off; says whether that changed the list. A change is kept
    /// with who made it and why.
    fn set_reviewer(
        &mut self,
        name: &str,
        may_decide: bool,
        decider: Decider<'_>,
    ) -> Result<bool, StoreError>;

    /// Lists how the list of who may decide came about, oldest first.
    fn reviewer_changes(&mut self) -> Result<Vec<ReviewerChange>, StoreError>;

    /// Records a packet as given out, in one transaction; one that is recorded already stays as it is.
    ///
    /// # Errors
    /// `NotFound` for a lead that the store does not know.
    fn issue_review(&mut self, packet: &NewReviewPacket) -> Result<(), StoreError>;

    /// Lists every case that was given out, in the order of giving out.
    fn review_cases(&mut self) -> Result<Vec<ReviewCase>, StoreError>;

    /// Applies decisions in one transaction with links, rejected pairs, history, origins and ledger.
    ///
    /// A decision that was loaded before changes nothing. One that is refused is listed; in a strict load it keeps
    /// everything out.
    fn load_reviews(&mut self, load: &ReviewLoad) -> Result<ReviewReceipt, StoreError>;

    /// Says what [`load_reviews`](Self::load_reviews) would refuse, and writes nothing.
    fn check_reviews(&mut self, load: &ReviewLoad) -> Result<ReviewReceipt, StoreError>;

    /// Undoes a load in one transaction: each lead stands where it stood, and the ledger's sums are those of before.
    ///
    /// # Errors
    /// `NotFound` for a load that is not known or undone already; `Conflict` where a lead of it was changed since, and
    /// nothing is undone then.
    fn undo_reviews(
        &mut self,
        load: &str,
        decider: Decider<'_>,
    ) -> Result<ReviewUndone, StoreError>;

    /// Lists the loads of decisions, oldest first, those that were undone with them.
    fn review_loads(&mut self) -> Result<Vec<ReviewLoadRow>, StoreError>;

    /// Lists the decisions that were not undone, oldest first.
    fn reviews(&mut self) -> Result<Vec<ReviewRow>, StoreError>;

    /// Counts how the review stands as of an instant; a database counts it itself.
    fn review_figures(&mut self, as_of: DateTime<Utc>) -> Result<ReviewFigures, StoreError> {
        Ok(ReviewFigures::of(&self.review_cases()?, &self.reviews()?, as_of))
    }

    /// Gives the leads that were put off beyond an instant, with when they come back.
    fn put_off(
        &mut self,
        as_of: DateTime<Utc>,
    ) -> Result<BTreeMap<SourcePk, DateTime<Utc>>, StoreError> {
        Ok(put_off(&self.reviews()?, as_of))
    }
}
