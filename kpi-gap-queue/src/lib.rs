#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod burn_down;
mod catalogue;
mod difference;
mod error;
#[cfg(feature = "files")]
pub mod files;
#[cfg(feature = "html")]
pub mod html;
mod metric;
mod policy;
mod publication;
mod queue;
mod report;
mod row;
mod scope;
mod status;
#[cfg(feature = "testing")]
pub mod testing;
mod totals;

pub use self::{
    burn_down::{BurnDown, BurnDownError, RunPoint},
    catalogue::{Catalogue, InMemoryCatalogue, Kpi, Source},
    difference::{Difference, Movement, OutOfOrder, PairChange, PairRef},
    error::{GapError, StoreError},
    metric::{FromFn, InMemoryMetrics, Metric, MetricQuery, MetricRef, MetricStore, from_fn},
    policy::{ConfigError, GapPolicy, ReportNames, StatusRule, ValueChoice},
    publication::{Frequency, GapTiming, Publication, UnknownFrequency},
    queue::{
        Ageing, ChosenBy, CountedValue, GapOptions, GapQueue, OwnerShare, Rows, ScopeTotals,
        SourceFacts,
    },
    report::{Checks, Coverage, GapReport, StreamedReport},
    row::{Cell, GapRow, NamedRow},
    scope::{MetricScope, metric_key},
    status::{Chain, GapStatus, UnknownStatus},
    totals::{GapTotals, ReportStatus},
};
