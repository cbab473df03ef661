//! The facts of a store on SQLite: one read, time limits that hold, keys in one spelling.

use guardrails::clock::StoppedClock;
use guardrails::facts::Offender;
use guardrails::recovery::{Invariant, RecoveryFacts};
use guardrails::{Check, CheckError, Description, Finding, Suite, Verdict};
use recovery_queue::*;

use crate::loop_on_sqlite::{open, run};
use crate::siblings::{fill, recover, seeded};

/// A check in the middle of a suite that commits new leads and a recovery by a connection of its own.
pub(crate) struct Committing(std::sync::Mutex<Box<dyn FnMut() + Send>>);

pub(crate) fn committing(write: impl FnMut() + Send + 'static) -> Committing {
    Committing(std::sync::Mutex::new(Box::new(write)))
}

impl<F: ?Sized> Check<F> for Committing {
    fn id(&self) -> &'static str {
        "committing"
    }
    fn describe(&self) -> Description {
        Description::judging_itself("another connection commits")
    }
    fn evaluate(&self, _: &F, _: usize) -> Result<Finding, CheckError> {
        (self.0.lock().unwrap())();
        Ok(Finding::judged(Verdict::Pass, "committed"))
    }
}

/// The ids of the recovery's own checks.
fn ids() -> Vec<String> {
    Suite::<dyn RecoveryFacts>::recovery().ids().map(str::to_owned).collect()
}

/// Every check twice, with a commit of another connection between: all of both halves agree.
pub(crate) fn every_check_twice_around<F: RecoveryFacts>(between: Committing) -> Suite<F> {
    let mut suite = Suite::recovery().with(between).unwrap();
    for check in ids() {
        suite = suite.with(Again(format!("{check}_again"), check)).unwrap();
    }
    suite
}

/// A built-in check under another name.
struct Again(String, String);

impl<F: RecoveryFacts> Check<F> for Again {
    fn id(&self) -> &str {
        &self.0
    }
    fn describe(&self) -> Description {
        Description::judging_itself("as before")
    }
    fn evaluate(&self, facts: &F, _: usize) -> Result<Finding, CheckError> {
        let report = Suite::recovery().only([&self.1]).unwrap().run(facts, &StoppedClock);
        let check = &report.checks[0];
        Ok(Finding::judged(check.verdict, check.actual.clone())
            .figure("numerator", check.numerator)
            .figure("denominator", check.denominator.unwrap_or_default()))
    }
}

pub(crate) fn assert_no_figure_moved(report: &guardrails::SuiteReport) {
    assert_eq!(report.check("committing").unwrap().verdict, Verdict::Pass, "nothing was committed");
    for check in ids() {
        let before = report.check(&check).unwrap();
        let after = report.check(&format!("{check}_again")).unwrap();
        assert_eq!((before.verdict, &before.actual), (after.verdict, &after.actual), "{check}");
        let figure =
            |name: &str| after.figures.iter().find(|f| f.name == name).unwrap().value.clone();
        assert_eq!(figure("numerator"), before.numerator.into(), "{check}");
        assert_eq!(figure("denominator"), before.denominator.unwrap_or_default().into(), "{check}");
    }
}

#[test]
fn a_commit_between_two_checks_of_one_suite_moves_no_figure() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, backlog) = seeded(&folder, 30);
    recover(&mut store, 20);

    let mut writer = store.reopen().unwrap();
    let theirs = backlog.clone();
    let suite = every_check_twice_around(committing(move || {
        run(&mut writer, "INSERT INTO leads SELECT 'N-' || id, 1 FROM leads");
        writer.seed(&theirs, &SeedOptions::default()).unwrap();
        recover(&mut writer, 25);
        run(&mut writer, "DELETE FROM queue_link WHERE lead_id < 9");
    }));
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    assert_no_figure_moved(&suite.run(&facts, &StoppedClock));
    drop(facts);
    // A suite over borrowed facts lasts no longer than they do.
    drop(suite);
    let next =
        Suite::recovery().run(&StoreFacts::new(store.read().unwrap(), &backlog), &StoppedClock);
    assert_eq!(next.check("drain").unwrap().numerator, 8, "the next read sees what was written");
}

/// Runs all checks on one reader, and on three of one snapshot while others write; gives how many there were.
pub(crate) fn assert_several_readers_see_what_one_does(
    store: &mut SqlStore,
    backlog: &ViewBacklog,
    meanwhile: impl FnOnce(),
) -> usize {
    let suite = || Suite::recovery().and(Suite::surroundings()).unwrap();
    // Durations stand still, and so do ages.
    store.set_clock(Some("2027-03-05T00:00:00Z".parse().unwrap()));
    let mut readers = store.read_on_several(3).unwrap().into_iter();
    let mut first = StoreFacts::new(readers.next().unwrap(), backlog);
    let mut others: Vec<_> = readers.map(|reader| first.beside(reader)).collect();
    // Committed after all have begun: none of them sees it.
    let alone = suite().run(&StoreFacts::new(store.read().unwrap(), backlog), &StoppedClock);
    meanwhile();
    let report = suite().run_on_readers(&mut first, &mut others, &StoppedClock);
    // On PostgreSQL each snapshot has a name of its own.
    let plain = |mut report: guardrails::SuiteReport| {
        report.snapshot_id.clear();
        for check in &mut report.checks {
            check.snapshot_id.clear();
        }
        report
    };
    assert_eq!(plain(report), plain(alone));
    1 + others.len()
}

#[test]
fn several_readers_see_what_one_does_also_while_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, backlog) = seeded(&folder, 30);
    recover(&mut store, 20);
    run(&mut store, "DELETE FROM queue_link WHERE lead_id < 4");
    let mut writer = store.reopen().unwrap();
    let readers = assert_several_readers_see_what_one_does(&mut store, &backlog, || {
        run(&mut writer, "DELETE FROM queue_link WHERE lead_id < 9");
        run(&mut writer, "INSERT INTO leads SELECT 'N-' || id, 1 FROM leads");
    });
    assert_eq!(readers, 3);
}

#[test]
fn readers_that_begin_while_others_commit_are_of_one_instant_or_one_alone() {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    let folder = tempfile::tempdir().unwrap();
    let (mut store, backlog) = seeded(&folder, 3);
    let mut writer = store.reopen().unwrap();
    let done = AtomicBool::new(false);
    let seen: Vec<Vec<u64>> = std::thread::scope(|threads| {
        threads.spawn(|| {
            for lead in 0..500 {
                run(&mut writer, &format!("INSERT INTO leads VALUES ('N-{lead}', 1)"));
            }
            done.store(true, Relaxed);
        });
        let mut seen = Vec::new();
        while !done.load(Relaxed) {
            let readers = store.read_on_several(3).unwrap().into_iter();
            let size = |reader| StoreFacts::new(reader, &backlog).queue().unwrap().backlog;
            seen.push(readers.map(size).collect());
        }
        seen
    });
    assert!(!seen.is_empty());
    assert!(seen.iter().all(|sizes| sizes.iter().all(|size| *size == sizes[0])), "{seen:?}");
    assert!(store.read_on_several(3).unwrap().len() == 3, "nobody writes any more");
}

const ENDLESS: &str = "SELECT 'a' FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                       SELECT count(*) FROM n)";

#[test]
fn a_check_over_its_time_limit_is_an_error_and_the_others_run() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, backlog) = seeded(&folder, 10);
    let slow = guardrails::QueryCheck::new("slow", "it ends", ENDLESS);
    let after = guardrails::QueryCheck::new("after", "there is no lead", "SELECT id FROM leads");
    let soon =
        guardrails::Settings::default().with_time_limit(std::time::Duration::from_millis(20));
    let suite = Suite::recovery().with_settings(slow, soon).unwrap().with(after).unwrap();
    let report = suite.run(&StoreFacts::new(store.read().unwrap(), &backlog), &StoppedClock);
    let slow = report.check("slow").unwrap();
    assert_eq!(slow.verdict, Verdict::Error);
    assert_eq!(slow.reason.as_deref(), Some("no answer within 20ms"));
    let after = report.check("after").unwrap();
    assert_eq!((after.verdict, after.numerator), (Verdict::Fail, 10));
}

#[test]
fn the_time_limit_of_a_built_in_check_holds_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    fill(&mut store, 10);
    run(
        &mut store,
        &format!(
            "CREATE VIEW endless AS SELECT key AS lead_source_pk, \
        '2026-01-01' AS lead_date FROM ({})",
            ENDLESS.replace("SELECT 'a'", "SELECT 'a' AS key")
        ),
    );
    let endless = ViewBacklog::new("endless").unwrap();
    let soon =
        guardrails::Settings::default().with_time_limit(std::time::Duration::from_millis(20));
    let suite = Suite::recovery().only(["source_pk_consistency", "single_migration_head"]).unwrap();
    let suite = suite.configure("source_pk_consistency", soon).unwrap();
    let report = suite.run(&StoreFacts::new(store.read().unwrap(), &endless), &StoppedClock);
    assert_eq!(report.checks[0].reason.as_deref(), Some("no answer within 20ms"), "{report:#?}");
    assert_eq!(report.checks[1].verdict, Verdict::Pass);
}

#[test]
fn a_key_in_another_spelling_is_found_in_every_table() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    fill(&mut store, 3);
    run(
        &mut store,
        "CREATE TABLE claims (claim_id TEXT, source_pk TEXT); \
        INSERT INTO claims VALUES ('c1', 'L-1'), ('c2', ' l-2'), ('c3', 'X-9'), ('c4', 'x-9'), \
        ('c5', '  '), ('c6', NULL), ('c7', 'Y-1');",
    );
    let backlog = ViewBacklog::new("lead_backlog").unwrap();
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    // Two spellings that both came into the queue, and rows that somebody left behind.
    run(&mut store, "INSERT INTO leads VALUES ('L-3.0', 3)");
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    run(
        &mut store,
        "PRAGMA foreign_keys = OFF; INSERT INTO queue_person (id, person_key) VALUES (1, 'P'); \
        INSERT INTO queue_link (lead_id, person_id, rule, confidence, linked_at) VALUES (99, 1, 'r', 'c', 0)",
    );
    let claims = KeyColumn::referring("claims", "source_pk").unwrap();
    store.set_key_columns(&[claims]).unwrap();
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    let odd = facts.offenders(Invariant::SOURCE_PK_IN_ONE_FORMAT, 99).unwrap();
    let expected = [
        ("  ", "a blank key in claims"),
        (" l-2", "written in claims, the queue writes it in another way"),
        ("L-3.0", "the queue holds it in another spelling, too"),
        ("X-9", "written in claims, and in another way elsewhere"),
        ("lead no. 99", "a link whose lead the queue does not hold"),
        ("x-9", "written in claims, and in another way elsewhere"),
    ];
    assert_eq!(odd.listed, expected.map(|(key, reason)| Offender::new(key, reason)));
    assert_eq!((odd.total, odd.population), (6, Some(9)));
    assert!(KeyColumn::referring("claims", "source_pk; --").is_err());
}

/// Salesforce's ids of 15 characters differ in the case of a letter alone.
#[test]
fn two_leads_whose_keys_differ_in_case_are_two_leads() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder);
    run(
        &mut store,
        "CREATE TABLE leads (id TEXT PRIMARY KEY); CREATE TABLE claims (source_pk TEXT); \
         INSERT INTO leads VALUES ('00Q5g00000AbCdE'), ('00Q5g00000ABCDe'), ('00Q5g00000abcdE'); \
         INSERT INTO claims VALUES ('00Q5g00000abcdE'), ('00q5G00000aBcDe'); \
         CREATE VIEW lead_backlog AS SELECT id AS lead_source_pk, '2026-01-01' AS lead_date FROM leads \
             WHERE id NOT IN (SELECT source_pk FROM claims);",
    );
    let backlog = ViewBacklog::new("lead_backlog").unwrap();
    assert_eq!(store.seed(&backlog, &SeedOptions::default()).unwrap().arrived, 2);
    let leads = KeyColumn::of_leads("leads", "id").unwrap();
    store.set_key_columns(std::slice::from_ref(&leads)).unwrap();
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    assert_eq!(facts.offenders(Invariant::SOURCE_PK_IN_ONE_FORMAT, 9).unwrap().total, 0);
    // A claim refers to a lead: one that names none as it is written is odd, one that names a lead is not.
    drop(facts);
    let claims = KeyColumn::referring("claims", "source_pk").unwrap();
    store.set_key_columns(&[leads, claims]).unwrap();
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    let odd = facts.offenders(Invariant::SOURCE_PK_IN_ONE_FORMAT, 9).unwrap();
    let keys: Vec<_> = odd.listed.iter().map(|row| row.key.as_str()).collect();
    assert_eq!((keys, odd.population), (vec!["00q5G00000aBcDe"], Some(4)));
}

#[test]
fn what_failed_leads_lack_is_counted_from_their_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, backlog) = seeded(&folder, 5);
    recover(&mut store, 2);
    let lack = guardrails::recovery::LackCount::new("NO_CANDIDATES", ["document", "email"], 3);
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    assert_eq!(facts.lacking().unwrap(), [lack]);
    let report = Suite::recovery().only(["impact"]).unwrap().run(&facts, &StoppedClock);
    let asked = "3 leads are unknown by what they gave: ask for any of document, e-mail";
    assert!(report.checks[0].help.iter().any(|r| r.action.starts_with(asked)), "{report:#?}");
    drop(facts);
    // A value that could not be read is told apart from one that was never given.
    run(
        &mut store,
        "UPDATE queue_settled SET evidence = replace(evidence, '\"unusable\":[]', \
         '\"unusable\":[{\"source\":{\"field\":\"email\",\"position\":0},\"reason\":\"MALFORMED\"}]') WHERE status = 2",
    );
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    let unread = guardrails::recovery::LackCount::new("NO_CANDIDATES", ["document", "email"], 3);
    assert_eq!(facts.lacking().unwrap(), [unread.unread(["email"])]);
    drop(facts);
    // Evidence of another form tells nothing, and breaks nothing.
    run(&mut store, "UPDATE queue_settled SET evidence = 'not JSON' WHERE status = 2");
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    assert_eq!(facts.lacking().unwrap(), []);
}
