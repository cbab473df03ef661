//! One example for each switch of a policy: what is decided with it and without it.

use identity_matching::{
    AddressUse, Agree, Confidence, DeterministicMatcher, Differ, Field, KeyKind, KindRules,
    MatchRule, Matcher, Normaliser, Outcome, OwnKindRules, Placeholders, Policy, PolicyRules,
    Record, Region, Require, Rule, index::InMemoryIndex,
};

use crate::decisions::{dni, email, phone, record};

type Persons = [(&'static str, Record)];

/// Decides a lead under rules, with records that are read as they say.
fn decided(rules: PolicyRules, persons: &Persons, lead: &Record) -> String {
    let policy = Policy::new(rules).unwrap();
    let region = Region::parse("PE").unwrap();
    let normaliser = Normaliser::new(policy.normalise_options(region)).unwrap();
    let mut builder = InMemoryIndex::builder();
    for (person, record) in persons {
        builder.add(person, &normaliser.normalise(record)).unwrap();
    }
    let matcher = DeterministicMatcher::new(builder.build().unwrap(), normaliser, policy).unwrap();
    match matcher.decide_one(lead).unwrap().outcome {
        Outcome::Matched { person, rule, confidence } => format!("{person} {rule} {confidence}"),
        Outcome::Unmatched { reason, .. } => reason.to_string(),
    }
}

/// Asserts what is decided by the default rules, and with one switch turned.
fn turned(
    persons: &Persons,
    lead: &Record,
    before: &str,
    turn: impl FnOnce(&mut PolicyRules),
    after: &str,
) {
    let mut rules = PolicyRules::default();
    assert_eq!(decided(rules.clone(), persons, lead), before, "by default");
    turn(&mut rules);
    assert_eq!(decided(rules, persons, lead), after, "turned");
}

const PHONE: &str = "987654312";
const NONE: &str = "MISSING_IDENTIFIERS";
const WEAK: &str = "WEAK_MATCH_ONLY";
const CONFLICT: &str = "CONFLICT_MULTIPLE_CANDIDATES";
const BY_PHONE: &str = "P1 PHONE_EXACT high";

fn held() -> Record {
    phone(record(), PHONE)
}

fn named(record: Record, name: &str, date: &str) -> Record {
    Record { name: Some(name.into()), birth_date: Some(date.into()), ..record }
}

fn plated(record: Record) -> Record {
    Record { plate: Some("AKV-561".into()), ..record }
}

fn ana(record: Record) -> Record {
    named(record, "Ana Rojas Quispe", "1987-03-21")
}

fn luis(record: Record) -> Record {
    named(record, "Luis Paz Soto", "1990-12-01")
}

#[test]
fn the_precedence_says_which_kind_decides_among_several() {
    let persons = [("P1", dni(record(), "45678913")), ("P2", held())];
    let lead = dni(held(), "45678913");
    let order = vec![KeyKind::PHONE, KeyKind::DOCUMENT, KeyKind::EMAIL];
    let turn = |rules: &mut PolicyRules| rules.precedence = order;
    turned(&persons, &lead, "P1 DOCUMENT_EXACT high", turn, "P2 PHONE_EXACT high");
}

#[test]
fn the_tie_break_chooses_among_equals() {
    let persons = [("P1", ana(held())), ("P2", luis(held()))];
    let before = "P2 PHONE_EXACT+NAME_BIRTH_DATE high";
    turned(&persons, &luis(held()), before, |rules| rules.tie_break.clear(), CONFLICT);
}

#[test]
fn doubt_lowers_a_grade_by_what_differs_and_as_far_as_it_says() {
    let persons = [("P1", luis(held()))];
    let before = "P1 PHONE_EXACT medium";
    turned(&persons, &ana(held()), before, |rules| rules.doubt.differ.clear(), BY_PHONE);
    let low = |rules: &mut PolicyRules| rules.doubt.grant = Confidence::Low;
    turned(&persons, &ana(held()), before, low, "P1 PHONE_EXACT low");
}

#[test]
fn weak_evidence_is_looked_up_by_so_many_digits_and_persons() {
    let persons = [("P1", phone(record(), "+51 1 434 5223"))];
    let lead = phone(record(), "9914345223");
    turned(&persons, &lead, WEAK, |rules| rules.weak.phone_tail_digits = 9, NONE);
    let persons = [("P1", plated(ana(record()))), ("P2", plated(ana(record())))];
    let lead = plated(ana(record()));
    turned(&persons, &lead, WEAK, |rules| rules.weak.max_persons_per_key = 1, NONE);
}

#[test]
fn the_caps_of_a_kind_say_how_many_may_hold_a_key() {
    let persons = [("P1", held()), ("P2", held())];
    let one = |rules: &mut PolicyRules| rules.kind_mut(KeyKind::PHONE).max_persons_per_key = 1;
    turned(&persons, &held(), CONFLICT, one, WEAK);
    let shared = email(record(), "familia@correo.pe");
    let persons = ["P1", "P2", "P3", "P4"].map(|person| (person, shared.clone()));
    let few = |rules: &mut PolicyRules| rules.kind_mut(KeyKind::EMAIL).corroboration_cap = 3;
    turned(&persons, &shared, WEAK, few, "NO_CANDIDATES");
}

#[test]
fn an_exclusive_kind_contradicts_but_for_exempt_types() {
    let persons = [("P1", email(held(), "ana@correo.pe"))];
    let lead = email(held(), "luis@correo.pe");
    let exclusive = |rules: &mut PolicyRules| {
        rules.kind_mut(KeyKind::EMAIL).exclusive = Some(true);
        for rule in &mut rules.rules {
            if rule.require.iter().any(|key| key.kind == KeyKind::PHONE) {
                rule.veto.push(Differ::Kind(KeyKind::EMAIL));
            }
        }
    };
    turned(&persons, &lead, BY_PHONE, exclusive, WEAK);
    let persons = [("P1", dni(held(), "45678913"))];
    let exempt = |rules: &mut PolicyRules| {
        rules.kind_mut(KeyKind::DOCUMENT).exempt = Some(vec!["PE DNI".into()]);
    };
    turned(&persons, &dni(held(), "41234567"), WEAK, exempt, BY_PHONE);
}

#[test]
fn addresses_of_roles_and_throw_away_services_are_what_the_policy_says() {
    let role = email(record(), "ventas@empresa.pe");
    let persons = [("P1", role.clone())];
    turned(&persons, &role, NONE, |rules| rules.addresses.roles = AddressUse::Weak, WEAK);
    let by_email = "P1 EMAIL_EXACT high";
    turned(&persons, &role, NONE, |rules| rules.addresses.roles = AddressUse::Key, by_email);
    let disposable = email(record(), "ana.rojas@mailinator.com");
    let persons = [("P1", disposable.clone())];
    let key = |rules: &mut PolicyRules| rules.addresses.disposable = AddressUse::Key;
    turned(&persons, &disposable, NONE, key, by_email);
}

#[test]
fn placeholders_and_own_kinds_change_what_is_a_key() {
    let persons = [("P1", held())];
    let listed = |rules: &mut PolicyRules| {
        rules.placeholders = Placeholders::default().with(Field::PHONE, [PHONE]);
    };
    turned(&persons, &held(), BY_PHONE, listed, NONE);
    let card: KeyKind = "card".parse().unwrap();
    let holder = record().with(card, "204813");
    let own = |rules: &mut PolicyRules| {
        *rules = std::mem::take(rules).with_kind(card, KindRules::default());
        rules.own_kinds.push(OwnKindRules::of(card));
    };
    turned(&[("P1", holder.clone())], &holder, NONE, own, "P1 CARD_EXACT high");
}

#[test]
fn a_rule_of_exact_keys_leaves_the_others_to_another_rule() {
    let persons = [("P1", phone(record(), "+54 9 11 2345-6789"))];
    let lead = phone(record(), "+54 11 2345-6789");
    let turn = |rules: &mut PolicyRules| rules.rules.retain(|rule| rule.name != Rule::PHONE_ALIAS);
    turned(&persons, &lead, "P1 PHONE_ALIAS medium", turn, WEAK);
    let ungranted = |rules: &mut PolicyRules| {
        rules.rule_mut(&Rule::PHONE_ALIAS).unwrap().grant = None;
    };
    turned(&persons, &lead, "P1 PHONE_ALIAS medium", ungranted, WEAK);
}

/// Decides by one rule alone.
fn by_one(change: impl FnOnce(&mut MatchRule), persons: &Persons, lead: &Record) -> String {
    let mut rule = MatchRule {
        require: vec![Require::any(KeyKind::EMAIL)],
        grant: Some(Confidence::High),
        ..MatchRule::named("ONE".parse().unwrap())
    };
    change(&mut rule);
    let mut rules = PolicyRules::default();
    rules.addresses.roles = AddressUse::Weak;
    rules.rules = vec![rule];
    decided(rules, persons, lead)
}

#[test]
fn each_agreement_and_each_veto_decides() {
    let address = |record| email(record, "ana@correo.pe");
    let role = |record| email(record, "ventas@empresa.pe");
    let whole = ana(plated(role(address(held()))));
    let persons = [("P1", dni(whole, "45678913"))];
    let other_phone = phone(address(record()), "912345671");
    for (agree, fits, differs) in [
        (Agree::Name(0.8), ana(address(record())), luis(address(record()))),
        (Agree::Name(0.8), ana(address(record())), address(record())),
        (Agree::NameWhereGiven(0.8), address(record()), luis(address(record()))),
        (Agree::BirthDate, ana(address(record())), address(record())),
        (Agree::Plate, plated(address(record())), address(record())),
        (Agree::PhoneTail, address(held()), other_phone),
        (Agree::Address, role(address(record())), address(record())),
    ] {
        let by = |lead: &Record| by_one(|rule| rule.agree = vec![agree], &persons, lead);
        assert_eq!(by(&fits), "P1 ONE high", "{agree}");
        assert_eq!(by(&differs), WEAK, "{agree}");
    }
    for (veto, fits, differs) in [
        (Differ::Name(0.5), address(record()), luis(address(record()))),
        (Differ::BirthDate, address(record()), luis(address(record()))),
        (Differ::Kind(KeyKind::DOCUMENT), address(record()), dni(address(record()), "41234567")),
    ] {
        let by = |lead: &Record| by_one(|rule| rule.veto = vec![veto], &persons, lead);
        assert_eq!(by(&fits), "P1 ONE high", "{veto}");
        assert_eq!(by(&differs), WEAK, "{veto}");
    }
}

#[test]
fn a_decision_carries_the_version_that_the_author_gave() {
    let mut rules = PolicyRules::default();
    rules.version = "2026-03".into();
    let policy = Policy::new(rules).unwrap();
    let matcher =
        DeterministicMatcher::new(InMemoryIndex::default(), Normaliser::default(), policy).unwrap();
    let decision = matcher.decide_one(&record()).unwrap();
    assert_eq!(decision.evidence.policy.version, "2026-03");
}
