#![doc = include_str!("../README.md")]

mod backlog;
mod error;
mod key;
mod ledger;
mod links;
#[cfg(feature = "identity-matching")]
mod matching;
mod memory;
mod options;
mod outlook;
mod recover;
mod resolver;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;

pub use backlog::{Backlog, BacklogLead, BacklogSource, MemoryBacklog, ViewBacklog, ViewName};
pub use error::{ConfigError, KeyError, StoreError};
pub use key::{MAX_KEY_BYTES, PersonKey, RunId, SourcePk};
pub use ledger::{DailyMetrics, EventKind, LedgerSlot, SLOT_SECONDS, daily_metrics};
pub use links::{Decider, LinkHistoryRow, LinkStore, MANUAL_RULE};
#[cfg(feature = "identity-matching")]
pub use matching::{LeadSource, MatcherResolver, WakeKeys};
pub use memory::MemoryStore;
pub use options::{Backoff, ClaimMode, RecoverOptions, SeedOptions};
pub use outlook::{AGE_BOUNDS, AgeBucket, Outlook, ReasonShare, outlook};
pub use recover::{Cursor, Progress, RunSummary, Stopped, recover_with_workers};
pub use resolver::{ClaimedLead, FailReason, Match, Resolution, ResolveError, Resolver};
#[cfg(all(feature = "identity-matching", any(feature = "sqlite", feature = "postgres")))]
pub use sql::SqlIndex;
#[cfg(all(feature = "guardrails", any(feature = "sqlite", feature = "postgres")))]
pub use sql::StoreFacts;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use sql::{
    Connection, DatabaseUrl, MigrationStatus, Namespace, OpenOptions, RollupSummary, SqlSnapshot,
    SqlStore,
};
pub use store::{
    BatchRequest, BatchSummary, LinkRow, NewRun, OriginRow, QueueRow, QueueStore, RunKind,
    RunOutcome, RunRecord, SeedSummary, Snapshot, Status, backlog_size,
};
