//! Kinds of a policy's own in the database: from a file or a table of the operator's to the decision, and back to sleepers.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use serde_json::Value;

use crate::recovery_steps::{on_postgres, on_sqlite};
use crate::runner::{Run, run, runner};

/// A loyalty card, of which a person may hold two.
pub(crate) const POLICY: &str = r#"
precedence = ["document", "phone", "email", "loyalty"]
[[own_kinds]]
code = "loyalty"
columns = ["card", "second_card"]
lengths = [8, 8]
[[rules]]
name = "LOYALTY_EXACT"
require = ["loyalty exact"]
grant = "high"
"#;

const LEADS: &str = "id,lead_created_at,phone,card\n\
    L1,2026-01-05T10:00:00Z,,2048-1358\nL2,2026-01-05T10:00:00Z,987654312,20481399\n\
    L3,2026-01-05T10:00:00Z,,20489977\nL4,2026-01-05T10:00:00Z,,2048\n";
const PERSONS: &str = "person_key,phone,card,second_card\nP1,,20481357,20481358\nP2,987654312,,\nP3,912000111,20481399,\n";

fn step(folder: &Path, url: &str, name: &str, more: &[&str]) -> Run {
    let base = ["--json", "run.json", "--database-url", url];
    run(runner(name).current_dir(folder).args(base).args(more))
}

fn json(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("run.json")).expect("the run wrote its JSON");
    serde_json::from_str(&text).expect("the JSON is whole")
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        std::fs::write(folder.join(name), content).expect("the folder can be written");
    }
}

fn from_files(url: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    write(folder, &[("p.toml", POLICY), ("leads.csv", LEADS), ("persons.csv", PERSONS)]);
    let night = |persons: &str| {
        write(folder, &[("persons.csv", persons)]);
        let files = ["--leads", "leads.csv", "--persons", "persons.csv", "--policy", "p.toml"];
        let more = ["--quiet", "--decisions", "d.csv"];
        let done = step(folder, url, "recovery_cycle", &[&files[..], &more].concat());
        assert_eq!(done.code, 0, "{}", done.stderr);
        (json(folder), std::fs::read_to_string(folder.join("d.csv")).expect("decisions"))
    };
    let (told, decisions) = night(PERSONS);
    assert!(decisions.contains("L1,matched,P1,LOYALTY_EXACT,high"), "{decisions}");
    // The phone of one person and the card of another: the policy has a rule for cards alone.
    assert!(decisions.contains("L2,matched,P3,LOYALTY_EXACT,high"), "{decisions}");
    assert!(decisions.contains("L3,failed,,,,NO_CANDIDATES"), "{decisions}");
    assert!(decisions.contains("L4,failed,,,,MISSING_IDENTIFIERS"), "{decisions}");
    assert_eq!(told["matched"], 2, "{told:#}");
    let unread = &told["recover"]["values"][0]["unusable"][0];
    assert_eq!((&unread["field"], &unread["listed"][0]), (&"loyalty".into(), &"L4".into()));

    let (again, _) = night(PERSONS);
    for import in again["imports"].as_array().expect("imports") {
        assert_eq!(import["written_total"], 0, "{import:#}");
    }

    let explain = |more: &[&str]| {
        let done =
            step(folder, url, "explain_match", &[&["--policy", "p.toml"][..], more].concat());
        assert_eq!(done.code, 0, "{}", done.stderr);
        done.stdout
    };
    let told = explain(&["--source-pk", "L1"]);
    assert!(told.contains("matched P1 by LOYALTY_EXACT") && !told.contains("20481358"), "{told}");
    assert!(explain(&["--own", "loyalty=20481399"]).contains("matched P3"));

    // A new person with the card of the third lead, in the second of the columns, wakes it.
    let (told, decisions) = night(&format!("{PERSONS}P4,,,20489977\n"));
    assert_eq!(told["imports"][1]["woken_total"], 1, "{told:#}");
    assert!(decisions.contains("L3,matched,P4,LOYALTY_EXACT,high"), "{decisions}");
}

#[test]
fn values_of_own_kinds_go_from_files_to_decisions_on_sqlite() {
    on_sqlite(from_files);
}

#[test]
fn values_of_own_kinds_go_from_files_to_decisions_on_postgres() {
    on_postgres(from_files);
}

const TABLES: &str = "\
    CREATE TABLE people (id INTEGER PRIMARY KEY, card BIGINT, updated INTEGER NOT NULL);\
    CREATE TABLE more_cards (whose INTEGER, number TEXT);\
    CREATE TABLE sign_ups (id TEXT PRIMARY KEY, at TEXT NOT NULL, card TEXT);\
    INSERT INTO people VALUES (1, 20481357, 1), (2, NULL, 1);\
    INSERT INTO more_cards VALUES (2, '2048-1399'), (1, '');\
    INSERT INTO sign_ups VALUES ('L1', '2026-01-05T10:00:00Z', '20481357'), \
        ('L2', '2026-01-05T10:00:00Z', '20481399'), ('L3', '2026-01-05T10:00:00Z', '20489977');";

const MAP: &str = "\
[leads]
table = 'sign_ups'
source_pk = 'id'
lead_created_at = 'at'
own.loyalty = 'card'
[persons]
table = 'people'
person_key = 'id'
changed = 'updated'
own.loyalty = 'card'
[[persons.more]]
table = 'more_cards'
person = 'whose'
own.loyalty = 'number'
";

/// Runs statements as the operator does.
fn operate(url: &str, sql: &str) {
    if url.starts_with("postgres") {
        let mut connection = PgConnection::establish(url).expect("the server answers");
        connection.batch_execute(sql).expect("the statements are right");
    } else {
        let mut connection = SqliteConnection::establish(url).expect("the file opens");
        connection.batch_execute(sql).expect("the statements are right");
    }
}

fn from_tables(url: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    write(folder, &[("p.toml", POLICY), ("map.toml", MAP)]);
    operate(url, TABLES);
    let mapped = |name: &str, more: &[&str]| {
        step(folder, url, name, &[&["--quiet", "--map", "map.toml"][..], more].concat())
    };
    let refused = mapped("recover_leads", &[]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("own.loyalty: the policy has no kind"), "{}", refused.stderr);
    let done = |name: &str, more: &[&str]| {
        let done = mapped(name, more);
        assert_eq!(done.code, 0, "{name}: {}", done.stderr);
        json(folder)
    };
    let checked = done("map_tables", &["--check", "--policy", "p.toml"]);
    let card = &checked["tables"][0]["columns"][1];
    assert_eq!(
        (&card["means"], &card["read_total"]),
        (&"loyalty".into(), &3.into()),
        "{checked:#}"
    );
    done("seed_queue", &[]);
    let run = done("recover_leads", &["--policy", "p.toml", "--decisions", "d.csv"]);
    assert_eq!(run["matched"], 2, "{run:#}");
    let decisions = std::fs::read_to_string(folder.join("d.csv")).expect("decisions");
    assert!(decisions.contains("L2,matched,2,LOYALTY_EXACT,high"), "{decisions}");

    operate(url, "UPDATE people SET card = 20489977, updated = 2 WHERE id = 2");
    let run = done("recover_leads", &["--policy", "p.toml"]);
    assert_eq!((&run["claimed"], &run["matched"]), (&1.into(), &1.into()), "{run:#}");
}

#[test]
fn values_of_own_kinds_are_read_from_the_operators_columns_on_sqlite() {
    on_sqlite(from_tables);
}

#[test]
fn values_of_own_kinds_are_read_from_the_operators_columns_on_postgres() {
    on_postgres(from_tables);
}
