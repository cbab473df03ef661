use guardrails::clock::Stopped;
use guardrails::{DeclareError, Suite, Verdict};
use proptest::prelude::*;

use crate::common::troubled;

#[test]
fn a_declared_suite_weighs_as_the_same_suite_in_code() {
    let suite = Suite::from_toml(
        r#"
        name = "nightly"
        list = 1
        checks = ["source_pk_consistency", "drain", "origin_missing"]

        [check.drain]
        warn = 0
        fail = "2%"
        owner = "data team"

        [check.origin_missing]
        severity = "warn"
        sensitive = true
        "#,
    )
    .unwrap();
    let report = suite.run(&troubled(), &Stopped);
    let found: Vec<_> = report.checks.iter().map(|c| (c.assertion.as_str(), c.verdict)).collect();
    assert_eq!(
        found,
        [
            ("drain", Verdict::Warn),
            ("origin_missing", Verdict::Warn),
            ("source_pk_consistency", Verdict::Fail)
        ]
    );
    assert_eq!(report.suite, "nightly");
    assert_eq!(report.checks[0].owner.as_deref(), Some("data team"));
    assert_eq!((report.checks[0].samples.len(), report.checks[1].samples.len()), (1, 0));
}

#[test]
fn each_mistake_is_named_with_its_line_and_column_and_what_would_do() {
    let cases = [
        ("name = ", "line 1, column 8"),
        ("nmae = 'x'", "line 1, column 1: unknown field `nmae`, expected one of `name`"),
        ("[check.drian]\nwarn = 1", "line 1, column 8: unknown check `drian`; known are: drain"),
        ("[check.drain]\nwran = 1", "line 2, column 1: unknown field `wran`"),
        ("[check.drain]\nfail = -1", "line 2, column 8: `-1` is neither a count"),
        ("[check.drain]\nfail = '120%'", "line 2, column 8: the ratio 120% lies outside"),
        (
            "[check.drain]\nwarn = 9\nfail = 3",
            "line 1, column 8: check `drain`: the warn threshold",
        ),
        ("[check.impact]\nfail = 3", "check `impact` gives its verdict by itself"),
        ("[check.drain]\ntime_limit_seconds = -1", "line 2, column 22"),
        ("[check.drain]\ntime_limit_seconds = 0", "a time limit of zero can never be met"),
        ("[check.drain]\nexpect_empty = ''", "an expected emptiness needs its reason"),
        ("[check.drain]\nseverity = 'loud'", "line 2, column 12: unknown variant `loud`"),
        (
            "[query.drain]\nexpected = 'x'\nsql = 'SELECT 1'",
            "the check `drain` stands in the suite twice",
        ),
        ("[query.q]\nsql = 'SELECT 1'", "missing field `expected`"),
    ];
    for (toml, expected) in cases {
        let error = Suite::from_toml(toml).unwrap_err().to_string();
        assert!(error.contains(expected), "{toml}\n{error}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\[?check|query|\\.|drain|\\]|=|\n|\"|'|é|[0-9]|.){0,40}") {
        if let Err(DeclareError::Syntax { line, column, .. }) = Suite::from_toml(&text) {
            prop_assert!(line >= 1 && column >= 1);
        }
    }
}
