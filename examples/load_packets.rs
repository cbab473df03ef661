//! The strict cycle: plan → check → KPI rows → one transaction, all packets or none.

use std::process::ExitCode;

use chrono::Utc;
use clap::Parser;
use raw_packets::{
    Accept, Effect, LeftOut, LoadId, LoadReceipt, LoadStamp, MetricSink, ReadinessReport, Run,
    UndoReceipt,
};
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::returned::{ReturnArgs, tell};
use serde::Serialize;

/// Loads returned packets as KPI values: every packet valid, or nothing is loaded.
///
/// Loading the same packets again changes nothing. Ends with 1 where a packet is not ready and nothing
/// was loaded; with `--accept-valid` with 5 where packets stayed out.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    /// Runs the whole cycle and tells what it would do, but writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Loads the packets that are ready, and records the others as left out: beside a CSV file in its
    /// `.history.jsonl`, in a database in the table `metric_left_out`; `check_packets --json` lists them.
    #[arg(long)]
    accept_valid: bool,
    /// Names who loads, in the history of every value.
    #[arg(long, value_name = "NAME", default_value = "load_packets")]
    loaded_by: String,
    /// Undoes a load instead, by the id that it was given.
    #[arg(long, value_name = "LOAD", conflicts_with_all = ["accept_valid", "dry_run"])]
    undo: Option<String>,
    #[command(flatten)]
    returned: ReturnArgs,
    #[command(flatten)]
    common: Common,
}

/// What a run did, for `--json`.
#[derive(Serialize)]
struct Outcome<'a> {
    dry_run: bool,
    #[serde(flatten)]
    readiness: &'a ReadinessReport,
    load: Option<Loaded<'a>>,
    left_out: &'a [LeftOut],
}

/// What a load did.
#[derive(Serialize)]
struct Loaded<'a> {
    inserted_total: usize,
    corrected_total: usize,
    unchanged_total: usize,
    #[serde(flatten)]
    receipt: &'a LoadReceipt,
}

fn main() -> ExitCode {
    start(run)
}

fn run(args: Args) -> Result<Exit, Failure> {
    let Args { dry_run, accept_valid, loaded_by, undo, returned, common } = args;
    let console = common.console()?;
    let mut values = returned.packets.queue.values_to_load(&common)?;
    let stamp = LoadStamp::new(loaded_by, Utc::now());
    if let Some(load) = undo {
        let receipt = values.undo(&LoadId::new(load), &stamp)?;
        return undone(&receipt, &console);
    }
    let planned = returned.packets.plan(&values, stamp.at, &console)?;
    let checked = returned.check(&planned)?;
    let report = checked.report(planned.at);
    returned.write(&planned, &checked, &report)?;
    tell(&checked, &report, &console)?;

    let accept = if accept_valid { Accept::Valid } else { Accept::All };
    let run = if dry_run { Run::Dry } else { Run::Commit };
    let load = match checked.load(accept, &stamp) {
        Ok(load) => load,
        Err(not_ready) => {
            console.warn(&not_ready);
            let outcome = Outcome { dry_run, readiness: &report, load: None, left_out: &[] };
            returned.write_summary(&planned, &report, None::<&()>)?;
            console.json(&outcome)?;
            return Ok(Exit::Failed);
        }
    };
    let receipt = values.load(&load, run)?;
    let loaded = Loaded {
        inserted_total: receipt.count(Effect::Inserted),
        corrected_total: receipt.count(Effect::Corrected),
        unchanged_total: receipt.count(Effect::Unchanged),
        receipt: &receipt,
    };
    let nothing = load.rows().is_empty();
    if nothing {
        console.data("nothing to load")?;
    } else {
        console.data(format_args!(
            "{} {}: {} values inserted, {} corrected, {} unchanged",
            if dry_run { "would load" } else { "loaded" },
            receipt.load_id,
            loaded.inserted_total,
            loaded.corrected_total,
            loaded.unchanged_total,
        ))?;
    }
    for packet in load.left_out() {
        console.warn(format_args!("left out: {} ({})", packet.packet, packet.status));
    }
    returned.write_summary(&planned, &report, Some(&loaded))?;
    let outcome =
        Outcome { dry_run, readiness: &report, load: Some(loaded), left_out: load.left_out() };
    console.json(&outcome)?;

    let left_out = if load.left_out().is_empty() { Exit::Done } else { Exit::RowsRefused };
    let ready = !returned.strict_ready || checked.is_ready();
    let ready = if ready { Exit::Done } else { Exit::Failed };
    Ok(planned.outcome(&returned.packets).and(left_out).and(ready))
}

fn undone(receipt: &UndoReceipt, console: &Console) -> Result<Exit, Failure> {
    console.data(format_args!(
        "undone {}: {} values removed, {} restored",
        receipt.load_id,
        receipt.removed.len(),
        receipt.restored.len(),
    ))?;
    console.json(receipt)?;
    Ok(Exit::Done)
}
