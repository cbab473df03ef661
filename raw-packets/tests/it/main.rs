//! The integration tests of `raw-packets`, in one binary.
#![allow(clippy::unwrap_used, reason = "a test fails where a value is not there")]

mod codes;
mod correct;
mod csv_store;
mod cycle;
mod damage;
mod edge;
mod golden;
mod killed;
mod language;
mod laws;
#[cfg(feature = "xlsx")]
mod libreoffice;
mod returned;
mod rows;
#[cfg(feature = "xlsx")]
mod saved;
mod sink;
mod support;
mod survey;
mod table;
#[cfg(feature = "xlsx")]
mod workbook;
