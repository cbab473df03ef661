//! The databases that the tests of this module run on.

use recovery_queue::DatabaseUrl;
use recovery_queue::testing::PostgresServer;

/// Runs a test on a new file of `SQLite`, and on a PostgreSQL server of its own; `what` is told where there is none.
pub(super) fn on_each(what: &str, test: impl Fn(&DatabaseUrl)) {
    let folder = tempfile::tempdir().unwrap();
    test(&DatabaseUrl::Sqlite(folder.path().join("s.sqlite").into()));
    if let Some(server) = postgres(what) {
        test(&DatabaseUrl::parse(server.url()).unwrap());
    }
}

/// Starts a PostgreSQL server; where there is none `what` is told as left out, and in CI that fails.
pub(super) fn postgres(what: &str) -> Option<PostgresServer> {
    match PostgresServer::start() {
        Ok(server) => Some(server),
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            // Past the harness, which keeps what a passing test prints to itself.
            let said = format!("LEFT OUT: {what} on PostgreSQL: {error}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
            None
        }
    }
}
