//! Leases and their fence.

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    BTreeMap, FailReason, RecoverOptions, Resolution, Status, TestStore, lead, matched, minute,
    nobody, seed, statuses,
};
use crate::testing::{ScriptedResolver, check_invariants};
use crate::{BatchRequest, ClaimMode, Cursor, Lease, LeaseStore, Recover, RunId, StoreError};

const TTL: Duration = Duration::from_mins(1);

/// Checks a store's leases; each case gets a new, empty store.
///
/// # Panics
/// Where the store does not do what it must.
pub fn check_leases<S: TestStore + LeaseStore>(make: &mut dyn FnMut() -> S) {
    let cases: [fn(&mut S); 7] = [
        what_is_leased_nobody_else_claims,
        a_lease_that_was_taken_over_writes_nothing,
        a_lease_is_settled_once,
        a_lease_that_is_given_back_counts_no_attempt,
        a_lease_that_is_renewed_is_kept,
        attempts_that_end_without_an_answer_are_used_up,
        a_run_under_leases_settles_as_one_in_transactions,
    ];
    for case in cases {
        case(&mut make());
    }
}

fn options() -> RecoverOptions {
    RecoverOptions::default().with_claim(ClaimMode::Lease { ttl: TTL }).with_max_attempts(2)
}

fn fill<S: TestStore>(store: &mut S) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1), lead("b", 2), lead("c", 3)]);
}

fn take<S: LeaseStore>(store: &mut S, options: &RecoverOptions, size: u32) -> Option<Lease> {
    let batch = BatchRequest::new(RunId::UNRECORDED, size, options);
    store.lease(&batch, TTL, &mut Cursor::new()).expect("the claim is sound")
}

fn keys(lease: &Lease) -> Vec<&str> {
    lease.leads().iter().map(|lead| lead.source_pk.as_str()).collect()
}

fn settle<S: LeaseStore>(
    store: &mut S,
    options: &RecoverOptions,
    lease: &Lease,
    answer: &Resolution,
) -> crate::BatchSummary {
    let batch = BatchRequest::new(RunId::UNRECORDED, 10, options);
    let answers = vec![answer.clone(); lease.leads().len()];
    store.settle(&batch, lease, &answers).expect("the write is sound")
}

fn what_is_leased_nobody_else_claims<S: TestStore + LeaseStore>(store: &mut S) {
    fill(store);
    let options = options();
    let first = take(store, &options, 2).expect("leads are there");
    assert_eq!((keys(&first), first.claimed()), (vec!["a", "b"], 2));
    assert_eq!(first.until(), minute(0) + TimeDelta::seconds(60));
    assert_eq!(first.leads()[0].attempts, 0);
    let second = take(store, &options, 2).expect("one is left");
    assert_eq!(keys(&second), ["c"]);
    assert!(second.token() > first.token(), "tokens ascend");
    assert!(take(store, &options, 2).is_none());
    let rows = statuses(store);
    assert!(rows.values().all(|status| *status == Status::Pending), "{rows:?}");
    check_invariants(store);
}

fn a_lease_that_was_taken_over_writes_nothing<S: TestStore + LeaseStore>(store: &mut S) {
    fill(store);
    let options = options();
    let late = take(store, &options, 3).expect("leads are there");
    store.set_clock(minute(2));
    let taken = take(store, &options, 2).expect("the lease has run out");
    assert_eq!(keys(&taken), ["a", "b"]);
    assert_eq!(taken.leads()[0].attempts, 1, "a lease that ran out was an attempt");
    let summary = settle(store, &options, &late, &matched("LATE"));
    assert_eq!(summary.matched + summary.lost_leases, 3);
    assert!(summary.lost_leases >= 2, "{summary:?}");
    assert_eq!(statuses(store)["a"], Status::Pending, "the fence holds");
    assert_eq!(settle(store, &options, &taken, &matched("P")).matched, 2);
    assert_eq!(store.give_back(&late).expect("it is sound"), 0);
    let mut person = BTreeMap::new();
    store
        .snapshot()
        .expect("a snapshot opens")
        .links(&mut |row| {
            person.insert(row.source_pk.to_string(), row.person_key.to_string());
        })
        .expect("the links are read");
    assert_eq!((person["a"].as_str(), person["b"].as_str()), ("P", "P"));
    check_invariants(store);
}

fn a_lease_is_settled_once<S: TestStore + LeaseStore>(store: &mut S) {
    fill(store);
    let options = options();
    let lease = take(store, &options, 3).expect("leads are there");
    let batch = BatchRequest::new(RunId::UNRECORDED, 10, &options);
    let told = store.settle(&batch, &lease, &[nobody()]).expect_err("two answers are missing");
    assert!(matches!(told, StoreError::ResolutionCount { wanted: 3, given: 1 }), "{told}");
    assert_eq!(settle(store, &options, &lease, &nobody()).failed[&FailReason::NoCandidates], 3);
    let again = settle(store, &options, &lease, &matched("P"));
    assert_eq!((again.matched, again.lost_leases), (0, 3));
    assert!(statuses(store).values().all(|status| *status == Status::Failed));
    check_invariants(store);
}

fn a_lease_that_is_given_back_counts_no_attempt<S: TestStore + LeaseStore>(store: &mut S) {
    fill(store);
    let options = options();
    let lease = take(store, &options, 3).expect("leads are there");
    assert_eq!(store.give_back(&lease).expect("it is sound"), 3);
    let again = take(store, &options, 3).expect("they are back");
    assert!(again.leads().iter().all(|lead| lead.attempts == 0));
    check_invariants(store);
}

fn a_lease_that_is_renewed_is_kept<S: TestStore + LeaseStore>(store: &mut S) {
    fill(store);
    let options = options();
    let mut lease = take(store, &options, 3).expect("leads are there");
    store.set_clock(minute(0) + TimeDelta::seconds(50));
    assert_eq!(store.renew(&mut lease, TTL).expect("it is held"), 3);
    assert_eq!(lease.until(), minute(0) + TimeDelta::seconds(110));
    store.set_clock(minute(0) + TimeDelta::seconds(100));
    assert!(take(store, &options, 3).is_none(), "nobody takes it over");
    assert_eq!(settle(store, &options, &lease, &matched("P")).matched, 3);
    assert_eq!(store.renew(&mut lease, TTL).expect("it is sound"), 0);
    check_invariants(store);
}

fn attempts_that_end_without_an_answer_are_used_up<S: TestStore + LeaseStore>(store: &mut S) {
    fill(store);
    let options = options();
    for at in [0, 2] {
        store.set_clock(minute(at));
        assert_eq!(take(store, &options, 3).expect("leads are there").leads().len(), 3);
    }
    store.set_clock(minute(4));
    let last = take(store, &options, 3).expect("they are claimed once more");
    assert_eq!((last.claimed(), last.leads().len()), (3, 0), "no answer is asked for any more");
    assert_eq!(settle(store, &options, &last, &nobody()).failed[&FailReason::Error], 3);
    check_invariants(store);
}

fn a_run_under_leases_settles_as_one_in_transactions<S: TestStore + LeaseStore>(store: &mut S) {
    fill(store);
    let mut away = ScriptedResolver::new().away(1);
    let told = store.recover(&mut away, &options()).expect_err("the resolver is away");
    assert!(told.is_retryable());
    let mut resolver =
        ScriptedResolver::new().answer("a", matched("P")).panic_on("b").otherwise(nobody());
    let run = store.recover(&mut resolver, &options()).expect("the run is sound");
    assert_eq!((run.matched, run.retried, run.failed_total()), (1, 1, 1));
    assert_eq!((run.claimed, run.lost_leases), (3, 0));
    check_invariants(store);
}
