//! Integration tests, one module per behaviour.
// Helpers outside `#[test]` functions are test code, too.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "html")]
mod billing;
#[cfg(feature = "html")]
mod browser;
#[cfg(feature = "toml")]
mod declared;
mod formats;
mod golden;
mod history;
#[cfg(feature = "html")]
mod html;
mod impact;
mod service;
mod suite;
mod support;
mod text;
mod thresholds;
mod throughput;
