//! The main job, end to end: import → seed → recover → guardrails → metrics → HTML report.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::Days;
use clap::Parser;
use guardrails::clock::Monotonic;
use guardrails::format::{TextStyle, text};
use guardrails::page::{LeadFigures, Page};
use guardrails::recovery::QueueFacts;
use guardrails::recovery::RecoveryFacts;
use guardrails::{ExitPolicy, SuiteReport};
use recovery_queue::{DailyMetrics, QueueStore, SeedSummary, Snapshot};
use reference_runners::cli::{Common, EXIT_CODES, Exit, Failure, start};
use reference_runners::files::{self, AtomicFile};
use reference_runners::guards::{Launcher, PacketFacts, facts_of, recovery_suite};
use reference_runners::recovery::{Recovered, Recovery, Shrink};
use reference_runners::sample;
use reference_runners::service::{BACKLOG_VIEW, Import, ImportSummary, database_url};
use reference_runners::stages::{Stage, Stages};
use reference_runners::table::{count, figures, share};
use reference_runners::tables::TableArgs;
use reference_runners::unusable::ValueSection;
use serde::Serialize;

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
    recovery: Recovery,
    #[command(flatten)]
    shrink: Shrink,
    #[command(flatten)]
    tables: TableArgs,
    /// Leads to import: id, external_id, lead_created_at, phone, document, document_type, document_country,
    /// email, first_name, middle_name, last_name, birth_date, plate.
    #[arg(long, value_name = "CSV", conflicts_with = "map")]
    leads: Option<PathBuf>,
    /// Persons to import: person_key, phone, document, document_type, document_country, email, full_name,
    /// birth_date, plate; several rows may share a person_key.
    #[arg(long, value_name = "CSV", conflicts_with = "map")]
    persons: Option<PathBuf>,
    /// Claims to import: claim_id, person_key, source_pk.
    #[arg(long, value_name = "CSV", conflicts_with = "map")]
    claims: Option<PathBuf>,
    /// Where the report goes.
    #[arg(long, default_value_os_t = files::default_out_dir().join("recovery_report.html"), value_name = "HTML")]
    report: PathBuf,
    /// The time zone in which days are counted, such as America/Lima.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: chrono_tz::Tz,
}

/// What the run found and did, as `--json` writes it.
#[derive(Serialize)]
struct Outcome {
    database: String,
    imports: Vec<ImportSummary>,
    seed: SeedSummary,
    recover: Recovered,
    backlog_before: u64,
    backlog_after: u64,
    matched: u64,
    /// Links by the rule that decided, those of earlier runs included.
    links: BTreeMap<String, u64>,
    failed_total: u64,
    failed: Vec<Failed>,
    guardrails: SuiteReport,
    daily_metrics: Vec<DailyMetrics>,
    report: PathBuf,
    /// How long each stage took, in the order in which they ended.
    stages: Vec<Stage>,
}

/// The leads of the backlog that failed with one reason.
#[derive(Serialize)]
struct Failed {
    reason: String,
    leads: u64,
    share: f64,
}

fn main() -> ExitCode {
    start(run)
}

fn run(args: Args) -> Result<Exit, Failure> {
    let console = args.common.console()?;
    let url = database_url(args.common.database_url.as_deref())?;

    // What can be refused is refused before anything is written.
    let mut report_file = AtomicFile::create(&args.report)?;
    args.recovery.check()?;
    let files = [&args.leads, &args.persons, &args.claims].map(Option::as_deref);
    let tables = args.tables.open()?;
    let given = Import::open(&tables, files)?.allowing_shrink(args.shrink.allow_shrink);

    let mut stages = Stages::start(&console);
    let (mut store, mut service) = args.recovery.map.open(&url)?;
    stages.end("open");

    let keys = args.recovery.wake_keys(&mut service)?;
    let imports = if files.iter().any(Option::is_some) {
        service.import(given, &keys)?
    } else if service.table_map().is_none() && service.count("leads")? == 0 {
        console
            .note("no leads yet: sample data is made in out/sample (synthetic, from a fixed seed)");
        let sample = sample::write(&files::default_out_dir().join("sample"))?;
        let files = [&sample.leads, &sample.persons, &sample.claims];
        let sample = Import::open(&tables, files.map(|file| Some(file.as_path())))?;
        service.import(sample, &keys)?
    } else {
        Vec::new()
    };
    for import in &imports {
        import.tell(&console);
    }
    tables.finish()?;
    stages.end("import");

    let backlog = args.recovery.map.backlog(BACKLOG_VIEW, &url)?;
    let backlog_before = service.count(BACKLOG_VIEW)?;
    let seed = store.seed(&backlog, &args.shrink.seed_options("recovery_cycle"))?;
    stages.end("seed");

    let recover = args.recovery.run("recovery_cycle", &url, &mut store, &mut service, &console)?;
    stages.end("recover");

    // Verdicts, reasons, days and the report all come from one consistent read.
    let facts = facts_of(store.read()?, &backlog, &url)?.with_days(args.time_zone, 30);
    let report = recovery_suite()?.run(&facts, &Monotonic::start());
    let suite = Launcher::new(args.common.database_url.as_deref())
        .launched(report, &PacketFacts::default());
    stages.end("guardrails");
    let queue = facts.queue()?;
    let figures = LeadFigures::read(&facts)?.time_zone(args.time_zone.name());
    let values = ValueSection(recover.values.clone());
    let html = Page::new("Recovery cycle", suite.clone()).leads(figures).section(values).html();
    let mut snapshot = facts.into_snapshot();
    let today = snapshot.as_of().with_timezone(&args.time_zone).date_naive();
    let daily_metrics = snapshot.daily_metrics(today - Days::new(6), today, args.time_zone)?;
    let mut rules = BTreeMap::new();
    snapshot.links(&mut |link| *rules.entry(link.rule).or_default() += 1)?;
    drop(snapshot);
    report_file.write_all(html.as_bytes())?;
    report_file.commit()?;
    stages.end("report");

    let backlog_after = queue.backlog;
    let outcome = Outcome {
        database: url.to_string(),
        imports,
        seed,
        backlog_before,
        backlog_after,
        matched: recover.run.matched,
        links: rules,
        failed_total: queue.failed,
        failed: reasons(&queue),
        recover,
        guardrails: suite,
        daily_metrics,
        report: args.report,
        stages: stages.into_stages(),
    };
    console.json(&outcome)?;
    if args.common.json.as_deref() != Some(Path::new("-")) {
        console.data(outcome.told())?;
    }
    Ok(outcome.exit())
}

fn reasons(queue: &QueueFacts) -> Vec<Failed> {
    queue
        .reasons
        .iter()
        .map(|row| Failed {
            reason: row.reason.clone(),
            leads: row.leads,
            share: if queue.failed == 0 { 0.0 } else { row.leads as f64 / queue.failed as f64 },
        })
        .collect()
}

impl Outcome {
    /// Tells a person what happened.
    fn told(&self) -> String {
        let mut told = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| {
            // Writing to a string cannot fail.
            let _ = writeln!(told, "{text}");
        };
        line(format_args!("Recovery cycle on {}", self.database));
        for import in &self.imports {
            line(format_args!(
                "  import   {}: {} rows read, {} written, {} refused",
                import.table.file,
                count(import.table.rows_read_total),
                count(import.written_total),
                count(import.table.rows_refused_total),
            ));
        }
        let seed = &self.seed;
        line(format_args!(
            "  seed     {} arrived, {} reopened, {} withdrawn, {} leaks; {} woken by new persons",
            count(seed.arrived),
            count(seed.reopened),
            count(seed.withdrawn),
            count(seed.leaks),
            count(self.imports.iter().map(|import| import.woken_total).sum()),
        ));
        line(format_args!(
            "  recover  {} tried, {} matched",
            count(self.recover.run.claimed),
            count(self.matched)
        ));
        line(format_args!(
            "\nBacklog    before {}, after {}: {}",
            count(self.backlog_before),
            count(self.backlog_after),
            if self.backlog_after == self.backlog_before
                && !seed.changed()
                && self.recover.run.claimed == 0
            {
                "nothing had changed since the last run".to_owned()
            } else {
                format!("{} fewer", count(self.backlog_before.saturating_sub(self.backlog_after)))
            },
        ));
        let links = self.links.values().sum();
        if links > 0 {
            let rows = self
                .links
                .iter()
                .map(|(rule, &leads)| [rule.clone(), count(leads), share(leads, links)]);
            line(format_args!(
                "\nLinked leads by rule\n{}",
                figures(["rule", "leads", "share"], rows)
            ));
        }
        if self.failed_total > 0 {
            let rows = self.failed.iter().map(|row| {
                [row.reason.clone(), count(row.leads), share(row.leads, self.failed_total)]
            });
            line(format_args!(
                "\nFailed leads by reason\n{}",
                figures(["reason", "leads", "share"], rows)
            ));
        }
        line(format_args!("\n{}", text(&self.guardrails, TextStyle::default())));
        line(format_args!("\nLast days"));
        let days = self.daily_metrics.iter().map(|day| {
            [
                day.date.to_string(),
                day.backlog_start.to_string(),
                day.new_backlog_in.to_string(),
                day.matched_out.to_string(),
                day.other_out.to_string(),
                day.backlog_end.to_string(),
            ]
        });
        line(format_args!(
            "{}",
            figures(["day", "start", "in", "matched", "other out", "end"], days)
        ));
        line(format_args!("\nReport: {}", self.report.display()));
        told
    }

    /// A guardrail that fails fails the run; one with nothing to judge does not.
    fn exit(&self) -> Exit {
        let verdicts = self.guardrails.checks.iter().map(|check| check.verdict);
        let judged = match ExitPolicy::default().allow_inconclusive(true).code(verdicts) {
            0 => Exit::Done,
            4 => Exit::CouldNotRun,
            _ => Exit::Failed,
        };
        self.imports.iter().map(ImportSummary::exit).fold(judged, Exit::and)
    }
}
