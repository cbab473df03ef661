//! The books of migrations, read where the store itself refuses to work.

use diesel::connection::BoxableConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use guardrails::clock::StoppedClock;
use guardrails::{CheckReport, Suite, Verdict};
use recovery_queue::*;

use crate::support::backends::{on_each, script};

const STAMP: Decider<'_> = Decider { by: "ana", reason: "they were there" };

/// Runs the suite over the books alone and gives the check of the heads.
fn heads(store: &mut SqlStore, services: &[ServiceMigrations]) -> CheckReport {
    let facts = BookFacts::read(store, services).unwrap();
    let report = Suite::recovery().run(&facts, &StoppedClock);
    let others = report.checks.iter().filter(|check| check.assertion != "single_migration_head");
    for check in others {
        assert_eq!(check.verdict, Verdict::Error, "{}", check.assertion);
    }
    report.check("single_migration_head").unwrap().clone()
}

fn told(check: &CheckReport) -> Vec<String> {
    check.samples.iter().map(|one| format!("{}: {}", one.key, one.reason)).collect()
}

#[test]
fn every_fault_of_the_queues_book_is_named_though_the_store_refuses_to_open() {
    on_each(|mut store| {
        let sound = heads(&mut store, &[]);
        assert_eq!(sound.verdict, Verdict::Pass, "{sound:?}");
        let book = store.view_name("queue_migration");
        let head = "00000000000016";
        let row = format!("version = '{head}'");
        let cases = [
            // Edited: another file than the one that was applied.
            (
                format!("UPDATE {book} SET sha256 = 'other' WHERE {row}"),
                format!("recovery queue: {head}: applied from a file with another checksum"),
                "Restore the published files",
            ),
            // Two heads: the tables went on by another branch than the book.
            (
                format!("DELETE FROM {book} WHERE version >= '{head}'"),
                format!(
                    "recovery queue: {head}: pending, though its tables are there: two heads, "
                ),
                "Stamp",
            ),
            // Unknown: a newer program's.
            (
                format!("INSERT INTO {book} VALUES ('99990', 'later', '', 1, 0)"),
                "recovery queue: 99990: applied, but the program has no source for it".to_owned(),
                "Run the program that applied",
            ),
            // Tables without a book.
            (
                format!("DROP TABLE {book}"),
                "recovery queue: queue_backlog: it is there, and no book records it".to_owned(),
                "Stamp the tables",
            ),
        ];
        for (spoil, fault, remedy) in cases {
            script(&mut store, &spoil);
            assert!(store.read().is_err(), "{spoil}");
            let check = heads(&mut store, &[]);
            assert_eq!(check.verdict, Verdict::Fail, "{spoil}");
            assert!(
                told(&check).iter().any(|one| one.starts_with(&fault)),
                "{spoil}: {:?}",
                told(&check)
            );
            let remedies: Vec<&str> = check.help.iter().map(|one| one.action.as_str()).collect();
            assert!(remedies.iter().any(|one| one.starts_with(remedy)), "{spoil}: {remedies:?}");
            if remedy == "Stamp" {
                store.stamp_version(head, STAMP).unwrap();
                store.migrate().unwrap();
                assert_eq!(heads(&mut store, &[]).verdict, Verdict::Pass);
            }
        }
        // The remedy of the last one, followed.
        store.stamp(STAMP).unwrap();
        assert_eq!(heads(&mut store, &[]).verdict, Verdict::Pass);
    });
}

/// Writes the migrations of a service into a folder and returns them.
fn service(dir: &tempfile::TempDir, versions: &[&str]) -> FileBasedMigrations {
    for version in versions {
        let folder = dir.path().join(format!("{version}_made"));
        std::fs::create_dir_all(&folder).unwrap();
        let table = format!("t_{}", version.replace('-', "_"));
        std::fs::write(folder.join("up.sql"), format!("CREATE TABLE {table} (\nid TEXT\n);\n"))
            .unwrap();
        std::fs::write(folder.join("down.sql"), format!("DROP TABLE {table};")).unwrap();
    }
    FileBasedMigrations::from_path(dir.path()).unwrap()
}

fn migrations_of(store: &SqlStore, source: &FileBasedMigrations) -> ServiceMigrations {
    #[cfg(feature = "postgres")]
    if store.view_name("").contains('.') {
        return ServiceMigrations::of::<diesel::pg::Pg>("service", source).unwrap();
    }
    let _ = store;
    ServiceMigrations::of::<diesel::sqlite::Sqlite>("service", source).unwrap()
}

/// Reads the migrations of a folder with their scripts.
fn scripts_of(store: &SqlStore, folder: &std::path::Path) -> ServiceMigrations {
    let source = FileBasedMigrations::from_path(folder).unwrap();
    #[cfg(feature = "postgres")]
    if store.view_name("").contains('.') {
        return ServiceMigrations::of_scripts::<diesel::pg::Pg>("service", &source).unwrap();
    }
    let _ = store;
    ServiceMigrations::of_scripts::<diesel::sqlite::Sqlite>("service", &source).unwrap()
}

#[test]
fn the_services_own_book_is_read_beside_and_nothing_is_made() {
    on_each(|mut store| {
        if store.view_name("").contains('.') {
            // A server is shared: the service's tables get a place of their own.
            let schema = format!("books_{}", std::process::id());
            script(&mut store, &format!("CREATE SCHEMA {schema}; SET search_path = {schema}"));
        }
        let dir = tempfile::tempdir().unwrap();
        let source = service(&dir, &["2026-01-01-000000", "2026-01-02-000000"]);
        let own = migrations_of(&store, &source);
        let nothing = heads(&mut store, std::slice::from_ref(&own));
        assert_eq!(
            told(&nothing),
            ["service: 20260101000000: pending", "service: 20260102000000: pending"]
        );
        let diesel = "__diesel_schema_migrations";
        script(
            &mut store,
            &format!(
                "CREATE TABLE {diesel} (version VARCHAR(50) PRIMARY KEY NOT NULL, \
                 run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
            ),
        );
        script(&mut store, &format!("INSERT INTO {diesel} (version) VALUES ('20260101000000')"));
        script(&mut store, &format!("INSERT INTO {diesel} (version) VALUES ('20260103000000')"));
        let two = heads(&mut store, std::slice::from_ref(&own));
        assert_eq!(
            told(&two),
            [
                "service: 20260102000000: pending: two heads, this one of the program and 20260103000000 of \
                 the database",
                "service: 20260103000000: applied, but the program has no source for it",
            ]
        );
        script(
            &mut store,
            &format!(
                "UPDATE {diesel} SET version = '20260102000000' WHERE version = '20260103000000'"
            ),
        );
        let sound = heads(&mut store, &[own]);
        assert_eq!(sound.verdict, Verdict::Pass, "{sound:?}");
        let shown = sound.figures.iter().find(|figure| figure.name == "head");
        assert!(format!("{shown:?}").contains("service: 20260102000000"), "{shown:?}");
    });
}

#[test]
fn a_script_of_the_service_that_is_edited_after_it_was_applied_is_found() {
    on_each(|mut store| {
        if store.view_name("").contains('.') {
            let schema = format!("edited_{}", std::process::id());
            script(&mut store, &format!("CREATE SCHEMA {schema}; SET search_path = {schema}"));
        }
        let dir = tempfile::tempdir().unwrap();
        let source = service(&dir, &["2026-01-01-000000", "2026-01-02-000000"]);
        match store.connection() {
            #[cfg(feature = "sqlite")]
            Conn::Sqlite(connection) => {
                connection.run_pending_migrations(source).map(drop).unwrap();
            }
            #[cfg(feature = "postgres")]
            Conn::Postgres(connection) => {
                connection.run_pending_migrations(source).map(drop).unwrap();
            }
            #[allow(unreachable_patterns)]
            _ => unreachable!(),
        }
        let up = dir.path().join("2026-01-02-000000_made/up.sql");
        let written = std::fs::read_to_string(&up).unwrap();
        let scripts = |store: &SqlStore| scripts_of(store, dir.path());
        let unknown = "whether 2 applied versions were edited since cannot be told";

        // Before anybody recorded them, and where their scripts are not known.
        for own in [scripts(&store), migrations_of(&store, &service(&dir, &[]))] {
            let check = heads(&mut store, &[own]);
            assert_eq!(check.verdict, Verdict::Pass, "{check:?}");
            assert!(check.actual.contains(unknown), "{}", check.actual);
        }
        let own = scripts(&store);
        store.record_service_migrations(&own).unwrap();
        let check = heads(&mut store, &[own]);
        assert_eq!(check.verdict, Verdict::Pass, "{check:?}");
        assert!(!check.actual.contains("cannot be told"), "{}", check.actual);

        // Another system's line endings are no edit.
        std::fs::write(&up, written.replace('\n', "\r\n")).unwrap();
        let own = scripts(&store);
        assert_eq!(heads(&mut store, &[own]).verdict, Verdict::Pass);
        std::fs::write(&up, written.replace("id TEXT", "id TEXT, name TEXT")).unwrap();
        let edited = scripts(&store);
        for _ in 0..2 {
            let check = heads(&mut store, std::slice::from_ref(&edited));
            assert_eq!(check.verdict, Verdict::Fail, "{check:?}");
            let fault =
                "service: 20260102000000: its script is another than when it was first recorded";
            assert_eq!(told(&check), [fault]);
            assert!(check.help[0].action.starts_with("Restore the published files"), "{check:?}");
            // What is recorded stays, so that a run of the edited program hides nothing.
            store.record_service_migrations(&edited).unwrap();
        }
        // The remedy, followed.
        std::fs::write(&up, &written).unwrap();
        let own = scripts(&store);
        assert_eq!(heads(&mut store, &[own]).verdict, Verdict::Pass);
    });
}

/// A migration that makes a table, as the one before it does.
const NEWEST: &str = "00000000000012";

/// Applies the queue's migrations before the newest that makes a table.
fn as_another_branch_left_it<DB, C>(connection: &mut C, namespace: &Namespace)
where
    DB: diesel::backend::Backend,
    C: BoxableConnection<DB> + 'static,
    QueueMigrations: MigrationSource<DB>,
{
    let all: Vec<Box<dyn Migration<DB>>> =
        QueueMigrations::within(namespace.clone()).migrations().unwrap();
    for migration in all.iter().filter(|known| known.name().version().to_string().as_str() < NEWEST)
    {
        migration.run(connection).unwrap();
    }
}

#[test]
fn a_version_whose_tables_are_there_is_stamped_and_the_rest_is_migrated() {
    let dir = tempfile::tempdir().unwrap();
    let mut places = vec![DatabaseUrl::Sqlite(dir.path().join("queue.sqlite").into())];
    #[cfg(feature = "postgres")]
    if let Some(server) = crate::support::server::shared() {
        places.push(DatabaseUrl::parse(server.url()).unwrap());
    }
    for url in places {
        let namespace = match &url {
            DatabaseUrl::Sqlite(_) => Namespace::default(),
            _ => Namespace::new(&format!("branch_{}", std::process::id())).unwrap(),
        };
        let options = OpenOptions::default().with_namespace(namespace.clone());
        let mut store = SqlStore::open(&url, options).unwrap();
        match store.connection() {
            #[cfg(feature = "sqlite")]
            Conn::Sqlite(connection) => as_another_branch_left_it(connection, &namespace),
            #[cfg(feature = "postgres")]
            Conn::Postgres(connection) => as_another_branch_left_it(connection, &namespace),
            #[allow(unreachable_patterns)]
            _ => unreachable!(),
        }
        let book = store.view_name("queue_migration");
        let embedded = store.migration_status().unwrap().embedded;
        let newest = embedded.iter().position(|version| version == NEWEST).unwrap();
        let (before, last) = (&embedded[newest - 1], &embedded[newest]);
        script(&mut store, &format!("DELETE FROM {book} WHERE version = '{before}'"));
        let status = store.migration_status().unwrap();
        assert_eq!(status.pending, embedded[newest - 1..]);
        assert_eq!(status.made, std::slice::from_ref(before));
        let early = store.migrate().unwrap_err().to_string();
        assert!(early.contains("is there already") && early.contains("stamp"), "{early}");
        let check = heads(&mut store, &[]);
        assert!(told(&check)[0].contains("two heads"), "{:?}", told(&check));
        let stamp = check.help[0].command.clone();
        assert_eq!(stamp, Some(format!("queue_admin stamp {before}")));
        let unmade = store.stamp_version(last, STAMP).unwrap_err().to_string();
        assert!(unmade.contains("they lack "), "{unmade}");
        let unseen = store.stamp_version(&embedded[newest + 1], STAMP).unwrap_err().to_string();
        assert!(unseen.contains("nothing shows"), "{unseen}");
        let unknown = store.stamp_version("99999", STAMP).unwrap_err().to_string();
        assert!(unknown.contains("not pending") && unknown.contains(last.as_str()), "{unknown}");
        store.stamp_version(before, STAMP).unwrap();
        assert_eq!(store.migrate().unwrap(), embedded[newest..]);
        assert!(store.migration_status().unwrap().is_current());
        assert_eq!(heads(&mut store, &[]).verdict, Verdict::Pass);
        assert!(store.stamp_version(before, STAMP).is_err(), "it is recorded already");
    }
}
