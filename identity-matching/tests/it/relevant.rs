//! An index of the persons who can matter decides as an index of everybody.

use identity_matching::{
    BlockingKind, DeterministicMatcher, Matcher, Record, Rejections,
    index::{InMemoryIndex, IndexError, Relevant, RelevantBuilder, SubjectFilter, SubjectKeys},
};
use proptest::{collection::vec, prelude::*};

use crate::{
    decisions::normaliser,
    laws::{Population, index, policies, populations, records},
};

fn filter(leads: &[Record]) -> SubjectFilter {
    let mut keys = SubjectKeys::default();
    for lead in leads {
        let mut one = SubjectKeys::default();
        one.add(&normaliser().normalise(lead));
        keys.absorb(one);
    }
    keys.filter()
}

/// Reads the population on two threads' builders, and once more where that is asked for.
fn relevant(population: &Population, leads: &[Record]) -> InMemoryIndex {
    let filter = filter(leads);
    let mut halves = [(); 2].map(|()| RelevantBuilder::new(filter.clone()));
    for (at, (person, record)) in population.iter().enumerate() {
        let record = normaliser().normalise(record);
        halves[at % 2].add(person, &record).unwrap();
    }
    let [mut both, half] = halves;
    both.absorb(half).unwrap();
    let builder = match both.finish().unwrap() {
        Relevant::Complete(builder) => builder,
        Relevant::Incomplete(mut rest) => {
            for (person, record) in population {
                if rest.wants(person) {
                    rest.add(person, &normaliser().normalise(record)).unwrap();
                }
            }
            rest.into_builder()
        }
    };
    builder.with_threads(2.try_into().unwrap()).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_can_matter_decides_as_everybody_does(
        population in populations(),
        leads in vec(records(), 0..4),
        policy in policies(),
    ) {
        let everybody = DeterministicMatcher::new(index(&population), normaliser(), policy.clone()).unwrap();
        let few = DeterministicMatcher::new(relevant(&population, &leads), normaliser(), policy).unwrap();
        prop_assert!(few.index().len() <= everybody.index().len());
        prop_assert_eq!(few.decide(&leads, &Rejections::default()).unwrap(), everybody.decide(&leads, &Rejections::default()).unwrap());
    }
}

#[test]
fn strangers_are_left_out_and_hubs_are_counted_in_full() {
    let phone = |n: u32| Record { phones: vec![format!("9{n:08}")], ..Record::default() };
    let hub = 12_345_777;
    let population: Population = (0..2_000)
        .map(|n| (format!("P{n}"), phone(if n % 10 == 0 { hub } else { 20_000_011 + n * 37 })))
        .collect();
    let few = relevant(&population, &[phone(hub)]);
    assert!((200..250).contains(&few.len()), "{}", few.len());
    assert_eq!(few.most_shared(1)[0].holders, 200);
    assert!(relevant(&population, &[]).is_empty());
}

#[test]
fn all_records_of_a_person_count_if_one_does() {
    let record = |phone: &str, email: &str| Record {
        phones: vec![phone.into()],
        emails: vec![email.into()],
        ..Record::default()
    };
    let population: Population = vec![
        ("P1".into(), record("987654312", "ana@correo.pe")),
        ("P2".into(), record("912345876", "luis@correo.pe")),
        ("P1".into(), record("944555666", "rosa@correo.pe")),
    ];
    let few = relevant(&population, &[record("944555666", "")]);
    let held: Vec<usize> = few.persons().map(|person| person.keys().count()).collect();
    assert_eq!((few.len(), held), (1, vec![6]));
}

#[test]
fn a_person_without_a_key_of_its_own_is_refused_also_where_it_would_be_left_out() {
    let mut builder = RelevantBuilder::new(filter(&[])).without_blocking(BlockingKind::PhoneTail);
    let nobody = normaliser().normalise(&Record::default());
    assert!(matches!(builder.add("", &nobody), Err(IndexError::PersonKey { length: 0 })));
    builder.add("P1", &nobody).unwrap();
    assert_eq!(format!("{builder:?}"), "RelevantBuilder(0 records kept, 0 left out, 1 waiting)");
}
