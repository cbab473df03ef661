//! The laws of deciding, on random populations.

use std::{collections::BTreeMap, num::NonZeroUsize};

use identity_matching::{
    Decision, DeterministicMatcher, Matcher, OwnValue, Policy, RawDocument, Record, Rejections,
    index::{CandidateIndex, InMemoryIndex},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{decisions::normaliser, support::card};

pub(crate) type Population = Vec<(String, Record)>;

/// Few values, so that persons and leads share them often; some share an alias or a derived key.
pub(crate) fn records() -> impl Strategy<Value = Record> {
    let phones = select(vec![
        "987654312",
        "+51 987 654 313",
        "912345876",
        "+54 9 11 2345-6789",
        "+54 11 2345-6789",
        "+52 1 55 1234 5678",
        "+52 55 1234 5678",
        "999999999",
        "944555666",
    ]);
    let documents = select(vec![
        ("PE", "DNI", "45678913"),
        ("PE", "DNI", "41234567"),
        ("PE", "DNI", "00000000"),
        ("PE", "RUC", "10456789137"),
        ("PE", "PASSPORT", "AB123456"),
        ("XX", "?", "77"),
        ("CL", "RUT", "7654321-6"),
    ]);
    let emails = select(vec![
        "ana.rojas@correo.pe",
        "anarojas@gmail.com",
        "ana.rojas+x@googlemail.com",
        "ana.rojas@gmial.com",
        "test@test.com",
        "luis@correo.pe",
    ]);
    let names = select(vec![
        "Ana Rojas Quispe",
        "Rojas Quispe, Ana",
        "Luisa Rojas",
        "Luis Paz",
        "José de la Cruz",
    ]);
    let plates = select(vec!["ABC-123", "XYZ-987"]);
    let dates = select(vec!["1987-03-21", "1990-12-01"]);
    (
        vec(phones, 0..3),
        vec(documents, 0..3),
        vec(emails, 0..2),
        option::of(names),
        option::of(plates),
        option::of(dates),
        vec(select(vec!["11", "12", "~11", "?11", "13"]), 0..2),
    )
        .prop_map(|(phones, documents, emails, name, plate, birth_date, cards)| Record {
            phones: phones.into_iter().map(String::from).collect(),
            documents: documents
                .into_iter()
                .map(|(country, kind, number)| RawDocument::typed(country, kind, number))
                .collect(),
            emails: emails.into_iter().map(String::from).collect(),
            name: name.map(String::from),
            plate: plate.map(String::from),
            birth_date: birth_date.map(String::from),
            own: cards
                .into_iter()
                .map(|value| OwnValue { kind: card(), value: value.into() })
                .collect(),
            ..Record::default()
        })
}

pub(crate) fn populations() -> impl Strategy<Value = Population> {
    vec((0..12_u8, records()), 0..24)
        .prop_map(|rows| rows.into_iter().map(|(n, record)| (format!("P{n}"), record)).collect())
}

pub(crate) use crate::support::policies;

pub(crate) fn index(population: &Population) -> InMemoryIndex {
    let mut builder = InMemoryIndex::builder();
    for (person, record) in population {
        builder.add(person, &normaliser().normalise(record)).unwrap();
    }
    builder.build().unwrap()
}

fn decide<I: CandidateIndex>(index: I, policy: &Policy, leads: &[Record]) -> Vec<Decision> {
    DeterministicMatcher::new(index, normaliser(), policy.clone())
        .unwrap()
        .decide(leads, &Rejections::default())
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_persons_and_of_leads_leaves_no_trace(
        population in populations(),
        leads in vec(records(), 1..6),
        policy in policies(),
        seed: u64,
    ) {
        let decisions = decide(index(&population), &policy, &leads);
        let mut shuffled: Vec<_> = population.iter().enumerate().collect();
        shuffled.sort_by_key(|(at, _)| (*at as u64 + 1).wrapping_mul(seed | 1));
        let shuffled = shuffled.into_iter().map(|(_, person)| person.clone()).collect();
        prop_assert_eq!(&decide(index(&shuffled), &policy, &leads), &decisions);
        let backwards: Vec<_> = leads.iter().rev().cloned().collect();
        let mut again = decide(index(&population), &policy, &backwards);
        again.reverse();
        prop_assert_eq!(&again, &decisions);
        for (lead, decision) in leads.iter().zip(&decisions) {
            let alone = decide(index(&population), &policy, std::slice::from_ref(lead));
            prop_assert_eq!(&alone[0], decision);
        }
    }

    #[test]
    fn a_person_who_shares_no_key_changes_no_decision(
        population in populations(),
        leads in vec(records(), 1..6),
        policy in policies(),
    ) {
        let before = decide(index(&population), &policy, &leads);
        let mut more = population;
        let stranger = Record {
            phones: vec!["+34 612 909 071".into()],
            emails: vec!["nobody.else@correo.es".into()],
            name: Some("Xochitl Wong".into()),
            ..Record::default()
        };
        more.insert(more.len() / 2, ("STRANGER".into(), stranger));
        prop_assert_eq!(decide(index(&more), &policy, &leads), before);
    }

    #[test]
    fn removing_the_matched_person_never_leaves_the_match(
        population in populations(),
        leads in vec(records(), 1..6),
        policy in policies(),
    ) {
        for (lead, decision) in leads.iter().zip(decide(index(&population), &policy, &leads)) {
            if let Some(person) = decision.outcome.person() {
                let mut rest = index(&population);
                prop_assert!(rest.remove(person));
                let after = decide(rest, &policy, std::slice::from_ref(lead)).remove(0);
                prop_assert_ne!(after.outcome.person(), Some(person));
                prop_assert!(after.evidence.candidates.iter().all(|c| c.person != person));
            }
        }
    }

    #[test]
    fn an_updated_index_decides_as_one_built_anew(
        population in populations(),
        changes in vec((0..12_u8, option::of(records()), any::<bool>()), 0..24),
        leads in vec(records(), 1..6),
        policy in policies(),
    ) {
        let mut updated = index(&population);
        let mut model: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for (person, record) in population {
            model.entry(person).or_default().push(record);
        }
        for (n, change, replace) in changes {
            let person = format!("P{n}");
            match change {
                None => prop_assert_eq!(updated.remove(&person), model.remove(&person).is_some()),
                Some(record) => {
                    let normalised = normaliser().normalise(&record);
                    let records = model.entry(person.clone()).or_default();
                    if replace {
                        updated.replace(&person, &normalised).unwrap();
                        records.clear();
                    } else {
                        updated.insert(&person, &normalised).unwrap();
                    }
                    records.push(record);
                }
            }
        }
        prop_assert_eq!(updated.len(), model.len());
        let anew: Population = model
            .into_iter()
            .flat_map(|(person, records)| records.into_iter().map(move |r| (person.clone(), r)))
            .collect();
        let anew = index(&anew);
        prop_assert_eq!(updated.distinct_keys(), anew.distinct_keys());
        prop_assert_eq!(updated.most_shared(99), anew.most_shared(99));
        prop_assert_eq!(decide(updated, &policy, &leads), decide(anew, &policy, &leads));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// A batch is split only where each thread gets some hundred leads: the drawn leads stand in it many times over.
    #[test]
    fn the_number_of_threads_leaves_no_trace(
        population in populations(),
        leads in vec(records(), 1..40),
        policy in policies(),
        threads in 1..=8_usize,
        share in 200..320_usize,
        rest in 0..8_usize,
    ) {
        let batch: Vec<Record> = leads.iter().cycle().take(threads * share + rest).cloned().collect();
        let threads = NonZeroUsize::new(threads).unwrap();
        let mut builder = InMemoryIndex::builder().with_threads(threads);
        for (person, record) in &population {
            builder.add(person, &normaliser().normalise(record)).unwrap();
        }
        let serial = DeterministicMatcher::new(index(&population), normaliser(), policy.clone()).unwrap();
        let parallel = DeterministicMatcher::new(builder.build().unwrap(), normaliser(), policy).unwrap()
            .with_threads(threads);
        // Outcome and evidence both.
        let decisions = serial.decide(&batch, &Rejections::default()).unwrap();
        prop_assert_eq!(decisions.len(), batch.len());
        prop_assert!(parallel.decide(&batch, &Rejections::default()).unwrap() == decisions);
        prop_assert!(serial.with_threads(threads).decide(&batch, &Rejections::default()).unwrap() == decisions);
    }
}
