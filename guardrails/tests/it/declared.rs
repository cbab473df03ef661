use guardrails::clock::StoppedClock;
use guardrails::recovery::InMemoryFacts;
use guardrails::{DeclareError, Suite, Variables, Verdict};
use proptest::prelude::*;

use crate::support::troubled;

/// Reads a suite over the recovery's own checks.
pub(crate) fn recovery(text: &str) -> Result<Suite<InMemoryFacts>, DeclareError> {
    Suite::from_toml(text, Suite::recovery(), &Variables::new())
}

#[test]
fn a_declared_suite_weighs_as_the_same_suite_in_code() {
    let suite = recovery(
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
    let report = suite.run(&troubled(), &StoppedClock);
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
        (
            "[check.drian]\nwarn = 1",
            "line 1, column 8: the suite cannot be made: unknown check `drian`; known are: drain",
        ),
        ("[check.drain]\nwran = 1", "line 2, column 1: unknown field `wran`"),
        ("[check.drain]\nfail = -1", "line 2, column 8: `-1` is neither a count"),
        ("[check.drain]\nfail = '120%'", "line 2, column 8: the ratio 120% lies outside"),
        (
            "[check.drain]\nwarn = 9\nfail = 3",
            "line 1, column 8: the suite cannot be made: a threshold of the check `drain` is not valid: the warn threshold",
        ),
        ("[check.impact]\nfail = 3", "check `impact` gives its verdict by itself"),
        ("[check.drain]\ntime_limit_seconds = -1", "line 2, column 22"),
        ("[check.drain]\ntime_limit_seconds = 0", "a time limit of zero can never be met"),
        (
            "[check.drain]\nexpect_empty = ''",
            "an empty population that is expected needs its reason",
        ),
        ("[check.drain]\nseverity = 'loud'", "line 2, column 12: unknown variant `loud`"),
        (
            "[query.drain]\nexpected = 'x'\nsql = 'SELECT 1'",
            "the check `drain` stands in the suite twice",
        ),
        ("[query.q]\nsql = 'SELECT 1'", "line 1, column 8: query `q`: a query needs `expected`"),
        ("[query.q]\nsql = 'SELECT 1'\nexpected = 'x'\ntable = 't'", "a query takes no `table`"),
        ("[check.drain]\nsql = 'SELECT 1'", "`sql` stands under [query.drain]"),
    ];
    for (toml, expected) in cases {
        let error = told(toml);
        assert!(error.contains(expected), "{toml}\n{error}");
    }
}

/// The error of a file with its source.
fn told(toml: &str) -> String {
    let error = recovery(toml).unwrap_err();
    let source = std::error::Error::source(&error).map(|source| {
        let deeper = source.source().map(|deeper| format!(": {deeper}")).unwrap_or_default();
        format!(": {source}{deeper}")
    });
    format!("{error}{}", source.unwrap_or_default())
}

#[test]
fn a_declared_check_that_cannot_be_is_refused_by_name_with_its_place() {
    let check = |keys: &str| format!("[check.c]\n{keys}");
    let cases = [
        (
            "kind = 'mising'\ntable = 't'",
            "line 2, column 8: unknown kind `mising`; known are: missing, unique",
        ),
        ("table = 't'", "check `c`: `table` needs a `kind`, one of missing, unique"),
        ("kind = 'missing'\ntable = 't'", "check `c`: a check of kind `missing` needs `column`"),
        (
            "kind = 'missing'\ntable = 't'\ncolumn = 'a'\nvalues = ['x']",
            "a check of kind `missing` takes no `values`",
        ),
        (
            "kind = 'missing'\ntable = 't; DROP TABLE t'\ncolumn = 'a'",
            "the check `c` cannot be made: `t; DROP TABLE t` is no name of a table",
        ),
        ("kind = 'unique'\ntable = 't'\ncolumns = []", "`columns` is empty"),
        ("kind = 'unique'\ntable = 't'", "needs `columns` as a list, or `column`"),
        ("kind = 'missing'\ntable = 't'\ncolumn = 'a'\ncolumns = ['b']", "takes no `columns`"),
        (
            "kind = 'row_count'\ntable = 't'\nmin = 1\nkey = 'id'",
            "a check of kind `row_count` takes no `key`; leave it out",
        ),
        (
            "kind = 'schema'\ntable = 't'\ncolumns = { a = 'text' }\nwhere = 'b > 1'",
            "a check of kind `schema` takes no `where`; leave it out",
        ),
        ("kind = 'accepted_values'\ntable = 't'\ncolumn = 'a'\nvalues = []", "`values` is empty"),
        (
            "kind = 'relationships'\ntable = 't'\ncolumn = 'a'\nto = 'other'",
            "`other` does not name a table and its column",
        ),
        (
            "kind = 'freshness'\ntable = 't'\ncolumn = 'a'\nmax_age = 'soon'",
            "`soon` is no age above zero",
        ),
        (
            "kind = 'freshness'\ntable = 't'\ncolumn = 'a'\nmax_age = '1h'\nfail = 3",
            "it counts at most 1 offenders, so `more than 3` can never be crossed",
        ),
        ("kind = 'row_count'\ntable = 't'", "no row count can break or keep"),
        ("kind = 'row_count'\ntable = 't'\nmin = 5\nmax = 3", "no row count can break or keep"),
        (
            "kind = 'schema'\ntable = 't'\ncolumns = ['a']",
            "needs `columns` as a table of names and types",
        ),
        ("kind = 'missing'\ntable = 't'\ncolumn = 'a'\nfail = '100%'", "can never be crossed"),
        (
            "kind = 'missing'\ntable = 't'\ncolumn = 'a'\nwhere = 'b > ${since}'",
            "unknown variable `since`; known are: none",
        ),
        ("kind = 'missing'\ntable = 't'\ncolumn = 'a'\n[check.c]\nwarn = 1", "duplicate key"),
        (
            "kind = 'missing'\ntable = 't'\ncolumn = 'a'\n[query.c]\nexpected = 'x'\nsql = 'SELECT 1'",
            "the check `c` stands in the suite twice",
        ),
    ];
    for (keys, expected) in cases {
        let error = told(&check(keys));
        assert!(error.contains(expected), "{keys}\n{error}");
    }
    let taken = told("[check.drain]\nkind = 'missing'\ntable = 't'\ncolumn = 'a'");
    assert!(taken.contains("the check `drain` stands in the suite twice"), "{taken}");
}

/// One check of each kind, with every setting.
const ALL_KINDS: &str = r#"
name = "billing"
list = 5
checks = ["drain"]

[vars]
since = "2026-01-01"
late = "paid' OR 'late"

[check.drain]
tags = ["hourly", "queue"]
expect_empty = "no lead can match before the persons come"

[check.customer]
kind = "missing"
table = "billing.invoices"
column = "customer_id"
key = "number"
where = "issued_on >= ${since}"
warn = 0
fail = "10, 2.5%"

[check.number]
kind = "unique"
table = "invoices"
columns = ["series", "number"]

[check.state]
kind = "accepted_values"
table = "invoices"
column = "state"
values = ["sent", "${late}", 'an "odd" one']
severity = "warn"

[check.invoice]
kind = "relationships"
table = "payments"
column = "invoice"
to = "billing.invoices.number"
sensitive = true

[check.fresh]
kind = "freshness"
table = "payments"
column = "paid_at"
max_age = "24h"
owner = "billing team"
tags = ["hourly"]

[check.rows]
kind = "row_count"
table = "invoices"
min = 1
max = 100

[check.columns]
kind = "schema"
table = "invoices"
columns = { number = "text", amount = "number" }
exact = true
time_limit_seconds = 1.5

[query.no_debt]
expected = "no invoice is below zero"
sql = "SELECT number FROM invoices WHERE amount < 0 AND issued_on >= ${since}"
population = "SELECT count(*) FROM invoices"
"#;

#[test]
fn a_printed_suite_reads_back_to_the_same_suite() {
    let suite = recovery(ALL_KINDS).unwrap();
    let printed = suite.to_toml();
    let again = recovery(&printed).unwrap_or_else(|error| panic!("{error:?}\n{printed}"));
    assert_eq!(again.to_toml(), printed);
    assert_eq!(suite.ids().collect::<Vec<_>>(), again.ids().collect::<Vec<_>>());
    for words in
        ["[check.fresh]", "max_age = \"24h\"", "fail = \"10, 2.5%\"", "since = \"2026-01-01\""]
    {
        assert!(printed.contains(words), "{words}: {printed}");
    }
}

#[test]
fn checks_are_chosen_and_left_out_by_id_and_by_tag() {
    let suite = recovery(ALL_KINDS).unwrap();
    let hourly = suite.clone().only(["tag:hourly"]).unwrap();
    assert_eq!(hourly.ids().collect::<Vec<_>>(), ["drain", "fresh"]);
    let rest = suite.clone().without(["tag:hourly", "rows"]).unwrap();
    assert_eq!(
        rest.ids().collect::<Vec<_>>(),
        ["customer", "number", "state", "invoice", "columns", "no_debt"]
    );
    let wrong = suite.only(["tag:weekly"]).unwrap_err().to_string();
    assert_eq!(wrong, "no check of the suite has the tag `weekly`; tags are: hourly, queue");
}

#[test]
fn a_variable_is_overridden_by_the_caller_and_an_unknown_one_is_refused() {
    let text = "[vars]\nt = 'a'\n[check.c]\nkind = 'row_count'\ntable = '${t}'\nmin = 1";
    let over = |name: &str| {
        let values: Variables = [(name.to_owned(), "invoices".to_owned())].into();
        Suite::<InMemoryFacts>::from_toml(text, Suite::new("none"), &values)
    };
    let report = over("t").unwrap().run(&troubled(), &StoppedClock);
    assert_eq!(report.checks[0].description, "`invoices` has at least 1 row");
    assert!(over("u").unwrap_err().to_string().contains("no variable `u` stands under [vars]"));
}

#[test]
fn declared_checks_on_facts_without_tables_are_inconclusive_and_the_others_run() {
    let report = recovery(ALL_KINDS).unwrap().run(&troubled(), &StoppedClock);
    let verdict = |id: &str| report.check(id).unwrap().verdict;
    assert_eq!(
        (verdict("customer"), verdict("no_debt")),
        (Verdict::Inconclusive, Verdict::Inconclusive)
    );
    assert_eq!(verdict("drain"), Verdict::Fail);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\[?check|query|\\.|drain|\\]|=|\n|\"|'|é|[0-9]|.){0,40}") {
        if let Err(DeclareError::Syntax { line, column, .. }) = recovery(&text) {
            prop_assert!(line >= 1 && column >= 1);
        }
    }
}
