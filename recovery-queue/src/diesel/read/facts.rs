//! Serves the facts of `guardrails` from one snapshot.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::Text;
use guardrails::facts::{
    Dialect, Facts, FactsError, FactsResult, Offender, Offenders, Query, Scope, SnapshotInfo,
    Tables,
};
use guardrails::recovery::{
    AgeBucket, DailyMetrics, Invariant, LackCount, LedgerFacts, MigrationFacts, QueueFacts,
    ReasonCount, RecoveryFacts, RunFacts,
};

use crate::diesel::conn::database::{Param, TextRow};
use crate::diesel::read::books;
use crate::diesel::read::broken;
use crate::diesel::read::inconsistencies::links_to_nobody;
use crate::diesel::read::presence::{Looks, Relation, matched_in_view};
use crate::diesel::read::snapshot::SqlSnapshot;
use crate::diesel::read::time_limit;
use crate::diesel::service_migrations::ServiceMigrations;
use crate::diesel::write::events::{LedgerIndex, ROLLED_UP_TO};
use crate::diesel::write::view_values;
use crate::model::backlog::{Backlog, BacklogRows};
use crate::model::error::StoreError;
use crate::model::key::{MAX_KEY_BYTES, SourcePk};
use crate::model::ledger::EventKind;
use crate::model::rows::Status;
use crate::store::Snapshot;

/// How far behind the latest instant a clock may be: clocks of several machines differ by that much.
const CLOCK_MAY_BE_BEHIND: Duration = Duration::seconds(60);

/// The keys of leads that were taken out of the work by hand; each is found by its number.
const CANCELLED: &str = "SELECT (SELECT l.source_pk FROM {ns}queue_lead l WHERE l.id = s.lead_id) AS value \
     FROM {ns}queue_settled s WHERE s.status = 3 AND s.cancelled = 1";

/// Facts for the checks of `guardrails`, from one consistent read of the store.
///
/// What is counted is counted by the database and only the offenders listed are read, but for the evidence of failed leads,
/// which is read page by page; a backlog that is no view is read once per question that needs it.
pub struct StoreFacts<'a> {
    snapshot: RefCell<SqlSnapshot<'a>>,
    backlog: &'a dyn Backlog,
    zone: Tz,
    days: u16,
    /// What was counted already, by this reader or another one of the same snapshot.
    counted: Arc<Counted>,
    /// The view of the backlog, once it was looked for.
    view: OnceCell<Option<String>>,
    /// Whose books of migrations are looked at beside the store's own.
    services: Vec<ServiceMigrations>,
    /// The numbers of the leads that the facts speak of, where these are not all.
    touched: Option<Arc<[i64]>>,
    /// The limit of the check under way.
    limit: Cell<Option<std::time::Duration>>,
    /// Whether a check has begun, so that there is a savepoint to go back to.
    begun: Cell<bool>,
}

/// Counts that do not change within one snapshot, and that several checks and pages ask for.
#[derive(Default)]
struct Counted {
    queue: Mutex<Option<QueueFacts>>,
    ledger: Mutex<Option<LedgerFacts>>,
}

/// Gives what was counted, or counts it now, while others who ask for it wait.
fn once<T: Clone>(
    counted: &Mutex<Option<T>>,
    count: impl FnOnce() -> FactsResult<T>,
) -> FactsResult<T> {
    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(counted) = &*counted {
        return Ok(counted.clone());
    }
    Ok(counted.insert(count()?).clone())
}

impl std::fmt::Debug for StoreFacts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreFacts").field("backlog", &self.backlog.name()).finish_non_exhaustive()
    }
}

impl<'a> StoreFacts<'a> {
    /// Makes facts of a snapshot and the backlog that the checks are about; days in UTC, 30 of them.
    #[must_use]
    pub fn new(snapshot: SqlSnapshot<'a>, backlog: &'a dyn Backlog) -> Self {
        Self {
            snapshot: RefCell::new(snapshot),
            backlog,
            zone: Tz::UTC,
            days: 30,
            counted: Arc::default(),
            view: OnceCell::new(),
            services: Vec::new(),
            touched: None,
            limit: Cell::new(None),
            begun: Cell::new(false),
        }
    }

    /// Sets the zone of the daily rows and how many of them, today included.
    #[must_use]
    pub fn with_days(mut self, zone: Tz, days: u16) -> Self {
        self.counted = Arc::default();
        self.zone = zone;
        self.days = days.max(1);
        self
    }

    /// Adds the migrations of a service, for the check of the heads; their book is read within the snapshot.
    #[must_use]
    pub fn with_migrations(mut self, service: ServiceMigrations) -> Self {
        self.services.push(service);
        self
    }

    /// Has the facts speak of these leads alone, such as those that a night has touched, for `Suite::touched()`; keys that
    /// the store does not know are left out.
    ///
    /// What they cost follows how many the leads are. What is summed over all leads (queue, ledger, ageing) is not
    /// provided then.
    ///
    /// # Errors
    /// The database's.
    pub fn of_touched(mut self, leads: &[SourcePk]) -> Result<Self, StoreError> {
        let mut snapshot = self.snapshot.borrow_mut();
        let numbers = snapshot.lead_numbers(leads)?;
        drop(snapshot);
        self.touched = Some(numbers.into());
        Ok(self)
    }

    /// Gives those of the keys that the backlog holds now.
    pub(crate) fn held_by_backlog(&self, keys: &[&str]) -> FactsResult<Vec<String>> {
        let held = self.snapshot.borrow_mut().in_backlog(self.backlog, keys);
        held.map_err(|error| self.explained(error))
    }

    /// Gives the view of persons that is recorded.
    pub(crate) fn person_relation(&self) -> FactsResult<Option<Relation>> {
        let persons = self.snapshot.borrow_mut().person_view();
        persons.map_err(|error| self.explained(error))
    }

    /// Gives the places of the keys that a relation does not hold.
    pub(crate) fn absent(
        &self,
        looks: &mut Looks,
        relation: &Relation,
        keys: &[&str],
    ) -> FactsResult<Vec<usize>> {
        let absent = looks.absent(self.snapshot.borrow_mut().database(), relation, keys);
        absent.map_err(|error| self.explained(error))
    }

    /// Refuses what is summed over all leads where the facts speak of some.
    fn of_all(&self, what: &'static str) -> FactsResult<()> {
        if self.touched.is_none() { Ok(()) } else { Err(FactsError::not_provided(what)) }
    }

    /// Makes facts of a further reader of the same snapshot ([`SqlStore::read_on_several`](crate::SqlStore::read_on_several)):
    /// what one of the two has counted the other one does not count again.
    #[must_use]
    pub fn beside(&self, snapshot: SqlSnapshot<'a>) -> Self {
        let mut other = Self::new(snapshot, self.backlog).with_days(self.zone, self.days);
        other.services.clone_from(&self.services);
        other.touched.clone_from(&self.touched);
        other.counted = Arc::clone(&self.counted);
        other
    }

    /// Gives the snapshot back, for further reads of the same instant.
    pub fn into_snapshot(self) -> SqlSnapshot<'a> {
        self.snapshot.into_inner()
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.snapshot.borrow_mut().database().is_sqlite()
    }

    pub(crate) fn read<T: crate::diesel::conn::database::Row>(
        &self,
        sql: &str,
    ) -> FactsResult<Vec<T>> {
        self.read_with(sql, &[])
    }

    pub(crate) fn read_with<T: crate::diesel::conn::database::Row>(
        &self,
        sql: &str,
        params: &[Param<'_>],
    ) -> FactsResult<Vec<T>> {
        let rows = self.snapshot.borrow_mut().rows(sql, params);
        rows.map_err(|error| self.explained(error))
    }

    fn explained(&self, error: StoreError) -> FactsError {
        time_limit::explained(error, self.limit.get())
    }

    pub(super) fn count(&self, sql: &str) -> FactsResult<u64> {
        let value =
            self.snapshot.borrow_mut().int(sql, &[]).map_err(|error| self.explained(error))?;
        Ok(u64::try_from(value).unwrap_or_default())
    }

    /// Counts and lists what a query with the columns `key` and `reason` finds among the rows of `population`.
    fn offending(&self, found: &str, population: &str, limit: usize) -> FactsResult<Offenders> {
        self.offending_of(found, &format!("SELECT count(*) AS value FROM {population}"), limit)
    }

    fn offending_rows(
        &self,
        [found, population]: [String; 2],
        limit: usize,
    ) -> FactsResult<Offenders> {
        self.offending(&found, &population, limit)
    }

    /// Counts and lists what a query finds, where another one gives the size of the population as `value`.
    pub(crate) fn offending_of(
        &self,
        found: &str,
        population: &str,
        limit: usize,
    ) -> FactsResult<Offenders> {
        let total = self.count(&format!("SELECT count(*) AS value FROM ({found}) f"))?;
        let mut listed = Vec::new();
        if total > 0 && limit > 0 {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            // The order of bytes is the same on both backends and in the program.
            let sqlite = self.snapshot.borrow_mut().database().is_sqlite();
            let bytes = if sqlite { "" } else { " COLLATE \"C\"" };
            let rows: Vec<Found> = self
                .snapshot
                .borrow_mut()
                .rows(
                    &format!(
                        "SELECT key, reason FROM ({found}) f ORDER BY key{bytes}, reason{bytes} LIMIT $1"
                    ),
                    &[Param::Int(limit)],
                )
                .map_err(|error| self.explained(error))?;
            listed = rows.into_iter().map(|row| Offender::new(row.key, row.reason)).collect();
        }
        let population = self.count(population)?;
        Ok(Offenders { population: Some(population), total, listed })
    }

    /// Gives the quoted view of the backlog, where it is one: the one that was seeded last.
    pub(crate) fn view(&self) -> FactsResult<Option<String>> {
        if let Some(view) = self.view.get() {
            return Ok(view.clone());
        }
        let found = self.snapshot.borrow_mut().backlog_view(self.backlog);
        let found = found.map_err(|error| self.explained(error))?;
        Ok(self.view.get_or_init(|| found).clone())
    }

    fn in_backlog(&self, limit: usize) -> FactsResult<Offenders> {
        let reason = "matched, and still in the backlog";
        let matched = "{ns}queue_settled s WHERE s.status = 1";
        if let Some(view) = self.view()? {
            let found = matched_in_view(self.is_sqlite(), &view);
            let found = format!("SELECT key, '{reason}' AS reason FROM ({found}) m");
            return self.offending(&found, matched, limit);
        }
        let all = self
            .snapshot
            .borrow_mut()
            .matched_in(self.backlog)
            .map_err(|error| self.explained(error))?;
        let all = all.into_iter().map(|key| Offender::new(key.as_str(), reason)).collect();
        let population = self.count(&format!("SELECT count(*) AS value FROM {matched}"))?;
        Ok(Offenders::of(all, Some(population), limit))
    }
}

impl StoreFacts<'_> {
    fn count_queue(&self) -> FactsResult<QueueFacts> {
        let counts =
            self.snapshot.borrow_mut().status_counts().map_err(|error| self.explained(error))?;
        let reasons =
            self.snapshot.borrow_mut().reason_counts().map_err(|error| self.explained(error))?;
        let (backlog, absent, rejected, cancelled) = if let Some(view) = self.view()? {
            let key = view_values::key_text(self.is_sqlite(), "lead_source_pk");
            let keys = format!("(SELECT DISTINCT {key} AS key FROM {view}) v");
            let absent =
                "WHERE NOT EXISTS (SELECT 1 FROM {ns}queue_lead l WHERE l.source_pk = v.key)";
            let all = self.count(&format!("SELECT count(*) AS value FROM {keys}"))?;
            let unknown = self.count(&format!("SELECT count(*) AS value FROM {keys} {absent}"))?;
            let absent =
                if unknown == 0 { 0 } else { self.not_seeded(&format!("{keys} {absent}"))? };
            (all, absent, unknown - absent, self.cancelled_in_view(&view)?)
        } else {
            let rows = BacklogRows::read(self.backlog).map_err(|error| self.explained(error))?;
            let mut known = std::collections::BTreeSet::new();
            let mut snapshot = self.snapshot.borrow_mut();
            snapshot
                .queue(&mut |row| {
                    if rows.contains(&row.source_pk) {
                        known.insert(row.source_pk);
                    }
                })
                .map_err(|error| self.explained(error))?;
            let rejected =
                rows.rejected().keys().filter(|key| !known.contains(*key)).count() as u64;
            let size = rows.len() as u64;
            let cancelled: Vec<TextRow> =
                snapshot.rows(CANCELLED, &[]).map_err(|error| self.explained(error))?;
            let cancelled = cancelled
                .into_iter()
                .filter(|row| rows.contains(&SourcePk::stored(row.value.clone())))
                .count() as u64;
            (size, size - known.len() as u64 - rejected, rejected, cancelled)
        };
        let of = |status: Status| counts.get(&status).copied().unwrap_or_default();
        Ok(QueueFacts {
            backlog,
            backlog_not_in_queue: absent,
            rejected,
            cancelled,
            pending: of(Status::Pending),
            matched: of(Status::Matched),
            failed: of(Status::Failed),
            withdrawn: of(Status::Withdrawn),
            reasons: by_size(
                reasons
                    .into_iter()
                    .map(|(reason, leads)| ReasonCount::new(reason.code(), leads))
                    .collect(),
            ),
        })
    }

    /// Counts the leads of the view that were taken out of the work by hand. The view is read once, from end to end.
    fn cancelled_in_view(&self, view: &str) -> FactsResult<u64> {
        let any = format!("SELECT count(*) AS value FROM ({CANCELLED}) c");
        if self.count(&any)? == 0 {
            return Ok(0);
        }
        let key = view_values::key_text(self.is_sqlite(), "lead_source_pk");
        self.count(&format!(
            "SELECT count(*) AS value FROM (SELECT DISTINCT {key} AS key FROM {view}) v \
             WHERE (SELECT s.cancelled FROM {{ns}}queue_settled s WHERE s.lead_id = \
                 (SELECT l.id FROM {{ns}}queue_lead l WHERE l.source_pk = v.key)) = 1"
        ))
    }

    /// Counts the keys that no seed has met: neither taken nor left out. No key longer than the longest is ever taken.
    fn not_seeded(&self, keys: &str) -> FactsResult<u64> {
        let length =
            if self.is_sqlite() { "length(CAST(key AS BLOB))" } else { "octet_length(key)" };
        // One sort and no join: no planner can take one side for short and read it once for each row of the other.
        self.count(&format!(
            "SELECT count(*) AS value FROM (SELECT key FROM ( \
                 SELECT key, 0 AS rejected FROM {keys} UNION ALL \
                 SELECT source_pk, 1 FROM {{ns}}queue_rejected WHERE source_pk IS NOT NULL) u \
             WHERE {length} <= {MAX_KEY_BYTES} GROUP BY key HAVING max(rejected) = 0) n"
        ))
    }

    /// Finds the links whose persons are gone, where the service's view of persons is recorded.
    fn links_to_nobody(&self, limit: usize) -> FactsResult<Offenders> {
        let Some(persons) = self.person_relation()? else {
            return Err(FactsError::not_provided(Invariant::LINK_TARGET_EXISTS.as_str()));
        };
        let found = format!(
            "SELECT n.key, 'its person is gone' AS reason FROM ({}) n",
            links_to_nobody(self.is_sqlite(), &persons),
        );
        self.offending(&found, "{ns}queue_link k", limit)
    }

    /// Compares the clock with the latest instant that the store has seen.
    fn clock(&self, limit: usize) -> Offenders {
        let snapshot = self.snapshot.borrow();
        let (clock, latest) = (snapshot.clock, snapshot.as_of());
        let mut behind = Vec::new();
        if latest - clock > CLOCK_MAY_BE_BEHIND {
            let second = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            let reason =
                format!("it says {}, and something happened at {}", second(clock), second(latest));
            behind.push(Offender::new("clock", reason));
        }
        Offenders::of(behind, Some(1), limit)
    }

    fn sum_ledger(&self) -> FactsResult<LedgerFacts> {
        let mut snapshot = self.snapshot.borrow_mut();
        let to = snapshot.as_of().with_timezone(&self.zone).date_naive();
        let from = to - Duration::days(i64::from(self.days) - 1);
        let mut open_by_ledger = 0_i64;
        let mut matched_last_24h = 0_u64;
        let since = snapshot.as_of() - Duration::hours(24);
        // Days join from the last opening balance on: before it, a backlog was not counted yet.
        let mut opened = from;
        let zone = self.zone;
        snapshot
            .ledger(DateTime::<Utc>::MAX_UTC, &mut |slot| {
                open_by_ledger +=
                    slot.kind.effect() * i64::try_from(slot.leads).unwrap_or(i64::MAX);
                if slot.kind == EventKind::Matched && slot.start >= since {
                    matched_last_24h += slot.leads;
                }
                if slot.kind == EventKind::Opening {
                    opened = opened.max(slot.start.with_timezone(&zone).date_naive());
                }
            })
            .map_err(|error| self.explained(error))?;
        let days = snapshot
            .daily_metrics(opened.min(to), to, self.zone)
            .map_err(|error| self.explained(error))?;
        let counts = snapshot.status_counts().map_err(|error| self.explained(error))?;
        let open = crate::model::rows::backlog_size(&counts);
        Ok(LedgerFacts {
            days: days
                .into_iter()
                .map(|day| DailyMetrics {
                    day: day.date,
                    backlog_start: day.backlog_start,
                    new_backlog_in: day.new_backlog_in,
                    matched_out: day.matched_out,
                    other_out: day.other_out,
                    backlog_end: day.backlog_end,
                    net_change: day.net_change,
                    top_fail_reason: day.top_fail_reason.map(|reason| reason.code().to_owned()),
                })
                .collect(),
            open_by_ledger,
            open_by_queue: i64::try_from(open).unwrap_or(i64::MAX),
            unfinished: Some(to),
            matched_last_24h: Some(matched_last_24h),
        })
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    reason: String,
}

fn by_size(mut reasons: Vec<ReasonCount>) -> Vec<ReasonCount> {
    reasons.sort_by(|a, b| b.leads.cmp(&a.leads).then_with(|| a.reason.cmp(&b.reason)));
    reasons
}

impl Facts for StoreFacts<'_> {
    fn snapshot(&self) -> SnapshotInfo {
        let snapshot = self.snapshot.borrow();
        let as_of: DateTime<Utc> = snapshot.as_of();
        let read = SnapshotInfo::new(snapshot.id(), as_of);
        match &self.touched {
            Some(leads) => read.of(Scope::Touched(leads.len() as u64)),
            None => read,
        }
    }

    fn limit_time(&self, budget: Option<std::time::Duration>) {
        self.limit.set(budget);
        let first = !self.begun.replace(true);
        self.snapshot.borrow_mut().limit_time(budget, first);
    }
}

impl Tables for StoreFacts<'_> {
    fn dialect(&self) -> Dialect {
        if self.is_sqlite() { Dialect::Sqlite } else { Dialect::Postgres }
    }

    fn query(&self, query: &Query<'_>, limit: usize) -> FactsResult<Offenders> {
        self.snapshot.borrow_mut().offending_query(query, limit, self.limit.get())
    }
}

impl RecoveryFacts for StoreFacts<'_> {
    fn queue(&self) -> FactsResult<QueueFacts> {
        self.of_all("queue")?;
        once(&self.counted.queue, || self.count_queue())
    }

    fn offenders(&self, invariant: Invariant, limit: usize) -> FactsResult<Offenders> {
        let matched = "{ns}queue_settled s WHERE s.status = 1";
        if let Some(leads) =
            self.touched.as_deref().filter(|_| invariant != Invariant::CLOCK_GOES_FORWARD)
        {
            return self.touched_offenders(leads, invariant, limit);
        }
        match invariant {
            Invariant::MATCHED_NOT_IN_BACKLOG => self.in_backlog(limit),
            Invariant::MATCHED_HAS_ORIGIN => {
                self.offending_rows(broken::without_origin(matched), limit)
            }
            Invariant::ORIGIN_HAS_LINK => {
                let origins = "{ns}queue_person p WHERE p.origin_lead_id IS NOT NULL";
                self.offending_rows(broken::origin_without_link(origins), limit)
            }
            Invariant::MATCHED_HAS_LINK => {
                self.offending_rows(broken::without_link(matched), limit)
            }
            Invariant::LINK_TO_SAME_PERSON => {
                self.offending_rows(broken::linked_to_another(matched), limit)
            }
            Invariant::SOURCE_PK_IN_ONE_FORMAT => self.odd_keys(limit),
            // The ledger counts and does not name leads; what can be told of one lead is whether it is in
            // exactly one state. The sums are compared in `ledger`.
            Invariant::LEDGER_AGREES_WITH_QUEUE => self.offending(
                &"SELECT COALESCE((SELECT l.source_pk FROM {ns}queue_lead l WHERE l.id = x.lead_id), \
                         'lead no. ' || x.lead_id) AS key, \
                     CASE WHEN x.leads = 0 THEN 'a state whose lead the queue does not hold' \
                         WHEN x.states = 0 THEN 'in no state' ELSE 'in more than one state' END AS reason \
                 FROM (SELECT lead_id, sum(lead) AS leads, sum(state) AS states FROM ( \
                     SELECT id AS lead_id, 1 AS lead, 0 AS state FROM {ns}queue_lead UNION ALL \
                     SELECT lead_id, 0, 1 FROM {ns}queue_pending UNION ALL \
                     SELECT lead_id, 0, 1 FROM {ns}queue_parked UNION ALL \
                     SELECT lead_id, 0, 1 FROM {ns}queue_settled) y GROUP BY lead_id) x \
                 WHERE x.leads <> 1 OR x.states <> 1 \
                 UNION ALL SELECT 'event ' || t.kind, CAST(sum(t.leads) AS BIGINT) || ' leads under a kind that this \
                     version does not know' FROM (SELECT kind, leads FROM {ns}queue_ledger_slot UNION ALL \
                     SELECT e.kind, e.leads FROM {ledger} WHERE e.at >= {rolled}) t \
                 WHERE t.kind NOT IN ({kinds}) GROUP BY t.kind"
                    .replace("{ledger}", LedgerIndex::Time.of(self.is_sqlite()))
                    .replace("{rolled}", ROLLED_UP_TO)
                    .replace("{kinds}", &EventKind::ALL.map(|kind| format!("'{}'", kind.code())).join(", ")),
                "{ns}queue_lead l",
                limit,
            ),
            Invariant::LINK_TARGET_EXISTS => self.links_to_nobody(limit),
            Invariant::BACKLOG_LEAD_TAKEN => self.offending_of(
                "SELECT COALESCE(r.source_pk, 'sha256:' || r.key_hash) AS key, \
                     r.reason || ', a key of ' || r.key_bytes || ' bytes, SHA-256 ' || r.key_hash AS reason \
                 FROM {ns}queue_rejected r",
                "SELECT (SELECT count(*) FROM {ns}queue_lead) + (SELECT count(*) FROM {ns}queue_rejected r \
                     WHERE r.source_pk IS NULL OR NOT EXISTS \
                         (SELECT 1 FROM {ns}queue_lead l WHERE l.source_pk = r.source_pk)) AS value",
                limit,
            ),
            Invariant::REJECTED_NOT_LINKED => self.offending_of(
                // CROSS JOIN keeps the order of the tables on SQLite.
                "SELECT l.source_pk AS key, 'it is linked to a person who was rejected for it' AS reason \
                 FROM {ns}queue_rejected_pair r CROSS JOIN {ns}queue_lead l CROSS JOIN {ns}queue_link k \
                 WHERE l.id = r.lead_id AND k.lead_id = r.lead_id AND +k.person_id = r.person_id \
                   AND l.lead_version IS NOT DISTINCT FROM r.lead_version",
                "SELECT count(*) AS value FROM {ns}queue_rejected_pair r CROSS JOIN {ns}queue_lead l \
                 WHERE l.id = r.lead_id AND l.lead_version IS NOT DISTINCT FROM r.lead_version",
                limit,
            ),
            Invariant::CLOCK_GOES_FORWARD => Ok(self.clock(limit)),
            other => Err(FactsError::not_provided(other.as_str())),
        }
    }

    fn ledger(&self) -> FactsResult<LedgerFacts> {
        self.of_all("ledger")?;
        once(&self.counted.ledger, || self.sum_ledger())
    }

    fn runs(&self, limit: usize) -> FactsResult<Vec<RunFacts>> {
        let mut snapshot = self.snapshot.borrow_mut();
        let runs = snapshot.recoveries(u32::try_from(limit).unwrap_or(u32::MAX));
        let facts = runs.map_err(|error| self.explained(error))?.into_iter().map(|run| {
            let matched = run.events.get(EventKind::Matched.code()).copied().unwrap_or_default();
            let (before, arrived) = (run.backlog_before, run.new_backlog_in);
            let expected = (before + arrived).saturating_sub(matched);
            let after = run.backlog_after.unwrap_or(expected);
            // A run that was killed, or is of an older version, has counted none: the rest is what left.
            let reasons = run.failed.into_iter();
            RunFacts {
                run_id: run.run_id.to_string(),
                started_at: run.started_at,
                finished_at: run.finished_at,
                backlog_before: before,
                backlog_after: after,
                new_backlog_in: arrived,
                matched,
                other_out: run.other_out.unwrap_or_else(|| expected.saturating_sub(after)),
                failed: by_size(
                    reasons.map(|(reason, leads)| ReasonCount::new(reason.code(), leads)).collect(),
                ),
            }
        });
        Ok(facts.collect())
    }

    fn migrations(&self) -> FactsResult<Vec<MigrationFacts>> {
        let mut snapshot = self.snapshot.borrow_mut();
        let status = snapshot.migration_status().map_err(|error| self.explained(error))?;
        let services = self
            .services
            .iter()
            .map(|service| snapshot.service_book(service).map_err(|error| self.explained(error)));
        std::iter::once(Ok(books::own(status))).chain(services).collect()
    }

    fn ageing(&self) -> FactsResult<Vec<AgeBucket>> {
        self.of_all("ageing")?;
        let buckets = self.snapshot.borrow_mut().ageing().map_err(|error| self.explained(error))?;
        Ok(buckets
            .into_iter()
            .map(|bucket| AgeBucket {
                from_days: bucket.from_days,
                below_days: bucket.below_days,
                leads: bucket.leads,
            })
            .collect())
    }

    fn lacking(&self) -> FactsResult<Vec<LackCount>> {
        self.of_all("lacking")?;
        self.lacks()
    }
}
