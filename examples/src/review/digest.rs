//! Keyed digests of what was shown.

use sha2::{Digest, Sha256};

/// Digests parts under a secret, each with its length, so that no two lists of parts run into each other.
pub(super) fn digest<'a>(secret: &[u8; 32], parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new_with_prefix(secret);
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize()[..16])
}
