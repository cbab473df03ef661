//! Building an index of a whole population at once.

use std::num::NonZeroUsize;

use super::{
    InMemoryIndex, RecordFilter,
    rows::Rows,
    same_person::same_person,
    shards::{Room, Shards},
};
use crate::{
    index::{IndexError, PersonKey, Profile},
    kinds::Normalised,
    weak::BlockingKind,
};

/// A builder of an index: it collects the records of a population.
///
/// Records come in any order; those with one person key become one person when the index is built.
///
/// ```
/// use identity_matching::{Normaliser, Record, index::InMemoryIndex};
///
/// let normaliser = Normaliser::default();
/// let mut builder = InMemoryIndex::builder();
/// for (person, phone) in [("P1", "+51987654321"), ("P2", "+51987654322"), ("P1", "+51987654323")] {
///     let record = Record { phones: vec![phone.into()], ..Record::default() };
///     builder.add(person, &normaliser.normalise(&record))?;
/// }
/// assert_eq!(builder.build()?.len(), 2);
/// # Ok::<(), identity_matching::index::IndexError>(())
/// ```
#[derive(Debug)]
pub struct InMemoryIndexBuilder {
    rows: Rows,
    threads: NonZeroUsize,
    filter: RecordFilter,
    buffer: Vec<PersonKey>,
}

impl InMemoryIndex {
    /// Starts an index that is filled and then built at once, which is the fastest way.
    #[must_use]
    pub fn builder() -> InMemoryIndexBuilder {
        InMemoryIndexBuilder::default()
    }
}

impl Default for InMemoryIndexBuilder {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            threads: NonZeroUsize::MIN,
            filter: RecordFilter::default(),
            buffer: Vec::new(),
        }
    }
}

impl InMemoryIndexBuilder {
    /// Builds the table on so many threads; the index is the same.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Takes over the records of another builder, which another thread may have filled.
    ///
    /// # Errors
    ///
    /// [`IndexError::Full`] where both together are too many; then this builder keeps a part of them and is
    /// of no further use.
    pub fn absorb(&mut self, other: Self) -> Result<(), IndexError> {
        self.rows.absorb(other.rows)
    }

    /// Leaves out one kind of blocking keys, which no rule of the policy needs; saves about eighteen
    /// bytes for each.
    #[must_use]
    pub fn without_blocking(mut self, kind: BlockingKind) -> Self {
        self.filter.without.push(kind);
        self
    }

    /// Adds one record of a person.
    ///
    /// # Errors
    ///
    /// [`IndexError::PersonKey`], [`IndexError::TooManyKeys`] or [`IndexError::Full`]; the record is left out.
    pub fn add(&mut self, person: &str, record: &Normalised) -> Result<(), IndexError> {
        self.buffer.clear();
        self.buffer.extend(self.filter.keys(record));
        let profile = Profile::of(record);
        let profile = (!profile.is_empty()).then_some(profile);
        self.rows.push(person, self.buffer.iter().copied(), profile).map(|_| ())
    }

    /// Adds a record of which the keys are made.
    pub(in crate::index) fn push(
        &mut self,
        person: &str,
        keys: &[PersonKey],
        profile: Profile,
    ) -> Result<(), IndexError> {
        let profile = (!profile.is_empty()).then_some(profile);
        self.rows.push(person, keys.iter().copied(), profile).map(|_| ())
    }

    /// Lists the keys of a record as the index would hold them.
    pub(in crate::index) fn index_keys<'a>(
        &'a self,
        record: &'a Normalised,
    ) -> impl Iterator<Item = PersonKey> + 'a {
        self.filter.keys(record)
    }

    /// Returns the number of records that were added.
    #[must_use]
    pub fn records(&self) -> usize {
        self.rows.len()
    }

    /// Builds the index.
    ///
    /// # Errors
    ///
    /// [`IndexError::TooManyKeys`] where the records of one person hold more keys than a row can.
    pub fn build(self) -> Result<InMemoryIndex, IndexError> {
        finish(self.rows, self.filter, self.threads)
    }
}

/// Joins the rows of one person and makes the table.
pub(in crate::index) fn finish(
    mut rows: Rows,
    filter: RecordFilter,
    threads: NonZeroUsize,
) -> Result<InMemoryIndex, IndexError> {
    let span = tracing::info_span!("identity_matching.index", records = rows.len());
    let _entered = span.enter();
    for records in same_person(&rows, threads) {
        let mut keys: Vec<PersonKey> = records.iter().flat_map(|&id| rows.keys(id)).collect();
        keys.sort_unstable();
        keys.dedup_by_key(|held| held.key);
        let mut profile = Profile::default();
        for known in records.iter().filter_map(|&id| rows.profile(id)) {
            profile.merge(&known);
        }
        let person = rows.person(records[0]).to_owned();
        for &id in &records {
            rows.remove(id);
        }
        rows.push(&person, keys.into_iter(), (!profile.is_empty()).then_some(profile))?;
    }
    if rows.wasteful() {
        rows = rows.packed();
    }
    rows.shrink();
    let keys = Shards::of(&rows, Room::Exact, threads);
    let index = InMemoryIndex::from_parts(rows, keys, filter);
    tracing::info!(
        name: "identity_matching.indexed",
        persons = index.len(),
        keys = index.distinct_keys(),
    );
    Ok(index)
}
