//! The pages for operators: each command in them is run, in order, as it stands there.

use std::path::Path;
use std::process::Command;

use crate::runner::runner;

/// The lines of a page that begin with `$ ` in its console blocks.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("```console\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    lines.filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}

/// Runs every command of a page in a folder; all must end well.
fn play(page: &str, folder: &Path) {
    let built = Path::new(runner("run_night").get_program()).parent().expect("a folder").to_owned();
    let path = std::env::var("PATH").expect("a path");
    let commands = commands(page);
    assert!(!commands.is_empty(), "the page shows commands");
    for command in commands {
        let done = Command::new("sh")
            .args(["-c", &command])
            .current_dir(folder)
            .env("PATH", format!("{}:{path}", built.display()))
            .env_remove("DATABASE_URL")
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{command}: {:?}\n{said}", done.status);
    }
}

fn with_samples() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    reference_runners::sample::write(folder.path()).expect("sample data");
    folder
}

/// As an installed night leaves it.
fn with_a_night() -> tempfile::TempDir {
    let folder = with_samples();
    let night = "```console\n$ run_night --leads leads.csv --persons persons.csv --claims claims.csv \
         --database-url crm.sqlite\n```";
    play(night, folder.path());
    folder
}

#[test]
fn your_first_night() {
    let folder = with_samples();
    play(include_str!("../docs/your-first-night.md"), folder.path());
    let summary = std::fs::read_to_string(folder.path().join("out/night.md")).expect("a summary");
    assert!(summary.starts_with("# Night on ") && summary.contains("matched"), "{summary}");
}

#[test]
fn from_your_tables_to_a_drained_backlog() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    crate::own_tables::on_sqlite(folder.path());
    play(include_str!("../docs/from-your-tables-to-a-drained-backlog.md"), folder.path());
}

#[test]
fn when_a_guardrail_fails() {
    let folder = with_a_night();
    play(include_str!("../docs/when-a-guardrail-fails.md"), folder.path());
}

#[test]
fn leads_that_people_decide() {
    let folder = with_a_night();
    play(include_str!("../docs/leads-that-people-decide.md"), folder.path());
    let truth = std::fs::read_to_string(folder.path().join("truth.csv")).expect("the truth");
    assert!(truth.starts_with("source_pk,person_key"), "{truth}");
}

#[test]
fn backup_upgrade_roles_erasure() {
    let folder = with_a_night();
    let scan = |key: &str| {
        let bytes = std::fs::read(folder.path().join("crm.sqlite")).expect("the database");
        bytes.windows(key.len()).filter(|part| *part == key.as_bytes()).count()
    };
    assert!(scan("L000001") > 0 && scan("P000001") > 0, "both are there before");
    play(include_str!("../docs/backup-upgrade-roles-erasure.md"), folder.path());
    assert_eq!((scan("L000001"), scan("P000001")), (0, 0), "nothing of them is left in the file");
}

#[test]
fn a_second_night_at_once_is_refused() {
    let folder = with_samples();
    let lock = std::fs::File::create(folder.path().join("night.lock")).expect("the lock");
    fs4::FileExt::lock(&lock).expect("it can be locked");
    let flags = ["--leads", "leads.csv", "--lock", "night.lock", "--database-url", "crm.sqlite"];
    let done = crate::runner::run(runner("run_night").current_dir(folder.path()).args(flags));
    assert_eq!(done.code, 4, "{}", done.stdout);
    assert!(done.stderr.contains("another night") && done.stderr.contains("what to do"));
    assert!(!folder.path().join("crm.sqlite").exists(), "nothing was begun");
}

#[test]
fn the_units_of_systemd_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schedules");
    let units = ["recovery-night.service", "recovery-night.timer", "recovery-alert@.service"];
    let units = units.map(|unit| folder.join(unit));
    let Ok(checked) = Command::new("systemd-analyze").arg("verify").args(&units).output() else {
        // Past the harness, which keeps what a passing test prints to itself.
        let said = "LEFT OUT: systemd-analyze is not installed\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        return;
    };
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && !said.contains("recovery-"), "{said}");
}
