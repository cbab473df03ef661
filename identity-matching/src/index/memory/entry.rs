//! How one key lies in a person's row: two to four words, exactly.
//!
//! | code | key | words |
//! |---|---|---|
//! | 0 | key of an own kind, whose form stands in the highest bit below the code | 4 |
//! | 1, 4 | document whose value fits 64 bits, exact and derived | 3 |
//! | 2, 5 | document, exact and derived | 4 |
//! | 3, 6 | document held as a hash, exact and derived | 4 |
//! | 7, 10, 8 | phone, exact and alias, and subscriber | 2, sealed 3 |
//! | 9 | e-mail | 3 |
//! | 11, 12 | blocking key of a plate, of name and date of birth | 2 |
//! | 13 | document of up to eight digits, exact | 2 |
//! | 15 | blocking key of another kind, which stands lowest in the first word | 3 |
//! | 14 | name and date of birth, see [`packed`](super::packed) | as it says |
//!
//! The code stands in the highest four bits of the first word. Below it stand the document's type or, where
//! there is none, the highest bits of the value.

#![expect(
    clippy::cast_possible_truncation,
    reason = "words and hashes are cut on purpose, and sizes are bounded where they grow"
)]

use super::packed;
use crate::index::IndexKey;
use crate::key::KeyForm;

/// The most words of one entry.
pub(in crate::index) const MAX_WORDS: usize = 4;
const LOW_28: u32 = (1 << 28) - 1;

/// Schemes of [`crate::Key`] and of blocking keys, the highest four bits.
const DOCUMENT: u32 = 1;
const DOCUMENT_HASHED: u32 = 2;
const PHONE: u32 = 3;
const SUBSCRIBER: u32 = 4;
const EMAIL: u32 = 5;
const OWN: u32 = 6;
/// Set in an own kind's entry that is no exact key.
const OWN_ALIAS: u32 = 1 << 27;
/// The code of a phone that is held as an alias.
const PHONE_ALIAS: u32 = 10;
const BLOCKING: u32 = 0xe;
/// The codes of a document of few digits, and of a blocking key of a kind that has no code of its own.
const FEW_DIGITS: u32 = 13;
const OTHER_BLOCKING: u32 = 15;
/// Eight digits take so many bits; their length stands above them.
const FEW_BITS: u32 = 27;

/// One entry of a row, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::index) enum Entry {
    Key(IndexKey, KeyForm),
    /// Weak evidence, in the words of the entry.
    Profile,
}

/// The words of one entry and how many of them count.
pub(in crate::index) type Words = ([u32; MAX_WORDS], usize);

#[inline]
const fn word(bits: u128, place: u32) -> u32 {
    ((bits >> (32 * place)) & 0xffff_ffff) as u32
}

#[inline]
pub(in crate::index) fn encode(key: IndexKey, form: KeyForm, sealed: bool) -> Words {
    let bits = key.bits();
    let first = word(bits, 3);
    let (scheme, kind) = (first >> 28, first & LOW_28);
    let derived = if form == KeyForm::Exact { 0 } else { 3 };
    match scheme {
        DOCUMENT => match shorten(bits).map(|short| (short, few_digits(short))) {
            Some((_, Some(digits))) if !sealed && derived == 0 => {
                ([FEW_DIGITS << 28 | kind, digits, 0, 0], 2)
            }
            Some((short, _)) if !sealed => (
                [
                    (1 + derived) << 28 | kind,
                    word(u128::from(short), 1),
                    word(u128::from(short), 0),
                    0,
                ],
                3,
            ),
            _ => ([(2 + derived) << 28 | kind, word(bits, 2), word(bits, 1), word(bits, 0)], 4),
        },
        DOCUMENT_HASHED => {
            ([(3 + derived) << 28 | kind, word(bits, 2), word(bits, 1), word(bits, 0)], 4)
        }
        PHONE | SUBSCRIBER => {
            let code = if scheme == PHONE && derived > 0 { PHONE_ALIAS } else { scheme + 4 };
            if sealed {
                ([code << 28 | word(bits, 2) & LOW_28, word(bits, 1), word(bits, 0), 0], 3)
            } else {
                ([code << 28 | word(bits, 1) & LOW_28, word(bits, 0), 0, 0], 2)
            }
        }
        EMAIL => ([9 << 28 | word(bits, 2) & LOW_28, word(bits, 1), word(bits, 0), 0], 3),
        OWN => {
            let alias = if derived == 0 { 0 } else { OWN_ALIAS };
            ([alias | kind, word(bits, 2), word(bits, 1), word(bits, 0)], 4)
        }
        _ => {
            let (kind, high) = (word(bits, 1) >> 28, word(bits, 1) & LOW_28);
            if kind <= 2 {
                ([(10 + kind) << 28 | high, word(bits, 0), 0, 0], 2)
            } else {
                ([OTHER_BLOCKING << 28 | kind, high, word(bits, 0), 0], 3)
            }
        }
    }
}

/// Counts the words of the entry that begins with `first`.
#[inline]
pub(in crate::index) const fn length(first: u32, sealed: bool) -> usize {
    match first >> 28 {
        0 | 2 | 3 | 5 | 6 => 4,
        1 | 4 | 9 | OTHER_BLOCKING => 3,
        7 | 8 | 10 => 2 + sealed as usize,
        14 => packed::length(first),
        _ => 2,
    }
}

/// Reads the entry at the start of `words`; nothing where it is cut short or no entry.
#[inline]
pub(in crate::index) fn decode(words: &[u32], sealed: bool) -> Option<(Entry, usize)> {
    let first = *words.first()?;
    let length = length(first, sealed);
    let rest = words.get(1..length)?;
    let (code, low) = (first >> 28, first & LOW_28);
    // Of no key: its words are read by whoever wants them.
    if code == packed::CODE {
        return Some((Entry::Profile, length));
    }
    let value = rest.iter().fold(0_u128, |bits, &word| bits << 32 | u128::from(word));
    let form = match code {
        4..=6 => KeyForm::Derived,
        8 | PHONE_ALIAS => KeyForm::Alias,
        0 if low & OWN_ALIAS != 0 => KeyForm::Alias,
        _ => KeyForm::Exact,
    };
    let bits = match code {
        1 | 4 => {
            let short = u64::try_from(value).ok()?;
            u128::from(DOCUMENT << 28 | low) << 96 | lengthen(short)
        }
        2 | 5 => u128::from(DOCUMENT << 28 | low) << 96 | value,
        3 | 6 => u128::from(DOCUMENT_HASHED << 28 | low) << 96 | value,
        7 | 8 | PHONE_ALIAS => {
            let scheme = if code == 8 { SUBSCRIBER } else { PHONE };
            let shift = if sealed { 64 } else { 32 };
            u128::from(scheme << 28) << 96 | u128::from(low) << shift | value
        }
        0 => u128::from(OWN << 28 | low & !OWN_ALIAS) << 96 | value,
        9 => u128::from(EMAIL << 28) << 96 | u128::from(low) << 64 | value,
        11 | 12 => {
            let blocking = u128::from(code - 10) << 60 | u128::from(low) << 32 | value;
            u128::from(BLOCKING << 28) << 96 | blocking
        }
        OTHER_BLOCKING if matches!(low, 3 | 4) => {
            u128::from(BLOCKING << 28) << 96 | u128::from(low) << 60 | value
        }
        FEW_DIGITS => {
            let (length, number) = (value >> FEW_BITS, value & ((1 << FEW_BITS) - 1));
            u128::from(DOCUMENT << 28 | low) << 96 | DIGITS | length << 64 | number
        }
        _ => return None,
    };
    Some((Entry::Key(IndexKey::from_bits(bits), form), length))
}

/// Marks a digits-only document in [`crate::Key`], and its short form here.
const DIGITS: u128 = 1 << 95;
const SHORT_DIGITS: u64 = 1 << 63;
/// A digits-only number of this length lies below 2⁵⁹ and leaves four bits for its length.
const SHORT_DIGITS_MAX: u64 = 15;

/// Folds a packed document of up to twelve letters and digits or fifteen digits into 64 bits.
#[inline]
fn shorten(bits: u128) -> Option<u64> {
    let value = bits & ((1 << 96) - 1);
    if value & DIGITS == 0 {
        return u64::try_from(value).ok().filter(|short| short & SHORT_DIGITS == 0);
    }
    let length = u64::try_from((value ^ DIGITS) >> 64).ok()?;
    let number = (value & u128::from(u64::MAX)) as u64;
    (length <= SHORT_DIGITS_MAX && number >> 59 == 0)
        .then_some(SHORT_DIGITS | length << 59 | number)
}

/// Folds up to eight digits of a document that is shortened into one word.
#[inline]
fn few_digits(short: u64) -> Option<u32> {
    let (length, number) = ((short ^ SHORT_DIGITS) >> 59, short & ((1 << 59) - 1));
    let few = short & SHORT_DIGITS != 0 && length <= 8 && number >> FEW_BITS == 0;
    few.then_some((length as u32) << FEW_BITS | number as u32)
}

#[inline]
fn lengthen(short: u64) -> u128 {
    if short & SHORT_DIGITS == 0 {
        return u128::from(short);
    }
    let length = (short ^ SHORT_DIGITS) >> 59;
    DIGITS | u128::from(length) << 64 | u128::from(short & ((1 << 59) - 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::{HashKey, Key};

    /// Every value that a key may hold: by scheme, with the bits that the scheme leaves zero.
    fn keys() -> impl Strategy<Value = IndexKey> {
        let kind = 0..1_u128 << 28;
        prop_oneof![
            (kind.clone(), 0..1_u128 << 95).prop_map(|(kind, value)| (1, kind << 96 | value)),
            (kind.clone(), 0..1_u128 << 60).prop_map(|(kind, value)| (1, kind << 96 | value)),
            (kind.clone(), 1..10_u128, 0..1_000_000_000_u128).prop_map(|(kind, length, digits)| (
                1,
                kind << 96 | DIGITS | length << 64 | digits
            )),
            (kind.clone(), 1..19_u128, 0..1_000_000_000_000_000_000_u128).prop_map(
                |(kind, length, digits)| (1, kind << 96 | DIGITS | length << 64 | digits)
            ),
            (kind, 0..1_u128 << 96).prop_map(|(kind, value)| (2, kind << 96 | value)),
            (0..1_u128 << 60).prop_map(|value| (3, value)),
            (0..1_u128 << 60).prop_map(|value| (4, value)),
            (0..1_u128 << 92).prop_map(|value| (5, value)),
            ("[a-z][a-z0-9_]{0,9}", "[A-Z0-9]{1,30}").prop_map(|(kind, value)| {
                let key = Key::own(kind.parse().expect("a code"), &value, HashKey::default());
                (6, key.bits() & !(0xf << 124))
            }),
            (1..5_u128, 0..1_u128 << 60).prop_map(|(kind, value)| (0xe, kind << 60 | value)),
        ]
        .prop_map(|(scheme, bits)| IndexKey::from_bits(scheme << 124 | bits))
    }

    proptest! {
        #[test]
        fn every_key_survives_its_row(key in keys(), derived: bool) {
            let scheme = key.bits() >> 124;
            let form = match (scheme, derived) {
                (1 | 2, true) => KeyForm::Derived,
                (4, _) | (3 | 6, true) => KeyForm::Alias,
                _ => KeyForm::Exact,
            };
            let (words, length) = encode(key, form, false);
            prop_assert_eq!(decode(&words, false), Some((Entry::Key(key, form), length)));
            prop_assert_eq!(decode(&words[..length - 1], false), None);
        }

        #[test]
        #[cfg(feature = "sealed")]
        fn every_sealed_key_survives_its_row(key in keys(), secret: [u8; 16]) {
            let sealed = key.sealed(HashKey::new(secret));
            prop_assert_eq!(sealed.kind(), key.kind());
            prop_assert_eq!(sealed.document_type(), key.document_type());
            let form = if key.bits() >> 124 == 4 { KeyForm::Alias } else { KeyForm::Exact };
            let (words, length) = encode(sealed, form, true);
            prop_assert_eq!(decode(&words, true), Some((Entry::Key(sealed, form), length)));
        }
    }
}
