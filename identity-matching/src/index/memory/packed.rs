//! Weak evidence within a row: a name and a date of birth in a few words.
//!
//! | bits of the first word | content |
//! |---|---|
//! | 28–31 | the code of the entry |
//! | 20–27 | how many words follow |
//! | 19 | whether the next word is the position of several names or dates |
//! | 18 | whether the keys of name and date are made of them, and stand nowhere |
//! | 17 | whether the name lies six letters a word, five bits each; else in bytes of UTF-8 |
//! | 0–16 | the date, in months of 31 days since 1890, plus one; zero where there is none |

#![expect(
    clippy::cast_possible_truncation,
    reason = "dates and names are bounded where they are read"
)]

use crate::{index::person::Profile, weak::BirthDate};

/// The code of the entry.
pub(super) const CODE: u32 = 14;
const FOLLOWING: u32 = 20;
const SEVERAL: u32 = 1 << 19;
const MAKES_KEYS: u32 = 1 << 18;
const LETTERS: u32 = 1 << 17;
const DATE: u32 = (1 << 17) - 1;
const FIRST_YEAR: u32 = 1890;

/// The signs of most folded names; zero ends the name.
const ALPHABET: &[u8; 29] = b"\0abcdefghijklmnopqrstuvwxyz ,";
const LETTERS_PER_WORD: usize = 6;
/// The most bytes of a folded name, as reading bounds it.
pub(super) const LONGEST: usize = crate::text::LONGEST_VALUE;

/// Counts the words of the entry that begins with `first`.
#[inline]
pub(super) const fn length(first: u32) -> usize {
    1 + ((first >> FOLLOWING) & 0xff) as usize
}

/// Room for a name that is unpacked.
pub(super) type Buffer = [u8; LONGEST];

/// The words of one entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packed<'a>(&'a [u32]);

impl<'a> Packed<'a> {
    /// Takes the words of an entry, its first word first.
    pub(super) fn of(words: &'a [u32]) -> Self {
        Self(words)
    }

    fn has(self, flag: u32) -> bool {
        self.0.first().is_some_and(|first| first & flag != 0)
    }

    /// Returns the position of several names or dates.
    pub(super) fn position(self) -> Option<usize> {
        self.0.get(1).filter(|_| self.has(SEVERAL)).map(|&position| position as usize)
    }

    /// Tells whether the keys of name and date are made of them.
    pub(super) fn makes_keys(self) -> bool {
        self.has(MAKES_KEYS)
    }

    pub(super) fn birth_date(self) -> Option<BirthDate> {
        let days = (self.0.first()? & DATE).checked_sub(1).filter(|_| !self.has(SEVERAL))?;
        let (year, month, day) = (days / 372 + FIRST_YEAR, days / 31 % 12 + 1, days % 31 + 1);
        Some(BirthDate::from_u32(year * 10_000 + month * 100 + day))
    }

    /// Unpacks the name.
    pub(super) fn name(self, buffer: &mut Buffer) -> Option<&str> {
        let words = self.0.get(1..).filter(|words| !words.is_empty() && !self.has(SEVERAL))?;
        let mut length = 0;
        let mut put = |byte: u8| {
            if let Some(place) = buffer.get_mut(length).filter(|_| byte != 0) {
                *place = byte;
                length += 1;
            }
        };
        for word in words {
            if self.has(LETTERS) {
                (0..LETTERS_PER_WORD).for_each(|at| {
                    put(ALPHABET
                        .get((word >> (5 * at) & 31) as usize)
                        .copied()
                        .unwrap_or_default());
                });
            } else {
                word.to_le_bytes().into_iter().for_each(&mut put);
            }
        }
        std::str::from_utf8(&buffer[..length]).ok()
    }
}

/// Appends weak evidence of several names or dates, which lies at a position elsewhere.
pub(super) fn push_several(position: usize, words: &mut Vec<u32>) {
    words.extend([CODE << 28 | 1 << FOLLOWING | SEVERAL, position as u32]);
}

/// Appends one name and one date, or either of them; gives `false` where there is more, or it cannot be packed.
pub(super) fn push(profile: &Profile, makes_keys: bool, words: &mut Vec<u32>) -> bool {
    if profile.names.len() > 1 || profile.birth_dates.len() > 1 {
        return false;
    }
    let mut first = CODE << 28;
    if let Some(date) = profile.birth_dates.first() {
        let date = date.as_u32();
        let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
        let Some(years) = year.checked_sub(FIRST_YEAR) else { return false };
        let days = years * 372 + (month - 1) * 31 + day;
        if days > DATE {
            return false;
        }
        first |= days;
    }
    let name = profile.names.first().map_or("", |name| name.as_str()).as_bytes();
    if name.len() > LONGEST || name.contains(&0) {
        return false;
    }
    let start = words.len();
    words.push(0);
    if name.iter().all(|&byte| letter(byte) != 0) {
        first |= LETTERS;
        words.extend(
            name.chunks(LETTERS_PER_WORD).map(|letters| {
                letters.iter().rev().fold(0, |word, &byte| word << 5 | letter(byte))
            }),
        );
    } else {
        words
            .extend(name.chunks(4).map(|bytes| {
                bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
            }));
    }
    let following = words.len() - start - 1;
    if makes_keys {
        first |= MAKES_KEYS;
    }
    words[start] = first | (following as u32) << FOLLOWING;
    true
}

/// Returns the five bits of a sign; zero where it has none.
fn letter(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' => u32::from(byte - b'a') + 1,
        b' ' => 27,
        b',' => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::weak::Name;

    proptest! {
        #[test]
        fn every_name_and_date_survives_its_words(
            name in "([A-Za-zÑñÁé' ,-]{1,40}|\\PC{0,60}|[a-z]{200,256})",
            date in proptest::option::of((1890..=2150_u32, 1..=12_u32, 1..=28_u32)),
            makes_keys: bool,
        ) {
            let name = Name::parse(&name).ok();
            let date = date.and_then(|(year, month, day)| {
                BirthDate::parse(&format!("{year}-{month:02}-{day:02}"), None).ok()
            });
            let profile = Profile {
                names: name.clone().into_iter().collect(),
                birth_dates: date.into_iter().collect(),
            };
            let mut words = vec![7];
            prop_assert!(push(&profile, makes_keys, &mut words));
            prop_assert_eq!(length(words[1]), words.len() - 1);
            let packed = Packed::of(&words[1..]);
            let mut buffer = [0; LONGEST];
            prop_assert_eq!(packed.name(&mut buffer), name.as_ref().map(Name::as_str));
            prop_assert_eq!(packed.birth_date(), date);
            prop_assert_eq!((packed.makes_keys(), packed.position()), (makes_keys, None));
        }
    }

    #[test]
    fn several_names_lie_elsewhere() {
        let mut words = Vec::new();
        push_several(70_000, &mut words);
        let packed = Packed::of(&words);
        assert_eq!((packed.position(), packed.makes_keys()), (Some(70_000), false));
        assert_eq!((packed.birth_date(), packed.name(&mut [0; LONGEST])), (None, None));
        assert_eq!(length(words[0]), 2);
    }
}
