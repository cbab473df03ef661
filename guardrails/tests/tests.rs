//! Integration tests, one module per behaviour.
// Helpers outside `#[test]` functions are test code, too.
#![allow(clippy::unwrap_used)]

#[path = "tests/common.rs"]
mod common;
<<<<<<< HEAD
=======
#[cfg(feature = "toml")]
#[path = "tests/declared.rs"]
mod declared;
#[path = "tests/formats.rs"]
mod formats;
>>>>>>> dbdd046 (Declare suites in TOML and hold time limits against checks that do not end)
#[path = "tests/golden.rs"]
mod golden;
#[cfg(feature = "html")]
#[path = "tests/html.rs"]
mod html;
#[path = "tests/impact.rs"]
mod impact;
#[path = "tests/suite.rs"]
mod suite;
#[path = "tests/text.rs"]
mod text;
#[path = "tests/thresholds.rs"]
mod thresholds;
