//! Drains no-op jobs with apalis-postgres in batches of 1,000 and prints jobs per second.
//!
//!     DATABASE_URL=postgres://… apalis-peer JOBS WORKERS

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use apalis::prelude::*;
use apalis_postgres::{Config, PgPool, PostgresStorage};
use futures::stream;

const LEFT: &str = "SELECT count(*) FROM apalis.jobs WHERE status <> 'Done'";

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let mut args = std::env::args().skip(1);
    let jobs: u64 = args.next().ok_or("JOBS is missing")?.parse()?;
    let workers: usize = args.next().ok_or("WORKERS is missing")?.parse()?;
    let pool = PgPool::connect(&std::env::var("DATABASE_URL")?).await?;
    PostgresStorage::setup(&pool).await?;
    sqlx::query("TRUNCATE apalis.jobs").execute(&pool).await?;
    let backend = || {
        let config = Config::default().queue("noop").batch_size(1_000);
        PostgresStorage::<u64>::new(&pool).with_config(config)
    };
    let mut tasks = stream::iter((0..jobs).map(|job| TaskBuilder::new(job).build()));
    backend().push_all(&mut tasks).await?;
    sqlx::query("VACUUM ANALYZE apalis.jobs").execute(&pool).await?;

    let done = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    for number in 0..workers {
        let done = Arc::clone(&done);
        let worker = WorkerBuilder::new(format!("worker-{number}")).backend(backend()).build(
            move |_job: u64| {
                let done = Arc::clone(&done);
                async move {
                    done.fetch_add(1, Relaxed);
                    Ok::<(), BoxDynError>(())
                }
            },
        );
        let runtime = tokio::runtime::Handle::current();
        std::thread::spawn(move || runtime.block_on(worker.run()));
    }
    while done.load(Relaxed) < jobs {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The results are written behind the jobs' backs: only what is written counts.
    while sqlx::query_scalar::<_, i64>(LEFT).fetch_one(&pool).await? > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seconds = start.elapsed().as_secs_f64();
    let per_second = (jobs as f64 / seconds).round();
    println!("{{\"jobs\": {jobs}, \"workers\": {workers}, \"per_second\": {per_second}}}");
    std::process::exit(0)
}
