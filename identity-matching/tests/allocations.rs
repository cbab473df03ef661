//! Looking up and considering allocate nothing per subject.

use identity_matching::{
    DeterministicMatcher, Normalised, Policy, Record, SubjectView,
    index::{CandidateIndex, InMemoryIndex, IndexKey},
};

use crate::decisions::normaliser;

fn records(count: u32) -> Vec<Normalised> {
    let record = |n: u32| Record {
        phones: vec![format!("9{:08}", 12_345_678 + n * 37)],
        emails: vec![format!("persona{n}@correo.pe")],
        ..Record::default()
    };
    (0..count).map(|n| normaliser().normalise(&record(n))).collect()
}

fn index(records: &[Normalised]) -> InMemoryIndex {
    let mut builder = InMemoryIndex::builder();
    for (n, record) in records.iter().enumerate() {
        builder.add(&format!("P{n}"), record).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn a_lookup_allocates_nothing() {
    let records = records(500);
    let index = index(&records);
    let keys: Vec<IndexKey> =
        records.iter().flat_map(|r| r.keys().iter().map(|held| held.key.into())).collect();
    let mut found = 0;
    let spent = allocation_counter::measure(|| {
        index.holders(&keys, 50, &mut |_, holders| found += holders.persons.len()).unwrap();
    });
    assert_eq!(found, keys.len());
    assert_eq!(spent.count_total, 0);
}

#[test]
fn considering_more_subjects_allocates_no_more() {
    let records = records(2_048);
    let matcher = DeterministicMatcher::new(index(&records), normaliser(), Policy::default());
    let views: Vec<SubjectView<'_>> = records.iter().map(SubjectView::from).collect();
    let allocations = |views: &[SubjectView<'_>]| {
        let mut decided = 0;
        let spent = allocation_counter::measure(|| {
            let report = &mut |_, considered: &identity_matching::Considered<'_>| {
                decided += usize::from(considered.person().is_some());
            };
            matcher.consider(views, report).unwrap();
        });
        assert_eq!(decided, views.len());
        spent.count_total
    };
    assert_eq!(allocations(&views), allocations(&views[..1_024]));
}
