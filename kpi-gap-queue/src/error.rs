//! What can stop a run.

use std::error::Error;

use crate::policy::ConfigError;

/// The error of a user's own catalogue or metric store.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct StoreError {
    /// What the store was doing, such as `reading the sources`.
    pub what: String,
    /// The error of the store.
    pub source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// Wraps the error of a store with what the store was doing.
    pub fn new(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: source.into() }
    }
}

/// The reason why a queue could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GapError {
    /// The catalogue could not be read; the caller may try again.
    #[error("the catalogue cannot be read")]
    Catalogue(#[source] StoreError),
    /// The metric store could not be read; the caller may try again.
    #[error("the metric store cannot be read")]
    MetricStore(#[source] StoreError),
    /// An id is there twice, so that a pair would be counted twice.
    #[error("the {kind} id `{id}` is there twice; keep one")]
    DuplicateId {
        /// `expected source`, `source` or `KPI`.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// An id is blank or holds the `|` that separates the parts of a key.
    #[error(
        "the {kind} id `{id}` cannot be part of a key; give an id that is not blank and has no `|`"
    )]
    UnusableId {
        /// `expected source`, `source` or `KPI`.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// A source owes a KPI that the catalogue does not define.
    #[error(
        "the source `{source_id}` owes the KPI `{kpi_id}`, which is not defined; define it or take it off the source"
    )]
    UnknownKpi {
        /// The source.
        source_id: String,
        /// The KPI that it owes.
        kpi_id: String,
    },
    /// No scope was given, so that there is nothing to look at.
    #[error("no scope was given; give a period or all time")]
    NoScope,
    /// Sources x KPIs x scopes is more than this machine can address.
    #[error(
        "there are more pairs than this machine can address; split the catalogue or the scopes"
    )]
    TooManyPairs,
    /// The policy is not valid.
    #[error(transparent)]
    Policy(#[from] ConfigError),
}
