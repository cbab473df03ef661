//! Drains the recovery queue: claims, matches and settles the pending leads.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use recovery_queue::Stopped;
use reference_runners::at_scale::SecretArgs;
use reference_runners::cli::{Common, EXIT_CODES, Exit, Failure, start};
use reference_runners::recovery::Recovery;
use reference_runners::service::database_url;
use reference_runners::table::{count, figures, share};

/// Recovers the pending leads of the queue: each is matched to a person, or fails with its reason.
///
/// A run that is stopped or killed is taken up by the next one: what was committed is done, the rest is pending.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    recovery: Recovery,
    /// Settles leads by the decisions of this file, which decide wrote, or of a table or view of this database that holds
    /// its columns (TABLE or SCHEMA.TABLE), and matches nobody itself; a lead that has changed since, and one that is not
    /// among the decisions, stays pending.
    #[arg(long, value_name = "FILE|TABLE")]
    decided: Option<PathBuf>,
    #[command(flatten)]
    secret: SecretArgs,
}

fn main() -> ExitCode {
    start(|args: Args| {
        let console = args.common.console()?;
        let url = database_url(args.common.database_url.as_deref())?;
        args.recovery.check()?;
        let (mut store, mut service) = args.recovery.map.open(&url)?;
        let (by, recovery) = ("recover_leads", &args.recovery);
        let (run, exit) = match &args.decided {
            Some(path) => {
                let decided = (path.as_path(), args.secret.seal()?);
                recovery.run_decided(by, &url, &mut store, &mut service, decided, &console)?
            }
            None => (recovery.run(by, &url, &mut store, &mut service, &console)?, Exit::Done),
        };
        console.json(&run)?;
        let run = run.run;
        if args.common.json.as_deref().is_none_or(|path| path.as_os_str() != "-") {
            let rows = std::iter::once(("matched", run.matched))
                .chain(run.failed.iter().map(|(reason, leads)| (reason.code(), *leads)))
                .chain([("withdrawn", run.withdrawn), ("put off", run.retried)])
                .filter(|(_, leads)| *leads > 0)
                .map(|(what, leads)| [what.to_owned(), count(leads), share(leads, run.claimed)]);
            console.data(format_args!(
                "Run {} on {}: {} leads in {} batches{}\n{}",
                run.run_id,
                url,
                count(run.claimed),
                count(run.batches),
                if run.stopped == Stopped::Limit { ", as many as asked for" } else { "" },
                figures(["outcome", "leads", "share"], rows),
            ))?;
        }
        Ok::<_, Failure>(exit)
    })
}
