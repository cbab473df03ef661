//! What must survive: killed workers, crashed servers, lost leases, full disks, clocks that jump.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use recovery_queue::testing::{check_invariants, minute};
use recovery_queue::*;

use crate::backends::{counts, fill, go, number, prove, prove_drained, resolve};
use crate::loop_on_sqlite::{open, run};
#[cfg(feature = "postgres")]
use crate::server;

const LEADS: u32 = 6000;

fn backlog(leads: u32) -> MemoryBacklog {
    let lead = |i: u32| {
        let at = minute(-10_000 + i64::from(i % 997));
        BacklogLead::new(SourcePk::new(format!("L-{i}")).unwrap(), at)
    };
    MemoryBacklog::new("all", (0..leads).map(lead))
}

/// The body of a worker process; does nothing in an ordinary run of the tests.
#[test]
fn worker_process() {
    let Ok(url) = std::env::var("RECOVERY_QUEUE_WORKER") else { return };
    let namespace = Namespace::new(&std::env::var("RECOVERY_QUEUE_NAMESPACE").unwrap()).unwrap();
    let options = OpenOptions::default().with_namespace(namespace);
    let mut store = SqlStore::open(&DatabaseUrl::parse(&url).unwrap(), options).unwrap();
    let poison = std::env::var("RECOVERY_QUEUE_POISON").ok();
    let mut resolver = |leads: &[ClaimedLead]| {
        if let Some(poison) = &poison
            && leads.iter().any(|lead| lead.source_pk.as_str() == poison)
        {
            std::process::abort();
        }
        resolve(leads)
    };
    let mut options = RecoverOptions::default();
    options.batch_size = 64;
    store.recover(&mut resolver, &options, &mut go).unwrap();
}

fn worker(url: &str, namespace: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["faults::worker_process", "--exact"])
        .env("RECOVERY_QUEUE_WORKER", url)
        .env("RECOVERY_QUEUE_NAMESPACE", namespace)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Kills workers with SIGKILL at ever other points, then lets one finish.
fn kill_workers(url: &str, namespace: &str, store: &mut SqlStore) {
    let kills: u64 = std::env::var("RECOVERY_QUEUE_KILLS").map_or(6, |text| text.parse().unwrap());
    let backlog = fill(store, LEADS);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    for kill in 0..kills {
        let mut child = worker(url, namespace).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 + kill * 7919 % 180));
        child.kill().unwrap();
        child.wait().unwrap();
        prove(store, LEADS);
        let counts = counts(store);
        if counts[&Status::Pending] == 0 && kill + 1 < kills {
            // Work again for the next ones.
            store.wake(&["k".to_owned()]).unwrap();
        }
    }
    assert!(worker(url, namespace).status().unwrap().success());
    prove_drained(store, LEADS);
}

fn sqlite(dir: &tempfile::TempDir) -> (String, SqlStore) {
    let path = dir.path().join("killed.sqlite").to_str().unwrap().to_owned();
    let options = OpenOptions::default().with_namespace(Namespace::new("k").unwrap());
    let mut store = SqlStore::open(&DatabaseUrl::parse(&path).unwrap(), options).unwrap();
    store.migrate().unwrap();
    (path, store)
}

#[test]
fn workers_killed_on_sqlite_lose_and_double_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (path, mut store) = sqlite(&dir);
    kill_workers(&path, "k", &mut store);
}

#[cfg(feature = "postgres")]
#[test]
fn workers_killed_on_postgres_lose_and_double_nothing() {
    let Some(server) = server::shared() else { return };
    let namespace = Namespace::new("killed").unwrap();
    let url = DatabaseUrl::parse(server.url()).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default().with_namespace(namespace)).unwrap();
    store.migrate().unwrap();
    kill_workers(server.url(), "killed", &mut store);
}

#[test]
fn a_lead_that_kills_the_process_is_isolated_and_fails_as_error() {
    let dir = tempfile::tempdir().unwrap();
    let (path, mut store) = sqlite(&dir);
    store.seed(&backlog(300), &SeedOptions::default()).unwrap();
    let mut deaths = 0;
    while !worker(&path, "k").env("RECOVERY_QUEUE_POISON", "L-123").status().unwrap().success() {
        deaths += 1;
        assert!(deaths < 40, "it is never isolated");
    }
    assert!(deaths >= 5, "{deaths}");
    check_invariants(&mut store);
    let mut snapshot = store.snapshot().unwrap();
    let reasons = snapshot.reason_counts().unwrap();
    assert_eq!((reasons[&FailReason::Error], reasons[&FailReason::NoCandidates]), (1, 99));
}

/// Lets another worker take the leads over while the first one still resolves.
fn lease_is_lost(mut first: SqlStore, mut second: SqlStore) {
    first.set_clock(Some(minute(0)));
    first.seed(&backlog(20), &SeedOptions::default()).unwrap();
    second.set_clock(Some(minute(5)));
    let mut options = RecoverOptions::default();
    options.claim = ClaimMode::Lease { ttl: Duration::from_secs(60) };
    options.limit = Some(20);
    let inner = options.clone();
    let mut slow = |leads: &[ClaimedLead]| {
        let taken = second.recover(&mut resolve, &inner, &mut go).unwrap();
        assert_eq!((taken.claimed, taken.lost_leases), (20, 0));
        resolve(leads)
    };
    let late = first.recover(&mut slow, &options, &mut go).unwrap();
    assert_eq!((late.claimed, late.lost_leases, late.matched), (20, 20, 0));
    check_invariants(&mut first);
    let row_attempts = |store: &mut SqlStore| {
        let mut most = 0;
        store.snapshot().unwrap().queue(&mut |row| most = most.max(row.attempts)).unwrap();
        most
    };
    assert_eq!(row_attempts(&mut first), 1, "a lease that ran out counts as an attempt");
}

#[test]
fn a_worker_that_lost_its_lease_writes_nothing_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let second = store.reopen().unwrap();
    lease_is_lost(store, second);
}

#[cfg(feature = "postgres")]
#[test]
fn a_worker_that_lost_its_lease_writes_nothing_on_postgres() {
    let Some(server) = server::shared() else { return };
    let store = server::store(server);
    let second = store.reopen().unwrap();
    lease_is_lost(store, second);
}

#[test]
fn leases_that_are_kept_settle_as_transactions_do() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.seed(&backlog(100), &SeedOptions::default()).unwrap();
    let mut options = RecoverOptions::default();
    options.claim = ClaimMode::Lease { ttl: Duration::from_secs(60) };
    options.batch_size = 30;
    let mut down = |_: &[ClaimedLead]| Err(ResolveError::Unavailable("down".into()));
    let error = store.recover(&mut down, &options, &mut go).unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(counts(&mut store)[&Status::Pending], 100, "the batch was given back");
    let summary = store.recover(&mut resolve, &options, &mut go).unwrap();
    assert_eq!((summary.claimed, summary.lost_leases, summary.matched), (100, 0, 66));
    check_invariants(&mut store);
}

#[cfg(feature = "postgres")]
#[test]
fn many_workers_settle_each_lead_once() {
    let Some(server) = server::shared() else { return };
    let mut store = server::store(server);
    store.seed(&backlog(LEADS), &SeedOptions::default()).unwrap();
    let seen = std::sync::Mutex::new(BTreeMap::<u32, u32>::new());
    let mut workers: Vec<_> = (0..6)
        .map(|_| {
            let resolver = |leads: &[ClaimedLead]| {
                let mut seen = seen.lock().unwrap();
                for lead in leads {
                    *seen.entry(number(lead)).or_default() += 1;
                }
                resolve(leads)
            };
            (store.reopen().unwrap(), resolver)
        })
        .collect();
    let mut options = RecoverOptions::default();
    options.batch_size = 100;
    let summary = recover_with_workers(&mut workers, &options, &mut go).unwrap();
    assert_eq!((summary.claimed, summary.stopped), (u64::from(LEADS), Stopped::Drained));
    assert_eq!(summary.reconnects, 0, "no deadlock");
    drop(workers);
    assert!(seen.into_inner().unwrap().values().all(|times| *times == 1));
    check_invariants(&mut store);
}

#[cfg(feature = "postgres")]
#[test]
fn a_crash_of_the_server_in_mid_run_is_survived_and_reported() {
    use recovery_queue::testing::PostgresServer;
    if server::shared().and_then(PostgresServer::pid).is_none() {
        return;
    }
    let mut server = PostgresServer::start().unwrap();
    let mut store = server::store(&server);
    store.seed(&backlog(LEADS), &SeedOptions::default()).unwrap();
    let mut options = RecoverOptions::default();
    options.batch_size = 100;
    let mut crash_at = vec![40, 10];
    let mut resolver = |leads: &[ClaimedLead]| resolve(leads);
    let summary = store
        .recover(&mut resolver, &options, &mut |progress| {
            if crash_at.last().is_some_and(|at| progress.batches >= *at) {
                crash_at.pop();
                server.crash_and_restart().unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(summary.reconnects >= 2, "{summary:?}");
    assert_eq!(summary.stopped, Stopped::Drained);
    check_invariants(&mut store);
    assert_eq!(counts(&mut store)[&Status::Pending], 0);
}

#[test]
fn a_full_disk_stops_the_run_and_tears_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.seed(&backlog(LEADS), &SeedOptions::default()).unwrap();
    let mut options = RecoverOptions::default();
    options.batch_size = 200;
    let mut full = false;
    // SQLite raises the limit to the present size: the file cannot grow any more.
    run(&mut store, "PRAGMA max_page_count = 1;");
    match store.recover(&mut resolve, &options, &mut go) {
        Err(StoreError::Database { source, .. }) => full = source.to_string().contains("full"),
        other => assert!(other.is_ok(), "{other:?}"),
    }
    assert!(full, "the limit is too high for this test");
    check_invariants(&mut store);
    run(&mut store, "PRAGMA max_page_count = 1000000;");
    store.recover(&mut resolve, &options, &mut go).unwrap();
    assert_eq!(counts(&mut store)[&Status::Pending], 0);
    check_invariants(&mut store);
}

#[test]
fn a_database_that_cannot_be_written_is_told_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.seed(&backlog(10), &SeedOptions::default()).unwrap();
    run(&mut store, "PRAGMA query_only = ON;");
    assert!(store.seed(&backlog(20), &SeedOptions::default()).is_err());
    assert!(store.recover(&mut resolve, &RecoverOptions::default(), &mut go).is_err());
    assert_eq!(counts(&mut store)[&Status::Pending], 10);
}

#[test]
fn a_rolled_up_day_stays_as_it_was_when_the_clock_jumps_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.set_clock(Some(minute(0)));
    store.seed(&backlog(100), &SeedOptions::default()).unwrap();
    let mut limited = RecoverOptions::default();
    limited.limit = Some(40);
    store.set_clock(Some(minute(30)));
    store.recover(&mut resolve, &limited, &mut go).unwrap();
    let day = minute(0).date_naive();
    let days = |store: &mut SqlStore| {
        let mut snapshot = store.snapshot().unwrap();
        snapshot.daily_metrics(day, day + TimeDelta::days(2), chrono_tz::Asia::Kolkata).unwrap()
    };
    let before = days(&mut store);
    store.set_clock(Some(minute(1440)));
    assert!(store.roll_up(minute(5000), None).is_err(), "the future is not over");
    let summed = store.roll_up(minute(1440), None).unwrap();
    assert_eq!((summed.rolled_up, summed.pruned), (140, 0));
    assert_eq!(days(&mut store), before, "a roll-up changes no figure");
    assert!(store.roll_up(minute(1440), Some(minute(1440))).unwrap().pruned > 0);
    assert_eq!(days(&mut store), before, "nor does pruning");
    store.set_clock(Some(minute(45)));
    store.recover(&mut resolve, &RecoverOptions::default(), &mut go).unwrap();
    assert_eq!(days(&mut store)[0], before[0], "a reported day does not change");
    check_invariants(&mut store);
}

#[cfg(feature = "postgres")]
#[test]
fn four_programs_that_migrate_a_new_database_at_once_all_succeed() {
    let Some(server) = server::shared() else { return };
    let url = DatabaseUrl::parse(server.url()).unwrap();
    for round in 0..3 {
        let options = OpenOptions::default()
            .with_namespace(Namespace::new(&format!("at_once_{round}")).unwrap());
        let applied: Vec<usize> = std::thread::scope(|scope| {
            let migrate =
                || SqlStore::open(&url, options.clone()).unwrap().migrate().unwrap().len();
            let handles: Vec<_> = (0..4).map(|_| scope.spawn(migrate)).collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).collect()
        });
        assert_eq!(applied.iter().filter(|applied| **applied > 0).count(), 1);
    }
}
