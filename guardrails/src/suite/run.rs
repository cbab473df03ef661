use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::{Entry, Suite};
use crate::clock::Clock;
use crate::facts::{Facts, FactsError, Offenders, SnapshotInfo};
use crate::finding::Basis;
use crate::kpi::KpiReport;
use crate::report::{CheckReport, SCHEMA_VERSION, SuiteReport, Totals};
use crate::words::with_sources;
use crate::{Aspect, CheckError, Description, Finding, Severity, Thresholds, Verdict};

impl<F: Facts + ?Sized> Suite<F> {
    /// Evaluates every check on one snapshot.
    ///
    /// A check that panics, or whose facts cannot be read in time, is an `error`, and the others
    /// run. All facts come from `facts`, which stands for one consistent read; the clock only
    /// measures durations.
    pub fn run(&self, facts: &F, clock: &dyn Clock) -> SuiteReport {
        self.run_each(facts, clock, |entry, list| entry.evaluate(facts, list))
    }

    fn kpi_report(&self, facts: &F) -> Option<KpiReport> {
        let kpi = self.kpi.as_ref()?;
        let report = kpi.report(guarded(|| kpi.measure(facts)));
        tracing::info!(
            name: "guardrails.kpi",
            kpi = kpi.name(),
            state = %report.state,
            left = report.left,
        );
        Some(report)
    }

    pub(super) fn run_each(
        &self,
        facts: &F,
        clock: &dyn Clock,
        mut evaluate: impl FnMut(&Entry<F>, usize) -> Result<Finding, CheckError>,
    ) -> SuiteReport {
        let snapshot = facts.snapshot();
        let span = self.span();
        let _entered = span.enter();
        let began = clock.elapsed();
        let checks = self
            .entries
            .iter()
            .map(|entry| self.checked(entry, &snapshot, clock, |list| evaluate(entry, list)))
            .collect();
        self.concluded(facts, checks, clock, began)
    }

    /// What the events of one run stand in.
    pub(super) fn span(&self) -> tracing::Span {
        tracing::info_span!("guardrails.suite", suite = %self.name, checks = self.entries.len())
    }

    /// Evaluates one check and says what it came to.
    pub(super) fn checked(
        &self,
        entry: &Entry<F>,
        snapshot: &SnapshotInfo,
        clock: &dyn Clock,
        evaluate: impl FnOnce(usize) -> Result<Finding, CheckError>,
    ) -> CheckReport {
        let began = clock.elapsed();
        let outcome = evaluate(self.list);
        let took = clock.elapsed().saturating_sub(began);
        let report = entry.report(entry.in_time(outcome, took), &self.name, snapshot, took);
        // Figures only: keys of offenders stay in the report.
        tracing::info!(
            name: "guardrails.check",
            check = %report.assertion,
            verdict = %report.verdict,
            offenders = report.numerator,
            population = report.denominator,
            duration_ms = report.duration_ms,
        );
        if let Some(told) = &self.on_checked {
            told(&report);
        }
        report
    }

    /// Measures the KPI and sums the checks up.
    pub(super) fn concluded(
        &self,
        facts: &F,
        checks: Vec<CheckReport>,
        clock: &dyn Clock,
        began: Duration,
    ) -> SuiteReport {
        // The KPI may take as long as the check that may take longest.
        facts.limit_time(self.entries.iter().filter_map(|entry| entry.settings.time_limit).max());
        let kpi = self.kpi_report(facts);
        facts.limit_time(None);
        let took = clock.elapsed().saturating_sub(began);
        let report = self.report(checks, kpi, &facts.snapshot(), took);
        tracing::info!(
            name: "guardrails.done",
            verdict = %report.verdict,
            failed = report.totals.fail,
            duration_ms = report.duration_ms,
        );
        report
    }

    fn report(
        &self,
        checks: Vec<CheckReport>,
        kpi: Option<KpiReport>,
        snapshot: &SnapshotInfo,
        took: Duration,
    ) -> SuiteReport {
        let verdicts = || checks.iter().map(|check: &CheckReport| check.verdict);
        let machinery = checks.iter().filter(|check| check.aspect == Aspect::Machinery);
        SuiteReport {
            schema_version: SCHEMA_VERSION,
            suite: self.name.clone(),
            verdict: verdicts().max().unwrap_or(Verdict::Inconclusive),
            snapshot_id: snapshot.id.clone(),
            as_of: snapshot.as_of,
            scope: snapshot.scope,
            duration_ms: milliseconds(took),
            totals: Totals::of(verdicts()),
            machinery: machinery.map(|check| check.verdict).max().unwrap_or(Verdict::Inconclusive),
            kpi,
            checks,
        }
    }
}

/// Runs what is the user's own and turns a panic into an error.
fn guarded<T>(run: impl FnOnce() -> Result<T, CheckError>) -> Result<T, CheckError> {
    // A check is a function of the facts: nothing that it left half-done is looked at again.
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(CheckError::broken(format!("the check panicked: {}", words.unwrap_or("no message"))))
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl<F: Facts + ?Sized> Entry<F> {
    /// Evaluates the check and turns a panic into an error.
    pub(super) fn evaluate(&self, facts: &F, list: usize) -> Result<Finding, CheckError> {
        facts.limit_time(self.settings.time_limit);
        let list = if self.settings.sensitive { 0 } else { list };
        guarded(|| self.check.evaluate(facts, list))
    }

    /// Drops a finding that came after the limit, from facts that do not end by themselves.
    fn in_time(
        &self,
        outcome: Result<Finding, CheckError>,
        took: Duration,
    ) -> Result<Finding, CheckError> {
        match self.settings.time_limit {
            Some(limit) if outcome.is_ok() && took > limit => Err(CheckError::TimedOut { limit }),
            _ => outcome,
        }
    }

    /// Applies the settings to what the check found.
    fn report(
        &self,
        outcome: Result<Finding, CheckError>,
        suite: &str,
        snapshot: &SnapshotInfo,
        took: Duration,
    ) -> CheckReport {
        let id = self.check.id();
        let description = self.check.describe();
        let thresholds = self.thresholds(description.thresholds);
        let severity = self.settings.severity.unwrap_or(description.severity);
        let judged = match outcome {
            Ok(finding) => self.judge(finding, thresholds.as_ref(), severity),
            Err(error) => Judged::from(error),
        };
        let Judged { verdict, reason, finding } = judged;
        let offenders = finding.offenders();
        let ratio = offenders
            .population
            .filter(|all| *all > 0)
            .map(|all| offenders.total as f64 / all as f64);
        let Description { expected, column, sql, aspect, .. } = description;
        CheckReport {
            assertion: id.to_owned(),
            success: verdict == Verdict::Pass,
            column,
            severity,
            aspect,
            name: format!("{suite}/{id}"),
            expected: CheckReport::expectation(thresholds.as_ref(), &expected),
            description: expected,
            actual: finding.summary.clone(),
            content_type: sql.as_ref().map(|_| "sql".to_owned()),
            content: sql,
            params: finding
                .figures
                .iter()
                .map(|figure| (figure.name.clone(), figure.value.to_string()))
                .collect(),
            verdict,
            reason,
            numerator: offenders.total,
            denominator: offenders.population,
            ratio,
            threshold: thresholds,
            samples: if self.settings.sensitive { Vec::new() } else { offenders.listed.clone() },
            samples_total: offenders.total,
            figures: finding.figures,
            causes: finding.causes,
            help: finding.remedies,
            baseline: None,
            owner: self.settings.owner.clone(),
            tags: self.settings.tags.clone(),
            snapshot_id: snapshot.id.clone(),
            as_of: snapshot.as_of,
            duration_ms: milliseconds(took),
        }
    }

    fn judge(
        &self,
        finding: Finding,
        thresholds: Option<&Thresholds>,
        severity: Severity,
    ) -> Judged {
        let (mut verdict, mut reason) = match (&finding.basis, thresholds) {
            (Basis::Judged(verdict, _), _) => (*verdict, None),
            (Basis::Counted(offenders), thresholds) => {
                self.apply(offenders, thresholds.copied().unwrap_or_default())
            }
        };
        if verdict == Verdict::Fail && severity == Severity::Warn {
            verdict = Verdict::Warn;
        }
        if let (Some(partial), Verdict::Pass) = (&finding.partial, verdict) {
            verdict = Verdict::Inconclusive;
            reason = Some(format!("not everything was seen: {partial}"));
        }
        Judged { verdict, reason, finding }
    }

    fn apply(&self, offenders: &Offenders, thresholds: Thresholds) -> (Verdict, Option<String>) {
        if offenders.population == Some(0) && offenders.total == 0 {
            return match &self.settings.expect_empty {
                Some(reason) => (Verdict::Pass, Some(format!("empty, as expected: {reason}"))),
                None => (Verdict::Inconclusive, Some("there is nothing to check".to_owned())),
            };
        }
        let crossed = |threshold: crate::Threshold| {
            threshold.is_crossed(offenders.total, offenders.population)
        };
        match (crossed(thresholds.fail), crossed(thresholds.warn)) {
            (Some(true), _) => (Verdict::Fail, None),
            (None, _) | (_, None) => (
                Verdict::Error,
                Some("a ratio is set, but the size of the population is not known".to_owned()),
            ),
            (Some(false), Some(true)) => (Verdict::Warn, None),
            (Some(false), Some(false)) => (Verdict::Pass, None),
        }
    }
}

/// A finding with its verdict.
struct Judged {
    verdict: Verdict,
    reason: Option<String>,
    finding: Finding,
}

impl From<CheckError> for Judged {
    fn from(error: CheckError) -> Self {
        let verdict = match &error {
            CheckError::Facts(facts) if facts.is_not_provided() => Verdict::Inconclusive,
            _ => Verdict::Error,
        };
        let reason = with_sources(&error);
        let finding = Finding::judged(verdict, "not evaluated");
        let finding = match error {
            CheckError::Facts(FactsError::NotMigrated { .. }) => finding
                .cause("the program is newer than the database, or the database is new")
                .remedy(crate::Remedy::new("Migrate the database.").command("seed_queue")),
            _ => finding,
        };
        Self { verdict, reason: Some(reason), finding }
    }
}
