//! The identity loop as its operator meets it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::runner::{Run, run, runner};

/// A folder of one user's files.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path().join(name), content).expect("the folder can be written");
    }

    fn cycle(&self, args: &[&str]) -> Command {
        let mut command = runner("recovery_cycle");
        command.current_dir(self.path()).args(args);
        command
    }

    /// Runs the cycle on `leads.csv` and `persons.csv`.
    fn run(&self, more: &[&str]) -> Run {
        let args = [
            "--leads",
            "leads.csv",
            "--persons",
            "persons.csv",
            "--region",
            "PE",
            "--json",
            "run.json",
        ];
        run(self.cycle(&args).args(more))
    }

    fn json(&self) -> Value {
        let text =
            fs::read_to_string(self.path().join("run.json")).expect("the run wrote its JSON");
        serde_json::from_str(&text).expect("the JSON is whole")
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}

fn verdict<'a>(run: &'a Value, check: &str) -> &'a str {
    run["guardrails"]["checks"]
        .as_array()
        .expect("the suite lists its checks")
        .iter()
        .find(|result| result["assertion"] == check)
        .and_then(|result| result["verdict"].as_str())
        .unwrap_or_else(|| panic!("there is no verdict for {check} in {}", run["guardrails"]))
}

#[test]
fn the_sample_runs_with_no_flags_and_a_second_run_changes_nothing() {
    let desk = Desk::new();
    let first = run(&mut desk.cycle(&["--json", "run.json"]));
    assert_eq!(first.code, 0, "{}\n{}", first.stdout, first.stderr);
    let one = desk.json();
    assert!(number(&one["matched"]) > 1_000, "{one}");
    assert_eq!(
        number(&one["backlog_before"]) - number(&one["backlog_after"]),
        number(&one["matched"])
    );
    let reasons: Vec<_> =
        one["failed"].as_array().unwrap().iter().map(|r| r["reason"].as_str().unwrap()).collect();
    for reason in
        ["NO_CANDIDATES", "WEAK_MATCH_ONLY", "MISSING_IDENTIFIERS", "CONFLICT_MULTIPLE_CANDIDATES"]
    {
        assert!(reasons.contains(&reason), "{reason} is missing from {reasons:?}");
        assert!(first.stdout.contains(reason), "{}", first.stdout);
    }
    assert!(first.stdout.contains("DOCUMENT_EXACT"), "{}", first.stdout);
    let report = desk.path().join("out/recovery_report.html");
    assert!(first.stdout.contains("recovery_report.html") && report.is_file());

    let second = run(&mut desk.cycle(&["--json", "run.json"]));
    assert_eq!(second.code, 0, "{}\n{}", second.stdout, second.stderr);
    let two = desk.json();
    assert_eq!(number(&two["matched"]), 0);
    assert_eq!(two["backlog_before"], one["backlog_after"]);
    assert_eq!(two["backlog_after"], one["backlog_after"]);
    assert_eq!(two["failed"], one["failed"]);
    for change in ["arrived", "reopened", "withdrawn"] {
        assert_eq!(number(&two["seed"][change]), 0, "{change}: {two}");
    }
}

#[test]
fn what_leads_gave_and_nobody_understood_is_told_in_text_json_and_report() {
    let desk = Desk::new();
    let mut leads = String::from("id,lead_created_at,phone,document,document_type\n");
    for at in 0..30 {
        writeln!(leads, "F{at:02},2026-01-01T00:00:00Z,consultar en mesa,,").unwrap();
    }
    leads += "S0,2026-01-01T00:00:00Z,,4567893,Aviso\n";
    leads += "S1,2026-01-01T00:00:00Z,12,4567891,Brevete\n";
    leads += "S2,2026-01-01T00:00:00Z,,4567892,Brevete\n";
    desk.write("leads.csv", &leads);
    desk.write(
        "persons.csv",
        "person_key,phone,document,document_type\nP1,987654312,71234567,Aviso\nP2,,71234567,Carnet del club\n\
         P3,,71234568,Carnet del club\n",
    );
    let done = run(&mut desk.cycle(&[
        "--leads",
        "leads.csv",
        "--persons",
        "persons.csv",
        "--json",
        "run.json",
    ]));
    assert_eq!(done.code, 0, "{}\n{}", done.stdout, done.stderr);
    for told in [
        "leads: values that give no key: 1 × phone WRONG_LENGTH",
        "leads: values that give no key: 30 × phone MALFORMED",
        "stands in at least 30 of them",
        "leads: 2 × document type \"Brevete\", which is in no table",
        "persons: 2 × document type \"Carnet del club\", which is in no table",
    ] {
        assert!(done.stderr.contains(told), "{told}: {}", done.stderr);
    }
    let json = desk.json();
    let leads = &json["recover"]["values"][0];
    assert_eq!((leads["whose"].as_str(), number(&leads["records_total"])), (Some("leads"), 33));
    // On both sides, the most frequent first.
    for (whose, types) in [(0, ["Brevete", "Aviso"]), (1, ["Carnet del club", "Aviso"])] {
        let told = &json["recover"]["values"][whose]["unknown_document_types"];
        assert_eq!([&told[0]["name"], &told[1]["name"]], types, "{told}");
        assert_eq!(
            (number(&told[0]["documents_total"]), number(&told[1]["documents_total"])),
            (2, 1)
        );
    }
    assert_eq!(number(&leads["frequent_values"][0]["records_at_least"]), 30);
    let report = std::fs::read_to_string(desk.path().join("out/recovery_report.html")).unwrap();
    for part in [
        "Values that were not understood",
        "Brevete",
        "Carnet del club",
        "Values that stand in many",
    ] {
        assert!(report.contains(part), "{part}");
    }
    // Nothing of it shows a value, and a lead that gave a phone is not asked for one.
    assert!(
        ![&done.stderr, &done.stdout, &report].iter().any(|text| text.contains("consultar en"))
    );
    assert!(report.contains("30 leads gave a phone that cannot be read"), "{}", done.stdout);
}

#[test]
fn a_backlog_of_203_that_nobody_matches_stays_at_203_explained_and_is_no_failure() {
    let desk = Desk::new();
    let mut leads =
        String::from("id,lead_created_at,phone,document,document_type,document_country\n");
    for at in 0..203 {
        let phone =
            if at < 163 { format!("9{:08}", 10_234_567 + at * 7_919) } else { String::new() };
        writeln!(leads, "L{at},2026-01-05T10:00:00Z,{phone},,,").unwrap();
    }
    desk.write("leads.csv", &leads);
    desk.write("persons.csv", "person_key,phone\nP1,+51 987 111 222\n");
    let run = desk.run(&[]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let json = desk.json();
    for (key, count) in
        [("backlog_before", 203), ("backlog_after", 203), ("matched", 0), ("failed_total", 203)]
    {
        assert_eq!(number(&json[key]), count, "{key}: {json}");
    }
    let explained: u64 =
        json["failed"].as_array().unwrap().iter().map(|row| number(&row["leads"])).sum();
    assert_eq!(explained, 203);
    for check in ["drain", "origin_missing"] {
        assert_ne!(verdict(&json, check), "fail", "{json}");
        assert_ne!(verdict(&json, check), "error", "{json}");
    }
    assert!(run.stdout.contains("203"), "{}", run.stdout);
    assert!(!run.stdout.contains("987 111 222") && !run.stderr.contains("987 111 222"));
}

#[test]
fn a_known_person_is_linked_and_the_decision_is_written() {
    let desk = Desk::new();
    desk.write(
        "leads.csv",
        "id,external_id,lead_created_at,phone\nL1,web 1,2026-01-05T10:00:00Z,987111222\n",
    );
    desk.write("persons.csv", "person_key,phone\nP1,+51 987 111 222\n");
    let run = desk.run(&["--decisions", "decisions.csv"]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let decisions = fs::read_to_string(desk.path().join("decisions.csv")).unwrap();
    let mut lines = decisions.lines();
    assert_eq!(
        lines.next(),
        Some("source_pk,status,person_key,match_rule,confidence,fail_reason,evidence")
    );
    assert!(lines.next().unwrap().starts_with("web 1,matched,P1,PHONE_EXACT,"), "{decisions}");
    assert!(!decisions.contains("987111222") && !decisions.contains("+51987111222"), "{decisions}");
    assert_eq!(number(&desk.json()["backlog_after"]), 0);
}

#[test]
fn a_new_person_wakes_the_failed_leads_that_share_a_key_and_only_those() {
    let desk = Desk::new();
    desk.write(
        "leads.csv",
        "id,lead_created_at,phone\nL1,2026-01-05T10:00:00Z,987111222\nL2,2026-01-05T10:00:00Z,987333555\n",
    );
    desk.write("persons.csv", "person_key,phone\nP1,911000111\n");
    assert_eq!(desk.run(&[]).code, 0);
    assert_eq!(number(&desk.json()["failed_total"]), 2);
    desk.write("persons.csv", "person_key,phone\nP1,911000111\nP2,+51 987 111 222\n");
    let run = desk.run(&[]);
    assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
    let json = desk.json();
    assert_eq!(number(&json["imports"][1]["woken_total"]), 1, "{json}");
    for (key, count) in [("claimed", 1), ("matched", 1)] {
        assert_eq!(number(&json["recover"][key]), count, "{key}: {json}");
    }
    assert_eq!(number(&json["failed_total"]), 1);
}

#[test]
fn a_claim_keeps_a_lead_out_of_the_backlog() {
    let desk = Desk::new();
    desk.write("leads.csv", "id,lead_created_at,phone\nL1,2026-01-05T10:00:00Z,911000111\nL2,2026-01-05T10:00:00Z,911000222\n");
    desk.write("persons.csv", "person_key,phone\nP1,987111222\n");
    desk.write("claims.csv", "claim_id,person_key,source_pk\nC1,,L1\n");
    assert_eq!(desk.run(&["--claims", "claims.csv"]).code, 0);
    assert_eq!(number(&desk.json()["backlog_before"]), 1);
}

#[test]
fn a_broken_line_is_told_and_the_rest_is_done() {
    let desk = Desk::new();
    desk.write(
        "leads.csv",
        "id,lead_created_at,phone\nL1,2026-01-05T10:00:00Z,987111222\nL2,never,1\nL3,\"\n",
    );
    desk.write("persons.csv", "person_key,phone\nP1,987111222\n");
    let run = desk.run(&[]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("leads.csv: line 3, column `lead_created_at`"), "{}", run.stderr);
    assert!(run.stderr.contains("leads.csv: line 4"), "{}", run.stderr);
    assert_eq!(number(&desk.json()["matched"]), 1);
}

#[test]
fn a_table_is_read_by_the_users_names_and_every_refused_row_is_written_without_its_value() {
    let desk = Desk::new();
    desk.write(
        "map.toml",
        "[leads]\nphone = \"Teléfono móvil\"\nid = [\"Código\", \"ID de contacto\"]\n",
    );
    let long = "9".repeat(513);
    let bad = "B;never;1\r\n".repeat(25);
    desk.write(
        "leads.csv",
        &format!(
            "\u{feff}\"ID de contacto\";\"lead_created_at\";\"Teléfono móvil\"\r\nL1;2026-01-05T10:00Z;\"987111222\n\"\r\n;;\r\n{bad}{long};;5\r\n"
        ),
    );
    desk.write("persons.csv", "person_key\tphone\nP1\t987111222\n\t1\n");
    let run = desk.run(&["--columns", "map.toml", "--refused", "refused.csv"]);
    assert_eq!(run.code, 5, "{}\n{}", run.stdout, run.stderr);
    assert_eq!(number(&desk.json()["matched"]), 1);
    assert!(run.stderr.contains("separated by the semicolon"), "{}", run.stderr);
    assert!(run.stderr.contains("… and 6 more refused rows"), "{}", run.stderr);
    let refused = std::fs::read_to_string(desk.path().join("refused.csv")).unwrap();
    let rows: Vec<_> = refused.lines().collect();
    assert_eq!(rows.len(), 1 + 25 + 1 + 1, "{refused}");
    assert_eq!(rows[0], "file,line,column,reason");
    assert!(rows[1].contains("leads.csv,5,lead_created_at,"), "{refused}");
    assert!(rows[26].contains("leads.csv,30,id,") && rows[26].contains("513 bytes"), "{refused}");
    assert!(rows[27].contains("persons.csv,3,person_key,"), "{refused}");
    let said = format!("{refused}{}{}", run.stdout, run.stderr);
    assert!(!said.contains("never") && !said.contains(&long), "{said}");
    let wrong = desk.run(&["--columns", "persons.csv"]);
    assert_eq!((wrong.code, wrong.stderr.contains("persons.csv: the map of columns")), (4, true));
}

#[test]
fn wrong_input_is_named_with_its_remedy_and_leaves_nothing_behind() {
    let desk = Desk::new();
    desk.write("leads.csv", "id,lead_created_at,phone\nL1,2026-01-05T10:00:00Z,987111222\n");
    desk.write("persons.csv", "name,phone\nAna,987111222\n");
    desk.write("no-database", &"not a database at all ".repeat(20));
    desk.write("policy.toml", "[kinds.phone]\nmax_persons_per_key = 0\n");
    desk.write("unparsable.toml", "[phone\nmax_persons_per_key = 3\n");
    let cases: [(&[&str], &str); 9] = [
        (&["--policy", "policy.toml"], "phone.max_persons_per_key"),
        (&["--policy", "unparsable.toml"], "line 1"),
        (&["--leads", "missing.csv", "--persons", "persons.csv"], "missing.csv"),
        (&["--leads", "leads.csv", "--persons", "persons.csv"], "persons.csv: line 1"),
        (&["--leads", "leads.csv", "--persons", "leads.csv"], "person_key"),
        (&["--leads", "leads.csv", "--region", "Peru"], "Peru"),
        (&["--database-url", "no-database"], "no-database"),
        (&["--database-url", "mysql://x/y"], "mysql"),
        (&["--batch-size", "0"], "batch-size"),
    ];
    for (args, named) in cases {
        let run = run(&mut desk.cycle(args));
        assert_eq!(run.code, 4, "{args:?}: {}\n{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(named), "{args:?}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{args:?}: {}", run.stdout);
        assert!(!desk.path().join("out/recovery_report.html").exists(), "{args:?}");
        let policy = args[0] == "--policy";
        assert!(!policy || !desk.path().join("out/recovery.sqlite").exists(), "{args:?}");
    }
}

#[test]
fn an_unwritable_report_is_refused_before_anything_is_done() {
    let desk = Desk::new();
    desk.write("leads.csv", "id,phone\nL1,987111222\n");
    desk.write("persons.csv", "person_key,phone\nP1,987111222\n");
    desk.write("file", "");
    let run = desk.run(&["--report", "file/report.html"]);
    assert_eq!(run.code, 4, "{}\n{}", run.stdout, run.stderr);
    assert!(
        run.stderr.contains("file/report.html") && run.stderr.contains("what to do"),
        "{}",
        run.stderr
    );
    assert!(!desk.path().join("out/recovery.sqlite").exists());
}

#[test]
fn help_teaches_the_flags_and_the_exit_codes() {
    let run = run(runner("recovery_cycle").arg("--help"));
    assert_eq!(run.code, 0);
    for flag in [
        "--leads",
        "--persons",
        "--claims",
        "--region",
        "--limit",
        "--batch-size",
        "--decisions",
        "--report",
        "--database-url",
        "--json",
        "--quiet",
        "Exit codes",
    ] {
        assert!(run.stdout.contains(flag), "{flag} is missing from {}", run.stdout);
    }
}
