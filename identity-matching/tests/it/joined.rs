//! Groups that an engine has joined are decided as an index of the whole population decides; rows that do not fit are
//! refused.

use std::collections::{BTreeMap, BTreeSet};

use identity_matching::{
    DeterministicMatcher, HashKey, Matcher, Policy, Record, Region, Rejections,
    index::{
        IndexKey, JoinedIndex, Seal, StoredPerson,
        joined::{self, JoinError, LookUp, RecordDigest, SealedRecord, Stamp},
    },
};
use proptest::{collection::vec, prelude::*};

use crate::{
    decisions::normaliser,
    laws::{Population, index, policies, populations, records},
    support::without_held_values,
};

fn seal() -> Seal {
    Seal::new(HashKey::new([9; 16]))
}

/// What an engine hands over for one subject.
#[derive(Clone)]
struct Group {
    look_ups: Vec<LookUp>,
    counts: Vec<(IndexKey, u32)>,
    persons: Vec<(String, StoredPerson)>,
}

/// The joins of an engine, in plain maps.
struct Engine {
    persons: BTreeMap<String, StoredPerson>,
    holders: BTreeMap<IndexKey, BTreeSet<String>>,
}

impl Engine {
    fn new(population: &Population) -> Self {
        let (mut persons, mut holders) = (BTreeMap::new(), BTreeMap::new());
        for (person, record) in population {
            let known: &mut StoredPerson = persons.entry(person.clone()).or_default();
            known.add(&normaliser().normalise(record), &seal());
            for held in known.keys() {
                let of: &mut BTreeSet<String> = holders.entry(held.key).or_default();
                of.insert(person.clone());
            }
        }
        Self { persons, holders }
    }

    fn group(&self, lead: &Record, policy: &Policy) -> Group {
        let look_ups = joined::look_ups(&normaliser().normalise(lead), policy, &seal());
        let mut counts = Vec::new();
        let mut persons = BTreeSet::new();
        for one in &look_ups {
            let Some(held) = self.holders.get(&one.key) else { continue };
            let total = u32::try_from(held.len()).unwrap();
            counts.push((one.key, total));
            if total <= one.list_up_to {
                persons.extend(held.iter().cloned());
            }
        }
        let persons = persons.into_iter().map(|key| (key.clone(), self.persons[&key].clone()));
        Group { look_ups, counts, persons: persons.collect() }
    }
}

fn add(index: &mut JoinedIndex, group: &Group) -> Result<(), JoinError> {
    let persons = group.persons.iter().map(|(key, person)| (key.as_str(), person.clone()));
    index.add(&group.look_ups, &group.counts, persons)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn joined_groups_decide_as_everybody_does(
        population in populations(),
        leads in vec(records(), 1..5),
        policy in policies(),
        rejected in vec((0..5_usize, 0..6_u32), 0..3),
    ) {
        let rejected: Rejections =
            rejected.into_iter().map(|(lead, person)| (lead, format!("P{person}"))).collect();
        let everybody = DeterministicMatcher::new(index(&population), normaliser(), policy.clone()).unwrap();
        let engine = Engine::new(&population);
        let mut few = JoinedIndex::new(seal());
        for lead in &leads {
            add(&mut few, &engine.group(lead, &policy)).unwrap();
        }
        let few = DeterministicMatcher::new(few, normaliser(), policy).unwrap();
        let decide = |decisions: Vec<_>| -> Vec<_> {
            decisions.into_iter().map(without_held_values).collect()
        };
        prop_assert_eq!(
            decide(few.decide(&leads, &rejected).unwrap()),
            decide(everybody.decide(&leads, &rejected).unwrap())
        );
    }

    #[test]
    fn a_group_that_lost_a_person_is_refused(
        population in populations(),
        lead in records(),
        policy in policies(),
        lost in any::<prop::sample::Index>(),
    ) {
        let mut group = Engine::new(&population).group(&lead, &policy);
        prop_assume!(!group.persons.is_empty());
        group.persons.remove(lost.index(group.persons.len()));
        let refused = add(&mut JoinedIndex::new(seal()), &group);
        prop_assert!(matches!(refused, Err(JoinError::CutShort { .. })), "{:?}", refused);
    }
}

fn phone(number: &str) -> Record {
    Record { phones: vec![number.into()], ..Record::default() }
}

/// Ana and Luis, who share a phone, and Eva, who has another.
fn three() -> Engine {
    let population: Population = [("P1", "987654321"), ("P2", "987654321"), ("P3", "912345678")]
        .map(|(key, number)| (key.to_owned(), phone(number)))
        .to_vec();
    Engine::new(&population)
}

#[test]
fn rows_that_do_not_fit_are_refused_by_what_is_wrong() {
    let policy = Policy::default();
    let (engine, mut index) = (three(), JoinedIndex::new(seal()));
    let good = engine.group(&phone("987654321"), &policy);
    let other = engine.group(&phone("912345678"), &policy);

    let mut wrong = good.clone();
    wrong.counts.extend(other.counts.clone());
    assert!(matches!(add(&mut index, &wrong), Err(JoinError::ForeignKey { .. })));

    index.clear();
    let mut wrong = good.clone();
    wrong.counts[0].1 += 1;
    assert!(matches!(add(&mut index, &wrong), Err(JoinError::CutShort { .. })));

    index.clear();
    let mut wrong = good.clone();
    wrong.counts[0].1 = 0;
    assert!(matches!(add(&mut index, &wrong), Err(JoinError::Counts { .. })));

    index.clear();
    let mut wrong = good.clone();
    wrong.persons.extend(other.persons.clone());
    assert_eq!(add(&mut index, &wrong), Err(JoinError::ForeignPerson));

    index.clear();
    let mut wrong = good.clone();
    wrong.persons.push(good.persons[0].clone());
    assert_eq!(add(&mut index, &wrong), Err(JoinError::Twice));

    index.clear();
    add(&mut index, &good).unwrap();
    let mut wrong = good.clone();
    wrong.persons[0].1.add(&normaliser().normalise(&phone("956781234")), &seal());
    assert_eq!(add(&mut index, &wrong), Err(JoinError::PersonDiffers));

    index.clear();
    assert!(index.is_empty());
    add(&mut index, &other).unwrap();
    assert_eq!(index.len(), 1);
}

#[test]
fn a_look_up_says_how_many_holders_any_rule_asks_for() {
    let mut rules = identity_matching::PolicyRules::default();
    rules.kind_mut(identity_matching::KeyKind::PHONE).corroboration_cap = 7;
    rules = rules.without_kind(identity_matching::KeyKind::EMAIL);
    rules.weak.max_persons_per_key = 9;
    rules.rules.retain(|rule| rule.name != identity_matching::Rule::PLATE_NAME);
    let policy = Policy::new(rules).unwrap();
    let lead = Record {
        emails: vec!["ana@correo.pe".into()],
        plate: Some("ABC-123".into()),
        ..phone("987654312")
    };
    let read = normaliser().normalise(&lead);
    let limits: BTreeMap<IndexKey, u32> = joined::look_ups(&read, &policy, &seal())
        .into_iter()
        .map(|one| (one.key, one.list_up_to))
        .collect();
    let of = |key: IndexKey| limits[&seal().key(key)];
    let strong: Vec<u32> = read.keys().iter().map(|held| of(held.key.into())).collect();
    // The phone's cap; the kind of the address is not used.
    assert_eq!(strong, [7, 0]);
    // The last digits of the phone find persons; no rule asks for a plate.
    let mut weak: Vec<u32> = read.blocking_keys().iter().map(|&key| of(key.into())).collect();
    weak.sort_unstable();
    assert_eq!(weak, [0, 9]);
}

#[test]
fn a_key_above_its_cap_is_counted_and_never_joined() {
    let population: Population = (0..60).map(|n| (format!("P{n}"), phone("987654321"))).collect();
    let (engine, policy) = (Engine::new(&population), Policy::default());
    let group = engine.group(&phone("987654321"), &policy);
    assert!(group.persons.is_empty());
    assert!(group.counts.iter().all(|(_, total)| *total == 60) && !group.counts.is_empty());
    let mut index = JoinedIndex::new(seal());
    add(&mut index, &group).unwrap();
    let matcher = DeterministicMatcher::new(index, normaliser(), policy).unwrap();
    let decision = matcher.decide_one(&phone("987654321")).unwrap();
    assert_eq!(decision.evidence.keys[0].holders, 60);
}

#[test]
fn a_record_is_opened_for_its_subject_and_secret_alone() {
    let lead = phone("987654321");
    let sealed = SealedRecord::new("L1", &lead, &seal());
    assert!(!format!("{sealed:?}").contains("987"));
    let bytes = sealed.as_bytes();
    assert!(!bytes.windows(9).any(|window| window == b"987654321"));
    assert_eq!(SealedRecord::from_bytes(bytes).open("L1", &seal()).unwrap(), lead);
    assert!(sealed.open("L2", &seal()).is_err());
    assert!(sealed.open("L1", &Seal::new(HashKey::new([1; 16]))).is_err());
    for cut in 0..bytes.len() {
        assert!(SealedRecord::from_bytes(&bytes[..cut]).open("L1", &seal()).is_err());
    }
    let digest = RecordDigest::of("L1", &lead, &seal());
    assert_eq!(digest, sealed.digest());
    assert_ne!(digest, RecordDigest::of("L2", &lead, &seal()));
    assert_ne!(digest, RecordDigest::of("L1", &phone("987654322"), &seal()));
}

#[test]
fn a_stamp_tells_what_rows_were_made_by() {
    let policy = Policy::default();
    let mut rules = policy.rules().clone();
    rules.weak.max_persons_per_key = 3;
    let other = Policy::new(rules).unwrap();
    let options = policy.normalise_options(Region::parse("PE").unwrap());
    let ours = Stamp::new(&options, &policy, &seal());
    let theirs = Stamp::new(&options, &other, &seal());
    assert!(ours.check(&theirs).unwrap_err().to_string().contains("policy"));
    assert!(ours.check_keys(&theirs).is_ok(), "a cap changes no key");
    let text = ours.to_string();
    let version = format!("1.0{}", &text[3..]);
    let earlier: Stamp = version.parse().unwrap();
    assert!(ours.check_keys(&earlier).unwrap_err().to_string().contains("version"));
    for wrong in ["", "1.2", "a.b.c.d.e", "1.2.3.4.5.6"] {
        assert!(wrong.parse::<Stamp>().is_err(), "{wrong}");
    }
}
