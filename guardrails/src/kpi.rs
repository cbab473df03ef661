//! The KPI beside the checks: a suite can be green while the number that it is for is red.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::words::{many, with_sources};
use crate::{CheckError, Figure, FigureValue};

/// The state of a KPI, as the facts give it.
#[derive(Debug, Clone, PartialEq)]
pub struct KpiReading {
    pub(crate) left: u64,
    pub(crate) noun: String,
    pub(crate) outlook: Option<String>,
    pub(crate) figures: Vec<Figure>,
}

impl KpiReading {
    /// Says how many are left until the KPI is green, with the noun for one of them.
    pub fn left(count: u64, noun: impl Into<String>) -> Self {
        Self { left: count, noun: noun.into(), outlook: None, figures: Vec::new() }
    }

    /// Says in words what they wait for or how long they take.
    #[must_use]
    pub fn outlook(mut self, words: impl Into<String>) -> Self {
        self.outlook = Some(words.into());
        self
    }

    /// Adds a figure.
    #[must_use]
    pub fn figure(mut self, name: impl Into<String>, value: impl Into<FigureValue>) -> Self {
        self.figures.push(Figure { name: name.into(), value: value.into() });
        self
    }
}

/// The state of a KPI: reached or not.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KpiState {
    /// Nothing is left.
    Green,
    /// Something is left.
    Red,
    /// It could not be measured.
    Unknown,
}

impl KpiState {
    /// Returns the word for it, in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for KpiState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A suite's KPI in a report, apart from the verdicts of its checks.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KpiReport {
    /// What the KPI is called.
    pub name: String,
    /// Whether it is reached.
    pub state: KpiState,
    /// How many are left; absent where it could not be measured.
    pub left: Option<u64>,
    /// The count in words, such as `2,058 leads left`, or why there is none.
    pub summary: String,
    /// What they wait for, or how long they take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlook: Option<String>,
    /// Further figures.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

impl KpiReport {
    /// Says it in one clause: `the KPI is red: 2,058 leads left`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.state {
            KpiState::Green => format!("the KPI is green: {}", self.summary),
            KpiState::Red => format!("the KPI is red: {}", self.summary),
            KpiState::Unknown => format!("the KPI is not known: {}", self.summary),
        }
    }
}

/// Measures a KPI; a closure is one.
pub(crate) trait Measure<F: ?Sized>: Send + Sync {
    fn measure(&self, facts: &F) -> Result<KpiReading, CheckError>;
}

impl<F: ?Sized, M> Measure<F> for M
where
    M: Fn(&F) -> Result<KpiReading, CheckError> + Send + Sync,
{
    fn measure(&self, facts: &F) -> Result<KpiReading, CheckError> {
        self(facts)
    }
}

/// A KPI and how it is measured.
pub(crate) struct Kpi<F: ?Sized> {
    name: String,
    measure: Arc<dyn Measure<F>>,
}

impl<F: ?Sized> Clone for Kpi<F> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), measure: Arc::clone(&self.measure) }
    }
}

impl<F: ?Sized> Kpi<F> {
    pub(crate) fn new(name: String, measure: impl Measure<F> + 'static) -> Self {
        Self { name, measure: Arc::new(measure) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn measure(&self, facts: &F) -> Result<KpiReading, CheckError> {
        self.measure.measure(facts)
    }

    /// Tells what was measured, or why nothing could be.
    pub(crate) fn report(&self, reading: Result<KpiReading, CheckError>) -> KpiReport {
        let name = self.name.clone();
        match reading {
            Ok(KpiReading { left, noun, outlook, figures }) => KpiReport {
                name,
                state: if left == 0 { KpiState::Green } else { KpiState::Red },
                left: Some(left),
                summary: if left == 0 {
                    format!("no {noun} left")
                } else {
                    format!("{} left", many(left, &noun))
                },
                outlook,
                figures,
            },
            Err(error) => KpiReport {
                name,
                state: KpiState::Unknown,
                left: None,
                summary: with_sources(&error),
                outlook: None,
                figures: Vec::new(),
            },
        }
    }
}
