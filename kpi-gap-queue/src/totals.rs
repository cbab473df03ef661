//! The counts of every pair, and how the queue stands by them.

use std::fmt;

use serde::ser::{Serialize, Serializer};

use crate::{policy::ReportNames, status::GapStatus};

/// The status of a queue as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportStatus {
    /// No pair is actionable.
    Ok,
    /// Some pair is actionable.
    Degraded,
    /// No expected source is seeded, or no KPI is defined.
    Failed,
}

impl ReportStatus {
    /// Returns the status as reports write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for ReportStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ReportStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// All pairs of a queue, counted, whatever the limit of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct GapTotals {
    /// The sources that are expected to publish.
    pub sources_expected_total: u64,
    /// Those of them that the catalogue describes.
    pub sources_seeded_total: u64,
    /// The KPIs of the catalogue.
    pub kpis_expected_total: u64,
    /// The pairs of an expected source and a KPI that it owes, over all scopes.
    pub expected_pairs_total: u64,
    /// The pairs of status [`GapStatus::Ready`].
    pub pairs_ready_total: u64,
    /// The pairs of status [`GapStatus::MissingSource`].
    pub pairs_missing_source_total: u64,
    /// The pairs of status [`GapStatus::MissingMetric`].
    pub pairs_missing_metric_total: u64,
    /// The pairs of status [`GapStatus::MissingSourceRecord`].
    pub pairs_missing_source_record_total: u64,
    /// The pairs of status [`GapStatus::MissingEvidence`].
    pub pairs_missing_evidence_total: u64,
    /// The pairs that are not ready.
    pub actionable_pairs_total: u64,
    /// The rows of the queue, after the limit.
    pub queue_rows_total: u64,
}

impl GapTotals {
    pub(crate) fn new(
        sources_expected: usize,
        sources_seeded: usize,
        kpis: usize,
        by_status: [u64; 5],
        (include_ready, queue_limit): (bool, usize),
    ) -> Self {
        let [missing_source, missing_metric, missing_source_record, missing_evidence, ready] =
            by_status;
        let actionable = missing_source + missing_metric + missing_source_record + missing_evidence;
        let rows = actionable + if include_ready { ready } else { 0 };
        let limit = match queue_limit {
            0 => u64::MAX,
            limit => limit as u64,
        };
        Self {
            sources_expected_total: sources_expected as u64,
            sources_seeded_total: sources_seeded as u64,
            kpis_expected_total: kpis as u64,
            expected_pairs_total: actionable + ready,
            pairs_ready_total: ready,
            pairs_missing_source_total: missing_source,
            pairs_missing_metric_total: missing_metric,
            pairs_missing_source_record_total: missing_source_record,
            pairs_missing_evidence_total: missing_evidence,
            actionable_pairs_total: actionable,
            queue_rows_total: rows.min(limit),
        }
    }

    /// Returns the number of pairs of a status.
    #[must_use]
    pub const fn of(&self, status: GapStatus) -> u64 {
        match status {
            GapStatus::MissingSource => self.pairs_missing_source_total,
            GapStatus::MissingMetric => self.pairs_missing_metric_total,
            GapStatus::MissingSourceRecord => self.pairs_missing_source_record_total,
            GapStatus::MissingEvidence => self.pairs_missing_evidence_total,
            GapStatus::Ready => self.pairs_ready_total,
        }
    }

    /// Says how the queue stands as a whole.
    pub(crate) const fn status(&self) -> ReportStatus {
        if self.sources_seeded_total == 0 || self.kpis_expected_total == 0 {
            ReportStatus::Failed
        } else if self.actionable_pairs_total > 0 {
            ReportStatus::Degraded
        } else {
            ReportStatus::Ok
        }
    }

    /// Lists the totals under the names that the report writes, in its order.
    ///
    /// ```
    /// use kpi_gap_queue::{GapPolicy, GapTotals};
    ///
    /// let entries = GapTotals::default().entries(&GapPolicy::default().names);
    /// assert_eq!(entries[0], ("official_review_sources_expected_total".to_owned(), 0));
    /// ```
    #[must_use]
    pub fn entries(&self, names: &ReportNames) -> [(String, u64); 11] {
        let prefixed = |name: &str| format!("{}_{name}", names.totals_prefix);
        [
            (prefixed("sources_expected_total"), self.sources_expected_total),
            (prefixed("sources_seeded_total"), self.sources_seeded_total),
            (prefixed("kpis_expected_total"), self.kpis_expected_total),
            ("expected_pairs_total".into(), self.expected_pairs_total),
            ("pairs_ready_total".into(), self.pairs_ready_total),
            ("pairs_missing_source_total".into(), self.pairs_missing_source_total),
            ("pairs_missing_metric_total".into(), self.pairs_missing_metric_total),
            ("pairs_missing_source_record_total".into(), self.pairs_missing_source_record_total),
            ("pairs_missing_evidence_total".into(), self.pairs_missing_evidence_total),
            ("actionable_pairs_total".into(), self.actionable_pairs_total),
            ("queue_rows_total".into(), self.queue_rows_total),
        ]
    }
}
