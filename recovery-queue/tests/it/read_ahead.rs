//! The next batch is decided while the one before it is written, and never by data that has changed since.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use diesel::prelude::*;
use diesel::sql_types::Text;
use recovery_queue::testing::ScriptedResolver;
use recovery_queue::*;

use crate::loop_on_sqlite::{open, run};
use crate::support::backends::{fill, prove};

const LEADS: u32 = 40;

/// One call of a resolver: the leads, and whether they were begun ahead.
type Calls = Arc<Mutex<Vec<(Vec<String>, bool)>>>;

/// Decides by the table `answers` of the store's own file, which it reads on a connection of its own.
struct ByTable {
    connection: SqliteConnection,
    calls: Calls,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    lead: String,
    #[diesel(sql_type = Text)]
    person: String,
}

impl Resolver for ByTable {
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        let keys: Vec<String> = leads.iter().map(|lead| lead.source_pk.to_string()).collect();
        let ahead = std::thread::current().name() == Some("read-ahead");
        self.calls.lock().unwrap().push((keys, ahead));
        let answers: Vec<Answer> = diesel::sql_query("SELECT lead, person FROM answers")
            .load(&mut self.connection)
            .unwrap();
        let of = |lead: &ClaimedLead| {
            let answer = answers.iter().find(|answer| answer.lead == lead.source_pk.as_str());
            let person = PersonKey::new(&*answer.unwrap().person).unwrap();
            Resolution::matched(person, "BY_TABLE", "high")
        };
        Ok(leads.iter().map(of).collect())
    }
}

/// A seeded store of `LEADS` leads, the file that it lies in, a resolver of its table that reads ahead, and the calls.
fn begun(dir: &tempfile::TempDir) -> (SqlStore, PathBuf, ReadAhead<ByTable>, Calls) {
    let mut store = open(dir);
    let backlog = fill(&mut store, LEADS);
    run(
        &mut store,
        "CREATE TABLE answers (lead TEXT, person TEXT); INSERT INTO answers SELECT id, 'P-1' FROM leads;",
    );
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    let path = dir.path().join("queue.sqlite");
    let connection = connect(&path);
    let calls = Calls::default();
    let resolver = ReadAhead::new(ByTable { connection, calls: Arc::clone(&calls) });
    (store, path, resolver, calls)
}

fn connect(path: &std::path::Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}

fn batches(size: u32) -> RecoverOptions {
    let mut options = RecoverOptions::default();
    options.batch_size = size;
    options
}

fn asked(calls: &Calls) -> Vec<String> {
    calls.lock().unwrap().iter().flat_map(|(leads, _)| leads.clone()).collect()
}

fn persons(store: &mut SqlStore) -> Vec<(String, String)> {
    let mut links = Vec::new();
    let each = &mut |link: LinkRow| {
        links.push((link.source_pk.to_string(), link.person_key.to_string()));
    };
    store.snapshot().unwrap().links(each).unwrap();
    links
}

#[test]
fn every_batch_but_the_first_is_begun_ahead_and_no_lead_is_asked_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _, mut resolver, calls) = begun(&dir);
    let told = store.recover(&mut resolver, &batches(7)).unwrap();
    assert_eq!((told.matched, told.batches), (u64::from(LEADS), 6));
    let ahead: Vec<bool> = calls.lock().unwrap().iter().map(|(_, ahead)| *ahead).collect();
    assert_eq!(ahead, [false, true, true, true, true, true]);
    let asked = asked(&calls);
    assert_eq!(asked.len(), LEADS as usize);
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), LEADS as usize);
    prove(&mut store, LEADS);
}

#[test]
fn a_lead_that_changed_since_it_was_begun_is_decided_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, path, mut resolver, calls) = begun(&dir);
    let mut service = connect(&path);
    let mut settled = 0;
    store
        .recover_with_progress(&mut resolver, &batches(10), &mut |progress| {
            // The next batch has been begun: by now its answers say `P-1`.
            settled = progress.total.claimed;
            if settled == 10 {
                while calls.lock().unwrap().len() < 2 {
                    std::thread::yield_now();
                }
                let change = "UPDATE answers SET person = 'P-2'";
                diesel::sql_query(change).execute(&mut service).unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(settled, u64::from(LEADS));
    let persons = persons(&mut store);
    let of = |person: &str| persons.iter().filter(|(_, who)| who == person).count();
    assert_eq!((of("P-1"), of("P-2")), (10, 30));
    prove(&mut store, LEADS);
}

#[test]
fn what_another_store_rejects_meanwhile_is_not_matched() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _, mut resolver, calls) = begun(&dir);
    let mut other = store.reopen().unwrap();
    let mut rejected = None;
    store
        .recover_with_progress(&mut resolver, &batches(10), &mut |progress| {
            if progress.batches == 1 {
                while calls.lock().unwrap().len() < 2 {
                    std::thread::yield_now();
                }
                let lead = SourcePk::new(calls.lock().unwrap()[1].0[3].clone()).unwrap();
                let person = PersonKey::new("P-1").unwrap();
                let decider = Decider { by: "ana", reason: "not her" };
                other.reject_pair(&lead, &person, decider).unwrap();
                rejected = Some(lead);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    let rejected = rejected.unwrap();
    let record = store.lead(&rejected).unwrap().unwrap();
    assert_eq!(record.row.reason, Some(FailReason::Rejected));
    assert!(persons(&mut store).iter().all(|(lead, _)| *lead != rejected.as_str()));
}

#[test]
fn nothing_beyond_the_limit_is_begun() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _, mut resolver, calls) = begun(&dir);
    let told = store.recover(&mut resolver, &batches(10).with_limit(Some(25))).unwrap();
    drop(resolver);
    assert_eq!(told.matched, 25);
    assert_eq!(asked(&calls).len(), 25);
}

#[test]
fn with_a_hook_or_under_a_lease_nothing_is_begun() {
    for lease in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, _, mut resolver, calls) = begun(&dir);
        let mut options = batches(10);
        if lease {
            options =
                options.with_claim(ClaimMode::Lease { ttl: std::time::Duration::from_mins(1) });
        } else {
            store.after_settle(|_, _| Ok(()));
        }
        store.recover(&mut resolver, &options).unwrap();
        drop(resolver);
        assert!(calls.lock().unwrap().iter().all(|(_, ahead)| !ahead));
        assert_eq!(asked(&calls).len(), LEADS as usize);
    }
}

#[test]
fn backlogs_in_turn_are_begun_in_turn() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    let lead =
        |key: String| BacklogLead::new(SourcePk::new(key).unwrap(), chrono::DateTime::UNIX_EPOCH);
    for name in ["one", "two"] {
        let leads = (0..20).map(|at| lead(format!("{name}-{at:02}")));
        store.seed(&InMemoryBacklog::new(name, leads), &SeedOptions::default()).unwrap();
    }
    let calls = Calls::default();
    let told = Arc::clone(&calls);
    let mut resolver = ReadAhead::new(move |leads: &[ClaimedLead]| {
        let keys = leads.iter().map(|lead| lead.source_pk.to_string()).collect();
        told.lock().unwrap().push((keys, std::thread::current().name() == Some("read-ahead")));
        Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
    });
    store.recover(&mut resolver, &batches(8)).unwrap();
    assert_eq!(asked(&calls).len(), 40, "no lead is asked twice");
    assert_eq!(calls.lock().unwrap().iter().filter(|(_, ahead)| !ahead).count(), 1);
}

#[test]
fn a_lead_that_panics_or_fails_ahead_fails_alone() {
    for panics in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(&dir);
        let backlog = fill(&mut store, 30);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let script = ScriptedResolver::new();
        let script =
            if panics { script.panic_on("L-15") } else { script.fail_on("L-15", "out of words") };
        let told = store.recover(&mut ReadAhead::new(script), &batches(10)).unwrap();
        assert_eq!((told.retried, told.failed[&FailReason::NoCandidates]), (1, 29));
    }
}

#[test]
fn what_was_begun_answers_for_the_same_leads_alone() {
    let lead =
        |key: &str| ClaimedLead::new(SourcePk::new(key).unwrap(), chrono::DateTime::UNIX_EPOCH);
    let (one, two, three) = (lead("L-1"), lead("L-2"), lead("L-3"));
    let mut changed = two.clone();
    changed.lead_version = Some("7".to_owned());
    for (begun, asked, calls) in [
        (vec![one.clone(), two.clone()], vec![one.clone(), two.clone()], 1),
        (vec![one.clone(), two.clone()], vec![one.clone()], 1),
        (vec![one.clone(), two.clone()], vec![two.clone()], 2),
        (vec![one.clone(), two.clone()], vec![one.clone(), changed], 2),
        (vec![one.clone()], vec![one.clone(), three], 2),
    ] {
        let told = Calls::default();
        let count = Arc::clone(&told);
        let mut resolver = ReadAhead::new(move |leads: &[ClaimedLead]| {
            count.lock().unwrap().push((Vec::new(), true));
            let answer = |lead: &ClaimedLead| {
                let person = PersonKey::new(lead.source_pk.as_str()).unwrap();
                Resolution::matched(person, "R", lead.lead_version.as_deref().unwrap_or("none"))
            };
            Ok(leads.iter().map(answer).collect())
        });
        resolver.begin(begun);
        let answers = resolver.resolve(&asked).unwrap();
        assert_eq!(told.lock().unwrap().len(), calls);
        assert_eq!(answers.len(), asked.len());
        for (answer, lead) in answers.iter().zip(&asked) {
            let Resolution::Matched(found) = answer else { unreachable!() };
            assert_eq!(found.person_key.as_str(), lead.source_pk.as_str());
            assert_eq!(found.confidence, lead.lead_version.as_deref().unwrap_or("none"));
        }
    }
    let mut forgotten = ReadAhead::new(ScriptedResolver::new());
    forgotten.begin(vec![one.clone()]);
    forgotten.forget();
    assert_eq!(forgotten.resolve(&[one]).unwrap().len(), 1);
}
