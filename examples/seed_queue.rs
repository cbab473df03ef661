//! Brings the recovery queue in line with the backlog.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::process::ExitCode;

use clap::Parser;
use reference_runners::cli::{Common, EXIT_CODES, Exit, Failure, start};
use reference_runners::recovery;
use reference_runners::service::{BACKLOG_VIEW, MapArgs, SeedArgs, database_url};
use reference_runners::table::count;

/// Seeds the recovery queue from the backlog: new leads become pending, changed ones are tried again,
/// those that have left are withdrawn, and a matched lead that is still there is reported as a leak.
///
/// Seeding again on the same data changes nothing; run it hourly.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    map: MapArgs,
    /// The view or table with the leads of the red KPI: lead_source_pk, lead_date and, if it has them,
    /// lead_version and lead_priority.
    #[arg(long, default_value = BACKLOG_VIEW, value_name = "VIEW", conflicts_with = "map")]
    backlog: String,
    #[command(flatten)]
    seed: SeedArgs,
}

fn main() -> ExitCode {
    start(|args: Args| {
        let console = args.common.console()?;
        let url = database_url(args.common.database_url.as_deref())?;
        let backlog = args.map.backlog(&args.backlog, &url)?;
        let (mut store, mut service) = args.map.open(&url)?;
        let seed = service.seed(&mut store, &backlog, args.seed, "seed_queue", &console)?;
        for left_out in &seed.rejections {
            console.warn(format_args!("{}", recovery::left_out(left_out)));
        }
        console.json(&seed)?;
        if args.common.json.as_deref().is_none_or(|path| path.as_os_str() != "-") {
            console.data(format_args!(
                "Seeded {} from {}: {} leads in the backlog{}\n  {} {}, {} reopened, {} withdrawn, {} leaks ({} new)\n  \
                 {} duplicate rows, {} without a date, {} held by another backlog, {} left out",
                url,
                seed.backlog,
                count(seed.backlog_size),
                match seed.touched {
                    Some(leads) => format!(", {} of them or gone read, as changed", count(leads)),
                    None => String::new(),
                },
                count(seed.arrived),
                if seed.opening { "as the opening balance" } else { "arrived" },
                count(seed.reopened),
                count(seed.withdrawn),
                count(seed.leaks),
                count(seed.new_leaks),
                count(seed.duplicates),
                count(seed.undated),
                count(seed.held_elsewhere),
                count(seed.rejected),
            ))?;
        }
        Ok::<_, Failure>(Exit::Done)
    })
}
