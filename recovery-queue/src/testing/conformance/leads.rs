//! Looking leads up, trying them again, cancelling and forgetting them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};

use super::{
    BacklogLead, FailReason, RecoverOptions, Resolution, Status, TestStore, Utc, lead, matched,
    minute, person, pk, seed, statuses,
};
use crate::testing::{ScriptedResolver, check_invariants};
use crate::{
    Decider, Evidence, Forget, LeadActionKind, LeadStore, LinkStore, Recover, Reopen, Retention,
    RunStore, StoreAction, StoreActionKind, StoreError,
};

const ANA: Decider<'_> = Decider { by: "ana", reason: "a test" };
/// Names no key of these leads.
const ASKED: Decider<'_> = Decider { by: "ana", reason: "on request" };

/// Checks what a store does by hand with single leads; each case gets a new, empty store.
///
/// # Panics
/// Where the store does not do what it must.
pub fn check_leads<S>(make: &mut dyn FnMut() -> S)
where
    S: TestStore + LeadStore + LinkStore + RunStore,
{
    let cases: [fn(&mut S); 8] = [
        a_lead_is_told_with_its_evidence_and_history,
        a_person_is_told_with_the_leads,
        failed_leads_are_listed_page_by_page,
        failed_leads_are_reopened_by_key_reason_and_policy,
        a_cancelled_lead_stays_out_until_it_is_reopened,
        a_lead_is_forgotten,
        a_person_is_forgotten,
        what_is_old_is_pruned,
    ];
    for case in cases {
        case(&mut make());
    }
}

fn evidence(text: &str) -> Evidence {
    Evidence::from(serde_json::json!({ "candidates": [text] }))
}

/// Leads `a` (linked to `P`), `b` (failed with evidence that names `P`), `c` (failed otherwise) and `d` (in back-off).
fn fill<S: TestStore>(store: &mut S) -> Vec<BacklogLead> {
    store.set_clock(minute(0));
    let leads: Vec<BacklogLead> = ["a", "b", "c", "d"].map(|key| lead(key, 1)).into();
    seed(store, &leads);
    let conflict = Resolution::unmatched(FailReason::ConflictMultipleCandidates);
    let mut resolver = ScriptedResolver::new()
        .answer("a", matched("P").with_evidence(evidence("P")))
        .answer("b", conflict.with_evidence(evidence("P")))
        .answer("d", Resolution::error("it timed out"));
    let options = RecoverOptions::default().with_policy("v1");
    store.recover(&mut resolver, &options).expect("the run is sound");
    leads
}

fn tell<S: LeadStore>(store: &mut S, key: &str) -> crate::LeadRecord {
    store.lead(&pk(key)).expect("the lead is read").expect("it is known")
}

fn a_lead_is_told_with_its_evidence_and_history<S>(store: &mut S)
where
    S: TestStore + LeadStore + LinkStore,
{
    fill(store);
    assert!(store.lead(&pk("nobody")).expect("it is read").is_none());
    let found = tell(store, "a");
    assert_eq!((found.row.status, found.row.person_key), (Status::Matched, Some(person("P"))));
    assert_eq!(found.evidence.as_deref(), Some(evidence("P").as_str()));
    let link = found.link.expect("it is linked");
    assert_eq!((link.person_key, link.rule.as_str()), (person("P"), "PHONE_EXACT"));
    assert_eq!(found.origin.expect("its person has one").source_pk, pk("a"));
    let found = tell(store, "b");
    assert_eq!(found.row.reason, Some(FailReason::ConflictMultipleCandidates));
    assert_eq!(found.evidence.as_deref(), Some(evidence("P").as_str()));
    assert!(found.link.is_none() && found.origin.is_none());
    let found = tell(store, "d");
    assert_eq!((found.row.status, found.row.attempts), (Status::Pending, 1));
    assert!(found.row.not_before.is_some());
    assert_eq!(found.evidence.as_deref(), Some("it timed out"));
    store.unlink(&pk("a"), ANA).expect("a link can be undone");
    let found = tell(store, "a");
    assert_eq!(found.former_links.len(), 1);
    assert_eq!(found.former_links[0].ended_by, "ana");
    assert!(found.link.is_none());
}

fn a_person_is_told_with_the_leads<S>(store: &mut S)
where
    S: TestStore + LeadStore + LinkStore,
{
    fill(store);
    assert!(store.person(&person("nobody")).expect("it is read").is_none());
    store.link(&pk("c"), &person("P"), ANA).expect("a failed lead can be linked");
    store.move_link(&pk("a"), &person("Q"), ANA).expect("a link can be moved");
    let found = store.person(&person("P")).expect("it is read").expect("P is known");
    let linked: Vec<_> = found.links.iter().map(|row| row.source_pk.as_str()).collect();
    assert_eq!(linked, ["c"]);
    assert_eq!(found.origin.expect("P has one").source_pk, pk("c"));
    let former: Vec<_> = found.former_links.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(former, ["a"]);
}

fn failed_leads_are_listed_page_by_page<S: TestStore + LeadStore>(store: &mut S) {
    store.set_clock(minute(0));
    let leads: Vec<BacklogLead> = (0..7).map(|i| lead(&format!("L{i}"), 9 - i)).collect();
    seed(store, &leads);
    let weak = Resolution::unmatched(FailReason::WeakMatchOnly);
    let mut resolver = ScriptedResolver::new()
        .answer("L1", weak.clone())
        .answer("L5", weak)
        .answer("L3", matched("P"));
    store.recover(&mut resolver, &RecoverOptions::default()).expect("the run is sound");
    let mut page = |reason, after: Option<&str>, limit| {
        let after = after.map(pk);
        let rows = store.failed(reason, after.as_ref(), limit).expect("the page is read");
        assert!(rows.iter().all(|row| row.status == Status::Failed));
        rows.iter().map(|row| row.source_pk.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(page(None, None, 4), ["L0", "L1", "L2", "L4"]);
    assert_eq!(page(None, Some("L4"), 4), ["L5", "L6"]);
    assert_eq!(page(Some(&FailReason::WeakMatchOnly), None, 9), ["L1", "L5"]);
    assert_eq!(page(Some(&FailReason::WeakMatchOnly), Some("L1"), 9), ["L5"]);
    assert!(page(None, None, 0).is_empty());
}

fn failed_leads_are_reopened_by_key_reason_and_policy<S>(store: &mut S)
where
    S: TestStore + LeadStore,
{
    fill(store);
    for (key, told) in [("a", "matched"), ("nobody", "known")] {
        let keys = [pk("b"), pk(key)];
        let error = store.reopen_leads(Reopen::Keys(&keys), ANA).expect_err("it cannot be");
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(statuses(store)["b"], Status::Failed, "all or nothing");
    }
    store.set_clock(minute(3));
    let keys = [pk("b"), pk("d"), pk("b")];
    assert_eq!(store.reopen_leads(Reopen::Keys(&keys), ANA).expect("they can be"), 1);
    let found = tell(store, "b");
    assert_eq!((found.row.status, found.row.since), (Status::Pending, minute(3)));
    assert_eq!(found.actions.len(), 1);
    assert_eq!(found.actions[0].kind, LeadActionKind::Reopened);
    assert_eq!(found.actions[0].by, "ana");
    assert_eq!(found.actions[0].fail_reason, Some(FailReason::ConflictMultipleCandidates));
    assert!(tell(store, "d").actions.is_empty(), "a pending lead stays as it is");
    check_invariants(store);
    let weak = Reopen::Reason(FailReason::WeakMatchOnly);
    assert_eq!(store.reopen_leads(weak, ANA).expect("it is sound"), 0);
    let nobody = Reopen::Reason(FailReason::NoCandidates);
    assert_eq!(store.reopen_leads(nobody, ANA).expect("it is sound"), 1);
    assert_eq!(statuses(store)["c"], Status::Pending);
    check_invariants(store);
    let options = RecoverOptions::default().with_policy("v2");
    store.recover(&mut ScriptedResolver::new(), &options).expect("the run is sound");
    assert_eq!(store.reopen_leads(Reopen::OtherPolicyThan("v2"), ANA).expect("it is sound"), 0);
    assert_eq!(store.reopen_leads(Reopen::OtherPolicyThan("v3"), ANA).expect("it is sound"), 3);
    let nameless = Decider { by: "", reason: "none" };
    assert!(store.reopen_leads(Reopen::OtherPolicyThan("v4"), nameless).is_err());
    check_invariants(store);
}

fn a_cancelled_lead_stays_out_until_it_is_reopened<S>(store: &mut S)
where
    S: TestStore + LeadStore,
{
    let leads = fill(store);
    let error = store.cancel(&[pk("b"), pk("a")], ANA).expect_err("a is matched");
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    assert_eq!(statuses(store)["b"], Status::Failed, "all or nothing");
    assert_eq!(store.cancel(&[pk("b"), pk("d")], ANA).expect("they can be"), 2);
    assert_eq!(store.cancel(&[pk("b")], ANA).expect("it is sound"), 0, "it is cancelled already");
    let rows = statuses(store);
    assert_eq!((rows["b"], rows["d"]), (Status::Withdrawn, Status::Withdrawn));
    assert_eq!(tell(store, "b").actions[0].kind, LeadActionKind::Cancelled);
    check_invariants(store);
    store.set_clock(minute(0) + TimeDelta::days(3));
    let seeded = seed(store, &leads[1..]);
    assert_eq!((seeded.arrived, seeded.withdrawn), (0, 0), "no seed brings it back: {seeded:?}");
    assert_eq!(store.reopen_leads(Reopen::Keys(&[pk("b")]), ANA).expect("it can be"), 1);
    let found = tell(store, "b");
    assert_eq!(found.row.status, Status::Pending);
    let kinds: Vec<_> = found.actions.iter().map(|action| action.kind).collect();
    assert_eq!(kinds, [LeadActionKind::Cancelled, LeadActionKind::Reopened]);
    check_invariants(store);
    seed(store, &[]);
    let error = store.reopen_leads(Reopen::Keys(&[pk("c")]), ANA).expect_err("it has left");
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
}

fn a_lead_is_forgotten<S>(store: &mut S)
where
    S: TestStore + LeadStore + LinkStore,
{
    fill(store);
    store.link(&pk("c"), &person("P"), ANA).expect("a failed lead can be linked");
    let days = |store: &mut S| {
        let day = minute(0).date_naive();
        let mut snapshot = store.snapshot().expect("a snapshot opens");
        snapshot.daily_metrics(day, day, chrono_tz::Tz::UTC).expect("metrics are computed")
    };
    let matched_before = days(store)[0].matched_out;
    let told = store.forget(Forget::Lead(&pk("nobody")), ASKED).expect_err("nobody knows it");
    assert!(matches!(told, StoreError::NotFound { .. }), "{told}");
    assert!(store.forget(Forget::Lead(&pk("a")), ASKED).expect("it can be").rows >= 2);
    assert!(store.lead(&pk("a")).expect("it is read").is_none());
    let found = store.person(&person("P")).expect("it is read").expect("P is known");
    assert_eq!(found.origin.expect("c is left").source_pk, pk("c"), "the origin is another lead");
    store.forget(Forget::Lead(&pk("d")), ASKED).expect("a pending lead can be");
    store.forget(Forget::Lead(&pk("b")), ASKED).expect("a failed lead can be");
    assert_eq!(statuses(store).into_keys().collect::<Vec<_>>(), ["c"]);
    assert_eq!(days(store)[0].matched_out, matched_before, "the ledger's figures stay");
    let named = Decider { by: "ana", reason: "asked by \"c\", on paper" };
    let told = store.forget(Forget::Lead(&pk("c")), named).expect_err("the reason is kept");
    assert!(matches!(told, StoreError::Config(_)), "{told}");
    store.record_forgotten(Forget::Person(&person("Z")), 2, ASKED).expect("it is recorded");
    let kept = by_hand(store);
    let told: Vec<_> =
        kept.iter().map(|it| (it.kind, it.subject.as_str(), it.by.as_str())).collect();
    let lead = (StoreActionKind::LeadForgotten, "", "ana");
    assert_eq!(told, [lead, lead, lead, (StoreActionKind::PersonForgotten, "", "ana")]);
    assert!(kept[0].rows >= 2 && kept[3].rows == 2 && kept[0].reason == ASKED.reason, "{kept:?}");
    check_invariants(store);
}

/// What was done with the store since its tables were made.
fn by_hand<S: LeadStore>(store: &mut S) -> Vec<StoreAction> {
    let mut kept = store.actions().expect("they are read");
    kept.retain(|action| action.kind != StoreActionKind::Migrated);
    kept
}

fn a_person_is_forgotten<S>(store: &mut S)
where
    S: TestStore + LeadStore + LinkStore,
{
    fill(store);
    store.link(&pk("c"), &person("P"), ANA).expect("a failed lead can be linked");
    store.move_link(&pk("c"), &person("Q"), ANA).expect("a link can be moved");
    let told = store.forget(Forget::Person(&person("nobody")), ASKED).expect_err("nobody knows it");
    assert!(matches!(told, StoreError::NotFound { .. }), "{told}");
    let done = store.forget(Forget::Person(&person("P")), ASKED).expect("it can be");
    assert_eq!((done.evidence, done.reopened), (1, 1), "{done:?}");
    assert!(store.person(&person("P")).expect("it is read").is_none());
    let found = tell(store, "a");
    assert_eq!(found.row.status, Status::Pending);
    assert!(found.link.is_none() && found.former_links.is_empty());
    assert_eq!(tell(store, "b").evidence.as_deref(), Some(r#"{"forgotten":true}"#));
    let found = tell(store, "c");
    assert_eq!(found.link.expect("its link is another's").person_key, person("Q"));
    assert!(found.former_links.is_empty());
    check_invariants(store);
}

fn what_is_old_is_pruned<S>(store: &mut S)
where
    S: TestStore + LeadStore + LinkStore,
{
    fill(store);
    store.cancel(&[pk("b")], ANA).expect("it can be");
    store.link(&pk("c"), &person("P"), ANA).expect("it can be linked");
    store.unlink(&pk("c"), ANA).expect("and undone");
    // `d` leaves the backlog, and so does `c`; `b` is cancelled.
    seed(store, &[lead("b", 1)]);
    store.set_clock(minute(0) + TimeDelta::days(10));
    let keep = Duration::from_hours(30 * 24);
    let young = Retention::new()
        .with_withdrawn(keep)
        .with_evidence(keep)
        .with_history(keep)
        .with_runs(keep);
    assert_eq!(store.prune(young, ANA).expect("it is sound"), crate::Pruned::default());
    let day = Duration::from_hours(24);
    let old =
        Retention::new().with_withdrawn(day).with_evidence(day).with_history(day).with_runs(day);
    let done = store.prune(old, ANA).expect("it is sound");
    // `c` went with its history; what was left of it is the action on `b`. Two seeds and a run.
    assert_eq!((done.leads, done.evidence, done.history, done.runs), (2, 1, 1, 3), "{done:?}");
    let kept = by_hand(store);
    assert_eq!(kept.len(), 1, "what removed nothing is no history: {kept:?}");
    assert_eq!((kept[0].kind, kept[0].rows), (StoreActionKind::Pruned, 7), "{kept:?}");
    assert_eq!(kept[0].subject, "withdrawn 1 d, evidence 1 d, history 1 d, runs 1 d");
    let rows = statuses(store);
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["a", "b"], "what was cancelled stays out");
    assert!(tell(store, "a").evidence.is_none());
    assert!(tell(store, "b").actions.is_empty());
    check_invariants(store);
    let mut open = 0;
    store
        .snapshot()
        .expect("a snapshot opens")
        .ledger(DateTime::<Utc>::MAX_UTC, &mut |slot| {
            open += slot.kind.effect() * i64::try_from(slot.leads).unwrap_or(i64::MAX);
        })
        .expect("the ledger is read");
    assert_eq!(open, 0, "the ledger's figures stay");
}
