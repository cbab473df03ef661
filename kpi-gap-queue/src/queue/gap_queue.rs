//! Every expected pair of a run, and what is asked of them.

use super::{
    choice::Candidate,
    counted::{CountedValue, CountedValues},
    layout::Layout,
    options::GapOptions,
};
use crate::{
    catalogue::Source,
    difference::PairRef,
    scope::MetricScope,
    status::GapStatus,
    totals::{GapTotals, ReportStatus},
};

/// Every expected pair of a run with its status.
///
/// A pair costs one byte; rows are made when they are asked for, in the order of the queue, so that
/// nothing is sorted and nothing is kept that is not asked for. Only a pair that has a value and a
/// row keeps the key of that value.
///
/// ```
/// use kpi_gap_queue::{
///     GapOptions, GapQueue, GapStatus, InMemoryCatalogue, InMemoryMetrics, Kpi, MetricScope, Source,
/// };
///
/// let catalogue = InMemoryCatalogue {
///     expected_sources: vec!["es:town".into(), "es:port".into()],
///     sources: vec![Source::new("es:town")],
///     kpis: vec![Kpi::new("kpi:waiting_days", "Waiting time (days)")],
/// };
/// let queue = GapQueue::build(
///     &catalogue,
///     &InMemoryMetrics::new(),
///     &[MetricScope::all_time()],
///     GapOptions::default(),
/// )?;
/// let found: Vec<_> = queue.rows().map(|row| (row.source_id.into_owned(), row.status)).collect();
/// assert_eq!(
///     found,
///     [
///         ("es:port".to_owned(), GapStatus::MissingSource),
///         ("es:town".to_owned(), GapStatus::MissingMetric),
///     ]
/// );
/// # Ok::<(), kpi_gap_queue::GapError>(())
/// ```
#[derive(Debug)]
pub struct GapQueue {
    pub(super) layout: Layout,
    pub(super) options: GapOptions,
    pub(super) pairs: Vec<PairState>,
    pub(super) counted: CountedValues,
    /// Values per source and scope.
    pub(super) metric_rows: Vec<u64>,
    pub(super) values_unexpected_total: u64,
    pub(super) totals: GapTotals,
}

/// The status and the links of one pair, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PairState(u8);

impl PairState {
    pub(super) const METRIC: u8 = 1 << 3;
    pub(super) const SOURCE_RECORD: u8 = 1 << 4;
    pub(super) const EVIDENCE: u8 = 1 << 5;

    pub(super) fn new(status: GapStatus, counted: Option<&Candidate>) -> Self {
        let mut bits = status as u8;
        if let Some(candidate) = counted {
            bits |= Self::METRIC;
            bits |= if candidate.source_record { Self::SOURCE_RECORD } else { 0 };
            bits |= if candidate.evidence { Self::EVIDENCE } else { 0 };
        }
        Self(bits)
    }

    pub(super) fn status(self) -> GapStatus {
        GapStatus::ALL[usize::from(self.0 & 0b111)]
    }

    pub(super) const fn has(self, link: u8) -> bool {
        self.0 & link != 0
    }
}

/// The pairs of one source in one scope, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFacts {
    /// The source.
    pub source_id: String,
    /// The scope.
    pub scope: MetricScope,
    /// What the catalogue says of the source; `None` where it is expected but not seeded.
    pub source: Option<Source>,
    /// The ids of the KPIs that the source owes, ascending.
    pub kpis_expected: Vec<String>,
    /// How many of them have a value.
    pub kpis_covered_total: u64,
    /// How many values of them are held.
    pub metric_rows_total: u64,
}

impl GapQueue {
    /// Returns the scopes, ascending.
    #[must_use]
    pub fn scopes(&self) -> &[MetricScope] {
        &self.layout.scopes
    }

    /// Returns what the queue was built with.
    #[must_use]
    pub const fn options(&self) -> &GapOptions {
        &self.options
    }

    /// Returns the totals over all pairs, whatever the limit.
    #[must_use]
    pub const fn totals(&self) -> &GapTotals {
        &self.totals
    }

    /// Returns the number of values in the scopes whose pair nobody expects.
    #[must_use]
    pub const fn values_unexpected_total(&self) -> u64 {
        self.values_unexpected_total
    }

    /// Walks through all pairs, ready or not, in ascending order: source id, KPI id, scope.
    ///
    /// What [`Difference::between`](crate::Difference::between) compares.
    pub fn pairs(&self) -> impl Iterator<Item = PairRef<'_>> {
        let scopes = self.layout.scopes.len();
        (0..self.layout.sources.len()).flat_map(move |at| {
            let source_id = self.layout.sources[at].source_id.as_str();
            let pairs = &self.pairs[self.layout.pairs_of(at..at + 1)];
            pairs.iter().enumerate().map(move |(within, state)| {
                let (period_date, period_granularity) = self.layout.scopes[within % scopes].parts();
                let kpi_id = self.layout.kpi_at(at, within / scopes).kpi_id.as_str();
                let status = state.status();
                PairRef { source_id, kpi_id, period_date, period_granularity, status }
            })
        })
    }

    /// Returns `failed` when no source is seeded or no KPI is defined, `degraded` while any pair is
    /// actionable, else `ok`.
    #[must_use]
    pub fn report_status(&self) -> ReportStatus {
        self.totals.status()
    }

    /// Returns what the catalogue says of a source, if it is expected and seeded.
    #[must_use]
    pub fn source(&self, source_id: &str) -> Option<&Source> {
        self.layout.sources[self.layout.source(source_id)?].seeded.as_ref()
    }

    /// Says which value counts for a pair of the queue, and why; `None` where the pair has no value
    /// or no row.
    #[must_use]
    pub fn counted_value(
        &self,
        source_id: &str,
        kpi_id: &str,
        scope: &MetricScope,
    ) -> Option<CountedValue> {
        let scope = self.layout.scopes.binary_search(scope).ok()?;
        let pair = self.layout.first_pair(self.layout.source(source_id)?, kpi_id)? + scope;
        self.counted.get(pair, kpi_id, source_id)
    }

    /// Tells what each source owes and holds, by source and scope.
    pub fn source_facts(&self) -> impl Iterator<Item = SourceFacts> {
        let scopes = self.layout.scopes.len();
        (0..self.layout.sources.len() * scopes)
            .map(move |at| self.facts_of(at / scopes, at % scopes))
    }

    fn facts_of(&self, at: usize, scope: usize) -> SourceFacts {
        let scopes = self.layout.scopes.len();
        let source = &self.layout.sources[at];
        let kpis = self.layout.kpis_of(at);
        let covered = self.pairs[self.layout.pairs_of(at..at + 1)]
            .iter()
            .skip(scope)
            .step_by(scopes)
            .filter(|pair| pair.has(PairState::METRIC))
            .count();
        SourceFacts {
            source_id: source.source_id.clone(),
            scope: self.layout.scopes[scope].clone(),
            source: source.seeded.clone(),
            kpis_expected: (0..kpis)
                .map(|place| self.layout.kpi_at(at, place).kpi_id.clone())
                .collect(),
            kpis_covered_total: covered as u64,
            metric_rows_total: self.metric_rows[at * scopes + scope],
        }
    }
}
