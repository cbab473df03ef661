//! Bad input on every backend: refused before anything is written, with what to do.

use std::collections::BTreeMap;

use recovery_queue::*;

use crate::support::backends::{counts, on_each, script};

const STAMP: Decider<'_> = Decider { by: "ana", reason: "they were there" };

/// Refuses a view as a backlog, and checks that nothing was written.
fn refused(store: &mut SqlStore, view: &str) -> String {
    let backlog = ViewBacklog::new(&store.view_name(view).replace('"', "")).unwrap();
    let error = store.seed(&backlog, &SeedOptions::default()).unwrap_err();
    assert!(matches!(error, StoreError::Backlog { .. }), "{view}: {error:?}");
    assert!(counts(store).values().all(|leads| *leads == 0));
    assert!(store.snapshot().unwrap().runs(5).unwrap().is_empty(), "a refused seed leaves no run");
    error.to_string()
}

/// Makes a view for each select and expects the words of its refusal: what is wrong, and what to do.
fn refuses(store: &mut SqlStore, cases: &[(&str, &str, &str)]) {
    for (number, (select, problem, remedy)) in cases.iter().enumerate() {
        let name = store.view_name(&format!("bad_{number}"));
        script(store, &format!("CREATE VIEW {name} AS SELECT {select}"));
        let told = refused(store, &format!("bad_{number}"));
        assert!(told.contains(problem) && told.contains(remedy), "{select}: {told}");
    }
}

#[test]
fn a_view_that_is_no_backlog_is_refused_with_the_remedy() {
    on_each(|mut store| {
        let told = refused(&mut store, "nowhere");
        assert!(told.contains("does not exist") && told.contains("create it"), "{told}");
        refuses(
            &mut store,
            &[
                ("1 AS id, '2026-01-01' AS lead_date", "no column lead_source_pk", "COALESCE"),
                ("'a' AS lead_source_pk", "no column lead_date", "add it"),
                (
                    "CAST(NULL AS TEXT) AS lead_source_pk, '2026-01-01' AS lead_date",
                    "empty lead_source_pk",
                    "COALESCE",
                ),
                ("'' AS lead_source_pk, '2026-01-01' AS lead_date", "empty", "COALESCE"),
                (
                    "'a' AS lead_source_pk, '2026-01-01T10:00:00' AS lead_date",
                    "without a zone",
                    "add the zone",
                ),
                ("'a' AS lead_source_pk, 'soon' AS lead_date", "is no date", "2026-01-31"),
                ("'a' AS lead_source_pk, '2026-02-31x' AS lead_date", "is no date", "2026-01-31"),
                (
                    "replace('0123456789', '5', replace('0123456789012345678901234567890123456789', \
                     '0', replace('0123456789012345678901234567890123456789', '1', \
                     '0123456789012345678901234567890123456789'))) AS lead_source_pk, \
                     '2026-01-01' AS lead_date",
                    "longer than 512 bytes",
                    "digests",
                ),
            ],
        );
    });
}

#[cfg(feature = "sqlite")]
#[test]
fn bytes_that_are_no_text_are_refused_on_sqlite_which_would_keep_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = crate::loop_on_sqlite::open(&dir);
    let date = "'2026-01-01' AS lead_date";
    for bytes in ["x'4cff'", "x'61006200'", "x'eda080'", "x'c0af'"] {
        let text = format!("CAST({bytes} AS TEXT)");
        for (key, version) in [(&*text, "'1'"), (&*text, "NULL"), (bytes, "NULL")] {
            script(
                &mut store,
                &format!(
                    "DROP VIEW IF EXISTS bytes; CREATE VIEW bytes AS SELECT 'sound' AS lead_source_pk, \
                     {date}, NULL AS lead_version UNION ALL SELECT {key}, '2026-01-01', {version}"
                ),
            );
            let told = refused(&mut store, "bytes");
            assert!(told.contains("of 1 leads is no UTF-8"), "{key} {version}: {told}");
            assert!(told.contains("hex"), "{told}");
        }
        // Of a version the key is still known: that lead alone is left out.
        script(
            &mut store,
            &format!(
                "DROP VIEW bytes; CREATE VIEW bytes AS SELECT 'a' AS lead_source_pk, {date}, \
                 {text} AS lead_version"
            ),
        );
        let told = refused(&mut store, "bytes");
        assert!(told.contains("lead_version of 1 leads is no UTF-8"), "{told}");
    }
    script(
        &mut store,
        "CREATE VIEW sound AS SELECT 'ñandú €' AS lead_source_pk, '2026-01-01' AS lead_date, \
         x'41' AS lead_version",
    );
    let backlog = ViewBacklog::new("sound").unwrap();
    assert_eq!(store.seed(&backlog, &SeedOptions::default()).unwrap().arrived, 1);
}

#[test]
fn a_version_with_a_nul_byte_is_refused_by_either_backend() {
    on_each(|mut store| {
        let lead = |version: &str| {
            let pk = SourcePk::new("a").unwrap();
            BacklogLead::new(pk, chrono::DateTime::UNIX_EPOCH).with_version(version)
        };
        let backlog = InMemoryBacklog::new("all", [lead("b\0c")]);
        let error = store.seed(&backlog, &SeedOptions::default()).unwrap_err();
        assert!(error.to_string().contains("NUL byte"), "{error}");
        assert!(store.snapshot().unwrap().runs(5).unwrap().is_empty());
    });
}

#[cfg(feature = "postgres")]
#[test]
fn a_date_of_another_type_is_refused_on_postgres() {
    let Some(server) = crate::support::server::shared() else { return };
    refuses(
        &mut crate::support::server::store(server),
        &[
            (
                "'a' AS lead_source_pk, TIMESTAMP '2026-01-01 10:00' AS lead_date",
                "timestamp without a zone",
                "AT TIME ZONE",
            ),
            ("'a' AS lead_source_pk, 17000 AS lead_date", "the type integer", "with time zone"),
        ],
    );
}

#[cfg(all(feature = "postgres-bundled", not(feature = "postgres-bundled-tls")))]
#[test]
fn a_url_that_asks_for_tls_is_refused_by_a_build_without_it() {
    let url = DatabaseUrl::parse("postgres://postgres@127.0.0.1:1/x?sslmode=require").unwrap();
    let told = SqlStore::open(&url, OpenOptions::default()).map(drop).unwrap_err().to_string();
    assert!(told.contains("no TLS") && told.contains("postgres-bundled-tls"), "{told}");
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    on_each(|mut store| {
        // Everything of ours goes but one table; it might be anybody's.
        let book = store.view_name("queue_migration");
        script(&mut store, &format!("DROP TABLE {book}"));
        for error in [
            store.migrate().unwrap_err(),
            store.seed(&InMemoryBacklog::default(), &SeedOptions::default()).unwrap_err(),
            store.open_run(&NewRun::new(RunKind::Recover, "x", None)).unwrap_err(),
            store.read().map(drop).unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Schema { .. }), "{error:?}");
            let told = error.to_string();
            assert!(told.contains("no record of migrations") && told.contains("stamp"), "{told}");
        }
        let runs = store.view_name("queue_run");
        script(&mut store, &format!("ALTER TABLE {runs} DROP COLUMN policy"));
        let told = store.stamp(STAMP).unwrap_err().to_string();
        assert!(told.contains("queue_run.policy"), "{told}");
        script(&mut store, &format!("ALTER TABLE {runs} ADD COLUMN policy TEXT"));
        store.stamp(STAMP).unwrap();
        assert!(store.migration_status().unwrap().is_current());
        assert!(store.stamp(STAMP).unwrap_err().to_string().contains("recorded already"));
    });
}

#[test]
fn a_newer_schema_is_refused_only_when_it_breaks_older_builds() {
    on_each(|mut store| {
        let book = store.view_name("queue_migration");
        let later = |version: &str, breaking: u8| {
            format!("INSERT INTO {book} VALUES ('{version}', 'later', '', {breaking}, 0)")
        };
        script(&mut store, &later("99990", 0));
        assert_eq!(store.migrate().unwrap(), [""; 0]);
        let status = store.migration_status().unwrap();
        assert_eq!((status.unknown, status.heads.len()), (vec!["99990".to_owned()], 1));
        store.open_run(&NewRun::new(RunKind::Recover, "x", None)).unwrap();
        script(&mut store, &later("99991", 1));
        let told = store.migrate().unwrap_err().to_string();
        assert!(told.contains("newer version") && told.contains("use that version"), "{told}");
        assert!(store.read().is_err());
        assert!(store.open_run(&NewRun::new(RunKind::Recover, "x", None)).is_err());
    });
}

#[test]
fn what_is_pending_changed_missing_or_out_of_order_is_told() {
    on_each(|mut store| {
        let book = store.view_name("queue_migration");
        let embedded = store.migration_status().unwrap().embedded;
        let (first, head) = (embedded.first().unwrap(), embedded.last().unwrap());
        script(&mut store, &format!("UPDATE {book} SET sha256 = 'other' WHERE version = '{head}'"));
        assert_eq!(store.migration_status().unwrap().changed, std::slice::from_ref(head));
        let told = store.migrate().unwrap_err().to_string();
        assert!(told.contains("other files") && told.contains("restore"), "{told}");
        script(&mut store, &format!("DELETE FROM {book} WHERE version = '{head}'"));
        let status = store.migration_status().unwrap();
        assert_eq!((status.pending.len(), status.out_of_order.len()), (1, 0));
        assert!(!status.is_current());
        let told = store.read().map(drop).unwrap_err().to_string();
        assert!(told.contains("pending") && told.contains("call migrate"), "{told}");
        script(
            &mut store,
            &format!(
                "DELETE FROM {book} WHERE version = '{first}'; \
                 INSERT INTO {book} VALUES ('99990', 'later', '', 0, 0)"
            ),
        );
        let status = store.migration_status().unwrap();
        assert_eq!(status.out_of_order.len(), status.pending.len());
        let told = store.migrate().unwrap_err().to_string();
        assert!(told.contains("older than the newest applied"), "{told}");
    });
}

#[test]
fn keys_and_names_that_no_database_takes_are_refused_when_they_are_made() {
    for key in ["", "a\0b", &"x".repeat(MAX_KEY_BYTES + 1)] {
        assert!(SourcePk::new(key).is_err() && PersonKey::new(key).is_err());
    }
    let told = PersonKey::new("x".repeat(600)).unwrap_err().to_string();
    assert!(told.contains("600 bytes") && told.contains("digest"), "{told}");
    for name in ["", "a b", "1a", "a\"b", "a;b", "a.b.c", "ñ", &"x".repeat(64)] {
        let told = ViewBacklog::new(name).unwrap_err().to_string();
        assert!(told.contains("identifier"), "{name}: {told}");
        assert!(Namespace::new(name).is_err(), "{name}");
    }
    for url in ["", ":memory:", "mysql://x", "file:x?mode=memory"] {
        assert!(DatabaseUrl::parse(url).is_err(), "{url}");
    }
}

/// To halve the batch would wait out the busy time once for each half.
#[cfg(feature = "sqlite")]
#[test]
fn a_resolver_that_writes_to_the_file_of_its_own_batch_is_told_so_at_once() {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection;
    let dir = tempfile::tempdir().unwrap();
    let mut store = crate::loop_on_sqlite::open(&dir);
    let backlog = crate::support::backends::fill(&mut store, 8);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    let file = dir.path().join("queue.sqlite");
    let mut own = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    own.batch_execute("PRAGMA busy_timeout = 1").unwrap();
    let mut calls = 0;
    let mut writes = |_: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
        calls += 1;
        let written = own.batch_execute("INSERT INTO leads VALUES ('x', '2026-01-01')");
        Err(ResolveError::Batch(written.unwrap_err().to_string()))
    };
    let told = store.recover(&mut writes, &RecoverOptions::default()).unwrap_err().to_string();
    assert!(told.contains("ClaimMode::Lease") && told.contains("after_settle"), "{told}");
    assert_eq!(calls, 1);
    crate::support::backends::prove(&mut store, 8);
}

#[test]
fn an_answer_that_cannot_be_stored_fails_that_lead_alone() {
    on_each(|mut store| {
        let backlog = crate::support::backends::fill(&mut store, 6);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let mut odd = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
            let person = || PersonKey::new("P").unwrap();
            Ok(leads
                .iter()
                .map(|lead| match crate::support::backends::number(lead) {
                    0 => Resolution::matched(person(), "r".repeat(65), "high"),
                    1 | 2 => Resolution::matched(person(), "R", "hi\0gh"),
                    3 => Resolution::unmatched(FailReason::NoCandidates)
                        .with_wake_keys(vec!["k".repeat(65)]),
                    4 => Resolution::error("a\0b"),
                    _ => Resolution::matched(person(), "R", "high"),
                })
                .collect())
        };
        let mut options = RecoverOptions::default();
        options.max_attempts = 1;
        let run = store.recover(&mut odd, &options).unwrap();
        assert_eq!((run.matched, run.failed), (1, BTreeMap::from([(FailReason::Error, 5)])));
        crate::support::backends::prove(&mut store, 6);
    });
}
