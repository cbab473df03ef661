//! The operator's endpoint, spoken to over loopback.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::corrections::sql;
use crate::reviews;
use crate::runner::run;
use crate::verify_guardrails::{command, recovered, recovered_in};

/// A server on a free port; it is ended with the test.
pub(crate) struct Server {
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

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Server {
    fn start(folder: &Path, args: &[&str]) -> Self {
        Self::on("q.sqlite", folder, args, Stdio::null())
    }

    pub(crate) fn on(database: &str, folder: &Path, args: &[&str], messages: Stdio) -> Self {
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
        let host = if request.contains("\r\nHost:") { "" } else { "\r\nHost: localhost" };
        let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let head = request.split("\r\n\r\n").next().unwrap_or_default();
        let length = match body.len() {
            0 => String::new(),
            n => format!("\r\nContent-Length: {n}"),
        };
        let request = format!("{head}{host}{length}\r\nConnection: close\r\n\r\n{body}");
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

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1"))
    }

    /// Asks until the first read is there; each question waits for its answer.
    pub(crate) fn ready(&self) -> Answer {
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
    assert!(
        leads.body.contains("L-3") && leads.body.contains("phone +51*****4303"),
        "{}",
        leads.body
    );
    assert!(!leads.body.contains("987654303"), "{}", leads.body);
    assert!(server.get("/leads?reason=NO_CANDIDATES&after=L-3").body.contains("There are none"));
    let described: Value = serde_json::from_str(&server.get("/openapi.json").body).unwrap();
    for path in described["paths"].as_object().unwrap().keys() {
        let query = match path.as_str() {
            "/leads" => "?reason=ERROR",
            "/lead" => "?key=L-1",
            _ => "",
        };
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

/// Makes the view of the queue endless to read, or long to read where `steps` are given.
fn slow_queue(folder: &Path, steps: Option<u32>) {
    use recovery_queue::{Conn, DatabaseUrl, OpenOptions, SqlStore};
    let path = folder.join("q.sqlite");
    let url = DatabaseUrl::parse(path.to_str().expect("the folder is UTF-8")).unwrap();
    let mut store = SqlStore::open(&url, OpenOptions::default()).unwrap();
    let Conn::Sqlite(connection) = store.connection() else { unreachable!() };
    let end = steps.map_or(String::new(), |steps| format!("WHERE i < {steps}"));
    diesel::connection::SimpleConnection::batch_execute(
        connection,
        &format!(
            "DROP VIEW recovery_queue; \
             CREATE VIEW recovery_queue AS WITH RECURSIVE n(i) AS \
             (SELECT 1 UNION ALL SELECT i + 1 FROM n {end}) \
             SELECT max(i) || 'L' AS source_pk, '' AS backlog, 'failed' AS status, \
             'NO_CANDIDATES' AS reason, NULL AS person_key, 0 AS attempts, '' AS lead_date, \
             '' AS first_seen_at, '' AS since, NULL AS not_before, NULL AS run_id, NULL AS evidence FROM n"
        ),
    )
    .unwrap();
}

const LEADS: &str = "/leads?reason=NO_CANDIDATES";

#[test]
fn an_answer_that_takes_too_long_is_a_504_and_the_server_goes_on() {
    let folder = recovered();
    slow_queue(folder.path(), None);
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
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost: lo").expect("the first bytes are taken");
    let mut rest = String::new();
    // The connection ends by itself: with an answer that says so, or with none.
    let _ = slow.read_to_string(&mut rest);
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408"), "{rest}");
    let body = server.ask("GET /livez HTTP/1.1\r\nContent-Length: 1000000000");
    assert_eq!(body.status, 200);
    let posted = server.ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked");
    assert_eq!(posted.status, 405);
}

/// Five persons and three leads: one lead is matched, one fits two persons, one is unknown.
fn with_a_conflict() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "leads.csv",
        "id,lead_created_at,phone,first_name,last_name,birth_date\n\
         L-1,2026-01-01T00:00:00Z,987654301,Ana,Díaz,1990-01-02\n\
         L-2,2026-01-02T00:00:00Z,987654302,Luz,Rojas,1985-05-05\n\
         L-3,2026-01-03T00:00:00Z,999,,,\n",
    );
    write(
        "persons.csv",
        "person_key,phone,full_name,birth_date\nP-1,987654301,Ana Díaz,1990-01-02\n\
         P-2,987654302,Luz Rojas,1985-05-05\nP-3,987654302,Luz Rojas,1985-05-05\n",
    );
    let cycle = run(command("recovery_cycle", folder.path())
        .args(["--leads", "leads.csv", "--persons", "persons.csv", "--quiet"])
        .args(["--database-url", "q.sqlite"]));
    assert_eq!(cycle.code, 0, "{cycle:?}");
    folder
}

#[test]
fn one_lead_is_shown_with_its_candidates_its_history_and_what_to_do_next() {
    let folder = with_a_conflict();
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.ready().status, 200);
    let overview = server.get("/").body;
    assert!(overview.contains("action=\"/lead\""), "a lead is looked up by its key");
    // What leads gave and nobody could read is counted, with a lead to look at and what to do.
    for part in [
        "Values that were not understood",
        "Of the 1 failed leads that gave one",
        "<a href=\"/lead?key=L-3\">L-3</a>",
        "PLACEHOLDER",
        "data-label=\"Such as\">***</td>",
    ] {
        assert!(overview.contains(part), "{part}: {overview}");
    }
    let list = server.get("/leads?reason=CONFLICT_MULTIPLE_CANDIDATES").body;
    assert!(
        list.contains("href=\"/lead?key=L-2\"") && list.contains("phone +51*****4302"),
        "{list}"
    );
    let conflict = server.get("/lead?key=L-2").body;
    for part in [
        "failed as CONFLICT_MULTIPLE_CANDIDATES",
        "Candidates, side by side",
        "role=\"columnheader\" scope=\"col\">P-2<",
        "role=\"columnheader\" scope=\"col\">P-3<",
        "fits as well as another candidate",
        "phone +51*****4302",
        "agrees (exact)",
        "Decide between the candidates",
        "queue_admin --database-url q.sqlite link add L-2 P-3 --why",
        "explain_match --database-url q.sqlite --source-pk L-2",
        "the queue saw it first",
        "since then CONFLICT_MULTIPLE_CANDIDATES",
    ] {
        assert!(conflict.contains(part), "{part}: {conflict}");
    }
    let matched = server.get("/lead?key=L-1").body;
    assert!(matched.contains("linked to P-1 by PHONE_EXACT"), "{matched}");
    let without = server.get("/lead?key=L-3").body;
    assert!(without.contains("Values that cannot be used"), "{without}");
    assert!(without.contains("Ask for its phone or document or e-mail"), "{without}");
    // Whatever pages are laid side by side, the digits between the first and the last stay hidden.
    for page in [&list, &conflict, &matched, &without] {
        assert!(
            !page.contains("98765") && !page.contains("Díaz") && !page.contains("1985"),
            "{page}"
        );
        let masks = page.matches("430").count();
        assert_eq!(masks, page.matches("+51*****430").count(), "one mask alone: {page}");
    }
    let unknown = server.get("/lead?key=L-9");
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("knows no lead of this key"), "{}", unknown.body);
    assert_eq!(server.get("/lead?key=").status, 400);
}

/// Thirty leads with the same words for a phone, documents of types that no table knows on both sides.
fn with_odd_values(database: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let often = |at: usize| format!("F{at:02},2026-01-01T00:00:00Z,consultar en mesa,,\n");
    let leads: String = (0..30).map(often).collect();
    write(
        "leads.csv",
        &format!(
            "id,lead_created_at,phone,document,document_type\n{leads}S0,2026-01-01T00:00:00Z,,4567893,Aviso\n\
             S1,2026-01-01T00:00:00Z,1250418,4567891,Brevete\nS2,2026-01-01T00:00:00Z,,4567892,Brevete\n"
        ),
    );
    write(
        "persons.csv",
        "person_key,phone,document,document_type\nP1,987654312,71234567,Aviso\nP2,,71234567,Carnet del club\n\
         P3,,71234568,Carnet del club\n",
    );
    let cycle = run(command("recovery_cycle", folder.path())
        .args(["--leads", "leads.csv", "--persons", "persons.csv", "--quiet"])
        .args(["--database-url", database]));
    assert_eq!(cycle.code, 0, "{cycle:?}");
    folder
}

#[test]
fn odd_values_are_shown_masked_with_types_and_repeats_of_both_sides_and_forgotten_with_the_lead() {
    let servers = postgres().map(|server| database_of_its_own(server.url(), "odd_values"));
    for database in ["q.sqlite".to_owned()].into_iter().chain(servers) {
        let folder = with_odd_values(&database);
        let page = || {
            let server = Server::on(&database, folder.path(), &[], Stdio::null());
            assert_eq!(server.ready().status, 200);
            server.get("/").body
        };
        let before = page();
        for part in [
            "Of 33 leads read in run 2",
            "Document types of leads that are in no table",
            "Document types of persons that are in no table",
            "Values that stand in many of the leads",
            "<a href=\"/lead?key=S1\">S1</a>",
            "data-label=\"Such as\">******8</td>",
            "*************mesa",
        ] {
            assert!(before.contains(part), "{part}: {before}");
        }
        // The most frequent first, on both sides.
        let at = |part: &str| before.find(part).unwrap_or_else(|| panic!("{part}: {before}"));
        assert!(at(">Brevete<") < at(">Aviso<"));
        let persons = &before[at("Document types of persons")..];
        assert!(persons.find("Carnet del club").unwrap() < persons.find("Aviso").unwrap());
        for value in ["1250418", "consultar", "45678", "71234567"] {
            assert!(!before.contains(value), "{value}: {before}");
        }
        let forgotten = run(command("queue_admin", folder.path()).args([
            "--database-url",
            &database,
            "lead",
            "forget",
            "S1",
            "--why",
            "on request",
        ]));
        assert_eq!(forgotten.code, 0, "{forgotten:?}");
        let after = page();
        assert!(!after.contains("S1<") && !after.contains("******8<"), "{after}");
        assert!(after.contains("Of 33 leads read in run 2"), "{after}");
    }
}

#[test]
fn a_page_that_was_pointed_here_by_another_name_gets_no_answer() {
    let folder = recovered();
    let server = Server::start(folder.path(), &["--allow-host", "ops.example"]);
    server.ready();
    for (host, status) in
        [("evil.example", 421), ("ops.example:443", 200), ("127.0.0.1:1", 200), ("[::1]", 200)]
    {
        let answer = server.ask(&format!("GET / HTTP/1.1\r\nHost: {host}"));
        assert_eq!(answer.status, status, "{host}");
    }
    let probe = server.ask("GET /livez HTTP/1.1\r\nHost: 10.0.0.7");
    assert_eq!(probe.status, 200, "a probe comes by whatever name it knows");
}

#[test]
fn a_browser_logs_in_by_the_token_and_out_and_no_other_site_can_do_it() {
    let folder = recovered();
    let server = Server::start(folder.path(), &["--token", "secret-of-the-test"]);
    server.ready();
    let asked = server.ask("GET / HTTP/1.1\r\nAccept: text/html");
    assert_eq!(asked.status, 401);
    assert!(asked.body.contains("action=\"/login\" method=\"post\""), "{}", asked.body);
    let post = |headers: &str, body: &str| {
        let kind = "Content-Type: application/x-www-form-urlencoded";
        server.ask(&format!("POST /login HTTP/1.1\r\n{kind}{headers}\r\n\r\n{body}"))
    };
    assert_eq!(post("", "token=wrong").status, 401);
    for foreign in ["\r\nSec-Fetch-Site: cross-site", "\r\nOrigin: http://evil.example"] {
        assert_eq!(post(foreign, "token=secret-of-the-test").status, 403, "{foreign}");
    }
    assert_eq!(post("", &format!("token={}", "a".repeat(10_000))).status, 413);
    assert_eq!(post("", "another=field").status, 422);
    let own = "\r\nOrigin: http://localhost\r\nSec-Fetch-Site: same-origin";
    let entered = post(own, "token=secret-of-the-test");
    assert_eq!(entered.status, 303, "{}", entered.body);
    let set = entered.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(set.contains("httponly") && set.contains("samesite=strict"), "{set}");
    assert!(!set.contains("secret-of-the-test"), "the token itself is not kept in the browser");
    let cookie = set.split(';').next().unwrap();
    let get = |path: &str| server.ask(&format!("GET {path} HTTP/1.1\r\nCookie: {cookie}"));
    assert_eq!((get("/").status, get("/leads?reason=ERROR").status), (200, 200));
    assert_eq!(get("/logout").status, 405, "what looks never changes anything");
    assert!(get("/").body.contains("action=\"/logout\" method=\"post\""));
    let left = server.ask(&format!("POST /logout HTTP/1.1\r\nCookie: {cookie}"));
    assert_eq!((left.status, get("/").status), (303, 401));
}

/// The most memory that the server has held, in KiB.
#[cfg(target_os = "linux")]
fn peak_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak is told");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_idle_and_slow_clients_take_neither_the_probe_nor_the_memory_away() {
    let folder = recovered();
    // Nobody is sent away for his slowness while the test lasts: places are made for others.
    let server = Server::start(folder.path(), &["--time-limit-seconds", "300"]);
    server.ready();
    let before = peak_kib(&server);
    let mut clients = Vec::with_capacity(1_000);
    for n in 0..1_000 {
        let mut client = server.connect();
        // A third says nothing, a third sends a head without an end, a third does not take its answer.
        let begun = match n % 3 {
            0 => String::new(),
            1 => format!("GET /livez HTTP/1.1\r\nX: {}", "a".repeat(12_000)),
            _ => "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20),
        };
        // One that had to make room is closed already.
        let _ = client.write_all(begun.as_bytes());
        clients.push(client);
        if n % 100 == 99 {
            assert_eq!(server.get("/livez").status, 200, "with {n} clients");
        }
    }
    assert_eq!(server.get("/livez").status, 200);
    assert_eq!(server.get("/").status, 200);
    let grown = peak_kib(&server) - before;
    assert!(grown < 100 * 1_024, "{grown} KiB more for a thousand clients");
    drop(clients);
}

#[cfg(unix)]
#[test]
fn a_request_that_is_under_way_is_answered_while_the_server_stops() {
    let folder = recovered();
    slow_queue(folder.path(), Some(2_000_000));
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

/// Starts a server, or says past the harness, which keeps what a passing test prints to itself, that it is left out.
pub(crate) fn postgres() -> Option<&'static recovery_queue::testing::PostgresServer> {
    use recovery_queue::testing::PostgresServer;
    static SERVER: std::sync::OnceLock<Option<PostgresServer>> = std::sync::OnceLock::new();
    let start = || match PostgresServer::start() {
        Ok(server) => Some(server),
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{error}");
            let said = format!("LEFT OUT: the runners on PostgreSQL: {error}\n");
            let _ = std::io::stderr().write_all(said.as_bytes());
            None
        }
    };
    SERVER.get_or_init(start).as_ref()
}

#[test]
fn the_same_is_served_from_postgres() {
    let Some(server) = postgres() else { return };
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

#[test]
fn the_review_is_shown_by_reason_and_age_and_counts_only_what_is_with_people() {
    let folder = recovered();
    let given_out = |reason: &str| {
        let out = ["--database-url", "q.sqlite", "--reasons", reason, "--form", "plain"];
        let run = run(command("export_review", folder.path()).args(out));
        assert_eq!(run.code, 0, "{}", run.stderr);
    };
    let shown = || {
        let server = Server::start(folder.path(), &[]);
        assert_eq!(server.ready().status, 200);
        let review: Value = serde_json::from_str(&server.get("/review").body).unwrap();
        (review, server.get("/").body)
    };
    // A lead that failed and that nobody was asked about does not wait for review.
    given_out("WEAK_MATCH_ONLY");
    let (review, page) = shown();
    assert_eq!((&review["waiting"], &review["queue"]), (&0.into(), &serde_json::json!([])));
    assert!(page.contains("Leads that people decide") && page.contains("Nothing was given out"));
    given_out("NO_CANDIDATES");
    let (review, page) = shown();
    assert_eq!(review["waiting"], 1, "{review}");
    assert_eq!(review["queue"][0]["reason"], "NO_CANDIDATES", "{review}");
    assert_eq!(review["out"][0]["undecided"], 1, "{review}");
    assert!(page.contains("by reason and by their age") && page.contains("NO_CANDIDATES"));
}

#[test]
fn the_reviews_figures_are_those_of_what_was_decided() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let url = &format!("sqlite://{}", folder.join("q.sqlite").display());
    reviews::begin(folder, url);
    let out = ["--form", "plain", "--out-dir", "review", "--reviewers", "ana,luis", "--second"];
    reviews::done(folder, url, "export_review", &out);
    for file in reviews::packets(&folder.join("review")) {
        let name = if file.to_string_lossy().contains("ana") { "ana" } else { "luis" };
        let by = ("decided_by", name);
        let link = |person| vec![("decision", "link"), ("person_key", person), by];
        let none = || vec![("decision", "none of these"), by];
        let second = |ana, luis| if name == "ana" { ana } else { luis };
        reviews::fill(
            &file,
            &BTreeMap::from([
                ("L-00", link("A-00")),
                ("L-01", link("A-01")),
                ("L-02", second(link("A-02"), link("B-02"))),
                ("L-03", second(link("A-03"), none())),
                ("L-04", none()),
            ]),
        );
    }
    // Ana's come first.
    for name in ["ana", "luis"] {
        let mut files = reviews::packets(&folder.join("review"));
        files.retain(|file| file.to_string_lossy().contains(name));
        std::fs::create_dir(folder.join(name)).expect("the folder can be made");
        std::fs::copy(&files[0], folder.join(name).join("packet.csv")).expect("copied");
        reviews::done(folder, url, "load_review", &[name]);
    }
    // A third packet puts one case off.
    let out = ["--form", "plain", "--out-dir", "third", "--again", "--limit", "1"];
    reviews::done(folder, url, "export_review", &out);
    let third = reviews::packets(&folder.join("third")).remove(0);
    let lead = reviews::rows(&third)[0]["lead"].clone();
    reviews::fill(
        &third,
        &BTreeMap::from([(lead.as_str(), vec![("decision", "later"), ("decided_by", "ana")])]),
    );
    reviews::done(folder, url, "load_review", &["third"]);
    // Ten decisions took two hours, the last a day.
    let gave_out = |before: u64, word: &str| {
        format!(
            "UPDATE queue_review_packet SET issued_at = (SELECT max(r.decided_at) FROM queue_review r \
             WHERE r.packet_id = queue_review_packet.id) - {before}000000 \
             WHERE id IN (SELECT packet_id FROM queue_review WHERE decision {word} 'later');"
        )
    };
    sql(url, &(gave_out(7_200, "<>") + &gave_out(86_400, "=")));

    let server = Server::start(folder, &[]);
    assert_eq!(server.ready().status, 200);
    let review: Value = serde_json::from_str(&server.get("/review").body).unwrap();
    let figure = |name: &str| review[name].as_u64();
    // Twelve leads were given out; five were decided by both, and one is put off with its packets undecided.
    assert_eq!((figure("waiting"), figure("put_off")), (Some(7), Some(1)), "{review}");
    // Of the two that are disagreed on one was put off since.
    assert_eq!((figure("disagreeing"), figure("waiting_for_second")), (Some(1), Some(0)));
    assert_eq!(figure("median_seconds_to_decision"), Some(7_200));
    let per_day = review["decided_per_day"].as_f64().expect("a number");
    assert!((per_day - 11.0 / 28.0).abs() < 1e-9, "{per_day}");
    assert_eq!(
        review["decisions"],
        serde_json::json!({ "link": 7, "none_of_these": 3, "later": 1 })
    );
    let agreement = &review["agreement"];
    assert_eq!((&agreement["cases"], &agreement["alike"]), (&5.into(), &3.into()), "{review}");
    // Observed 3/5; by chance 4/5 x 2/5 + 1/5 x 2/5 = 2/5 of link and none (another person is a third word).
    let kappa = agreement["kappa"].as_f64().expect("a number");
    assert!((kappa - (0.6 - 0.4) / (1.0 - 0.4)).abs() < 1e-9, "{kappa}");
    let page = server.get("/").body;
    let text: String = page
        .split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, text)| text))
        .collect::<Vec<_>>()
        .join(" ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "2.0 hours",
        "3 of 5, kappa 0.33",
        "link 7 63.6 %",
        "none of these 3 27.3 %",
        "later 1 9.1 %",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
}
