//! What an operator does by hand with the queue: migrations, single leads, links, persons, retention, a pause.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use guardrails::clock::Monotonic;
use guardrails::recovery::{MigrationFacts, RecoveryFacts, reason_in_words};
use guardrails::{CheckReport, ExitPolicy, Suite};
use identity_matching::Policy;
use recovery_queue::{
    BookFacts, DatabaseUrl, Decider, FailReason, Forget, Forgotten, LeadStore, LinkStore,
    OpenOptions, PersonKey, Reopen, Retention, ReviewStore, ServiceMigrations, SourcePk, SqlStore,
    SqliteFile, StoreActionKind, StoreError, ViewBacklog,
};
use reference_runners::admin::import::ImportArgs;
use reference_runners::admin::{Service, in_one, loads};
use reference_runners::cli::{Common, Console, EXIT_CODES, Exit, Failure, start};
use reference_runners::files;
use reference_runners::guards::{Launcher, PacketFacts, books_of, is_usable, recovery_suite};
use reference_runners::lead;
use reference_runners::service::{BACKLOG_VIEW, Database, MapArgs, database_url};
use serde_json::{Value, json};

/// Looks at the queue and changes it by hand; every change says who and why, and is kept in the history.
///
/// With --dry-run a change is made, counted and taken back: nothing stays.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Line {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    map: MapArgs,
    /// Counts what would be done, and leaves everything as it is.
    #[arg(long, global = true)]
    dry_run: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Applies the pending migrations of the queue and of the service; or looks at their books.
    Migrate {
        /// Keeps the tables that grow with the leads in so many partitions by lead (PostgreSQL only; before the first run).
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(2..=1024))]
        partitions: Option<u16>,
        #[command(subcommand)]
        book: Option<Book>,
    },
    #[command(flatten)]
    Book(Book),
    /// Looks at one lead, or tries leads again, cancels or forgets them.
    #[command(subcommand)]
    Lead(Lead),
    /// Links a lead to a person, undoes a link, or moves it.
    #[command(subcommand)]
    Link(Link),
    /// Looks at one person, or forgets the person everywhere.
    #[command(subcommand)]
    Person(Person),
    /// The list of who may decide leads by hand (load_review); where nobody is on it, anybody may.
    #[command(subcommand)]
    Reviewer(Reviewer),
    /// Puts right what disagrees about leads: state, link, origin, ledger; with --dry-run says what does, exit 1 where
    /// something disagrees.
    Reconcile(Decision),
    /// Removes what is older than it is to be kept.
    Prune(Prune),
    /// Holds a backlog: none of its leads is claimed until it is resumed.
    Pause(Backlog),
    /// Lets the leads of a backlog be claimed again.
    Resume(Backlog),
    /// Lists what was done by hand with the queue as a whole: backlogs held and resumed, what was removed, who had
    /// somebody forgotten.
    History,
    /// Imports files and decides nothing; the next run does.
    Import(ImportArgs),
    /// Lists the loads of packets and of reviews, or undoes one.
    #[command(subcommand)]
    Loads(Loads),
    /// The matching policy.
    #[command(subcommand)]
    Policy(Print),
    /// The suite of guardrails.
    #[command(subcommand)]
    Suite(Print),
}

#[derive(Debug, Subcommand)]
enum Book {
    /// Says of each book of migrations what its head is and what is wrong with it; exit 1 where something is.
    Status,
    /// Records migrations whose tables are there already, after checking that they are.
    Stamp {
        /// The one pending version to record; left out, all of tables that have no book.
        version: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum Lead {
    /// Shows where it stands, its candidates and its history; identifiers are masked.
    Show { key: SourcePk },
    /// Makes failed or cancelled leads pending again.
    Reopen {
        #[arg(required_unless_present = "reason", conflicts_with = "reason")]
        keys: Vec<SourcePk>,
        /// All that failed for this reason, such as NO_CANDIDATES.
        #[arg(long, value_name = "CODE")]
        reason: Option<FailReason>,
        #[command(flatten)]
        decision: Decision,
    },
    /// Takes leads out of the work, though they may be in the backlog.
    Cancel {
        #[arg(required = true)]
        keys: Vec<SourcePk>,
        #[command(flatten)]
        decision: Decision,
    },
    /// Forgets a lead in the queue and in the service's tables.
    Forget {
        key: SourcePk,
        #[command(flatten)]
        decision: Decision,
    },
}

#[derive(Debug, Subcommand)]
enum Loads {
    /// Lists them, oldest first, those that were undone with them.
    List,
    /// Undoes one: values and leads stand where they stood; refused where something was built on it since.
    Undo {
        /// Its id, as the list has it.
        load: String,
        #[command(flatten)]
        decision: Decision,
    },
}

#[derive(Debug, Subcommand)]
enum Reviewer {
    /// Puts names on the list.
    Add {
        #[arg(required = true)]
        names: Vec<String>,
        #[command(flatten)]
        decision: Decision,
    },
    /// Takes names off the list; what they decided stays. The last one stays too: an empty list lets anybody decide.
    Remove {
        #[arg(required = true)]
        names: Vec<String>,
        #[command(flatten)]
        decision: Decision,
        /// Takes the last name off as well, so that anybody may decide.
        #[arg(long)]
        anybody: bool,
    },
    /// Lists the names, and how the list came about.
    List,
}

#[derive(Debug, Subcommand)]
enum Link {
    /// Links a lead to a person.
    Add {
        lead: SourcePk,
        person: PersonKey,
        #[command(flatten)]
        decision: Decision,
    },
    /// Undoes a lead's link; the lead is pending again.
    Undo {
        lead: SourcePk,
        #[command(flatten)]
        decision: Decision,
    },
    /// Moves a lead's link to another person.
    Move {
        lead: SourcePk,
        person: PersonKey,
        #[command(flatten)]
        decision: Decision,
    },
}

#[derive(Debug, Subcommand)]
enum Person {
    /// Shows the leads that are and were linked to the person.
    Show { key: PersonKey },
    /// Forgets a person in the queue and in the service's tables; leads linked to the person are pending again.
    Forget {
        key: PersonKey,
        #[command(flatten)]
        decision: Decision,
    },
}

#[derive(Debug, Subcommand)]
enum Print {
    /// Prints it as TOML, with every setting in force.
    Print,
}

#[derive(Debug, Args)]
struct Backlog {
    /// The view that holds the backlog (left out: that of --map, else the runners' own).
    #[arg(value_name = "VIEW")]
    backlog: Option<String>,
    #[command(flatten)]
    decision: Decision,
}

impl Backlog {
    fn name(&self, line: &Line, url: &DatabaseUrl) -> Result<String, Failure> {
        let view = self.backlog.as_deref().unwrap_or(BACKLOG_VIEW);
        let backlog = match self.backlog {
            Some(_) => ViewBacklog::new(view)?,
            None => line.map.backlog(view, url)?,
        };
        Ok(recovery_queue::Backlog::name(&backlog).to_owned())
    }
}

impl Line {
    /// The migrations whose book is looked at beside the queue's: none over tables of the operator's own.
    fn services(&self, url: &DatabaseUrl) -> Result<Vec<ServiceMigrations>, Failure> {
        books_of(&self.map.backlog(BACKLOG_VIEW, url)?, url)
    }
}

/// Who decides, and why; both are kept.
#[derive(Debug, Args)]
struct Decision {
    /// Who decides.
    #[arg(long, env = "USER", default_value = "queue_admin", value_name = "NAME")]
    by: String,
    /// Why; a dry run needs none.
    #[arg(
        long,
        value_name = "TEXT",
        required_unless_present = "dry_run",
        default_value_if("dry_run", "true", "a dry run")
    )]
    why: Option<String>,
}

impl Decision {
    fn decider(&self) -> Decider<'_> {
        Decider { by: &self.by, reason: self.why.as_deref().unwrap_or("a dry run") }
    }
}

/// How many days of each are kept; what is left out is kept for ever.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Ages {
    /// Withdrawn leads.
    #[arg(long, value_name = "DAYS")]
    withdrawn: Option<u32>,
    /// The evidence of matched leads.
    #[arg(long, value_name = "DAYS")]
    evidence: Option<u32>,
    /// Links that were undone, origins that were replaced, and changes by hand.
    #[arg(long, value_name = "DAYS")]
    history: Option<u32>,
    /// Runs.
    #[arg(long, value_name = "DAYS")]
    runs: Option<u32>,
}

/// What is to be removed, by whom and why.
#[derive(Debug, Args)]
struct Prune {
    #[command(flatten)]
    ages: Ages,
    #[command(flatten)]
    decision: Decision,
}

impl Ages {
    fn retention(&self) -> Retention {
        let age =
            |days: Option<u32>| days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
        let mut kept = Retention::new();
        kept.withdrawn = age(self.withdrawn);
        kept.evidence = age(self.evidence);
        kept.history = age(self.history);
        kept.runs = age(self.runs);
        kept
    }
}

fn main() -> ExitCode {
    start(|line: Line| run(&line))
}

fn run(line: &Line) -> Result<Exit, Failure> {
    let console = line.common.console()?;
    match &line.command {
        Command::Policy(Print::Print) => {
            console.data(Policy::default().to_toml().trim_end())?;
            return Ok(Exit::Done);
        }
        Command::Suite(Print::Print) => {
            console.data(recovery_suite::<dyn RecoveryFacts>()?.to_toml().trim_end())?;
            return Ok(Exit::Done);
        }
        _ => {}
    }
    let url = database_url(line.common.database_url.as_deref())?;
    if let Command::Migrate { partitions: Some(_), book } = &line.command {
        if book.is_some() {
            return Err(Failure::new("--partitions is for `migrate` alone")
                .remedy("run `queue_admin migrate --partitions`, then look at the books"));
        }
        if matches!(url, DatabaseUrl::Sqlite(_)) {
            return Err(Failure::new(format_args!("{url}: SQLite keeps each table in one piece"))
                .remedy("leave --partitions out, or name a database on PostgreSQL"));
        }
    }
    if let Command::Migrate { book: None, partitions } = &line.command
        && !line.dry_run
    {
        let before = pending(line, &url)?;
        if let Some(partitions) = partitions {
            check_migratable(line, &url)?;
            partition(&url, *partitions, false)?;
        }
        line.map.open(&url)?;
        return migrated(line, &console, before, *partitions);
    }
    if let Command::Import(files) = &line.command {
        let (imports, exit) = files.run(&url, &console, line.dry_run)?;
        let told = imports.iter().map(|import| {
            format!(
                "{}: {}, {} written, {} removed",
                import.table.file,
                counted(import.table.rows_read_total, "row"),
                import.written_total,
                import.removed_total
            )
        });
        let words = told.collect::<Vec<_>>().join("; ");
        return Ok(done(line, &console, &words, json!({ "imports": imports }))?.and(exit));
    }
    if let DatabaseUrl::Sqlite(path) = &url {
        // Opening would make the file.
        files::open(path)?;
    }
    let mut store = SqlStore::open(&url, OpenOptions::default())?;
    match &line.command {
        Command::Migrate { book: None, partitions } => {
            let count = pending(line, &url)?;
            let refused = store.migration_status()?.refusal();
            if let Some((reason, remedy)) = refused {
                return Err(Failure::new(format_args!("{url}: nothing can be migrated: {reason}"))
                    .remedy(remedy));
            }
            check_migratable(line, &url)?;
            if let Some(partitions) = partitions {
                partition(&url, *partitions, true)?;
            }
            migrated(line, &console, count, *partitions)
        }
        Command::Migrate { book: Some(book), .. } | Command::Book(book) => {
            books(line, book, &mut store, &url, &console)
        }
        command => {
            let status = store.migration_status()?;
            if !is_usable(&status) {
                let launcher = Launcher::new(line.common.database_url.as_deref());
                return Err(Failure::new(format_args!(
                    "{url}: the queue's tables are missing or not those of this program"
                ))
                .remedy(format_args!(
                    "{} says which; name the database that the runners work on, or seed first",
                    launcher.command("queue_admin status")
                )));
            }
            levers(line, command, &mut store, &url, &console)
        }
    }
}

/// Refuses a database whose tables of the service's are not this program's.
fn check_migratable(line: &Line, url: &DatabaseUrl) -> Result<(), Failure> {
    if line.map.map.is_none() { Database::check_pending(url) } else { Ok(()) }
}

/// Makes the queue's tables and keeps those that grow with the leads in partitions, both or neither.
fn partition(url: &DatabaseUrl, partitions: u16, dry_run: bool) -> Result<(), Failure> {
    let mut store = SqlStore::open(url, OpenOptions::default())?;
    in_one(&mut store, dry_run, |store| {
        store.migrate()?;
        Ok(store.partition_by_lead(partitions)?)
    })
}

/// Says what was applied, or what would be.
fn migrated(
    line: &Line,
    console: &Console,
    applied: u64,
    partitions: Option<u16>,
) -> Result<Exit, Failure> {
    let came = if line.dry_run { "to apply" } else { "applied; one head in each book" };
    let kept = partitions.map(|partitions| format!("; {partitions} partitions by lead"));
    let words = format!("{} {came}{}", counted(applied, "migration"), kept.unwrap_or_default());
    done(line, console, &words, json!({ "applied": applied, "partitions": partitions }))
}

/// Counts the pending migrations of both books; all of them where there is no file yet.
fn pending(line: &Line, url: &DatabaseUrl) -> Result<u64, Failure> {
    let is_new = matches!(url, DatabaseUrl::Sqlite(path) if !path.exists());
    // An empty database stands for one that is not made yet.
    let place = if is_new { DatabaseUrl::Sqlite(SqliteFile::new(":memory:")) } else { url.clone() };
    let mut store = SqlStore::open(&place, OpenOptions::default())?;
    let books = BookFacts::read(&mut store, &line.services(url)?)?.migrations()?;
    let pending = |book: &MigrationFacts| {
        book.embedded.iter().filter(|version| !book.applied.contains(version)).count() as u64
    };
    Ok(books.iter().map(pending).sum())
}

fn books(
    line: &Line,
    book: &Book,
    store: &mut SqlStore,
    url: &DatabaseUrl,
    console: &Console,
) -> Result<Exit, Failure> {
    match book {
        Book::Status => status(line, store, url, console),
        Book::Stamp { version } => {
            let before = store.migration_status()?.applied.len();
            let stamped = in_one(store, line.dry_run, |store| {
                match version {
                    Some(version) => store.stamp_version(version)?,
                    None => store.stamp()?,
                }
                Ok(store.migration_status()?.applied.len() - before)
            })?;
            let words =
                format!("{} recorded without being run", counted(stamped as u64, "migration"));
            done(line, console, &words, json!({ "stamped": stamped }))
        }
    }
}

/// Says what disagrees, and puts it right unless that is only to be counted.
fn reconcile(
    line: &Line,
    store: &mut SqlStore,
    decider: Decider<'_>,
    console: &Console,
) -> Result<Exit, Failure> {
    let found = if line.dry_run { store.inconsistencies()? } else { store.reconcile(decider)? };
    let mut words = vec![match found.len() {
        0 => "nothing disagrees".to_owned(),
        _ if line.dry_run => "these disagree".to_owned(),
        _ => "these disagreed".to_owned(),
    }];
    for told in &found {
        let more = told.count.saturating_sub(told.keys.len() as u64);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let right = match (told.kind.can_be_mended(), line.dry_run) {
            (false, _) => "mend the backlog's view: it must read the links by the same key",
            (true, true) => "can be put right",
            (true, false) => "put right",
        };
        words.push(format!(
            "  {} {}, {right}: {}{more}",
            told.kind,
            told.count,
            told.keys.join(", ")
        ));
    }
    let left = found.iter().any(|told| line.dry_run || !told.kind.can_be_mended());
    done(line, console, &words.join("\n"), json!({ "inconsistencies": found }))?;
    Ok(if left { Exit::Failed } else { Exit::Done })
}

fn status(
    line: &Line,
    store: &mut SqlStore,
    url: &DatabaseUrl,
    console: &Console,
) -> Result<Exit, Failure> {
    let facts = BookFacts::read(store, &line.services(url)?)?;
    let report =
        Suite::recovery().only(["single_migration_head"])?.run(&facts, &Monotonic::start());
    let launcher = Launcher::new(line.common.database_url.as_deref());
    let report = launcher.launched(report, &PacketFacts::default());
    console.json(&report)?;
    if writes_data(line) {
        for book in facts.migrations()? {
            let faults = book.faults();
            let head = book.applied.iter().max().map_or("none", String::as_str);
            let state =
                match faults.iter().filter(|fault| fault.reason.contains("two heads")).count() {
                    0 if faults.is_empty() => "one head".to_owned(),
                    0 => counted(faults.len() as u64, "fault"),
                    _ => "two heads".to_owned(),
                };
            console.data(format_args!("{:<16} {state}: {head}", book.book))?;
            for fault in faults {
                console.data(format_args!("  {} {}", fault.key, fault.reason))?;
            }
        }
        let partitions = store.migration_status()?.partitions;
        if partitions > 0 {
            console.data(format_args!("{:<16} {partitions} partitions", "tables by lead"))?;
        }
        for (words, command) in report.checks.iter().flat_map(CheckReport::to_do) {
            console.data(format_args!("what to do: {words}"))?;
            if let Some(command) = command {
                console.data(format_args!("  {command}"))?;
            }
        }
    }
    Ok(if report.exit_code(ExitPolicy::default()) == 0 { Exit::Done } else { Exit::Failed })
}

fn levers(
    line: &Line,
    command: &Command,
    store: &mut SqlStore,
    url: &DatabaseUrl,
    console: &Console,
) -> Result<Exit, Failure> {
    let dry = line.dry_run;
    match command {
        Command::Lead(Lead::Show { key }) => show_lead(line, store, key, console),
        Command::Person(Person::Show { key }) => show_person(line, store, key, console),
        Command::Lead(Lead::Reopen { keys, reason, decision }) => {
            let leads = reason.clone().map_or(Reopen::Keys(keys), Reopen::Reason);
            let count =
                in_one(store, dry, |store| Ok(store.reopen_leads(leads, decision.decider())?))?;
            let words = format!("{} pending again", counted(count, "lead"));
            done(line, console, &words, json!({ "reopened": count }))
        }
        Command::Lead(Lead::Cancel { keys, decision }) => {
            let count = in_one(store, dry, |store| Ok(store.cancel(keys, decision.decider())?))?;
            let words = format!("{} taken out of the work", counted(count, "lead"));
            done(line, console, &words, json!({ "cancelled": count }))
        }
        Command::Lead(Lead::Forget { key, decision }) => {
            let service = Service::of(url, store, line.map.map.is_some())?;
            let (found, rows) = in_one(store, dry, |store| {
                let rows = service.forget_lead(store, key)?;
                Ok((forget(store, Forget::Lead(key), rows, decision.decider())?, rows))
            })?;
            forgotten(line, console, "lead", found.rows + rows, found.evidence, found.reopened)
        }
        Command::Person(Person::Forget { key, decision }) => {
            let service = Service::of(url, store, line.map.map.is_some())?;
            let (found, rows) = in_one(store, dry, |store| {
                let rows = service.forget_person(store, key)?;
                Ok((forget(store, Forget::Person(key), rows, decision.decider())?, rows))
            })?;
            forgotten(line, console, "person", found.rows + rows, found.evidence, found.reopened)
        }
        Command::Link(change) => {
            let words = in_one(store, dry, |store| {
                Ok(match change {
                    Link::Add { lead, person, decision } => {
                        store.link(lead, person, decision.decider())?;
                        format!("lead {lead} linked to {person}")
                    }
                    Link::Undo { lead, decision } => {
                        store.unlink(lead, decision.decider())?;
                        format!("the link of lead {lead} undone; it is pending again")
                    }
                    Link::Move { lead, person, decision } => {
                        store.move_link(lead, person, decision.decider())?;
                        format!("the link of lead {lead} moved to {person}")
                    }
                })
            })?;
            done(line, console, &words, json!({ "links": 1 }))
        }
        Command::Reviewer(change) => reviewers(line, store, change, console),
        Command::Reconcile(decision) => reconcile(line, store, decision.decider(), console),
        Command::History => history(line, store, console),
        Command::Loads(Loads::List) => list_loads(line, store, url, console),
        Command::Loads(Loads::Undo { load, decision }) => {
            let place = (store, url, &line.map);
            let (of, undone) = loads::undo(load, decision.decider(), place, dry)?;
            let words = format!("undone {load}: {}", counted(undone, of.noun()));
            done(line, console, &words, json!({ "load": load, "of": of, "undone": undone }))
        }
        Command::Prune(Prune { ages, decision }) => {
            let by = decision.decider();
            let pruned = in_one(store, dry, |store| Ok(store.prune(ages.retention(), by)?))?;
            let words = format!(
                "removed {}, {} of evidence, {} of history and {}",
                counted(pruned.leads, "withdrawn lead"),
                counted(pruned.evidence, "text"),
                counted(pruned.history, "row"),
                counted(pruned.runs, "run"),
            );
            done(line, console, &words, serde_json::to_value(pruned)?)
        }
        Command::Pause(held) => {
            let backlog = held.name(line, url)?;
            let by = held.decision.decider();
            in_one(store, dry, |store| Ok(store.set_paused(&backlog, true, by)?))?;
            done(line, console, &format!("{backlog} paused"), json!({ "paused": true }))
        }
        Command::Resume(held) => {
            let backlog = held.name(line, url)?;
            let by = held.decision.decider();
            in_one(store, dry, |store| Ok(store.set_paused(&backlog, false, by)?))?;
            done(line, console, &format!("{backlog} resumed"), json!({ "paused": false }))
        }
        Command::Migrate { .. }
        | Command::Book(_)
        | Command::Import(_)
        | Command::Policy(_)
        | Command::Suite(_) => Err(Failure::new("this command works on no lead")),
    }
}

/// Forgets somebody in the queue, or records that the service alone knew who it is.
fn forget(
    store: &mut SqlStore,
    whom: Forget<'_>,
    rows: u64,
    decider: Decider<'_>,
) -> Result<Forgotten, Failure> {
    match store.forget(whom, decider) {
        Err(StoreError::NotFound { .. }) if rows > 0 => {
            store.record_forgotten(whom, rows, decider)?;
            Ok(Forgotten::default())
        }
        other => Ok(other?),
    }
}

fn history(line: &Line, store: &mut SqlStore, console: &Console) -> Result<Exit, Failure> {
    let actions = store.actions()?;
    console.json(&json!({ "history": actions }))?;
    if writes_data(line) {
        for action in &actions {
            let what = match action.kind {
                StoreActionKind::Paused => format!("{} paused", action.subject),
                StoreActionKind::Resumed => format!("{} resumed", action.subject),
                StoreActionKind::Pruned => {
                    format!("{} removed by age ({})", counted(action.rows, "row"), action.subject)
                }
                StoreActionKind::LeadForgotten => {
                    format!("a lead forgotten, {}", counted(action.rows, "row"))
                }
                StoreActionKind::PersonForgotten => {
                    format!("a person forgotten, {}", counted(action.rows, "row"))
                }
                other => other.code().to_owned(),
            };
            let at = action.at.format("%Y-%m-%d %H:%M UTC");
            console.data(format_args!("{at} {what} by {}: {}", action.by, action.reason))?;
        }
    }
    Ok(Exit::Done)
}

fn list_loads(
    line: &Line,
    store: &mut SqlStore,
    url: &DatabaseUrl,
    console: &Console,
) -> Result<Exit, Failure> {
    let found = loads::list(store, url)?;
    console.json(&json!({ "loads": found }))?;
    if writes_data(line) {
        for load in &found {
            let undone = match (&load.undone_at, &load.undone_by) {
                (Some(at), by) => format!(
                    ", undone {} by {}",
                    at.format("%Y-%m-%d %H:%M UTC"),
                    by.as_deref().unwrap_or("somebody")
                ),
                _ => String::new(),
            };
            console.data(format_args!(
                "{} {}: {} loaded by {}{undone}",
                load.loaded_at.format("%Y-%m-%d %H:%M UTC"),
                load.load,
                counted(load.rows, load.of.noun()),
                load.loaded_by,
            ))?;
        }
    }
    Ok(Exit::Done)
}

fn reviewers(
    line: &Line,
    store: &mut SqlStore,
    change: &Reviewer,
    console: &Console,
) -> Result<Exit, Failure> {
    let (names, decision, may_decide, anybody) = match change {
        Reviewer::Add { names, decision } => (names, decision, true, true),
        Reviewer::Remove { names, decision, anybody } => (names, decision, false, *anybody),
        Reviewer::List => {
            let (names, history) = (store.reviewers()?, store.reviewer_changes()?);
            console.json(&json!({ "reviewers": names, "history": history }))?;
            if writes_data(line) {
                let who = if names.is_empty() { "anybody".to_owned() } else { names.join(", ") };
                console.data(format_args!("who may decide: {who}"))?;
                for row in history {
                    console.data(format_args!(
                        "  {} {} {} by {}: {}",
                        row.changed_at.format("%Y-%m-%d %H:%M UTC"),
                        row.name,
                        if row.may_decide { "added" } else { "removed" },
                        row.changed_by,
                        row.reason,
                    ))?;
                }
            }
            return Ok(Exit::Done);
        }
    };
    let count = in_one(store, line.dry_run, |store| {
        let before = store.reviewers()?;
        let unknown = names.iter().find(|name| !may_decide && !before.contains(name));
        if let Some(name) = unknown {
            return Err(Failure::new(format_args!(
                "{name} is not on the list; nothing was changed"
            ))
            .remedy("`queue_admin reviewer list` shows the names as they are written"));
        }
        let mut count = 0;
        for name in names {
            count += u64::from(store.set_reviewer(name, may_decide, decision.decider())?);
        }
        if !anybody && store.reviewers()?.is_empty() {
            return Err(Failure::new(
                "with nobody on the list anybody may decide; nothing was changed",
            )
            .remedy("add somebody first, or give --anybody if that is meant"));
        }
        Ok(count)
    })?;
    let what = if may_decide { "put on the list" } else { "taken off the list" };
    done(line, console, &format!("{} {what}", counted(count, "name")), json!({ "changed": count }))
}

fn show_lead(
    line: &Line,
    store: &mut SqlStore,
    key: &SourcePk,
    console: &Console,
) -> Result<Exit, Failure> {
    let record = store.lead(key)?.ok_or_else(|| {
        Failure::new(format_args!("the queue knows no lead {key}"))
            .remedy("seed first; keys are compared letter by letter")
    })?;
    let (row, history) = (&record.row, lead::history(&record));
    let reason = row.reason.as_ref().map(|reason| reason.code().to_owned());
    let evidence = record.evidence.as_deref().and_then(lead::evidence);
    console.json(&json!({
        "source_pk": key.as_str(),
        "status": row.status.code(),
        "fail_reason": reason,
        "person_key": row.person_key.as_ref().map(PersonKey::as_str),
        "since": row.since,
        "attempts": row.attempts,
        "evidence": evidence,
        "history": history,
    }))?;
    if !writes_data(line) {
        return Ok(Exit::Done);
    }
    let why = reason.as_deref().map_or_else(String::new, |reason| format!(" as {reason}"));
    console.data(format_args!("lead {key} is {}{why} since {}", row.status.code(), row.since))?;
    if let Some(words) = reason.as_deref().and_then(reason_in_words) {
        console.data(format_args!("  {words}"))?;
    }
    for given in evidence.iter().flat_map(|evidence| &evidence.keys) {
        let holders = counted(u64::from(given.holders), "person");
        console.data(format_args!(
            "  gave {} {} ({holders} with it)",
            given.kind.as_str(),
            given.value
        ))?;
    }
    for one in evidence.iter().flat_map(|evidence| &evidence.candidates) {
        console.data(format_args!("  candidate {} {}", one.person, one.standing.reason()))?;
    }
    for event in history {
        let who = event.who.map_or_else(String::new, |who| format!(" ({who})"));
        console.data(format_args!(
            "  {} {}{who}",
            event.at.format("%Y-%m-%d %H:%M UTC"),
            event.what
        ))?;
    }
    Ok(Exit::Done)
}

fn show_person(
    line: &Line,
    store: &mut SqlStore,
    key: &PersonKey,
    console: &Console,
) -> Result<Exit, Failure> {
    let record = store.person(key)?.ok_or_else(|| {
        Failure::new(format_args!("the queue knows no person {key}"))
            .remedy("a person comes to the queue with a first link")
    })?;
    let links: Vec<Value> = record
        .links
        .iter()
        .map(|link| json!({ "source_pk": link.source_pk.as_str(), "rule": link.rule, "linked_at": link.linked_at }))
        .collect();
    let former: Vec<Value> = record
        .former_links
        .iter()
        .map(|(lead, link)| json!({ "source_pk": lead.as_str(), "ended_at": link.ended_at, "reason": link.reason }))
        .collect();
    let origin = record.origin.as_ref().map(|origin| origin.source_pk.to_string());
    console.json(&json!({ "person_key": key.as_str(), "origin": origin, "links": links, "former_links": former }))?;
    if writes_data(line) {
        let origin = origin.unwrap_or_else(|| "none".to_owned());
        console.data(format_args!(
            "person {key} has {}; origin {origin}",
            counted(links.len() as u64, "lead")
        ))?;
        for link in &record.links {
            console.data(format_args!(
                "  {} by {} since {}",
                link.source_pk, link.rule, link.linked_at
            ))?;
        }
        for (lead, link) in &record.former_links {
            console.data(format_args!("  {lead} until {}: {}", link.ended_at, link.reason))?;
        }
    }
    Ok(Exit::Done)
}

fn forgotten(
    line: &Line,
    console: &Console,
    whom: &str,
    rows: u64,
    evidence: u64,
    reopened: u64,
) -> Result<Exit, Failure> {
    let words = format!(
        "forgot the {whom}: {} removed, {} of evidence replaced, {} pending again",
        counted(rows, "row"),
        counted(evidence, "text"),
        counted(reopened, "lead")
    );
    console.note(
        "files that were written before hold it still: decisions, reports, work lists, packets and backups; so do tables of \
         your own that --map names: remove it there",
    );
    let found = json!({ "rows": rows, "evidence": evidence, "reopened": reopened });
    done(line, console, &words, found)
}

/// Prints the one line of a result.
fn done(line: &Line, console: &Console, words: &str, mut found: Value) -> Result<Exit, Failure> {
    found["dry_run"] = line.dry_run.into();
    console.json(&found)?;
    if writes_data(line) {
        let dry = if line.dry_run { "dry run, nothing changed: " } else { "" };
        console.data(format_args!("{dry}{words}"))?;
    }
    Ok(Exit::Done)
}

/// Says whether stdout is free for people.
fn writes_data(line: &Line) -> bool {
    line.common.json.as_deref().is_none_or(|path| path.as_os_str() != "-")
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
