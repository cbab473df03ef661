//! Progress on a terminal, and in a log that has none.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::runner::{run, runner};

/// Writes files that are large enough to be worth a bar: more than a megabyte of persons.
fn write_files(folder: &Path) {
    let mut leads = String::from("id,phone\n");
    let mut persons = String::from("person_key,phone,full_name\n");
    for n in 0..2_000 {
        writeln!(leads, "L{n},9{n:08}").unwrap();
    }
    for n in 0..25_000 {
        writeln!(persons, "P{n},9{n:08},Ana Quispe Flores de la Torre y Mamani").unwrap();
    }
    fs::write(folder.join("leads.csv"), leads).unwrap();
    fs::write(folder.join("persons.csv"), persons).unwrap();
}

const FLAGS: [&str; 6] =
    ["--leads", "leads.csv", "--persons", "persons.csv", "--database-url", "job.sqlite"];

/// Runs the cycle on a terminal, by a program of every Linux that makes one.
#[cfg(target_os = "linux")]
fn on_terminal(folder: &Path, more: &[&str]) -> String {
    let program = runner("recovery_cycle").get_program().to_owned();
    let words = [&[program.to_str().unwrap()], &FLAGS[..], more].concat();
    let mut command = Command::new("script");
    command.args(["-qefc", &words.join(" "), "/dev/null"]).current_dir(folder);
    command.env_remove("DATABASE_URL").env("TERM", "xterm");
    let done = run(&mut command);
    assert_eq!(done.code, 0, "{}", done.stdout);
    done.stdout
}

#[cfg(target_os = "linux")]
#[test]
fn each_stage_has_a_bar_on_a_terminal() {
    if let Err(error) = Command::new("script").arg("--version").output() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "script: {error}");
        // Past the harness, which keeps what a passing test prints to itself.
        let said = format!("LEFT OUT: bars on a terminal, without the program `script`: {error}\n");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let shown = on_terminal(folder.path(), &[]);
    for stage in ["reading [", "seed ", "index [", "leads [", "checks ["] {
        let bar = shown.split(['\r', '\n']).find(|line| line.contains(stage));
        let bar = bar.unwrap_or_else(|| panic!("no bar of {stage}: {shown}"));
        assert!(bar.contains("elapsed"), "{bar}");
        // One statement does a seed: nobody knows how far it is.
        assert!(stage == "seed " || bar.contains("/s") && bar.contains("left"), "{bar}");
    }
    let quiet = on_terminal(folder.path(), &["--quiet"]);
    assert!(!quiet.contains("elapsed"), "{quiet}");
}

#[test]
fn each_stage_is_a_line_of_a_log() {
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    let done = run(runner("recovery_cycle").current_dir(folder.path()).args(FLAGS));
    assert_eq!(done.code, 0, "{}", done.stderr);
    let stages = ["import", "seed", "index", "drain", "guardrails", "report"];
    let is_told = |stage: &str| {
        done.stderr.lines().any(|line| line.trim_start().starts_with(stage) && line.ends_with(" s"))
    };
    for stage in stages {
        assert!(is_told(stage), "no line of {stage}: {}", done.stderr);
    }
    assert!(!done.stderr.contains("elapsed"), "{}", done.stderr);
}
