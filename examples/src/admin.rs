//! What the levers of `queue_admin` share: one transaction that a dry run takes back, and the service's own tables.

pub mod answer;
pub mod books;
pub mod decision;
pub mod import;
pub mod loads;
pub mod reviewers;
pub mod show;
pub mod whole;

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;
use diesel::sql_types::Text;
use recovery_queue::{Conn, DatabaseUrl, PersonKey, SourcePk, SqlStore};

use crate::cli::Failure;
use crate::service::Database;

/// Runs the same statement on the connection of either backend.
macro_rules! on_either {
    ($store:expr, |$connection:ident| $body:expr) => {
        match $store.connection() {
            Conn::Sqlite($connection) => $body,
            Conn::Postgres($connection) => $body,
            _ => return Err(Failure::new("this runner knows no such database")),
        }
    };
}

/// Does the work in one transaction; a dry run takes it back and returns what it counted.
///
/// # Errors
///
/// The work's, after which nothing of it stays, and the database's.
pub fn in_one<T>(
    store: &mut SqlStore,
    dry_run: bool,
    work: impl FnOnce(&mut SqlStore) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match store.connection() {
        // Immediate: a reader that turns writer later could be refused as busy.
        Conn::Sqlite(connection) => {
            AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE")?;
        }
        Conn::Postgres(connection) => AnsiTransactionManager::begin_transaction(connection)?,
        _ => return Err(Failure::new("this runner knows no such database")),
    }
    let done = work(store);
    if done.is_ok() && !dry_run {
        on_either!(store, |connection| AnsiTransactionManager::commit_transaction(connection))?;
    } else {
        on_either!(store, |connection| AnsiTransactionManager::rollback_transaction(connection))?;
    }
    done
}

/// The service's tables of leads, persons and claims, where the database has them.
#[derive(Clone, Debug)]
pub struct Service {
    has_tables: bool,
    /// Whether persons who change are noted.
    notes_changes: bool,
    /// Where corrected values of leads are kept.
    corrections: Option<String>,
}

impl Service {
    /// Looks whether the database has them; tables of the operator's own (`mapped`) are not ours to change.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn of(url: &DatabaseUrl, store: &SqlStore, mapped: bool) -> Result<Self, Failure> {
        let mut database = Database::open_to_read(url)?;
        let has_tables = !mapped && database.has_table("leads")?;
        // Beside the queue's tables where the others are the operator's.
        let corrected = "lead_corrections";
        let own = if mapped { store.view_name(corrected) } else { corrected.to_owned() };
        let corrections = database.is_there(&own)?.then_some(own);
        let notes_changes = has_tables && database.has_table("leads_changed")?;
        Ok(Self { has_tables, notes_changes, corrections })
    }

    /// Removes a lead, and its key from claims; gives how many rows were touched.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn forget_lead(&self, store: &mut SqlStore, key: &SourcePk) -> Result<u64, Failure> {
        let mut touched = 0;
        if let Some(table) = &self.corrections {
            let sql = format!("DELETE FROM {table} WHERE source_pk = $1");
            let query = diesel::sql_query(sql).bind::<Text, _>(key.as_str());
            touched = on_either!(store, |connection| query.execute(connection))? as u64;
        }
        let rows = self.forget(
            store,
            [
                "DELETE FROM leads WHERE source_pk = $1",
                "DELETE FROM claims WHERE source_pk = $1 AND person_key IS NULL",
                "UPDATE claims SET source_pk = NULL WHERE source_pk = $1",
            ],
            key.as_str(),
        )?;
        // That the lead has changed is noted, too.
        if self.notes_changes {
            let sql = "DELETE FROM leads_changed WHERE lead_source_pk = $1";
            let query = diesel::sql_query(sql).bind::<Text, _>(key.as_str());
            on_either!(store, |connection| query.execute(connection))?;
        }
        Ok(touched + rows)
    }

    /// Removes a person's records, and the person's key from claims; gives how many rows were touched.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn forget_person(&self, store: &mut SqlStore, key: &PersonKey) -> Result<u64, Failure> {
        let touched = self.forget(
            store,
            [
                "DELETE FROM persons WHERE person_key = $1",
                "DELETE FROM claims WHERE person_key = $1 AND source_pk IS NULL",
                "UPDATE claims SET person_key = NULL WHERE person_key = $1",
            ],
            key.as_str(),
        )?;
        // That the person has changed is noted, too; the index forgets with the queue.
        if self.notes_changes {
            let sql = "DELETE FROM persons_changed WHERE person_key = $1";
            let query = diesel::sql_query(sql).bind::<Text, _>(key.as_str());
            on_either!(store, |connection| query.execute(connection))?;
        }
        Ok(touched)
    }

    fn forget(&self, store: &mut SqlStore, sql: [&str; 3], key: &str) -> Result<u64, Failure> {
        let mut touched = 0;
        for statement in sql.into_iter().filter(|_| self.has_tables) {
            let query = diesel::sql_query(statement).bind::<Text, _>(key);
            touched += on_either!(store, |connection| query.execute(connection))? as u64;
        }
        Ok(touched)
    }
}
