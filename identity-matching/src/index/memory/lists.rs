//! The persons that hold one key, list after list in one array.
//!
//! A list is a word with its length, four words of its key where the table's tag is not enough to know it, and the
//! persons in the order of their rows, with room for an eighth more at most.

#![expect(
    clippy::cast_possible_truncation,
    reason = "words are cut on purpose, and a part has fewer than 2³¹ of them"
)]

use std::collections::BTreeMap;

use super::rows::RowId;
use crate::index::IndexKey;

/// Set in the first word of a list that names its key.
const KEYED: u32 = 1 << 31;
const KEY_WORDS: usize = 4;

#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    words: Vec<RowId>,
    /// Where lists lay that are gone, by how many words they had.
    free: BTreeMap<usize, Vec<u32>>,
}

/// One list, taken apart.
#[derive(Clone, Copy)]
struct Shape {
    /// Where its persons begin.
    start: usize,
    length: usize,
    keyed: bool,
}

impl Shape {
    fn words(self) -> usize {
        words(self.keyed, self.length)
    }
}

/// Returns for how many persons a list of so many has room.
fn room(persons: usize) -> usize {
    let step = (persons.next_power_of_two() / 8).max(1);
    persons.next_multiple_of(step).max(2)
}

fn words(keyed: bool, persons: usize) -> usize {
    1 + if keyed { KEY_WORDS } else { 0 } + room(persons)
}

impl Lists {
    #[inline]
    fn shape(&self, at: u32) -> Shape {
        let first = self.words[at as usize].get();
        let keyed = first & KEYED != 0;
        let start = at as usize + 1 + if keyed { KEY_WORDS } else { 0 };
        Shape { start, length: (first & !KEYED) as usize, keyed }
    }

    /// Returns the persons of the list at `at`.
    #[inline]
    pub(super) fn persons(&self, at: u32) -> &[RowId] {
        let Shape { start, length, .. } = self.shape(at);
        &self.words[start..start + length]
    }

    /// Returns the key of the list at `at`, where it names it.
    #[inline]
    pub(super) fn key(&self, at: u32) -> Option<IndexKey> {
        let Shape { start, keyed, .. } = self.shape(at);
        let words = self.words.get(start.checked_sub(KEY_WORDS)?..start).filter(|_| keyed)?;
        Some(IndexKey::from_bits(
            words.iter().fold(0, |bits, word| bits << 32 | u128::from(word.get())),
        ))
    }

    /// Adds a list; says where it lies.
    pub(super) fn add(&mut self, key: Option<IndexKey>, persons: &[RowId]) -> u32 {
        let size = words(key.is_some(), persons.len());
        let at = self.free.get_mut(&size).and_then(Vec::pop).unwrap_or_else(|| {
            let at = self.words.len() as u32;
            self.words.resize(self.words.len() + size, RowId::default());
            at
        });
        let flag = if key.is_some() { KEYED } else { 0 };
        self.words[at as usize] = RowId::new(flag | persons.len() as u32);
        if let Some(key) = key {
            for place in 0..KEY_WORDS {
                let word = (key.bits() >> (32 * (KEY_WORDS - 1 - place))) as u32;
                self.words[at as usize + 1 + place] = RowId::new(word);
            }
        }
        let start = self.shape(at).start;
        self.words[start..start + persons.len()].copy_from_slice(persons);
        at
    }

    /// Removes the list at `at`.
    pub(super) fn drop(&mut self, at: u32) {
        let size = self.shape(at).words();
        self.free.entry(size).or_default().push(at);
    }

    /// Has the list at `at` name its key; says where it lies now.
    pub(super) fn name(&mut self, at: u32, key: IndexKey) -> u32 {
        if self.shape(at).keyed { at } else { self.moved(at, Some(key), 0, &[]) }
    }

    /// Adds a person, once however often it is said; says where the list lies now.
    pub(super) fn insert(&mut self, at: u32, person: RowId) -> u32 {
        let Shape { start, length, keyed } = self.shape(at);
        let persons = &self.words[start..start + length];
        // Rows are appended, so a new person almost always comes last.
        let place = persons.partition_point(|&before| before < person);
        if persons.get(place) == Some(&person) {
            return at;
        }
        if words(keyed, length + 1) != words(keyed, length) {
            return self.moved(at, self.key(at), place, &[person]);
        }
        self.words.copy_within(start + place..start + length, start + place + 1);
        self.words[start + place] = person;
        self.set_length(at, length + 1);
        at
    }

    /// Removes a person; says where the list lies now.
    pub(super) fn remove(&mut self, at: u32, person: RowId) -> u32 {
        let Shape { start, length, keyed } = self.shape(at);
        let Ok(place) = self.words[start..start + length].binary_search(&person) else { return at };
        self.words.copy_within(start + place + 1..start + length, start + place);
        if words(keyed, length - 1) == words(keyed, length) {
            self.set_length(at, length - 1);
            return at;
        }
        // It is freed by the size that it had.
        let (key, persons) = (self.key(at), self.words[start..start + length - 1].to_vec());
        self.drop(at);
        self.add(key, &persons)
    }

    fn set_length(&mut self, at: u32, length: usize) {
        let flag = self.words[at as usize].get() & KEYED;
        self.words[at as usize] = RowId::new(flag | length as u32);
    }

    /// Copies a list to a place of another size, `more` persons at `place`.
    fn moved(&mut self, at: u32, key: Option<IndexKey>, place: usize, more: &[RowId]) -> u32 {
        let mut persons = self.persons(at).to_vec();
        persons.splice(place..place, more.iter().copied());
        self.drop(at);
        self.add(key, &persons)
    }

    pub(super) fn bytes(&self) -> usize {
        let free = self.free.values().map(|places| places.capacity() * size_of::<u32>());
        self.words.capacity() * size_of::<RowId>() + free.sum::<usize>()
    }

    pub(super) fn shrink(&mut self) {
        self.words.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_are_sets_in_order_and_do_not_touch_one_another(
            steps in proptest::collection::vec((0..5_usize, 0..40_u32, any::<bool>()), 0..300),
        ) {
            let mut lists = Lists::default();
            let mut model: BTreeMap<usize, (u32, BTreeSet<u32>, bool)> = BTreeMap::new();
            let key = |list: usize| IndexKey::from_bits(u128::MAX / (list as u128 + 3));
            for (list, person, add) in steps {
                let row = RowId::new(person);
                match model.get_mut(&list) {
                    None => {
                        let at = lists.add(add.then(|| key(list)), &[row]);
                        model.insert(list, (at, BTreeSet::from([person]), add));
                    }
                    Some((at, persons, _)) if add => {
                        *at = lists.insert(*at, row);
                        persons.insert(person);
                    }
                    Some((at, persons, _)) if persons.len() > 1 => {
                        *at = lists.remove(*at, row);
                        persons.remove(&person);
                        if persons.is_empty() {
                            lists.drop(*at);
                            model.remove(&list);
                        }
                    }
                    Some((at, _, keyed)) if person % 2 == 0 => {
                        *at = lists.name(*at, key(list));
                        *keyed = true;
                    }
                    Some((at, ..)) => {
                        lists.drop(*at);
                        model.remove(&list);
                    }
                }
                for (list, (at, persons, keyed)) in &model {
                    let held: Vec<u32> = lists.persons(*at).iter().map(|row| row.get()).collect();
                    prop_assert_eq!(&held, &persons.iter().copied().collect::<Vec<_>>());
                    prop_assert_eq!(lists.key(*at), keyed.then(|| key(*list)));
                }
            }
        }
    }
}
