//! Finds the customer behind each sign-up, inside an axum service on PostgreSQL.
//!
//! README.md beside this tells how to run it. SIGTERM and Ctrl-C stop it within five seconds, also in an outage.

mod drain;
mod http;
mod tables;

use std::future::IntoFuture as _;
use std::pin::pin;
use std::sync::{Arc, mpsc::SyncSender, mpsc::sync_channel};
use std::time::Duration;

use diesel::PgConnection;
use diesel::connection::SimpleConnection as _;
use diesel::r2d2::{ConnectionManager, Pool};
use identity_matching::{HashKey, Normaliser, Region};
use recovery_queue::{BorrowedStore, PersonView, Stop, ViewBacklog, WakeKeys};
use tokio::signal::unix::{SignalKind, signal};
use tokio::{sync::oneshot, task::spawn_blocking};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What requests and drain share.
struct Service {
    pool: Pool<ConnectionManager<PgConnection>>,
    backlog: ViewBacklog,
    /// Holds what reads values, so that customers and sign-ups are read alike.
    wake: WakeKeys,
    /// Protects the candidate index.
    secret: HashKey,
    stop: Stop,
    /// Tells the drain that there is work; whatever it misses it finds within a second.
    work: SyncSender<()>,
}

fn main() -> Result<(), Error> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let url = std::env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL: README.md tells how")?;
    let secret = std::env::var("SERVICE_SECRET").unwrap_or_default();
    let halves = secret.as_bytes().split_first_chunk::<32>();
    let Some((wake, seal)) = halves.and_then(|(a, b)| Some((*a, *b.first_chunk()?))) else {
        return Err("SERVICE_SECRET must have 48 bytes: set the output of `openssl rand -hex 24`, and keep it".into());
    };
    // One for each request at work, and three for the drain: to write, to look candidates up, to read sign-ups.
    let pool = Pool::builder().max_size(10).connection_timeout(Duration::from_secs(2));
    let pool = pool.build(ConnectionManager::new(url))?;
    let mut db = pool.get()?;
    BorrowedStore::on(&mut *db).migrate()?;
    db.batch_execute(include_str!("../tables.sql"))?;
    BorrowedStore::on(&mut *db).set_person_view(Some(&PersonView::new("customer", "id")?))?;
    drop(db);

    let (work, wait) = sync_channel(1);
    let service = Arc::new(Service {
        pool,
        backlog: ViewBacklog::new("sign_up_backlog")?,
        wake: WakeKeys::new(Normaliser::for_region(Region::parse("PE")?), wake),
        secret: HashKey::new(seal),
        stop: Stop::new(),
        work,
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let bind = std::env::var("BIND").unwrap_or_else(|_| "127.0.0.1:8081".to_owned());
        let listener = tokio::net::TcpListener::bind(bind).await?;
        println!("http://{}", listener.local_addr()?);
        let drained = Arc::clone(&service);
        let draining = spawn_blocking(move || drain::drain(&drained, &wait));
        let (finish, finished) = oneshot::channel::<()>();
        let server = axum::serve(listener, http::router(Arc::clone(&service)));
        let server = server.with_graceful_shutdown(async { drop(finished.await) });
        let mut server = pin!(server.into_future());
        tokio::select! {
            ended = &mut server => return Ok(ended?),
            _ = terminate.recv() => (),
            _ = tokio::signal::ctrl_c() => (),
        }
        // The batch in hand lands or is given back, also while the database is away.
        service.stop.ask();
        let _ = (service.work.try_send(()), finish.send(()));
        let _ = tokio::time::timeout(Duration::from_secs(2), server).await; // the others are cut off
        Ok(draining.await?)
    });
    runtime.shutdown_timeout(Duration::from_secs(1)); // no request that waits for the database keeps the process
    ended
}
