//! A policy as a value: read, written, compared, and by which weak evidence it finds persons.

use identity_matching::{
    AddressUse, Confidence, Decision, DeterministicMatcher, Differ, Judgement, KeyKind, KindRules,
    KindSet, Matcher, Normaliser, Policy, PolicyError, PolicyRules, Record, Region, Rejections,
    Rule, UnmatchedReason,
    index::{InMemoryIndex, SubjectView},
};
use sha2::{Digest as _, Sha256};

use crate::decisions::{matcher, normaliser, phone, record};

const PHONE: &str = "987654312";

fn named(text: &str) -> Policy {
    let mut rules = PolicyRules::default();
    text.clone_into(&mut rules.version);
    Policy::new(rules).unwrap()
}

#[test]
fn equal_rules_are_equal_and_have_one_hash_and_others_another() {
    let (one, two) = (named("1"), named("2"));
    assert_eq!(one, Policy::default());
    assert_ne!(one, two);
    assert_eq!(one.hash(), Policy::default().hash());
    assert_ne!(one.hash(), two.hash());
    // The first 16 digits of the SHA-256 of the rules as JSON.
    let digest = Sha256::digest(serde_json::to_vec(two.rules()).unwrap());
    let first = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let digits = format!("{first:016x}");
    assert_eq!(two.hash(), digits);
    assert_eq!(format!("{two:?}"), format!("Policy {{ version: \"2\", hash: \"{digits}\", .. }}"));
}

#[test]
fn rules_go_into_a_policy_and_come_out_of_it_as_they_were() {
    let two = named("2");
    let rules = PolicyRules::from(two.clone());
    assert_eq!(rules.version, "2");
    assert_eq!(Policy::try_from(rules).unwrap(), two);
    assert_eq!(Policy::from_toml(&two.to_toml()).unwrap(), two);
    let mut wrong = PolicyRules::default();
    wrong.version.clear();
    assert!(Policy::try_from(wrong).is_err());
}

#[test]
fn text_that_is_no_policy_is_refused_with_its_line() {
    let error = Policy::from_toml("version = \"2\"\n\nrules = 7\n").unwrap_err();
    assert!(
        matches!(&error, PolicyError::Syntax { reason } if reason.starts_with("line 3: ")),
        "{error}"
    );
}

#[test]
fn a_rule_and_a_kind_are_found_by_their_names() {
    let policy = Policy::new(PolicyRules::default().without_kind(KeyKind::EMAIL)).unwrap();
    assert_eq!(policy.rule(&Rule::PHONE_EXACT).unwrap().name, Rule::PHONE_EXACT);
    assert_eq!(policy.rule(&Rule::new("NONE_SUCH").unwrap()), None);
    let phones = policy.rules().kinds[&KeyKind::PHONE].clone();
    assert_ne!(phones, KindRules::default());
    assert_eq!(policy.kind(KeyKind::PHONE), Some(&phones));
    assert_eq!(policy.kind(KeyKind::EMAIL), None, "the precedence leaves it out");
}

#[test]
fn names_of_rules_are_texts_in_their_order() {
    let rules = [Rule::PHONE_EXACT, Rule::new("IBAN_EXACT").unwrap(), Rule::DOCUMENT_EXACT];
    let sorted: std::collections::BTreeSet<&Rule> = rules.iter().collect();
    let names: Vec<&str> = sorted.into_iter().map(AsRef::as_ref).collect();
    assert_eq!(names, ["DOCUMENT_EXACT", "IBAN_EXACT", "PHONE_EXACT"]);
    assert!(Rule::DOCUMENT_EXACT < Rule::PHONE_EXACT);
}

#[test]
fn a_matcher_tells_by_what_it_decides() {
    let two = named("2");
    assert_eq!(*matcher(&[], two.clone()).policy(), two);
}

#[test]
fn the_default_policy_reads_as_one_page() {
    let page = Policy::default().to_toml();
    assert!((40..=90).contains(&page.lines().count()), "{page}");
    assert!(page.lines().all(|line| line.len() <= 80), "{page}");
    for line in [
        "precedence = [\"document\", \"phone\", \"email\"]",
        "require = [\"document exact\"]",
        "agree = [\"plate\", \"name >= 0.66\"]",
        "veto = [\"document\"]",
        "grant = \"high\"",
    ] {
        assert!(page.lines().any(|known| known == line), "{line}\n{page}");
    }
}

#[test]
fn a_name_is_one_name_however_it_was_made() {
    let mut named = std::collections::HashMap::from([(Rule::PHONE_EXACT, 1)]);
    named.insert(Rule::new("PHONE_EXACT").unwrap(), 2);
    named.insert(Rule::new("PHONE_ALIAS").unwrap(), 3);
    assert_eq!((named.len(), named[&Rule::PHONE_EXACT]), (2, 2));
    let hash = |rule: &Rule| std::hash::BuildHasher::hash_one(named.hasher(), rule);
    assert_ne!(hash(&Rule::PHONE_EXACT), hash(&Rule::PHONE_ALIAS));
}

#[test]
fn grades_are_words_in_their_order() {
    let grades = [Confidence::Low, Confidence::Medium, Confidence::High];
    assert!(grades.is_sorted_by(|less, more| less < more));
    for (grade, word) in grades.into_iter().zip(["low", "medium", "high"]) {
        assert_eq!((word.parse(), grade.to_string()), (Ok(grade), word.to_owned()));
    }
    for word in ["", "Low", "higher"] {
        let error = word.parse::<Confidence>().unwrap_err();
        assert_eq!(error.name, word);
        assert!(error.to_string().contains("low, medium or high"));
    }
}

#[test]
fn a_kind_that_is_left_out_takes_its_rules_and_vetoes_with_it_and_nothing_else() {
    let before = PolicyRules::default();
    let rules = before.clone().without_kind(KeyKind::DOCUMENT);
    assert_eq!(rules.precedence, [KeyKind::PHONE, KeyKind::EMAIL]);
    assert!(!rules.kinds.contains_key(&KeyKind::DOCUMENT));
    assert_eq!((&rules.doubt, &rules.tie_break), (&before.doubt, &before.tie_break));
    let of = |rules: &PolicyRules| -> Vec<Rule> {
        rules.rules.iter().map(|rule| rule.name.clone()).collect()
    };
    assert_eq!(of(&rules), of(&before)[2..]);
    assert!(rules.rules.iter().all(|rule| rule.veto.is_empty()));
    let mut doubtful = before.clone();
    doubtful.doubt.differ.push(Differ::Kind(KeyKind::DOCUMENT));
    assert_eq!(doubtful.without_kind(KeyKind::DOCUMENT).doubt, before.doubt);
    // The vetoes of another kind stay.
    let rules = before.clone().without_kind(KeyKind::EMAIL);
    assert!(rules.rules[2..].iter().all(|rule| rule.veto == before.rules[2].veto));
}

#[test]
fn the_rules_of_a_kind_of_ones_own_stand_behind_those_of_the_other_keys() {
    let kind: KeyKind = "loyalty".parse().unwrap();
    let rules = PolicyRules::default().with_kind(kind, KindRules::default());
    let names: Vec<String> = rules.rules.iter().map(|rule| rule.name.to_string()).collect();
    let place = |name: &str| names.iter().position(|known| known == name).unwrap();
    assert_eq!(place("LOYALTY_EXACT"), place("EMAIL_EXACT") + 1, "{names:?}");
    assert_eq!(place("LOYALTY_ALIAS"), place("PLATE_NAME") - 1, "{names:?}");
}

#[test]
fn a_matcher_refuses_a_normaliser_that_reads_otherwise_than_its_policy() {
    let mut rules = PolicyRules::default();
    rules.weak.phone_tail_digits += 1;
    let index = InMemoryIndex::builder().build().unwrap();
    let refused = DeterministicMatcher::new(index, normaliser(), Policy::new(rules).unwrap());
    assert!(refused.unwrap_err().to_string().contains("`weak.phone_tail_digits`"));
}

#[test]
fn a_name_as_similar_as_a_veto_says_is_no_difference() {
    let mut rules = PolicyRules::default();
    for rule in rules.rules.iter_mut().filter(|rule| !rule.require.is_empty()) {
        rule.veto = vec![Differ::Name(1.0)];
    }
    let named = |name: &str| Record { name: Some(name.into()), ..phone(record(), PHONE) };
    let matcher = matcher(&[("ANA", named("Ana Quispe"))], Policy::new(rules).unwrap());
    let decide = |name: &str| matcher.decide_one(&named(name)).unwrap().outcome.code().to_owned();
    assert_eq!(decide("Ana Quispe"), "MATCHED");
    assert_eq!(decide("Luis Rojas"), "WEAK_MATCH_ONLY");
}

#[test]
fn each_outcome_has_one_word() {
    let persons = [("ANA", phone(record(), PHONE))];
    let matcher = matcher(&persons, Policy::default());
    for (lead, code) in [
        (phone(record(), PHONE), "MATCHED"),
        (phone(record(), "912345678"), "NO_CANDIDATES"),
        (record(), "MISSING_IDENTIFIERS"),
    ] {
        assert_eq!(matcher.decide_one(&lead).unwrap().outcome.code(), code);
    }
}

#[test]
fn a_set_of_kinds_holds_places_of_the_precedence_and_names_them() {
    let policy = Policy::default();
    let mut set = KindSet::default();
    set.insert(1);
    set.insert(2);
    assert_eq!(set.kinds(&policy).collect::<Vec<_>>(), policy.rules().precedence[1..3]);
    // No policy has as many kinds as a set has room for.
    for beyond in [16, 17, usize::MAX] {
        set.insert(beyond);
        assert!(!set.contains(beyond));
    }
    assert!(set.contains(1) && set.contains(2) && !set.contains(0));
}

/// Decides a lead by one weak rule alone.
fn by_rule_alone(rule: &Rule, person: &Record, lead: &Record) -> Decision {
    let mut rules = PolicyRules::default();
    rules.rules.retain(|kept| !kept.require.is_empty() || kept.name == *rule);
    assert!(rules.rules.iter().any(|kept| kept.name == *rule));
    rules.addresses.roles = AddressUse::Weak;
    let policy = Policy::new(rules).unwrap();
    let options = policy.normalise_options(Region::parse("PE").unwrap());
    let normaliser = Normaliser::new(options).unwrap();
    let mut persons = InMemoryIndex::builder();
    persons.add("ANA", &normaliser.normalise(person)).unwrap();
    let index = persons.build().unwrap();
    DeterministicMatcher::new(index, normaliser, policy).unwrap().decide_one(lead).unwrap()
}

#[test]
fn persons_are_found_by_the_weak_evidence_of_the_rules_and_by_no_other() {
    let weak = |change: fn(&mut Record)| {
        let mut record = Record { name: Some("Ana Rojas Quispe".into()), ..Record::default() };
        change(&mut record);
        record
    };
    let evidence: [(Rule, Record); 4] = [
        (Rule::PLATE_NAME, weak(|record| record.plate = Some("ABC-123".into()))),
        (Rule::NAME_BIRTH_DATE, weak(|record| record.birth_date = Some("1987-03-21".into()))),
        (Rule::PHONE_TAIL, weak(|record| record.phones = vec!["+51 1 434 5223".into()])),
        (Rule::EMAIL_WEAK, weak(|record| record.emails = vec!["ventas@empresa.pe".into()])),
    ];
    for (rule, _) in &evidence {
        for (other, person) in &evidence {
            let mut lead = person.clone();
            if *other == Rule::PHONE_TAIL {
                // The same last digits, and no strong key in common.
                lead.phones = vec!["9914345223".into()];
            }
            let decision = by_rule_alone(rule, person, &lead);
            let found: Vec<&str> =
                decision.evidence.candidates.iter().map(|found| &*found.person).collect();
            if rule == other {
                assert_eq!(found, ["ANA"], "{rule}");
                assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::WeakMatchOnly));
            } else {
                assert!(found.is_empty(), "{other} finds by the rule {rule}");
            }
        }
    }
}

#[test]
fn who_shares_a_plate_is_no_candidate_where_a_key_settles_the_lead() {
    let plated = |mut record: Record| {
        record.plate = Some("ABC-123".into());
        record.name = Some("Ana Rojas Quispe".into());
        record
    };
    let persons = [("ANA", plated(phone(record(), PHONE))), ("LUISA", plated(record()))];
    let decision =
        matcher(&persons, Policy::default()).decide_one(&plated(phone(record(), PHONE))).unwrap();
    let found: Vec<&str> =
        decision.evidence.candidates.iter().map(|found| &*found.person).collect();
    assert_eq!((decision.outcome.person(), found), (Some("ANA"), vec!["ANA"]));
}

#[test]
fn the_fast_way_tells_the_matched_person_by_key_and_by_number() {
    let persons = [("ANA", phone(record(), PHONE)), ("LUIS", phone(record(), "912345678"))];
    let matcher = matcher(&persons, Policy::default());
    let phones = [PHONE, "912345678", "+51 912 345 678", "955555555"];
    let leads = phones.map(|number| normaliser().normalise(&phone(record(), number)));
    let views: Vec<SubjectView<'_>> = leads.iter().map(SubjectView::from).collect();
    let mut told = vec![None; leads.len()];
    matcher
        .consider(&views, &Rejections::default(), &mut |at, considered| {
            let person = considered.person().map(str::to_owned);
            assert_eq!(person.is_some(), matches!(considered.verdict(), Judgement::Matched { .. }));
            told[at] = person.zip(considered.person_id());
        })
        .unwrap();
    let [ana, luis, again, nobody] = &told[..] else { unreachable!() };
    assert_eq!(ana.as_ref().unwrap().0, "ANA");
    assert_eq!(luis.as_ref().unwrap().0, "LUIS");
    assert_ne!(ana.as_ref().unwrap().1, luis.as_ref().unwrap().1);
    assert_eq!((again, nobody), (luis, &None));
}
