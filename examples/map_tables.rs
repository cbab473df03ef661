//! Tables of the operator's own: a mapping to begin with, and what a mapping means in a database.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use identity_matching::Region;
use reference_runners::cli::{Common, EXIT_CODES, Exit, Failure, start};
use reference_runners::people;
use reference_runners::service::{CheckedMap, MapArgs, database_url};
use reference_runners::table::{count, figures};

/// Maps tables of your own, so that every runner works on them and no file is imported.
///
/// Without flags it prints a mapping to begin with. --check reads your database and says, column by column, what was
/// understood, with counts; it changes nothing. --apply makes what the runners keep for themselves: the queue's tables
/// and, where no backlog view is named, a view of it; all of it in schema recovery on PostgreSQL, and nothing in yours.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    map: MapArgs,
    /// Says what was understood of each table and column; reads only.
    #[arg(long, requires = "map", conflicts_with = "apply")]
    check: bool,
    /// Makes what is pending in the queue's namespace, as the role that is to own it.
    #[arg(long, requires = "map")]
    apply: bool,
    /// The region that reads local phones and documents.
    #[arg(long, default_value = "PE", value_name = "CODE")]
    region: Region,
    /// The matching policy, as TOML or JSON (left out: the default).
    #[arg(long, value_name = "FILE")]
    policy: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    start(|args: Args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    if !args.check && !args.apply {
        console.data(include_str!("data/map.toml").trim_end())?;
        return Ok(Exit::Done);
    }
    let url = database_url(args.common.database_url.as_deref())?;
    if args.apply {
        let (_, service) = args.map.open(&url)?;
        drop(service);
        console.data(format_args!("{url}: the queue's namespace is up to date"))?;
        return Ok(Exit::Done);
    }
    let policy = people::read_policy(args.policy.as_ref())?;
    let normaliser = people::read_by(&policy, args.region)?;
    if let Some(map) = args.map.read()? {
        map.check_kinds(&normaliser)?;
    }
    let checked = args.map.open_to_read(&url)?.check_map(&normaliser)?;
    console.json(&checked)?;
    if args.common.json.as_deref() != Some(Path::new("-")) {
        console.data(told(&checked).trim_end())?;
    }
    Ok(Exit::Done)
}

fn told(checked: &CheckedMap) -> String {
    use std::fmt::Write as _;
    let mut told = String::new();
    for table in &checked.tables {
        // Writing to a string cannot fail.
        let _ =
            writeln!(told, "[{}] {}: {} rows", table.section, table.table, count(table.rows_total));
        let rows = table.columns.iter().map(|column| {
            [
                column.means.clone(),
                column.column.clone(),
                column.kind.clone(),
                count(column.filled_total),
                column.read_total.map(count).unwrap_or_default(),
            ]
        });
        let _ = writeln!(told, "{}", figures(["means", "column", "type", "filled", "read"], rows));
    }
    let _ = match checked.backlog_total {
        Some(leads) => writeln!(told, "backlog {}: {} leads", checked.backlog, count(leads)),
        None => writeln!(
            told,
            "backlog {}: made by map_tables --apply or the first seed, from the leads with neither link nor claim",
            checked.backlog
        ),
    };
    for warning in &checked.warnings {
        let _ = writeln!(told, "note: {warning}");
    }
    told
}
