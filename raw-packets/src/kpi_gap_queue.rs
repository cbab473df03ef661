//! Serves [`PacketRequest`] from the report of `kpi-gap-queue`.

use std::collections::BTreeMap;

use kpi_gap_queue::{GapReport, ReportStatus};

use crate::request::{
    Gap, GapQueueFacts, GapStatus, MetricScope, PacketRequest, RunStatus, ScopeFacts, SourceFacts,
};

/// Hands over the rows and facts of a gap queue as they are.
///
/// Where a report has several scopes, the facts of a source are there for each; as a whole they are the
/// most KPIs that are covered in one of them and the values of all of them.
impl PacketRequest for GapReport {
    fn queue(&self) -> GapQueueFacts {
        let metric_scope = match self.scopes.as_slice() {
            [scope] => MetricScope {
                period_date: scope.period_date(),
                period_granularity: scope.period_granularity().map(str::to_owned),
                label: scope.label().to_owned(),
            },
            _ => MetricScope { label: "several".to_owned(), ..MetricScope::default() },
        };
        GapQueueFacts {
            status: match self.status {
                ReportStatus::Ok => RunStatus::Ok,
                ReportStatus::Degraded => RunStatus::Degraded,
                ReportStatus::Failed => RunStatus::Failed,
            },
            metric_scope,
            include_ready: self.include_ready,
            totals: self
                .totals
                .entries(&self.names)
                .into_iter()
                .map(|(name, total)| (name, total.into()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    fn gaps(&self) -> Box<dyn Iterator<Item = Gap<'_>> + '_> {
        Box::new(self.rows.iter().map(|row| Gap {
            sanction_source_id: &row.source_id,
            kpi_id: &row.kpi_id,
            period_date: row.period_date.parse().ok(),
            period_granularity: Some(&*row.period_granularity).filter(|text| !text.is_empty()),
            status: status(row.status),
        }))
    }

    fn sources(&self) -> Box<dyn Iterator<Item = SourceFacts> + '_> {
        let mut sources: BTreeMap<&str, SourceFacts> = BTreeMap::new();
        for facts in &self.source_facts {
            let Some(source) = &facts.source else { continue };
            let known = sources.entry(&facts.source_id).or_insert_with(|| SourceFacts {
                sanction_source_id: facts.source_id.clone(),
                label: source.label.clone(),
                organismo: source.organismo.clone(),
                source_url: source.source_url.clone(),
                expected_metrics: source.expected_metrics.clone(),
                kpis_expected: facts.kpis_expected.clone(),
                ..SourceFacts::default()
            });
            known.kpis_covered_total = known.kpis_covered_total.max(facts.kpis_covered_total);
            known.metric_rows_total += facts.metric_rows_total;
            if self.scopes.len() > 1 {
                known.by_scope.push(ScopeFacts {
                    period_date: facts.scope.period_date(),
                    period_granularity: facts.scope.period_granularity().map(str::to_owned),
                    kpis_covered_total: facts.kpis_covered_total,
                    metric_rows_total: facts.metric_rows_total,
                });
            }
        }
        Box::new(sources.into_values())
    }
}

const fn status(status: kpi_gap_queue::GapStatus) -> GapStatus {
    match status {
        kpi_gap_queue::GapStatus::MissingSource => GapStatus::MissingSource,
        kpi_gap_queue::GapStatus::MissingMetric => GapStatus::MissingMetric,
        kpi_gap_queue::GapStatus::MissingSourceRecord => GapStatus::MissingSourceRecord,
        kpi_gap_queue::GapStatus::MissingEvidence => GapStatus::MissingEvidence,
        kpi_gap_queue::GapStatus::Ready => GapStatus::Ready,
    }
}
