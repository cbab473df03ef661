//! Decisions in which evidence speaks for one person and against another, each an example of its kind.

use identity_matching::{
    Characters, CheckDigits, Compared, Confidence, Decision, DeterministicMatcher, Field, HashKey,
    Judged, Judgement, KeyForm, KeyKind, KeyUse, KindRules, Matcher, NormaliseOptions, Normaliser,
    OwnKind, OwnKindRules, Policy, PolicyRules, RawDocument, Record, Region, Rejections, Rule,
    Standing, UnmatchedReason, UnusableReason,
    index::{InMemoryIndex, WeakEvidence},
};

use crate::decisions::{dni, email, matcher, normaliser, phone, record};

const PHONE: &str = "987654312";
const EMAIL: &str = "ana.rojas@correo.pe";

fn born(mut record: Record, name: &str, date: &str) -> Record {
    record.name = Some(name.into());
    record.birth_date = Some(date.into());
    record
}

fn document(mut record: Record, country: &str, kind: &str, number: &str) -> Record {
    record.documents.push(RawDocument::typed(country, kind, number));
    record
}

fn decide(persons: &[(&str, Record)], lead: &Record) -> Decision {
    matcher(persons, Policy::default()).decide_one(lead).unwrap()
}

fn standing(decision: &Decision, person: &str) -> Option<Standing> {
    let found = decision.evidence.candidates.iter().find(|c| c.person == person);
    found.map(|candidate| candidate.standing)
}

fn confidence(decision: &Decision) -> Option<Confidence> {
    match &decision.outcome {
        identity_matching::Outcome::Matched { confidence, .. } => Some(*confidence),
        identity_matching::Outcome::Unmatched { .. } => None,
    }
}

#[test]
fn a_strong_hit_with_another_name_and_date_is_doubtful_and_who_agrees_stands_beside() {
    let persons = [
        ("ANA", born(record(), "Ana Rojas Quispe", "1987-03-21")),
        ("LUIS", born(phone(record(), PHONE), "Luis Paz", "1990-12-01")),
    ];
    let lead = born(phone(record(), PHONE), "Ana Rojas Quispe", "1987-03-21");
    let decision = decide(&persons, &lead);
    assert_eq!(decision.outcome.person(), Some("LUIS"));
    assert_eq!(confidence(&decision), Some(Confidence::Medium));
    assert_eq!(standing(&decision, "ANA"), Some(Standing::Weak));
    let luis = decision.evidence.candidates.iter().find(|c| c.person == "LUIS").unwrap();
    let differs: Vec<Field> = luis.disagrees.iter().map(|differs| differs.kind).collect();
    assert_eq!(differs, [Field::Name, Field::BirthDate]);
    assert!(luis.disagrees[0].similarity.unwrap() < 0.66);
    assert_eq!(luis.disagrees[1].person, "****-**-**");

    // One of the two alone is no doubt: dates are often typed wrong.
    let date = born(phone(record(), PHONE), "Luis Paz", "1987-03-21");
    assert_eq!(confidence(&decide(&persons, &date)), Some(Confidence::High));

    // A policy may hold it apart.
    let mut rules = PolicyRules::default();
    let veto = "birth_date".parse().unwrap();
    rules.rule_mut(&Rule::PHONE_EXACT).unwrap().veto.push(veto);
    rules.rule_mut(&Rule::PHONE_ALIAS).unwrap().veto.push(veto);
    let held = matcher(&persons, Policy::new(rules).unwrap()).decide_one(&lead).unwrap();
    assert_eq!(held.outcome.reason(), Some(UnmatchedReason::WeakMatchOnly));
    assert_eq!(standing(&held, "LUIS"), Some(Standing::BirthDateContradicts));
}

#[test]
fn name_and_date_choose_among_persons_who_share_a_phone() {
    let persons = [
        ("ANA", born(phone(record(), PHONE), "Ana Rojas Quispe", "1987-03-21")),
        ("LUIS", born(phone(record(), PHONE), "Luis Rojas Quispe", "1990-12-01")),
    ];
    let lead = born(phone(record(), PHONE), "Luis Rojas Quispe", "1990-12-01");
    let decision = decide(&persons, &lead);
    assert_eq!(decision.outcome.person(), Some("LUIS"));
    assert_eq!(decision.outcome.rule().unwrap().as_str(), "PHONE_EXACT+NAME_BIRTH_DATE");
    assert_eq!(standing(&decision, "ANA"), Some(Standing::Outranked));
    // Without them nobody stands out.
    let decision = decide(&persons, &phone(record(), PHONE));
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::ConflictMultipleCandidates));
    // A policy may leave the choice to a person.
    let mut rules = PolicyRules::default();
    rules.tie_break.clear();
    let decision = matcher(&persons, Policy::new(rules).unwrap()).decide_one(&lead).unwrap();
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::ConflictMultipleCandidates));
}

#[test]
fn more_keys_of_one_and_name_and_date_of_another_are_a_conflict() {
    let persons = [
        ("ANA", born(phone(record(), PHONE), "Ana Rojas Quispe", "1987-03-21")),
        ("LUIS", born(email(phone(record(), PHONE), EMAIL), "Luis Paz", "1990-12-01")),
    ];
    let lead = born(email(phone(record(), PHONE), EMAIL), "Ana Rojas Quispe", "1987-03-21");
    let decision = decide(&persons, &lead);
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::ConflictMultipleCandidates));
}

#[test]
fn an_exact_key_comes_before_the_alias_of_another_person() {
    let persons = [
        ("EXACT", phone(record(), "+54 11 2345-6789")),
        ("ALIAS", phone(record(), "+54 9 11 2345-6789")),
    ];
    let decision = decide(&persons, &phone(record(), "+54 11 2345-6789"));
    assert_eq!(decision.outcome.person(), Some("EXACT"));
    assert_eq!(decision.outcome.rule(), Some(&Rule::PHONE_EXACT));
    assert_eq!(standing(&decision, "ALIAS"), Some(Standing::Outranked));
}

#[test]
fn a_plate_and_half_a_name_never_match_a_sister() {
    let plate = |mut record: Record| {
        record.plate = Some("AKV-561".into());
        record
    };
    let named = |name: &str| Record { name: Some(name.into()), ..plate(record()) };
    let mut rules = PolicyRules::default();
    rules.rule_mut(&Rule::PLATE_NAME).unwrap().grant = Some(Confidence::Medium);
    let matcher = matcher(
        &[("SISTER", phone(named("Luisa Rojas Quispe"), "912345671"))],
        Policy::new(rules).unwrap(),
    );
    let reason = |name: &str| matcher.decide_one(&named(name)).unwrap().outcome.reason();
    for other in ["Rojas Quispe", "Rojas", "Ana Rojas Quispe", "ROJAS QUISPE, ANA", "Luisa"] {
        assert_eq!(reason(other), Some(UnmatchedReason::MissingIdentifiers), "{other}");
    }
    for own in ["Luisa Rojas", "ROJAS QUISPE, LUISA", "L. Rojas Quispe", "Luisa María Rojas Quispe"]
    {
        assert_eq!(reason(own), None, "{own}");
    }
}

#[test]
fn the_given_name_chooses_among_sisters_who_share_a_phone_and_a_birth_date() {
    let named = |name: &str| born(phone(record(), PHONE), name, "1987-03-21");
    let persons = [("ANA", named("Ana Rojas Quispe")), ("LUISA", named("Luisa Rojas Quispe"))];
    let decision = decide(&persons, &named("ROJAS QUISPE, LUISA"));
    assert_eq!(decision.outcome.person(), Some("LUISA"));
    let decision = decide(&persons, &named("Rojas Quispe"));
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::ConflictMultipleCandidates));
}

/// A number of before a reform is read to today's as an alias, on whichever side it stands.
#[test]
fn a_persons_phone_of_before_a_reform_matches_as_an_alias() {
    let (former, today) = ("+57 1 424 2400", "+57 601 424 2400");
    for (person, lead) in [(former, today), (today, former), (former, former)] {
        let decision = decide(&[("P1", phone(record(), person))], &phone(record(), lead));
        assert_eq!(decision.outcome.rule(), Some(&Rule::PHONE_ALIAS), "{person} {lead}");
        assert_eq!(confidence(&decision), Some(Confidence::Medium));
    }
    // Also after the index was changed, or saved and loaded.
    let mut index = InMemoryIndex::default();
    index.insert("P1", &normaliser().normalise(&phone(record(), former))).unwrap();
    let (secret, mut file) = (HashKey::new([7; 16]), Vec::new());
    index.save(&mut file, normaliser().options(), secret, WeakEvidence::Encrypted).unwrap();
    let loaded = InMemoryIndex::load(&file[..], normaliser().options(), secret).unwrap();
    for index in [index, loaded] {
        let matcher = DeterministicMatcher::new(index, normaliser(), Policy::default()).unwrap();
        let decision = matcher.decide_one(&phone(record(), today)).unwrap();
        assert_eq!(decision.outcome.rule(), Some(&Rule::PHONE_ALIAS));
    }
}

/// A number that may be a company's or a citizen's decides nothing as an exact key of either.
#[test]
fn a_number_that_reads_as_a_company_and_a_citizen_is_exact_for_neither() {
    let number = |kind| document(record(), "CO", kind, "79456129");
    let keys = normaliser().normalise(&number("CC/NIT"));
    assert!(!keys.keys().is_empty());
    assert!(keys.keys().iter().all(|held| held.form != KeyForm::Exact));
    let decision = decide(&[("P1", number("CC"))], &number("CC/NIT"));
    assert_ne!(decision.outcome.rule(), Some(&Rule::DOCUMENT_EXACT));
}

#[test]
fn a_number_of_an_organisation_finds_weak_candidates_alone() {
    for (country, kind, number) in [
        ("PE", "RUC", "20512333797"),
        ("CO", "NIT", "800197268-4"),
        ("BR", "CNPJ", "16727230000197"),
        ("EC", "RUC", "1792060346001"),
        ("ES", "CIF", "J99216582"),
    ] {
        let company = |record| document(record, country, kind, number);
        let lead = company(record());
        let nobody = decide(&[("P1", phone(record(), PHONE))], &lead);
        assert_eq!(nobody.outcome.reason(), Some(UnmatchedReason::NoCandidates), "{number}");
        let decision = decide(&[("P1", company(phone(record(), PHONE)))], &lead);
        assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::WeakMatchOnly), "{number}");
        assert_eq!(decision.evidence.keys[0].used, KeyUse::Organisation, "{number}");
        assert_eq!(standing(&decision, "P1"), Some(Standing::SharedOnly), "{number}");
    }
    // Two employers contradict nobody, and one employer confirms nobody.
    let works = |record, number| document(record, "PE", "RUC", number);
    let persons = [("P1", works(phone(record(), PHONE), "20512333797"))];
    let other = decide(&persons, &works(phone(record(), PHONE), "20100070970"));
    assert_eq!(other.outcome.person(), Some("P1"));
    let persons = [("P1", dni(works(phone(record(), PHONE), "20512333797"), "45678913"))];
    let lead = dni(works(phone(record(), PHONE), "20512333797"), "41234567");
    assert_eq!(decide(&persons, &lead).outcome.reason(), Some(UnmatchedReason::WeakMatchOnly));
}

/// What only a check digit that fits supports is an alias: below an exact key, and above nothing.
#[test]
fn a_number_of_two_readings_matches_as_a_derived_document_and_yields_to_an_exact_one() {
    for (country, kind, written, other, number) in [
        ("CO", "NIT", "79456000", "CC", "79456000"),
        ("CL", "RUT", "12531001", "RUT", "12.531.001-K"),
        ("CL", "RUT", "12531001", "RUT", "1.253.100-1"),
        ("PE", "DNI", "001234507", "CE", "001234507"),
        ("PE", "DNI", "001234507", "DNI", "01234507"),
    ] {
        let lead = document(record(), country, kind, written);
        let meant = document(record(), country, other, number);
        let decision = decide(&[("P1", meant.clone())], &lead);
        assert_eq!(decision.outcome.person(), Some("P1"), "{written} {number}");
        assert_eq!(decision.outcome.rule(), Some(&Rule::DOCUMENT_DERIVED), "{written} {number}");
        let evidence = decision.evidence.to_json();
        let held = decision.evidence.keys.iter().filter(|key| key.kind == KeyKind::DOCUMENT);
        assert!(held.clone().count() > 1, "{written} has two readings");
        assert!(held.clone().all(|key| key.form == KeyForm::Alias), "{evidence}");
        assert!(evidence.contains(r#""form":"alias""#), "{evidence}");
        // Who holds a document that the lead gives for certain comes first.
        let persons = [("P1", meant), ("P2", dni(record(), "45678913"))];
        let decision = decide(&persons, &dni(lead, "45678913"));
        assert_eq!(decision.outcome.person(), Some("P2"), "{written} {number}");
        assert_eq!(decision.outcome.rule(), Some(&Rule::DOCUMENT_EXACT), "{written} {number}");
    }
}

#[test]
fn names_of_one_number_match_and_a_permit_is_no_passport() {
    for (country, one, other, number) in [
        ("CO", "TI", "CC", "1020304056"),
        ("AR", "LC", "DNI", "05536168"),
        ("AR", "LE", "DNI", "05536168"),
    ] {
        let persons = [("P1", document(record(), country, other, number))];
        let decision = decide(&persons, &document(record(), country, one, number));
        assert_eq!(decision.outcome.rule(), Some(&Rule::DOCUMENT_EXACT), "{one} {other}");
    }
    let persons = [("P1", document(record(), "CO", "PASSPORT", "5123457"))];
    let decision = decide(&persons, &document(record(), "CO", "PPT", "5123457"));
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::NoCandidates));
}

#[test]
fn another_passport_contradicts_nobody_by_default_and_another_card_does() {
    let decided = |kind: &str, one: &str, other: &str| {
        let persons = [("P1", document(phone(record(), PHONE), "PE", kind, one))];
        decide(&persons, &document(phone(record(), PHONE), "PE", kind, other)).outcome
    };
    let renewed = decided("PASSPORT", "118123457", "220765431");
    assert_eq!(renewed.rule(), Some(&Rule::PHONE_EXACT));
    let contradicted = decided("DNI", "45678913", "41234567");
    assert_eq!(contradicted.reason(), Some(UnmatchedReason::WeakMatchOnly));
}

#[test]
fn a_rejected_person_is_no_candidate_and_still_holds_its_keys() {
    let persons = [("P1", phone(record(), PHONE)), ("P2", phone(record(), PHONE))];
    let matcher = matcher(&persons, Policy::default());
    let leads = [phone(record(), PHONE), phone(record(), PHONE)];
    let rejections: Rejections = [(1, "P1")].into_iter().collect();
    let decisions = matcher.decide(&leads, &rejections).unwrap();
    let conflict = Some(UnmatchedReason::ConflictMultipleCandidates);
    assert_eq!(decisions[0].outcome.reason(), conflict);
    assert_eq!(decisions[1].outcome.person(), Some("P2"));
    assert_eq!(decisions[1].evidence.rejected_by_person, ["P1"]);
    assert_eq!(standing(&decisions[1], "P1"), None);
    assert_eq!(decisions[1].evidence.keys[0].holders, 2);
}

#[test]
fn a_conjunction_of_key_and_date_matches_only_where_both_agree() {
    let policy = Policy::from_json(
        r#"{"rules": [{"name": "PHONE_BORN", "require": ["phone"], "agree": ["birth_date"], "grant": "high"}]}"#,
    )
    .unwrap();
    let persons = [("P1", born(phone(record(), PHONE), "Ana Rojas", "1987-03-21"))];
    let matcher = matcher(&persons, policy);
    let decided = |date| {
        let lead = born(phone(record(), PHONE), "Ana Rojas", date);
        matcher.decide_one(&lead).unwrap().outcome
    };
    assert_eq!(decided("1987-03-21").rule().unwrap().as_str(), "PHONE_BORN");
    assert_eq!(decided("1987-03-22").reason(), Some(UnmatchedReason::WeakMatchOnly));
}

fn own_kinds() -> (KeyKind, KeyKind, Normaliser) {
    let (iban, loyalty) = ("iban".parse().unwrap(), "loyalty".parse().unwrap());
    let rules = OwnKindRules {
        lengths: (15, 34),
        characters: Characters::LettersAndDigits,
        check: CheckDigits::Iban,
        ..OwnKindRules::of(iban)
    };
    let card = OwnKind::new(OwnKindRules { lengths: (8, 8), ..OwnKindRules::of(loyalty) }).unwrap();
    let options = NormaliseOptions::for_region(Region::parse("PE").unwrap())
        .with_kind(OwnKind::new(rules).unwrap())
        .and_then(|options| options.with_kind(card))
        .unwrap();
    (iban, loyalty, Normaliser::new(options).unwrap())
}

#[test]
fn a_kind_of_ones_own_decides_like_a_built_in_one() {
    let (iban, loyalty, normaliser) = own_kinds();
    let mut account = KindRules::default();
    account.exclusive = Some(true);
    let rules =
        PolicyRules::default().with_kind(iban, account).with_kind(loyalty, KindRules::default());
    let policy = Policy::new(rules).unwrap();
    let mut builder = InMemoryIndex::builder();
    let ana = phone(record(), PHONE)
        .with(iban, "ES91 2100 0418 4502 0005 1332")
        .with(loyalty, "20481357")
        .with(loyalty, "20481358");
    builder.add("ANA", &normaliser.normalise(&ana)).unwrap();
    let index = builder.build().unwrap();
    let matcher = DeterministicMatcher::new(index, normaliser, policy).unwrap();
    let decided = |lead: &Record| matcher.decide_one(lead).unwrap();

    let by_iban = decided(&record().with(iban, "es9121000418450200051332"));
    assert_eq!(by_iban.outcome.rule().unwrap().as_str(), "IBAN_EXACT");
    assert_eq!(by_iban.evidence.keys[0].kind, iban);
    assert_eq!(by_iban.evidence.keys[0].value, "********************1332");
    let by_card = decided(&record().with(loyalty, "2048-1358"));
    assert_eq!(by_card.outcome.rule().unwrap().as_str(), "LOYALTY_EXACT");

    // A wrong check digit is no account, and says so by its kind.
    let typo = decided(&record().with(iban, "ES91 2100 0418 4502 0005 1333"));
    assert_eq!(typo.evidence.unusable[0].reason, UnusableReason::WrongCheckDigit);
    assert!(typo.evidence.to_json().contains(r#""field":"iban""#));

    // A person may hold a third card, which contradicts nobody.
    let other_card = decided(&phone(record(), PHONE).with(loyalty, "20481399"));
    assert_eq!(other_card.outcome.person(), Some("ANA"));

    let explained = matcher.explain(&record().with(loyalty, "20481357")).unwrap().to_string();
    assert!(explained.contains("loyalty exact ****1357"), "{explained}");
}

#[test]
fn an_exclusive_kind_of_ones_own_contradicts_where_a_rule_says_so() {
    let (iban, _, normaliser) = own_kinds();
    let mut account = KindRules::default();
    account.exclusive = Some(true);
    let mut rules = PolicyRules::default().with_kind(iban, account);
    rules.rule_mut(&Rule::PHONE_EXACT).unwrap().veto.push("iban".parse().unwrap());
    rules.rule_mut(&Rule::PHONE_ALIAS).unwrap().veto.push("iban".parse().unwrap());
    let mut builder = InMemoryIndex::builder();
    let ana = phone(record(), PHONE).with(iban, "ES91 2100 0418 4502 0005 1332");
    builder.add("ANA", &normaliser.normalise(&ana)).unwrap();
    let index = builder.build().unwrap();
    let matcher =
        DeterministicMatcher::new(index, normaliser, Policy::new(rules).unwrap()).unwrap();
    let other = phone(record(), PHONE).with(iban, "GB29 NWBK 6016 1331 9268 19");
    let decision = matcher.decide_one(&other).unwrap();
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::WeakMatchOnly));
    let differs = &decision.evidence.candidates[0].disagrees[0];
    assert_eq!(differs.kind, Field::Identifier(iban));
}

#[test]
fn kinds_that_cannot_stand_beside_the_others_are_refused_by_name() {
    let kind = |code: &str| OwnKind::reading(code.parse().unwrap(), |_, _| {});
    let options = || NormaliseOptions::default().with_kind(kind("card")).unwrap();
    let refused = |kind: OwnKind| options().with_kind(kind).unwrap_err().to_string();
    assert!(refused(kind("card")).contains("`card` is there already"));
    assert!(refused(kind("phone")).contains("`phone` is there already"));
    let said = refused(kind("other").with_columns(["Card"]));
    assert!(said.contains("`Card`") && said.contains("kind `card`"), "{said}");
    let said = refused(kind("other").with_columns(["document_type"]));
    assert!(said.contains("document_type"), "{said}");
}

#[test]
fn the_region_of_a_record_reads_its_local_values() {
    let (peru, mexico) = (Region::parse("PE").unwrap(), Region::parse("MX").unwrap());
    let normaliser = normaliser();
    let local = phone(record(), "55 1234 5678").in_region(mexico);
    let full = phone(record(), "+52 55 1234 5678");
    let keys = |record: &Record| normaliser.normalise(record).keys()[0].key;
    assert_eq!(keys(&local), keys(&full));
    assert_eq!(keys(&phone(record(), PHONE)), keys(&phone(record(), PHONE).in_region(peru)));
    let unknown = serde_json::from_str::<Record>(r#"{"region": "QQ"}"#).unwrap_err().to_string();
    assert!(unknown.contains("`QQ`"), "{unknown}");
}

/// Two points for a key and one for the date; three are a match.
fn points(_: &Policy, _: bool, candidates: &[Compared], judged: &mut Vec<Judged>) -> Judgement {
    let score = |one: &Compared| {
        2.0 * f64::from(u8::from(!one.agrees.is_empty()))
            + f64::from(u8::from(one.birth_date == Some(true)))
    };
    judged.extend(candidates.iter().map(|one| Judged {
        standing: Standing::Weak,
        rule: Some("POINTS".parse().unwrap()),
        score: Some(score(one)),
    }));
    match candidates.iter().position(|one| score(one) >= 3.0) {
        Some(candidate) => {
            judged[candidate].standing = Standing::Matched;
            let rule = "POINTS".parse().unwrap();
            let score = judged[candidate].score;
            Judgement::Matched { candidate, rule, confidence: Confidence::Medium, score }
        }
        None => Judgement::Unmatched(UnmatchedReason::WeakMatchOnly),
    }
}

#[test]
fn a_scorer_of_ones_own_decides_with_its_own_rule_and_score() {
    let persons = [
        ("ANA", born(phone(record(), PHONE), "Ana Rojas", "1987-03-21")),
        ("LUIS", born(phone(record(), PHONE), "Luis Paz", "1990-12-01")),
    ];
    let matcher = matcher(&persons, Policy::default()).judging_by(points);
    let decision = matcher.decide_one(&born(phone(record(), PHONE), "Ana", "1987-03-21")).unwrap();
    assert_eq!(decision.outcome.person(), Some("ANA"));
    assert_eq!(decision.outcome.rule().unwrap().as_str(), "POINTS");
    let scores: Vec<_> = decision.evidence.candidates.iter().map(|c| c.score).collect();
    assert_eq!(scores, [Some(3.0), Some(2.0)]);
}
