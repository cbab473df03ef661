//! The packed rows of the in-memory index: what each person holds.

#![expect(
    clippy::cast_possible_truncation,
    reason = "words and hashes are cut on purpose, and sizes are bounded where they grow"
)]

use super::{
    entry::{self, Entry},
    packed::{self, Packed},
    view::{IndexedPerson, Known, Made, PersonKeys, each_made},
};
use crate::{
    index::{
        IndexError, IndexKey, PersonId,
        person::{MAX_PERSON_KEY, PersonKey, Profile},
    },
    weak::{BlockingKind, blocking},
};

/// A person's key has so many bytes at most.
const TEXT_BITS: u32 = 12;
const _: () = assert!(MAX_PERSON_KEY == (1 << TEXT_BITS) - 1);
const ENTRY_BITS: u32 = 18;
const DEAD: u32 = 1 << 31;
/// Set in a header where the keys of last digits are made of the phones, and stand nowhere.
const TAILS: u32 = 1 << 30;
/// A row's place must leave the highest bit of a table's slot free.
const MAX_WORDS: usize = 1 << 31;

/// The place of a person's row: what lists and tables keep of a person, in half the bytes of a [`PersonId`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RowId(u32);

impl RowId {
    pub(in crate::index) const fn new(place: u32) -> Self {
        Self(place)
    }

    pub(in crate::index) const fn get(self) -> u32 {
        self.0
    }

    /// Takes back what [`PersonId::from`] gave; nothing for an id that no row has.
    pub(in crate::index) fn of(person: PersonId) -> Option<Self> {
        u32::try_from(person.get()).ok().map(Self)
    }
}

impl From<RowId> for PersonId {
    fn from(row: RowId) -> Self {
        Self::new(u64::from(row.0))
    }
}

/// The rows of all persons one after the other: a header word, the entries, the person's key.
///
/// Keys that can be made of what else stands in a row, those of the last digits of its phone and of its name and date of
/// birth, are left out of it.
#[derive(Clone, Debug, Default)]
pub(in crate::index) struct Rows {
    words: Vec<u32>,
    sealed: bool,
    /// How many last digits make keys, once a row has shown it.
    tail: u8,
    profiles: Vec<Profile>,
    live: usize,
    dead_words: usize,
    /// The keys of the row that is being pushed.
    pushed: Vec<PersonKey>,
}

impl Rows {
    pub(in crate::index) fn new(sealed: bool) -> Self {
        Self { sealed, ..Self::default() }
    }

    /// Appends a person; `keys` hold each key once.
    pub(in crate::index) fn push(
        &mut self,
        person: &str,
        keys: impl Iterator<Item = PersonKey>,
        profile: Option<Profile>,
    ) -> Result<RowId, IndexError> {
        check_person_key(person)?;
        let mut held = std::mem::take(&mut self.pushed);
        held.clear();
        held.extend(keys);
        let count = held.len();
        let tails = self.leave_out_tails(&mut held);
        let makes_keys =
            profile.as_ref().is_some_and(|profile| leave_out_names(profile, &mut held));
        let start = self.words.len();
        self.words.push(0);
        for &PersonKey { key, form } in &held {
            let (entry, length) = entry::encode(key, form, self.sealed);
            self.words.extend_from_slice(&entry[..length]);
        }
        self.pushed = held;
        if let Some(profile) = profile
            && !packed::push(&profile, makes_keys, &mut self.words)
        {
            packed::push_several(self.profiles.len(), &mut self.words);
            self.profiles.push(profile);
        }
        let entries = self.words.len() - start - 1;
        let mut text = person.as_bytes().chunks_exact(4);
        self.words.extend(text.by_ref().map(|four| {
            u32::from_ne_bytes(four.try_into().expect("chunks of exactly four bytes"))
        }));
        if !text.remainder().is_empty() {
            let mut last = [0; 4];
            last[..text.remainder().len()].copy_from_slice(text.remainder());
            self.words.push(u32::from_ne_bytes(last));
        }
        let refused = if entries >= 1 << ENTRY_BITS {
            Some(IndexError::TooManyKeys { person: person.to_owned(), keys: count })
        } else if self.words.len() > MAX_WORDS || self.profiles.len() > u32::MAX as usize {
            Some(IndexError::Full { persons: self.live })
        } else {
            None
        };
        if let Some(error) = refused {
            self.words.truncate(start);
            return Err(error);
        }
        let tails = if tails { TAILS } else { 0 };
        self.words[start] = tails | (entries as u32) << TEXT_BITS | person.len() as u32;
        self.live += 1;
        Ok(RowId::new(start as u32))
    }

    /// Leaves out the keys of last digits where the phones make them, all of them and no more.
    fn leave_out_tails(&mut self, held: &mut Vec<PersonKey>) -> bool {
        let of = |held: &PersonKey| {
            held.key.blocking().filter(|key| key.kind() == BlockingKind::PhoneTail)
        };
        let Some(first) = held.iter().find_map(of) else { return false };
        let mut numbers = held.iter().filter_map(|held| held.key.phone_number());
        if self.tail == 0 {
            let made = |digits: &u8| {
                numbers.clone().any(|number| blocking::e164_tail(number, *digits) == first)
            };
            self.tail = blocking::PHONE_TAIL_RANGE.into_iter().find(made).unwrap_or(0);
        }
        let tail = self.tail;
        let mut made = Made::default();
        let count = numbers.clone().count();
        numbers
            .by_ref()
            .take(Made::MAX)
            .for_each(|number| made.push(blocking::e164_tail(number, tail)));
        let all = held.iter().filter_map(of).all(|key| made.has(key));
        let as_many = held.iter().filter_map(of).count() == made.len();
        let left_out = tail > 0 && count <= Made::MAX && all && as_many;
        if left_out {
            held.retain(|held| of(held).is_none());
        }
        left_out
    }

    /// Marks a person as removed; its words stay until the rows are packed anew.
    pub(in crate::index) fn remove(&mut self, id: RowId) {
        let header = self.words[id.get() as usize];
        if header & DEAD == 0 {
            self.words[id.get() as usize] = header | DEAD;
            self.live -= 1;
            self.dead_words += row_words(header);
        }
    }

    #[inline]
    fn entries(&self, id: RowId) -> &[u32] {
        let start = id.get() as usize;
        let length = entry_words(self.words[start]);
        &self.words[start + 1..=start + length]
    }

    /// Returns how many last digits of the phones of a row make keys.
    #[inline]
    fn tail(&self, id: RowId) -> u8 {
        if self.words[id.get() as usize] & TAILS == 0 { 0 } else { self.tail }
    }

    /// Tells whether the person at `id` holds `key`.
    #[inline]
    pub(in crate::index) fn holds(&self, id: RowId, key: IndexKey) -> bool {
        let blocking = key.blocking().map(|key| (key, key.kind()));
        let tail = self.tail(id);
        let mut words = self.entries(id);
        while let Some((entry, length)) = entry::decode(words, self.sealed) {
            let (own, rest) = words.split_at(length);
            words = rest;
            let found = match (entry, blocking) {
                (Entry::Key(held, _), _) if held == key => true,
                (Entry::Key(held, _), Some((wanted, BlockingKind::PhoneTail))) if tail > 0 => held
                    .phone_number()
                    .is_some_and(|number| blocking::e164_tail(number, tail) == wanted),
                (Entry::Profile, Some((wanted, BlockingKind::NameBirthDate))) => {
                    let mut found = false;
                    each_made(Packed::of(own), |made| found |= made == wanted);
                    found
                }
                _ => false,
            };
            if found {
                return true;
            }
        }
        false
    }

    /// Tells whether another key of the person at `id` has the same tag as `key`.
    pub(in crate::index) fn is_ambiguous(&self, id: RowId, key: IndexKey) -> bool {
        self.keys(id).any(|held| held.key != key && held.key.tag() == key.tag())
    }

    pub(in crate::index) fn keys(&self, id: RowId) -> PersonKeys<'_> {
        PersonKeys::packed(self.entries(id), self.sealed, self.tail(id))
    }

    pub(in crate::index) fn person(&self, id: RowId) -> &str {
        let start = id.get() as usize;
        let header = self.words[start];
        let text = start + 1 + entry_words(header);
        let length = (header & MAX_PERSON_KEY as u32) as usize;
        let words = &self.words[text..text + length.div_ceil(4)];
        std::str::from_utf8(&bytemuck::cast_slice(words)[..length])
            .expect("the text was copied from a string")
    }

    fn known(&self, id: RowId) -> Known<'_> {
        let mut words = self.entries(id);
        while let Some(&first) = words.first() {
            let (own, rest) = words.split_at(entry::length(first, self.sealed).min(words.len()));
            if first >> 28 == packed::CODE {
                let packed = Packed::of(own);
                let listed = packed.position().and_then(|position| self.profiles.get(position));
                return listed.map_or(Known::Packed(packed), Known::Listed);
            }
            words = rest;
        }
        Known::Nothing
    }

    pub(in crate::index) fn profile(&self, id: RowId) -> Option<Profile> {
        self.view(id).and_then(|view| view.profile())
    }

    /// Returns the person at `id`, and nothing where no living row begins there.
    #[inline]
    pub(in crate::index) fn view(&self, id: RowId) -> Option<IndexedPerson<'_>> {
        let header = *self.words.get(id.get() as usize)?;
        (header & DEAD == 0)
            .then(|| IndexedPerson::packed(self.person(id), self.keys(id), self.known(id)))
    }

    /// Lists the living persons in the order of their rows.
    pub(in crate::index) fn ids(&self) -> impl Iterator<Item = RowId> + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                let header = *self.words.get(at)?;
                let id = RowId::new(at as u32);
                at += row_words(header);
                if header & DEAD == 0 {
                    return Some(id);
                }
            }
        })
    }

    /// Asks the processor to fetch the row, of which most are ten words long and span one line or two.
    #[inline]
    pub(in crate::index) fn prefetch(&self, id: RowId) {
        prefetch_index::prefetch_index(&self.words, id.get() as usize);
        prefetch_index::prefetch_index(&self.words, id.get() as usize + 9);
    }

    pub(in crate::index) fn len(&self) -> usize {
        self.live
    }

    /// Returns how many words the rows have.
    pub(in crate::index) fn words(&self) -> usize {
        self.words.len()
    }

    /// Tells whether removed rows take more than a quarter of the space.
    pub(in crate::index) fn wasteful(&self) -> bool {
        self.dead_words > 1024 && self.dead_words > self.words.len() / 4
    }

    /// Takes over the rows of another part of the population.
    pub(in crate::index) fn absorb(&mut self, other: Self) -> Result<(), IndexError> {
        if self.words.is_empty() && self.sealed == other.sealed {
            *self = other;
            return Ok(());
        }
        let one_tail = self.tail == other.tail || self.tail == 0 || other.tail == 0;
        if other.profiles.is_empty() && one_tail {
            if self.words.len() + other.words.len() > MAX_WORDS {
                return Err(IndexError::Full { persons: self.live });
            }
            self.tail = self.tail.max(other.tail);
            self.words.extend_from_slice(&other.words);
            self.live += other.live;
            self.dead_words += other.dead_words;
            return Ok(());
        }
        for id in other.ids() {
            self.push(other.person(id), other.keys(id), other.profile(id))?;
        }
        Ok(())
    }

    /// Copies the living rows one after the other.
    pub(in crate::index) fn packed(&self) -> Self {
        let mut packed = Self::new(self.sealed);
        packed.words.reserve(self.words.len() - self.dead_words);
        for id in self.ids() {
            packed
                .push(self.person(id), self.keys(id), self.profile(id))
                .expect("a row that fitted before fits among fewer");
        }
        packed
    }

    /// Returns the bytes that the rows take.
    pub(in crate::index) fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<u32>()
            + self.profiles.iter().map(Profile::bytes).sum::<usize>()
    }

    pub(in crate::index) fn shrink(&mut self) {
        self.words.shrink_to_fit();
        self.pushed = Vec::new();
    }
}

/// Leaves out the keys of name and date where one name and one date make them, all of them and no more.
fn leave_out_names(profile: &Profile, held: &mut Vec<PersonKey>) -> bool {
    let ([name], [date]) = (&profile.names[..], &profile.birth_dates[..]) else { return false };
    let of = |held: &PersonKey| {
        held.key.blocking().filter(|key| key.kind() == BlockingKind::NameBirthDate)
    };
    let mut made = Made::default();
    blocking::name_birth_date(name.as_str(), *date).for_each(|key| made.push(key));
    let all = held.iter().filter_map(of).all(|key| made.has(key));
    let left_out = all && held.iter().filter_map(of).count() == made.len() && made.len() > 0;
    if left_out {
        held.retain(|held| of(held).is_none());
    }
    left_out
}

/// Refuses a person's key that no row can hold.
#[inline]
pub(in crate::index) fn check_person_key(person: &str) -> Result<(), IndexError> {
    match person.len() {
        1..=MAX_PERSON_KEY => Ok(()),
        length => Err(IndexError::PersonKey { length }),
    }
}

/// Counts the words of the row that begins with `header`.
fn row_words(header: u32) -> usize {
    let text = (header & MAX_PERSON_KEY as u32) as usize;
    1 + entry_words(header) + text.div_ceil(4)
}

/// Counts the words of the entries of the row that begins with `header`.
#[inline]
const fn entry_words(header: u32) -> usize {
    ((header & !(DEAD | TAILS)) >> TEXT_BITS) as usize
}
