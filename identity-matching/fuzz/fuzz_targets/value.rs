//! Any bytes as one value of any kind, which the first byte picks.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/garbage.rs"]
mod garbage;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let value = String::from_utf8_lossy(rest);
    match kind % 6 {
        0 => garbage::phone(&value),
        1 => garbage::document(&value),
        2 => garbage::email(&value),
        3 => garbage::name(&value),
        4 => garbage::plate(&value),
        _ => garbage::birth_date(&value),
    }
});
