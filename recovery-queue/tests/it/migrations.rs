//! The queue's migrations through Diesel's own traits, in the one book of a service.

use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use recovery_queue::*;

/// A migration of the service's own, later than ours.
fn service(dir: &tempfile::TempDir) -> FileBasedMigrations {
    let folder = dir.path().join("2026-01-01-000000_leads");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("up.sql"), "CREATE TABLE leads (id TEXT PRIMARY KEY, born TEXT);")
        .unwrap();
    std::fs::write(folder.join("down.sql"), "DROP TABLE leads;").unwrap();
    FileBasedMigrations::from_path(dir.path()).unwrap()
}

/// Applies both through one book, as a service would, and goes on with a store.
fn one_book<DB, C>(connection: &mut C, namespace: &Namespace)
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    QueueMigrations: MigrationSource<DB>,
    FileBasedMigrations: MigrationSource<DB>,
    for<'a> Conn<'a>: From<&'a mut C>,
{
    let ours = QueueMigrations::within(namespace.clone());
    let all: Vec<Box<dyn Migration<DB>>> = ours.migrations().unwrap();
    assert_eq!(connection.run_pending_migrations(ours.clone()).unwrap().len(), all.len());
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(connection.run_pending_migrations(service(&dir)).unwrap().len(), 1);
    assert!(connection.run_pending_migrations(ours.clone()).unwrap().is_empty(), "nothing twice");
    assert_eq!(connection.applied_migrations().unwrap().len(), all.len() + 1, "one book");

    let mut store = BorrowedStore::within(Conn::from(connection), namespace).unwrap();
    let status = store.migration_status().unwrap();
    assert!(status.is_current(), "{status:?}");
    assert!(store.migrate().unwrap().is_empty(), "the queue's own book says the same");
    let lead = BacklogLead::new(SourcePk::new("L-1").unwrap(), chrono::DateTime::UNIX_EPOCH);
    let backlog = InMemoryBacklog::new("leads", [lead]);
    assert_eq!(store.seed(&backlog, &SeedOptions::default()).unwrap().arrived, 1);
    drop(store);
    let error = connection.revert_last_migration(ours).unwrap_err().to_string();
    assert!(!error.is_empty());
    let mut store = BorrowedStore::within(Conn::from(connection), namespace).unwrap();
    assert!(store.migration_status().unwrap().is_current(), "nothing was taken away");
}

#[test]
fn a_service_applies_the_queues_migrations_through_its_own_book() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    one_book(&mut connection, &Namespace::default());
    #[cfg(feature = "postgres")]
    if let Some(server) = crate::support::server::shared() {
        use diesel::connection::SimpleConnection as _;
        let mut connection = PgConnection::establish(server.url()).unwrap();
        // Diesel's book lies where the service's tables do.
        let schema = format!("book_{}", std::process::id());
        connection
            .batch_execute(&format!("CREATE SCHEMA {schema}; SET search_path = {schema}"))
            .unwrap();
        let namespace = Namespace::new(&format!("in_{schema}")).unwrap();
        one_book(&mut connection, &namespace);
    }
}

#[test]
fn two_sources_in_one_order_stay_two_lines_of_one_book() {
    let versions = |source: &dyn MigrationSource<diesel::sqlite::Sqlite>| -> Vec<String> {
        let migrations = source.migrations().unwrap();
        migrations.iter().map(|migration| migration.name().version().to_string()).collect()
    };
    let ours = versions(&QueueMigrations::default());
    assert!(ours.is_sorted());
    let dir = tempfile::tempdir().unwrap();
    assert!(versions(&service(&dir)).iter().all(|theirs| !ours.contains(theirs)));
}

/// Applies the queue's migrations through its own book, one and then all, and has others refused.
fn checked_book<DB, C>(connection: &mut C, namespace: &Namespace, ns: &str)
where
    DB: diesel::backend::Backend,
    C: diesel::connection::SimpleConnection,
    for<'a> CheckedBook<'a, C>: MigrationHarness<DB>,
    QueueMigrations: MigrationSource<DB>,
    FileBasedMigrations: MigrationSource<DB>,
    for<'a> Conn<'a>: From<&'a mut C>,
{
    let ours = QueueMigrations::within(namespace.clone());
    let all: Vec<Box<dyn Migration<DB>>> = ours.migrations().unwrap();
    let mut book = CheckedBook::within(connection, namespace).unwrap();
    assert!(book.has_pending_migration(ours.clone()).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let theirs = book.run_pending_migrations(service(&dir)).unwrap_err().to_string();
    assert!(theirs.contains("none of the queue's"), "{theirs}");
    assert!(book.applied_migrations().unwrap().is_empty(), "nothing was made");
    // Out of turn, in turn, and twice.
    assert!(book.run_migration(&all[1]).unwrap_err().to_string().contains("next pending"));
    let first = book.run_next_migration(ours.clone()).unwrap().to_string();
    assert_eq!(first, all[0].name().version().to_string());
    assert!(book.run_migration(&all[0]).is_err());
    assert_eq!(book.run_pending_migrations(ours.clone()).unwrap().len(), all.len() - 1);
    assert!(book.run_pending_migrations(ours.clone()).unwrap().is_empty());
    let applied = book.applied_migrations().unwrap();
    assert_eq!(applied.len(), all.len());
    assert_eq!(applied[0].to_string(), all[all.len() - 1].name().version().to_string());
    let kept = book.revert_last_migration(ours.clone()).unwrap_err().to_string();
    assert!(kept.contains("restore a backup"), "{kept}");
    let mut store = BorrowedStore::within(Conn::from(connection), namespace).unwrap();
    assert!(store.migration_status().unwrap().is_current());
    assert!(store.migrate().unwrap().is_empty(), "a store goes by the same book");
    let lead = BacklogLead::new(SourcePk::new("L-1").unwrap(), chrono::DateTime::UNIX_EPOCH);
    let backlog = InMemoryBacklog::new("leads", [lead]);
    assert_eq!(store.seed(&backlog, &SeedOptions::default()).unwrap().arrived, 1);
    drop(store);
    // An edited book is not gone on with, whoever asks.
    let edit = "UPDATE {ns}queue_migration SET sha256 = 'x' WHERE version LIKE '%1'";
    connection.batch_execute(&edit.replace("{ns}", ns)).unwrap();
    let mut book = CheckedBook::within(connection, namespace).unwrap();
    let told = book.run_pending_migrations(ours).unwrap_err().to_string();
    assert!(told.contains("were applied from other files"), "{told}");
}

#[test]
fn the_queues_own_book_is_a_harness_of_diesels_that_checks() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    checked_book(&mut connection, &Namespace::default(), "");
    #[cfg(feature = "postgres")]
    if let Some(server) = crate::support::server::shared() {
        let mut connection = PgConnection::establish(server.url()).unwrap();
        let schema = format!("checked_{}", std::process::id());
        let namespace = Namespace::new(&schema).unwrap();
        checked_book(&mut connection, &namespace, &format!("{schema}."));
    }
}
