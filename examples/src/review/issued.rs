//! What is given out to people.

use recovery_queue::QueueRow;

use super::shown::Shown;

/// A lead that is asked about.
pub(super) trait Issued: Clone {
    /// Its row of the queue.
    fn row(&self) -> &QueueRow;
    /// A digest of all that is shown of it.
    fn fingerprint(&self) -> &str;
    /// How sure an answer is: the surest first.
    fn sure(&self) -> f64 {
        0.0
    }
    /// What a column of its own shows.
    fn cell(&self, column: &str, shown: Shown) -> String;
}
