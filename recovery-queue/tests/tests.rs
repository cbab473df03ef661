//! The integration tests of recovery-queue, one module per subject.

#![allow(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    clippy::wildcard_imports,
    clippy::format_push_string,
    missing_docs
)]

#[path = "tests/loop_on_sqlite.rs"]
mod loop_on_sqlite;
#[cfg(all(feature = "guardrails", feature = "identity-matching"))]
#[path = "tests/siblings.rs"]
mod siblings;
