//! The operator's levers, each with its dry run, its one line and its history; on both backends.

use std::path::Path;

use serde_json::Value;

use crate::metrics_server::database_of_its_own;
use crate::packets_back::Desk;
use crate::runner::{Run, run};
use crate::verify_guardrails::{command, recovered_in};

/// A database that a recovery has worked on: L-1 and L-2 are matched, L-3 has failed.
struct Place {
    folder: tempfile::TempDir,
    url: String,
}

impl Place {
    /// Makes one on each backend that is there.
    fn on_each(name: &str) -> Vec<Self> {
        let mut places = vec![Self { folder: recovered_in(None), url: "q.sqlite".to_owned() }];
        if let Some(server) = crate::metrics_server::postgres() {
            let url = database_of_its_own(server.url(), name);
            places.push(Self { folder: recovered_in(Some(&url)), url });
        }
        places
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn runs(&self, runner: &str, args: &[&str]) -> Run {
        run(command(runner, self.path())
            .env("DATABASE_URL", &self.url)
            .env("USER", "ana")
            .args(args))
    }

    /// Runs a lever that must succeed and gives its one line.
    fn admin(&self, args: &[&str]) -> String {
        let ran = self.runs("queue_admin", args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.stdout.trim_end().to_owned()
    }

    fn lead(&self, key: &str) -> Value {
        serde_json::from_str(&self.admin(&["lead", "show", key, "--json", "-"])).unwrap()
    }

    /// Runs statements of a user's own.
    fn script(&self, sql: &str) {
        use diesel::connection::SimpleConnection as _;
        use recovery_queue::{Conn, DatabaseUrl, OpenOptions, SqlStore};
        let url = match self.url.as_str() {
            "q.sqlite" => DatabaseUrl::Sqlite(self.path().join("q.sqlite").into()),
            url => DatabaseUrl::parse(url).unwrap(),
        };
        let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
        let sql = sql.replace("{ns}", &store.view_name(""));
        match store.connection() {
            Conn::Sqlite(connection) => connection.batch_execute(&sql).unwrap(),
            Conn::Postgres(connection) => connection.batch_execute(&sql).unwrap(),
            _ => unreachable!(),
        }
    }

    /// Follows a printed command of a sibling runner.
    fn follow(&self, line: &str) -> Run {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (path, args) = words.split_first().expect("a command");
        let runner = Path::new(path).file_name().and_then(|name| name.to_str()).expect("a runner");
        self.runs(runner, args)
    }
}

fn what(record: &Value) -> Vec<&str> {
    let events = record["history"].as_array().unwrap();
    events.iter().map(|event| event["what"].as_str().unwrap()).collect()
}

#[test]
fn two_heads_are_shown_stamped_and_migrated_to_one() {
    for place in Place::on_each("heads") {
        assert!(place.admin(&["migrate", "status"]).contains("recovery queue   one head: "));
        // Another branch made the tables of a version, and nobody recorded it.
        let sound = place.admin(&["status"]);
        let head = "00000000000016";
        place.script(&format!("DELETE FROM {{ns}}queue_migration WHERE version >= '{head}'"));
        let two = place.runs("queue_admin", &["migrate", "status"]);
        assert_eq!(two.code, 1, "{two:?}");
        assert!(two.stdout.contains("two heads"), "{two:?}");
        assert!(
            two.stdout.contains(&format!("{head} pending, though its tables are there")),
            "{two:?}"
        );
        let early = place.runs("queue_admin", &["migrate"]);
        assert_eq!(early.code, 4, "{early:?}");
        let blocked = place.runs("queue_admin", &["lead", "show", "L-1"]);
        assert!(
            blocked.code == 4
                && blocked.stderr.contains("what to do: ")
                && blocked.stderr.contains(" status"),
            "{blocked:?}"
        );
        // The guardrail says the same, though the store refuses to open.
        let verified = place.runs("verify_guardrails", &["--json", "-", "--output", "r.txt"]);
        assert_eq!(verified.code, 1, "{verified:?}");
        let report: Value = serde_json::from_str(&verified.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        let check =
            checks.iter().find(|check| check["assertion"] == "single_migration_head").unwrap();
        assert_eq!(check["verdict"], "fail");
        let remedy = check["help"][0]["command"].as_str().unwrap();
        assert!(remedy.ends_with(&format!("stamp {head}")), "{remedy}");
        assert!(two.stdout.contains(remedy), "the two say one command: {two:?}");

        let dry = place.admin(&["stamp", head, "--dry-run"]);
        assert!(dry.starts_with("dry run, nothing changed: 1 migration recorded"), "{dry}");
        assert_eq!(place.runs("queue_admin", &["status"]).code, 1, "nothing was stamped");
        let stamped = place.follow(remedy);
        assert_eq!(stamped.code, 0, "{stamped:?}");
        let told = format!("1 migration recorded as there ({head})");
        assert!(place.admin(&["history"]).contains(&told));
        assert!(place.admin(&["migrate"]).contains("one head in each book"));
        let after = place.admin(&["migrate", "status"]);
        assert_eq!(after, sound, "one head again");
        let verified = place.runs("verify_guardrails", &["--only", "single_migration_head"]);
        assert_eq!(verified.code, 0, "{verified:?}");
    }
}

#[test]
fn what_is_pending_in_either_book_is_migrated_by_the_command_that_the_guardrail_prints() {
    for place in Place::on_each("pending") {
        // The service's newest migration was taken back by hand, with what it had made.
        let backend = if place.url == "q.sqlite" { "sqlite" } else { "postgres" };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(backend);
        let mut folders: Vec<_> =
            std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        let down = std::fs::read_to_string(folders.last().unwrap().join("down.sql")).unwrap();
        place.script(&format!(
            "{down}; DELETE FROM __diesel_schema_migrations WHERE version = \
             (SELECT max(version) FROM __diesel_schema_migrations)"
        ));
        let verified = place.runs("verify_guardrails", &["--only", "single_migration_head"]);
        assert_eq!(verified.code, 1, "{verified:?}");
        assert!(verified.stdout.contains("service: 2026"), "{verified:?}");
        let status = place.runs("queue_admin", &["status"]);
        let remedy = status.stdout.lines().last().unwrap().trim();
        assert_eq!(place.follow(remedy).code, 0, "{status:?}");
        let verified = place.runs("verify_guardrails", &["--only", "single_migration_head"]);
        assert_eq!(verified.code, 0, "{verified:?}");
        // Tables without their book.
        place.script("DROP TABLE {ns}queue_migration");
        let bare = place.runs("queue_admin", &["status"]);
        assert!(bare.code == 1 && bare.stdout.contains("no book records it"), "{bare:?}");
        assert!(place.admin(&["stamp", "--dry-run"]).starts_with("dry run"));
        let remedy = bare.stdout.lines().last().unwrap().trim();
        assert_eq!(place.follow(remedy).code, 0, "{bare:?}");
        assert_eq!(place.runs("queue_admin", &["status"]).code, 0);
    }
}

#[test]
fn leads_are_shown_tried_again_and_cancelled_and_a_dry_run_changes_nothing() {
    for place in Place::on_each("leads") {
        let shown = place.admin(&["lead", "show", "L-3"]);
        assert!(shown.starts_with("lead L-3 is failed as NO_CANDIDATES since "), "{shown}");
        assert!(shown.contains("gave phone +51*****4303 (0 persons with it)"), "{shown}");
        let why = ["--why", "the person was imported"];
        let line = place.admin(&[&["lead", "reopen", "L-3", "--dry-run"][..], &why].concat());
        assert_eq!(line, "dry run, nothing changed: 1 lead pending again");
        assert_eq!(place.lead("L-3")["status"], "failed");
        let line =
            place.admin(&[&["lead", "reopen", "--reason", "NO_CANDIDATES"][..], &why].concat());
        assert_eq!(line, "1 lead pending again");
        let record = place.lead("L-3");
        assert_eq!(record["status"], "pending");
        assert!(
            what(&record)
                .contains(&"made pending again after NO_CANDIDATES: the person was imported")
        );
        assert!(record["history"].as_array().unwrap().iter().any(|event| event["who"] == "ana"));
        let line = place.admin(&["lead", "cancel", "L-3", "--why", "asked to be left alone"]);
        assert_eq!(line, "1 lead taken out of the work");
        assert_eq!(place.lead("L-3")["status"], "withdrawn");
        for (args, said) in [
            (&["lead", "reopen", "L-9", "--why", "x"][..], "L-9"),
            (&["lead", "cancel", "L-1", "--why", "x"][..], "matched"),
            (&["lead", "reopen", "L-3"][..], "--why"),
            (&["lead", "show", "L-9"][..], "knows no lead L-9"),
        ] {
            let refused = place.runs("queue_admin", args);
            assert!(refused.code == 4 && refused.stderr.contains(said), "{args:?}: {refused:?}");
        }
    }
}

#[test]
fn links_are_made_moved_and_undone_with_their_history() {
    for place in Place::on_each("links") {
        let by_hand = ["--why", "seen on paper"];
        let line =
            place.admin(&[&["link", "add", "L-3", "P-1", "--dry-run"][..], &by_hand].concat());
        assert_eq!(line, "dry run, nothing changed: lead L-3 linked to P-1");
        assert_eq!(place.lead("L-3")["status"], "failed");
        place.admin(&[&["link", "add", "L-3", "P-1"][..], &by_hand].concat());
        place.admin(&[&["link", "move", "L-3", "P-2"][..], &by_hand].concat());
        assert_eq!(place.lead("L-3")["person_key"], "P-2");
        let person = place.admin(&["person", "show", "P-2"]);
        assert!(person.starts_with("person P-2 has 2 leads; origin L-2"), "{person}");
        place.admin(&[&["link", "undo", "L-3"][..], &by_hand].concat());
        let record = place.lead("L-3");
        assert_eq!(record["status"], "pending");
        let events = what(&record);
        assert!(events.contains(&"no longer linked to P-1: seen on paper"), "{events:?}");
        assert!(events.contains(&"no longer linked to P-2: seen on paper"), "{events:?}");
        let verified = place.runs("verify_guardrails", &["--allow-inconclusive"]);
        assert_eq!(verified.code, 0, "{verified:?}");
    }
}

#[test]
fn a_backlog_is_held_and_resumed_and_what_is_old_is_removed() {
    for place in Place::on_each("pause") {
        place.admin(&["lead", "reopen", "L-3", "--why", "again"]);
        let before = place.admin(&["history"]);
        assert!(before.lines().next().is_some_and(|line| line.contains(" migrations applied (")));
        assert!(
            before.contains(" leads imported, ") && before.contains(" persons imported, "),
            "{before}"
        );
        let dry = place.admin(&["pause", "--dry-run"]);
        assert_eq!(dry, "dry run, nothing changed: backlog_leads paused");
        assert_eq!(place.admin(&["history"]), before, "a dry run is no history");
        let why = ["--why", "the CRM moves"];
        let held = place.admin(&[&["pause"][..], &why].concat());
        assert_eq!(held, "backlog_leads paused");
        assert_eq!(place.runs("recover_leads", &["--quiet"]).code, 0);
        assert_eq!(place.lead("L-3")["status"], "pending", "it is held");
        assert_eq!(place.admin(&[&["resume"][..], &why].concat()), "backlog_leads resumed");
        assert_eq!(place.runs("recover_leads", &["--quiet"]).code, 0);
        assert_eq!(place.lead("L-3")["status"], "failed");
        let unknown = place.runs("queue_admin", &["pause", "nowhere", "--why", "x"]);
        assert!(unknown.code == 4 && unknown.stderr.contains("nowhere"), "{unknown:?}");
        let line = place.admin(&["prune", "--history", "0", "--dry-run"]);
        assert!(line.contains("1 row of history"), "{line}");
        let prune = ["prune", "--history", "0", "--why", "kept long enough"];
        assert!(place.admin(&prune).contains("1 row of history"));
        assert!(place.admin(&prune).contains("0 rows of history"));
        for (args, wanted) in [
            (&["prune", "--why", "x"][..], "--withdrawn"),
            (&["prune", "--history", "0"], "--why"),
            (&["pause"], "--why"),
        ] {
            let refused = place.runs("queue_admin", args);
            assert!(refused.code == 4 && refused.stderr.contains(wanted), "{refused:?}");
        }
        let told = place.admin(&["history"]);
        let told: Vec<&str> =
            told.lines().map(|line| &line["2026-01-01 00:00 UTC ".len()..]).collect();
        assert_eq!(
            told[before.lines().count()..],
            [
                "backlog_leads paused by ana: the CRM moves",
                "backlog_leads resumed by ana: the CRM moves",
                "1 row removed by age (history 0 d) by ana: kept long enough",
            ]
        );
    }
}

#[test]
fn a_person_and_a_lead_are_forgotten_in_the_queue_and_in_the_services_tables() {
    for place in Place::on_each("forget") {
        let line = place.admin(&["person", "forget", "P-1", "--dry-run"]);
        assert!(line.starts_with("dry run, nothing changed: forgot the person: "), "{line}");
        assert!(place.admin(&["person", "show", "P-1"]).contains("has 1 lead"));
        let named = ["person", "forget", "P-1", "--why", "P-1 asked for it"];
        let refused = place.runs("queue_admin", &named);
        assert!(refused.code == 4 && refused.stderr.contains("names whom"), "{refused:?}");
        let ran = place.runs("queue_admin", &["person", "forget", "P-1", "--why", "request 17"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.contains("1 lead pending again"), "{ran:?}");
        assert!(
            ran.stderr.contains("decisions, reports"),
            "the files that it cannot reach: {ran:?}"
        );
        assert_eq!(place.runs("queue_admin", &["person", "show", "P-1"]).code, 4);
        place.admin(&["lead", "forget", "L-1", "--why", "request 18"]);
        let told = place.admin(&["history"]);
        assert!(
            told.contains(" a person forgotten, ") && told.contains("by ana: request 18"),
            "{told}"
        );
        assert!(!told.contains("P-1") && !told.contains("L-1"), "{told}");
        assert_eq!(place.runs("queue_admin", &["lead", "show", "L-1"]).code, 4);
        // Neither comes back: the service's tables hold them no more.
        assert_eq!(place.runs("seed_queue", &["--quiet"]).code, 0);
        assert_eq!(place.runs("recover_leads", &["--quiet"]).code, 0);
        assert_eq!(place.runs("queue_admin", &["lead", "show", "L-1"]).code, 4);
        assert_eq!(place.runs("queue_admin", &["person", "show", "P-1"]).code, 4);
    }
}

#[test]
fn files_are_imported_and_nothing_is_decided() {
    for place in Place::on_each("import_alone") {
        let file = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
        file("more.csv", "id,lead_created_at,phone\nL-9,2026-01-03T00:00:00Z,987654301\n");
        let import = ["import", "--leads", "more.csv"];
        let dry = place.admin(&[&import[..], &["--dry-run"]].concat());
        assert_eq!(dry, "dry run, nothing changed: more.csv: 1 row, 1 written, 0 removed");
        assert_eq!(place.admin(&import), "more.csv: 1 row, 1 written, 0 removed");
        let told = place.admin(&["history"]);
        let last = told.lines().last().unwrap();
        assert!(last.contains(" leads imported, 1 row changed by ana: a file"), "{told}");
        assert_eq!(place.admin(&import), "more.csv: 1 row, 0 written, 0 removed");
        let unknown = place.runs("queue_admin", &["lead", "show", "L-9"]);
        assert_eq!(unknown.code, 4, "no seed has seen it: {unknown:?}");
        assert_eq!(place.runs("seed_queue", &["--quiet"]).code, 0);
        assert_eq!(place.lead("L-9")["status"], "pending");
        file("bad.csv", "id,lead_created_at,phone\nL-10,never,1\n");
        let refused = place.runs("queue_admin", &["import", "--leads", "bad.csv"]);
        assert_eq!(refused.code, 5, "{refused:?}");
        let none = place.runs("queue_admin", &["import"]);
        assert!(none.code == 4 && none.stderr.contains("--leads"), "{none:?}");
    }
}

#[test]
fn loads_of_values_and_of_reviews_are_listed_and_undone() {
    crate::reviews::on_each(|url| {
        let desk = Desk::new();
        desk.fill_all();
        let folder = desk.path("");
        let step = |name: &str, more: &[&str]| crate::reviews::step(&folder, url, name, more);
        let loaded = desk.run("load_packets", &["--packets-dir", "packets", "--database-url", url]);
        assert_eq!(loaded.code, 0, "{loaded:?}");
        crate::review_crashes::filled(&folder, url);
        assert_eq!(step("load_review", &["review"]).code, 0);
        let list = || {
            assert_eq!(step("queue_admin", &["loads", "list"]).code, 0);
            crate::reviews::json(&folder)["loads"].as_array().unwrap().clone()
        };
        let before = list();
        let of: Vec<_> = before.iter().map(|load| load["of"].as_str().unwrap()).collect();
        assert_eq!(of, ["values", "reviews"], "{before:?}");
        for (load, words) in before.iter().zip(["12 values", "4 decisions"]) {
            let id = load["load"].as_str().unwrap();
            assert!(load["undone_at"].is_null(), "{load}");
            let undo = ["loads", "undo", id, "--by", "ana", "--why", "loaded by mistake"];
            let dry = step("queue_admin", &[&undo[..], &["--dry-run"]].concat());
            let told = format!("dry run, nothing changed: undone {id}: {words}\n");
            assert_eq!((dry.code, dry.stdout), (0, told), "{}", dry.stderr);
            assert!(list().iter().any(|now| now == load), "nothing was undone");
            let undone = step("queue_admin", &undo);
            assert_eq!(undone.stdout, format!("undone {id}: {words}\n"), "{undone:?}");
            let again = step("queue_admin", &undo);
            assert!(again.code == 4 && again.stderr.contains("was undone at"), "{again:?}");
        }
        assert!(list().iter().all(|load| load["undone_by"] == "ana"), "{:?}", list());
        let listed = step("queue_admin", &["loads", "list"]).stdout;
        assert_eq!(listed.matches(", undone 20").count(), 2, "{listed}");
        let unknown = step("queue_admin", &["loads", "undo", "none", "--why", "x"]);
        assert!(unknown.code == 4 && unknown.stderr.contains("loads list"), "{unknown:?}");
    });
}

#[test]
fn the_policy_and_the_suite_are_printed_and_a_reader_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let prints = |args: &[&str]| run(command("queue_admin", folder.path()).args(args));
    assert!(prints(&["policy", "print"]).stdout.contains("version = "));
    assert!(prints(&["suite", "print"]).stdout.contains("[check.drain]"));
    let missing = prints(&["--database-url", "none.sqlite", "status"]);
    assert_eq!(missing.code, 4, "{missing:?}");
    let dry = prints(&["--database-url", "none.sqlite", "migrate", "--dry-run"]);
    assert_eq!(dry.code, 4, "{dry:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn a_new_queue_is_kept_in_partitions_where_that_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let on_sqlite = run(command("queue_admin", folder.path()).args([
        "--database-url",
        "q.sqlite",
        "migrate",
        "--partitions",
        "16",
    ]));
    assert_eq!(on_sqlite.code, 4, "{on_sqlite:?}");
    assert!(on_sqlite.stderr.contains("SQLite keeps each table in one piece"), "{on_sqlite:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
    let Some(server) = crate::metrics_server::postgres() else { return };
    let url = database_of_its_own(server.url(), "partitioned");
    let place = Place { folder, url };
    let dry = place.admin(&["migrate", "--partitions", "16", "--dry-run"]);
    assert!(dry.ends_with("to apply; 16 partitions by lead"), "{dry}");
    for _ in 0..2 {
        let told = place.admin(&["migrate", "--partitions", "16"]);
        assert!(told.ends_with("one head in each book; 16 partitions by lead"), "{told}");
    }
    assert!(place.admin(&["status"]).contains("tables by lead   16 partitions"));
    let wrong = place.runs("queue_admin", &["migrate", "--partitions", "16", "status"]);
    assert!(wrong.code == 4 && wrong.stderr.contains("`migrate` alone"), "{wrong:?}");
    let none = place.runs("queue_admin", &["migrate", "--partitions", "1"]);
    assert!(none.code != 0 && none.stderr.contains("2..=1024"), "{none:?}");

    // A whole queue with rows is refused by the table's name, and stays as it is.
    for place in Place::on_each("whole").into_iter().filter(|place| place.url != "q.sqlite") {
        let told = place.runs("queue_admin", &["migrate", "--partitions", "16"]);
        assert!(told.code == 4 && told.stderr.contains("queue_link holds rows"), "{told:?}");
        assert!(!place.admin(&["status"]).contains("partitions"));
    }
}

#[test]
fn what_disagrees_is_told_by_a_dry_run_and_put_right() {
    for place in Place::on_each("reconcile") {
        assert_eq!(
            place.admin(&["reconcile", "--dry-run"]),
            "dry run, nothing changed: nothing disagrees"
        );
        place.script(
            "DELETE FROM {ns}queue_link WHERE lead_id = (SELECT id FROM {ns}queue_lead WHERE source_pk = 'L-1')",
        );
        let told = place.runs("queue_admin", &["reconcile", "--dry-run"]);
        assert_eq!(told.code, 1, "{told:?}");
        let line = "matched_without_link 1, can be put right: L-1";
        assert!(told.stdout.contains(line), "{told:?}");
        let refused = place.runs("queue_admin", &["reconcile"]);
        assert_eq!(refused.code, 4, "{refused:?}");
        assert!(refused.stderr.contains("--why"), "{refused:?}");

        // The guardrail names the command that puts it right.
        let report = place.runs("verify_guardrails", &["--only", "identity_link_integrity"]);
        assert_eq!(report.code, 1, "{report:?}");
        // Long paths wrap the line, as a shell reads it on.
        let words: Vec<&str> =
            report.stdout.split_whitespace().filter(|word| *word != "\\").collect();
        let words = words.join(" ");
        assert!(words.contains("queue_admin"), "{report:?}");
        assert!(words.contains("reconcile --why identity_link_integrity"), "{report:?}");
        let done = place.admin(&["reconcile", "--why", "identity_link_integrity"]);
        assert!(done.contains("matched_without_link 1, put right: L-1"), "{done}");
        assert_eq!(place.lead("L-1")["status"], "pending");
        let report = place.runs("verify_guardrails", &["--only", "identity_link_integrity"]);
        assert_eq!(report.code, 0, "{report:?}");
        let told = "put right: matched_without_link: identity_link_integrity";
        assert!(what(&place.lead("L-1")).contains(&told), "{:?}", place.lead("L-1"));
    }
}
