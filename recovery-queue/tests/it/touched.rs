//! Facts of some leads alone: they find what the facts of all leads find of these leads, whatever is broken.

use std::collections::BTreeSet;

use guardrails::clock::StoppedClock;
use guardrails::facts::{Facts as _, Scope};
use guardrails::recovery::{Invariant, RecoveryFacts as _};
use guardrails::{Suite, Verdict};
use proptest::prelude::*;
use recovery_queue::*;

use crate::support::backends::{fill, on_each, resolve, script};

const LEADS: u32 = 60;

/// What can be broken, each under the numbers of some leads or persons.
const BREAKS: [&str; 8] = [
    "DELETE FROM {link} WHERE lead_id % 7 = {n}",
    "UPDATE {link} SET person_id = 1 WHERE lead_id % 7 = {n}",
    "UPDATE {person} SET origin_lead_id = NULL WHERE id % 7 = {n}",
    "UPDATE {person} SET origin_lead_id = 2 WHERE id % 7 = {n}",
    "DELETE FROM {settled} WHERE lead_id % 7 = {n}",
    "INSERT INTO {parked} (lead_id, backlog_id, not_before, attempts, since) \
     SELECT id, backlog_id, 0, 0, 0 FROM {lead} WHERE id % 7 = {n}",
    "DELETE FROM {persons} WHERE id LIKE '%{n}'",
    "INSERT INTO {rejected_pair} (lead_id, person_id, lead_version, rejected_at, rejected_by, comment) \
     SELECT k.lead_id, k.person_id, NULL, 0, 'ana', '' FROM {link} k WHERE k.lead_id % 7 = {n}",
];

/// Seeds and recovers leads of a view, where the service says which persons are there.
fn night(store: &mut SqlStore, indexed: bool) -> ViewBacklog {
    let mut backlog = fill(store, LEADS);
    let (persons, links) = (store.view_name("persons"), store.view_name("identity_links"));
    if !indexed {
        let (view, whole) = (store.view_name("lead_backlog"), store.view_name("unindexed"));
        let sql = format!(
            "CREATE VIEW {whole} AS SELECT lead_source_pk || '' AS lead_source_pk, lead_date FROM {view}"
        );
        script(store, &sql);
        backlog = ViewBacklog::new(&whole.replace('"', "")).unwrap();
    }
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
    script(
        store,
        &format!("CREATE TABLE {persons} AS SELECT DISTINCT person_key AS id FROM {links}"),
    );
    let view = PersonView::new(&persons.replace('"', ""), "id").unwrap();
    store.set_person_view(Some(&view)).unwrap();
    backlog
}

fn broken(store: &mut SqlStore, breaks: &[(usize, u8)]) {
    for (what, n) in breaks {
        let mut sql = BREAKS[*what].replace("{n}", &n.to_string());
        for table in ["link", "person", "settled", "parked", "lead", "rejected_pair"] {
            let name = store.view_name(&format!("queue_{table}"));
            sql = sql.replace(&format!("{{{table}}}"), &name);
        }
        let sql = sql.replace("{persons}", &store.view_name("persons"));
        // What is broken twice may be refused by the tables themselves.
        let _refused =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| script(store, &sql)));
    }
}

/// Invariants whose offenders are leads.
const OF_LEADS: [Invariant; 7] = [
    Invariant::MATCHED_NOT_IN_BACKLOG,
    Invariant::MATCHED_HAS_ORIGIN,
    Invariant::MATCHED_HAS_LINK,
    Invariant::LINK_TO_SAME_PERSON,
    Invariant::LEDGER_AGREES_WITH_QUEUE,
    Invariant::LINK_TARGET_EXISTS,
    Invariant::REJECTED_NOT_LINKED,
];

fn agree(store: &mut SqlStore, backlog: &ViewBacklog, touched: &BTreeSet<u32>) -> u64 {
    let key = |lead: &u32| SourcePk::new(format!("L-{lead}")).unwrap();
    let some: Vec<SourcePk> = touched.iter().map(key).collect();
    let all: Vec<SourcePk> = (0..LEADS).map(|lead| key(&lead)).collect();
    let whole = StoreFacts::new(store.read().unwrap(), backlog);
    let whole_of = |invariant| whole.offenders(invariant, usize::MAX).unwrap();
    let found: Vec<_> = OF_LEADS.map(whole_of).into();
    let origins = whole_of(Invariant::ORIGIN_HAS_LINK);
    drop(whole);
    let mut offenders = 0;
    for leads in [&some, &all] {
        let keys: BTreeSet<&str> = leads.iter().map(SourcePk::as_str).collect();
        let facts = StoreFacts::new(store.read().unwrap(), backlog).of_touched(leads).unwrap();
        assert_eq!(facts.snapshot().scope, Some(Scope::Touched(leads.len() as u64)));
        for (invariant, whole) in OF_LEADS.iter().zip(&found) {
            let told = facts.offenders(*invariant, usize::MAX).unwrap();
            let mut theirs = whole.listed.clone();
            theirs.retain(|offender| keys.contains(offender.key.as_str()));
            assert_eq!(told.listed, theirs, "{invariant} of {leads:?}");
            assert_eq!(told.total, theirs.len() as u64);
            if leads.len() == all.len() {
                assert_eq!(told.population, whole.population, "{invariant}");
            }
            offenders += told.total;
            let cut = facts.offenders(*invariant, 1).unwrap();
            assert_eq!((cut.total, cut.listed.len() as u64), (told.total, told.total.min(1)));
        }
        let told = facts.offenders(Invariant::ORIGIN_HAS_LINK, usize::MAX).unwrap();
        assert!(told.listed.iter().all(|offender| origins.listed.contains(offender)));
    }
    offenders
}

#[test]
fn facts_of_some_leads_find_what_the_facts_of_all_find_of_them() {
    let breaks = prop::collection::vec((0..BREAKS.len(), 0_u8..7), 0..4);
    let touched = prop::collection::btree_set(0..LEADS, 0..40);
    let found = std::cell::Cell::new(0);
    proptest!(ProptestConfig::with_cases(12), |(breaks in breaks, touched in touched, indexed: bool)| {
        on_each(|mut store| {
            let backlog = night(&mut store, indexed);
            broken(&mut store, &breaks);
            found.set(found.get() + agree(&mut store, &backlog, &touched));
        });
    });
    assert!(found.get() > 20, "too little was broken: {found:?}");
}

#[test]
fn each_thing_that_is_broken_is_found_by_the_suite_of_what_was_touched() {
    let checks = [
        "identity_link_integrity",
        "identity_link_integrity",
        "origin_missing",
        "origin_missing",
        "lead_state",
        "lead_state",
        "link_target_exists",
        "review_consistency",
    ];
    on_each(|mut store| {
        let backlog = night(&mut store, true);
        let all: Vec<SourcePk> =
            (0..LEADS).map(|lead| SourcePk::new(format!("L-{lead}")).unwrap()).collect();
        let run = |store: &mut SqlStore| {
            let facts = StoreFacts::new(store.read().unwrap(), &backlog).of_touched(&all).unwrap();
            Suite::touched().run(&facts, &StoppedClock)
        };
        let sound = run(&mut store);
        for check in &sound.checks {
            let judged = if check.assertion == "review_consistency" {
                Verdict::Inconclusive // nobody was rejected
            } else {
                Verdict::Pass
            };
            assert_eq!(check.verdict, judged, "{check:#?}");
        }
        assert_eq!(sound.kpi.as_ref().unwrap().left, Some(20), "what the last run left");
        assert_eq!(sound.check("drain").unwrap().denominator, Some(40));
        for (what, check) in checks.into_iter().enumerate() {
            // Other leads each time, but for those that are linked to another person now: they are rejected for it.
            broken(&mut store, &[(what, if what == 7 { 1 } else { u8::try_from(what).unwrap() })]);
            let report = run(&mut store);
            assert_eq!(report.check(check).unwrap().verdict, Verdict::Fail, "{what}: {check}");
        }
        // A touched lead whose link is gone is in the backlog again; one that is not touched is not looked at.
        let leaked = run(&mut store);
        assert_eq!(leaked.check("drain").unwrap().verdict, Verdict::Fail);
        let none = StoreFacts::new(store.read().unwrap(), &backlog).of_touched(&[]).unwrap();
        let none = Suite::touched().run(&none, &StoppedClock);
        assert_eq!(none.check("drain").unwrap().verdict, Verdict::Inconclusive);
        assert_eq!(none.totals.fail, 0);
    });
}

#[test]
fn what_is_summed_over_all_leads_is_not_provided_of_some() {
    on_each(|mut store| {
        let backlog = night(&mut store, true);
        let unknown = [SourcePk::new("nobody").unwrap()];
        let facts = StoreFacts::new(store.read().unwrap(), &backlog).of_touched(&unknown).unwrap();
        assert_eq!(facts.snapshot().scope, Some(Scope::Touched(0)));
        assert!(facts.queue().unwrap_err().is_not_provided());
        assert!(facts.ledger().unwrap_err().is_not_provided());
        assert!(facts.ageing().unwrap_err().is_not_provided());
        assert!(facts.lacking().unwrap_err().is_not_provided());
        assert_eq!(facts.runs(5).unwrap().len(), 1);
        assert!(!facts.migrations().unwrap().is_empty());
    });
}
