//! What a seed asks of its stage, and what was staged.

/// What was staged.
pub(crate) struct Staged {
    pub(crate) leads: u64,
    /// Of these, the ones that are kept in the stage.
    pub(crate) kept: u64,
    pub(crate) duplicates: u64,
    pub(crate) undated: u64,
    pub(crate) rejected: u64,
    /// Whether all of the backlog was staged, or what needs something done and `rq_absent` alone.
    pub(crate) whole: bool,
    /// How many leads were looked at, where a feed named them.
    pub(crate) touched: Option<u64>,
}

/// What a seed asks of a known lead.
pub(crate) struct Asked {
    pub(crate) backlog_id: i64,
    /// When the backlog was seeded last, where a feed may name what has changed since.
    pub(crate) seeded_at: Option<i64>,
    /// Failed leads that were settled at this instant or before are tried again.
    pub(crate) rested: i64,
}

/// What was found in the view beside what is to be staged.
#[derive(Debug, Default)]
pub(crate) struct Unchanged {
    /// Leads that need nothing done.
    pub(crate) leads: u64,
    /// Rows beyond the first of such a lead.
    pub(crate) duplicates: u64,
    /// Rows of such leads without a date.
    pub(crate) undated: u64,
    /// Keys to be staged.
    pub(crate) wanted: u64,
}
