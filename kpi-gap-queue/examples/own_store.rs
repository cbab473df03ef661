//! A metric store of one's own: values by source, as a database would find them by its index, proved by the public suite.
//!
//! `cargo run -p kpi-gap-queue --example own_store --features testing`

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use std::collections::BTreeMap;
use std::error::Error;

use kpi_gap_queue::testing::metric_store_conformance;
use kpi_gap_queue::{
    GapOptions, GapQueue, InMemoryCatalogue, Kpi, Metric, MetricQuery, MetricRef, MetricScope,
    MetricStore, Source, StoreError,
};

/// Values by source.
#[derive(Debug, Default)]
struct BySource(BTreeMap<String, Vec<Metric>>);

impl FromIterator<Metric> for BySource {
    fn from_iter<I: IntoIterator<Item = Metric>>(metrics: I) -> Self {
        let mut by_source = Self::default();
        for metric in metrics {
            by_source.0.entry(metric.source_id.clone()).or_default().push(metric);
        }
        by_source
    }
}

impl MetricStore for BySource {
    fn push_metrics(
        &self,
        query: MetricQuery<'_>,
        sink: &mut dyn FnMut(MetricRef<'_>),
    ) -> Result<(), StoreError> {
        // A database sends one statement for the batch of sources, and pushes each row as it comes. What lies outside the
        // scopes may be pushed, too: it is left aside.
        for source in query.sources() {
            for metric in self.0.get(*source).into_iter().flatten() {
                sink(metric.as_ref());
            }
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    metric_store_conformance(|values| values.iter().cloned().collect::<BySource>());

    let catalogue = InMemoryCatalogue {
        expected_sources: vec!["es:town".into(), "es:village".into()],
        sources: vec![Source::new("es:town"), Source::new("es:village")],
        kpis: vec![Kpi::new("kpi:waiting_days", "Waiting time (days)")],
    };
    let held = Metric {
        source_id: "es:town".into(),
        kpi_id: "kpi:waiting_days".into(),
        period_date: Some("2025-12-31".parse()?),
        period_granularity: "year".into(),
        value: "12.5".into(),
        ..Metric::default()
    };
    let store: BySource = [held].into_iter().collect();
    let scope = MetricScope::period("2025-12-31".parse()?, "year");
    let queue = GapQueue::build(&catalogue, &store, &[scope], GapOptions::default())?;
    let told: Vec<_> =
        queue.rows().map(|row| format!("{} {}", row.queue_key, row.next_action)).collect();
    println!("{}", told.join("\n"));
    assert_eq!(queue.totals().actionable_pairs_total, 2);
    assert!(told[0].starts_with("es:village|"), "nothing is held of it: it comes first");
    Ok(())
}

#[test]
fn the_store_keeps_the_laws_of_every_store() {
    main().unwrap_or_else(|error| panic!("{error}"));
}
