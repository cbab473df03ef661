//! Turns each lead's group of joined rows into a decision.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use identity_matching::Region;
use reference_runners::at_scale::{
    DECISIONS, Decider, Format, GROUPS, RowReader, RowWriter, SecretArgs,
};
use reference_runners::cli::{Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::people;

/// Decides leads over rows that an engine has joined, by the rules of the policy and no others.
///
/// Rows in, rows out, no database: reads stdin, writes stdout, and holds one chunk of groups. The rows of a lead stand
/// together: the lead itself (part 0), how many persons hold each of its keys (part 1), and the persons that were
/// joined (part 2); leads are sorted by the bytes of their keys. Whatever does not fit (rows out of order, a group
/// cut short, keys under another secret, policy or version) ends the program with 4 and a message that names the row.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    /// How rows are read and written.
    #[arg(long, default_value = "csv", value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    secret: SecretArgs,
    /// The region that reads local phones and documents.
    #[arg(long, default_value = "PE", value_name = "CODE")]
    region: Region,
    /// The policy, as TOML or JSON (left out: the default).
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Decides so many leads at once; memory grows with their candidates.
    #[arg(long, default_value_t = 512, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    chunk: u16,
    /// Shows identifiers in evidence as they are; the decisions then are personal data.
    #[arg(long)]
    show_identifiers: bool,
    /// Prints no messages on stderr; errors still appear.
    #[arg(long, short)]
    quiet: bool,
}

fn main() -> ExitCode {
    start(|args: Args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = Console::new(args.quiet);
    let policy = people::read_policy(args.policy.as_ref())?;
    let seal = args.secret.seal()?;
    let normaliser = people::read_by(&policy, args.region)?;
    let rows = RowReader::new(args.format, GROUPS, io::stdin())?;
    let out = RowWriter::new(args.format, DECISIONS, io::stdout())?;
    let mut decider = Decider::new(normaliser, policy, seal, out, usize::from(args.chunk))?;
    if args.show_identifiers {
        decider = decider.showing_identifiers();
    }
    let leads = decider.run(rows)?;
    console.note(format_args!("{leads} leads decided"));
    Ok(Exit::Done)
}
