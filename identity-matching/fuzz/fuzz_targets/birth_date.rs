//! Any bytes as a date of birth: no panic, and a second pass changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/garbage.rs"]
mod garbage;

fuzz_target!(|bytes: &[u8]| garbage::birth_date(&String::from_utf8_lossy(bytes)));
