//! What does a claim cost by the length of the queue, and while another connection holds an old snapshot open?
//!
//! A batch of 1,000 is claimed and its resolver says that it cannot work, so the claim is given back. After so many
//! looks at one place the batch is settled for good, so that the claims walk on over what was removed.
//! `QUEUE_LEADS` sets the sizes (10,000), `QUEUE_BACKEND` one backend.

#![allow(missing_docs, clippy::print_stdout, reason = "a program that prints its figures")]

use std::time::{Duration, Instant};

use benchmarks::queue::{self, Backend};
use recovery_queue::{
    BatchRequest, ClaimedLead, Cursor, NewRun, QueueStore, RecoverOptions, ResolveError, RunKind,
    RunOutcome, RunStore, SqlStore,
};

fn refuse(_: &[ClaimedLead]) -> Result<Vec<recovery_queue::Resolution>, ResolveError> {
    Err(ResolveError::Unavailable("it only looks".to_owned()))
}

/// Batches that are settled per phase; both phases fit into 10,000 leads.
const PLACES: usize = 4;
/// Claims at each place.
const LOOKS: usize = 15;

/// Gives the median time of a claim and of a whole batch.
fn cost(store: &mut SqlStore) -> (Duration, Duration) {
    let options = RecoverOptions::default();
    let run = NewRun::new(RunKind::Recover, "bench".to_owned(), None);
    let run = store.open_run(&run).expect("the run opens");
    let request = BatchRequest::new(run, options.batch_size, &options);
    let mut cursor = Cursor::new();
    let (mut looks, mut batches) = (Vec::new(), Vec::new());
    for _ in 0..PLACES {
        for _ in 0..LOOKS {
            let start = Instant::now();
            let refused = store.recover_batch(&request, &mut cursor, &mut refuse);
            looks.push(start.elapsed());
            assert!(refused.is_err(), "the resolver refuses");
        }
        let start = Instant::now();
        let batch = store.recover_batch(&request, &mut cursor, &mut queue::resolve);
        batches.push(start.elapsed());
        assert_eq!(batch.expect("the batch is sound").claimed, 1_000);
    }
    store.close_run(run, RunOutcome::Done).expect("the run closes");
    looks.sort_unstable();
    batches.sort_unstable();
    (looks[looks.len() / 2], batches[batches.len() / 2])
}

fn main() {
    for backend in Backend::all() {
        let mut first = None;
        for leads in queue::sizes() {
            let mut store = backend.filled("claims", leads);
            let (look, batch) = cost(&mut store);
            let mut holder = store.reopen().expect("the database opens");
            let held = holder.read().expect("the snapshot opens");
            let (old_look, old_batch) = cost(&mut store);
            drop(held);
            let base = *first.get_or_insert(look);
            println!(
                "{:<11} {leads:>9} pending: claim {look:.2?} ({:.2} of the first), batch {batch:.2?}; \
                 under an old snapshot: claim {old_look:.2?} ({:.2}), batch {old_batch:.2?}",
                backend.name,
                look.as_secs_f64() / base.as_secs_f64(),
                old_look.as_secs_f64() / base.as_secs_f64(),
            );
        }
    }
}
