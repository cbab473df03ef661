use serde::{Deserialize, Serialize};

/// The verdict of a check or of a whole suite.
///
/// The order is by what asks for attention first: [`Fail`](Self::Fail) is a proven fault and stands
/// above [`Error`](Self::Error), which proves nothing; the verdict of a suite is its greatest.
///
/// ```
/// use guardrails::Verdict;
///
/// assert_eq!([Verdict::Pass, Verdict::Fail, Verdict::Error].into_iter().max(), Some(Verdict::Fail));
/// ```
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// Everything was looked at and holds.
    Pass,
    /// The warn threshold is crossed, or the fail threshold of a check of severity `warn`.
    Warn,
    /// There was nothing to look at, or not all of it was seen: neither proof nor fault.
    Inconclusive,
    /// The check could not be evaluated.
    Error,
    /// The fail threshold is crossed.
    Fail,
}

impl Verdict {
    /// Every verdict, in order.
    pub const ALL: [Self; 5] =
        [Self::Pass, Self::Warn, Self::Inconclusive, Self::Error, Self::Fail];

    /// Returns the word for it, in lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
            Self::Fail => "fail",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The weight of a crossed fail threshold, by OpenLineage's names.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It fails the suite.
    #[default]
    Error,
    /// It warns: the verdict is at most [`Verdict::Warn`].
    Warn,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warn => "warn",
        })
    }
}

/// The rule that makes an exit code of verdicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExitPolicy {
    /// Makes `warn` exit with 2 instead of 0.
    pub warnings_as_exit: bool,
    /// Makes `inconclusive` exit with 0 instead of 3.
    pub allow_inconclusive: bool,
}

impl ExitPolicy {
    /// Sets whether `warn` exits with 2.
    #[must_use]
    pub fn with_warnings_as_exit(mut self, yes: bool) -> Self {
        self.warnings_as_exit = yes;
        self
    }

    /// Sets whether `inconclusive` exits with 0.
    #[must_use]
    pub fn with_inconclusive_allowed(mut self, yes: bool) -> Self {
        self.allow_inconclusive = yes;
        self
    }

    /// Returns the exit code for the verdicts of a suite: 1 `fail`, 4 `error`, 3 `inconclusive`,
    /// 2 `warn`, 0 otherwise; the first of these that some check has and that is not let through.
    ///
    /// ```
    /// use guardrails::{ExitPolicy, Verdict};
    ///
    /// let verdicts = [Verdict::Warn, Verdict::Inconclusive];
    /// assert_eq!(ExitPolicy::default().code(verdicts), 3);
    /// let lenient = ExitPolicy::default().with_inconclusive_allowed(true);
    /// assert_eq!(lenient.code(verdicts), 0);
    /// assert_eq!(lenient.with_warnings_as_exit(true).code(verdicts), 2);
    /// ```
    #[must_use]
    pub fn code(self, verdicts: impl IntoIterator<Item = Verdict>) -> u8 {
        let counted = |v: &Verdict| match v {
            Verdict::Warn => self.warnings_as_exit,
            Verdict::Inconclusive => !self.allow_inconclusive,
            Verdict::Pass | Verdict::Error | Verdict::Fail => true,
        };
        match verdicts.into_iter().filter(counted).max() {
            None | Some(Verdict::Pass) => 0,
            Some(Verdict::Fail) => 1,
            Some(Verdict::Warn) => 2,
            Some(Verdict::Inconclusive) => 3,
            Some(Verdict::Error) => 4,
        }
    }
}
