//! Catalogue and values → gap queue → one packet per source, ready to fill in.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::Utc;
use clap::Parser;
use raw_packets::edge::write_packets;
use raw_packets::{PacketSummary, RunStatus};
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::files;
use reference_runners::packets::{PacketArgs, Planned, write_queue};
use reference_runners::runs::{self, Progress};
use reference_runners::standing::Standing;
use serde::Serialize;

/// Writes one CSV packet for each source that owes KPI values, and a summary of what is missing.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    /// Keeps what this run found in this file, and tells what changed since the run before and how the
    /// gaps go down.
    #[arg(long, value_name = "JSONL")]
    runs: Option<PathBuf>,
    /// Prints what a packet asks for as JSON, to begin a template of one's own with; nothing else is done.
    #[arg(long)]
    print_template: bool,
    #[command(flatten)]
    packets: PacketArgs,
    #[command(flatten)]
    common: Common,
}

/// What a run found, for `--json`: the summary, how the queue stands, and what changed.
#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    summary: &'a PacketSummary,
    #[serde(flatten)]
    standing: Standing,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
}

fn main() -> ExitCode {
    start(run)
}

fn run(args: Args) -> Result<Exit, Failure> {
    let Args { runs: kept, print_template, packets, common } = args;
    let console = common.console()?;
    if print_template {
        packets.print_template(&console)?;
        return Ok(Exit::Done);
    }
    let values = packets.queue.values_to_read(&common, &console)?;
    let planned = packets.plan(&values, Utc::now(), &console)?;
    let summary = planned.plan.summary(planned.at, &packets.out_dir.display().to_string());

    // A failed queue asks for nothing; what is written then is the report that says so.
    if summary.status != RunStatus::Failed {
        let written = write_packets(&packets.out_dir, &planned.plan)?;
        for kept in &written.kept {
            console.warn(format_args!(
                "{}: kept, for it is not as it was issued; take it away to have it issued anew",
                kept.display()
            ));
        }
    }
    write_queue(&packets.queue, &planned.queue, planned.at)?;
    if let Some(path) = &packets.summary_out {
        let mut json = serde_json::to_vec_pretty(&summary)?;
        json.push(b'\n');
        files::write_atomic(path, &json)?;
    }
    // Last, so that a run that could not be carried out is not kept.
    let progress = kept.map(|path| runs::record(&path, &planned.queue, planned.at)).transpose()?;
    let standing = Standing::new(&planned.queue, planned.at.date_naive());
    let found = Found { summary: &summary, standing, progress };
    console.json(&found)?;
    if common.json.as_deref() != Some(Path::new("-")) {
        tell(&planned, &packets, &found, &console)?;
    }
    Ok(planned.outcome(&packets))
}

/// Prints the state of the queue and the packets, for a person.
fn tell(
    planned: &Planned,
    args: &PacketArgs,
    found: &Found<'_>,
    console: &Console,
) -> Result<(), Failure> {
    let totals = &planned.report.totals;
    console.data(format_args!(
        "gap queue: {}; {} of {} pairs ready, {} to act on, {} in the queue",
        planned.report.status,
        totals.pairs_ready_total,
        totals.expected_pairs_total,
        totals.actionable_pairs_total,
        totals.queue_rows_total,
    ))?;
    found.standing.tell(console)?;
    if let Some(progress) = &found.progress {
        progress.tell(console)?;
    }
    let counts = planned.plan.counts();
    console.data(format_args!(
        "packets: {} for {} actionable sources, in {}",
        counts.packets_emitted_total,
        counts.sources_actionable_total,
        args.out_dir.display(),
    ))?;
    for packet in planned.plan.packets() {
        let missing = packet.kpis_missing().len();
        console.data(format_args!("  {}: {missing} KPIs missing", packet.file_name()))?;
    }
    if counts.sources_skipped_missing_template_total > 0 {
        let skipped = counts.sources_skipped_missing_template_total;
        console.warn(format_args!(
            "{skipped} sources are expected but not in the catalogue and get no packet; add them to its `sources`"
        ));
    }
    Ok(())
}
