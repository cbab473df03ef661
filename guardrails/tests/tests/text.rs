use guardrails::Suite;
use guardrails::clock::Stopped;
use guardrails::facts::{InMemoryFacts, Invariant, Offender};
use guardrails::format::{TextStyle, text};

use crate::common::{now, troubled};

#[test]
fn no_line_is_wider_than_eighty_columns() {
    let report = Suite::all().run(&troubled(), &Stopped);
    let text = text(&report, TextStyle::default());
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn colour_comes_only_when_asked_for() {
    let report = Suite::all().run(&troubled(), &Stopped);
    assert!(!text(&report, TextStyle::default()).contains('\u{1b}'));
    assert!(text(&report, TextStyle::default().colour(true)).contains("\u{1b}[1;31mFAIL"));
}

#[test]
fn a_key_with_control_characters_cannot_move_the_cursor() {
    let facts = InMemoryFacts::new("s", now()).with_offenders(
        Invariant::MatchedNotInBacklog,
        1,
        vec![Offender::new("L\u{1b}[2J", "leak")],
    );
    let report = Suite::recovery().only(["drain"]).unwrap().run(&facts, &Stopped);
    assert!(!text(&report, TextStyle::default()).contains('\u{1b}'));
}
