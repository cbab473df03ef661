//! Which persons can matter to given subjects.
//!
//! Only a person who holds a key of a subject can become its candidate. Who decides one set of subjects over a
//! population that is read once therefore needs no index of everybody: a small filter of the subjects' keys
//! says, row by row, who is to be kept.
//!
//! The filter is a Bloom filter in blocks of one word (Putze, Sanders and Singler, "Cache-, hash- and
//! space-efficient Bloom filters", 2007): it never misses a key, and keeps about one stranger in two hundred
//! for each key that a person has. A person who is kept for nothing changes no decision.

#![expect(clippy::cast_possible_truncation, reason = "hashes are cut on purpose")]

use std::{fmt, sync::Arc};

use crate::{
    index::{IndexKey, SubjectView, key::fold},
    key::KeyKind,
    kinds::{Normalised, email},
    weak::BlockingKind,
};

/// The keys of subjects that are decided together, strong and blocking.
///
/// Takes eight bytes for each key. Each thread may fill one of its own.
///
/// ```
/// use identity_matching::{Normaliser, Record, index::SubjectKeys};
///
/// let normaliser = Normaliser::default();
/// let phone = |phone: &str| Record { phones: vec![phone.into()], ..Record::default() };
/// let mut keys = SubjectKeys::default();
/// keys.add(&normaliser.normalise(&phone("+51987654321")));
/// let filter = keys.filter();
/// assert!(filter.concerns(&normaliser.normalise(&phone("+51 987 654 321"))));
/// ```
#[derive(Clone, Default)]
pub struct SubjectKeys {
    hashes: Vec<u64>,
    known: Known,
}

/// What is known of the keys that were collected.
#[derive(Clone, Copy, Default)]
struct Known {
    /// The kinds of blocking keys among them, in one bit each.
    blocking: u8,
    /// Whether addresses are among them of which the hash alone is known.
    addresses: bool,
}

impl SubjectKeys {
    /// Adds the keys of one subject.
    pub fn add(&mut self, subject: &Normalised) {
        let weak = subject.blocking_keys().iter();
        self.known.blocking |= weak.fold(0, |kinds, key| kinds | bit(key.kind()));
        self.hashes.extend(subject.blocking_keys().iter().map(|&key| IndexKey::from(key).hash()));
        self.add_strong(subject);
    }

    /// Adds the strong keys of one subject alone, for a policy that looks for nothing weaker.
    pub fn add_strong(&mut self, subject: &Normalised) {
        for held in subject.keys() {
            self.hashes.push(IndexKey::from(held.key).hash());
            if held.key.kind() == KeyKind::EMAIL {
                match subject.text(held.key) {
                    Some(text) => self.hashes.push(mailbox(email::mailbox(text.as_bytes()))),
                    None => self.known.addresses = true,
                }
            }
        }
    }

    /// Adds the keys of one subject of which not more than they are known.
    pub fn add_view(&mut self, subject: SubjectView<'_>) {
        self.hashes.extend(subject.index_keys().map(IndexKey::hash));
        self.known.addresses |= subject.keys.iter().any(|held| held.key.kind() == KeyKind::EMAIL);
        let weak = subject.blocking.iter();
        self.known.blocking |= weak.fold(0, |kinds, key| kinds | bit(key.kind()));
    }

    /// Takes over what another thread collected.
    pub fn absorb(&mut self, other: Self) {
        self.known.blocking |= other.known.blocking;
        self.known.addresses |= other.known.addresses;
        if self.hashes.is_empty() {
            self.hashes = other.hashes;
        } else {
            self.hashes.extend_from_slice(&other.hashes);
        }
    }

    /// Makes the filter, of two bytes for each key that was collected.
    #[must_use]
    pub fn filter(&self) -> SubjectFilter {
        SubjectFilter(Arc::new(Bloom::of(&self.hashes)), self.known)
    }
}

impl fmt::Debug for SubjectKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKeys({} keys)", self.hashes.len())
    }
}

/// Which records of a population can matter to the subjects it was made of; cheap to clone.
#[derive(Clone)]
pub struct SubjectFilter(Arc<Bloom>, Known);

impl SubjectFilter {
    /// Tells whether a person's record may hold a key of a subject; a `false` is certain.
    #[must_use]
    pub fn concerns(&self, record: &Normalised) -> bool {
        SubjectView::from(record).index_keys().any(|key| self.may_hold(key))
    }

    /// Tells whether subjects have blocking keys of a kind.
    pub(super) fn has(&self, kind: BlockingKind) -> bool {
        self.1.blocking & bit(kind) != 0
    }

    /// Tells whether a subject may have an address of which a glance gave the hash.
    pub(super) fn may_hold_mailbox(&self, hash: u64) -> bool {
        self.1.addresses || self.0.may_hold(mailbox(hash))
    }

    /// Asks the processor to fetch the part of the filter that a key needs.
    #[inline]
    pub(in crate::index) fn prefetch(&self, key: IndexKey) {
        let words = &*self.0.words;
        prefetch_index::prefetch_index(words, place(key.hash(), words.len()));
    }

    /// Tells whether a subject may hold a key; a `false` is certain.
    #[inline]
    pub(in crate::index) fn may_hold(&self, key: IndexKey) -> bool {
        self.0.may_hold(key.hash())
    }
}

impl fmt::Debug for SubjectFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectFilter({} bytes)", self.0.words.len() * size_of::<u64>())
    }
}

/// Spreads the hash of a mailbox over 64 bits.
fn mailbox(hash: u64) -> u64 {
    fold(hash, 0x9e37_79b9_7f4a_7c15)
}

fn bit(kind: BlockingKind) -> u8 {
    1 << kind as u8
}

/// A set of hashes that may tell of a stranger that it is in, but of no member that it is not.
pub(in crate::index) struct Bloom {
    words: Box<[u64]>,
}

impl Bloom {
    /// How many hashes share one word, on average: sixteen bits for each.
    const PER_WORD: usize = 4;

    pub(in crate::index) fn of(hashes: &[u64]) -> Self {
        let mut words = vec![0_u64; hashes.len() / Self::PER_WORD + 1].into_boxed_slice();
        for &hash in hashes {
            let at = place(hash, words.len());
            words[at] |= bits(hash);
        }
        Self { words }
    }

    #[inline]
    pub(in crate::index) fn may_hold(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.words[place(hash, self.words.len())] & bits == bits
    }
}

/// Returns the word of a hash, by its highest bits.
#[inline]
fn place(hash: u64, words: usize) -> usize {
    ((u128::from(hash) * words as u128) >> 64) as usize
}

/// Returns the four bits of a hash in its word, by its lowest bits.
#[inline]
fn bits(hash: u64) -> u64 {
    [0, 6, 12, 18].iter().fold(0, |bits, shift| bits | 1 << (hash >> shift & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_misses_no_member_and_takes_few_strangers() {
        let hash = |n: u64| siphasher::sip::SipHasher13::new().hash(&n.to_le_bytes());
        let members: Vec<u64> = (0..20_000).map(hash).collect();
        let filter = Bloom::of(&members);
        assert!(members.iter().all(|&member| filter.may_hold(member)));
        let taken = (20_000..120_000).filter(|&n| filter.may_hold(hash(n))).count();
        assert!(taken < 2_000, "{taken} of 100000 strangers were taken");
        assert!(!Bloom::of(&[]).may_hold(hash(1)));
    }
}
