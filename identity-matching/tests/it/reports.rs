//! Explanations, evaluations and reviews of a population.

use identity_matching::{
    KeyKind, Matcher, Outcome, Policy, PolicyRules, RawDocument, Record, Rule, UnmatchedReason,
    evaluate::{Comparison, Evaluator},
    index::InMemoryIndex,
    review,
};

use crate::decisions::{dni, email, matcher, normaliser, phone, record};

const PHONE: &str = "987654312";
const DNI: &str = "45678913";
const EMAIL: &str = "ana.rojas@correo.pe";

#[test]
fn an_explanation_says_what_would_change_a_contradiction() {
    let persons = [("P1", dni(phone(record(), PHONE), DNI))];
    let matcher = matcher(&persons, Policy::default());
    let explanation = matcher.explain(&dni(phone(record(), PHONE), "41234567")).unwrap();
    let text = explanation.to_string();
    for said in [
        "not matched, WEAK_MATCH_ONLY",
        "P1 has another value of a kind of which a person has one",
        "differs in PE DNI: ****4567 and ****8913",
        "without the document ****4567: matched P1 by PHONE_EXACT",
        "without `document` in the policy's vetoes: matched P1 by PHONE_EXACT",
        "with PE DNI in the policy's `kinds.document.exempt`: matched P1 by PHONE_EXACT",
    ] {
        assert!(text.contains(said), "{said} is not in:\n{text}");
    }
    for secret in [PHONE, DNI, "41234567"] {
        assert!(!text.contains(secret), "{text}");
        assert!(!serde_json::to_string(&explanation).unwrap().contains(secret));
    }
}

#[test]
fn an_explanation_names_the_document_type_whose_exemption_would_decide_otherwise() {
    let passport = |mut lead: Record, number| {
        lead.documents.push(RawDocument::typed("PE", "CE", number));
        lead
    };
    let person = passport(dni(phone(record(), PHONE), DNI), "001834562");
    let lead = passport(phone(record(), PHONE), "007651328");
    let explanation = matcher(&[("P1", person.clone())], Policy::default()).explain(&lead).unwrap();
    let offered = |explanation: &identity_matching::Explanation| {
        let named = |change: &&identity_matching::Change| change.what.contains("document.exempt");
        explanation.changes.iter().filter(named).map(|c| c.what.clone()).collect::<Vec<_>>()
    };
    assert_eq!(offered(&explanation), ["with PE CE in the policy's `kinds.document.exempt`"]);
    // Both documents differ: to exempt one of them is not enough.
    let both = dni(lead, "41234567");
    let explanation = matcher(&[("P1", person)], Policy::default()).explain(&both).unwrap();
    assert!(offered(&explanation).is_empty());
}

#[test]
fn an_explanation_says_which_cap_keeps_a_shared_key_from_deciding() {
    let keys: Vec<String> = (0..4).map(|n| format!("P{n}")).collect();
    let persons: Vec<(&str, Record)> =
        keys.iter().map(|key| (key.as_str(), phone(record(), PHONE))).collect();
    let explanation =
        matcher(&persons, Policy::default()).explain(&phone(record(), PHONE)).unwrap();
    let relaxed = "with the policy rule `kinds.phone.max_persons_per_key` at 4";
    let change = explanation.changes.iter().find(|change| change.what == relaxed).unwrap();
    assert_eq!(change.outcome.reason(), Some(UnmatchedReason::ConflictMultipleCandidates));
}

#[test]
fn an_unusable_value_is_explained_with_its_remedy() {
    let explanation = matcher(&[], Policy::default()).explain(&phone(record(), "12")).unwrap();
    assert!(explanation.values[0].keys.is_empty());
    assert!(explanation.values[0].remedy.is_some());
    assert!(explanation.summary.contains("MISSING_IDENTIFIERS"));
}

#[test]
fn an_explanation_survives_json() {
    let persons = [("P1", email(record(), EMAIL))];
    let explanation =
        matcher(&persons, Policy::default()).explain(&email(record(), EMAIL)).unwrap();
    let json = serde_json::to_string(&explanation).unwrap();
    let read: identity_matching::Explanation = serde_json::from_str(&json).unwrap();
    assert_eq!(read, explanation);
}

#[test]
fn an_evaluation_counts_every_way_to_be_right_and_wrong() {
    let persons = [("P1", phone(record(), PHONE)), ("P2", email(record(), EMAIL))];
    let matcher = matcher(&persons, Policy::default());
    let mut evaluator = Evaluator::new(2);
    for (lead, truth) in [
        (phone(record(), PHONE), Some("P1")),
        (phone(record(), PHONE), Some("P2")),
        (email(record(), EMAIL), None),
        (record(), Some("P1")),
        (record(), None),
    ] {
        evaluator.add("L", &matcher.decide_one(&lead).unwrap(), truth);
    }
    let evaluation = evaluator.finish();
    let counts = evaluation.counts;
    assert_eq!(
        (
            counts.right,
            counts.wrong_person,
            counts.wrong_nobody,
            counts.missed,
            counts.rightly_nobody
        ),
        (1, 1, 1, 1, 1)
    );
    assert_eq!(evaluation.precision, Some(1.0 / 3.0));
    assert_eq!(evaluation.recall, Some(1.0 / 3.0));
    assert_eq!(evaluation.f1, Some(1.0 / 3.0));
    assert_eq!(evaluation.wrong_total, 3);
    assert_eq!(evaluation.wrong.len(), 2);
    let phone = evaluation.rules.iter().find(|row| row.rule == Rule::PHONE_EXACT).unwrap();
    assert_eq!(phone.precision, Some(0.5));
    assert_eq!(evaluation.outcomes.len(), 2);
}

#[test]
fn an_evaluation_of_nothing_has_no_ratios() {
    let evaluation = Evaluator::new(0).finish();
    assert_eq!((evaluation.precision, evaluation.recall, evaluation.f1), (None, None, None));
}

#[test]
fn a_comparison_lists_the_leads_that_another_policy_decides_otherwise() {
    let persons = [("P1", phone(record(), PHONE)), ("P2", email(record(), EMAIL))];
    let today = matcher(&persons, Policy::default());
    let rules = PolicyRules::default().without_kind(KeyKind::EMAIL);
    let other = today.under(Policy::new(rules).unwrap()).unwrap();
    let mut comparison = Comparison::default();
    for (lead, truth) in
        [(phone(record(), PHONE), Some("P1")), (email(phone(record(), PHONE), EMAIL), Some("P1"))]
    {
        let (before, after) = (today.decide_one(&lead).unwrap(), other.decide_one(&lead).unwrap());
        comparison.add("L", &before, &after, Some(truth));
    }
    assert_eq!((comparison.compared_total, comparison.changed_total), (2, 1));
    assert_eq!((comparison.better_total, comparison.worse_total), (1, 0));
    assert_eq!(comparison.moves["CONFLICT_MULTIPLE_CANDIDATES -> MATCHED"], 1);
    assert!(matches!(comparison.changes[0].after, Outcome::Matched { .. }));
}

fn population(persons: &[(&str, Record)]) -> InMemoryIndex {
    let mut builder = InMemoryIndex::builder();
    for (person, record) in persons {
        builder.add(person, &normaliser().normalise(record)).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn a_review_finds_persons_who_are_one_and_one_who_is_two() {
    let mut both = dni(record(), DNI);
    both.documents.push(RawDocument::typed("PE", "DNI", "41234567"));
    let review = review::review(
        &population(&[
            ("P1", dni(record(), DNI)),
            ("P2", dni(record(), DNI)),
            ("P3", both),
            ("P4", dni(record(), "43218765")),
        ]),
        &Policy::default(),
    );
    assert_eq!(review.same.len(), 1);
    assert_eq!(review.same[0].persons, ["P1", "P2", "P3"]);
    assert!(review.same[0].contradicted);
    assert_eq!(review.several.len(), 1);
    assert_eq!(review.several[0].person, "P3");
    assert_eq!(review.several[0].documents, ["****4567", "****8913"]);
}

#[test]
fn a_document_that_many_hold_fuses_nobody() {
    let keys: Vec<String> = (0..4).map(|n| format!("P{n}")).collect();
    let persons: Vec<(&str, Record)> =
        keys.iter().map(|key| (key.as_str(), dni(record(), DNI))).collect();
    let review = review::review(&population(&persons), &Policy::default());
    assert!(review.same.is_empty());
    assert_eq!(review.shared[0].holders, 4);
}

#[test]
fn an_explanation_tells_step_by_step_how_a_value_was_read() {
    let lead = phone(record(), "cel: +51 986543217.0; 912345671");
    let explanation = matcher(&[], Policy::default()).explain(&lead).unwrap();
    let keys = &explanation.values[0].keys;
    let labelled = keys.iter().find(|key| key.reading.iter().any(|mark| mark == "words_dropped"));
    let steps = &labelled.unwrap().steps;
    assert_eq!(
        steps[..2],
        [
            "the value was cut: it holds several",
            "words around it, such as a label or a remark, were dropped"
        ]
    );
    assert!(explanation.to_string().contains("      1. the value was cut: it holds several"));
}
