//! Reports as text: each format is a function of a [`SuiteReport`](crate::SuiteReport) alone.

mod json;
mod text;

pub use json::{FormatError, json, read_json};
pub use text::{TextStyle, text};
