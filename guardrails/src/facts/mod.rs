//! What every source of facts is: one consistent read.
//!
//! [`Facts`] is the one thing that a suite asks of a service's own type: the name of the read. What else it
//! holds is the service's affair, and its [checks](crate::Check) read it directly. A type over a database
//! holds one read-only transaction open (PostgreSQL `REPEATABLE READ READ ONLY`, SQLite one deferred
//! transaction in WAL mode) for as long as it lives, so that all checks see the same moment.
//!
//! [`Tables`] is for facts that can run reading queries: then checks need no code
//! ([`TableCheck`](crate::TableCheck), [`QueryCheck`](crate::QueryCheck)).

mod error;
mod query;
mod rows;
mod statement;

pub use error::{FactsError, if_provided};
pub use query::{Dialect, Query, Tables};
pub use rows::{Offender, Offenders, Scope, SnapshotInfo};
pub(crate) use statement::single_condition;
pub use statement::single_statement;

/// The result of asking for a fact.
pub type FactsResult<T> = Result<T, FactsError>;

/// Facts that checks read, all of one consistent read.
///
/// All answers of one value describe the same [`SnapshotInfo`]. Keys and texts in findings reach reports: they
/// hold row keys and reason codes, never a phone, document or e-mail.
///
/// ```
/// use guardrails::clock::StoppedClock;
/// use guardrails::facts::{Facts, Offenders, SnapshotInfo};
/// use guardrails::{Description, Finding, Suite, Verdict, closure};
///
/// /// What a billing service knows at one moment.
/// struct Billing {
///     read: SnapshotInfo,
///     invoices: u64,
///     without_customer: u64,
/// }
/// impl Facts for Billing {
///     fn snapshot(&self) -> SnapshotInfo {
///         self.read.clone()
///     }
/// }
///
/// let named = Description::counting("every invoice names its customer");
/// let check = closure("customer_named", named, |facts: &Billing, _list| {
///     let found = Offenders::counted(facts.without_customer, facts.invoices);
///     Ok(Finding::counted(found, "invoices name no customer"))
/// });
/// let read = SnapshotInfo::new("r1", "2026-03-01T00:00:00Z".parse().unwrap());
/// let facts = Billing { read, invoices: 40, without_customer: 1 };
/// let report = Suite::new("billing").with(check).unwrap().run(&facts, &StoppedClock);
/// assert_eq!(report.checks[0].actual, "1 of 40 invoices name no customer (2.5 %)");
/// assert_eq!(report.verdict, Verdict::Fail);
/// ```
pub trait Facts {
    /// Names the consistent read that all answers belong to.
    fn snapshot(&self) -> SnapshotInfo;

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
            fn snapshot(&self) -> SnapshotInfo {
                (**self).snapshot()
            }
            fn limit_time(&self, budget: Option<std::time::Duration>) {
                (**self).limit_time(budget);
            }
        }
    )+};
}
forward!(&F, Box<F>, std::rc::Rc<F>, std::sync::Arc<F>);
