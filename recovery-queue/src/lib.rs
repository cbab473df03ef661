#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod diesel;
pub mod guide;
#[cfg(feature = "identity-matching")]
mod matching;
mod memory;
mod model;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod worker;

#[cfg(all(feature = "r2d2", any(feature = "sqlite", feature = "postgres")))]
pub use crate::diesel::ConnectionPool;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use crate::diesel::SettledLead;
#[cfg(all(feature = "identity-matching", any(feature = "sqlite", feature = "postgres")))]
pub use crate::diesel::SqlIndex;
#[cfg(all(feature = "guardrails", any(feature = "sqlite", feature = "postgres")))]
pub use crate::diesel::{BookFacts, ServiceMigrations, StoreFacts};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use crate::diesel::{
    BorrowedStore, CheckedBook, Conn, DatabaseUrl, Decision, MigrationStatus, Namespace,
    OpenOptions, PostgresUrl, QueueMigrations, RollupSummary, SqlSnapshot, SqlStore, SqliteFile,
};
#[cfg(feature = "identity-matching")]
pub use matching::{LeadSource, MatcherResolver, WakeKeys};
pub use memory::InMemoryStore;
pub use model::age::{AGE_BOUNDS, AgeBucket};
pub use model::backlog::{
    Backlog, BacklogLead, BacklogRows, BacklogSource, InMemoryBacklog, ViewBacklog, ViewName,
};
pub use model::cursor::{Cursor, Position};
pub use model::error::{ConfigError, StoreError};
pub use model::evidence::Evidence;
pub use model::inconsistency::{Inconsistency, InconsistencyKind};
pub use model::key::{KeyError, MAX_KEY_BYTES, PersonKey, RunId, SourcePk};
pub use model::key_column::KeyColumn;
pub use model::lead::{
    Forget, Forgotten, LeadAction, LeadActionKind, LeadRecord, PersonRecord, Pruned, Reopen,
    Retention,
};
pub use model::lease::Lease;
pub use model::ledger::{DailyMetrics, EventKind, LedgerSlot, SLOT_SECONDS, daily_metrics};
pub use model::links::{Decider, LinkHistoryRow, MANUAL_RULE, RejectedPair};
pub use model::options::{Backoff, ClaimMode, Feed, Fuse, RecoverOptions, SeedOptions};
pub use model::person_view::PersonView;
pub use model::progress::{Progress, RunSummary, Stopped};
pub use model::rejection::{RejectReason, Rejection};
pub use model::resolver::{
    Ahead, ClaimedLead, FailReason, Match, OwnReason, Resolution, ResolveError, Resolver,
};
pub use model::review::agreement::ReviewerAgreement;
pub use model::review::figures::{PacketOut, ReviewFigures, WaitingCases};
pub use model::review::{
    NewReviewPacket, Review, ReviewCase, ReviewDecision, ReviewEffect, ReviewLoad, ReviewLoadRow,
    ReviewReceipt, ReviewRefusal, ReviewRow, ReviewUndone, ReviewerChange,
};
pub use model::rows::{LinkRow, OriginRow, QueueRow, Status, backlog_size};
pub use model::run::{NewRun, RunKind, RunOutcome, RunRecord};
pub use model::settlement::{SeedStep, Settlement};
pub use model::stop::Stop;
pub use model::store_action::{StoreAction, StoreActionKind};
pub use model::work::{BatchRequest, BatchSummary, SeedSummary};
pub use store::corrections::{Correction, CorrectionSink};
pub use store::leads::LeadStore;
pub use store::leases::LeaseStore;
pub use store::links::LinkStore;
pub use store::outlook::{Outlook, ReasonShare, outlook};
pub use store::reviews::ReviewStore;
pub use store::runs::RunStore;
pub use store::{QueueStore, Snapshot};
pub use worker::{AsyncResolver, ReadAhead, Recover, recover_with_workers, resolve_isolated};
