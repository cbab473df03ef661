//! Leads that people decide: given out, decided, undone.

use super::{Status, TestStore, lead, minute, nobody, person, pk, recover, seed, statuses};
use crate::testing::check_invariants;
use crate::{
    Decider, EventKind, LeadActionKind, LeadStore, LinkStore, MANUAL_RULE, NewReviewPacket, Reopen,
    Review, ReviewDecision, ReviewFigures, ReviewLoad, ReviewReceipt, ReviewRefusal, ReviewStore,
    StoreError,
};

/// A store with reviews, and what their effects are seen by.
trait Reviewed: TestStore + ReviewStore + LinkStore + LeadStore {}
impl<S: TestStore + ReviewStore + LinkStore + LeadStore> Reviewed for S {}

/// Checks a store's reviews; each case gets a new, empty one.
///
/// # Panics
/// Where the store does not do what it must.
pub fn check_reviews<S>(make: &mut dyn FnMut() -> S)
where
    S: TestStore + ReviewStore + LinkStore + LeadStore,
{
    decisions_are_applied_once_and_undone_to_what_was(&mut make());
    what_is_stale_or_not_theirs_is_refused(&mut make());
    two_reviewers_must_agree(&mut make());
    corrected_leads_are_decided_anew(&mut make());
    decisions_that_nobody_was_asked_for_find_leads_that_had_left(&mut make());
    what_happened_since_is_not_undone(&mut make());
    the_list_of_reviewers_says_how_it_came_about(&mut make());
}

const WHO: Decider<'static> = Decider { by: "ana", reason: "a test" };

const KEYS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Seeds six leads of which none is matched.
fn failed<S: Reviewed>(store: &mut S) {
    store.set_clock(minute(0));
    seed(store, &KEYS.map(|key| lead(key, 1).with_version("1")));
    recover(store, &mut |key| nobody().with_wake_keys(vec![format!("k-{key}")]));
    store.set_clock(minute(10));
}

fn give_out<S: Reviewed>(
    store: &mut S,
    packet: &str,
    leads: &[&str],
    of: Option<&str>,
    needed: u8,
) {
    let cases = leads.iter().map(|key| (pk(key), "f".to_owned())).collect();
    let mut out = NewReviewPacket::new(packet, "export", "1 abc", cases);
    out.reviewer = of.map(str::to_owned);
    out.reviews_needed = needed;
    store.issue_review(&out).expect("the packet is recorded");
    store.issue_review(&out).expect("once more changes nothing");
}

fn review(packet: &str, key: &str, decision: ReviewDecision, by: &str) -> Review {
    Review::new(packet, pk(key), "f", decision, by).with_comment("seen")
}

fn link(packet: &str, key: &str, to: &str, by: &str) -> Review {
    review(packet, key, ReviewDecision::Link(person(to)), by)
}

fn load<S: Reviewed>(store: &mut S, reviews: Vec<Review>) -> ReviewReceipt {
    let load = ReviewLoad::new("load", reviews);
    let told = store.check_reviews(&load).expect("the load is looked at");
    let receipt = store.load_reviews(&load).expect("the load is sound");
    let counts = |of: &ReviewReceipt| {
        let decided = [of.linked, of.new_persons, of.none_of_these, of.later, of.corrected];
        (decided, of.waiting, of.disagreeing, of.unchanged, of.refused.clone())
    };
    assert_eq!(counts(&told), counts(&receipt), "what is told beforehand is done");
    receipt
}

/// Everything that shows of the queue, but for history; and the backlog by the ledger.
fn picture<S: Reviewed>(store: &mut S) -> (Vec<String>, i64) {
    let mut rows = Vec::new();
    for key in KEYS {
        let record = store.lead(&pk(key)).expect("the lead is read").expect("it is known");
        rows.push(format!("{:?} {:?} {:?}", record.row, record.evidence, record.link));
    }
    let pairs = store.rejected_pairs(None).expect("pairs are read");
    rows.extend(pairs.iter().map(|pair| format!("{pair:?}")));
    let mut open = 0;
    let mut snapshot = store.snapshot().expect("a snapshot opens");
    snapshot.origins(&mut |row| rows.push(format!("{row:?}"))).expect("origins are read");
    let add = &mut |slot: crate::LedgerSlot| {
        open += slot.kind.effect() * i64::try_from(slot.leads).unwrap_or(i64::MAX);
    };
    snapshot.ledger(minute(1_000_000), add).expect("the ledger is read");
    (rows, open)
}

fn figures<S: Reviewed>(store: &mut S) -> ReviewFigures {
    let cases = store.review_cases().expect("cases are read");
    let rows = store.reviews().expect("reviews are read");
    let told = ReviewFigures::of(&cases, &rows, minute(60));
    assert_eq!(store.review_figures(minute(60)).expect("figures are counted"), told);
    told
}

fn decisions_are_applied_once_and_undone_to_what_was<S: Reviewed>(store: &mut S) {
    failed(store);
    let before = picture(store);
    give_out(store, "p", &["a", "b", "c", "d"], None, 1);
    let strange = NewReviewPacket::new("x", "e", "p", vec![(pk("z"), "f".into())]);
    assert!(matches!(store.issue_review(&strange), Err(StoreError::NotFound { .. })));
    assert_eq!((figures(store).waiting, figures(store).out.len()), (4, 1));
    store.set_clock(minute(30));
    let decided = || {
        let (shown, new) = (vec![person("P"), person("Q")], ReviewDecision::NewPerson(person("N")));
        vec![
            link("p", "a", "P", "ana"),
            review("p", "b", ReviewDecision::NoneOfThese, "ana").with_candidates(shown.clone()),
            review("p", "c", new, "ana").with_candidates(shown),
            review("p", "d", ReviewDecision::Later(minute(5_000)), "ana"),
        ]
    };
    let receipt = load(store, decided());
    let counts = (receipt.linked, receipt.new_persons, receipt.none_of_these, receipt.later);
    assert_eq!((counts, receipt.rejected_pairs), ((1, 1, 1, 1), 4));
    assert_eq!(receipt.applied, [0, 1, 2, 3]);
    let stand = statuses(store);
    let stand: Vec<Status> = KEYS.map(|key| stand[key]).to_vec();
    let (matched, waits) = (Status::Matched, Status::Failed);
    assert_eq!(stand, [matched, Status::Pending, matched, waits, waits, waits]);
    assert_eq!(picture(store).1, before.1 - 2, "the backlog falls by exactly the linked");
    let record = store.lead(&pk("a")).expect("the lead is read").expect("it is known");
    let made = record.link.expect("it is linked");
    assert_eq!((made.rule.as_str(), made.decided_by.as_deref()), (MANUAL_RULE, Some("ana")));
    assert!(record.evidence.is_some_and(|told| told.contains("\"packet\"")));
    let action = record.actions.last().expect("it is in the history");
    assert_eq!((action.kind, action.reason.as_str()), (LeadActionKind::Reviewed, "link: seen"));
    assert!(action.fail_reason.is_some());
    let off = store.put_off(minute(60)).expect("it is read");
    assert_eq!(off.into_keys().collect::<Vec<_>>(), [pk("d")]);
    let told = figures(store);
    assert_eq!((told.median_seconds_to_decision, told.waiting), (Some(20 * 60), 0));
    assert_eq!(told.decisions["link"], 1);
    check_invariants(store);

    let after = picture(store);
    let again = load(store, decided());
    assert_eq!((again.unchanged, again.load), (4, None));
    let other = load(store, vec![link("p", "a", "Q", "ana")]);
    assert_eq!(other.refused, [(0, ReviewRefusal::Decided)]);
    assert_eq!(picture(store), after, "the same once more, and another, change nothing");

    let id = receipt.load.expect("something was loaded");
    let undone = store.undo_reviews(&id, WHO).expect("nothing happened since");
    let counts = (undone.reviews, undone.unlinked, undone.restored, undone.allowed_pairs);
    assert_eq!(counts, (4, 2, 3, 4));
    assert_eq!(picture(store), before, "all is as before");
    assert!(matches!(store.undo_reviews(&id, WHO), Err(StoreError::NotFound { .. })));
    check_invariants(store);
    let woken = store.wake(&["k-b".to_owned()]).expect("it is woken");
    assert_eq!(woken, 1, "its wake key is back");
}

fn what_is_stale_or_not_theirs_is_refused<S: Reviewed>(store: &mut S) {
    failed(store);
    give_out(store, "p", &["a", "b", "c", "d", "e"], None, 1);
    give_out(store, "q", &["e"], None, 1);
    give_out(store, "l", &["f"], Some("luis"), 1);
    for name in ["ana", "luis"] {
        assert!(store.set_reviewer(name, true, WHO).expect("the list is kept"));
    }
    store.link(&pk("b"), &person("P"), WHO).expect("it is linked");
    store.cancel(&[pk("c")], WHO).expect("it is cancelled");
    store.reject_pair(&pk("d"), &person("P"), WHO).expect("it is rejected");
    let mut changed = link("p", "a", "P", "ana");
    "g".clone_into(&mut changed.fingerprint);
    let reviews = vec![
        changed,
        link("p", "b", "P", "ana"),
        link("p", "c", "P", "ana"),
        link("p", "d", "P", "ana"),
        link("l", "f", "P", "ana"),
        link("p", "f", "P", "ana"),
        link("strange", "a", "P", "ana"),
        link("p", "a", "P", "eva"),
        link("p", "e", "P", "ana"),
        link("q", "e", "Q", "ana"),
        link("l", "f", "P", "luis"),
    ];
    let expected = [
        (0, ReviewRefusal::Changed),
        (1, ReviewRefusal::Matched),
        (2, ReviewRefusal::Withdrawn),
        (3, ReviewRefusal::Rejected),
        (4, ReviewRefusal::OtherReviewer),
        (5, ReviewRefusal::UnknownCase),
        (6, ReviewRefusal::UnknownPacket),
        (7, ReviewRefusal::NotAReviewer),
        // Of two that differ neither wins by its place.
        (8, ReviewRefusal::Twice),
        (9, ReviewRefusal::Twice),
    ];
    let before = picture(store);
    let strict = load(store, reviews.clone());
    assert_eq!((strict.refused.as_slice(), strict.load), (expected.as_slice(), None));
    assert_eq!(picture(store), before, "one that is refused keeps all out");
    let part = store.load_reviews(&ReviewLoad::new("load", reviews).partial());
    let part = part.expect("the others are loaded");
    assert_eq!((part.refused.as_slice(), part.linked), (expected.as_slice(), 1));
    let nameless = ReviewLoad::new(" ", Vec::new());
    assert!(matches!(store.load_reviews(&nameless), Err(StoreError::Config(_))));
    check_invariants(store);
}

fn two_reviewers_must_agree<S: Reviewed>(store: &mut S) {
    failed(store);
    give_out(store, "x", &["a", "b", "c"], Some("ana"), 2);
    give_out(store, "y", &["a", "b", "c"], Some("luis"), 2);
    give_out(store, "z", &["a"], Some("ana"), 2);
    let before = picture(store);
    let none = |packet: &str, by: &str| review(packet, "c", ReviewDecision::NoneOfThese, by);
    let first =
        load(store, vec![link("x", "a", "P", "ana"), link("x", "b", "P", "ana"), none("x", "ana")]);
    assert_eq!((first.waiting, first.linked), (3, 0));
    assert_eq!(picture(store), before, "one decision alone applies nothing");
    assert_eq!(figures(store).waiting_for_second, 3);
    let herself = load(store, vec![link("z", "a", "P", "ana")]);
    assert_eq!(herself.refused, [(0, ReviewRefusal::Decided)], "one person is not two");
    let second = load(
        store,
        vec![link("y", "a", "P", "luis"), link("y", "b", "Q", "luis"), none("y", "luis")],
    );
    assert_eq!((second.linked, second.none_of_these, second.disagreeing), (1, 1, 1));
    let made = store.lead(&pk("a")).expect("it is read").and_then(|record| record.link);
    assert_eq!(made.and_then(|link| link.decided_by).as_deref(), Some("ana, luis"));
    let told = figures(store);
    assert_eq!((told.disagreeing, told.waiting_for_second), (1, 0));
    let agreement = told.agreement.expect("two were asked");
    assert_eq!((agreement.cases, agreement.alike), (3, 2));
    check_invariants(store);
    store.undo_reviews(&second.load.expect("a load"), WHO).expect("nothing happened since");
    assert_eq!(picture(store), before);
    assert_eq!(figures(store).waiting_for_second, 3, "the first wait again");
}

fn corrected_leads_are_decided_anew<S: Reviewed>(store: &mut S) {
    failed(store);
    give_out(store, "p", &["a", "b"], None, 1);
    let before = picture(store);
    let corrected =
        |key: &str, value: &str| review("p", key, ReviewDecision::Corrected(value.into()), "ana");
    let first = load(store, vec![corrected("a", "1"), corrected("b", "2")]);
    assert_eq!(first.corrected, 2);
    assert_eq!(statuses(store)["a"], Status::Pending);
    assert_eq!(load(store, vec![corrected("a", "1")]).unchanged, 1);
    let other = load(store, vec![corrected("a", "9")]);
    assert_eq!(other.refused, [(0, ReviewRefusal::Decided)], "another value is another decision");
    store.undo_reviews(&first.load.expect("a load"), WHO).expect("nothing happened since");
    assert_eq!(picture(store), before);
    let again = load(store, vec![corrected("a", "1")]).load.expect("a load");
    recover(store, &mut |_| super::matched("P"));
    let refused = store.undo_reviews(&again, WHO);
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "it was matched by the value");
    check_invariants(store);
}

fn decisions_that_nobody_was_asked_for_find_leads_that_had_left<S: Reviewed>(store: &mut S) {
    failed(store);
    store.cancel(&[pk("b")], WHO).expect("it is cancelled");
    store.reopen_leads(Reopen::Keys(&[pk("c")]), WHO).expect("it is pending");
    let left = KEYS.into_iter().filter(|key| *key != "d");
    seed(store, &left.map(|key| lead(key, 1).with_version("1")).collect::<Vec<_>>());
    assert_eq!(statuses(store)["d"], Status::Withdrawn);
    let before = picture(store);
    give_out(store, "claims", &["a", "b", "c", "d"], None, 0);
    let stands = figures(store);
    assert_eq!((stands.waiting, stands.out.len()), (0, 0), "nobody has them");
    store.set_clock(minute(20));
    let links = ["a", "b", "c", "d"].map(|key| link("claims", key, "P", "ana"));
    let receipt = load(store, links.to_vec());
    assert_eq!(receipt.linked, 4);
    assert_eq!(picture(store).1, before.1 - 2, "two of them were in the backlog");
    let told = figures(store);
    assert_eq!((told.decisions.len(), told.median_seconds_to_decision), (0, None));
    check_invariants(store);
    let undone = store.undo_reviews(&receipt.load.expect("a load"), WHO).expect("it is undone");
    assert_eq!((undone.unlinked, undone.restored), (4, 4));
    assert_eq!(picture(store), before, "each stands where it stood");
    check_invariants(store);
}

fn what_happened_since_is_not_undone<S: Reviewed>(store: &mut S) {
    failed(store);
    give_out(store, "p", &["a", "b", "c"], None, 1);
    let linked = load(store, vec![link("p", "a", "P", "ana")]).load.expect("a load");
    store.move_link(&pk("a"), &person("Q"), WHO).expect("it is moved");
    let before = picture(store);
    assert!(matches!(store.undo_reviews(&linked, WHO), Err(StoreError::Conflict { .. })));
    assert_eq!(picture(store), before, "nothing is half undone");
    // What a run finds of a lead that is nobody shown stays.
    let none = |key: &str| {
        review("p", key, ReviewDecision::NoneOfThese, "ana").with_candidates(vec![person("P")])
    };
    let opened = load(store, vec![none("b"), none("c")]).load.expect("a load");
    recover(store, &mut |key| if key == "b" { super::matched("R") } else { nobody() });
    let undone = store.undo_reviews(&opened, WHO).expect("it is undone");
    assert_eq!((undone.allowed_pairs, undone.restored), (2, 1));
    let loads = store.review_loads().expect("the loads are read");
    let told: Vec<_> = loads
        .iter()
        .map(|of| (of.load.as_str(), of.reviews, of.loaded_by.as_str(), of.undone_by.as_deref()))
        .collect();
    let second = (opened.as_str(), 2, "load", Some(WHO.by));
    assert_eq!(told, [(linked.as_str(), 1, "load", None), second]);
    let stand = statuses(store);
    assert_eq!((stand["b"], stand["c"]), (Status::Matched, Status::Pending));
    let mut reopened = 0;
    let add = &mut |slot: crate::LedgerSlot| {
        reopened += if slot.kind == EventKind::Reopened { slot.leads } else { 0 };
    };
    let mut snapshot = store.snapshot().expect("a snapshot opens");
    snapshot.ledger(minute(1_000_000), add).expect("the ledger is read");
    drop(snapshot);
    assert_eq!(reopened, 3, "two by the load, one by its undoing");
    check_invariants(store);
}

fn the_list_of_reviewers_says_how_it_came_about<S: Reviewed>(store: &mut S) {
    store.set_clock(minute(0));
    let mut set = |may| store.set_reviewer("ana", may, WHO).expect("the list is kept");
    assert!(set(true));
    assert!(!set(true), "nothing changes, and nothing is kept");
    assert!(set(false));
    assert_eq!(store.reviewers().expect("the list is read"), Vec::<String>::new());
    let told = store.reviewer_changes().expect("the changes are read");
    let told: Vec<_> =
        told.iter().map(|of| (of.name.as_str(), of.may_decide, of.changed_at)).collect();
    assert_eq!(told, [("ana", true, minute(0)), ("ana", false, minute(0))]);
}
