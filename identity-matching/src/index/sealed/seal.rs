//! Sealing: what of a population may lie outside memory.

use std::fmt;

use aes_siv::{KeyInit, siv::Aes128Siv};
use sha2::{Digest, Sha256};

use crate::index::{
    IndexKey,
    key::{EMAIL_VALUE, SCHEME, VALUE},
};
use crate::key::{HashKey, KeyKind};

/// The scheme of a document that is held as a hash.
const DOCUMENT_HASHED: u128 = 2 << 124;
/// The hash of an own kind's value; the code of the kind stands above it.
const OWN_VALUE: u128 = (1 << 70) - 1;

/// A secret that hashes keys and encrypts weak evidence, for a population that is kept in a file or a database.
///
/// Keys are only ever compared, so a keyed hash does for them. Names and dates of birth are compared by how alike
/// they are, which a hash cannot tell; they are encrypted, bound to their person, and read back. Who has the
/// store and not the secret learns which persons share a key, and nothing of any value.
///
/// Sources: Aumasson and Bernstein, "`SipHash`: a fast short-input PRF" (2012); RFC 5297 (AES-SIV: deterministic, so
/// no randomness is needed, and what was changed is noticed).
///
/// ```
/// use identity_matching::{HashKey, Normaliser, Record, index::{IndexKey, Seal}};
///
/// let record = Record { phones: vec!["+51987654321".into()], ..Record::default() };
/// let normalised = Normaliser::default().normalise(&record);
/// let key = IndexKey::from(normalised.keys()[0].key);
/// let (one, other) = (Seal::new(HashKey::new([1; 16])), Seal::new(HashKey::new([2; 16])));
/// assert_ne!(one.key(key), key);
/// assert_ne!(one.key(key), other.key(key));
/// assert_ne!(one.mark(), other.mark());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Seal {
    secret: HashKey,
    cipher: [u8; 32],
}

impl Seal {
    /// Makes a seal of a secret.
    #[must_use]
    pub fn new(secret: HashKey) -> Self {
        let cipher = secret.derive("identity index, weak evidence");
        Self { secret, cipher }
    }

    /// Returns a key as a sealed index holds it: its value is a hash, its kind and document type stay.
    #[must_use]
    pub fn key(&self, key: IndexKey) -> IndexKey {
        key.sealed(self.secret)
    }

    /// Returns bytes that tell one secret from another and give neither away, to be kept beside what was sealed.
    #[must_use]
    pub fn mark(&self) -> [u8; 12] {
        let hash = self.secret.hash96(b"identity index").to_be_bytes();
        hash[4..].try_into().expect("twelve of sixteen bytes")
    }

    /// Encrypts a text of a person.
    pub(in crate::index) fn encrypt(&self, person: &str, plain: &[u8]) -> Vec<u8> {
        Aes128Siv::new(&self.cipher.into())
            .encrypt([person.as_bytes()], plain)
            .expect("one header, and memory grows as it must")
    }

    /// Reads a text of a person back; nothing where the bytes are no such text.
    pub(in crate::index) fn decrypt(&self, person: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        Aes128Siv::new(&self.cipher.into()).decrypt([person.as_bytes()], bytes).ok()
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl IndexKey {
    /// Replaces the value by its hash under a secret; kind, document type and blocking kind stay.
    #[must_use]
    pub(in crate::index) fn sealed(self, secret: HashKey) -> Self {
        let hash = secret.hash96(&self.to_bytes());
        let (bits, replaced) = match self.kind() {
            Some(KeyKind::DOCUMENT) => (self.bits() & !SCHEME | DOCUMENT_HASHED, VALUE),
            Some(KeyKind::PHONE | KeyKind::EMAIL) => (self.bits(), EMAIL_VALUE),
            Some(_) => (self.bits(), OWN_VALUE),
            None => (self.bits(), (1 << 60) - 1),
        };
        Self::from_bits(bits & !replaced | hash & replaced)
    }
}

impl HashKey {
    /// Derives another secret for one purpose.
    fn derive(self, purpose: &str) -> [u8; 32] {
        let hash = self.hash96(purpose.as_bytes());
        Sha256::new()
            .chain_update(purpose)
            .chain_update(hash.to_be_bytes())
            .chain_update(self.as_bytes())
            .finalize()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encrypted_text_is_read_back_for_its_person_and_secret_alone() {
        let seal = Seal::new(HashKey::new([7; 16]));
        let bytes = seal.encrypt("P1", b"rojas");
        assert!(!bytes.windows(5).any(|window| window == b"rojas"));
        assert_eq!(seal.decrypt("P1", &bytes).as_deref(), Some(&b"rojas"[..]));
        assert_eq!(seal.decrypt("P2", &bytes), None);
        assert_eq!(Seal::new(HashKey::new([8; 16])).decrypt("P1", &bytes), None);
        assert_eq!(seal.decrypt("P1", &bytes[1..]), None);
        assert_eq!(seal.decrypt("P1", &[]), None);
        assert_ne!(
            seal.encrypt("P2", b"rojas"),
            bytes,
            "equal names of two persons look different"
        );
    }
}
