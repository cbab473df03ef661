//! A person's origin while two change the person's links at once.
#![cfg(feature = "postgres")]

use std::sync::{Arc, Mutex};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use recovery_queue::testing::ScriptedResolver;
use recovery_queue::*;

use crate::support::backends::{fill, prove};
use crate::support::server;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

fn number(connection: &mut PgConnection, sql: &str, pid: i32) -> i64 {
    let query = diesel::sql_query(sql).bind::<Integer, _>(pid);
    query.get_result::<Number>(connection).unwrap().value
}

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
