//! A real pooler in transaction mode: each transaction runs in any of its sessions, and nothing is lost or mixed up.
//!
//! The versions before 1.21 know nothing of prepared statements: one client's are not there, or another's are.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use recovery_queue::testing::PostgresServer;
use recovery_queue::*;

use crate::support::backends::{fill, go, prove_drained, resolve};
use crate::support::server;

const LEADS: u32 = 4_000;

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

fn start(server: &PostgresServer) -> Option<Pooler> {
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
         pool_mode = transaction\ndefault_pool_size = 3\n"
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

#[test]
fn a_pooler_that_hands_sessions_on_between_transactions_changes_nothing() {
    let Some(server) = server::shared() else { return };
    let Some(pooler) = start(server) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "pgbouncer is not installed");
        server::left_out("the pooler: there is no pgbouncer");
        return;
    };
    let mut store = server::store_at(&pooler.url);
    let backlog = fill(&mut store, LEADS);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    let mut workers: Vec<_> = (0..6)
        .map(|_| (store.reopen().unwrap(), resolve as fn(&[ClaimedLead]) -> Result<_, _>))
        .collect();
    let mut options = RecoverOptions::default();
    options.batch_size = 50;
    let summary = recover_with_workers(&mut workers, &options, &mut go).unwrap();
    assert_eq!((summary.claimed, summary.stopped), (u64::from(LEADS), Stopped::Drained));
    drop(workers);
    prove_drained(&mut store, LEADS);
}
