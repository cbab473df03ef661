//! A night's job as one command: import → seed → wake → recover → guardrails → report, under one lock.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use guardrails::format;
use reference_runners::cli::{Common, EXIT_CODES, Exit, Failure, start};
use reference_runners::cycle::{CycleArgs, Outcome};
use reference_runners::files;
use reference_runners::night::NightLock;
use reference_runners::service::database_url;
use reference_runners::table::count;

/// Runs a night: imports the files or reads your tables (--map), seeds, wakes, recovers, checks, and writes a report and
/// a summary in Markdown for chat or mail.
///
/// One night runs at a time on a database: another ends at once with 4 and says who runs the first. A night that was stopped or killed is resumed by
/// running it again: what was committed is done, and the rest goes on.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    cycle: CycleArgs,
    /// Where the summary goes.
    #[arg(long, default_value_os_t = files::default_out_dir().join("night.md"), value_name = "MARKDOWN")]
    summary: PathBuf,
    /// The file that is locked while a night runs (left out: one beside a file of SQLite; on PostgreSQL the database
    /// is locked in any case).
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
}

fn main() -> ExitCode {
    start(run)
}

fn run(args: Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    let url = database_url(args.common.database_url.as_deref())?;
    files::AtomicFile::check(&args.summary)?;
    let _night = NightLock::take(&url, args.lock.as_deref())?;
    let outcome = args.cycle.run("run_night", &args.common, &console, None)?;
    let summary = summary(&outcome);
    files::write_atomic(&args.summary, summary.as_bytes())?;
    console.json(&outcome)?;
    if args.common.json.as_deref() != Some(Path::new("-")) {
        console.data(summary.trim_end())?;
    }
    Ok(outcome.exit())
}

/// What a person reads in the morning.
fn summary(outcome: &Outcome) -> String {
    let seed = &outcome.seed;
    let fewer = i128::from(outcome.backlog_before) - i128::from(outcome.backlog_after);
    let woken: u64 = outcome.imports.iter().map(|import| import.woken_total).sum();
    let mut lines = vec![
        format!(
            "# Night on {}: {}",
            outcome.database,
            if outcome.exit() == Exit::Done { "done" } else { "look at it" }
        ),
        String::new(),
        format!(
            "- backlog: {} before, {} after ({fewer} fewer)",
            count(outcome.backlog_before),
            count(outcome.backlog_after),
        ),
        format!(
            "- seed: {} arrived, {} reopened, {} withdrawn, {} leaks; {} woken by persons",
            count(seed.arrived),
            count(seed.reopened),
            count(seed.withdrawn),
            count(seed.leaks),
            count(woken),
        ),
        format!(
            "- recover: {} tried, {} matched",
            count(outcome.recover.run.claimed),
            count(outcome.matched)
        ),
    ];
    for import in &outcome.imports {
        lines.push(format!(
            "- import `{}`: {} rows, {} written, {} refused, {} removed",
            import.table.file.replace('`', "'"),
            count(import.table.rows_read_total),
            count(import.written_total),
            count(import.table.rows_refused_total),
            count(import.removed_total),
        ));
    }
    for failed in &outcome.failed {
        lines.push(format!("- {}: {} leads", failed.reason, count(failed.leads)));
    }
    let seconds: f64 = outcome.stages.iter().map(|stage| stage.seconds).sum();
    lines.push(format!("- took {seconds:.0} s; report: `{}`", outcome.report.display()));
    lines.push(String::new());
    guardrails::visible(&lines.join("\n")).into_owned()
        + "\n"
        + &format::markdown(&outcome.guardrails)
}
