//! The store on a connection of the caller's: its writes join the caller's transaction.

use std::time::Duration;

use diesel::prelude::*;

use crate::diesel::batch::again::Settling;
use crate::diesel::batch::lease;
use crate::diesel::batch::settled::BATCH;
use crate::diesel::conn::database::{Database, failed, now};
use crate::diesel::conn::lent::Conn;
use crate::diesel::conn::namespace::{Names, Namespace};
use crate::diesel::conn::transaction::Begin;
use crate::diesel::conn::typed::typed;
use crate::diesel::migrate;
use crate::diesel::migrate::status::MigrationStatus;
use crate::diesel::read::snapshot::SqlSnapshot;
use crate::diesel::tables::queue_backlog;
use crate::diesel::write::{
    forget, reconcile, reopen, retention, runs, seed, service_tables, store_actions, wake,
};
use crate::model::backlog::Backlog;
use crate::model::cursor::Cursor;
use crate::model::error::{ConfigError, StoreError};
use crate::model::inconsistency::Inconsistency;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::key_column::KeyColumn;
use crate::model::lead::{Forget, Forgotten, LeadRecord, PersonRecord, Pruned, Reopen, Retention};
use crate::model::lease::Lease;
use crate::model::links::Decider;
use crate::model::options::SeedOptions;
use crate::model::person_view::PersonView;
use crate::model::resolver::{FailReason, Resolution};
use crate::model::rows::QueueRow;
use crate::model::run::{NewRun, RunKind, RunOutcome};
use crate::model::store_action::{StoreAction, StoreActionKind};
use crate::model::work::{BatchRequest, BatchSummary, SeedSummary};
use crate::store::leads::LeadStore;
use crate::store::leases::LeaseStore;
use crate::trace;

/// A recovery queue on a connection of the caller's, also inside the caller's open transaction.
///
/// Each write is one transaction; where one is open already it is one savepoint, which rolls back with the caller's
/// transaction. An error rolls back to the savepoint and is returned: nothing is tried again. Nothing that the store
/// sets stays on the connection: no setting, no temporary table, no statement prepared by name.
///
/// The transaction must have been begun by Diesel ([`Connection::transaction`](diesel::Connection::transaction) and its
/// kin), which counts it. On SQLite begin it with `immediate_transaction`: a deferred one that another writer has
/// overtaken cannot write any more, which is told as [`StoreError::Busy`]. On PostgreSQL it should run as `READ
/// COMMITTED`; a stricter level works, and may fail as a whole where workers are at work.
///
/// A batch can be settled in it, too, under a lease ([`LeaseStore`]). To drain the queue batch after batch takes a
/// connection of the store's own ([`SqlStore`](crate::SqlStore)), which can come back after an outage.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use diesel::prelude::*;
/// use recovery_queue::{BorrowedStore, Conn, StoreError};
///
/// let mut connection = SqliteConnection::establish(":memory:")?;
/// BorrowedStore::on(Conn::from(&mut connection)).migrate()?;
/// diesel::sql_query("CREATE TABLE person (key TEXT)").execute(&mut connection)?;
///
/// // A person is written and its leads are woken, both or neither.
/// let woken = connection.immediate_transaction(|connection| {
///     diesel::sql_query("INSERT INTO person VALUES ('P-1')").execute(connection)?;
///     let woken = BorrowedStore::on(Conn::from(connection)).wake(&["digest of a phone".to_owned()])?;
///     Ok::<_, StoreError>(woken)
/// })?;
/// assert_eq!(woken, 0);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "sqlite"))]
/// # fn main() {}
/// ```
pub struct BorrowedStore<'c> {
    pub(crate) db: Database<'c>,
    pub(crate) names: Names,
    pub(crate) clock: Option<i64>,
}

impl std::fmt::Debug for BorrowedStore<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BorrowedStore").field("names", &self.names.label).finish_non_exhaustive()
    }
}

impl<'c> BorrowedStore<'c> {
    /// Makes a store of a connection, in the default namespace; no table is looked at yet.
    #[must_use]
    pub fn on(connection: impl Into<Conn<'c>>) -> Self {
        let namespace = Namespace::default();
        Self::within(connection, &namespace).expect("the default namespace is every backend's")
    }

    /// Makes a store of a connection, in a namespace.
    ///
    /// # Errors
    /// Another namespace than the default on SQLite, where a file is one.
    pub fn within(
        connection: impl Into<Conn<'c>>,
        namespace: &Namespace,
    ) -> Result<Self, ConfigError> {
        let db = Database::from(connection.into());
        let names = namespace.names(db.is_sqlite())?;
        Ok(Self { db, names, clock: None })
    }

    /// Has hot statements kept prepared by name on a connection to PostgreSQL.
    ///
    /// For a session that belongs to the caller for good: behind a pooler in transaction mode such names stay behind in
    /// sessions of others. On SQLite it changes nothing that anybody sees.
    #[must_use]
    pub fn keeping_prepared(mut self) -> Self {
        self.db.keep_prepared();
        self
    }

    /// Sets the time that stands for the database's clock, for tests; `None` = the database's own.
    pub fn set_clock(&mut self, now: Option<chrono::DateTime<chrono::Utc>>) {
        self.clock = now.map(|now| now.timestamp_micros());
    }

    /// Applies the pending migrations, in one transaction and one program at a time; gives their versions.
    ///
    /// # Errors
    /// Tables of another program, of a newer breaking version, or changed by hand are refused untouched.
    pub fn migrate(&mut self) -> Result<Vec<String>, StoreError> {
        migrate::migrate(&mut self.db, &self.names)
    }

    /// Renames the tables that an earlier version made under a prefix, such as `crm_`, in a file of SQLite, and applies the
    /// pending migrations; gives their versions. The views stay under their old names, too.
    ///
    /// [`migrate`](Self::migrate) does so by itself where one such store is all that the file holds. Of several, copy the file
    /// for each and name the prefix.
    ///
    /// # Errors
    /// No store under the prefix, and one without a prefix in the same file: nothing is changed.
    pub fn adopt_prefix(&mut self, prefix: &str) -> Result<Vec<String>, StoreError> {
        migrate::adopt_prefix(&mut self.db, &self.names, prefix)
    }

    /// Compares the database's tables with the migrations of this build; reads only.
    pub fn migration_status(&mut self) -> Result<MigrationStatus, StoreError> {
        migrate::status(&mut self.db, &self.names)
    }

    /// Brings the queue in line with a backlog, as [`QueueStore::seed`](crate::QueueStore::seed) does.
    ///
    /// # Errors
    /// A backlog that cannot be read as one, tables that are not migrated, and the database's.
    pub fn seed(
        &mut self,
        backlog: &dyn Backlog,
        options: &SeedOptions,
    ) -> Result<SeedSummary, StoreError> {
        let span = trace::seed(backlog.name());
        let _entered = span.enter();
        let (run, summary) = self.seed_once(backlog, options, &mut |_, _| {})?;
        trace::seeded(RunId(run), &summary);
        Ok(summary)
    }

    /// Seeds; `written` hears what the transaction does before it commits.
    pub(crate) fn seed_once(
        &mut self,
        backlog: &dyn Backlog,
        options: &SeedOptions,
        written: &mut dyn FnMut(i64, &SeedSummary),
    ) -> Result<(i64, SeedSummary), StoreError> {
        let run = NewRun::new(RunKind::Seed, options.actor.clone(), None);
        let (names, clock) = (&self.names, self.clock);
        // A seed that is refused leaves no run behind: the run is recorded in the same transaction.
        self.db.transaction("the seed", |db| {
            migrate::ensure_usable(db, names)?;
            seed::lock(db, names)?;
            let id = runs::insert(db, names, clock, &run)?;
            let summary = seed::seed(db, names, clock, id, backlog, options)?;
            runs::finish(db, names, clock, id, RunOutcome::Done)?;
            written(id, &summary);
            Ok((id, summary))
        })
    }

    /// Makes the failed leads that hold one of these wake keys pending again, and only those; gives how many.
    ///
    /// # Errors
    /// The database's.
    pub fn wake(&mut self, keys: &[String]) -> Result<u64, StoreError> {
        let (names, clock) = (&self.names, self.clock);
        let woken = self.db.transaction("the wake-up", |db| wake::wake(db, names, clock, keys))?;
        tracing::info!(name: "recovery_queue.woken", keys = keys.len(), leads = woken);
        Ok(woken)
    }

    /// Makes failed leads pending again, `limit` at most, whose wake keys were made under another reading than `reading`;
    /// see [`QueueStore::wake_outdated`](crate::QueueStore::wake_outdated).
    ///
    /// # Errors
    /// The database's.
    pub fn wake_outdated(&mut self, reading: &str, limit: u32) -> Result<u64, StoreError> {
        let (names, clock) = (&self.names, self.clock);
        let woken = self.db.transaction("the wake-up", |db| {
            wake::wake_outdated(db, names, clock, reading, limit)
        })?;
        tracing::info!(name: "recovery_queue.woken_outdated", leads = woken);
        Ok(woken)
    }

    /// Pauses a backlog, or resumes it: while it is paused none of its leads is claimed. A change is kept among the
    /// [`actions`](LeadStore::actions).
    ///
    /// # Errors
    /// `NotFound` for a backlog that was never seeded.
    pub fn set_paused(
        &mut self,
        backlog: &str,
        paused: bool,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        const PAUSE: &str = "the pause";
        decider.check()?;
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction(PAUSE, |db| {
            let this_one = queue_backlog::table.filter(queue_backlog::name.eq(backlog));
            let known: i64 =
                typed!(db, names, get_result, this_one.count()).map_err(failed(PAUSE))?;
            if known == 0 {
                return Err(StoreError::NotFound { what: "backlog", key: backlog.to_owned() });
            }
            let paused_as = queue_backlog::paused.eq(i64::from(paused));
            let others = this_one.filter(queue_backlog::paused.ne(i64::from(paused)));
            let changed = typed!(db, names, execute, diesel::update(others).set(paused_as));
            if changed.map_err(failed(PAUSE))? > 0 {
                let now = now(db, clock)?;
                let kind = if paused { StoreActionKind::Paused } else { StoreActionKind::Resumed };
                store_actions::record(db, names, now, (kind, backlog, 0), decider)?;
            }
            Ok(())
        })
    }

    /// Keeps in the history that a table of the service's was imported: what, and how many rows were written or removed.
    ///
    /// For whoever imports, in the transaction that writes the rows; `what` and the reason name nobody.
    ///
    /// # Errors
    /// A decider without a name or reason, tables that are not migrated, and the database's.
    pub fn record_import(
        &mut self,
        what: &str,
        rows: u64,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        decider.check()?;
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction("the record of an import", |db| {
            let now = now(db, clock)?;
            store_actions::record(db, names, now, (StoreActionKind::Imported, what, rows), decider)
        })
    }

    /// Records the service's view of the persons who are there, or that there is none: no batch links a lead to anybody
    /// else from now on, in any program. Such a lead fails as `PERSON_GONE`.
    ///
    /// # Errors
    /// A view that does not exist or has no such column, and a name without a schema that another `search_path` finds
    /// elsewhere than when it was recorded.
    pub fn set_person_view(&mut self, persons: Option<&PersonView>) -> Result<(), StoreError> {
        let names = &self.names;
        self.db.transaction("the record of the view of persons", |db| {
            service_tables::set_persons(db, names, persons)
        })
    }

    /// Records the columns of the service's own tables that hold keys of leads, in the place of those that are recorded:
    /// the guardrail `source_pk_consistency` looks at them in every program.
    ///
    /// # Errors
    /// A table that does not exist or has no such column, and a name without a schema that another `search_path` finds
    /// elsewhere than when it was recorded.
    pub fn set_key_columns(&mut self, columns: &[KeyColumn]) -> Result<(), StoreError> {
        let names = &self.names;
        self.db.transaction("the record of the columns of keys", |db| {
            service_tables::set_key_columns(db, names, columns)
        })
    }

    /// Opens a consistent read; inside an open transaction it sees what that sees, its own writes included.
    ///
    /// # Errors
    /// Tables that are not migrated, and the database's.
    pub fn read(&mut self) -> Result<SqlSnapshot<'_>, StoreError> {
        SqlSnapshot::begin(self.db.lend(), &self.names, self.clock)
    }
}

impl LeaseStore for BorrowedStore<'_> {
    fn lease(
        &mut self,
        batch: &BatchRequest<'_>,
        ttl: Duration,
        cursor: &mut Cursor,
    ) -> Result<Option<Lease>, StoreError> {
        let (names, clock) = (&self.names, self.clock);
        let mut ahead = cursor.clone();
        let lease = self.db.transaction_as(Begin::Batch, BATCH, |db| {
            lease::take(db, names, clock, batch, ttl, &mut ahead)
        })?;
        *cursor = ahead;
        Ok(lease)
    }

    fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<u64, StoreError> {
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction_as(Begin::Batch, BATCH, |db| lease::renew(db, names, clock, lease, ttl))
    }

    fn settle(
        &mut self,
        batch: &BatchRequest<'_>,
        lease: &Lease,
        answers: &[Resolution],
    ) -> Result<BatchSummary, StoreError> {
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction_as(Begin::Batch, BATCH, |db| {
            lease::settle(db, names, clock, batch, lease, answers, &mut Settling::default())
        })
    }

    fn give_back(&mut self, lease: &Lease) -> Result<u64, StoreError> {
        let names = &self.names;
        self.db.transaction_as(Begin::Batch, BATCH, |db| lease::give_back(db, names, lease))
    }
}

impl LeadStore for BorrowedStore<'_> {
    fn lead(&mut self, key: &SourcePk) -> Result<Option<LeadRecord>, StoreError> {
        self.read()?.lead(key)
    }

    fn person(&mut self, key: &PersonKey) -> Result<Option<PersonRecord>, StoreError> {
        self.read()?.person(key)
    }

    fn failed(
        &mut self,
        reason: Option<&FailReason>,
        after: Option<&SourcePk>,
        limit: u32,
    ) -> Result<Vec<QueueRow>, StoreError> {
        self.read()?.failed(reason, after, limit)
    }

    fn reopen_leads(&mut self, leads: Reopen<'_>, decider: Decider<'_>) -> Result<u64, StoreError> {
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction("the reopening of leads", |db| {
            reopen::reopen(db, names, clock, &leads, decider)
        })
    }

    fn cancel(&mut self, leads: &[SourcePk], decider: Decider<'_>) -> Result<u64, StoreError> {
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction("the cancelling of leads", |db| {
            reopen::cancel(db, names, clock, leads, decider)
        })
    }

    fn forget(&mut self, whom: Forget<'_>, decider: Decider<'_>) -> Result<Forgotten, StoreError> {
        whom.check(decider)?;
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction("the forgetting", |db| {
            let done = forget::forget(db, names, clock, whom)?;
            let (now, rows) = (now(db, clock)?, done.rows + done.evidence);
            store_actions::record(db, names, now, (whom.kind(), "", rows), decider)?;
            Ok(done)
        })
    }

    fn actions(&mut self) -> Result<Vec<StoreAction>, StoreError> {
        store_actions::list(&mut self.db, &self.names)
    }

    fn record_forgotten(
        &mut self,
        whom: Forget<'_>,
        rows: u64,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        whom.check(decider)?;
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction("the forgetting", |db| {
            let now = now(db, clock)?;
            store_actions::record(db, names, now, (whom.kind(), "", rows), decider)
        })
    }

    fn inconsistencies(&mut self) -> Result<Vec<Inconsistency>, StoreError> {
        self.read()?.inconsistencies()
    }

    fn reconcile(&mut self, decider: Decider<'_>) -> Result<Vec<Inconsistency>, StoreError> {
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction("the putting right of what disagrees", |db| {
            reconcile::reconcile(db, names, clock, decider)
        })
    }

    fn prune(&mut self, retention: Retention, decider: Decider<'_>) -> Result<Pruned, StoreError> {
        decider.check()?;
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction("the removal of what is old", |db| {
            let done = retention::prune(db, names, clock, retention)?;
            if done.total() > 0 {
                let (now, ages) = (now(db, clock)?, retention.to_string());
                let action = (StoreActionKind::Pruned, ages.as_str(), done.total());
                store_actions::record(db, names, now, action, decider)?;
            }
            Ok(done)
        })
    }
}
