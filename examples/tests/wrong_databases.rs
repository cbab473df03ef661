//! What every runner that opens a database says of one that it cannot work on: which file, why, what to do, exit 4;
//! and it is left as it was.

use std::fs;
use std::path::Path;

use crate::corrections::sql;
use crate::metrics_server::{Server, database_of_its_own, postgres};
use crate::review_crashes::ask;
use crate::runner::{Run, run};
use crate::verify_guardrails::{command, recovered_in};

/// Tables that a wrong database has not.
const MAP: &str = "[leads]\ntable = 'sign_ups'\nsource_pk = 'id'\nlead_created_at = 'made'\nemail = 'mail'\n\
    [persons]\ntable = 'people'\nperson_key = 'id'\nphone = 'phone'\n";

/// The database that is wrong, in the folder of each test.
const WRONG: &str = "wrong.sqlite";

/// Runners that only look: each needs the tables, too.
const READERS: [&[&str]; 10] = [
    &["explain_match", "--source-pk", "L-1"],
    &["verify_guardrails"],
    &["review_report"],
    &["queue_admin", "status"],
    &["queue_admin", "lead", "show", "L-1"],
    &["queue_admin", "person", "show", "P-1"],
    &["queue_admin", "reviewer", "list"],
    &["queue_admin", "prune", "--runs", "30", "--dry-run"],
    &["queue_admin", "migrate", "--dry-run"],
    &["queue_admin", "pause", "--dry-run"],
];

/// Runners that write, and make their tables where there are none.
const WRITERS: [&[&str]; 10] = [
    &["recovery_cycle", "--leads", "leads.csv", "--persons", "persons.csv"],
    &["run_night", "--leads", "leads.csv", "--persons", "persons.csv"],
    &["seed_queue"],
    &["recover_leads"],
    &["validate_impact"],
    &["export_review", "--out-dir", "given"],
    &["load_review", "given"],
    &["map_tables", "--map", "map.toml", "--apply"],
    &["queue_admin", "migrate"],
    &["load_packets", "--packets-dir", "packets"],
];

/// Runners that read values alone; a database without them holds none yet, which they tell.
const OF_VALUES: [&[&str]; 2] =
    [&["export_packets", "--out-dir", "packets"], &["check_packets", "--packets-dir", "packets"]];

/// A folder with a database that a recovery has worked on, and with what the runners read beside it.
fn folder(database: Option<&str>) -> tempfile::TempDir {
    let folder = recovered_in(database);
    fs::write(folder.path().join("map.toml"), MAP).unwrap();
    let url = database.unwrap_or("q.sqlite");
    for args in [
        &["export_review", "--out-dir", "given", "--correct"][..],
        &["export_packets", "--out-dir", "packets"],
    ] {
        let done = ran(folder.path(), url, args);
        assert_eq!(done.code, 0, "{args:?}: {done:?}");
    }
    folder
}

fn ran(folder: &Path, url: &str, args: &[&str]) -> Run {
    run(command(args[0], folder).args(&args[1..]).args(["--database-url", url]))
}

/// What is wrong in a table of runs; all of it is told at once.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, holds: bool, words: impl FnOnce() -> String) {
        if !holds {
            self.0.push(words());
        }
    }

    /// Holds that a run refused the database: its name, a remedy, exit 4, no data.
    fn refused(&mut self, args: &[&str], kind: &str, name: &str, ran: &Run) {
        let remedy = ran.stderr.contains("what to do: ") || ran.stderr.contains("is refused: ");
        let well = ran.code == 4 && ran.stderr.contains(name) && remedy && ran.stdout.is_empty();
        self.add(well, || format!("{args:?} on {kind}: {ran:?}"));
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        assert!(std::thread::panicking() || self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

/// The bytes of a file; none of what is no file.
fn bytes(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok()
}

#[test]
fn a_file_that_is_no_database_of_ours_is_named_refused_and_left() {
    let folder = folder(None);
    let wrong = folder.path().join(WRONG);
    let sqlite = format!("sqlite://{}", wrong.display());
    let kinds: [(&str, &dyn Fn()); 6] = [
        ("random bytes", &|| {
            let noise: Vec<u8> = (0..4_096_u32).map(|i| (i * 7_919 % 251) as u8).collect();
            fs::write(&wrong, noise).unwrap();
        }),
        ("half a database", &|| {
            let whole = fs::read(folder.path().join("q.sqlite")).unwrap();
            fs::write(&wrong, &whole[..60]).unwrap();
        }),
        ("a folder", &|| fs::create_dir(&wrong).unwrap()),
        ("a queue of a newer release", &|| {
            fs::copy(folder.path().join("q.sqlite"), &wrong).unwrap();
            sql(&sqlite, NEWER_QUEUE);
        }),
        ("tables of a newer release", &|| {
            fs::copy(folder.path().join("q.sqlite"), &wrong).unwrap();
            sql(&sqlite, NEWER_TABLES);
        }),
        ("another program's tables", &|| sql(&sqlite, "CREATE TABLE persons (name TEXT)")),
    ];
    let mut faults = Faults::default();
    for (kind, make) in kinds {
        make();
        let before = bytes(&wrong);
        for args in READERS.iter().chain(&WRITERS) {
            let needs = match kind {
                "tables of a newer release" => !looks_at_the_queue_alone(args),
                "a queue of a newer release" => !looks_at_tables_alone(args),
                _ => true,
            };
            if !needs {
                continue;
            }
            let done = ran(folder.path(), WRONG, args);
            // The suite and the books say it in their own form.
            if says_it_in_a_report(args, kind) {
                faults.add(done.code == 1, || format!("{args:?} on {kind}: {done:?}"));
            } else {
                faults.refused(args, kind, WRONG, &done);
            }
            faults.add(bytes(&wrong) == before, || format!("{args:?} changed {kind}"));
        }
        for args in OF_VALUES {
            if before.is_none() || kind.contains("bytes") || kind.contains("half") {
                faults.refused(args, kind, WRONG, &ran(folder.path(), WRONG, args));
            }
        }
        if wrong.is_dir() { fs::remove_dir(&wrong) } else { fs::remove_file(&wrong) }.unwrap();
    }
}

/// Applied by a release that this one knows nothing of, and breaking.
const NEWER_QUEUE: &str =
    "INSERT INTO queue_migration (version, name, sha256, breaking, applied_at)
     VALUES ('99999999999999', 'later', 'x', 1, 0)";
const NEWER_TABLES: &str =
    "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";

fn looks_at_the_queue_alone(args: &[&str]) -> bool {
    args[0] == "map_tables" || (args[0] == "queue_admin" && args[1] != "migrate")
}

fn looks_at_tables_alone(args: &[&str]) -> bool {
    ["explain_match", "load_packets"].contains(&args[0])
}

fn says_it_in_a_report(args: &[&str], kind: &str) -> bool {
    let reports = args[0] == "verify_guardrails" || args[1..].first() == Some(&"status");
    reports && !["random bytes", "half a database", "a folder"].contains(&kind)
}

#[test]
fn who_only_looks_makes_no_file_and_takes_an_empty_one_for_no_database() {
    let folder = folder(None);
    let wrong = folder.path().join(WRONG);
    let mut faults = Faults::default();
    for (kind, content) in [("a missing file", None), ("an empty file", Some(""))] {
        if let Some(content) = content {
            fs::write(&wrong, content).unwrap();
        }
        for args in READERS {
            let done = ran(folder.path(), WRONG, args);
            if content.is_some() && says_it_in_a_report(args, kind) {
                faults.add(done.code == 1, || format!("{args:?} on {kind}: {done:?}"));
            } else if content.is_none() || args[1..].first() != Some(&"migrate") {
                faults.refused(args, kind, WRONG, &done);
            }
            let left = bytes(&wrong);
            let same = left.as_deref() == content.map(str::as_bytes);
            faults.add(same, || format!("{args:?} changed {kind}"));
        }
        for args in OF_VALUES {
            let done = ran(folder.path(), WRONG, args);
            assert_eq!(done.code, 0, "{args:?}: {done:?}");
            assert!(done.stderr.contains(WRONG) && done.stderr.contains("no value"), "{done:?}");
            assert_eq!(bytes(&wrong).as_deref(), content.map(str::as_bytes), "{args:?}");
        }
    }
}

#[test]
fn a_database_of_a_server_that_is_not_ours_is_named_refused_and_left() {
    let Some(server) = postgres() else { return };
    let good = database_of_its_own(server.url(), "wrong_good");
    let bare = database_of_its_own(server.url(), "wrong_bare");
    let folder = folder(Some(&good));
    let mut faults = Faults::default();
    let newer_queue = NEWER_QUEUE.replace("queue_migration", "recovery.queue_migration");
    let others = "CREATE TABLE persons (name TEXT)";
    let kinds = [
        ("an empty database", &bare, "wrong_bare", "SELECT 1"),
        ("another program's tables", &bare, "wrong_bare", others),
        ("a queue of a newer release", &good, "wrong_good", &newer_queue),
        ("tables of a newer release", &good, "wrong_good", NEWER_TABLES),
    ];
    for (kind, url, name, made) in kinds {
        sql(url, made);
        let writers: &[&[&str]] = if kind == "an empty database" { &[] } else { &WRITERS };
        for args in READERS.iter().chain(writers) {
            let exempt = match kind {
                "tables of a newer release" => looks_at_the_queue_alone(args),
                "a queue of a newer release" => looks_at_tables_alone(args),
                // Its migrations are counted.
                "an empty database" => args[1..].first() == Some(&"migrate"),
                _ => false,
            };
            if exempt {
                continue;
            }
            let done = ran(folder.path(), url, args);
            if says_it_in_a_report(args, kind) {
                faults.add(done.code == 1, || format!("{args:?} on {kind}: {done:?}"));
            } else {
                faults.refused(args, kind, name, &done);
            }
        }
        if url == &good {
            sql(url, "DELETE FROM recovery.queue_migration WHERE version LIKE '9999%'");
            sql(url, "DELETE FROM __diesel_schema_migrations WHERE version LIKE '9999%'");
        }
    }
    // Nothing was made beside the other program's table.
    let tables = "SELECT count(*) || '' AS told FROM pg_tables WHERE schemaname NOT IN \
                  ('pg_catalog', 'information_schema')";
    assert_eq!(ask(&bare, tables), "1");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_named_and_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let folder = folder(None);
    for open in [folder.path().to_owned(), folder.path().join("out")] {
        fs::create_dir_all(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    }
    let wrong = folder.path().join(WRONG);
    fs::copy(folder.path().join("q.sqlite"), &wrong).unwrap();
    fs::set_permissions(&wrong, fs::Permissions::from_mode(0o000)).unwrap();
    let mut faults = Faults::default();
    for args in READERS.iter().chain(&WRITERS).chain(&OF_VALUES) {
        let mut command = command(args[0], folder.path());
        command.args(&args[1..]).args(["--database-url", WRONG]);
        // The owner of everything may read everything.
        if fs::read(&wrong).is_ok() {
            command.uid(65_534);
        }
        // Where the program itself lies out of reach for others.
        if let Err(error) = command.output() {
            let said = format!("LEFT OUT: a file without permission: {error}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
            return;
        }
        faults.refused(args, "a file without permission", WRONG, &run(&mut command));
    }
}

#[test]
fn a_server_of_figures_says_on_stderr_which_database_it_waits_for() {
    let folder = folder(None);
    fs::write(folder.path().join(WRONG), "no database, and long enough to be taken for one")
        .unwrap();
    let messages = folder.path().join("messages");
    let server = Server::on(WRONG, folder.path(), &[], fs::File::create(&messages).unwrap().into());
    assert_eq!(server.ready().status, 503);
    assert_eq!(server.get("/livez").status, 200);
    let said = fs::read_to_string(&messages).unwrap();
    assert!(said.contains(WRONG) && said.contains("503"), "{said}");
}
