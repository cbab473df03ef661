//! A person's origin: mended by the run that begins, and kept while two change the person's links at once.

#[cfg(feature = "postgres")]
use std::sync::{Arc, Mutex};

use diesel::prelude::*;
use diesel::sql_types::Text;
#[cfg(feature = "postgres")]
use diesel::sql_types::{BigInt, Integer};
#[cfg(feature = "postgres")]
use recovery_queue::testing::ScriptedResolver;
use recovery_queue::*;

use crate::support::backends::{fill, on_each, prove, resolve, script};
#[cfg(feature = "postgres")]
use crate::support::server;

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// How the database finds the persons who have links and no origin, in a transaction as a run begins with.
fn plan(store: &mut SqlStore) -> String {
    let view = store.view_name("queue_missing_origin");
    match store.connection() {
        #[cfg(feature = "sqlite")]
        Conn::Sqlite(connection) => {
            let steps =
                diesel::sql_query(format!("EXPLAIN QUERY PLAN SELECT person_id FROM {view}"))
                    .load::<Step>(connection);
            steps.unwrap().into_iter().map(|step| step.detail + "\n").collect()
        }
        #[cfg(feature = "postgres")]
        Conn::Postgres(connection) => connection
            .transaction(|connection| {
                diesel::sql_query("SET LOCAL enable_seqscan = off").execute(connection)?;
                let explain = format!("EXPLAIN SELECT person_id FROM {view}");
                diesel::dsl::sql::<Text>(&explain).load::<String>(connection)
            })
            .unwrap()
            .join("\n"),
        #[allow(unreachable_patterns)]
        _ => unreachable!(),
    }
}

#[test]
fn a_run_begins_by_the_persons_without_an_origin_alone_and_mends_those_who_have_links() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 600);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        let plan = plan(&mut store);
        assert!(plan.contains("queue_person_without_origin"), "{plan}");
        assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN z"), "{plan}");

        let person = PersonKey::new("P-1").unwrap();
        let origin = |store: &mut SqlStore| store.person(&person).unwrap().unwrap().origin;
        let before = origin(&mut store).unwrap();
        let persons = store.view_name("queue_person");
        script(
            &mut store,
            &format!("UPDATE {persons} SET origin_lead_id = NULL WHERE person_key = 'P-1'"),
        );
        assert!(origin(&mut store).is_none());
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        assert_eq!(origin(&mut store).unwrap().source_pk, before.source_pk);
        prove(&mut store, 600);
    });
}

#[cfg(feature = "postgres")]
#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[cfg(feature = "postgres")]
fn number(connection: &mut PgConnection, sql: &str, pid: i32) -> i64 {
    let query = diesel::sql_query(sql).bind::<Integer, _>(pid);
    query.get_result::<Number>(connection).unwrap().value
}

#[cfg(feature = "postgres")]
#[test]
fn a_link_undone_while_a_batch_links_another_lead_leaves_the_person_with_an_origin() {
    let Some(server) = server::shared() else { return };
    let mut store = server::store(server);
    let backlog = fill(&mut store, 2);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    let (first, second) = (SourcePk::new("L-0").unwrap(), SourcePk::new("L-1").unwrap());
    let person = PersonKey::new("P").unwrap();
    let decider = Decider { by: "tester", reason: "a test" };
    store.link(&first, &person, decider).unwrap();

    let mut other = store.reopen().unwrap();
    let Conn::Postgres(connection) = other.connection() else { panic!("it is a server") };
    let pid = diesel::select(diesel::dsl::sql::<Integer>("pg_backend_pid()"))
        .get_result::<i32>(connection)
        .unwrap();
    let mut witness = PgConnection::establish(server.url()).unwrap();
    let (other, undone) = (Mutex::new(Some(other)), Arc::new(Mutex::new(None)));
    let (lead, handle) = (first, Arc::clone(&undone));
    store.after_settle(move |_, leads| {
        assert_eq!(leads.len(), 1);
        let mut other = other.lock().unwrap().take().unwrap();
        let lead = lead.clone();
        *handle.lock().unwrap() =
            Some(std::thread::spawn(move || other.unlink(&lead, decider).unwrap()));
        // The batch has linked and holds the person: it commits once the other waits for it.
        let waits = "SELECT count(*) AS value FROM pg_locks WHERE pid = $1 AND NOT granted";
        while number(&mut witness, waits, pid) == 0 {
            std::thread::yield_now();
        }
        Ok(())
    });
    let mut resolver =
        ScriptedResolver::new().otherwise(Resolution::matched(person.clone(), "R", "high"));
    // The batch claims the other lead alone: the first is linked as it begins.
    let summary =
        store.recover(&mut resolver, &RecoverOptions::default().with_limit(Some(1))).unwrap();
    assert_eq!(summary.matched, 1);
    undone.lock().unwrap().take().unwrap().join().unwrap();

    let origin = store.person(&person).unwrap().unwrap().origin.unwrap();
    assert_eq!(origin.source_pk, second);
    prove(&mut store, 2);
}
