//! What `metrics_server` is made of: what it shows, how it answers, how it serves.

mod access;
mod connections;
mod leads;
mod problem;
mod review;
mod routes;
mod serve;
mod values;
mod view;

pub use access::Access;
pub use problem::Problem;
pub use routes::{Answers, router};
pub use serve::{Limits, serve};
pub use view::{Place, Source, View};

/// Where the contract's figures are answered.
pub const METRICS_PATH: &str =
    "/api/v1/ops/payments/cabinet-financial-14d/kpi-red-recovery-metrics";
