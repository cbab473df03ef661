//! What an operator does by hand with the queue: migrations, single leads, links, persons, retention, a pause.

// Doc comments of flags are what `--help` prints: no backticks there.
#![allow(clippy::doc_markdown)]

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use guardrails::recovery::RecoveryFacts;
use identity_matching::Policy;
use recovery_queue::{
    DatabaseUrl, Decider, FailReason, Forget, Forgotten, LeadStore, LinkStore, OpenOptions,
    PersonKey, Reopen, SourcePk, SqlStore, StoreError, ViewBacklog,
};
use reference_runners::admin::answer::{Answer, counted};
use reference_runners::admin::books::{self, Book};
use reference_runners::admin::decision::{Decision, Prune};
use reference_runners::admin::import::ImportArgs;
use reference_runners::admin::reviewers::{self, Reviewer};
use reference_runners::admin::{Service, in_one, loads, show, whole};
use reference_runners::cli::{Common, EXIT_CODES, Exit, Failure, start};
use reference_runners::files;
use reference_runners::guards::{Launcher, is_usable, recovery_suite};
use reference_runners::service::{BACKLOG_VIEW, MapArgs, database_url};
use serde_json::json;

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

fn main() -> ExitCode {
    start(|line: Line| run(&line))
}

fn run(line: &Line) -> Result<Exit, Failure> {
    let console = line.common.console()?;
    let answer = Answer::new(&line.common, &console, line.dry_run);
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
    if let Command::Migrate { book: None, partitions } = &line.command {
        return books::migrate(&line.map, &url, *partitions, &answer);
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
        return Ok(answer.done(&words, json!({ "imports": imports }))?.and(exit));
    }
    if let DatabaseUrl::Sqlite(path) = &url {
        // Opening would make the file.
        files::open(path)?;
    }
    let mut store = SqlStore::open(&url, OpenOptions::default())?;
    match &line.command {
        Command::Migrate { partitions: Some(_), .. } => {
            Err(Failure::new("--partitions is for `migrate` alone")
                .remedy("run `queue_admin migrate --partitions`, then look at the books"))
        }
        Command::Migrate { book: Some(book), .. } | Command::Book(book) => books::books(
            (&line.map, line.common.database_url.as_deref()),
            book,
            &mut store,
            &url,
            &answer,
        ),
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
            levers(line, command, &mut store, &url, &answer)
        }
    }
}

fn levers(
    line: &Line,
    command: &Command,
    store: &mut SqlStore,
    url: &DatabaseUrl,
    answer: &Answer<'_>,
) -> Result<Exit, Failure> {
    let dry = line.dry_run;
    match command {
        Command::Lead(Lead::Show { key }) => show::show_lead(store, key, answer),
        Command::Person(Person::Show { key }) => show::show_person(store, key, answer),
        Command::Lead(Lead::Reopen { keys, reason, decision }) => {
            let leads = reason.clone().map_or(Reopen::Keys(keys), Reopen::Reason);
            let count =
                in_one(store, dry, |store| Ok(store.reopen_leads(leads, decision.decider())?))?;
            let words = format!("{} pending again", counted(count, "lead"));
            answer.done(&words, json!({ "reopened": count }))
        }
        Command::Lead(Lead::Cancel { keys, decision }) => {
            let count = in_one(store, dry, |store| Ok(store.cancel(keys, decision.decider())?))?;
            let words = format!("{} taken out of the work", counted(count, "lead"));
            answer.done(&words, json!({ "cancelled": count }))
        }
        Command::Lead(Lead::Forget { key, decision }) => {
            let service = Service::of(url, store, line.map.map.is_some())?;
            let (found, rows) = in_one(store, dry, |store| {
                let rows = service.forget_lead(store, key)?;
                Ok((forget(store, Forget::Lead(key), rows, decision.decider())?, rows))
            })?;
            forgotten(answer, "lead", found.rows + rows, found.evidence, found.reopened)
        }
        Command::Person(Person::Forget { key, decision }) => {
            let service = Service::of(url, store, line.map.map.is_some())?;
            let (found, rows) = in_one(store, dry, |store| {
                let rows = service.forget_person(store, key)?;
                Ok((forget(store, Forget::Person(key), rows, decision.decider())?, rows))
            })?;
            forgotten(answer, "person", found.rows + rows, found.evidence, found.reopened)
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
            answer.done(&words, json!({ "links": 1 }))
        }
        Command::Reviewer(change) => reviewers::reviewers(store, change, answer),
        Command::Reconcile(decision) => whole::reconcile(store, decision.decider(), answer),
        Command::History => whole::history(store, answer),
        Command::Loads(Loads::List) => whole::list_loads(store, url, answer),
        Command::Loads(Loads::Undo { load, decision }) => {
            let place = (store, url, &line.map);
            let (of, undone) = loads::undo(load, decision.decider(), place, dry)?;
            let words = format!("undone {load}: {}", counted(undone, of.noun()));
            answer.done(&words, json!({ "load": load, "of": of, "undone": undone }))
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
            answer.done(&words, serde_json::to_value(pruned)?)
        }
        Command::Pause(held) => {
            let backlog = held.name(line, url)?;
            let by = held.decision.decider();
            in_one(store, dry, |store| Ok(store.set_paused(&backlog, true, by)?))?;
            answer.done(&format!("{backlog} paused"), json!({ "paused": true }))
        }
        Command::Resume(held) => {
            let backlog = held.name(line, url)?;
            let by = held.decision.decider();
            in_one(store, dry, |store| Ok(store.set_paused(&backlog, false, by)?))?;
            answer.done(&format!("{backlog} resumed"), json!({ "paused": false }))
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

fn forgotten(
    answer: &Answer<'_>,
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
    answer.console.note(
        "files that were written before hold it still: decisions, reports, work lists, packets and backups; so do tables of \
         your own that --map names: remove it there",
    );
    let found = json!({ "rows": rows, "evidence": evidence, "reopened": reopened });
    answer.done(&words, found)
}
