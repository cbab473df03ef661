//! Review packets → decisions: checked to the cell, applied in one transaction, undone by the load's id.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::path::Path;
use std::process::ExitCode;

use chrono::Utc;
use clap::Parser;
use recovery_queue::Decider;
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::review::{self, LoadArgs, Loaded, Reading};
use reference_runners::service::database_url;

/// Loads the decisions of returned review packets: every row well, or nothing is loaded.
///
/// Loading the same packets again changes nothing. A decision on a lead whose data, candidates or policy changed since,
/// or that was matched since, is stale: it is listed and not applied. Ends with 1 where a row is wrong and nothing was
/// loaded; with --accept-valid with 5 where rows stayed out.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    reading: Reading,
    /// Undoes a load instead, of packets or claims, by the id that it was given: every lead stands where it stood.
    #[arg(long, value_name = "LOAD", conflicts_with_all = ["accept_valid", "dry_run", "claims"])]
    undo: Option<String>,
    /// Makes links of the claims that name a lead and a person, instead of reading packets.
    #[arg(long, conflicts_with_all = ["accept_valid", "dry_run"])]
    claims: bool,
    /// Why a load is undone, or claims are taken as links; kept in the history.
    #[arg(long, value_name = "TEXT", default_value = "by load_review")]
    why: String,
}

/// How many findings are printed; --json has them all.
const LISTED: usize = 50;

fn main() -> ExitCode {
    start(|args: Args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    let url = database_url(args.common.database_url.as_deref())?;
    let (mut store, mut service) = args.reading.map.open(&url)?;
    let decider = Decider { by: &args.load.by, reason: &args.why };
    if let Some(load) = &args.undo {
        let undone = review::undo(load, decider, &mut service, false)?;
        console.json(&undone)?;
        console.data(format_args!(
            "undone {load}: {} decisions, {} leads stand where they stood, {} pairs are no longer rejected",
            undone.reviews, undone.restored, undone.allowed_pairs,
        ))?;
        return Ok(Exit::Done);
    }
    if args.claims {
        let done = review::claims(decider, &mut service)?;
        console.json(&done)?;
        console.data(format_args!(
            "{}{} claims became links, {} were links already",
            done.load.as_ref().map(|load| format!("loaded {load}: ")).unwrap_or_default(),
            done.linked_total,
            done.unchanged_total,
        ))?;
        for (claim, why) in &done.refused {
            console.warn(format_args!("claim {claim} was not taken: {why}"));
        }
        return Ok(if done.refused.is_empty() { Exit::Done } else { Exit::RowsRefused });
    }
    let done = review::load(&args.load, &args.reading, &mut store, &mut service, Utc::now())?;
    console.json(&done)?;
    tell(args, &done, &console)?;
    Ok(match (done.errors_total, done.loaded) {
        (0, _) => Exit::Done,
        (_, true) => Exit::RowsRefused,
        (_, false) => Exit::Failed,
    })
}

fn tell(args: &Args, done: &Loaded, console: &Console) -> Result<(), Failure> {
    for finding in done.findings.iter().take(LISTED) {
        if finding.is_error() { console.warn(finding) } else { console.note(finding) }
    }
    if done.findings.len() > LISTED {
        console
            .note(format_args!("… and {} more; --json has them all", done.findings.len() - LISTED));
    }
    if args.common.json.as_deref() == Some(Path::new("-")) {
        return Ok(());
    }
    let receipt = &done.receipt;
    if !done.loaded {
        return console.data(format_args!(
            "nothing is loaded: {} cells are wrong, {} decisions are stale; mend them, or load the rest with --accept-valid",
            done.errors_total, done.stale_total,
        ));
    }
    console.data(format_args!(
        "{}{}: {} linked, {} to new persons, {} are none of their candidates, {} come back later; {} corrected; {} wait for a second \
         reviewer, {} disagree, {} were loaded before; {} rows blank",
        if args.load.dry_run { "would load" } else { "loaded" },
        receipt.load.as_ref().map(|load| format!(" {load}")).unwrap_or_default(),
        receipt.linked,
        receipt.new_persons,
        receipt.none_of_these,
        receipt.later,
        receipt.corrected,
        receipt.waiting,
        receipt.disagreeing,
        receipt.unchanged,
        done.unanswered_total,
    ))
}
