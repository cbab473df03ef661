//! Integration tests, one module per behaviour.
// Helpers outside `#[test]` functions are test code, too.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "html")]
#[path = "tests/browser.rs"]
mod browser;
#[path = "tests/common.rs"]
mod common;
#[cfg(feature = "toml")]
#[path = "tests/declared.rs"]
mod declared;
#[path = "tests/formats.rs"]
mod formats;
#[path = "tests/golden.rs"]
mod golden;
#[path = "tests/history.rs"]
mod history;
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
