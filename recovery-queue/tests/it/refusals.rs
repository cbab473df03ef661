//! Bad input: each is refused before anything is written, with what to do.

use recovery_queue::*;

use crate::loop_on_sqlite::{open, run};
use crate::support::backends::{fill, on_each, told};

const STAMP: Decider<'_> = Decider { by: "ana", reason: "they were there" };

#[test]
fn a_table_of_another_program_with_a_name_of_ours_is_left_alone() {
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other.sqlite");
    let url = DatabaseUrl::parse(path.to_str().unwrap()).unwrap();
    let mut foreign = SqlStore::open(&url, OpenOptions::default()).unwrap();
    run(&mut foreign, "CREATE TABLE queue_lead (id TEXT);");
    assert!(matches!(foreign.migrate(), Err(StoreError::Schema { .. })));
    let error = foreign.stamp(STAMP).unwrap_err().to_string();
    assert!(error.contains("queue_lead.source_pk"), "{error}");
    let names = OpenOptions::default().with_namespace(Namespace::new("ours").unwrap());
    let error = SqlStore::open(&url, names).unwrap_err().to_string();
    assert!(error.contains("a file of its own"), "one file is one namespace: {error}");
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
fn an_error_tells_each_thing_once_and_what_the_database_said_is_its_source() {
    use std::error::Error;
    let said = || Box::<dyn Error + Send + Sync>::from("the words of the database");
    let operation = "the seed";
    let limit = std::time::Duration::from_secs(1);
    for error in [
        StoreError::Unavailable { operation, source: said() },
        StoreError::Unclear { operation, source: said() },
        StoreError::Cut { operation, setting: "statement_timeout", limit, source: said() },
        StoreError::Busy { operation, source: said() },
        StoreError::Aborted { operation, source: said() },
        StoreError::Database { operation, source: said() },
    ] {
        let told = told(&error);
        assert_eq!(told.matches("the words of the database").count(), 1, "{told}");
        assert!(told.ends_with(": the words of the database"), "{told}");
    }
    // What is a variant of its own has no other words than those.
    let key = SourcePk::new("").unwrap_err();
    assert_eq!(told(&StoreError::from(key.clone())), key.to_string());
    on_each(|mut store| {
        fill(&mut store, 1);
        let table = store.view_name("leads");
        let gone = ViewBacklog::new(&table.replace('"', "")).unwrap();
        let error = store.seed(&gone, &SeedOptions::default()).unwrap_err();
        assert!(told(&error).contains("lead_source_pk"), "{error:?}");
    });
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let mut options = RecoverOptions::default();
    options.batch_size = 0;
    assert!(options.check().is_err());
    options.batch_size = 10;
    options.max_attempts = 0;
    assert!(options.check().is_err());
}

#[test]
fn a_service_keeps_its_own_diesel_migrations_in_the_same_database() {
    use diesel_migrations::MigrationHarness;
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    // The service numbers its migrations as ours are numbered.
    let own = dir.path().join("migrations/00000000000001_own");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("up.sql"), "CREATE TABLE customers (id TEXT)").unwrap();
    std::fs::write(own.join("down.sql"), "DROP TABLE customers").unwrap();
    let folder = dir.path().join("migrations");
    let source = || diesel_migrations::FileBasedMigrations::from_path(&folder).unwrap();
    let Conn::Sqlite(connection) = store.connection() else { unreachable!() };
    assert_eq!(connection.run_pending_migrations(source()).unwrap().len(), 1);
    assert_eq!(connection.applied_migrations().unwrap().len(), 1, "its own book holds its own");
    run(&mut store, "INSERT INTO customers VALUES ('C-1')");
    assert!(store.migrate().unwrap().is_empty(), "ours are all applied");
    assert!(store.migration_status().unwrap().is_current());
    let Conn::Sqlite(connection) = store.connection() else { unreachable!() };
    connection.revert_last_migration(source()).unwrap();
    assert!(connection.applied_migrations().unwrap().is_empty());
    assert!(store.migration_status().unwrap().is_current(), "what it undoes is its own");
}
