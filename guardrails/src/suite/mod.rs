//! The suite: checks with their settings, evaluated on one snapshot.

#[cfg(feature = "toml")]
mod declared;
mod error;
mod run;
mod settings;
mod watchdog;

use std::sync::Arc;

use crate::{Check, Threshold, builtin};

#[cfg(feature = "toml")]
pub use declared::DeclareError;
pub use error::ConfigError;
pub use settings::Settings;

/// Checks in an order, each with its settings.
///
/// ```
/// use guardrails::clock::Stopped;
/// use guardrails::facts::{InMemoryFacts, Invariant, Offender};
/// use guardrails::{Suite, Verdict};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap()).with_offenders(
///     Invariant::MatchedNotInBacklog,
///     120,
///     vec![Offender::new("L-7", "matched by run r1, and in the backlog again")],
/// );
/// let suite = Suite::recovery().only(["drain"]).unwrap();
/// let report = suite.run(&facts, &Stopped);
/// assert_eq!(report.verdict, Verdict::Fail);
/// assert_eq!(report.checks[0].actual, "1 of 120 matched leads are in the backlog (0.83 %)");
/// ```
#[derive(Clone)]
pub struct Suite {
    name: String,
    entries: Vec<Entry>,
    list: usize,
}

#[derive(Clone)]
pub(crate) struct Entry {
    check: Arc<dyn Check>,
    settings: Settings,
}

impl std::fmt::Debug for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suite")
            .field("name", &self.name)
            .field("checks", &self.ids().collect::<Vec<_>>())
            .field("list", &self.list)
            .finish_non_exhaustive()
    }
}

impl Suite {
    /// How many offenders a report lists per check unless told otherwise.
    pub const DEFAULT_LIST: usize = 20;

    /// Makes a suite without checks.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), entries: Vec::new(), list: Self::DEFAULT_LIST }
    }

    /// Makes the suite of the identity loop: every built-in check but `packets_complete`.
    #[must_use]
    pub fn recovery() -> Self {
        Self::built_in("recovery", |id| id != "packets_complete")
    }

    /// Makes the suite of the data loop: `packets_complete`.
    #[must_use]
    pub fn packets() -> Self {
        Self::built_in("packets", |id| id == "packets_complete")
    }

    /// Makes the suite of every built-in check.
    #[must_use]
    pub fn all() -> Self {
        Self::built_in("all", |_| true)
    }

    fn built_in(name: &str, take: impl Fn(&str) -> bool) -> Self {
        let mut suite = Self::new(name);
        for check in builtin::all() {
            if take(check.id()) {
                suite.entries.push(Entry { check, settings: Settings::default() });
            }
        }
        suite
    }

    /// Adds a check with the settings that it describes itself.
    pub fn with(self, check: impl Check + 'static) -> Result<Self, ConfigError> {
        self.with_settings(check, Settings::default())
    }

    /// Adds a check with settings of its own.
    pub fn with_settings(
        mut self,
        check: impl Check + 'static,
        settings: Settings,
    ) -> Result<Self, ConfigError> {
        let check: Arc<dyn Check> = Arc::new(check);
        if self.ids().any(|id| id == check.id()) {
            return Err(ConfigError::DuplicateCheck { id: check.id().to_owned() });
        }
        settings.validate_for(&*check)?;
        self.entries.push(Entry { check, settings });
        Ok(self)
    }

    /// Replaces the settings of one check.
    pub fn configure(mut self, id: &str, settings: Settings) -> Result<Self, ConfigError> {
        let unknown = self.unknown(id);
        let entry = self.entries.iter_mut().find(|e| e.check.id() == id).ok_or(unknown)?;
        settings.validate_for(&*entry.check)?;
        entry.settings = settings;
        Ok(self)
    }

    /// Keeps only the named checks, in the order of the suite.
    pub fn only<I: AsRef<str>>(
        mut self,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Self, ConfigError> {
        let ids: Vec<I> = ids.into_iter().collect();
        for id in &ids {
            if !self.ids().any(|known| known == id.as_ref()) {
                return Err(self.unknown(id.as_ref()));
            }
        }
        self.entries.retain(|e| ids.iter().any(|id| id.as_ref() == e.check.id()));
        Ok(self)
    }

    /// Sets how many offenders a report lists per check; the totals stay exact.
    #[must_use]
    pub fn list(mut self, offenders: usize) -> Self {
        self.list = offenders;
        self
    }

    /// Renames the suite.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Returns the ids of the checks, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.check.id())
    }

    fn unknown(&self, id: &str) -> ConfigError {
        ConfigError::UnknownCheck {
            id: id.to_owned(),
            known: self.ids().collect::<Vec<_>>().join(", "),
        }
    }
}

impl Entry {
    /// The thresholds in force: none for a check that judges by itself.
    fn thresholds(&self, default: Option<crate::Thresholds>) -> Option<crate::Thresholds> {
        let own = default?;
        Some(crate::Thresholds {
            warn: self.settings.warn.unwrap_or(own.warn),
            fail: self.settings.fail.unwrap_or(match self.settings.warn {
                // A warn threshold looser than the default would otherwise never be reached.
                Some(_) if own.fail == Threshold::ANY => Threshold::NEVER,
                _ => own.fail,
            }),
        })
    }
}
