//! How written addresses become keys.

use identity_matching::{
    EmailProvider, EmailRules, Field, HashKey, NormaliseOptions, Normalised, Normaliser,
    Placeholders, Reading, Record, UnusableReason,
};
use proptest::prelude::*;

fn read_by(options: NormaliseOptions, email: &str) -> Normalised {
    Normaliser::new(options)
        .unwrap()
        .normalise(&Record { emails: vec![email.into()], ..Record::default() })
}

fn read(email: &str) -> Normalised {
    read_by(NormaliseOptions::default(), email)
}

fn canonical_of(normalised: &Normalised) -> Option<String> {
    let held = normalised.keys().first()?;
    normalised.text(held.key).map(std::borrow::Cow::into_owned)
}

fn canonical(email: &str) -> Option<String> {
    canonical_of(&read(email))
}

fn reason(email: &str) -> Option<UnusableReason> {
    let normalised = read(email);
    assert!(normalised.keys().is_empty(), "{email}: {normalised:?}");
    normalised.unusable().first().map(|unusable| unusable.reason)
}

#[test]
fn an_address_has_one_canonical_form() {
    for (email, expected) in [
        ("Ana.Diaz@Correo.PE", "ana.diaz@correo.pe"),
        ("  ana@correo.pe\n", "ana@correo.pe"),
        ("ana@correo.pe.", "ana@correo.pe"),
        ("ana@correo.pe;", "ana@correo.pe"),
        ("<ana@correo.pe>", "ana@correo.pe"),
        (".ana@correo.pe", "ana@correo.pe"),
        ("Ana Díaz <ana@correo.pe>", "ana@correo.pe"),
        ("mailto:ana@correo.pe?subject=Hola", "ana@correo.pe"),
        ("\"ana\"@correo.pe", "ana@correo.pe"),
        ("ａｎａ＠ｃｏｒｒｅｏ．ｐｅ", "ana@correo.pe"),
        ("\u{feff}ana\u{200b}@correo.pe", "ana@correo.pe"),
        ("peña@correo.pe", "peña@correo.pe"),
        ("PEN\u{303}A@correo.pe", "peña@correo.pe"),
        ("ana@CAÑÓN.pe", "ana@xn--can-8mak.pe"),
        ("ana@xn--can-8mak.pe", "ana@xn--can-8mak.pe"),
        ("ana@cañón。pe", "ana@xn--can-8mak.pe"),
        ("a+b@correo.pe", "a+b@correo.pe"),
        ("o'hara_9@sub.correo.com.pe", "o'hara_9@sub.correo.com.pe"),
    ] {
        assert_eq!(canonical(email).as_deref(), Some(expected), "{email}");
    }
}

#[test]
fn providers_join_what_reaches_one_mailbox() {
    for (email, expected) in [
        ("A.na.Diaz+promo@googlemail.com", "anadiaz@gmail.com"),
        ("anadiaz@gmail.com", "anadiaz@gmail.com"),
        ("ana.diaz+x@outlook.com", "ana.diaz@outlook.com"),
        ("ana.diaz+x@hotmail.es", "ana.diaz@hotmail.es"),
        ("ana+x@live.com", "ana@live.com"),
        ("ana+x@icloud.com", "ana@icloud.com"),
        ("ana+x+y@fastmail.com", "ana@fastmail.com"),
        ("ana+x@proton.me", "ana@proton.me"),
        ("ana.diaz+x@yahoo.com", "ana.diaz+x@yahoo.com"),
    ] {
        assert_eq!(canonical(email).as_deref(), Some(expected), "{email}");
    }
    let marks = |email| read(email).keys()[0].reading;
    assert!(marks("ana.diaz@gmail.com").contains(Reading::PROVIDER_RULES));
    assert!(!marks("anadiaz@gmail.com").contains(Reading::PROVIDER_RULES));
}

#[test]
fn provider_rules_are_data() {
    let mut rules = EmailRules::default();
    rules.providers.clear();
    let options = NormaliseOptions::default().with_email_rules(rules.clone());
    let plain = canonical_of(&read_by(options, "a.na+x@gmail.com"));
    assert_eq!(plain.as_deref(), Some("a.na+x@gmail.com"));

    rules.providers.push(EmailProvider::new(["correo.pe"]).with_tag('-'));
    let options = NormaliseOptions::default().with_email_rules(rules);
    assert_eq!(
        canonical_of(&read_by(options, "ana-x@correo.pe")).as_deref(),
        Some("ana@correo.pe")
    );
}

#[test]
fn what_is_no_address_of_a_person_keeps_its_reason() {
    use UnusableReason::{DisposableAddress, Malformed, Placeholder, RoleAddress, TooLong};
    let long_local = format!("{}@correo.pe", "a".repeat(65));
    let long_label = format!("ana@{}.pe", "a".repeat(64));
    let long = format!("ana@{}pe", "a.".repeat(150));
    for (email, expected) in [
        ("test@test.com", Placeholder),
        ("test@gmail.com", Placeholder),
        ("no-reply@correo.pe", Placeholder),
        ("NoReply@correo.pe", Placeholder),
        ("no_tiene@correo.pe", Placeholder),
        ("sin.correo@gmail.com", Placeholder),
        ("ana@example.com", Placeholder),
        ("ana@mail.example.org", Placeholder),
        ("ana@correo.test", Placeholder),
        ("ana@correo.invalid", Placeholder),
        ("a@a.com", Placeholder),
        ("xxx@xxx.com", Placeholder),
        ("123456@correo.pe", Placeholder),
        ("no tiene", Placeholder),
        ("n/a", Placeholder),
        ("-", Placeholder),
        ("info@correo.pe", RoleAddress),
        ("Ventas@correo.com.pe", RoleAddress),
        ("ana@mailinator.com", DisposableAddress),
        ("ana", Malformed),
        ("'@gmail.com", Malformed),
        ("ana@", Malformed),
        ("@correo.pe", Malformed),
        ("ana@correo", Malformed),
        ("ana@correo..pe", Malformed),
        ("ana@-correo.pe", Malformed),
        ("ana@correo-.pe", Malformed),
        ("ana@correo.p", Malformed),
        ("ana@127.0.0.1", Malformed),
        ("ana@[127.0.0.1]", Malformed),
        ("ana.@correo.pe", Malformed),
        ("a..na@correo.pe", Malformed),
        ("ana diaz@correo.pe", Malformed),
        ("ana@ana@correo.pe", Malformed),
        ("+x@gmail.com", Malformed),
        ("ana@cor_reo.pe", Malformed),
        ("ana@xn--zzzzzzz--.pe", Malformed),
        (long_local.as_str(), Malformed),
        (long_label.as_str(), Malformed),
        (long.as_str(), TooLong),
    ] {
        assert_eq!(reason(email), Some(expected), "{email}");
    }
}

#[test]
fn nothing_written_is_nothing_read() {
    for email in ["", "  ", "\u{a0}\u{200b}"] {
        assert_eq!(reason(email), None, "{email:?}");
    }
}

#[test]
fn a_megabyte_is_refused_by_its_length() {
    assert_eq!(reason(&"a@".repeat(1 << 19)), Some(UnusableReason::TooLong));
}

#[test]
fn listed_addresses_and_domains_give_no_key() {
    let placeholders =
        Placeholders::default().with(Field::EMAIL, ["Clientes@Correo.pe", "@propia.pe"]);
    for email in ["clientes@correo.pe", "ana@propia.pe"] {
        let options = NormaliseOptions::default().with_placeholders(placeholders.clone());
        assert_eq!(read_by(options, email).unusable()[0].reason, UnusableReason::Placeholder);
    }
}

#[test]
fn keys_under_different_secrets_do_not_compare() {
    let secret = NormaliseOptions::default().with_hash_key(HashKey::new([7; 16]));
    let key = read_by(secret, "ana@correo.pe").keys()[0].key;
    assert_ne!(key, read("ana@correo.pe").keys()[0].key);
    assert!(key.is_hashed());
}

proptest! {
    #[test]
    fn normalising_an_address_is_idempotent(
        email in "[a-zA-Z0-9.+_%'-]{1,12}@(gmail\\.com|outlook\\.com|[a-zñ0-9-]{1,8}\\.(com|pe|es))"
    ) {
        if let Some(text) = canonical(&email) {
            prop_assert_eq!(canonical(&text), Some(text.clone()));
            prop_assert_eq!(canonical(&format!(" <{}> ", text.to_uppercase())), Some(text));
        }
    }

    #[test]
    fn the_plain_path_reads_as_the_full_one_does(
        email in "[ a-zA-Z0-9.+_%'-]{1,12}@[a-zA-Z0-9.-]{1,14}"
    ) {
        // Angle brackets send the same address the long way.
        prop_assert_eq!(canonical(&format!("<{email}>")), canonical(&email));
    }

    #[test]
    fn any_text_gives_a_name_and_a_domain_or_nothing(email in any::<String>()) {
        if let Some(text) = canonical(&email) {
            let (local, domain) = text.rsplit_once('@').unwrap();
            prop_assert!(!local.is_empty() && domain.is_ascii() && domain.contains('.'));
        }
    }

    #[test]
    fn address_like_text_never_panics(email in "[a-z@.<>\"+ñ ;:-]{0,40}") {
        let _ = read(&email);
    }
}
