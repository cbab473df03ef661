//! Asks the store for one batch of sources after the other and folds what it pushes.

use std::ops::Range;

use super::{
    choice::{Candidate, Counted},
    counted::CountedValues,
    gap_queue::{GapQueue, PairState},
    layout::Layout,
    options::GapOptions,
    scopes::ScopeFinder,
};
use crate::{
    catalogue::Catalogue,
    error::GapError,
    metric::{MetricQuery, MetricRef, MetricStore},
    scope::MetricScope,
    status::{Chain, GapStatus},
    totals::GapTotals,
};

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
        let queue = classify(layout, store, options)?;
        tracing::info!(
            name: "kpi_gap_queue.built",
            pairs = queue.totals.expected_pairs_total,
            ready = queue.totals.pairs_ready_total,
            actionable = queue.totals.actionable_pairs_total,
            rows = queue.totals.queue_rows_total,
        );
        Ok(queue)
    }
}

fn classify(
    layout: Layout,
    store: &(impl MetricStore + ?Sized),
    options: GapOptions,
) -> Result<GapQueue, GapError> {
    let mut run = Run {
        pairs: Vec::with_capacity(layout.pairs),
        counted: CountedValues::default(),
        metric_rows: vec![0; layout.sources.len() * layout.scopes.len()],
        values_unexpected_total: 0,
        by_status: [0; 5],
        layout: &layout,
        options: &options,
    };
    let mut start = 0;
    while start < layout.sources.len() {
        let end = batch_end(&layout, start, options.pairs_per_batch);
        run.batch(store, start..end)?;
        start = end;
    }
    let Run { pairs, counted, metric_rows, values_unexpected_total, by_status, .. } = run;
    let totals = GapTotals::new(
        layout.sources.len(),
        layout.sources.iter().filter(|source| source.seeded.is_some()).count(),
        layout.kpis.len(),
        by_status,
        (options.include_ready, options.queue_limit),
    );
    Ok(GapQueue { layout, options, pairs, counted, metric_rows, values_unexpected_total, totals })
}

/// Returns the end of the batch: at least one source, then as many as fit.
fn batch_end(layout: &Layout, start: usize, pairs_per_batch: usize) -> usize {
    let mut end = start + 1;
    while end < layout.sources.len() && layout.pairs_of(start..end + 1).len() <= pairs_per_batch {
        end += 1;
    }
    end
}

struct Run<'a> {
    layout: &'a Layout,
    options: &'a GapOptions,
    pairs: Vec<PairState>,
    counted: CountedValues,
    metric_rows: Vec<u64>,
    values_unexpected_total: u64,
    by_status: [u64; 5],
}

impl Run<'_> {
    fn batch(
        &mut self,
        store: &(impl MetricStore + ?Sized),
        sources: Range<usize>,
    ) -> Result<(), GapError> {
        let layout = self.layout;
        let choice = self.options.policy.value_choice;
        let ids: Vec<&str> =
            layout.sources[sources.clone()].iter().map(|s| s.source_id.as_str()).collect();
        let pairs = layout.pairs_of(sources.clone());
        let mut slots: Vec<Option<Counted>> = Vec::new();
        slots.resize_with(pairs.len(), || None);
        let finder = ScopeFinder::new(&layout.scopes);
        // Stores push one source after the other as a rule, so the last one found is a good guess.
        let mut last: Option<usize> = None;
        let mut buffer = String::new();

        let mut sink = |metric: MetricRef<'_>| {
            let source = last
                .filter(|&at| layout.sources[at].source_id == metric.source_id)
                .or_else(|| layout.source(metric.source_id));
            last = source;
            if source.is_some_and(|at| !sources.contains(&at)) {
                return; // Its own batch asks for it.
            }
            let place = source.and_then(|at| Some((at, layout.first_pair(at, metric.kpi_id)?)));
            let mut in_a_scope = false;
            finder.each(&metric, |scope| {
                in_a_scope = true;
                let Some((source, first_pair)) = place else { return };
                self.metric_rows[source * layout.scopes.len() + scope] += 1;
                let names = &mut self.counted.granularities;
                let candidate = Candidate::new(&metric, names, &mut buffer);
                match &mut slots[first_pair + scope - pairs.start] {
                    Some(counted) => counted.weigh(candidate, choice, names),
                    empty => *empty = Some(Counted::new(candidate)),
                }
            });
            if in_a_scope && place.is_none() {
                self.values_unexpected_total += 1;
            }
        };
        store
            .push_metrics(MetricQuery::new(&ids, &layout.scopes), &mut sink)
            .map_err(GapError::MetricStore)?;

        let mut slots = slots.into_iter();
        for source in sources {
            for counted in slots.by_ref().take(layout.pairs_of(source..source + 1).len()) {
                self.settle(source, counted);
            }
        }
        Ok(())
    }

    /// Gives the next pair its status.
    fn settle(&mut self, source: usize, counted: Option<Counted>) {
        let candidate = counted.as_ref().map(|counted| &counted.candidate);
        let status = GapStatus::of(Chain {
            source: self.layout.sources[source].seeded.is_some(),
            metric: candidate.is_some(),
            source_record: candidate.is_some_and(|value| value.source_record),
            evidence: candidate.is_some_and(|value| value.evidence),
        });
        let pair = self.pairs.len();
        self.by_status[status.index()] += 1;
        self.pairs.push(PairState::new(status, candidate));
        if let Some(counted) = counted
            && (status.is_actionable() || self.options.include_ready)
        {
            self.counted.push(pair, counted, self.options.policy.value_choice);
        }
    }
}
