//! How long does it take to classify ten million pairs, and to write their queue?

use std::hint::black_box;
use std::io;

use chrono::{DateTime, NaiveDate};
use criterion::{Criterion, criterion_group, criterion_main};
use kpi_gap_queue::files::{write_queue_csv, write_queue_json};
use kpi_gap_queue::{
    Difference, GapOptions, GapQueue, InMemoryCatalogue, Kpi, MetricRef, MetricScope, MetricStore,
    Source, from_fn,
};

const SOURCES: usize = 10_000;
const KPIS: usize = 100;
const YEARS: i32 = 10;

fn catalogue() -> InMemoryCatalogue {
    let sources: Vec<Source> =
        (0..SOURCES).map(|at| Source::new(format!("es:source:{at:05}"))).collect();
    InMemoryCatalogue {
        expected_sources: sources.iter().map(|source| source.source_id.clone()).collect(),
        sources,
        kpis: (0..KPIS).map(|at| Kpi::new(format!("kpi:{at:03}"), format!("KPI {at}"))).collect(),
    }
}

fn scopes() -> Vec<MetricScope> {
    let end = |year| NaiveDate::from_ymd_opt(year, 12, 31).expect("a day that exists");
    (2016..2016 + YEARS).map(|year| MetricScope::period(end(year), "year")).collect()
}

/// Pushes a value for every pair but each tenth; each third value lacks its evidence.
fn values() -> impl MetricStore {
    let kpis: Vec<String> = (0..KPIS).map(|at| format!("kpi:{at:03}")).collect();
    let dates: Vec<_> = scopes().iter().map(MetricScope::period_date).collect();
    from_fn(move |query, sink| {
        for &source_id in query.sources() {
            for (at, kpi_id) in kpis.iter().enumerate() {
                for (year, &period_date) in dates.iter().enumerate() {
                    if (at + year) % 10 == 0 {
                        continue;
                    }
                    sink(MetricRef {
                        source_id,
                        kpi_id,
                        period_date,
                        period_granularity: "year",
                        source_record_pk: "record",
                        evidence_date: "2026-02-01",
                        evidence_quote: if (at + year) % 3 == 0 { "" } else { "As published." },
                        ..MetricRef::default()
                    });
                }
            }
        }
        Ok(())
    })
}

fn ten_million_pairs(criterion: &mut Criterion) {
    let (catalogue, scopes, values) = (catalogue(), scopes(), values());
    let nothing = from_fn(|_, _| Ok(()));
    let build = |store: &dyn MetricStore| {
        GapQueue::build(&catalogue, store, &scopes, GapOptions::default())
            .expect("a sound catalogue")
    };
    let mut group = criterion.benchmark_group("gap queue, 10,000,000 pairs");
    group.sample_size(10);
    group.bench_function("build, no values", |b| b.iter(|| black_box(build(&nothing))));
    group.bench_function("build, 9,000,000 values", |b| b.iter(|| black_box(build(&values))));

    let queue = build(&values);
    group.bench_function("walk through 4,030,000 rows", |b| {
        b.iter(|| black_box(queue.rows().count()));
    });
    group.bench_function("write the rows as CSV", |b| {
        b.iter(|| write_queue_csv(&queue, io::sink()).expect("a sink takes all"));
    });
    group.bench_function("write the report as JSON", |b| {
        b.iter(|| {
            write_queue_json(&queue, DateTime::UNIX_EPOCH, io::sink()).expect("a sink takes all");
        });
    });
    let before = build(&nothing);
    group.bench_function("difference between two runs", |b| {
        b.iter(|| {
            Difference::between(before.pairs(), queue.pairs(), |_| ()).expect("both in order")
        });
    });
    group.finish();
}

criterion_group!(benches, ten_million_pairs);
criterion_main!(benches);
