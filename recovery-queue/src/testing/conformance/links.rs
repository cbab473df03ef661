//! Links made, moved and undone by hand.

use chrono_tz::Tz;

use super::{
    Status, TestStore, lead, minute, nobody, origins, person, pk, recover, seed, statuses,
};
use crate::testing::check_invariants;
use crate::{ClaimedLead, Decider, FailReason, LinkStore, Recover, Resolution, StoreError};

/// Checks a store's links by hand; each case gets a new, empty one.
///
/// # Panics
/// Where the store does not do what it must.
pub fn check_links<S: TestStore + LinkStore>(make: &mut dyn FnMut() -> S) {
    links_are_made_moved_and_undone_by_hand(&mut make());
    a_decision_without_a_name_or_a_reason_is_refused(&mut make());
    a_rejected_pair_is_never_matched_until_the_leads_data_changes(&mut make());
}

fn links_are_made_moved_and_undone_by_hand<S: TestStore + LinkStore>(store: &mut S) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1), lead("b", 2)]);
    recover(store, &mut |_| nobody());
    let decider = Decider { by: "ana", reason: "called her" };
    store.link(&pk("a"), &person("P"), decider).expect("a failed lead can be linked");
    assert!(matches!(
        store.link(&pk("a"), &person("P"), decider),
        Err(StoreError::Conflict { .. })
    ));
    assert!(matches!(
        store.link(&pk("nobody"), &person("P"), decider),
        Err(StoreError::NotFound { .. })
    ));
    check_invariants(store);
    store.move_link(&pk("a"), &person("Q"), decider).expect("a link can be moved");
    assert_eq!(origins(store).into_iter().collect::<Vec<_>>(), [("Q".to_owned(), "a".to_owned())]);
    check_invariants(store);
    store.unlink(&pk("a"), decider).expect("a link can be undone");
    assert!(matches!(store.unlink(&pk("a"), decider), Err(StoreError::Conflict { .. })));
    assert_eq!(statuses(store)["a"], Status::Pending);
    assert!(origins(store).is_empty(), "no origin without a link");
    check_invariants(store);
    let history = store.link_history(&pk("a")).expect("the history is read");
    let told: Vec<_> =
        history.iter().map(|row| (row.person_key.as_str(), row.reason.as_str())).collect();
    assert_eq!(told, [("P", "called her"), ("Q", "called her")]);
    let day = minute(0).date_naive();
    let mut snapshot = store.snapshot().expect("a snapshot opens");
    let days = snapshot.daily_metrics(day, day, Tz::UTC).expect("metrics are computed");
    assert_eq!((days[0].matched_out, days[0].new_backlog_in, days[0].backlog_end), (1, 1, 2));
}

fn a_decision_without_a_name_or_a_reason_is_refused<S: TestStore + LinkStore>(store: &mut S) {
    store.set_clock(minute(0));
    seed(store, &[lead("a", 1)]);
    for decider in [Decider { by: " ", reason: "called her" }, Decider { by: "ana", reason: "" }] {
        let told = store.link(&pk("a"), &person("P"), decider).expect_err("nobody decided");
        assert!(matches!(told, StoreError::Config(_)), "{told}");
    }
    assert_eq!(statuses(store)["a"], Status::Pending);
}

fn a_rejected_pair_is_never_matched_until_the_leads_data_changes<S: TestStore + LinkStore>(
    store: &mut S,
) {
    store.set_clock(minute(0));
    let leads = |version: &str| ["a", "b"].map(|key| lead(key, 1).with_version(version));
    seed(store, &leads("1"));
    let decider = Decider { by: "ana", reason: "another birth date" };
    let unknown = store.reject_pair(&pk("nobody"), &person("P"), decider);
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
    store.reject_pair(&pk("a"), &person("P"), decider).expect("it is kept");
    store.reject_pair(&pk("a"), &person("Q"), decider).expect("it is kept");
    assert!(store.allow_pair(&pk("a"), &person("Q")).expect("it is removed"));
    assert!(!store.allow_pair(&pk("a"), &person("Q")).expect("it is gone already"));
    let pairs = store.rejected_pairs(None).expect("pairs are read");
    assert_eq!(pairs, store.rejected_pairs(Some(&pk("a"))).expect("pairs are read"));
    let [pair] = &pairs[..] else { panic!("one pair: {pairs:?}") };
    assert_eq!((pair.source_pk.as_str(), pair.person_key.as_str()), ("a", "P"));
    assert_eq!((pair.rejected_by.as_str(), pair.comment.as_str()), ("ana", "another birth date"));
    assert_eq!((pair.rejected_at, pair.holds), (minute(0), true));
    assert!(store.rejected_pairs(Some(&pk("b"))).expect("pairs are read").is_empty());

    let mut seen = Vec::new();
    let mut resolver = |leads: &[ClaimedLead]| {
        seen.extend(leads.iter().map(|lead| (lead.source_pk.to_string(), lead.rejected.clone())));
        Ok(leads.iter().map(|_| Resolution::matched(person("P"), "PHONE_EXACT", "high")).collect())
    };
    let run = store.recover(&mut resolver, &crate::RecoverOptions::default()).expect("it is sound");
    assert_eq!((run.matched, run.failed[&FailReason::Rejected]), (1, 1));
    seen.sort();
    assert_eq!(seen, [("a".to_owned(), vec![person("P")]), ("b".to_owned(), vec![])]);
    let linked = store.reject_pair(&pk("b"), &person("P"), decider);
    assert!(matches!(linked, Err(StoreError::Conflict { .. })), "its link is undone first");
    check_invariants(store);

    // Other data is decided anew.
    seed(store, &leads("2")[..1]);
    assert!(!store.rejected_pairs(None).expect("pairs are read")[0].holds);
    let run = recover(store, &mut |_| super::matched("P"));
    assert_eq!(run.matched, 1);
    check_invariants(store);
}
