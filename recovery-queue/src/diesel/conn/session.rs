//! A session with PostgreSQL: whether statements prepared in it can be found again.
//!
//! A pooler in transaction mode hands each transaction to any of its sessions with the server. A statement that was
//! prepared in one is not there in another, or worse, another client's goes by its name. So each batch first asks which
//! process of the server it speaks to, and where that changes, statements are no longer kept.

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::pg::PgConnection;
use diesel::prelude::*;

use crate::diesel::conn::database::IntRow;
use crate::diesel::conn::prepared;

#[allow(clippy::struct_field_names)] // a session of ours among those of the server
pub(crate) struct Session {
    pub(crate) connection: PgConnection,
    /// The server's process that holds the statements prepared so far.
    process: Option<i64>,
    /// Whether this transaction speaks to that process.
    same_session: bool,
    /// Whether somebody in between hands the session on.
    pub(crate) pooled: bool,
}

impl Session {
    pub(crate) fn new(connection: PgConnection) -> Self {
        Self { connection, process: None, same_session: false, pooled: false }
    }

    /// Begins a transaction; `prepares` when its statements are to be kept.
    pub(crate) fn begin(&mut self, sql: &str, prepares: bool) -> QueryResult<()> {
        AnsiTransactionManager::begin_transaction_sql(&mut self.connection, sql)?;
        self.same_session = false;
        if !prepares || self.pooled {
            return Ok(());
        }
        let sql = "SELECT CAST(pg_backend_pid() AS BIGINT) AS value";
        match diesel::sql_query(sql).get_result::<IntRow>(&mut self.connection) {
            Ok(process) => {
                self.same_session = *self.process.get_or_insert(process.value) == process.value;
                if !self.same_session {
                    self.give_up();
                }
                Ok(())
            }
            Err(error) => {
                self.rollback().ok();
                Err(error)
            }
        }
    }

    pub(crate) fn commit(&mut self) -> QueryResult<()> {
        self.same_session = false;
        AnsiTransactionManager::commit_transaction(&mut self.connection)
    }

    pub(crate) fn rollback(&mut self) -> QueryResult<()> {
        self.same_session = false;
        AnsiTransactionManager::rollback_transaction(&mut self.connection)
    }

    /// Runs a statement, told whether it may be kept.
    pub(crate) fn run<T>(
        &mut self,
        statement: impl FnOnce(&mut PgConnection, bool) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let result = statement(&mut self.connection, self.same_session);
        if result.as_ref().is_err_and(|error| error.to_string().contains(prepared::LOST)) {
            self.give_up();
        }
        result
    }

    fn give_up(&mut self) {
        self.pooled = true;
        self.same_session = false;
        tracing::info!(name: "recovery_queue.pooled", process = self.process);
    }
}
