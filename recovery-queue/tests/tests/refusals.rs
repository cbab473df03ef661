//! Bad input: each is refused before anything is written, with what to do.

use recovery_queue::*;

use crate::loop_on_sqlite::{open, run};

fn refused(store: &mut SqlStore, view: &str) -> String {
    let backlog = ViewBacklog::new(view).unwrap();
    let error = store.seed(&backlog, &SeedOptions::default()).unwrap_err();
    assert!(matches!(error, StoreError::Backlog { .. }), "{error:?}");
    let mut snapshot = store.snapshot().unwrap();
    assert!(snapshot.status_counts().unwrap().values().all(|leads| *leads == 0));
    assert!(snapshot.runs(5).unwrap().is_empty(), "a refused seed leaves no run");
    error.to_string()
}

#[test]
fn a_view_that_is_no_backlog_is_refused_with_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    run(
        &mut store,
        "CREATE VIEW no_key AS SELECT 1 AS id, '2026-01-01' AS lead_date; \
         CREATE VIEW no_date AS SELECT 1 AS lead_source_pk; \
         CREATE VIEW zoneless AS SELECT 1 AS lead_source_pk, '2026-01-01T10:00:00' AS lead_date; \
         CREATE VIEW undateable AS SELECT 1 AS lead_source_pk, 'soon' AS lead_date; \
         CREATE VIEW a_number AS SELECT 1 AS lead_source_pk, 17000 AS lead_date; \
         CREATE VIEW nameless AS SELECT NULL AS lead_source_pk, '2026-01-01' AS lead_date; \
         CREATE VIEW endless AS SELECT hex(zeroblob(400)) AS lead_source_pk, '2026-01-01' AS lead_date;",
    );
    for (view, word) in [
        ("missing", "does not exist"),
        ("no_key", "no column lead_source_pk"),
        ("no_date", "no column lead_date"),
        ("zoneless", "without a zone"),
        ("undateable", "no date"),
        ("a_number", "no date"),
        ("nameless", "empty lead_source_pk"),
        ("endless", "longer than 512"),
    ] {
        let told = refused(&mut store, view);
        assert!(told.contains(word), "{view}: {told}");
    }
}

#[test]
fn tables_of_another_program_are_left_alone_and_ours_can_be_adopted() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    run(&mut store, "DROP TABLE queue_migration;");
    let error = store.migrate().unwrap_err().to_string();
    assert!(error.contains("stamp"), "{error}");
    store.stamp().unwrap();
    assert!(store.migration_status().unwrap().is_current());
    assert!(store.stamp().unwrap_err().to_string().contains("recorded already"));

    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other.sqlite");
    let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
    let mut foreign = SqlStore::open(&url, OpenOptions::default()).unwrap();
    run(&mut foreign, "CREATE TABLE queue_lead (id TEXT);");
    assert!(matches!(foreign.migrate(), Err(StoreError::Schema { .. })));
    let error = foreign.stamp().unwrap_err().to_string();
    assert!(error.contains("queue_lead.source_pk"), "{error}");
    let names = OpenOptions::default().with_namespace(Namespace::new("ours").unwrap());
    SqlStore::open(&url, names).unwrap().migrate().unwrap();
}

#[test]
fn a_newer_schema_is_refused_only_when_it_breaks_older_builds() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    let insert = |breaking: u8| {
        format!(
            "INSERT INTO queue_migration VALUES ('9999{breaking}', 'later', '', {breaking}, 0);"
        )
    };
    run(&mut store, &insert(0));
    store.migrate().unwrap();
    assert_eq!(store.migration_status().unwrap().unknown, ["99990"]);
    run(&mut store, &insert(1));
    assert!(store.migrate().unwrap_err().to_string().contains("newer"));
    assert!(store.read().is_err());
}

#[test]
fn a_changed_file_and_a_missing_column_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    run(&mut store, "UPDATE queue_migration SET sha256 = 'other';");
    let status = store.migration_status().unwrap();
    assert_eq!(status.changed, status.embedded);
    assert!(store.migrate().is_err());
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    run(&mut store, "ALTER TABLE queue_run DROP COLUMN policy;");
    assert_eq!(store.migration_status().unwrap().missing, ["queue_run.policy"]);
    assert!(store.migrate().is_err());
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notes.txt");
    std::fs::write(&path, "not a database, but long enough to be read as a header ".repeat(40))
        .unwrap();
    let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
    let error = SqlStore::open(&url, OpenOptions::default()).unwrap_err().to_string();
    assert!(error.contains("another kind of file"), "{error}");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let mut options = RecoverOptions::default();
    options.batch_size = 0;
    assert!(options.check().is_err());
    options.batch_size = 10;
    options.max_attempts = 0;
    assert!(options.check().is_err());
    for url in ["", ":memory:", "mysql://x", "file:x?mode=memory"] {
        assert!(DatabaseUrl::parse(url).is_err(), "{url}");
    }
    assert!(Namespace::new("a b").is_err());
}

#[test]
fn a_service_keeps_its_own_diesel_migrations_in_the_same_database() {
    use diesel_migrations::MigrationHarness;
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    let Connection::Sqlite(connection) = store.connection() else { unreachable!() };
    let none: Vec<Box<dyn diesel::migration::Migration<diesel::sqlite::Sqlite>>> = connection
        .pending_migrations(diesel_migrations::FileBasedMigrations::from_path(dir.path()).unwrap())
        .unwrap();
    assert!(none.is_empty());
    assert!(connection.applied_migrations().unwrap().is_empty(), "two books, no collision");
    assert!(store.migration_status().unwrap().is_current());
}

#[test]
fn a_paused_backlog_gives_no_leads() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    let lead = BacklogLead::new(SourcePk::new("a").unwrap(), chrono::DateTime::UNIX_EPOCH);
    store.seed(&MemoryBacklog::new("all", [lead]), &SeedOptions::default()).unwrap();
    let recover = |store: &mut SqlStore| {
        let mut nobody = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
            Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
        };
        let mut go = |_: &Progress| std::ops::ControlFlow::Continue(());
        store.recover(&mut nobody, &RecoverOptions::default(), &mut go).unwrap().claimed
    };
    store.set_paused("all", true).unwrap();
    assert_eq!(recover(&mut store), 0);
    store.set_paused("all", false).unwrap();
    assert_eq!(recover(&mut store), 1);
    assert!(store.set_paused("none", true).is_err());
}
