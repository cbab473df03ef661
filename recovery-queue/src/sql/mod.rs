//! The stores in databases: one type for SQLite and PostgreSQL.

mod batch;
mod database;
mod events;
#[cfg(feature = "guardrails")]
mod facts;
#[cfg(feature = "identity-matching")]
mod index;
#[cfg(feature = "sqlite")]
#[cfg_attr(not(feature = "guardrails"), allow(dead_code))] // deadlines are the checks'
mod interrupt;
#[cfg(feature = "guardrails")]
mod key_format;
#[cfg(feature = "guardrails")]
mod lacking;
mod lease;
mod links;
mod marks;
mod migrate;
mod migration_status;
mod namespace;
mod open;
mod origins;
#[cfg(feature = "postgres")]
mod postgres_batch;
#[cfg(feature = "postgres")]
mod postgres_link;
mod prepared;
#[cfg(feature = "guardrails")]
mod query;
mod records;
mod rollup;
mod runs;
mod seed;
#[cfg(feature = "postgres")]
mod session;
mod shape;
mod snapshot;
#[cfg(feature = "sqlite")]
mod sqlite_batch;
#[cfg(feature = "sqlite")]
mod sqlite_persons;
#[cfg(feature = "sqlite")]
mod sqlite_rows;
#[cfg(feature = "sqlite")]
mod sqlite_text;
mod stage;
mod store;
#[cfg(feature = "guardrails")]
mod time_limit;

#[cfg(feature = "guardrails")]
pub use facts::StoreFacts;
#[cfg(feature = "identity-matching")]
pub use index::SqlIndex;
pub use migration_status::MigrationStatus;
pub use namespace::Namespace;
pub use open::{DatabaseUrl, OpenOptions};
pub use rollup::RollupSummary;
pub use snapshot::SqlSnapshot;
pub use store::{Connection, SqlStore};
