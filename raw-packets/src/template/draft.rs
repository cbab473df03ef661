//! The parts of a template, as JSON writes them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::column::{Column, Text};
use crate::formula::Formula;

/// The JSON form of a template, before validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) title: Text,
    #[serde(default)]
    pub(super) instructions: Text,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) record_prefix: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) default_source_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) default_granularity: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) evidence_date: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) evidence_quote: String,
    pub(super) columns: Vec<Column>,
    #[serde(default)]
    pub(super) rules: Vec<RowRule>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) kpis: Vec<KpiRule>,
}

impl Draft {
    /// Says whether nothing of it is about values of KPIs.
    pub(super) fn is_of_rows(&self) -> bool {
        let of_values = [
            &self.record_prefix,
            &self.default_source_id,
            &self.default_granularity,
            &self.evidence_date,
            &self.evidence_quote,
        ];
        self.kpis.is_empty() && of_values.into_iter().all(String::is_empty)
    }
}

/// A rule over several cells of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RowRule {
    /// Where `when` is filled in, every column of `then` must be, too.
    RequiredWhenFilled {
        /// The column that decides.
        when: String,
        /// The columns that then are required.
        then: Vec<String>,
    },
    /// Where `column` says one of the texts of `is`, every column of `then` must be filled in.
    RequiredWhenIs {
        /// The column that decides.
        column: String,
        /// The texts, of those that the column allows.
        is: Vec<String>,
        /// The columns that then are required.
        then: Vec<String>,
    },
    /// The number in `column` is at most the number in `of`.
    AtMost {
        /// The column that holds the part.
        column: String,
        /// The column that holds the whole.
        of: String,
    },
}

/// The rule that makes one KPI of a raw row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KpiRule {
    /// The KPI's id, as the catalogue names it.
    pub kpi_id: String,
    /// The formula over the captured measures.
    pub formula: Formula,
    /// The smallest value that is possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Decimal>,
    /// The largest value that is possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Decimal>,
    /// How many decimals the value keeps; numerator and denominator stay exact.
    pub decimals: u32,
}
