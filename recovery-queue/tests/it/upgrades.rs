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

/// Upgrades a stored copy, of whose migrations `known` are known before, and checks that all of it is still there and goes on.
fn upgrades(store: &mut SqlStore, known: usize, pending: u64) {
    assert!(store.read().is_err(), "nothing works on old tables before they are migrated");
    let before = store.migration_status().unwrap();
    assert_eq!(before.applied, before.embedded[..known]);
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

    // Wake keys of then do not say what their values were read by.
    let reading = "0123456789abcdef";
    let woken = [store.wake_outdated(reading, 1), store.wake_outdated(reading, 9)];
    // The copy of PostgreSQL has two pending leads, and two failed ones with wake keys; that of SQLite has neither.
    assert_eq!(woken.map(Result::unwrap).iter().sum::<u64>(), pending);
    assert_eq!(store.wake_outdated(reading, 9).unwrap(), 0);
    check_invariants(store);
}

#[test]
fn a_database_of_the_first_version_upgrades_without_loss_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.sqlite");
    let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    run(&mut store, ON_SQLITE);
    upgrades(&mut store, 1, 0);
}

/// The copy as the first version would have made it under a prefix.
fn under_prefix(prefix: &str) -> String {
    let word = |word: &str| {
        let name = word.trim_start_matches('(').trim_start();
        let ours = name.starts_with("queue_")
            || ["recovery_queue", "identity_links", "identity_origins"].contains(&name);
        if ours { word.replacen(name, &format!("{prefix}{name}"), 1) } else { word.to_owned() }
    };
    let line = |line: &str| {
        // What stands in a row is no name.
        if let Some((into, row)) = line.split_once(" VALUES") {
            let into = into.replacen("INTO ", &format!("INTO {prefix}"), 1);
            return format!("{into} VALUES{row}");
        }
        let mut renamed = String::new();
        for part in line.split_inclusive([' ', '(', ')', '.', ',', ';']) {
            let end = part.trim_end_matches([' ', '(', ')', '.', ',', ';']);
            renamed.push_str(&word(end));
            renamed.push_str(&part[end.len()..]);
        }
        renamed
    };
    ON_SQLITE.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn open_file(dir: &tempfile::TempDir, name: &str) -> SqlStore {
    let url = DatabaseUrl::parse(dir.path().join(name).to_str().unwrap()).unwrap();
    SqlStore::open(&url, OpenOptions::default()).unwrap()
}

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// Everything that a file holds of a kind, by name.
fn names(store: &mut SqlStore, kind: &str) -> Vec<String> {
    use diesel::RunQueryDsl as _;
    let sql = format!(
        "SELECT name FROM sqlite_master WHERE type = '{kind}' AND sql IS NOT NULL ORDER BY name"
    );
    let Conn::Sqlite(connection) = store.connection() else { unreachable!() };
    let rows: Vec<Name> = diesel::sql_query(sql).load(connection).unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

#[test]
fn a_store_under_a_prefix_becomes_that_of_the_file_without_loss() {
    let dir = tempfile::tempdir().unwrap();
    let mut plain = open_file(&dir, "plain.sqlite");
    run(&mut plain, ON_SQLITE);
    plain.migrate().unwrap();
    let mut store = open_file(&dir, "prefixed.sqlite");
    run(&mut store, &under_prefix("crm_"));
    // What the service made of the tables and views goes on.
    run(
        &mut store,
        "CREATE TABLE crm_queue_of_theirs (id TEXT); \
         CREATE VIEW waiting AS SELECT source_pk FROM crm_recovery_queue WHERE status = 'failed'; \
         CREATE VIEW linked AS SELECT l.source_pk FROM crm_queue_lead l JOIN crm_queue_link k ON k.lead_id = l.id",
    );
    upgrades(&mut store, 0, 0);
    let theirs = ["crm_queue_of_theirs".to_owned()];
    let tables: Vec<_> =
        names(&mut store, "table").into_iter().filter(|name| !theirs.contains(name)).collect();
    assert_eq!(tables, names(&mut plain, "table"));
    assert_eq!(names(&mut store, "index"), names(&mut plain, "index"));
    let mut views = names(&mut plain, "view");
    views.extend(
        ["crm_identity_links", "crm_identity_origins", "crm_recovery_queue", "linked", "waiting"]
            .map(str::to_owned),
    );
    views.sort();
    assert_eq!(names(&mut store, "view"), views);
    let count = |store: &mut SqlStore, view: &str| {
        use diesel::RunQueryDsl as _;
        let Conn::Sqlite(connection) = store.connection() else { unreachable!() };
        let sql = format!("SELECT source_pk AS name FROM {view}");
        diesel::sql_query(sql).load::<Name>(connection).unwrap().len()
    };
    assert_eq!((count(&mut store, "waiting"), count(&mut store, "linked")), (3, 2));
    assert!(store.migrate().unwrap().is_empty(), "once and no more");
}

#[test]
fn of_several_stores_in_a_file_the_prefix_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_file(&dir, "two.sqlite");
    run(&mut store, &under_prefix("a_"));
    run(&mut store, &under_prefix("b_"));
    let before = names(&mut store, "table");
    let told = store.migrate().unwrap_err().to_string();
    assert!(told.contains("several stores, under the prefixes a_, b_"), "{told}");
    let told = store.adopt_prefix("c_").unwrap_err().to_string();
    assert!(told.contains("prefixes of stores here: a_, b_"), "{told}");
    assert_eq!(names(&mut store, "table"), before, "nothing is changed");
    assert!(!store.adopt_prefix("b_").unwrap().is_empty());
    assert!(
        names(&mut store, "table").contains(&"a_queue_lead".to_owned()),
        "the other is left alone"
    );
    assert!(store.migration_status().unwrap().is_current());
    assert_eq!(links(&mut store).len(), 3);
    let told = store.adopt_prefix("a_").unwrap_err().to_string();
    assert!(told.contains("a store in its own namespace, too"), "{told}");
    assert!(store.migrate().unwrap().is_empty(), "the file's own store works on");
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
    upgrades(&mut store, 1, 2);
}
