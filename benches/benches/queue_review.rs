//! How long do 10,000 decisions of people take to load, and to be undone, each in one transaction?
//!
//! `QUEUE_LEADS` sets the sizes (10,000), `QUEUE_BACKEND` one backend.

use std::time::{Duration, Instant};

use benchmarks::queue::{self, Backend};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use recovery_queue::{
    ClaimedLead, Decider, FailReason, NewReviewPacket, PersonKey, Recover, RecoverOptions,
    Resolution, ResolveError, Review, ReviewDecision, ReviewLoad, ReviewStore, SourcePk, SqlStore,
};

/// A store whose leads have all failed and are given out to be decided, and a decision of each.
fn given_out(backend: &Backend, leads: u64) -> (SqlStore, ReviewLoad) {
    let mut store = backend.seeded("review", leads);
    let mut keys: Vec<SourcePk> = Vec::new();
    let mut fail = |claimed: &[ClaimedLead]| {
        keys.extend(claimed.iter().map(|lead| lead.source_pk.clone()));
        let failed = || Resolution::unmatched(FailReason::ConflictMultipleCandidates);
        Ok::<_, ResolveError>(claimed.iter().map(|_| failed()).collect())
    };
    store.recover(&mut fail, &RecoverOptions::default()).expect("all leads fail");
    let person = |at: usize| PersonKey::new(format!("P-{at}")).expect("a key");
    let cases = keys.iter().map(|lead| (lead.clone(), "f".to_owned())).collect();
    let packet = NewReviewPacket::new("packet", "bench", "1", cases);
    store.issue_review(&packet).expect("the packet is recorded");
    let reviews = keys.iter().enumerate().map(|(at, lead)| {
        let decision = match at % 10 {
            0 => ReviewDecision::NoneOfThese,
            _ => ReviewDecision::Link(person(at)),
        };
        Review::new("packet", lead.clone(), "f", decision, "ana")
            .with_candidates(vec![person(at), person(at + 1)])
    });
    (store, ReviewLoad::new("bench", reviews.collect()))
}

fn reviews(criterion: &mut Criterion) {
    for backend in Backend::all() {
        for leads in queue::sizes() {
            let mut group =
                criterion.benchmark_group(format!("reviews of {leads} on {}", backend.name));
            group.throughput(Throughput::Elements(leads));
            group.sample_size(10).sampling_mode(SamplingMode::Flat);
            for undone in [false, true] {
                group.bench_function(if undone { "undo" } else { "load" }, |bencher| {
                    bencher.iter_custom(|rounds| {
                        let mut taken = Duration::ZERO;
                        for _ in 0..rounds {
                            let (mut store, load) = given_out(&backend, leads);
                            let start = Instant::now();
                            let receipt = store.load_reviews(&load).expect("all are well");
                            let loaded = start.elapsed();
                            assert_eq!(receipt.linked + receipt.none_of_these, leads);
                            if !undone {
                                taken += loaded;
                                continue;
                            }
                            let id = receipt.load.expect("something was loaded");
                            let decider = Decider { by: "ana", reason: "a bench" };
                            let start = Instant::now();
                            store.undo_reviews(&id, decider).expect("nothing happened since");
                            taken += start.elapsed();
                        }
                        taken
                    });
                });
            }
        }
    }
}

criterion_group!(benches, reviews);
criterion_main!(benches);
