//! How fast is a backlog seeded: the first time, and again when nothing has changed?
//!
//! From memory, and from a view of the service's own tables beside a bare scan of that view: the same rows, read by one
//! statement that keeps nothing. `QUEUE_LEADS` sets the sizes (10,000), `QUEUE_BACKEND` one backend.

use std::time::{Duration, Instant};

use benchmarks::queue::{self, Backend};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use recovery_queue::{QueueStore, SeedOptions};

fn seeds(criterion: &mut Criterion) {
    for backend in Backend::all() {
        for leads in queue::sizes() {
            let backlog = queue::backlog(leads);
            let mut group = criterion.benchmark_group(format!("seed {leads} on {}", backend.name));
            group.throughput(Throughput::Elements(leads));
            group.sample_size(10).sampling_mode(SamplingMode::Flat);
            group.bench_function("first", |bencher| {
                bencher.iter_custom(|rounds| {
                    let mut taken = Duration::ZERO;
                    for _ in 0..rounds {
                        let mut store = backend.fresh("seed");
                        let start = Instant::now();
                        store.seed(&backlog, &SeedOptions::default()).expect("the seed is sound");
                        taken += start.elapsed();
                    }
                    taken
                });
            });
            let (mut store, view) = queue::in_a_view(&backend, "view", leads);
            store.seed(&view, &SeedOptions::default()).expect("the seed is sound");
            group.bench_function("again, from a view", |bencher| {
                bencher.iter(|| {
                    let seed = store.seed(&view, &SeedOptions::default());
                    assert!(!seed.expect("the seed is sound").changed());
                });
            });
            group.bench_function("the bare scan of that view", |bencher| {
                bencher.iter(|| assert_eq!(queue::scan(&mut store), leads));
            });
            drop(store);
            let mut store = backend.seeded("seed", leads);
            group.bench_function("again", |bencher| {
                bencher.iter(|| {
                    store.seed(&backlog, &SeedOptions::default()).expect("the seed is sound")
                });
            });
        }
    }
}

criterion_group!(benches, seeds);
criterion_main!(benches);
