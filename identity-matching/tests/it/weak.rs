//! Names, plates and dates of birth: weak evidence and its blocking keys.

use identity_matching::{
    BirthDate, BlockingKind, Field, Name, Normalised, Normaliser, Plate, Policy, PolicyRules,
    Record, Region, UnusableReason,
};
use proptest::prelude::*;

fn name(raw: &str) -> Name {
    Name::parse(raw).expect(raw)
}

fn read(record: &Record) -> Normalised {
    let region = Region::parse("AR").expect("a region of the test");
    Normaliser::for_region(region).normalise(record)
}

#[test]
fn one_person_writes_the_name_in_many_ways() {
    for (one, other, least) in [
        ("María Fernanda de la Cruz Ñahui", "NAHUI DE LA CRUZ, MARIA FERNANDA", 1.0),
        ("Juan Carlos Pérez Gómez", "Juan Pérez", 0.85),
        ("Juan Carlos Pérez Gómez", "Pérez Gómez, J. C.", 0.85),
        ("João Pedro dos Santos Silva", "Joao Pedro Santos e Silva", 1.0),
        ("Jhon Vásquez Quispe", "John Basques Kispe", 0.85),
        ("Ana Lucía Rodríguez", "Ana Lusia Rodrigues", 0.9),
        ("Katherine Hernández", "Catherine Ernandez", 0.85),
        ("Gonzalo Fernández", "Gonsalo Fernandez", 0.95),
    ] {
        let similarity = name(one).similarity(&name(other));
        assert!(similarity >= least, "{one} / {other}: {similarity}");
    }
}

#[test]
fn different_persons_stay_below_the_line() {
    for (one, other) in [
        ("María García", "María López"),
        ("Juan", "Juan Carlos Pérez Gómez"),
        ("Juan Pérez", "Pedro Pérez"),
        ("Ana Quispe Mamani", "Luis Quispe Rojas"),
        ("Carlos Ruiz", "王 小明"),
    ] {
        let similarity = name(one).similarity(&name(other));
        assert!(similarity < 0.66, "{one} / {other}: {similarity}");
    }
}

/// Pairs of names that one person has, and that a sister or brother of that person has.
#[test]
fn a_given_name_tells_brothers_and_sisters_apart_in_whatever_order_it_stands() {
    for (lead, person, sibling) in [
        // The order of speech, of a register with and without its comma, and reordered.
        ("Ana Rojas Quispe", "ANA ROJAS QUISPE", "Luisa Rojas Quispe"),
        ("Ana Rojas Quispe", "ROJAS QUISPE, ANA", "ROJAS QUISPE, LUISA"),
        ("Ana Rojas Quispe", "ROJAS QUISPE ANA", "ROJAS QUISPE LUISA"),
        ("ROJAS QUISPE ANA", "Ana Rojas Quispe", "Luisa Rojas Quispe"),
        ("Quispe Rojas, Ana", "Ana Rojas Quispe", "Luisa Rojas Quispe"),
        // Given names that no list knows.
        ("Yhajaira Choqque Yupa", "CHOQQUE YUPA, YHAJAIRA", "CHOQQUE YUPA, WIÑAY"),
        ("Rojas Quispe Yhajaira", "Yhajaira Rojas Quispe", "Wiñay Rojas Quispe"),
        // Without the second surname, on either side.
        ("Ana Rojas", "Ana Rojas Quispe", "Luisa Rojas Quispe"),
        ("Ana Rojas Quispe", "Rojas, Ana", "Rojas, Luisa"),
        // Compound given names, one of which is often left out.
        ("María Fernanda Rojas Quispe", "Maria Rojas Quispe", "María Luisa Rojas Quispe"),
        ("José Luis Pérez Gómez", "PEREZ GOMEZ JOSE LUIS", "PEREZ GOMEZ JOSE ANTONIO"),
        ("Juan Carlos Pérez", "Carlos Pérez Gómez", "Jorge Pérez Gómez"),
        // Initials.
        ("A. Rojas Quispe", "Ana Rojas Quispe", "Luisa Rojas Quispe"),
        ("María F. Rojas Quispe", "María Fernanda Rojas Quispe", "María Luisa Rojas Quispe"),
        // Typing errors in the given name.
        ("Gonsalo Rojas Quispe", "Gonzalo Rojas Quispe", "Gabriel Rojas Quispe"),
        // A brother and a sister whose names differ in one letter.
        ("Mario Rojas Quispe", "Mario Rojas", "María Rojas Quispe"),
        ("Juana Rojas Quispe", "Juana Rojas", "Juan Rojas Quispe"),
        // Portuguese: the surnames of the mother and of the father stand last.
        ("João Pedro Santos Silva", "Joao Pedro dos Santos Silva", "Ana Beatriz Santos Silva"),
    ] {
        let similarity = name(lead).similarity(&name(person));
        assert!(similarity >= 0.66, "{lead} / {person}: {similarity}");
        let similarity = name(lead).similarity(&name(sibling));
        assert!(similarity < 0.5, "{lead} / {sibling}: {similarity}");
    }
}

#[test]
fn half_a_name_is_nobodys() {
    for (half, whole) in [
        ("Rojas Quispe", "Ana Rojas Quispe"),
        ("Rojas Quispe", "ROJAS QUISPE ANA"),
        ("Choqque Yupa,", "Ana Choqque Yupa"),
        ("Choqque Yupa", "Yhajaira Choqque Yupa"),
        ("Ana", "Ana Rojas Quispe"),
        ("Rojas", "Ana Rojas Quispe"),
        ("Ana María", "Ana Lucía Rojas Quispe"),
    ] {
        let similarity = name(half).similarity(&name(whole));
        assert!(similarity <= 0.5, "{half} / {whole}: {similarity}");
    }
}

#[test]
fn the_same_words_are_one_name_unless_commas_say_otherwise() {
    assert!(name("Yupa Choqque").similarity(&name("Choqque Yupa")) >= 1.0);
    assert!(name("Yupa, Choqque").similarity(&name("Choqque, Yupa")) <= 0.5);
}

#[test]
fn what_is_no_name_keeps_its_reason() {
    for (raw, expected) in [
        ("", UnusableReason::Blank),
        ("no tiene", UnusableReason::Placeholder),
        ("N/A", UnusableReason::Placeholder),
        ("12345", UnusableReason::Malformed),
        ("x.", UnusableReason::Placeholder),
        ("de la", UnusableReason::Malformed),
    ] {
        assert_eq!(Name::parse(raw), Err(expected), "{raw}");
    }
    assert_eq!(Name::parse(&"a".repeat(1 << 20)), Err(UnusableReason::TooLong));
}

#[test]
fn a_name_that_grows_too_long_when_it_is_folded_is_refused() {
    // Each of these signs unfolds to four letters, and no blank that would part words.
    let raw = "ﷲ".repeat(80);
    assert!(raw.len() <= 256);
    assert_eq!(Name::parse(&raw), Err(UnusableReason::TooLong));
}

#[test]
fn plates_lose_their_separators_and_nothing_else() {
    let plate = |raw| Plate::parse(raw).unwrap();
    assert_eq!(plate("abc-912"), plate("ABC 912"));
    assert_eq!(plate("ＡＢＣ９１２"), plate("ABC.912"));
    assert_ne!(plate("ABC-012"), plate("ABC-12"));
    for (raw, expected) in [
        ("", UnusableReason::Blank),
        ("no tiene", UnusableReason::Placeholder),
        ("AAA-000", UnusableReason::Placeholder),
        ("XXX999", UnusableReason::Placeholder),
        ("A1", UnusableReason::WrongLength),
        ("ABCDEFGHI123", UnusableReason::WrongLength),
        ("ABCDEF", UnusableReason::WrongAlphabet),
        ("ABC;12", UnusableReason::WrongLength),
    ] {
        assert_eq!(Plate::parse(raw), Err(expected), "{raw}");
    }
}

#[test]
fn dates_are_read_in_the_usual_orders() {
    for raw in [
        "1987-03-21",
        "1987/3/21",
        "21/03/1987",
        "21.3.1987",
        "21-03-1987",
        "19870321",
        " 1987-03-21T00:00:00Z",
        "1987-03-21 00:00:00",
        "２１/０３/１９８７",
    ] {
        assert_eq!(BirthDate::parse(raw, None).unwrap().as_u32(), 19_870_321, "{raw}");
    }
    let states = Region::parse("US").unwrap();
    assert_eq!(BirthDate::parse("03/21/1987", Some(states)).unwrap().as_u32(), 19_870_321);
    for (raw, expected) in [
        ("", UnusableReason::Blank),
        ("21/21/1987", UnusableReason::NotAssigned),
        ("1987-02-29", UnusableReason::NotAssigned),
        ("1787-02-20", UnusableReason::NotAssigned),
        ("21/03/187", UnusableReason::Malformed),
        ("ayer", UnusableReason::Malformed),
        ("1900-01-01", UnusableReason::Placeholder),
        ("01/01/1970", UnusableReason::Placeholder),
        ("n/a", UnusableReason::Placeholder),
    ] {
        assert_eq!(BirthDate::parse(raw, None), Err(expected), "{raw}");
    }
}

#[test]
fn weak_candidates_share_a_blocking_key() {
    let person = read(&Record {
        phones: vec!["+54 11 4345-2234".into()],
        name: Some("María Vásquez de Gómez".into()),
        plate: Some("AB 912 CD".into()),
        birth_date: Some("1987-03-21".into()),
        ..Record::default()
    });
    let shares = |record: Record| {
        let lead = read(&record);
        let shared = |key| person.blocking_keys().contains(key);
        lead.blocking_keys()
            .iter()
            .filter(|key| shared(key))
            .map(|key| key.kind())
            .collect::<Vec<_>>()
    };
    // Without its area code a number is no key, but finds its candidates.
    let local = Record { phones: vec!["4345-2234".into()], ..Record::default() };
    assert!(read(&local).keys().is_empty());
    assert_eq!(shares(local), [BlockingKind::PhoneTail]);
    let named = Record {
        name: Some("M. Basquez".into()),
        birth_date: Some("21/03/1987".into()),
        ..Record::default()
    };
    assert_eq!(shares(named), [BlockingKind::NameBirthDate]);
    let plated = Record { plate: Some("ab912cd".into()), ..Record::default() };
    assert_eq!(shares(plated), [BlockingKind::Plate]);
    let other = Record {
        name: Some("María Vásquez".into()),
        birth_date: Some("1988-03-21".into()),
        plate: Some("AB913CD".into()),
        phones: vec!["4345-2235".into(), "99999999".into()],
        ..Record::default()
    };
    assert!(shares(other).is_empty());
}

#[test]
fn the_last_digits_of_a_phone_count_within_one_country_and_as_many_as_the_policy_says() {
    let tails = |digits: u8, phones: &[&str]| {
        let mut rules = PolicyRules::default();
        rules.weak.phone_tail_digits = digits;
        let options = Policy::new(rules).unwrap().normalise_options(Region::parse("PE").unwrap());
        let phones = phones.iter().map(|&phone| phone.to_owned()).collect();
        let record = Record { phones, ..Record::default() };
        Normaliser::new(options).unwrap().normalise(&record).blocking_keys().to_vec()
    };
    let lima = tails(8, &["+51 1 434 5223"]);
    assert_eq!(lima.len(), 1);
    // The area code dialled with another trunk sign, the country not given: read by the default region.
    assert_eq!(tails(8, &["9914345223"]), lima);
    assert_ne!(
        tails(8, &["4434 5223"]),
        lima,
        "seven digits are the same, and eight are asked for"
    );
    assert_eq!(tails(7, &["4434 5223"]), tails(7, &["+51 1 434 5223"]));
    assert_eq!(tails(8, &["434 5223"]), [], "seven digits are too few");
    // The same digits in another country: as a number of its plan, and as one of no plan.
    assert_ne!(tails(8, &["+54 11 1434-5223"]), lima);
    assert_eq!(tails(8, &["+54 1434 5223"]), []);
}

#[test]
fn the_address_of_a_role_is_unusable_weak_or_a_key_as_the_policy_says() {
    let read = |policy: &str| {
        let options =
            Policy::from_json(policy).unwrap().normalise_options(Region::parse("PE").unwrap());
        let emails = vec!["Ventas@empresa.pe".into(), "ana@yopmail.com".into()];
        Normaliser::new(options).unwrap().normalise(&Record { emails, ..Record::default() })
    };
    let reasons = |read: &Normalised| read.unusable().iter().map(|u| u.reason).collect::<Vec<_>>();
    let both = [UnusableReason::RoleAddress, UnusableReason::DisposableAddress];
    let unusable = read("{}");
    assert_eq!((unusable.keys().len(), unusable.blocking_keys().len()), (0, 0));
    assert_eq!(reasons(&unusable), both);
    let weak = read(r#"{"addresses": {"roles": "weak", "disposable": "weak"}}"#);
    assert_eq!((weak.keys().len(), weak.blocking_keys().len()), (0, 2));
    assert!(weak.blocking_keys().iter().all(|key| key.kind() == BlockingKind::Email));
    assert_eq!(reasons(&weak), both, "weak evidence is no key, and the reason is kept");
    let key = read(r#"{"addresses": {"roles": "key"}}"#);
    assert_eq!((key.keys().len(), key.blocking_keys().len()), (1, 0));
    assert_eq!(reasons(&key), both[1..]);
}

#[test]
fn unusable_weak_values_are_findings() {
    let read = read(&Record {
        name: Some("12345".into()),
        plate: Some("AAA000".into()),
        birth_date: Some("1987-02-31".into()),
        ..Record::default()
    });
    let findings: Vec<_> =
        read.unusable().iter().map(|value| (value.source.field, value.reason)).collect();
    assert_eq!(
        findings,
        [
            (Field::Name, UnusableReason::Malformed),
            (Field::Plate, UnusableReason::Placeholder),
            (Field::BirthDate, UnusableReason::NotAssigned),
        ]
    );
}

#[test]
fn a_buffer_keeps_nothing_of_the_record_before() {
    let normaliser = Normaliser::default();
    let mut buffer = Normalised::default();
    let full = Record {
        phones: vec!["+51987654321".into()],
        emails: vec!["ana@correo.pe".into(), "x".into()],
        name: Some("Ana Díaz".into()),
        plate: Some("AB912CD".into()),
        birth_date: Some("1987-03-21".into()),
        ..Record::default()
    };
    normaliser.normalise_into(&full, &mut buffer);
    assert_eq!(buffer, normaliser.normalise(&full));
    normaliser.normalise_into(&Record::default(), &mut buffer);
    assert_eq!(buffer, Normalised::default());
}

proptest! {
    #[test]
    fn folding_a_name_is_idempotent(raw in any::<String>()) {
        if let Ok(name) = Name::parse(&raw) {
            let again = Name::parse(name.as_str());
            prop_assert_eq!(again, Ok(name));
        }
    }

    #[test]
    fn similarity_is_symmetric_and_within_bounds(
        one in "[a-zA-ZñáéíÑ .'-]{2,30}", other in "[a-zA-ZñáéíÑ .'-]{2,30}"
    ) {
        if let (Ok(one), Ok(other)) = (Name::parse(&one), Name::parse(&other)) {
            let similarity = one.similarity(&other);
            prop_assert!((0.0..=1.0).contains(&similarity));
            prop_assert_eq!(similarity.to_bits(), other.similarity(&one).to_bits());
            prop_assert!(one.similarity(&one) >= 1.0);
            let sorted = |name: &Name| {
                let mut words: Vec<String> = name.words().map(str::to_owned).collect();
                words.sort_unstable();
                words
            };
            prop_assert!(sorted(&one) == sorted(&other) || similarity < 1.0);
        }
    }

    #[test]
    fn plates_and_dates_survive_their_text_and_never_panic(
        one in any::<String>(), other in "[A-Za-z0-9 -]{3,10}", third in "[A-Z]{3}[0-9]{3}",
        date in "[0-9./T -]{0,12}",
    ) {
        let _ = Plate::parse(&one);
        let _ = BirthDate::parse(&one, None);
        let _ = BirthDate::parse(&date, None);
        if let (Ok(one), Ok(other)) = (Plate::parse(&other), Plate::parse(&third)) {
            prop_assert_eq!(one.to_string().parse(), Ok(one));
            prop_assert_eq!(other.to_string().parse(), Ok(other));
        }
    }

    /// A plate that was read gives no text back, on purpose: what is read again is what can be written of it, the
    /// signs alone, in capitals or with other separators.
    #[test]
    fn reading_a_plate_again_changes_nothing(written in "[B-DF-HJKMNQ-TV-Z0-9]{1,4}[ ./-]{0,2}[b-df-hjkmnq-tv-z0-9]{1,4}", dots in "[ ./-]{1,3}") {
        let signs: String = written.chars().filter(char::is_ascii_alphanumeric).collect();
        let spread = signs.to_lowercase().chars().map(String::from).collect::<Vec<_>>().join(&dots);
        if let Ok(plate) = Plate::parse(&written) {
            for again in [&signs, &signs.to_uppercase(), &spread] {
                prop_assert_eq!(Plate::parse(again), Ok(plate));
            }
        }
    }

    #[test]
    fn reading_a_date_of_birth_again_changes_nothing(
        day in 1..=31_u32, month in 1..=12_u32, year in 1880..2160_u32, order in 0..5_u8, sign in "[-/. ]",
    ) {
        let written = match order {
            0 => format!("{year}{sign}{month}{sign}{day}"),
            1 => format!("{day}{sign}{month:02}{sign}{year}"),
            2 => format!("{year}{month:02}{day:02}"),
            3 => format!("{day:02}/{month:02}/{year} 00:00:00"),
            _ => format!("{year}-{month:02}-{day:02}T00:00:00Z"),
        };
        if let Ok(date) = BirthDate::parse(&written, None) {
            let number = date.as_u32();
            let text = format!("{}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100);
            prop_assert_eq!(BirthDate::parse(&text, None), Ok(date));
            prop_assert_eq!(BirthDate::parse(&number.to_string(), None), Ok(date));
            prop_assert_eq!(number, year * 10_000 + month * 100 + day);
        }
    }

    #[test]
    fn any_record_normalises_without_panic_and_in_any_order(
        phones in prop::collection::vec(any::<String>(), 0..3),
        emails in prop::collection::vec("[a-z.@ñ]{0,20}", 0..3),
        name in any::<Option<String>>(),
    ) {
        let mut record = Record { phones, emails, name, ..Record::default() };
        let one = read(&record);
        record.phones.reverse();
        record.emails.reverse();
        let other = read(&record);
        let keys = |read: &Normalised| read.keys().iter().map(|held| held.key).collect::<Vec<_>>();
        prop_assert_eq!(keys(&one), keys(&other));
        prop_assert_eq!(one.blocking_keys(), other.blocking_keys());
        prop_assert_eq!(one.unusable().len(), other.unusable().len());
    }
}

#[test]
fn weak_evidence_is_read_and_written_as_text() {
    let name: Name = "ROJAS QUISPE, Ana".try_into().unwrap();
    assert_eq!(String::from(name.clone()), "rojas quispe, ana");
    assert_eq!(serde_json::from_str::<Name>(&serde_json::to_string(&name).unwrap()).unwrap(), name);
    let plate: Plate = "abc-123".try_into().unwrap();
    assert_eq!(serde_json::to_string(&plate).unwrap(), "\"ABC123\"");
    assert_eq!(serde_json::from_str::<Plate>("\"ABC 123\"").unwrap(), plate);
    let date: BirthDate = "21/03/1987".try_into().unwrap();
    assert_eq!(serde_json::to_string(&date).unwrap(), "\"1987-03-21\"");
    assert_eq!("".parse::<Plate>(), Err(UnusableReason::Blank));
    let refused = serde_json::from_str::<Name>("\"1234\"").unwrap_err().to_string();
    assert!(refused.contains("not written like"), "{refused}");
}
