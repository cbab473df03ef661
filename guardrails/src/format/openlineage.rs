use serde_json::{Value, json};

use crate::{SuiteReport, Verdict};

/// Projects the report onto OpenLineage's `DataQualityAssertionsDatasetFacet`.
///
/// The facet has only success and failure, so a check that is `inconclusive` or an `error` is left
/// out; the second value names those. `producer` is the URI of the program that ran the suite.
///
/// ```
/// use guardrails::recovery::{InMemoryFacts, Invariant};
/// use guardrails::{Suite, clock::StoppedClock, format};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap())
///     .with_offenders(Invariant::MATCHED_NOT_IN_BACKLOG, 120, vec![]);
/// let report = Suite::recovery().only(["drain", "impact"]).unwrap().run(&facts, &StoppedClock);
/// let (facet, left_out) = format::openlineage_facet(&report, "urn:example:service");
/// assert_eq!(facet["assertions"][0]["success"], true);
/// assert_eq!(left_out, ["impact"]);
/// ```
#[must_use]
pub fn openlineage_facet<'a>(report: &'a SuiteReport, producer: &str) -> (Value, Vec<&'a str>) {
    let decided = |verdict| !matches!(verdict, Verdict::Inconclusive | Verdict::Error);
    let assertions: Vec<Value> = report
        .checks
        .iter()
        .filter(|check| decided(check.verdict))
        .map(|check| {
            let mut assertion = json!({
                "assertion": check.assertion,
                "success": check.success,
                "severity": check.severity,
                "name": check.name,
                "description": check.description,
                "expected": check.expected,
                "actual": check.actual,
                "params": check.params,
            });
            let optional = [
                ("column", &check.column),
                ("content", &check.content),
                ("contentType", &check.content_type),
            ];
            for (name, value) in optional {
                if let Some(value) = value {
                    assertion[name] = json!(value);
                }
            }
            assertion
        })
        .collect();
    let left_out = report
        .checks
        .iter()
        .filter(|check| !decided(check.verdict))
        .map(|check| check.assertion.as_str())
        .collect();
    let facet = json!({
        "_producer": producer,
        "_schemaURL": "https://openlineage.io/spec/facets/1-1-0/DataQualityAssertionsDatasetFacet.json#/$defs/DataQualityAssertionsDatasetFacet",
        "assertions": assertions,
        // A facet may carry more than its schema names.
        "machinery": report.machinery,
        "kpi": report.kpi,
        "scope": report.scope,
    });
    (facet, left_out)
}
