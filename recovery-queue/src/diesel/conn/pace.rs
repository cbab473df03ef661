//! How long the parts of a transaction took.

use std::time::Duration;

/// How long the parts of a transaction took until it failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The last statement.
    pub(crate) statement: Duration,
    /// The time before it in which the session was idle, at the most.
    pub(crate) idle: Duration,
    /// All since the transaction began.
    pub(crate) transaction: Duration,
}

#[cfg_attr(not(feature = "postgres"), allow(dead_code))] // SQLite sets no such limits
impl Pace {
    /// Says whether anything took so long that a limit may have ended it: nobody sets one of some milliseconds.
    pub(crate) fn may_be_limited(self) -> bool {
        self.statement.max(self.idle).max(self.transaction) >= Duration::from_millis(10)
    }
}
