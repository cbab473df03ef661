//! Proves what a run of recovery did to the backlog, or says why it did nothing.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::process::ExitCode;

use clap::Parser;
use guardrails::clock::Monotonic;
use guardrails::format::{TextStyle, text};
use guardrails::{ExitPolicy, Suite, SuiteReport};
use recovery_queue::{DatabaseUrl, SeedSummary};
use reference_runners::cli::{Common, EXIT_CODES, Exit, Failure, start};
use reference_runners::files;
use reference_runners::guards::{Launcher, PacketFacts, facts_of};
use reference_runners::recovery::{Recovered, Recovery};
use reference_runners::service::{BACKLOG_VIEW, SeedArgs, database_url};
use reference_runners::table::count;
use serde::Serialize;

/// Counts the backlog, seeds, recovers, counts again, and explains the difference by reasons.
///
/// An unchanged backlog is not a failure: it is explained. It fails when the backlog rose without new arrivals.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    recovery: Recovery,
    #[command(flatten)]
    seed: SeedArgs,
}

/// What the run did to the backlog, as `--json` writes it.
#[derive(Serialize)]
struct Impact {
    database: String,
    backlog_before: u64,
    backlog_after: u64,
    /// Before minus after.
    reduced_by: i64,
    /// After minus before.
    delta: i64,
    seed: SeedSummary,
    recover: Recovered,
    guardrails: SuiteReport,
}

fn main() -> ExitCode {
    start(|args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    let url = database_url(args.common.database_url.as_deref())?;
    let backlog = args.recovery.map.backlog(BACKLOG_VIEW, &url)?;
    args.recovery.check()?;
    if let DatabaseUrl::Sqlite(file) = &url {
        // A database that is made here would prove nothing.
        files::open(file)?;
    }
    let (mut store, mut service) = args.recovery.map.open(&url)?;
    let backlog_before = service.count(BACKLOG_VIEW)?;
    let seed = service.seed(&mut store, &backlog, args.seed, "validate_impact", &console)?;
    let recover = args.recovery.run("validate_impact", &url, &mut store, &mut service, &console)?;
    let backlog_after = service.count(BACKLOG_VIEW)?;
    let facts = facts_of(store.read()?, &backlog, &url)?;
    let report = Suite::recovery().only(["impact"])?.run(&facts, &Monotonic::start());
    drop(facts);
    let guardrails = Launcher::new(args.common.database_url.as_deref())
        .launched(report, &PacketFacts::default());
    let impact = Impact {
        database: url.to_string(),
        backlog_before,
        backlog_after,
        reduced_by: i64::try_from(backlog_before)? - i64::try_from(backlog_after)?,
        delta: i64::try_from(backlog_after)? - i64::try_from(backlog_before)?,
        seed,
        recover,
        guardrails,
    };
    console.json(&impact)?;
    if args.common.json.as_deref().is_none_or(|path| path.as_os_str() != "-") {
        console.data(format_args!(
            "Impact on {}\n  backlog  {} before, {} after, reduced by {}\n  matched  {} of {} tried\n\n{}",
            impact.database,
            count(backlog_before),
            count(backlog_after),
            impact.reduced_by,
            count(impact.recover.run.matched),
            count(impact.recover.run.claimed),
            text(&impact.guardrails, TextStyle::default()),
        ))?;
    }
    let verdicts = impact.guardrails.checks.iter().map(|check| check.verdict);
    Ok(match ExitPolicy::default().with_inconclusive_allowed(true).code(verdicts) {
        0 => Exit::Done,
        4 => Exit::CouldNotRun,
        _ => Exit::Failed,
    })
}
