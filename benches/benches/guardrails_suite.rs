//! What does a whole suite of guardrails cost beside the largest of its own queries, run bare?
//!
//! A database of a million leads (`GUARDRAILS_LEADS` sets another size), 70 % matched, the rest failed with evidence, on SQLite
//! and on PostgreSQL; then each report format on a thousand offenders. All figures come from one run on one machine: compare
//! the ratios.

#![allow(missing_docs, clippy::print_stdout, reason = "a program that prints its figures")]

use std::hint::black_box;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use guardrails::clock::Monotonic;
use guardrails::facts::Offender;
use guardrails::format::{self, TextStyle};
use guardrails::page::Page;
use guardrails::recovery::{InMemoryFacts, Invariant};
use guardrails::{Suite, SuiteReport};
use recovery_queue::testing::PostgresServer;
use recovery_queue::{
    ClaimedLead, Conn, DatabaseUrl, Evidence, FailReason, OpenOptions, PersonKey, QueueStore,
    Recover, RecoverOptions, Resolution, ResolveError, SeedOptions, SqlStore, StoreFacts,
    ViewBacklog,
};

const EVIDENCE: &str = "{\"policy\":{\"version\":\"1\",\"hash\":\"0123456789abcdef\"},\"keys\":[{\"kind\":\"phone\",\
    \"form\":\"exact\",\"value\":\"+51*****4321\",\"holders\":0,\"use\":\"nobody\"}],\"unusable\":[],\"candidates\":[]}";

#[expect(clippy::unnecessary_wraps, reason = "the shape of a resolver")]
fn resolve(leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
    let answer = |lead: &ClaimedLead| {
        let number: u64 = lead.source_pk.as_str()[2..].parse().unwrap_or(0);
        if number % 10 < 7 {
            let person = PersonKey::new(format!("P-{}", number / 2)).expect("a sound key");
            Resolution::matched(person, "PHONE_EXACT", "high")
        } else {
            Resolution::unmatched(FailReason::NoCandidates)
                .with_evidence(Evidence::parse(EVIDENCE).expect("it is JSON"))
        }
    };
    Ok(leads.iter().map(answer).collect())
}

fn script(store: &mut SqlStore, sql: &str) {
    match store.connection() {
        Conn::Sqlite(connection) => connection.batch_execute(sql),
        Conn::Postgres(connection) => connection.batch_execute(sql),
        _ => return,
    }
    .expect("the statement is sound");
}

/// A store with so many leads, seeded and recovered.
fn filled(url: &DatabaseUrl, leads: u64) -> (SqlStore, ViewBacklog) {
    let mut store = SqlStore::open(url, OpenOptions::default()).expect("the database opens");
    store.migrate().expect("the tables are made");
    let links = store.view_name("identity_links");
    script(
        &mut store,
        &format!(
            "CREATE TABLE leads (source_pk TEXT PRIMARY KEY); \
             INSERT INTO leads WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {leads}) \
             SELECT 'L-' || i FROM n; \
             CREATE VIEW lead_backlog AS SELECT source_pk AS lead_source_pk, '2026-01-01' AS lead_date \
             FROM leads WHERE NOT EXISTS (SELECT 1 FROM {links} k WHERE k.source_pk = leads.source_pk);"
        ),
    );
    let backlog = ViewBacklog::new("lead_backlog").expect("an identifier");
    store.seed(&backlog, &SeedOptions::default()).expect("the seed is sound");
    let mut resolver = resolve;
    store.recover(&mut resolver, &RecoverOptions::default()).expect("the run is sound");
    script(&mut store, "ANALYZE");
    (store, backlog)
}

/// Seconds of the suite's largest query, the drain's, as a person would write it.
fn bare(store: &mut SqlStore) -> f64 {
    let queue = store.view_name("queue_");
    let sql = format!(
        "SELECT count(*) FROM {queue}settled s JOIN {queue}lead l ON l.id = s.lead_id \
         WHERE s.status = 1 AND l.source_pk IN (SELECT lead_source_pk FROM lead_backlog)"
    );
    let began = Instant::now();
    match store.connection() {
        Conn::Sqlite(connection) => diesel::sql_query(&sql).execute(connection),
        Conn::Postgres(connection) => diesel::sql_query(&sql).execute(connection),
        _ => return 0.0,
    }
    .expect("the query is sound");
    began.elapsed().as_secs_f64()
}

fn measure(name: &str, url: &DatabaseUrl, leads: u64) {
    let (mut store, backlog) = filled(url, leads);
    bare(&mut store); // once to warm the cache
    let floor = bare(&mut store);
    let facts = StoreFacts::new(store.read().expect("a read begins"), &backlog);
    let began = Instant::now();
    let report = Suite::recovery().run(&facts, &Monotonic::start());
    let suite = began.elapsed().as_secs_f64();
    println!(
        "{name:10}  suite {suite:.2} s, its largest query bare {floor:.2} s: {:.1} times",
        suite / floor
    );
    for check in &report.checks {
        println!("{:12}{:26}{:6} ms  {}", "", check.assertion, check.duration_ms, check.verdict);
    }
}

type Format = fn(&SuiteReport) -> usize;

fn formats() {
    let offenders = (0..1_000).map(|i| Offender::new(format!("L-{i:06}"), "a leak")).collect();
    let facts = InMemoryFacts::new("bench", chrono::DateTime::UNIX_EPOCH).with_offenders(
        Invariant::MATCHED_NOT_IN_BACKLOG,
        1_000_000,
        offenders,
    );
    let report = Suite::recovery().list(1_000).run(&facts, &Monotonic::start());
    let all: [(&str, Format); 7] = [
        ("text", |r| format::text(r, TextStyle::default()).len()),
        ("json", |r| format::json(r).map_or(0, |text| text.len())),
        ("junit", |r| format::junit(r).map_or(0, |text| text.len())),
        ("sarif", |r| format::sarif(r).map_or(0, |text| text.len())),
        ("openmetrics", |r| format::openmetrics(r).len()),
        ("markdown", |r| format::markdown(r).len()),
        ("html", |r| Page::new("bench", r.clone()).html().len()),
    ];
    println!("formats     a report with a thousand offenders");
    for (name, write) in all {
        let began = Instant::now();
        let mut bytes = 0;
        for _ in 0..100 {
            bytes = write(black_box(&report));
        }
        let each = began.elapsed().as_secs_f64() * 10.0;
        println!("{:12}{name:26}{each:6.2} ms  {bytes} bytes", "");
    }
}

fn main() {
    let leads = std::env::var("GUARDRAILS_LEADS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    println!("{leads} leads");
    formats();
    let folder = tempfile::tempdir().expect("a temporary folder");
    measure("SQLite", &DatabaseUrl::Sqlite(folder.path().join("bench.sqlite").into()), leads);
    match PostgresServer::start() {
        Ok(server) => {
            let url = DatabaseUrl::parse(server.url()).expect("the server's URL");
            measure("PostgreSQL", &url, leads);
        }
        Err(error) => println!("LEFT OUT: PostgreSQL: {error}"),
    }
}
