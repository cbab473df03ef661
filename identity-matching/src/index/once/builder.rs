//! Building an index of those persons alone who can matter to given subjects.

use std::{fmt, num::NonZeroUsize};

use super::filter::{Bloom, SubjectFilter};
use crate::{
    index::{
        IndexError,
        key::fold,
        memory::{GROUP, InMemoryIndexBuilder, check_person_key},
        person::{PersonKey, Profile},
    },
    kinds::Normalised,
    weak::{BirthDate, BlockingKind, Name},
};

/// Collects, of a population that is read once, the persons who hold a key of given subjects.
///
/// An index of them decides these subjects as an index of everybody would, and is made in a fraction of the time
/// and memory: who is left out costs eight bytes until the end. A person's records may be spread over the population, and all
/// of them count if one does; so [`finish`](Self::finish) may ask for a second reading.
///
/// ```
/// use identity_matching::{
///     DeterministicMatcher, Matcher, Normaliser, Policy, Record, Region,
///     index::{Relevant, RelevantBuilder, SubjectKeys},
/// };
///
/// let normaliser = Normaliser::for_region(Region::parse("PE")?);
/// let phone = |phone: &str| Record { phones: vec![phone.into()], ..Record::default() };
/// let lead = phone("987 654 321");
/// let population = [("P1", "+51987654321"), ("P2", "+51912345876"), ("P1", "+51944555666")];
///
/// let mut keys = SubjectKeys::default();
/// keys.add(&normaliser.normalise(&lead));
/// let mut builder = RelevantBuilder::new(keys.filter());
/// for (person, number) in population {
///     builder.add(person, &normaliser.normalise(&phone(number)))?;
/// }
/// let builder = match builder.finish()? {
///     Relevant::Complete(builder) => builder,
///     Relevant::Incomplete(mut rest) => {
///         for (person, number) in population {
///             if rest.wants(person) {
///                 rest.add(person, &normaliser.normalise(&phone(number)))?;
///             }
///         }
///         rest.into_builder()
///     }
/// };
/// let index = builder.build()?;
/// assert_eq!(index.len(), 1);
/// let matcher = DeterministicMatcher::new(index, normaliser, Policy::default())?;
/// assert_eq!(matcher.decide_one(&lead)?.outcome.person(), Some("P1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RelevantBuilder {
    filter: SubjectFilter,
    builder: InMemoryIndexBuilder,
    /// Hashes of the keys of persons, of records that were kept and of those that were left out.
    kept: Vec<u64>,
    left_out: Vec<Vec<u64>>,
    waiting: Waiting,
}

impl RelevantBuilder {
    /// Starts with nobody; each thread may fill a builder of its own.
    #[must_use]
    pub fn new(filter: SubjectFilter) -> Self {
        Self {
            filter,
            builder: InMemoryIndexBuilder::default(),
            kept: Vec::new(),
            left_out: vec![Vec::new()],
            waiting: Waiting::default(),
        }
    }

    /// Builds the table on so many threads; the index is the same.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.builder = self.builder.with_threads(threads);
        self
    }

    /// Leaves out one kind of blocking keys, which no rule of the policy needs.
    #[must_use]
    pub fn without_blocking(mut self, kind: BlockingKind) -> Self {
        self.builder = self.builder.without_blocking(kind);
        self
    }

    /// Reads one record of a person, which is kept or left out.
    ///
    /// # Errors
    ///
    /// As [`InMemoryIndexBuilder::add`], of this record or of one that was read before.
    pub fn add(&mut self, person: &str, record: &Normalised) -> Result<(), IndexError> {
        check_person_key(person)?;
        self.waiting.push(person, self.builder.index_keys(record), record, &self.filter);
        if self.waiting.records.len() == GROUP { self.settle() } else { Ok(()) }
    }

    /// Leaves out one record of a person of which a [`Glance`](super::Glance) says that it cannot matter.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn pass_over(&mut self, person: &str) -> Result<(), IndexError> {
        check_person_key(person)?;
        if let Some(left_out) = self.left_out.last_mut() {
            left_out.push(hash(person));
        }
        Ok(())
    }

    /// Keeps or leaves out the records whose part of the filter was fetched meanwhile.
    fn settle(&mut self) -> Result<(), IndexError> {
        let Self { filter, builder, kept, left_out, waiting } = self;
        let (mut text, mut key) = (0, 0);
        for record in &waiting.records {
            let keys = &waiting.keys[key..record.keys_end];
            let person = &waiting.text[text..record.person_end];
            if keys.iter().any(|held| filter.may_hold(held.key)) {
                let name = &waiting.text[record.person_end..record.name_end];
                let profile = Profile {
                    names: (!name.is_empty())
                        .then(|| Name::folded(name.to_owned()))
                        .into_iter()
                        .collect(),
                    birth_dates: record.birth_date.into_iter().collect(),
                };
                builder.push(person, keys, profile)?;
                kept.push(hash(person));
            } else if let Some(left_out) = left_out.last_mut() {
                left_out.push(hash(person));
            }
            (text, key) = (record.name_end, record.keys_end);
        }
        waiting.clear();
        Ok(())
    }

    /// Takes over what another thread read; both must have been made with one filter.
    ///
    /// # Errors
    ///
    /// As [`InMemoryIndexBuilder::absorb`].
    pub fn absorb(&mut self, mut other: Self) -> Result<(), IndexError> {
        other.settle()?;
        self.kept.extend_from_slice(&other.kept);
        // The last list is the one that is filled.
        self.left_out.splice(0..0, other.left_out);
        self.builder.absorb(other.builder)
    }

    /// Ends the first reading.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn finish(mut self) -> Result<Relevant, IndexError> {
        self.settle()?;
        let kept = Bloom::of(&self.kept);
        let maybe = self.left_out.iter().flatten().copied().filter(|&hash| kept.may_hold(hash));
        let mut wanted: Vec<u64> = maybe.collect();
        if !wanted.is_empty() {
            self.kept.sort_unstable();
            wanted.retain(|hash| self.kept.binary_search(hash).is_ok());
        }
        if wanted.is_empty() {
            return Ok(Relevant::Complete(self.builder));
        }
        wanted.sort_unstable();
        wanted.dedup();
        Ok(Relevant::Incomplete(Remainder { builder: self.builder, wanted }))
    }
}

/// Records on their way through the filter: looking at it at once would wait for memory at each row.
#[derive(Default)]
struct Waiting {
    /// Each person's key and folded name, one after the other.
    text: String,
    keys: Vec<PersonKey>,
    records: Vec<Ends>,
}

/// Where the parts of one record end that waits.
struct Ends {
    person_end: usize,
    name_end: usize,
    keys_end: usize,
    birth_date: Option<BirthDate>,
}

impl Waiting {
    fn push(
        &mut self,
        person: &str,
        keys: impl Iterator<Item = PersonKey>,
        record: &Normalised,
        filter: &SubjectFilter,
    ) {
        self.text.push_str(person);
        let person_end = self.text.len();
        self.text.push_str(record.name().map_or("", Name::as_str));
        for held in keys {
            filter.prefetch(held.key);
            self.keys.push(held);
        }
        self.records.push(Ends {
            person_end,
            name_end: self.text.len(),
            keys_end: self.keys.len(),
            birth_date: record.birth_date(),
        });
    }

    fn clear(&mut self) {
        self.text.clear();
        self.keys.clear();
        self.records.clear();
    }
}

impl fmt::Debug for RelevantBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left_out: usize = self.left_out.iter().map(Vec::len).sum();
        let (kept, waiting) = (self.kept.len(), self.waiting.records.len());
        write!(f, "RelevantBuilder({kept} records kept, {left_out} left out, {waiting} waiting)")
    }
}

/// Whether one reading of the population was enough.
#[derive(Debug)]
#[must_use = "an incomplete one needs a second reading"]
pub enum Relevant {
    /// All records of the persons who matter are there.
    Complete(InMemoryIndexBuilder),
    /// Of some persons who matter, records were left out: read the population again.
    Incomplete(Remainder),
}

/// Takes the records that the first reading left out though their person matters.
pub struct Remainder {
    builder: InMemoryIndexBuilder,
    /// Hashes of the keys of these persons, sorted.
    wanted: Vec<u64>,
}

impl Remainder {
    /// Tells whether a person's records are to be added.
    #[must_use]
    pub fn wants(&self, person: &str) -> bool {
        self.wanted.binary_search(&hash(person)).is_ok()
    }

    /// Adds a record of a person who is wanted; one that is there already does no harm.
    ///
    /// # Errors
    ///
    /// As [`InMemoryIndexBuilder::add`].
    pub fn add(&mut self, person: &str, record: &Normalised) -> Result<(), IndexError> {
        self.builder.add(person, record)
    }

    /// Ends the second reading, of the whole population.
    #[must_use]
    pub fn into_builder(self) -> InMemoryIndexBuilder {
        self.builder
    }
}

impl fmt::Debug for Remainder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remainder({} persons)", self.wanted.len())
    }
}

/// Hashes a person's key; whoever makes two collide has their records read twice, and no more.
#[inline]
fn hash(person: &str) -> u64 {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = person.as_bytes().as_chunks::<8>();
    let start = SPREAD ^ person.len() as u64;
    let hash =
        words.iter().fold(start, |hash, word| fold(hash ^ u64::from_le_bytes(*word), SPREAD));
    let rest = rest.iter().fold(1, |word, &byte| word << 8 | u64::from(byte));
    fold(fold(hash ^ rest, SPREAD) ^ SPREAD, SPREAD)
}
