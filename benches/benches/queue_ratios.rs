//! What does a whole durable lead cost beside the bare SQL that writes the same rows?
//!
//! Claim, link, person with origin, settled row and ledger entry, 1,000 leads per transaction, every lead matched to a person
//! of its own. All figures come from one run on one machine: compare the ratios. `QUEUE_LEADS` sets the size of the
//! backlog (100,000), `RQ_FSYNC=on` makes the private PostgreSQL server durable.

#![allow(missing_docs, clippy::print_stdout, reason = "a program that prints its figures")]

use std::ops::ControlFlow;
use std::time::Instant;

use chrono::{DateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use recovery_queue::testing::PostgresServer;
use recovery_queue::{
    BacklogLead, ClaimedLead, Connection, DatabaseUrl, MemoryBacklog, Namespace, OpenOptions,
    PersonKey, Progress, QueueStore, RecoverOptions, Resolution, ResolveError, SeedOptions,
    SourcePk, SqlStore, recover_with_workers,
};

type Answer = Result<Vec<Resolution>, ResolveError>;

#[expect(clippy::unnecessary_wraps, reason = "the shape of a resolver")]
fn resolve(leads: &[ClaimedLead]) -> Answer {
    Ok(leads
        .iter()
        .map(|lead| {
            let person = PersonKey::new(format!("P{}", lead.source_pk)).expect("a sound key");
            Resolution::matched(person, "PHONE_EXACT", "high")
        })
        .collect())
}

fn go(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Leads whose keys are as random as UUIDs and whose ages are not in the order of their keys.
fn backlog(leads: u64) -> MemoryBacklog {
    let start = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    MemoryBacklog::new(
        "bench",
        (0..leads).map(|i| {
            let mixed = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let pk = format!("{mixed:016x}-{:016x}", mixed.rotate_left(23));
            let age = i64::try_from(mixed >> 40).unwrap_or_default();
            BacklogLead::new(
                SourcePk::new(pk).expect("a sound key"),
                start + TimeDelta::seconds(age),
            )
        }),
    )
}

fn per_second(leads: u64, since: Instant) -> f64 {
    leads as f64 / since.elapsed().as_secs_f64()
}

/// Opens an empty store, each time in a namespace of its own.
fn store(url: &DatabaseUrl, name: &str) -> SqlStore {
    let namespace = Namespace::new(name).expect("an identifier");
    let mut store = SqlStore::open(url, OpenOptions::default().with_namespace(namespace))
        .expect("the database opens");
    store.migrate().expect("the tables are made");
    store
}

#[derive(QueryableByName)]
struct Last {
    #[diesel(sql_type = BigInt)]
    lead_at: i64,
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = BigInt)]
    leads: i64,
}

/// The same rows by bare SQL: nothing leaves the server and nobody decides.
const POSTGRES_FLOOR: &str = "WITH c AS MATERIALIZED (SELECT * FROM {ns}queue_pending \
        WHERE backlog_id = 1 AND (priority, lead_at, lead_id) > (0, $1, $2) \
        ORDER BY priority, lead_at, lead_id LIMIT 1000 FOR UPDATE SKIP LOCKED), \
    x AS (DELETE FROM {ns}queue_pending q USING c WHERE q.backlog_id = c.backlog_id \
        AND q.priority = c.priority AND q.lead_at = c.lead_at AND q.lead_id = c.lead_id), \
    p AS (INSERT INTO {ns}queue_person \
            (person_key, origin_lead_id, origin_lead_at, origin_since, origin_run_id) \
        SELECT 'P' || l.source_pk, c.lead_id, c.lead_at, 1, 1 FROM c \
        JOIN {ns}queue_lead l ON l.id = c.lead_id ORDER BY 1 RETURNING id, origin_lead_id), \
    k AS (INSERT INTO {ns}queue_link (lead_id, person_id, rule, confidence, run_id, linked_at) \
        SELECT origin_lead_id, id, 'PHONE_EXACT', 'high', 1, 1 FROM p ORDER BY 1), \
    s AS (INSERT INTO {ns}queue_settled \
            (lead_id, backlog_id, status, person_id, attempts, run_id, settled_at) \
        SELECT origin_lead_id, 1, 1, id, 0, 1, 1 FROM p ORDER BY 1), \
    e AS (INSERT INTO {ns}queue_ledger (at, backlog_id, run_id, kind, leads) \
        SELECT 1, 1, 1, 'matched', count(*) FROM c HAVING count(*) > 0) \
    SELECT COALESCE((SELECT lead_at FROM c ORDER BY priority DESC, lead_at DESC, lead_id DESC LIMIT 1), 0) AS lead_at, \
        COALESCE((SELECT lead_id FROM c ORDER BY priority DESC, lead_at DESC, lead_id DESC LIMIT 1), 0) AS lead_id, \
        count(*) AS leads FROM c";

fn postgres_floor(store: &mut SqlStore, leads: u64) -> f64 {
    let sql = POSTGRES_FLOOR.replace("{ns}", &store.view_name(""));
    let Connection::Postgres(connection) = store.connection() else { return 0.0 };
    let (mut at, mut id) = (i64::MIN, i64::MIN);
    let start = Instant::now();
    loop {
        let row: Last = diesel::sql_query(&sql)
            .bind::<BigInt, _>(at)
            .bind::<BigInt, _>(id)
            .get_result(connection)
            .expect("the floor runs");
        if row.leads == 0 {
            return per_second(leads, start);
        }
        (at, id) = (row.lead_at, row.lead_id);
    }
}

fn sqlite_floor(store: &mut SqlStore, leads: u64) -> f64 {
    let ns = store.view_name("");
    let Connection::Sqlite(connection) = store.connection() else { return 0.0 };
    let sql = |text: &str| text.replace("{ns}", &ns);
    let steps = [
        "BEGIN IMMEDIATE",
        "DELETE FROM temp.floor",
        "INSERT INTO temp.floor SELECT p.lead_at, p.lead_id, l.source_pk FROM \
            (SELECT * FROM {ns}queue_pending WHERE backlog_id = 1 \
             ORDER BY priority, lead_at, lead_id LIMIT 1000) p JOIN {ns}queue_lead l ON l.id = p.lead_id",
        "INSERT INTO {ns}queue_person \
            (person_key, origin_lead_id, origin_lead_at, origin_since, origin_run_id) \
         SELECT 'P' || source_pk, lead_id, lead_at, 1, 1 FROM temp.floor",
        "INSERT INTO {ns}queue_link (lead_id, person_id, rule, confidence, run_id, linked_at) \
         SELECT f.lead_id, p.id, 'PHONE_EXACT', 'high', 1, 1 FROM temp.floor f \
         CROSS JOIN {ns}queue_person p ON p.person_key = 'P' || f.source_pk",
        "INSERT INTO {ns}queue_settled \
            (lead_id, backlog_id, status, person_id, attempts, run_id, settled_at) \
         SELECT f.lead_id, 1, 1, k.person_id, 0, 1, 1 FROM temp.floor f \
         JOIN {ns}queue_link k ON k.lead_id = f.lead_id",
        "DELETE FROM {ns}queue_pending WHERE (backlog_id, priority, lead_at, lead_id) IN \
            (SELECT 1, 0, lead_at, lead_id FROM temp.floor)",
        "INSERT INTO {ns}queue_ledger (at, backlog_id, run_id, kind, leads) VALUES (1, 1, 1, 'matched', 1000)",
        "COMMIT",
    ]
    .map(sql);
    diesel::sql_query(
        "CREATE TEMP TABLE floor (lead_at INTEGER, lead_id INTEGER PRIMARY KEY, source_pk TEXT)",
    )
    .execute(connection)
    .expect("the floor runs");
    let start = Instant::now();
    for _ in 0..leads.div_ceil(1000) {
        for step in &steps {
            diesel::sql_query(step).execute(connection).expect("the floor runs");
        }
    }
    per_second(leads, start)
}

fn drain(store: &SqlStore, workers: usize, leads: u64) -> f64 {
    let mut workers: Vec<_> = (0..workers)
        .map(|_| {
            (store.reopen().expect("the database opens"), resolve as fn(&[ClaimedLead]) -> Answer)
        })
        .collect();
    let start = Instant::now();
    let run = recover_with_workers(&mut workers, &RecoverOptions::default(), &mut go)
        .expect("the run is sound");
    assert_eq!(run.matched, leads);
    per_second(leads, start)
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// Gives the position of the write-ahead log, in bytes.
fn wal(store: &mut SqlStore) -> i64 {
    let Connection::Postgres(connection) = store.connection() else { return 0 };
    let sql = "SELECT CAST(pg_current_wal_lsn() - '0/0' AS BIGINT) AS bytes";
    diesel::sql_query(sql).get_result::<Bytes>(connection).map_or(0, |row| row.bytes)
}

fn seed(store: &mut SqlStore, leads: u64) -> (f64, f64) {
    let backlog = backlog(leads);
    let start = Instant::now();
    store.seed(&backlog, &SeedOptions::default()).expect("the seed is sound");
    let first = per_second(leads, start);
    let start = Instant::now();
    let again = store.seed(&backlog, &SeedOptions::default()).expect("the seed is sound");
    assert!(!again.changed());
    (first, per_second(leads, start))
}

/// Gives the time of ten batches of 1,000 from a backlog of this size, in milliseconds per batch.
fn batch_cost(store: &mut SqlStore) -> f64 {
    let mut options = RecoverOptions::default();
    options.limit = Some(10_000);
    let start = Instant::now();
    let mut answer = resolve;
    store.recover(&mut answer, &options, &mut go).expect("the run is sound");
    start.elapsed().as_secs_f64() * 100.0
}

fn main() {
    let leads: u64 =
        std::env::var("QUEUE_LEADS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    println!("{leads} leads, 1,000 per transaction; leads per second");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = DatabaseUrl::Sqlite(folder.path().join("bench.sqlite"));
    let mut bare = store(&url, "floor");
    seed(&mut bare, leads);
    let floor = sqlite_floor(&mut bare, leads);
    let mut queue = store(&url, "queue");
    let (first, again) = seed(&mut queue, leads);
    let sqlite = drain(&queue, 1, leads);
    println!("SQLite      seed {first:.0}, seed again {again:.0}");
    println!(
        "SQLite      bare SQL {floor:.0}, whole lead {sqlite:.0}: {:.2} of bare",
        sqlite / floor
    );

    let server = match PostgresServer::start() {
        Ok(server) => server,
        Err(error) => return println!("LEFT OUT: PostgreSQL: {error}"),
    };
    let url = DatabaseUrl::parse(server.url()).expect("the server's URL");
    let mut bare = store(&url, "floor");
    seed(&mut bare, leads);
    let floor = postgres_floor(&mut bare, leads);
    let mut one = store(&url, "one");
    let (first, again) = seed(&mut one, leads);
    let before = wal(&mut one);
    let single = drain(&one, 1, leads);
    let bytes = wal(&mut one) - before;
    let mut two = store(&url, "two");
    seed(&mut two, leads);
    let double = drain(&two, 2, leads);
    println!("PostgreSQL  seed {first:.0}, seed again {again:.0}");
    println!(
        "PostgreSQL  bare SQL {floor:.0}, whole lead {single:.0}: {:.2} of bare",
        single / floor
    );
    println!("PostgreSQL  two workers {double:.0}: {:.2} of one", double / single);
    println!(
        "PostgreSQL  write-ahead log {} bytes per lead",
        bytes / i64::try_from(leads).unwrap_or(1)
    );
    println!("SQLite is {:.2} of one PostgreSQL worker", sqlite / single);
    for size in [20_000, leads.max(20_000)] {
        let mut queue = store(&url, &format!("size_{size}"));
        seed(&mut queue, size);
        println!("PostgreSQL  {size} pending: {:.1} ms per batch", batch_cost(&mut queue));
    }
}
