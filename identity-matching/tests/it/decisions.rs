//! The rules of deciding, one by one.

use identity_matching::{
    Confidence, Decision, DeterministicMatcher, KeyForm, KeyKind, KeyUse, Matcher, Normaliser,
    Policy, PolicyRules, RawDocument, Record, Region, Rule, Standing, UnmatchedReason,
    index::InMemoryIndex,
};

use crate::support::options;

pub(crate) fn normaliser() -> Normaliser {
    Normaliser::new(options()).unwrap()
}

pub(crate) fn record() -> Record {
    Record::default()
}

pub(crate) fn phone(mut record: Record, phone: &str) -> Record {
    record.phones.push(phone.into());
    record
}

pub(crate) fn dni(mut record: Record, number: &str) -> Record {
    record.documents.push(RawDocument::typed("PE", "DNI", number));
    record
}

pub(crate) fn email(mut record: Record, address: &str) -> Record {
    record.emails.push(address.into());
    record
}

fn named(mut record: Record, name: &str) -> Record {
    record.name = Some(name.into());
    record
}

fn plated(mut record: Record, plate: &str) -> Record {
    record.plate = Some(plate.into());
    record
}

pub(crate) fn matcher(
    persons: &[(&str, Record)],
    policy: Policy,
) -> DeterministicMatcher<InMemoryIndex> {
    let normaliser = normaliser();
    let mut builder = InMemoryIndex::builder();
    for (person, record) in persons {
        builder.add(person, &normaliser.normalise(record)).unwrap();
    }
    DeterministicMatcher::new(builder.build().unwrap(), normaliser, policy).unwrap()
}

fn decide(persons: &[(&str, Record)], lead: &Record) -> Decision {
    matcher(persons, Policy::default()).decide_one(lead).unwrap()
}

const PHONE: &str = "987654312";
const DNI: &str = "45678913";
const EMAIL: &str = "ana.rojas@correo.pe";

fn standing(decision: &Decision, person: &str) -> Standing {
    let found = decision.evidence.candidates.iter().find(|c| c.person == person);
    found.expect("the person is a candidate").standing
}

#[test]
fn each_strong_key_alone_matches_by_its_rule() {
    let persons = [("P1", email(dni(phone(record(), PHONE), DNI), EMAIL))];
    for (lead, rule) in [
        (phone(record(), "+51 987 654 312"), Rule::PHONE_EXACT),
        (dni(record(), DNI), Rule::DOCUMENT_EXACT),
        (email(record(), "ANA.ROJAS@Correo.PE"), Rule::EMAIL_EXACT),
        (email(dni(phone(record(), PHONE), DNI), EMAIL), Rule::DOCUMENT_EXACT),
    ] {
        let decision = decide(&persons, &lead);
        assert_eq!(decision.outcome.person(), Some("P1"));
        assert_eq!(decision.outcome.rule(), Some(&rule));
    }
}

#[test]
fn a_key_that_four_persons_hold_is_weak_and_three_hold_is_a_conflict() {
    let holders = |count: usize| -> Vec<(String, Record)> {
        (0..count).map(|n| (format!("P{n}"), phone(record(), PHONE))).collect()
    };
    for (count, reason) in
        [(3, UnmatchedReason::ConflictMultipleCandidates), (4, UnmatchedReason::WeakMatchOnly)]
    {
        let persons = holders(count);
        let persons: Vec<(&str, Record)> =
            persons.iter().map(|(key, record)| (key.as_str(), record.clone())).collect();
        let decision = decide(&persons, &phone(record(), PHONE));
        assert_eq!(decision.outcome.reason(), Some(reason));
        assert_eq!(decision.evidence.candidates.len(), count);
    }
}

#[test]
fn a_key_above_the_corroboration_cap_counts_for_nothing() {
    let keys: Vec<String> = (0..51).map(|n| format!("P{n}")).collect();
    let persons: Vec<(&str, Record)> =
        keys.iter().map(|key| (key.as_str(), phone(record(), PHONE))).collect();
    let decision = decide(&persons, &phone(record(), PHONE));
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::NoCandidates));
    assert!(decision.evidence.candidates.is_empty());
}

#[test]
fn a_shared_key_still_corroborates_the_candidate_of_another_key() {
    let mut persons: Vec<(&str, Record)> =
        ["P1", "P2", "P3", "P4"].map(|key| (key, phone(record(), PHONE))).to_vec();
    persons[0].1 = email(persons[0].1.clone(), EMAIL);
    persons.push(("P5", email(record(), EMAIL)));
    // Both hold the e-mail; only P1 also holds the shared phone.
    let decision = decide(&persons, &email(phone(record(), PHONE), EMAIL));
    assert_eq!(decision.outcome.person(), Some("P1"));
    assert_eq!(decision.outcome.rule(), Some(&Rule::EMAIL_EXACT));
    assert_eq!(standing(&decision, "P5"), Standing::Outranked);
}

#[test]
fn another_document_of_the_same_type_holds_a_phone_match_apart() {
    let persons = [("P1", dni(phone(record(), PHONE), DNI))];
    let decision = decide(&persons, &dni(phone(record(), PHONE), "41234567"));
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::WeakMatchOnly));
    assert_eq!(standing(&decision, "P1"), Standing::DocumentContradicts);
}

#[test]
fn a_contradicted_candidate_leaves_the_field_to_the_other() {
    let persons = [("P1", dni(phone(record(), PHONE), DNI)), ("P2", phone(record(), PHONE))];
    let decision = decide(&persons, &dni(phone(record(), PHONE), "41234567"));
    assert_eq!(decision.outcome.person(), Some("P2"));
    assert_eq!(standing(&decision, "P1"), Standing::DocumentContradicts);
}

#[test]
fn a_document_decides_between_two_candidates() {
    let persons = [("P1", dni(record(), DNI)), ("P2", phone(record(), PHONE))];
    let decision = decide(&persons, &dni(phone(record(), PHONE), DNI));
    assert_eq!(decision.outcome.person(), Some("P1"));
    assert_eq!(decision.outcome.rule(), Some(&Rule::DOCUMENT_EXACT));
}

#[test]
fn more_agreeing_kinds_decide_and_equal_ones_conflict() {
    let both = email(phone(record(), PHONE), EMAIL);
    let persons = [("P1", both.clone()), ("P2", phone(record(), PHONE))];
    assert_eq!(decide(&persons, &both).outcome.person(), Some("P1"));

    let persons = [("P1", email(record(), EMAIL)), ("P2", phone(record(), PHONE))];
    let decision = decide(&persons, &both);
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::ConflictMultipleCandidates));
    assert_eq!(standing(&decision, "P1"), Standing::Conflicting);
}

#[test]
fn nobody_and_nothing_have_two_reasons() {
    let persons = [("P1", phone(record(), PHONE))];
    let unknown = decide(&persons, &phone(record(), "912345876"));
    assert_eq!(unknown.outcome.reason(), Some(UnmatchedReason::NoCandidates));
    let nothing = decide(&persons, &phone(record(), "no tiene"));
    assert_eq!(nothing.outcome.reason(), Some(UnmatchedReason::MissingIdentifiers));
}

#[test]
fn several_records_of_a_person_are_one_candidate() {
    let persons = [
        ("P1", phone(record(), PHONE)),
        ("P2", email(record(), EMAIL)),
        ("P1", email(record(), EMAIL)),
    ];
    let decision = decide(&persons, &email(phone(record(), PHONE), EMAIL));
    assert_eq!(decision.outcome.person(), Some("P1"));
    assert_eq!(decision.evidence.candidates.len(), 2);
}

#[test]
fn a_plate_with_the_same_name_is_weak_and_accepted_only_by_a_policy() {
    let person = plated(named(record(), "Ana Rojas Quispe"), "ABC-123");
    let persons = [("P1", person.clone())];
    let decision = decide(&persons, &person);
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::WeakMatchOnly));
    assert_eq!(decision.evidence.candidates[0].rule, Some(Rule::PLATE_NAME));

    let mut rules = PolicyRules::default();
    rules.rule_mut(&Rule::PLATE_NAME).unwrap().grant = Some(Confidence::Medium);
    let decision = matcher(&persons, Policy::new(rules).unwrap()).decide_one(&person).unwrap();
    assert_eq!(decision.outcome.person(), Some("P1"));
    assert_eq!(decision.outcome.rule(), Some(&Rule::PLATE_NAME));
}

#[test]
fn an_address_that_is_weak_finds_persons_and_matches_nobody_by_default() {
    let policy =
        Policy::from_json(r#"{"version": "roles", "addresses": {"roles": "weak"}}"#).unwrap();
    let normaliser =
        Normaliser::new(policy.normalise_options(Region::parse("PE").unwrap())).unwrap();
    let sales = named(email(record(), "ventas@empresa.pe"), "Ana Rojas");
    let mut builder = InMemoryIndex::builder();
    builder.add("P1", &normaliser.normalise(&sales)).unwrap();
    let matcher = DeterministicMatcher::new(builder.build().unwrap(), normaliser, policy).unwrap();
    let decided = |lead: Record| matcher.decide_one(&lead).unwrap();
    let decision = decided(email(record(), "Ventas@Empresa.pe"));
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::WeakMatchOnly));
    assert_eq!(decision.evidence.candidates[0].rule, Some(Rule::EMAIL_WEAK));
    let other = decided(named(email(record(), "ventas@empresa.pe"), "Luis Paz"));
    assert_eq!(other.outcome.reason(), Some(UnmatchedReason::MissingIdentifiers));
}

#[test]
fn what_a_likely_typing_error_may_mean_finds_persons_and_matches_nobody() {
    let ana = email(record(), "ana.rojas@gmail.com");
    let luis = phone(email(record(), "luis@correo.pe"), "987654312");
    let persons = [("P1", ana), ("P2", luis)];
    let typo = email(record(), "ana.rojas@gmial.com");
    let decision = decide(&persons, &typo);
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::WeakMatchOnly));
    assert_eq!(decision.evidence.candidates.len(), 1);
    assert_eq!(standing(&decision, "P1"), Standing::SharedOnly);
    let supposed = |key: &&identity_matching::KeyEvidence| key.form == KeyForm::Supposed;
    let key = decision.evidence.keys.iter().find(supposed).unwrap();
    assert_eq!((key.used, key.holders), (KeyUse::Supposed, 1));
    assert!(!decision.evidence.to_json().contains("ana"), "it is masked");

    // It corroborates nobody, either: the phone alone decides.
    let both = phone(typo.clone(), "987654312");
    let decision = decide(&persons, &both);
    assert_eq!(decision.outcome.person(), Some("P2"));
    // Who wrote the address so is found by it, and is nobody else.
    let persons = [("P1", email(record(), "ana.rojas@gmail.com")), ("P3", typo.clone())];
    assert_eq!(decide(&persons, &typo).outcome.person(), Some("P3"));
    let right = decide(&persons, &email(record(), "anarojas@gmail.com"));
    assert_eq!(right.outcome.person(), Some("P1"));
    assert_eq!(right.evidence.candidates.len(), 1, "a person's typing error finds nobody");
}

/// ICAO Doc 9303: a passport is known by its issuer and its number.
#[test]
fn one_number_of_two_issuers_is_two_passports() {
    let of = |country: Option<&str>| {
        let mut record = record();
        let mut passport = RawDocument::typed("ES", "PASSPORT", "XDB847291");
        passport.country = country.map(str::to_owned);
        record.documents.push(passport);
        record
    };
    let (spain, venezuela, nobody) = (of(Some("ES")), of(Some("VE")), of(None));
    let decided = |person: &Record, lead: &Record| decide(&[("P1", person.clone())], lead);
    let other = decided(&spain, &venezuela);
    assert_eq!(other.outcome.reason(), Some(UnmatchedReason::WeakMatchOnly));
    assert_eq!(other.evidence.candidates[0].person, "P1");
    for (person, lead) in
        [(&spain, &nobody), (&nobody, &venezuela), (&nobody, &nobody), (&spain, &spain)]
    {
        assert_eq!(decided(person, lead).outcome.person(), Some("P1"));
    }
    let both = decide(&[("P1", spain.clone()), ("P2", venezuela.clone())], &venezuela);
    assert_eq!(both.outcome.person(), Some("P2"));
}

#[test]
fn a_type_of_document_that_the_policy_exempts_contradicts_nobody() {
    let passport = |record: Record, number: &str| {
        let mut record = record;
        record.documents.push(RawDocument::typed("PE", "PASSPORT", number));
        record
    };
    let known = passport(phone(record(), "987654312"), "AB123456");
    let renewed = passport(phone(record(), "987654312"), "CD765432");
    let decided = |exempt: &[&str]| {
        let mut rules = PolicyRules::default();
        let exempt = exempt.iter().map(|&name| name.into()).collect();
        rules.kind_mut(KeyKind::DOCUMENT).exempt = Some(exempt);
        matcher(&[("P1", known.clone())], Policy::new(rules).unwrap())
            .decide_one(&renewed)
            .unwrap()
            .outcome
    };
    assert_eq!(decided(&[]).reason(), Some(UnmatchedReason::WeakMatchOnly));
    assert_eq!(decided(&["PE DNI", "CL PASSPORT"]).reason(), Some(UnmatchedReason::WeakMatchOnly));
    assert_eq!(decided(&["PASSPORT"]).rule(), Some(&Rule::PHONE_EXACT));
    assert_eq!(decided(&["pe passport"]).rule(), Some(&Rule::PHONE_EXACT));
}

#[test]
fn a_rule_that_is_not_accepted_leaves_a_weak_match() {
    let mut rules = PolicyRules::default();
    rules.rule_mut(&Rule::EMAIL_EXACT).unwrap().grant = None;
    let persons = [("P1", email(record(), EMAIL)), ("P2", phone(record(), PHONE))];
    let matcher = matcher(&persons, Policy::new(rules).unwrap());
    let only_email = matcher.decide_one(&email(record(), EMAIL)).unwrap();
    assert_eq!(only_email.outcome.reason(), Some(UnmatchedReason::WeakMatchOnly));
    assert_eq!(standing(&only_email, "P1"), Standing::NotAccepted);
    let both = matcher.decide_one(&email(phone(record(), PHONE), EMAIL)).unwrap();
    assert_eq!(both.outcome.person(), Some("P2"));
}

#[test]
fn evidence_names_the_policy_and_masks_every_identifier() {
    let persons = [("P1", email(dni(phone(record(), PHONE), DNI), EMAIL))];
    let lead = email(dni(phone(record(), PHONE), DNI), EMAIL);
    let decision = decide(&persons, &lead);
    let json = decision.evidence.to_json();
    for secret in [PHONE, DNI, "ana.rojas"] {
        assert!(!json.contains(secret), "{json}");
    }
    assert!(json.contains(Policy::default().hash()));
    assert!(json.contains("+51*****4312"), "{json}");
    let shown = matcher(&persons, Policy::default()).showing_identifiers();
    assert!(shown.decide_one(&lead).unwrap().evidence.to_json().contains("+51987654312"));
}
