//! A real pooler in transaction mode: each transaction runs in any of its sessions, and nothing is lost or mixed up.
//!
//! The versions before 1.21 know nothing of prepared statements: one client's are not there, or another's are.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use recovery_queue::testing::PostgresServer;
use recovery_queue::*;

use crate::support::backends::{fill, go, prove_drained, resolve};
use crate::support::server;

const LEADS: u32 = 2_000;

/// `pgbouncer` before a server, with fewer sessions than the test has workers.
struct Pooler {
    process: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let mut places: Vec<_> = std::env::split_paths(&folders).collect();
    places.push("/usr/sbin".into());
    places.into_iter().map(|folder| folder.join("pgbouncer")).find(|file| file.is_file())
}

fn start(server: &PostgresServer, size: u32) -> Option<Pooler> {
    let program = program()?;
    let folder = tempfile::tempdir().unwrap();
    let (user, rest) = server.url().strip_prefix("postgres://")?.split_once('@')?;
    let (host, rest) = rest.split_once(':')?;
    let (port, database) = rest.split_once('/')?;
    let own = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = folder.path().join("pgbouncer.ini");
    let text = format!(
        "[databases]\n{database} = host={host} port={port} user={user}\n[pgbouncer]\n\
         listen_addr = 127.0.0.1\nlisten_port = {own}\nunix_socket_dir =\nauth_type = any\n\
         pool_mode = transaction\ndefault_pool_size = {size}\n"
    );
    std::fs::write(&settings, text).unwrap();
    let mut command = Command::new(&program);
    // It refuses to run as root, and reads its settings as whom it becomes.
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"));
    if root {
        command.args(["-u", "postgres"]);
        Command::new("chmod").args(["-R", "a+rX"]).arg(folder.path()).status().unwrap();
    }
    let process =
        command.arg(&settings).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let url = format!("postgres://{user}@127.0.0.1:{own}/{database}");
    let pooler = Pooler { process, url, _folder: folder };
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", own)).is_ok() {
            return Some(pooler);
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("the pooler does not come up");
}

/// A client of the same pool that is not ours, and what it needs of the sessions that it gets.
struct Neighbour {
    connection: PgConnection,
    table: String,
    rows: i64,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Settings that a store could be tempted to leave behind; they are the session's own only where somebody set them.
const CHANGED: &str = "SELECT CAST(name || '=' || setting AS TEXT) AS value FROM pg_settings \
     WHERE source IN ('session', 'interactive') AND name NOT IN \
         ('application_name', 'client_encoding', 'TimeZone', 'DateStyle', 'standard_conforming_strings') \
     ORDER BY name";

impl Neighbour {
    fn of(url: &str, table: String) -> Self {
        let mut connection = PgConnection::establish(url).unwrap();
        connection.batch_execute(&format!("CREATE TABLE {table} (n BIGINT)")).unwrap();
        Self { connection, table, rows: 0 }
    }

    /// Writes, and looks at what lies on the sessions of the pool: it has several of them in hand at once.
    fn works(&mut self, url: &str, size: u32) {
        let sql = format!("INSERT INTO {} VALUES (1)", self.table);
        diesel::sql_query(sql).execute(&mut self.connection).unwrap();
        self.rows += 1;
        let total = format!("SELECT count(*) AS value FROM {}", self.table);
        let total = diesel::sql_query(total).get_result::<Number>(&mut self.connection).unwrap();
        assert_eq!(total.value, self.rows, "its writes land");
        let mut held: Vec<PgConnection> =
            (0..size.min(5)).map(|_| PgConnection::establish(url).unwrap()).collect();
        for connection in &mut held {
            connection.batch_execute("BEGIN").unwrap();
            let mut count =
                |sql: &str| diesel::sql_query(sql).get_result::<Number>(connection).unwrap().value;
            assert_eq!(count("SELECT count(*) AS value FROM pg_prepared_statements"), 0);
            assert_eq!(
                count(
                    "SELECT count(*) AS value FROM pg_class WHERE relnamespace = pg_my_temp_schema()"
                ),
                0
            );
            assert_eq!(
                count(
                    "SELECT count(*) AS value FROM pg_locks \
                     WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                ),
                0
            );
            let changed: Vec<Name> = diesel::sql_query(CHANGED).load(connection).unwrap();
            let changed: Vec<String> = changed.into_iter().map(|row| row.value).collect();
            assert!(changed.is_empty(), "left behind: {changed:?}");
        }
        for connection in &mut held {
            connection.batch_execute("ROLLBACK").unwrap();
        }
    }
}

#[test]
fn a_pooler_that_hands_sessions_on_between_transactions_changes_nothing() {
    for server in server::in_each_language() {
        for size in [1, 3, 20] {
            writes_reads_and_writes(server, size);
        }
    }
}

fn writes_reads_and_writes(server: &PostgresServer, size: u32) {
    let Some(pooler) = start(server, size) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "pgbouncer is not installed");
        server::left_out("the pooler: there is no pgbouncer");
        return;
    };
    let url = &pooler.url;
    let mut store = server::store_at(url);
    let mut neighbour = Neighbour::of(url, store.view_name("neighbours"));
    neighbour.works(url, size);
    // Reads before it writes.
    assert!(store.read().unwrap().status_counts().unwrap().values().all(|leads| *leads == 0));
    neighbour.works(url, size);
    let backlog = fill(&mut store, LEADS);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    neighbour.works(url, size);
    let mut workers: Vec<_> = (0..6)
        .map(|_| (store.reopen().unwrap(), resolve as fn(&[ClaimedLead]) -> Result<_, _>))
        .collect();
    let mut options = RecoverOptions::default();
    options.batch_size = 50;
    let summary = recover_with_workers(&mut workers, &options, &mut go).unwrap();
    assert_eq!((summary.claimed, summary.stopped), (u64::from(LEADS), Stopped::Drained));
    assert_eq!(summary.reconnects, 0, "nothing was lost on the way");
    drop(workers);
    prove_drained(&mut store, LEADS);
    neighbour.works(url, size);
    store.wake(&["k".to_owned()]).unwrap();
    assert!(store.recover(&mut resolve, &options).unwrap().claimed > 0);
    neighbour.works(url, size);
}
