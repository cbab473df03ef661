//! Reports as text: each format is a function of a [`SuiteReport`](crate::SuiteReport) alone.
//!
//! The HTML report has a module of its own, `html`, since it shows more than a suite.

mod json;
#[cfg(feature = "junit")]
mod junit;
mod markdown;
mod openlineage;
mod openmetrics;
mod sarif;
mod text;

#[cfg(feature = "schema")]
pub use json::json_schema;
pub use json::{FormatError, json, read_json};
#[cfg(feature = "junit")]
pub use junit::junit;
pub use markdown::markdown;
pub use openlineage::openlineage_facet;
pub use openmetrics::{Exposition, MetricFamily, OPENMETRICS_TYPE, openmetrics};
pub use sarif::sarif;
pub use text::{TextStyle, text};
