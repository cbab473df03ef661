//! How fast is a backlog drained when deciding costs nothing, beside bare SQL that writes the same rows?
//!
//! One measured step is a run of 10,000 leads in ten transactions; the backlog is filled again, unmeasured, when it is
//! empty. `QUEUE_LEADS` sets the sizes (10,000), `QUEUE_BACKEND` one backend.

use std::time::{Duration, Instant};

use benchmarks::queue::{self, BATCH, Backend, Floor};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};

/// Leads of one measured step.
const STEP: u64 = 10 * BATCH;

/// Measures steps on something that is filled and then drained step by step.
fn measure<T>(
    rounds: u64,
    leads: u64,
    filled: &mut Option<(T, u64)>,
    fill: impl Fn() -> T,
    step: impl Fn(&mut T),
) -> Duration {
    let mut taken = Duration::ZERO;
    for _ in 0..rounds {
        if filled.as_ref().is_none_or(|(_, left)| *left < STEP) {
            // Closed before the next one takes its place.
            *filled = None;
            *filled = Some((fill(), leads));
        }
        let Some((store, left)) = filled else { continue };
        *left -= STEP;
        let start = Instant::now();
        step(store);
        taken += start.elapsed();
    }
    taken
}

fn drains(criterion: &mut Criterion) {
    for backend in Backend::all() {
        for leads in queue::sizes().into_iter().map(|leads| leads.max(STEP)) {
            let name = format!("drain {leads} on {}", backend.name);
            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::Elements(STEP));
            group.sample_size(10).sampling_mode(SamplingMode::Flat);
            let mut filled = None;
            group.bench_function("bare SQL", |bencher| {
                bencher.iter_custom(|rounds| {
                    let fill = || Floor::new(backend.seeded("floor", leads));
                    measure(rounds, leads, &mut filled, fill, |floor| {
                        for _ in 0..STEP / BATCH {
                            floor.batch();
                        }
                    })
                });
            });
            let mut filled = None;
            group.bench_function("whole lead", |bencher| {
                bencher.iter_custom(|rounds| {
                    let fill = || backend.seeded("queue", leads);
                    measure(rounds, leads, &mut filled, fill, |store| queue::recover(store, STEP))
                });
            });
        }
    }
}

criterion_group!(benches, drains);
criterion_main!(benches);
