//! How a queue is built.

use crate::policy::GapPolicy;

/// Options of building a queue; every field has a default.
///
/// ```
/// use kpi_gap_queue::GapOptions;
///
/// let options = GapOptions::default().with_queue_limit(100).with_ready(true);
/// assert_eq!((options.queue_limit, options.include_ready), (100, true));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GapOptions {
    /// Cuts the queue after so many rows, once it is sorted; 0 keeps them all.
    pub queue_limit: usize,
    /// Adds the pairs that are ready.
    pub include_ready: bool,
    /// Priorities, next actions, names, and which of several values counts.
    pub policy: GapPolicy,
    /// How many pairs are worked on at once: bounds the memory of a run, at about 100 bytes a pair.
    /// One metric query asks for the sources of one batch. Default 262,144.
    pub pairs_per_batch: usize,
}

impl Default for GapOptions {
    fn default() -> Self {
        Self {
            queue_limit: 0,
            include_ready: false,
            policy: GapPolicy::default(),
            pairs_per_batch: 1 << 18,
        }
    }
}

impl GapOptions {
    /// Sets after how many rows the queue is cut; 0 keeps them all.
    #[must_use]
    pub fn with_queue_limit(mut self, rows: usize) -> Self {
        self.queue_limit = rows;
        self
    }

    /// Sets whether the pairs that are ready are rows, too.
    #[must_use]
    pub fn with_ready(mut self, yes: bool) -> Self {
        self.include_ready = yes;
        self
    }

    /// Sets priorities, next actions, names, and which of several values counts.
    #[must_use]
    pub fn with_policy(mut self, policy: GapPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets how many pairs are worked on at once.
    #[must_use]
    pub fn with_pairs_per_batch(mut self, pairs: usize) -> Self {
        self.pairs_per_batch = pairs;
        self
    }
}
