//! The private PostgreSQL server that the tests share, a schema each.

use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use recovery_queue::testing::PostgresServer;
use recovery_queue::{DatabaseUrl, Namespace, OpenOptions, SqlStore};

/// Gives the server; where there is none, says so loudly, and fails under `CI=true`.
pub(crate) fn shared() -> Option<&'static PostgresServer> {
    static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
    SERVER
        .get_or_init(|| match PostgresServer::start() {
            Ok(server) => Some(server),
            Err(error) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
                left_out(&format!("the tests on PostgreSQL: {error}"));
                None
            }
        })
        .as_ref()
}

/// Starts a server with settings of its own; where that cannot be, says so loudly, and fails under `CI=true`.
#[cfg(feature = "sqlite")]
pub(crate) fn with(settings: &[(&str, &str)]) -> Option<PostgresServer> {
    match PostgresServer::start_with(settings) {
        Ok(server) => Some(server),
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            left_out(&format!("a test on a PostgreSQL server of its own: {error}"));
            None
        }
    }
}

/// Gives the shared server and one that speaks Spanish, where its locale is there.
pub(crate) fn in_each_language() -> impl Iterator<Item = &'static PostgresServer> {
    static SPANISH: OnceLock<Option<PostgresServer>> = OnceLock::new();
    let spanish = || {
        shared().and_then(PostgresServer::pid)?;
        let start = || match PostgresServer::start_with(&[("lc_messages", "es_ES.UTF-8")]) {
            Ok(server) => Some(server),
            Err(error) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
                left_out(&format!("a PostgreSQL server that speaks Spanish: {error}"));
                None
            }
        };
        SPANISH.get_or_init(start).as_ref()
    };
    shared().into_iter().chain(std::iter::once_with(spanish).flatten())
}

/// Says what is left out, past the harness, which keeps what a passing test prints to itself.
pub(crate) fn left_out(what: &str) {
    let _ = writeln!(std::io::stderr(), "LEFT OUT: {what}");
}

/// Opens an empty store in a schema of its own.
pub(crate) fn store(server: &PostgresServer) -> SqlStore {
    store_at(server.url())
}

/// Opens an empty store in a schema of its own, by a URL; in partitions where `TEST_PARTITIONS` says how many.
pub(crate) fn store_at(url: &str) -> SqlStore {
    let mut store = unmade(url);
    store.migrate().unwrap();
    if let Ok(partitions) = std::env::var("TEST_PARTITIONS") {
        store.partition_by_lead(partitions.parse().unwrap()).unwrap();
    }
    store
}

/// Opens a store in a schema of its own that has no tables yet.
pub(crate) fn unmade(url: &str) -> SqlStore {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let namespace = Namespace::new(&format!("t{}_{number}", std::process::id())).unwrap();
    let url = DatabaseUrl::parse(url).unwrap();
    SqlStore::open(&url, OpenOptions::default().with_namespace(namespace)).unwrap()
}
