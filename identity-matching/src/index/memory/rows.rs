//! What a person holds: the view that a matcher sees, and the packed rows of the in-memory index.

#![expect(
    clippy::cast_possible_truncation,
    reason = "words and hashes are cut on purpose, and sizes are bounded where they grow"
)]

use super::entry::{self, Entry};
use crate::{
    index::{IndexError, IndexKey, PersonId},
    key::{KeyForm, KeyKind},
    kinds::Normalised,
    weak::BirthDate,
    weak::Name,
};

/// The longest key of a person, in bytes.
pub(in crate::index) const MAX_PERSON_KEY: usize = (1 << TEXT_BITS) - 1;

const TEXT_BITS: u32 = 12;
const ENTRY_BITS: u32 = 19;
const DEAD: u32 = 1 << 31;
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

/// Is one key of a person as an index holds it, with the form in which the person holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonKey {
    /// The key.
    pub key: IndexKey,
    /// How the person holds it.
    pub form: KeyForm,
}

impl PersonKey {
    /// Lists the keys of one record, strong and blocking, as every index holds them: a document that had to be
    /// completed counts as derived, and a key that is only supposed is no person's.
    ///
    /// A person's keys are those of all its records, each once and in its strongest form, which sorts first.
    pub fn of(record: &Normalised) -> impl Iterator<Item = Self> + '_ {
        let held = record.keys().iter().filter(|held| held.form != KeyForm::Supposed);
        let strong = held.map(|held| {
            let key = IndexKey::from(held.key);
            let form = match (held.key.kind(), held.form) {
                (KeyKind::DOCUMENT, KeyForm::Alias) => KeyForm::Derived,
                (KeyKind::DOCUMENT, form) => form,
                (_, KeyForm::Derived) => KeyForm::Alias,
                (_, form) => form,
            };
            Self { key, form }
        });
        let blocking = record.blocking_keys().iter();
        strong.chain(blocking.map(|&key| Self { key: key.into(), form: KeyForm::Exact }))
    }
}

/// Holds the weak evidence of one person that is compared: what all its records say, in order, each once.
///
/// Plates are compared by their blocking keys and need no place here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The folded names.
    pub names: Vec<Name>,
    /// The dates of birth.
    pub birth_dates: Vec<BirthDate>,
}

impl Profile {
    /// Takes the weak evidence of one record.
    #[must_use]
    pub fn of(record: &Normalised) -> Self {
        Self {
            names: record.name().cloned().into_iter().collect(),
            birth_dates: record.birth_date().into_iter().collect(),
        }
    }

    /// Tells whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.birth_dates.is_empty()
    }

    fn bytes(&self) -> usize {
        let names = self.names.iter().map(|name| name.as_str().len() + size_of::<Name>());
        size_of::<Self>() + names.sum::<usize>() + size_of_val(&self.birth_dates[..])
    }

    /// Adds what another record says; the order of records leaves no trace.
    pub fn merge(&mut self, other: &Self) {
        self.names.extend_from_slice(&other.names);
        self.names.sort_unstable_by(|left, right| left.as_str().cmp(right.as_str()));
        self.names.dedup();
        self.birth_dates.extend_from_slice(&other.birth_dates);
        self.birth_dates.sort_unstable();
        self.birth_dates.dedup();
    }
}

/// Shows one person of an index: its key, what it holds and its weak evidence.
#[derive(Clone, Debug)]
pub struct PersonView<'a> {
    key: &'a str,
    keys: PersonKeys<'a>,
    profile: Option<&'a Profile>,
}

impl<'a> PersonView<'a> {
    /// Makes the view of a person that an index of one's own holds.
    #[must_use]
    pub fn new(key: &'a str, keys: &'a [PersonKey], profile: Option<&'a Profile>) -> Self {
        Self { key, keys: PersonKeys(Keys::Listed(keys.iter())), profile }
    }

    /// Returns the person's key, as the population wrote it.
    #[must_use]
    pub fn key(&self) -> &'a str {
        self.key
    }

    /// Returns the keys that the person holds, each once, strong and blocking.
    #[must_use]
    pub fn keys(&self) -> PersonKeys<'a> {
        self.keys.clone()
    }

    /// Returns the person's weak evidence.
    #[must_use]
    pub fn profile(&self) -> Option<&'a Profile> {
        self.profile
    }
}

/// Iterates over the keys of one person.
#[derive(Clone, Debug)]
pub struct PersonKeys<'a>(Keys<'a>);

#[derive(Clone, Debug)]
enum Keys<'a> {
    Listed(std::slice::Iter<'a, PersonKey>),
    Packed { words: &'a [u32], sealed: bool },
}

impl Iterator for PersonKeys<'_> {
    type Item = PersonKey;

    #[inline]
    fn next(&mut self) -> Option<PersonKey> {
        match &mut self.0 {
            Keys::Listed(keys) => keys.next().copied(),
            Keys::Packed { words, sealed } => loop {
                let (entry, length) = entry::decode(words, *sealed)?;
                *words = &words[length..];
                if let Entry::Key(key, form) = entry {
                    return Some(PersonKey { key, form });
                }
            },
        }
    }
}

/// Holds the rows of all persons one after the other: a header word, the entries, the person's key.
#[derive(Clone, Debug, Default)]
pub(in crate::index) struct Rows {
    words: Vec<u32>,
    sealed: bool,
    profiles: Vec<Profile>,
    live: usize,
    dead_words: usize,
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
        let start = self.words.len();
        self.words.push(0);
        let mut count = 0;
        for PersonKey { key, form } in keys {
            let (entry, length) = entry::encode(key, form, self.sealed);
            self.words.extend_from_slice(&entry[..length]);
            count += 1;
        }
        if let Some(profile) = profile {
            self.words.push(entry::encode_profile(self.profiles.len() as u32));
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
        } else if self.words.len() > MAX_WORDS || self.profiles.len() > entry::MAX_PROFILES {
            Some(IndexError::Full { persons: self.live })
        } else {
            None
        };
        if let Some(error) = refused {
            self.words.truncate(start);
            return Err(error);
        }
        self.words[start] = (entries as u32) << TEXT_BITS | person.len() as u32;
        self.live += 1;
        Ok(RowId::new(start as u32))
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
        let length = (self.words[start] & !DEAD) >> TEXT_BITS;
        &self.words[start + 1..=start + length as usize]
    }

    /// Tells whether the person at `id` holds `key`.
    #[inline]
    pub(in crate::index) fn holds(&self, id: RowId, key: IndexKey) -> bool {
        self.keys(id).any(|held| held.key == key)
    }

    /// Tells whether another key of the person at `id` has the same tag as `key`.
    pub(in crate::index) fn is_ambiguous(&self, id: RowId, key: IndexKey) -> bool {
        self.keys(id).any(|held| held.key != key && held.key.tag() == key.tag())
    }

    pub(in crate::index) fn keys(&self, id: RowId) -> PersonKeys<'_> {
        PersonKeys(Keys::Packed { words: self.entries(id), sealed: self.sealed })
    }

    pub(in crate::index) fn person(&self, id: RowId) -> &str {
        let start = id.get() as usize;
        let header = self.words[start];
        let text = start + 1 + ((header & !DEAD) >> TEXT_BITS) as usize;
        let length = (header & MAX_PERSON_KEY as u32) as usize;
        let words = &self.words[text..text + length.div_ceil(4)];
        std::str::from_utf8(&bytemuck::cast_slice(words)[..length])
            .expect("the text was copied from a string")
    }

    pub(in crate::index) fn profile(&self, id: RowId) -> Option<&Profile> {
        // The position, where there is one, is the last word of the entries.
        let last = *self.entries(id).last()?;
        // Inside a longer entry the last word may look like anything, so the entries are walked.
        if self.profiles.is_empty() || last >> 28 != entry::PROFILE {
            return None;
        }
        let mut words = self.entries(id);
        while let Some((entry, length)) = entry::decode(words, self.sealed) {
            if let Entry::Profile(position) = entry {
                return self.profiles.get(position as usize);
            }
            words = &words[length..];
        }
        None
    }

    /// Returns the person at `id`, and nothing where no living row begins there.
    #[inline]
    pub(in crate::index) fn view(&self, id: RowId) -> Option<PersonView<'_>> {
        let header = *self.words.get(id.get() as usize)?;
        (header & DEAD == 0).then(|| PersonView {
            key: self.person(id),
            keys: self.keys(id),
            profile: self.profile(id),
        })
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
        if other.profiles.is_empty() {
            if self.words.len() + other.words.len() > MAX_WORDS {
                return Err(IndexError::Full { persons: self.live });
            }
            self.words.extend_from_slice(&other.words);
            self.live += other.live;
            self.dead_words += other.dead_words;
            return Ok(());
        }
        for id in other.ids() {
            self.push(other.person(id), other.keys(id), other.profile(id).cloned())?;
        }
        Ok(())
    }

    /// Copies the living rows one after the other.
    pub(in crate::index) fn packed(&self) -> Self {
        let mut packed = Self::new(self.sealed);
        packed.words.reserve(self.words.len() - self.dead_words);
        for id in self.ids() {
            packed
                .push(self.person(id), self.keys(id), self.profile(id).cloned())
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
    }
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
    1 + ((header & !DEAD) >> TEXT_BITS) as usize + text.div_ceil(4)
}
