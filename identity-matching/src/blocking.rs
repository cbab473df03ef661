//! Blocking keys: the values under which weak candidates are looked up, never by a scan.

use crate::key::KeyKind;
use crate::normalise::Normalised;

/// Tells what two records with an equal [`BlockingKey`] have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BlockingKind {
    /// The same plate.
    Plate,
    /// The same date of birth and one folded name token.
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

/// Fills in the blocking keys of a record that is otherwise complete.
pub(crate) fn fill(out: &mut Normalised) {
    let mut blocking = std::mem::take(&mut out.blocking);
    if let Some(plate) = out.plate() {
        blocking.push(BlockingKey::new(BlockingKind::Plate, plate.as_u64()));
    }
    for held in out.keys() {
        if held.key.kind() == KeyKind::Phone && !held.key.is_subscriber() {
            let tail = (held.key.bits() & u128::from(u64::MAX)) % 10_000_000;
            let tail = u64::try_from(tail).expect("seven digits fit 64 bits");
            blocking.push(BlockingKey::new(BlockingKind::PhoneTail, tail));
        }
    }
    blocking.sort_unstable();
    blocking.dedup();
    out.blocking = blocking;
}
