//! The human loop, whole: leads that the matcher may not decide go out, are decided, come back and are undone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::corrections::sql;
use crate::runner::{Run, run, runner};

/// Some texts of an object, with blanks between them.
pub(crate) fn texts<const N: usize>(object: &serde_json::Value, keys: [&str; N]) -> String {
    keys.map(|key| object[key].as_str().unwrap_or_default()).join(" ")
}

pub(crate) fn json(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("run.json")).expect("the run wrote its JSON");
    serde_json::from_str(&text).expect("the JSON is whole")
}

pub(crate) fn step(folder: &Path, url: &str, name: &str, more: &[&str]) -> Run {
    let base = ["--json", "run.json", "--database-url", url];
    run(runner(name).current_dir(folder).args(base).args(more))
}

pub(crate) fn done(folder: &Path, url: &str, name: &str, more: &[&str]) -> Value {
    let run = step(folder, url, name, more);
    assert_eq!(run.code, 0, "{name} {more:?}: {}{}", run.stdout, run.stderr);
    json(folder)
}

/// How many leads fail, each with two persons who share its phone.
pub(crate) const LEADS: usize = 12;

/// Imports leads whose phone two persons share, and recovers: none can be decided.
pub(crate) fn begin(folder: &Path, url: &str) {
    begin_with(folder, url, "Ana Soto");
}

fn begin_with(folder: &Path, url: &str, name: &str) {
    let mut leads = String::from("id,phone,first_name,last_name,lead_created_at\n");
    let mut persons = String::from("person_key,phone,full_name\n");
    for i in 0..LEADS {
        let _ = writeln!(leads, "L-{i:02},98765{i:04},Ana,Rojas,2026-01-{:02}T10:00:00Z", i + 1);
        let _ = writeln!(persons, "A-{i:02},+5198765{i:04},{name}");
        let _ = writeln!(persons, "B-{i:02},+5198765{i:04},Luz Vega");
    }
    std::fs::write(folder.join("leads.csv"), leads).expect("the folder can be written");
    std::fs::write(folder.join("persons.csv"), persons).expect("the folder can be written");
    let files = ["--leads", "leads.csv", "--persons", "persons.csv"];
    let run = step(folder, url, "recovery_cycle", &files);
    assert!(run.code <= 1, "{}", run.stderr);
}

/// What a user sees of the queue: each lead with its status, reason, link and evidence, and the ledger's sum.
pub(crate) fn picture(folder: &Path, url: &str) -> String {
    let run = step(folder, url, "verify_guardrails", &["--allow-inconclusive"]);
    assert!(run.code <= 1, "{}", run.stderr);
    let report = json(folder);
    let checks = report["checks"].as_array().expect("checks");
    let ledger = checks.iter().find(|check| check["name"] == "recovery/ledger_balance");
    let mut told = format!("ledger {}\n", ledger.expect("the check of the ledger")["verdict"]);
    for lead in 0..LEADS {
        let shown = done(folder, url, "queue_admin", &["lead", "show", &format!("L-{lead:02}")]);
        let _ = writeln!(
            told,
            "{} {} {} {} {}",
            shown["source_pk"],
            shown["status"],
            shown["fail_reason"],
            shown["person_key"],
            shown["evidence"]
        );
    }
    told
}

pub(crate) fn packets(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("packets were written")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "csv" || ext == "xlsx"))
        .collect();
    files.sort();
    files
}

/// Reads a CSV packet as rows by column.
pub(crate) fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a packet");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// Writes answers into a CSV packet: by lead, the cells to fill in.
pub(crate) fn fill(path: &Path, answers: &BTreeMap<&str, Vec<(&str, &str)>>) {
    let mut reader = csv::Reader::from_path(path).expect("a packet");
    let header = reader.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|label| label == name).expect("a column");
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&header).expect("memory");
    for row in reader.records() {
        let mut cells: Vec<String> = row.expect("a row").iter().map(str::to_owned).collect();
        let lead = cells[at("lead")].clone();
        for (column, text) in answers.get(lead.as_str()).into_iter().flatten() {
            (*text).clone_into(&mut cells[at(column)]);
        }
        out.write_record(&cells).expect("memory");
    }
    std::fs::write(path, out.into_inner().expect("memory")).expect("the packet can be written");
}

/// Writes answers into a workbook: by lead, the cells to fill in.
fn fill_workbook(path: &Path, answers: &Value) {
    let header: Vec<String> = reference_runners::review::template()
        .columns()
        .iter()
        .map(|column| column.name.clone())
        .collect();
    let text = serde_json::json!({ "header": header, "rows": answers }).to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fill_workbook.py");
    let mut python = Command::new("python3")
        .arg(script)
        .arg(path)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("Python runs");
    let mut input = python.stdin.take().expect("its input is ours");
    std::io::Write::write_all(&mut input, text.as_bytes()).expect("the script reads");
    drop(input);
    assert!(python.wait().expect("the script ends").success());
}

pub(crate) fn on_each(test: fn(&str)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    test(&format!("sqlite://{}", folder.path().join("r.sqlite").display()));
    match recovery_queue::testing::PostgresServer::start() {
        Ok(server) => test(server.url()),
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            // Past the harness, which keeps what a passing test prints to itself.
            let said = format!("LEFT OUT: reviews on PostgreSQL: {error}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        }
    }
}

pub(crate) const BY: (&str, &str) = ("decided_by", "ana");

#[test]
fn the_whole_trip_lowers_the_backlog_by_the_decided_and_undoes_to_what_it_was() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        let before = picture(folder, url);
        assert_eq!(before.matches("CONFLICT_MULTIPLE_CANDIDATES").count(), LEADS, "{before}");
        let out = ["--form", "plain", "--out-dir", "review"];
        let told = done(folder, url, "export_review", &out);
        assert_eq!(
            (&told["cases_total"], told["packets"].as_array().map(Vec::len)),
            (&12.into(), Some(1))
        );
        let packet = packets(&folder.join("review")).remove(0);
        let issued = rows(&packet);
        // The oldest first, its candidates side by side, and no identifier in it.
        assert_eq!(issued[0]["lead"], "L-00");
        assert_eq!(
            (issued[0]["candidate_1"].as_str(), issued[0]["candidate_2"].as_str()),
            ("A-00", "B-00")
        );
        assert!(issued[0]["stopped_by"].starts_with("CONFLICT_MULTIPLE_CANDIDATES: "));
        assert!(issued[0]["candidate_1_agrees"].contains("phone"), "{:?}", issued[0]);
        assert_eq!(issued[0]["identifiers"], "masked");
        let text = std::fs::read_to_string(&packet).expect("a packet");
        assert!(!text.contains("987650000") && !text.contains("Soto"), "{text}");
        let again = done(folder, url, "export_review", &out);
        assert_eq!((&again["cases_total"], &again["out_already_total"]), (&0.into(), &12.into()));

        let answers = BTreeMap::from([
            (
                "L-00",
                vec![("decision", "link"), ("person_key", "A-00"), BY, ("comment", "by phone")],
            ),
            ("L-01", vec![("decision", "link"), ("person_key", "B-01"), BY]),
            ("L-02", vec![("decision", "none of these"), BY]),
            ("L-03", vec![("decision", "new person"), BY]),
            ("L-04", vec![("decision", "later"), BY]),
        ]);
        fill(&packet, &answers);
        let told = done(folder, url, "load_review", &["review", "--dry-run"]);
        assert_eq!(told["receipt"]["linked"], 2, "{told}");
        assert_eq!(picture(folder, url), before, "a dry run changes nothing");
        let told = done(folder, url, "load_review", &["review"]);
        let receipt = &told["receipt"];
        assert_eq!((&receipt["linked"], &receipt["new_persons"]), (&2.into(), &1.into()), "{told}");
        assert_eq!((&receipt["none_of_these"], &receipt["later"]), (&1.into(), &1.into()));
        let load = receipt["load"].as_str().expect("a load").to_owned();
        let shown = done(folder, url, "queue_admin", &["lead", "show", "L-00"]);
        assert_eq!(
            (&shown["status"], &shown["person_key"]),
            (&"matched".into(), &"A-00".into()),
            "{shown}"
        );
        let after = picture(folder, url);
        assert_eq!(after.matches("\"failed\"").count(), LEADS - 4, "{after}");
        let again = done(folder, url, "load_review", &["review"]);
        assert_eq!(
            (&again["receipt"]["unchanged"], &again["receipt"]["load"]),
            (&5.into(), &Value::Null)
        );
        assert_eq!(picture(folder, url), after, "the same packet again changes nothing");

        // The lead that is none of them is decided anew, and never theirs.
        let run = step(folder, url, "recover_leads", &[]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let shown = done(folder, url, "queue_admin", &["lead", "show", "L-02"]);
        assert_eq!(shown["status"], "failed", "{shown}");
        let guards = step(folder, url, "verify_guardrails", &[]);
        for check in json(folder)["checks"].as_array().expect("checks") {
            assert_ne!(check["verdict"], "fail", "{} {}", check, guards.stdout);
        }

        let undone = done(folder, url, "load_review", &["--undo", &load]);
        assert_eq!(undone["reviews"], 5, "{undone}");
        assert_eq!(undone["allowed_pairs"], 4, "{undone}");
        let run = step(folder, url, "recover_leads", &[]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(picture(folder, url), before, "all is as before");
    });
}

#[test]
fn two_reviewers_decide_apart_and_claims_become_links_on_request() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin_with(folder, url, "Ana Rojas");
        let out = ["--form", "plain", "--out-dir", "review", "--reviewers", "ana,luis", "--second"];
        let told = done(folder, url, "export_review", &out);
        assert_eq!(told["packets"].as_array().map(Vec::len), Some(2));
        let files = packets(&folder.join("review"));
        for (file, name) in files.iter().map(|file| {
            let ana = file.to_string_lossy().contains("ana");
            (file, if ana { "ana" } else { "luis" })
        }) {
            let person = if name == "ana" { "A-01" } else { "B-01" };
            let by = ("decided_by", name);
            fill(
                file,
                &BTreeMap::from([
                    ("L-00", vec![("decision", "link"), ("person_key", "A-00"), by]),
                    ("L-01", vec![("decision", "link"), ("person_key", person), by]),
                ]),
            );
        }
        let told = done(folder, url, "load_review", &["review"]);
        let receipt = &told["receipt"];
        let figures = (&receipt["linked"], &receipt["disagreeing"], &receipt["waiting"]);
        assert_eq!(figures, (&1.into(), &1.into(), &2.into()), "{told}");
        let told =
            done(folder, url, "review_report", &["--days", "0", "--learn", "--truth", "t.csv"]);
        let figures = &told["figures"];
        assert_eq!(
            (&figures["waiting"], &figures["disagreeing"]),
            (&10.into(), &1.into()),
            "{told}"
        );
        let agreement = &figures["agreement"];
        assert_eq!((&agreement["cases"], &agreement["alike"]), (&2.into(), &1.into()), "{told}");
        let mut who: Vec<&str> = told["out_too_long"]
            .as_array()
            .expect("packets")
            .iter()
            .filter_map(|packet| packet["reviewer"].as_str())
            .collect();
        who.sort_unstable();
        assert_eq!(who, ["ana", "luis"]);
        let truth = std::fs::read_to_string(folder.join("t.csv")).expect("the truth was written");
        assert_eq!(truth, "source_pk,person_key\nL-00,A-00\n");
        // To ask for like names would have decided as the reviewers did, and every other lead alike.
        let best = &told["policies"][0];
        assert_eq!((&best["right_total"], &best["wrong_total"]), (&1.into(), &0.into()), "{told}");
        assert_eq!(best["others_changed_total"], 11, "{told}");
        let again = ["--form", "plain", "--out-dir", "again", "--disagreements"];
        let told = done(folder, url, "export_review", &again);
        assert_eq!(told["cases_total"], 1, "{told}");

        std::fs::write(
            folder.join("claims.csv"),
            "claim_id,source_pk,person_key\nC1,L-05,A-05\nC2,L-06,A-99\n",
        )
        .expect("the folder can be written");
        let run = step(folder, url, "recovery_cycle", &["--claims", "claims.csv", "--limit", "0"]);
        assert!(run.code <= 1, "{}", run.stderr);
        let eva = step(folder, url, "load_review", &["--claims", "--by", "eva"]);
        assert_eq!(eva.code, 4, "{}", eva.stderr);
        let taken = step(folder, url, "load_review", &["--claims", "--by", "ana"]);
        assert_eq!(taken.code, 5, "{}{}", taken.stdout, taken.stderr);
        assert!(taken.stderr.contains("claim C2 was not taken"), "{}", taken.stderr);
        let shown = done(folder, url, "queue_admin", &["lead", "show", "L-05"]);
        assert_eq!(
            (&shown["status"], &shown["person_key"]),
            (&"matched".into(), &"A-05".into()),
            "{shown}"
        );
    });
}

#[test]
fn a_person_whom_two_reviewers_say_is_new_is_made_once_both_have_said_so() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        let out = ["--form", "plain", "--out-dir", "review", "--reviewers", "ana,luis", "--second"];
        done(folder, url, "export_review", &out);
        let before = picture(folder, url);
        let mut loads = Vec::new();
        for file in packets(&folder.join("review")) {
            let name = if file.to_string_lossy().contains("ana") { "ana" } else { "luis" };
            let cells = vec![("decision", "new person"), ("decided_by", name)];
            fill(&file, &BTreeMap::from([("L-00", cells)]));
            let own = folder.join(name);
            std::fs::create_dir(&own).expect("the folder can be made");
            std::fs::copy(&file, own.join("packet.csv")).expect("copied");
            let told = done(folder, url, "load_review", &[name]);
            let receipt = &told["receipt"];
            loads.push(receipt["load"].as_str().expect("a load").to_owned());
            let second = u64::from(loads.len() == 2);
            assert_eq!(receipt["new_persons"], second, "{told}");
            let queue = crate::review_crashes::ask(
                url,
                "SELECT CAST(count(*) AS TEXT) AS told FROM persons WHERE person_key = 'review:L-00'",
            );
            assert_eq!(queue, second.to_string(), "a person is made by the decision that holds");
        }
        for load in loads.iter().rev() {
            done(folder, url, "load_review", &["--undo", load]);
        }
        assert_eq!(picture(folder, url), before, "all is as before");
    });
}

#[test]
fn a_load_of_claims_is_undone_to_what_it_was() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        done(folder, url, "export_review", &["--form", "plain", "--out-dir", "review"]);
        // The import takes the leads of the claims out of the backlog, all but the last, which no seed has seen.
        let claims = "claim_id,source_pk,person_key\nC1,L-05,A-05\nC2,L-06,B-06\nC3,L-07,A-07\n\
            C4,L-07,B-07\nC5,L-99,A-01\n";
        std::fs::write(folder.join("claims.csv"), claims).expect("written");
        let run = step(folder, url, "recovery_cycle", &["--claims", "claims.csv", "--limit", "0"]);
        assert!(run.code <= 1, "{}", run.stderr);
        sql(
            url,
            "INSERT INTO claims (claim_id, source_pk, person_key) VALUES ('C6', 'L-08', 'A-08')",
        );
        let before = picture(folder, url);
        assert_eq!(before.matches("withdrawn").count(), 3, "{before}");
        let figures = |folder: &Path| {
            let mut told = done(folder, url, "review_report", &[])["figures"].clone();
            told["as_of"].take();
            told
        };
        let told_before = figures(folder);
        let taken = step(folder, url, "load_review", &["--claims", "--by", "ana"]);
        assert_eq!(taken.code, 5, "{}{}", taken.stdout, taken.stderr);
        let told = json(folder);
        assert_eq!(told["linked_total"], 3, "{told}");
        let refused: Vec<&str> = told["refused"]
            .as_array()
            .expect("claims")
            .iter()
            .filter_map(|claim| claim[0].as_str())
            .collect();
        assert_eq!(refused, ["C3", "C4", "C5"], "of two that differ neither is taken");
        let load = told["load"].as_str().expect("a load").to_owned();
        let after = picture(folder, url);
        assert_eq!(after.matches("matched").count(), 3, "{after}");
        assert!(after.contains("L-08\" \"matched\""), "{after}");
        let mut counted = figures(folder);
        assert_eq!(counted["decisions"], told_before["decisions"], "nobody was asked");
        assert_eq!(counted["waiting"], 8, "the last one was with a reviewer: {counted}");
        let again = step(folder, url, "load_review", &["--claims", "--by", "ana"]);
        assert_eq!((again.code, &json(folder)["load"]), (5, &Value::Null));
        assert_eq!(json(folder)["unchanged_total"], 3);
        assert_eq!(picture(folder, url), after, "the same claims again change nothing");

        let undone = done(folder, url, "load_review", &["--undo", &load]);
        assert_eq!((&undone["unlinked"], &undone["restored"]), (&3.into(), &3.into()), "{undone}");
        assert_eq!(picture(folder, url), before, "all is as before");
        counted = figures(folder);
        assert_eq!(counted, told_before, "nothing waits with anybody for it");
        let third = step(folder, url, "load_review", &["--claims", "--by", "ana"]);
        assert_eq!((third.code, &json(folder)["linked_total"]), (5, &3.into()));
        assert_eq!(picture(folder, url), after, "and it can be loaded again");
    });
}

#[test]
fn decisions_are_taken_in_spanish_words_and_in_english_ones() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        done(folder, url, "export_review", &["--form", "plain", "--out-dir", "review"]);
        let packet = packets(&folder.join("review")).remove(0);
        let answers = |more| {
            BTreeMap::from([
                ("L-00", vec![("decision", "vincular"), ("person_key", "A-00"), BY]),
                ("L-01", vec![("decision", "link"), ("person_key", "A-01"), BY]),
                ("L-02", vec![("decision", "ninguna"), BY]),
                ("L-03", vec![("decision", "persona nueva"), BY]),
                ("L-04", vec![("decision", "más tarde"), BY]),
                ("L-05", vec![("decision", "vincular"), ("person_key", more), BY]),
            ])
        };
        fill(&packet, &answers(""));
        let spanish = ["review", "--language", "es"];
        let refused = step(folder, url, "load_review", &spanish);
        assert_eq!(refused.code, 1, "{}", refused.stdout);
        let said = "celda U7): rule_broken: hace falta, porque `decision` dice `vincular`";
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
        fill(&packet, &answers("A-05"));
        let told = done(folder, url, "load_review", &spanish);
        let receipt = &told["receipt"];
        let figures =
            ["linked", "none_of_these", "new_persons", "later"].map(|of| receipt[of].as_u64());
        assert_eq!(figures, [3, 1, 1, 1].map(Some), "{told}");
    });
}

#[test]
fn workbooks_that_libreoffice_saved_come_back_as_they_were_filled_in() {
    let there = Command::new("soffice").arg("--version").output().is_ok();
    if std::env::var_os("CI").is_none() || !there {
        assert!(there || std::env::var_os("CI").is_none(), "install libreoffice-calc");
        let said = "LEFT OUT: what LibreOffice saves of a review is tried with CI=true alone\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        return;
    }
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        begin(folder, url);
        for (form, limit, rows) in
            [("xlsx-es", "1", "1"), ("plain", "2", "1"), ("xlsx-en", "9", "9")]
        {
            let out = ["--form", form, "--out-dir", form, "--limit", limit, "--rows", rows];
            done(folder, url, "export_review", &out);
        }
        // The filled CSV is saved as a workbook, the workbook as another.
        let plain = packets(&folder.join("plain"));
        let lead = rows(&plain[0])[0]["lead"].clone();
        let person = rows(&plain[0])[0]["candidate_2"].clone();
        fill(
            &plain[0],
            &BTreeMap::from([(
                lead.as_str(),
                vec![("decision", "link"), ("person_key", &person), BY],
            )]),
        );
        let upright = packets(&folder.join("xlsx-es"));
        // An upright one in Spanish, in its own words.
        fill_workbook(
            &upright[0],
            &serde_json::json!({
                "L-00": { "decision": "vincular", "person_key": "A-00", "decided_by": "ana" },
            }),
        );
        // A workbook of many rows, filled in by a script as a person would.
        let book = packets(&folder.join("xlsx-en"));
        fill_workbook(
            &book[0],
            &serde_json::json!({
                "L-05": { "decision": "link", "person_key": "A-05", "decided_by": "ana", "comment": "Él lo dijo" },
                "L-06": { "decision": "none of these", "decided_by": "ana" },
                "L-07": { "decision": "later", "comes_back_on": "2999-01-31", "decided_by": "ana" },
            }),
        );
        for file in [&plain[0], &upright[0], &book[0]] {
            let office = Command::new("soffice")
                .arg(format!("-env:UserInstallation=file://{}", folder.join("user").display()))
                .args([
                    "--headless",
                    "--norestore",
                    "--nologo",
                    "--convert-to",
                    "xlsx:Calc MS Excel 2007 XML",
                    "--outdir",
                ])
                .arg(folder.join("saved"))
                .arg(file)
                .output()
                .expect("LibreOffice runs");
            assert!(office.status.success(), "{}", String::from_utf8_lossy(&office.stderr));
        }
        let before = picture(folder, url);
        let told = done(folder, url, "load_review", &["saved"]);
        let receipt = &told["receipt"];
        let figures = (&receipt["linked"], &receipt["none_of_these"], &receipt["later"]);
        assert_eq!(figures, (&3.into(), &1.into(), &1.into()), "{told}");
        let after = picture(folder, url);
        let failed = |picture: &str| picture.matches("\"failed\"").count();
        assert_eq!(failed(&before) - failed(&after), 4, "{after}");
        let id = receipt["load"].as_str().expect("a load");
        let shown = done(folder, url, "queue_admin", &["lead", "show", &lead]);
        assert_eq!(shown["person_key"], person.as_str(), "{shown}");
        done(folder, url, "load_review", &["--undo", id]);
        assert_eq!(picture(folder, url), before, "all is as before");
    });
}
