//! Every format against a file that was looked at; `UPDATE_GOLDEN=1` writes the files anew.

use std::path::Path;

use guardrails::clock::StoppedClock;
use guardrails::format::{self, TextStyle};

use crate::support::{everything, troubled, with_packets};

fn compare(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let line = golden.lines().zip(actual.lines()).position(|(a, b)| a != b);
    assert!(
        golden == actual,
        "{name} differs from line {:?} on; look at it, then run with UPDATE_GOLDEN=1",
        line.map(|line| line + 1)
    );
}

#[test]
fn text_is_as_it_was_looked_at() {
    let report = everything().run(&with_packets(troubled()), &StoppedClock);
    compare("report.txt", &format::text(&report, TextStyle::default()));
}

#[test]
fn json_is_as_it_was_looked_at_and_reads_back() {
    let report = everything().run(&with_packets(troubled()), &StoppedClock);
    let json = format::json(&report).unwrap();
    compare("report.json", &json);
    assert_eq!(format::read_json(&json).unwrap(), report);
}

#[cfg(feature = "html")]
#[test]
fn html_is_as_it_was_looked_at() {
    compare("report.html", &crate::html::sample());
}

#[test]
fn markdown_is_as_it_was_looked_at() {
    let report = everything().run(&with_packets(troubled()), &StoppedClock);
    compare("report.md", &format::markdown(&report));
}

#[test]
fn openmetrics_is_as_it_was_looked_at() {
    let report = everything().run(&with_packets(troubled()), &StoppedClock);
    compare("report.om", &format::openmetrics(&report));
}

#[test]
fn sarif_is_as_it_was_looked_at_and_a_third_partys_types_read_it() {
    let report = everything().run(&with_packets(troubled()), &StoppedClock);
    let sarif = format::sarif(&report).unwrap();
    compare("report.sarif", &sarif);
    let read: serde_sarif::sarif::Sarif = serde_json::from_str(&sarif).unwrap();
    assert_eq!(read.runs[0].results.as_ref().unwrap().len(), report.checks.len());
}

#[test]
fn the_openlineage_facet_is_as_it_was_looked_at() {
    let report = everything().run(&with_packets(troubled()), &StoppedClock);
    let (facet, left_out) = format::openlineage_facet(&report, "urn:example:service");
    compare("facet.json", &(serde_json::to_string_pretty(&facet).unwrap() + "\n"));
    assert!(left_out.is_empty(), "{left_out:?}");
}

#[cfg(feature = "junit")]
#[test]
fn junit_is_as_it_was_looked_at() {
    let report = everything().run(&with_packets(troubled()), &StoppedClock);
    compare("report.xml", &format::junit(&report).unwrap());
}

#[cfg(feature = "schema")]
#[test]
fn the_published_schema_is_current_and_accepts_every_report() {
    let schema = format::json_schema().unwrap();
    compare("../../../schema/suite-report.schema.json", &schema);
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for facts in [troubled(), crate::support::unchanged_backlog()] {
        let report = everything().run(&with_packets(facts), &StoppedClock);
        let json = serde_json::to_value(&report).unwrap();
        let errors: Vec<_> = validator.iter_errors(&json).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}
