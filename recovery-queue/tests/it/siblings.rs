//! The queue with the sibling crates: a matcher resolves, guardrails judge.

use std::sync::{Arc, Mutex};

use guardrails::clock::StoppedClock;
use guardrails::{Suite, Verdict};
use identity_matching::index::InMemoryIndex;
use identity_matching::{DeterministicMatcher, Normaliser, Policy, Record, Region};
use recovery_queue::*;

use crate::loop_on_sqlite::{at, open, run};

const CHECKS: [&str; 8] = [
    "drain",
    "origin_missing",
    "source_pk_consistency",
    "identity_link_integrity",
    "single_migration_head",
    "ledger_balance",
    "impact",
    "throughput",
];

fn phone(number: u32) -> Record {
    Record { phones: vec![format!("9{number:08}")], ..Record::default() }
}

pub(crate) fn fill(store: &mut SqlStore, leads: u32) {
    run(
        store,
        &format!(
            "CREATE TABLE leads (id TEXT PRIMARY KEY, phone INTEGER); \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {leads}) \
             INSERT INTO leads SELECT 'L-' || i, 87654000 + i * 7 FROM n; \
             CREATE VIEW lead_backlog AS SELECT id AS lead_source_pk, '2026-01-01' AS lead_date \
             FROM leads WHERE id NOT IN (SELECT source_pk FROM identity_links);"
        ),
    );
}

/// A store in a file of the folder with so many leads, all of them pending, and their backlog.
pub(crate) fn seeded(folder: &tempfile::TempDir, leads: u32) -> (SqlStore, ViewBacklog) {
    let mut store = open(folder);
    fill(&mut store, leads);
    let backlog = ViewBacklog::new("lead_backlog").unwrap();
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    (store, backlog)
}

pub(crate) fn recover(store: &mut SqlStore, persons: u32) -> RunSummary {
    let normaliser = Normaliser::for_region(Region::parse("PE").unwrap());
    let mut index = InMemoryIndex::builder();
    for i in 1..=persons {
        index.add(&format!("P-{i}"), &normaliser.normalise(&phone(87_654_000 + i * 7))).unwrap();
    }
    let matcher =
        DeterministicMatcher::new(index.build().unwrap(), normaliser.clone(), Policy::default())
            .unwrap();
    let source = |leads: &[ClaimedLead]| {
        let number = |lead: &ClaimedLead| lead.source_pk.as_str()[2..].parse::<u32>().unwrap();
        Ok(leads.iter().map(|lead| Some(phone(87_654_000 + number(lead) * 7))).collect())
    };
    let mut resolver =
        MatcherResolver::new(matcher, source).with_wake_keys(WakeKeys::new(normaliser, [7; 32]));
    store.recover(&mut resolver, &RecoverOptions::default()).unwrap()
}

#[test]
fn after_a_run_every_guardrail_of_the_queue_passes() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    fill(&mut store, 300);
    let backlog = ViewBacklog::new("lead_backlog").unwrap();
    store.set_clock(Some(at("2026-03-01T10:00:00Z")));
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    store.set_clock(Some(at("2026-03-01T10:05:00Z")));
    let summary = recover(&mut store, 200);
    assert_eq!((summary.matched, summary.failed[&FailReason::NoCandidates]), (200, 100));
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    let report = Suite::recovery().only(CHECKS).unwrap().run(&facts, &StoppedClock);
    for check in CHECKS {
        assert_eq!(report.check(check).unwrap().verdict, Verdict::Pass, "{check}: {report:#?}");
    }
}

/// A matcher whose index does not answer.
struct Away;

impl identity_matching::Matcher for Away {
    fn decide(
        &self,
        _: &[Record],
        _: &identity_matching::Rejections,
    ) -> Result<Vec<identity_matching::Decision>, identity_matching::MatchError> {
        let reason = "the server closed the connection".to_owned();
        Err(identity_matching::index::IndexError::Unavailable { reason, source: None }.into())
    }
}

#[test]
fn an_index_that_is_away_gives_the_batch_back_uncounted() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = seeded(&dir, 20);
    let source = |leads: &[ClaimedLead]| Ok(leads.iter().map(|_| Some(phone(1))).collect());
    let mut resolver = MatcherResolver::new(Away, source);
    let options = RecoverOptions::default().with_max_attempts(1);
    let told = store.recover(&mut resolver, &options).unwrap_err();
    assert!(matches!(&told, StoreError::ResolverUnavailable { .. }), "{told}");
    let check = &mut |row: QueueRow| {
        assert_eq!((row.status, row.attempts), (Status::Pending, 0), "{row:?}");
    };
    store.snapshot().unwrap().queue(check).unwrap();
}

#[test]
fn a_backlog_that_cannot_be_matched_is_explained_and_fails_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, backlog) = seeded(&dir, 203);
    let summary = recover(&mut store, 0);
    assert_eq!((summary.matched, summary.failed_total()), (0, 203));
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    let report = Suite::recovery().run(&facts, &StoppedClock);
    for check in CHECKS {
        assert_ne!(report.check(check).unwrap().verdict, Verdict::Fail, "{check}: {report:#?}");
        assert_ne!(report.check(check).unwrap().verdict, Verdict::Error, "{check}: {report:#?}");
    }
}

#[test]
fn what_is_broken_by_hand_is_found_and_the_origin_mends_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, backlog) = seeded(&dir, 20);
    recover(&mut store, 20);
    let verdict = |store: &mut SqlStore, check: &str| {
        let facts = StoreFacts::new(store.read().unwrap(), &backlog);
        Suite::recovery().run(&facts, &StoppedClock).check(check).unwrap().verdict
    };
    run(&mut store, "UPDATE queue_person SET origin_lead_id = NULL WHERE id = 3;");
    assert_eq!(verdict(&mut store, "origin_missing"), Verdict::Fail);
    recover(&mut store, 20);
    assert_eq!(verdict(&mut store, "origin_missing"), Verdict::Pass);

    run(&mut store, "DELETE FROM queue_link WHERE lead_id = 5;");
    assert_eq!(verdict(&mut store, "drain"), Verdict::Fail);
    assert_eq!(verdict(&mut store, "identity_link_integrity"), Verdict::Fail);
    let seeded = store.seed(&backlog, &SeedOptions::default()).unwrap();
    assert_eq!((seeded.leaks, seeded.new_leaks, seeded.arrived), (1, 1, 0));
}

#[test]
fn the_facts_of_a_store_keep_the_promises_of_their_trait_while_another_connection_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, backlog) = seeded(&folder, 30);
    recover(&mut store, 20);

    let mut writer = store.reopen().unwrap();
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    let before = Suite::recovery().run(&facts, &StoppedClock);
    run(&mut writer, "INSERT INTO leads SELECT 'N-' || i, i FROM (SELECT 1 AS i UNION SELECT 2)");
    writer.seed(&backlog, &SeedOptions::default()).unwrap();
    guardrails::testing::conformance(&facts);
    guardrails::testing::tables_conformance(&facts);
    assert_eq!(Suite::recovery().run(&facts, &StoppedClock), before, "a figure moved");
    drop(facts);

    let after =
        Suite::recovery().run(&StoreFacts::new(store.read().unwrap(), &backlog), &StoppedClock);
    assert_ne!(after, before, "the next read sees what was written");
}

#[test]
fn a_query_of_the_users_own_lists_rows_by_key_and_reason_and_cannot_write() {
    use guardrails::facts::{FactsError, Offender, Query, Tables};
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    fill(&mut store, 3);
    let backlog = ViewBacklog::new("lead_backlog").unwrap();
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    let found = facts.query(&Query::new("SELECT id, phone > 0 FROM leads;"), 1).unwrap();
    assert_eq!((found.total, found.listed), (3, vec![Offender::new("L-1", "1")]));
    assert_eq!(
        facts.query(&Query::new("SELECT id FROM leads"), 9).unwrap().listed[0],
        Offender::new("L-1", "")
    );
    let unknown = facts.query(&Query::new("SELECT id FROM no_such_table"), 9).unwrap_err();
    assert!(unknown.to_string().contains("no such table"), "{unknown}");
    let unknown = facts.query(&Query::new("SELECT id, no_such_column FROM leads"), 9).unwrap_err();
    assert!(unknown.to_string().contains("no_such_column"), "{unknown}");
    assert!(matches!(
        facts.query(&Query::new("DELETE FROM leads"), 9),
        Err(FactsError::Refused { .. })
    ));
}

#[test]
fn the_matcher_is_told_whom_somebody_has_rejected_for_a_lead() {
    use identity_matching::index::InMemoryIndex;
    use identity_matching::{
        DeterministicMatcher, NormaliseOptions, Normaliser, Policy, Record, Region,
    };
    let region = Region::parse("PE").unwrap();
    let normaliser = Normaliser::new(NormaliseOptions::for_region(region)).unwrap();
    let phone = |text: &str| Record { phones: vec![text.into()], ..Record::default() };
    let mut builder = InMemoryIndex::builder();
    builder.add("P-1", &normaliser.normalise(&phone("+51 987 654 321"))).unwrap();
    let index = builder.build().unwrap();
    let matcher = DeterministicMatcher::new(index, normaliser, Policy::default()).unwrap();
    // The first lead has no record, so that places of leads and of records differ.
    let source = |leads: &[ClaimedLead]| {
        let record =
            |lead: &ClaimedLead| (lead.source_pk.as_str() != "L-0").then(|| phone("987654321"));
        Ok(leads.iter().map(record).collect())
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let mut resolver =
        MatcherResolver::new(matcher, source).observing(move |lead, record, decision| {
            let found = decision.outcome.person().is_some();
            noted.lock().unwrap().push((lead.source_pk.to_string(), record.phones.len(), found));
        });
    let leads = ["L-0", "L-1", "L-2"].map(|key| {
        let mut lead = ClaimedLead::new(SourcePk::new(key).unwrap(), chrono::DateTime::UNIX_EPOCH);
        if key != "L-2" {
            lead.rejected = vec![PersonKey::new("P-1").unwrap()];
        }
        lead
    });
    let answers = resolver.resolve(&leads).unwrap();
    let Resolution::Unmatched { reason, evidence, .. } = &answers[1] else {
        panic!("{:?}", answers[1])
    };
    assert_eq!(*reason, FailReason::NoCandidates);
    let evidence = evidence.as_ref().unwrap().as_str();
    assert!(evidence.contains("rejected_by_person"), "{evidence}");
    assert!(
        matches!(&answers[2], Resolution::Matched(found) if found.person_key.as_str() == "P-1")
    );
    // Who looks on sees each decision with its lead; a lead without a record has none.
    let told = [("L-1".to_owned(), 1, false), ("L-2".to_owned(), 1, true)];
    assert_eq!(*seen.lock().unwrap(), told);
}
