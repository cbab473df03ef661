//! Turns each lead's group of joined rows into a decision.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::io;
use std::process::ExitCode;

use clap::Parser;
use reference_runners::at_scale::{
    DECISIONS, Decider, GroupReader, ReadingArgs, RowWriter, standard_input,
};
use reference_runners::cli::{EXIT_CODES, Exit, Failure, start};

/// Decides leads over rows that an engine has joined, by the rules of the policy and no others.
///
/// Rows in, rows out, no database: reads stdin, writes stdout, and holds one chunk of groups. The rows of a lead stand
/// together: the lead itself (part 0), how many persons hold each of its keys (part 1), and the persons that were
/// joined (part 2); leads are sorted by the bytes of their keys. Whatever does not fit (rows out of order, a group
/// cut short, keys under another secret, policy or version) ends the program with 4 and a message that names the row.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    reading: ReadingArgs,
    /// Decides so many leads at once; memory grows with their candidates.
    #[arg(long, default_value_t = 512, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    chunk: u16,
    /// Shows identifiers in evidence as they are; the decisions then are personal data.
    #[arg(long)]
    show_identifiers: bool,
}

fn main() -> ExitCode {
    start(|args: Args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = args.reading.console();
    let (policy, normaliser, seal) = args.reading.open()?;
    let format = args.reading.format;
    let rows = GroupReader::open(format, standard_input()?)?;
    let out = RowWriter::new(format, DECISIONS, io::stdout())?;
    let mut decider = Decider::new(normaliser, policy, seal, out, usize::from(args.chunk))?;
    if args.show_identifiers {
        decider = decider.showing_identifiers();
    }
    let leads = decider.run(rows)?;
    console.note(format_args!("{leads} leads decided"));
    Ok(Exit::Done)
}
