//! How written documents become keys.

use identity_matching::{
    DocumentType, DocumentTypeId, DocumentTypes, Field, KeyForm, NormaliseOptions, Normalised,
    Normaliser, Placeholders, RawDocument, Reading, Record, Region, UnusableReason,
};
use proptest::prelude::*;

pub(crate) fn region(code: &str) -> Region {
    Region::parse(code).expect("a region of the test")
}

fn read_document(document: RawDocument) -> Normalised {
    Normaliser::for_region(region("PE"))
        .normalise(&Record { documents: vec![document], ..Record::default() })
}

fn read(country: &str, kind: &str, number: &str) -> Normalised {
    read_document(RawDocument::typed(country, kind, number))
}

/// The canonical number of the type itself, whatever its form.
fn canonical(country: &str, kind: &str, number: &str) -> Option<String> {
    let normalised = read(country, kind, number);
    let own = normalised.keys().iter().find(|held| held.form != KeyForm::Derived)?;
    normalised.text(own.key).map(std::borrow::Cow::into_owned)
}

fn reason(country: &str, kind: &str, number: &str) -> Option<UnusableReason> {
    let normalised = read(country, kind, number);
    assert!(normalised.keys().is_empty(), "{kind} {number}: {normalised:?}");
    normalised.unusable().first().map(|unusable| unusable.reason)
}

#[test]
fn every_type_has_its_canonical_number() {
    for (country, kind, written, expected) in [
        ("PE", "DNI", "45678912", "45678912"),
        ("PE", "dni", " 4567891-2 ", "45678912"),
        ("PE", "DNI", "10117410-2", "10117410"),
        ("PE", "DNI", "7654329", "07654329"),
        ("PE", "DNI", "DNI: 45678912", "45678912"),
        ("PE", "DNI", "45678912.0", "45678912"),
        ("PE", "RUC", "20512333797", "20512333797"),
        ("PE", "CE", "1234569", "001234569"),
        ("ES", "DNI", "54362315-K", "54362315K"),
        ("ES", "DNI", "54362315", "54362315K"),
        ("ES", "NIE", "x-2482300w", "X2482300W"),
        ("ES", "NIE", "X02482300W", "X2482300W"),
        ("ES", "CIF", "J99216582", "J99216582"),
        ("ES", "CIF", "J9921658B", "J99216582"),
        ("ES", "CIF", "P8800002-1", "P8800002A"),
        ("ES", "NIF", "ES B-58378431", "B58378431"),
        ("ES", "NIF", "M-2734510-V", "M2734510V"),
        ("CO", "CC", "1.020.304.056", "1020304056"),
        ("CO", "NIT", "213.123.432-1", "2131234321"),
        ("CO", "NIT", "800.197.268", "8001972684"),
        ("CL", "RUT", "12.531.909-2", "125319092"),
        ("CL", "run", "7.654.329-1", "076543291"),
        ("AR", "DNI", "20.123.456", "20123456"),
        ("AR", "DNI", "5.536.168", "05536168"),
        ("AR", "CUIT", "20-05536168-2", "20055361682"),
        ("BR", "CPF", "390.533.447-05", "39053344705"),
        ("BR", "CNPJ", "16.727.230/0001-97", "16727230000197"),
        ("BR", "CNPJ", "12.ABC.345/01DE-35", "12ABC34501DE35"),
        ("BR", "CNPJ", "191", "00000000000191"),
        ("MX", "CURP", "BOXW310820HNERXN09", "BOXW310820HNERXN09"),
        ("MX", "RFC", "GODE 561231 GR8", "GODE561231GR8"),
        ("MX", "RFC", "mab-930714-8t4", "MAB9307148T4"),
        ("MX", "RFC", "ÑUÑ&930714-8T4", "ÑUÑ&9307148T4"),
        ("EC", "CI", "171430710-3", "1714307103"),
        ("EC", "RUC", "1792060346-001", "1792060346001"),
        ("DE", "PASSPORT", "c01x00t47", "C01X00T47"),
        ("PE", "Pasaporte", "XÁ 123456", "XA123456"),
        ("PE", "Brevete", "q-45678912", "Q45678912"),
        ("PE", "dni", "４５６７８９１２", "45678912"),
    ] {
        let expected = (expected != "00000000000191").then_some(expected);
        assert_eq!(
            canonical(country, kind, written).as_deref(),
            expected,
            "{country} {kind} {written}"
        );
    }
}

#[test]
fn derived_documents_equal_those_they_carry() {
    for (country, kind, number, carried_kind, carried) in [
        ("PE", "RUC", "10101174102", "DNI", "10117410"),
        ("PE", "RUC", "10054148289", "DNI", "05414828"),
        ("AR", "CUIT", "20-05536168-2", "DNI", "5536168"),
        ("EC", "RUC", "1714307103001", "CI", "1714307103"),
        ("CO", "NIT", "79456129-6", "CC", "79456129"),
    ] {
        let carrier = read(country, kind, number);
        let derived = carrier.keys().iter().find(|held| held.form == KeyForm::Derived);
        let own = read(country, carried_kind, carried);
        assert_eq!(derived.map(|held| held.key), Some(own.keys()[0].key), "{kind} {number}");
        assert_eq!(own.keys()[0].form, KeyForm::Exact);
    }
    assert_eq!(read("PE", "RUC", "20512333797").keys().len(), 1, "a company carries no DNI");
}

#[test]
fn a_nif_is_the_document_that_it_is() {
    for (kind, number) in [("DNI", "54362315K"), ("NIE", "X2482300W"), ("CIF", "B64717838")] {
        let [nif, own] = ["NIF", kind].map(|kind| read("ES", kind, number).keys()[0].key);
        assert_eq!(nif, own, "{kind}");
    }
}

#[test]
fn a_number_that_breaks_its_rule_keeps_the_reason() {
    use UnusableReason::{
        Malformed, NoTypeFits, NotAssigned, UnknownRegion, WrongAlphabet, WrongCheckDigit,
        WrongLength,
    };
    for (country, kind, number, expected) in [
        ("PE", "DNI", "10117410-3", WrongCheckDigit),
        ("PE", "DNI", "4571", WrongLength),
        ("PE", "DNI", "4567A912", WrongAlphabet),
        ("PE", "RUC", "20512333798", WrongCheckDigit),
        ("PE", "RUC", "99512333797", NotAssigned),
        ("ES", "DNI", "54362315Z", WrongCheckDigit),
        ("ES", "NIE", "X2482300A", WrongCheckDigit),
        ("ES", "CIF", "J99216583", WrongCheckDigit),
        ("CO", "NIT", "213.123.432-5", WrongCheckDigit),
        ("CL", "RUT", "12531909-3", WrongCheckDigit),
        ("AR", "CUIT", "20267565392", WrongCheckDigit),
        ("BR", "CPF", "231.002.999-01", WrongCheckDigit),
        ("BR", "CNPJ", "16.727.230.0001-98", WrongCheckDigit),
        ("MX", "CURP", "BOXW310820HNERXN08", WrongCheckDigit),
        ("MX", "CURP", "BOXW311320HNERXN08", NotAssigned),
        ("EC", "CI", "1714307104", WrongCheckDigit),
        ("EC", "CI", "9914307103", NotAssigned),
        ("BR", "CPF", "390.533.447=05", Malformed),
        ("PE", "", "45", NoTypeFits),
        ("XX", "DNI", "45678912", UnknownRegion),
        ("PE", "DNI", "４５６７８９日本", WrongAlphabet),
    ] {
        assert_eq!(reason(country, kind, number), Some(expected), "{country} {kind} {number}");
    }
}

#[test]
fn placeholders_give_no_key_whatever_their_check_digit() {
    for (country, kind, number) in [
        ("PE", "DNI", "00000000"),
        ("PE", "DNI", "99999999"),
        ("PE", "DNI", "12345678"),
        ("PE", "DNI", "87654321"),
        ("BR", "CPF", "111.111.111-11"),
        ("BR", "CPF", "999.999.999-99"),
        ("BR", "CPF", "123.456.789-09"),
        ("CL", "RUT", "11.111.111-1"),
        ("CL", "RUT", "12.345.678-5"),
        ("ES", "DNI", "00000000T"),
        ("ES", "DNI", "12345678Z"),
        ("ES", "NIE", "X0000000T"),
        ("MX", "RFC", "XAXX010101000"),
        ("MX", "RFC", "XEXX010101000"),
        ("MX", "CURP", "XEXX010101HNEXXXA4"),
        ("AR", "CUIT", "20-11111111-2"),
        ("AR", "DNI", "11.111.111"),
        ("EC", "CI", "2222222222"),
        ("EC", "RUC", "9999999999999"),
        ("CO", "NIT", "222222222222"),
        ("CO", "CC", "1234567890"),
        ("PE", "DNI", "no tiene"),
        ("PE", "DNI", "-"),
        ("PE", "DNI", "N/A"),
        ("PE", "PASSPORT", "XXXXXXXX"),
        ("PE", "LICENCIA", "S/N"),
        ("PE", "DNI", "0"),
    ] {
        let expected = Some(UnusableReason::Placeholder);
        assert_eq!(reason(country, kind, number), expected, "{country} {kind} {number}");
    }
}

#[test]
fn listed_numbers_give_no_key() {
    let placeholders = Placeholders::default().with(Field::DOCUMENT, ["456 789-12"]);
    let options = NormaliseOptions::for_region(region("PE")).with_placeholders(placeholders);
    let normalised = Normaliser::new(options).unwrap().normalise(&Record {
        documents: vec![RawDocument::typed("PE", "DNI", "45678912")],
        ..Record::default()
    });
    assert_eq!(normalised.unusable()[0].reason, UnusableReason::Placeholder);
}

#[test]
fn an_untyped_number_says_which_type_it_took() {
    for (country, number, kind) in [
        ("PE", "45678912", "DNI"),
        ("PE", "20512333797", "RUC"),
        ("PE", "101174102", "DNI"),
        ("PE", "001234569", "CE"),
        ("ES", "54362315K", "DNI"),
        ("ES", "X2482300W", "NIE"),
        ("ES", "J99216582", "CIF"),
        ("CO", "79456128", "CC"),
        ("CO", "1020304056", "CC"),
        ("CO", "800197268-4", "NIT"),
        ("CL", "12.531.909-2", "RUT"),
        ("AR", "20055361682", "CUIT"),
        ("AR", "20123456", "DNI"),
        ("BR", "39053344705", "CPF"),
        ("BR", "16727230000197", "CNPJ"),
        ("MX", "BOXW310820HNERXN09", "CURP"),
        ("MX", "GODE561231GR8", "RFC"),
        ("EC", "1714307103", "CI"),
        ("EC", "1792060346001", "RUC"),
    ] {
        let document =
            RawDocument { country: Some(country.into()), ..RawDocument::untyped(number) };
        let normalised = read_document(document);
        let held = normalised.keys().iter().find(|held| held.form == KeyForm::Exact).expect(number);
        assert_eq!(
            held.key.document_type().map(DocumentTypeId::of_person),
            Some(DocumentTypeId::new(region(country), kind)),
            "{country} {number}"
        );
        assert!(held.reading.contains(Reading::TYPE_INFERRED));
        assert_eq!(DocumentTypes::built_in().code(held.key.document_type().unwrap()), Some(kind));
    }
}

#[test]
fn half_filled_columns_are_findings_and_empty_ones_are_not() {
    assert_eq!(reason("PE", "DNI", ""), Some(UnusableReason::Blank));
    assert_eq!(reason("PE", "DNI", " \u{a0}"), Some(UnusableReason::Blank));
    assert_eq!(reason("PE", "", ""), None);
    let unread = Normaliser::default().normalise(&Record {
        documents: vec![RawDocument {
            kind: Some("DNI".into()),
            ..RawDocument::untyped("45678912")
        }],
        ..Record::default()
    });
    assert_eq!(unread.unusable()[0].reason, UnusableReason::NoRegion);
    assert_eq!(
        unread.unusable()[0].to_string(),
        "document 1: the value is local; give a default region or its country"
    );
}

#[test]
fn a_megabyte_is_refused_by_its_length() {
    let long = "7".repeat(1 << 20);
    assert_eq!(reason("PE", "DNI", &long), Some(UnusableReason::TooLong));
    assert_eq!(reason("PE", &long, "45678912"), Some(UnusableReason::TooLong));
    assert_eq!(reason(&long, "DNI", "45678912"), Some(UnusableReason::UnknownRegion));
}

#[test]
fn equal_digits_of_different_types_are_different_keys() {
    let keys = [("PE", "DNI"), ("AR", "DNI"), ("PE", "PASSPORT"), ("PE", "LICENCIA")]
        .map(|(country, kind)| read(country, kind, "45678912").keys()[0].key);
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key));
    }
}

#[test]
fn a_type_cannot_take_a_name_that_is_taken() {
    let taken = DocumentType::new(region("PE"), "Card", |_: &mut _| Err(UnusableReason::Malformed))
        .alias("D.N.I.");
    let conflict = DocumentTypes::built_in().with(taken).unwrap_err();
    assert_eq!(conflict.existing, "DNI");
    assert!(conflict.to_string().contains("choose another"));
}

#[test]
fn every_built_in_type_states_its_source() {
    assert!(DocumentTypes::built_in().iter().count() >= 19);
    assert!(DocumentTypes::built_in().iter().all(|kind| !kind.stated_in().is_empty()));
}

proptest! {
    #[test]
    fn normalising_a_document_is_idempotent(
        country in prop::sample::select(vec!["PE", "ES", "CO", "CL", "AR", "BR", "MX", "EC", "DE"]),
        kind in prop::sample::select(vec![
            "DNI", "RUC", "CE", "NIE", "CIF", "NIF", "CC", "NIT", "RUT", "CUIT", "CPF", "CNPJ",
            "CURP", "RFC", "CI", "PASSPORT", "OTHER",
        ]),
        number in "[XYZABK]?[0-9]{4,14}[A-Z]?",
    ) {
        let Some(text) = canonical(country, kind, &number) else { return Ok(()) };
        // A number with two readings is exact for neither, and each of them may have two of its own.
        let exact = read(country, kind, &number).keys().iter().any(|held| held.form == KeyForm::Exact);
        for written in [text.clone(), format!(" {}-", text.to_lowercase())] {
            let again = read(country, kind, &written);
            let texts = again.keys().iter().filter_map(|held| again.text(held.key));
            prop_assert!(texts.into_iter().any(|read| read == text), "{} of {}", text, written);
            prop_assert!(!exact || canonical(country, kind, &written) == Some(text.clone()));
        }
    }

    #[test]
    fn any_text_gives_letters_and_digits_or_nothing(number in any::<String>(), kind in "[A-Z]{0,4}") {
        for country in ["PE", "ES", "CO", "CL", "AR", "BR", "MX", "EC"] {
            if let Some(text) = canonical(country, &kind, &number) {
                prop_assert!(text.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase() || "Ñ&".contains(c)));
            }
        }
    }
}

#[test]
fn a_name_that_only_hashes_like_a_types_is_not_that_type() {
    let (types, dni) = (DocumentTypes::built_in(), DocumentTypeId::new(region("PE"), "DNI"));
    let colliding = (0..10_000_000_u32)
        .map(|number| format!("X{number}"))
        .find(|name| DocumentTypeId::new(region("PE"), name) == dni)
        .expect("one in 131072 does");
    assert!(types.find(region("PE"), "dni").is_some());
    assert!(types.find(region("PE"), &colliding).is_none(), "{colliding}");
}
