//! What must hold for any input of a normaliser: the body of the fuzz targets, and of their twins here.

#![allow(dead_code, reason = "each fuzz target uses one function")]

use std::sync::LazyLock;

use identity_matching::{
    BirthDate, DocumentTypes, HeldKey, KeyForm, Name, Normalised, Normaliser, Plate, Policy,
    RawValue, Reading, RecordReader, Region, UnusableReason,
};

static NORMALISERS: LazyLock<Vec<Normaliser>> = LazyLock::new(|| {
    let region = |code| Region::parse(code).expect("a region of the test");
    let of_region = |code| Normaliser::for_region(region(code));
    let mut all: Vec<_> =
        ["PE", "ES", "CO", "CL", "AR", "BR", "MX", "EC", "US"].map(of_region).into();
    all.push(Normaliser::default());
    all
});

/// Reads a value under every region; gives the canonical text of each exact key.
fn read_each(read: impl Fn(&mut RecordReader<'_>), check: impl Fn(&Normaliser, &HeldKey, &str)) {
    for normaliser in NORMALISERS.iter() {
        let mut buffer = Normalised::default();
        let mut reader = normaliser.read_into(&mut buffer);
        read(&mut reader);
        let normalised = reader.finish();
        // Of a value that holds several, each gives keys or a reason.
        let several = normalised.keys().iter().any(|held| held.reading.contains(Reading::SPLIT));
        let one = normalised.keys().is_empty() || normalised.unusable().is_empty();
        // An odd address is told, and stays a key as it was written.
        let odd =
            |reason| matches!(reason, UnusableReason::LikelyTypo | UnusableReason::MixedScripts);
        let told = normalised.unusable().iter().all(|value| odd(value.reason));
        assert!(one || several || told, "key or reason");
        for held in normalised.keys() {
            let text = normalised.text(held.key).expect("the record is at hand");
            assert!(!text.is_empty() && text.len() <= 256);
            assert!(!format!("{normalised:?}").contains(&format!("\"{text}\"")));
            if held.form == KeyForm::Exact {
                check(normaliser, held, &text);
            }
        }
    }
}

/// Any text as a phone.
pub(crate) fn phone(raw: &str) {
    read_each(
        |reader| reader.phone(raw),
        |normaliser, _, text| {
            // Garbage is no number: there are digits, and not more than a number has.
            assert!(text[1..].bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 18);
            let mut buffer = Normalised::default();
            let mut reader = normaliser.read_into(&mut buffer);
            reader.phone(text);
            let again = reader.finish();
            assert!(again.keys().iter().any(|held| held.key.text().as_deref() == Some(text)));
        },
    );
}

/// Any text as a document, of every kind of rule.
pub(crate) fn document(raw: &str) {
    let kinds = ["", "DNI", "RUC", "CE", "NIE", "CIF", "NIF", "CC", "NIT", "RUT", "CUIT", "CPF"];
    for kind in kinds.into_iter().chain(["CNPJ", "CURP", "RFC", "CI", "PASSPORT", "OTHER"]) {
        read_each(
            |reader| reader.document(RawValue { country: "", kind, value: raw }),
            |normaliser, held, text| {
                let known = |letter: char| letter.is_ascii_digit() || letter.is_ascii_uppercase();
                assert!(text.chars().all(|letter| known(letter) || matches!(letter, 'Ñ' | '&')));
                // The canonical number of a key, under its own type and country, gives the key.
                let own = held.key.document_type().expect("a document has a type");
                let types = DocumentTypes::built_in();
                let kind = types.code(own).unwrap_or(kind);
                let issuer = own.country().to_string();
                let country = if issuer == "ZZ" { "" } else { issuer.as_str() };
                let mut buffer = Normalised::default();
                let mut reader = normaliser.read_into(&mut buffer);
                reader.document(RawValue { country, kind, value: text });
                let again = reader.finish();
                assert!(again.keys().iter().any(|again| again.key == held.key), "{kind}");
            },
        );
    }
    // The type and the country are outside text too.
    read_each(
        |reader| reader.document(RawValue { country: raw, kind: raw, value: "45678912" }),
        |_, _, _| {},
    );
}

/// Any text as an e-mail address.
pub(crate) fn email(raw: &str) {
    read_each(
        |reader| reader.email(raw),
        |normaliser, _, text| {
            let (local, domain) = text.rsplit_once('@').expect("an address has an @");
            assert!(!local.is_empty() && domain.is_ascii() && domain.contains('.'));
            let mut buffer = Normalised::default();
            let mut reader = normaliser.read_into(&mut buffer);
            reader.email(text);
            let again = reader.finish();
            assert_eq!(again.keys().len(), 1);
            assert_eq!(again.text(again.keys()[0].key).as_deref(), Some(text));
        },
    );
}

/// Any text as a name.
pub(crate) fn name(raw: &str) {
    if let Ok(name) = Name::parse(raw) {
        assert!(Name::parse(name.as_str()).as_ref() == Ok(&name), "a second pass changes nothing");
        assert!((name.similarity(&name) - 1.0).abs() < f64::EPSILON);
        let other = Name::parse("Ana María de la Cruz Ñahui").expect("a name");
        let similarity = name.similarity(&other);
        assert!((0.0..=1.0).contains(&similarity));
        assert!((other.similarity(&name) - similarity).abs() < f64::EPSILON);
    }
}

/// Any text as a plate.
pub(crate) fn plate(raw: &str) {
    if let Ok(plate) = Plate::parse(raw) {
        assert!(plate.as_u64() > 0);
        assert!(raw.chars().any(char::is_alphanumeric), "there is nothing to read");
    }
}

/// Any text as a date of birth.
pub(crate) fn birth_date(raw: &str) {
    for region in [None, Region::parse("US").ok()] {
        let Ok(date) = BirthDate::parse(raw, region) else { continue };
        let number = date.as_u32();
        let text = format!("{}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100);
        assert!(BirthDate::parse(&text, region) == Ok(date), "a second pass changes nothing");
    }
}

/// Any text as a policy in JSON.
pub(crate) fn policy(text: &str) {
    match Policy::from_json(text) {
        Ok(policy) => {
            let json = serde_json::to_string(policy.rules()).expect("rules are plain data");
            let again = Policy::from_json(&json).expect("what was written is read");
            assert_eq!(again.hash(), policy.hash());
            let _ = Normaliser::new(policy.normalise_options(Region::parse("PE").expect("Peru")))
                .unwrap();
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Text of the signs that rules look at, with some that none expects.
    fn near() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[0-9 +().-]{0,20}",
            "[A-Z]{0,4}[0-9]{0,14}[A-Z0-9]{0,3}",
            "[a-z0-9.+_'-]{0,12}@[a-z0-9.-]{0,14}",
            "[ -~ñÑáÀ９٣\u{200b}\u{a0}]{0,40}",
            "(tel:|mailto:|<|\")?[+0-9a-z@.;=:-]{0,30}",
            "[0-9]{1,4}[/.-][0-9]{1,2}[/.-][0-9]{1,4}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn no_garbage_panics_as_a_phone(raw in near()) {
            super::phone(&raw);
        }

        #[test]
        fn no_garbage_panics_as_a_document(raw in near()) {
            super::document(&raw);
        }

        #[test]
        fn no_garbage_panics_as_an_address(raw in near()) {
            super::email(&raw);
        }

        #[test]
        fn no_garbage_panics_as_a_name(raw in near()) {
            super::name(&raw);
        }

        #[test]
        fn no_garbage_panics_as_a_plate(raw in near()) {
            super::plate(&raw);
        }

        #[test]
        fn no_garbage_panics_as_a_date_of_birth(raw in near()) {
            super::birth_date(&raw);
        }

        #[test]
        fn no_garbage_panics_as_a_policy(
            field in prop::sample::select(vec!["version", "precedence", "phone", "weak", "accept", "addresses"]),
            value in prop_oneof![near(), "[{}:\",0-9a-z\\[\\] .-]{0,40}"],
        ) {
            super::policy(&value);
            super::policy(&format!("{{\"{field}\": {value}}}"));
        }
    }
}
