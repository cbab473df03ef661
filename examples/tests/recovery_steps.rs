//! The identity loop in steps: seed, recover, prove.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::runner::{Run, run, runner};

fn json(folder: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.join(name)).expect("the run wrote its JSON");
    serde_json::from_str(&text).expect("the JSON is whole")
}

fn step(folder: &Path, url: &str, name: &str, more: &[&str]) -> Run {
    let base = ["--quiet", "--json", "run.json", "--database-url", url];
    run(runner(name).current_dir(folder).args(base).args(more))
}

/// Imports 400 leads of which every second is a known person, and recovers nothing yet.
fn import(folder: &Path, url: &str) {
    let (mut leads, mut persons) =
        (String::from("id,phone,lead_created_at\n"), String::from("person_key,phone\n"));
    for i in 0..400 {
        let _ = writeln!(leads, "L-{i},98765{i:04},2026-01-05T10:00:00Z");
        if i % 2 == 0 {
            let _ = writeln!(persons, "P-{i},+5198765{i:04}");
        }
    }
    std::fs::write(folder.join("leads.csv"), leads).expect("the folder can be written");
    std::fs::write(folder.join("persons.csv"), persons).expect("the folder can be written");
    let files = ["--leads", "leads.csv", "--persons", "persons.csv", "--limit", "1"];
    let done = step(folder, url, "recovery_cycle", &files);
    assert_eq!(done.code, 0, "{}", done.stderr);
}

fn steps(url: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    import(folder, url);
    let seeded = step(folder, url, "seed_queue", &[]);
    assert_eq!(seeded.code, 0, "{}", seeded.stderr);
    assert_eq!(json(folder, "run.json")["arrived"], 0, "{}", seeded.stdout);

    let flags = ["--limit", "100", "--batch-size", "30", "--workers", "2", "--decisions", "d.csv"];
    let part = step(folder, url, "recover_leads", &flags);
    assert_eq!(part.code, 0, "{}", part.stderr);
    let told = json(folder, "run.json");
    assert_eq!((&told["claimed"], &told["stopped"]), (&100.into(), &"limit".into()));
    let decisions = std::fs::read_to_string(folder.join("d.csv")).expect("decisions were written");
    assert_eq!(decisions.lines().count(), 101);

    let proof = step(folder, url, "validate_impact", &[]);
    assert_eq!(proof.code, 0, "{}", proof.stderr);
    let told = json(folder, "run.json");
    assert_eq!(told["backlog_after"], 200, "{}", proof.stdout);
    assert_eq!(told["recover"]["claimed"], 299);
    assert_eq!(told["guardrails"]["checks"][0]["verdict"], "pass", "{}", proof.stdout);

    let again = step(folder, url, "validate_impact", &[]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let told = json(folder, "run.json");
    assert_eq!((&told["delta"], &told["recover"]["claimed"]), (&0.into(), &0.into()));
}

/// Kills a run of recovery, and lets the next one take up what is left.
fn killed(url: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    import(folder, url);
    let mut killed = runner("recover_leads");
    killed.current_dir(folder).args(["--quiet", "--batch-size", "1", "--database-url", url]);
    let mut killed = killed.stdout(std::process::Stdio::null()).spawn().expect("it starts");
    std::thread::sleep(std::time::Duration::from_millis(100));
    killed.kill().expect("it can be killed");
    killed.wait().expect("it ends");

    let rest = step(folder, url, "recover_leads", &[]);
    assert_eq!(rest.code, 0, "{}", rest.stderr);
    let idle = step(folder, url, "recover_leads", &[]);
    assert_eq!((idle.code, &json(folder, "run.json")["claimed"]), (0, &0.into()));
    let proof = step(folder, url, "validate_impact", &[]);
    assert_eq!(proof.code, 0, "{}", proof.stderr);
    assert_eq!(json(folder, "run.json")["backlog_after"], 200, "{}", proof.stdout);
    let checks = step(folder, url, "verify_guardrails", &["--allow-inconclusive"]);
    assert_eq!(checks.code, 0, "{}", checks.stdout);
}

pub(crate) fn on_sqlite(test: fn(&str)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    test(folder.path().join("crm.sqlite").to_str().expect("a path in UTF-8"));
}

pub(crate) fn on_postgres(test: fn(&str)) {
    match recovery_queue::testing::PostgresServer::start() {
        Ok(server) => test(server.url()),
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            // Past the harness, which keeps what a passing test prints to itself.
            let said = format!("LEFT OUT: the steps on PostgreSQL: {error}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        }
    }
}

#[test]
fn seed_recover_and_prove_on_sqlite() {
    on_sqlite(steps);
}

#[test]
fn seed_recover_and_prove_on_postgres() {
    on_postgres(steps);
}

#[test]
fn a_killed_run_is_taken_up_by_the_next_on_sqlite() {
    on_sqlite(killed);
}

#[test]
fn a_killed_run_is_taken_up_by_the_next_on_postgres() {
    on_postgres(killed);
}

#[test]
fn a_backlog_that_is_not_there_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let done = step(folder.path(), "crm.sqlite", "seed_queue", &["--backlog", "nowhere"]);
    assert_eq!(done.code, 4);
    assert!(done.stderr.contains("does not exist"), "{}", done.stderr);
}
