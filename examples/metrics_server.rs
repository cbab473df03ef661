//! The operator's endpoint: the contract's figures, OpenMetrics, probes, and a page. It only reads.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::guards::Launcher;
use reference_runners::ops::{Access, Answers, Limits, Place, Source, router, serve};
use reference_runners::service::{self, BACKLOG_VIEW, MapArgs, database_url};

/// Serves what an operator looks at, from memory; the database is read at intervals and never written.
///
/// GET /api/v1/ops/payments/cabinet-financial-14d/kpi-red-recovery-metrics, /metrics (OpenMetrics), /livez,
/// /readyz, /openapi.json, / (the page), /leads?reason=CODE (the leads behind a reason, masked),
/// /lead?key=KEY (one lead: its candidates, its history, what to do next).
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    map: MapArgs,
    /// Where to listen; port 0 takes a free one and prints it.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    bind: SocketAddr,
    /// Asks for this bearer token on every route but the probes; a browser gives it once, at /login.
    #[arg(long, env = "METRICS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Lets everybody in who reaches an address beyond this machine, where no token is given.
    #[arg(long)]
    insecure: bool,
    /// A further host name that leads here, such as that of a proxy; requests that name another one are refused.
    #[arg(long = "allow-host", value_name = "NAME")]
    allow_hosts: Vec<String>,
    /// Seconds between two reads of the database.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    refresh_seconds: u64,
    /// Seconds that a request may take to arrive, and its answer to be made.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=300))]
    time_limit_seconds: u64,
    /// The view that holds the backlog.
    #[arg(long, default_value = BACKLOG_VIEW, value_name = "VIEW", conflicts_with = "map")]
    backlog: String,
    /// The time zone in which days are counted, such as America/Lima.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: chrono_tz::Tz,
}

fn main() -> ExitCode {
    start(|args: Args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    if args.token.as_deref().is_some_and(|token| token.trim().is_empty()) {
        return Err(Failure::new("the token is empty").remedy("give a token, or leave it out"));
    }
    if args.token.is_none() && !args.insecure && !args.bind.ip().is_loopback() {
        let what = format!("{} is reached from other machines, and there is no token", args.bind);
        return Err(Failure::new(what)
            .remedy("set METRICS_TOKEN, bind to 127.0.0.1, or let everybody in with --insecure"));
    }
    let url = database_url(args.common.database_url.as_deref())?.read_only();
    let backlog = args.map.backlog(&args.backlog, &url)?;
    let source = Arc::new(Source::new(Place {
        url,
        backlog,
        map: args.map.clone(),
        zone: args.time_zone,
        refresh: Duration::from_secs(args.refresh_seconds),
        launcher: Launcher::new(args.common.database_url.as_deref()),
        sessions: args.token.is_some(),
    }));
    let time = Duration::from_secs(args.time_limit_seconds);
    let access = Access::new(args.bind, &args.allow_hosts, args.token.as_deref().map(str::trim));
    let answers = Arc::new(Answers::new(Arc::clone(&source), access, time));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind(args.bind)).map_err(|error| {
        Failure::new(format_args!("{} cannot be listened on: {error}", args.bind))
            .remedy("stop what listens there, or choose another --bind; port 0 takes a free one")
    })?;
    console.data(format_args!("http://{}", listener.local_addr()?))?;
    std::thread::Builder::new().name("reader".to_owned()).spawn(move || {
        // A database that is away may come; until then nobody who only sees 503 knows which one is meant.
        if let Err(failure) = service::open_to_read(source.url()) {
            Console::new(false)
                .warn(format_args!("{failure}\n  until then every answer but /livez is 503"));
        }
        source.keep_reading();
    })?;
    let mut limits = Limits::default();
    limits.head_time = limits.head_time.min(time);
    runtime.block_on(serve(listener, router(answers), limits, stopped()));
    // A page of leads that is being read now is not waited for: it writes nothing.
    runtime.shutdown_background();
    console.note("stopped");
    Ok(Exit::Done)
}

/// Waits for the signals that ask a process to stop.
async fn stopped() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else {
            let _ = interrupted.await;
            return;
        };
        tokio::select! {
            _ = interrupted => (),
            _ = terminated.recv() => (),
        }
    }
    #[cfg(not(unix))]
    let _ = interrupted.await;
}
