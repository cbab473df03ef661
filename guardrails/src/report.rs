use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::facts::{Offender, Scope};
use crate::kpi::KpiReport;
use crate::words::{count_of, grouped};
use crate::{Aspect, ExitPolicy, Figure, Remedy, Severity, Threshold, Verdict};

/// The version of the JSON form of [`SuiteReport`]; it grows when a field changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// The result of one check: the JSON record, with OpenLineage's names where there are any.
///
/// The fields `assertion`, `success`, `column`, `severity`, `name`, `description`, `expected`,
/// `actual`, `content`, `contentType` and `params` are those of OpenLineage's
/// `DataQualityAssertionsDatasetFacet`; the rest is this crate's own.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct CheckReport {
    /// The check's id.
    pub assertion: String,
    /// Whether the assertion holds; only a `pass` is a success, whatever the severity.
    pub success: bool,
    /// The column that the check looks at, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// How much a crossed fail threshold weighs.
    pub severity: Severity,
    /// Whether it is about the machinery or the KPI.
    #[serde(default)]
    pub aspect: Aspect,
    /// The check's id within its suite, as `suite/check`.
    pub name: String,
    /// What holds when the check passes.
    pub description: String,
    /// The thresholds in words, or what the check expects by itself.
    pub expected: String,
    /// What was found, with its figures, in one sentence.
    pub actual: String,
    /// The query that the check ran, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// `sql` where there is a query.
    #[serde(rename = "contentType", skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The figures by name, as text.
    pub params: std::collections::BTreeMap<String, String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why the verdict is what it is, where the figures do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Offenders, exactly.
    pub numerator: u64,
    /// The population that they come from, where it is known.
    pub denominator: Option<u64>,
    /// `numerator / denominator`, where there is a population.
    pub ratio: Option<f64>,
    /// The thresholds in force; absent for a check that judges by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<crate::Thresholds>,
    /// The figures in the order of the check.
    pub figures: Vec<Figure>,
    /// Offenders by key, each with its reason; see `samples_total` for how many there are.
    pub samples: Vec<Offender>,
    /// How many offenders there are: exact, however many are listed.
    pub samples_total: u64,
    /// What probably caused it.
    pub causes: Vec<String>,
    /// What to do, the remedy that frees most leads first.
    pub help: Vec<Remedy>,
    /// The last report in which the check passed, where it passed before and does not now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// Who looks after the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The tags that the suite gives it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The read that the check saw.
    pub snapshot_id: String,
    /// The moment that the read shows.
    pub as_of: DateTime<Utc>,
    /// How long the check took, in milliseconds.
    pub duration_ms: u64,
}

/// The last report in which a check passed.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// The moment that it shows.
    pub as_of: DateTime<Utc>,
    /// The read that it saw.
    pub snapshot_id: String,
    /// Offenders then.
    pub numerator: u64,
    /// The population then, where it was known.
    pub denominator: Option<u64>,
}

impl CheckReport {
    /// Says that the check passed before and does not now, where that is known.
    #[must_use]
    pub fn regression_in_words(&self) -> Option<String> {
        let baseline = self.baseline.as_ref()?;
        let found = match baseline.denominator {
            Some(all) => format!("{} of {all}", baseline.numerator),
            None => baseline.numerator.to_string(),
        };
        let when = baseline.as_of.format("%Y-%m-%d %H:%M UTC");
        Some(format!("regression: it passed on {when} ({found})"))
    }

    /// Says how many offenders are not listed.
    #[must_use]
    pub fn unlisted(&self) -> u64 {
        self.samples_total.saturating_sub(self.samples.len() as u64)
    }

    /// Gives each remedy in words, with the command that does it; one that the next remedy shares stands
    /// behind the last of them.
    pub(crate) fn remedies(&self) -> impl Iterator<Item = (String, Option<&str>)> {
        self.help.iter().enumerate().map(|(i, remedy)| {
            let next = self.help.get(i + 1).and_then(|next| next.command.as_ref());
            let command = remedy.command.as_ref().filter(|command| next != Some(command));
            let words = match remedy.frees {
                // Words that begin with the count need it no second time.
                Some(leads)
                    if !remedy.action.starts_with(&format!("{} ", grouped(leads.into()))) =>
                {
                    format!("{} (frees up to {leads})", remedy.action)
                }
                _ => remedy.action.clone(),
            };
            (words, command.map(String::as_str))
        })
    }

    /// Gives what to do about it, most leads first, each with its command where it has one of its own.
    #[must_use]
    pub fn next_steps(&self) -> Vec<(String, Option<&str>)> {
        self.remedies().collect()
    }

    /// Describes thresholds in words.
    pub(crate) fn expectation(thresholds: Option<&crate::Thresholds>, expected: &str) -> String {
        let Some(thresholds) = thresholds else { return expected.to_owned() };
        let mut words = format!("{expected}; fails at {}", thresholds.fail);
        if thresholds.fail == Threshold::NEVER {
            words = format!("{expected}; never fails");
        }
        if thresholds.warn != Threshold::NEVER {
            words = format!("{words}, warns at {}", thresholds.warn);
        }
        words
    }
}

/// The checks of a suite, counted by verdict.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Checks of the suite.
    pub checks: u64,
    /// Checks that passed.
    pub pass: u64,
    /// Checks that warned.
    pub warn: u64,
    /// Checks that had nothing, or not everything, to look at.
    pub inconclusive: u64,
    /// Checks that could not be evaluated.
    pub error: u64,
    /// Checks that failed.
    pub fail: u64,
}

impl Totals {
    /// Counts verdicts.
    #[must_use]
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        let mut totals = Self::default();
        for verdict in verdicts {
            totals.checks += 1;
            match verdict {
                Verdict::Pass => totals.pass += 1,
                Verdict::Warn => totals.warn += 1,
                Verdict::Inconclusive => totals.inconclusive += 1,
                Verdict::Error => totals.error += 1,
                Verdict::Fail => totals.fail += 1,
            }
        }
        totals
    }

    /// Returns the count of one verdict.
    #[must_use]
    pub fn get(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Warn => self.warn,
            Verdict::Inconclusive => self.inconclusive,
            Verdict::Error => self.error,
            Verdict::Fail => self.fail,
        }
    }
}

/// The result of a suite on one snapshot.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuiteReport {
    /// The version of this record's form: [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The suite's name.
    pub suite: String,
    /// The greatest verdict of the checks, or `inconclusive` where there is none.
    pub verdict: Verdict,
    /// The one read that all checks saw.
    pub snapshot_id: String,
    /// The moment that the read shows.
    pub as_of: DateTime<Utc>,
    /// The rows that the report speaks of, where these are not all: its verdict is one of these rows alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// How long the suite took, in milliseconds.
    pub duration_ms: u64,
    /// Checks by verdict.
    pub totals: Totals,
    /// The greatest verdict of the checks of the machinery, apart from those of the KPI; `inconclusive` where
    /// there is none.
    pub machinery: Verdict,
    /// What the KPI stands at, where the suite measures one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kpi: Option<KpiReport>,
    /// The checks, in the order of the suite.
    pub checks: Vec<CheckReport>,
}

impl SuiteReport {
    /// Returns the exit code that a runner ends with.
    #[must_use]
    pub fn exit_code(&self, policy: ExitPolicy) -> u8 {
        if self.checks.is_empty() {
            return policy.code([Verdict::Inconclusive]);
        }
        policy.code(self.checks.iter().map(|check| check.verdict))
    }

    /// Says of the machinery in one clause what its checks came to, such as `the machinery is sound: 7 of 7
    /// checks hold`.
    #[must_use]
    pub fn machinery_in_words(&self) -> String {
        let checks = self.checks.iter().filter(|check| check.aspect == Aspect::Machinery);
        let verdicts: Vec<Verdict> = checks.map(|check| check.verdict).collect();
        let held = verdicts.iter().filter(|verdict| **verdict == Verdict::Pass).count();
        let state = match self.machinery {
            Verdict::Pass => "the machinery is sound",
            Verdict::Warn => "the machinery is sound, with warnings",
            Verdict::Inconclusive => "the machinery is not proven sound",
            Verdict::Error => "the machinery could not be judged",
            Verdict::Fail => "the machinery is not sound",
        };
        format!("{state}: {held} of {} hold", count_of(verdicts.len(), "check"))
    }

    /// Returns what one check came to.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&CheckReport> {
        self.checks.iter().find(|check| check.assertion == id)
    }

    /// Rewrites the commands of all remedies, such as to put a service's own launcher before them.
    #[must_use]
    pub fn map_commands(mut self, map: impl Fn(&str) -> String) -> Self {
        for remedy in self.checks.iter_mut().flat_map(|check| &mut check.help) {
            remedy.command = remedy.command.as_deref().map(&map);
        }
        self
    }
}
