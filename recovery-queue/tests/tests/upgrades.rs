//! A database made by the first version of this crate goes on without loss.

use std::collections::BTreeMap;

use recovery_queue::testing::check_invariants;
use recovery_queue::*;

use crate::loop_on_sqlite::run;

const FIRST_VERSION: &str = include_str!("../data/first_version_sqlite.sql");

#[test]
fn a_database_of_the_first_version_upgrades_without_loss() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.sqlite");
    let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    run(&mut store, FIRST_VERSION);
    store.migrate().unwrap();
    let status = store.migration_status().unwrap();
    assert!(status.is_current(), "{status:?}");
    check_invariants(&mut store);
    let mut snapshot = store.snapshot().unwrap();
    let expected = BTreeMap::from([
        (Status::Pending, 0),
        (Status::Matched, 3),
        (Status::Failed, 3),
        (Status::Withdrawn, 0),
    ]);
    assert_eq!(snapshot.status_counts().unwrap(), expected);
    let mut links = Vec::new();
    snapshot
        .links(&mut |link| links.push((link.source_pk.to_string(), link.person_key.to_string())))
        .unwrap();
    let links: Vec<_> =
        links.iter().map(|(lead, person)| (lead.as_str(), person.as_str())).collect();
    assert_eq!(links, [("L-0", "P-0"), ("L-1", "P-0"), ("L-2", "P-1")]);
    assert_eq!(snapshot.runs(9).unwrap().len(), 2);
}
