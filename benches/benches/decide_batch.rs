//! How fast are leads with their keys ready decided, and what do batches save over one at a time?

use std::hint::black_box;

use benchmarks::population;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn batches(criterion: &mut Criterion) {
    const LEADS: u32 = 20_000;
    let (matcher, leads) = population::matcher(1_000_000, LEADS, false);
    let views = leads.views();
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(u64::from(LEADS)));
    for size in [1, 32, 256, 4_096] {
        group.bench_function(format!("batches of {size}"), |bencher| {
            bencher.iter(|| {
                for batch in views.chunks(size) {
                    let report = &mut |_, considered: &identity_matching::Considered<'_>| {
                        black_box(considered.verdict());
                    };
                    matcher
                        .consider(batch, &identity_matching::Rejections::default(), report)
                        .expect("memory answers");
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, batches);
criterion_main!(benches);
