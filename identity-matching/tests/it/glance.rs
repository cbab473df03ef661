//! The look at raw values: whoever could match is never passed over, whatever is written.

use std::collections::BTreeSet;

use identity_matching::{
    DocumentTypes, EmailProvider, Key, KeyKind, NormaliseOptions, Normalised, Normaliser, OwnKind,
    OwnKindRules, RawValue, Region,
    index::{Glance, SubjectKeys},
};
use proptest::prelude::*;

const REGIONS: [&str; 8] = ["PE", "AR", "BR", "MX", "CL", "CO", "ES", "EC"];

/// One value of a kind, with what stands beside it.
#[derive(Clone, Debug)]
struct Value {
    kind: &'static str,
    country: String,
    of: String,
    text: String,
}

fn values() -> impl Strategy<Value = Value> {
    let digits =
        "[+0]{0,2}[0-9]{4,16}|[0-9]{2,4}[ .-]?[0-9]{3,4}[ .-]?[0-9]{3,4}( ?/ ?[0-9]{6,9})?";
    let phone = prop_oneof![
        digits,
        "(\\+|00)?(54|55|52|51|56|57|34)(9|1|15|11)?[0-9]{8,10}",
        "(0?11|0351)? ?15 ?[0-9]{6,8}",
        "[0-9]{9}( (ext|anexo) [0-9]{1,3}|\\.0)?",
    ];
    let document =
        prop_oneof!["[0-9]{5,14}", "[0-9.-]{6,14}[0-9Kk]?", "(10|20)[0-9]{9}", "0{0,4}[0-9]{8}"];
    let types: Vec<String> = DocumentTypes::built_in()
        .iter()
        .map(|kind| kind.code().to_owned())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .chain([String::new(), "carnet".to_owned(), "Doc. identidad".to_owned()])
        .collect();
    let beside = (
        proptest::sample::select([&REGIONS[..], &["", "Peru", "XX"]].concat()),
        proptest::sample::select(types),
    );
    let host = "(gmail\\.com|googlemail\\.com|GMAIL\\.com|hotmail\\.es|proton\\.me|yahoo\\.com|fastmail\\.com|ana\\.fastmail\\.com|correo\\.pe|mail\\.correo\\.com\\.pe|own\\.pe|gmial\\.com)";
    let email = (
        "[A-Za-z0-9]{1,3}[A-Za-z0-9._=!+-]{0,6}",
        proptest::string::string_regex(host).expect("a pattern"),
        "( |;|,b@correo\\.pe|>)?",
    )
        .prop_map(|(local, host, behind)| format!("{local}@{host}{behind}"));
    let odd = "\\PC{0,20}";
    let value = |kind, country: &str, of: &str, text| Value {
        kind,
        country: country.to_owned(),
        of: of.to_owned(),
        text,
    };
    prop_oneof![
        4 => phone.prop_map(move |text| value("phone", "", "", text)),
        4 => (beside, document).prop_map(move |((country, of), text)| {
            value("document", country, &of, text)
        }),
        4 => email.prop_map(move |text| value("email", "", "", text)),
        1 => (proptest::sample::select(vec!["phone", "document", "email", "loyalty"]), odd)
            .prop_map(move |(kind, text)| value(kind, "", "", text)),
        1 => "[0-9]{8}".prop_map(move |text| value("loyalty", "", "", text)),
    ]
}

fn normaliser(region: usize, own_provider: bool, tail: u8) -> Normaliser {
    let region = Region::parse(REGIONS[region]).unwrap();
    let loyalty = OwnKindRules { lengths: (8, 8), ..OwnKindRules::of("loyalty".parse().unwrap()) };
    let mut options =
        NormaliseOptions::for_region(region).with_kind(OwnKind::new(loyalty).unwrap()).unwrap();
    options.phone_tail_digits = tail;
    if own_provider {
        // Tags and signs that no other provider has.
        let mut own = EmailProvider::new(["own.pe"]).with_tag('=');
        own.ignored_signs.push('!');
        options.email_rules.providers.push(own);
    }
    Normaliser::new(options).unwrap()
}

fn read<'a>(normaliser: &'a Normaliser, value: &Value, out: &'a mut Normalised) -> &'a Normalised {
    let mut reader = normaliser.read_into(out);
    let raw = RawValue { value: &value.text, kind: &value.of, country: &value.country };
    reader.value(value.kind.parse().unwrap(), raw);
    reader.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_that_gives_a_key_of_a_subject_is_never_passed_over(
        value in values(),
        other in values(),
        region in 0..REGIONS.len(),
        own_provider: bool,
        tail in 6..=12_u8,
    ) {
        let normaliser = normaliser(region, own_provider, tail);
        let mut buffer = Normalised::default();
        let own = read(&normaliser, &value, &mut buffer).clone();
        // Each key of its own, as one subject would hold it alone, and all of them beside those of another value.
        let mut all = SubjectKeys::default();
        all.add(&own);
        all.add(read(&normaliser, &other, &mut buffer));
        let mut strong = SubjectKeys::default();
        strong.add_strong(&own);
        for (keys, matters) in [
            (all, !own.keys().is_empty() || !own.blocking_keys().is_empty()),
            (strong, !own.keys().is_empty()),
        ] {
            let filter = keys.filter();
            let mut glance = Glance::new(&filter, &normaliser);
            // What stood there before leaves no trace.
            for seen in [&other, &value] {
                glance.begin(None);
                let raw = RawValue { value: &seen.text, kind: &seen.of, country: &seen.country };
                glance.value(seen.kind.parse().unwrap(), raw);
            }
            prop_assert!(glance.may_matter() || !matters, "{value:?}");
        }
    }

    #[test]
    fn two_values_of_one_key_are_seen_as_one(
        one in values(),
        other in values(),
        region in 0..REGIONS.len(),
    ) {
        let normaliser = normaliser(region, false, 8);
        let mut buffer = Normalised::default();
        let keys = |value: &Value, buffer: &mut Normalised| -> BTreeSet<Key> {
            read(&normaliser, value, buffer).keys().iter().map(|held| held.key).collect()
        };
        let (first, second) = (keys(&one, &mut buffer), keys(&other, &mut buffer));
        let mut subject = SubjectKeys::default();
        subject.add_strong(read(&normaliser, &one, &mut buffer));
        let filter = subject.filter();
        let mut glance = Glance::new(&filter, &normaliser);
        glance.begin(None);
        let raw = RawValue { value: &other.text, kind: &other.of, country: &other.country };
        glance.value(other.kind.parse().unwrap(), raw);
        prop_assert!(glance.may_matter() || first.is_disjoint(&second), "{one:?} {other:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_buffer_held_before_changes_nothing(
        values in proptest::collection::vec(values(), 2..6),
        regions in proptest::collection::vec(0..REGIONS.len(), 2),
    ) {
        // Two normalisers take turns, and each value is read twice: what stood beside it is known then.
        let normalisers = [normaliser(regions[0], false, 8), normaliser(regions[1], true, 8)];
        let mut buffer = Normalised::default();
        for value in values.iter().chain(&values) {
            for normaliser in &normalisers {
                for _ in 0..2 {
                    let fresh = read(normaliser, value, &mut Normalised::default()).clone();
                    prop_assert_eq!(read(normaliser, value, &mut buffer), &fresh, "{:?}", value);
                }
            }
        }
    }
}

#[test]
fn plain_values_of_strangers_are_passed_over() {
    let normaliser = normaliser(0, false, 8);
    let mut subject = SubjectKeys::default();
    let lead = normaliser.normalise(&identity_matching::Record {
        phones: vec!["987 654 321".into()],
        emails: vec!["Ana.Rojas+web@gmail.com".into()],
        documents: vec![identity_matching::RawDocument::typed("PE", "RUC", "10456789124")],
        ..Default::default()
    });
    subject.add_strong(&lead);
    let filter = subject.filter();
    let mut glance = Glance::new(&filter, &normaliser);
    let mut matters = |kind: KeyKind, of: &str, text: &str| {
        glance.begin(None);
        glance.value(
            kind,
            RawValue { value: text, kind: of, country: if of.is_empty() { "" } else { "PE" } },
        );
        glance.may_matter()
    };
    for (kind, of, text, expected) in [
        (KeyKind::PHONE, "", "+51987654321", true),
        (KeyKind::PHONE, "", "+51 987-654-322", false),
        (KeyKind::PHONE, "", "987654321 o 987654322", true),
        (KeyKind::EMAIL, "", "anarojas@googlemail.com", true),
        (KeyKind::EMAIL, "", "luis.rojas@gmail.com", false),
        // The DNI within the lead's RUC.
        (KeyKind::DOCUMENT, "DNI", "45678912", true),
        (KeyKind::DOCUMENT, "DNI", "45678913", false),
        (KeyKind::DOCUMENT, "DNI", "DNI 45678913", true),
        ("loyalty".parse().unwrap(), "", "12345678", true),
    ] {
        assert_eq!(matters(kind, of, text), expected, "{text}");
    }
}
