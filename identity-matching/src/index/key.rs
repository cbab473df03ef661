//! The key as an index stores it.

use std::fmt;

use crate::key::{DocumentTypeId, Key, KeyKind};
use crate::weak::blocking::BlockingKey;

/// A strong key or a blocking key as an index stores and compares it: sixteen opaque bytes.
///
/// Made from a [`Key`] or a [`BlockingKey`]; a database stores [`IndexKey::to_bytes`]. `Debug` shows
/// nothing of the value.
///
/// ```
/// use identity_matching::{Normaliser, Record, index::IndexKey};
///
/// let record = Record { phones: vec!["+51987654321".into()], ..Record::default() };
/// let normalised = Normaliser::default().normalise(&record);
/// let key = IndexKey::from(normalised.keys()[0].key);
/// assert_eq!(IndexKey::from_bytes(key.to_bytes()), Some(key));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexKey(u128);

/// The highest four bits of a blocking key; no strong key has them.
const BLOCKING: u128 = 0xe << 124;
/// The bits below the scheme and the document type.
pub(super) const VALUE: u128 = (1 << 96) - 1;
/// The bits of the scheme.
pub(super) const SCHEME: u128 = 0xf << 124;
/// The scheme of a phone that is a number of today.
const PHONE: u128 = 3 << 124;
/// What an index keeps of an e-mail's hash, so that it fits three words beside its scheme.
pub(super) const EMAIL_VALUE: u128 = (1 << 92) - 1;

impl IndexKey {
    pub(super) const fn bits(self) -> u128 {
        self.0
    }

    pub(super) const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// Returns the kind of a strong key, and nothing for a blocking key.
    #[must_use]
    pub fn kind(self) -> Option<KeyKind> {
        Key::from_bits(self.0).map(Key::kind)
    }

    /// Returns country and type of a document.
    #[must_use]
    pub fn document_type(self) -> Option<DocumentTypeId> {
        Key::from_bits(self.0).and_then(Key::document_type)
    }

    /// Returns the blocking key, and nothing for a strong key.
    #[must_use]
    pub fn blocking(self) -> Option<BlockingKey> {
        let value = u64::try_from(self.0 & VALUE).ok()?;
        (self.0 >> 124 == BLOCKING >> 124).then(|| BlockingKey::from_u64(value)).flatten()
    }

    /// Tells whether the key finds weak candidates, and is none of a strong kind.
    #[must_use]
    pub const fn is_blocking(self) -> bool {
        self.0 >> 124 == BLOCKING >> 124
    }

    /// Tells whether the key is the number of an organisation, which is no person's own.
    #[must_use]
    pub fn is_organisation(self) -> bool {
        self.document_type().is_some_and(DocumentTypeId::is_organisation)
    }

    /// Tells whether two different keys are of one sort: of one kind, and documents of one country and type, but none
    /// of an organisation.
    pub(crate) fn is_comparable(self, other: Self) -> bool {
        match self.document_type() {
            Some(kind) => other.document_type() == Some(kind) && !kind.is_organisation(),
            None => self.0 >> 124 == other.0 >> 124 && self.kind() == other.kind(),
        }
    }

    /// Returns the plain value where the key holds it: personal data.
    pub(crate) fn text(self) -> Option<String> {
        let hashed = self.kind() == Some(KeyKind::PHONE) && self.0 & VALUE >= 1 << 60;
        Key::from_bits(self.0).filter(|_| !hashed)?.text()
    }

    /// Returns the key as it may be shown: `****8913`; of a hashed one, four digits of the hash.
    #[must_use]
    pub fn masked(self) -> String {
        // No telephone number is as long; it is the hash of one.
        let hashed = self.kind() == Some(KeyKind::PHONE) && self.0 & VALUE >= 1 << 60;
        match Key::from_bits(self.0) {
            Some(key) if !hashed => key.to_string(),
            _ => {
                let kind = self.kind();
                let kind = kind.as_ref().map_or("blocking", KeyKind::as_str);
                format!("{kind}:#{:04x}", self.0 & 0xffff)
            }
        }
    }

    /// Returns the bytes to store, highest first; equal keys have equal bytes on every machine.
    ///
    /// Phones and most documents can be read back from them: they are personal data.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// Reads the bytes that [`IndexKey::to_bytes`] gave; nothing where it cannot have given them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let key = Self(u128::from_be_bytes(bytes));
        (key.kind().is_some() || key.blocking().is_some()).then_some(key)
    }

    /// Returns the number of a phone in the form of E.164, where the key holds it.
    pub(super) fn phone_number(self) -> Option<u64> {
        let phone = self.0 & SCHEME == PHONE && self.0 & VALUE < 1 << 60;
        u64::try_from(self.0 & VALUE).ok().filter(|_| phone)
    }

    /// Returns the byte by which a table tells most keys apart.
    pub(super) const fn tag(self) -> u8 {
        tag(self.hash())
    }

    /// Spreads the key over 64 bits; only for places inside one table.
    pub(super) const fn hash(self) -> u64 {
        const LOW: u64 = 0x9e37_79b9_7f4a_7c15;
        const HIGH: u64 = 0xd6e8_feb8_6659_fd93;
        let low = (self.0 & 0xffff_ffff_ffff_ffff) as u64 ^ LOW;
        let high = (self.0 >> 64) as u64 ^ HIGH;
        fold(fold(low, high), LOW)
    }
}

/// Returns the lowest byte of a hash, but never zero, which marks a free slot.
pub(super) const fn tag(hash: u64) -> u8 {
    let byte = (hash & 0xff) as u8;
    if byte == 0 { 1 } else { byte }
}

/// Knows which tags several keys of one row have, in one bit for each tag.
pub(super) struct Tags {
    repeated: [u64; 4],
}

impl Tags {
    pub(super) fn of(hashes: impl Iterator<Item = u64>) -> Self {
        let (mut seen, mut repeated) = ([0; 4], [0; 4]);
        for hash in hashes {
            let (word, bit) = Self::place(hash);
            repeated[word] |= seen[word] & bit;
            seen[word] |= bit;
        }
        Self { repeated }
    }

    /// Tells whether another key of the row has the tag of this one.
    pub(super) fn is_ambiguous(&self, hash: u64) -> bool {
        let (word, bit) = Self::place(hash);
        self.repeated[word] & bit != 0
    }

    fn place(hash: u64) -> (usize, u64) {
        let tag = tag(hash);
        (usize::from(tag >> 6), 1 << (tag & 63))
    }
}

/// Multiplies and folds the 128-bit product to 64 bits.
pub(super) const fn fold(left: u64, right: u64) -> u64 {
    let product = left as u128 * right as u128;
    (product & 0xffff_ffff_ffff_ffff) as u64 ^ (product >> 64) as u64
}

impl From<Key> for IndexKey {
    fn from(key: Key) -> Self {
        match key.kind() {
            KeyKind::EMAIL => Self(key.bits() & !VALUE | key.bits() & EMAIL_VALUE),
            _ => Self(key.bits()),
        }
    }
}

impl From<BlockingKey> for IndexKey {
    fn from(key: BlockingKey) -> Self {
        Self(BLOCKING | u128::from(key.as_u64()))
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        let kind = kind.as_ref().map_or("blocking", KeyKind::as_str);
        write!(f, "IndexKey({kind}:#{:04x})", self.hash() & 0xffff)
    }
}
