//! The main job, end to end: import → seed → recover → guardrails → metrics → HTML report.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use guardrails::format::{TextStyle, text};
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::cycle::{CycleArgs, Outcome};
use reference_runners::files;
use reference_runners::own::OwnColumns;
use reference_runners::sample;
use reference_runners::service::Import;
use reference_runners::table::{count, figures, share};
use reference_runners::tables::Tables;

/// Runs the identity loop once: import, seed, recover, guardrails, metrics, report.
///
/// With no flags it works on sample data that it makes itself, in ./out: 6,000 leads, 20,000 persons. Given CSV
/// files it imports them first; given neither files nor a database with leads, it falls back on the sample.
/// Running it again on the same data changes nothing.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    cycle: CycleArgs,
}

fn main() -> ExitCode {
    start(run)
}

fn run(args: Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    let outcome = args.cycle.run("recovery_cycle", &args.common, &console, Some(made))?;
    console.json(&outcome)?;
    if args.common.json.as_deref() != Some(Path::new("-")) {
        console.data(told(&outcome))?;
    }
    Ok(outcome.exit())
}

fn made(console: &Console, tables: &Tables) -> Result<Import, Failure> {
    console.note("no leads yet: sample data is made in out/sample (synthetic, from a fixed seed)");
    let sample = sample::write(&files::default_out_dir().join("sample"))?;
    let files = [&sample.leads, &sample.persons, &sample.claims];
    Import::open(tables, OwnColumns::default(), files.map(|file| Some(file.as_path())))
}

/// Tells a person what happened.
fn told(outcome: &Outcome) -> String {
    let mut told = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = writeln!(told, "{text}");
    };
    line(format_args!("Recovery cycle on {}", outcome.database));
    for import in &outcome.imports {
        line(format_args!(
            "  import   {}: {} rows read, {} written, {} refused",
            import.table.file,
            count(import.table.rows_read_total),
            count(import.written_total),
            count(import.table.rows_refused_total),
        ));
    }
    let seed = &outcome.seed;
    line(format_args!(
        "  seed     {} arrived, {} reopened, {} withdrawn, {} leaks; {} woken by new persons",
        count(seed.arrived),
        count(seed.reopened),
        count(seed.withdrawn),
        count(seed.leaks),
        count(outcome.imports.iter().map(|import| import.woken_total).sum()),
    ));
    line(format_args!(
        "  recover  {} tried, {} matched",
        count(outcome.recover.run.claimed),
        count(outcome.matched)
    ));
    line(format_args!(
        "\nBacklog    before {}, after {}: {}",
        count(outcome.backlog_before),
        count(outcome.backlog_after),
        if outcome.backlog_after == outcome.backlog_before
            && !seed.changed()
            && outcome.recover.run.claimed == 0
        {
            "nothing had changed since the last run".to_owned()
        } else {
            format!("{} fewer", count(outcome.backlog_before.saturating_sub(outcome.backlog_after)))
        },
    ));
    let links = outcome.links.values().sum();
    if links > 0 {
        let rows = outcome
            .links
            .iter()
            .map(|(rule, &leads)| [rule.clone(), count(leads), share(leads, links)]);
        line(format_args!("\nLinked leads by rule\n{}", figures(["rule", "leads", "share"], rows)));
    }
    if outcome.failed_total > 0 {
        let rows = outcome.failed.iter().map(|row| {
            [row.reason.clone(), count(row.leads), share(row.leads, outcome.failed_total)]
        });
        line(format_args!(
            "\nFailed leads by reason\n{}",
            figures(["reason", "leads", "share"], rows)
        ));
    }
    line(format_args!("\n{}", text(&outcome.guardrails, TextStyle::default())));
    line(format_args!("\nLast days"));
    let days = outcome.daily_metrics.iter().map(|day| {
        [
            day.date.to_string(),
            day.backlog_start.to_string(),
            day.new_backlog_in.to_string(),
            day.matched_out.to_string(),
            day.other_out.to_string(),
            day.backlog_end.to_string(),
        ]
    });
    line(format_args!("{}", figures(["day", "start", "in", "matched", "other out", "end"], days)));
    line(format_args!("\nReport: {}", outcome.report.display()));
    told
}
