//! The core: seeds, batches, wake-ups and the consistent read.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{
    BacklogLead, FailReason, InMemoryBacklog, RecoverOptions, Resolution, SeedOptions, Status,
    TestStore, lead, matched, minute, nobody, origins, pk, recover, recover_with, seed, statuses,
};
use crate::testing::check_invariants;
use crate::{Backoff, EventKind};

/// Checks the core of a store; each case gets a new, empty one.
///
/// # Panics
/// Where the store does not do what it must.
pub fn check_core<S: TestStore>(make: &mut dyn FnMut() -> S) {
    let cases: [fn(&mut dyn TestStore); 14] = [
        a_second_seed_changes_nothing,
        every_claimed_lead_is_settled_once,
        leads_go_by_priority_then_age,
        a_changed_lead_is_tried_again,
        a_failed_lead_rests_for_the_cool_down,
        a_lead_that_leaves_is_withdrawn_and_arrives_again,
        errors_are_tried_again_with_back_off_and_end,
        a_decision_that_is_put_off_counts_no_attempt,
        the_first_lead_is_the_origin,
        a_linked_lead_in_the_backlog_is_a_leak,
        a_new_person_wakes_the_leads_that_share_a_key,
        leads_with_wake_keys_of_another_reading_are_woken_in_parts,
        two_backlogs_are_served_in_turn,
        the_outlook_says_how_old_the_backlog_is_and_how_it_moves,
    ];
    for case in cases.iter().chain(&super::failures::CASES) {
        case(&mut make());
    }
}

fn a_second_seed_changes_nothing(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    let leads = [lead("a", 1), lead("b", 2), lead("b", 3)];
    let first = seed(store, &leads);
    assert_eq!((first.backlog_size, first.arrived, first.duplicates), (2, 2, 1));
    assert!(first.opening);
    let second = seed(store, &leads);
    assert!(!second.changed() && !second.opening, "{second:?}");
    check_invariants(store);
}

fn every_claimed_lead_is_settled_once(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    let leads: Vec<BacklogLead> = (0..57).map(|i| lead(&format!("L{i:02}"), i % 7)).collect();
    seed(store, &leads);
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let options = RecoverOptions { batch_size: 10, ..RecoverOptions::default() };
    let limited = RecoverOptions { limit: Some(13), ..options.clone() };
    let mut answer = |key: &str| {
        *seen.entry(key.to_owned()).or_default() += 1;
        if key.ends_with('3') { nobody() } else { matched(&format!("P{}", &key[1..2])) }
    };
    let first = recover_with(store, &limited, &mut answer);
    assert_eq!((first.claimed, first.batches), (13, 2));
    check_invariants(store);
    let rest = recover_with(store, &options, &mut answer);
    assert_eq!(rest.claimed, 44);
    assert_eq!(first.failed_total() + rest.failed_total(), 6);
    assert!(seen.len() == 57 && seen.values().all(|times| *times == 1), "each lead once");
    check_invariants(store);
    let day = minute(0).date_naive();
    let mut snapshot = store.snapshot().expect("a snapshot opens");
    let days = snapshot.daily_metrics(day, day, Tz::UTC).expect("metrics are computed");
    assert_eq!((days[0].backlog_start, days[0].matched_out, days[0].backlog_end), (57, 51, 6));
    assert_eq!(days[0].top_fail_reason, Some(FailReason::NoCandidates));
}

fn leads_go_by_priority_then_age(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &[lead("new", 9), lead("old", 1), lead("urgent", 5).with_priority(-1)]);
    let mut order = Vec::new();
    recover(store, &mut |key| {
        order.push(key.to_owned());
        nobody()
    });
    assert_eq!(order, ["urgent", "old", "new"]);
}

fn a_changed_lead_is_tried_again(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1).with_version("1"), lead("b", 1).with_version("1")]);
    recover(store, &mut |_| nobody());
    let again = seed(store, &[lead("a", 1).with_version("2"), lead("b", 1).with_version("1")]);
    assert_eq!((again.reopened, again.arrived, again.withdrawn), (1, 0, 0));
    let rows = statuses(store);
    assert_eq!((rows["a"], rows["b"]), (Status::Pending, Status::Failed));
    check_invariants(store);
}

fn a_failed_lead_rests_for_the_cool_down(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    let leads = [lead("a", 1)];
    seed(store, &leads);
    recover(store, &mut |_| nobody());
    store.set_clock(minute(0) + TimeDelta::hours(23));
    assert!(!seed(store, &leads).changed());
    store.set_clock(minute(0) + TimeDelta::hours(24));
    assert_eq!(seed(store, &leads).reopened, 1);
}

fn a_lead_that_leaves_is_withdrawn_and_arrives_again(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &[lead("pending", 2), lead("failed", 1)]);
    let options = RecoverOptions { limit: Some(1), ..RecoverOptions::default() };
    recover_with(store, &options, &mut |_| nobody());
    let gone = seed(store, &[]);
    assert_eq!((gone.withdrawn, gone.backlog_size), (2, 0));
    assert!(statuses(store).values().all(|status| *status == Status::Withdrawn));
    check_invariants(store);
    let back = seed(store, &[lead("failed", 1), lead("pending", 2), lead("third", 3)]);
    assert_eq!(back.arrived, 3);
    check_invariants(store);
    let day = minute(0).date_naive();
    let mut snapshot = store.snapshot().expect("a snapshot opens");
    let days = snapshot.daily_metrics(day, day, Tz::UTC).expect("metrics are computed");
    let row = &days[0];
    assert_eq!(
        (row.backlog_start, row.new_backlog_in, row.other_out, row.backlog_end),
        (2, 3, 2, 3)
    );
}

fn errors_are_tried_again_with_back_off_and_end(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1), lead("b", 2)]);
    let options = RecoverOptions {
        max_attempts: 3,
        backoff: Backoff::new(Duration::from_mins(1), Duration::from_mins(10), 1),
        ..RecoverOptions::default()
    };
    let mut answer = |key: &str| if key == "a" { Resolution::error("down") } else { nobody() };
    let first = recover_with(store, &options, &mut answer);
    assert_eq!((first.retried, first.failed_total()), (1, 1));
    check_invariants(store);
    let early = recover_with(store, &options, &mut answer);
    assert_eq!(early.claimed, 0, "a lead in back-off is not claimed");
    store.set_clock(minute(20));
    assert_eq!(recover_with(store, &options, &mut answer).retried, 1);
    store.set_clock(minute(40));
    let last = recover_with(store, &options, &mut answer);
    assert_eq!(last.failed[&FailReason::Error], 1);
    check_invariants(store);
}

fn a_decision_that_is_put_off_counts_no_attempt(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1)]);
    let options = RecoverOptions { max_attempts: 2, ..RecoverOptions::default() };
    let rest = Duration::from_mins(5);
    for turn in 0..4 {
        store.set_clock(minute(10 * turn));
        let run = recover_with(store, &options, &mut |_| Resolution::later(rest, "it changed"));
        assert_eq!((run.claimed, run.retried, run.failed_total()), (1, 1, 0));
        check_invariants(store);
        store.set_clock(minute(10 * turn + 4));
        let early = recover_with(store, &options, &mut |_| matched("P"));
        assert_eq!(early.claimed, 0, "a lead that rests is not claimed");
    }
    store.set_clock(minute(60));
    assert_eq!(recover_with(store, &options, &mut |_| matched("P")).matched, 1);
    check_invariants(store);
}

fn the_first_lead_is_the_origin(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &[lead("b", 5), lead("c", 7)]);
    recover(store, &mut |_| matched("P"));
    assert_eq!(origins(store)["P"], "b");
    seed(store, &[lead("a", 1)]);
    recover(store, &mut |_| matched("P"));
    assert_eq!(origins(store)["P"], "a", "an earlier lead takes the origin over");
    check_invariants(store);
}

fn a_linked_lead_in_the_backlog_is_a_leak(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    let leads = [lead("a", 1), lead("b", 1)];
    seed(store, &leads);
    recover(store, &mut |key| if key == "a" { matched("P") } else { nobody() });
    store.set_clock(minute(5));
    let found = seed(store, &leads);
    assert_eq!((found.leaks, found.new_leaks, found.arrived, found.reopened), (1, 1, 0, 0));
    let known = seed(store, &leads);
    assert_eq!((known.leaks, known.new_leaks), (1, 0));
    assert_eq!(statuses(store)["a"], Status::Matched, "a leak is never reset");
    let mut snapshot = store.snapshot().expect("a snapshot opens");
    assert_eq!(snapshot.leaks().expect("leaks are read"), [pk("a")]);
    let backlog = InMemoryBacklog::new("all", leads);
    assert_eq!(snapshot.matched_in(&backlog).expect("the backlog is read"), [pk("a")]);
    drop(snapshot);
    seed(store, &[lead("b", 1)]);
    let mut snapshot = store.snapshot().expect("a snapshot opens");
    assert_eq!(snapshot.leaks().expect("leaks are read"), []);
}

fn a_new_person_wakes_the_leads_that_share_a_key(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1), lead("b", 2), lead("c", 3)]);
    recover(store, &mut |key| match key {
        "a" => nobody().with_wake_keys(vec!["k1".into(), "k2".into()]),
        "b" => nobody().with_wake_keys(vec!["k3".into()]),
        _ => matched("P"),
    });
    assert_eq!(store.wake(&["k2".into(), "k9".into()]).expect("the wake-up works"), 1);
    let rows = statuses(store);
    assert_eq!(
        (rows["a"], rows["b"], rows["c"]),
        (Status::Pending, Status::Failed, Status::Matched)
    );
    assert_eq!(store.wake(&["k2".into()]).expect("the wake-up works"), 0);
    check_invariants(store);
}

fn leads_with_wake_keys_of_another_reading_are_woken_in_parts(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1), lead("b", 2), lead("c", 3), lead("d", 4), lead("e", 5)]);
    recover(store, &mut |key| match key {
        "a" => nobody().with_wake_keys(vec!["aa1".into(), "aa2".into()]),
        "b" => nobody().with_wake_keys(vec!["ab1".into(), "ab2".into(), "ab3".into()]),
        "c" => nobody().with_wake_keys(vec!["a1".into()]),
        "d" => nobody().with_wake_keys(vec!["b1".into(), "aa3".into()]),
        _ => nobody(),
    });
    let mut woken = Vec::new();
    loop {
        let leads = store.wake_outdated("aa", 2).expect("the wake-up works");
        assert!(leads <= 2);
        woken.push(leads);
        if leads == 0 {
            break;
        }
    }
    assert_eq!(woken.iter().sum::<u64>(), 3, "{woken:?}");
    let rows = statuses(store);
    let failed: Vec<_> = rows.iter().filter(|(_, status)| **status == Status::Failed).collect();
    assert_eq!(failed.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a", "e"]);
    assert_eq!(store.wake(&["aa1".into()]).expect("the wake-up works"), 1);
    check_invariants(store);
}

fn two_backlogs_are_served_in_turn(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    let options = SeedOptions::default();
    let many: Vec<BacklogLead> = (0..30).map(|i| lead(&format!("m{i:02}"), i)).collect();
    store.seed(&InMemoryBacklog::new("many", many), &options).expect("the seed is sound");
    let few = [lead("f1", 90), lead("f2", 91), lead("m00", 0)];
    let summary =
        store.seed(&InMemoryBacklog::new("few", few), &options).expect("the seed is sound");
    assert_eq!((summary.arrived, summary.held_elsewhere), (2, 1));
    let mut order = Vec::new();
    let batches = RecoverOptions { batch_size: 10, ..RecoverOptions::default() };
    recover_with(store, &batches, &mut |key| {
        order.push(key.to_owned());
        nobody()
    });
    assert_eq!(order[10..12], ["f1", "f2"], "the small backlog does not wait for the large one");
    check_invariants(store);
    let mut opened = 0;
    store
        .snapshot()
        .expect("a snapshot opens")
        .ledger(DateTime::<Utc>::MAX_UTC, &mut |slot| {
            if slot.kind == EventKind::Opening {
                opened += slot.leads;
            }
        })
        .expect("the ledger is read");
    assert_eq!(opened, 32);
}

fn the_outlook_says_how_old_the_backlog_is_and_how_it_moves(store: &mut dyn TestStore) {
    store.set_clock(minute(0));
    let leads: Vec<BacklogLead> = (0..40).map(|i| lead(&format!("L{i:02}"), 58 - i)).collect();
    seed(store, &leads);
    let now = minute(30);
    store.set_clock(now);
    let ahead = |store: &mut dyn TestStore| {
        crate::outlook(&mut *store.snapshot().expect("a snapshot opens"), 2)
            .expect("it is computed")
    };
    assert!(ahead(store).matched_per_day.abs() < 1e-9);
    let options = RecoverOptions { limit: Some(16), ..RecoverOptions::default() };
    recover_with(store, &options, &mut |key| match &key[2..] {
        "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" => matched(&format!("P{key}")),
        "8" => Resolution::unmatched(FailReason::WeakMatchOnly),
        _ => nobody(),
    });
    let found = ahead(store);
    let gone = 40 - found.backlog;
    assert!((found.matched_per_day - gone as f64 / 2.0).abs() < 1e-9);
    assert_eq!(found.ageing.iter().map(|bucket| bucket.leads).sum::<u64>(), found.backlog);
    // A lead `Li` is i + 1 days and some hours old; twelve of the sixteen oldest are matched.
    let leads: Vec<u64> = found.ageing.iter().map(|bucket| bucket.leads).collect();
    assert_eq!(leads, [0, 2, 4, 7, 12, 3, 0]);
    let bounds: Vec<u32> = found.ageing.iter().map(|bucket| bucket.from_days).collect();
    assert_eq!(bounds, crate::AGE_BOUNDS);
    assert_eq!(found.reasons.last().map(|reason| reason.cumulative), Some(1.0));
    assert_eq!(found.overdue, 0);
}
