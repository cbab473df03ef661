//! A subject's record on its way through an engine.

use std::{borrow::Cow, fmt};

use crate::{
    index::Seal,
    normalise::{OwnValue, Record},
};

/// A record that is encrypted under a seal, bound to its subject's key: what an engine carries from the making of keys
/// to the decision, so that no table of its own holds an identifier.
///
/// Equal records of one subject give equal bytes, in whatever order their values of own kinds stand.
///
/// ```
/// use identity_matching::{HashKey, Record};
/// use identity_matching::index::{Seal, joined::SealedRecord};
///
/// let seal = Seal::new(HashKey::new([7; 16]));
/// let lead = Record { phones: vec!["987 654 321".into()], ..Record::default() };
/// let sealed = SealedRecord::new("web-1", &lead, &seal);
/// assert_eq!(sealed.open("web-1", &seal)?, lead);
/// assert!(SealedRecord::from_bytes(sealed.as_bytes()).open("web-2", &seal).is_err());
/// # Ok::<(), identity_matching::index::joined::DamagedRecord>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SealedRecord(Vec<u8>);

impl SealedRecord {
    /// Encrypts the record of a subject.
    #[must_use]
    pub fn new(subject: &str, record: &Record, seal: &Seal) -> Self {
        let order = |one: &OwnValue, other: &OwnValue| {
            (one.kind, &one.value).cmp(&(other.kind, &other.value))
        };
        let record = if record.own.is_sorted_by(|one, other| order(one, other).is_le()) {
            Cow::Borrowed(record)
        } else {
            let mut record = record.clone();
            record.own.sort_unstable_by(order);
            Cow::Owned(record)
        };
        let plain = serde_json::to_vec(&*record).expect("a record is plain data with string keys");
        Self(seal.encrypt(subject, &plain))
    }

    /// Takes bytes that [`as_bytes`](Self::as_bytes) gave; [`open`](Self::open) checks them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Returns the bytes to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads the record back.
    ///
    /// # Errors
    ///
    /// [`DamagedRecord`] for bytes of another subject or secret, and for any that were changed.
    pub fn open(&self, subject: &str, seal: &Seal) -> Result<Record, DamagedRecord> {
        let plain = seal.decrypt(subject, &self.0).ok_or(DamagedRecord)?;
        serde_json::from_slice(&plain).map_err(|_| DamagedRecord)
    }

    /// Returns what tells this record of its subject from any other.
    #[must_use]
    pub fn digest(&self) -> RecordDigest {
        // The synthetic initialisation vector stands first: a keyed hash of subject and record.
        RecordDigest(self.0.first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Debug for SealedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedRecord({} bytes)", self.0.len())
    }
}

/// A keyed hash of a subject's key and record, by which a decision is known to be of the record as it stands.
///
/// Source: RFC 5297, whose synthetic initialisation vector is a pseudo-random function of header and plain text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordDigest([u8; 16]);

impl RecordDigest {
    /// Returns the digest of a subject's record.
    #[must_use]
    pub fn of(subject: &str, record: &Record, seal: &Seal) -> Self {
        SealedRecord::new(subject, record, seal).digest()
    }
}

impl fmt::Display for RecordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for RecordDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordDigest({self})")
    }
}

/// The error where bytes are not the record of this subject under this secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the sealed record belongs to another subject or secret, or was changed on its way: make the keys anew, under the secret that decides"
)]
pub struct DamagedRecord;
