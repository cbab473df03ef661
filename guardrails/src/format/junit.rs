use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::FormatError;
use crate::{CheckReport, SuiteReport, Verdict, visible};

/// Writes the report as `JUnit` XML (feature `junit`).
///
/// A check is a test case: `fail` is a failure, `error` an error, `inconclusive` is skipped, and a
/// `warn` passes with its text, since `JUnit` knows no warning. Figures are properties.
///
/// ```
/// use guardrails::{Suite, clock::StoppedClock, recovery::InMemoryFacts, format};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap());
/// let report = Suite::recovery().run(&facts, &StoppedClock);
/// let xml = format::junit(&report).unwrap();
/// assert!(xml.contains(r#"<testcase name="drain""#), "{xml}");
/// ```
pub fn junit(report: &SuiteReport) -> Result<String, FormatError> {
    let mut suite = TestSuite::new(report.suite.as_str());
    suite.set_timestamp(report.as_of);
    suite.set_time(Duration::from_millis(report.duration_ms));
    suite.add_property(Property::new("snapshot_id", report.snapshot_id.as_str()));
    suite.add_property(Property::new("machinery", report.machinery.as_str()));
    if let Some(scope) = report.scope {
        suite.add_property(Property::new("scope", scope.in_words().as_str()));
    }
    if let Some(kpi) = &report.kpi {
        suite.add_property(Property::new("kpi_state", kpi.state.as_str()));
        if let Some(left) = kpi.left {
            suite.add_property(Property::new("kpi_left", left.to_string().as_str()));
        }
    }
    suite.add_test_cases(report.checks.iter().map(|check| case(check, &report.suite)));
    let mut whole = Report::new("guardrails");
    whole.set_timestamp(report.as_of);
    whole.set_time(Duration::from_millis(report.duration_ms));
    whole.add_test_suite(suite);
    // XML 1.0 has no place for some characters, and the writer lets a few of them through.
    whole
        .to_string()
        .map(|xml| visible(&xml).into_owned())
        .map_err(|source| FormatError::Junit { source: Box::new(source) })
}

fn case(check: &CheckReport, suite: &str) -> TestCase {
    let status = match check.verdict {
        Verdict::Pass | Verdict::Warn => TestCaseStatus::success(),
        Verdict::Inconclusive => TestCaseStatus::skipped(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let words = format!("{}{}", check.actual, reason(check));
    let mut case = TestCase::new(check.assertion.as_str(), status);
    case.set_classname(format!("guardrails.{suite}"));
    case.set_time(Duration::from_millis(check.duration_ms));
    if check.verdict != Verdict::Pass && check.verdict != Verdict::Warn {
        case.status.set_message(words.as_str());
        case.status.set_type(check.verdict.as_str());
    }
    if matches!(check.verdict, Verdict::Fail | Verdict::Error) {
        case.status.set_description(details(check));
    } else {
        case.set_system_out(format!("{}: {words}\n{}", check.verdict, details(check)));
    }
    case.add_property(Property::new("verdict", check.verdict.as_str()));
    for (name, value) in &check.params {
        case.add_property(Property::new(name.as_str(), value.as_str()));
    }
    case
}

fn reason(check: &CheckReport) -> String {
    check.reason.as_ref().map_or(String::new(), |reason| format!("; {reason}"))
}

fn details(check: &CheckReport) -> String {
    let samples = check.samples.iter().map(|s| format!("{}: {}", s.key, s.reason));
    let more = (check.unlisted() > 0).then(|| format!("… and {} more", check.unlisted()));
    let causes = check.causes.iter().map(|cause| format!("likely: {cause}"));
    let help = check.remedies().map(|(words, command)| {
        let command = command.map_or(String::new(), |line| format!("\n  $ {line}"));
        format!("to do: {words}{command}")
    });
    let regression = check.regression_in_words();
    regression
        .into_iter()
        .chain(samples)
        .chain(more)
        .chain(causes)
        .chain(help)
        .collect::<Vec<_>>()
        .join("\n")
}
