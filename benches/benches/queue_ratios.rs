//! What does a whole durable lead cost beside the bare SQL that writes the same rows, and how much do two workers gain?
//!
//! Claim, link, person with origin, settled row and ledger entry, 1,000 leads per transaction, every lead matched to a
//! person of its own; `fsync` is on. Floor, one worker and two workers take turns on one server, a few seconds each, so
//! that a noisy moment meets all of them: compare the ratios. `QUEUE_LEADS` sets the backlogs (10,000), `QUEUE_TURNS`
//! the turns (3), whose median counts.

#![allow(missing_docs, clippy::print_stdout, reason = "a program that prints its figures")]

use std::time::Instant;

use benchmarks::queue::{self, Backend, Floor};
use recovery_queue::{
    ClaimedLead, QueueStore, RecoverOptions, Resolution, ResolveError, SeedOptions, SqlStore,
    recover_with_workers,
};

fn per_second(leads: u64, body: impl FnOnce()) -> f64 {
    let start = Instant::now();
    body();
    leads as f64 / start.elapsed().as_secs_f64()
}

/// Gives the seconds that all processors together have worked since the start of the machine, where Linux tells.
fn worked() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<f64> = line.filter_map(|field| field.parse().ok()).collect();
    // user, nice, system; then idle and waiting for the disk, which are no work; then interrupts.
    ticks
        .iter()
        .enumerate()
        .filter(|(at, _)| ![3, 4].contains(at))
        .map(|(_, ticks)| ticks)
        .sum::<f64>()
        / 100.0
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn drain(store: &SqlStore, workers: usize, leads: u64) -> f64 {
    type Resolve = fn(&[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError>;
    let mut workers: Vec<_> = (0..workers)
        .map(|_| (store.reopen().expect("the database opens"), queue::resolve as Resolve))
        .collect();
    per_second(leads, || {
        let run = recover_with_workers(&mut workers, &RecoverOptions::default(), &mut queue::go)
            .expect("the run is sound");
        assert_eq!(run.matched, leads);
    })
}

fn floor(store: SqlStore, leads: u64) -> f64 {
    let mut floor = Floor::new(store);
    per_second(leads, || while floor.batch() > 0 {})
}

fn main() {
    let turns = std::env::var("QUEUE_TURNS").ok().and_then(|turns| turns.parse().ok()).unwrap_or(3);
    for leads in queue::sizes() {
        println!("{leads} leads, 1,000 per transaction; leads per second, median of {turns} turns");
        let mut one_worker = Vec::new();
        for backend in Backend::all() {
            let name = backend.name;
            let (mut seeds, mut reseeds) = (Vec::new(), Vec::new());
            let (mut floors, mut ones, mut twos, mut log) = (vec![], vec![], vec![], 0);
            let (mut busy_one, mut busy_two) = (vec![], vec![]);
            for _ in 0..turns {
                floors.push(floor(backend.seeded("floor", leads), leads));
                let mut store = backend.fresh("queue");
                let backlog = queue::backlog(leads);
                let mut seed = || {
                    store.seed(&backlog, &SeedOptions::default()).expect("the seed is sound");
                };
                seeds.push(per_second(leads, &mut seed));
                reseeds.push(per_second(leads, &mut seed));
                let before = queue::wal_position(&mut store);
                let start = worked();
                ones.push(drain(&store, 1, leads));
                busy_one.push((worked() - start) * 1e6 / leads as f64);
                log = queue::wal_position(&mut store) - before;
                if backend.takes_workers() {
                    drop(store);
                    let store = backend.seeded("queue", leads);
                    let start = worked();
                    twos.push(drain(&store, 2, leads));
                    busy_two.push((worked() - start) * 1e6 / leads as f64);
                }
            }
            let (floor, one) = (median(floors), median(ones));
            println!("{name:<11} seed {:.0}, seed again {:.0}", median(seeds), median(reseeds));
            println!(
                "{name:<11} bare SQL {floor:.0}, whole lead {one:.0}: {:.2} of bare",
                one / floor
            );
            if !twos.is_empty() {
                let two = median(twos);
                println!("{name:<11} two workers {two:.0}: {:.2} of one", two / one);
                println!(
                    "{name:<11} all processors together work {:.1} µs per lead for one worker, {:.1} µs for two",
                    median(busy_one),
                    median(busy_two),
                );
                println!(
                    "{name:<11} write-ahead log {} bytes per lead",
                    log.unsigned_abs() / leads
                );
            }
            one_worker.push(one);
        }
        if let [sqlite, postgres] = one_worker[..] {
            println!("SQLite      {:.2} of one worker on PostgreSQL", sqlite / postgres);
        }
    }
}
