//! Any bytes as a plate: no panic, nothing read where nothing stands.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/garbage.rs"]
mod garbage;

fuzz_target!(|bytes: &[u8]| garbage::plate(&String::from_utf8_lossy(bytes)));
