//! The check: reads facts, gives a finding.

mod closure;
mod query;

use crate::facts::{Facts, FactsError};
use crate::{Finding, Severity, Thresholds};

pub use closure::{ClosureCheck, closure};
pub use query::QueryCheck;

/// Reads facts and says what it found.
///
/// A check decides nothing about weight: severity, thresholds, owner and time-out belong to the
/// [`Suite`](crate::Suite). It must be a pure function of the facts, so that the same snapshot gives
/// the same finding.
///
/// ```
/// use guardrails::facts::{Facts, InMemoryFacts, QueueFacts};
/// use guardrails::{Check, CheckError, Description, Finding, Verdict};
///
/// /// Warns when more leads wait than a night's run can take.
/// struct NightCapacity(u64);
///
/// impl Check for NightCapacity {
///     fn id(&self) -> &str {
///         "night_capacity"
///     }
///     fn describe(&self) -> Description {
///         Description::judging_itself("no more leads wait than one night can take")
///     }
///     fn evaluate(&self, facts: &dyn Facts, _list: usize) -> Result<Finding, CheckError> {
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
pub trait Check: Send + Sync {
    /// Returns the name by which the check is chosen and configured, in `snake_case`.
    fn id(&self) -> &str;

    /// Says what the check expects.
    fn describe(&self) -> Description;

    /// Evaluates the check on one snapshot and lists at most `list` offenders.
    fn evaluate(&self, facts: &dyn Facts, list: usize) -> Result<Finding, CheckError>;
}

macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<C: Check + ?Sized> Check for $pointer {
            fn id(&self) -> &str {
                (**self).id()
            }
            fn describe(&self) -> Description {
                (**self).describe()
            }
            fn evaluate(&self, facts: &dyn Facts, list: usize) -> Result<Finding, CheckError> {
                (**self).evaluate(facts, list)
            }
        }
    )+};
}
forward!(&C, Box<C>, std::sync::Arc<C>);

/// What a check expects, and the settings that it has unless the suite says otherwise.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// What holds when the check passes, as one clause.
    pub expected: String,
    /// The thresholds it has by default; `None` for a check that judges by itself.
    pub thresholds: Option<Thresholds>,
    /// The severity it has by default.
    pub severity: Severity,
    /// The column that it looks at, where it is one.
    pub column: Option<String>,
    /// The query that it runs, where it is one.
    pub sql: Option<String>,
}

impl Description {
    /// Describes a check that counts offenders and leaves the verdict to the thresholds.
    pub fn counting(expected: impl Into<String>) -> Self {
        Self { thresholds: Some(Thresholds::default()), ..Self::judging_itself(expected) }
    }

    /// Describes a check that gives its verdict by itself and takes no thresholds.
    pub fn judging_itself(expected: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            thresholds: None,
            severity: Severity::Error,
            column: None,
            sql: None,
        }
    }

    /// Sets the severity that the check has by default.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Names the column that the check looks at.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }
}

/// Why a check gave no finding.
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
