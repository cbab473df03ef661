//! The integration tests of recovery-queue, one module per subject.

#![allow(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    clippy::wildcard_imports,
    clippy::format_push_string,
    clippy::print_stderr,
    clippy::field_reassign_with_default,
    missing_docs
)]

#[path = "tests/backends.rs"]
mod backends;
#[path = "tests/bad_input.rs"]
mod bad_input;
#[cfg(feature = "identity-matching")]
#[path = "tests/candidate_index.rs"]
mod candidate_index;
#[path = "tests/clock.rs"]
mod clock;
#[path = "tests/conformance.rs"]
mod conformance;
#[cfg(all(feature = "guardrails", feature = "identity-matching", feature = "postgres"))]
#[path = "tests/facts_on_postgres.rs"]
mod facts_on_postgres;
#[cfg(all(feature = "guardrails", feature = "identity-matching"))]
#[path = "tests/facts_on_sqlite.rs"]
mod facts_on_sqlite;
#[path = "tests/interleavings.rs"]
mod interleavings;
#[path = "tests/leases.rs"]
mod leases;
#[path = "tests/loop_on_sqlite.rs"]
mod loop_on_sqlite;
#[path = "tests/outages.rs"]
mod outages;
#[cfg(feature = "postgres")]
#[path = "tests/pooler.rs"]
mod pooler;
#[path = "tests/processes.rs"]
mod processes;
#[cfg(feature = "postgres")]
#[path = "tests/proxy.rs"]
mod proxy;
#[path = "tests/refusals.rs"]
mod refusals;
#[path = "tests/runs.rs"]
mod runs;
#[cfg(feature = "postgres")]
#[path = "tests/server.rs"]
mod server;
#[cfg(all(feature = "guardrails", feature = "identity-matching"))]
#[path = "tests/siblings.rs"]
mod siblings;
#[cfg(feature = "postgres-tls")]
#[path = "tests/tls.rs"]
mod tls;
#[path = "tests/upgrades.rs"]
mod upgrades;
