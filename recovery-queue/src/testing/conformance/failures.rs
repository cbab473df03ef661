//! Resolvers that fail, runs that are stopped, and reads beside writers: part of the core.

use std::ops::ControlFlow;

use super::{
    BTreeMap, BacklogLead, ClaimedLead, RecoverOptions, Resolution, ResolveError, Status,
    TestStore, lead, matched, minute, nobody, recover, seed, statuses,
};
use crate::testing::{ScriptedResolver, check_invariants};
use crate::{Evidence, Recover, Stop, Stopped, StoreError};

pub(super) const CASES: [fn(&mut dyn TestStore); 7] = [
    a_resolver_that_fails_on_one_lead_loses_that_lead_alone,
    a_resolver_that_panics_on_one_lead_loses_that_lead_alone,
    a_resolver_that_is_away_gives_the_batch_back_uncounted,
    a_resolver_that_answers_too_little_gives_the_batch_back,
    a_run_that_is_asked_to_stop_stops_after_the_batch_in_hand,
    a_flag_that_was_asked_before_lets_no_batch_begin,
    a_read_sees_one_instant,
];

fn leads(count: i64) -> Vec<BacklogLead> {
    (0..count).map(|i| lead(&format!("L{i}"), i)).collect()
}

fn attempts(store: &mut dyn TestStore) -> BTreeMap<String, u32> {
    let mut rows = BTreeMap::new();
    store
        .snapshot()
        .expect("a snapshot opens")
        .queue(&mut |row| {
            rows.insert(row.source_pk.to_string(), row.attempts);
        })
        .expect("the queue is read");
    rows
}

fn one_lead_is_lost(store: &mut dyn TestStore, resolver: ScriptedResolver) {
    store.set_clock(minute(0));
    seed(store, &leads(9));
    let found = Evidence::from(serde_json::json!({ "key": "phone" }));
    let mut resolver = resolver.otherwise(matched("P").with_evidence(found));
    let run = store.recover(&mut resolver, &RecoverOptions::default()).expect("the run is sound");
    assert_eq!((run.claimed, run.matched, run.retried), (9, 8, 1));
    let rows = statuses(store);
    assert_eq!(rows.iter().filter(|(_, status)| **status == Status::Matched).count(), 8);
    assert_eq!(rows["L5"], Status::Pending);
    assert_eq!(attempts(store)["L5"], 1, "the attempt counts");
    assert_eq!(resolver.calls()[0].len(), 9, "the batch is asked for as a whole first");
    check_invariants(store);
}

fn a_resolver_that_fails_on_one_lead_loses_that_lead_alone(store: &mut dyn TestStore) {
    one_lead_is_lost(store, ScriptedResolver::new().fail_on("L5", "it is odd"));
}

fn a_resolver_that_panics_on_one_lead_loses_that_lead_alone(store: &mut dyn TestStore) {
    one_lead_is_lost(store, ScriptedResolver::new().panic_on("L5"));
}

fn a_resolver_that_is_away_gives_the_batch_back_uncounted(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &leads(4));
    let mut resolver = ScriptedResolver::new().away(1);
    let told = store.recover(&mut resolver, &RecoverOptions::default()).expect_err("it is away");
    assert!(matches!(told, StoreError::ResolverUnavailable { .. }) && told.is_retryable());
    assert_eq!(resolver.calls().len(), 1, "nobody asks again about half a batch");
    assert!(statuses(store).values().all(|status| *status == Status::Pending));
    assert!(attempts(store).values().all(|attempts| *attempts == 0));
    let run = store.recover(&mut resolver, &RecoverOptions::default()).expect("it is back");
    assert_eq!(run.failed_total(), 4);
    check_invariants(store);
}

fn a_resolver_that_answers_too_little_gives_the_batch_back(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &leads(3));
    let mut short =
        |_: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> { Ok(vec![matched("P")]) };
    let told = store.recover(&mut short, &RecoverOptions::default()).expect_err("two are left out");
    assert!(matches!(told, StoreError::ResolutionCount { wanted: 3, given: 1 }), "{told}");
    assert!(statuses(store).values().all(|status| *status == Status::Pending));
    check_invariants(store);
}

fn a_run_that_is_asked_to_stop_stops_after_the_batch_in_hand(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &leads(6));
    let stop = Stop::new();
    let options = RecoverOptions::default().with_batch_size(2).with_stop(stop.clone());
    let mut asks = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
        stop.ask();
        Ok(leads.iter().map(|_| nobody()).collect())
    };
    let run = store.recover(&mut asks, &options).expect("to stop is no error");
    assert_eq!((run.stopped, run.batches, run.failed_total()), (Stopped::Asked, 1, 2));
    check_invariants(store);

    let mut resolver = ScriptedResolver::new();
    let options = RecoverOptions::default().with_batch_size(2);
    let run = store
        .recover_with_progress(&mut resolver, &options, &mut |_| ControlFlow::Break(()))
        .expect("to stop is no error");
    assert_eq!((run.stopped, run.batches, run.failed_total()), (Stopped::Asked, 1, 2));
    let rest = store.recover(&mut resolver, &options).expect("the run is sound");
    assert_eq!((rest.stopped, rest.failed_total()), (Stopped::Drained, 2));
    check_invariants(store);
}

fn a_flag_that_was_asked_before_lets_no_batch_begin(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &leads(2));
    let stop = Stop::new();
    stop.ask();
    let mut resolver = ScriptedResolver::new();
    let run = store
        .recover(&mut resolver, &RecoverOptions::default().with_stop(stop))
        .expect("to stop is no error");
    assert_eq!((run.stopped, run.claimed), (Stopped::Asked, 0));
    assert!(resolver.calls().is_empty());
}

fn a_read_sees_one_instant(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &leads(5));
    // A store that nobody can write to while it is read is isolated by its borrow.
    let Some(mut writer) = store.beside() else { return };
    writer.set_clock(minute(1));
    let mut snapshot = store.snapshot().expect("a snapshot opens");
    let before = snapshot.status_counts().expect("the queue is counted");
    recover(&mut *writer, &mut |_| matched("P"));
    seed(&mut *writer, &[lead("new", 1)]);
    assert_eq!(snapshot.status_counts().expect("the queue is counted"), before);
    let mut seen = 0;
    snapshot.links(&mut |_| seen += 1).expect("the links are read");
    snapshot.origins(&mut |_| seen += 1).expect("the origins are read");
    assert_eq!(seen, 0, "what was written later is not seen");
    assert!(snapshot.leaks().expect("leaks are read").is_empty());
    drop(snapshot);
    let after = store.snapshot().expect("a snapshot opens").status_counts().expect("it is counted");
    assert_eq!((after[&Status::Matched], after[&Status::Pending]), (5, 1));
}
