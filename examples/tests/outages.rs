//! What the crates say of an outage: the events that no run meets while all is well.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use guardrails::clock::Monotonic;
use recovery_queue::testing::PostgresServer;
use recovery_queue::{
    BacklogLead, ClaimedLead, Conn, DatabaseUrl, FailReason, InMemoryBacklog, NewRun, OpenOptions,
    QueueStore, Recover, RecoverOptions, Resolution, RunKind, RunStore, SeedOptions, SourcePk,
    SqlStore, StoreError, StoreFacts,
};
use reference_runners::cli::Failure;

fn open(url: &str) -> SqlStore {
    let mut store =
        SqlStore::open(&DatabaseUrl::parse(url).unwrap(), OpenOptions::default()).unwrap();
    store.migrate().unwrap();
    store
}

fn script(store: &mut SqlStore, sql: &str) {
    match store.connection() {
        Conn::Sqlite(connection) => connection.batch_execute(sql).unwrap(),
        Conn::Postgres(connection) => connection.batch_execute(sql).unwrap(),
        _ => unreachable!("there are two backends"),
    }
}

fn backlog(leads: u32) -> InMemoryBacklog {
    let lead = |number| {
        let source_pk = SourcePk::new(format!("LEAD-KEY-{number}")).unwrap();
        BacklogLead::new(source_pk, "2026-01-01T00:00:00Z".parse().unwrap())
    };
    InMemoryBacklog::new("sign-ups", (0..leads).map(lead))
}

fn recover(store: &mut SqlStore) -> Result<(), StoreError> {
    let mut options = RecoverOptions::default();
    options.max_reconnects = 1;
    let mut nobody = |leads: &[ClaimedLead]| {
        Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
    };
    store.recover(&mut nobody, &options).map(drop)
}

/// A worker that died, tables of a newer build, and a database that is locked, and one that stops taking anything
/// in mid-run.
pub(crate) fn of_a_run(folder: &Path) {
    let mut store = open(folder.join("outages.sqlite").to_str().unwrap());
    store.seed(&backlog(2), &SeedOptions::default()).unwrap();
    let run = store.open_run(&NewRun::new(RunKind::Recover, "dies", None)).unwrap();
    store.mark(&format!("{run}/1"), Some(64)).unwrap();
    drop(store);

    let mut store = open(folder.join("outages.sqlite").to_str().unwrap());
    let book = store.view_name("queue_migration");
    script(&mut store, &format!("INSERT INTO {book} VALUES ('99990', 'later', '', 0, 0)"));
    recover(&mut store).unwrap();

    let mut options = OpenOptions::default();
    options.busy_timeout = Duration::ZERO;
    let url = DatabaseUrl::parse(folder.join("outages.sqlite").to_str().unwrap()).unwrap();
    let mut impatient = SqlStore::open(&url, options).unwrap();
    script(&mut store, "BEGIN IMMEDIATE");
    let told = Failure::from(recover(&mut impatient).unwrap_err()).to_string();
    assert!(told.contains("is locked"), "{told}");
    script(&mut store, "ROLLBACK");

    store.seed(&backlog(4), &SeedOptions::default()).unwrap();
    let (ledger, runs) = (store.view_name("queue_ledger"), store.view_name("queue_run"));
    script(
        &mut store,
        &format!(
            "CREATE TRIGGER cut BEFORE INSERT ON {ledger}
             BEGIN SELECT RAISE(ROLLBACK, 'the disk is gone'); END;
             CREATE TRIGGER shut BEFORE UPDATE ON {runs}
             BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END;"
        ),
    );
    let told = Failure::from(recover(&mut store).unwrap_err()).to_string();
    assert!(told.contains("disk is gone"), "{told}");
}

/// A server that ends the connection of a suite between two checks, and a pooler's session; says whether there was a
/// server to try.
pub(crate) fn of_a_server() -> bool {
    let server = match PostgresServer::start() {
        Ok(server) => server,
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            // Past the harness, which keeps what a passing test prints to itself.
            let said = format!("LEFT OUT: the events of a lost PostgreSQL server: {error}\n");
            let _ = std::io::stderr().write_all(said.as_bytes());
            return false;
        }
    };
    let mut store = open(&crate::metrics_server::database_of_its_own(server.url(), "outages"));
    let mut other = store.reopen().unwrap();
    let backlog = backlog(1);
    let facts = StoreFacts::new(store.read().unwrap(), &backlog);
    script(
        &mut other,
        "DO $$ DECLARE others INT; BEGIN LOOP
             PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid();
             GET DIAGNOSTICS others = ROW_COUNT;
             EXIT WHEN others = 0;
             PERFORM pg_stat_clear_snapshot();
         END LOOP; END $$",
    );
    let report = guardrails::Suite::recovery().run(&facts, &Monotonic::start());
    // A backlog in memory says nothing of how its keys are written; all else asks the server.
    let mut rest = report.checks.iter().filter(|check| check.assertion != "source_pk_consistency");
    assert!(rest.all(|check| check.verdict == guardrails::Verdict::Error));
    drop(facts);

    // Another client of a pooler has left statements behind, by the names that are used next.
    other.seed(&backlog, &SeedOptions::default()).unwrap();
    let mut other = other.reopen().unwrap();
    script(&mut other, "PREPARE __diesel_stmt_0 AS SELECT 1; PREPARE __diesel_stmt_1 AS SELECT 1");
    recover(&mut other).unwrap();

    // A limit of the server ends the session of a batch of two while its resolver works.
    let mut watch = other.reopen().unwrap();
    let database = "SELECT current_database() AS value";
    let database = text(&mut watch, database);
    let limit = "SET idle_in_transaction_session_timeout = '50ms'";
    script(&mut watch, &format!("ALTER DATABASE \"{database}\" {limit}"));
    let mut other = other.reopen().unwrap();
    other.seed(&self::backlog(3), &SeedOptions::default()).unwrap();
    let mut slow = |leads: &[ClaimedLead]| {
        let open = "SELECT CAST(count(*) AS TEXT) AS value FROM pg_stat_activity \
             WHERE datname = current_database() AND state = 'idle in transaction'";
        while leads.len() > 1 && text(&mut watch, open) != "0" {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
    };
    let options = RecoverOptions::default();
    other.recover(&mut slow, &options).unwrap();
    true
}

#[derive(diesel::QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

fn text(store: &mut SqlStore, sql: &str) -> String {
    use diesel::RunQueryDsl as _;
    let Conn::Postgres(connection) = store.connection() else { unreachable!("a server's URL") };
    diesel::sql_query(sql).get_result::<Text>(connection).unwrap().value
}
