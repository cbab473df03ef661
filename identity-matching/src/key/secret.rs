//! The secret of hashed keys.

use std::fmt;

/// The low 96 bits of a key, below its kind.
pub(super) const LOW_96: u128 = (1 << 96) - 1;

/// The secret under which long documents and e-mails are hashed into keys.
///
/// Keys are comparable only under the same secret. The default is a fixed, public value: right for
/// matching in memory. Who saves an index outside gives an own secret, so that the file cannot be
/// searched by hashing guessed addresses.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// Makes a hash key from sixteen secret bytes.
    #[must_use]
    pub const fn new(secret: [u8; 16]) -> Self {
        Self(secret)
    }

    /// Returns the secret bytes.
    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Starts a hash under the secret.
    pub(crate) fn hasher(self) -> siphasher::sip128::SipHasher13 {
        siphasher::sip128::SipHasher13::new_with_key(&self.0)
    }

    /// Hashes `bytes` to 96 bits.
    pub(crate) fn hash96(self, bytes: &[u8]) -> u128 {
        let hash = self.hasher().hash(bytes);
        (u128::from(hash.h1) << 64 | u128::from(hash.h2)) & LOW_96
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(…)")
    }
}
