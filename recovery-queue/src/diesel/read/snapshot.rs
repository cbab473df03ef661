//! The consistent read: one transaction of a connection of its own.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
#[cfg(feature = "guardrails")]
use guardrails::recovery::MigrationFacts;

use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::transaction::Begin;
use crate::diesel::conn::typed::typed;
use crate::diesel::migrate;
#[cfg(feature = "guardrails")]
use crate::diesel::read::given_leads;
use crate::diesel::read::inconsistencies;
use crate::diesel::read::leads;
#[cfg(feature = "guardrails")]
use crate::diesel::read::presence::Relation;
use crate::diesel::read::presence::matched_in_view;
use crate::diesel::read::records::{
    Aged, Counted, LinkRecord, OriginRecord, QueueRecord, SlotRecord, age_bucket, time,
};
#[cfg(feature = "guardrails")]
use crate::diesel::service_migrations::ServiceMigrations;
use crate::diesel::tables::{queue_parked, queue_pending};
use crate::diesel::write::events::{LedgerIndex, ROLLED_UP_TO, SLOT_MICROS, latest_instant};
use crate::diesel::write::runs;
use crate::diesel::write::view::BacklogView;
use crate::model::age::AgeBucket;
use crate::model::backlog::{Backlog, BacklogSource};
use crate::model::error::StoreError;
use crate::model::inconsistency::Inconsistency;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::lead::{LeadRecord, PersonRecord};
use crate::model::ledger::{EventKind, LedgerSlot, SLOT_SECONDS};
use crate::model::resolver::FailReason;
use crate::model::rows::{LinkRow, OriginRow, QueueRow, Status};
use crate::model::run::RunRecord;
use crate::store::Snapshot;

const READ: &str = "the read";
/// Rows per statement while reading everything.
const PAGE: i64 = 10_000;

/// Reads a database as it was at one instant; made by [`SqlStore`](crate::SqlStore).
pub struct SqlSnapshot<'a> {
    db: Database<'a>,
    names: Names,
    as_of: DateTime<Utc>,
    /// What the clock says.
    #[cfg_attr(not(feature = "guardrails"), allow(dead_code))] // read by the facts
    pub(crate) clock: DateTime<Utc>,
    #[cfg_attr(not(feature = "guardrails"), allow(dead_code))] // read by the facts
    id: String,
    /// When the statements of the check under way must have ended.
    #[cfg(feature = "guardrails")]
    pub(crate) deadline: Option<std::time::Instant>,
}

impl std::fmt::Debug for SqlSnapshot<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlSnapshot").field("as_of", &self.as_of).finish_non_exhaustive()
    }
}

impl<'a> SqlSnapshot<'a> {
    /// Begins a read on a connection; inside a transaction of the caller's it sees what that sees.
    pub(crate) fn begin(
        mut db: Database<'a>,
        names: &Names,
        clock: Option<i64>,
    ) -> Result<Self, StoreError> {
        db.begin(Begin::Snapshot).map_err(failed(READ))?;
        let mut read = Self {
            db,
            names: names.clone(),
            as_of: DateTime::<Utc>::MIN_UTC,
            clock: DateTime::<Utc>::MIN_UTC,
            id: String::new(),
            #[cfg(feature = "guardrails")]
            deadline: None,
        };
        // The first read fixes the instant.
        migrate::ensure_usable(&mut read.db, names)?;
        let now = now(&mut read.db, clock)?;
        read.clock = time(now);
        let now = latest_instant(&mut read.db, names, now)?;
        read.as_of = time(now);
        read.id = if read.db.is_sqlite() {
            format!("sqlite:{now}")
        } else {
            let sql = "SELECT CAST(pg_current_snapshot() AS TEXT) AS value";
            let rows: Vec<TextRow> = read.db.query(sql, &[]).map_err(failed(READ))?;
            let snapshot = rows.into_iter().next().map(|row| row.value);
            format!("postgres:{}", snapshot.unwrap_or_default())
        };
        Ok(read)
    }

    /// Begins a further read of what this one shows, on another connection; on SQLite nobody may have written since.
    #[cfg(feature = "guardrails")]
    pub(crate) fn beside<'b>(
        &mut self,
        mut db: Database<'b>,
    ) -> Result<SqlSnapshot<'b>, StoreError> {
        db.begin(Begin::Snapshot).map_err(failed(READ))?;
        if db.is_sqlite() {
            // The first read fixes the instant.
            migrate::ensure_usable(&mut db, &self.names)?;
        } else {
            let export = "SELECT pg_export_snapshot() AS value";
            let names: Vec<TextRow> = self.db.query(export, &[]).map_err(failed(READ))?;
            let name = names.into_iter().next().map(|row| row.value).unwrap_or_default();
            // It takes no parameter; the server made the name, of digits and dashes.
            db.script(&format!("SET TRANSACTION SNAPSHOT '{}'", name.replace('\'', "''")))
                .map_err(failed(READ))?;
        }
        Ok(SqlSnapshot {
            db,
            names: self.names.clone(),
            as_of: self.as_of,
            clock: self.clock,
            id: self.id.clone(),
            deadline: None,
        })
    }

    /// Gives what names this read: the backend and, on PostgreSQL, the snapshot's own name.
    #[cfg(feature = "guardrails")]
    pub(crate) fn id(&self) -> String {
        self.id.clone()
    }

    #[cfg(feature = "guardrails")]
    pub(crate) fn int(&mut self, sql: &str, params: &[Param<'_>]) -> Result<i64, StoreError> {
        let sql = self.names.sql(sql);
        self.in_time(|db| db.int(&sql, params)).map_err(failed(READ))
    }

    #[cfg(feature = "guardrails")]
    pub(crate) fn rows<T: crate::diesel::conn::database::Row>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<T>, StoreError> {
        self.query(sql, params)
    }

    /// Gives the latest runs of recovery, newest first.
    #[cfg(feature = "guardrails")]
    pub(crate) fn recoveries(&mut self, limit: u32) -> Result<Vec<RunRecord>, StoreError> {
        runs::latest(
            &mut self.db,
            &self.names,
            self.as_of,
            Some(crate::model::run::RunKind::Recover),
            limit,
        )
    }

    /// Gives the connection, inside the read's transaction, for statements that are not ours.
    #[cfg(feature = "guardrails")]
    pub(crate) fn database(&mut self) -> &mut Database<'a> {
        &mut self.db
    }

    /// Reads the book of a service's migrations.
    #[cfg(feature = "guardrails")]
    pub(crate) fn service_book(
        &mut self,
        service: &ServiceMigrations,
    ) -> Result<MigrationFacts, StoreError> {
        service.book(&mut self.db, &self.names)
    }

    /// Checks that a backlog can be read, and that its view is the one that was seeded last: for the start of a service.
    ///
    /// # Errors
    /// A view that is not there or is no backlog, and a name without a schema that another `search_path` finds
    /// elsewhere.
    pub fn check_backlog(&mut self, backlog: &dyn Backlog) -> Result<(), StoreError> {
        self.backlog_view(backlog).map(|_| ())
    }

    /// Gives the view of a backlog with its schema, quoted for SQL and checked; `None` where it is no view.
    pub(crate) fn backlog_view(
        &mut self,
        backlog: &dyn Backlog,
    ) -> Result<Option<String>, StoreError> {
        let BacklogSource::View(view) = backlog.source() else { return Ok(None) };
        let place = BacklogView::checked(&mut self.db, &self.names, backlog, view)?;
        Ok(Some(place.quoted()))
    }

    /// Gives everything that is known of a lead; `None` where the store does not know it.
    pub fn lead(&mut self, key: &SourcePk) -> Result<Option<LeadRecord>, StoreError> {
        leads::lead(&mut self.db, &self.names, key)
    }

    /// Gives everything that is known of a person; `None` where the store does not know the person.
    pub fn person(&mut self, key: &PersonKey) -> Result<Option<PersonRecord>, StoreError> {
        leads::person(&mut self.db, &self.names, key)
    }

    /// Says what disagrees; see [`LeadStore::inconsistencies`](crate::LeadStore::inconsistencies).
    pub fn inconsistencies(&mut self) -> Result<Vec<Inconsistency>, StoreError> {
        Ok(inconsistencies::find(&mut self.db, &self.names)?.told)
    }

    /// Finds the numbers of leads; those that the store does not know are left out.
    #[cfg(feature = "guardrails")]
    pub(crate) fn lead_numbers(&mut self, leads: &[SourcePk]) -> Result<Vec<i64>, StoreError> {
        let names = &self.names;
        given_leads::numbers(&mut self.db, |sql| names.sql(sql), leads)
    }

    /// Gives those of the keys that a backlog holds now.
    #[cfg(feature = "guardrails")]
    pub(crate) fn in_backlog(
        &mut self,
        backlog: &dyn Backlog,
        keys: &[&str],
    ) -> Result<Vec<String>, StoreError> {
        given_leads::in_backlog(&mut self.db, &self.names, backlog, keys)
    }

    /// Gives the service's view of persons, where one is recorded.
    #[cfg(feature = "guardrails")]
    pub(crate) fn person_view(&mut self) -> Result<Option<Relation>, StoreError> {
        inconsistencies::person_view(&mut self.db, &self.names)
    }

    /// Counts the leads that wait to be decided; those in back-off or under a lease too.
    pub fn pending_total(&mut self) -> Result<u64, StoreError> {
        let (db, names) = (&mut self.db, &self.names);
        let pending: i64 =
            typed!(db, names, get_result, queue_pending::table.count()).map_err(failed(READ))?;
        let parked: i64 =
            typed!(db, names, get_result, queue_parked::table.count()).map_err(failed(READ))?;
        Ok(u64::try_from(pending + parked).unwrap_or_default())
    }

    /// Gives the keys of the leads that wait to be decided, at most so many; those in back-off or under a lease too.
    pub fn pending(&mut self, limit: u32) -> Result<Vec<SourcePk>, StoreError> {
        let sql = "SELECT (SELECT l.source_pk FROM {ns}queue_lead l WHERE l.id = q.lead_id) AS value FROM ( \
             SELECT lead_id FROM {ns}queue_pending UNION ALL SELECT lead_id FROM {ns}queue_parked) q LIMIT $1";
        let rows: Vec<TextRow> = self.query(sql, &[Param::Int(limit.into())])?;
        Ok(rows.into_iter().map(|row| SourcePk::stored(row.value)).collect())
    }

    /// Lists failed leads; see [`LeadStore::failed`](crate::LeadStore::failed).
    pub fn failed(
        &mut self,
        reason: Option<&FailReason>,
        after: Option<&SourcePk>,
        limit: u32,
    ) -> Result<Vec<QueueRow>, StoreError> {
        leads::failed_after(&mut self.db, &self.names, reason, after, limit)
    }

    /// Compares the tables with the migrations of this build.
    pub fn migration_status(&mut self) -> Result<crate::diesel::MigrationStatus, StoreError> {
        migrate::status(&mut self.db, &self.names)
    }

    pub(super) fn query<T: crate::diesel::conn::database::Row>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<T>, StoreError> {
        let sql = self.names.sql(sql);
        #[cfg(feature = "guardrails")]
        let rows = self.in_time(|db| db.query(&sql, params));
        #[cfg(not(feature = "guardrails"))]
        let rows = self.db.query(&sql, params);
        rows.map_err(failed(READ))
    }
}

impl SqlSnapshot<'_> {
    /// Joins the row that an index finds for each row so far, or none.
    ///
    /// A page is short and the tables are long: PostgreSQL, left alone, may read a whole table for each page.
    pub(super) fn found_by_index(&self, table: &str, alias: &str, on: &str) -> String {
        if self.db.is_sqlite() {
            format!("LEFT JOIN {{ns}}{table} {alias} ON {on}")
        } else {
            let found = format!("SELECT * FROM {{ns}}{table} {alias} WHERE {on} OFFSET 0");
            format!("LEFT JOIN LATERAL ({found}) {alias} ON true")
        }
    }
}

impl Drop for SqlSnapshot<'_> {
    fn drop(&mut self) {
        self.db.rollback();
    }
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

fn reason(code: Option<&str>) -> Option<FailReason> {
    code.map(FailReason::stored)
}

impl Snapshot for SqlSnapshot<'_> {
    fn as_of(&self) -> DateTime<Utc> {
        self.as_of
    }

    fn queue(&mut self, each: &mut dyn FnMut(QueueRow)) -> Result<(), StoreError> {
        let mut last = String::new();
        loop {
            let found = |table, alias, on| self.found_by_index(table, alias, on);
            let sql = format!(
                "SELECT l.source_pk, b.name AS backlog, s.status, s.reason, h.person_key, \
                     COALESCE(s.attempts, q.attempts, p.attempts, 0) AS attempts, l.lead_at, \
                     l.first_seen_at, COALESCE(s.settled_at, q.since, p.since, l.first_seen_at) AS since, \
                     q.not_before, s.run_id \
                 FROM (SELECT * FROM {{ns}}queue_lead WHERE source_pk > $1 ORDER BY source_pk LIMIT $2) l \
                 {} {} {} {} {} ORDER BY l.source_pk",
                found("queue_backlog", "b", "b.id = l.backlog_id"),
                found("queue_settled", "s", "s.lead_id = l.id"),
                found("queue_parked", "q", "q.lead_id = l.id"),
                found(
                    "queue_pending",
                    "p",
                    "p.backlog_id = l.backlog_id AND p.priority = l.priority \
                     AND p.lead_at = l.lead_at AND p.lead_id = l.id",
                ),
                found("queue_person", "h", "h.id = s.person_id"),
            );
            let rows: Vec<QueueRecord> =
                self.query(&sql, &[Param::Text(&last), Param::Int(PAGE)])?;
            let Some(end) = rows.last() else { return Ok(()) };
            last.clone_from(&end.source_pk);
            for row in rows {
                each(QueueRow {
                    source_pk: SourcePk::stored(row.source_pk),
                    backlog: row.backlog,
                    status: match row.status {
                        None => Status::Pending,
                        Some(1) => Status::Matched,
                        Some(2) => Status::Failed,
                        Some(_) => Status::Withdrawn,
                    },
                    reason: reason(row.reason.as_deref()),
                    person_key: row.person_key.map(PersonKey::stored),
                    attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
                    lead_at: time(row.lead_at),
                    first_seen_at: time(row.first_seen_at),
                    since: time(row.since),
                    not_before: row.not_before.map(time),
                    run_id: row.run_id.map(RunId),
                });
            }
        }
    }

    fn links(&mut self, each: &mut dyn FnMut(LinkRow)) -> Result<(), StoreError> {
        let mut last = String::new();
        loop {
            let sql = format!(
                "SELECT l.source_pk, p.person_key, k.rule, k.confidence, k.decided_by, k.run_id, k.linked_at \
                 FROM (SELECT id, source_pk FROM {{ns}}queue_lead WHERE source_pk > $1 \
                     ORDER BY source_pk LIMIT $2) l {} {} ORDER BY l.source_pk",
                self.found_by_index("queue_link", "k", "k.lead_id = l.id"),
                self.found_by_index("queue_person", "p", "p.id = k.person_id"),
            );
            let rows: Vec<LinkRecord> =
                self.query(&sql, &[Param::Text(&last), Param::Int(PAGE)])?;
            let Some(end) = rows.last() else { return Ok(()) };
            last.clone_from(&end.source_pk);
            rows.into_iter().filter_map(LinkRecord::into_row).for_each(&mut *each);
        }
    }

    fn origins(&mut self, each: &mut dyn FnMut(OriginRow)) -> Result<(), StoreError> {
        let mut last = String::new();
        loop {
            let sql = format!(
                "SELECT p.person_key, l.source_pk, COALESCE(p.origin_lead_at, l.lead_at) AS lead_at, \
                     COALESCE(p.origin_since, 0) AS since \
                 FROM (SELECT * FROM {{ns}}queue_person WHERE person_key > $1 \
                     ORDER BY person_key LIMIT $2) p {} ORDER BY p.person_key",
                self.found_by_index("queue_lead", "l", "l.id = p.origin_lead_id"),
            );
            let rows: Vec<OriginRecord> =
                self.query(&sql, &[Param::Text(&last), Param::Int(PAGE)])?;
            let Some(end) = rows.last() else { return Ok(()) };
            last.clone_from(&end.person_key);
            rows.into_iter().filter_map(OriginRecord::into_row).for_each(&mut *each);
        }
    }

    fn ledger(
        &mut self,
        until: DateTime<Utc>,
        each: &mut dyn FnMut(LedgerSlot),
    ) -> Result<(), StoreError> {
        self.ledger_since(DateTime::<Utc>::MIN_UTC, until, each)
    }

    fn ledger_since(
        &mut self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        each: &mut dyn FnMut(LedgerSlot),
    ) -> Result<(), StoreError> {
        // Slots up to the mark come from the roll-up, later events from the ledger itself; what lies before
        // `from` is summed up into the slot before it.
        let rows: Vec<SlotRecord> = self.query(
            &format!(
                "SELECT slot, kind, reason, CAST(sum(leads) AS BIGINT) AS leads FROM ( \
                     SELECT CASE WHEN y.slot < $1 THEN $1 - 1 ELSE y.slot END AS slot, y.kind, \
                         CASE WHEN y.slot < $1 THEN NULL ELSE y.reason END AS reason, y.leads FROM ( \
                         SELECT s.slot, s.kind, NULLIF(s.reason, '') AS reason, s.leads \
                         FROM {{ns}}queue_ledger_slot s WHERE s.slot * {SLOT_SECONDS} < $2 \
                         UNION ALL \
                         SELECT e.at / {SLOT_MICROS}, e.kind, e.reason, e.leads FROM {} \
                         WHERE e.at >= {ROLLED_UP_TO} AND e.at / 1000000 < $2 \
                     ) y \
                 ) x GROUP BY slot, kind, reason ORDER BY slot, kind, reason",
                LedgerIndex::Time.of(self.db.is_sqlite()),
            ),
            &[
                Param::Int(from.timestamp().div_euclid(SLOT_SECONDS)),
                Param::Int(until.timestamp()),
            ],
        )?;
        for row in rows {
            let kind = EventKind::from_code(&row.kind);
            let text = if kind.is_none() { Some(&row.kind) } else { row.reason.as_ref() };
            each(LedgerSlot {
                start: time(row.slot * SLOT_MICROS),
                kind: kind.unwrap_or(EventKind::Unknown),
                reason: reason(text.map(String::as_str)),
                leads: count(row.leads),
            });
        }
        Ok(())
    }

    fn runs(&mut self, limit: u32) -> Result<Vec<RunRecord>, StoreError> {
        runs::latest(&mut self.db, &self.names, self.as_of, None, limit)
    }

    fn leaks(&mut self) -> Result<Vec<SourcePk>, StoreError> {
        let rows: Vec<TextRow> = self.query(
            "SELECT l.source_pk AS value FROM {ns}queue_leak k \
             JOIN {ns}queue_lead l ON l.id = k.lead_id ORDER BY l.source_pk",
            &[],
        )?;
        Ok(rows.into_iter().map(|row| SourcePk::stored(row.value)).collect())
    }

    fn matched_in(&mut self, backlog: &dyn Backlog) -> Result<Vec<SourcePk>, StoreError> {
        match backlog.source() {
            BacklogSource::View(view) => {
                let view = BacklogView::checked(&mut self.db, &self.names, backlog, view)?;
                let found = matched_in_view(self.db.is_sqlite(), &view.quoted());
                let sql = format!("SELECT key AS value FROM ({found}) m ORDER BY key");
                let rows: Vec<TextRow> = self.query(&sql, &[])?;
                Ok(rows.into_iter().map(|row| SourcePk::stored(row.value)).collect())
            }
            BacklogSource::Rows(leads) => {
                let here: std::collections::BTreeSet<SourcePk> =
                    leads.map(|lead| lead.source_pk).collect();
                let mut found = Vec::new();
                self.queue(&mut |row| {
                    if row.status == Status::Matched && here.contains(&row.source_pk) {
                        found.push(row.source_pk);
                    }
                })?;
                Ok(found)
            }
        }
    }

    fn status_counts(&mut self) -> Result<BTreeMap<Status, u64>, StoreError> {
        let rows: Vec<Counted> = self.query(
            "SELECT 'pending' AS name, (SELECT count(*) FROM {ns}queue_pending) \
                 + (SELECT count(*) FROM {ns}queue_parked) AS leads \
             UNION ALL \
             SELECT CASE status WHEN 1 THEN 'matched' WHEN 2 THEN 'failed' ELSE 'withdrawn' END, count(*) \
             FROM {ns}queue_settled GROUP BY status",
            &[],
        )?;
        Ok(Status::ALL
            .map(|status| {
                let row = rows.iter().find(|row| row.name == status.code());
                (status, row.map_or(0, |row| count(row.leads)))
            })
            .into())
    }

    fn ageing(&mut self) -> Result<Vec<AgeBucket>, StoreError> {
        let now = self.as_of.timestamp_micros();
        let rows: Vec<Aged> = self.query(
            &format!(
                "SELECT {} AS bucket, count(*) AS leads FROM ( \
                     SELECT $1 - l.lead_at AS age FROM {{ns}}queue_lead l \
                     LEFT JOIN {{ns}}queue_settled s ON s.lead_id = l.id \
                     WHERE COALESCE(s.status, 2) = 2) x GROUP BY 1",
                age_bucket("age")
            ),
            &[Param::Int(now)],
        )?;
        Ok(AgeBucket::all(|bucket| {
            let bucket = i64::try_from(bucket).unwrap_or(i64::MAX);
            rows.iter().find(|row| row.bucket == bucket).map_or(0, |row| count(row.leads))
        }))
    }

    fn overdue(&mut self) -> Result<u64, StoreError> {
        let now = self.as_of.timestamp_micros();
        let sql = "SELECT count(*) AS value FROM {ns}queue_parked WHERE not_before <= $1";
        self.db.int(&self.names.sql(sql), &[Param::Int(now)]).map(count).map_err(failed(READ))
    }

    fn reason_counts(&mut self) -> Result<BTreeMap<FailReason, u64>, StoreError> {
        let rows: Vec<Counted> = self.query(
            "SELECT reason AS name, count(*) AS leads FROM {ns}queue_settled WHERE status = 2 GROUP BY reason",
            &[],
        )?;
        Ok(rows.into_iter().map(|row| (FailReason::stored(&row.name), count(row.leads))).collect())
    }
}
