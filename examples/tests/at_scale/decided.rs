//! Decisions that were made elsewhere settle leads, from a file and from a table.

use std::fs;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use identity_matching::index::{Seal, joined::Stamp};
use identity_matching::{HashKey, Record, Region};
use recovery_queue::{
    ClaimedLead, DatabaseUrl, Resolution, ResolveError, Resolver as _, SourcePk, WakeKeys,
};
use reference_runners::at_scale::Decided;
use reference_runners::cli::Console;
use reference_runners::people;
use reference_runners::service;
use serde_json::Value;

use super::{Data, as_csv, decided, join, policy, rows};
use crate::recovery_steps::{on_postgres, on_sqlite};
use crate::runner::{Run, run, runner};

/// A table whose name has to be quoted.
const TABLE: &str = "Made \"elsewhere\"; --";

const COLUMNS: [&str; 9] = [
    "source_pk",
    "status",
    "person_key",
    "match_rule",
    "confidence",
    "fail_reason",
    "evidence",
    "record_digest",
    "stamp",
];

/// The service's database, as whoever loads decisions into it sees it.
#[derive(diesel::MultiConnection)]
enum Loader {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Loader {
    fn open(url: &str) -> Self {
        if url.starts_with("postgres") {
            Self::Postgres(PgConnection::establish(url).unwrap())
        } else {
            let mut sqlite = SqliteConnection::establish(url).unwrap();
            sqlite.batch_execute("PRAGMA busy_timeout = 30000").unwrap();
            Self::Sqlite(sqlite)
        }
    }

    fn execute(&mut self, sql: &str) {
        self.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Makes a table of decisions, with evidence as the database likes its JSON, and blanks as NULL.
    fn load(&mut self, table: &str, decisions: &str) {
        let postgres = matches!(self, Self::Postgres(_));
        let kind = |name: &str| if postgres && name == "evidence" { "jsonb" } else { "text" };
        let columns = COLUMNS.map(|name| format!("{name} {}", kind(name))).join(", ");
        self.execute(&format!("CREATE TABLE {table} ({columns}, loaded_at text)"));
        let value = |row: &csv::StringRecord, at: usize| match &row[at] {
            "" => "NULL".to_owned(),
            text => format!("'{}'", text.replace('\'', "''")),
        };
        for row in rows(decisions) {
            let values: Vec<_> = (0..9).map(|at| value(&row, at)).collect();
            let names = COLUMNS.join(", ");
            self.execute(&format!("INSERT INTO {table} ({names}) VALUES ({})", values.join(", ")));
        }
    }
}

/// A service's queue whose leads are decided elsewhere.
struct Elsewhere<'a> {
    data: Data,
    url: &'a str,
}

impl<'a> Elsewhere<'a> {
    /// Imports leads and persons and decides them by the two programs; the decisions lie in `decided.csv`.
    fn new(url: &'a str) -> Self {
        let service = Self { data: Data::new(200, 400), url };
        service.import();
        let data = &service.data;
        let groups = join(&data.keys("leads"), &data.keys("persons"));
        fs::write(data.path("groups.csv"), as_csv(&groups)).unwrap();
        let done = data.program("decide", &[], &data.path("groups.csv"), "decided.csv");
        assert_eq!(done.code, 0, "{}", done.stderr);
        service
    }

    fn import(&self) {
        let mut files = vec!["--leads", "leads.csv", "--persons", "persons.csv", "--limit", "1"];
        files.extend(["--policy", "policy.json"]);
        assert_eq!(self.step("recovery_cycle", &files).0.code, 0);
    }

    fn decisions(&self) -> String {
        fs::read_to_string(self.data.path("decided.csv")).unwrap()
    }

    /// Gives lead L7 another phone.
    fn change_a_lead(&self) {
        let path = self.data.path("leads.csv");
        let changed: String = fs::read_to_string(&path)
            .unwrap()
            .lines()
            .map(|line| match line.strip_prefix("7,L7,") {
                Some(rest) => format!("7,L7,{}\n", rest.replacen(',', ",0", 1)),
                None => format!("{line}\n"),
            })
            .collect();
        fs::write(path, changed).unwrap();
        self.import();
    }

    fn step(&self, name: &str, more: &[&str]) -> (Run, Value) {
        self.step_on(self.url, name, more)
    }

    fn step_on(&self, url: &str, name: &str, more: &[&str]) -> (Run, Value) {
        let base = ["--json", "run.json", "--database-url", url];
        let done = run(runner(name).current_dir(self.data.0.path()).args(base).args(more));
        let told = fs::read_to_string(self.data.path("run.json")).unwrap_or_default();
        (done, serde_json::from_str(&told).unwrap_or_default())
    }

    fn recover(&self, from: &str, more: &[&str]) -> (Run, Value) {
        let by = ["--decided", from, "--secret-file", "secret", "--decisions", "settled.csv"];
        let policy =
            if more.contains(&"--policy") { &[][..] } else { &["--policy", "policy.json"] };
        self.step("recover_leads", &[&by[..], policy, more].concat())
    }

    /// Settles leads by decisions of which one is of a lead that has changed since.
    fn settles(&self, from: &str, row: &str) {
        let decisions = decided(&self.decisions());
        self.change_a_lead();
        let strict = policy(|policy| policy["weak"]["max_persons_per_key"] = 3.into());
        fs::write(self.data.path("strict.json"), strict).unwrap();
        let (done, _) = self.recover(from, &["--policy", "strict.json"]);
        assert_eq!(done.code, 4, "{}", done.stderr);
        assert!(done.stderr.contains(row) && done.stderr.contains("another policy"), "{done:?}");

        let (done, told) = self.recover(from, &["--workers", "2", "--batch-size", "30"]);
        assert_eq!(done.code, 5, "{}", done.stderr);
        assert!(done.stderr.contains("1 leads have changed since"), "{}", done.stderr);
        assert_eq!((&told["claimed"], &told["retried"]), (&198.into(), &1.into()));
        for row in rows(&fs::read_to_string(self.data.path("settled.csv")).unwrap()) {
            let outcome = [&row[1], &row[2], &row[3], &row[4], &row[5]].join(",");
            if &row[0] == "L7" {
                assert!(outcome.starts_with("pending"), "{outcome}");
            } else {
                assert!(decisions[&row[0]].starts_with(&outcome), "{}: {outcome}", &row[0]);
            }
        }
        let (done, told) = self.recover(from, &[]);
        assert_eq!((done.code, &told["claimed"]), (0, &0.into()), "{}", done.stderr);
        let (checks, _) = self.step("verify_guardrails", &["--allow-inconclusive"]);
        assert_eq!(checks.code, 0, "{}", checks.stdout);
    }
}

fn by_a_file(url: &str) {
    Elsewhere::new(url).settles("decided.csv", "row 1: ");
}

#[test]
fn decisions_of_a_file_settle_leads_on_sqlite() {
    on_sqlite(by_a_file);
}

#[test]
fn decisions_of_a_file_settle_leads_on_postgres() {
    on_postgres(by_a_file);
}

fn by_a_table(url: &str) {
    let service = Elsewhere::new(url);
    let quoted = format!("\"{}\"", TABLE.replace('"', "\"\""));
    let mut loader = Loader::open(url);
    loader.load(&quoted, &service.decisions());
    loader.execute(&format!("CREATE UNIQUE INDEX by_lead ON {quoted} (source_pk)"));
    // A name that holds what ends a name and a statement is no more than a name.
    service.settles(TABLE, ", 200 rows: ");
}

fn by_a_view(url: &str) {
    let service = Elsewhere::new(url);
    let mut loader = Loader::open(url);
    loader.load("many_runs", &service.decisions());
    loader.execute("CREATE VIEW last_run AS SELECT * FROM many_runs WHERE loaded_at IS NULL");
    loader.execute("INSERT INTO many_runs SELECT * FROM many_runs");
    loader.execute(match loader {
        Loader::Sqlite(_) => {
            "UPDATE many_runs SET loaded_at = 'yesterday' WHERE rowid > 200"
        }
        Loader::Postgres(_) => {
            "UPDATE many_runs SET loaded_at = 'yesterday' WHERE ctid IN (SELECT max(ctid) FROM many_runs GROUP BY source_pk)"
        }
    });
    service.settles("last_run", "last_run, 200 rows: ");
}

#[test]
fn decisions_of_a_view_settle_leads_on_sqlite() {
    on_sqlite(by_a_view);
}

#[test]
fn decisions_of_a_view_settle_leads_on_postgres() {
    on_postgres(by_a_view);
}

#[test]
fn decisions_of_a_table_settle_leads_on_sqlite() {
    on_sqlite(by_a_table);
}

#[test]
fn decisions_of_a_table_settle_leads_on_postgres() {
    on_postgres(by_a_table);
}

fn refused(url: &str) {
    let service = Elsewhere::new(url);
    let mut loader = Loader::open(url);
    let refuses = |name: &str, told: &[&str]| {
        let (done, _) = service.recover(name, &[]);
        assert_eq!(done.code, 4, "{name}: {}", done.stderr);
        for told in told {
            assert!(done.stderr.contains(told), "{name}: {}", done.stderr);
        }
    };
    let neither = "is neither a file nor a table or view of the queue's database";
    for name in ["nowhere", "no.where", "a.b.c", "decided.txt", "x; DROP TABLE leads"] {
        refuses(name, &[neither, "SCHEMA.TABLE"]);
    }
    loader.execute("CREATE TABLE few (source_pk text, status text)");
    refuses("few", &["few: it has no column stamp", "decide"]);
    loader.load("twice", &service.decisions());
    loader.execute("INSERT INTO twice SELECT * FROM twice WHERE source_pk = 'L3'");
    refuses("twice", &["twice: 1 values of source_pk are blank or stand on more than one row"]);
    loader.load("blank", &service.decisions());
    loader.execute("UPDATE blank SET source_pk = NULL WHERE source_pk = 'L3'");
    refuses("blank", &["blank: 1 values of source_pk are blank"]);
    loader.load("unstamped", &service.decisions());
    loader.execute("UPDATE unstamped SET stamp = NULL WHERE source_pk = 'L3'");
    refuses("unstamped", &["unstamped, 1 rows: ", "stamp"]);
    // Both a file of the folder and a table.
    fs::write(service.data.path("twice"), service.decisions()).unwrap();
    refuses("twice", &["is a file, and a table", "./twice"]);
    // Nothing was settled; the file is named by its folder, and is taken.
    let (done, told) = service.recover("./twice", &[]);
    assert_eq!((done.code, &told["claimed"]), (0, &199.into()), "{}", done.stderr);
}

#[test]
fn what_holds_no_decisions_is_refused_on_sqlite() {
    on_sqlite(refused);
}

#[test]
fn what_holds_no_decisions_is_refused_on_postgres() {
    on_postgres(refused);
}

/// Asks for three leads by hand, after the table was looked at and changed.
fn replaced(url: &str) {
    let service = Elsewhere::new(url);
    let mut loader = Loader::open(url);
    loader.load("elsewhere", &service.decisions());
    let parsed = DatabaseUrl::parse(url).unwrap();
    let (_, mut database) = service::open(&parsed).unwrap();
    let policy = people::read_policy(Some(&service.data.path("policy.json"))).unwrap();
    let normaliser = people::read_by(&policy, Region::parse("PE").unwrap()).unwrap();
    let secret: Vec<u8> = (0..16).collect();
    let seal = Seal::new(HashKey::new(secret.try_into().unwrap()));
    let stamp = Stamp::new(normaliser.options(), &policy, &seal);
    let name = Path::new("elsewhere");
    let decided = Decided::open(name, &stamp, seal, &mut database, &Console::new(true)).unwrap();
    assert_eq!(decided.len(), 200);
    loader.execute("UPDATE elsewhere SET stamp = '1.2.3' WHERE source_pk = 'L6'");
    loader.execute("INSERT INTO elsewhere SELECT * FROM elsewhere WHERE source_pk = 'L8'");
    loader.execute("DELETE FROM elsewhere WHERE source_pk = 'L9'");
    let keys = WakeKeys::new(normaliser, database.wake_secret().unwrap());
    let subjects: Vec<Record> = ["L6", "L8", "L9", "L16"]
        .iter()
        .map(|key| database.subjects(&[key]).unwrap().remove(*key).unwrap())
        .collect();
    let source = move |_: &[ClaimedLead]| {
        Ok::<_, ResolveError>(subjects.iter().cloned().map(Some).collect::<Vec<_>>())
    };
    let mut resolver = decided.resolver((&parsed, &database), source, keys).unwrap();
    let leads = ["L6", "L8", "L9", "L16"]
        .map(|key| ClaimedLead::new(SourcePk::new(key).unwrap(), chrono::Utc::now()));
    let answers = resolver.resolve(&leads).unwrap();
    for answer in &answers[..3] {
        assert!(format!("{answer:?}").starts_with("Later"), "{answer:?}");
    }
    assert!(matches!(answers[3], Resolution::Matched { .. }), "{answers:?}");
    assert!(decided.tell(&Console::new(true)));
}

#[test]
fn a_table_that_is_filled_anew_meanwhile_settles_nothing_by_what_was_not_looked_at() {
    on_sqlite(replaced);
    on_postgres(replaced);
}

fn with_least_rights(url: &str) {
    let service = Elsewhere::new(url);
    let mut loader = Loader::open(url);
    loader.execute("CREATE SCHEMA warehouse");
    loader.load("warehouse.elsewhere", &service.decisions());
    loader.execute(
        "CREATE ROLE worker LOGIN; GRANT USAGE ON SCHEMA public, recovery, warehouse TO worker;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, recovery TO worker;
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public, recovery TO worker",
    );
    let worker = url.replace("postgres@", "worker@");
    let by =
        ["--decided", "warehouse.elsewhere", "--secret-file", "secret", "--policy", "policy.json"];
    let (done, _) = service.step_on(&worker, "recover_leads", &by);
    assert!(done.code == 4 && done.stderr.contains("needs SELECT on it"), "{done:?}");
    loader.execute("GRANT SELECT ON warehouse.elsewhere TO worker");
    let (done, told) = service.step_on(&worker, "recover_leads", &by);
    assert_eq!((done.code, &told["claimed"]), (0, &199.into()), "{}", done.stderr);
}

#[test]
fn a_table_of_decisions_is_read_with_the_right_to_select_alone() {
    on_postgres(with_least_rights);
}
