//! The store itself: a writing connection, a reading one, and the trait.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::diesel::batch::again::Settling;
use crate::diesel::batch::hook::SettledLead;
use crate::diesel::batch::settled::{BATCH, Context};
use crate::diesel::batch::{self};
use crate::diesel::borrowed::BorrowedStore;
use crate::diesel::conn::database::{Database, failed, now};
use crate::diesel::conn::lent::Conn;
#[cfg(feature = "postgres")]
use crate::diesel::conn::limits;
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::open::{OpenOptions, Purpose};
use crate::diesel::conn::pace::Pace;
use crate::diesel::conn::source::Source;
use crate::diesel::conn::transaction::Begin;
use crate::diesel::conn::url::DatabaseUrl;
use crate::diesel::migrate;
use crate::diesel::migrate::status::MigrationStatus;
use crate::diesel::read::snapshot::SqlSnapshot;
#[cfg(feature = "guardrails")]
use crate::diesel::service_migrations;
use crate::diesel::write::crash_marker;
use crate::diesel::write::origins;
use crate::diesel::write::runs;
use crate::model::backlog::Backlog;
use crate::model::cursor::Cursor;
use crate::model::error::StoreError;
use crate::model::inconsistency::Inconsistency;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::key_column::KeyColumn;
use crate::model::lead::{Forget, Forgotten, LeadRecord, PersonRecord, Pruned, Reopen, Retention};
use crate::model::lease::Lease;
use crate::model::links::Decider;
use crate::model::options::SeedOptions;
use crate::model::person_view::PersonView;
use crate::model::resolver::{FailReason, Resolution, Resolver};
use crate::model::rows::QueueRow;
use crate::model::run::{NewRun, RunKind, RunOutcome};
use crate::model::stop::Stop;
use crate::model::store_action::StoreAction;
use crate::model::work::{BatchRequest, BatchSummary, SeedSummary};
use crate::store::leads::LeadStore;
use crate::store::leases::LeaseStore;
use crate::store::runs::RunStore;
use crate::store::{QueueStore, Snapshot};
use crate::trace;
use crate::worker::{Patience, retry_on_outage};

/// A recovery queue in SQLite or PostgreSQL.
///
/// One connection writes and a second one reads, opened when first needed. Call
/// [`migrate`](Self::migrate) once after opening; it changes nothing when the tables are current.
pub struct SqlStore {
    pub(crate) db: Database<'static>,
    reader: Option<Database<'static>>,
    pub(crate) names: Names,
    pub(crate) source: Source,
    pub(crate) options: OpenOptions,
    pub(crate) clock: Option<i64>,
    /// The worker whose lock this session holds.
    lives: Option<String>,
    settling: Settling,
    /// The flag that ends waits.
    stop: Stop,
}

impl std::fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlStore")
            .field("source", &self.source)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl SqlStore {
    /// Opens a database; no table is made or looked at yet.
    ///
    /// # Errors
    /// A file that is no database, a server that does not answer.
    pub fn open(url: &DatabaseUrl, options: OpenOptions) -> Result<Self, StoreError> {
        Self::from_source(Source::Url(url.clone()), options)
    }

    /// Makes a store that takes its connections from a pool of the service: one for as long as the store lives, one
    /// more while a snapshot is open.
    ///
    /// Nothing that the store sets stays on them, and no statement is prepared by name; what a connection is like
    /// (SQLite's `busy_timeout`, `foreign_keys` and journal) is the pool's to say.
    ///
    /// # Errors
    /// A pool that has no connection left within its time limit.
    #[cfg(feature = "r2d2")]
    pub fn from_pool(
        pool: impl Into<crate::diesel::ConnectionPool>,
        options: OpenOptions,
    ) -> Result<Self, StoreError> {
        Self::from_source(Source::Pool(pool.into()), options)
    }

    fn from_source(source: Source, options: OpenOptions) -> Result<Self, StoreError> {
        let names = options.namespace.names(source.is_sqlite())?;
        let db = source.connect(&options, Purpose::Write)?;
        Ok(Self {
            db,
            reader: None,
            names,
            source,
            options,
            clock: None,
            lives: None,
            settling: Settling::default(),
            stop: Stop::new(),
        })
    }

    /// Opens a second store on the same database, as each further worker needs one.
    pub fn reopen(&self) -> Result<Self, StoreError> {
        let mut store = Self::from_source(self.source.clone(), self.options.clone())?;
        store.clock = self.clock;
        Ok(store)
    }

    /// Sets the time that stands for the database's clock, for tests; `None` = the database's own.
    pub fn set_clock(&mut self, now: Option<DateTime<Utc>>) {
        self.clock = now.map(|now| now.timestamp_micros());
    }

    /// Applies the pending migrations, in one transaction and one program at a time; gives their versions.
    ///
    /// # Errors
    /// Tables of another program, of a newer breaking version, or changed by hand are refused untouched.
    pub fn migrate(&mut self) -> Result<Vec<String>, StoreError> {
        // A database of another program is refused before anything in it changes.
        if migrate::status(&mut self.db, &self.names)?.refusal().is_none() {
            self.write_ahead()?;
        }
        migrate::migrate(&mut self.db, &self.names)
    }

    /// Keeps the tables that grow with the leads (`queue_link`, `queue_settled`, `queue_wake_key`) in so many partitions by
    /// the hash of the lead's number (PostgreSQL's `PARTITION BY HASH`), once [`migrate`](Self::migrate) has made them.
    ///
    /// For queues of hundreds of millions of leads: each partition is vacuumed, indexed and rebuilt by itself. Nothing else
    /// changes, and later migrations need no such call. Tables that are kept so already are left as they are.
    ///
    /// ```
    /// # #[cfg(all(feature = "postgres", feature = "testing"))]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use recovery_queue::testing::PostgresServer;
    /// use recovery_queue::{DatabaseUrl, OpenOptions, SqlStore};
    ///
    /// # let Ok(server) = PostgresServer::start() else { return Ok(()) };
    /// # let server_url = server.url();
    /// let mut store = SqlStore::open(&DatabaseUrl::parse(server_url)?, OpenOptions::default())?;
    /// store.migrate()?;
    /// store.partition_by_lead(16)?;
    /// assert_eq!(store.migration_status()?.partitions, 16);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(all(feature = "postgres", feature = "testing")))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// SQLite, fewer than 2 or more than 1024 partitions, pending migrations, and a table that holds rows, has triggers or
    /// policies or is kept in another number of partitions; it is named, and nothing is changed.
    pub fn partition_by_lead(&mut self, partitions: u16) -> Result<(), StoreError> {
        migrate::partition(&mut self.db, &self.names, partitions)
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
        self.borrowed().adopt_prefix(prefix)
    }

    /// Compares the database's tables with the migrations of this build; reads only.
    pub fn migration_status(&mut self) -> Result<MigrationStatus, StoreError> {
        migrate::status(&mut self.db, &self.names)
    }

    /// Adopts tables that exist already, after checking that they have the expected shape; kept in the history.
    ///
    /// # Errors
    /// A book that is there already, tables or columns that are missing, and a decider without a name or reason.
    pub fn stamp(&mut self, decider: Decider<'_>) -> Result<(), StoreError> {
        migrate::stamp(&mut self.db, &self.names, decider)?;
        self.write_ahead()
    }

    /// Records one pending migration whose tables and columns are there already, after checking that they are; kept in the
    /// history.
    ///
    /// # Errors
    /// A version that is not pending, and tables or columns that it or an earlier one makes and that are missing.
    pub fn stamp_version(&mut self, version: &str, decider: Decider<'_>) -> Result<(), StoreError> {
        migrate::stamp_version(&mut self.db, &self.names, version, decider)
    }

    /// Has SQLite write ahead, so that readers and the writer do not wait for each other; the file keeps it.
    fn write_ahead(&mut self) -> Result<(), StoreError> {
        // Inside a transaction SQLite switches nothing; the next opening that migrates does.
        if !self.db.is_sqlite() || self.db.in_transaction().map_err(failed("the migration"))? {
            return Ok(());
        }
        // SQLite does not wait by itself where several programs switch a new file over at once.
        let end = Instant::now() + self.options.busy_timeout;
        loop {
            match self.db.script("PRAGMA journal_mode = WAL").map_err(failed("the migration")) {
                Err(StoreError::Unavailable { .. }) if Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                switched => return switched,
            }
        }
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
        self.borrowed().set_paused(backlog, paused, decider)
    }

    /// Records the service's view of the persons who are there, or that there is none: no batch links a lead to anybody
    /// else from now on, in any program. Such a lead fails as `PERSON_GONE`.
    ///
    /// # Errors
    /// A view that does not exist or has no such column, and a name without a schema that another `search_path` finds
    /// elsewhere than when it was recorded.
    pub fn set_person_view(&mut self, persons: Option<&PersonView>) -> Result<(), StoreError> {
        self.borrowed().set_person_view(persons)
    }

    /// Records the columns of the service's own tables that hold keys of leads, in the place of those that are recorded:
    /// the guardrail `source_pk_consistency` looks at them in every program.
    ///
    /// # Errors
    /// A table that does not exist or has no such column, and a name without a schema that another `search_path` finds
    /// elsewhere than when it was recorded.
    pub fn set_key_columns(&mut self, columns: &[KeyColumn]) -> Result<(), StoreError> {
        self.borrowed().set_key_columns(columns)
    }

    /// Records the checksum of each script of a service that is applied and has none yet: call it after the service has
    /// migrated its tables. From then on the check of the heads tells whether the script was edited.
    ///
    /// Where everything is recorded already, nothing is written.
    ///
    /// # Errors
    /// The database's; the queue's own tables must be migrated.
    #[cfg(feature = "guardrails")]
    pub fn record_service_migrations(
        &mut self,
        service: &service_migrations::ServiceMigrations,
    ) -> Result<(), StoreError> {
        service_migrations::record(&mut self.db, &self.names, service)
    }

    /// Names the limit of the server that ended a transaction, where one did; the connection is a live one then.
    #[cfg(feature = "postgres")]
    fn explained(&mut self, error: StoreError, pace: Option<Pace>) -> StoreError {
        let Some(pace) = pace.filter(|pace| pace.may_be_limited()) else { return error };
        let is_gone = match &error {
            StoreError::Unavailable { .. } => true,
            StoreError::Unclear { .. } => false,
            _ => return error,
        };
        if is_gone && self.reconnect().is_err() {
            return error;
        }
        match limits::reached(&mut self.db, pace) {
            Ok(Some((setting, limit))) => limits::told(error, setting, limit),
            _ => error,
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[allow(clippy::unused_self)]
    fn explained(&mut self, error: StoreError, _: Option<Pace>) -> StoreError {
        error
    }

    /// Does a part of a batch's work in one transaction; a limit of the server that ends it is named.
    fn in_batch<T>(
        &mut self,
        work: impl FnOnce(&mut Database, &Names, Option<i64>, &mut Settling) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (names, clock, settling) = (&self.names, self.clock, &mut self.settling);
        let done =
            self.db.transaction_as(Begin::Batch, BATCH, |db| work(db, names, clock, settling));
        done.map_err(|error| {
            let pace = self.db.pace();
            self.explained(error, pace)
        })
    }

    /// Gives the store on its writing connection.
    pub(crate) fn borrowed(&mut self) -> BorrowedStore<'_> {
        let names = self.names.clone();
        BorrowedStore { db: self.db.lend(), names, clock: self.clock }
    }

    /// Has a hook called with the leads of each batch, on the connection and inside the transaction that settles them:
    /// what it writes lands with the batch, or not at all. An error of the hook rolls the batch back and ends the run.
    ///
    /// It belongs to this store alone: each further worker's store ([`reopen`](Self::reopen)) is given one of its own. Leads
    /// that are linked by hand do not come by.
    ///
    /// ```
    /// # #[cfg(all(feature = "sqlite", feature = "testing"))]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use diesel::prelude::*;
    /// use recovery_queue::testing::ScriptedResolver;
    /// use recovery_queue::{
    ///     BacklogLead, Conn, DatabaseUrl, InMemoryBacklog, OpenOptions, QueueStore, Recover, RecoverOptions, SeedOptions, SettledLead,
    ///     SourcePk, SqlStore,
    /// };
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("crm.sqlite");
    /// # let path = path.to_str().ok_or("path")?;
    /// let mut store = SqlStore::open(&DatabaseUrl::parse(path)?, OpenOptions::default())?;
    /// store.migrate()?;
    /// # #[allow(irrefutable_let_patterns)]
    /// if let Conn::Sqlite(connection) = store.connection() {
    ///     diesel::sql_query("CREATE TABLE outbox (lead TEXT)").execute(connection)?;
    /// }
    /// store.after_settle(|connection, leads: &[SettledLead]| {
    ///     # #[allow(irrefutable_let_patterns)]
    ///     let Conn::Sqlite(connection) = connection else { return Ok(()) };
    ///     for lead in leads {
    ///         diesel::sql_query("INSERT INTO outbox VALUES (?)")
    ///             .bind::<diesel::sql_types::Text, _>(lead.source_pk.as_str())
    ///             .execute(connection)?;
    ///     }
    ///     Ok(())
    /// });
    /// let lead = BacklogLead::new(SourcePk::new("L-1")?, chrono::DateTime::UNIX_EPOCH);
    /// store.seed(&InMemoryBacklog::new("leads", [lead]), &SeedOptions::default())?;
    /// store.recover(&mut ScriptedResolver::new(), &RecoverOptions::default())?;
    /// # if let Conn::Sqlite(connection) = store.connection() {
    /// let sent = diesel::sql_query("DELETE FROM outbox").execute(connection)?;
    /// assert_eq!(sent, 1);
    /// # }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(all(feature = "sqlite", feature = "testing")))]
    /// # fn main() {}
    /// ```
    pub fn after_settle(
        &mut self,
        hook: impl FnMut(Conn<'_>, &[SettledLead]) -> diesel::QueryResult<()> + Send + 'static,
    ) {
        self.settling.after_settle = Some(Box::new(hook));
    }

    /// Lends the writing connection, for the user's own tables in the same database.
    ///
    /// The tables that start with `queue_` are the store's own; the views `recovery_queue`,
    /// `identity_links` and `identity_origins` are for everybody to read and join. A call of the store inside a
    /// transaction that is open on the connection joins it.
    pub fn connection(&mut self) -> Conn<'_> {
        self.db.conn()
    }

    /// Gives the qualified name of a public view, such as `recovery."identity_links"`.
    #[must_use]
    pub fn view_name(&self, view: &str) -> String {
        format!("{}{view}", self.names.ns)
    }

    /// Opens a consistent read, as its own type.
    pub fn read(&mut self) -> Result<SqlSnapshot<'_>, StoreError> {
        if self.source.is_shared() {
            let reader = self.source.connect(&self.options, Purpose::Read)?;
            return SqlSnapshot::begin(reader, &self.names, self.clock);
        }
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.source.connect(&self.options, Purpose::Read)?,
        };
        SqlSnapshot::begin(self.reader.insert(reader).lend(), &self.names, self.clock)
    }

    /// Opens up to `readers` consistent reads of one instant, each on a connection of its own, so that what is independent
    /// can be read at once; at least one.
    ///
    /// It gives fewer where further connections may not come at once (from a pool, behind a pooler, at the server's limit),
    /// and on SQLite where others write all the time: readers are of one instant where nobody has committed while they began.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[cfg(feature = "guardrails")]
    pub fn read_on_several(
        &mut self,
        readers: usize,
    ) -> Result<Vec<SqlSnapshot<'static>>, StoreError> {
        const TRIES: u8 = 3;
        const READ: &str = "the read";
        let alone = self.source.is_shared() || readers < 2;
        // Together they take the memory of one.
        let mut options = self.options.clone();
        options.cache_kib /= u32::try_from(readers.max(1)).unwrap_or(u32::MAX);
        let mut snapshots = Vec::new();
        for _ in 0..TRIES {
            snapshots.clear();
            let before = self.db.data_version().map_err(failed(READ))?;
            let reader = self.source.connect(&options, Purpose::Read)?;
            snapshots.push(SqlSnapshot::begin(reader, &self.names, self.clock)?);
            if alone || !snapshots[0].database().is_own_session() {
                return Ok(snapshots);
            }
            while snapshots.len() < readers {
                let beside = self
                    .source
                    .connect(&options, Purpose::Read)
                    .and_then(|db| snapshots[0].beside(db));
                match beside {
                    Ok(snapshot) => snapshots.push(snapshot),
                    Err(_) => break,
                }
            }
            if before == self.db.data_version().map_err(failed(READ))? {
                return Ok(snapshots);
            }
        }
        snapshots.truncate(1);
        Ok(snapshots)
    }
}

impl QueueStore for SqlStore {
    fn seed(
        &mut self,
        backlog: &dyn Backlog,
        options: &SeedOptions,
    ) -> Result<SeedSummary, StoreError> {
        let span = trace::seed(backlog.name());
        let _entered = span.enter();
        self.heed(&options.stop);
        let reconnects = AtomicU64::new(0);
        let mut written = None;
        let who = &options.actor;
        let patience = Patience::new(who, options.max_reconnects, &options.stop, &reconnects);
        let mut summary = retry_on_outage(self, patience, |store| {
            match &written {
                // The connection went between the commit and the answer.
                Some((run, summary))
                    if runs::has_ended(&mut store.db, &store.names, *run, who)? =>
                {
                    Ok(SeedSummary::clone(summary))
                }
                _ => {
                    let mut borrowed = store.borrowed();
                    let told = borrowed.seed_once(backlog, options, &mut |run, summary| {
                        written = Some((run, summary.clone()));
                    });
                    let pace = borrowed.db.pace();
                    told.map(|(_, summary)| summary).map_err(|error| store.explained(error, pace))
                }
            }
        })?;
        summary.reconnects = reconnects.into_inner();
        if let Some((run, _)) = written {
            trace::seeded(RunId(run), &summary);
        }
        Ok(summary)
    }

    fn recover_batch(
        &mut self,
        batch: &BatchRequest<'_>,
        cursor: &mut Cursor,
        resolver: &mut dyn Resolver,
    ) -> Result<BatchSummary, StoreError> {
        if batch.careful {
            self.in_batch(|db, names, clock, _| {
                batch::count_attempt(db, names, clock, batch, cursor)
            })?;
        }
        // The cursor moves only with the commit.
        let mut ahead = cursor.clone();
        let summary = self.in_batch(|db, names, clock, settling| {
            batch::in_transaction(db, names, clock, batch, &mut ahead, resolver, settling)
        })?;
        *cursor = ahead;
        Ok(summary)
    }

    fn wake(&mut self, keys: &[String]) -> Result<u64, StoreError> {
        self.borrowed().wake(keys)
    }

    fn wake_outdated(&mut self, reading: &str, limit: u32) -> Result<u64, StoreError> {
        self.borrowed().wake_outdated(reading, limit)
    }

    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(self.read()?))
    }

    fn lease_store(&mut self) -> Option<&mut dyn LeaseStore> {
        Some(self)
    }

    fn run_store(&mut self) -> Option<&mut dyn RunStore> {
        Some(self)
    }

    fn heed(&mut self, stop: &Stop) {
        self.stop = stop.clone();
        self.db.heed(stop);
    }

    fn reconnect(&mut self) -> Result<(), StoreError> {
        self.reader = None;
        self.lives = None;
        let mut db = self.source.connect(&self.options, Purpose::Write)?;
        db.remember(&self.db);
        db.heed(&self.stop);
        self.db = db;
        // Each connection counts the commits of others for itself.
        #[cfg(feature = "sqlite")]
        {
            self.settling.begun_at = None;
        }
        Ok(())
    }
}

impl LeadStore for SqlStore {
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
        self.borrowed().reopen_leads(leads, decider)
    }

    fn cancel(&mut self, leads: &[SourcePk], decider: Decider<'_>) -> Result<u64, StoreError> {
        self.borrowed().cancel(leads, decider)
    }

    fn forget(&mut self, whom: Forget<'_>, decider: Decider<'_>) -> Result<Forgotten, StoreError> {
        self.borrowed().forget(whom, decider)
    }

    fn actions(&mut self) -> Result<Vec<StoreAction>, StoreError> {
        self.borrowed().actions()
    }

    fn record_forgotten(
        &mut self,
        whom: Forget<'_>,
        rows: u64,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        self.borrowed().record_forgotten(whom, rows, decider)
    }

    fn inconsistencies(&mut self) -> Result<Vec<Inconsistency>, StoreError> {
        self.read()?.inconsistencies()
    }

    fn reconcile(&mut self, decider: Decider<'_>) -> Result<Vec<Inconsistency>, StoreError> {
        self.borrowed().reconcile(decider)
    }

    fn prune(&mut self, retention: Retention, decider: Decider<'_>) -> Result<Pruned, StoreError> {
        self.borrowed().prune(retention, decider)
    }
}

impl LeaseStore for SqlStore {
    fn lease(
        &mut self,
        batch: &BatchRequest<'_>,
        ttl: Duration,
        cursor: &mut Cursor,
    ) -> Result<Option<Lease>, StoreError> {
        // The cursor moves only with the commit.
        let mut ahead = cursor.clone();
        let lease = self.in_batch(|db, names, clock, _| {
            batch::lease::take(db, names, clock, batch, ttl, &mut ahead)
        })?;
        *cursor = ahead;
        Ok(lease)
    }

    fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<u64, StoreError> {
        self.in_batch(|db, names, clock, _| batch::lease::renew(db, names, clock, lease, ttl))
    }

    fn settle(
        &mut self,
        batch: &BatchRequest<'_>,
        lease: &Lease,
        answers: &[Resolution],
    ) -> Result<BatchSummary, StoreError> {
        self.in_batch(|db, names, clock, settling| {
            batch::lease::settle(db, names, clock, batch, lease, answers, settling)
        })
    }

    fn give_back(&mut self, lease: &Lease) -> Result<u64, StoreError> {
        self.in_batch(|db, names, _, _| batch::lease::give_back(db, names, lease))
    }
}

impl RunStore for SqlStore {
    fn open_run(&mut self, run: &NewRun) -> Result<RunId, StoreError> {
        migrate::ensure_usable(&mut self.db, &self.names)?;
        let (names, clock) = (&self.names, self.clock);
        // As in a batch: whatever PostgreSQL believes of the persons, those without an origin are found by their index.
        self.db.transaction_as(Begin::Batch, "the start of a run", |db| {
            let id = runs::insert(db, names, clock, run)?;
            if run.kind == RunKind::Recover {
                let now = now(db, clock)?;
                let context = Context { backlog_id: 0, run_id: id, now };
                origins::mend_missing(db, names, &context)?;
            }
            Ok(RunId(id))
        })
    }

    fn close_run(&mut self, run: RunId, outcome: RunOutcome) -> Result<(), StoreError> {
        let (names, clock) = (&self.names, self.clock);
        self.db.transaction("the end of a run", |db| {
            runs::finish(db, names, clock, run.get(), outcome)
        })
    }

    fn mark(&mut self, worker: &str, size: Option<u32>) -> Result<(), StoreError> {
        let (names, clock) = (&self.names, self.clock);
        // The lock is there before the mark and goes after it: no mark of ours looks like a dead worker's.
        if size.is_some() && self.lives.as_deref() != Some(worker) {
            crash_marker::live(&mut self.db, names, worker, true)?;
            self.lives = Some(worker.to_owned());
        }
        self.db.transaction("the worker's mark", |db| {
            let now = now(db, clock)?;
            crash_marker::write(db, names, worker, size, now)
        })?;
        if size.is_none() && self.lives.take().is_some() {
            crash_marker::live(&mut self.db, names, worker, false)?;
        }
        Ok(())
    }

    fn take_marks(&mut self, run: RunId) -> Result<Option<u32>, StoreError> {
        let names = &self.names;
        self.db.transaction("the look at old marks", |db| crash_marker::take(db, names, run.get()))
    }
}
