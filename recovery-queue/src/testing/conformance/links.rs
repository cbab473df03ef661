//! Links made, moved and undone by hand.

use chrono_tz::Tz;

use super::{
    Status, TestStore, lead, minute, nobody, origins, person, pk, recover, seed, statuses,
};
use crate::testing::check_invariants;
use crate::{Decider, LinkStore, StoreError};

/// Checks a store's links by hand; each case gets a new, empty one.
///
/// # Panics
/// Where the store does not do what it must.
pub fn check_links<S: TestStore + LinkStore>(make: &mut dyn FnMut() -> S) {
    links_are_made_moved_and_undone_by_hand(&mut make());
    a_decision_without_a_name_or_a_reason_is_refused(&mut make());
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
