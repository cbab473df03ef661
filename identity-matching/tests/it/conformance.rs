//! The conformance suite, run against the index in memory, a loaded one and one that is written plainly.

use std::collections::{BTreeMap, BTreeSet};

use identity_matching::{
    HashKey, KeyForm, NormaliseOptions,
    conformance::{self, IndexChange, Population},
    index::{
        CandidateIndex, CandidateRead, Holders, InMemoryIndex, InRead, IndexError, IndexKey,
        IndexedPerson, PersonId, PersonKey, Profile, WeakEvidence,
    },
};
use proptest::prelude::*;

fn in_memory(population: &Population) -> InMemoryIndex {
    let mut builder = InMemoryIndex::builder();
    for (person, record) in population {
        builder.add(person, record).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn the_index_in_memory_conforms_however_it_is_held_and_built() {
    conformance::run(|population| Box::new(in_memory(population)));
    conformance::run(|population| {
        let mut index = InMemoryIndex::default();
        for (person, record) in population {
            index.insert(person, record).unwrap();
        }
        std::sync::Arc::new(index)
    });
    conformance::run(|population| {
        let (one, other) = population.split_at(population.len() / 2);
        let mut builders = [one, other].map(|part| {
            let mut builder = InMemoryIndex::builder().with_threads(3.try_into().unwrap());
            for (person, record) in part {
                builder.add(person, record).unwrap();
            }
            builder
        });
        let other = std::mem::take(&mut builders[1]);
        let [mut one, _] = builders;
        one.absorb(other).unwrap();
        one.build().unwrap()
    });
}

fn changed(mut index: InMemoryIndex, batches: &[Vec<IndexChange>]) -> InMemoryIndex {
    for change in batches.iter().flatten() {
        match change {
            IndexChange::Insert(person, record) => index.insert(person, record).unwrap(),
            IndexChange::Replace(person, record) => index.replace(person, record).unwrap(),
            IndexChange::Remove(person) => drop(index.remove(person)),
            _ => unreachable!("no other change"),
        }
    }
    index
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_that_was_changed_conforms_loaded_or_not(seed: u64) {
        conformance::run_changed(seed, |population, batches| {
            changed(in_memory(population), batches)
        });
        let secret = HashKey::new([9; 16]);
        conformance::run_changed(seed, |population, batches| {
            let mut file = Vec::new();
            in_memory(population).save(&mut file, &options(), secret, WeakEvidence::Encrypted).unwrap();
            changed(InMemoryIndex::load(&file[..], &options(), secret).unwrap(), batches)
        });
    }
}

/// The suite reads its persons by options of its own; what a file says of them is the same for all.
fn options() -> NormaliseOptions {
    NormaliseOptions::default()
}

#[test]
fn a_loaded_index_conforms() {
    let secret = HashKey::new([9; 16]);
    conformance::run(|population| {
        let mut file = Vec::new();
        in_memory(population).save(&mut file, &options(), secret, WeakEvidence::Encrypted).unwrap();
        InMemoryIndex::load(&file[..], &options(), secret).unwrap()
    });
}

/// An index as somebody else would write it: two tables.
#[derive(Default)]
struct Tables {
    persons: Vec<(String, BTreeMap<IndexKey, KeyForm>, Profile)>,
    postings: BTreeMap<IndexKey, BTreeSet<PersonId>>,
}

impl CandidateIndex for Tables {
    fn read(&self, look_up: &mut InRead<'_>) -> Result<(), IndexError> {
        look_up(&mut &*self)
    }
}

impl CandidateRead for &Tables {
    fn holders(
        &mut self,
        keys: &[IndexKey],
        limit: u32,
        report: &mut dyn FnMut(usize, Holders<'_>),
    ) -> Result<(), IndexError> {
        // Backwards, since the order is free.
        for (at, key) in keys.iter().enumerate().rev() {
            if let Some(holders) = self.postings.get(key) {
                let total = u32::try_from(holders.len()).unwrap();
                let persons: Vec<PersonId> = holders.iter().copied().collect();
                let persons = if total > limit { &[][..] } else { &persons[..] };
                report(at, Holders { total, persons });
            }
        }
        Ok(())
    }

    fn persons(
        &mut self,
        ids: &[PersonId],
        report: &mut dyn FnMut(usize, IndexedPerson<'_>),
    ) -> Result<(), IndexError> {
        for (at, id) in ids.iter().enumerate() {
            let row = self.persons.get(usize::try_from(id.get()).unwrap());
            let (key, keys, profile) = row.ok_or(IndexError::UnknownPerson { id: id.get() })?;
            let keys: Vec<PersonKey> =
                keys.iter().map(|(&key, &form)| PersonKey { key, form }).collect();
            report(at, IndexedPerson::new(key, &keys, Some(profile)));
        }
        Ok(())
    }
}

#[test]
fn an_index_of_two_plain_tables_conforms() {
    conformance::run(|population| {
        let mut tables = Tables::default();
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        for (person, record) in population {
            let number = *numbers.entry(person).or_insert_with(|| {
                tables.persons.push((person.clone(), BTreeMap::new(), Profile::default()));
                tables.persons.len() - 1
            });
            let (_, keys, profile) = &mut tables.persons[number];
            for PersonKey { key, form } in PersonKey::of(record) {
                let held = keys.entry(key).or_insert(form);
                *held = form.min(*held);
                let id = PersonId::new(u64::try_from(number).unwrap());
                tables.postings.entry(key).or_default().insert(id);
            }
            profile.merge(&Profile::of(record));
        }
        tables
    });
}
