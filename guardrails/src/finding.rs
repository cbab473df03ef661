use serde::{Deserialize, Serialize};

use crate::Verdict;
use crate::facts::Offenders;
use crate::words::percent;

/// One named number or word that a check looked at; given when it passes, too.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is, in `snake_case`, with its unit at the end where it has one.
    pub name: String,
    /// The number or word.
    pub value: FigureValue,
}

/// The value of a [`Figure`].
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum FigureValue {
    /// A count or a difference of counts.
    Integer(i64),
    /// A ratio, a rate or a time.
    Number(f64),
    /// A word, such as a reason code.
    Text(String),
}

impl From<u64> for FigureValue {
    fn from(value: u64) -> Self {
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<i64> for FigureValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for FigureValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<String> for FigureValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for FigureValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl std::fmt::Display for FigureValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => ((value * 1e4).round() / 1e4).fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// Something that a person can do about a finding.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    /// What to do, as one sentence.
    pub action: String,
    /// A command line that does it or begins it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// How many leads it would free at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frees: Option<u64>,
}

impl Remedy {
    /// Makes a remedy that is only words.
    pub fn new(action: impl Into<String>) -> Self {
        Self { action: action.into(), command: None, frees: None }
    }

    /// Adds the command line.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// Adds how many leads it would free at most.
    #[must_use]
    pub fn frees(mut self, leads: u64) -> Self {
        self.frees = Some(leads);
        self
    }
}

/// How a finding becomes a verdict.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Basis {
    /// The thresholds of the suite decide on these.
    Counted(Offenders),
    /// The check has decided; `offenders` is what it lists.
    Judged(Verdict, Offenders),
}

/// What one check found: always with its figures, before any threshold is applied.
///
/// ```
/// use guardrails::Finding;
/// use guardrails::facts::Offenders;
///
/// let finding = Finding::counted(Offenders::none_of(40), "leads have no owner")
///     .figure("owners", 7_u64)
///     .cause("the import left the owner out");
/// assert_eq!(finding.summary(), "0 of 40 leads have no owner (0 %)");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    pub(crate) basis: Basis,
    pub(crate) summary: String,
    pub(crate) figures: Vec<Figure>,
    pub(crate) causes: Vec<String>,
    pub(crate) remedies: Vec<Remedy>,
    pub(crate) partial: Option<String>,
}

impl Finding {
    /// Makes a finding whose offenders the thresholds judge.
    ///
    /// `what` completes the sentence that begins with the count: "3 of 40 …".
    pub fn counted(offenders: Offenders, what: impl std::fmt::Display) -> Self {
        let summary = match offenders.population {
            Some(0) | None => format!("{} {what}", offenders.total),
            Some(all) => {
                let ratio = offenders.total as f64 / all as f64;
                format!("{} of {all} {what} ({} %)", offenders.total, percent(ratio))
            }
        };
        Self::new(Basis::Counted(offenders), summary)
    }

    /// Replaces the sentence, where the count is not the best one.
    #[must_use]
    pub fn words(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// Says what an empty population means, such as `nothing to leak`.
    ///
    /// ```
    /// use guardrails::Finding;
    /// use guardrails::facts::Offenders;
    ///
    /// let found = Offenders::none_of(0);
    /// let finding = Finding::counted(found, "matched leads are in the backlog").where_empty("nothing to leak");
    /// assert_eq!(finding.summary(), "0 of 0: nothing to leak");
    /// ```
    #[must_use]
    pub fn where_empty(mut self, means: impl std::fmt::Display) -> Self {
        let Offenders { population, total, .. } = self.offenders();
        if *population == Some(0) && *total == 0 {
            self.summary = format!("0 of 0: {means}");
        }
        self
    }

    /// Makes a finding that carries its own verdict, with the sentence that says why.
    pub fn judged(verdict: Verdict, summary: impl Into<String>) -> Self {
        Self::new(Basis::Judged(verdict, Offenders::default()), summary.into())
    }

    fn new(basis: Basis, summary: String) -> Self {
        Self {
            basis,
            summary,
            figures: Vec::new(),
            causes: Vec::new(),
            remedies: Vec::new(),
            partial: None,
        }
    }

    /// Lists offenders beside a verdict of the check's own.
    #[must_use]
    pub fn listing(mut self, listed: Offenders) -> Self {
        match &mut self.basis {
            Basis::Counted(offenders) | Basis::Judged(_, offenders) => *offenders = listed,
        }
        self
    }

    /// Adds a figure.
    #[must_use]
    pub fn figure(mut self, name: impl Into<String>, value: impl Into<FigureValue>) -> Self {
        self.figures.push(Figure { name: name.into(), value: value.into() });
        self
    }

    /// Adds a likely cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds a remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedies.push(remedy);
        self
    }

    /// Says that not everything was seen, such as a sample: the finding then never passes.
    #[must_use]
    pub fn partial(mut self, why: impl Into<String>) -> Self {
        self.partial = Some(why.into());
        self
    }

    /// Returns the sentence with the figures.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Returns the offenders: all counted, some listed.
    #[must_use]
    pub fn offenders(&self) -> &Offenders {
        match &self.basis {
            Basis::Counted(offenders) | Basis::Judged(_, offenders) => offenders,
        }
    }
}
