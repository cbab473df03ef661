//! By what a decision was made.

use identity_matching::index::joined::Stamp;

use crate::cli::Failure;

/// Refuses a decision by what it was made by, as its row says.
pub(super) fn check(made: &str, stamp: &Stamp) -> Result<(), Failure> {
    let made = made.parse().and_then(|made: Stamp| stamp.check(&made));
    made.map_err(Failure::from)
}
