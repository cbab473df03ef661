//! Connections: what a URL names, how one is set up, and the few verbs that the store needs of either backend.

pub(crate) mod database;
#[cfg(all(feature = "sqlite", feature = "guardrails"))] // deadlines are the checks'
pub(crate) mod interrupt;
pub(crate) mod namespace;
pub(crate) mod open;
pub(crate) mod prepared;
#[cfg(feature = "postgres")]
pub(crate) mod session;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_text;
pub(crate) mod url;
