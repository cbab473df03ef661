//! A loyalty card as a strong kind, read by a closure; a customer may hold two of them.
//!
//! `cargo run -p identity-matching --example loyalty_card`

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use std::error::Error;

use identity_matching::{
    DeterministicMatcher, KeyForm, KeyKind, KindRules, Matcher, NormaliseOptions, Normaliser,
    OwnKind, Policy, PolicyRules, Record, Sink, UnusableReason, index::InMemoryIndex,
};

/// Reads `C-204813`: a letter that shops leave out, and six digits.
fn card(value: &str, sink: &mut Sink<'_>) {
    let digits = value.trim_start_matches(['C', 'c', '-', ' ']);
    if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        sink.key(digits, KeyForm::Exact);
    } else {
        sink.unusable(UnusableReason::Malformed);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let loyalty: KeyKind = "loyalty".parse()?;
    // Not exclusive, which is the default: two cards contradict nobody.
    let rules = PolicyRules::default().with_kind(loyalty, KindRules::default());
    let options = NormaliseOptions::default().with_kind(OwnKind::reading(loyalty, card))?;
    let normaliser = Normaliser::new(options)?;

    let ana = Record::default().with(loyalty, "C-204813").with(loyalty, "C-204899");
    let luis = Record::default().with(loyalty, "C-310007");
    let mut population = InMemoryIndex::builder();
    population.add("ANA", &normaliser.normalise(&ana))?;
    population.add("LUIS", &normaliser.normalise(&luis))?;
    let matcher = DeterministicMatcher::new(population.build()?, normaliser, Policy::new(rules)?)?;

    let second_card = matcher.decide_one(&Record::default().with(loyalty, "204899"))?;
    assert_eq!(second_card.outcome.person(), Some("ANA"));
    assert_eq!(second_card.outcome.rule().map(AsRef::as_ref), Some("LOYALTY_EXACT"));

    // Cards of two customers on one lead: the matcher never guesses.
    let both = Record::default().with(loyalty, "204813").with(loyalty, "310007");
    assert_eq!(matcher.decide_one(&both)?.outcome.code(), "CONFLICT_MULTIPLE_CANDIDATES");
    println!("{}", matcher.explain(&both)?);
    Ok(())
}

#[test]
fn a_customer_is_found_by_either_card() {
    main().unwrap_or_else(|error| panic!("{error}"));
}
