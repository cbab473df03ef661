//! The operator's endpoint, spoken to over loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::runner::run;
use crate::verify_guardrails::{command, recovered, recovered_in};

/// A server on a free port; it is ended with the test.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Server {
    fn start(folder: &Path, args: &[&str]) -> Self {
        Self::on("q.sqlite", folder, args, Stdio::null())
    }

    fn on(database: &str, folder: &Path, args: &[&str], messages: Stdio) -> Self {
        let mut child = command("metrics_server", folder)
            .args(["--database-url", database, "--bind", "127.0.0.1:0", "--refresh-seconds", "1"])
            .args(args)
            .env("RUST_LOG", "reference_runners=debug")
            .stdout(Stdio::piped())
            .stderr(messages)
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("stdout is piped");
        BufReader::new(out).read_line(&mut line).expect("the server says where it listens");
        let address = line.trim().trim_start_matches("http://").to_owned();
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).expect("the server listens")
    }

    fn ask(&self, request: &str) -> Answer {
        Self::exchange(self.connect(), request)
    }

    fn exchange(mut stream: TcpStream, request: &str) -> Answer {
        // In one piece: a server that refuses early closes while pieces are still to come.
        let request = format!("{request}\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the server takes the request");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("the answer is text");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Answer {
            status: status.expect("a status"),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1"))
    }

    /// Asks until the first read is there; each question waits for its answer.
    fn ready(&self) -> Answer {
        loop {
            let answer = self.get("/readyz");
            if !answer.body.contains("the first read is under way") {
                return answer;
            }
            std::thread::yield_now();
        }
    }
}

const METRICS: &str = "/api/v1/ops/payments/cabinet-financial-14d/kpi-red-recovery-metrics";

#[test]
fn the_contracts_figures_have_exactly_their_shape() {
    let folder = recovered();
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.ready().status, 200);
    let answer = server.get(METRICS);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    let json: Value = serde_json::from_str(&answer.body).unwrap();
    let mut keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["current_backlog", "last_7_days", "today", "yesterday"]);
    assert_eq!(json["current_backlog"], 1);
    let days = json["last_7_days"].as_array().unwrap();
    assert_eq!(days.len(), 7);
    assert_eq!((&days[6], &days[5]), (&json["today"], &json["yesterday"]));
    assert_eq!(json["today"]["matched_out"], 2);
}

#[test]
fn the_other_routes_answer_and_identifiers_are_masked() {
    let folder = recovered();
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.get("/livez").status, 200);
    assert_eq!(server.ready().status, 200);
    let metrics = server.get("/metrics");
    assert!(
        metrics.head.contains("application/openmetrics-text; version=1.0.0"),
        "{}",
        metrics.head
    );
    assert!(metrics.body.contains("\nrecovery_backlog_leads 1\n"), "{}", metrics.body);
    let page = server.get("/").body;
    assert!(page.contains("/leads?reason=NO_CANDIDATES") && !page.contains("<script"), "{page}");
    assert!(page.contains("href=\"/?live\"") && !page.contains("http-equiv=\"refresh\""), "{page}");
    assert!(server.get("/?live").body.contains("http-equiv=\"refresh\""));
    let leads = server.get("/leads?reason=NO_CANDIDATES");
    assert_eq!(leads.status, 200, "{}", leads.body);
    assert!(leads.body.contains("L-3") && leads.body.contains("*****"), "{}", leads.body);
    assert!(!leads.body.contains("987654303"), "{}", leads.body);
    assert!(server.get("/leads?reason=NO_CANDIDATES&after=L-3").body.contains("There are none"));
    let described: Value = serde_json::from_str(&server.get("/openapi.json").body).unwrap();
    for path in described["paths"].as_object().unwrap().keys() {
        let query = if path == "/leads" { "?reason=ERROR" } else { "" };
        assert_eq!(server.get(&format!("{path}{query}")).status, 200, "{path}");
    }
}

#[test]
fn errors_are_problem_details_with_their_status() {
    let folder = recovered();
    let server = Server::start(folder.path(), &["--token", "secret-of-the-test"]);
    server.ready();
    let long = format!("GET /{} HTTP/1.1", "a".repeat(40_000));
    assert!([414, 431].contains(&server.ask(&long).status));
    for (request, status) in [
        ("GET /nothing HTTP/1.1", 404),
        ("POST /livez HTTP/1.1", 405),
        ("GET / HTTP/1.1", 401),
        ("GET / HTTP/1.1\r\nAuthorization: Bearer wrong", 401),
        ("GET /leads HTTP/1.1\r\nAuthorization: Bearer secret-of-the-test", 400),
        ("GET /leads?reason=x HTTP/1.1\r\nAuthorization: Bearer secret-of-the-test", 400),
    ] {
        let answer = server.ask(request);
        assert_eq!(answer.status, status, "{request}");
        assert!(answer.head.contains("application/problem+json"), "{request}: {}", answer.head);
        let problem: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["status"], status, "{request}");
    }
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let ask = format!("GET / HTTP/1.1\r\nAuthorization: {scheme} secret-of-the-test");
        let allowed = server.ask(&ask);
        assert_eq!(allowed.status, 200, "{scheme}");
        assert!(allowed.head.contains("content-security-policy: default-src 'none'"));
    }
    assert_eq!(server.get("/livez").status, 200, "probes need no token");
}

#[test]
fn a_database_that_is_not_migrated_is_alive_and_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("q.sqlite"), "").unwrap();
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.get("/livez").status, 200);
    let ready = server.ready();
    assert_eq!(ready.status, 503, "{}", ready.body);
    assert_eq!(server.get(METRICS).status, 503);
    let file = std::fs::metadata(folder.path().join("q.sqlite")).unwrap();
    assert_eq!(file.len(), 0, "the server only reads");
}

#[test]
fn an_address_beyond_this_machine_needs_a_token_or_the_word_insecure() {
    let folder = tempfile::tempdir().unwrap();
    let refused = run(command("metrics_server", folder.path())
        .env_remove("METRICS_TOKEN")
        .args(["--bind", "0.0.0.0:0"]));
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("METRICS_TOKEN") && refused.stderr.contains("--insecure"));
}

#[test]
fn a_busy_port_is_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let failed = run(command("metrics_server", folder.path()).args(["--bind", &address]));
    assert_eq!(failed.code, 4, "{failed:?}");
    assert!(failed.stderr.contains(&address) && failed.stderr.contains("--bind"), "{failed:?}");
}

/// Makes the service's leads endless to read, or long to read where `steps` are given.
fn slow_leads(folder: &Path, steps: Option<u32>) {
    use recovery_queue::{Conn, DatabaseUrl, OpenOptions, SqlStore};
    let path = folder.join("q.sqlite");
    let url = DatabaseUrl::parse(path.to_str().expect("the folder is UTF-8")).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    let Conn::Sqlite(connection) = store.connection() else { unreachable!() };
    let end = steps.map_or(String::new(), |steps| format!("WHERE i < {steps}"));
    diesel::connection::SimpleConnection::batch_execute(
        connection,
        &format!(
            "ALTER TABLE leads RENAME TO leads_before; DROP VIEW backlog_leads; \
             CREATE VIEW backlog_leads AS SELECT source_pk AS lead_source_pk, imported_at AS lead_date \
             FROM leads_before; \
             CREATE VIEW leads AS WITH RECURSIVE n(i) AS \
             (SELECT 1 UNION ALL SELECT i + 1 FROM n {end}) \
             SELECT max(i) || 'L' AS source_pk, '' AS phone, '' AS document, '' AS email FROM n"
        ),
    )
    .unwrap();
}

const LEADS: &str = "/leads?reason=NO_CANDIDATES";

#[test]
fn an_answer_that_takes_too_long_is_a_504_and_the_server_goes_on() {
    let folder = recovered();
    slow_leads(folder.path(), None);
    let server = Server::start(folder.path(), &["--time-limit-seconds", "1"]);
    for _ in 0..3 {
        let slow = server.get(LEADS);
        assert_eq!(slow.status, 504, "{}", slow.body);
        assert!(slow.head.contains("application/problem+json"), "{}", slow.head);
    }
    assert_eq!(server.get("/livez").status, 200);
}

#[test]
fn a_client_that_does_not_finish_its_request_is_sent_away_and_a_body_is_never_waited_for() {
    let folder = recovered();
    let server = Server::start(folder.path(), &["--time-limit-seconds", "1"]);
    let mut slow = server.connect();
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost: te").expect("the first bytes are taken");
    let mut rest = String::new();
    // The connection ends by itself: with an answer that says so, or with none.
    let _ = slow.read_to_string(&mut rest);
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408"), "{rest}");
    let body = server.ask("GET /livez HTTP/1.1\r\nContent-Length: 1000000000");
    assert_eq!(body.status, 200);
    let posted = server.ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked");
    assert_eq!(posted.status, 405);
}

#[cfg(unix)]
#[test]
fn a_request_that_is_under_way_is_answered_while_the_server_stops() {
    let folder = recovered();
    slow_leads(folder.path(), Some(2_000_000));
    let mut server = Server::on("q.sqlite", folder.path(), &[], Stdio::piped());
    let messages = server.child.stderr.take().expect("stderr is piped");
    let stream = server.connect();
    let asked =
        std::thread::spawn(move || Server::exchange(stream, &format!("GET {LEADS} HTTP/1.1")));
    let mut lines = BufReader::new(messages).lines().map(|line| line.expect("messages are UTF-8"));
    lines.find(|line| line.contains("reason=")).expect("the request arrives");
    let pid = server.child.id().to_string();
    let told = std::process::Command::new("kill").args(["-TERM", &pid]).status();
    assert!(told.expect("kill is there").success());
    let answer = asked.join().expect("the request is answered");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(lines.any(|line| line.contains("stopped")), "it says that it stopped");
    assert_eq!(server.child.wait().expect("it ends").code(), Some(0));
}

/// Makes a database on a server that other tests may use, too, and gives its URL.
pub(crate) fn database_of_its_own(server: &str, name: &str) -> String {
    use recovery_queue::{Conn, DatabaseUrl, OpenOptions, SqlStore};
    let mut store =
        SqlStore::open(&DatabaseUrl::parse(server).unwrap(), OpenOptions::default()).unwrap();
    let Conn::Postgres(connection) = store.connection() else { unreachable!() };
    let name = format!("{name}_{}", std::process::id());
    let create = format!("CREATE DATABASE {name}");
    diesel::connection::SimpleConnection::batch_execute(connection, &create).unwrap();
    let (place, rest) = server.rsplit_once('/').expect("a URL names its database");
    let options = rest.split_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
    format!("{place}/{name}{options}")
}

#[test]
fn the_same_is_served_from_postgres() {
    let server = match recovery_queue::testing::PostgresServer::start() {
        Ok(server) => server,
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            // Past the harness, which keeps what a passing test prints to itself.
            let said = format!("LEFT OUT: the operator's endpoint on PostgreSQL: {error}\n");
            let _ = std::io::stderr().write_all(said.as_bytes());
            return;
        }
    };
    let database = database_of_its_own(server.url(), "ops");
    let folder = recovered_in(Some(&database));
    let ops = Server::on(&database, folder.path(), &["--token", "secret"], Stdio::null());
    assert_eq!(ops.ready().status, 200);
    assert_eq!(ops.get(METRICS).status, 401);
    let get = |path: &str| ops.ask(&format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer secret"));
    let json: Value = serde_json::from_str(&get(METRICS).body).unwrap();
    assert_eq!((&json["current_backlog"], &json["today"]["matched_out"]), (&1.into(), &2.into()));
    assert!(get("/metrics").body.contains("\nrecovery_backlog_leads 1\n"));
    assert!(get("/").body.contains(LEADS));
    let leads = get(LEADS);
    assert!(leads.body.contains("L-3") && !leads.body.contains("987654303"), "{}", leads.body);
    let verified = run(command("verify_guardrails", folder.path())
        .env("DATABASE_URL", &database)
        .args(["--allow-inconclusive", "--work-list", "work.csv"]));
    assert_eq!(verified.code, 0, "{verified:?}");
    let work = std::fs::read_to_string(folder.path().join("work.csv")).unwrap();
    assert!(work.contains("L-3,NO_CANDIDATES,") && work.contains(",document email"), "{work}");
}
