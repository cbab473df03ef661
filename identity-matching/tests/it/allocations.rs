//! Normalising plain values, looking up and considering allocate nothing per subject.

use identity_matching::{
    DeterministicMatcher, Normalised, Policy, RawDocument, RawValue, Record, Rejections,
    SubjectView,
    index::{CandidateIndex, CandidateRead, InMemoryIndex, IndexKey, RelevantBuilder, SubjectKeys},
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
        let look_up = &mut |read: &mut dyn CandidateRead| {
            read.holders(&keys, 50, &mut |_, holders| found += holders.persons.len())
        };
        index.read(look_up).unwrap();
    });
    assert_eq!(found, keys.len());
    assert_eq!(spent.count_total, 0);
}

#[test]
fn considering_more_subjects_allocates_no_more() {
    let records = records(2_048);
    let matcher =
        DeterministicMatcher::new(index(&records), normaliser(), Policy::default()).unwrap();
    let views: Vec<SubjectView<'_>> = records.iter().map(SubjectView::from).collect();
    let allocations = |views: &[SubjectView<'_>]| {
        let mut decided = 0;
        let spent = allocation_counter::measure(|| {
            let report = &mut |_, considered: &identity_matching::Considered<'_>| {
                decided += usize::from(considered.person().is_some());
            };
            matcher.consider(views, &Rejections::default(), report).unwrap();
        });
        assert_eq!(decided, views.len());
        spent.count_total
    };
    assert_eq!(allocations(&views), allocations(&views[..1_024]));
}

#[test]
fn normalising_plain_values_into_a_buffer_allocates_nothing() {
    let normaliser = normaliser();
    let mut buffer = Normalised::default();
    let mut read = |number: u32| {
        let mut record = normaliser.read_into(&mut buffer);
        record.document(RawValue { country: "PE", kind: "DNI", value: "45678913" });
        record.document(RawValue { country: "pe", kind: "ruc", value: "10-45678913-2" });
        for phone in ["+51987654312", "987654313", "+51 987 654-314", "0051987654315"] {
            record.phone(phone);
        }
        record.email(if number.is_multiple_of(2) {
            "Ana.Rojas@correo.pe"
        } else {
            "luis@gmail.com"
        });
        record.plate("ABC-123");
        record.birth_date("1987-03-21");
        record.finish().keys().len()
    };
    // The first records make the buffers as long as they need to be.
    assert_eq!((read(0), read(1)), (7, 7));
    let spent = allocation_counter::measure(|| assert!((2..100).all(|n| read(n) == 7)));
    assert_eq!(spent.count_total, 0);
}

#[test]
fn a_person_who_cannot_matter_is_passed_over_without_an_allocation_of_its_own() {
    let records = records(4_096);
    let mut subject = SubjectKeys::default();
    subject.add(
        &normaliser()
            .normalise(&Record { phones: vec!["+51 944 555 666".into()], ..Record::default() }),
    );
    let mut builder = RelevantBuilder::new(subject.filter());
    let mut read = |records: &[Normalised]| {
        allocation_counter::measure(|| {
            for record in records {
                builder.add("P1", record).unwrap();
            }
        })
    };
    read(&records[..1_024]);
    // Only the list of those who are left out grows, by doubling, and the few that the filter takes.
    assert!(read(&records[1_024..]).count_total < 64);
}

/// An index of persons with a document, a phone and an address, and with a name, a date of birth and a plate beside them.
fn population(count: u32, weak: bool) -> InMemoryIndex {
    let normaliser = normaliser();
    let mut builder = InMemoryIndex::builder();
    for n in 0..count {
        let mut record = Record {
            phones: vec![format!("+519{:08}", 12_345_671 + n * 7_919)],
            documents: vec![RawDocument::typed("PE", "DNI", &format!("{}", 41_234_567 + n * 331))],
            emails: vec![format!("ana.rojas{n}x@correo.pe")],
            ..Record::default()
        };
        if weak {
            let letters = ["ana", "luis", "rosa", "juan", "ines", "raul", "olga"];
            let word = |at: u32| letters[(at % 7) as usize];
            record.name = Some(format!("{} {}sa {}ez", word(n), word(n / 7), word(n / 49)));
            record.birth_date = Some(format!("19{}-0{}-1{}", 60 + n % 40, 1 + n % 9, n % 10));
            record.plate = Some(format!("AK{}-{:03}", char::from(b'A' + (n % 26) as u8), n / 26));
        }
        builder.add(&format!("P{n}"), &normaliser.normalise(&record)).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn a_person_takes_few_bytes_and_every_key_is_counted_once() {
    let plain = population(2_048, false);
    // Document, phone, its last digits, address.
    assert_eq!(plain.distinct_keys(), 4 * 2_048);
    let each = [plain, population(2_048, true)].map(|index| index.bytes() / index.len());
    assert!(each[0] <= 68 && each[1] <= 134, "{each:?} bytes for each person");
}
