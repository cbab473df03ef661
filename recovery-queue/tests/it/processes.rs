//! Worker processes: killed at any point, many at once, started together on a fresh database.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use recovery_queue::*;

use crate::support::backends::{backlog_of, counts, fill, prove, prove_drained, resolve, script};
#[cfg(feature = "postgres")]
use crate::support::server;

const LEADS: u32 = 6000;

/// Options for a namespace; none for the default one.
fn within(namespace: &str) -> OpenOptions {
    match namespace {
        "" => OpenOptions::default(),
        name => OpenOptions::default().with_namespace(Namespace::new(name).unwrap()),
    }
}

/// How many statements the process may begin before it dies.
static LEFT: AtomicI64 = AtomicI64::new(i64::MAX);

/// Ends the process at a statement, as a kill would: nothing is told to the database.
struct Deadly;

impl Instrumentation for Deadly {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if matches!(event, InstrumentationEvent::StartQuery { .. })
            && LEFT.fetch_sub(1, Relaxed) <= 0
        {
            std::process::abort();
        }
    }
}

fn deadly() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(Deadly))
}

/// A seed that is told by a table which leads have changed.
fn by_feed(store: &SqlStore) -> SeedOptions {
    let outbox = ViewName::new(&store.view_name("changed").replace('"', "")).unwrap();
    SeedOptions::default().with_feed(Some(Feed::Outbox(outbox)))
}

/// The body of a worker process; does nothing in an ordinary run of the tests.
#[test]
fn worker_process() {
    let Ok(url) = std::env::var("RECOVERY_QUEUE_WORKER") else { return };
    let options = within(&std::env::var("RECOVERY_QUEUE_NAMESPACE").unwrap());
    let dies_at = std::env::var("RECOVERY_QUEUE_DIES").ok();
    if dies_at.is_some() {
        set_default_instrumentation(deadly).unwrap();
    }
    let mut store = SqlStore::open(&DatabaseUrl::parse(&url).unwrap(), options).unwrap();
    if std::env::var_os("RECOVERY_QUEUE_MIGRATES").is_some() {
        store.migrate().unwrap();
        return;
    }
    if let Some(statement) = dies_at {
        let (backlog, options) = (backlog_of(&store), by_feed(&store));
        LEFT.store(statement.parse().unwrap(), Relaxed);
        store.seed(&backlog, &options).unwrap();
        LEFT.store(i64::MAX, Relaxed);
        return;
    }
    let poison = std::env::var("RECOVERY_QUEUE_POISON").ok();
    let mut resolver = |leads: &[ClaimedLead]| {
        if leads.iter().any(|lead| Some(lead.source_pk.as_str()) == poison.as_deref()) {
            std::process::abort();
        }
        resolve(leads)
    };
    let mut options = RecoverOptions::default();
    options.batch_size =
        std::env::var("RECOVERY_QUEUE_BATCH").map_or(64, |text| text.parse().unwrap());
    store.recover(&mut resolver, &options).unwrap();
}

/// A database in which processes work.
struct Place {
    url: String,
    namespace: String,
    store: SqlStore,
    /// Removed last.
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    fn open(url: &str, namespace: &str, folder: Option<tempfile::TempDir>) -> Self {
        let options = within(namespace);
        let store = SqlStore::open(&DatabaseUrl::parse(url).unwrap(), options).unwrap();
        Self { url: url.to_owned(), namespace: namespace.to_owned(), store, _folder: folder }
    }

    #[cfg(feature = "sqlite")]
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("processes.sqlite").to_str().unwrap().to_owned();
        Self::open(&path, "", Some(folder))
    }

    #[cfg(feature = "postgres")]
    fn postgres(name: &str) -> Option<Self> {
        let namespace = format!("{name}_{}", std::process::id());
        Some(Self::open(server::shared()?.url(), &namespace, None))
    }

    fn seeded(mut self, leads: u32) -> Self {
        self.store.migrate().unwrap();
        let backlog = fill(&mut self.store, leads);
        self.store.seed(&backlog, &SeedOptions::default()).unwrap();
        self
    }

    fn worker(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["processes::worker_process", "--exact"])
            .env("RECOVERY_QUEUE_WORKER", &self.url)
            .env("RECOVERY_QUEUE_NAMESPACE", &self.namespace)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn spawn(&self, workers: u32) -> Vec<Child> {
        (0..workers).map(|_| self.worker().spawn().unwrap()).collect()
    }
}

/// Kills workers with SIGKILL at ever other points until a queue is drained, then drains the next.
///
/// `RECOVERY_QUEUE_KILLS` says how often; six times if it says nothing.
fn kill_workers(mut place: impl FnMut(u64) -> Option<Place>, at_once: u32) {
    let kills: u64 = std::env::var("RECOVERY_QUEUE_KILLS").map_or(6, |text| text.parse().unwrap());
    let (mut done, mut at_work, mut queues) = (0, 0, 0);
    while done < kills {
        queues += 1;
        let Some(place) = place(queues) else { return };
        let mut place = place.seeded(LEADS);
        while done < kills && counts(&mut place.store)[&Status::Pending] > 0 {
            let worker = || place.worker().env("RECOVERY_QUEUE_BATCH", "16").spawn().unwrap();
            let children: Vec<Child> = (0..at_once).map(|_| worker()).collect();
            for mut child in children {
                std::thread::sleep(Duration::from_millis(20 + done * 7919 % 180));
                child.kill().unwrap();
                child.wait().unwrap();
                done += 1;
            }
            prove(&mut place.store, LEADS);
        }
        assert!(place.worker().status().unwrap().success());
        prove_drained(&mut place.store, LEADS);
        let runs = place.store.snapshot().unwrap().runs(u32::MAX).unwrap();
        at_work += runs.iter().filter(|run| run.outcome == Some(RunOutcome::Killed)).count();
    }
    if kills > 6 {
        // Past the harness, for the long run.
        let told = format!("{done} kills, {at_work} of them in mid-run, on {queues} queues\n");
        std::io::stderr().write_all(told.as_bytes()).unwrap();
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn workers_killed_on_sqlite_lose_and_double_nothing() {
    kill_workers(|_| Some(Place::sqlite()), 1);
}

#[cfg(feature = "postgres")]
#[test]
fn workers_killed_on_postgres_lose_and_double_nothing() {
    kill_workers(|queue| Place::postgres(&format!("killed{queue}")), 2);
}

/// Lets several processes work at once, of which one is killed.
fn share(mut place: Place, workers: u32) {
    let leads = 3000;
    let mut children = place.spawn(workers);
    std::thread::sleep(Duration::from_millis(60));
    children[0].kill().unwrap();
    for (number, child) in children.iter_mut().enumerate() {
        let status = child.wait().unwrap();
        assert!(number == 0 || status.success(), "worker {number} of {workers}: {status}");
    }
    assert!(place.worker().status().unwrap().success());
    prove_drained(&mut place.store, leads);
}

#[cfg(feature = "sqlite")]
#[test]
fn two_processes_share_a_queue_on_sqlite() {
    share(Place::sqlite().seeded(3000), 2);
}

#[cfg(feature = "postgres")]
#[test]
fn two_to_eight_processes_share_a_queue_on_postgres() {
    for workers in [2, 4, 8] {
        let Some(place) = Place::postgres(&format!("share{workers}")) else { return };
        share(place.seeded(3000), workers);
    }
}

/// Lets a lead kill every process that resolves it.
fn isolate(mut place: Place) {
    let mut deaths = 0;
    while !place.worker().env("RECOVERY_QUEUE_POISON", "L-123").status().unwrap().success() {
        deaths += 1;
        assert!(deaths < 40, "it is never isolated");
    }
    assert!(deaths >= 5, "{deaths}");
    prove(&mut place.store, 300);
    let reasons = place.store.snapshot().unwrap().reason_counts().unwrap();
    assert_eq!((reasons[&FailReason::Error], reasons[&FailReason::NoCandidates]), (1, 99));
    let runs = place.store.snapshot().unwrap().runs(99).unwrap();
    let killed = runs.iter().filter(|run| run.outcome == Some(RunOutcome::Killed)).count();
    assert_eq!(killed, deaths, "each death is on record");
}

#[cfg(feature = "sqlite")]
#[test]
fn a_lead_that_kills_the_process_is_isolated_and_fails_as_error_on_sqlite() {
    isolate(Place::sqlite().seeded(300));
}

#[cfg(feature = "postgres")]
#[test]
fn a_lead_that_kills_the_process_is_isolated_and_fails_as_error_on_postgres() {
    if let Some(place) = Place::postgres("poison") {
        isolate(place.seeded(300));
    }
}

/// Lets four processes migrate one fresh database at once.
fn migrate_at_once(mut place: Place) {
    let mut children: Vec<Child> = (0..4)
        .map(|_| place.worker().env("RECOVERY_QUEUE_MIGRATES", "1").spawn().unwrap())
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let status = place.store.migration_status().unwrap();
    assert!(status.is_current(), "{status:?}");
    assert_eq!(place.store.migrate().unwrap(), [""; 0]);
    prove_drained(&mut place.seeded(0).store, 0);
}

#[cfg(feature = "sqlite")]
#[test]
fn four_processes_that_migrate_a_fresh_database_at_once_all_succeed_on_sqlite() {
    for _ in 0..3 {
        migrate_at_once(Place::sqlite());
    }
}

#[cfg(feature = "postgres")]
#[test]
fn four_processes_that_migrate_a_fresh_database_at_once_all_succeed_on_postgres() {
    for round in 0..3 {
        let Some(place) = Place::postgres(&format!("at_once{round}")) else { return };
        migrate_at_once(place);
    }
}

/// Lets a process die at each statement of a seed by a feed, until one lives to its end.
fn die_while_seeding(place: Place) {
    let mut place = place.seeded(60);
    place.store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
    let (leads, changed) = (place.store.view_name("leads"), place.store.view_name("changed"));
    script(
        &mut place.store,
        &format!(
            "CREATE TABLE {changed} (lead_source_pk TEXT); \
             DELETE FROM {leads} WHERE id IN ('L-3', 'L-6', 'L-9'); \
             INSERT INTO {leads} VALUES ('L-901', '2026-02-01T10:00:00Z'), ('L-902', '2026-02-02T10:00:00Z'); \
             INSERT INTO {changed} VALUES ('L-3'), ('L-6'), ('L-9'), ('L-901'), ('L-902')"
        ),
    );
    let before = counts(&mut place.store);
    let mut deaths = 0;
    while !place.worker().env("RECOVERY_QUEUE_DIES", deaths.to_string()).status().unwrap().success()
    {
        deaths += 1;
        assert!(deaths < 500, "it never lives to its end");
        let leads = if counts(&mut place.store) == before { 60 } else { 62 };
        prove(&mut place.store, leads);
    }
    assert!(deaths > 10, "a seed has more statements: {deaths}");
    let after = counts(&mut place.store);
    assert_eq!((after[&Status::Pending], after[&Status::Withdrawn]), (2, 3), "{after:?}");
    let backlog = backlog_of(&place.store);
    let options = by_feed(&place.store);
    let fed = place.store.seed(&backlog, &options).unwrap();
    assert!(!fed.changed(), "what was taken out of the feed was done: {fed:?}");
    let whole = place.store.seed(&backlog, &SeedOptions::default()).unwrap();
    assert!(!whole.changed(), "nothing is left to do: {whole:?}");
    prove(&mut place.store, 62);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_process_that_dies_at_any_statement_of_a_seed_by_a_feed_leaves_nothing_undone_on_sqlite() {
    die_while_seeding(Place::sqlite());
}

#[cfg(feature = "postgres")]
#[test]
fn a_process_that_dies_at_any_statement_of_a_seed_by_a_feed_leaves_nothing_undone_on_postgres() {
    if let Some(place) = Place::postgres("fed") {
        die_while_seeding(place);
    }
}
