//! What every format owes to keys that try to break out of it.

use guardrails::clock::StoppedClock;
use guardrails::facts::Offender;
use guardrails::recovery::{InMemoryFacts, Invariant};
use guardrails::{Suite, SuiteReport, format};
use proptest::prelude::*;

use crate::support::now;

fn report_of(key: &str, reason: &str) -> SuiteReport {
    let facts = InMemoryFacts::new(key, now()).with_offenders(
        Invariant::MATCHED_NOT_IN_BACKLOG,
        1,
        vec![Offender::new(key, reason)],
    );
    Suite::recovery().only(["drain"]).unwrap().run(&facts, &StoppedClock)
}

#[test]
fn a_key_cannot_become_markup_in_a_comment() {
    let markdown = format::markdown(&report_of("`a|b`", "<b>@team</b> [x](https://e.example)"));
    assert!(markdown.contains("| `` `a\\|b` `` |"), "{markdown}");
    assert!(!markdown.contains("<b>") && !markdown.contains("@team"), "{markdown}");
    assert!(!markdown.contains("https://") && !markdown.contains("\n["), "{markdown}");
}

#[test]
fn counters_and_infos_carry_their_suffix_and_special_values_their_names() {
    let mut metrics = format::Exposition::default();
    metrics.counter("runs", "Runs.").sample(&[], 3.0);
    metrics.info("build", "Build.").sample(&[("version", "a\"b\\c\nd")], 1.0);
    metrics.gauge("g", "G.").sample(&[], f64::NEG_INFINITY).sample(&[("a", "b")], f64::NAN);
    let text = metrics.finish();
    for line in
        ["runs_total 3", r#"build_info{version="a\"b\\c\nd"} 1"#, "g -Inf", r#"g{a="b"} NaN"#]
    {
        assert!(text.lines().any(|l| l == line), "{text}");
    }
}

#[test]
fn names_that_openmetrics_does_not_allow_are_made_to_fit() {
    let mut metrics = format::Exposition::default();
    metrics.gauge("9 leads-per day", "G.").sample(&[("a b", "c"), ("", "d")], 1.0);
    let text = metrics.finish();
    assert!(text.contains("\n_9_leads_per_day{a_b=\"c\",_=\"d\"} 1\n"), "{text}");
}

proptest! {
    #[test]
    fn any_key_survives_json_and_breaks_no_other_format(key in ".*", reason in ".*") {
        let report = report_of(&key, &reason);
        let json = format::json(&report).unwrap();
        prop_assert_eq!(&format::read_json(&json).unwrap(), &report);
        let sarif = format::sarif(&report).unwrap();
        let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
        prop_assert_eq!(
            &sarif["runs"][0]["results"][0]["locations"][0]["message"]["text"],
            &serde_json::json!(reason)
        );
        for line in format::text(&report, format::TextStyle::default()).lines() {
            prop_assert!(!line.chars().any(char::is_control));
        }
        // Every table row has its three or two cells, whatever the key holds.
        for row in format::markdown(&report).lines().filter(|line| line.starts_with('|')) {
            let bars = row.replace("\\\\", "").replace("\\|", "").matches('|').count();
            prop_assert!(bars == 3 || bars == 4, "{}", row);
        }
        let metrics = format::openmetrics(&report);
        prop_assert!(metrics.ends_with("# EOF\n"));
    }
}

#[cfg(feature = "junit")]
#[test]
fn characters_that_xml_does_not_know_are_replaced() {
    let xml = format::junit(&report_of("a\u{fffe}b\u{ffff}c\u{1}d", "\u{b}")).unwrap();
    let known = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(known), "{xml:?}");
}

#[cfg(feature = "junit")]
proptest! {
    #[test]
    fn any_key_gives_well_formed_junit(key in ".*", reason in ".*") {
        let xml = format::junit(&report_of(&key, &reason)).unwrap();
        prop_assert!(xml.contains("<testcase name=\"drain\""));
    }
}
