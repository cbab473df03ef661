//! Identifiers that could not be read: they go out to people, come back corrected, and the leads are decided anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::own_kinds::POLICY;
use crate::reviews::{done, fill, json, on_each, packets, rows, step, texts};
use crate::runner::{run, runner};

const BY: (&str, &str) = ("decided_by", "ana");

const LEADS: &str = "id,phone,document,document_type,document_country,email,lead_created_at\n\
    L-1,98765432O1,,,,,2026-01-01T10:00:00Z\n\
    L-2,,45678912,RUC,PE,,2026-01-02T10:00:00Z\n\
    L-3,987,,,,ana@@correo.pe,2026-01-03T10:00:00Z\n\
    L-4,987650004,,,,,2026-01-04T10:00:00Z\n";

fn import(folder: &Path, url: &str, leads: &str) {
    std::fs::write(folder.join("leads.csv"), leads).expect("the folder can be written");
    let persons = "person_key,phone,document,document_type,document_country,full_name\n\
        P-1,+51987654321,,,,Ana Soto\nP-2,,45678912,DNI,PE,Luz Vega\n";
    std::fs::write(folder.join("persons.csv"), persons).expect("the folder can be written");
    let files = ["--leads", "leads.csv", "--persons", "persons.csv"];
    let run = step(folder, url, "recovery_cycle", &files);
    assert!(run.code <= 1, "{}", run.stderr);
}

fn lead(folder: &Path, url: &str, key: &str) -> (String, String) {
    let shown = done(folder, url, "queue_admin", &["lead", "show", key]);
    let text = |name: &str| shown[name].as_str().unwrap_or_default().to_owned();
    (text("status"), text("person_key"))
}

fn stand(folder: &Path, url: &str) -> Vec<String> {
    let keys = ["L-1", "L-2", "L-3", "L-4"];
    let mut told: Vec<String> = keys
        .iter()
        .map(|key| done(folder, url, "queue_admin", &["lead", "show", key]))
        .map(|lead| format!("{} {} {}", lead["status"], lead["fail_reason"], lead["evidence"]))
        .collect();
    step(folder, url, "verify_guardrails", &["--allow-inconclusive"]);
    let report = json(folder);
    let checks = report["checks"].as_array().expect("checks");
    for name in ["recovery/ledger_balance", "recovery/review_consistency"] {
        let check = checks.iter().find(|check| check["name"] == name);
        told.push(format!("{name} {}", check.expect("the check")["verdict"]));
    }
    told
}

fn give_out(folder: &Path, url: &str, out: &str, more: &[&str]) -> PathBuf {
    let _ = std::fs::remove_dir_all(folder.join(out));
    let base = ["--correct", "--form", "plain", "--out-dir", out];
    done(folder, url, "export_review", &[&base, more].concat());
    packets(&folder.join(out)).remove(0)
}

#[test]
fn a_corrected_identifier_wakes_its_lead_and_is_put_back() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        import(folder, url, LEADS);
        let before = stand(folder, url);

        // Masked by default, and it says so; the value's form is seen, beside what is wrong with it.
        let masked = give_out(folder, url, "masked", &["--again"]);
        let shown = rows(&masked);
        assert_eq!(shown.len(), 3, "L-4 was read well: {shown:?}");
        assert_eq!(
            (shown[0]["lead"].as_str(), shown[0]["phone_as_it_is"].as_str()),
            ("L-1", "########x#")
        );
        assert!(shown[0]["phone_problem"].contains(": "), "{shown:?}");
        assert_eq!(shown[0]["identifiers"], "masked");
        let text = std::fs::read_to_string(&masked).expect("a packet");
        assert!(!text.contains("98765432") && !text.contains("correo.pe"), "{text}");
        // In full only with the flag, and row and file say so.
        let packet = give_out(folder, url, "full", &["--full", "--again"]);
        let shown = rows(&packet);
        assert_eq!(shown[0]["phone_as_it_is"], "98765432O1");
        assert_eq!(shown[1]["document_as_it_is"], "PE RUC 45678912");
        assert!(shown[0]["identifiers"].starts_with("FULL"), "{shown:?}");
        assert!(packet.to_string_lossy().contains("full"), "{packet:?}");

        fill(
            &packet,
            &BTreeMap::from([
                ("L-1", vec![("phone", "987654321"), BY, ("comment", "an O for a 0")]),
                ("L-2", vec![("document_type", "DNI"), BY]),
            ]),
        );
        let dry = done(folder, url, "load_review", &["full", "--correct", "--dry-run"]);
        assert_eq!(dry["receipt"]["corrected"], 2, "{dry}");
        assert_eq!(stand(folder, url), before, "a dry run changes nothing");
        let told = done(folder, url, "load_review", &["full", "--correct"]);
        assert_eq!(told["receipt"]["corrected"], 2, "{told}");
        let load = told["receipt"]["load"].as_str().expect("a load").to_owned();
        assert_eq!(lead(folder, url, "L-1").0, "pending");
        let again = done(folder, url, "load_review", &["full", "--correct"]);
        assert_eq!(again["receipt"]["unchanged"], 2, "{again}");

        // Taken back at once, all is as before.
        let undone = done(folder, url, "load_review", &["--undo", &load]);
        assert_eq!(undone["restored"], 2, "{undone}");
        assert_eq!(stand(folder, url), before);

        // Loaded anew, the leads are matched by what was corrected; also when the source brings the old values again.
        let told = done(folder, url, "load_review", &["full", "--correct"]);
        let load = told["receipt"]["load"].as_str().expect("a load").to_owned();
        import(folder, url, LEADS);
        assert_eq!(lead(folder, url, "L-1"), ("matched".to_owned(), "P-1".to_owned()));
        assert_eq!(lead(folder, url, "L-2"), ("matched".to_owned(), "P-2".to_owned()));
        let refused = step(folder, url, "load_review", &["--undo", &load]);
        assert_ne!(refused.code, 0, "{}", refused.stdout);
        assert!(refused.stderr.contains("matched since"), "{}", refused.stderr);
        for key in ["L-1", "L-2"] {
            done(folder, url, "queue_admin", &["link", "undo", key, "--why", "a test"]);
        }
        done(folder, url, "load_review", &["--undo", &load]);
        import(folder, url, LEADS);
        assert_eq!(stand(folder, url), before, "the source's values stand again");
        for (key, found) in [("L-1", true), ("L-9", false)] {
            let forgotten =
                step(folder, url, "queue_admin", &["lead", "forget", key, "--why", "on request"]);
            assert_eq!(forgotten.code == 0, found, "{}", forgotten.stderr);
        }
    });
}

#[test]
fn values_of_own_kinds_are_corrected_and_what_gives_a_key_is_not_asked_about() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        // A likely typing error in an address is odd, and gives a key.
        let leads = "id,lead_created_at,card,second_card,email\n\
            L-1,2026-01-01T10:00:00Z,2048,20480001,\nL-2,2026-01-02T10:00:00Z,,,ana@gmial.com\n\
            L-3,2026-01-03T10:00:00Z,20480003,,\n";
        let persons = "person_key,card\nP-1,20481357\n";
        for (name, text) in [("leads.csv", leads), ("persons.csv", persons), ("p.toml", POLICY)] {
            std::fs::write(folder.join(name), text).expect("the folder can be written");
        }
        let night = || {
            let files = ["--leads", "leads.csv", "--persons", "persons.csv", "--policy", "p.toml"];
            let run = step(folder, url, "recovery_cycle", &files);
            assert!(run.code <= 1, "{}", run.stderr);
        };
        night();
        let before = lead(folder, url, "L-1");
        assert_eq!(before.0, "failed");
        let policy = ["--policy", "p.toml"];
        let masked = give_out(folder, url, "masked", &[&policy[..], &["--again"]].concat());
        let shown = rows(&masked);
        assert_eq!(shown.len(), 1, "{shown:?}");
        assert_eq!(
            (shown[0]["lead"].as_str(), shown[0]["given_own_loyalty"].as_str()),
            ("L-1", "####")
        );
        assert!(shown[0]["problem_own_loyalty"].starts_with("WRONG_LENGTH: "), "{shown:?}");
        let packet = give_out(folder, url, "out", &[&policy[..], &["--full", "--again"]].concat());
        assert_eq!(rows(&packet)[0]["given_own_loyalty"], "2048");
        let load = ["out", "--correct", "--policy", "p.toml"];
        fill(&packet, &BTreeMap::from([("L-1", vec![("own_loyalty", "999"), BY])]));
        let refused = step(folder, url, "load_review", &load);
        assert_eq!(refused.code, 1, "{}{}", refused.stdout, refused.stderr);
        assert_eq!(texts(&json(folder)["findings"][0], ["column"]), "own_loyalty");
        fill(&packet, &BTreeMap::from([("L-1", vec![("own_loyalty", "2048-1357"), BY])]));
        let told = done(folder, url, "load_review", &load);
        let id = told["receipt"]["load"].as_str().expect("a load").to_owned();
        done(folder, url, "load_review", &["--undo", &id]);
        assert_eq!(lead(folder, url, "L-1"), before);
        done(folder, url, "load_review", &load);
        // The source brings the old values again, and the other card stays beside the corrected one.
        night();
        assert_eq!(lead(folder, url, "L-1"), ("matched".to_owned(), "P-1".to_owned()));
        let own = "SELECT own_values AS told FROM leads WHERE source_pk = 'L-1'";
        let own = crate::review_crashes::ask(url, own);
        assert_eq!(own, r#"{"loyalty":["2048-1357","20480001"]}"#);
    });
}

#[test]
fn what_is_wrong_with_a_correction_is_told_to_the_cell() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        import(folder, url, LEADS);
        let reviewers = ["reviewer", "add", "ana", "--why", "a test"];
        done(folder, url, "queue_admin", &reviewers);
        let packet = give_out(folder, url, "out", &["--full"]);
        fill(
            &packet,
            &BTreeMap::from([
                ("L-1", vec![("phone", "98765"), BY]),
                ("L-2", vec![("document_type", "DNI"), ("decided_by", "eva")]),
                ("L-3", vec![("document", "45678912"), BY]),
            ]),
        );
        let before = stand(folder, url);
        let refused = step(folder, url, "load_review", &["out", "--correct"]);
        assert_eq!(refused.code, 1, "{}{}", refused.stdout, refused.stderr);
        let told = json(folder);
        let found: Vec<String> = told["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|finding| {
                assert!(!texts(finding, ["message"]).contains("45678912"), "{finding}");
                texts(finding, ["column", "cell"])
            })
            .collect();
        assert_eq!(found, ["phone G2", "decided_by Q3", "document J4"], "{told}");
        assert_eq!(stand(folder, url), before, "nothing is half-applied");

        // A lead whose data changed since is stale.
        fill(
            &packet,
            &BTreeMap::from([
                ("L-1", vec![("phone", "987654321")]),
                ("L-2", vec![BY]),
                ("L-3", vec![("document", ""), ("phone", "987654329")]),
            ]),
        );
        std::fs::write(folder.join("leads.csv"), LEADS.replace("98765432O1", "98765432O2"))
            .expect("written");
        let run = step(folder, url, "recovery_cycle", &["--leads", "leads.csv", "--limit", "0"]);
        assert!(run.code <= 1, "{}", run.stderr);
        let part = step(folder, url, "load_review", &["out", "--correct", "--accept-valid"]);
        assert_eq!(part.code, 5, "{}{}", part.stdout, part.stderr);
        let told = json(folder);
        assert_eq!((&told["stale_total"], &told["receipt"]["corrected"]), (&1.into(), &2.into()));

        let list = done(folder, url, "queue_admin", &["reviewer", "list"]);
        assert_eq!(list["reviewers"], serde_json::json!(["ana"]), "{list}");
        let remove = ["reviewer", "remove", "ana", "--why", "gone"];
        let kept = step(folder, url, "queue_admin", &remove);
        assert!(kept.stderr.contains("anybody may decide"), "{}", kept.stderr);
        done(folder, url, "queue_admin", &[&remove[..], &["--anybody"]].concat());
        let list = done(folder, url, "queue_admin", &["reviewer", "list"]);
        let history: Vec<_> = list["history"]
            .as_array()
            .expect("a history")
            .iter()
            .map(|row| (row["name"].clone(), row["may_decide"].clone(), row["reason"].clone()))
            .collect();
        assert_eq!(
            history,
            [
                ("ana".into(), true.into(), "a test".into()),
                ("ana".into(), false.into(), "gone".into())
            ]
        );
    });
}

#[test]
fn a_mapping_writes_a_documents_type_where_the_lead_can_have_no_other() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        sql(
            url,
            "CREATE TABLE sign_ups (id VARCHAR(20) PRIMARY KEY, made TEXT NOT NULL, doc TEXT, kind TEXT, land TEXT, card TEXT);
             CREATE TABLE sign_up_docs (lead_id VARCHAR(20) NOT NULL, doc TEXT);
             CREATE TABLE crm_persons (id VARCHAR(20) PRIMARY KEY, doc TEXT, kind TEXT, land TEXT, card TEXT);
             INSERT INTO sign_ups VALUES ('W-1', '2026-01-05T10:00:00Z', '45678912', 'RUC', 'PE', NULL),
                 ('W-2', '2026-01-06T10:00:00Z', NULL, NULL, NULL, '2048');
             INSERT INTO crm_persons VALUES ('P-1', '45678912', 'DNI', 'PE', NULL), ('P-2', NULL, NULL, NULL, '20481357');",
        );
        let columns = "document = 'doc'\ndocument_type = 'kind'\ndocument_country = 'land'\nown.loyalty = 'card'\n";
        let map = |more: &str| {
            let text = format!(
                "[leads]\ntable = 'sign_ups'\nsource_pk = 'id'\nlead_created_at = 'made'\ncorrections = 'update'\n\
                 {columns}{more}[persons]\ntable = 'crm_persons'\nperson_key = 'id'\n{columns}"
            );
            std::fs::write(folder.join("map.toml"), text).expect("the folder can be written");
        };
        let rule =
            "[[rules]]\nname = 'DOCUMENT_EXACT'\nrequire = ['document exact']\ngrant = 'high'\n";
        std::fs::write(folder.join("p.toml"), POLICY.to_owned() + rule)
            .expect("the folder can be written");
        let mapped = ["--map", "map.toml"];
        let by = ["--map", "map.toml", "--policy", "p.toml"];
        map("[[leads.more]]\ntable = 'sign_up_docs'\nlead = 'lead_id'\ndocument = 'doc'\n");
        let made = step(folder, url, "map_tables", &["--map", "map.toml", "--apply"]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        done(folder, url, "seed_queue", &mapped);
        done(folder, url, "recover_leads", &by);
        let out = ["--correct", "--full", "--form", "plain", "--out-dir", "out", "--again"];
        done(folder, url, "export_review", &[&out[..], &by].concat());
        let packet = packets(&folder.join("out")).remove(0);
        let answers = BTreeMap::from([
            ("W-1", vec![("document_type", "DNI"), BY]),
            ("W-2", vec![("own_loyalty", "20481357"), BY]),
        ]);
        fill(&packet, &answers);
        let load = [&["out", "--correct"][..], &by].concat();
        // Of which of several documents the type is no statement can say.
        let refused = step(folder, url, "load_review", &load);
        assert_eq!(refused.code, 1, "{}{}", refused.stdout, refused.stderr);
        let told = json(folder);
        assert_eq!(texts(&told["findings"][0], ["column"]), "document_type", "{told}");
        let message = told["findings"][0]["message"].as_str().expect("a message");
        assert!(message.contains("the mapping has no place for it"), "{message}");

        map("");
        let told = done(folder, url, "load_review", &load);
        assert_eq!(told["receipt"]["corrected"], 2, "{told}");
        let id = told["receipt"]["load"].as_str().expect("a load").to_owned();
        let undo = ["--undo", &id, "--map", "map.toml"];
        done(folder, url, "load_review", &undo);
        assert_eq!(lead(folder, url, "W-1").0, "failed");
        let kinds = "SELECT kind || ' ' || doc AS told FROM sign_ups WHERE id = 'W-1'";
        assert_eq!(crate::review_crashes::ask(url, kinds), "RUC 45678912");
        done(folder, url, "load_review", &load);
        done(folder, url, "recover_leads", &by);
        assert_eq!(lead(folder, url, "W-1"), ("matched".to_owned(), "P-1".to_owned()));
        assert_eq!(lead(folder, url, "W-2"), ("matched".to_owned(), "P-2".to_owned()));
    });
}

const MAP: &str = "[leads]\ntable = 'crm_leads'\nsource_pk = 'id'\nlead_created_at = 'made'\nemail = 'mail'\n\
    [[leads.more]]\ntable = 'crm_phones'\nlead = 'lead_id'\nphone = 'number'\n\
    [persons]\ntable = 'crm_persons'\nperson_key = 'id'\nphone = 'phone'\nfull_name = 'called'\n";

pub(crate) fn sql(url: &str, statements: &str) {
    use diesel::connection::SimpleConnection as _;
    use diesel::prelude::*;
    match url.strip_prefix("sqlite://") {
        Some(path) => SqliteConnection::establish(path).unwrap().batch_execute(statements).unwrap(),
        None => PgConnection::establish(url).unwrap().batch_execute(statements).unwrap(),
    }
}

#[test]
fn in_tables_of_ones_own_a_mapping_says_where_corrected_values_go() {
    on_each(|url| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        sql(
            url,
            "CREATE TABLE crm_leads (id VARCHAR(20) PRIMARY KEY, made TEXT NOT NULL, mail TEXT);
             CREATE TABLE crm_phones (lead_id VARCHAR(20) NOT NULL, number TEXT NOT NULL);
             CREATE TABLE crm_persons (id VARCHAR(20) PRIMARY KEY, phone TEXT, called TEXT);
             INSERT INTO crm_leads VALUES ('W-1', '2026-01-05T10:00:00Z', NULL),
                 ('W-2', '2026-01-06T10:00:00Z', NULL), ('W-3', '2026-01-07T10:00:00Z', NULL);
             INSERT INTO crm_phones VALUES ('W-1', '98765432l'), ('W-2', '98765432l'), ('W-3', '987650003');
             INSERT INTO crm_persons VALUES ('P-1', '+51987654321', 'Ana Soto'),
                 ('P-2', '+51987650003', 'Luz Vega'), ('P-3', '+51987650003', 'Eva Rey');",
        );
        let map = |more: &str| {
            let text = MAP.replace("'mail'\n", &format!("'mail'\n{more}"));
            std::fs::write(folder.join("map.toml"), text).expect("the folder can be written");
        };
        map("");
        let mapped = ["--map", "map.toml"];
        let made = step(folder, url, "map_tables", &["--map", "map.toml", "--apply"]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        for name in ["seed_queue", "recover_leads"] {
            done(folder, url, name, &mapped);
        }
        // Candidates stand side by side under a mapping, too, with what each gives.
        let out = ["--map", "map.toml", "--form", "plain", "--out-dir", "who", "--full"];
        done(folder, url, "export_review", &out);
        let who = rows(&packets(&folder.join("who"))[0]);
        assert_eq!(who[0]["candidate_1_shows"], "phone +51987650003; name Luz Vega", "{who:?}");
        assert_eq!(who[0]["candidate_2_shows"], "phone +51987650003; name Eva Rey", "{who:?}");

        let out =
            ["--correct", "--full", "--form", "plain", "--out-dir", "out", "--map", "map.toml"];
        let told = step(folder, url, "export_review", &out);
        assert_ne!(told.code, 0);
        assert!(told.stderr.contains("corrections = \"update\""), "{}", told.stderr);
        map("corrections = 'update'\n");
        done(folder, url, "export_review", &out);
        let packet = packets(&folder.join("out")).remove(0);
        fill(&packet, &BTreeMap::from([("W-1", vec![("phone", "987654321"), BY])]));
        let load = ["out", "--correct", "--map", "map.toml"];
        let told = done(folder, url, "load_review", &load);
        let id = told["receipt"]["load"].as_str().expect("a load").to_owned();
        done(folder, url, "load_review", &["--undo", &id, "--map", "map.toml"]);
        assert_eq!(lead(folder, url, "W-1").0, "failed");
        done(folder, url, "load_review", &load);
        done(folder, url, "recover_leads", &mapped);
        assert_eq!(lead(folder, url, "W-1"), ("matched".to_owned(), "P-1".to_owned()));
        // The same value of another lead stays.
        assert_eq!(lead(folder, url, "W-2").0, "failed");
        let run = run(runner("queue_admin").current_dir(folder).args([
            "--database-url",
            url,
            "lead",
            "forget",
            "W-1",
            "--map",
            "map.toml",
            "--why",
            "on request",
        ]));
        assert_eq!(run.code, 0, "{}", run.stderr);
    });
}
