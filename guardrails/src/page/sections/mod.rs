//! The sections of a page: each reads what it needs and knows nothing of the others.

mod ageing;
mod burn_down;
mod figures;
pub(super) mod guardrails;
pub(super) mod history;
mod leads;
mod reasons;
mod runs;
mod story;
mod throughput;

use super::body::Body;
use crate::SuiteReport;

pub use figures::LeadFigures;

/// A part of a page under a heading of its own.
pub trait Section: Send + Sync {
    /// Returns the heading; it is also the section's place in addresses (`#aging-of-invoices`).
    fn heading(&self) -> &str;

    /// Writes what the section shows of the suite's report and of its own data; an empty body leaves it out.
    fn body(&self, suite: &SuiteReport) -> Body;
}
