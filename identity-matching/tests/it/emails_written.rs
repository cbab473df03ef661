//! Addresses as people and programs write them, by kind; each table states the source of its right values.

use identity_matching::{
    HeldKey, KeyForm, Normalised, Normaliser, Reading, Record, UnusableReason,
};
use proptest::prelude::*;

fn read(email: &str) -> Normalised {
    Normaliser::default().normalise(&Record { emails: vec![email.into()], ..Record::default() })
}

fn addresses(email: &str) -> Vec<String> {
    let read = read(email);
    let texts = read.keys().iter().map(|held| read.text(held.key).expect("at hand").into_owned());
    let mut addresses: Vec<String> = texts.collect();
    addresses.sort_unstable();
    addresses
}

fn reasons(email: &str) -> Vec<UnusableReason> {
    read(email).unusable().iter().map(|value| value.reason).collect()
}

/// RFC 5322, sections 3.4 and 3.2.2: display names, angle brackets and comments are no part of an address.
#[test]
fn what_stands_around_an_address_is_no_part_of_it() {
    for email in [
        "ana@correo.pe (Ana)",
        "[ana@correo.pe](mailto:ana@correo.pe)",
        "e-mail: ana@correo.pe",
        "Email:ana@correo.pe",
        "Ana ana@correo.pe",
        "\"ana@correo.pe\"",
        "ana@correo.pe'",
        "‘ana@correo.pe’",
        "«ana@correo.pe»",
        "ana@correo.pe!",
        "ana@correo.pe/",
        "*ana@correo.pe",
        "ana@correo.pe*",
        "`ana@correo.pe`",
        "-ana@correo.pe",
        "…ana@correo.pe",
        "Díaz, Ana <ana@correo.pe>",
        "<mailto:ana@correo.pe?subject=x>",
        "email=ana@correo.pe",
        "mi correo es ana@correo.pe",
        "correo 1: ana@correo.pe",
        "Sra. ana@correo.pe",
        "1. ana@correo.pe",
        "2) ana@correo.pe",
    ] {
        assert_eq!(addresses(email), ["ana@correo.pe"], "{email}");
    }
    // Words and codes for the sign (RFC 3986 for %40), and blanks beside it or a dot with nothing else around.
    for email in [
        "ana[at]correo.pe",
        "ana (arroba) correo.pe",
        "ana arroba correo.pe",
        "ana(at)correo(dot)pe",
        "ana%40correo.pe",
        "ana @correo.pe",
        "ana @ correo.pe",
        "ana@ correo.pe",
        "<ana @correo.pe>",
        "(ana@ correo.pe)",
        "[ana[at]correo.pe]",
        "ana@correo .pe",
        "ana@correo. pe",
    ] {
        assert_eq!(addresses(email), ["ana@correo.pe"], "{email}");
    }
    // A blank may part an address: what is left of it is another one.
    for email in [
        "a na@correo.pe",
        "ana diaz @correo.pe",
        "ana diaz arroba correo.pe",
        "ana@correo .pe luis",
        "ana@gmail.co m",
        "ana/luis@correo.pe",
        "ana. diaz@correo.pe",
        "ana_ diaz@correo.pe",
        "a@@b.pe",
    ] {
        assert_eq!(addresses(email), [""; 0], "{email}");
        assert!(!reasons(email).is_empty(), "{email}");
    }
}

#[test]
fn every_address_of_a_cell_is_read_or_told() {
    for email in [
        "ana@correo.pe; luis@casa.pe",
        "ana@correo.pe,luis@casa.pe",
        "ana@correo.pe luis@casa.pe",
        "ana@correo.pe / luis@casa.pe",
        "ana@correo.pe y luis@casa.pe",
        "ana@correo.pe | luis@casa.pe",
        "Ana <ana@correo.pe>, Luis <luis@casa.pe>",
        "ana@correo.pe\nluis@casa.pe",
        "ana@correo.pe\\nluis@casa.pe",
        "ana@correo.pe\\r\\nluis@casa.pe",
        "ana@correo.pe ó luis@casa.pe",
        "ana@correo.pe o bien luis@casa.pe",
    ] {
        assert_eq!(addresses(email), ["ana@correo.pe", "luis@casa.pe"], "{email}");
        assert!(read(email).keys()[0].reading.contains(Reading::SPLIT));
    }
    let half = read("ana@correo.pe; noreply@casa.pe");
    assert_eq!(half.keys().len(), 1);
    assert_eq!(half.unusable()[0].reason, UnusableReason::Placeholder);
}

/// The providers' own help pages, named in the crate's table of providers.
#[test]
fn one_mailbox_under_several_addresses_is_one_key() {
    for (one, other) in [
        ("ana.diaz@me.com", "ana.diaz@icloud.com"),
        ("ana.diaz@mac.com", "ana.diaz@me.com"),
        ("ana-diaz@protonmail.com", "anadiaz@proton.me"),
        ("anadiaz@pm.me", "ana.diaz@proton.me"),
        ("ana@ya.ru", "ana@yandex.com"),
        ("ana@yandex.kz", "ana@yandex.com.tr"),
        ("compras@ana.fastmail.com", "ana@fastmail.com"),
        ("x@ana.fastmail.fm", "ana+x@fastmail.fm"),
        ("ana+x@hotmail.com.pe", "ana@hotmail.com.pe"),
        ("ana+x@outlook.jp", "ana@outlook.jp"),
        ("ana+x@live.es", "ana@live.es"),
    ] {
        assert_eq!(addresses(one), addresses(other), "{one} {other}");
    }
    for (one, other) in [
        ("ana@hotmail.com", "ana@hotmail.es"),
        ("ana.diaz@outlook.com", "anadiaz@outlook.com"),
        ("ana-promo@yahoo.com", "ana@yahoo.com"),
        ("ana@fastmail.com", "ana@fastmail.fm"),
        ("ana@www.fastmail.com", "www@fastmail.com"),
        ("x@ana.gmail.com", "ana@gmail.com"),
        ("ana+x@empresa.pe", "ana@empresa.pe"),
    ] {
        assert_ne!(addresses(one), addresses(other), "{one} {other}");
    }
}

#[test]
fn a_typing_error_is_told_and_changes_no_key() {
    for (email, meant) in [
        ("ana.diaz7@gmial.com", Some("anadiaz7@gmail.com")),
        ("ana.diaz7@gmail.con", Some("anadiaz7@gmail.com")),
        ("ana.diaz7+club@gmial.con", Some("anadiaz7@gmail.com")),
        ("ana.diaz7@hotmial.com", Some("ana.diaz7@hotmail.com")),
        ("ana.diaz7@yaho.com", Some("ana.diaz7@yahoo.com")),
        ("ana.diaz7@correo.con", Some("ana.diaz7@correo.com")),
        ("ana.diaz7@gmail.com.pe", Some("anadiaz7@gmail.com")),
        ("ana.diaz7@www.correo.pe", Some("ana.diaz7@correo.pe")),
        ("ana.diaz7@www.gmail.com", Some("anadiaz7@gmail.com")),
        // Spain's or France's: nobody can tell.
        ("ana.diaz7@hotmail.er", None),
    ] {
        let read = read(email);
        let text = |held: &HeldKey| read.text(held.key).expect("at hand").into_owned();
        let of = |form| read.keys().iter().filter(move |held| held.form == form).map(text);
        assert_eq!(of(KeyForm::Exact).collect::<Vec<_>>(), [email], "{email}");
        assert_eq!(
            of(KeyForm::Supposed).collect::<Vec<_>>(),
            meant.into_iter().collect::<Vec<_>>()
        );
        assert_eq!(reasons(email), [UnusableReason::LikelyTypo], "{email}");
    }
    assert_eq!(reasons("test\u{43e}.diaz@gmail.com"), [UnusableReason::MixedScripts]);
    assert_eq!(reasons("ana@c\u{43e}rreo.pe"), [UnusableReason::MixedScripts]);
    assert_eq!(reasons("peña@cañón.pe"), []);
}

#[test]
fn fillers_of_forms_are_nobodys_address() {
    for email in [
        "aaaa@aaaa.com",
        "asdasd@asdasd.com",
        "qwerty@gmail.com",
        "email@email.com",
        "usuario@gmail.com",
        "cliente@gmail.com",
        "noaplica@gmail.com",
        "test1@test.com",
        "sin@correo.com",
        "no@tiene.com",
        "no@gmail.com",
        "nulo@hotmail.com",
        "desconocido@gmail.com",
        "actualizar@gmail.com",
        "semmail@semmail.com",
    ] {
        assert_eq!(reasons(email), [UnusableReason::Placeholder], "{email}");
    }
    for email in
        ["anam@anam.pe", "anna@gmail.com", "testino@gmail.com", "sara@correo.com", "noe@tienda.com"]
    {
        assert_eq!(addresses(email), [email], "{email}");
    }
}

proptest! {
    #[test]
    fn what_stands_around_an_address_never_makes_it_another(
        local in "[a-z][a-z0-9._-]{0,8}[a-z0-9]",
        domain in "[a-z]{2,8}\\.(pe|com|com\\.pe)",
        before in prop::sample::select(vec!["", " ", "correo: ", "Ana ", "<", "\"", "(", "-", "*", "x ", "ma "]),
        after in prop::sample::select(vec!["", " ", ">", "\"", " (Ana)", ";", "!", " casa", " m", ","]),
    ) {
        let address = format!("{local}@{domain}");
        let (plain, around) = (addresses(&address), addresses(&format!("{before}{address}{after}")));
        prop_assert!(around.is_empty() || around == plain, "{:?} and {:?}", around, plain);
    }
}
