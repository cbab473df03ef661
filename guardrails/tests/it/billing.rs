//! The billing service of the examples: its suite, and a page that knows nothing of leads.

use guardrails::clock::StoppedClock;
use guardrails::page::Page;
use guardrails::{ExitPolicy, Verdict};

#[path = "../../examples/billing.rs"]
#[allow(dead_code)] // its `main` is the example's
mod example;

#[test]
fn five_checks_in_thirty_lines_find_what_is_wrong_with_invoices() {
    let source = include_str!("../../examples/billing.rs");
    let (_, suite) = source.split_once("/// A check of every invoice.").unwrap();
    let lines = suite.split_once("/// Sample facts").unwrap().0.trim().lines().count();
    assert!(lines <= 30, "{lines} lines");
    let suite = example::suite().unwrap();
    assert_eq!(suite.ids().count(), 5);
    let report = suite.run(&example::sample().unwrap(), &StoppedClock);
    let verdicts: Vec<_> = report
        .checks
        .iter()
        .map(|check| (check.assertion.as_str(), check.verdict, check.numerator))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("customer", Verdict::Fail, 1),
            ("amount", Verdict::Pass, 0),
            ("paid", Verdict::Fail, 1),
            ("number", Verdict::Pass, 0),
            ("overdue", Verdict::Fail, 1),
        ]
    );
    assert_eq!(report.check("overdue").unwrap().samples[0].key, "F-0002");
    assert_eq!(report.kpi.as_ref().unwrap().in_words(), "the KPI is red: 2 unpaid invoices left");
    assert_eq!(report.exit_code(ExitPolicy::default()), 1);
}

#[test]
fn its_page_has_no_empty_boxes_and_no_word_of_leads() {
    let report = example::suite().unwrap().run(&example::sample().unwrap(), &StoppedClock);
    let html = Page::new("Billing", report).html();
    let body = html.split_once("<body>").unwrap().1;
    for word in ["lead", "Lead", "backlog", "Burn-down", "recover"] {
        assert!(!body.contains(word), "{word}");
    }
    let headings: Vec<&str> =
        body.split("<h2 id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(headings, ["guardrails"]);
    assert!(!body.contains("<table></table>") && !body.contains("<dl class=\"tiles\"></dl>"));
}
