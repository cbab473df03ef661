//! What tests of stores need: the conformance suite, and a private PostgreSQL server.

mod conformance;
#[cfg(feature = "postgres")]
mod postgres;

pub use conformance::{TestStore, check_all, check_invariants, minute};
#[cfg(feature = "postgres")]
pub use postgres::{NoServer, PostgresServer};
