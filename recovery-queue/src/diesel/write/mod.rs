//! Writes other than a batch: seeds, links by hand, wake-ups, runs, the ledger and its roll-up.

pub(crate) mod crash_marker;
pub(crate) mod events;
pub(crate) mod feed;
pub(crate) mod forget;
pub(crate) mod lead_rows;
pub(crate) mod links;
pub(crate) mod origins;
pub(crate) mod reconcile;
pub(crate) mod reopen;
pub(crate) mod retention;
pub(crate) mod reviews;
pub(crate) mod rollup;
pub(crate) mod runs;
pub(crate) mod seed;
pub(crate) mod service_tables;
pub(crate) mod stage;
mod staged;
pub(crate) mod store_actions;
#[cfg(feature = "sqlite")]
mod unchanged;
pub(crate) mod view;
pub(crate) mod view_values;
pub(crate) mod wake;
