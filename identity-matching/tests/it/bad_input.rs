//! Input that nobody would send on purpose: each value is read, or is a finding that says where and why.

use identity_matching::{
    DeterministicMatcher, DocumentTypeId, Field, Matcher, Normaliser, Policy, RawDocument, Reading,
    Record, Region, Rejections, UnmatchedReason, UnusableReason,
    index::{CandidateIndex, InRead, IndexError},
};
use proptest::{collection::vec, prelude::*};

use crate::decisions::{matcher, normaliser, phone, record};

/// One value in every field.
fn everywhere(value: &str) -> Record {
    let country = RawDocument { country: Some(value.into()), ..RawDocument::untyped("45678913") };
    Record {
        phones: vec![value.into()],
        documents: vec![
            RawDocument::untyped(value),
            RawDocument::typed("PE", value, "45678913"),
            country,
        ],
        emails: vec![value.into()],
        name: Some(value.into()),
        plate: Some(value.into()),
        birth_date: Some(value.into()),
        ..Record::default()
    }
}

#[test]
fn a_megabyte_in_any_field_is_a_finding_of_that_field_and_nothing_else() {
    let persons = [("P1", phone(record(), "987654312"))];
    let matcher = matcher(&persons, Policy::default());
    for sign in ["7", "a", "ñ", "٣", "\u{200b}", "A1", "a@b.pe,", "+51 ", "1987-03-21 "] {
        let lead = everywhere(&sign.repeat((1 << 20) / sign.len()));
        let decision = matcher.decide_one(&lead).unwrap();
        assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::MissingIdentifiers));
        let found: Vec<_> = decision
            .evidence
            .unusable
            .iter()
            .map(|value| (value.source.field, value.source.position, value.reason))
            .collect();
        let long = UnusableReason::TooLong;
        assert_eq!(
            found,
            [
                (Field::DOCUMENT, 0, long),
                (Field::DOCUMENT, 1, long),
                (Field::DOCUMENT, 2, UnusableReason::UnknownRegion),
                (Field::PHONE, 0, long),
                (Field::EMAIL, 0, long),
                (Field::Name, 0, long),
                (Field::Plate, 0, long),
                (Field::BirthDate, 0, long),
            ],
            "{sign}"
        );
        assert!(decision.evidence.to_json().len() < 2_000, "evidence repeats no value");
        assert!(matcher.explain(&lead).unwrap().to_string().len() < 20_000);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_field_are_read_or_a_finding(bytes in vec(any::<u8>(), 0..60), sign in "[A-Za-z0-9]") {
        // A visible sign, so that no field is blank.
        let lead = everywhere(&format!("{}{sign}", String::from_utf8_lossy(&bytes)));
        let normalised = normaliser().normalise(&lead);
        let places = (0..3).map(|at| (Field::DOCUMENT, at)).chain([(Field::PHONE, 0), (Field::EMAIL, 0)]);
        for (field, position) in places {
            let of = |source: identity_matching::ValueSource| source.field == field && source.position == position;
            let read = normalised.keys().iter().any(|held| of(held.source));
            // Two documents that come to one key are one key, of the first.
            let same = field == Field::DOCUMENT
                && normalised.keys().iter().any(|held| held.source.field == field);
            let found = normalised.unusable().iter().any(|value| of(value.source));
            prop_assert!(read || same || found, "{field:?} {position}");
        }
        let found = |field| normalised.unusable().iter().any(|value| value.source.field == field);
        prop_assert!(normalised.name().is_some() != found(Field::Name));
        // Of several plates one may be read and another not.
        prop_assert!(normalised.plate().is_some() || found(Field::Plate));
        prop_assert!(normalised.birth_date().is_some() != found(Field::BirthDate));
        let persons = [("P1", lead.clone())];
        prop_assert!(matcher(&persons, Policy::default()).explain(&lead).is_ok());
    }
}

fn document(country: &str, kind: &str, number: &str) -> Record {
    Record { documents: vec![RawDocument::typed(country, kind, number)], ..Record::default() }
}

#[test]
fn a_document_whose_columns_contradict_each_other_is_a_finding() {
    for (country, kind, number, reason) in [
        // The letter of Spain's DNI under Peru's type.
        ("PE", "DNI", "54362315K", UnusableReason::WrongCheckDigit),
        ("CL", "RUT", "4567891-3", UnusableReason::WrongCheckDigit),
        ("ES", "DNI", "54362315Z", UnusableReason::WrongCheckDigit),
        ("BR", "CPF", "45678913", UnusableReason::WrongCheckDigit),
        ("MX", "CURP", "45678913", UnusableReason::WrongLength),
        ("PE", "RUC", "45678913", UnusableReason::WrongLength),
        ("ATLANTIS", "DNI", "45678913", UnusableReason::UnknownRegion),
        ("DNI", "PE", "45678913", UnusableReason::UnknownRegion),
    ] {
        let read = normaliser().normalise(&document(country, kind, number));
        assert!(read.keys().is_empty(), "{country} {kind} {number}: {read:?}");
        assert_eq!(read.unusable()[0].reason, reason, "{country} {kind} {number}");
        assert!(!read.unusable()[0].to_string().contains(number));
    }
}

#[test]
fn a_type_that_the_country_does_not_have_is_kept_apart_and_says_so() {
    let lead = document("CL", "CURP", "45678913");
    let read = normaliser().normalise(&lead);
    assert!(read.keys()[0].reading.contains(Reading::OPAQUE));
    let chile = Region::parse("CL").unwrap();
    assert_eq!(read.keys()[0].key.document_type(), Some(DocumentTypeId::new(chile, "CURP")));
    // It is nobody's DNI, and the explanation tells why.
    let persons = [("P1", document("PE", "DNI", "45678913"))];
    let explanation = matcher(&persons, Policy::default()).explain(&lead).unwrap();
    assert_eq!(explanation.decision.outcome.reason(), Some(UnmatchedReason::NoCandidates));
    assert_eq!(explanation.values[0].keys[0].reading, ["opaque"]);
}

#[test]
fn a_document_without_type_or_country_is_read_by_the_region_or_is_a_finding() {
    let bare = Record { documents: vec![RawDocument::untyped("45678913")], ..Record::default() };
    let persons = [("P1", document("PE", "DNI", "45678913"))];
    let explanation = matcher(&persons, Policy::default()).explain(&bare).unwrap();
    assert_eq!(explanation.decision.outcome.person(), Some("P1"));
    assert_eq!(explanation.values[0].keys[0].reading, ["type_inferred"]);
    let nowhere = Normaliser::default().normalise(&bare);
    assert_eq!(nowhere.unusable()[0].reason, UnusableReason::NoRegion);
}

#[test]
fn two_persons_with_one_key_are_a_conflict_that_names_both() {
    let persons =
        [("P1", phone(record(), "987654312")), ("P2", phone(record(), "+51 987 654 312"))];
    let matcher = matcher(&persons, Policy::default());
    let decision = matcher.decide_one(&phone(record(), "987654312")).unwrap();
    assert_eq!(decision.outcome.reason(), Some(UnmatchedReason::ConflictMultipleCandidates));
    let named: Vec<_> = decision.evidence.candidates.iter().map(|c| c.person.as_str()).collect();
    assert_eq!(named, ["P1", "P2"]);
    assert_eq!(matcher.index().most_shared(9)[0].holders, 2);
}

#[test]
fn a_lead_that_stands_there_twice_is_decided_twice_and_alike() {
    let persons = [("P1", phone(record(), "987654312"))];
    let lead = phone(record(), "987654312");
    let decisions = matcher(&persons, Policy::default())
        .decide(&[lead.clone(), lead], &Rejections::default())
        .unwrap();
    assert_eq!(decisions.len(), 2);
    assert_eq!(decisions[0], decisions[1]);
}

#[test]
fn an_unknown_region_is_refused_with_the_code_and_what_to_give() {
    for code in ["QQ", "PERU", "", "P1", "日本", &"P".repeat(1 << 20)] {
        let said = Region::parse(code).unwrap_err().to_string();
        assert!(said.contains("ISO 3166-1"), "{said}");
        assert!(said.len() < 200, "{said}");
    }
    assert!(Region::parse("QQ").unwrap_err().to_string().contains("QQ"));
}

/// An index whose store does not answer.
struct Silent;

impl CandidateIndex for Silent {
    fn read(&self, _: &mut InRead<'_>) -> Result<(), IndexError> {
        Err(IndexError::unavailable(std::io::Error::other("row +51987654312: timed out")))
    }
}

#[test]
fn an_index_that_cannot_be_read_decides_nothing_and_its_error_shows_no_value() {
    let matcher = DeterministicMatcher::new(Silent, normaliser(), Policy::default()).unwrap();
    let error = matcher.decide_one(&phone(record(), "987654312")).unwrap_err();
    let mut said = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = next {
        said.push(error.to_string());
        next = error.source();
    }
    assert!(said.len() > 1 && said.last().unwrap().contains("timed out"), "{said:?}");
    assert!(said[..said.len() - 1].iter().all(|part| !part.contains("987654312")), "{said:?}");
}
