use std::fmt::Write as _;

use crate::facts::Scope;
use crate::{KpiState, SuiteReport, Verdict, visible};

/// The media type of what [`Exposition`] writes.
pub const OPENMETRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A text in OpenMetrics 1.0, written family after family.
///
/// ```
/// use guardrails::format::Exposition;
///
/// let mut metrics = Exposition::default();
/// metrics.gauge("recovery_backlog_leads", "Leads in the backlog.").sample(&[], 203.0);
/// metrics
///     .gauge("recovery_failed_leads", "Failed leads by reason.")
///     .sample(&[("reason", "NO_CANDIDATES")], 151.0);
/// let text = metrics.finish();
/// assert!(text.contains("TYPE recovery_backlog_leads gauge\n"));
/// assert!(text.contains("\nrecovery_backlog_leads 203\n"));
/// assert!(text.ends_with("recovery_failed_leads{reason=\"NO_CANDIDATES\"} 151\n# EOF\n"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exposition {
    text: String,
}

/// One family of an [`Exposition`], ready to take its samples.
#[derive(Debug)]
pub struct MetricFamily<'a> {
    name: String,
    suffix: &'static str,
    text: &'a mut String,
}

impl Exposition {
    /// Begins a family of gauges.
    ///
    /// In a name of a metric or label, whatever OpenMetrics does not allow becomes `_`.
    pub fn gauge(&mut self, name: &str, help: &str) -> MetricFamily<'_> {
        self.family(name, "gauge", "", help)
    }

    /// Begins a family of counters; `name` comes without `_total`, which is appended.
    pub fn counter(&mut self, name: &str, help: &str) -> MetricFamily<'_> {
        self.family(name, "counter", "_total", help)
    }

    /// Begins a family of constants in labels; `name` comes without `_info`, which is appended.
    pub fn info(&mut self, name: &str, help: &str) -> MetricFamily<'_> {
        self.family(name, "info", "_info", help)
    }

    /// Begins a family of states, of which one is 1 and the others 0.
    pub fn state_set(&mut self, name: &str, help: &str) -> MetricFamily<'_> {
        self.family(name, "stateset", "", help)
    }

    fn family(
        &mut self,
        name: &str,
        kind: &str,
        suffix: &'static str,
        help: &str,
    ) -> MetricFamily<'_> {
        let name = allowed(name);
        let text = &mut self.text;
        let _ = writeln!(text, "# TYPE {name} {kind}");
        // The convention puts the unit last; these are the units in use.
        if let Some(unit) = ["seconds", "ratio"].into_iter().find(|u| name.ends_with(u)) {
            let _ = writeln!(text, "# UNIT {name} {unit}");
        }
        let _ = writeln!(text, "# HELP {name} {}", escaped(help));
        MetricFamily { name, suffix, text }
    }

    /// Adds the families of a suite's report.
    pub fn suite(&mut self, report: &SuiteReport) -> &mut Self {
        let suite = ("suite", report.suite.as_str());
        let mut verdicts = self.state_set("guardrail_verdict", "What each check came to.");
        for check in &report.checks {
            for verdict in Verdict::ALL {
                let labels = [
                    suite,
                    ("check", check.assertion.as_str()),
                    ("guardrail_verdict", verdict.as_str()),
                ];
                verdicts.sample(&labels, f64::from(u8::from(check.verdict == verdict)));
            }
        }
        let mut each = |name, help, value: &dyn Fn(&crate::CheckReport) -> Option<f64>| {
            let mut family = self.gauge(name, help);
            for check in &report.checks {
                if let Some(value) = value(check) {
                    family.sample(&[suite, ("check", check.assertion.as_str())], value);
                }
            }
        };
        each("guardrail_offenders", "Rows that break the check.", &|c| Some(c.numerator as f64));
        each("guardrail_population", "Rows that the check is about.", &|c| {
            c.denominator.map(|all| all as f64)
        });
        each("guardrail_offender_ratio", "Offenders by population.", &|c| c.ratio);
        each("guardrail_check_duration_seconds", "How long each check took.", &|c| {
            Some(c.duration_ms as f64 / 1e3)
        });
        let mut machinery = self.state_set(
            "guardrail_machinery_verdict",
            "What the checks of the machinery came to, apart from the KPI.",
        );
        for verdict in Verdict::ALL {
            let labels = [suite, ("guardrail_machinery_verdict", verdict.as_str())];
            machinery.sample(&labels, f64::from(u8::from(report.machinery == verdict)));
        }
        if let Some(kpi) = &report.kpi {
            let name = ("kpi", kpi.name.as_str());
            let mut states = self.state_set("guardrail_kpi_state", "Whether the KPI is reached.");
            for state in [KpiState::Green, KpiState::Red, KpiState::Unknown] {
                let labels = [suite, name, ("guardrail_kpi_state", state.as_str())];
                states.sample(&labels, f64::from(u8::from(kpi.state == state)));
            }
            if let Some(left) = kpi.left {
                self.gauge("guardrail_kpi_left", "How many are left until the KPI is green.")
                    .sample(&[suite, name], left as f64);
            }
        }
        if let Some(Scope::Touched(rows)) = report.scope {
            let help = "Rows that changed or were settled: the suite looked at these alone.";
            self.gauge("guardrail_touched_rows", help).sample(&[suite], rows as f64);
        }
        self.gauge("guardrail_suite_duration_seconds", "How long the suite took.")
            .sample(&[suite], report.duration_ms as f64 / 1e3);
        self.gauge("guardrail_snapshot_timestamp_seconds", "The moment that the snapshot shows.")
            .sample(&[suite], report.as_of.timestamp_millis() as f64 / 1e3);
        self
    }

    /// Ends the exposition.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push_str("# EOF\n");
        self.text
    }
}

impl MetricFamily<'_> {
    /// Adds a sample with its labels.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        let _ = write!(self.text, "{}{}", self.name, self.suffix);
        for (i, (name, label)) in labels.iter().enumerate() {
            let open = if i == 0 { '{' } else { ',' };
            let name = allowed(name);
            let _ = write!(self.text, "{open}{name}=\"{}\"", escaped(label));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = match value {
            v if v.is_nan() => writeln!(self.text, "{close} NaN"),
            v if v.is_infinite() => {
                writeln!(self.text, "{close} {}Inf", if v < 0.0 { '-' } else { '+' })
            }
            v => writeln!(self.text, "{close} {v}"),
        };
        self
    }
}

/// A name as OpenMetrics allows it: letters, digits and underscores, not a digit first.
fn allowed(name: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let mut name: String = name.chars().map(word).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name.insert(0, '_');
    }
    name
}

fn escaped(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Writes the report as an OpenMetrics exposition.
///
/// Names: `guardrail_verdict` (a state set), `guardrail_offenders`, `guardrail_population`,
/// `guardrail_offender_ratio`, `guardrail_check_duration_seconds`,
/// `guardrail_machinery_verdict` and `guardrail_kpi_state` (state sets), `guardrail_kpi_left`,
/// `guardrail_suite_duration_seconds` and `guardrail_snapshot_timestamp_seconds`; of a suite that looked at some rows
/// alone also `guardrail_touched_rows`.
#[must_use]
pub fn openmetrics(report: &SuiteReport) -> String {
    let mut exposition = Exposition::default();
    exposition.suite(report);
    exposition.finish()
}
