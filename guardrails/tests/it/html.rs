use guardrails::clock::StoppedClock;
use guardrails::facts::Offender;
use guardrails::history::History;
use guardrails::page::{Body, LeadFigures, Page, Section, Table};
use guardrails::recovery::{
    InMemoryFacts, Invariant, LackCount, LedgerFacts, QueueFacts, ReasonCount, RunFacts,
};
use guardrails::{Suite, SuiteReport};

use crate::service::{Billing, suite as billing_suite};
use crate::support::{age, day, everything, now, run, troubled, unchanged_backlog, with_packets};

/// Four weeks of a recovery, whose figures agree with each other: 3,457 leads open at the end by the days, the
/// queue and the ages.
fn four_weeks(count: u32) -> InMemoryFacts {
    let mut start = 5_030;
    let days = (0..count)
        .map(|n| {
            let first: chrono::NaiveDate = "2026-03-01".parse().unwrap();
            let date = first - chrono::Days::new(u64::from(count - n));
            let (n, busy) = (i64::from(n), i64::from(count < 100));
            let row = day(
                &date.to_string(),
                start,
                40 + 7 * (n % 5),
                58 + 37 * busy + (11 * busy) * (n % 7),
            );
            start = row.backlog_end;
            row
        })
        .collect();
    let open = u64::try_from(start).unwrap();
    let reasons = vec![
        ReasonCount::new("NO_CANDIDATES", open - 650),
        ReasonCount::new("MISSING_IDENTIFIERS", 301),
        ReasonCount::new("CONFLICT_MULTIPLE_CANDIDATES", 112),
        ReasonCount::new("LOYALTY_CARD_BLOCKED", 60),
        ReasonCount::new("WEAK_MATCH_ONLY", 57),
    ];
    let queue = QueueFacts {
        backlog: open,
        pending: 120,
        matched: 8_123,
        failed: open - 120,
        withdrawn: 33,
        reasons: reasons.clone(),
        ..QueueFacts::default()
    };
    let last = RunFacts { failed: reasons, ..run(open + 93, open, 44, 137) };
    troubled()
        .with_queue(queue)
        .with_lacking(vec![
            LackCount::new("NO_CANDIDATES", ["document"], (open - 650) / 2),
            LackCount::new("NO_CANDIDATES", ["phone", "email"], (open - 650) / 4),
        ])
        .with_runs(vec![last, run(open + 160, open + 93, 30, 97)])
        .with_ledger(LedgerFacts {
            days,
            open_by_ledger: start,
            open_by_queue: start,
            unfinished: None,
            matched_last_24h: Some(137),
        })
        .with_ageing(vec![
            age(0, Some(1), 12),
            age(1, Some(3), 40),
            age(3, Some(7), 0),
            age(7, Some(14), 0),
            age(14, Some(30), 95),
            age(30, Some(90), 0),
            age(90, None, open - 147),
        ])
}

/// A page with something in every section.
pub(crate) fn sample() -> String {
    page_of(&four_weeks(28))
}

/// The same with so many days.
pub(crate) fn page_with_days(days: u32) -> String {
    page_of(&four_weeks(days))
}

fn page_of(facts: &InMemoryFacts) -> String {
    let facts = with_packets(facts.clone());
    let good = everything().run(&with_packets(unchanged_backlog()), &StoppedClock);
    let report = everything().run(&facts, &StoppedClock);
    let mut history = History::default();
    for past in [&good, &good, &report] {
        history.push(past);
    }
    let figures = LeadFigures::read(&facts).unwrap().time_zone("America/Lima");
    Page::new("Recovery of leads", report).leads(figures).history(history.records().to_vec()).html()
}

fn leads_page(facts: &InMemoryFacts) -> String {
    let report = Suite::recovery().run(facts, &StoppedClock);
    Page::new("Leads", report).leads(LeadFigures::read(facts).unwrap()).html()
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
    let report = Suite::recovery().run(&troubled(), &StoppedClock);
    let figures = LeadFigures::read(&troubled()).unwrap().reason_link("/leads?reason={reason}");
    let page = Page::new("P", report).leads(figures);
    let linked = page.clone().refresh_link("/?live").html();
    assert!(linked.contains("<svg role=\"group\" aria-label=\"Leads by reason"), "{linked}");
    assert!(linked.contains("<a href=\"/leads?reason=NO_CANDIDATES\">"), "{linked}");
    assert!(!linked.contains("reason=pending"), "leads that wait have no reason to list");
    assert!(linked.contains("<a href=\"/?live\">Keep this page up to date</a>"));
    assert!(!linked.contains("http-equiv=\"refresh\""));
    let live = page.refresh_link("/").refresh_seconds(30).html();
    assert!(live.contains("content=\"30\"") && live.contains("Stop renewing this page"));
}

#[test]
fn what_comes_from_rows_is_escaped() {
    let nasty = "<img src=x onerror=alert(1)>\"'&A";
    let facts = InMemoryFacts::new(nasty, now())
        .with_queue(QueueFacts {
            backlog: 1,
            failed: 1,
            reasons: vec![ReasonCount::new(nasty, 1)],
            ..QueueFacts::default()
        })
        .with_offenders(Invariant::MATCHED_NOT_IN_BACKLOG, 1, vec![Offender::new(nasty, nasty)]);
    let report = Suite::recovery().run(&facts, &StoppedClock);
    let figures = LeadFigures::read(&facts).unwrap().reason_link("/leads?reason={reason}");
    let html = Page::new(nasty, report).leads(figures).html();
    assert!(!html.contains("<img"));
    assert!(html.contains("/leads?reason=%3Cimg%20src"));
    let plain = Body::default()
        .paragraph(nasty)
        .table(&Table::new(nasty, [nasty]).row([nasty]))
        .link("/?a=\"<", nasty);
    assert!(!guardrails::page::plain_page(nasty, None, &plain).contains("<img"));
}

/// The headings of a page, in order.
fn headings(html: &str) -> Vec<&str> {
    let parts = html.split("<h2 id=\"").skip(1);
    parts.map(|part| part.split_once('>').unwrap().1.split_once('<').unwrap().0).collect()
}

#[test]
fn the_story_stands_first_then_the_guardrails_and_the_plots() {
    let html = sample();
    assert_eq!(
        headings(&html),
        [
            "The story",
            "Guardrails",
            "Burn-down",
            "Why leads are still in the backlog",
            "How old the backlog is",
            "Throughput against arrivals",
            "Runs",
            "Guardrail history",
        ]
    );
    let at = |words: &str| html.find(words).unwrap_or_else(|| panic!("{words}"));
    assert!(at("The KPI is red: ") < at("The machinery is not sound"));
    assert!(at("Reduced by") < at("What to do, most leads first"));
    // Failures come first, and what passed is one line.
    let failed = at("<h3><code>drain</code></h3>");
    assert!(
        html.contains("<h3><code>packets_complete</code></h3>")
            && failed < at("ul class=\"passed\"")
            || !html.contains("passed")
    );
}

#[test]
fn a_page_of_a_service_without_leads_has_no_word_about_leads_and_no_empty_box() {
    let report = billing_suite().run(&Billing::new(9), &StoppedClock);
    let html = Page::new("Billing", report).html();
    assert_eq!(headings(&html), ["Guardrails"]);
    let body = html.split_once("<body>").unwrap().1;
    for word in ["lead", "Lead", "backlog", "matched", "was not given", "no day yet"] {
        assert!(!body.contains(word), "{word}");
    }
    assert!(html.contains("The KPI is red: 7 unpaid invoices left"));
}

#[test]
fn sections_with_nothing_to_show_vanish() {
    let html = leads_page(&InMemoryFacts::new("s", now()));
    assert_eq!(headings(&html), ["Guardrails"]);
    assert!(!html.contains("NaN") && !html.contains("inf%"));
}

#[test]
fn a_service_adds_sections_of_its_own() {
    struct Debt(u32);
    impl Section for Debt {
        fn heading(&self) -> &'static str {
            "Debt by customer"
        }
        fn body(&self, suite: &SuiteReport) -> Body {
            let words = format!("{} checks, {} customers", suite.totals.checks, self.0);
            if self.0 == 0 { Body::default() } else { Body::default().paragraph(&words) }
        }
    }
    let report = billing_suite().run(&Billing::new(9), &StoppedClock);
    let html = Page::new("Billing", report).section(Debt(3)).section(Debt(0)).html();
    assert_eq!(headings(&html), ["Guardrails", "Debt by customer"]);
    assert!(html.contains("<p>2 checks, 3 customers</p>"));
}

#[test]
fn the_burn_down_begins_with_what_was_open_and_is_drawn_with_one_day_and_with_four_hundred() {
    let line = |html: &str| {
        let section = html.split_once("id=\"burn-down\"").unwrap().1;
        section.split_once("</section>").unwrap().0.matches("<line class=\"backlog\"").count()
    };
    let one = page_with_days(1);
    assert_eq!(line(&one), 1, "a line from the start of the day to its end");
    assert!(one.contains("5,030 open leads at the start of 2026-02-28"));
    assert_eq!(line(&page_with_days(28)), 28);
    let many = page_with_days(400);
    assert_eq!(line(&many), 58, "a place for each week");
    assert!(many.contains("arrived per 7 days"));
}

#[test]
fn ages_without_leads_take_no_room_and_every_reason_has_its_sentence() {
    let html = sample();
    let ages = html.split_once("id=\"how-old-the-backlog-is\"").unwrap().1;
    let ages = ages.split_once("</section>").unwrap().0;
    assert_eq!(ages.matches("<rect class=\"bar\"").count(), 4);
    assert!(html.contains("The lead gave no phone, document or e-mail that can be used."));
    assert!(
        html.contains("A reason of this service&#39;s own.")
            || html.contains("A reason of this service's own.")
    );
}

#[test]
fn no_word_of_the_program_stands_where_people_read() {
    let facts = InMemoryFacts::new("s", now());
    let html = leads_page(&facts);
    for word in ["offenders(", "matched_not_in_backlog", "NotProvided", "Some("] {
        assert!(!html.contains(word), "{word}");
    }
    assert!(html.contains("these facts are not provided: matched not in backlog"));
}
