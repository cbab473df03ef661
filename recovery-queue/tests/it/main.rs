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
// With one backend alone some of what the tests share has no user.
#![cfg_attr(not(all(feature = "postgres", feature = "sqlite")), allow(dead_code, unused_imports))]

mod bad_input;
#[cfg(feature = "guardrails")]
mod books;
#[cfg(feature = "sqlite")]
mod borrowed;
#[cfg(all(feature = "identity-matching", feature = "sqlite"))]
mod candidate_index;
mod clock;
mod conformance;
mod documents;
#[cfg(all(feature = "guardrails", feature = "identity-matching", feature = "postgres"))]
mod facts_on_postgres;
#[cfg(all(feature = "guardrails", feature = "identity-matching", feature = "sqlite"))]
mod facts_on_sqlite;
#[cfg(feature = "sqlite")]
mod forgetting;
mod hooks;
mod interleavings;
mod layout;
mod leases;
#[cfg(feature = "postgres")]
mod limits;
mod look_again;
#[cfg(feature = "sqlite")]
mod loop_on_sqlite;
#[cfg(feature = "sqlite")]
mod migrations;
mod origins;
mod outages;
#[cfg(feature = "postgres")]
mod partitions;
#[cfg(feature = "sqlite")]
mod plans;
#[cfg(feature = "postgres")]
mod pooler;
mod processes;
#[cfg(feature = "sqlite")]
mod read_ahead;
mod reasons;
#[cfg(feature = "sqlite")]
mod reconcile;
#[cfg(feature = "sqlite")]
mod refusals;
mod rejected;
mod reviews;
mod runs;
#[cfg(feature = "sqlite")]
mod schema;
#[cfg(all(feature = "guardrails", feature = "identity-matching", feature = "sqlite"))]
mod siblings;
mod stops;
mod support;
#[cfg(feature = "guardrails")]
mod surroundings;
#[cfg(feature = "postgres-bundled-tls")]
mod tls;
#[cfg(all(feature = "guardrails", feature = "sqlite"))]
mod touched;
#[cfg(feature = "sqlite")]
mod unchanged;
#[cfg(feature = "sqlite")]
mod upgrades;
