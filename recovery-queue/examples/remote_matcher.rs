//! A matcher behind a network: awaited by tokio, under leases, with the connections of the service's pool.
//!
//! `cargo run -p recovery-queue --example remote_matcher --features r2d2`

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use chrono::DateTime;
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection as _;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use recovery_queue::{
    AsyncResolver, BacklogLead, ClaimMode, ClaimedLead, FailReason, InMemoryBacklog, OpenOptions,
    PersonKey, QueueStore, Recover, RecoverOptions, Resolution, ResolveError, RunSummary,
    SeedOptions, SourcePk, SqlStore, Status, Stop, Stopped, StoreError,
};

/// Makes a writer wait for another one; what a connection is like is the pool's to say.
#[derive(Debug)]
struct Patient;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Patient {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        let set = connection.batch_execute("PRAGMA busy_timeout = 5000");
        set.map_err(diesel::r2d2::Error::QueryError)
    }
}

/// Stands for `client.post(url).json(&keys).send().await`: it knows one person, and its answer takes a while.
async fn ask(leads: Vec<ClaimedLead>, takes: Duration) -> Result<Vec<Resolution>, ResolveError> {
    tokio::time::sleep(takes).await;
    let answer = |lead: &ClaimedLead| match lead.source_pk.as_str() {
        "L-7" => match PersonKey::new("P-1") {
            Ok(person) => Resolution::matched(person, "PHONE_EXACT", "high"),
            Err(error) => Resolution::error(error.to_string()),
        },
        _ => Resolution::unmatched(FailReason::NoCandidates),
    };
    Ok(leads.iter().map(answer).collect())
}

/// Drains the queue where blocking is allowed; the matcher is awaited by the runtime meanwhile.
async fn drain(
    mut store: SqlStore,
    stop: Stop,
    takes: Duration,
) -> Result<(SqlStore, RunSummary), Box<dyn Error>> {
    let done = tokio::task::spawn_blocking(move || {
        // The limit of an answer is shorter than the lease.
        let mut resolver = AsyncResolver::new(move |leads| ask(leads, takes))
            .with_stop(stop.clone())
            .with_time_limit(Duration::from_secs(45));
        let options = RecoverOptions::default()
            .with_claim(ClaimMode::Lease { ttl: Duration::from_mins(1) })
            .with_batch_size(10)
            .with_stop(stop);
        let run = store.recover(&mut resolver, &options)?;
        Ok::<_, StoreError>((store, run))
    });
    Ok(done.await??)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("queue.sqlite");
    let manager = ConnectionManager::<SqliteConnection>::new(file.to_string_lossy());
    let pool =
        Pool::builder().max_size(4).connection_customizer(Box::new(Patient)).build(manager)?;
    let mut store = SqlStore::from_pool(pool, OpenOptions::default())?;
    store.migrate()?;
    let leads: Result<Vec<_>, _> = (0..100)
        .map(|n| Ok(BacklogLead::new(SourcePk::new(format!("L-{n}"))?, DateTime::UNIX_EPOCH)))
        .collect::<Result<_, recovery_queue::KeyError>>();
    store.seed(&InMemoryBacklog::new("leads", leads?), &SeedOptions::default())?;

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    runtime.block_on(async {
        // The matcher hangs, and somebody stops the service: the batch that waits is given back.
        let stop = Stop::new();
        let draining = tokio::spawn({
            let (store, stop) = (store, stop.clone());
            async move { drain(store, stop, Duration::from_hours(1)).await.map_err(|e| e.to_string()) }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.ask();
        let (mut store, run) = draining.await??;
        assert_eq!((run.stopped, run.matched, run.failed_total()), (Stopped::Asked, 0, 0));
        assert_eq!(store.snapshot()?.status_counts()?[&Status::Pending], 100);

        // The next start does all of it.
        let (mut store, run) = drain(store, Stop::new(), Duration::from_millis(1)).await?;
        assert_eq!((run.stopped, run.matched, run.failed_total()), (Stopped::Drained, 1, 99));
        println!("{} matched, {} failed", run.matched, run.failed_total());
        assert_eq!(store.snapshot()?.status_counts()?[&Status::Pending], 0);
        Ok(())
    })
}

#[test]
fn a_stop_gives_back_what_waits_and_the_next_run_does_it() {
    main().unwrap_or_else(|error| panic!("{error}"));
}
