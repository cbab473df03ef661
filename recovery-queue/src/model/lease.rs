//! A batch of leads under one claim that is committed.

use chrono::{DateTime, Utc};

use crate::model::resolver::ClaimedLead;

/// A batch of leads under a lease: nobody else may claim them until it runs out.
///
/// Its token is the fence: each write names it, and a worker whose lease ran out and was taken over writes nothing.
/// Only a store makes one, so that no lead is settled that was not claimed.
#[derive(Debug, PartialEq, Eq)]
pub struct Lease {
    token: i64,
    claimed: u64,
    until: DateTime<Utc>,
    leads: Vec<ClaimedLead>,
}

impl Lease {
    /// Makes a lease; for stores.
    ///
    /// `claimed` counts all leads under it, `leads` are those of them that need an answer: a lead that is linked already,
    /// or whose attempts are used up, is settled without one.
    #[must_use]
    pub fn new(token: i64, claimed: u64, until: DateTime<Utc>, leads: Vec<ClaimedLead>) -> Self {
        Self { token, claimed, until, leads }
    }

    /// Gives the fencing token: greater than that of every earlier lease.
    #[must_use]
    pub fn token(&self) -> i64 {
        self.token
    }

    /// Counts the leads under the lease.
    #[must_use]
    pub fn claimed(&self) -> u64 {
        self.claimed
    }

    /// Gives the time, by the store's clock, at which others may claim the leads.
    #[must_use]
    pub fn until(&self) -> DateTime<Utc> {
        self.until
    }

    /// Sets the time at which others may claim the leads; for stores that prolong a lease.
    pub fn prolong(&mut self, until: DateTime<Utc>) {
        self.until = until;
    }

    /// Gives the leads that need an answer, in the order in which the answers are to come.
    #[must_use]
    pub fn leads(&self) -> &[ClaimedLead] {
        &self.leads
    }
}
