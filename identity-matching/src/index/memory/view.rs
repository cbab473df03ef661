//! What a matcher sees of one person.

use super::{
    entry::{self, Entry},
    packed::{self, Packed},
};
use crate::{
    index::person::{PersonKey, Profile},
    key::KeyForm,
    weak::{BirthDate, BlockingKey, Name, blocking},
};

/// Shows one person of an index: its key, what it holds and its weak evidence.
#[derive(Clone, Debug)]
pub struct IndexedPerson<'a> {
    key: &'a str,
    keys: PersonKeys<'a>,
    known: Known<'a>,
}

/// The weak evidence of one person, where an index has it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Known<'a> {
    Nothing,
    Listed(&'a Profile),
    Packed(Packed<'a>),
}

impl Known<'_> {
    /// Reports each name, as [`Name::as_str`] gives it.
    pub(crate) fn each_name(self, report: &mut dyn FnMut(&str)) {
        match self {
            Self::Nothing => {}
            Self::Listed(profile) => profile.names.iter().for_each(|name| report(name.as_str())),
            Self::Packed(packed) => {
                packed.name(&mut [0; packed::LONGEST]).into_iter().for_each(report);
            }
        }
    }

    /// Lists the dates of birth.
    pub(crate) fn birth_dates(&self) -> impl Iterator<Item = BirthDate> + '_ {
        let (listed, packed) = match self {
            Self::Nothing => (&[][..], None),
            Self::Listed(profile) => (&profile.birth_dates[..], None),
            Self::Packed(packed) => (&[][..], packed.birth_date()),
        };
        listed.iter().copied().chain(packed)
    }
}

impl<'a> IndexedPerson<'a> {
    /// Makes the view of a person that an index of one's own holds.
    #[must_use]
    pub fn new(key: &'a str, keys: &'a [PersonKey], profile: Option<&'a Profile>) -> Self {
        let known = profile.map_or(Known::Nothing, Known::Listed);
        Self { key, keys: PersonKeys(Keys::Listed(keys.iter())), known }
    }

    pub(super) fn packed(key: &'a str, keys: PersonKeys<'a>, known: Known<'a>) -> Self {
        Self { key, keys, known }
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
    pub fn profile(&self) -> Option<Profile> {
        let mut names = Vec::new();
        self.known.each_name(&mut |name| names.push(Name::folded(name.to_owned())));
        let profile = Profile { names, birth_dates: self.known.birth_dates().collect() };
        (!profile.is_empty()).then_some(profile)
    }

    pub(crate) fn known(&self) -> Known<'a> {
        self.known
    }
}

/// Iterates over the keys of one person.
#[derive(Clone, Debug)]
pub struct PersonKeys<'a>(Keys<'a>);

#[derive(Clone, Debug)]
enum Keys<'a> {
    Listed(std::slice::Iter<'a, PersonKey>),
    Packed {
        words: &'a [u32],
        sealed: bool,
        /// How many last digits of phones make keys; zero where they make none.
        tail: u8,
        made: Made,
    },
}

impl<'a> PersonKeys<'a> {
    /// Iterates over the entries of a row.
    pub(super) fn packed(words: &'a [u32], sealed: bool, tail: u8) -> Self {
        Self(Keys::Packed { words, sealed, tail, made: Made::default() })
    }
}

/// Keys that stand in no row, for they can be made of what does.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    keys: [u64; Self::MAX],
    at: usize,
    end: usize,
}

impl Made {
    /// The most keys that a row makes of what stands in it; where there were more, all stand in it.
    pub(super) const MAX: usize = 12;

    pub(super) fn push(&mut self, key: BlockingKey) {
        let known = self.has(key);
        if let Some(place) = self.keys.get_mut(self.end).filter(|_| !known) {
            *place = key.as_u64();
            self.end += 1;
        }
    }

    pub(super) fn has(&self, key: BlockingKey) -> bool {
        self.keys[..self.end].contains(&key.as_u64())
    }

    pub(super) fn len(&self) -> usize {
        self.end
    }

    fn next(&mut self) -> Option<PersonKey> {
        let key = BlockingKey::from_u64(*self.keys[..self.end].get(self.at)?)?;
        self.at += 1;
        Some(PersonKey { key: key.into(), form: KeyForm::Exact })
    }
}

/// Reports the keys that a packed name and date make.
pub(super) fn each_made(packed: Packed<'_>, report: impl FnMut(BlockingKey)) {
    let mut buffer = [0; packed::LONGEST];
    if let (true, Some(date)) = (packed.makes_keys(), packed.birth_date())
        && let Some(name) = packed.name(&mut buffer)
    {
        blocking::name_birth_date(name, date).for_each(report);
    }
}

impl Iterator for PersonKeys<'_> {
    type Item = PersonKey;

    #[inline]
    fn next(&mut self) -> Option<PersonKey> {
        match &mut self.0 {
            Keys::Listed(keys) => keys.next().copied(),
            Keys::Packed { words, sealed, tail, made } => loop {
                let Some((entry, length)) = entry::decode(words, *sealed) else {
                    return made.next();
                };
                let (own, rest) = words.split_at(length);
                *words = rest;
                match entry {
                    Entry::Key(key, form) => {
                        if *tail > 0
                            && let Some(number) = key.phone_number()
                        {
                            made.push(blocking::e164_tail(number, *tail));
                        }
                        return Some(PersonKey { key, form });
                    }
                    Entry::Profile => each_made(Packed::of(own), |key| made.push(key)),
                }
            },
        }
    }
}
