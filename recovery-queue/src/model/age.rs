//! The age of leads, in buckets.

use chrono::TimeDelta;
use serde::Serialize;

/// The days of age at which a bucket begins.
pub const AGE_BOUNDS: [u32; 7] = [0, 1, 3, 7, 14, 30, 90];

/// Counts the leads of the backlog in a range of ages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AgeBucket {
    /// The least age in whole days.
    pub from_days: u32,
    /// The age in whole days that is too much; absent for the last bucket.
    pub below_days: Option<u32>,
    /// How many leads.
    pub leads: u64,
}

impl AgeBucket {
    /// Makes a bucket.
    #[must_use]
    pub const fn new(from_days: u32, below_days: Option<u32>, leads: u64) -> Self {
        Self { from_days, below_days, leads }
    }

    /// Makes the buckets of [`AGE_BOUNDS`], with the leads that `count` gives for each bound.
    pub(crate) fn all(mut count: impl FnMut(usize) -> u64) -> Vec<Self> {
        AGE_BOUNDS
            .iter()
            .enumerate()
            .map(|(i, &from_days)| Self {
                from_days,
                below_days: AGE_BOUNDS.get(i + 1).copied(),
                leads: count(i),
            })
            .collect()
    }

    /// Gives the bucket that an age falls into; a lead from the future is new.
    pub(crate) fn of(age: TimeDelta) -> usize {
        AGE_BOUNDS.iter().rposition(|&days| age >= TimeDelta::days(i64::from(days))).unwrap_or(0)
    }
}
