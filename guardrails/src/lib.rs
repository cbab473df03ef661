#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod check;
pub mod clock;
pub mod facts;
mod finding;
pub mod format;
pub mod history;
mod kpi;
pub mod packets;
#[cfg(feature = "html")]
pub mod page;
pub mod recovery;
mod report;
mod suite;
#[cfg(feature = "testing")]
pub mod testing;
mod threshold;
mod verdict;
mod visible;
mod words;

pub use check::{
    Aspect, Check, CheckError, ClosureCheck, ColumnType, Description, QueryCheck, RuleError,
    RuleKind, TableCheck, TableRule, closure,
};
pub use finding::{Figure, FigureValue, Finding, Remedy};
pub use kpi::{KpiReading, KpiReport, KpiState};
pub use report::{Baseline, CheckReport, SCHEMA_VERSION, SuiteReport, Totals};
pub use suite::{ConfigError, Settings, Suite};
#[cfg(feature = "toml")]
pub use suite::{DeclareError, Variables};
pub use threshold::{Threshold, ThresholdError, Thresholds};
pub use verdict::{ExitPolicy, Severity, Verdict};
pub use visible::{escape_json, visible};
