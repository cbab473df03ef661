use guardrails::clock::StoppedClock;
use guardrails::recovery::{Explained, Impact};
use guardrails::recovery::{InMemoryFacts, LackCount, QueueFacts, ReasonCount, reason_in_words};
use guardrails::{CheckReport, Suite, Verdict};
use proptest::prelude::*;

use crate::support::{now, run, troubled, unchanged_backlog};

fn impact(facts: &InMemoryFacts) -> CheckReport {
    let suite = Suite::new("s").with(Impact::default()).unwrap();
    suite.run(facts, &StoppedClock).checks.remove(0)
}

#[test]
fn an_unchanged_backlog_passes_and_every_lead_is_explained_by_reason_and_share() {
    let report = impact(&unchanged_backlog());
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(
        report.actual,
        "203 leads before, 203 after, 0 arrived, 0 matched; 151 NO_CANDIDATES (74.38 %), \
         40 MISSING_IDENTIFIERS (19.7 %), 12 CONFLICT_MULTIPLE_CANDIDATES (5.91 %)"
    );
    assert_eq!(report.params["unexplained"], "0");
}

#[test]
fn remedies_come_in_the_order_of_the_leads_that_each_would_free() {
    let frees: Vec<_> = impact(&unchanged_backlog()).help.iter().map(|r| r.frees).collect();
    assert_eq!(frees, [Some(151), Some(40), Some(12)]);
}

#[test]
fn each_lead_counts_once_under_what_would_free_it_soonest() {
    let facts = unchanged_backlog().with_lacking(vec![
        LackCount::new("CONFLICT_MULTIPLE_CANDIDATES", ["document"], 1),
        LackCount::new("MISSING_IDENTIFIERS", ["document", "email", "phone"], 40),
        LackCount::new("NO_CANDIDATES", ["document"], 90),
        LackCount::new("NO_CANDIDATES", ["document", "email"], 1),
    ]);
    let report = impact(&facts);
    let told: Vec<_> = report.help.iter().map(|remedy| remedy.action.as_str()).collect();
    assert_eq!(
        told,
        [
            "90 leads are unknown by what they gave: ask for the document, then import the lead again.",
            "60 leads have identifiers that no known person has: import the persons that are missing, \
             then recover.",
            "40 leads gave no identifier: ask for any of phone, document, e-mail.",
            "12 conflicts wait for a person's decision: give them out with `export_review`, and load what was \
             decided with `load_review`.",
            "1 lead is unknown by what they gave: ask for any of document, e-mail, then import the lead \
             again.",
        ]
    );
    assert_eq!(report.help.iter().filter_map(|remedy| remedy.frees).sum::<u64>(), 203);
}

#[test]
fn a_lead_that_gave_what_cannot_be_read_is_not_asked_for_what_it_gave() {
    let facts = unchanged_backlog().with_lacking(vec![
        LackCount::new("MISSING_IDENTIFIERS", ["document", "email", "phone"], 30).unread(["phone"]),
        LackCount::new("NO_CANDIDATES", ["document", "phone"], 90).unread(["phone", "document"]),
    ]);
    let told: Vec<_> = impact(&facts).help.into_iter().map(|remedy| remedy.action).collect();
    let says = |words: &str| told.iter().any(|action| action.starts_with(words));
    assert!(
        says("30 leads gave a phone that cannot be read: correct what was written"),
        "{told:#?}"
    );
    assert!(says("90 leads gave a phone or document that cannot be read: correct"), "{told:#?}");
    assert!(
        says("10 leads gave no identifier: ask for any of phone, document, e-mail."),
        "{told:#?}"
    );
}

#[test]
fn what_a_run_took_off_the_backlog_is_told_as_reduced_by() {
    let queue = QueueFacts { backlog: 90, pending: 90, ..QueueFacts::default() };
    let facts = |before, after| {
        let run = run(before, after, 0, before.saturating_sub(after));
        InMemoryFacts::new("s", now()).with_runs(vec![run]).with_queue(queue.clone())
    };
    assert_eq!(impact(&facts(100, 90)).params["reduced_by"], "10");
    assert_eq!(impact(&facts(90, 100)).params["reduced_by"], "-10");
}

#[test]
fn no_command_of_a_remedy_holds_a_placeholder() {
    let facts = [unchanged_backlog(), troubled()];
    let report = |facts| Suite::recovery().run(facts, &StoppedClock);
    // A reason's code is none.
    let placeholder = |word: &str| {
        let capital = word.chars().all(|c| c.is_ascii_uppercase());
        word.len() > 1 && capital && reason_in_words(word).is_none()
    };
    for check in facts.iter().flat_map(|facts| report(facts).checks) {
        for command in check.help.iter().filter_map(|remedy| remedy.command.as_deref()) {
            assert!(!command.split(' ').any(placeholder), "{command}");
        }
    }
}

#[test]
fn a_rise_by_arrivals_alone_passes_and_a_rise_beyond_them_fails() {
    let queue = |backlog| QueueFacts { backlog, pending: backlog, ..QueueFacts::default() };
    let facts =
        |r, backlog| InMemoryFacts::new("s", now()).with_runs(vec![r]).with_queue(queue(backlog));
    assert_eq!(impact(&facts(run(10, 15, 5, 0), 15)).verdict, Verdict::Pass);
    let risen = impact(&facts(run(10, 15, 2, 0), 15));
    assert_eq!(risen.verdict, Verdict::Fail);
    assert!(risen.actual.contains("3 leads more without having arrived"), "{}", risen.actual);
}

#[test]
fn leads_without_explanation_warn_and_a_missing_run_is_inconclusive() {
    let queue = QueueFacts { backlog: 5, pending: 3, ..QueueFacts::default() };
    let facts = InMemoryFacts::new("s", now()).with_queue(queue);
    assert_eq!(impact(&facts.clone().with_runs(vec![])).verdict, Verdict::Inconclusive);
    let mut cut_off = run(5, 0, 0, 0);
    cut_off.finished_at = None;
    assert_eq!(impact(&facts.clone().with_runs(vec![cut_off])).verdict, Verdict::Inconclusive);
    let report = impact(&facts.with_runs(vec![run(5, 5, 0, 0)]));
    assert_eq!(report.verdict, Verdict::Warn);
    assert!(report.actual.ends_with("2 without explanation"), "{}", report.actual);
}

proptest! {
    #[test]
    fn parts_and_the_unexplained_always_add_up_to_the_backlog(
        backlog in 0_u64..1_000,
        pending in 0_u64..500,
        reasons in prop::collection::vec(0_u64..300, 0..5),
    ) {
        let reasons: Vec<_> = reasons
            .into_iter()
            .enumerate()
            .map(|(i, leads)| ReasonCount::new(format!("R{i}"), leads))
            .collect();
        let known = pending + reasons.iter().map(|r| r.leads).sum::<u64>();
        let explained =
            Explained::of(&QueueFacts { backlog, pending, reasons, ..QueueFacts::default() });
        let sum: u64 = explained.parts.iter().map(|part| part.leads).sum();
        prop_assert_eq!(sum, known);
        prop_assert_eq!(explained.unexplained, backlog.saturating_sub(known));
        prop_assert!(explained.parts.windows(2).all(|pair| pair[0].leads >= pair[1].leads));
        let shares: f64 = explained.parts.iter().map(|part| explained.share(part)).sum();
        prop_assert!(shares <= 1.0 + 1e-9);
    }

    #[test]
    fn the_remedies_share_out_every_lead_and_none_twice(
        pending in 0_u64..500,
        codes in prop::collection::vec((0_usize..8, 1_u64..300), 0..6),
        lacks in prop::collection::vec((0_usize..8, 0_u64..400), 0..6),
    ) {
        const CODES: [&str; 8] = ["NO_CANDIDATES", "MISSING_IDENTIFIERS", "CONFLICT_MULTIPLE_CANDIDATES",
            "WEAK_MATCH_ONLY", "LEAD_NOT_FOUND", "ERROR", "REJECTED", "OWN"];
        let codes: std::collections::BTreeMap<_, _> = codes.into_iter().collect();
        let reasons: Vec<_> = codes.iter().map(|(code, n)| ReasonCount::new(CODES[*code], *n)).collect();
        let failed = codes.values().sum::<u64>();
        let lacking = lacks.iter().map(|(code, n)| LackCount::new(CODES[*code], ["phone"], *n)).collect();
        let backlog = failed + pending;
        let queue = QueueFacts { backlog, pending, failed, reasons, ..QueueFacts::default() };
        let facts = InMemoryFacts::new("s", now())
            .with_runs(vec![run(backlog, backlog, 0, 0)])
            .with_lacking(lacking)
            .with_queue(queue);
        let report = impact(&facts);
        prop_assert_eq!(report.help.iter().filter_map(|remedy| remedy.frees).sum::<u64>(), backlog);
        prop_assert!(report.help.is_sorted_by(|a, b| a.frees >= b.frees));
    }

    #[test]
    fn it_fails_only_when_the_backlog_rose_by_more_than_arrived(
        before in 0_u64..u64::MAX,
        after in 0_u64..u64::MAX,
        arrived in 0_u64..1_000,
    ) {
        let facts = InMemoryFacts::new("s", now()).with_runs(vec![run(before, after, arrived, 0)]);
        let failed = impact(&facts).verdict == Verdict::Fail;
        prop_assert_eq!(failed, after > before && after - before > arrived);
    }
}
