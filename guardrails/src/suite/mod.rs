//! The suite: checks with their settings, evaluated on one snapshot.

mod error;
mod print;
mod readers;
mod run;
mod select;
mod settings;
#[cfg(feature = "toml")]
mod toml;
#[cfg(feature = "toml")]
mod variables;
mod watchdog;

use std::sync::Arc;

use crate::kpi::{Kpi, KpiReading, Measure};
use crate::report::CheckReport;
use crate::{Check, CheckError, Threshold};

pub use error::ConfigError;
pub use settings::Settings;
#[cfg(feature = "toml")]
pub use toml::{DeclareError, Variables};

/// Checks over facts of one type, in an order, each with its settings.
///
/// ```
/// use guardrails::clock::StoppedClock;
/// use guardrails::facts::Offender;
/// use guardrails::recovery::{InMemoryFacts, Invariant};
/// use guardrails::{Suite, Verdict};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap()).with_offenders(
///     Invariant::MATCHED_NOT_IN_BACKLOG,
///     120,
///     vec![Offender::new("L-7", "matched by run r1, and in the backlog again")],
/// );
/// let suite = Suite::recovery().only(["drain"]).unwrap();
/// let report = suite.run(&facts, &StoppedClock);
/// assert_eq!(report.verdict, Verdict::Fail);
/// assert_eq!(report.checks[0].actual, "1 of 120 matched leads are in the backlog (0.83 %)");
/// ```
pub struct Suite<F: ?Sized> {
    name: String,
    entries: Vec<Entry<F>>,
    kpi: Option<Kpi<F>>,
    list: usize,
    /// The variables of the file that it comes from, for its printed form.
    variables: Vec<(String, String)>,
    on_checked: Option<OnChecked>,
}

/// What is told of each check as it ends.
type OnChecked = Arc<dyn Fn(&CheckReport) + Send + Sync>;

pub(crate) struct Entry<F: ?Sized> {
    check: Arc<dyn Check<F>>,
    settings: Settings,
}

impl<F: ?Sized> Clone for Suite<F> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            entries: self.entries.clone(),
            kpi: self.kpi.clone(),
            list: self.list,
            variables: self.variables.clone(),
            on_checked: self.on_checked.clone(),
        }
    }
}

impl<F: ?Sized> Clone for Entry<F> {
    fn clone(&self) -> Self {
        Self { check: Arc::clone(&self.check), settings: self.settings.clone() }
    }
}

impl<F: ?Sized> std::fmt::Debug for Suite<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suite")
            .field("name", &self.name)
            .field("checks", &self.ids().collect::<Vec<_>>())
            .field("list", &self.list)
            .finish_non_exhaustive()
    }
}

impl<F: ?Sized> Suite<F> {
    /// How many offenders a report lists per check unless told otherwise.
    pub const DEFAULT_LIST: usize = 20;

    /// Makes a suite without checks.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            entries: Vec::new(),
            kpi: None,
            list: Self::DEFAULT_LIST,
            variables: Vec::new(),
            on_checked: None,
        }
    }

    /// Tells each check's result as it ends, such as to a progress bar; from several threads where several readers check.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// use guardrails::Suite;
    /// use guardrails::clock::StoppedClock;
    /// use guardrails::recovery::InMemoryFacts;
    ///
    /// let ended = Arc::new(AtomicUsize::new(0));
    /// let counter = Arc::clone(&ended);
    /// let suite = Suite::recovery().on_checked(move |_| {
    ///     counter.fetch_add(1, Ordering::Relaxed);
    /// });
    /// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap());
    /// let report = suite.run(&facts, &StoppedClock);
    /// assert_eq!(ended.load(Ordering::Relaxed), report.checks.len());
    /// ```
    #[must_use]
    pub fn on_checked(mut self, told: impl Fn(&CheckReport) + Send + Sync + 'static) -> Self {
        self.on_checked = Some(Arc::new(told));
        self
    }

    /// Adds a check with the settings that it describes itself.
    pub fn with(self, check: impl Check<F> + 'static) -> Result<Self, ConfigError> {
        self.with_settings(check, Settings::default())
    }

    /// Adds a check with settings of its own.
    pub fn with_settings(
        mut self,
        check: impl Check<F> + 'static,
        settings: Settings,
    ) -> Result<Self, ConfigError> {
        if self.ids().any(|id| id == check.id()) {
            return Err(ConfigError::DuplicateCheck { id: check.id().to_owned() });
        }
        settings.validate_for(check.id(), &check.describe())?;
        self.entries.push(Entry { check: Arc::new(check), settings });
        Ok(self)
    }

    /// Adds the checks of another suite behind those of this one; a KPI that this one lacks comes along.
    pub fn and(mut self, other: Self) -> Result<Self, ConfigError> {
        for entry in other.entries {
            if self.ids().any(|id| id == entry.check.id()) {
                return Err(ConfigError::DuplicateCheck { id: entry.check.id().to_owned() });
            }
            self.entries.push(entry);
        }
        self.kpi = self.kpi.or(other.kpi);
        Ok(self)
    }

    /// Measures the KPI that the checks stand around, so that a report can say that the machinery is sound and
    /// the KPI red.
    ///
    /// ```
    /// use guardrails::clock::StoppedClock;
    /// use guardrails::recovery::{InMemoryFacts, QueueFacts, RecoveryFacts};
    /// use guardrails::{KpiReading, Suite};
    ///
    /// let suite = Suite::new("s").kpi("withdrawn", |facts: &InMemoryFacts| {
    ///     Ok(KpiReading::left(facts.queue()?.withdrawn, "lead"))
    /// });
    /// let queue = QueueFacts { withdrawn: 3, ..QueueFacts::default() };
    /// let facts = InMemoryFacts::new("r", "2026-03-01T00:00:00Z".parse().unwrap()).with_queue(queue);
    /// let kpi = suite.run(&facts, &StoppedClock).kpi.unwrap();
    /// assert_eq!(kpi.in_words(), "the KPI is red: 3 leads left");
    /// ```
    #[must_use]
    pub fn kpi(
        mut self,
        name: impl Into<String>,
        measure: impl Fn(&F) -> Result<KpiReading, CheckError> + Send + Sync + 'static,
    ) -> Self {
        self.kpi = Some(Kpi::new(name.into(), measure));
        self
    }

    /// Replaces the settings of one check.
    pub fn configure(mut self, id: &str, settings: Settings) -> Result<Self, ConfigError> {
        let unknown = self.unknown(id);
        let entry = self.entries.iter_mut().find(|e| e.check.id() == id).ok_or(unknown)?;
        settings.validate_for(id, &entry.check.describe())?;
        entry.settings = settings;
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

    /// Measures the KPI by something of this crate.
    pub(crate) fn measured(mut self, name: &str, measure: impl Measure<F> + 'static) -> Self {
        self.kpi = Some(Kpi::new(name.to_owned(), measure));
        self
    }

    /// Adds a check of this crate, whose ids are distinct.
    pub(crate) fn built_in(mut self, check: impl Check<F> + 'static) -> Self {
        self.entries.push(Entry { check: Arc::new(check), settings: Settings::default() });
        self
    }

    fn unknown(&self, id: &str) -> ConfigError {
        ConfigError::UnknownCheck {
            id: id.to_owned(),
            known: self.ids().collect::<Vec<_>>().join(", "),
        }
    }
}

impl<F: ?Sized> Entry<F> {
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
