//! What the queue benches share: databases, backlogs, and the raw floor.
//!
//! The floor is bare set-based SQL that writes the same rows in the same tables, 1,000 leads per transaction, with the
//! same `ON CONFLICT` where another worker may have added the person. Nothing leaves the server and nobody decides; on
//! PostgreSQL its one statement is prepared.

use std::ops::ControlFlow;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use recovery_queue::testing::PostgresServer;
use recovery_queue::{
    BacklogLead, ClaimedLead, Conn, DatabaseUrl, InMemoryBacklog, Namespace, OpenOptions,
    PersonKey, Progress, QueueStore, Recover, RecoverOptions, Resolution, ResolveError,
    SeedOptions, SourcePk, SqlStore, ViewBacklog,
};

/// Leads per transaction.
pub const BATCH: u64 = 1_000;

/// Reads the sizes of backlogs to measure from `QUEUE_LEADS`, such as `10000,1000000`.
#[must_use]
pub fn sizes() -> Vec<u64> {
    let text = std::env::var("QUEUE_LEADS").unwrap_or_default();
    let sizes: Vec<u64> = text.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    if sizes.is_empty() { vec![10_000] } else { sizes }
}

/// Gives the lead of a number: a key as random as a UUID, and an age that has nothing to do with the key.
///
/// # Panics
/// Never: the key is sound.
#[must_use]
pub fn lead(number: u64) -> BacklogLead {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let pk = format!("{mixed:016x}-{:016x}", mixed.rotate_left(23));
    let age = i64::try_from((number * 7_919) % 16_777_216).unwrap_or_default();
    let start = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    BacklogLead::new(SourcePk::new(pk).expect("a sound key"), start + TimeDelta::seconds(age))
}

/// Makes a backlog of so many leads.
#[must_use]
pub fn backlog(leads: u64) -> InMemoryBacklog {
    InMemoryBacklog::new("bench", (0..leads).map(lead))
}

/// Resolves every lead to a person of its own, and takes no time about it.
///
/// # Errors
/// Never.
///
/// # Panics
/// Never: the person keys are sound.
pub fn resolve(leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
    Ok(leads
        .iter()
        .map(|lead| {
            let person = PersonKey::new(format!("P{}", lead.source_pk)).expect("a sound key");
            Resolution::matched(person, "PHONE_EXACT", "high")
        })
        .collect())
}

/// Lets a run go on.
pub fn go(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Recovers so many leads as one run.
///
/// # Panics
/// When the run fails, or fewer leads are there.
pub fn recover(store: &mut SqlStore, leads: u64) {
    let mut options = RecoverOptions::default();
    options.limit = Some(leads);
    let run = store.recover(&mut resolve, &options).expect("the run is sound");
    assert_eq!(run.matched, leads, "the backlog is too small");
}

/// A database to measure: a file of SQLite, or a private PostgreSQL server.
#[derive(Debug)]
pub struct Backend {
    /// What the figures call it.
    pub name: &'static str,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Sqlite(tempfile::TempDir),
    Postgres(PostgresServer),
}

impl Backend {
    /// Makes a folder for files of SQLite.
    ///
    /// # Panics
    /// Where no folder can be made.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { name: "SQLite", place: Place::Sqlite(folder) }
    }

    /// Starts a private PostgreSQL server that is as durable as its default, or takes that of `TEST_POSTGRES_URL`.
    #[must_use]
    #[expect(clippy::print_stderr, reason = "what was left out must be heard")]
    pub fn postgres() -> Option<Self> {
        // A server that somebody names is as durable as they want it.
        let server = match std::env::var("TEST_POSTGRES_URL") {
            Ok(_) => PostgresServer::start(),
            Err(_) => PostgresServer::start_with(&[("fsync", "on")]),
        };
        match server {
            Ok(server) => Some(Self { name: "PostgreSQL", place: Place::Postgres(server) }),
            Err(error) => {
                eprintln!("LEFT OUT: PostgreSQL: {error}");
                None
            }
        }
    }

    /// Gives both backends, the one that `QUEUE_BACKEND` names (`sqlite`, `postgres`), or SQLite alone where no
    /// PostgreSQL is to be had.
    #[must_use]
    pub fn all() -> Vec<Self> {
        match std::env::var("QUEUE_BACKEND").as_deref() {
            Ok("sqlite") => vec![Self::sqlite()],
            Ok("postgres") => Self::postgres().into_iter().collect(),
            _ => std::iter::once(Self::sqlite()).chain(Self::postgres()).collect(),
        }
    }

    /// Says whether more workers gain anything.
    #[must_use]
    pub fn takes_workers(&self) -> bool {
        matches!(self.place, Place::Postgres(_))
    }

    /// Opens an empty store in place of the one of the same name; that one must be closed.
    ///
    /// # Panics
    /// When the database does not take it.
    #[must_use]
    pub fn fresh(&self, name: &str) -> SqlStore {
        let (url, namespace) = match &self.place {
            Place::Sqlite(folder) => {
                let file = |end: &str| -> PathBuf { folder.path().join(format!("{name}{end}")) };
                for end in [".sqlite", ".sqlite-wal", ".sqlite-shm"] {
                    let _ = std::fs::remove_file(file(end));
                }
                (DatabaseUrl::Sqlite(file(".sqlite").into()), Namespace::default())
            }
            Place::Postgres(server) => {
                let url = DatabaseUrl::parse(server.url()).expect("the server's URL");
                (url, Namespace::new(name).expect("an identifier"))
            }
        };
        let options = OpenOptions::default().with_namespace(namespace);
        let mut store = SqlStore::open(&url, options).expect("the database opens");
        if let Conn::Postgres(connection) = store.connection() {
            let sql = format!("DROP SCHEMA IF EXISTS \"{name}\" CASCADE");
            connection.batch_execute(&sql).expect("the old tables go");
        }
        store.migrate().expect("the tables are made");
        store
    }

    /// Opens a store with so many pending leads, for which PostgreSQL takes no more than three statements.
    ///
    /// # Panics
    /// When the database does not take it.
    #[must_use]
    pub fn filled(&self, name: &str, leads: u64) -> SqlStore {
        let Place::Postgres(_) = self.place else { return self.seeded(name, leads) };
        let mut store = self.fresh(name);
        let sql = FILL.replace("{ns}", &store.view_name("")).replace("{leads}", &leads.to_string());
        if let Conn::Postgres(connection) = store.connection() {
            for statement in sql.split("; ") {
                connection.batch_execute(statement).expect("the tables are filled");
            }
        }
        store
    }

    /// Opens a store with a seeded backlog, in place of the one of the same name.
    ///
    /// # Panics
    /// When the database does not take it.
    #[must_use]
    pub fn seeded(&self, name: &str, leads: u64) -> SqlStore {
        let mut store = self.fresh(name);
        store.seed(&backlog(leads), &SeedOptions::default()).expect("the seed is sound");
        store
    }
}

/// The tables of a service, with the view of its leads that have neither link nor claim.
const VIEW: &str = "CREATE TABLE {ns}leads (source_pk TEXT PRIMARY KEY, born TEXT, version TEXT); \
    CREATE TABLE {ns}claims (source_pk TEXT PRIMARY KEY); \
    CREATE VIEW {ns}bench_backlog AS SELECT source_pk AS lead_source_pk, born AS lead_date, \
        version AS lead_version FROM {ns}leads their \
        WHERE NOT EXISTS (SELECT 1 FROM {ns}identity_links link WHERE link.source_pk = their.source_pk) \
          AND NOT EXISTS (SELECT 1 FROM {ns}claims claim WHERE claim.source_pk = their.source_pk); \
    INSERT INTO {ns}leads WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {leads}) \
        SELECT 'L-' || CAST(i * 7919 % 16777216 AS TEXT), \
            '2026-01-' || CAST(10 + i % 20 AS TEXT) || 'T10:00:00Z', '1' FROM n";

/// Opens a store whose service has so many leads in a table of its own; nothing is seeded yet.
///
/// # Panics
/// When the database does not take it.
#[must_use]
pub fn in_a_view(backend: &Backend, name: &str, leads: u64) -> (SqlStore, ViewBacklog) {
    let mut store = backend.fresh(name);
    let ns = store.view_name("");
    run(&mut store, &VIEW.replace("{ns}", &ns).replace("{leads}", &leads.to_string()));
    let view = format!("{ns}bench_backlog").replace('"', "");
    (store, ViewBacklog::new(&view).expect("an identifier"))
}

/// Reads every row and column of the view of [`in_a_view`], and gives the number of rows.
///
/// # Panics
/// When the database does not take it.
pub fn scan(store: &mut SqlStore) -> u64 {
    #[derive(QueryableByName)]
    struct Rows {
        #[diesel(sql_type = BigInt)]
        rows: i64,
    }
    let sql = format!(
        "SELECT count(lead_source_pk) AS rows, min(lead_source_pk) AS k, max(lead_date) AS d, \
             max(lead_version) AS v FROM {}",
        store.view_name("bench_backlog")
    );
    let rows: Rows = match store.connection() {
        Conn::Sqlite(connection) => diesel::sql_query(sql).get_result(connection),
        Conn::Postgres(connection) => diesel::sql_query(sql).get_result(connection),
        _ => return 0,
    }
    .expect("the view is read");
    rows.rows.unsigned_abs()
}

fn run(store: &mut SqlStore, sql: &str) {
    match store.connection() {
        Conn::Sqlite(connection) => connection.batch_execute(sql),
        Conn::Postgres(connection) => connection.batch_execute(sql),
        _ => return,
    }
    .expect("the statement is sound");
}

/// Fills the tables as a seed would; the keys are in the order of the ages, or ten million would take very long.
const FILL: &str = "INSERT INTO {ns}queue_backlog (name) VALUES ('bench'); \
    INSERT INTO {ns}queue_lead (source_pk, backlog_id, priority, lead_at, first_seen_at) \
        SELECT lpad(CAST(g AS text), 16, '0'), 1, 0, g * 1000000, 1 \
        FROM generate_series(CAST(1 AS bigint), {leads}) g; \
    INSERT INTO {ns}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
        SELECT 1, 0, lead_at, id, 0, 1 FROM {ns}queue_lead ORDER BY id; \
    CHECKPOINT";

#[derive(QueryableByName)]
struct Last {
    #[diesel(sql_type = BigInt)]
    lead_at: i64,
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = BigInt)]
    leads: i64,
}

const POSTGRES_FLOOR: &str = "WITH c AS MATERIALIZED (SELECT lead_at, lead_id, ctid AS place FROM {ns}queue_pending \
        WHERE backlog_id = 1 AND (priority, lead_at, lead_id) > (0, $1, $2) \
        ORDER BY priority, lead_at, lead_id LIMIT 1000 FOR UPDATE SKIP LOCKED), \
    x AS (DELETE FROM {ns}queue_pending WHERE ctid = ANY (ARRAY(SELECT place FROM c))), \
    p AS (INSERT INTO {ns}queue_person \
            (person_key, origin_lead_id, origin_lead_at, origin_since, origin_run_id) \
        SELECT 'P' || l.source_pk, c.lead_id, c.lead_at, 1, 1 FROM c CROSS JOIN LATERAL \
        (SELECT source_pk FROM {ns}queue_lead WHERE id = c.lead_id OFFSET 0) l ORDER BY 1 \
        ON CONFLICT (person_key) DO UPDATE SET origin_lead_id = excluded.origin_lead_id \
        RETURNING id, origin_lead_id), \
    k AS (INSERT INTO {ns}queue_link (lead_id, person_id, rule, confidence, run_id, linked_at) \
        SELECT origin_lead_id, id, 'PHONE_EXACT', 'high', 1, 1 FROM p ORDER BY 1), \
    s AS (INSERT INTO {ns}queue_settled \
            (lead_id, backlog_id, status, person_id, attempts, run_id, settled_at) \
        SELECT origin_lead_id, 1, 1, id, 0, 1, 1 FROM p ORDER BY 1), \
    e AS (INSERT INTO {ns}queue_ledger (at, backlog_id, run_id, kind, leads) \
        SELECT 1, 1, 1, 'matched', count(*) FROM c HAVING count(*) > 0) \
    SELECT lead_at, lead_id, (SELECT count(*) FROM c) AS leads FROM c ORDER BY lead_at DESC, lead_id DESC LIMIT 1";

const SQLITE_FLOOR: [&str; 9] = [
    "BEGIN IMMEDIATE",
    "DELETE FROM temp.floor",
    "INSERT INTO temp.floor SELECT p.lead_at, p.lead_id, l.source_pk FROM \
        (SELECT * FROM queue_pending WHERE backlog_id = 1 AND (priority, lead_at, lead_id) > (0, $1, $2) \
         ORDER BY priority, lead_at, lead_id LIMIT 1000) p CROSS JOIN queue_lead l ON l.id = p.lead_id",
    "INSERT INTO queue_person (person_key, origin_lead_id, origin_lead_at, origin_since, origin_run_id) \
     SELECT 'P' || source_pk, lead_id, lead_at, 1, 1 FROM temp.floor WHERE true ORDER BY 1 \
     ON CONFLICT (person_key) DO UPDATE SET origin_lead_id = excluded.origin_lead_id",
    "INSERT INTO queue_link (lead_id, person_id, rule, confidence, run_id, linked_at) \
     SELECT f.lead_id, p.id, 'PHONE_EXACT', 'high', 1, 1 FROM temp.floor f \
     CROSS JOIN queue_person p ON p.person_key = 'P' || f.source_pk",
    "INSERT INTO queue_settled (lead_id, backlog_id, status, person_id, attempts, run_id, settled_at) \
     SELECT f.lead_id, 1, 1, k.person_id, 0, 1, 1 FROM temp.floor f CROSS JOIN queue_link k ON k.lead_id = f.lead_id",
    "DELETE FROM queue_pending WHERE (backlog_id, priority, lead_at, lead_id) IN \
        (SELECT 1, 0, lead_at, lead_id FROM temp.floor)",
    "INSERT INTO queue_ledger (at, backlog_id, run_id, kind, leads) VALUES (1, 1, 1, 'matched', 1000)",
    "COMMIT",
];

/// Drains a seeded store by bare SQL.
#[derive(Debug)]
pub struct Floor {
    store: SqlStore,
    at: (i64, i64),
}

impl Floor {
    /// Takes a store with a seeded backlog.
    ///
    /// # Panics
    /// When the database does not take it.
    #[must_use]
    pub fn new(mut store: SqlStore) -> Self {
        let batch = POSTGRES_FLOOR.replace("{ns}", &store.view_name(""));
        match store.connection() {
            Conn::Sqlite(connection) => {
                let sql = "CREATE TEMP TABLE floor \
                (lead_at INTEGER, lead_id INTEGER PRIMARY KEY, source_pk TEXT)";
                connection.batch_execute(sql).expect("the floor runs");
            }
            Conn::Postgres(connection) => {
                // As a batch of the queue has it: planned once, and not for a table that nobody has analysed yet.
                let sql = "SET enable_bitmapscan = off; SET enable_seqscan = off; SET enable_sort = off; \
                     SET jit = off; SET plan_cache_mode = force_generic_plan";
                connection.batch_execute(sql).expect("the floor runs");
                let sql = format!("PREPARE floor (bigint, bigint) AS {batch}");
                connection.batch_execute(&sql).expect("the floor runs");
            }
            _ => {}
        }
        Self { store, at: (i64::MIN, i64::MIN) }
    }

    /// Writes one batch and gives the number of its leads.
    ///
    /// # Panics
    /// When the database does not take it.
    pub fn batch(&mut self) -> u64 {
        let last: Option<Last> = match self.store.connection() {
            Conn::Sqlite(connection) => {
                for step in &SQLITE_FLOOR {
                    let query = diesel::sql_query(*step);
                    if step.contains("$1") {
                        let query = query.bind::<BigInt, _>(self.at.0);
                        query.bind::<BigInt, _>(self.at.1).execute(connection)
                    } else {
                        query.execute(connection)
                    }
                    .expect("the floor runs");
                }
                let sql = "SELECT lead_at, lead_id, (SELECT count(*) FROM temp.floor) AS leads \
                     FROM temp.floor ORDER BY lead_at DESC, lead_id DESC LIMIT 1";
                diesel::sql_query(sql).get_result(connection).optional().expect("the floor runs")
            }
            Conn::Postgres(connection) => {
                let (at, id) = self.at;
                let query = diesel::sql_query(format!("EXECUTE floor ({at}, {id})"));
                query.get_result(connection).optional().expect("the floor runs")
            }
            _ => None,
        };
        let Some(last) = last else { return 0 };
        self.at = (last.lead_at, last.lead_id);
        last.leads.unsigned_abs()
    }
}

/// Gives the position of PostgreSQL's write-ahead log, in bytes.
///
/// # Panics
/// When the server does not answer.
pub fn wal_position(store: &mut SqlStore) -> i64 {
    #[derive(QueryableByName)]
    struct Bytes {
        #[diesel(sql_type = BigInt)]
        bytes: i64,
    }
    let Conn::Postgres(connection) = store.connection() else { return 0 };
    let sql = "SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS BIGINT) AS bytes";
    diesel::sql_query(sql).get_result::<Bytes>(connection).expect("the server answers").bytes
}
