//! The check: reads facts, gives a finding.

mod closure;
mod description;
mod query_check;
mod table;

use crate::Finding;
use crate::facts::FactsError;

pub use closure::{ClosureCheck, closure};
pub use description::{Aspect, Description};
pub use query_check::QueryCheck;
pub use table::{ColumnType, RuleError, RuleKind, TableCheck, TableRule};

/// A check: it reads facts of one type and gives a finding.
///
/// `F` is whatever a service knows: a struct of its own, or `dyn` a trait of its own. A check decides nothing
/// about weight: severity, thresholds, owner, tags and time-out belong to the [`Suite`](crate::Suite). It must
/// be a pure function of the facts, so that the same snapshot gives the same finding.
///
/// ```
/// use guardrails::recovery::{InMemoryFacts, QueueFacts, RecoveryFacts};
/// use guardrails::{Check, CheckError, Description, Finding, Verdict};
///
/// /// Warns when more leads wait than a night's run can take.
/// struct NightCapacity(u64);
///
/// impl<F: RecoveryFacts + ?Sized> Check<F> for NightCapacity {
///     fn id(&self) -> &str {
///         "night_capacity"
///     }
///     fn describe(&self) -> Description {
///         Description::judging_itself("no more leads wait than one night can take")
///     }
///     fn evaluate(&self, facts: &F, _list: usize) -> Result<Finding, CheckError> {
///         let pending = facts.queue()?.pending;
///         let verdict = if pending > self.0 { Verdict::Warn } else { Verdict::Pass };
///         Ok(Finding::judged(verdict, format!("{pending} leads wait")).figure("pending", pending))
///     }
/// }
///
/// let queue = QueueFacts { pending: 3, ..QueueFacts::default() };
/// let facts = InMemoryFacts::new("s", "2026-03-01T00:00:00Z".parse().unwrap()).with_queue(queue);
/// assert_eq!(NightCapacity(10).evaluate(&facts, 20).unwrap().summary(), "3 leads wait");
/// ```
pub trait Check<F: ?Sized>: Send + Sync {
    /// Returns the name by which the check is chosen and configured, in `snake_case`.
    fn id(&self) -> &str;

    /// Says what the check expects.
    fn describe(&self) -> Description;

    /// Evaluates the check on one snapshot and lists at most `list` offenders.
    fn evaluate(&self, facts: &F, list: usize) -> Result<Finding, CheckError>;
}

macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<F: ?Sized, C: Check<F> + ?Sized> Check<F> for $pointer {
            fn id(&self) -> &str {
                (**self).id()
            }
            fn describe(&self) -> Description {
                (**self).describe()
            }
            fn evaluate(&self, facts: &F, list: usize) -> Result<Finding, CheckError> {
                (**self).evaluate(facts, list)
            }
        }
    )+};
}
forward!(&C, Box<C>, std::sync::Arc<C>);

/// The reason why a check gave no finding.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// A fact could not be given: `inconclusive` where it is left out, `error` otherwise.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// The check itself could not go on: `error`.
    #[error("{message}")]
    Broken {
        /// What went wrong, in words that name no value of a row.
        message: String,
    },
    /// The check did not end within its time limit: `error`.
    #[error("the check took longer than its limit of {limit:?}")]
    TimedOut {
        /// The limit that the suite set.
        limit: std::time::Duration,
    },
}

impl CheckError {
    /// Says why the check itself could not go on, in words that name no value of a row.
    pub fn broken(message: impl Into<String>) -> Self {
        Self::Broken { message: message.into() }
    }
}
