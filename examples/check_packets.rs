//! Returned packets → readiness, what to fix first, and why, to the cell.

use std::process::ExitCode;

use chrono::Utc;
use clap::Parser;
use raw_packets::{LeftOutRecord, MetricSink as _, ReadinessReport};
use reference_runners::cli::{Common, EXIT_CODES, Exit, Failure, start};
use reference_runners::returned::{ReturnArgs, any_refused, tell};
use serde::Serialize;

/// Checks returned packets against what was asked for; nothing is loaded.
///
/// Ends with 0 where no returned packet is refused, also while some are missing or not filled in yet;
/// with 5 where one is refused; with `--strict-ready` with 1 unless every packet is ready.
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    returned: ReturnArgs,
    #[command(flatten)]
    common: Common,
}

/// What a run found, for `--json`: the report, and what earlier partial loads left out.
#[derive(Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    report: &'a ReadinessReport,
    left_out_earlier: Vec<LeftOutRecord>,
}

fn main() -> ExitCode {
    start(run)
}

fn run(args: Args) -> Result<Exit, Failure> {
    let Args { returned, common } = args;
    let console = common.console()?;
    let mut values = returned.packets.queue.values_to_read(&common, &console)?;
    let planned = returned.packets.plan(&values, Utc::now(), &console)?;
    let checked = returned.check(&planned)?;
    let report = checked.report(planned.at);
    returned.write(&planned, &checked, &report)?;
    returned.write_summary(&planned, &report, None::<&()>)?;
    let found = Found { report: &report, left_out_earlier: values.left_out()? };
    console.json(&found)?;
    tell(&checked, &report, &console)?;

    let refused = if any_refused(&checked) { Exit::RowsRefused } else { Exit::Done };
    let ready = !returned.strict_ready || checked.is_ready();
    let ready = if ready { Exit::Done } else { Exit::Failed };
    Ok(planned.outcome(&returned.packets).and(refused).and(ready))
}
