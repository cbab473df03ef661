use guardrails::Suite;
use guardrails::clock::Stopped;
use guardrails::facts::{AgeBucket, InMemoryFacts, LedgerFacts, Offender, QueueFacts, ReasonCount};
use guardrails::history::History;
use guardrails::html::{Page, page};

use crate::common::{day, now, troubled, unchanged_backlog};

/// A page with something in every section.
pub(crate) fn sample() -> String {
    let mut start = 5_030;
    let days = (1..=28)
        .map(|n| {
            let row = day(&format!("2026-02-{n:02}"), start, 40 + 7 * (n % 5), 95 + 11 * (n % 7));
            start = row.backlog_end;
            row
        })
        .collect();
    let bucket = |from_days, below_days, leads| AgeBucket { from_days, below_days, leads };
    let facts = troubled()
        .with_ledger(LedgerFacts { days, open_by_ledger: start, open_by_queue: start })
        .with_ageing(vec![
            bucket(0, Some(1), 12),
            bucket(1, Some(3), 40),
            bucket(3, Some(8), 95),
            bucket(8, Some(31), 310),
            bucket(31, None, 3_120),
        ]);
    let good = Suite::recovery().named("all").run(&unchanged_backlog(), &Stopped);
    let report = Suite::all().run(&facts, &Stopped);
    let mut history = History::default();
    for past in [&good, &good, &report] {
        history.push(past);
    }
    page(
        &Page::new("Recovery of leads", report)
            .fill_from(&facts)
            .unwrap()
            .time_zone("America/Lima")
            .history(history.records().to_vec()),
    )
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let html = sample();
    for forbidden in ["<script", "http://", "https://", "@import", "url(", "javascript:", "<iframe"]
    {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn every_plot_has_a_name_and_a_table() {
    let html = sample();
    assert_eq!(
        html.matches("<svg role=\"img\" aria-label=\"").count(),
        html.matches("<svg").count()
    );
    for section in html.split("<section").filter(|section| section.contains("<svg")) {
        assert!(section.contains("<table") && section.contains("<caption"), "{section}");
    }
}

#[test]
fn links_in_a_plot_are_reached_by_a_screen_reader_and_renewing_is_the_readers_choice() {
    let report = Suite::recovery().run(&troubled(), &Stopped);
    let page_of = || Page::new("P", report.clone()).fill_from(&troubled()).unwrap();
    let linked = page(&page_of().reason_link("/leads?reason={reason}").refresh_link("/?live"));
    assert!(linked.contains("<svg role=\"group\" aria-label=\"Leads by reason"), "{linked}");
    assert!(linked.contains("<a href=\"/?live\">Keep this page up to date</a>"));
    assert!(!linked.contains("http-equiv=\"refresh\""));
    let live = page(&page_of().refresh_link("/").refresh_seconds(30));
    assert!(live.contains("content=\"30\"") && live.contains("Stop renewing this page"));
}

#[test]
fn what_comes_from_rows_is_escaped() {
    let nasty = "<img src=x onerror=alert(1)>\"'&";
    let facts = InMemoryFacts::new(nasty, now())
        .with_queue(QueueFacts {
            backlog: 1,
            failed: 1,
            reasons: vec![ReasonCount::new(nasty, 1)],
            ..QueueFacts::default()
        })
        .with_offenders(
            guardrails::facts::Invariant::MatchedNotInBacklog,
            1,
            vec![Offender::new(nasty, nasty)],
        );
    let report = Suite::recovery().run(&facts, &Stopped);
    let html = page(
        &Page::new(nasty, report).fill_from(&facts).unwrap().reason_link("/leads?reason={reason}"),
    );
    assert!(!html.contains("<img"));
    assert!(html.contains("/leads?reason=%3Cimg%20src"));
}

#[test]
fn a_page_without_any_facts_says_what_is_missing() {
    let facts = InMemoryFacts::new("s", now());
    let report = Suite::recovery().run(&facts, &Stopped);
    let html = page(&Page::new("Empty", report).fill_from(&facts).unwrap());
    for words in
        ["The ledger has no day yet", "The age of the backlog was not given", "No run was given"]
    {
        assert!(html.contains(words), "{words}");
    }
    assert!(!html.contains("NaN") && !html.contains("inf%"));
}
