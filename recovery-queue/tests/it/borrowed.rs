//! The store on a connection of the caller's: joined to the caller's transaction, and nothing stays behind.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use recovery_queue::*;

use crate::support::backends::{counts, events, fill, on_each, prove, resolve, script, told};

const LEADS: u32 = 300;

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

fn number(conn: &mut Conn<'_>, sql: &str) -> i64 {
    let sql = diesel::sql_query(sql);
    match conn {
        Conn::Sqlite(connection) => sql.get_result::<Number>(&mut **connection).unwrap().value,
        #[cfg(feature = "postgres")]
        Conn::Postgres(connection) => sql.get_result::<Number>(&mut **connection).unwrap().value,
        #[allow(unreachable_patterns)]
        _ => unreachable!(),
    }
}

fn names(conn: &mut Conn<'_>, sql: &str) -> Vec<String> {
    let sql = diesel::sql_query(sql);
    let rows: Vec<Name> = match conn {
        Conn::Sqlite(connection) => sql.load(&mut **connection).unwrap(),
        #[cfg(feature = "postgres")]
        Conn::Postgres(connection) => sql.load(&mut **connection).unwrap(),
        #[allow(unreachable_patterns)]
        _ => unreachable!(),
    };
    rows.into_iter().map(|row| row.value).collect()
}

fn run(conn: &mut Conn<'_>, sql: &str) {
    match conn {
        Conn::Sqlite(connection) => connection.batch_execute(sql).unwrap(),
        #[cfg(feature = "postgres")]
        Conn::Postgres(connection) => connection.batch_execute(sql).unwrap(),
        #[allow(unreachable_patterns)]
        _ => unreachable!(),
    }
}

/// Lends a connection again.
fn again<'a>(conn: &'a mut Conn<'_>) -> Conn<'a> {
    match conn {
        Conn::Sqlite(connection) => Conn::Sqlite(connection),
        #[cfg(feature = "postgres")]
        Conn::Postgres(connection) => Conn::Postgres(connection),
        #[allow(unreachable_patterns)]
        _ => unreachable!(),
    }
}

/// Runs the service's own transaction; rolled back where `body` says so by an error.
fn transaction<T>(
    conn: &mut Conn<'_>,
    body: impl FnOnce(&mut Conn<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    match conn {
        Conn::Sqlite(connection) => {
            connection.immediate_transaction(|connection| body(&mut Conn::Sqlite(connection)))
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(connection) => {
            connection.transaction(|connection| body(&mut Conn::Postgres(connection)))
        }
        #[allow(unreachable_patterns)]
        _ => unreachable!(),
    }
}

/// What the service says to have its own transaction rolled back.
fn regret() -> StoreError {
    diesel::result::Error::RollbackTransaction.into()
}

/// A connection of the service's own to the database of a store.
struct Service {
    sqlite: Option<SqliteConnection>,
    #[cfg(feature = "postgres")]
    postgres: Option<PgConnection>,
    namespace: Namespace,
}

impl Service {
    fn beside(store: &mut SqlStore) -> Self {
        let mut file = None;
        let mut namespace = Namespace::default();
        if let Conn::Sqlite(connection) = store.connection() {
            let sql = "SELECT file AS value FROM pragma_database_list WHERE name = 'main'";
            file = Some(names(&mut Conn::Sqlite(connection), sql).remove(0));
        } else {
            let schema = store.view_name("");
            namespace = Namespace::new(schema.trim_matches(['"', '.'])).unwrap();
        }
        let sqlite = file.map(|file| SqliteConnection::establish(&file).unwrap());
        #[cfg(feature = "postgres")]
        let postgres = sqlite.is_none().then(|| {
            let server = crate::support::server::shared().expect("the store is on it");
            PgConnection::establish(server.url()).unwrap()
        });
        Self {
            sqlite,
            #[cfg(feature = "postgres")]
            postgres,
            namespace,
        }
    }

    fn conn(&mut self) -> Conn<'_> {
        #[cfg(feature = "postgres")]
        if let Some(connection) = &mut self.postgres {
            return Conn::from(connection);
        }
        Conn::from(self.sqlite.as_mut().expect("one of both"))
    }
}

/// Makes a drained store whose failed leads wait for the key `k`, and the table of the service's persons.
fn drained(store: &mut SqlStore) -> ViewBacklog {
    let backlog = fill(store, LEADS);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
    let person = store.view_name("person");
    script(store, &format!("CREATE TABLE {person} (name TEXT)"));
    backlog
}

#[test]
fn a_person_is_written_and_its_leads_are_woken_both_or_neither() {
    on_each(|mut store| {
        drained(&mut store);
        let person = store.view_name("person");
        let before = (counts(&mut store), events(&mut store));
        let mut service = Service::beside(&mut store);
        let namespace = service.namespace.clone();
        let mut conn = service.conn();
        for commits in [false, true] {
            let done = transaction(&mut conn, |conn| {
                run(conn, &format!("INSERT INTO {person} VALUES ('Ana')"));
                let mut borrowed = BorrowedStore::within(again(conn), &namespace).unwrap();
                let woken = borrowed.wake(&["k".to_owned()])?;
                assert_eq!(woken, u64::from(LEADS) / 3);
                drop(borrowed);
                if commits { Ok(()) } else { Err(regret()) }
            });
            assert_eq!(done.is_ok(), commits);
            let persons = number(&mut conn, &format!("SELECT count(*) AS value FROM {person}"));
            assert_eq!(persons, i64::from(commits), "the service's own row");
            let after = (counts(&mut store), events(&mut store));
            assert_eq!(after == before, !commits, "{after:?}");
        }
        prove(&mut store, LEADS);
    });
}

#[test]
fn every_write_joins_the_transaction_and_rolls_back_with_it() {
    on_each(|mut store| {
        let backlog = drained(&mut store);
        let (leads, state) = (store.view_name("leads"), |store: &mut SqlStore| {
            (counts(store), events(store), store.snapshot().unwrap().runs(9).unwrap().len())
        });
        let before = state(&mut store);
        let mut service = Service::beside(&mut store);
        let namespace = service.namespace.clone();
        let mut conn = service.conn();
        let done = transaction(&mut conn, |conn| {
            run(conn, &format!("INSERT INTO {leads} VALUES ('L-900', '2026-01-01T00:00:00Z')"));
            let mut borrowed = BorrowedStore::within(again(conn), &namespace).unwrap();
            let options = SeedOptions::default();
            let first = borrowed.seed(&backlog, &options)?;
            assert_eq!(first.arrived, 1);
            assert!(!borrowed.seed(&backlog, &options)?.changed(), "twice in one transaction");
            let decider = Decider { by: "ana", reason: "known in person" };
            let key = |text| SourcePk::new(text).unwrap();
            let person = |text| PersonKey::new(text).unwrap();
            borrowed.link(&key("L-900"), &person("P-1"), decider)?;
            borrowed.move_link(&key("L-900"), &person("P-2"), decider)?;
            borrowed.unlink(&key("L-1"), decider)?;
            borrowed.set_paused(backlog.name(), true, decider)?;
            let reopened = borrowed.reopen_leads(Reopen::Keys(&[key("L-3")]), decider)?;
            assert_eq!(reopened, 1);
            borrowed.cancel(&[key("L-6")], decider)?;
            borrowed.forget(Forget::Lead(&key("L-4")), decider)?;
            // An error takes back what it did itself, and nothing before it.
            let refused = borrowed.link(&key("L-900"), &person("P-3"), decider);
            assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
            assert_eq!(borrowed.link_history(&key("L-900"))?.len(), 1);
            let nobody = ViewBacklog::new("no_such_view").unwrap();
            assert!(matches!(borrowed.seed(&nobody, &options), Err(StoreError::Backlog { .. })));
            let seen = borrowed.read()?.status_counts()?;
            assert_eq!(seen[&Status::Pending], 2, "its own writes are seen: {seen:?}");
            Err::<(), _>(regret())
        });
        done.unwrap_err();
        assert_eq!(state(&mut store), before, "nothing remained");
        prove(&mut store, LEADS);
    });
}

#[test]
fn a_leased_batch_is_settled_in_the_callers_transaction() {
    on_each(|mut store| {
        let backlog = fill(&mut store, LEADS);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let run_id = store.open_run(&NewRun::new(RunKind::Recover, "service", None)).unwrap();
        let mut service = Service::beside(&mut store);
        let namespace = service.namespace.clone();
        let mut conn = service.conn();
        let options = RecoverOptions::default();
        let batch = BatchRequest::new(run_id, 100, &options);
        let hour = std::time::Duration::from_hours(1);
        let mut borrowed = BorrowedStore::within(again(&mut conn), &namespace).unwrap();
        let lease = borrowed.lease(&batch, hour, &mut Cursor::default()).unwrap().unwrap();
        drop(borrowed);
        let answers = resolve(lease.leads()).unwrap();
        let leased = (counts(&mut store), events(&mut store));
        for commits in [false, true] {
            let done = transaction(&mut conn, |conn| {
                let mut borrowed = BorrowedStore::within(again(conn), &namespace).unwrap();
                let settled = borrowed.settle(&batch, &lease, &answers)?;
                assert_eq!((settled.claimed, settled.lost_leases), (100, 0));
                drop(borrowed);
                if commits { Ok(()) } else { Err(regret()) }
            });
            assert_eq!(done.is_ok(), commits);
            let after = (counts(&mut store), events(&mut store));
            assert_eq!(after == leased, !commits, "{after:?}");
        }
        store.close_run(run_id, RunOutcome::Limit).unwrap();
        prove(&mut store, LEADS);
    });
}

#[test]
fn nothing_that_is_set_stays_on_a_lent_connection() {
    on_each(|mut store| {
        let backlog = drained(&mut store);
        let mut service = Service::beside(&mut store);
        let namespace = service.namespace.clone();
        let mut conn = service.conn();
        let sqlite = matches!(conn, Conn::Sqlite(_));
        let settings = if sqlite {
            "SELECT CAST((SELECT timeout FROM pragma_busy_timeout) AS TEXT) || '/' || \
                 (SELECT foreign_keys FROM pragma_foreign_keys) || '/' || \
                 (SELECT query_only FROM pragma_query_only) AS value"
        } else {
            "SELECT name || '=' || setting AS value FROM pg_settings ORDER BY name"
        };
        let temporary = if sqlite {
            "SELECT name AS value FROM sqlite_temp_master"
        } else {
            "SELECT CAST(relname AS TEXT) AS value FROM pg_class WHERE relnamespace = pg_my_temp_schema()"
        };
        let locks = "SELECT count(*) AS value FROM pg_locks \
             WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
        let prepared = "SELECT count(*) AS value FROM pg_prepared_statements";
        let before = names(&mut conn, settings);
        let work = |conn: &mut Conn<'_>| {
            let mut borrowed = BorrowedStore::within(again(conn), &namespace).unwrap();
            borrowed.seed(&backlog, &SeedOptions::default()).unwrap();
            borrowed.wake(&["k".to_owned()]).unwrap();
            borrowed.read().unwrap().status_counts().unwrap();
        };
        work(&mut conn);
        assert_eq!(names(&mut conn, settings), before, "after a transaction of the store's");
        transaction(&mut conn, |conn| {
            work(conn);
            assert_eq!(names(conn, settings), before, "within the caller's");
            assert_eq!(names(conn, temporary), [""; 0], "released, and not only at the end");
            let nobody = ViewBacklog::new("no_such_view").unwrap();
            let mut borrowed = BorrowedStore::within(again(conn), &namespace).unwrap();
            borrowed.seed(&nobody, &SeedOptions::default()).unwrap_err();
            assert_eq!(names(conn, settings), before, "rolled back to the savepoint");
            assert_eq!(names(conn, temporary), [""; 0], "rolled back to the savepoint");
            Ok(())
        })
        .unwrap();
        assert_eq!(names(&mut conn, settings), before, "after the caller's");
        if !sqlite {
            assert_eq!(number(&mut conn, locks), 0);
            assert_eq!(number(&mut conn, prepared), 0, "nothing by name, unless its owner asks");
            store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
            let mut borrowed =
                BorrowedStore::within(again(&mut conn), &namespace).unwrap().keeping_prepared();
            assert!(borrowed.wake(&["k".to_owned()]).unwrap() > 0);
            drop(borrowed);
            assert!(number(&mut conn, prepared) > 0, "its owner asked");
        }
    });
}

#[test]
fn a_deferred_transaction_of_sqlite_that_was_overtaken_is_told_as_busy() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = crate::loop_on_sqlite::open(&dir);
    drained(&mut store);
    let before = counts(&mut store);
    let mut service = Service::beside(&mut store);
    let mut conn = service.conn();
    let Conn::Sqlite(connection) = &mut conn else { unreachable!() };
    let done = connection.transaction(|connection| {
        let sql = "SELECT count(*) AS value FROM leads";
        assert_eq!(number(&mut Conn::Sqlite(connection), sql), i64::from(LEADS));
        script(&mut store, "INSERT INTO person VALUES ('written meanwhile')");
        BorrowedStore::on(connection).wake(&["k".to_owned()])
    });
    let error = done.unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    assert!(error.to_string().contains("immediate_transaction"), "{error}");
    assert!(!error.is_retryable(), "the same call cannot succeed in that transaction");
    assert_eq!(counts(&mut store), before);
}

#[test]
fn tables_of_another_program_are_left_alone_on_a_lent_connection() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    connection.batch_execute("CREATE TABLE queue_lead (id TEXT)").unwrap();
    let mut store = BorrowedStore::on(&mut connection);
    assert!(matches!(store.migrate(), Err(StoreError::Schema { .. })));
    assert!(matches!(store.read().map(|_| ()), Err(StoreError::Schema { .. })));
    let wake = store.wake(&["k".to_owned()]);
    assert!(wake.is_err(), "{wake:?}");
    drop(store);
    let tables = "SELECT count(*) AS value FROM sqlite_master";
    assert_eq!(number(&mut Conn::Sqlite(&mut connection), tables), 1);
}

#[test]
fn bytes_that_are_no_text_are_refused_on_a_lent_connection_too() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    BorrowedStore::on(&mut connection).migrate().unwrap();
    let view = ViewBacklog::new("v").unwrap();
    for (bytes, is_text) in [("c3b1", true), ("ff", false), ("410042", false)] {
        let sql = format!(
            "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT CAST(x'{bytes}' AS TEXT) AS lead_source_pk, \
             '2026-01-01' AS lead_date"
        );
        connection.batch_execute(&sql).unwrap();
        let seeded = BorrowedStore::on(&mut connection).seed(&view, &SeedOptions::default());
        assert_eq!(seeded.is_ok(), is_text, "{bytes}: {seeded:?}");
    }
}

#[cfg(feature = "postgres")]
mod on_postgres {
    use super::*;
    use crate::support::server;

    #[test]
    fn a_transaction_that_has_failed_is_told_and_not_joined() {
        let Some(server) = server::shared() else { return };
        let mut store = server::store(server);
        drained(&mut store);
        let before = counts(&mut store);
        let mut service = Service::beside(&mut store);
        let namespace = service.namespace.clone();
        let mut conn = service.conn();
        let done = transaction(&mut conn, |conn| {
            let Conn::Postgres(connection) = conn else { unreachable!() };
            connection.batch_execute("SELECT 1 / 0").unwrap_err();
            BorrowedStore::within(again(conn), &namespace).unwrap().wake(&["k".to_owned()])
        });
        let error = done.unwrap_err();
        assert!(matches!(error, StoreError::Aborted { .. }), "{error:?}");
        assert!(error.to_string().contains("roll it back"), "{error}");
        assert_eq!(counts(&mut store), before);
    }

    #[test]
    fn a_schema_without_rights_is_told_and_nothing_written() {
        let Some(server) = server::shared() else { return };
        let mut store = server::store(server);
        drained(&mut store);
        let before = counts(&mut store);
        let mut service = Service::beside(&mut store);
        let namespace = service.namespace.clone();
        let role = format!("guest_{}", std::process::id());
        let mut conn = service.conn();
        run(&mut conn, &format!("CREATE ROLE {role}"));
        let done = transaction(&mut conn, |conn| {
            run(conn, &format!("SET LOCAL ROLE {role}"));
            BorrowedStore::within(again(conn), &namespace).unwrap().wake(&["k".to_owned()])
        });
        let error = told(&done.unwrap_err());
        assert!(error.contains("permission denied"), "{error}");
        run(&mut conn, &format!("DROP ROLE {role}"));
        assert_eq!(counts(&mut store), before);
    }
}

#[cfg(feature = "r2d2")]
mod pools {
    use std::time::Duration;

    use diesel::r2d2::{ConnectionManager, Pool, R2D2Connection};

    use super::*;

    fn pool<C: R2D2Connection + 'static>(url: &str, size: u32) -> Pool<ConnectionManager<C>> {
        Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(Duration::from_millis(500))
            .build(ConnectionManager::new(url))
            .unwrap()
    }

    /// Drains a queue on the connections of a pool of two, and finds the pool exhausted by a third.
    fn drains(pool: impl Into<ConnectionPool>, options: OpenOptions, fill_in: &mut SqlStore) {
        let pool = pool.into();
        let backlog = fill(fill_in, LEADS);
        let mut store = SqlStore::from_pool(pool.clone(), options.clone()).unwrap();
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let other = store.reopen().unwrap();
        let none_left = SqlStore::from_pool(pool.clone(), options).unwrap_err();
        assert!(matches!(none_left, StoreError::Unavailable { .. }), "{none_left:?}");
        assert!(none_left.to_string().contains("the pool"), "{none_left}");
        let none_left = store.read().map(|_| ()).unwrap_err();
        assert!(none_left.is_retryable(), "{none_left:?}");
        drop(other);
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        prove(&mut store, LEADS);
        drop(store);
        let state = match &pool {
            ConnectionPool::Sqlite(pool) => pool.state(),
            #[cfg(feature = "postgres")]
            ConnectionPool::Postgres(pool) => pool.state(),
            #[allow(unreachable_patterns)]
            _ => unreachable!(),
        };
        assert_eq!(state.connections, state.idle_connections, "all went back");
    }

    #[test]
    fn a_queue_drains_on_the_connections_of_a_pool() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = crate::loop_on_sqlite::open(&dir);
        let file = "SELECT file AS value FROM pragma_database_list WHERE name = 'main'";
        let file = names(&mut store.connection(), file).remove(0);
        drains(pool::<SqliteConnection>(&file, 2), OpenOptions::default(), &mut store);
        #[cfg(feature = "postgres")]
        if let Some(server) = crate::support::server::shared() {
            let mut store = crate::support::server::store(server);
            let schema = store.view_name("");
            let namespace = Namespace::new(schema.trim_matches(['"', '.'])).unwrap();
            let options = OpenOptions::default().with_namespace(namespace);
            drains(pool::<PgConnection>(server.url(), 2), options, &mut store);
        }
    }
}
