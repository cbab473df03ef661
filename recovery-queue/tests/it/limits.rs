//! Limits of a server that end a batch or a seed, and errors that have no code, in English and in Spanish.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use recovery_queue::testing::PostgresServer;
use recovery_queue::*;

use crate::support::backends::{answer, counts, fill, prove, prove_drained, resolve, script};
use crate::support::server;

const LEADS: u32 = 300;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

fn number(store: &mut SqlStore, sql: &str) -> i64 {
    let Conn::Postgres(connection) = store.connection() else { unreachable!() };
    diesel::sql_query(sql).get_result::<Number>(connection).unwrap().value
}

/// A store that belongs to a role with a limit, and one to look on from without any.
fn limited(server: &PostgresServer, setting: &str, limit: &str) -> (SqlStore, SqlStore, String) {
    let mut free = server::store(server);
    let schema = free.view_name("").trim_matches(['"', '.']).to_owned();
    let role = format!("limited_{schema}");
    script(
        &mut free,
        &format!("CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET {setting} = '{limit}'"),
    );
    let url = DatabaseUrl::parse(&server.url().replace("postgres@", &format!("{role}@"))).unwrap();
    let options = OpenOptions::default().with_namespace(Namespace::new(&schema).unwrap());
    let store = SqlStore::open(&url, options).unwrap();
    (store, free, role)
}

/// Answers; a batch of more than `most` leads takes longer than the server bears.
fn slow(mut watch: SqlStore, role: String, most: usize, sizes: &mut Vec<usize>) -> impl Resolver {
    move |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
        sizes.push(leads.len());
        let waits = format!(
            "SELECT count(*) AS value FROM pg_stat_activity \
             WHERE usename = '{role}' AND state = 'idle in transaction'"
        );
        while leads.len() > most && number(&mut watch, &waits) > 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(leads.iter().map(answer).collect())
    }
}

fn batches_of_100() -> RecoverOptions {
    let mut options = RecoverOptions::default();
    options.batch_size = 100;
    options
}

#[test]
fn a_batch_that_idles_too_long_is_halved_until_it_fits() {
    for server in server::in_each_language() {
        let setting = "idle_in_transaction_session_timeout";
        let (mut store, mut free, role) = limited(server, setting, "100ms");
        let backlog = fill(&mut free, LEADS);
        free.seed(&backlog, &SeedOptions::default()).unwrap();
        let mut sizes = Vec::new();
        let mut resolver = slow(free.reopen().unwrap(), role.clone(), 20, &mut sizes);
        let run = store.recover(&mut resolver, &batches_of_100()).unwrap();
        drop(resolver);
        assert_eq!(run.stopped, Stopped::Drained);
        let (tried, fitted) = sizes.split_at(sizes.iter().position(|size| *size <= 20).unwrap());
        assert!(tried.windows(2).all(|pair| pair[1] <= pair[0] / 2), "{tried:?}");
        assert!(fitted.iter().all(|size| *size <= fitted[0]), "halved for good: {sizes:?}");
        prove_drained(&mut free, LEADS);

        // What one lead takes too long for cannot be done, and the setting is named.
        let mut sizes = Vec::new();
        free.wake(&["k".to_owned()]).unwrap();
        let mut resolver = slow(free.reopen().unwrap(), role, 0, &mut sizes);
        let error = store.recover(&mut resolver, &batches_of_100()).unwrap_err();
        drop(resolver);
        assert!(error.to_string().contains(setting), "{error}");
        assert!(error.to_string().contains("100ms"), "{error}");
        assert!(sizes.windows(2).all(|pair| pair[1] <= pair[0] / 2), "{sizes:?}");
        assert_eq!(sizes.last(), Some(&1), "down to one lead, and no more tries");
        assert_eq!(counts(&mut free)[&Status::Pending], u64::from(LEADS) / 3, "none has failed");
        prove(&mut free, LEADS);
    }
}

#[test]
fn a_statement_that_takes_too_long_is_halved_and_a_seed_names_the_limit() {
    let lease = ClaimMode::Lease { ttl: Duration::from_mins(10) };
    let ways = [ClaimMode::Transaction, lease];
    for (server, claim) in server::in_each_language().flat_map(|it| ways.map(|way| (it, way))) {
        let (mut store, mut free, _) = limited(server, "statement_timeout", "1s");
        let backlog = fill(&mut free, LEADS);
        free.seed(&backlog, &SeedOptions::default()).unwrap();
        let (links, slow) = (free.view_name("queue_link"), free.view_name("slow"));
        script(
            &mut free,
            &format!(
                "CREATE FUNCTION {slow}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                     IF (SELECT count(*) FROM added) > 20 THEN PERFORM pg_sleep(600); END IF; \
                     RETURN NULL; END $$; \
                 CREATE TRIGGER slow AFTER INSERT ON {links} REFERENCING NEW TABLE AS added \
                     FOR EACH STATEMENT EXECUTE FUNCTION {slow}()"
            ),
        );
        let run = store.recover(&mut resolve, &batches_of_100().with_claim(claim)).unwrap();
        assert_eq!((run.stopped, run.lost_leases, run.reconnects), (Stopped::Drained, 0, 0));
        prove_drained(&mut free, LEADS);

        let (view, leads) = (free.view_name("slow_backlog"), free.view_name("leads"));
        script(
            &mut free,
            &format!(
                "CREATE VIEW {view} AS SELECT id AS lead_source_pk, born AS lead_date \
                 FROM {leads}, pg_sleep(600)"
            ),
        );
        let slow = ViewBacklog::new(&view.replace('"', "")).unwrap();
        let error = store.seed(&slow, &SeedOptions::default()).unwrap_err();
        assert!(matches!(error, StoreError::Cut { .. }), "{error:?}");
        assert!(error.to_string().contains("statement_timeout"), "{error}");
        assert!(error.to_string().contains("the look at the backlog"), "{error}");
        prove(&mut free, LEADS);
    }
}

/// Makes the writing of settled rows fail: once, or again and again; gives what counts the failures.
fn failing(store: &mut SqlStore, code: &str, always: bool) -> String {
    let (settled, fails) = (store.view_name("queue_settled"), store.view_name("fails"));
    let number = store.view_name("failures");
    let once = if always { "TRUE" } else { "n = 1" };
    script(
        store,
        &format!(
            "CREATE SEQUENCE {number}; \
             CREATE FUNCTION {fails}() RETURNS trigger LANGUAGE plpgsql AS $$ \
                 DECLARE n BIGINT := nextval('{number}'); BEGIN \
                 IF {once} THEN RAISE EXCEPTION USING ERRCODE = '{code}'; END IF; RETURN NULL; END $$; \
             CREATE TRIGGER fails BEFORE INSERT ON {settled} \
                 FOR EACH STATEMENT EXECUTE FUNCTION {fails}()"
        ),
    );
    number
}

#[test]
fn an_error_without_a_code_is_tried_once_more_on_a_fresh_session() {
    for server in server::in_each_language() {
        // A deadlock's code is one that Diesel does not hand on.
        let mut store = server::store(server);
        let backlog = fill(&mut store, LEADS);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        failing(&mut store, "deadlock_detected", false);
        let run = store.recover(&mut resolve, &batches_of_100()).unwrap();
        assert_eq!((run.reconnects, run.stopped), (1, Stopped::Drained));
        prove_drained(&mut store, LEADS);

        let mut store = server::store(server);
        let backlog = fill(&mut store, LEADS);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let failures = failing(&mut store, "division_by_zero", true);
        let error = store.recover(&mut resolve, &batches_of_100()).unwrap_err();
        assert!(matches!(error, StoreError::Unclear { .. }), "{error:?}");
        let times = format!("SELECT last_value AS value FROM {failures}");
        assert_eq!(number(&mut store, &times), 2, "once, and once more");
        prove(&mut store, LEADS);
    }
}

#[test]
fn a_prepared_statement_that_is_another_clients_is_met_in_any_language() {
    for server in server::in_each_language() {
        let mut store = server::store(server);
        let backlog = fill(&mut store, LEADS);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let theirs = "PREPARE __diesel_stmt_0 AS SELECT 1; PREPARE __diesel_stmt_1 AS SELECT 1; \
             PREPARE __diesel_stmt_2 AS SELECT 1; PREPARE __diesel_stmt_3 AS SELECT 1";
        let mut store = store.reopen().unwrap();
        script(&mut store, theirs);
        let run = store.recover(&mut resolve, &batches_of_100()).unwrap();
        assert_eq!(run.stopped, Stopped::Drained);
        prove_drained(&mut store, LEADS);
    }
}
