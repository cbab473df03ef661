//! `run_night` that is killed, met by another, and run every night.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::corrections::sql;
use crate::review_crashes::ask;
use crate::reviews::on_each;
use crate::runner::{Run, run, runner};
use crate::stall::{Stall, end_sleepers, is_sqlite, sleeping, stands, wait_until};

/// Leads of each batch of arrivals: enough for a stall to count over.
const ARRIVALS: usize = 20;

/// Writes the files of a source to which `batches` of leads have come; every second lead is a known person's.
fn source(folder: &Path, batches: usize) {
    let mut leads = String::from("id,lead_created_at,phone\n");
    let mut persons = String::from("person_key,phone\n");
    for lead in 0..batches * ARRIVALS {
        let _ = writeln!(leads, "L-{lead:03},2026-01-05T10:00:00Z,98765{lead:04}");
        if lead % 2 == 0 {
            let _ = writeln!(persons, "P-{lead:03},+5198765{lead:04}");
        }
    }
    fs::write(folder.join("leads.csv"), leads).unwrap();
    fs::write(folder.join("persons.csv"), persons).unwrap();
}

const FLAGS: [&str; 8] = [
    "--leads",
    "leads.csv",
    "--persons",
    "persons.csv",
    "--decisions",
    "decisions.csv",
    "--batch-size",
    "7",
];

fn night(folder: &Path, url: &str, more: &[&str]) -> Run {
    let mut command = runner("run_night");
    command.current_dir(folder).args(["--database-url", url]).args(more);
    run(&mut command)
}

/// Starts a night whose messages go to a file.
fn start(folder: &Path, url: &str) -> Child {
    let messages = fs::File::create(folder.join("messages")).unwrap();
    runner("run_night")
        .current_dir(folder)
        .args(["--database-url", url])
        .args(FLAGS)
        .stdout(Stdio::null())
        .stderr(messages)
        .spawn()
        .expect("the night starts")
}

/// Waits until a night has ended a stage, as its messages tell.
fn wait_for_stage(folder: &Path, stage: &str) {
    let told = || fs::read_to_string(folder.join("messages")).unwrap_or_default();
    let ended = |line: &str| line.split_whitespace().next() == Some(stage);
    wait_until(stage, || told().lines().any(ended));
}

/// The leads of a file of decisions; one that stands there twice fails the test.
fn decided(folder: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(folder.join("decisions.csv")).unwrap();
    let mut leads = BTreeSet::new();
    for line in text.lines().skip(1) {
        let lead = line.split(',').next().unwrap().to_owned();
        assert!(leads.insert(lead.clone()), "{lead} stands there twice");
    }
    leads
}

/// Every lead of the queue with its state and person.
fn states(folder: &Path, url: &str, leads: usize) -> BTreeMap<String, String> {
    let queue = if is_sqlite(url) { "recovery_queue" } else { "recovery.recovery_queue" };
    let list = if is_sqlite(url) {
        "json_group_array(json_array(source_pk, status, coalesce(person_key, '')))"
    } else {
        "CAST(json_agg(json_build_array(source_pk, status, coalesce(person_key, ''))) AS TEXT)"
    };
    let told = ask(url, &format!("SELECT {list} AS told FROM {queue}"));
    let rows: Vec<[String; 3]> = serde_json::from_str(&told).unwrap();
    assert_eq!(rows.len(), leads, "in {}", folder.display());
    rows.into_iter().map(|[lead, status, person]| (lead, format!("{status} {person}"))).collect()
}

#[test]
fn a_night_that_is_killed_in_any_stage_is_resumed_and_every_lead_is_settled_once() {
    on_each(|url| {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        source(folder, 1);
        let first = night(folder, url, &FLAGS);
        assert_eq!(first.code, 0, "{first:?}");
        // Each stage with the one before it, and the table that it stands still at; the last ones only read.
        let stages = [
            ("open", Some("leads")),
            ("import", Some("queue_lead")),
            ("seed", Some("queue_link")),
            ("recover", None),
            ("guardrails", None),
        ];
        for (at, (before, table)) in stages.into_iter().enumerate() {
            source(folder, at + 2);
            fs::remove_file(folder.join("decisions.csv")).unwrap();
            let stall = table.map(|table| Stall { table, at_commit: false });
            if let Some(stall) = stall {
                stall.set(url, 600);
            }
            let mut killed = start(folder, url);
            wait_for_stage(folder, before);
            if stall.is_some() {
                wait_until("the night stands still", || stands(url));
            }
            killed.kill().unwrap();
            killed.wait().unwrap();
            if let Some(stall) = stall {
                if !is_sqlite(url) {
                    end_sleepers(url);
                    wait_until("the server has noticed", || sleeping(url) == 0);
                }
                stall.lift(url);
            }
            // The place is free again, and the next night does the rest.
            let resumed = night(folder, url, &FLAGS);
            assert_eq!(resumed.code, 0, "after {before}: {resumed:?}");
            let leads = (at + 2) * ARRIVALS;
            for (lead, state) in states(folder, url, leads) {
                let number: usize = lead["L-".len()..].parse().unwrap();
                let wanted = match number % 2 {
                    0 => format!("matched P-{number:03}"),
                    _ => "failed ".to_owned(),
                };
                assert_eq!(state, wanted, "{lead} after {before}");
            }
            let arrived: BTreeSet<String> =
                (leads - ARRIVALS..leads).map(|lead| format!("L-{lead:03}")).collect();
            // A night that wrote its decisions before it was killed has written them.
            if table.is_some() {
                assert_eq!(decided(folder), arrived, "after {before}");
            }
            let summary = fs::read_to_string(folder.join("out/night.md")).unwrap();
            assert!(summary.starts_with("# Night on ") && summary.contains(": done"), "{summary}");
        }
    });
}

#[test]
fn of_two_nights_at_once_the_second_is_told_who_runs_the_first() {
    on_each(|url| {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        source(folder, 1);
        assert_eq!(night(folder, url, &FLAGS).code, 0);
        source(folder, 2);
        let stall = Stall { table: "leads", at_commit: false };
        stall.set(url, 600);
        let mut first = start(folder, url);
        wait_for_stage(folder, "open");
        wait_until("the first stands still", || stands(url));
        // From elsewhere, and by another name of the same file.
        let elsewhere = tempfile::tempdir().unwrap();
        source(elsewhere.path(), 1);
        let mut names = vec![url.to_owned()];
        #[cfg(unix)]
        if let Some(path) = url.strip_prefix("sqlite://") {
            std::os::unix::fs::symlink(path, elsewhere.path().join("other.sqlite")).unwrap();
            names.push("other.sqlite".to_owned());
        }
        for name in names {
            let second = night(elsewhere.path(), &name, &FLAGS);
            assert_eq!(second.code, 4, "{second:?}");
            let holder = "another night is under way (";
            assert!(second.stderr.contains(holder), "{second:?}");
            assert!(
                second.stderr.contains(&format!("process {} since 20", first.id())),
                "{second:?}"
            );
            assert!(second.stderr.contains("what to do: wait"), "{second:?}");
        }
        first.kill().unwrap();
        first.wait().unwrap();
        if !is_sqlite(url) {
            end_sleepers(url);
            wait_until("the server has noticed", || sleeping(url) == 0);
        }
        stall.lift(url);
        assert_eq!(night(folder, url, &FLAGS).code, 0, "who is killed holds nothing");
    });
}

#[test]
fn a_night_every_day_tries_failed_leads_each_time_though_it_begins_a_little_earlier() {
    on_each(|url| {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        source(folder, 1);
        assert_eq!(night(folder, url, &FLAGS).code, 0);
        let settled = if is_sqlite(url) { "queue_settled" } else { "recovery.queue_settled" };
        // Yesterday's night ended ten minutes later in the day than today's begins.
        let a_day_later = || {
            let micros = (23_u64 * 60 + 50) * 60 * 1_000_000;
            sql(
                url,
                &format!(
                    "UPDATE {settled} SET settled_at = settled_at - {micros} WHERE status = 2"
                ),
            );
        };
        let tried = |more: &[&str]| {
            let more = [&FLAGS[..], more, &["--json", "night.json"]].concat();
            assert_eq!(night(folder, url, &more).code, 0);
            let told: Value =
                serde_json::from_slice(&fs::read(folder.join("night.json")).unwrap()).unwrap();
            told["recover"]["claimed"].as_u64().unwrap()
        };
        assert_eq!(tried(&[]), 0, "the same night again tries nothing");
        for day in 1..=3 {
            a_day_later();
            assert_eq!(tried(&[]), ARRIVALS as u64 / 2, "day {day}");
        }
        a_day_later();
        assert_eq!(tried(&["--cool-down", "24"]), 0, "a rest of a whole day skips such a night");
    });
}
