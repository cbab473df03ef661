#![doc = include_str!("../README.md")]

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod diesel;
#[cfg(feature = "identity-matching")]
mod matching;
mod memory;
mod model;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod worker;

#[cfg(all(feature = "identity-matching", any(feature = "sqlite", feature = "postgres")))]
pub use crate::diesel::SqlIndex;
#[cfg(all(feature = "guardrails", any(feature = "sqlite", feature = "postgres")))]
pub use crate::diesel::StoreFacts;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use crate::diesel::{
    Connection, DatabaseUrl, MigrationStatus, Namespace, OpenOptions, RollupSummary, SqlSnapshot,
    SqlStore,
};
#[cfg(feature = "identity-matching")]
pub use matching::{LeadSource, MatcherResolver, WakeKeys};
pub use memory::MemoryStore;
pub use model::backlog::{
    Backlog, BacklogLead, BacklogSource, MemoryBacklog, ViewBacklog, ViewName,
};
pub use model::error::{ConfigError, KeyError, StoreError};
pub use model::key::{MAX_KEY_BYTES, PersonKey, RunId, SourcePk};
pub use model::ledger::{DailyMetrics, EventKind, LedgerSlot, SLOT_SECONDS, daily_metrics};
pub use model::options::{Backoff, ClaimMode, RecoverOptions, SeedOptions};
pub use model::resolver::{ClaimedLead, FailReason, Match, Resolution, ResolveError, Resolver};
pub use model::rows::{LinkRow, OriginRow, QueueRow, Status, backlog_size};
pub use model::run::{NewRun, RunKind, RunOutcome, RunRecord};
pub use model::work::{BatchRequest, BatchSummary, SeedSummary};
pub use store::links::{Decider, LinkHistoryRow, LinkStore, MANUAL_RULE};
pub use store::outlook::{AGE_BOUNDS, AgeBucket, Outlook, ReasonShare, outlook};
pub use store::{QueueStore, Snapshot};
pub use worker::{Cursor, Progress, RunSummary, Stopped, recover_with_workers};
