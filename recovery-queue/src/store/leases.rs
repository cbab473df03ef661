//! Leases: claims that are committed, for resolvers that are slow or remote.

use std::time::Duration;

use crate::model::cursor::Cursor;
use crate::model::error::StoreError;
use crate::model::lease::Lease;
use crate::model::resolver::Resolution;
use crate::model::work::{BatchRequest, BatchSummary};

/// A store that can lend leads for longer than a transaction.
///
/// [`Recover::recover`](crate::Recover::recover) drives it under [`ClaimMode::Lease`](crate::ClaimMode::Lease). A
/// service whose resolver is asynchronous may drive it itself: [`lease`](Self::lease), await the answers with no
/// transaction and no thread held, [`settle`](Self::settle).
pub trait LeaseStore {
    /// Claims the next leads and commits the claim; `None` where no lead is left to claim.
    ///
    /// The attempt counts from now on: a worker that dies under a lease has made it. The cursor moves past the leads.
    fn lease(
        &mut self,
        batch: &BatchRequest<'_>,
        ttl: Duration,
        cursor: &mut Cursor,
    ) -> Result<Option<Lease>, StoreError>;

    /// Prolongs a lease by `ttl` from now; gives how many of its leads are still held.
    fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<u64, StoreError>;

    /// Writes the answers, one for each of [`Lease::leads`] in order, of those leads that the lease still holds; the
    /// others are counted as [`lost_leases`](BatchSummary::lost_leases). A second call writes nothing.
    ///
    /// # Errors
    /// [`StoreError::ResolutionCount`] where the answers are not one for each lead.
    fn settle(
        &mut self,
        batch: &BatchRequest<'_>,
        lease: &Lease,
        answers: &[Resolution],
    ) -> Result<BatchSummary, StoreError>;

    /// Gives the leads back as they were before the claim, the attempt uncounted; gives how many.
    fn give_back(&mut self, lease: &Lease) -> Result<u64, StoreError>;
}
