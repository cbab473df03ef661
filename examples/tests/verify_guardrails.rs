//! The guardrails as an operator and a pipeline meet them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::runner::{Run, run, runner};

/// A folder with a database in which two leads were matched and one was not.
pub(crate) fn recovered() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("the folder can be written");
    };
    write(
        "leads.csv",
        "id,lead_created_at,phone\nL-1,2026-01-01T00:00:00Z,987654301\n\
         L-2,2026-01-02T00:00:00Z,987654302\nL-3,2026-01-03T00:00:00Z,987654303\n",
    );
    write("persons.csv", "person_key,phone\nP-1,987654301\nP-2,987654302\n");
    let files = ["--leads", "leads.csv", "--persons", "persons.csv", "--quiet"];
    let cycle = run(command("recovery_cycle", folder.path())
        .args(files)
        .args(["--database-url", "q.sqlite"]));
    assert_eq!(cycle.code, 0, "{cycle:?}");
    folder
}

pub(crate) fn command(name: &str, folder: &Path) -> Command {
    let mut command = runner(name);
    command.current_dir(folder);
    command
}

fn verify(folder: &Path, args: &[&str]) -> Run {
    let mut command = command("verify_guardrails", folder);
    run(command.args(["--database-url", "q.sqlite"]).args(args))
}

#[test]
fn after_a_recovery_every_guardrail_is_told_and_none_fails() {
    let folder = recovered();
    let told = verify(folder.path(), &["--allow-inconclusive"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.stdout.contains("PASS          drain"), "{}", told.stdout);
    assert!(told.stdout.contains("0 of 2 matched leads are in the backlog"), "{}", told.stdout);
    assert!(!told.stdout.contains('\u{1b}'), "no colour outside a terminal");
}

#[test]
fn every_format_is_written_to_its_file() {
    let folder = recovered();
    for (form, sign) in [
        ("text", "Guardrails `recovery`"),
        ("json", "\"schema_version\": 1"),
        ("junit", "<testsuites"),
        ("sarif", "\"version\": \"2.1.0\""),
        ("openmetrics", "# EOF"),
        ("markdown", "| Verdict | Check | Found |"),
        ("html", "<!DOCTYPE html>"),
    ] {
        let done =
            verify(folder.path(), &["--allow-inconclusive", "--format", form, "--output", form]);
        assert_eq!((done.code, done.stdout.as_str()), (0, ""), "{form}: {done:?}");
        let text = fs::read_to_string(folder.path().join(form)).unwrap();
        assert!(text.contains(sign), "{form}: {text}");
    }
}

#[test]
fn a_suite_file_with_queries_is_run_and_its_mistakes_are_named_with_their_place() {
    let folder = recovered();
    let write = |text: &str| fs::write(folder.path().join("suite.toml"), text).unwrap();
    write(
        "checks = ['drain']\n[query.no_lead_without_phone]\nexpected = 'every lead has a phone'\n\
         sql = \"SELECT source_pk, 'no phone' FROM leads WHERE source_pk <> 'L-2'\"\n\
         population = 'SELECT count(*) FROM leads'\nfail = '50%'\n",
    );
    let failed = verify(folder.path(), &["--suite", "suite.toml"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stdout.contains("2 of 3 rows break"), "{}", failed.stdout);

    write("checks = ['drain']\n[query.writes]\nexpected = 'nothing'\nsql = 'DELETE FROM leads'\n");
    let refused = verify(folder.path(), &["--suite", "suite.toml"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("no reading statement"), "{}", refused.stderr);

    write("[check.drain]\nfail = '120%'\n");
    let typo = verify(folder.path(), &["--suite", "suite.toml"]);
    assert_eq!((typo.code, typo.stdout.as_str()), (4, ""), "{typo:?}");
    assert!(typo.stderr.contains("suite.toml: line 2, column 8"), "{}", typo.stderr);
    let leads = verify(folder.path(), &["--only", "source_pk_consistency"]);
    assert!(leads.stdout.contains("of 3 keys"), "nothing was deleted: {}", leads.stdout);
}

#[test]
fn a_history_tells_what_passed_before_and_does_not_now() {
    let folder = recovered();
    let args = ["--only", "drain", "--history", "history.jsonl", "--keep", "5"];
    assert_eq!(verify(folder.path(), &args).code, 0);
    let lines = fs::read_to_string(folder.path().join("history.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 1);
}

#[test]
fn what_cannot_run_exits_with_four_says_why_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (args, words) in [
        (&["--only", "drian"][..], "unknown check `drian`"),
        (&[][..], "q.sqlite: cannot be read"),
        (&["--suite", "none.toml"], "none.toml: cannot be read"),
        (&["--format", "xml"], "invalid value 'xml'"),
    ] {
        let failed = verify(folder.path(), args);
        assert_eq!(failed.code, 4, "{failed:?}");
        assert!(failed.stderr.contains(words), "{words}: {}", failed.stderr);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a check makes nothing");
    fs::write(folder.path().join("q.sqlite"), "").unwrap();
    let bare = verify(folder.path(), &[]);
    assert_eq!(bare.code, 4, "{bare:?}");
    assert!(bare.stderr.contains("migrate"), "{}", bare.stderr);
}
