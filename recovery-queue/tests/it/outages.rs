//! A database that is away, full, read-only, or whose answer does not arrive.

use recovery_queue::*;

#[cfg(feature = "sqlite")]
use crate::loop_on_sqlite::open;
use crate::support::backends::{
    counts, fill, go, on_each, prove, prove_drained, resolve, script, told,
};

const LEADS: u32 = 3000;

#[cfg(feature = "sqlite")]
#[test]
fn a_full_disk_stops_the_run_and_tears_nothing_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    let backlog = fill(&mut store, LEADS);
    store.seed(&backlog, &SeedOptions::default()).unwrap();
    let mut options = RecoverOptions::default();
    options.batch_size = 200;
    // SQLite raises the limit to the present size: the file cannot grow any more.
    script(&mut store, "PRAGMA max_page_count = 1;");
    let error = told(&store.recover(&mut resolve, &options).unwrap_err());
    assert!(error.contains("full"), "{error}");
    prove(&mut store, LEADS);
    script(&mut store, "PRAGMA max_page_count = 1000000;");
    store.recover(&mut resolve, &options).unwrap();
    prove_drained(&mut store, LEADS);
}

#[test]
fn a_database_that_cannot_be_written_is_told_and_left_as_it_is() {
    on_each(|mut store| {
        let backlog = fill(&mut store, 10);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let (on, off) = match store.connection() {
            #[cfg(feature = "sqlite")]
            Conn::Sqlite(_) => ("PRAGMA query_only = ON;", "PRAGMA query_only = OFF;"),
            #[allow(unreachable_patterns)]
            _ => (
                "SET default_transaction_read_only = on;",
                "SET default_transaction_read_only = off;",
            ),
        };
        let table = store.view_name("leads");
        script(&mut store, &format!("INSERT INTO {table} VALUES ('L-10', '2026-01-01');"));
        script(&mut store, on);
        let lead = SourcePk::new("L-1").unwrap();
        let decider = Decider { by: "ana", reason: "a test" };
        for error in [
            store.seed(&backlog, &SeedOptions::default()).unwrap_err(),
            store.recover(&mut resolve, &RecoverOptions::default()).unwrap_err(),
            store.link(&lead, &PersonKey::new("P").unwrap(), decider).unwrap_err(),
        ] {
            assert!(matches!(error, StoreError::Database { .. }), "{error:?}");
            assert!(told(&error).contains("read"), "{error:?}");
        }
        script(&mut store, off);
        prove(&mut store, 10);
        assert_eq!(counts(&mut store)[&Status::Pending], 10);
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        prove_drained(&mut store, 11);
    });
}

#[cfg(feature = "postgres")]
mod on_postgres {
    use std::ops::ControlFlow;
    use std::path::PathBuf;
    use std::process::Command;

    use recovery_queue::testing::PostgresServer;

    use super::*;
    use crate::support::proxy::{Lost, Proxy};
    use crate::support::server;

    /// A server of the test's own, where the tests may start one; one in English, or one in Spanish.
    fn own_server(language: &str) -> Option<PostgresServer> {
        server::shared().and_then(PostgresServer::pid)?;
        Some(PostgresServer::start_with(&[("lc_messages", language)]).unwrap())
    }

    /// The languages in which the shared servers speak.
    fn languages() -> &'static [&'static str] {
        &["C", "es_ES.UTF-8"][..server::in_each_language().count()]
    }

    fn open(url: &str, namespace: &str) -> SqlStore {
        let options = OpenOptions::default().with_namespace(Namespace::new(namespace).unwrap());
        SqlStore::open(&DatabaseUrl::parse(url).unwrap(), options).unwrap()
    }

    #[test]
    fn a_crash_of_the_server_is_survived_and_reported_by_runs_and_seeds() {
        for language in languages() {
            crash(language);
        }
    }

    fn crash(language: &str) {
        let Some(mut server) = own_server(language) else { return };
        let mut store = server::store(&server);
        let backlog = fill(&mut store, LEADS);
        server.crash_and_restart().unwrap();
        let seeded = store.seed(&backlog, &SeedOptions::default()).unwrap();
        assert_eq!((seeded.arrived, seeded.opening), (u64::from(LEADS), true));
        assert!(seeded.reconnects >= 1, "{seeded:?}");
        // The connection is dead again before the run opens.
        server.crash_and_restart().unwrap();
        let mut options = RecoverOptions::default();
        options.batch_size = 100;
        let mut crash_at = vec![20, 5];
        let summary = store
            .recover_with_progress(&mut resolve, &options, &mut |progress| {
                if crash_at.last().is_some_and(|at| progress.batches >= *at) {
                    crash_at.pop();
                    server.crash_and_restart().unwrap();
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        assert!(summary.reconnects >= 3, "{summary:?}");
        assert_eq!((summary.stopped, summary.matched), (Stopped::Drained, 2000));
        prove_drained(&mut store, LEADS);
    }

    /// Loses the `nth` commit of whatever is done, or its answer.
    fn lose(lost: Lost) {
        server::in_each_language().for_each(|server| lose_on(server, lost));
    }

    fn lose_on(server: &PostgresServer, lost: Lost) {
        let Some(proxy) = Proxy::start(server.url()) else { return };
        let namespace = format!("lost_{lost:?}_{}", std::process::id()).to_lowercase();
        let mut store = open(proxy.url(), &namespace);
        store.migrate().unwrap();
        let backlog = fill(&mut store, 600);
        proxy.lose(1, lost);
        let seeded = store.seed(&backlog, &SeedOptions::default()).unwrap();
        assert_eq!((seeded.arrived, seeded.opening, seeded.reconnects), (600, true, 1));
        prove(&mut store, 600);
        let mut options = RecoverOptions::default();
        options.batch_size = 100;
        options.limit = Some(60);
        let mut settled = 0;
        // Commits in turn: the run's start, the look at old marks, the mark, the batch, the mark's end, the
        // run's end.
        for nth in 1..=6 {
            proxy.lose(nth, lost);
            let run = store.recover(&mut resolve, &options).unwrap();
            assert_eq!((run.reconnects, proxy.cuts()), (1, 1), "commit {nth} of a run");
            assert!(matches!(run.stopped, Stopped::Limit), "{run:?}");
            settled += run.matched + run.failed_total();
            let record = store.snapshot().unwrap().runs(1).unwrap().remove(0);
            assert_eq!((record.run_id, record.outcome), (run.run_id, Some(RunOutcome::Limit)));
            assert_eq!(record.events["matched"], run.matched, "summary and record agree");
            assert_eq!(record.failed, run.failed);
            prove(&mut store, 600);
        }
        let rest = store.recover(&mut resolve, &RecoverOptions::default()).unwrap();
        assert_eq!(settled + rest.claimed, 600, "each lead was settled by one run");
        prove_drained(&mut store, 600);
    }

    #[test]
    fn a_connection_lost_between_commit_and_answer_does_nothing_twice() {
        lose(Lost::Answer);
    }

    #[test]
    fn a_connection_lost_before_the_commit_arrives_loses_nothing() {
        lose(Lost::Commit);
    }

    /// A small file system in memory, unmounted in the end.
    struct SmallDisk {
        folder: tempfile::TempDir,
    }

    impl SmallDisk {
        /// Mounts it; only root can.
        fn mount() -> Option<Self> {
            let user = |what: &str| {
                let output = Command::new("id").args([what, "postgres"]).output().ok()?;
                Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
            };
            let folder = tempfile::tempdir().ok()?;
            let options = format!("size=6m,mode=700,uid={},gid={}", user("-u")?, user("-g")?);
            let status = Command::new("mount")
                .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
                .arg(folder.path())
                .output();
            if status.is_ok_and(|output| output.status.success()) {
                return Some(Self { folder });
            }
            server::left_out("the full disk on PostgreSQL: no small file system can be mounted");
            None
        }

        fn path(&self) -> PathBuf {
            self.folder.path().to_owned()
        }

        fn grow(&self) {
            let grown =
                Command::new("mount").args(["-o", "remount,size=200m"]).arg(self.path()).status();
            assert!(grown.unwrap().success());
        }
    }

    impl Drop for SmallDisk {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg("-l").arg(self.path()).status();
        }
    }

    #[test]
    fn a_full_disk_stops_seeds_and_runs_and_tears_nothing_on_postgres() {
        let Some(disk) = SmallDisk::mount() else { return };
        let Some(server) = own_server("C") else { return };
        let mut store = server::store(&server);
        let place = disk.path();
        script(&mut store, &format!("CREATE TABLESPACE small LOCATION '{}'", place.display()));
        let url = format!("{}?options=-c%20default_tablespace%3Dsmall", server.url());
        let mut store = open(&url, "small_disk");
        store.migrate().unwrap();
        // The service's own table lies elsewhere.
        script(&mut store, "SET default_tablespace = ''");
        let backlog = fill(&mut store, LEADS);
        script(
            &mut store,
            "SET default_tablespace = 'small'; CREATE TABLE small_disk.ballast (t TEXT)",
        );
        let fill_up = "INSERT INTO small_disk.ballast SELECT repeat(md5(i::text), 50) \
             FROM generate_series(1, 100) i";
        let connection = &mut store.reopen().unwrap();
        while let Conn::Postgres(connection) = connection.connection() {
            use diesel::connection::SimpleConnection as _;
            if connection.batch_execute(fill_up).is_err() {
                break;
            }
        }
        let error = store.seed(&backlog, &SeedOptions::default()).unwrap_err();
        assert!(told(&error).contains("No space left"), "{error:?}");
        assert_eq!(counts(&mut store).values().sum::<u64>(), 0, "nothing is half-seeded");
        assert!(store.snapshot().unwrap().runs(9).unwrap().is_empty());

        script(&mut store, "DROP TABLE small_disk.ballast; SET default_tablespace = 'small'");
        store.seed(&backlog, &SeedOptions::default()).unwrap();
        let mut large = |leads: &[ClaimedLead]| {
            let answers = resolve(leads)?;
            // Random enough not to be compressed away.
            let evidence = |lead: &ClaimedLead| {
                let number = crate::support::backends::number(lead);
                let mut state = u64::from(number) + 1;
                let text: String = std::iter::repeat_with(|| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    format!("{state:016x}")
                })
                .take(250)
                .collect();
                Evidence::from(serde_json::json!(text))
            };
            Ok(leads
                .iter()
                .zip(answers)
                .map(|(lead, answer)| answer.with_evidence(evidence(lead)))
                .collect())
        };
        let mut options = RecoverOptions::default();
        options.batch_size = 100;
        let error = store.recover(&mut large, &options).unwrap_err();
        assert!(told(&error).contains("No space left"), "{error:?}");
        let left = counts(&mut store)[&Status::Pending];
        assert!(left > 0 && left < u64::from(LEADS), "full in mid-run: {left} pending");
        prove(&mut store, LEADS);
        disk.grow();
        store.recover(&mut large, &options).unwrap();
        prove_drained(&mut store, LEADS);
        drop(server);
    }

    #[test]
    fn many_workers_settle_each_lead_once() {
        let Some(server) = server::shared() else { return };
        for count in [2, 4, 8] {
            let mut store = server::store(server);
            let backlog = fill(&mut store, LEADS);
            store.seed(&backlog, &SeedOptions::default()).unwrap();
            let seen = std::sync::Mutex::new(std::collections::BTreeMap::<u32, u32>::new());
            let mut workers: Vec<_> = (0..count)
                .map(|_| {
                    let resolver = |leads: &[ClaimedLead]| {
                        let mut seen = seen.lock().unwrap();
                        for lead in leads {
                            *seen.entry(crate::support::backends::number(lead)).or_default() += 1;
                        }
                        resolve(leads)
                    };
                    (store.reopen().unwrap(), resolver)
                })
                .collect();
            let mut options = RecoverOptions::default();
            options.batch_size = 100;
            let summary = recover_with_workers(&mut workers, &options, &mut go).unwrap();
            assert_eq!((summary.claimed, summary.stopped), (u64::from(LEADS), Stopped::Drained));
            assert_eq!(summary.reconnects, 0, "no deadlock");
            drop(workers);
            assert!(seen.into_inner().unwrap().values().all(|times| *times == 1));
            prove_drained(&mut store, LEADS);
        }
    }
}
