//! Every format against a file that was looked at; `UPDATE_GOLDEN=1` writes the files anew.

use std::path::Path;

use guardrails::Suite;
use guardrails::clock::Stopped;
use guardrails::format::{self, TextStyle};

use crate::common::troubled;

fn compare(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
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
    let report = Suite::all().run(&troubled(), &Stopped);
    compare("report.txt", &format::text(&report, TextStyle::default()));
}

#[test]
fn json_is_as_it_was_looked_at_and_reads_back() {
    let report = Suite::all().run(&troubled(), &Stopped);
    let json = format::json(&report).unwrap();
    compare("report.json", &json);
    assert_eq!(format::read_json(&json).unwrap(), report);
}

#[cfg(feature = "html")]
#[test]
fn html_is_as_it_was_looked_at() {
    compare("report.html", &crate::html::sample());
}
