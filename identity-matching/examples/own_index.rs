//! A population of one's own: rows that a program may change while others decide over them, proved by the public suite.
//!
//! `cargo run -p identity-matching --example own_index --features testing`

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{PoisonError, RwLock};

use identity_matching::conformance;
use identity_matching::index::{
    CandidateIndex, CandidateRead, Holders, InRead, IndexError, IndexKey, IndexedPerson, PersonId,
    PersonKey, Profile,
};
use identity_matching::{
    DeterministicMatcher, Matcher, Normalised, Normaliser, Policy, Record, Region,
};

/// One person: its key in the service, what it holds, and its weak evidence.
struct Person {
    key: String,
    held: Vec<PersonKey>,
    profile: Profile,
}

/// What a database would hold: persons by number, and who holds which key.
#[derive(Default)]
struct Rows {
    persons: Vec<Person>,
    holders: BTreeMap<IndexKey, BTreeSet<PersonId>>,
}

/// The population. A read keeps changes waiting, as a transaction would.
#[derive(Default)]
struct Population(RwLock<Rows>);

impl Population {
    /// Adds a record of a person, who may be new.
    fn insert(&self, key: &str, record: &Normalised) {
        let mut rows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Rows { persons, holders } = &mut *rows;
        let number = persons.iter().position(|person| person.key == key).unwrap_or(persons.len());
        if number == persons.len() {
            let (held, profile) = (Vec::new(), Profile::default());
            persons.push(Person { key: key.to_owned(), held, profile });
        }
        let person = &mut persons[number];
        person.held.extend(PersonKey::of(record));
        // Of a key that is held in several forms the strongest sorts first, and stays.
        person.held.sort_unstable();
        person.held.dedup_by_key(|held| held.key);
        person.profile.merge(&Profile::of(record));
        for held in &person.held {
            holders.entry(held.key).or_default().insert(PersonId::new(number as u64));
        }
    }
}

impl CandidateIndex for Population {
    fn read(&self, look_up: &mut InRead<'_>) -> Result<(), IndexError> {
        look_up(&mut &*self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl CandidateRead for &Rows {
    fn holders(
        &mut self,
        keys: &[IndexKey],
        limit: u32,
        report: &mut dyn FnMut(usize, Holders<'_>),
    ) -> Result<(), IndexError> {
        for (at, key) in keys.iter().enumerate() {
            let Some(held) = self.holders.get(key) else { continue };
            let total = u32::try_from(held.len()).unwrap_or(u32::MAX);
            // Of a key that more persons hold than the limit only their number is asked for.
            let listed: Vec<_> = held.iter().copied().filter(|_| total <= limit).collect();
            report(at, Holders { total, persons: &listed });
        }
        Ok(())
    }

    fn persons(
        &mut self,
        ids: &[PersonId],
        report: &mut dyn FnMut(usize, IndexedPerson<'_>),
    ) -> Result<(), IndexError> {
        for (at, id) in ids.iter().enumerate() {
            let person = usize::try_from(id.get()).ok().and_then(|at| self.persons.get(at));
            let Person { key, held, profile } =
                person.ok_or(IndexError::UnknownPerson { id: id.get() })?;
            report(at, IndexedPerson::new(key, held, Some(profile)));
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    conformance::run(|records| {
        let population = Population::default();
        for (person, record) in records {
            population.insert(person, record);
        }
        population
    });

    let normaliser = Normaliser::for_region(Region::parse("PE")?);
    let phone = |text: &str| Record { phones: vec![text.into()], ..Record::default() };
    let population = Population::default();
    population.insert("P-1", &normaliser.normalise(&phone("+51 987 654 321")));
    population.insert("P-2", &normaliser.normalise(&phone("912 345 678")));
    let matcher = DeterministicMatcher::new(population, normaliser, Policy::default())?;
    let decision = matcher.decide_one(&phone("987654321"))?;
    assert_eq!(decision.outcome.person(), Some("P-1"));
    println!("{}", matcher.explain(&phone("987654321"))?);
    Ok(())
}

#[test]
fn the_index_answers_as_every_index_must() {
    main().unwrap_or_else(|error| panic!("{error}"));
}
