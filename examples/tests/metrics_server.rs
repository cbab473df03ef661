//! The operator's endpoint, spoken to over loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::runner::run;
use crate::verify_guardrails::{command, recovered};

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
        let mut child = command("metrics_server", folder)
            .args(["--database-url", "q.sqlite", "--bind", "127.0.0.1:0", "--refresh-seconds", "1"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("stdout is piped");
        BufReader::new(out).read_line(&mut line).expect("the server says where it listens");
        let address = line.trim().trim_start_matches("http://").to_owned();
        Self { child, address }
    }

    fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
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
    let allowed = server.ask("GET / HTTP/1.1\r\nAuthorization: Bearer secret-of-the-test");
    assert_eq!(allowed.status, 200);
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
