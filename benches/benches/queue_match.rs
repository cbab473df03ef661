//! How fast is a backlog drained when the real matcher decides, with its evidence kept and without?
//!
//! As many persons as leads, three identifiers each, in an index in memory; the leads' records lie in memory too. One
//! measured step is a run over the whole backlog. `QUEUE_LEADS` sets the sizes (10,000), `QUEUE_BACKEND` one backend.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use benchmarks::queue::{self, Backend};
use benchmarks::{matching, population};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use identity_matching::{DeterministicMatcher, Policy, RawDocument, Record};
use recovery_queue::{
    ClaimedLead, MatcherResolver, Recover, RecoverOptions, ResolveError, Resolver,
};

/// Gives each lead's record, by its key in the backlog.
fn records(leads: u32) -> HashMap<String, Record> {
    (0_u64..)
        .zip(matching::leads(leads, leads, false))
        .map(|(number, (_, row))| {
            let record = Record {
                phones: row.phone.iter().map(|phone| format!("+51{phone}")).collect(),
                documents: row
                    .document
                    .iter()
                    .map(|number| RawDocument::typed("PE", "DNI", &format!("{number:08}")))
                    .collect(),
                emails: row.email.iter().map(|at| format!("u{at}@mail{}.pe", at % 50)).collect(),
                ..Record::default()
            };
            (queue::lead(number).source_pk.as_str().to_owned(), record)
        })
        .collect()
}

fn drains(criterion: &mut Criterion) {
    for leads in queue::sizes() {
        let count = u32::try_from(leads).expect("at most 4,294,967,295 leads");
        let records = records(count);
        let (builder, normaliser) = population::builder(count, false);
        let index = builder.build().expect("few keys");
        let matcher = DeterministicMatcher::new(index, normaliser, Policy::default())
            .expect("the policy's own options");
        let source = |leads: &[ClaimedLead]| -> Result<_, ResolveError> {
            Ok(leads.iter().map(|lead| records.get(lead.source_pk.as_str()).cloned()).collect())
        };
        for backend in Backend::all() {
            let name = format!("drain {leads} by the matcher on {}", backend.name);
            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::Elements(leads));
            group.sample_size(10).sampling_mode(SamplingMode::Flat);
            let drain = |resolver: &mut dyn Resolver, rounds: u64| {
                let mut taken = Duration::ZERO;
                for _ in 0..rounds {
                    let mut store = backend.seeded("matched", leads);
                    let start = Instant::now();
                    let run = store
                        .recover(resolver, &RecoverOptions::default())
                        .expect("the run is sound");
                    taken += start.elapsed();
                    assert_eq!(run.claimed, leads);
                }
                taken
            };
            group.bench_function("with evidence", |bencher| {
                let mut resolver = MatcherResolver::new(&matcher, source);
                bencher.iter_custom(|rounds| drain(&mut resolver, rounds));
            });
            group.bench_function("without evidence", |bencher| {
                let mut resolver = MatcherResolver::new(&matcher, source).without_evidence();
                bencher.iter_custom(|rounds| drain(&mut resolver, rounds));
            });
        }
    }
}

criterion_group!(benches, drains);
criterion_main!(benches);
