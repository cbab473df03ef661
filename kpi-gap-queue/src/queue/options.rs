//! How a queue is built.

use crate::policy::GapPolicy;

/// How a queue is built; every field has a default.
///
/// Written as `GapOptions { queue_limit: 100, ..GapOptions::default() }`, it may grow.
#[derive(Debug, Clone, PartialEq, Eq)]
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
