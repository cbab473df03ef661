//! A recovery queue inside an axum service: a pool, blocking calls where they belong, a remote matcher, a graceful stop.
//!
//! `PUT /persons/P-1?phone=5550100` writes a person and wakes the leads that share the phone, both or neither;
//! `PUT /leads/L-1?phone=5550100` takes a lead; `GET /leads/L-1` tells where it stands. On PostgreSQL the pool's type and the URL are
//! all that changes; TLS is the URL's affair (`sslmode=verify-full`).

#![allow(clippy::doc_markdown)]

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use chrono::{TimeDelta, Utc};
use clap::Parser;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sql_types::{Nullable, Text};
use recovery_queue::{
    AsyncResolver, BorrowedStore, ClaimMode, ClaimedLead, DatabaseUrl, FailReason, LeadStore,
    OpenOptions, PersonKey, QueueStore, Recover, RecoverOptions, Resolution, ResolveError,
    Retention, SeedOptions, SourcePk, SqlStore, Stop, StoreError, ViewBacklog,
};
use reference_runners::cli::{Exit, Failure, start};
use reference_runners::ops::{Limits, serve};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

/// Serves persons and leads, and links the leads in the background.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// The database's file.
    #[arg(long, default_value = "axum_service.sqlite", value_name = "FILE")]
    database: String,
    /// Where to listen; port 0 takes a free one and prints it.
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    bind: std::net::SocketAddr,
}

type Persons = Pool<ConnectionManager<SqliteConnection>>;

struct Service {
    pool: Persons,
    /// Tells the drain that there is work; whatever it misses it finds within a second.
    woken: tokio::sync::Notify,
}

/// Makes a writer of the pool wait for another one, as the drain's own connection does.
#[derive(Debug)]
struct Patient;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Patient {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        let set = connection.batch_execute("PRAGMA busy_timeout = 5000");
        set.map_err(diesel::r2d2::Error::QueryError)
    }
}

type Answer = Result<String, (StatusCode, String)>;
type Fields = Query<HashMap<String, String>>;

fn failed(error: impl std::fmt::Display) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

/// Makes a wake key: nobody reads the phone out of it without the service's secret.
fn wake_key(phone: &str) -> String {
    let secret = std::env::var("WAKE_SECRET").unwrap_or_else(|_| "of the example only".to_owned());
    let digest = Sha256::new().chain_update(secret).chain_update(phone).finalize();
    let mut number = [0; 16];
    number.copy_from_slice(&digest[..16]);
    format!("{:032x}", u128::from_be_bytes(number))
}

impl Service {
    /// Does the work of a request on a connection of the pool, where blocking is allowed.
    async fn work<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, (StatusCode, String)> {
        let done = spawn_blocking(move || {
            let mut connection = self.pool.get().map_err(failed)?;
            work(&mut connection).map_err(failed)
        });
        done.await.map_err(failed)?
    }
}

#[derive(QueryableByName)]
struct Phone {
    #[diesel(sql_type = Text)]
    phone: String,
}

async fn put_person(
    State(service): State<Arc<Service>>,
    Path(key): Path<String>,
    Query(fields): Fields,
) -> Answer {
    let phone = fields.get("phone").cloned().unwrap_or_default();
    let woken = Arc::clone(&service).work(move |connection| {
        connection.immediate_transaction(|connection| {
            // Who shared the old phone has one candidate fewer, who shares the new one has one more.
            let sql = "SELECT phone FROM person WHERE key = ?";
            let old: Vec<Phone> = diesel::sql_query(sql).bind::<Text, _>(&key).load(connection)?;
            let sql = "INSERT INTO person (key, phone) VALUES (?, ?) \
                 ON CONFLICT (key) DO UPDATE SET phone = excluded.phone";
            diesel::sql_query(sql)
                .bind::<Text, _>(&key)
                .bind::<Text, _>(&phone)
                .execute(connection)?;
            let phones = old.iter().map(|row| &row.phone).chain([&phone]);
            let keys: Vec<_> = phones.map(|phone| wake_key(phone)).collect();
            BorrowedStore::on(connection).wake(&keys)
        })
    });
    let woken = woken.await?;
    service.woken.notify_one();
    Ok(format!("{woken} leads are tried again\n"))
}

async fn put_lead(
    State(service): State<Arc<Service>>,
    Path(key): Path<String>,
    Query(fields): Fields,
) -> Answer {
    let phone = fields.get("phone").cloned().unwrap_or_default();
    let written = Arc::clone(&service).work(move |connection| {
        diesel::sql_query("INSERT INTO lead (id, phone) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind::<Text, _>(&key)
            .bind::<Text, _>(&phone)
            .execute(connection)?;
        Ok(())
    });
    written.await?;
    service.woken.notify_one();
    Ok("taken\n".to_owned())
}

async fn get_lead(State(service): State<Arc<Service>>, Path(key): Path<String>) -> Answer {
    let key = SourcePk::new(key).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let found = service.work(move |connection| BorrowedStore::on(connection).lead(&key));
    let found = found.await?.ok_or((StatusCode::NOT_FOUND, "no such lead\n".to_owned()))?;
    let person = found.row.person_key.map(|key| format!(" {key}")).unwrap_or_default();
    Ok(format!("{}{person}\n", found.row.status.code()))
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    phone: String,
    #[diesel(sql_type = Nullable<Text>)]
    person: Option<String>,
}

/// Stands for a matcher behind a network: it is awaited, and no transaction is open meanwhile.
async fn resolve(pool: Persons, leads: Vec<ClaimedLead>) -> Result<Vec<Resolution>, ResolveError> {
    let away = |error: &dyn std::fmt::Display| ResolveError::Unavailable(error.to_string());
    let keys: Vec<String> = leads.iter().map(|lead| lead.source_pk.to_string()).collect();
    let keys = serde_json::json!(keys).to_string();
    let looked_up = spawn_blocking(move || -> Result<Vec<Found>, String> {
        let mut connection = pool.get().map_err(|error| error.to_string())?;
        let sql = "SELECT l.id, l.phone, (SELECT min(p.key) FROM person p WHERE p.phone = l.phone) AS person \
             FROM lead l WHERE l.id IN (SELECT value FROM json_each(?))";
        let found = diesel::sql_query(sql).bind::<Text, _>(&keys).load(&mut connection);
        found.map_err(|error| error.to_string())
    });
    let rows = looked_up.await.map_err(|error| away(&error))?.map_err(|error| away(&error))?;
    let rows: BTreeMap<String, Found> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    let answer = |lead: &ClaimedLead| match rows.get(lead.source_pk.as_str()) {
        None => Resolution::unmatched(FailReason::LeadNotFound),
        Some(Found { person: Some(key), .. }) => match PersonKey::new(key.as_str()) {
            Ok(key) => Resolution::matched(key, "PHONE_EXACT", "high"),
            Err(error) => Resolution::error(error.to_string()),
        },
        Some(Found { phone, .. }) => {
            Resolution::unmatched(FailReason::NoCandidates).with_wake_keys(vec![wake_key(phone)])
        }
    };
    Ok(leads.iter().map(answer).collect())
}

/// Drains the queue until somebody asks to stop: with a store of its own, which connects again after an outage.
fn drain(mut store: SqlStore, service: &Service, stop: &Stop) -> Result<(), StoreError> {
    let runtime = tokio::runtime::Handle::current();
    let pool = service.pool.clone();
    let mut resolver = AsyncResolver::new(move |leads| resolve(pool.clone(), leads))
        .with_stop(stop.clone())
        .with_time_limit(Duration::from_secs(45));
    let options = RecoverOptions::default()
        .with_claim(ClaimMode::Lease { ttl: Duration::from_mins(1) })
        .with_stop(stop.clone());
    let seeding = SeedOptions::default().with_stop(stop.clone());
    let backlog = ViewBacklog::new("lead_backlog")?;
    let mut tidied = None;
    let mut round = |store: &mut SqlStore| -> Result<(), StoreError> {
        store.seed(&backlog, &seeding)?;
        store.recover(&mut resolver, &options)?;
        // Once a day: sum the ledger up, and remove what is old.
        let (now, month) = (Utc::now(), Duration::from_hours(30 * 24));
        if tidied != Some(now.date_naive()) {
            store.roll_up(now - TimeDelta::hours(1), Some(now - TimeDelta::days(7)))?;
            store.prune(Retention::new().with_runs(month).with_withdrawn(month))?;
            tidied = Some(now.date_naive());
        }
        Ok(())
    };
    while !stop.is_asked() {
        // Whatever a round could not do the next one does.
        if let Err(error) = round(&mut store) {
            let error: &(dyn std::error::Error + 'static) = &error; // with its sources
            tracing::warn!(name: "axum_service.round_failed", error);
        }
        let second = tokio::time::sleep(Duration::from_secs(1));
        runtime.block_on(async {
            tokio::select! { () = service.woken.notified() => (), () = second => () }
        });
    }
    Ok(())
}

fn main() -> ExitCode {
    start(run)
}

fn run(Args { database, bind }: Args) -> Result<Exit, Failure> {
    let url = DatabaseUrl::parse(&database)?;
    let mut store = SqlStore::open(&url, OpenOptions::default())?;
    store.migrate()?;
    let pool = Pool::builder()
        .max_size(8)
        .connection_customizer(Box::new(Patient))
        .build(ConnectionManager::new(database.as_str()));
    let pool: Persons = pool.map_err(|error| Failure::new(error.to_string()))?;
    let mut connection = pool.get().map_err(|error| Failure::new(error.to_string()))?;
    connection.batch_execute(
        "CREATE TABLE IF NOT EXISTS person (key TEXT PRIMARY KEY, phone TEXT);
         CREATE TABLE IF NOT EXISTS lead (id TEXT PRIMARY KEY, phone TEXT,
             created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ')));
         CREATE INDEX IF NOT EXISTS person_phone ON person (phone);
         CREATE VIEW IF NOT EXISTS lead_backlog AS SELECT id AS lead_source_pk, created AS lead_date
             FROM lead WHERE id NOT IN (SELECT source_pk FROM identity_links);",
    )?;
    drop(connection);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let service = Arc::new(Service { pool, woken: tokio::sync::Notify::new() });
        let listener = tokio::net::TcpListener::bind(bind).await?;
        anstream::println!("http://{}", listener.local_addr()?);
        let stop = Stop::new();
        let (drained, drains) = (Arc::clone(&service), stop.clone());
        let draining = spawn_blocking(move || drain(store, &drained, &drains));
        let router = Router::new()
            .route("/persons/{key}", put(put_person))
            .route("/leads/{key}", put(put_lead).get(get_lead))
            .route("/livez", get(|| async { "alive\n" }))
            .with_state(Arc::clone(&service));
        let asked = async {
            let _ = tokio::signal::ctrl_c().await;
            // The batch in hand lands or is given back, also while the database is away.
            stop.ask();
            service.woken.notify_one();
        };
        let limits = Limits { stop_time: Duration::from_secs(3), ..Limits::default() };
        serve(listener, router, limits, asked).await;
        draining.await.map_err(|error| Failure::new(error.to_string()))??;
        Ok(Exit::Done)
    })
}
