//! The stores in databases: one type for SQLite and PostgreSQL.

mod batch;
mod borrowed;
mod conn;
#[cfg(feature = "identity-matching")]
mod index;
mod migrate;
mod read;
mod schema;
#[cfg(feature = "guardrails")]
mod service_migrations;
mod store;
mod tables;
mod write;

/// A key of the candidate index that more persons hold than this has a counter of its own.
pub(crate) const HUB: u32 = 100;

pub use batch::hook::SettledLead;
pub use borrowed::BorrowedStore;
pub use conn::lent::Conn;
pub use conn::namespace::Namespace;
pub use conn::open::OpenOptions;
#[cfg(feature = "r2d2")]
pub use conn::source::ConnectionPool;
pub use conn::sqlite_file::SqliteFile;
pub use conn::url::{DatabaseUrl, PostgresUrl};
#[cfg(feature = "identity-matching")]
pub use index::SqlIndex;
pub use migrate::harness::CheckedBook;
pub use migrate::source::QueueMigrations;
pub use migrate::status::MigrationStatus;
#[cfg(feature = "guardrails")]
pub use read::books::BookFacts;
pub use read::decisions::Decision;
#[cfg(feature = "guardrails")]
pub use read::facts::StoreFacts;
pub use read::snapshot::SqlSnapshot;
#[cfg(feature = "guardrails")]
pub use service_migrations::ServiceMigrations;
pub use store::SqlStore;
pub use write::rollup::RollupSummary;
