#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod builtin;
mod check;
pub mod clock;
pub mod facts;
mod finding;
pub mod format;
pub mod history;
#[cfg(feature = "html")]
pub mod html;
mod report;
mod suite;
#[cfg(feature = "testing")]
pub mod testing;
mod threshold;
mod verdict;

pub use check::{Check, CheckError, ClosureCheck, Description, QueryCheck, closure};
pub use finding::{Figure, FigureValue, Finding, Remedy};
pub use report::{Baseline, CheckReport, SCHEMA_VERSION, SuiteReport, Totals};
#[cfg(feature = "toml")]
pub use suite::DeclareError;
pub use suite::{ConfigError, Settings, Suite};
pub use threshold::{Threshold, ThresholdError, Thresholds};
pub use verdict::{ExitPolicy, Severity, Verdict};
