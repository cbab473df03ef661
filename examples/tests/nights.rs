//! Bad nights: outages in mid-run, runs that are killed, and what their files of decisions hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use recovery_queue::testing::PostgresServer;

use crate::runner::{Run, run, runner};

fn step(folder: &Path, url: &str, name: &str, more: &[&str]) -> Run {
    run(runner(name).current_dir(folder).args(["--quiet", "--database-url", url]).args(more))
}

/// Imports leads of which every second is a known person, and recovers nothing yet.
fn import(folder: &Path, url: &str, leads: usize) {
    let (mut rows, mut persons) =
        (String::from("id,phone,lead_created_at\n"), String::from("person_key,phone\n"));
    for i in 0..leads {
        let _ = writeln!(rows, "L-{i},9876{i:05},2026-01-05T10:00:00Z");
        if i % 2 == 0 {
            let _ = writeln!(persons, "P-{i},+519876{i:05}");
        }
    }
    std::fs::write(folder.join("leads.csv"), rows).expect("the folder can be written");
    std::fs::write(folder.join("persons.csv"), persons).expect("the folder can be written");
    let files = ["--leads", "leads.csv", "--persons", "persons.csv", "--limit", "1"];
    let done = step(folder, url, "recovery_cycle", &files);
    assert_eq!(done.code, 0, "{}", done.stderr);
}

fn start(folder: &Path, url: &str, more: &[&str]) -> Child {
    let mut command = runner("recover_leads");
    command.current_dir(folder).args(["--quiet", "--database-url", url]).args(more);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts")
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    source_pk: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    person: String,
}

/// The settled leads, and whom each is matched to, as the database has them.
fn settled(connection: &mut PgConnection) -> BTreeMap<String, String> {
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT source_pk, coalesce(person_key, '') AS person FROM recovery.recovery_queue \
         WHERE status IN ('matched', 'failed')",
    )
    .load(connection)
    .unwrap_or_default();
    rows.into_iter().map(|row| (row.source_pk, row.person)).collect()
}

/// The leads of a file of decisions; one that stands there twice fails the test.
fn decided(file: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file).expect("decisions were written");
    let mut decided = BTreeMap::new();
    for line in text.lines().skip(1) {
        let mut cells = line.split(',');
        let (lead, person) = (cells.next().expect("a lead"), cells.nth(1).expect("a person"));
        let twice = decided.insert(lead.to_owned(), person.to_owned());
        assert!(twice.is_none(), "{lead} stands there twice");
    }
    decided
}

/// Waits until more leads are settled than `than`, or the run has ended.
fn wait_for_more(url: &str, than: usize, run: &mut Child) -> usize {
    for _ in 0..2_000 {
        if let Ok(mut connection) = PgConnection::establish(url) {
            let now = settled(&mut connection).len();
            if now > than || run.try_wait().expect("it can be asked").is_some() {
                return now;
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the run does not go on");
}

#[test]
fn five_outages_end_well_in_each_language_and_the_decisions_hold_every_lead_once() {
    const LEADS: usize = 1_500;
    for language in ["C", "es_ES.UTF-8"] {
        let mut server = match PostgresServer::start_with(&[("lc_messages", language)]) {
            Ok(server) => server,
            Err(error) => {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
                // Past the harness, which keeps what a passing test prints to itself.
                let said = format!("LEFT OUT: outages under {language}: {error}\n");
                let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
                return;
            }
        };
        let url = server.url().to_owned();
        let folder = tempfile::tempdir().expect("a temporary folder");
        import(folder.path(), &url, LEADS);
        let flags = ["--workers", "2", "--batch-size", "3", "--decisions", "d.csv"];
        let mut run = start(folder.path(), &url, &flags);
        let mut before = 1;
        let mut outages = 0;
        for _ in 0..5 {
            before = wait_for_more(&url, before + 20, &mut run);
            outages += usize::from(run.try_wait().expect("it can be asked").is_none());
            server.crash_and_restart().expect("the server comes back");
        }
        let ended = run.wait_with_output().expect("it ends");
        assert!(ended.status.success(), "{language}: {}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(outages, 5, "the run was over too soon to try all of them");
        let mut connection = PgConnection::establish(&url).expect("the server answers");
        let mut settled = settled(&mut connection);
        assert_eq!(settled.len(), LEADS);
        // The first lead was settled by the import's own run, which wrote no file.
        let decided = decided(&folder.path().join("d.csv"));
        settled.retain(|lead, _| decided.contains_key(lead));
        assert_eq!((settled.len(), &settled), (LEADS - 1, &decided), "{language}");
        let checks = step(folder.path(), &url, "verify_guardrails", &["--allow-inconclusive"]);
        assert_eq!(checks.code, 0, "{}", checks.stdout);
    }
}

#[test]
fn the_decisions_of_a_killed_run_come_with_the_next() {
    let Ok(server) = PostgresServer::start_with(&[]) else { return };
    let url = server.url().to_owned();
    let folder = tempfile::tempdir().expect("a temporary folder");
    import(folder.path(), &url, 400);
    let flags = ["--batch-size", "2", "--decisions", "d.csv"];
    let mut killed = start(folder.path(), &url, &flags);
    wait_for_more(&url, 40, &mut killed);
    killed.kill().expect("it can be killed");
    killed.wait().expect("it ends");
    assert!(!folder.path().join("d.csv").exists(), "a run that was killed leaves no file");

    let rest = step(folder.path(), &url, "recover_leads", &flags);
    assert_eq!(rest.code, 0, "{}", rest.stderr);
    assert_eq!(decided(&folder.path().join("d.csv")).len(), 399);
    let idle = step(folder.path(), &url, "recover_leads", &flags);
    assert_eq!(idle.code, 0, "{}", idle.stderr);
    assert_eq!(decided(&folder.path().join("d.csv")).len(), 0, "nothing was decided since");

    // A file that cannot be written leaves its leads to the next one.
    let mut connection = PgConnection::establish(&url).expect("the server answers");
    connection
        .batch_execute("UPDATE leads SET version = 'changed' WHERE source_pk IN ('L-1', 'L-3')")
        .expect("two leads change");
    assert_eq!(step(folder.path(), &url, "seed_queue", &[]).code, 0);
    assert_eq!(step(folder.path(), &url, "recover_leads", &[]).code, 0);
    let next = step(folder.path(), &url, "recover_leads", &flags);
    assert_eq!(next.code, 0, "{}", next.stderr);
    let decided = decided(&folder.path().join("d.csv"));
    assert_eq!(decided.into_keys().collect::<Vec<_>>(), ["L-1", "L-3"]);
}
