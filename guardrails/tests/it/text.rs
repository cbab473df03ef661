use guardrails::Suite;
use guardrails::clock::StoppedClock;
use guardrails::facts::Offender;
use guardrails::format::{TextStyle, text};
use guardrails::recovery::{InMemoryFacts, Invariant};

use crate::support::{everything, now, troubled, with_packets};

#[test]
fn no_line_is_wider_than_eighty_columns() {
    let report = everything().run(&with_packets(troubled()), &StoppedClock);
    let text = text(&report, TextStyle::default());
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn colour_comes_only_when_asked_for() {
    let report = everything().run(&with_packets(troubled()), &StoppedClock);
    assert!(!text(&report, TextStyle::default()).contains('\u{1b}'));
    assert!(text(&report, TextStyle::default().colour(true)).contains("\u{1b}[1;31mFAIL"));
}

#[test]
fn a_key_with_control_characters_cannot_move_the_cursor() {
    let facts = InMemoryFacts::new("s", now()).with_offenders(
        Invariant::MATCHED_NOT_IN_BACKLOG,
        1,
        vec![Offender::new("L\u{1b}[2J", "leak")],
    );
    let report = Suite::recovery().only(["drain"]).unwrap().run(&facts, &StoppedClock);
    assert!(!text(&report, TextStyle::default()).contains('\u{1b}'));
}

#[test]
fn one_of_a_thing_is_not_told_as_many() {
    use guardrails::recovery::{LedgerFacts, QueueFacts, ReasonCount};
    let reasons = vec![ReasonCount::new("CONFLICT_MULTIPLE_CANDIDATES", 1)];
    let facts = InMemoryFacts::new("s", now())
        .with_queue(QueueFacts { backlog: 1, failed: 1, reasons, ..QueueFacts::default() })
        .with_runs(vec![crate::support::run(1, 1, 0, 0)])
        .with_ledger(LedgerFacts {
            days: vec![crate::support::day("2026-03-01", 2, 0, 1)],
            open_by_ledger: 1,
            open_by_queue: 1,
            ..LedgerFacts::default()
        });
    let report =
        Suite::recovery().only(["impact", "throughput"]).unwrap().run(&facts, &StoppedClock);
    let told = text(&report, TextStyle::default());
    for words in ["1 lead before", "1 conflict waits for", "in 1 day,", "1 lead left"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("1 leads") && !told.contains("1 days"), "{told}");
}
