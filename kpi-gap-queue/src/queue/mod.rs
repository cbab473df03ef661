//! The queue itself: every expected pair classified, and its rows in order.

mod build;
mod choice;
mod counted;
mod layout;
mod rows;
mod scopes;
mod standing;

use chrono::{DateTime, Utc};

use self::{choice::Candidate, counted::CountedValues, layout::Layout};
pub use self::{
    choice::ChosenBy,
    counted::CountedValue,
    rows::Rows,
    standing::{Ageing, OwnerShare, ScopeTotals},
};
use crate::{
    catalogue::{Catalogue, Source},
    difference::PairRef,
    error::GapError,
    metric::MetricStore,
    policy::GapPolicy,
    report::{GapReport, ReportStatus, StreamedReport, Totals},
    scope::MetricScope,
    status::GapStatus,
};

/// Says how a queue is built; every field has a default.
///
/// Written as `GapOptions { queue_limit: 100, ..GapOptions::default() }`, it may grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapOptions {
    /// Cuts the queue after so many rows, once it is sorted; 0 keeps them all.
    pub queue_limit: usize,
    /// Adds the pairs that are ready.
    pub include_ready: bool,
    /// Priorities, next actions, names, and which of several values counts.
    pub policy: GapPolicy,
    /// How many pairs are worked on at once: bounds the memory of a run, at about 100 bytes a pair.
    /// One metric query asks for the sources of one batch. Default 262,144.
    pub pairs_per_batch: usize,
}

impl Default for GapOptions {
    fn default() -> Self {
        Self {
            queue_limit: 0,
            include_ready: false,
            policy: GapPolicy::default(),
            pairs_per_batch: 1 << 18,
        }
    }
}

/// Holds every expected pair of a run, classified.
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
    layout: Layout,
    options: GapOptions,
    pairs: Vec<PairState>,
    counted: CountedValues,
    /// Values per source and scope.
    metric_rows: Vec<u64>,
    values_unexpected_total: u64,
    totals: Totals,
}

/// The status and the links of one pair, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PairState(u8);

impl PairState {
    const METRIC: u8 = 1 << 3;
    const SOURCE_RECORD: u8 = 1 << 4;
    const EVIDENCE: u8 = 1 << 5;

    fn new(status: GapStatus, counted: Option<&Candidate>) -> Self {
        let mut bits = status as u8;
        if let Some(candidate) = counted {
            bits |= Self::METRIC;
            bits |= if candidate.source_record { Self::SOURCE_RECORD } else { 0 };
            bits |= if candidate.evidence { Self::EVIDENCE } else { 0 };
        }
        Self(bits)
    }

    fn status(self) -> GapStatus {
        GapStatus::ALL[usize::from(self.0 & 0b111)]
    }

    const fn has(self, link: u8) -> bool {
        self.0 & link != 0
    }
}

/// Tells what one source owes and holds in one scope.
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
    /// Classifies every expected pair.
    ///
    /// The scopes may overlap and come in any order; equal ones count once. Time is linear in
    /// pairs, values and rows. Fails when the catalogue or the store fails, when an id is blank,
    /// doubled or holds a `|`, and when a source owes a KPI that is not defined.
    pub fn build(
        catalogue: &(impl Catalogue + ?Sized),
        store: &(impl MetricStore + ?Sized),
        scopes: &[MetricScope],
        options: GapOptions,
    ) -> Result<Self, GapError> {
        let span = tracing::info_span!("kpi_gap_queue.build", scopes = scopes.len());
        let _entered = span.enter();
        options.policy.validate()?;
        let layout = Layout::new(catalogue, scopes)?;
        let queue = build::classify(layout, store, options)?;
        tracing::info!(
            name: "kpi_gap_queue.built",
            pairs = queue.totals.expected_pairs_total,
            ready = queue.totals.pairs_ready_total,
            actionable = queue.totals.actionable_pairs_total,
            rows = queue.totals.queue_rows_total,
        );
        Ok(queue)
    }

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
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Returns the number of values in the scopes whose pair nobody expects.
    #[must_use]
    pub const fn values_unexpected_total(&self) -> u64 {
        self.values_unexpected_total
    }

    /// Walks through the rows in the order of the queue, up to the limit.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows::new(self)
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
        crate::report::status_of(&self.totals)
    }

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
