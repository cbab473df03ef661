use serde::{Deserialize, Serialize};

use crate::{Severity, Thresholds};

/// The subject of a verdict: the machinery, or the KPI.
///
/// The two are told apart in every report, since a sound machinery does not make a red KPI green.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// An invariant of the data or of the program: it holds or it does not.
    #[default]
    Machinery,
    /// The number that the whole work is for.
    Kpi,
}

/// The expectation of a check and its default settings.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// What holds when the check passes, as one clause.
    pub expected: String,
    /// The thresholds it has by default; `None` for a check that judges by itself.
    pub thresholds: Option<Thresholds>,
    /// The severity it has by default.
    pub severity: Severity,
    /// What its verdict is about.
    pub aspect: Aspect,
    /// The column that it looks at, where it is one.
    pub column: Option<String>,
    /// The query that it runs, where it is one.
    pub sql: Option<String>,
    /// The most offenders that it can count, where that is known: a threshold above it could never be crossed.
    pub at_most: Option<u64>,
    /// How a suite file declares it, for a check that can be declared.
    pub declaration: Option<serde_json::Map<String, serde_json::Value>>,
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
            aspect: Aspect::Machinery,
            column: None,
            sql: None,
            at_most: None,
            declaration: None,
        }
    }

    /// Sets the severity that the check has by default.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Says that the check is about the KPI, not the machinery.
    #[must_use]
    pub fn of_the_kpi(mut self) -> Self {
        self.aspect = Aspect::Kpi;
        self
    }

    /// Names the column that the check looks at.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }
}
