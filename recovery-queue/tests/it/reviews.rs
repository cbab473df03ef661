//! Leads that people decide, on both databases: given out, decided, undone, and what the guardrails say of it. What every
//! store must do is in the conformance suite.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use recovery_queue::testing::minute;
use recovery_queue::*;

use crate::support::backends::{backlog_of, counts, fill, on_each, prove, resolve, script};

const LEADS: u32 = 30;

fn pk(lead: u32) -> SourcePk {
    SourcePk::new(format!("L-{lead}")).unwrap()
}

fn person(key: &str) -> PersonKey {
    PersonKey::new(key).unwrap()
}

const WHO: Decider<'static> = Decider { by: "ana", reason: "a test" };

/// A drained queue in which every third lead has failed with a wake key.
fn drained(store: &mut SqlStore) {
    let backlog = fill(store, LEADS);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
}

/// Gives a packet of cases out, each with the fingerprint `f`.
fn give_out(store: &mut SqlStore, packet: &str, leads: &[u32], reviewer: Option<&str>, needed: u8) {
    let cases = leads.iter().map(|lead| (pk(*lead), "f".to_owned())).collect();
    let mut out = NewReviewPacket::new(packet, "export", "1 abc", cases);
    out.reviewer = reviewer.map(str::to_owned);
    out.reviews_needed = needed;
    store.issue_review(&out).unwrap();
}

fn review(packet: &str, lead: u32, decision: ReviewDecision, by: &str) -> Review {
    Review::new(packet, pk(lead), "f", decision, by).with_comment("seen")
}

fn link(packet: &str, lead: u32, to: &str, by: &str) -> Review {
    review(packet, lead, ReviewDecision::Link(person(to)), by)
}

fn now(store: &mut SqlStore) -> DateTime<Utc> {
    store.snapshot().unwrap().as_of()
}

fn load(store: &mut SqlStore, reviews: Vec<Review>) -> ReviewReceipt {
    store.load_reviews(&ReviewLoad::new("load", reviews)).unwrap()
}

/// Everything that a user sees of the queue, but for the ledger's single events and what is history.
fn picture(store: &mut SqlStore) -> (Vec<String>, Vec<String>, Vec<String>, Vec<String>, i64) {
    let mut rows = Vec::new();
    for lead in 0..LEADS {
        let record = store.lead(&pk(lead)).unwrap().unwrap();
        rows.push(format!("{:?} {:?} {:?}", record.row, record.evidence, record.link));
    }
    let (mut links, mut origins) = (Vec::new(), Vec::new());
    let mut snapshot = store.snapshot().unwrap();
    snapshot.links(&mut |row| links.push(format!("{row:?}"))).unwrap();
    snapshot.origins(&mut |row| origins.push(format!("{row:?}"))).unwrap();
    let mut open = 0;
    snapshot
        .ledger(DateTime::<Utc>::MAX_UTC, &mut |slot| {
            open += slot.kind.effect() * i64::try_from(slot.leads).unwrap();
        })
        .unwrap();
    drop(snapshot);
    let pairs = store.rejected_pairs(None).unwrap();
    let pairs = pairs.iter().map(|pair| format!("{pair:?}")).collect();
    (rows, links, origins, pairs, open)
}

#[test]
fn decisions_are_applied_in_one_transaction_and_the_backlog_falls_by_exactly_the_decided() {
    on_each(|mut store| {
        drained(&mut store);
        let before = picture(&mut store);
        give_out(&mut store, "p1", &[0, 3, 6, 9], None, 1);
        let soon = minute(0) + TimeDelta::days(400_000 / 24);
        let receipt = load(
            &mut store,
            vec![
                link("p1", 0, "P-7", "ana"),
                review("p1", 3, ReviewDecision::NoneOfThese, "ana")
                    .with_candidates(vec![person("P-1"), person("P-2")]),
                review("p1", 6, ReviewDecision::NewPerson(person("N-6")), "ana")
                    .with_candidates(vec![person("P-1")]),
                review("p1", 9, ReviewDecision::Later(soon), "ana"),
            ],
        );
        assert_eq!((receipt.linked, receipt.new_persons, receipt.none_of_these), (1, 1, 1));
        assert_eq!((receipt.later, receipt.rejected_pairs), (1, 3));
        let stand = counts(&mut store);
        // Two are linked, one is decided anew, one is put off and stays failed.
        assert_eq!((stand[&Status::Failed], stand[&Status::Pending]), (7, 1));
        assert_eq!(picture(&mut store).4, before.4 - 2);
        let lead = store.lead(&pk(0)).unwrap().unwrap();
        let made = lead.link.unwrap();
        assert_eq!((made.person_key.as_str(), made.decided_by.as_deref()), ("P-7", Some("ana")));
        assert_eq!(made.rule, MANUAL_RULE);
        let origin = lead.origin.unwrap();
        assert_eq!(origin.person_key.as_str(), "P-7");
        let action = lead.actions.last().unwrap();
        assert_eq!((action.kind, action.reason.as_str()), (LeadActionKind::Reviewed, "link: seen"));
        assert_eq!(action.fail_reason, Some(FailReason::NoCandidates));
        let today = now(&mut store);
        let off = store.put_off(today).unwrap();
        assert_eq!(off.keys().map(SourcePk::as_str).collect::<Vec<_>>(), ["L-9"]);
        prove(&mut store, LEADS);

        let id = receipt.load.unwrap();
        let undone = store.undo_reviews(&id, WHO).unwrap();
        assert_eq!((undone.unlinked, undone.restored, undone.allowed_pairs), (2, 3, 3));
        assert!(picture(&mut store) == before, "all is as before, the ledger's sum too");
        assert_eq!(store.put_off(today).unwrap(), BTreeMap::new());
        prove(&mut store, LEADS);
        // The wake keys are back with the leads.
        assert_eq!(store.wake(&["k".to_owned()]).unwrap(), 10);
        assert!(matches!(store.undo_reviews(&id, WHO), Err(StoreError::NotFound { .. })));
    });
}

#[test]
fn two_reviewers_must_agree_and_neither_is_two() {
    on_each(|mut store| {
        drained(&mut store);
        give_out(&mut store, "a", &[0, 3, 6], Some("ana"), 2);
        give_out(&mut store, "b", &[0, 3, 6], Some("luis"), 2);
        give_out(&mut store, "c", &[0], Some("ana"), 2);
        let before = picture(&mut store);
        let first = load(
            &mut store,
            vec![
                link("a", 0, "P-1", "ana"),
                link("a", 3, "P-1", "ana"),
                review("a", 6, ReviewDecision::NoneOfThese, "ana"),
            ],
        );
        assert_eq!((first.waiting, first.linked), (3, 0));
        assert_eq!(picture(&mut store), before, "one decision alone applies nothing");
        let herself = load(&mut store, vec![link("c", 0, "P-1", "ana")]);
        assert_eq!(herself.refused, [(0, ReviewRefusal::Decided)]);
        let second = load(
            &mut store,
            vec![
                link("b", 0, "P-1", "luis"),
                link("b", 3, "P-2", "luis"),
                review("b", 6, ReviewDecision::NoneOfThese, "luis")
                    .with_candidates(vec![person("P-5")]),
            ],
        );
        assert_eq!((second.linked, second.none_of_these, second.disagreeing), (1, 1, 1));
        let made = store.lead(&pk(0)).unwrap().unwrap().link.unwrap();
        assert_eq!(made.decided_by.as_deref(), Some("ana, luis"));
        let figures = |store: &mut SqlStore| {
            let (cases, rows) = (store.review_cases().unwrap(), store.reviews().unwrap());
            let told = ReviewFigures::of(&cases, &rows, now(store));
            assert_eq!(
                store.review_figures(told.as_of).unwrap(),
                told,
                "the database counts the same"
            );
            told
        };
        let told = figures(&mut store);
        assert_eq!((told.disagreeing, told.waiting_for_second), (1, 0));
        let agreement = told.agreement.unwrap();
        assert_eq!((agreement.cases, agreement.alike), (3, 2));
        prove(&mut store, LEADS);

        store.undo_reviews(&second.load.unwrap(), WHO).unwrap();
        assert!(picture(&mut store) == before);
        assert_eq!(figures(&mut store).waiting_for_second, 3, "the first wait again");
    });
}

#[test]
fn decisions_that_nobody_was_asked_for_are_undone_where_the_lead_had_left_its_backlog_too() {
    on_each(|mut store| {
        drained(&mut store);
        store.cancel(&[pk(3)], WHO).unwrap();
        store.reopen_leads(Reopen::Keys(&[pk(6)]), WHO).unwrap();
        let leads = store.view_name("leads");
        script(&mut store, &format!("DELETE FROM {leads} WHERE id = 'L-9'"));
        let backlog = backlog_of(&store);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        assert_eq!(counts(&mut store)[&Status::Withdrawn], 2);
        let before = picture(&mut store);
        let mut packet = NewReviewPacket::new(
            "claims",
            "load",
            "claims",
            [0, 3, 6, 9].map(|lead| (pk(lead), "f".to_owned())).to_vec(),
        );
        packet.reviews_needed = 0;
        store.issue_review(&packet).unwrap();
        let figures = |store: &mut SqlStore| {
            let (cases, rows) = (store.review_cases().unwrap(), store.reviews().unwrap());
            let told = ReviewFigures::of(&cases, &rows, now(store));
            assert_eq!(store.review_figures(told.as_of).unwrap(), told);
            (told.waiting, told.out.len(), told.decisions.len(), told.median_seconds_to_decision)
        };
        assert_eq!(figures(&mut store), (0, 0, 0, None), "nobody has them");
        let links = [0, 3, 6, 9].map(|lead| link("claims", lead, "P-7", "ana")).to_vec();
        let receipt = load(&mut store, links);
        assert_eq!(receipt.linked, 4);
        // Only two of them were in the backlog.
        assert_eq!(picture(&mut store).4, before.4 - 2);
        assert_eq!(figures(&mut store), (0, 0, 0, None));
        prove(&mut store, LEADS);
        let undone = store.undo_reviews(&receipt.load.unwrap(), WHO).unwrap();
        assert_eq!((undone.unlinked, undone.restored), (4, 4));
        assert_eq!(picture(&mut store), before, "all is as before, the ledger's sum too");
        assert_eq!(figures(&mut store), (0, 0, 0, None));
        prove(&mut store, LEADS);
    });
}

#[test]
fn what_happened_since_is_not_undone() {
    on_each(|mut store| {
        drained(&mut store);
        give_out(&mut store, "p", &[0, 3, 6], None, 1);
        let linked = load(&mut store, vec![link("p", 0, "P-1", "ana")]).load.unwrap();
        store.move_link(&pk(0), &person("P-2"), WHO).unwrap();
        let before = picture(&mut store);
        let refused = store.undo_reviews(&linked, WHO).unwrap_err().to_string();
        assert!(refused.contains("its link was changed since"), "{refused}");
        assert!(picture(&mut store) == before);

        // A lead that is nobody shown is decided anew; what the run finds then stays.
        let none =
            review("p", 3, ReviewDecision::NoneOfThese, "ana").with_candidates(vec![person("P-5")]);
        let none = load(&mut store, vec![none]).load.unwrap();
        let backlog = backlog_of(&store);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let mut seen = Vec::new();
        let mut resolver = |leads: &[ClaimedLead]| {
            seen.extend(leads.iter().map(|lead| (lead.source_pk.clone(), lead.rejected.clone())));
            let to = |_| Resolution::matched(person("P-8"), "PHONE_EXACT", "high");
            Ok::<_, ResolveError>(leads.iter().map(to).collect())
        };
        store.recover(&mut resolver, &RecoverOptions::default()).unwrap();
        assert_eq!(seen, [(pk(3), vec![person("P-5")])]);
        let undone = store.undo_reviews(&none, WHO).unwrap();
        assert_eq!((undone.allowed_pairs, undone.restored), (1, 0));
        assert_eq!(store.lead(&pk(3)).unwrap().unwrap().row.status, Status::Matched);
        prove(&mut store, LEADS);
    });
}

#[test]
fn a_lead_or_person_that_was_reviewed_can_be_forgotten() {
    on_each(|mut store| {
        drained(&mut store);
        give_out(&mut store, "p", &[0, 3], None, 1);
        load(
            &mut store,
            vec![
                link("p", 0, "P-X", "ana"),
                review("p", 3, ReviewDecision::NoneOfThese, "ana")
                    .with_candidates(vec![person("P-Y")]),
            ],
        );
        for key in ["P-X", "P-Y"] {
            store.forget(Forget::Person(&person(key)), WHO).unwrap();
        }
        store.forget(Forget::Lead(&pk(3)), WHO).unwrap();
        assert!(store.reviews().unwrap().is_empty());
        assert_eq!(store.review_cases().unwrap().len(), 1);
    });
}

#[test]
fn packets_that_are_out_are_told_with_who_has_them() {
    on_each(|mut store| {
        drained(&mut store);
        give_out(&mut store, "old", &[0, 3], Some("ana"), 1);
        give_out(&mut store, "old", &[6], Some("luis"), 1);
        load(&mut store, vec![link("old", 0, "P-1", "ana")]);
        let (cases, rows) = (store.review_cases().unwrap(), store.reviews().unwrap());
        let later = now(&mut store) + TimeDelta::days(10);
        let figures = ReviewFigures::of(&cases, &rows, later);
        assert_eq!(store.review_figures(later).unwrap(), figures, "the database counts the same");
        let queue: Vec<_> =
            figures.queue.iter().map(|of| (of.reason.clone(), of.leads())).collect();
        assert_eq!(queue, [(Some(FailReason::NoCandidates), 1)]);
        let out: Vec<_> = figures.out_longer_than(9).collect();
        assert_eq!((out.len(), out[0].undecided, out[0].reviewer.as_deref()), (1, 1, Some("ana")));
        assert_eq!(figures.out_longer_than(11).count(), 0);
        assert_eq!((figures.waiting, figures.decisions["link"]), (1, 1));
        let strange = NewReviewPacket::new("x", "e", "p", vec![(pk(999), "f".into())]);
        assert!(matches!(store.issue_review(&strange), Err(StoreError::NotFound { .. })));
        assert_eq!(store.review_cases().unwrap().len(), 2);
    });
}

#[test]
fn a_corrected_lead_is_decided_anew_and_put_back() {
    on_each(|mut store| {
        drained(&mut store);
        give_out(&mut store, "p", &[0, 3], Some("ana"), 1);
        let before = picture(&mut store);
        let corrected =
            |lead, digest: &str| review("p", lead, ReviewDecision::Corrected(digest.into()), "ana");
        let receipt = load(&mut store, vec![corrected(0, "d0"), corrected(3, "d3")]);
        assert_eq!((receipt.corrected, receipt.applied), (2, vec![0, 1]));
        assert_eq!(store.lead(&pk(0)).unwrap().unwrap().row.status, Status::Pending);
        let again = load(&mut store, vec![corrected(0, "d0")]);
        assert_eq!((again.unchanged, again.load), (1, None));
        let other = ReviewLoad::new("load", vec![corrected(0, "d9")]);
        let refused = store.check_reviews(&other).unwrap().refused;
        assert_eq!(refused, [(0, ReviewRefusal::Decided)], "another value is another decision");
        let id = receipt.load.unwrap();
        store.undo_reviews(&id, WHO).unwrap();
        assert!(picture(&mut store) == before);

        // What a run found by the corrected value cannot stand without it.
        let id = load(&mut store, vec![corrected(0, "d0")]).load.unwrap();
        let mut resolver = |leads: &[ClaimedLead]| {
            let to = |_| Resolution::matched(person("P-8"), "PHONE_EXACT", "high");
            Ok::<_, ResolveError>(leads.iter().map(to).collect())
        };
        store.recover(&mut resolver, &RecoverOptions::default()).unwrap();
        let told = store.undo_reviews(&id, WHO).unwrap_err().to_string();
        assert!(told.contains("matched since"), "{told}");
        prove(&mut store, LEADS);
    });
}
