//! The integration tests of `raw-packets`, in one binary.
#![allow(clippy::unwrap_used, reason = "a test fails where a value is not there")]

#[path = "tests/common.rs"]
mod common;
#[path = "tests/correct.rs"]
mod correct;
#[path = "tests/cycle.rs"]
mod cycle;
#[path = "tests/damage.rs"]
mod damage;
#[path = "tests/edge.rs"]
mod edge;
#[path = "tests/golden.rs"]
mod golden;
#[path = "tests/killed.rs"]
mod killed;
#[path = "tests/language.rs"]
mod language;
#[path = "tests/laws.rs"]
mod laws;
#[cfg(feature = "xlsx")]
#[path = "tests/saved.rs"]
mod saved;
#[path = "tests/sink.rs"]
mod sink;
#[path = "tests/survey.rs"]
mod survey;
#[path = "tests/table.rs"]
mod table;
#[cfg(feature = "xlsx")]
#[path = "tests/workbook.rs"]
mod workbook;
