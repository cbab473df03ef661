//! What every [`CandidateIndex`] must do, as a suite to run against an implementation of one's own.
//!
//! The suite builds the same populations behind the given index and behind [`InMemoryIndex`] and asks both
//! the same questions. It panics with what differs, as a test does.
//!
//! ```
//! use identity_matching::index::{InMemoryIndex, conformance};
//!
//! conformance::run(|population| {
//!     let mut builder = InMemoryIndex::builder();
//!     for (person, record) in population {
//!         builder.add(person, record).expect("a short key");
//!     }
//!     builder.build().expect("few keys")
//! });
//! ```

use std::collections::BTreeMap;

use super::{CandidateIndex, InMemoryIndex, IndexKey, PersonId, PersonKey};
use crate::{
    decide::DeterministicMatcher,
    normalise::{NormaliseOptions, Normalised, Normaliser},
    policy::{Policy, PolicyRules},
    record::{RawDocument, Record},
    region::Region,
};

/// The records of a population, each with its person's key; several may share one.
pub type Population = [(String, Normalised)];

/// Runs the whole suite.
///
/// # Panics
///
/// When the index differs from what a [`CandidateIndex`] must do.
pub fn run<I: CandidateIndex>(mut build: impl FnMut(&Population) -> I) {
    for (size, values) in [(0, 1), (1, 1), (40, 6), (200, 60), (300, 2)] {
        let mut draw = Draw(size * 31 + values);
        let population: Vec<(String, Normalised)> =
            (0..size).map(|_| (format!("P{}", draw.below(size)), draw.record(values))).collect();
        let leads: Vec<Normalised> = (0..80).map(|_| draw.record(values + 1)).collect();
        let (index, model) = (build(&population), model(&population));
        holders_are_counted_and_listed_up_to_the_limit(&index, &model, &population, &leads);
        persons_are_shown_with_their_keys(&index, &model, &population);
        decisions_are_the_same(&index, &model, &leads);
    }
}

fn model(population: &Population) -> InMemoryIndex {
    let mut builder = InMemoryIndex::builder();
    for (person, record) in population {
        builder.add(person, record).expect("a short key");
    }
    builder.build().expect("few keys")
}

/// Every strong and blocking key of some records.
fn keys<'a>(records: impl Iterator<Item = &'a Normalised>) -> Vec<IndexKey> {
    let mut keys: Vec<IndexKey> = records
        .flat_map(|record| {
            let strong = record.keys().iter().map(|held| IndexKey::from(held.key));
            strong.chain(record.blocking_keys().iter().map(|&key| key.into()))
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Asks for holders: by position, the total and the persons' keys in order.
fn ask<I: CandidateIndex>(
    index: &I,
    keys: &[IndexKey],
    limit: u32,
) -> BTreeMap<usize, (u32, Vec<String>)> {
    let held: Vec<IndexKey> = keys.iter().map(|&key| index.as_held(key)).collect();
    let mut found: BTreeMap<usize, (u32, Vec<PersonId>)> = BTreeMap::new();
    index
        .holders(&held, limit, &mut |at, holders| {
            assert!(at < keys.len(), "a position that was not asked for");
            let before = found.insert(at, (holders.total, holders.persons.to_vec()));
            assert!(before.is_none(), "a key was reported twice");
        })
        .expect("holders are found");
    let named = |(at, (total, ids)): (usize, (u32, Vec<PersonId>))| {
        let mut names = vec![String::new(); ids.len()];
        index
            .persons(&ids, &mut |at, person| person.key().clone_into(&mut names[at]))
            .expect("persons that were listed are known");
        names.sort_unstable();
        (at, (total, names))
    };
    found.into_iter().map(named).collect()
}

fn holders_are_counted_and_listed_up_to_the_limit<I: CandidateIndex>(
    index: &I,
    model: &InMemoryIndex,
    population: &Population,
    leads: &[Normalised],
) {
    let keys = keys(population.iter().map(|(_, record)| record).chain(leads));
    for limit in [0, 1, 3, 50, u32::MAX] {
        let (found, expected) = (ask(index, &keys, limit), ask(model, &keys, limit));
        assert_eq!(found, expected, "the holders of the keys, listed up to {limit}");
    }
    assert!(ask(index, &[], 50).is_empty(), "no key has no holders");
}

fn persons_are_shown_with_their_keys<I: CandidateIndex>(
    index: &I,
    model: &InMemoryIndex,
    population: &Population,
) {
    fn shown<I: CandidateIndex>(
        index: &I,
        keys: &[IndexKey],
        plain: &BTreeMap<IndexKey, IndexKey>,
    ) -> BTreeMap<String, Vec<PersonKey>> {
        let held: Vec<IndexKey> = keys.iter().map(|&key| index.as_held(key)).collect();
        let mut ids = Vec::new();
        index
            .holders(&held, u32::MAX, &mut |_, holders| ids.extend_from_slice(holders.persons))
            .expect("holders are found");
        let mut persons = BTreeMap::new();
        index
            .persons(&ids, &mut |_, person| {
                let mut keys: Vec<PersonKey> = person
                    .keys()
                    .map(|held| PersonKey {
                        key: *plain.get(&held.key).expect("a person holds keys of its records"),
                        form: held.form,
                    })
                    .collect();
                keys.sort_unstable();
                persons.insert(person.key().to_owned(), keys);
            })
            .expect("persons that were listed are known");
        persons
    }
    let keys = keys(population.iter().map(|(_, record)| record));
    let plain = keys.iter().map(|&key| (index.as_held(key), key)).collect();
    let same = keys.iter().map(|&key| (key, key)).collect();
    assert_eq!(shown(index, &keys, &plain), shown(model, &keys, &same), "the persons' keys");
}

fn decisions_are_the_same<I: CandidateIndex>(
    index: &I,
    model: &InMemoryIndex,
    leads: &[Normalised],
) {
    let normaliser = Normaliser::new(NormaliseOptions::default());
    let mut strict = PolicyRules::default();
    strict.phone.max_persons_per_key = 1;
    strict.document.equivalents = false;
    for policy in [Policy::default(), Policy::new(strict).expect("valid rules")] {
        let decide = |index: &dyn CandidateIndex| {
            DeterministicMatcher::new(index, normaliser.clone(), policy.clone())
                .decide_normalised(leads)
                .expect("the population is read")
        };
        assert_eq!(decide(index), decide(model), "the decisions");
    }
}

/// Draws records from a fixed seed: `SplitMix64` (Steele, Lea and Flood, 2014).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end.max(1)
    }

    /// Draws a record whose identifiers come from so many values each.
    fn record(&mut self, values: u64) -> Normalised {
        let mut record = Record::default();
        if self.below(4) > 0 {
            let n = self.below(values);
            record.phones.push(match self.below(3) {
                0 => format!("9{:08}", 12_345_678 + n * 7_919),
                1 => format!("+54 9 11 {}", 23_456_789 + n),
                _ => format!("+54 11 {}", 23_456_789 + n),
            });
        }
        if self.below(4) > 0 {
            let number = format!("{:08}", 41_234_567 + self.below(values) * 7_919);
            record.documents.push(RawDocument::typed("PE", "DNI", &number));
        }
        if self.below(3) > 0 {
            record.emails.push(format!("persona{}@correo.pe", self.below(values)));
        }
        if self.below(2) > 0 {
            record.name = Some(format!(
                "Ana Rojas {}",
                ["Paz", "Sol", "Quispe"][usize::from(self.below(2) > 0)]
            ));
            record.birth_date = Some(format!("1987-03-{:02}", 10 + self.below(9)));
            record.plate = Some(format!("ABC-{:03}", 123 + self.below(values)));
        }
        let region = Region::parse("PE").expect("an assigned code");
        Normaliser::new(NormaliseOptions::for_region(region)).normalise(&record)
    }
}
