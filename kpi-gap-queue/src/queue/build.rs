//! Asks the store for one batch of sources after the other and folds what it pushes.

use std::ops::Range;

use super::{
    CountedValue, GapOptions, GapQueue, PairState,
    choice::{Candidate, Counted},
    layout::Layout,
    scopes::ScopeFinder,
};
use crate::{
    error::GapError,
    metric::{MetricQuery, MetricRef, MetricStore},
    report::Totals,
    scope::metric_key,
    status::{Chain, GapStatus},
};

pub(super) fn classify(
    layout: Layout,
    store: &(impl MetricStore + ?Sized),
    options: GapOptions,
) -> Result<GapQueue, GapError> {
    let mut run = Run {
        pairs: Vec::with_capacity(layout.pairs),
        counted: Vec::new(),
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
    let totals = Totals::new(
        layout.sources.len(),
        layout.sources.iter().filter(|source| source.seeded.is_some()).count(),
        layout.kpis.len(),
        by_status,
        &options,
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
    counted: Vec<(usize, CountedValue)>,
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
                let candidate = Candidate::new(&metric);
                match &mut slots[first_pair + scope - pairs.start] {
                    Some(counted) => counted.weigh(candidate, choice),
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
            for place in 0..layout.kpis_of(source) {
                for counted in slots.by_ref().take(layout.scopes.len()) {
                    self.settle(source, place, counted);
                }
            }
        }
        Ok(())
    }

    /// Gives the next pair its status.
    fn settle(&mut self, source: usize, place: usize, counted: Option<Counted>) {
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
            let value = self.value(source, place, counted);
            self.counted.push((pair, value));
        }
    }

    fn value(&self, source: usize, place: usize, counted: Counted) -> CountedValue {
        let chosen_by = counted.chosen_by(self.options.policy.value_choice);
        let Candidate { period_date, period_granularity, metric_key: own_key, .. } =
            counted.candidate;
        let key = if own_key.is_empty() {
            let kpi_id = &self.layout.kpi_at(source, place).kpi_id;
            let source_id = &self.layout.sources[source].source_id;
            metric_key(kpi_id, source_id, period_date, &period_granularity)
        } else {
            own_key.into_string()
        };
        CountedValue {
            metric_key: key,
            period_date,
            period_granularity: period_granularity.into_string(),
            values_total: counted.values,
            chosen_by,
        }
    }
}
