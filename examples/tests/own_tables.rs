//! Tables of the operator's own, as they are in the wild: on PostgreSQL with the roles that the docs write down, and
//! on SQLite.

use std::path::Path;
use std::process::Stdio;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use serde_json::Value;

use crate::metrics_server::Server;
use crate::runner::{Run, run, runner};

const MAP: &str = r#"
[leads]
table = "crm.leads"
source_pk = ["external_id", "id"]
id = "id"
lead_created_at = "created_at"
changed = "updated_at"
email = "mail"
full_name = "Full Name"

[[leads.more]]
table = "crm.lead_phones"
lead = "lead_id"
phone = "number"

[persons]
table = "crm.persons"
person_key = "id"
changed = "updated_at"
first_name = "first_name"
last_name = "last_name"
birth_date = "born"
document = "dni"

[[persons.more]]
table = "crm.person_phones"
person = "person_id"
phone = "number"
changed = "updated_at"

[claims]
table = "crm.claims"
id = "id"
lead = "lead_id"
person = "person_id"
"#;

/// Six leads: the first has a key of another system, the second and sixth an id alone, the third is claimed, the fourth
/// matches by its second phone, the fifth by nothing yet.
const POSTGRES: &str = r#"
CREATE SCHEMA crm;
CREATE TABLE crm.leads (
    id UUID PRIMARY KEY, external_id VARCHAR(40) UNIQUE, created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(), mail TEXT, "Full Name" TEXT);
CREATE TABLE crm.lead_phones (lead_id UUID NOT NULL REFERENCES crm.leads, number TEXT NOT NULL);
CREATE TABLE crm.persons (
    id BIGINT PRIMARY KEY, first_name TEXT, last_name TEXT, born DATE, dni CHAR(8),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now());
CREATE TABLE crm.person_phones (
    person_id BIGINT NOT NULL REFERENCES crm.persons, number TEXT, updated_at TIMESTAMPTZ NOT NULL DEFAULT now());
CREATE TABLE crm.claims (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), lead_id UUID REFERENCES crm.leads, person_id BIGINT);
"#;

const SQLITE: &str = r#"
CREATE TABLE leads (
    id TEXT PRIMARY KEY, external_id TEXT UNIQUE, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL DEFAULT '2026-01-01T00:00:00Z', mail TEXT, "Full Name" TEXT);
CREATE TABLE lead_phones (lead_id TEXT NOT NULL REFERENCES leads, number TEXT NOT NULL);
CREATE TABLE persons (
    id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, born TEXT, dni INTEGER,
    updated_at TEXT NOT NULL DEFAULT '2026-01-01T00:00:00Z');
CREATE TABLE person_phones (
    person_id INTEGER NOT NULL REFERENCES persons, number INTEGER, updated_at TEXT NOT NULL DEFAULT '2026-01-01T00:00:00Z');
CREATE TABLE claims (id TEXT PRIMARY KEY, lead_id TEXT REFERENCES leads, person_id INTEGER);
"#;

const ROWS: &str = r#"
INSERT INTO crm.leads (id, external_id, created_at, mail, "Full Name") VALUES
    ('11111111-1111-1111-1111-111111111111', 'WEB-1', '2026-01-05T10:00:00Z', 'ana.quispe@correo.pe', 'Ana Quispe'),
    ('22222222-2222-2222-2222-222222222222', NULL, '2026-01-05T11:00:00Z', NULL, 'Luis Rojas'),
    ('33333333-3333-3333-3333-333333333333', '', '2026-01-05T12:00:00Z', NULL, NULL),
    ('44444444-4444-4444-4444-444444444444', 'WEB-4', '2026-01-06T10:00:00Z', NULL, NULL),
    ('55555555-5555-5555-5555-555555555555', 'WEB-5', '2026-01-06T11:00:00Z', NULL, NULL),
    ('66666666-6666-6666-6666-666666666666', NULL, '2026-01-06T12:00:00Z', NULL, NULL);
INSERT INTO crm.lead_phones VALUES
    ('11111111-1111-1111-1111-111111111111', '987 111 222'),
    ('22222222-2222-2222-2222-222222222222', '+51 987333444'),
    ('33333333-3333-3333-3333-333333333333', '987333444'),
    ('44444444-4444-4444-4444-444444444444', '987000001'),
    ('44444444-4444-4444-4444-444444444444', '987555666'),
    ('55555555-5555-5555-5555-555555555555', '987777888');
INSERT INTO crm.persons (id, first_name, last_name, born, dni) VALUES
    (1, 'Ana', 'Quispe Flores', '1990-02-03', '45678912'), (2, 'Luis', 'Rojas', NULL, NULL),
    (3, 'Rosa', 'Vega', NULL, NULL), (4, 'Eva', 'Paz', NULL, NULL);
INSERT INTO crm.person_phones (person_id, number) VALUES (1, '987111222'), (2, '987333444'), (3, '987555666');
INSERT INTO crm.claims (id, lead_id) VALUES
    ('99999999-9999-9999-9999-999999999999', '33333333-3333-3333-3333-333333333333');
"#;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

struct Desk<'a> {
    folder: &'a Path,
    url: &'a str,
}

impl Desk<'_> {
    fn run(&self, url: &str, name: &str, more: &[&str]) -> Run {
        let base = ["--quiet", "--json", "run.json", "--map", "map.toml", "--database-url", url];
        run(runner(name).current_dir(self.folder).args(base).args(more))
    }

    fn done(&self, name: &str, more: &[&str]) -> Value {
        let done = self.run(self.url, name, more);
        assert_eq!(done.code, 0, "{name}: {}\n{}", done.stderr, done.stdout);
        self.json()
    }

    fn json(&self) -> Value {
        let text = std::fs::read_to_string(self.folder.join("run.json")).expect("JSON was written");
        serde_json::from_str(&text).expect("the JSON is whole")
    }
}

/// The whole of it, on either backend: `own` changes the operator's tables, as the operator does.
fn plays(desk: &Desk<'_>, own: &mut dyn FnMut(&str)) {
    let checked = desk.done("map_tables", &["--check"]);
    let tables = checked["tables"].as_array().expect("tables");
    assert_eq!(tables.len(), 5, "{checked:#}");
    assert_eq!(tables[0]["rows_total"], 6);
    let phones = &tables[1]["columns"][1];
    assert_eq!(
        (&phones["filled_total"], &phones["read_total"]),
        (&6.into(), &6.into()),
        "{checked:#}"
    );
    assert_eq!(tables[4]["columns"][0]["read_total"], 1, "claims name leads: {checked:#}");
    assert_eq!(tables[4]["columns"][1]["means"], "person", "{checked:#}");
    assert_eq!(checked["backlog_total"], 5, "{checked:#}");

    let seed = desk.done("seed_queue", &[]);
    assert_eq!((&seed["backlog"], &seed["backlog_size"]), (&"mapped_leads".into(), &5.into()));
    let run = desk.done("recover_leads", &["--decisions", "d.csv"]);
    assert_eq!((&run["claimed"], &run["matched"]), (&5.into(), &3.into()), "{run:#}");
    let decisions = std::fs::read_to_string(desk.folder.join("d.csv")).expect("decisions");
    for (lead, person) in [("WEB-1", 1), ("22222222-2222-2222-2222-222222222222", 2), ("WEB-4", 3)]
    {
        assert!(decisions.contains(&format!("{lead},matched,{person},PHONE_EXACT")), "{decisions}");
    }
    assert!(decisions.contains("WEB-5,failed,,,,NO_CANDIDATES"), "{decisions}");
    assert!(
        decisions.contains("66666666-6666-6666-6666-666666666666,failed,,,,MISSING_IDENTIFIERS")
    );
    desk.done("verify_guardrails", &["--allow-inconclusive"]);
    let told = desk.run(desk.url, "explain_match", &["--source-pk", "WEB-4"]);
    assert!(told.code == 0 && told.stdout.contains("PHONE_EXACT"), "{told:?}");

    // A person who gets a phone wakes the lead that has it; a lead that changes is tried again.
    own(
        "INSERT INTO crm.person_phones (person_id, number, updated_at) VALUES (4, '987777888', {later})",
    );
    own("INSERT INTO crm.lead_phones VALUES ('66666666-6666-6666-6666-666666666666', '987111222')");
    own(
        "UPDATE crm.leads SET updated_at = {later} WHERE id = '66666666-6666-6666-6666-666666666666'",
    );
    let seed = desk.done("seed_queue", &[]);
    assert_eq!((&seed["reopened"], &seed["leaks"]), (&1.into(), &0.into()), "{seed:#}");
    let run = desk.done("recover_leads", &[]);
    assert_eq!((&run["claimed"], &run["matched"]), (&2.into(), &2.into()), "{run:#}");
    let checks = desk.done("verify_guardrails", &["--allow-inconclusive"]);
    assert_eq!(checks["summary"]["fail"].as_u64().unwrap_or(0), 0, "{checks:#}");
    let idle = desk.done("validate_impact", &[]);
    assert_eq!((&idle["backlog_after"], &idle["recover"]["claimed"]), (&0.into(), &0.into()));

    // Two persons share a number, and then one has another or is gone: nobody's present key names the lead.
    own("INSERT INTO crm.persons (id, updated_at) VALUES (5, '2026-01-01T00:00:00Z'),
         (6, '2026-01-01T00:00:00Z'), (7, '2026-01-01T00:00:00Z'), (8, '2026-01-01T00:00:00Z')");
    own("INSERT INTO crm.person_phones (person_id, number, updated_at) VALUES
         (5, '987999111', '2026-01-01T00:00:00Z'), (6, '987999111', '2026-01-01T00:00:00Z'),
         (7, '987999333', '2026-01-01T00:00:00Z'), (8, '987999333', '2026-01-01T00:00:00Z')");
    own("INSERT INTO crm.leads (id, external_id, created_at) VALUES
         ('88888888-8888-8888-8888-888888888888', 'WEB-8', '2026-01-07T10:00:00Z'),
         ('99999999-9999-9999-9999-999999999998', 'WEB-9', '2026-01-07T10:00:00Z')");
    own("INSERT INTO crm.lead_phones VALUES ('88888888-8888-8888-8888-888888888888', '987999111'),
         ('99999999-9999-9999-9999-999999999998', '987999333')");
    desk.done("seed_queue", &[]);
    let run = desk.done("recover_leads", &[]);
    assert_eq!((&run["claimed"], &run["matched"]), (&2.into(), &0.into()), "{run:#}");
    let idle = desk.done("recover_leads", &[]);
    assert_eq!(idle["claimed"], 0, "nobody has changed: {idle:#}");
    own(
        "UPDATE crm.person_phones SET number = '987000222', updated_at = {latest} WHERE person_id = 5",
    );
    own("DELETE FROM crm.person_phones WHERE person_id = 7");
    own("DELETE FROM crm.persons WHERE id = 7");
    let run = desk.done("recover_leads", &["--decisions", "d.csv"]);
    assert_eq!((&run["claimed"], &run["matched"]), (&2.into(), &2.into()), "{run:#}");
    let decisions = std::fs::read_to_string(desk.folder.join("d.csv")).expect("decisions");
    for told in ["WEB-8,matched,6,PHONE_EXACT", "WEB-9,matched,8,PHONE_EXACT"] {
        assert!(decisions.contains(told), "{told}: {decisions}");
    }

    // The operator's page shows what could not be read from these tables, masked, and what the run counted.
    own("INSERT INTO crm.leads (id, external_id, created_at) VALUES
         ('77777777-7777-7777-7777-777777777777', 'WEB-7', '2026-01-07T10:00:00Z')");
    own("INSERT INTO crm.lead_phones VALUES ('77777777-7777-7777-7777-777777777777', '1250418')");
    desk.done("seed_queue", &[]);
    let run = desk.done("recover_leads", &[]);
    assert_eq!((&run["claimed"], &run["matched"]), (&1.into(), &0.into()), "{run:#}");
    let server = Server::on(desk.url, desk.folder, &["--map", "map.toml"], Stdio::null());
    assert_eq!(server.ready().status, 200);
    let page = server.get("/").body;
    let counted = format!("Of 1 leads read in run {}", run["run_id"]);
    for part in ["<a href=\"/lead?key=WEB-7\">", "data-label=\"Such as\">******8<", &counted] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("1250418"), "{page}");
    drop(server);

    // A claim takes the lead out of the backlog, and becomes a link on request, which is undone like any load.
    own("INSERT INTO crm.claims (id, lead_id, person_id) VALUES
         ('99999999-9999-9999-9999-999999999997', '77777777-7777-7777-7777-777777777777', 3)");
    let seed = desk.done("seed_queue", &[]);
    assert_eq!(seed["withdrawn"], 1, "{seed:#}");
    let taken = desk.done("load_review", &["--claims", "--by", "ana"]);
    assert_eq!((&taken["linked_total"], &taken["refused"]), (&1.into(), &serde_json::json!([])));
    let shown = desk.done("queue_admin", &["lead", "show", "WEB-7"]);
    assert_eq!((&shown["status"], &shown["person_key"]), (&"matched".into(), &"3".into()));
    desk.done("verify_guardrails", &["--allow-inconclusive"]);
    desk.done("load_review", &["--undo", taken["load"].as_str().expect("a load")]);
    let shown = desk.done("queue_admin", &["lead", "show", "WEB-7"]);
    assert_eq!((&shown["status"], &shown["person_key"]), (&"withdrawn".into(), &Value::Null));
    a_link_to_a_person_who_is_gone_is_found(desk, own);
}

fn a_link_to_a_person_who_is_gone_is_found(desk: &Desk<'_>, own: &mut dyn FnMut(&str)) {
    let checked = desk.done("map_tables", &["--check"]);
    assert!(!checked.to_string().contains("still there"), "{checked:#}");
    own("DELETE FROM crm.person_phones WHERE person_id = 6");
    own("DELETE FROM crm.persons WHERE id = 6");
    let failed = desk.run(desk.url, "verify_guardrails", &["--allow-inconclusive"]);
    assert_eq!(failed.code, 1, "{}", failed.stdout);
    assert!(
        failed.stdout.contains("1 of 7 links lead to persons who are gone"),
        "{}",
        failed.stdout
    );
    own("INSERT INTO crm.persons (id, updated_at) VALUES (6, '2026-01-01T00:00:00Z')");
    desk.done("verify_guardrails", &["--allow-inconclusive"]);
}

/// Makes the operator's tables in a file of SQLite, `crm.sqlite`, and the mapping beside it.
pub(crate) fn on_sqlite(folder: &Path) -> SqliteConnection {
    let path = folder.join("crm.sqlite");
    let mut crm =
        SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("the file is made");
    crm.batch_execute(SQLITE).expect("the operator's tables");
    crm.batch_execute(&ROWS.replace("crm.", "")).expect("the operator's rows");
    std::fs::write(folder.join("map.toml"), MAP.replace("crm.", "")).expect("the mapping");
    crm
}

#[test]
fn tables_as_in_the_wild_play_on_sqlite() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut crm = on_sqlite(folder.path());
    let path = folder.path().join("crm.sqlite");
    let url = path.to_str().expect("UTF-8");
    let desk = Desk { folder: folder.path(), url };
    let applied = desk.run(url, "map_tables", &["--apply"]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    plays(&desk, &mut |sql| {
        let sql = sql.replace("crm.", "").replace("{later}", "'2026-02-01T00:00:00Z'");
        let sql = sql.replace("{latest}", "'2026-03-01T00:00:00Z'");
        crm.batch_execute("PRAGMA busy_timeout = 10000").expect("a setting");
        crm.batch_execute(&sql).expect("the operator writes");
    });
}

/// The statements of a section of the page on roles: what is tested is what is written down.
fn written_down(heading: &str) -> String {
    let page = include_str!("../docs/backup-upgrade-roles-erasure.md");
    let section = page.split(heading).nth(1).expect("the section is there");
    let code = section.split("```sql\n").nth(1).expect("it has statements");
    code.split("```").next().expect("they end").to_owned()
}

#[test]
fn tables_as_in_the_wild_play_on_postgres_with_least_rights() {
    let server = match recovery_queue::testing::PostgresServer::start_with(&[]) {
        Ok(server) => server,
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            // Past the harness, which keeps what a passing test prints to itself.
            let said = format!("LEFT OUT: least rights on PostgreSQL: {error}\n");
            let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
            return;
        }
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("map.toml"), MAP).expect("the mapping");
    let mut crm = PgConnection::establish(server.url()).expect("the server answers");
    crm.batch_execute(POSTGRES).expect("the operator's tables");
    crm.batch_execute(ROWS).expect("the operator's rows");
    // Nobody may make anything but where it is said.
    crm.batch_execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC").expect("PostgreSQL 15 does so");
    crm.batch_execute(&written_down("### 1. The roles")).expect("the roles");
    crm.batch_execute(&written_down("### 2. What they may read of yours")).expect("the grants");
    let as_role = |role: &str| server.url().replace("postgres@", &format!("{role}@"));
    let (owner, worker, reader) =
        (as_role("recovery_owner"), as_role("recovery_worker"), as_role("recovery_reader"));

    let desk = Desk { folder: folder.path(), url: &worker };
    let early = desk.run(&worker, "seed_queue", &[]);
    assert_eq!(early.code, 4, "a worker makes nothing: {}", early.stdout);
    assert!(early.stderr.contains("what to do"), "{}", early.stderr);
    let applied = desk.run(&owner, "map_tables", &["--apply"]);
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    let mut theirs = PgConnection::establish(&owner).expect("the owner may connect");
    theirs
        .batch_execute(&written_down("### 3. What they may do in the queue"))
        .expect("the grants");

    plays(&desk, &mut |sql| {
        let sql = sql.replace("{latest}", "now() + interval '2 hours'");
        crm.batch_execute(&sql.replace("{later}", "now() + interval '1 hour'"))
            .expect("the operator writes");
    });

    // The reader looks, and cannot write.
    let seen = desk.run(&reader, "verify_guardrails", &["--allow-inconclusive"]);
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    let checked = desk.run(&reader, "map_tables", &["--check"]);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    let refused = desk.run(&reader, "seed_queue", &[]);
    assert_eq!(refused.code, 4, "a reader seeds nothing");
    let mut reading = PgConnection::establish(&reader).expect("the reader may connect");
    for forbidden in [
        "DELETE FROM recovery.queue_lead",
        "UPDATE crm.leads SET mail = NULL",
        "CREATE TABLE recovery.mine (a int)",
        "CREATE TABLE public.mine (a int)",
    ] {
        assert!(reading.batch_execute(forbidden).is_err(), "{forbidden}");
    }
    // Nothing of ours lies in the operator's schema, nor in public.
    let strangers: Count = diesel::sql_query(
        "SELECT count(*) AS n FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace \
         WHERE s.nspname IN ('crm', 'public') AND c.relkind IN ('r', 'v') \
         AND c.relname NOT IN ('leads', 'lead_phones', 'persons', 'person_phones', 'claims')",
    )
    .get_result(&mut crm)
    .expect("the catalogue is read");
    assert_eq!(strangers.n, 0);
}

#[test]
fn what_does_not_fit_is_refused_with_the_columns_that_are_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("crm.sqlite");
    let url = path.to_str().expect("UTF-8");
    let mut crm = SqliteConnection::establish(url).expect("the file is made");
    crm.batch_execute(SQLITE).expect("the operator's tables");
    let desk = Desk { folder: folder.path(), url };
    for (change, to, told) in [
        ("\"mail\"", "\"e_mail\"", "no column e_mail"),
        ("crm.person_phones", "crm.nowhere", "does not exist"),
        ("email =", "e-mail =", "no key e-mail"),
    ] {
        let map = MAP.replace(change, to).replace("crm.", "");
        std::fs::write(folder.path().join("map.toml"), map).expect("the mapping");
        let done = desk.run(url, "map_tables", &["--check"]);
        assert_eq!(done.code, 4, "{}", done.stdout);
        assert!(
            done.stderr.contains(told) && done.stderr.contains("what to do"),
            "{}",
            done.stderr
        );
    }
    // The mapping that is printed to begin with is one.
    let printed = run(&mut runner("map_tables"));
    printed.stdout.parse::<reference_runners::service::TableMap>().expect("it is a mapping");
}
