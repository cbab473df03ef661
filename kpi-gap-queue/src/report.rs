//! The report: status, totals, coverage, checks and rows under stable names.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use crate::{
    policy::ReportNames,
    queue::{GapQueue, SourceFacts},
    row::GapRow,
    scope::MetricScope,
    totals::{GapTotals, ReportStatus},
};

/// The share of each status in the expected pairs, as ratios from 0 to 1 rounded to 6 places.
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
    fn new(totals: &GapTotals) -> Self {
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

/// The answers to an operator's first questions, as yes or no.
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
    const fn new(totals: &GapTotals) -> Self {
        Self {
            sources_seeded: totals.sources_seeded_total == totals.sources_expected_total,
            kpis_defined: totals.kpis_expected_total > 0,
            pairs_complete: totals.actionable_pairs_total == 0,
            queue_visible: totals.queue_rows_total > 0,
            queue_empty: totals.queue_rows_total == 0,
        }
    }
}

/// A queue as a report with its time.
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
    pub totals: GapTotals,
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

impl GapQueue {
    /// Reports the whole queue as of a time.
    ///
    /// Holds every row in memory; [`GapQueue::streamed_report`] does not.
    #[must_use]
    pub fn report(&self, generated_at: DateTime<Utc>) -> GapReport {
        GapReport::new(self, generated_at)
    }

    /// Reports the whole queue as of a time, making each row when it is written.
    #[must_use]
    pub fn streamed_report(&self, generated_at: DateTime<Utc>) -> StreamedReport<'_> {
        StreamedReport::new(self, generated_at)
    }
}

impl GapReport {
    fn new(queue: &GapQueue, generated_at: DateTime<Utc>) -> Self {
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
            status: totals.status(),
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

impl Serialize for GapReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write_with(serializer, &OwnedRows(self))
    }
}

/// A report that makes each row when it is written.
///
/// Writes the same bytes as [`GapReport`] and holds one row at a time.
#[derive(Debug)]
pub struct StreamedReport<'q> {
    queue: &'q GapQueue,
    head: GapReport,
}

impl<'q> StreamedReport<'q> {
    fn new(queue: &'q GapQueue, generated_at: DateTime<Utc>) -> Self {
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
