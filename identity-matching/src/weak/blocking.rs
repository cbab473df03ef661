//! Blocking keys: the values under which weak candidates are looked up, never by a scan.

use crate::key::Key;
use crate::weak::{BirthDate, Name, Plate};

/// What two records with an equal [`BlockingKey`] have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BlockingKind {
    /// The same plate.
    Plate,
    /// The same date of birth and one word of the name that sounds alike.
    NameBirthDate,
    /// The same country and the same last digits of a phone.
    PhoneTail,
    /// The same address of a role or of a throw-away service.
    Email,
}

impl BlockingKind {
    /// Lists all kinds.
    pub const ALL: [Self; 4] = [Self::Plate, Self::NameBirthDate, Self::PhoneTail, Self::Email];

    /// Returns the name that is written to files and tables: `plate`, `name_birth_date`, `phone_tail` or `address`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plate => "plate",
            Self::NameBirthDate => "name_birth_date",
            Self::PhoneTail => "phone_tail",
            Self::Email => "address",
        }
    }
}

/// A value under which weak candidates are found; agreeing on it is not yet evidence.
///
/// Looked up in an index of the population, then compared: an equal blocking key may be a chance
/// collision of its 60 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockingKey(u64);

impl BlockingKey {
    const VALUE: u64 = (1 << 60) - 1;

    pub(crate) const fn new(kind: BlockingKind, value: u64) -> Self {
        Self((kind as u64 + 1) << 60 | (value & Self::VALUE))
    }

    /// Makes the key anew from [`BlockingKey::as_u64`]; nothing for a number that none gave.
    #[must_use]
    pub const fn from_u64(stored: u64) -> Option<Self> {
        match stored >> 60 {
            1..=4 => Some(Self(stored)),
            _ => None,
        }
    }

    /// Returns what the value stands for.
    #[must_use]
    pub const fn kind(self) -> BlockingKind {
        match self.0 >> 60 {
            1 => BlockingKind::Plate,
            2 => BlockingKind::NameBirthDate,
            3 => BlockingKind::PhoneTail,
            _ => BlockingKind::Email,
        }
    }

    /// Returns the key as an integer, to be stored; never zero.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// How many of a phone's last digits are compared; how many it may be told to compare.
pub(crate) const PHONE_TAIL_DIGITS: u8 = 8;
pub(crate) const PHONE_TAIL_RANGE: std::ops::RangeInclusive<u8> = 6..=12;

/// Returns the key of the last digits of a number within a country, of any digits at all: a number that
/// lost its area code is no key, and finds its candidates so.
pub(crate) fn phone_tail(country_code: u16, number: u64, digits: u8) -> BlockingKey {
    const POWERS: [u64; 13] = {
        let mut powers = [1; 13];
        let mut at = 1;
        while at < powers.len() {
            powers[at] = powers[at - 1] * 10;
            at += 1;
        }
        powers
    };
    // Three digits of a country code and twelve of a number stay below 2⁶⁰.
    const USUAL: u64 = POWERS[PHONE_TAIL_DIGITS as usize];
    // By a constant it is no division.
    let (limit, tail) = if digits == PHONE_TAIL_DIGITS {
        (USUAL, number % USUAL)
    } else {
        let limit = POWERS[usize::from(digits.min(*PHONE_TAIL_RANGE.end()))];
        (limit, number % limit)
    };
    BlockingKey::new(BlockingKind::PhoneTail, u64::from(country_code) * limit + tail)
}

/// Returns the key of the last digits of a number in the form of E.164, of which the country code is a part; other than
/// [`phone_tail`] for a national number that is shorter than the digits compared.
pub(crate) fn e164_tail(number: u64, digits: u8) -> BlockingKey {
    let code = country_code_of(number);
    phone_tail(u16::try_from(code).unwrap_or_default(), number, digits)
}

/// Returns the country code that a number in the form of E.164 begins with, by how many digits its zone gives.
///
/// By Recommendation ITU-T E.164 zones 1 and 7 have one digit, these have two, all others three.
pub(crate) fn country_code_of(number: u64) -> u64 {
    const TWO: u128 = {
        let codes = [
            20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54,
            55, 56, 57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
        ];
        let (mut set, mut at) = (0, 0);
        while at < codes.len() {
            set |= 1 << codes[at];
            at += 1;
        }
        set
    };
    let length = number.checked_ilog10().unwrap_or_default() + 1;
    let leading = |count: u32| number / 10_u64.pow(length.saturating_sub(count));
    match leading(1) {
        one @ (1 | 7) => one,
        _ if TWO >> leading(2).min(99) & 1 == 1 => leading(2),
        _ => leading(3),
    }
}

/// Returns the key of an address that is weak evidence, from its hash.
pub(crate) fn email(address: Key) -> BlockingKey {
    let hash = u64::try_from(address.bits() & u128::from(u64::MAX)).unwrap_or_default();
    BlockingKey::new(BlockingKind::Email, hash)
}

/// Returns the key of a plate, which the plates of one vehicle have in common.
pub(crate) fn plate(plate: Plate) -> BlockingKey {
    BlockingKey::new(BlockingKind::Plate, plate.vehicle())
}

/// Lists the keys of a name with a date of birth: one for each word, so that one shared word and the date are enough to
/// be compared.
///
/// The name is as [`Name::as_str`] gives it.
pub(crate) fn name_birth_date(name: &str, date: BirthDate) -> impl Iterator<Item = BlockingKey> {
    Name::sounds_of(name).map(move |sound| {
        let mixed = (sound ^ u64::from(date.as_u32())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        BlockingKey::new(BlockingKind::NameBirthDate, mixed >> 4)
    })
}
