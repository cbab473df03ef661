//! What the runners that run guardrails share: the facts, the packets' facts, the commands of remedies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use clap::Parser;
use guardrails::facts::{Offender, Offenders, Query, Tables};
use guardrails::recovery::RecoveryFacts;
use guardrails::{Suite, SuiteReport};
use raw_packets::{GapStatus, PacketRequest, PacketStatus};
use recovery_queue::{
    DatabaseUrl, MigrationStatus, ServiceMigrations, SqlSnapshot, SqlStore, StoreFacts, ViewBacklog,
};

use crate::cli::{Common, Console, Failure};
use crate::files;
use crate::packets::PacketArgs;
use crate::progress::Bars;
use crate::returned::ReturnArgs;
use crate::service::{BACKLOG_VIEW, migrations};

/// Makes the facts of a read; beside the runners' own backlog, their migrations have a book of their own.
///
/// # Errors
///
/// None: the migrations are embedded.
pub fn facts_of<'a>(
    read: SqlSnapshot<'a>,
    backlog: &'a ViewBacklog,
    url: &DatabaseUrl,
) -> Result<StoreFacts<'a>, Failure> {
    let mut facts = StoreFacts::new(read, backlog);
    if recovery_queue::Backlog::name(backlog) != BACKLOG_VIEW {
        return Ok(facts);
    }
    for book in books_of(backlog, url)? {
        facts = facts.with_migrations(book);
    }
    Ok(facts)
}

/// How many checks run at once; each further reader takes memory for pages of its own.
const READERS: usize = 2;

/// Makes the facts of several readers of one instant, with daily rows in this zone; there is at least one.
///
/// # Errors
///
/// The database's.
pub fn facts_of_readers<'a>(
    store: &mut SqlStore,
    backlog: &'a ViewBacklog,
    url: &DatabaseUrl,
    zone: chrono_tz::Tz,
) -> Result<(StoreFacts<'a>, Vec<StoreFacts<'a>>), Failure> {
    let mut readers = store.read_on_several(READERS)?.into_iter();
    let first = readers.next().expect("there is at least one");
    let first = facts_of(first, backlog, url)?.with_days(zone, 30);
    let others = readers.map(|reader| first.beside(reader)).collect();
    Ok((first, others))
}

/// Shows on a bar how many checks of a suite have ended.
#[must_use]
pub fn shown<F>(suite: Suite<F>, bars: Bars) -> Suite<F> {
    let bar = bars.counted(suite.ids().count() as u64, "checks");
    suite.on_checked(move |_| bar.inc(1))
}

/// Gives the migrations whose book is looked at beside the queue's: the runners' own, where the tables are.
///
/// # Errors
///
/// None: they are embedded.
pub fn books_of(
    backlog: &ViewBacklog,
    url: &DatabaseUrl,
) -> Result<Vec<ServiceMigrations>, Failure> {
    let is_own = recovery_queue::Backlog::name(backlog) == BACKLOG_VIEW;
    is_own.then(|| migrations(url)).into_iter().collect()
}

/// Makes the suite of a recovery: the loop itself, and what surrounds it.
///
/// # Errors
///
/// None: no two checks of the two have one name.
pub fn recovery_suite<F: RecoveryFacts + ?Sized>() -> Result<Suite<F>, Failure> {
    Ok(Suite::recovery().and(Suite::surroundings())?)
}

/// Says whether the queue's tables are those of this program, so that more than their books can be read.
#[must_use]
pub fn is_usable(status: &MigrationStatus) -> bool {
    status.refusal().is_none() && status.pending.is_empty()
}

/// Writes the commands of remedies so that they run as they are printed, from where this runner was started.
#[derive(Clone, Debug, Default)]
pub struct Launcher {
    /// Behind each runner's name.
    database: String,
}

impl Launcher {
    /// Makes a launcher for a database, as `--database-url` gave it.
    #[must_use]
    pub fn new(database: Option<&str>) -> Self {
        // A server's URL may hold a password; it comes from DATABASE_URL then.
        let path = database.filter(|url| !url.contains("://"));
        let database =
            path.map_or_else(String::new, |path| format!(" --database-url {}", quoted(path)));
        Self { database }
    }

    /// Writes a command, given as a runner's name with its flags.
    #[must_use]
    pub fn command(&self, command: &str) -> String {
        let (runner, flags) = command.split_once(' ').unwrap_or((command, ""));
        let line = format!("{}{}", launcher(runner), self.database);
        if flags.is_empty() { line } else { format!("{line} {flags}") }
    }

    /// Makes every command of a report one that runs.
    #[must_use]
    pub fn launched(&self, report: SuiteReport, packets: &PacketFacts) -> SuiteReport {
        report.map_commands(|command| {
            let given = match command.split_once(' ').map_or(command, |(runner, _)| runner) {
                "check_packets" => packets.flags(),
                _ => Vec::new(),
            };
            given.into_iter().fold(self.command(command), |line, (flag, value)| {
                format!("{line} {flag} {}", quoted(&value))
            })
        })
    }
}

/// How another runner is started: beside this one, as this one was called; by cargo where it is not built.
fn launcher(runner: &str) -> String {
    let beside = |called: &Path| {
        let name = format!("{runner}{}", std::env::consts::EXE_SUFFIX);
        let built = std::env::current_exe().is_ok_and(|own| own.with_file_name(&name).is_file());
        // Called by its name alone it lies on the PATH, and the others with it.
        built.then(|| called.with_file_name(name).display().to_string())
    };
    let called = std::env::args_os().next().map(PathBuf::from);
    match called.as_deref().and_then(beside) {
        Some(path) => quoted(&path),
        None => format!("cargo run --release -p reference-runners --example {runner} --"),
    }
}

/// One word of a POSIX shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The flags that give `packets_complete` its facts, as `check_packets` takes them.
#[derive(Clone, Debug, Default, clap::Args)]
#[allow(clippy::doc_markdown)] // `--help` prints these comments: no backticks there
#[command(next_help_heading = "For packets_complete")]
pub struct PacketFacts {
    /// The folder with the returned packets; it adds packets_complete to the suite.
    #[arg(long, value_name = "DIR")]
    packets_dir: Option<PathBuf>,
    /// Expected sources, sources and KPIs (left out: the sample catalogue).
    #[arg(long, value_name = "JSON", requires = "packets_dir")]
    catalog: Option<PathBuf>,
    /// The values that are held (left out: those in the table of --database-url, else none yet).
    #[arg(long, value_name = "CSV", requires = "packets_dir")]
    metrics: Option<PathBuf>,
    /// Looks at the values of this period only, by the date that stands for the period, such as 2025-12-31.
    #[arg(long, value_name = "D", requires = "packets_dir")]
    period_date: Option<NaiveDate>,
    /// Looks at the values of this granularity only, such as year.
    #[arg(long, value_name = "G", requires = "packets_dir")]
    period_granularity: Option<String>,
    /// The statuses of a gap that ask for a packet (left out: missing_metric).
    #[arg(long, value_name = "a,b", value_delimiter = ',', requires = "packets_dir")]
    statuses: Vec<GapStatus>,
}

/// Lends the flags of `export_packets` with their defaults.
#[derive(Parser)]
struct Planning {
    #[command(flatten)]
    packets: PacketArgs,
}

impl PacketFacts {
    /// Says whether there are packets to judge.
    #[must_use]
    pub fn are_given(&self) -> bool {
        self.packets_dir.is_some()
    }

    fn flags(&self) -> Vec<(&'static str, String)> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let statuses = self.statuses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        [
            ("--packets-dir", path(&self.packets_dir)),
            ("--catalog", path(&self.catalog)),
            ("--metrics", path(&self.metrics)),
            ("--period-date", self.period_date.map(|date| date.to_string())),
            ("--period-granularity", self.period_granularity.clone()),
            ("--statuses", Some(statuses).filter(|list| !list.is_empty())),
        ]
        .into_iter()
        .filter_map(|(flag, value)| Some((flag, value?)))
        .collect()
    }

    /// Reads the returned packets and judges each that was asked for; nothing is written.
    ///
    /// # Errors
    ///
    /// A folder, catalogue or file of values that is missing or cannot be read.
    pub fn read(
        &self,
        common: &Common,
        at: DateTime<Utc>,
        console: &Console,
    ) -> Result<Option<Offenders>, Failure> {
        if !self.are_given() {
            return Ok(None);
        }
        let flags = self.flags().into_iter().filter(|(flag, _)| *flag != "--packets-dir");
        let words = flags.flat_map(|(flag, value)| [flag.to_owned(), value]);
        let Planning { packets } =
            Planning::try_parse_from(std::iter::once(String::new()).chain(words))?;
        let planned = packets.plan(&packets.queue.values_to_read(common, console)?, at, console)?;
        let returned = ReturnArgs {
            folder: None,
            packets_dir: self.packets_dir.clone(),
            strict_ready: false,
            language: None,
            fix_queue_csv_out: None,
            fix_queue_json_out: None,
            errors_dir: None,
            repaired_dir: None,
            packets,
        };
        let checked = returned.check(&planned)?;
        let mut offenders = BTreeMap::new();
        let known: BTreeSet<String> =
            planned.report.sources().map(|source| source.sanction_source_id).collect();
        for gap in planned.report.gaps() {
            let wanted = returned.packets.statuses.contains(&gap.status);
            if wanted && !known.contains(gap.sanction_source_id) {
                let why = "it is not in the catalogue, so it has no packet";
                offenders.insert(gap.sanction_source_id.to_owned(), why.to_owned());
            }
        }
        for packet in checked.packets().iter().filter(|packet| packet.is_required()) {
            if packet.status() != PacketStatus::Ready {
                offenders.insert(packet.file().to_owned(), packet.status().to_string());
            }
        }
        let counts = planned.plan.counts();
        let asked = counts.packets_emitted_total + counts.sources_skipped_missing_template_total;
        let offenders = offenders.into_iter().map(|(key, why)| Offender::new(key, why)).collect();
        Ok(Some(Offenders::of(offenders, Some(asked), usize::MAX)))
    }
}

/// Writes the failed leads with their reason and what their evidence shows them to lack, as CSV.
///
/// No identifier is in it: a person looks at one lead with `explain_match --source-pk`.
///
/// # Errors
///
/// The database's, and a file that cannot be written.
pub fn write_work_list(
    file: &std::path::Path,
    facts: &StoreFacts<'_>,
    queue_view: &str,
    url: &DatabaseUrl,
) -> Result<u64, Failure> {
    let find = if matches!(url, DatabaseUrl::Sqlite(_)) { "instr" } else { "strpos" };
    let found = facts.query(&Query::new(work_list_sql(queue_view, find)), usize::MAX)?;
    files::write_with(file, |out| {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(["source_pk", "fail_reason", "since", "attempts", "lacks"])?;
        for Offender { key, reason } in &found.listed {
            csv.write_record(
                std::iter::once(key.as_str()).chain(reason.split('\t')).map(files::cell),
            )?;
        }
        csv.flush()
    })?;
    Ok(found.total)
}

fn work_list_sql(queue_view: &str, find: &str) -> String {
    // The evidence is JSON whose keys stand before what is unusable; a quote within its strings is escaped.
    let lacks = |kind: &str| {
        format!("CASE WHEN {find}(keys, '\"kind\":\"{kind}\"') > 0 THEN '' ELSE ' {kind}' END")
    };
    format!(
        "SELECT source_pk, reason || '\t' || since || '\t' || attempts || '\t' || \
             CASE WHEN keys = '' THEN '' ELSE trim({} || {} || {}) END \
         FROM (SELECT source_pk, reason, since, attempts, \
             COALESCE(substr(evidence, 1, {find}(evidence, '\"unusable\":[')), '') AS keys \
             FROM {queue_view} WHERE status = 'failed') q",
        lacks("document"),
        lacks("phone"),
        lacks("email"),
    )
}
