//! Priorities, next actions and report names as data.

use serde::{Deserialize, Serialize};

use crate::status::GapStatus;

/// The priority and the next action of one status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusRule {
    /// The priority; the greatest comes first in the queue.
    pub priority: u32,
    /// What somebody has to do next, as a stable code.
    pub next_action: String,
}

/// The names in a report that the user chooses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportNames {
    /// The prefix of the totals of sources and KPIs, such as `official_review`.
    pub totals_prefix: String,
    /// The key and column of the source id, such as `sanction_source_id`.
    pub source_id: String,
    /// The key and column of the body that publishes the source, such as `organismo`.
    pub organismo: String,
}

/// The rule that chooses one of several values for a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ValueChoice {
    /// The value furthest along the evidence chain counts, then the latest period: the pair is
    /// ready as soon as one value carries its whole chain.
    #[default]
    FurthestAlongChain,
    /// The value of the latest period counts, then the one furthest along the chain: the newest
    /// value has to carry its own evidence.
    LatestPeriod,
}

/// Priorities, next actions and names: what the user decides about a queue.
///
/// The default is the official review of sanctions. Any other use is another value:
///
/// ```
/// use kpi_gap_queue::{GapPolicy, GapStatus};
///
/// let mut policy = GapPolicy::default();
/// assert_eq!(policy.rule(GapStatus::MissingMetric).priority, 90);
///
/// policy.missing_metric.next_action = "ask_the_town_hall".into();
/// policy.names.totals_prefix = "survey".into();
/// policy.validate()?;
/// # Ok::<(), kpi_gap_queue::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GapPolicy {
    /// Rule of [`GapStatus::MissingSource`].
    pub missing_source: StatusRule,
    /// Rule of [`GapStatus::MissingMetric`].
    pub missing_metric: StatusRule,
    /// Rule of [`GapStatus::MissingSourceRecord`].
    pub missing_source_record: StatusRule,
    /// Rule of [`GapStatus::MissingEvidence`].
    pub missing_evidence: StatusRule,
    /// Rule of [`GapStatus::Ready`].
    pub ready: StatusRule,
    /// The names that the report writes.
    pub names: ReportNames,
    /// Which of several values counts.
    pub value_choice: ValueChoice,
}

impl Default for GapPolicy {
    fn default() -> Self {
        let rule = |priority, next_action: &str| StatusRule {
            priority,
            next_action: next_action.to_owned(),
        };
        Self {
            missing_source: rule(100, "add_source_to_sanction_data_catalog_seed"),
            missing_metric: rule(90, "ingest_official_review_kpi_metric"),
            missing_source_record: rule(70, "backfill_source_record_pk_for_official_review_metric"),
            missing_evidence: rule(60, "backfill_evidence_date_quote_for_official_review_metric"),
            ready: rule(10, "monitor_refresh"),
            names: ReportNames {
                totals_prefix: "official_review".to_owned(),
                source_id: "sanction_source_id".to_owned(),
                organismo: "organismo".to_owned(),
            },
            value_choice: ValueChoice::default(),
        }
    }
}

impl GapPolicy {
    /// Returns the rule of a status.
    #[must_use]
    pub const fn rule(&self, status: GapStatus) -> &StatusRule {
        match status {
            GapStatus::MissingSource => &self.missing_source,
            GapStatus::MissingMetric => &self.missing_metric,
            GapStatus::MissingSourceRecord => &self.missing_source_record,
            GapStatus::MissingEvidence => &self.missing_evidence,
            GapStatus::Ready => &self.ready,
        }
    }

    /// Checks that no name is blank and that no two columns share a name.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for status in GapStatus::ALL {
            if self.rule(status).next_action.trim().is_empty() {
                return Err(ConfigError::BlankName { field: "next_action" });
            }
        }
        let names = &self.names;
        for (field, name) in [
            ("names.totals_prefix", &names.totals_prefix),
            ("names.source_id", &names.source_id),
            ("names.organismo", &names.organismo),
        ] {
            if name.trim().is_empty() {
                return Err(ConfigError::BlankName { field });
            }
        }
        let columns = names.columns();
        for (at, column) in columns.iter().enumerate() {
            if columns[..at].contains(column) {
                return Err(ConfigError::ColumnTwice { column: (*column).to_owned() });
            }
        }
        Ok(())
    }
}

impl ReportNames {
    /// Lists the columns of a queue row in the order in which CSV and JSON write them.
    #[must_use]
    pub fn columns(&self) -> [&str; 17] {
        [
            "queue_key",
            &self.source_id,
            "kpi_id",
            "kpi_label",
            "period_date",
            "period_granularity",
            "label",
            &self.organismo,
            "source_url",
            "metric_exists",
            "source_record_present",
            "evidence_present",
            "metric_key",
            "metric_key_expected",
            "status",
            "priority",
            "next_action",
        ]
    }
}

/// The error for a policy with a blank or repeated name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A name that has to be written is blank.
    #[error("the policy's `{field}` is blank; give it a name")]
    BlankName {
        /// The field of the policy.
        field: &'static str,
    },
    /// Two columns of a queue row would carry the same name.
    #[error("the policy names two columns `{column}`; rename one")]
    ColumnTwice {
        /// The name that is there twice.
        column: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_policy_is_valid() {
        assert_eq!(GapPolicy::default().validate(), Ok(()));
    }

    #[test]
    fn a_blank_or_doubled_name_is_refused() {
        let mut blank = GapPolicy::default();
        blank.ready.next_action = "  ".into();
        assert_eq!(blank.validate(), Err(ConfigError::BlankName { field: "next_action" }));

        let mut doubled = GapPolicy::default();
        doubled.names.organismo = "label".into();
        assert_eq!(doubled.validate(), Err(ConfigError::ColumnTwice { column: "label".into() }));
    }
}
