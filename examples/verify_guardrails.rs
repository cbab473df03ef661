//! The guardrails: the suite on one consistent read, in any format.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use guardrails::clock::Monotonic;
use guardrails::facts::{Facts as _, Tables};
use guardrails::format::{self, TextStyle};
use guardrails::history::file as history_file;
use guardrails::packets::{PacketFacts as Packets, WithPackets};
use guardrails::page::{LeadFigures, Page};
use guardrails::recovery::RecoveryFacts;
use guardrails::{ExitPolicy, Suite, SuiteReport, Verdict};
use recovery_queue::{BookFacts, DatabaseUrl, OpenOptions, SqlStore};
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::files;
use reference_runners::guards::{
    Launcher, PacketFacts, books_of, facts_of_readers, is_usable, recovery_suite, shown,
    write_work_list,
};
use reference_runners::service::{BACKLOG_VIEW, MapArgs, database_url};

/// Runs the guardrails on one consistent read of the database; it writes nothing to it.
///
/// Built-in checks: drain, origin_missing, source_pk_consistency, identity_link_integrity,
/// single_migration_head, ledger_balance, impact, throughput, packets_complete.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    map: MapArgs,
    /// Runs these checks only; tag:NAME stands for all with that tag.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    only: Vec<String>,
    /// Leaves out these checks; tag:NAME stands for all with that tag.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    without: Vec<String>,
    /// Takes checks of tables, queries, thresholds, owners and tags from a TOML file.
    #[arg(long, value_name = "TOML")]
    suite: Option<PathBuf>,
    /// Sets a variable of the suite file, in the place of its own value.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable, requires = "suite")]
    variables: Vec<(String, String)>,
    /// Prints the suite with every setting in force, as the TOML that --suite reads, and evaluates nothing.
    #[arg(long)]
    print_suite: bool,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Where the report goes (left out: stdout).
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exits with 2 on a warning.
    #[arg(long)]
    warnings_as_exit: bool,
    /// Exits with 0 where a check had nothing to judge.
    #[arg(long)]
    allow_inconclusive: bool,
    /// Lists at most this many offenders per check; totals stay exact.
    #[arg(long, value_name = "N")]
    list: Option<usize>,
    /// Appends the verdicts to this file and tells which checks passed before and do not now.
    #[arg(long, value_name = "JSONL")]
    history: Option<PathBuf>,
    /// Trims the history to this many reports; baselines and the latest stay.
    #[arg(long, value_name = "N", requires = "history")]
    keep: Option<usize>,
    /// Writes the failed leads, each with its reason and what it lacks, to this file.
    #[arg(long, value_name = "CSV")]
    work_list: Option<PathBuf>,
    #[command(flatten)]
    packets: PacketFacts,
    /// The view that holds the backlog.
    #[arg(long, default_value = BACKLOG_VIEW, value_name = "VIEW", conflicts_with = "map")]
    backlog: String,
    /// The time zone in which days are counted, such as America/Lima.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: chrono_tz::Tz,
}

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Junit,
    Sarif,
    Openmetrics,
    Markdown,
    Html,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("give it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    start(|args: Args| run(&args))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    // What is wrong with the suite is told before anything is opened.
    let declared: Suite<dyn Whole> = suite(args)?;
    if args.print_suite {
        console.data(declared.to_toml().trim_end())?;
        return Ok(Exit::Done);
    }
    let history = args.history.as_deref().map(history_file::read).transpose()?.unwrap_or_default();
    let url = database_url(args.common.database_url.as_deref())?.read_only();
    if let DatabaseUrl::Sqlite(path) = &url {
        // It says what is missing, and what to do; a check looks and makes nothing.
        files::open(path)?;
    }
    let mut store = SqlStore::open(&url, OpenOptions::default())?;
    let backlog = args.map.backlog(&args.backlog, &url)?;
    let queue_view = store.view_name("recovery_queue");
    let refused = !is_usable(&store.migration_status()?);
    let (report, figures) = if refused {
        // The books of the migrations can be read where nothing else may be.
        let books = BookFacts::read(&mut store, &books_of(&backlog, &url)?)?;
        (suite(args)?.run(&WithPackets::new(books, None), &Monotonic::start()), None)
    } else {
        let (facts, others) = facts_of_readers(&mut store, &backlog, &url, args.time_zone)?;
        let as_of = facts.snapshot().as_of;
        if let Some(file) = &args.work_list {
            let listed = write_work_list(file, &facts, &queue_view, &url)?;
            console.note(format_args!("{}: {listed} failed leads", file.display()));
        }
        // The packets lie in files, the rest in the database.
        let packets = args.packets.read(&args.common, as_of, &console)?;
        let others = others.into_iter();
        let mut others: Vec<_> =
            others.map(|facts| WithPackets::new(facts, packets.clone())).collect();
        let mut facts = WithPackets::new(facts, packets);
        let suite = shown(suite(args)?, console.bars());
        let report = suite.run_on_readers(&mut facts, &mut others, &Monotonic::start());
        let shown = args.format == Format::Html;
        (report, shown.then(|| LeadFigures::read(&facts)).transpose()?)
    };
    let launcher = Launcher::new(args.common.database_url.as_deref());
    let report = launcher.launched(report.compared_with(&history), &args.packets);
    let rendered = if args.format == Format::Html {
        let past = history.of_suite(&report.suite).cloned().collect();
        let page = Page::new("Guardrails", report.clone()).history(past);
        match figures {
            Some(figures) => page.leads(figures.time_zone(args.time_zone.name())).html(),
            None => page.html(),
        }
    } else {
        rendered(&report, args.format, args.output.is_none())?
    };

    match &args.output {
        Some(file) => files::write_atomic(file, rendered.as_bytes())?,
        None => console.data(rendered.trim_end())?,
    }
    console.json(&report)?;
    if let Some(file) = &args.history {
        history_file::append(file, &report)?;
        if let Some(keep) = args.keep {
            history_file::trim(file, keep)?;
        }
    }
    tell_errors(&report, &console);
    let policy = ExitPolicy::default()
        .with_warnings_as_exit(args.warnings_as_exit)
        .with_inconclusive_allowed(args.allow_inconclusive);
    Ok(match report.exit_code(policy) {
        0 => Exit::Done,
        1 => Exit::Failed,
        2 => Exit::Warned,
        3 => Exit::Inconclusive,
        _ => Exit::CouldNotRun,
    })
}

/// Names the checks that could not be evaluated, those of one reason together.
fn tell_errors(report: &SuiteReport, console: &Console) {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for check in report.checks.iter().filter(|check| check.verdict == Verdict::Error) {
        let reason = check.reason.as_deref().unwrap_or("no reason");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, checks)) => checks.push(&check.assertion),
            None => reasons.push((reason, vec![&check.assertion])),
        }
    }
    for (reason, checks) in reasons {
        console.warn(format_args!("{} could not be evaluated: {reason}", checks.join(", ")));
    }
}

/// Whatever the checks of this runner read.
trait Whole: RecoveryFacts + Tables + Packets {}

impl<F: RecoveryFacts + Tables + Packets> Whole for F {}

fn suite<F: RecoveryFacts + Tables + Packets + ?Sized>(args: &Args) -> Result<Suite<F>, Failure> {
    let built_in = || Ok::<_, Failure>(recovery_suite()?.and(Suite::packets())?);
    let mut suite = match &args.suite {
        Some(file) => declared(file, built_in()?, args)?,
        None if args.only.is_empty() && !args.packets.are_given() => recovery_suite()?,
        None => built_in()?,
    };
    if !args.only.is_empty() {
        suite = suite.only(&args.only)?;
    }
    suite = suite.without(&args.without)?;
    Ok(match args.list {
        Some(list) => suite.list(list),
        None => suite,
    })
}

fn declared<F: Tables + ?Sized>(
    file: &Path,
    built_in: Suite<F>,
    args: &Args,
) -> Result<Suite<F>, Failure> {
    let text = files::text(file)?;
    let variables = args.variables.iter().cloned().collect();
    // Packets are in the suite of a file only where it names them or a folder is given.
    let built_in = if args.packets.are_given() || text.contains("packets_complete") {
        built_in
    } else {
        built_in.without(["packets_complete"])?
    };
    Suite::from_toml(&text, built_in, &variables).map_err(|error| {
        let failure = Failure::from(error);
        Failure::new(format_args!("{}: {failure}", file.display()))
            .remedy("correct the file at that place; nothing was evaluated")
    })
}

fn rendered(report: &SuiteReport, format: Format, terminal: bool) -> Result<String, Failure> {
    Ok(match format {
        // Escapes are taken out again where stdout is no terminal.
        Format::Text => format::text(report, TextStyle::default().colour(terminal)),
        Format::Json => format::json(report)?,
        Format::Junit => format::junit(report)?,
        Format::Sarif => format::sarif(report)?,
        Format::Openmetrics => format::openmetrics(report),
        Format::Markdown => format::markdown(report),
        Format::Html => Page::new("Guardrails", report.clone()).html(),
    })
}
