//! What a key is and shows.

use identity_matching::{
    KeyForm, KeyKind, Normaliser, RawDocument, Record, Region, Rule, UnusableReason,
};

fn peru() -> Normaliser {
    Normaliser::for_region(Region::parse("PE").expect("PE is a region"))
}

#[test]
fn a_key_shows_only_a_masked_value() {
    let normalised = peru().normalise(&Record {
        phones: vec!["987 654 321".into()],
        documents: vec![RawDocument::typed("PE", "DNI", "45678912")],
        emails: vec!["ana.diaz@correo.pe".into()],
        ..Record::default()
    });
    let shown = format!("{normalised:?}");
    assert!(shown.contains("+51*****4321"), "{shown}");
    assert!(!shown.contains("987654321") && !shown.contains("45678912"), "{shown}");
    assert!(!shown.contains("ana"), "{shown}");
}

#[test]
fn keys_come_in_the_order_of_precedence_and_once() {
    let normalised = peru().normalise(&Record {
        phones: vec!["987 654 321".into(), "+51987654321".into()],
        documents: vec![RawDocument::typed("PE", "DNI", "45678912")],
        emails: vec!["ana@correo.pe".into()],
        ..Record::default()
    });
    let kinds: Vec<_> = normalised.keys().iter().map(|held| held.key.kind()).collect();
    assert_eq!(kinds, [KeyKind::DOCUMENT, KeyKind::PHONE, KeyKind::EMAIL]);
    assert!(normalised.keys().iter().all(|held| held.form == KeyForm::Exact));
}

#[test]
fn forms_and_reasons_are_read_as_they_are_written() {
    for form in [KeyForm::Exact, KeyForm::Derived, KeyForm::Alias, KeyForm::Supposed] {
        assert_eq!(form.to_string().parse(), Ok(form));
    }
    let refused = KeyForm::try_from("Exact").unwrap_err();
    assert!(refused.to_string().contains("use exact, derived, alias or supposed"));
    for reason in UnusableReason::ALL {
        assert_eq!(UnusableReason::try_from(reason.code()), Ok(reason));
    }
    assert_eq!(Rule::try_from("PHONE_EXACT"), Ok(Rule::PHONE_EXACT));
}
