//! Any bytes as a saved index, with and without a whole header and a true checksum: an index or an error, never a
//! panic, and memory bounded by the bytes that are really there.
#![no_main]

use identity_matching::{
    HashKey, NormaliseOptions,
    index::{InMemoryIndex, WeakEvidence},
};
use libfuzzer_sys::fuzz_target;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::{hash::Hasher, sync::LazyLock};

const SECRET: [u8; 16] = *b"sixteen secret b";

/// What every file begins with, up to the number of persons.
static HEADER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut file = Vec::new();
    let empty = InMemoryIndex::default();
    empty
        .save(&mut file, &NormaliseOptions::default(), HashKey::new(SECRET), WeakEvidence::LeaveOut)
        .expect("memory is written");
    file.truncate(41);
    file
});

fuzz_target!(|bytes: &[u8]| {
    let (options, secret) = (NormaliseOptions::default(), HashKey::new(SECRET));
    let _ = InMemoryIndex::load(bytes, &options, secret);
    let mut file = HEADER.clone();
    file.extend_from_slice(bytes);
    let _ = InMemoryIndex::load(&file[..], &options, secret);
    let mut checksum = SipHasher13::new_with_key(&SECRET);
    checksum.write(&file);
    file.extend_from_slice(&checksum.finish128().as_bytes());
    if let Ok(index) = InMemoryIndex::load(&file[..], &options, secret) {
        let mut again = Vec::new();
        index.save(&mut again, &options, secret, WeakEvidence::LeaveOut).expect("memory is written");
        let again = InMemoryIndex::load(&again[..], &options, secret).expect("what was saved is loaded");
        assert_eq!(again.len(), index.len());
    }
});
