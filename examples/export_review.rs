//! Unresolved leads → review packets: what the matcher may not decide goes to people.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use reference_runners::cli::{Common, EXIT_CODES, Exit, Failure, start};
use reference_runners::review::{self, ExportArgs, Reading};
use reference_runners::service::database_url;

/// Writes the leads that failed and that a person can decide as packets to fill in, the oldest first, of one day the
/// surest: each with its candidates side by side, what agrees, what differs, and what stopped the program.
///
/// Identifiers are masked unless --full is given. Fill in the decision (link, none of these, new person, later) with
/// person_key, comment and decided_by, and take the packets back with load_review.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    export: ExportArgs,
    #[command(flatten)]
    reading: Reading,
}

fn main() -> ExitCode {
    start(|args: Args| {
        let console = args.common.console()?;
        let url = database_url(args.common.database_url.as_deref())?;
        let (mut store, mut service) = args.reading.map.open(&url)?;
        let done = review::export(&args.export, &args.reading, &mut store, &mut service, &console)?;
        console.json(&done)?;
        if args.common.json.as_deref() != Some(Path::new("-")) {
            console.data(format_args!(
                "{} cases in {} packets; {} are with a reviewer already, {} come back later",
                done.cases_total,
                done.packets.len(),
                done.out_already_total,
                done.put_off_total,
            ))?;
            for packet in &done.packets {
                let of = packet.reviewer.as_ref().map(|name| format!(" for {name}"));
                console.data(format_args!(
                    "  {}: {} cases{}",
                    packet.file.display(),
                    packet.cases_total,
                    of.unwrap_or_default(),
                ))?;
            }
        }
        Ok::<_, Failure>(Exit::Done)
    })
}
