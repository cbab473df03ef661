//! Any bytes as a template and as a formula: no panic, and what is read is written and read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raw_packets::{Formula, Template};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(formula) = text.parse::<Formula>() {
        assert_eq!(formula.as_str().parse(), Ok(formula));
    }
    if let Ok(template) = text.parse::<Template>() {
        let json = serde_json::to_string(&template).expect("a template is written");
        assert_eq!(json.parse(), Ok(template));
    }
});
