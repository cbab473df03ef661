use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::facts::Scope;
use crate::{SuiteReport, Verdict};

/// One report, as a history keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteRecord {
    /// The suite's name.
    pub suite: String,
    /// The moment that the report shows.
    pub as_of: DateTime<Utc>,
    /// The read that it saw.
    pub snapshot_id: String,
    /// The suite's verdict.
    pub verdict: Verdict,
    /// The rows that it speaks of, where these are not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Its checks.
    pub checks: Vec<CheckRecord>,
}

/// One check, as a history keeps it: verdict and figures, no offender.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// The check's id.
    pub id: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Offenders, exactly.
    pub numerator: u64,
    /// The population, where it is known.
    pub denominator: Option<u64>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl SuiteRecord {
    /// Takes from a report what is kept.
    #[must_use]
    pub fn of(report: &SuiteReport) -> Self {
        let checks = report
            .checks
            .iter()
            .map(|check| CheckRecord {
                id: check.assertion.clone(),
                verdict: check.verdict,
                numerator: check.numerator,
                denominator: check.denominator,
                duration_ms: check.duration_ms,
            })
            .collect();
        Self {
            suite: report.suite.clone(),
            as_of: report.as_of,
            snapshot_id: report.snapshot_id.clone(),
            verdict: report.verdict,
            scope: report.scope,
            checks,
        }
    }

    /// Returns what one check came to.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&CheckRecord> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// Writes the record as one line of a history, with its line break.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut line =
            serde_json::to_string(self).expect("plain numbers and texts have a JSON form");
        line.push('\n');
        line
    }
}

impl CheckRecord {
    /// Says the figures, such as `3 of 120`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.denominator {
            Some(all) => format!("{} of {all}", self.numerator),
            None => self.numerator.to_string(),
        }
    }
}
