//! A population in memory and leads with their keys ready, for the decide and index benches.

use identity_matching::{
    BlockingKind, DeterministicMatcher, HeldKey, Normalised, Normaliser, Policy, RawValue,
    RecordReader, Region, SubjectView,
    index::{InMemoryIndex, InMemoryIndexBuilder},
};

use crate::matching::{self, Draw, Identifiers};

/// Leads with their keys ready, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Leads {
    keys: Vec<HeldKey>,
    ends: Vec<usize>,
}

impl Leads {
    /// Borrows each lead as the matcher takes it.
    #[must_use]
    pub fn views(&self) -> Vec<SubjectView<'_>> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(&start, &end)| SubjectView::of_keys(&self.keys[start..end]))
            .collect()
    }
}

fn normalise<'a>(
    normaliser: &'a Normaliser,
    row: &Identifiers,
    buffer: &'a mut Normalised,
) -> &'a Normalised {
    begin(normaliser, row, buffer).finish()
}

fn begin<'a>(
    normaliser: &'a Normaliser,
    row: &Identifiers,
    buffer: &'a mut Normalised,
) -> RecordReader<'a> {
    let mut text = String::new();
    matching::write_row(&mut text, 0, row, false);
    let mut fields = text.trim_end().split(',').skip(1);
    let mut record = normaliser.read_into(buffer);
    for at in 0..3 {
        match (at, fields.next().unwrap_or_default()) {
            (_, "") => {}
            (0, phone) => record.phone(phone),
            (1, number) => record.document(RawValue { country: "PE", kind: "DNI", value: number }),
            (_, email) => record.email(email),
        }
    }
    record
}

/// Returns a builder with so many persons, and the normaliser that read them.
///
/// # Panics
///
/// Never for the generated rows.
#[must_use]
pub fn builder(persons: u32, hubs: bool) -> (InMemoryIndexBuilder, Normaliser) {
    let region = Region::parse("PE").expect("an assigned code");
    let normaliser = Normaliser::for_region(region);
    let mut builder = InMemoryIndex::builder()
        .without_blocking(BlockingKind::PhoneTail)
        .without_blocking(BlockingKind::Plate)
        .without_blocking(BlockingKind::NameBirthDate);
    let mut buffer = Normalised::default();
    for (at, row) in matching::persons(persons, hubs).enumerate() {
        let record = normalise(&normaliser, &row, &mut buffer);
        builder.add(&at.to_string(), record).expect("a short key");
    }
    (builder, normaliser)
}

/// Returns a builder with so many persons, each with a name of three or four words, a date of birth and a plate beside the
/// identifiers, and every kind of weak evidence kept.
///
/// # Panics
///
/// Never for the generated rows.
#[must_use]
pub fn known_builder(persons: u32) -> InMemoryIndexBuilder {
    let normaliser = Normaliser::for_region(Region::parse("PE").expect("an assigned code"));
    let mut builder = InMemoryIndex::builder();
    let mut buffer = Normalised::default();
    let mut draw = Draw::new(3);
    for (at, row) in matching::persons(persons, false).enumerate() {
        let name = matching::name(&mut draw);
        let date = matching::birth_date(&mut draw);
        let plate = matching::plate(&mut draw);
        let mut record = begin(&normaliser, &row, &mut buffer);
        record.name(&name);
        record.birth_date(&date);
        record.plate(&plate);
        builder.add(&at.to_string(), record.finish()).expect("a short key");
    }
    builder
}

/// Returns a matcher over so many persons and so many leads for it.
///
/// # Panics
///
/// Never for the generated rows.
#[must_use]
pub fn matcher(
    persons: u32,
    leads: u32,
    hubs: bool,
) -> (DeterministicMatcher<InMemoryIndex>, Leads) {
    let (builder, normaliser) = builder(persons, hubs);
    let index = builder.build().expect("few keys");
    let mut ready = Leads::default();
    let mut buffer = Normalised::default();
    for (_, row) in matching::leads(leads, persons, hubs) {
        let record = normalise(&normaliser, &row, &mut buffer);
        ready.keys.extend_from_slice(record.keys());
        ready.ends.push(ready.keys.len());
    }
    (
        DeterministicMatcher::new(index, normaliser, Policy::default())
            .expect("the policy's own options"),
        ready,
    )
}
