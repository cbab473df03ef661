//! The population in memory.

mod build;
mod entry;
mod lists;
mod packed;
mod rows;
mod same_person;
mod shards;
mod table;
mod view;

use std::num::NonZeroUsize;

#[cfg(feature = "sealed")]
pub(in crate::index) use self::build::finish;
pub(crate) use self::rows::RowId;
pub use self::{
    build::InMemoryIndexBuilder,
    view::{IndexedPerson, PersonKeys},
};
pub(in crate::index) use self::{
    rows::{Rows, check_person_key},
    shards::GROUP,
};
use self::{
    shards::{Room, Shards},
    table::Probe,
};
#[cfg(feature = "sealed")]
use super::Seal;
use super::{
    CandidateIndex, CandidateRead, Holders, InRead, IndexError, IndexKey, PersonId, PersonKey,
    Profile,
};
use crate::{kinds::Normalised, weak::blocking::BlockingKind};

/// A population in memory.
///
/// Rows and table take about sixty bytes per person with three keys, besides the person's own key text;
/// weak evidence comes on top ([`bytes`](Self::bytes) tells). A lookup allocates nothing. Persons can be
/// added, changed and removed; the index then answers as one that was built anew.
///
/// ```
/// use identity_matching::{Normaliser, Record, index::InMemoryIndex};
///
/// let normaliser = Normaliser::default();
/// let ana = Record { phones: vec!["+51987654321".into()], ..Record::default() };
/// let mut index = InMemoryIndex::builder().build()?;
/// index.insert("P1", &normaliser.normalise(&ana))?;
/// assert_eq!(index.len(), 1);
/// assert!(index.remove("P1"));
/// assert!(index.is_empty());
/// # Ok::<(), identity_matching::index::IndexError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct InMemoryIndex {
    pub(in crate::index) rows: Rows,
    pub(in crate::index) keys: Shards,
    /// Finds a person by its key; made when the first person is added or removed.
    names: Option<Names>,
    pub(in crate::index) filter: RecordFilter,
}

type Names = std::collections::HashMap<Box<str>, RowId>;

/// A key that several persons hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedKey {
    /// The key.
    pub key: IndexKey,
    /// How many persons hold it; at least two.
    pub holders: usize,
}

impl InMemoryIndex {
    pub(in crate::index) fn from_parts(rows: Rows, keys: Shards, filter: RecordFilter) -> Self {
        Self { rows, keys, names: None, filter }
    }

    /// Returns the number of persons.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tells whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of different keys, strong and blocking.
    #[must_use]
    pub fn distinct_keys(&self) -> usize {
        self.keys.keys()
    }

    /// Returns the bytes of memory that the index takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let names = self.names.as_ref().map_or(0, |names| {
            names.capacity() * size_of::<(Box<str>, RowId)>()
                + names.keys().map(|name| name.len()).sum::<usize>()
        });
        self.rows.bytes() + self.keys.bytes() + names
    }

    /// Adds one record of a person; a person's several records are one person.
    ///
    /// # Errors
    ///
    /// [`IndexError::PersonKey`], [`IndexError::TooManyKeys`] or [`IndexError::Full`]; the index is unchanged.
    pub fn insert(&mut self, person: &str, record: &Normalised) -> Result<(), IndexError> {
        let before = self.names().get(person).copied();
        let mut keys: Vec<PersonKey> = self.filter.keys(record).collect();
        let mut profile = Profile::of(record);
        if let Some(before) = before {
            keys.extend(self.rows.keys(before));
            if let Some(known) = self.rows.profile(before) {
                profile.merge(&known);
            }
        }
        self.put(person, before, keys, profile)
    }

    /// Puts one record in the place of all that was known of a person, or adds the person.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn replace(&mut self, person: &str, record: &Normalised) -> Result<(), IndexError> {
        let before = self.names().get(person).copied();
        let keys = self.filter.keys(record).collect();
        self.put(person, before, keys, Profile::of(record))
    }

    /// Removes a person with all its records; tells whether there was one.
    pub fn remove(&mut self, person: &str) -> bool {
        let Some(id) = self.names().remove(person) else { return false };
        self.forget(id);
        self.tidy();
        true
    }

    /// Lists the persons by their keys, in no order that means anything.
    pub fn persons(&self) -> impl Iterator<Item = IndexedPerson<'_>> {
        self.rows.ids().filter_map(|id| self.rows.view(id))
    }

    /// Lists the keys that most persons hold, the worst first, at most `limit` of them.
    ///
    /// A value at the head of this list is often a placeholder that no list knows yet.
    #[must_use]
    pub fn most_shared(&self, limit: usize) -> Vec<SharedKey> {
        let mut shared: Vec<SharedKey> = self
            .keys
            .shared(&self.rows)
            .map(|(key, persons)| SharedKey { key, holders: persons.len() })
            .collect();
        shared.sort_unstable_by(|left, right| {
            right.holders.cmp(&left.holders).then(left.key.cmp(&right.key))
        });
        shared.truncate(limit);
        shared
    }

    /// Lists the keys that more than one person holds, with their holders, in no order.
    pub(crate) fn shared(&self) -> impl Iterator<Item = (IndexKey, &[RowId])> {
        self.keys.shared(&self.rows)
    }

    pub(crate) fn view(&self, id: RowId) -> Option<IndexedPerson<'_>> {
        self.rows.view(id)
    }

    fn names(&mut self) -> &mut Names {
        let rows = &self.rows;
        self.names
            .get_or_insert_with(|| rows.ids().map(|id| (rows.person(id).into(), id)).collect())
    }

    fn put(
        &mut self,
        person: &str,
        before: Option<RowId>,
        mut keys: Vec<PersonKey>,
        profile: Profile,
    ) -> Result<(), IndexError> {
        keys.sort_unstable();
        keys.dedup_by_key(|held| held.key);
        let profile = (!profile.is_empty()).then_some(profile);
        let id = self.rows.push(person, keys.iter().copied(), profile)?;
        if let Some(before) = before {
            self.forget(before);
        }
        self.names().insert(person.into(), id);
        if !self.keys.has_room(keys.len()) {
            self.keys = Shards::of(&self.rows, Room::ToGrow, NonZeroUsize::MIN);
        }
        self.keys.insert_row(id, &self.rows);
        self.tidy();
        Ok(())
    }

    fn forget(&mut self, id: RowId) {
        for held in self.rows.keys(id) {
            self.keys.remove(held.key, id, &self.rows);
        }
        self.rows.remove(id);
    }

    /// Packs the rows anew once removed ones take much of the space.
    fn tidy(&mut self) {
        if self.rows.wasteful() {
            self.rows = self.rows.packed();
            self.keys = Shards::of(&self.rows, Room::ToGrow, NonZeroUsize::MIN);
            self.names = None;
        }
    }
}

/// What of a record an index takes in, and how.
#[derive(Clone, Debug, Default)]
pub(in crate::index) struct RecordFilter {
    /// The secret of an index whose rows hold hashes only.
    #[cfg(feature = "sealed")]
    pub(in crate::index) seal: Option<Seal>,
    /// The fingerprint of the options that the records of a loaded index were read by.
    #[cfg(feature = "sealed")]
    pub(in crate::index) options: Option<[u8; 16]>,
    /// The blocking keys that are left out.
    pub(in crate::index) without: Vec<BlockingKind>,
}

impl RecordFilter {
    /// Lists the keys of one record as the index holds them; each key once.
    pub(in crate::index) fn keys<'a>(
        &'a self,
        record: &'a Normalised,
    ) -> impl Iterator<Item = PersonKey> + 'a {
        let kept = |held: &PersonKey| {
            held.key.blocking().is_none_or(|key| !self.without.contains(&key.kind()))
        };
        let keys = PersonKey::of(record).filter(kept);
        keys.map(|held| PersonKey { key: self.seal(held.key), ..held })
    }

    #[cfg(feature = "sealed")]
    #[inline]
    pub(in crate::index) fn seal(&self, key: IndexKey) -> IndexKey {
        self.seal.as_ref().map_or(key, |seal| seal.key(key))
    }

    #[cfg(not(feature = "sealed"))]
    #[expect(clippy::unused_self, reason = "without the feature nothing is sealed")]
    pub(in crate::index) const fn seal(&self, key: IndexKey) -> IndexKey {
        key
    }
}

impl CandidateIndex for InMemoryIndex {
    #[inline]
    fn as_held(&self, key: IndexKey) -> IndexKey {
        self.filter.seal(key)
    }

    fn read(&self, look_up: &mut InRead<'_>) -> Result<(), IndexError> {
        look_up(&mut &*self)
    }
}

impl CandidateRead for &InMemoryIndex {
    fn holders(
        &mut self,
        keys: &[IndexKey],
        limit: u32,
        report: &mut dyn FnMut(usize, Holders<'_>),
    ) -> Result<(), IndexError> {
        if self.is_empty() {
            return Ok(());
        }
        let mut probes = [(IndexKey::from_bits(0), Probe::default()); GROUP];
        let mut few = [PersonId::default(); FEW];
        let mut many = Vec::new();
        for (group, keys) in keys.chunks(GROUP).enumerate() {
            for (probe, &key) in probes.iter_mut().zip(keys) {
                *probe = (key, self.keys.prefetch(key));
            }
            let probes = &probes[..keys.len()];
            for &(_, probe) in probes {
                self.keys.prefetch_row(probe, &self.rows);
            }
            for (at, &(key, probe)) in probes.iter().enumerate() {
                let Some(rows) = self.keys.get(probe, key, &self.rows) else { continue };
                let total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
                let persons = if total > limit {
                    &[][..]
                } else if let Some(few) = few.get_mut(..rows.len()) {
                    for (person, &row) in few.iter_mut().zip(rows) {
                        *person = row.into();
                    }
                    &*few
                } else {
                    many.clear();
                    many.extend(rows.iter().map(|&row| PersonId::from(row)));
                    &many[..]
                };
                report(group * GROUP + at, Holders { total, persons });
            }
        }
        Ok(())
    }

    fn persons(
        &mut self,
        ids: &[PersonId],
        report: &mut dyn FnMut(usize, IndexedPerson<'_>),
    ) -> Result<(), IndexError> {
        for (at, &id) in ids.iter().enumerate() {
            let view = RowId::of(id).and_then(|row| self.rows.view(row));
            report(at, view.ok_or(IndexError::UnknownPerson { id: id.get() })?);
        }
        Ok(())
    }
}

/// How many holders of a key are listed without allocating; the default policy lists no more.
const FEW: usize = 64;
