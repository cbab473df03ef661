//! Nights that read and judge what was touched alone, and what they leave to the full guardrails.

use std::fmt::Write as _;
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use recovery_queue::testing::PostgresServer;
use serde_json::Value;

use crate::runner::{Run, run, runner};

fn on_each(test: impl Fn(&Path, &str)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    test(folder.path(), "nights.sqlite");
    match PostgresServer::start() {
        Ok(server) => {
            let folder = tempfile::tempdir().expect("a temporary folder");
            test(folder.path(), server.url());
        }
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            let said = format!("LEFT OUT: touched nights on PostgreSQL: {error}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        }
    }
}

fn execute(folder: &Path, url: &str, sql: &str) {
    if url.starts_with("postgres") {
        let mut connection = PgConnection::establish(url).expect("the server runs");
        connection.batch_execute(&format!("SET search_path = public, recovery; {sql}"))
    } else {
        let file = folder.join(url);
        let file = file.to_str().expect("the folder's name is text");
        let mut connection = SqliteConnection::establish(file).expect("the file is there");
        connection.batch_execute(sql)
    }
    .expect("it can be changed");
}

/// Runs a cycle over new leads, of which every second is a known person; gives what it tells.
fn night(folder: &Path, url: &str, leads: std::ops::Range<u32>, more: &[&str]) -> (Run, Value) {
    let mut rows = String::from("id,phone,lead_created_at\n");
    for lead in leads.clone() {
        let _ = writeln!(rows, "L-{lead},98765{lead:04},2026-01-05T10:00:00Z");
    }
    let mut persons = String::from("person_key,phone\n");
    for person in (leads.start..leads.end).step_by(2) {
        let _ = writeln!(persons, "P-{person},+5198765{person:04}");
    }
    std::fs::write(folder.join("leads.csv"), rows).expect("the folder can be written");
    std::fs::write(folder.join("persons.csv"), persons).expect("the folder can be written");
    let files = ["--leads", "leads.csv", "--persons", "persons.csv", "--allow-shrink"];
    let mut command = runner("recovery_cycle");
    command.current_dir(folder).args(["--quiet", "--database-url", url, "--report", "r.html"]);
    command.args(["--json", "run.json"]);
    if leads.is_empty() {
        command.arg("--allow-shrink");
    } else {
        command.args(files);
    }
    let done = run(command.args(more));
    let told = std::fs::read_to_string(folder.join("run.json")).unwrap_or_default();
    (done, serde_json::from_str(&told).unwrap_or_default())
}

#[test]
fn a_night_that_judges_what_it_touched_says_so_everywhere_and_leaves_the_rest_to_the_full_suite() {
    on_each(|folder, url| {
        let (first, told) = night(folder, url, 0..40, &["--guardrails", "touched"]);
        assert_eq!(first.code, 0, "{}", first.stderr);
        assert_eq!(
            told["guardrails"]["suite"], "recovery",
            "nothing was noted before: all are judged"
        );
        // What a database with many leads does by itself.
        execute(
            folder,
            url,
            "INSERT INTO runner_state (name, value) VALUES ('lead_feed', 'noted')",
        );
        let (second, told) = night(folder, url, 40..50, &["--guardrails", "touched"]);
        assert_eq!(second.code, 0, "{}", second.stderr);
        let suite = &told["guardrails"];
        assert_eq!(
            (&suite["suite"], &suite["totals"]["fail"]),
            (&"touched".into(), &0.into()),
            "{suite:#}"
        );
        assert_eq!(suite["scope"]["touched"], 10);
        assert_eq!((&told["seed"]["touched"], &told["seed"]["arrived"]), (&10.into(), &10.into()));
        assert_eq!((&told["backlog_before"], &told["backlog_after"]), (&30.into(), &25.into()));
        assert_eq!((&told["failed_total"], &told["failed"][0]["leads"]), (&25.into(), &25.into()));
        assert!(second.stdout.contains("touched: 10 rows that changed"), "{}", second.stdout);
        let page = std::fs::read_to_string(folder.join("r.html")).expect("a report was written");
        assert!(page.contains("Touched: 10 rows that changed"));
        // Nothing new: nothing is read, and nothing is wrong.
        let (third, told) = night(folder, url, 0..0, &["--guardrails", "touched"]);
        assert_eq!(third.code, 0, "{}", third.stderr);
        assert_eq!(
            (&told["seed"]["touched"], &told["guardrails"]["scope"]["touched"]),
            (&0.into(), &0.into())
        );
        assert_eq!(told["backlog_after"], 25);
        // What is broken among leads that were not touched is the full suite's to find.
        execute(folder, url, "DELETE FROM queue_link WHERE lead_id = 1");
        let (fourth, told) = night(folder, url, 50..52, &["--guardrails", "touched"]);
        assert_eq!(
            (fourth.code, &told["guardrails"]["totals"]["fail"]),
            (0, &0.into()),
            "{}",
            fourth.stderr
        );
        let (full, told) = night(folder, url, 0..0, &["--guardrails", "full"]);
        assert_eq!(
            (full.code, &told["guardrails"]["verdict"]),
            (1, &"fail".into()),
            "{}",
            full.stderr
        );
    });
}

#[test]
fn guardrails_that_take_longer_than_a_minute_look_at_what_was_touched() {
    on_each(|folder, url| {
        night(folder, url, 0..40, &[]);
        let state = "INSERT INTO runner_state (name, value) VALUES ('lead_feed', 'noted'); \
             UPDATE runner_state SET value = '61.5' WHERE name = 'full_guardrails_seconds'";
        execute(folder, url, state);
        let (long, told) = night(folder, url, 40..42, &[]);
        assert_eq!(
            (long.code, &told["guardrails"]["suite"]),
            (0, &"touched".into()),
            "{}",
            long.stderr
        );
        let (full, told) = night(folder, url, 42..44, &["--guardrails", "full"]);
        assert_eq!((full.code, &told["guardrails"]["suite"]), (0, &"recovery".into()));
        let (short, told) = night(folder, url, 44..46, &[]);
        assert_eq!(
            (short.code, &told["guardrails"]["suite"]),
            (0, &"recovery".into()),
            "{}",
            short.stderr
        );
    });
}
