//! What the checks need to know, as one small trait.
//!
//! [`Facts`] stands for **one consistent read**: every answer of one value of it belongs to the same
//! snapshot. An implementation over a database holds one read-only transaction open (PostgreSQL
//! `REPEATABLE READ READ ONLY`, SQLite one deferred transaction in WAL mode) for as long as it lives.
//!
//! Only [`Facts::snapshot`] is required. Every other method is a family of facts that an
//! implementation may leave out; a check that needs it is then `inconclusive` and says what is
//! missing. [`InMemoryFacts`] is the implementation that is always built.

mod combined;
mod error;
mod families;
mod memory;
mod statement;

pub use combined::Combined;
pub use error::{FactsError, Family};
pub use families::{
    AgeBucket, DailyMetrics, Invariant, LackCount, LedgerFacts, MigrationFacts, Offender,
    Offenders, QueueFacts, ReasonCount, RunFacts, Snapshot,
};
pub use memory::InMemoryFacts;
pub use statement::single_statement;

/// The result of asking for a fact.
pub type FactsResult<T> = Result<T, FactsError>;

/// Answers what the checks ask about a queue, its links, origins, ledger, runs and migrations.
///
/// All answers of one value describe the same [`Snapshot`]. Keys and texts in the answers reach
/// reports: they hold row keys and reason codes, never a phone, document or e-mail.
///
/// ```
/// use guardrails::facts::{Facts, FactsError, Invariant, Offenders, Snapshot};
///
/// struct NothingInBacklog(Snapshot);
/// impl Facts for NothingInBacklog {
///     fn snapshot(&self) -> Snapshot {
///         self.0.clone()
///     }
///     fn offenders(&self, invariant: Invariant, _: usize) -> Result<Offenders, FactsError> {
///         match invariant {
///             Invariant::MatchedNotInBacklog => Ok(Offenders::none_of(12)),
///             other => Err(FactsError::not_provided(other)),
///         }
///     }
/// }
///
/// let facts = NothingInBacklog(Snapshot::new("s1", "2026-03-01T00:00:00Z".parse().unwrap()));
/// assert_eq!(facts.offenders(Invariant::MatchedNotInBacklog, 20).unwrap().total, 0);
/// assert!(facts.queue().unwrap_err().is_not_provided());
/// ```
pub trait Facts {
    /// Names the consistent read that all answers belong to.
    fn snapshot(&self) -> Snapshot;

    /// Counts the queue by status and the failed leads by reason, and sizes the backlog.
    fn queue(&self) -> FactsResult<QueueFacts> {
        Err(FactsError::not_provided(Family::Queue))
    }

    /// Lists what breaks an invariant: at most `limit` offenders by key, and their exact total.
    ///
    /// The listing is in the order of the keys, so that two reads of the same data agree.
    fn offenders(&self, invariant: Invariant, limit: usize) -> FactsResult<Offenders> {
        let _ = limit;
        Err(FactsError::not_provided(invariant))
    }

    /// Returns the daily rows, oldest first, and what ledger and queue each say is open.
    fn ledger(&self) -> FactsResult<LedgerFacts> {
        Err(FactsError::not_provided(Family::Ledger))
    }

    /// Returns the last `limit` runs, newest first.
    fn runs(&self, limit: usize) -> FactsResult<Vec<RunFacts>> {
        let _ = limit;
        Err(FactsError::not_provided(Family::Runs))
    }

    /// Returns which migrations the program holds and which the database has applied.
    fn migrations(&self) -> FactsResult<MigrationFacts> {
        Err(FactsError::not_provided(Family::Migrations))
    }

    /// Counts the leads of the backlog by age, youngest bucket first.
    fn ageing(&self) -> FactsResult<Vec<AgeBucket>> {
        Err(FactsError::not_provided(Family::Ageing))
    }

    /// Counts, per fail reason, the leads that hold no usable identifier of a kind.
    fn lacking(&self) -> FactsResult<Vec<LackCount>> {
        Err(FactsError::not_provided(Family::Lacking))
    }

    /// Runs a query that must return no rows; each row that it does return is an offender.
    ///
    /// The first column is the offender's key and the second, where there is one, its reason. The
    /// query runs inside the snapshot and must be a single reading statement: anything else is
    /// [`FactsError::Refused`], and nothing is written. The total is exact whatever the `limit`.
    /// [`single_statement`] looks at the form for an implementation.
    fn query(&self, sql: &str, limit: usize) -> FactsResult<Offenders> {
        let _ = (sql, limit);
        Err(FactsError::not_provided(Family::Query))
    }

    /// Says how long the answers of the next check may take in all; `None` lifts the limit.
    ///
    /// An implementation over a database passes it on (such as PostgreSQL's `statement_timeout`)
    /// and answers [`FactsError::TimedOut`]. The provided method does nothing.
    fn limit_time(&self, budget: Option<std::time::Duration>) {
        let _ = budget;
    }
}

macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<F: Facts + ?Sized> Facts for $pointer {
            fn snapshot(&self) -> Snapshot {
                (**self).snapshot()
            }
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
            fn migrations(&self) -> FactsResult<MigrationFacts> {
                (**self).migrations()
            }
            fn ageing(&self) -> FactsResult<Vec<AgeBucket>> {
                (**self).ageing()
            }
            fn lacking(&self) -> FactsResult<Vec<LackCount>> {
                (**self).lacking()
            }
            fn query(&self, sql: &str, limit: usize) -> FactsResult<Offenders> {
                (**self).query(sql, limit)
            }
            fn limit_time(&self, budget: Option<std::time::Duration>) {
                (**self).limit_time(budget);
            }
        }
    )+};
}
forward!(&F, Box<F>, std::rc::Rc<F>, std::sync::Arc<F>);
