//! The checks of this crate's own.
//!
//! | id | holds when | default |
//! |---|---|---|
//! | `drain` | no matched lead is in the backlog | fails on the first |
//! | `origin_missing` | the person of every matched lead has an origin, and every origin its link | fails on the first |
//! | `source_pk_consistency` | a lead's key is written in one way in every table | fails on the first |
//! | `identity_link_integrity` | every matched lead has its link, to the same person | fails on the first |
//! | `single_migration_head` | one head, nothing pending, unknown, out of order or changed | fails on the first |
//! | `ledger_balance` | every day adds up, and ledger and queue agree | fails on the first |
//! | `impact` | the last run left no rise of the backlog without arrivals, and what is left is explained | judges itself |
//! | `throughput` | more is matched than arrives, or the backlog falls | judges itself, warns |
//! | `packets_complete` | every actionable source has its packet | fails on the first |

mod impact;
mod invariants;
mod ledger;
mod migrations;
mod remedies;
mod throughput;

use std::sync::Arc;

use crate::Check;

pub use impact::{Explained, Impact};
pub use invariants::{
    Drain, IdentityLinkIntegrity, OriginMissing, PacketsComplete, SourcePkConsistency,
};
pub use ledger::LedgerBalance;
pub use migrations::SingleMigrationHead;
pub use throughput::{Throughput, TimeToDrain};

/// Returns every built-in check, in the order of reports.
pub(crate) fn all() -> Vec<Arc<dyn Check>> {
    vec![
        Arc::new(Drain),
        Arc::new(OriginMissing),
        Arc::new(SourcePkConsistency),
        Arc::new(IdentityLinkIntegrity),
        Arc::new(SingleMigrationHead),
        Arc::new(LedgerBalance),
        Arc::new(Impact::default()),
        Arc::new(Throughput::default()),
        Arc::new(PacketsComplete),
    ]
}
