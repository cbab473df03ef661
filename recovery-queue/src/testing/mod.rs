//! What tests of stores need: the conformance suite, and a private PostgreSQL server.

mod conformance;
mod invariants;
#[cfg(feature = "postgres")]
mod postgres;

pub use conformance::{TestStore, check_all, minute};
pub use invariants::check_invariants;
#[cfg(feature = "postgres")]
pub use postgres::{NoServer, PostgresServer};
