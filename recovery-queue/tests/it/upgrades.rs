//! A database made by the first version of this crate goes on without loss.

use std::collections::BTreeMap;

use recovery_queue::testing::check_invariants;
use recovery_queue::*;

use crate::loop_on_sqlite::run;

const ON_SQLITE: &str = include_str!("../data/first_version_sqlite.sql");

fn links(store: &mut SqlStore) -> Vec<(String, String)> {
    let mut links = Vec::new();
    let take = &mut |link: LinkRow| {
        links.push((link.source_pk.to_string(), link.person_key.to_string()));
    };
    store.snapshot().unwrap().links(take).unwrap();
    links
}

/// Upgrades a stored copy, and checks that all of it is still there and goes on.
fn upgrades(store: &mut SqlStore, pending: u64) {
    assert!(store.read().is_err(), "nothing works on old tables before they are migrated");
    let before = store.migration_status().unwrap();
    assert_eq!(before.applied, before.embedded[..1]);
    assert_eq!(store.migrate().unwrap(), before.embedded[1..]);
    let status = store.migration_status().unwrap();
    assert!(status.is_current(), "{status:?}");
    check_invariants(store);
    let expected = BTreeMap::from([
        (Status::Pending, pending),
        (Status::Matched, 3),
        (Status::Failed, 3),
        (Status::Withdrawn, 0),
    ]);
    let mut snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.status_counts().unwrap(), expected);
    let runs = snapshot.runs(9).unwrap();
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run.outcome == Some(RunOutcome::Done)), "{runs:?}");
    assert_eq!(runs[0].failed, snapshot.reason_counts().unwrap());
    assert_eq!((runs[0].new_backlog_in, runs[1].new_backlog_in), (0, 6 + pending));
    drop(snapshot);
    let linked = links(store);
    let linked: Vec<_> = linked.iter().map(|(lead, person)| (&**lead, &**person)).collect();
    assert_eq!(linked, [("L-0", "P-0"), ("L-1", "P-0"), ("L-2", "P-1")]);

    let mut nobody = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
        Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
    };
    let run = store.recover(&mut nobody, &RecoverOptions::default()).unwrap();
    assert_eq!(run.claimed, pending);
    let decider = Decider { by: "ana", reason: "a mistake" };
    store.unlink(&SourcePk::new("L-2").unwrap(), decider).unwrap();
    check_invariants(store);
}

#[test]
fn a_database_of_the_first_version_upgrades_without_loss_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.sqlite");
    let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    run(&mut store, ON_SQLITE);
    upgrades(&mut store, 0);
}

#[cfg(feature = "postgres")]
#[test]
fn a_database_of_the_first_version_upgrades_without_loss_on_postgres() {
    use diesel::connection::SimpleConnection;
    const ON_POSTGRES: &str = include_str!("../data/first_version_postgres.sql");
    let Some(server) = crate::support::server::shared() else { return };
    let schema = format!("old_{}", std::process::id());
    let copy = ON_POSTGRES
        .replace("recovery.", &format!("{schema}."))
        .replace("CREATE SCHEMA recovery", &format!("CREATE SCHEMA {schema}"));
    let options = OpenOptions::default().with_namespace(Namespace::new(&schema).unwrap());
    let url = DatabaseUrl::parse(server.url()).unwrap();
    let mut store = SqlStore::open(&url, options).unwrap();
    let Conn::Postgres(connection) = store.connection() else { unreachable!() };
    connection.batch_execute(&copy).unwrap();
    upgrades(&mut store, 2);
}
