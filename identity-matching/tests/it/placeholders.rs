//! Placeholders are read as values are; a matcher is built only where its policy and its normaliser agree.

use identity_matching::{
    AddressUse, DeterministicMatcher, Field, KeyKind, KindRules, NormaliseOptions, Normaliser,
    OptionsError, OwnKind, OwnKindRules, Placeholders, Policy, PolicyError, PolicyRules,
    RawDocument, ReadingConflict, Record, Region, UnusableReason, index::InMemoryIndex,
};

fn peru() -> Region {
    Region::parse("PE").unwrap()
}

fn loyalty() -> KeyKind {
    "loyalty".parse().unwrap()
}

fn with_cards() -> NormaliseOptions {
    let cards = OwnKind::new(OwnKindRules { lengths: (8, 8), ..OwnKindRules::of(loyalty()) });
    NormaliseOptions::for_region(peru()).with_kind(cards.unwrap()).unwrap()
}

fn listed(field: Field, value: &str) -> Result<Normaliser, OptionsError> {
    Normaliser::new(with_cards().with_placeholders(Placeholders::default().with(field, [value])))
}

#[test]
fn a_listed_value_is_met_in_every_way_to_write_it() {
    let record = Record::default;
    let phones = |phone: &str| Record { phones: vec![phone.into()], ..record() };
    let documents = |country, kind, number| Record {
        documents: vec![RawDocument::typed(country, kind, number)],
        ..record()
    };
    let emails = |email: &str| Record { emails: vec![email.into()], ..record() };
    let names = |name: &str| Record { name: Some(name.into()), ..record() };
    let plates = |plate: &str| Record { plate: Some(plate.into()), ..record() };
    let dates = |date: &str| Record { birth_date: Some(date.into()), ..record() };
    for (field, value, written) in [
        (Field::PHONE, "01 613 5000", phones("+51 1 6135000")),
        (Field::PHONE, "+54 9 11 2345-6789", phones("+54 11 2345-6789")),
        (Field::DOCUMENT, "456 789-13", documents("PE", "DNI", "45678913")),
        (Field::DOCUMENT, "ES DNI 54362315K", documents("ES", "DNI", "54.362.315-k")),
        (Field::EMAIL, "Clientes@GoogleMail.com", emails("cli.entes+web@gmail.com")),
        (Field::EMAIL, "@propia.pe", emails("ana@PROPIA.pe")),
        (Field::EMAIL, "@googlemail.com", emails("ana.rojas@gmail.com")),
        (Field::Name, "Cliente Mostrador", names("MOSTRADOR, Cliente")),
        (Field::Plate, "abc-123", plates("ABC 123")),
        (Field::BirthDate, "02/01/1980", dates("1980-01-02")),
        (Field::Identifier(loyalty()), "2048-1357", record().with(loyalty(), "20481357")),
    ] {
        let read = listed(field, value).unwrap().normalise(&written);
        assert!(read.keys().is_empty() && read.blocking_keys().is_empty(), "{value}");
        assert!(read.name().is_none() && read.plate().is_none() && read.birth_date().is_none());
        assert_eq!(read.unusable()[0].source.field, field, "{value}");
        assert_eq!(read.unusable()[0].reason, UnusableReason::Placeholder, "{value}");
        // Nothing else is.
        let read = Normaliser::new(with_cards()).unwrap().normalise(&written);
        assert!(read.unusable().is_empty(), "{value}");
    }
}

#[test]
fn a_placeholder_that_cannot_be_read_is_refused_by_name() {
    for (field, value, reason) in [
        (Field::PHONE, "12", UnusableReason::WrongLength),
        (Field::DOCUMENT, "QQ-1", UnusableReason::NoTypeFits),
        (Field::EMAIL, "clientes", UnusableReason::Malformed),
        (Field::EMAIL, "@", UnusableReason::Malformed),
        (Field::Name, "1234", UnusableReason::Malformed),
        (Field::Plate, "A", UnusableReason::WrongLength),
        (Field::BirthDate, "1980", UnusableReason::Malformed),
        (Field::BirthDate, "", UnusableReason::Blank),
        (Field::Identifier(loyalty()), "204813", UnusableReason::WrongLength),
    ] {
        let refused = listed(field, value).unwrap_err();
        assert_eq!(refused, OptionsError::Placeholder { field, number: 1, reason }, "{value}");
        assert!(refused.to_string().contains(&format!("placeholder 1 of `{field}`")));
    }
    // What is a filler already may be listed too.
    assert!(listed(Field::PHONE, "999999999").is_ok());
    let kind = "licence".parse().unwrap();
    let refused = listed(Field::Identifier(kind), "1").unwrap_err();
    assert_eq!(refused, OptionsError::PlaceholderKind { kind });
}

#[test]
fn placeholders_of_no_kind_are_refused_where_a_policy_is_read() {
    let refused = Policy::from_json(r#"{"placeholders": {"phones": ["987654312"]}}"#);
    let Err(PolicyError::Rule { rule, remedy, .. }) = refused else { panic!("it is refused") };
    assert_eq!(rule, "placeholders.phones");
    assert!(remedy.contains("phone, document"), "{remedy}");
}

#[test]
fn a_matcher_whose_policy_and_normaliser_disagree_is_refused_by_what_differs() {
    let made = |rules: PolicyRules, options: NormaliseOptions| {
        let normaliser = Normaliser::new(options).unwrap();
        let policy = Policy::new(rules).unwrap();
        DeterministicMatcher::new(InMemoryIndex::default(), normaliser, policy).err()
    };
    let differs = |change: fn(&mut PolicyRules), what: &str| {
        let mut rules = PolicyRules::default();
        change(&mut rules);
        let options = Policy::new(rules.clone()).unwrap().normalise_options(peru());
        assert_eq!(made(rules.clone(), options), None, "{what}");
        let refused = made(rules, NormaliseOptions::for_region(peru())).unwrap();
        assert!(refused.to_string().contains(what), "{refused}");
    };
    differs(
        |rules| {
            rules.placeholders = Placeholders::default().with(Field::PHONE, ["987654312"]);
        },
        "`placeholders`",
    );
    differs(|rules| rules.addresses.roles = AddressUse::Weak, "`addresses.roles`");
    differs(|rules| rules.addresses.disposable = AddressUse::Key, "`addresses.disposable`");
    differs(|rules| rules.weak.phone_tail_digits = 9, "`weak.phone_tail_digits`");
    let rules = || PolicyRules::default().with_kind(loyalty(), KindRules::default());
    let unknown = ReadingConflict::UnknownKind { kind: loyalty() };
    assert_eq!(made(rules(), NormaliseOptions::for_region(peru())), Some(unknown.clone()));
    assert_eq!(made(rules(), with_cards()), None);
    // The same policy under which a matcher was made decides; another way to read does not.
    let normaliser = Normaliser::for_region(peru());
    let matcher =
        DeterministicMatcher::new(InMemoryIndex::default(), normaliser, Policy::default()).unwrap();
    assert!(matcher.under(Policy::default()).is_ok());
    assert_eq!(matcher.under(Policy::new(rules()).unwrap()).err(), Some(unknown));
}
