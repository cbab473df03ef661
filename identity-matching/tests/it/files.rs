//! Saving and loading an index, and what becomes of damaged files.

use identity_matching::{
    DeterministicMatcher, HashKey, KeyKind, KindRules, Matcher, Policy, PolicyRules, Record,
    Region, Rejections, Rule,
    index::{FORMAT_VERSION, FileError, InMemoryIndex, WeakEvidence},
};
use proptest::prelude::*;

use crate::support::{card, without_held_values};
use crate::{
    decisions::normaliser,
    laws::{index, policies, populations, records},
};

const SECRET: HashKey = HashKey::new(*b"sixteen secret b");

fn saved(index: &InMemoryIndex, weak: WeakEvidence) -> Vec<u8> {
    let mut file = Vec::new();
    index.save(&mut file, normaliser().options(), SECRET, weak).unwrap();
    file
}

fn load(file: &[u8], secret: HashKey) -> Result<InMemoryIndex, FileError> {
    InMemoryIndex::load(file, normaliser().options(), secret)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_loaded_index_decides_as_the_one_that_was_saved(
        population in populations(),
        leads in prop::collection::vec(records(), 1..6),
        policy in policies(),
        update in records(),
    ) {
        let mut kept = index(&population);
        let file = saved(&kept, WeakEvidence::Encrypted);
        let mut loaded = load(&file[..], SECRET).unwrap();
        let normalised = normaliser().normalise(&update);
        for index in [&mut kept, &mut loaded] {
            index.insert("P1", &normalised).unwrap();
            index.remove("P2");
        }
        prop_assert_eq!(loaded.distinct_keys(), kept.distinct_keys());
        let decide = |index: &InMemoryIndex| {
            DeterministicMatcher::new(index, normaliser(), policy.clone()).unwrap().decide(&leads, &Rejections::default()).unwrap()
                .into_iter().map(without_held_values).collect::<Vec<_>>()
        };
        prop_assert_eq!(decide(&loaded), decide(&kept));
        prop_assert_eq!(saved(&loaded, WeakEvidence::Encrypted).len(), saved(&kept, WeakEvidence::Encrypted).len());
    }

    #[test]
    fn a_file_cut_anywhere_or_with_any_byte_changed_is_refused(
        population in populations(),
        place: prop::sample::Index,
        flip in 1..=255_u8,
    ) {
        let file = saved(&index(&population), WeakEvidence::Encrypted);
        let at = place.index(file.len());
        prop_assert!(load(&file[..at], SECRET).is_err());
        let mut changed = file;
        changed[at] ^= flip;
        prop_assert!(load(&changed[..], SECRET).is_err());
    }

    #[test]
    fn any_bytes_are_an_index_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = load(&bytes[..], SECRET);
        let file = saved(&InMemoryIndex::default(), WeakEvidence::LeaveOut);
        let headed = [&file[..49], &bytes].concat();
        let _ = load(&headed[..], SECRET);
    }
}

fn ana() -> InMemoryIndex {
    let record = Record {
        phones: vec!["987654312".into()],
        emails: vec!["ana.rojas@correo.pe".into()],
        name: Some("Ana Rojas".into()),
        plate: Some("ABC-123".into()),
        ..Record::default()
    };
    index(&vec![("P1".to_owned(), record)])
}

#[test]
fn each_refusal_says_what_is_wrong() {
    let file = saved(&ana(), WeakEvidence::LeaveOut);
    let wrong = load(&file[..], HashKey::default());
    assert!(matches!(wrong, Err(FileError::WrongSecret)));
    let mut newer = file.clone();
    newer[8] = 9;
    assert!(matches!(load(&newer[..], SECRET), Err(FileError::OtherVersion { found: 9 })));
    assert_ne!(FORMAT_VERSION, 9);
    assert!(matches!(load(b"person_key,phone\nP1,1", SECRET), Err(FileError::NotAnIndex)));
    let cut = load(&file[..file.len() - 1], SECRET).unwrap_err();
    assert!(cut.to_string().contains("too early"), "{cut}");
    let loaded = load(&file[..], SECRET).unwrap();
    let elsewhere =
        loaded.save(Vec::new(), normaliser().options(), HashKey::default(), WeakEvidence::LeaveOut);
    assert!(matches!(elsewhere, Err(FileError::WrongSecret)));
}

#[test]
fn an_index_of_records_that_were_read_otherwise_is_refused() {
    let region = |code| Region::parse(code).unwrap();
    let read = Policy::default().normalise_options(region("PE"));
    let mut file = Vec::new();
    ana().save(&mut file, &read, SECRET, WeakEvidence::Encrypted).unwrap();
    let mut rules = PolicyRules::default();
    rules.weak.phone_tail_digits = 9;
    let digits = Policy::new(rules).unwrap();
    let addresses = Policy::from_json(r#"{"addresses": {"roles": "key"}}"#).unwrap();
    let fillers = Policy::from_json(r#"{"placeholders": {"phone": ["987654312"]}}"#).unwrap();
    for options in [
        digits.normalise_options(region("PE")),
        addresses.normalise_options(region("PE")),
        fillers.normalise_options(region("PE")),
        Policy::default().normalise_options(region("ES")),
    ] {
        let other = InMemoryIndex::load(&file[..], &options, SECRET).unwrap_err();
        assert!(matches!(other, FileError::OtherOptions), "{other}");
        assert!(other.to_string().contains("build the index anew"), "{other}");
        let loaded = InMemoryIndex::load(&file[..], &read, SECRET).unwrap();
        let saved = loaded.save(Vec::new(), &options, SECRET, WeakEvidence::Encrypted);
        assert!(matches!(saved, Err(FileError::OtherOptions)));
    }
    // A policy that decides otherwise and reads alike is served.
    let rules = PolicyRules::default().without_kind(KeyKind::EMAIL);
    let alike = Policy::new(rules).unwrap().normalise_options(region("PE"));
    assert!(InMemoryIndex::load(&file[..], &alike, SECRET).is_ok());
}

#[test]
fn a_file_with_weak_evidence_holds_no_identifier_in_plain_and_decides_by_it() {
    let file = saved(&ana(), WeakEvidence::Encrypted);
    for plain in [&b"987654312"[..], b"rojas", b"ana", b"ABC", b"correo"] {
        assert!(!file.windows(plain.len()).any(|window| window == plain));
    }
    assert_eq!(file, saved(&ana(), WeakEvidence::Encrypted), "nothing in it is random");
    let loaded = load(&file[..], SECRET).unwrap();
    let matcher = DeterministicMatcher::new(loaded, normaliser(), Policy::default()).unwrap();
    let lead = Record {
        plate: Some("abc 123".into()),
        name: Some("Ana Rojas Paz".into()),
        ..Record::default()
    };
    let decision = matcher.decide_one(&lead).unwrap();
    assert_eq!(decision.evidence.candidates[0].rule, Some(Rule::PLATE_NAME));
    assert!(decision.evidence.candidates[0].name_similarity.unwrap() > 0.8);
}

#[test]
fn a_file_without_weak_evidence_holds_no_identifier_and_still_matches() {
    let file = saved(&ana(), WeakEvidence::LeaveOut);
    // The phone as text, as a number of eight bytes, and the name.
    for secret in [&b"987654312"[..], &51_987_654_312_u64.to_be_bytes()[3..], b"rojas"] {
        assert!(!file.windows(secret.len()).any(|window| window == secret));
    }
    let loaded = load(&file[..], SECRET).unwrap();
    let mut rules = PolicyRules::default();
    rules.rules.retain(|rule| rule.name != Rule::PHONE_TAIL);
    let matcher =
        DeterministicMatcher::new(loaded, normaliser(), Policy::new(rules).unwrap()).unwrap();
    let lead = Record { phones: vec!["+51 987654312".into()], ..Record::default() };
    assert_eq!(matcher.decide_one(&lead).unwrap().outcome.person(), Some("P1"));
}

/// Two cards that are masked alike, of which four persons hold one: however the keys are hashed, the evidence is one.
#[test]
fn evidence_of_values_that_are_masked_alike_is_the_same_in_every_index() {
    let rules = PolicyRules::default().with_kind(card(), KindRules::default());
    let policy = Policy::new(rules).unwrap();
    let both = Record::default().with(card(), "100001").with(card(), "200001");
    let mut builder = InMemoryIndex::builder();
    builder.add("ANA", &normaliser().normalise(&both)).unwrap();
    for person in ["P1", "P2", "P3", "P4"] {
        let one = Record::default().with(card(), "100001");
        builder.add(person, &normaliser().normalise(&one)).unwrap();
    }
    let plain = builder.build().unwrap();
    let decide = |index: &InMemoryIndex| {
        let matcher = DeterministicMatcher::new(index, normaliser(), policy.clone()).unwrap();
        without_held_values(matcher.decide_one(&both).unwrap())
    };
    let expected = decide(&plain);
    assert_eq!(expected.outcome.person(), Some("ANA"));
    for secret in 0..16 {
        let secret = HashKey::new([secret; 16]);
        let mut file = Vec::new();
        plain.save(&mut file, normaliser().options(), secret, WeakEvidence::LeaveOut).unwrap();
        let loaded = InMemoryIndex::load(&file[..], normaliser().options(), secret).unwrap();
        assert_eq!(decide(&loaded), expected);
    }
}
