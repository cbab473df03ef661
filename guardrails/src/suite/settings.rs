use std::time::Duration;

use crate::{ConfigError, Description, Severity, Threshold, Thresholds};

/// The settings of one check in a suite; what is left out is as the check describes it.
///
/// ```
/// use guardrails::recovery::RecoveryFacts;
/// use guardrails::{Settings, Suite, Threshold};
///
/// let lenient = Settings::default()
///     .with_warn(Threshold::count(0))
///     .with_fail("1%".parse().unwrap())
///     .with_owner("data team");
/// assert!(Suite::<dyn RecoveryFacts>::recovery().configure("drain", lenient).is_ok());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    pub(crate) severity: Option<Severity>,
    pub(crate) owner: Option<String>,
    pub(crate) warn: Option<Threshold>,
    pub(crate) fail: Option<Threshold>,
    pub(crate) expect_empty: Option<String>,
    pub(crate) sensitive: bool,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) tags: Vec<String>,
}

impl Settings {
    /// Sets how much a crossed fail threshold weighs.
    #[must_use]
    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Names who looks after the check.
    #[must_use]
    pub fn with_owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Sets when the check warns.
    ///
    /// A warn threshold alone makes a check that only warns: the fail threshold is then the one
    /// that was set, or none.
    #[must_use]
    pub fn with_warn(mut self, threshold: Threshold) -> Self {
        self.warn = Some(threshold);
        self
    }

    /// Sets when the check fails.
    #[must_use]
    pub fn with_fail(mut self, threshold: Threshold) -> Self {
        self.fail = Some(threshold);
        self
    }

    /// Says that an empty population is expected, and why: the check then passes on one.
    #[must_use]
    pub fn with_expect_empty(mut self, reason: impl Into<String>) -> Self {
        self.expect_empty = Some(reason.into());
        self
    }

    /// Keeps offenders out of the report; they are still counted.
    #[must_use]
    pub fn with_sensitive(mut self, yes: bool) -> Self {
        self.sensitive = yes;
        self
    }

    /// Sets how long the check may take; one that takes longer is an `error`.
    ///
    /// The facts are told ([`Facts::limit_time`](crate::facts::Facts::limit_time)); with
    /// [`Suite::run_with_time_limits`](crate::Suite::run_with_time_limits) it holds in any case.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Adds a tag, by which [`Suite::only`](crate::Suite::only) and [`Suite::without`](crate::Suite::without) choose.
    #[must_use]
    pub fn with_tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    pub(crate) fn validate_for(&self, id: &str, check: &Description) -> Result<(), ConfigError> {
        let id = || id.to_owned();
        if self.expect_empty.as_deref().is_some_and(|reason| reason.trim().is_empty()) {
            return Err(ConfigError::EmptyReason { id: id() });
        }
        if self.time_limit.is_some_and(|limit| limit.is_zero()) {
            return Err(ConfigError::NoTime { id: id() });
        }
        if self.warn.is_none() && self.fail.is_none() {
            return Ok(());
        }
        if check.thresholds.is_none() {
            return Err(ConfigError::NoThresholds { id: id() });
        }
        if let Some(most) = check.at_most {
            for threshold in [self.warn, self.fail].into_iter().flatten() {
                if threshold.ratio.is_none() && threshold.count.is_some_and(|count| count >= most) {
                    return Err(ConfigError::NeverCrossed { id: id(), threshold, most });
                }
            }
        }
        let never = Threshold::NEVER;
        Thresholds::new(self.warn.unwrap_or(never), self.fail.unwrap_or(never))
            .map(drop)
            .map_err(|source| ConfigError::Threshold { id: id(), source })
    }
}
