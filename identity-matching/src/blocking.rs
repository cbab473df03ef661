//! Blocking keys: the values under which weak candidates are looked up, never by a scan.

use crate::normalise::Normalised;

/// Tells what two records with an equal [`BlockingKey`] have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BlockingKind {
    /// The same plate.
    Plate,
    /// The same date of birth and one word of the name that sounds alike.
    NameBirthDate,
    /// The same last seven digits of a phone.
    PhoneTail,
}

/// Is a value under which weak candidates are found; agreeing on it is not yet evidence.
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
            1..=3 => Some(Self(stored)),
            _ => None,
        }
    }

    /// Returns what the value stands for.
    #[must_use]
    pub const fn kind(self) -> BlockingKind {
        match self.0 >> 60 {
            1 => BlockingKind::Plate,
            2 => BlockingKind::NameBirthDate,
            _ => BlockingKind::PhoneTail,
        }
    }

    /// Returns the key as an integer, to be stored; never zero.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// Adds the last seven digits of a phone, of any digits at all: also a number without its area code, which
/// is no key, finds its candidates so.
pub(crate) fn push_phone_tail(number: u64, out: &mut Normalised) {
    out.blocking.push(BlockingKey::new(BlockingKind::PhoneTail, number % 10_000_000));
}

/// Fills in the blocking keys of a record that is otherwise complete.
pub(crate) fn fill(out: &mut Normalised) {
    let mut blocking = std::mem::take(&mut out.blocking);
    if let Some(plate) = out.plate() {
        blocking.push(BlockingKey::new(BlockingKind::Plate, plate.as_u64()));
    }
    if let (Some(name), Some(date)) = (out.name(), out.birth_date()) {
        // One key per word, so that one shared word and the date are enough to be compared.
        blocking.extend(name.sounds().map(|sound| {
            let mixed = (sound ^ u64::from(date.as_u32())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            BlockingKey::new(BlockingKind::NameBirthDate, mixed >> 4)
        }));
    }
    for held in out.keys() {
        if let Some(number) = held.key.phone_number() {
            blocking.push(BlockingKey::new(BlockingKind::PhoneTail, number % 10_000_000));
        }
    }
    blocking.sort_unstable();
    blocking.dedup();
    out.blocking = blocking;
}
