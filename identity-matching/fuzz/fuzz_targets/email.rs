//! Any bytes as a e-mail address: no panic, no key for garbage, and a second pass changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/garbage.rs"]
mod garbage;

fuzz_target!(|bytes: &[u8]| garbage::email(&String::from_utf8_lossy(bytes)));
