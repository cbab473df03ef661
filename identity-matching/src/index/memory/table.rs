//! The hash table: from a key to the one person, or the list of persons, that hold it.
//!
//! A bucket is one cache line: twelve one-byte tags, twelve 32-bit slots and a count of the keys that were
//! displaced to later buckets. A lookup that finds no equal tag ends after one line; one that does reads
//! the person's row, which holds the key itself, so the table stores no keys. A key that several persons
//! hold takes one slot too, which then points at their list: however many hold it, the walk over the
//! buckets does not get longer.
//!
//! A slot that points at a row says which of the row's keys it stands for by its tag alone. So it may do so only
//! where no other key of the row has the same tag; where one has, both keys get lists, which name their key. A list
//! none of whose persons has such another key needs not name it: its first person's row does.

#![expect(
    clippy::cast_possible_truncation,
    reason = "words and hashes are cut on purpose, and sizes are bounded where they grow"
)]

use std::slice;

use super::{
    lists::Lists,
    rows::{RowId, Rows},
};
use crate::index::{IndexKey, key};

const SLOTS: usize = 12;
/// Set in a slot that points at a list.
const LISTED: u32 = 1 << 31;
/// Of 100 slots, how many may be taken.
const MAX_LOAD: usize = 88;

#[derive(Clone, Debug, Default)]
#[repr(align(64))]
struct Bucket {
    tags: [u8; SLOTS],
    /// How many keys found this bucket full and went on.
    passed: u32,
    slots: [RowId; SLOTS],
}

/// A key's place in the table, before any memory is read.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::index) struct Probe {
    bucket: u32,
    tag: u8,
    /// The table, where there are several.
    pub(in crate::index) shard: u8,
}

#[derive(Clone, Debug, Default)]
pub(in crate::index) struct Table {
    buckets: Vec<Bucket>,
    lists: Lists,
    keys: usize,
}

/// Where a key lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    bucket: usize,
    slot: usize,
}

impl Table {
    /// Makes a table with room for `keys` different keys.
    pub(in crate::index) fn with_room(keys: usize) -> Self {
        let slots = keys.saturating_mul(100) / MAX_LOAD + 1;
        Self { buckets: vec![Bucket::default(); slots.div_ceil(SLOTS).max(1)], ..Self::default() }
    }

    /// Tells whether there is room for `more` different keys.
    pub(in crate::index) fn has_room(&self, more: usize) -> bool {
        (self.keys + more) * 100 <= self.buckets.len() * SLOTS * MAX_LOAD
    }

    pub(in crate::index) fn keys(&self) -> usize {
        self.keys
    }

    /// Tells whether one more key would have to look through too many buckets.
    pub(in crate::index) fn is_full(&self) -> bool {
        self.keys >= self.buckets.len() * SLOTS * (MAX_LOAD + 4) / 100
    }

    pub(in crate::index) fn bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>() + self.lists.bytes()
    }

    /// Gives memory back that growing has left.
    pub(in crate::index) fn shrink(&mut self) {
        self.lists.shrink();
    }

    /// Finds a key's first bucket and asks the processor to fetch it.
    #[inline]
    pub(in crate::index) fn prefetch(&self, hash: u64) -> Probe {
        let probe = self.probe(hash);
        prefetch_index::prefetch_index(&self.buckets, probe.bucket as usize);
        probe
    }

    #[inline]
    fn probe(&self, hash: u64) -> Probe {
        let bucket = (u128::from(hash) * self.buckets.len() as u128) >> 64;
        Probe { bucket: bucket as u32, tag: key::tag(hash), shard: 0 }
    }

    /// Asks the processor to fetch the row behind the first slot with the probe's tag.
    #[inline]
    pub(in crate::index) fn prefetch_row(&self, probe: Probe, rows: &Rows) {
        let bucket = &self.buckets[probe.bucket as usize];
        if let Some(slot) = equal_tags(&bucket.tags, probe.tag).next()
            && bucket.slots[slot].get() & LISTED == 0
        {
            rows.prefetch(bucket.slots[slot]);
        }
    }

    /// Returns who holds the key.
    #[inline]
    pub(in crate::index) fn get(
        &self,
        probe: Probe,
        key: IndexKey,
        rows: &Rows,
    ) -> Option<&[RowId]> {
        let place = self.find(probe, key, rows)?;
        let slot = &self.buckets[place.bucket].slots[place.slot];
        Some(match slot.get() & LISTED {
            0 => slice::from_ref(slot),
            _ => self.lists.persons(slot.get() ^ LISTED),
        })
    }

    #[inline]
    fn find(&self, probe: Probe, key: IndexKey, rows: &Rows) -> Option<Place> {
        let mut at = probe.bucket as usize;
        // A chain cannot be longer than the table: `passed` counts keys, and the load is bounded.
        for _ in 0..self.buckets.len() {
            let bucket = &self.buckets[at];
            for slot in equal_tags(&bucket.tags, probe.tag) {
                let held = bucket.slots[slot];
                let equal = match held.get() & LISTED {
                    0 => rows.holds(held, key),
                    list => {
                        let at = held.get() ^ list;
                        match self.lists.key(at) {
                            Some(named) => named == key,
                            // Of none of its persons has another key the tag.
                            None => rows.holds(self.lists.persons(at)[0], key),
                        }
                    }
                };
                if equal {
                    return Some(Place { bucket: at, slot });
                }
            }
            if bucket.passed == 0 {
                return None;
            }
            at = self.next(at);
        }
        None
    }

    fn next(&self, bucket: usize) -> usize {
        if bucket + 1 == self.buckets.len() { 0 } else { bucket + 1 }
    }

    /// Notes that a person holds a key, once however often it is said; there must be room, and the
    /// person's row must be there.
    ///
    /// `ambiguous` tells whether another key of the row has the same tag.
    pub(in crate::index) fn insert(
        &mut self,
        probe: Probe,
        key: IndexKey,
        person: RowId,
        ambiguous: bool,
        rows: &Rows,
    ) {
        if let Some(place) = self.find(probe, key, rows) {
            let slot = &mut self.buckets[place.bucket].slots[place.slot];
            let list = if slot.get() & LISTED == 0 {
                if *slot == person {
                    return;
                }
                let persons = [(*slot).min(person), (*slot).max(person)];
                self.lists.add(ambiguous.then_some(key), &persons)
            } else {
                let mut list = slot.get() ^ LISTED;
                if ambiguous {
                    list = self.lists.name(list, key);
                }
                self.lists.insert(list, person)
            };
            *slot = RowId::new(LISTED | list);
            return;
        }
        let slot = if ambiguous {
            RowId::new(LISTED | self.lists.add(Some(key), &[person]))
        } else {
            person
        };
        let mut at = probe.bucket as usize;
        loop {
            let bucket = &mut self.buckets[at];
            if let Some(free) = bucket.tags.iter().position(|&tag| tag == 0) {
                bucket.tags[free] = probe.tag;
                bucket.slots[free] = slot;
                self.keys += 1;
                return;
            }
            bucket.passed += 1;
            at = self.next(at);
        }
    }

    /// Notes that a person no longer holds a key; its row must still be there.
    pub(in crate::index) fn remove(&mut self, key: IndexKey, person: RowId, rows: &Rows) {
        let probe = self.probe(key.hash());
        let Some(place) = self.find(probe, key, rows) else { return };
        let slot = self.buckets[place.bucket].slots[place.slot];
        if slot.get() & LISTED != 0 {
            let list = self.lists.remove(slot.get() ^ LISTED, person);
            let slot = &mut self.buckets[place.bucket].slots[place.slot];
            match *self.lists.persons(list) {
                [] => self.lists.drop(list),
                [only] if !rows.is_ambiguous(only, key) => {
                    *slot = only;
                    self.lists.drop(list);
                    return;
                }
                _ => {
                    *slot = RowId::new(LISTED | list);
                    return;
                }
            }
        }
        self.buckets[place.bucket].tags[place.slot] = 0;
        self.buckets[place.bucket].slots[place.slot] = RowId::new(0);
        self.keys -= 1;
        let mut at = probe.bucket as usize;
        while at != place.bucket {
            self.buckets[at].passed -= 1;
            at = self.next(at);
        }
    }

    /// Lists the keys that more than one person holds, with their holders.
    pub(in crate::index) fn shared<'a>(
        &'a self,
        rows: &'a Rows,
    ) -> impl Iterator<Item = (IndexKey, &'a [RowId])> {
        let slots = self.buckets.iter().flat_map(|bucket| bucket.tags.iter().zip(&bucket.slots));
        slots.filter(|&(&tag, slot)| tag != 0 && slot.get() & LISTED != 0).filter_map(
            |(&tag, slot)| {
                let list = slot.get() ^ LISTED;
                let persons = self.lists.persons(list);
                let &[first, _, ..] = persons else { return None };
                let tagged = || rows.keys(first).map(|held| held.key).find(|key| key.tag() == tag);
                Some((self.lists.key(list).or_else(tagged)?, persons))
            },
        )
    }
}

/// Iterates over the slots whose tag is `tag`.
#[inline]
fn equal_tags(tags: &[u8; SLOTS], tag: u8) -> impl Iterator<Item = usize> {
    let mut equal = tags
        .iter()
        .enumerate()
        .fold(0_u32, |mask, (slot, &other)| mask | u32::from(other == tag) << slot);
    std::iter::from_fn(move || {
        if equal == 0 {
            return None;
        }
        let slot = equal.trailing_zeros() as usize;
        equal &= equal - 1;
        Some(slot)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        index::memory::PersonKey,
        key::{HashKey, Key, KeyForm},
    };

    /// Two keys of one person that a table can tell apart only by reading them.
    fn twins() -> [IndexKey; 2] {
        let key = |n: u32| IndexKey::from(Key::email(&format!("{n}@x.pe"), HashKey::default()));
        let first = key(0);
        let second = (1..10_000).map(key).find(|other| other.tag() == first.tag());
        [first, second.expect("one in 255 has the tag")]
    }

    #[test]
    fn keys_of_one_person_with_equal_tags_stay_apart() {
        let twins = twins();
        let held = twins.map(|key| PersonKey { key, form: KeyForm::Exact });
        let mut rows = Rows::new(false);
        let both = rows.push("P1", held.into_iter(), None).unwrap();
        let one = rows.push("P2", held.into_iter().skip(1), None).unwrap();
        let mut table = Table::with_room(3);
        for (key, person) in [(twins[0], both), (twins[1], both), (twins[1], one)] {
            let ambiguous = rows.is_ambiguous(person, key);
            table.insert(table.prefetch(key.hash()), key, person, ambiguous, &rows);
        }
        let holders = |table: &Table, key: IndexKey| {
            table.get(table.prefetch(key.hash()), key, &rows).map(<[_]>::to_vec)
        };
        assert_eq!(holders(&table, twins[0]), Some(vec![both]));
        assert_eq!(holders(&table, twins[1]), Some(vec![both, one]));
        table.remove(twins[1], one, &rows);
        assert_eq!(holders(&table, twins[1]), Some(vec![both]));
        table.remove(twins[0], both, &rows);
        assert_eq!(holders(&table, twins[0]), None);
        assert_eq!(holders(&table, twins[1]), Some(vec![both]));
        assert_eq!(table.keys(), 1);
    }
}
