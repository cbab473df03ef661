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

mod bad_input;
#[cfg(feature = "guardrails")]
mod books;
mod borrowed;
#[cfg(feature = "identity-matching")]
mod candidate_index;
mod clock;
mod conformance;
mod documents;
#[cfg(all(feature = "guardrails", feature = "identity-matching", feature = "postgres"))]
mod facts_on_postgres;
#[cfg(all(feature = "guardrails", feature = "identity-matching"))]
mod facts_on_sqlite;
mod forgetting;
mod hooks;
mod interleavings;
mod layout;
mod leases;
#[cfg(feature = "postgres")]
mod limits;
mod look_again;
mod loop_on_sqlite;
mod migrations;
mod outages;
mod plans;
#[cfg(feature = "postgres")]
mod pooler;
mod processes;
mod read_ahead;
mod reasons;
mod reconcile;
mod refusals;
mod rejected;
mod reviews;
mod runs;
mod schema;
#[cfg(all(feature = "guardrails", feature = "identity-matching"))]
mod siblings;
mod stops;
mod support;
#[cfg(feature = "guardrails")]
mod surroundings;
#[cfg(feature = "postgres-bundled-tls")]
mod tls;
mod unchanged;
mod upgrades;
