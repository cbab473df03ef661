//! The record of runs, and the marks of workers.

use super::{FailReason, RecoverOptions, TestStore, lead, matched, minute, seed};
use crate::testing::{ScriptedResolver, check_invariants};
use crate::{NewRun, Recover, RunKind, RunOutcome, RunRecord, RunStore, Stop, StoreError};

/// Checks a store's record of runs; each case gets a new, empty store.
///
/// # Panics
/// Where the store does not do what it must.
pub fn check_runs<S: TestStore + RunStore>(make: &mut dyn FnMut() -> S) {
    let cases: [fn(&mut S); 4] = [
        a_run_is_recorded_with_its_figures,
        a_run_says_how_it_ended,
        a_mark_that_is_left_tells_of_a_dead_worker,
        a_run_that_nobody_opened_cannot_be_closed,
    ];
    for case in cases {
        case(&mut make());
    }
}

fn runs<S: TestStore>(store: &mut S) -> Vec<RunRecord> {
    store.snapshot().expect("a snapshot opens").runs(10).expect("runs are read")
}

fn a_run_is_recorded_with_its_figures<S: TestStore + RunStore>(store: &mut S) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1), lead("b", 2), lead("c", 3)]);
    store.set_clock(minute(5));
    let options = RecoverOptions::default().with_actor("night").with_policy("v2");
    let mut resolver = ScriptedResolver::new().answer("a", matched("P"));
    let run = store.recover(&mut resolver, &options).expect("the run is sound");
    assert!(run.recorded);
    let records = runs(store);
    let [recovered, seeded] = &records[..] else { panic!("two runs: {records:?}") };
    assert_eq!((seeded.kind, recovered.kind), (RunKind::Seed, RunKind::Recover));
    assert_eq!(recovered.run_id, run.run_id);
    assert!(recovered.run_id > seeded.run_id, "numbers ascend");
    assert_eq!((recovered.actor.as_str(), recovered.policy.as_deref()), ("night", Some("v2")));
    assert_eq!((recovered.started_at, recovered.finished_at), (minute(5), Some(minute(5))));
    assert_eq!((recovered.backlog_before, recovered.backlog_after), (3, Some(2)));
    assert_eq!((recovered.events["matched"], recovered.events["failed"]), (1, 2));
    assert_eq!(recovered.failed[&FailReason::NoCandidates], 2);
    assert_eq!((seeded.new_backlog_in, recovered.new_backlog_in), (3, 0));
    check_invariants(store);
}

fn a_run_says_how_it_ended<S: TestStore + RunStore>(store: &mut S) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1), lead("b", 2), lead("c", 3)]);
    let options = RecoverOptions::default().with_batch_size(1);
    store
        .recover(&mut ScriptedResolver::new().away(1), &options)
        .expect_err("the resolver is away");
    let limited = options.clone().with_limit(Some(1));
    store.recover(&mut ScriptedResolver::new(), &limited).expect("the run is sound");
    let stop = Stop::new();
    stop.ask();
    let stopped = options.clone().with_stop(stop);
    store.recover(&mut ScriptedResolver::new(), &stopped).expect("to stop is no error");
    store.recover(&mut ScriptedResolver::new(), &options).expect("the run is sound");
    let outcomes: Vec<_> = runs(store).into_iter().rev().filter_map(|run| run.outcome).collect();
    let [failed, limit, asked] = [RunOutcome::Failed, RunOutcome::Limit, RunOutcome::Asked];
    assert_eq!(outcomes, [RunOutcome::Done, failed, limit, asked, RunOutcome::Done]);
}

fn a_mark_that_is_left_tells_of_a_dead_worker<S: TestStore + RunStore>(store: &mut S) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1)]);
    let mut open = |actor: &str| {
        let run = NewRun::new(RunKind::Recover, actor, None);
        store.open_run(&run).expect("a run opens")
    };
    let (dead, next) = (open("dies"), open("comes after"));
    store.mark(&format!("{dead}/1"), Some(8)).expect("a mark is left");
    store.mark(&format!("{dead}/2"), Some(16)).expect("a mark is left");
    store.mark(&format!("{dead}/2"), Some(4)).expect("a mark is written anew");
    store.mark(&format!("{dead}/3"), Some(1)).expect("a mark is left");
    store.mark(&format!("{dead}/3"), None).expect("a mark is taken away");
    let found = store.take_marks(next).expect("marks are taken");
    assert_eq!(found, Some(4), "the smallest of the marks that were left");
    assert_eq!(store.take_marks(next).expect("marks are taken"), None, "they are gone");
    let records = runs(store);
    let outcome = |run| records.iter().find(|record| record.run_id == run).map(|it| it.outcome);
    assert_eq!(outcome(dead), Some(Some(RunOutcome::Killed)));
    assert_eq!(outcome(next), Some(None), "the run that asks works");
}

fn a_run_that_nobody_opened_cannot_be_closed<S: TestStore + RunStore>(store: &mut S) {
    store.set_clock(minute(0));
    let told = store.close_run(crate::RunId::new(77), RunOutcome::Done).expect_err("no such run");
    assert!(matches!(told, StoreError::NotFound { what: "run", .. }), "{told}");
}
