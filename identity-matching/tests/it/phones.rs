//! How written phones become keys.

use identity_matching::{
    Field, Key, KeyForm, NormaliseOptions, Normalised, Normaliser, Placeholders, Reading, Record,
    Region, UnusableReason,
};
use proptest::prelude::*;

fn normaliser(region: &str) -> Normaliser {
    let region = Region::parse(region).expect("a region of the test");
    Normaliser::for_region(region)
}

fn read(region: &str, phone: &str) -> Normalised {
    normaliser(region).normalise(&Record { phones: vec![phone.into()], ..Record::default() })
}

/// The exact key as text.
fn exact(region: &str, phone: &str) -> Option<String> {
    let normalised = read(region, phone);
    normalised.keys().iter().find(|held| held.form == KeyForm::Exact)?.key.text()
}

fn subscriber(region: &str, phone: &str) -> Option<Key> {
    let normalised = read(region, phone);
    Some(normalised.keys().iter().find(|held| held.form == KeyForm::Alias)?.key)
}

fn reason(region: &str, phone: &str) -> Option<UnusableReason> {
    let normalised = read(region, phone);
    assert!(normalised.keys().is_empty(), "{phone}: {normalised:?}");
    normalised.unusable().first().map(|unusable| unusable.reason)
}

#[test]
fn every_writing_of_one_number_is_one_key() {
    for phone in [
        "987 654 321",
        "+51-987654321",
        "0051987654321",
        "51987654321",
        "+51 (987) 654.321",
        "９８７６５４３２１",
        "＋５１ ９８７ ６５４ ３２１",
        "٩٨٧٦٥٤٣٢١",
        "९८७६५४३२१",
        "\u{202a}+51 987 654 321\u{202c}",
        "\u{feff}987\u{a0}654\u{200b}321",
        "987\u{2013}654\u{2011}321",
        "tel:+51-987-654-321",
        "TEL:987654321;phone-context=+51",
        "tel:987654321;ext=12",
        "987654321 ext. 12",
        "987654321 anexo 12",
        "cel 987654321",
    ] {
        assert_eq!(exact("PE", phone).as_deref(), Some("+51987654321"), "{phone:?}");
    }
}

#[test]
fn national_and_international_prefixes_are_those_of_the_region() {
    for (region, phone, expected) in [
        ("PE", "01 613 5000", "+5116135000"),
        ("PE", "19110034912345678", "+34912345678"),
        ("ES", "612 34 56 78", "+34612345678"),
        ("ES", "0034 612345678", "+34612345678"),
        ("CO", "300 123 4567", "+573001234567"),
        ("CO", "00957 300 123 4567", "+573001234567"),
        ("CL", "9 6123 4567", "+56961234567"),
        ("AR", "011 4345-2234", "+541143452234"),
        ("AR", "0 11 15 4345 2234", "+5491143452234"),
        ("AR", "+54 9 11 4345 2234", "+5491143452234"),
        ("BR", "(11) 96123-4567", "+5511961234567"),
        ("BR", "0 15 11 96123-4567", "+5511961234567"),
        ("MX", "55 1234 8765", "+525512348765"),
        ("EC", "099 123 4567", "+593991234567"),
        ("US", "(201) 265-8899", "+12012658899"),
        ("US", "011 51 987 654 321", "+51987654321"),
        ("IT", "06 6982 1234", "+390669821234"),
    ] {
        assert_eq!(exact(region, phone).as_deref(), Some(expected), "{region} {phone}");
    }
}

#[test]
fn legacy_forms_share_the_subscriber() {
    for (region, modern, legacy) in [
        ("AR", "+54 9 11 4345-2234", "+54 11 4345-2234"),
        ("AR", "+54 9 11 4345-2234", "011 15 4345-2234"),
        ("MX", "+52 55 1234 8765", "+52 1 55 1234 8765"),
        ("MX", "+52 55 1234 8765", "044 55 1234 8765"),
        ("MX", "+52 55 1234 8765", "045 55 1234 8765"),
        ("MX", "+52 55 1234 8765", "01 55 1234 8765"),
        ("BR", "+55 11 96123-4567", "+55 11 6123-4567"),
        ("BR", "+55 11 98765-4320", "(11) 8765-4320"),
    ] {
        let shared = subscriber(region, modern);
        assert!(shared.is_some(), "{modern}");
        assert_eq!(shared, subscriber(region, legacy), "{modern} and {legacy}");
    }
    assert_eq!(exact("MX", "+52 1 55 1234 8765"), None, "no plan assigns it any more");
    let legacy = read("MX", "+52 1 55 1234 8765");
    assert!(legacy.keys()[0].reading.contains(Reading::LEGACY_FORM));
    assert!(legacy.unusable().is_empty());
}

#[test]
fn a_number_tells_how_its_country_was_found() {
    for (phone, mark) in [
        ("+51987654321", Reading::PLUS),
        ("0051 987654321", Reading::INTERNATIONAL_PREFIX),
        ("51 987654321", Reading::COUNTRY_CODE),
        ("987654321", Reading::DEFAULT_REGION),
        ("987654321 x 5", Reading::DEFAULT_REGION.with(Reading::EXTENSION_DROPPED)),
    ] {
        assert_eq!(read("PE", phone).keys()[0].reading, mark, "{phone}");
    }
}

#[test]
fn what_is_no_number_keeps_its_reason() {
    for (phone, expected) in [
        ("999999999", UnusableReason::Placeholder),
        ("+51 999 999 999", UnusableReason::Placeholder),
        ("900000000", UnusableReason::Placeholder),
        ("000000000", UnusableReason::Placeholder),
        ("1234567890123", UnusableReason::Placeholder),
        ("no tiene", UnusableReason::Placeholder),
        ("-", UnusableReason::Placeholder),
        ("n/a", UnusableReason::Placeholder),
        ("Avenida Larco", UnusableReason::Malformed),
        ("12345", UnusableReason::Placeholder),
        ("98765", UnusableReason::Placeholder),
        ("13579", UnusableReason::WrongLength),
        ("98765432198765", UnusableReason::WrongLength),
        ("287654329", UnusableReason::NotAssigned),
        ("+999 123 4567 89", UnusableReason::NotAssigned),
    ] {
        assert_eq!(reason("PE", phone), Some(expected), "{phone}");
    }
    let unread = Normaliser::default()
        .normalise(&Record { phones: vec!["987654321".into()], ..Record::default() });
    assert_eq!(unread.unusable()[0].reason, UnusableReason::NoRegion);
}

#[test]
fn nothing_written_is_nothing_read() {
    for phone in ["", "   ", "\u{a0}\u{200b}"] {
        assert_eq!(reason("PE", phone), None);
    }
}

#[test]
fn a_megabyte_is_refused_by_its_length() {
    assert_eq!(reason("PE", &"9".repeat(1 << 20)), Some(UnusableReason::TooLong));
}

#[test]
fn a_context_before_a_scheme_does_not_panic() {
    let _ = read("PE", "5;phone-context=+1;tel:x");
    let _ = read("PE", ";phone-context=+1;tel:");
}

#[test]
fn listed_numbers_give_no_key() {
    let placeholders = Placeholders::default().with(Field::PHONE, ["01 613 5000"]);
    let options = NormaliseOptions::for_region(Region::parse("PE").unwrap());
    let normaliser = Normaliser::new(options.with_placeholders(placeholders)).unwrap();
    let read =
        normaliser.normalise(&Record { phones: vec!["+51 1 6135000".into()], ..Record::default() });
    assert_eq!(read.unusable()[0].reason, UnusableReason::Placeholder);
}

proptest! {
    #[test]
    fn normalising_a_phone_is_idempotent(
        region in prop::sample::select(vec!["PE", "ES", "CO", "CL", "AR", "BR", "MX", "EC", "US"]),
        phone in "[+]?[0-9]{6,13}",
    ) {
        if let Some(text) = exact(region, &phone) {
            prop_assert_eq!(exact(region, &text), Some(text.clone()));
            prop_assert_eq!(exact("PE", &text), Some(text));
        }
    }

    #[test]
    fn any_text_gives_a_number_of_seven_to_seventeen_digits_or_none(phone in any::<String>()) {
        if let Some(text) = exact("PE", &phone) {
            prop_assert!((5..=18).contains(&text.len()), "{} from {:?}", text, phone);
            prop_assert!(text[1..].bytes().all(|byte| byte.is_ascii_digit()));
        }
    }

    #[test]
    fn phone_like_text_never_panics(phone in "[ +0-9x#;,()/a-z=:.*~٣９\u{200b}-]{0,40}") {
        for region in ["PE", "AR", "BR", "MX"] {
            let _ = read(region, &phone);
        }
    }
}
