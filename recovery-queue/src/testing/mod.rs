//! What tests of stores and of their users need: the conformance suite, a resolver that answers by a script, and a
//! private PostgreSQL server.

mod conformance;
mod invariants;
#[cfg(feature = "postgres")]
mod postgres;
mod scripted;

pub use conformance::{
    TestStore, check_all, check_core, check_leads, check_leases, check_links, check_reviews,
    check_runs, minute,
};
pub use invariants::check_invariants;
#[cfg(feature = "postgres")]
pub use postgres::{NoServer, PostgresServer};
pub use scripted::ScriptedResolver;
