//! The books of migrations: how they stand, what is pending, and versions that are recorded by hand.

use clap::Subcommand;
use guardrails::clock::Monotonic;
use guardrails::recovery::{MigrationFacts, RecoveryFacts as _};
use guardrails::{CheckReport, ExitPolicy, Suite};
use recovery_queue::{
    BookFacts, DatabaseUrl, Decider, OpenOptions, ServiceMigrations, SqlStore, SqliteFile,
};
use serde_json::json;

use super::answer::{Answer, counted};
use super::in_one;
use crate::cli::{Exit, Failure};
use crate::files;
use crate::guards::{Launcher, PacketFacts, books_of};
use crate::service::{BACKLOG_VIEW, Database, MapArgs};

/// What is done with the books of migrations.
#[derive(Debug, Subcommand)]
pub enum Book {
    /// Says of each book of migrations what its head is and what is wrong with it; exit 1 where something is.
    Status,
    /// Records migrations whose tables are there already, after checking that they are.
    Stamp {
        /// The one pending version to record; left out, all of tables that have no book.
        version: Option<String>,
        /// Who says so; kept in the history.
        #[arg(long, env = "USER", default_value = "queue_admin", value_name = "NAME")]
        by: String,
        /// Why; kept in the history.
        #[arg(long, default_value = "its tables were there", value_name = "TEXT")]
        why: String,
    },
}

/// The migrations whose book is looked at beside the queue's: none over tables of the operator's own.
fn services(map: &MapArgs, url: &DatabaseUrl) -> Result<Vec<ServiceMigrations>, Failure> {
    books_of(&map.backlog(BACKLOG_VIEW, url)?, url)
}

/// Applies what is pending of the queue and of the service; a dry run counts it.
///
/// # Errors
///
/// Partitions on SQLite, tables that are not this program's, and the database's.
pub fn migrate(
    map: &MapArgs,
    url: &DatabaseUrl,
    partitions: Option<u16>,
    answer: &Answer<'_>,
) -> Result<Exit, Failure> {
    if partitions.is_some() && matches!(url, DatabaseUrl::Sqlite(_)) {
        return Err(Failure::new(format_args!("{url}: SQLite keeps each table in one piece"))
            .remedy("leave --partitions out, or name a database on PostgreSQL"));
    }
    if let DatabaseUrl::Sqlite(path) = url
        && answer.is_dry()
    {
        // Opening would make the file.
        files::open(path)?;
    }
    let count = pending(map, url)?;
    if answer.is_dry() {
        let status = SqlStore::open(url, OpenOptions::default())?.migration_status()?;
        if let Some((reason, remedy)) = status.refusal() {
            let what = format_args!("{url}: nothing can be migrated: {reason}");
            return Err(Failure::new(what).remedy(remedy));
        }
    }
    if (answer.is_dry() || partitions.is_some()) && map.map.is_none() {
        Database::check_pending(url)?;
    }
    if let Some(partitions) = partitions {
        partition(url, partitions, answer.is_dry())?;
    }
    if !answer.is_dry() {
        map.open(url)?;
    }
    let came = if answer.is_dry() { "to apply" } else { "applied; one head in each book" };
    let kept = partitions.map(|partitions| format!("; {partitions} partitions by lead"));
    let words = format!("{} {came}{}", counted(count, "migration"), kept.unwrap_or_default());
    answer.done(&words, json!({ "applied": count, "partitions": partitions }))
}

/// Makes the queue's tables and keeps those that grow with the leads in partitions, both or neither.
fn partition(url: &DatabaseUrl, partitions: u16, dry_run: bool) -> Result<(), Failure> {
    let mut store = SqlStore::open(url, OpenOptions::default())?;
    in_one(&mut store, dry_run, |store| {
        store.migrate()?;
        Ok(store.partition_by_lead(partitions)?)
    })
}

/// Counts the pending migrations of both books; all of them where there is no file yet.
fn pending(map: &MapArgs, url: &DatabaseUrl) -> Result<u64, Failure> {
    let is_new = matches!(url, DatabaseUrl::Sqlite(path) if !path.exists());
    // An empty database stands for one that is not made yet.
    let place = if is_new { DatabaseUrl::Sqlite(SqliteFile::new(":memory:")) } else { url.clone() };
    let mut store = SqlStore::open(&place, OpenOptions::default())?;
    let books = BookFacts::read(&mut store, &services(map, url)?)?.migrations()?;
    let pending = |book: &MigrationFacts| {
        book.embedded.iter().filter(|version| !book.applied.contains(version)).count() as u64
    };
    Ok(books.iter().map(pending).sum())
}

/// Looks at the books of migrations, or records versions whose tables are there.
///
/// # Errors
///
/// The database's.
pub fn books(
    (map, database): (&MapArgs, Option<&str>),
    book: &Book,
    store: &mut SqlStore,
    url: &DatabaseUrl,
    answer: &Answer<'_>,
) -> Result<Exit, Failure> {
    match book {
        Book::Status => status((map, database), store, url, answer),
        Book::Stamp { version, by, why } => {
            let decider = Decider { by, reason: why };
            let before = store.migration_status()?.applied.len();
            let stamped = in_one(store, answer.is_dry(), |store| {
                match version {
                    Some(version) => store.stamp_version(version, decider)?,
                    None => store.stamp(decider)?,
                }
                Ok(store.migration_status()?.applied.len() - before)
            })?;
            let words =
                format!("{} recorded without being run", counted(stamped as u64, "migration"));
            answer.done(&words, json!({ "stamped": stamped }))
        }
    }
}

fn status(
    (map, database): (&MapArgs, Option<&str>),
    store: &mut SqlStore,
    url: &DatabaseUrl,
    answer: &Answer<'_>,
) -> Result<Exit, Failure> {
    let facts = BookFacts::read(store, &services(map, url)?)?;
    let report =
        Suite::recovery().only(["single_migration_head"])?.run(&facts, &Monotonic::start());
    let launcher = Launcher::new(database);
    let report = launcher.launched(report, &PacketFacts::default());
    answer.console.json(&report)?;
    if answer.writes_text() {
        for book in facts.migrations()? {
            let faults = book.faults();
            let head = book.applied.iter().max().map_or("none", String::as_str);
            let state =
                match faults.iter().filter(|fault| fault.reason.contains("two heads")).count() {
                    0 if faults.is_empty() => "one head".to_owned(),
                    0 => counted(faults.len() as u64, "fault"),
                    _ => "two heads".to_owned(),
                };
            answer.console.data(format_args!("{:<16} {state}: {head}", book.book))?;
            for fault in faults {
                answer.console.data(format_args!("  {} {}", fault.key, fault.reason))?;
            }
        }
        let partitions = store.migration_status()?.partitions;
        if partitions > 0 {
            answer
                .console
                .data(format_args!("{:<16} {partitions} partitions", "tables by lead"))?;
        }
        for (words, command) in report.checks.iter().flat_map(CheckReport::next_steps) {
            answer.console.data(format_args!("what to do: {words}"))?;
            if let Some(command) = command {
                answer.console.data(format_args!("  {command}"))?;
            }
        }
    }
    Ok(if report.exit_code(ExitPolicy::default()) == 0 { Exit::Done } else { Exit::Failed })
}
