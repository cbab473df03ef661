//! The report: status, totals, coverage, checks and rows under stable names.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use crate::{
    policy::ReportNames,
    queue::{GapOptions, GapQueue, SourceFacts},
    row::GapRow,
    scope::MetricScope,
    status::GapStatus,
};

/// Says how a queue stands as a whole.
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

/// Counts every pair of a queue, whatever the limit of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Totals {
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

impl Totals {
    pub(crate) fn new(
        sources_expected: usize,
        sources_seeded: usize,
        kpis: usize,
        by_status: [u64; 5],
        options: &GapOptions,
    ) -> Self {
        let [missing_source, missing_metric, missing_source_record, missing_evidence, ready] =
            by_status;
        let actionable = missing_source + missing_metric + missing_source_record + missing_evidence;
        let rows = actionable + if options.include_ready { ready } else { 0 };
        let limit = match options.queue_limit {
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

    /// Lists the totals under the names that the report writes, in its order.
    ///
    /// ```
    /// use kpi_gap_queue::{GapPolicy, Totals};
    ///
    /// let entries = Totals::default().entries(&GapPolicy::default().names);
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

/// Gives the share of each status in the expected pairs, as ratios from 0 to 1 rounded to 6 places.
///
/// Every share is 0 when no pair is expected.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Coverage {
    /// The share of the pairs that are ready.
    pub pairs_ready_pct: f64,
    /// The share of the pairs without a value.
    pub pairs_missing_metric_pct: f64,
    /// The share of the pairs without a source record.
    pub pairs_missing_source_record_pct: f64,
    /// The share of the pairs without evidence.
    pub pairs_missing_evidence_pct: f64,
}

impl Coverage {
    fn new(totals: &Totals) -> Self {
        let ratio = |part: u64| match totals.expected_pairs_total {
            0 => 0.0,
            all => (part as f64 / all as f64 * 1e6).round() / 1e6,
        };
        Self {
            pairs_ready_pct: ratio(totals.pairs_ready_total),
            pairs_missing_metric_pct: ratio(totals.pairs_missing_metric_total),
            pairs_missing_source_record_pct: ratio(totals.pairs_missing_source_record_total),
            pairs_missing_evidence_pct: ratio(totals.pairs_missing_evidence_total),
        }
    }
}

/// Answers the questions that an operator asks first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each check holds or it does not")]
pub struct Checks {
    /// Every expected source is seeded.
    pub sources_seeded: bool,
    /// At least one KPI is defined.
    pub kpis_defined: bool,
    /// No pair is actionable.
    pub pairs_complete: bool,
    /// The queue has rows.
    pub queue_visible: bool,
    /// The queue has no rows.
    pub queue_empty: bool,
}

impl Checks {
    const fn new(totals: &Totals) -> Self {
        Self {
            sources_seeded: totals.sources_seeded_total == totals.sources_expected_total,
            kpis_defined: totals.kpis_expected_total > 0,
            pairs_complete: totals.actionable_pairs_total == 0,
            queue_visible: totals.queue_rows_total > 0,
            queue_empty: totals.queue_rows_total == 0,
        }
    }
}

/// Reports a queue as of a time.
///
/// Serialises with the stable names that other tools read. `metric_scope` is the scope of the run;
/// where a run has several, it is blank, its label is `several` and `metric_scopes` lists them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GapReport {
    /// When the report was made.
    pub generated_at: DateTime<Utc>,
    /// How the queue stands as a whole.
    pub status: ReportStatus,
    /// The scopes of the run, ascending, at least one.
    pub scopes: Vec<MetricScope>,
    /// Whether the ready pairs have rows.
    pub include_ready: bool,
    /// The counts of all pairs.
    pub totals: Totals,
    /// The shares of all pairs.
    pub coverage: Coverage,
    /// What an operator asks first.
    pub checks: Checks,
    /// The rows in the order of the queue, up to the limit.
    pub rows: Vec<GapRow<'static>>,
    /// What each source owes and holds; for those who act on the rows, not written.
    pub source_facts: Vec<SourceFacts>,
    /// The names under which the report is written.
    pub names: ReportNames,
}

impl GapReport {
    pub(crate) fn new(queue: &GapQueue, generated_at: DateTime<Utc>) -> Self {
        let rows = queue.rows().map(GapRow::into_owned).collect();
        Self {
            rows,
            source_facts: queue.source_facts().collect(),
            ..Self::head(queue, generated_at)
        }
    }

    /// Makes the report without its rows.
    fn head(queue: &GapQueue, generated_at: DateTime<Utc>) -> Self {
        let totals = queue.totals();
        Self {
            generated_at,
            status: status_of(totals),
            scopes: queue.scopes().to_vec(),
            include_ready: queue.options().include_ready,
            coverage: Coverage::new(totals),
            checks: Checks::new(totals),
            totals: totals.clone(),
            rows: Vec::new(),
            source_facts: Vec::new(),
            names: queue.options().policy.names.clone(),
        }
    }

    fn write_with<S: Serializer>(
        &self,
        serializer: S,
        rows: &impl Serialize,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(
            "generated_at",
            &self.generated_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        )?;
        map.serialize_entry("status", &self.status)?;
        match self.scopes.as_slice() {
            [scope] => map.serialize_entry("metric_scope", &WrittenScope::from(scope))?,
            scopes => {
                let several =
                    WrittenScope { period_date: None, period_granularity: None, label: "several" };
                map.serialize_entry("metric_scope", &several)?;
                let scopes: Vec<_> = scopes.iter().map(WrittenScope::from).collect();
                map.serialize_entry("metric_scopes", &scopes)?;
            }
        }
        map.serialize_entry("include_ready", &self.include_ready)?;
        map.serialize_entry("totals", &WrittenTotals(self.totals.entries(&self.names)))?;
        map.serialize_entry("coverage", &self.coverage)?;
        map.serialize_entry("checks", &self.checks)?;
        map.serialize_entry("queue_rows", rows)?;
        map.end()
    }
}

pub(crate) fn status_of(totals: &Totals) -> ReportStatus {
    if totals.sources_seeded_total == 0 || totals.kpis_expected_total == 0 {
        ReportStatus::Failed
    } else if totals.actionable_pairs_total > 0 {
        ReportStatus::Degraded
    } else {
        ReportStatus::Ok
    }
}

impl Serialize for GapReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write_with(serializer, &OwnedRows(self))
    }
}

/// Serialises a queue as its report, making each row when it is written.
///
/// Writes the same bytes as [`GapReport`] and holds one row at a time.
#[derive(Debug)]
pub struct StreamedReport<'q> {
    queue: &'q GapQueue,
    head: GapReport,
}

impl<'q> StreamedReport<'q> {
    pub(crate) fn new(queue: &'q GapQueue, generated_at: DateTime<Utc>) -> Self {
        Self { queue, head: GapReport::head(queue, generated_at) }
    }
}

impl Serialize for StreamedReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.head.write_with(serializer, &StreamedRows(self))
    }
}

struct StreamedRows<'r>(&'r StreamedReport<'r>);

impl Serialize for StreamedRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.0.queue.rows();
        let mut seq = serializer.serialize_seq(Some(rows.len()))?;
        for row in rows {
            seq.serialize_element(&row.named(&self.0.head.names))?;
        }
        seq.end()
    }
}

struct OwnedRows<'r>(&'r GapReport);

impl Serialize for OwnedRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.rows.iter().map(|row| row.named(&self.0.names)))
    }
}

#[derive(serde::Serialize)]
struct WrittenScope<'a> {
    period_date: Option<String>,
    period_granularity: Option<&'a str>,
    label: &'static str,
}

impl<'a> From<&'a MetricScope> for WrittenScope<'a> {
    fn from(scope: &'a MetricScope) -> Self {
        Self {
            period_date: scope.period_date().map(|date| date.to_string()),
            period_granularity: scope.period_granularity(),
            label: scope.label(),
        }
    }
}

struct WrittenTotals([(String, u64); 11]);

impl Serialize for WrittenTotals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, total)| (name, total)))
    }
}
