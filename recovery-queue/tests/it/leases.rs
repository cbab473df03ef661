//! Leases: a worker that lost its lease writes nothing, one that kept it writes as a transaction would.

use std::time::Duration;

use recovery_queue::testing::minute;
use recovery_queue::*;

use crate::support::backends::{counts, fill, on_each, prove, prove_drained, resolve};

fn leased() -> RecoverOptions {
    RecoverOptions::default().with_claim(ClaimMode::Lease { ttl: Duration::from_mins(1) })
}

#[test]
fn a_worker_that_lost_its_lease_writes_nothing() {
    on_each(|mut first| {
        let mut second = first.reopen().unwrap();
        let backlog = fill(&mut first, 20);
        first.set_clock(Some(minute(0)));
        first.seed(&backlog, &SeedOptions::default()).unwrap();
        second.set_clock(Some(minute(5)));
        let mut options = leased();
        options.limit = Some(20);
        let inner = options.clone();
        // Another worker takes the leads over while the first one still resolves.
        let mut slow = |leads: &[ClaimedLead]| {
            let ahead = outlook(&mut *second.snapshot().unwrap(), 1).unwrap();
            assert_eq!(ahead.overdue, 20, "leases that ran out are told as stuck");
            let taken = second.recover(&mut resolve, &inner).unwrap();
            assert_eq!((taken.claimed, taken.lost_leases), (20, 0));
            resolve(leads)
        };
        let late = first.recover(&mut slow, &options).unwrap();
        assert_eq!((late.claimed, late.lost_leases, late.matched), (20, 20, 0));
        prove_drained(&mut first, 20);
        let mut most = 0;
        first.snapshot().unwrap().queue(&mut |row| most = most.max(row.attempts)).unwrap();
        assert_eq!(most, 1, "a lease that ran out counts as an attempt");
    });
}

#[test]
fn leases_that_are_kept_settle_as_transactions_do() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 100);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let mut options = leased();
        options.batch_size = 30;
        let mut down = |_: &[ClaimedLead]| Err(ResolveError::Unavailable("down".into()));
        let error = store.recover(&mut down, &options).unwrap_err();
        assert!(error.is_retryable());
        assert_eq!(counts(&mut store)[&Status::Pending], 100, "the batch was given back");
        let summary = store.recover(&mut resolve, &options).unwrap();
        assert_eq!((summary.claimed, summary.lost_leases, summary.matched), (100, 0, 66));
        prove_drained(&mut store, 100);
    });
}

#[test]
fn a_clock_that_jumps_back_makes_a_dead_workers_leads_wait_and_loses_none() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 30);
        store.set_clock(Some(minute(100)));
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let run = store.open_run(&NewRun::new(RunKind::Recover, "dies", None)).unwrap();
        let options = leased();
        let batch = BatchRequest::new(run, 10, &options);
        // The process dies while it resolves: the lease stays.
        let minute_long = Duration::from_mins(1);
        let lease = store.lease(&batch, minute_long, &mut Cursor::new()).unwrap().unwrap();
        let mut again = store.reopen().unwrap();
        again.set_clock(Some(minute(40)));
        let claimed = again.recover(&mut resolve, &leased()).unwrap().claimed;
        assert_eq!(claimed, 20, "what is under the lease waits");
        assert_eq!(store.give_back(&lease).unwrap(), 10, "and is given back");
        prove(&mut store, 30);
        again.recover(&mut resolve, &leased()).unwrap();
        prove_drained(&mut store, 30);
    });
}
