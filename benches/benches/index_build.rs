//! How long does it take to build an index from normalised records, on one and on two threads?

use benchmarks::population;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

fn build(criterion: &mut Criterion) {
    const PERSONS: u32 = 300_000;
    let mut group = criterion.benchmark_group("index build");
    group.throughput(Throughput::Elements(u64::from(PERSONS))).sample_size(10);
    for threads in [1, 2] {
        group.bench_function(format!("{threads} thread(s)"), |bencher| {
            bencher.iter_batched(
                || {
                    let threads = threads.try_into().expect("not zero");
                    population::builder(PERSONS, false).0.with_threads(threads)
                },
                |builder| builder.build().expect("few keys"),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, build);
criterion_main!(benches);
