//! What every [`CandidateIndex`] must do, as a suite to run against an implementation of one's own.
//!
//! The suite builds the same populations behind the given index and behind [`InMemoryIndex`] and asks both
//! the same questions. It panics with what differs, as a test does.
//!
//! ```
//! use identity_matching::{conformance, index::InMemoryIndex};
//!
//! conformance::run(|population| {
//!     let mut builder = InMemoryIndex::builder();
//!     for (person, record) in population {
//!         builder.add(person, record).expect("a short key");
//!     }
//!     builder.build().expect("few keys")
//! });
//! ```

use std::{collections::BTreeMap, sync::LazyLock};

use crate::index::{
    CandidateIndex, Holders, InMemoryIndex, IndexError, IndexKey, PersonId, PersonKey,
};
use crate::{
    decide::{Decision, DeterministicMatcher, Rejections},
    key::{Field, KeyKind},
    kinds::Normalised,
    kinds::{OwnKindRules, email::AddressUse},
    normalise::{Normaliser, RawDocument, Record},
    policy::{KindRules, Policy, PolicyRules, Rule},
    text::Region,
};

/// The records of a population, each with its person's key; several may share one.
pub type Population = [(String, Normalised)];

/// One change of a population that is indexed already.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum IndexChange {
    /// One more record of a person, who may be new: see [`InMemoryIndex::insert`].
    Insert(String, Normalised),
    /// A record in the place of all that was known of a person: see [`InMemoryIndex::replace`].
    Replace(String, Normalised),
    /// A person with all records: see [`InMemoryIndex::remove`].
    Remove(String),
}

/// Runs the whole suite.
///
/// # Panics
///
/// When the index differs from what a [`CandidateIndex`] must do.
pub fn run<I: CandidateIndex>(mut build: impl FnMut(&Population) -> I) {
    for (size, values) in [(0, 1), (1, 1), (40, 6), (200, 60), (300, 2)] {
        run_drawn(size * 31 + values, size, values, &mut build);
    }
}

/// Runs the suite on one population of so many records, whose identifiers come from so many values each, drawn
/// by a seed: what a property test of one's own calls.
///
/// # Panics
///
/// As [`run`].
pub fn run_drawn<I: CandidateIndex>(
    seed: u64,
    records: u64,
    values: u64,
    mut build: impl FnMut(&Population) -> I,
) {
    let mut draw = Draw(seed);
    let population = draw.population(records, values);
    let leads = draw.leads(values);
    compare(&build(&population), &model(&population), &population, &leads);
}

/// Runs the suite on an index that takes changes: `apply` starts one with a population and then makes the changes,
/// batch by batch, in their order.
///
/// # Panics
///
/// As [`run`]; the index must answer as one that was built anew.
pub fn run_changed<I: CandidateIndex>(
    seed: u64,
    mut apply: impl FnMut(&Population, &[Vec<IndexChange>]) -> I,
) {
    let mut draw = Draw(seed);
    let (size, values) = (5 + draw.below(40), 2 + draw.below(20));
    let mut population = draw.population(size, values);
    let leads = draw.leads(values);
    let batches: Vec<Vec<IndexChange>> = (0..draw.below(6))
        .map(|_| (0..draw.below(12)).map(|_| draw.change(size, values)).collect())
        .collect();
    let mut index = model(&population);
    for change in batches.iter().flatten() {
        match change {
            IndexChange::Insert(person, record) => {
                index.insert(person, record).expect("a short key");
            }
            IndexChange::Replace(person, record) => {
                index.replace(person, record).expect("a short key");
            }
            IndexChange::Remove(person) => drop(index.remove(person)),
        }
    }
    let changed = apply(&population, &batches);
    for change in batches.into_iter().flatten() {
        match change {
            IndexChange::Remove(person) => population.retain(|(key, _)| *key != person),
            IndexChange::Insert(person, record) => population.push((person, record)),
            IndexChange::Replace(person, record) => {
                population.retain(|(key, _)| *key != person);
                population.push((person, record));
            }
        }
    }
    compare(&changed, &index, &population, &leads);
    compare(&changed, &model(&population), &population, &leads);
}

fn compare<I: CandidateIndex>(
    index: &I,
    model: &InMemoryIndex,
    population: &Population,
    leads: &[Normalised],
) {
    holders_are_counted_and_listed_up_to_the_limit(index, model, population, leads);
    persons_are_shown_with_their_keys(index, model, population);
    decisions_are_the_same(index, model, leads);
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
    let mut named = BTreeMap::new();
    let mut reads = 0;
    let read = index.read(&mut |read| {
        reads += 1;
        read.holders(&held, limit, &mut |at, holders| {
            assert!(at < keys.len(), "a position that was not asked for");
            let before = found.insert(at, (holders.total, holders.persons.to_vec()));
            assert!(before.is_none(), "a key was reported twice");
        })?;
        for (&at, (total, ids)) in &found {
            let mut held_by = vec![String::new(); ids.len()];
            read.persons(ids, &mut |at, person| person.key().clone_into(&mut held_by[at]))?;
            held_by.sort_unstable();
            named.insert(at, (*total, held_by));
        }
        Ok(())
    });
    read.expect("holders are found, and persons that were listed are known");
    assert_eq!(reads, 1, "a read is handed over once");
    let failed = index.read(&mut |_| Err(IndexError::unavailable("a look-up that fails")));
    assert!(failed.is_err(), "what the look-ups return is returned");
    named
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
        let mut persons = BTreeMap::new();
        let read = index.read(&mut |read| {
            let list = &mut |_, holders: Holders<'_>| ids.extend_from_slice(holders.persons);
            read.holders(&held, u32::MAX, list)?;
            read.persons(&ids, &mut |_, person| {
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
        });
        read.expect("holders are found, and persons that were listed are known");
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
    let mut strict = rules();
    strict.kind_mut(KeyKind::PHONE).max_persons_per_key = 1;
    strict.rules.retain(|rule| rule.name != Rule::DOCUMENT_DERIVED);
    for rules in [rules(), strict] {
        let policy = Policy::new(rules).expect("valid rules");
        let decide = |index: &dyn CandidateIndex, rejections: &Rejections| {
            let mut decisions =
                DeterministicMatcher::new(index, NORMALISER.clone(), policy.clone())
                    .expect("the suite's own options")
                    .decide_normalised(leads, rejections)
                    .expect("the population is read");
            decisions.iter_mut().for_each(hide_held_values);
            decisions
        };
        let none = Rejections::default();
        let decisions = decide(index, &none);
        assert_eq!(decisions, decide(model, &none), "the decisions");
        // Whoever came first into question is rejected.
        let first = decisions.iter().enumerate().filter_map(|(at, decision)| {
            Some((at, decision.evidence.candidates.first()?.person.clone()))
        });
        let rejections: Rejections = first.collect();
        let decisions = decide(index, &rejections);
        assert_eq!(decisions, decide(model, &rejections), "the decisions without the rejected");
        let named = decisions.iter().enumerate().flat_map(|(at, decision)| {
            decision.evidence.candidates.iter().map(move |candidate| (at, &candidate.person))
        });
        for (at, person) in named {
            assert!(!rejections.hold(at, person), "a rejected person is a candidate");
        }
    }
}

/// Takes out what an index that holds hashes shows otherwise: the value of a person's differing key.
fn hide_held_values(decision: &mut Decision) {
    for candidate in &mut decision.evidence.candidates {
        for differs in &mut candidate.disagrees {
            if matches!(differs.kind, Field::Identifier(_)) {
                differs.person.clear();
            }
        }
        candidate
            .disagrees
            .sort_by(|left, right| (left.kind, &left.subject).cmp(&(right.kind, &right.subject)));
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

    fn population(&mut self, size: u64, values: u64) -> Vec<(String, Normalised)> {
        (0..size).map(|_| (format!("P{}", self.below(size)), self.record(values))).collect()
    }

    fn leads(&mut self, values: u64) -> Vec<Normalised> {
        (0..80).map(|_| self.record(values + 1)).collect()
    }

    fn change(&mut self, size: u64, values: u64) -> IndexChange {
        let person = format!("P{}", self.below(size + 3));
        match self.below(3) {
            0 => IndexChange::Remove(person),
            1 => IndexChange::Replace(person, self.record(values)),
            _ => IndexChange::Insert(person, self.record(values)),
        }
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
        if self.below(8) == 0 {
            // Without its check letter the number is completed, which makes it an alias.
            let number = 41_234_567 + self.below(values) * 7_919;
            let letter = b"TRWAGMYFPDXBNJZSQVHLCKE"[usize::try_from(number % 23).unwrap_or(0)];
            let letter = if self.below(2) == 0 { String::new() } else { char::from(letter).into() };
            record.documents.push(RawDocument::typed("ES", "DNI", &format!("{number}{letter}")));
        }
        if self.below(3) > 0 {
            let domain = ["correo.pe", "gmail.com", "gmial.com"]
                [usize::try_from(self.below(3)).unwrap_or(0)];
            record.emails.push(format!("persona{}@{domain}", self.below(values)));
        }
        for _ in 0..self.below(3) {
            // Of an own kind a person may hold several values.
            record = record.with(card(), format!("{:06}", 104_729 + self.below(values) * 7_919));
        }
        if self.below(6) == 0 {
            record.emails.push(format!("ventas@empresa{}.pe", self.below(values)));
        }
        if self.below(2) > 0 {
            record.name = Some(format!(
                "Ana Rojas {}",
                ["Paz", "Sol", "Quispe"][usize::from(self.below(2) > 0)]
            ));
            record.birth_date = Some(format!("1987-03-{:02}", 10 + self.below(9)));
            record.plate = Some(format!("ABC-{:03}", 123 + self.below(values)));
        }
        NORMALISER.normalise(&record)
    }
}

/// A kind of the suite's own.
fn card() -> KeyKind {
    KeyKind::new("card").expect("a code")
}

/// The policy of the suite: the default, with weak addresses of roles and cards of which a person has one.
fn rules() -> PolicyRules {
    let cards = KindRules { exclusive: Some(true), ..KindRules::default() };
    let mut rules = PolicyRules::default().with_kind(card(), cards);
    rules.addresses.roles = AddressUse::Weak;
    rules.own_kinds.push(OwnKindRules { lengths: (6, 8), ..OwnKindRules::of(card()) });
    rules
}

static NORMALISER: LazyLock<Normaliser> = LazyLock::new(|| {
    let region = Region::parse("PE").expect("an assigned code");
    let policy = Policy::new(rules()).expect("valid rules");
    Normaliser::new(policy.normalise_options(region)).expect("options without placeholders")
});
