//! The checks of a recovery of leads, over facts of their own.
//!
//! | id | holds when | default |
//! |---|---|---|
//! | `drain` | no matched lead is in the backlog | fails on the first |
//! | `origin_missing` | the person of every matched lead has an origin, and every origin its link | fails on the first |
//! | `source_pk_consistency` | a lead's key is written in one way in every table | fails on the first |
//! | `identity_link_integrity` | every matched lead has its link, to the same person | fails on the first |
//! | `single_migration_head` | each book has one head, nothing pending, unknown, out of order or changed | fails on the first |
//! | `ledger_balance` | every day adds up, and ledger and queue agree | fails on the first |
//! | `impact` | the last run left no rise of the backlog without arrivals, and what is left is explained | judges itself; of the KPI |
//! | `throughput` | on each day and over the last seven more is matched than arrives, or the backlog falls | judges itself, warns; of the KPI |
//!
//! What surrounds the queue is judged by a suite of its own, [`Suite::surroundings`], for facts that serve it:
//!
//! | id | holds when | default |
//! |---|---|---|
//! | `link_target_exists` | every link leads to a person who is there | fails on the first |
//! | `rejected` | every lead of the backlog could be taken by the last seed | warns on the first |
//! | `review_consistency` | no lead is linked to a person whom somebody rejected for it | fails on the first |
//! | `clock` | the clock is not behind what it said before | warns |
//!
//! The KPI of the suite is the backlog: it is red while a lead is left in it, whatever the checks say.
//!
//! # How a check is added
//!
//! Most checks count what breaks one invariant. They take three steps, each in one place:
//!
//! 1. name the invariant with its population and key: a constant of [`Invariant`] in `facts/invariant.rs`;
//! 2. answer it in the store: an arm of [`RecoveryFacts::offenders`] (in `recovery-queue`, the facts of a store);
//! 3. describe the check: a function that returns an [`InvariantCheck`] in `invariants.rs`, and its line in
//!    [`Suite::recovery`] and in the table above.
//!
//! A check that needs more than counted rows reads a further method of [`RecoveryFacts`], which is left out unless a
//! store provides it, and implements [`Check`](crate::Check) in a file of its own. A service needs none of this: it
//! adds its checks to the suite with [`Suite::with`].

mod drain_time;
mod facts;
mod impact;
mod invariants;
mod ledger;
mod migrations;
mod remedies;
mod surroundings;
mod throughput;

use crate::facts::{FactsError, if_provided};
use crate::kpi::Measure;
use crate::{CheckError, KpiReading, Suite};

pub use drain_time::TimeToDrain;
pub use facts::{
    AgeBucket, DailyMetrics, InMemoryFacts, Invariant, LackCount, LedgerFacts, MigrationFacts,
    QueueFacts, ReasonCount, RecoveryFacts, RunFacts,
};
pub use impact::{Explained, Impact};
pub use invariants::InvariantCheck;
pub use ledger::LedgerBalance;
pub use migrations::SingleMigrationHead;
pub use remedies::reason_in_words;
pub use throughput::Throughput;

impl<F: RecoveryFacts + ?Sized> Suite<F> {
    /// Makes the suite of what surrounds the queue: the persons that links lead to, the rows of the backlog that cannot be
    /// taken, what people decided, and the clock. Use it with `Suite::recovery().and(Suite::surroundings())`.
    #[must_use]
    pub fn surroundings() -> Self {
        Self::new("surroundings")
            .built_in(surroundings::link_target_exists())
            .built_in(surroundings::rejected())
            .built_in(surroundings::review_consistency())
            .built_in(surroundings::clock())
    }

    /// Makes the suite for facts of the rows that a run has touched ([`Scope`](crate::facts::Scope)): what of the other two
    /// suites can be said of single leads, the migrations and the clock. The KPI is what the last run left.
    ///
    /// It takes the place of no full suite: what something else has broken in other rows it does not see.
    #[must_use]
    pub fn touched() -> Self {
        Self::new("touched")
            .built_in(invariants::drain())
            .built_in(invariants::origin_missing())
            .built_in(invariants::identity_link_integrity())
            .built_in(invariants::lead_state())
            .built_in(surroundings::link_target_exists())
            .built_in(surroundings::review_consistency())
            .built_in(SingleMigrationHead)
            .built_in(surroundings::clock())
            .measured("backlog", LastRun)
    }

    /// Makes the suite of the identity loop: every check of [`recovery`](crate::recovery), and the backlog as its KPI.
    #[must_use]
    pub fn recovery() -> Self {
        Self::new("recovery")
            .built_in(invariants::drain())
            .built_in(invariants::origin_missing())
            .built_in(invariants::source_pk_consistency())
            .built_in(invariants::identity_link_integrity())
            .built_in(SingleMigrationHead)
            .built_in(LedgerBalance)
            .built_in(Impact::default())
            .built_in(Throughput::default())
            .measured("backlog", Backlog)
    }
}

/// What the backlog stands at, what its leads wait for, and how fast it moves.
struct Backlog;

impl<F: RecoveryFacts + ?Sized> Measure<F> for Backlog {
    fn measure(&self, facts: &F) -> Result<KpiReading, CheckError> {
        backlog(facts)
    }
}

/// What the last run that ended left in the backlog.
struct LastRun;

impl<F: RecoveryFacts + ?Sized> Measure<F> for LastRun {
    fn measure(&self, facts: &F) -> Result<KpiReading, CheckError> {
        const LOOK_BACK: usize = 20;
        let runs = facts.runs(LOOK_BACK)?;
        let run = runs.iter().find(|run| run.finished_at.is_some());
        let run = run.ok_or_else(|| FactsError::not_provided("a run that has ended"))?;
        Ok(KpiReading::left(run.backlog_after, "lead").outlook("by the last run"))
    }
}

fn backlog<F: RecoveryFacts + ?Sized>(facts: &F) -> Result<KpiReading, CheckError> {
    let queue = facts.queue()?;
    let ledger = if_provided(facts.ledger())?;
    let mut reading = KpiReading::left(queue.backlog, "lead");
    let mut outlook = Vec::new();
    if let Some(ledger) = &ledger {
        let time = TimeToDrain::of(ledger, &queue);
        outlook.push(format!("time to drain: {}", time.in_words()));
        if let TimeToDrain::Days { expected, .. } = time {
            reading = reading.figure("drain_days", expected);
        }
    }
    reading = reading
        .figure("pending", queue.pending.saturating_add(queue.backlog_not_in_queue))
        .figure("failed", queue.failed);
    if let Some(matched) = ledger.and_then(|ledger| ledger.matched_last_24h) {
        outlook
            .push(format!("matched in the last 24 h: {}", crate::words::grouped(matched.into())));
        reading = reading.figure("matched_last_24h", matched);
    }
    Ok(if outlook.is_empty() { reading } else { reading.outlook(outlook.join("; ")) })
}
