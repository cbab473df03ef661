//! Writes other than a batch: seeds, links by hand, wake-ups, runs, the ledger and its roll-up.

pub(crate) mod crash_marker;
pub(crate) mod events;
pub(crate) mod forget;
pub(crate) mod links;
pub(crate) mod origins;
pub(crate) mod person_view;
pub(crate) mod reconcile;
pub(crate) mod reopen;
pub(crate) mod retention;
pub(crate) mod rollup;
pub(crate) mod runs;
pub(crate) mod seed;
pub(crate) mod stage;
#[cfg(feature = "sqlite")]
mod unchanged;
pub(crate) mod view;
mod view_values;
