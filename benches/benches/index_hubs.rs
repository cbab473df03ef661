//! Does a value that 3,000 persons hold slow anything down?

use std::hint::black_box;

use benchmarks::population;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn hubs(criterion: &mut Criterion) {
    const LEADS: u32 = 20_000;
    let mut group = criterion.benchmark_group("hub values");
    group.throughput(Throughput::Elements(u64::from(LEADS)));
    for (name, hubs) in [("without", false), ("with", true)] {
        let (matcher, leads) = population::matcher(300_000, LEADS, hubs);
        let views = leads.views();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let report = &mut |_, considered: &identity_matching::Considered<'_>| {
                    black_box(considered.verdict());
                };
                matcher
                    .consider(&views, &identity_matching::Rejections::default(), report)
                    .expect("memory answers");
            });
        });
    }
    group.finish();
}

criterion_group!(benches, hubs);
criterion_main!(benches);
