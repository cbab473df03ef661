use serde_json::{Value, json};

use super::FormatError;
use crate::{CheckReport, SuiteReport, Verdict};

/// Writes the report as SARIF 2.1.0.
///
/// A check is a rule and its outcome one result: `fail` and `warn` are results of kind `fail`,
/// `pass` and `inconclusive` of kind `pass` and `open`. A check that could not be evaluated is a
/// notification of the invocation. Offenders are logical locations.
///
/// ```
/// use guardrails::{Suite, clock::StoppedClock, recovery::InMemoryFacts, format};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap());
/// let sarif = format::sarif(&Suite::recovery().run(&facts, &StoppedClock)).unwrap();
/// assert!(sarif.contains(r#""kind": "open""#), "{sarif}");
/// ```
pub fn sarif(report: &SuiteReport) -> Result<String, FormatError> {
    let errors: Vec<Value> = report
        .checks
        .iter()
        .enumerate()
        .filter(|(_, check)| check.verdict == Verdict::Error)
        .map(|(index, check)| {
            json!({
                "level": "error",
                "associatedRule": { "id": check.assertion, "index": index },
                "message": { "text": words(check) },
            })
        })
        .collect();
    let results: Vec<Value> = report
        .checks
        .iter()
        .enumerate()
        .filter(|(_, check)| check.verdict != Verdict::Error)
        .map(|(index, check)| result(index, check))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "guardrails",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": report.checks.iter().map(rule).collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": errors.is_empty(),
                "toolExecutionNotifications": errors,
            }],
            "automationDetails": { "id": format!("{}/{}", report.suite, report.snapshot_id) },
            "properties": {
                "as_of": report.as_of,
                "snapshot_id": report.snapshot_id,
                "machinery": report.machinery,
                "kpi": report.kpi,
                "scope": report.scope,
            },
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn rule(check: &CheckReport) -> Value {
    let help: Vec<String> = check
        .help
        .iter()
        .map(|remedy| match &remedy.command {
            Some(command) => format!("{} $ {command}", remedy.action),
            None => remedy.action.clone(),
        })
        .collect();
    let mut rule = json!({
        "id": check.assertion,
        "shortDescription": { "text": check.description },
        "fullDescription": { "text": check.expected },
    });
    if !help.is_empty() {
        rule["help"] = json!({ "text": help.join("\n") });
    }
    rule
}

fn result(index: usize, check: &CheckReport) -> Value {
    let (kind, level) = match check.verdict {
        Verdict::Pass => ("pass", "none"),
        Verdict::Inconclusive => ("open", "none"),
        Verdict::Warn => ("fail", "warning"),
        Verdict::Fail | Verdict::Error => ("fail", "error"),
    };
    let mut result = json!({
        "ruleId": check.assertion,
        "ruleIndex": index,
        "kind": kind,
        "level": level,
        "message": { "text": words(check) },
        "properties": {
            "verdict": check.verdict,
            "aspect": check.aspect,
            "numerator": check.numerator,
            "denominator": check.denominator,
            "samples_total": check.samples_total,
        },
    });
    if !check.samples.is_empty() {
        let locations: Vec<Value> = check
            .samples
            .iter()
            .map(|sample| {
                json!({
                    "logicalLocations": [{ "fullyQualifiedName": sample.key, "kind": "row" }],
                    "message": { "text": sample.reason },
                })
            })
            .collect();
        result["locations"] = Value::Array(locations);
    }
    result
}

fn words(check: &CheckReport) -> String {
    match &check.reason {
        Some(reason) => format!("{}; {reason}", check.actual),
        None => check.actual.clone(),
    }
}
