//! The queue inside an axum service, spoken to over loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use diesel::Connection;
use diesel::connection::SimpleConnection;

use crate::runner::runner;

/// Asks, and gives the status and the body.
fn ask(address: &str, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    (status.unwrap_or_default(), body.trim().to_owned())
}

#[test]
fn a_person_wakes_the_leads_and_a_signal_stops_the_service_while_the_file_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = runner("axum_service")
        .args(["--database", "service.sqlite", "--bind", "127.0.0.1:0"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap().to_owned();
    let until = |lead: &str, wanted: &str| {
        for _ in 0..600 {
            let (_, told) = ask(&address, &format!("GET /leads/{lead}"));
            if told.starts_with(wanted) {
                return told;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the lead never is {wanted}");
    };
    assert_eq!(ask(&address, "GET /leads/L-1").0, 404);
    assert_eq!(ask(&address, "PUT /leads/L-1?phone=5550100").0, 200);
    until("L-1", "failed");
    let woken = ask(&address, "PUT /persons/P-1?phone=5550100");
    assert_eq!(woken, (200, "1 leads are tried again".to_owned()));
    assert_eq!(until("L-1", "matched"), "matched P-1");
    // A person who changes wakes by the new phone, and is found by it.
    assert_eq!(ask(&address, "PUT /leads/L-2?phone=5550200").0, 200);
    assert_eq!(until("L-2", "failed"), "failed");
    let woken = ask(&address, "PUT /persons/P-1?phone=5550200");
    assert_eq!(woken, (200, "1 leads are tried again".to_owned()));
    assert_eq!(until("L-2", "matched"), "matched P-1");

    // An outage: somebody else holds the file, and a lead waits for a writer.
    let file = folder.path().join("service.sqlite");
    let mut other = diesel::SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    other.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    // The file stays locked: a service that waited for it would never end.
    assert_eq!(child.wait().unwrap().code(), Some(0));
    other.batch_execute("ROLLBACK").unwrap();
}
