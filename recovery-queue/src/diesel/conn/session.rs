//! A session with PostgreSQL: whether statements may be kept prepared in it, and how long it was left alone.
//!
//! A pooler in transaction mode hands each transaction to any of its sessions with the server. A statement that is
//! prepared in one is not there in the next, and stays behind for clients that are not ours. So statements are kept
//! by name only in a session that is proven to be the store's own: the proof is a setting of ours that was given as
//! the session began ([`open`](super::open)) and that no pooler passes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use diesel::connection::AnsiTransactionManager;
use diesel::pg::PgConnection;
use diesel::prelude::*;

use crate::diesel::conn::lent::Held;
use crate::diesel::conn::pace::Pace;

/// What Diesel calls the statements that it prepares; no translation of a message changes a name.
const PREPARED: &str = "__diesel_stmt_";

pub(crate) struct Session<'c> {
    pub(crate) connection: Held<'c, PgConnection>,
    /// Whether statements are kept prepared by name; shared with those that the session is lent to.
    keeps: Arc<AtomicBool>,
    /// When the transaction began, and its last statement.
    begun: Instant,
    last: Instant,
    pace: Pace,
}

impl<'c> Session<'c> {
    pub(crate) fn new(connection: Held<'c, PgConnection>, keeps: bool) -> Self {
        let (now, zero) = (Instant::now(), Duration::ZERO);
        let pace = Pace { statement: zero, idle: zero, transaction: zero };
        let keeps = Arc::new(AtomicBool::new(keeps));
        Self { connection, keeps, begun: now, last: now, pace }
    }

    /// Lends the session on.
    pub(crate) fn lend(&mut self) -> Session<'_> {
        let keeps = Arc::clone(&self.keeps);
        Session { keeps, ..Session::new(self.connection.lend(), false) }
    }

    /// Says whether statements are kept prepared by name.
    pub(crate) fn keeps(&self) -> bool {
        self.keeps.load(Relaxed)
    }

    /// Says from now on whether statements are kept prepared by name.
    pub(crate) fn keep(&mut self, keeps: bool) {
        self.keeps.store(keeps, Relaxed);
    }

    /// Runs a statement.
    pub(crate) fn run<T>(
        &mut self,
        statement: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let begun = Instant::now();
        // From when the last one began: the server saw it end before its answer came.
        let idle = begun.saturating_duration_since(self.last);
        self.last = begun;
        let result = statement(&mut self.connection);
        let ended = Instant::now();
        let statement = ended.saturating_duration_since(begun);
        let transaction = ended.saturating_duration_since(self.begun);
        self.pace = Pace { statement, idle, transaction };
        result
    }

    /// Runs a statement that may be kept prepared, told whether it is.
    pub(crate) fn run_kept<T>(
        &mut self,
        statement: impl FnOnce(&mut PgConnection, bool) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let keeps = self.keeps();
        let result = self.run(|connection| statement(connection, keeps));
        // Somebody in between hands the session on after all.
        if keeps && result.as_ref().is_err_and(|error| error.to_string().contains(PREPARED)) {
            self.keep(false);
            tracing::info!(name: "recovery_queue.pooled", prepared = false);
        }
        result
    }

    /// Begins a transaction.
    pub(crate) fn begin(&mut self, sql: &str) -> QueryResult<()> {
        self.begun = Instant::now();
        self.last = self.begun;
        self.run(|connection| AnsiTransactionManager::begin_transaction_sql(connection, sql))
    }

    /// Gives how long the parts of the transaction took until its last statement ended.
    pub(crate) fn pace(&self) -> Pace {
        self.pace
    }
}
