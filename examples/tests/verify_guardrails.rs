//! The guardrails as an operator and a pipeline meet them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::runner::{Run, run, runner};

/// A folder with a database in which two leads were matched and one was not.
pub(crate) fn recovered() -> tempfile::TempDir {
    recovered_in(None)
}

/// The same in another database than the folder's `q.sqlite`.
pub(crate) fn recovered_in(database: Option<&str>) -> tempfile::TempDir {
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
        .args(["--database-url", database.unwrap_or("q.sqlite")]));
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
    break_a_link(folder.path());
    for (form, sign) in [
        ("text", "regression: it passed on"),
        ("json", "\"baseline\": {"),
        ("markdown", "**regression: it passed on"),
        ("html", "<strong>regression: it passed on"),
    ] {
        let told = verify(folder.path(), &[&args[..], &["--format", form]].concat());
        assert_eq!(told.code, 1, "{told:?}");
        assert!(told.stdout.contains(sign), "{form}: {}", told.stdout);
    }
}

fn sql(folder: &Path, database: &str, statements: &str) {
    use diesel::connection::SimpleConnection as _;
    use recovery_queue::{Conn, DatabaseUrl, OpenOptions, SqlStore};
    let url = match database {
        "q.sqlite" => DatabaseUrl::Sqlite(folder.join(database).into()),
        server => DatabaseUrl::parse(server).unwrap(),
    };
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    match store.connection() {
        Conn::Sqlite(connection) => connection.batch_execute(statements).unwrap(),
        Conn::Postgres(connection) => connection.batch_execute(statements).unwrap(),
        _ => unreachable!(),
    }
}

fn break_a_link(folder: &Path) {
    sql(
        folder,
        "q.sqlite",
        "DELETE FROM queue_link WHERE lead_id = (SELECT min(lead_id) FROM queue_link)",
    );
}

#[test]
fn every_command_that_is_printed_runs_as_it_is_printed() {
    let folder = recovered();
    break_a_link(folder.path());
    let told = verify(folder.path(), &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let mut commands: Vec<_> = checks
        .iter()
        .flat_map(|check| check["help"].as_array().unwrap())
        .filter_map(|remedy| remedy["command"].as_str())
        .collect();
    commands.sort_unstable();
    commands.dedup();
    assert!(commands.len() >= 3, "{commands:?}");
    for printed in commands {
        // A shell reads the line as a person's would.
        let done = run(Command::new("sh")
            .current_dir(folder.path())
            .env_remove("DATABASE_URL")
            .args(["-c", &format!("exec {printed}")]));
        assert!([0, 1, 3].contains(&done.code), "{printed}: {done:?}");
    }
    let work = fs::read_to_string(folder.path().join("work_list.csv")).unwrap();
    assert!(work.starts_with("source_pk,fail_reason,since,attempts,lacks\n"), "{work}");
    assert!(work.contains("L-3,NO_CANDIDATES,") && work.contains(",document email"), "{work}");
    assert!(!work.contains("987654303"), "{work}");
}

/// Exports the packets of a year to `back`, and gives the flags that judge them there.
fn exported(folder: &Path) -> Vec<&'static str> {
    let scope = ["--period-date", "2025-12-31", "--period-granularity", "year"];
    let export = run(command("export_packets", folder).args(scope).args(["--out-dir", "back"]));
    assert_eq!(export.code, 0, "{export:?}");
    [&["--only", "packets_complete", "--packets-dir", "back"][..], &scope].concat()
}

#[test]
fn the_returned_packets_are_judged_beside_the_database() {
    let folder = recovered();
    let packets = exported(folder.path());
    let failed = verify(folder.path(), &packets);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stdout.contains("4 of 4 actionable sources"), "{}", failed.stdout);
    assert!(failed.stdout.contains("empty_packet"), "{}", failed.stdout);
    // Where a command is too long for a line it goes on behind a backslash, as a shell reads it.
    let told = failed.stdout.replace("\\\n", "");
    let words: Vec<_> = told.split_whitespace().collect();
    assert!(words.windows(2).any(|pair| pair == ["--packets-dir", "back"]), "{told}");
    let with_all = verify(folder.path(), &packets[2..]);
    assert!(with_all.stdout.contains("packets_complete"), "{}", with_all.stdout);
    let missing = verify(folder.path(), &["--packets-dir", "none"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (4, ""), "{missing:?}");
    let alone = verify(folder.path(), &["--catalog", "c.json"]);
    assert_eq!(alone.code, 4, "{alone:?}");
    assert!(alone.stderr.contains("--packets-dir"), "{}", alone.stderr);
}

#[test]
fn values_in_the_databases_own_table_are_read_and_the_table_is_not_made() {
    let folder = recovered();
    let packets = exported(folder.path());
    // Of one source every KPI is held, so that three are left to ask.
    for kpi in ["recurso_estimation_rate", "formal_annulment_rate", "resolution_delay_p90_days"] {
        let insert = "INSERT INTO metric_values (metric_key, sanction_source_id, kpi_id, period_date, \
                      period_granularity, value, source_record_pk, evidence_date, evidence_quote)";
        let (source, kpi) = ("es:sanctions:tear_resolutions", format!("kpi:{kpi}"));
        let row = format!(
            "'{kpi}|{source}|2025-12-31|year', '{source}', '{kpi}', '2025-12-31', 'year', '0.5', \
             'a record', '2026-01-31', 'a sentence long enough to be a quote'"
        );
        sql(folder.path(), "q.sqlite", &format!("{insert} VALUES ({row})"));
    }
    let held = verify(folder.path(), &packets);
    assert_eq!(held.code, 1, "{held:?}");
    assert!(held.stdout.contains("3 of 3 actionable sources"), "{}", held.stdout);
    assert!(!held.stderr.contains("metric_values"), "{}", held.stderr);

    sql(folder.path(), "q.sqlite", "DROP TABLE metric_values");
    for _ in 0..2 {
        let none = verify(folder.path(), &packets);
        assert_eq!(none.code, 1, "{none:?}");
        assert!(none.stdout.contains("4 of 4 actionable sources"), "{}", none.stdout);
        assert!(none.stderr.contains("q.sqlite: there is no table metric_values"), "{none:?}");
    }
}

#[test]
fn a_service_sees_its_spans_where_it_asks_for_them_and_a_wrong_wish_is_named() {
    let folder = recovered();
    let mut verbose = command("verify_guardrails", folder.path());
    verbose.env("RUST_LOG", "guardrails=info").args(["--database-url", "q.sqlite"]);
    let told = run(verbose.args(["--only", "drain", "--allow-inconclusive"]));
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.stderr.contains("guardrails.suite{"), "{}", told.stderr);
    assert!(!told.stdout.contains("guardrails.suite{"), "{}", told.stdout);
    for event in ["guardrails.check ", "guardrails.kpi ", "guardrails.done "] {
        assert!(
            told.stderr.lines().any(|line| line.starts_with(event)),
            "{event}: {}",
            told.stderr
        );
    }
    let mut wrong = command("verify_guardrails", folder.path());
    let wrong = run(wrong.env("RUST_LOG", "a=b=c").args(["--database-url", "q.sqlite"]));
    assert_eq!((wrong.code, wrong.stdout.as_str()), (4, ""), "{wrong:?}");
    assert!(wrong.stderr.contains("RUST_LOG"), "{}", wrong.stderr);
}

#[test]
fn the_suite_in_force_is_printed_and_reads_back_without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| fs::write(folder.path().join("suite.toml"), text).unwrap();
    write(
        "checks = ['drain']\n[vars]\nleast = '9'\n[check.drain]\ntags = ['hourly']\n[check.leads]\n\
         kind = 'row_count'\ntable = 'leads'\nmin = 1\nwhere = \"phone <> ${least}\"\n",
    );
    let printed = verify(folder.path(), &["--suite", "suite.toml", "--print-suite"]);
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(printed.stdout.contains("[check.leads]") && printed.stdout.contains("[vars]"));
    write(&printed.stdout);
    let again = verify(folder.path(), &["--suite", "suite.toml", "--print-suite"]);
    assert_eq!(again.stdout, printed.stdout);
    let hourly =
        verify(folder.path(), &["--suite", "suite.toml", "--only", "tag:hourly", "--print-suite"]);
    assert!(!hourly.stdout.contains("[check.leads]"), "{}", hourly.stdout);
}

#[test]
fn each_kind_of_declared_check_finds_its_rows_in_the_database() {
    let folder = recovered();
    declared_checks(&folder, "q.sqlite", ("TEXT", "${old}"));
    if let Some(server) = crate::metrics_server::postgres() {
        let url = crate::metrics_server::database_of_its_own(server.url(), "declared");
        declared_checks(&recovered_in(Some(&url)), &url, ("TIMESTAMP", "CAST(${old} AS DATE)"));
    }
}

/// Eleven declared checks over a table whose times are of the type that its database has for them.
fn declared_checks(folder: &tempfile::TempDir, database: &str, (time, old): (&str, &str)) {
    let script = format!(
        "CREATE TABLE bills (no TEXT, lead TEXT, state TEXT, at {time}, amount INTEGER); \
         INSERT INTO bills VALUES ('1', 'L-1', 'sent', '2020-01-01T00:00:00Z', 5), \
         ('2', 'L-2', 'paid', '2020-01-02 10:00:00', 6), ('2', 'X-9', 'lost', '2020-01-03', NULL), \
         (NULL, ' ', 'sent', NULL, 7)"
    );
    sql(folder.path(), database, &script);
    let table = "table = 'bills'\n";
    fs::write(
        folder.path().join("suite.toml"),
        format!(
            "checks = []\n[vars]\npaid = \"paid' OR '1\"\nold = '2020-01-02'\n\
             [check.a]\nkind = 'missing'\n{table}column = 'no'\n\
             [check.b]\nkind = 'missing'\n{table}column = 'lead'\nkey = 'no'\nwhere = 'at >= {old}'\n\
             [check.c]\nkind = 'unique'\n{table}columns = ['no']\nkey = 'lead'\n\
             [check.d]\nkind = 'accepted_values'\n{table}column = 'state'\nkey = 'no'\n\
             values = ['sent', 'paid', '${{paid}}']\n\
             [check.e]\nkind = 'relationships'\n{table}column = 'lead'\nto = 'leads.source_pk'\nfail = '50%'\nwarn = 0\n\
             [check.f]\nkind = 'freshness'\n{table}column = 'at'\nmax_age = '1d'\n\
             [check.g]\nkind = 'row_count'\n{table}min = 8\nfail = '60%'\n\
             [check.h]\nkind = 'schema'\n{table}columns = {{ no = 'text', amount = 'text', gone = 'any' }}\n\
             [check.i]\nkind = 'freshness'\n{table}column = 'state'\nmax_age = '1d'\n\
             [check.j]\nkind = 'missing'\ntable = 'no_such'\ncolumn = 'a'\n\
             [check.k]\nkind = 'row_count'\n{table}max = 4\n"
        ),
    )
    .unwrap();
    let told = run(command("verify_guardrails", folder.path())
        .env("DATABASE_URL", database)
        .args(["--suite", "suite.toml", "--format", "json"]));
    assert_eq!(told.code, 1, "{told:?}");
    let report: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    let found: Vec<String> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            let ratio = format!("{}/{}", check["numerator"], check["denominator"]);
            format!(
                "{} {} {ratio}",
                check["assertion"].as_str().unwrap(),
                check["verdict"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "a fail 1/4",
            "b pass 0/2",
            "c fail 1/2",
            "d fail 1/4",
            "e warn 2/4",
            "f fail 1/1",
            "g pass 4/8",
            "h fail 2/3",
            "i error 0/null",
            "j error 0/null",
            "k pass 0/4",
        ],
        "{}",
        told.stdout
    );
    let reason = |n: usize| report["checks"][n]["reason"].as_str().unwrap().to_owned();
    assert!(reason(8).contains("`state` of `bills` holds no times"), "{}", reason(8));
    if database == "q.sqlite" {
        assert!(reason(9).contains("no such table"), "{}", reason(9));
    }
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
    // The books alone can be read: they say what is wrong, and every other check says why it could not be evaluated.
    assert_eq!(bare.code, 1, "{bare:?}");
    assert!(bare.stdout.contains("FAIL          single_migration_head"), "{}", bare.stdout);
    assert_eq!(
        bare.stderr.matches("not migrated").count(),
        1,
        "one cause, told once: {}",
        bare.stderr
    );
    assert_eq!(verify(folder.path(), &["--only", "drain"]).code, 4);
    assert_eq!(fs::read(folder.path().join("q.sqlite")).unwrap(), b"", "a check changes nothing");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
