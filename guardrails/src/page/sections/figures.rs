//! What the sections of a recovery show, read from its facts.

use crate::facts::{FactsError, if_provided};
use crate::recovery::{AgeBucket, LedgerFacts, QueueFacts, RecoveryFacts, RunFacts};

/// How many runs the list shows.
const RUNS: usize = 50;

/// The figures of a recovery, as its sections show them: plain data that any service can fill.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LeadFigures {
    /// The queue and its fail reasons.
    pub queue: Option<QueueFacts>,
    /// Daily rows, oldest first, and the balances.
    pub ledger: LedgerFacts,
    /// The backlog by age, youngest first.
    pub ageing: Vec<AgeBucket>,
    /// Runs, newest first.
    pub runs: Vec<RunFacts>,
    /// The time zone that the days are counted in, such as `America/Lima`.
    pub time_zone: String,
    /// Where a reason leads to, with `{reason}` in the place of its code; none in a file.
    pub reason_link: Option<String>,
}

impl LeadFigures {
    /// Reads what the facts provide; what they leave out stays empty.
    pub fn read<F: RecoveryFacts + ?Sized>(facts: &F) -> Result<Self, FactsError> {
        Ok(Self {
            queue: if_provided(facts.queue())?,
            ledger: if_provided(facts.ledger())?.unwrap_or_default(),
            ageing: if_provided(facts.ageing())?.unwrap_or_default(),
            runs: if_provided(facts.runs(RUNS))?.unwrap_or_default(),
            time_zone: "UTC".to_owned(),
            reason_link: None,
        })
    }

    /// Sets the time zone that the days are counted in.
    #[must_use]
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = name.into();
        self
    }

    /// Makes each reason a link; `{reason}` in it is replaced by the reason's code.
    #[must_use]
    pub fn reason_link(mut self, template: impl Into<String>) -> Self {
        self.reason_link = Some(template.into());
        self
    }
}
