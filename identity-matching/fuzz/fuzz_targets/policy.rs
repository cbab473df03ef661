//! Any bytes as a policy in JSON and in TOML: rules or an error with its reason, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/garbage.rs"]
mod garbage;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    garbage::policy(&text);
    if let Ok(policy) = identity_matching::Policy::from_toml(&text) {
        garbage::policy(&serde_json::to_string(policy.rules()).expect("rules are plain data"));
    }
});
