//! The identity loop once, end to end: import → seed → wake → recover → guardrails → metrics → report.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use guardrails::page::Page;
use guardrails::{ExitPolicy, SuiteReport};
use recovery_queue::{DailyMetrics, SeedSummary};
use serde::Serialize;

use crate::cli::{Common, Console, Exit, Failure};
use crate::files::{self, AtomicFile};
use crate::guards::{Launcher, PacketFacts};
use crate::judging::{Judged, Judgement};
use crate::recovery::{Recovered, Recovery};
use crate::service::{BACKLOG_VIEW, Import, ImportSummary, SeedArgs, database_url};
use crate::stages::{Stage, Stages};
use crate::tables::{TableArgs, Tables};
use crate::unusable::ValueSection;

/// Makes data where there is none, and opens it for an import.
pub type MakeSample = fn(&Console, &Tables) -> Result<Import, Failure>;

/// The flags of a run of the whole loop.
#[derive(Clone, Debug, clap::Args)]
pub struct CycleArgs {
    /// How it recovers.
    #[command(flatten)]
    pub recovery: Recovery,
    /// How it seeds.
    #[command(flatten)]
    pub seed: SeedArgs,
    /// How files are read.
    #[command(flatten)]
    pub tables: TableArgs,
    /// Leads to import: id, external_id, lead_created_at, phone, document, document_type, document_country,
    /// email, first_name, middle_name, last_name, birth_date, plate.
    #[arg(long, value_name = "CSV", conflicts_with = "map")]
    pub leads: Option<PathBuf>,
    /// Persons to import: person_key, phone, document, document_type, document_country, email, full_name,
    /// birth_date, plate; several rows may share a person_key.
    #[arg(long, value_name = "CSV", conflicts_with = "map")]
    pub persons: Option<PathBuf>,
    /// Claims to import: claim_id, person_key, source_pk.
    #[arg(long, value_name = "CSV", conflicts_with = "map")]
    pub claims: Option<PathBuf>,
    /// Takes each file for all that there is: what is not in it any more is told and removed. A file of which a row is
    /// refused removes nothing.
    #[arg(long)]
    pub full: bool,
    /// Which leads the guardrails look at: all of them, or those that changed or were settled.
    #[arg(long, value_enum, default_value_t = Judged::Auto, value_name = "LEADS")]
    pub guardrails: Judged,
    /// Where the report goes.
    #[arg(long, default_value_os_t = files::default_out_dir().join("recovery_report.html"), value_name = "HTML")]
    pub report: PathBuf,
    /// The time zone in which days are counted, such as America/Lima.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    pub time_zone: chrono_tz::Tz,
}

/// What the run found and did, as `--json` writes it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The database, without its password.
    pub database: String,
    /// What each file held and what became of it.
    pub imports: Vec<ImportSummary>,
    /// What the seed did.
    pub seed: SeedSummary,
    /// What the recovery did.
    pub recover: Recovered,
    /// Leads in the backlog before the seed.
    pub backlog_before: u64,
    /// Leads in the backlog in the end.
    pub backlog_after: u64,
    /// Leads that this run matched.
    pub matched: u64,
    /// Links by the rule that decided, those of earlier runs included; none where the guardrails looked at touched leads.
    pub links: BTreeMap<String, u64>,
    /// Leads of the backlog that failed.
    pub failed_total: u64,
    /// Those, by reason.
    pub failed: Vec<Failed>,
    /// The verdicts.
    pub guardrails: SuiteReport,
    /// The last seven days.
    pub daily_metrics: Vec<DailyMetrics>,
    /// Where the HTML report lies.
    pub report: PathBuf,
    /// How long each stage took, in the order in which they ended.
    pub stages: Vec<Stage>,
}

/// The leads of the backlog that failed with one reason.
#[derive(Debug, Serialize)]
pub struct Failed {
    /// The reason's code.
    pub reason: String,
    /// How many.
    pub leads: u64,
    /// Of all that failed.
    pub share: f64,
}

impl CycleArgs {
    /// Runs the loop once; `actor` is who runs it, `sample` makes data where there is none.
    ///
    /// A run that was stopped or killed is taken up by the next one: what was committed is done, the rest is pending.
    ///
    /// # Errors
    ///
    /// What can be refused is refused before anything is written; later errors are the database's and the disk's.
    pub fn run(
        self,
        actor: &str,
        common: &Common,
        console: &Console,
        sample: Option<MakeSample>,
    ) -> Result<Outcome, Failure> {
        let args = self;
        let url = database_url(common.database_url.as_deref())?;

        // What can be refused is refused before anything is written.
        let mut report_file = AtomicFile::create(&args.report)?;
        args.recovery.check()?;
        let files = [&args.leads, &args.persons, &args.claims].map(Option::as_deref);
        let tables = args.tables.open(console.bars())?;
        let given = Import::open(&tables, args.recovery.own_columns()?, files)?
            .allowing_shrink(args.seed.allow_shrink)
            .imported_by(actor)
            .as_full(args.full);

        let mut stages = Stages::start(console);
        let (mut store, mut service) = args.recovery.map.open(&url)?;
        stages.end("open");

        let keys = args.recovery.wake_keys(&mut service)?;
        let imports = if files.iter().any(Option::is_some) {
            service.import(given, &keys)?
        } else if let Some(sample) = sample
            .filter(|_| service.table_map().is_none())
            .filter(|_| service.count("leads").is_ok_and(|leads| leads == 0))
        {
            service.import(sample(console, &tables)?, &keys)?
        } else {
            Vec::new()
        };
        for import in &imports {
            import.tell(console);
        }
        tables.finish()?;
        stages.end("import");

        let backlog = args.recovery.map.backlog(BACKLOG_VIEW, &url)?;
        let mut touched = args.guardrails.begin(&mut service, args.seed.whole)?;
        let seed = service.seed(&mut store, &backlog, args.seed, actor, console)?;
        let backlog_before = seed.backlog_size;
        stages.end("seed");

        let queue = (&mut store, &mut service);
        let recover = args.recovery.run_touching(actor, &url, queue, console, &mut touched)?;
        stages.end("recover");

        // Verdicts, reasons, days and the report all come from one consistent read.
        let read = (&backlog, &url);
        let queue = (&mut store, &mut service);
        let judged = Judgement::of(queue, read, args.time_zone, touched, console)?;
        let suite = Launcher::new(common.database_url.as_deref())
            .launched(judged.report, &PacketFacts::default());
        stages.end("guardrails");
        let values = ValueSection(recover.values.clone());
        let html =
            Page::new("Recovery cycle", suite.clone()).leads(judged.figures).section(values).html();
        report_file.write_all(html.as_bytes())?;
        report_file.commit()?;
        stages.end("report");

        let failed_total = judged.reasons.iter().map(|(_, leads)| leads).sum();
        Ok(Outcome {
            database: url.to_string(),
            imports,
            seed,
            backlog_before,
            backlog_after: judged.backlog,
            matched: recover.run.matched,
            links: judged.links,
            failed_total,
            failed: shares(judged.reasons, failed_total),
            recover,
            guardrails: suite,
            daily_metrics: judged.days,
            report: args.report,
            stages: stages.into_stages(),
        })
    }
}

fn shares(reasons: Vec<(String, u64)>, failed: u64) -> Vec<Failed> {
    let share = |leads| if failed == 0 { 0.0 } else { leads as f64 / failed as f64 };
    reasons
        .into_iter()
        .map(|(reason, leads)| Failed { reason, leads, share: share(leads) })
        .collect()
}

impl Outcome {
    /// Returns what the exit code must say: a guardrail that fails fails the run; one with nothing to judge does not.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let verdicts = self.guardrails.checks.iter().map(|check| check.verdict);
        let judged = match ExitPolicy::default().with_inconclusive_allowed(true).code(verdicts) {
            0 => Exit::Done,
            4 => Exit::CouldNotRun,
            _ => Exit::Failed,
        };
        self.imports.iter().map(ImportSummary::exit).fold(judged, Exit::and)
    }
}
