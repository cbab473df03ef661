//! Any bytes as a name: no panic, a similarity within bounds, and a second pass changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/garbage.rs"]
mod garbage;

fuzz_target!(|bytes: &[u8]| garbage::name(&String::from_utf8_lossy(bytes)));
