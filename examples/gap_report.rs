//! Catalogue and values → how the gaps stand: by scope, since when, whose, and how they go down.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::Utc;
use clap::Parser;
use kpi_gap_queue::html::GapPage;
use kpi_gap_queue::{ReportStatus, ScopeTotals};
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::files;
use reference_runners::packets::{Built, QueueArgs, write_queue};
use reference_runners::runs::{self, Progress};
use reference_runners::standing::Standing;
use serde::Serialize;

/// Tells how the gaps stand: by scope and status, since when they are due, whose they are, and, with a file of
/// runs, what changed since the last one and when they are all closed; as text, JSON and a page with plots.
///
/// It writes nothing but what its flags name. Ends with 1 where no source or no KPI is expected.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    /// Keeps what this run found in this file, and tells what changed since the run before and how the gaps
    /// go down.
    #[arg(long, value_name = "JSONL")]
    runs: Option<PathBuf>,
    /// Writes one page with plots to this file, for a browser; it needs nothing else.
    #[arg(long, value_name = "HTML")]
    page: Option<PathBuf>,
    #[command(flatten)]
    queue: QueueArgs,
    #[command(flatten)]
    common: Common,
}

/// What a run found, for `--json`.
#[derive(Serialize)]
struct Found {
    generated_at: String,
    status: ReportStatus,
    scopes: Vec<ScopeTotals>,
    #[serde(flatten)]
    standing: Standing,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
}

fn main() -> ExitCode {
    start(run)
}

fn run(args: Args) -> Result<Exit, Failure> {
    let Args { runs: kept, page, queue: args, common } = args;
    let console = common.console()?;
    let values = args.values_to_read(&common, &console)?;
    let Built { at, queue, exit, .. } = args.build(&values, Utc::now(), &console)?;
    write_queue(&args, &queue, at)?;
    // Last of what can fail, so that a run that could not be carried out is not kept.
    let progress = kept.map(|path| runs::record(&path, &queue, at)).transpose()?;
    if let Some(path) = page {
        let mut page = GapPage::new(&queue, at);
        if let Some(progress) = &progress {
            page = page
                .runs(&progress.burn_down, progress.difference.as_ref())
                .time_to_drain(&progress.time_to_drain);
        }
        files::write_atomic(&path, page.render().as_bytes())?;
    }
    let status = queue.report_status();
    let found = Found {
        generated_at: at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        status,
        scopes: queue.scope_totals(),
        standing: Standing::new(&queue, at.date_naive()),
        progress,
    };
    console.json(&found)?;
    if common.json.as_deref() != Some(Path::new("-")) {
        tell(&found, &console)?;
    }
    let failed = if status == ReportStatus::Failed { Exit::Failed } else { Exit::Done };
    Ok(exit.and(failed))
}

/// Prints how the gaps stand, for a person.
fn tell(found: &Found, console: &Console) -> Result<(), Failure> {
    console.data(format_args!("gaps: {}", found.status))?;
    for scope in &found.scopes {
        let counts = scope.pairs_by_status.iter().filter(|(_, total)| *total > 0);
        let counts: Vec<String> =
            counts.map(|(status, total)| format!("{total} {status}")).collect();
        console.data(format_args!("  {}: {}", scope.scope, counts.join(", ")))?;
    }
    let owed = |source: &&reference_runners::standing::SourceStanding| {
        source.kpis_covered_total < source.kpis_expected.len() as u64
    };
    for source in found.standing.sources.iter().filter(owed) {
        console.data(format_args!(
            "  {} {}: {} of {} KPIs have a value{}",
            source.sanction_source_id,
            source.scope,
            source.kpis_covered_total,
            source.kpis_expected.len(),
            source.age_days.map(|days| format!(", due for {days} days")).unwrap_or_default(),
        ))?;
    }
    found.standing.tell(console)?;
    found.progress.as_ref().map_or(Ok(()), |progress| progress.tell(console))
}
