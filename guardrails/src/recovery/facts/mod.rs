//! What the checks of the recovery need to know, as one small trait.

mod figures;
mod invariant;
mod memory;

use crate::facts::{Facts, FactsError, FactsResult, Offenders};

pub use figures::{
    AgeBucket, DailyMetrics, LackCount, LedgerFacts, MigrationFacts, QueueFacts, ReasonCount,
    RunFacts,
};
pub use invariant::Invariant;
pub use memory::InMemoryFacts;

/// Facts of a queue of leads: its links, origins, ledger, runs and migrations.
///
/// Every method is a family of facts that an implementation may leave out; a check that needs it is then
/// `inconclusive` and says what is missing. Keys and texts in the answers reach reports: they hold row keys
/// and reason codes, never a phone, document or e-mail.
///
/// ```
/// use guardrails::facts::{Facts, FactsError, Offenders, SnapshotInfo};
/// use guardrails::recovery::{Invariant, RecoveryFacts};
///
/// struct NothingInBacklog(SnapshotInfo);
/// impl Facts for NothingInBacklog {
///     fn snapshot(&self) -> SnapshotInfo {
///         self.0.clone()
///     }
/// }
/// impl RecoveryFacts for NothingInBacklog {
///     fn offenders(&self, invariant: Invariant, _: usize) -> Result<Offenders, FactsError> {
///         match invariant {
///             Invariant::MATCHED_NOT_IN_BACKLOG => Ok(Offenders::none_of(12)),
///             other => Err(FactsError::not_provided(other.as_str())),
///         }
///     }
/// }
///
/// let facts = NothingInBacklog(SnapshotInfo::new("s1", "2026-03-01T00:00:00Z".parse().unwrap()));
/// assert_eq!(facts.offenders(Invariant::MATCHED_NOT_IN_BACKLOG, 20).unwrap().total, 0);
/// assert!(facts.queue().unwrap_err().is_not_provided());
/// ```
pub trait RecoveryFacts: Facts {
    /// Counts the queue by status and the failed leads by reason, and sizes the backlog.
    fn queue(&self) -> FactsResult<QueueFacts> {
        Err(FactsError::not_provided("queue"))
    }

    /// Lists what breaks an invariant: at most `limit` offenders by key, and their exact total.
    ///
    /// The listing is in the order of the keys, so that two reads of the same data agree.
    fn offenders(&self, invariant: Invariant, limit: usize) -> FactsResult<Offenders> {
        let _ = limit;
        Err(FactsError::not_provided(invariant.as_str()))
    }

    /// Returns the daily rows, oldest first, and what ledger and queue each say is open.
    fn ledger(&self) -> FactsResult<LedgerFacts> {
        Err(FactsError::not_provided("ledger"))
    }

    /// Returns the last `limit` runs, newest first.
    fn runs(&self, limit: usize) -> FactsResult<Vec<RunFacts>> {
        let _ = limit;
        Err(FactsError::not_provided("runs"))
    }

    /// Returns each book of migrations: which the program holds and which the database has applied.
    fn migrations(&self) -> FactsResult<Vec<MigrationFacts>> {
        Err(FactsError::not_provided("migrations"))
    }

    /// Counts the leads of the backlog by age, youngest bucket first.
    fn ageing(&self) -> FactsResult<Vec<AgeBucket>> {
        Err(FactsError::not_provided("ageing"))
    }

    /// Counts the failed leads by reason and by which kinds of identifiers they hold no usable one of.
    fn lacking(&self) -> FactsResult<Vec<LackCount>> {
        Err(FactsError::not_provided("lacking"))
    }
}

macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<F: RecoveryFacts + ?Sized> RecoveryFacts for $pointer {
            fn queue(&self) -> FactsResult<QueueFacts> {
                (**self).queue()
            }
            fn offenders(&self, invariant: Invariant, limit: usize) -> FactsResult<Offenders> {
                (**self).offenders(invariant, limit)
            }
            fn ledger(&self) -> FactsResult<LedgerFacts> {
                (**self).ledger()
            }
            fn runs(&self, limit: usize) -> FactsResult<Vec<RunFacts>> {
                (**self).runs(limit)
            }
            fn migrations(&self) -> FactsResult<Vec<MigrationFacts>> {
                (**self).migrations()
            }
            fn ageing(&self) -> FactsResult<Vec<AgeBucket>> {
                (**self).ageing()
            }
            fn lacking(&self) -> FactsResult<Vec<LackCount>> {
                (**self).lacking()
            }
        }
    )+};
}
forward!(&F, Box<F>, std::rc::Rc<F>, std::sync::Arc<F>);
