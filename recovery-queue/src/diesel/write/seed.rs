//! The seed: a backlog is staged once, then a fixed number of set-based statements bring the queue in line.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::events::Events;
use crate::diesel::write::stage;
use crate::diesel::write::staged::Asked;
use crate::diesel::write::view::BacklogView;
use crate::diesel::write::view_values;
use crate::model::backlog::Backlog;
use crate::model::error::StoreError;
use crate::model::ledger::EventKind;
use crate::model::options::{Fuse, SeedOptions};
use crate::model::work::{SeedSummary, from_std};

const SEED: &str = "the seed";

/// Counts the open leads of a backlog.
const OPEN: &str = "SELECT (SELECT count(*) FROM {ns}queue_pending WHERE backlog_id = $1) \
     + (SELECT count(*) FROM {ns}queue_parked WHERE backlog_id = $1) \
     + (SELECT count(*) FROM {ns}queue_settled WHERE status = 2 AND backlog_id = $1) AS value";

#[derive(QueryableByName)]
struct BacklogRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    first_seeded_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    last_seeded_at: Option<i64>,
}

/// One seed in progress, inside its transaction.
struct Seed<'a, 'c> {
    db: &'a mut Database<'c>,
    names: &'a Names,
    backlog_id: i64,
    /// Leads with a greater id are new in this seed.
    known: i64,
    now: i64,
    run_id: i64,
}

impl Seed<'_, '_> {
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.db.execute(&self.names.sql(sql), params).map_err(failed(SEED))
    }

    fn count(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let value = self.db.int(&self.names.sql(sql), params).map_err(failed(SEED))?;
        Ok(u64::try_from(value).unwrap_or_default())
    }

    /// Adds the leads that no seed has brought before.
    fn add_new(&mut self) -> Result<u64, StoreError> {
        // Numbered by creation, so that of leads created together the first by key stays the first, and so that a
        // batch finds its leads, and writes what it settles, side by side; filtered, so that no number is burnt.
        // The lock lets no second writer in between.
        let added = self.execute(
            "INSERT INTO {ns}queue_lead \
                 (source_pk, backlog_id, priority, lead_at, lead_version, first_seen_at) \
             SELECT s.source_pk, $1, s.priority, s.lead_at, s.lead_version, $2 FROM {tmp}rq_stage s \
             WHERE s.problem = 0 \
               AND NOT EXISTS (SELECT 1 FROM {ns}queue_lead l WHERE l.source_pk = s.source_pk) \
             ORDER BY s.lead_at, s.source_pk",
            &[Param::Int(self.backlog_id), Param::Int(self.now)],
        )?;
        if added > 0 {
            self.execute(
                "INSERT INTO {ns}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
                 SELECT backlog_id, priority, lead_at, id, 0, $1 FROM {ns}queue_lead WHERE id > $2 \
                 ORDER BY backlog_id, priority, lead_at, id",
                &[Param::Int(self.now), Param::Int(self.known)],
            )?;
        }
        Ok(added)
    }

    /// Numbers the staged leads that were known before, each with the backlog that it is in and whether it says anything
    /// new; gives how many.
    fn number_known(&mut self, whole: bool) -> Result<u64, StoreError> {
        if self.known == 0 {
            return Ok(0);
        }
        let numbered = self.execute(
            "INSERT INTO {tmp}rq_seed (lead_id, lead_at, lead_version, priority, problem, backlog_id, changed) \
             SELECT l.id, s.lead_at, s.lead_version, s.priority, s.problem, l.backlog_id, \
                 CAST(CASE WHEN l.lead_version IS DISTINCT FROM s.lead_version THEN 1 ELSE 0 END AS BIGINT) \
             FROM {tmp}rq_stage s CROSS JOIN {ns}queue_lead l WHERE l.source_pk = s.source_pk ORDER BY l.id",
            &[],
        )?;
        // A planner that knows how few they are would read them once for each row of another table.
        if !self.db.is_sqlite() && whole {
            self.execute("ANALYZE {tmp}rq_seed", &[])?;
        }
        Ok(numbered)
    }

    /// Brings withdrawn leads back, and reopens failed ones whose data changed or whose rest is over.
    fn bring_back(&mut self, rested: i64) -> Result<(u64, u64), StoreError> {
        let back = self.execute(
            "INSERT INTO {tmp}rq_move (lead_id) SELECT r.lead_id FROM {tmp}rq_seed r \
             CROSS JOIN {ns}queue_settled s \
             WHERE s.lead_id = r.lead_id AND r.problem = 0 AND s.status = 3 AND s.cancelled = 0",
            &[],
        )?;
        let reopened = self.execute(
            "INSERT INTO {tmp}rq_move (lead_id) SELECT r.lead_id FROM {tmp}rq_seed r \
             CROSS JOIN {ns}queue_settled s \
             WHERE s.lead_id = r.lead_id AND r.problem = 0 AND +s.status = 2 AND +s.backlog_id = $1 \
               AND (r.changed = 1 OR s.settled_at <= $2)",
            &[Param::Int(self.backlog_id), Param::Int(rested)],
        )?;
        // A lead keeps its place while it is pending; it takes a new one when it comes back.
        if back + reopened > 0 {
            self.execute(
                "UPDATE {ns}queue_lead SET (backlog_id, priority, lead_at, lead_version) = \
                     (SELECT $1, r.priority, r.lead_at, r.lead_version FROM {tmp}rq_seed r \
                      WHERE r.lead_id = {ns}queue_lead.id) WHERE id IN (SELECT lead_id FROM {tmp}rq_move)",
                &[Param::Int(self.backlog_id)],
            )?;
            self.execute(
                "INSERT INTO {ns}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
                 SELECT l.backlog_id, l.priority, l.lead_at, l.id, 0, $1 FROM {tmp}rq_move m \
                 CROSS JOIN {ns}queue_lead l WHERE l.id = m.lead_id \
                 ORDER BY l.backlog_id, l.priority, l.lead_at, l.id",
                &[Param::Int(self.now)],
            )?;
            for table in ["queue_settled", "queue_wake_key"] {
                self.execute(
                    &format!(
                        "DELETE FROM {{ns}}{table} WHERE lead_id IN (SELECT lead_id FROM {{tmp}}rq_move)"
                    ),
                    &[],
                )?;
            }
        }
        self.execute(
            "UPDATE {ns}queue_lead SET lead_version = \
                 (SELECT r.lead_version FROM {tmp}rq_seed r WHERE r.lead_id = {ns}queue_lead.id) \
             WHERE id IN (SELECT r.lead_id FROM {tmp}rq_seed r \
                 WHERE r.changed = 1 AND r.backlog_id = $1 AND r.problem = 0 \
                   AND NOT EXISTS (SELECT 1 FROM {tmp}rq_move m WHERE m.lead_id = r.lead_id))",
            &[Param::Int(self.backlog_id)],
        )?;
        Ok((back, reopened))
    }

    /// Finds the open leads of this backlog that are not staged, where all of it was.
    fn find_absent(&mut self) -> Result<u64, StoreError> {
        let absent = "AND NOT EXISTS (SELECT 1 FROM {tmp}rq_seed r WHERE r.lead_id = q.lead_id)";
        self.execute(
            &format!(
                "INSERT INTO {{tmp}}rq_absent (lead_id) SELECT q.lead_id FROM {{ns}}queue_pending q \
                     WHERE q.backlog_id = $1 AND +q.lead_id <= $2 {absent} \
                 UNION ALL SELECT q.lead_id FROM {{ns}}queue_parked q \
                     WHERE q.backlog_id = $1 AND +q.lead_id <= $2 {absent} \
                 UNION ALL SELECT q.lead_id FROM {{ns}}queue_settled q \
                     WHERE q.status = 2 AND q.backlog_id = $1 {absent}"
            ),
            &[Param::Int(self.backlog_id), Param::Int(self.known)],
        )
    }

    /// Withdraws the leads of this backlog that are no longer in it; `whole` says that all of it was staged.
    fn withdraw(&mut self, whole: bool) -> Result<u64, StoreError> {
        if whole {
            self.find_absent()?;
        }
        if self.count("SELECT count(*) AS value FROM {tmp}rq_absent", &[])? == 0 {
            return Ok(0);
        }
        let gone = "AND q.lead_id IN (SELECT a.lead_id FROM {tmp}rq_absent a)";
        if self.db.is_sqlite() {
            for table in ["queue_pending", "queue_parked"] {
                self.execute(
                    &format!(
                        "INSERT INTO {{tmp}}rq_gone (lead_id, attempts) SELECT q.lead_id, q.attempts \
                         FROM {{ns}}{table} q WHERE q.backlog_id = $1 {gone}"
                    ),
                    &[Param::Int(self.backlog_id)],
                )?;
                self.execute(
                    &format!(
                        "DELETE FROM {{ns}}{table} WHERE backlog_id = $1 \
                         AND lead_id IN (SELECT lead_id FROM {{tmp}}rq_gone)"
                    ),
                    &[Param::Int(self.backlog_id)],
                )?;
            }
        } else {
            // A lead in a worker's hand is skipped: the next seed sees what became of it. The next one after a feed would
            // not look at it, so that one waits for the batch.
            let skip = if whole { "SKIP LOCKED" } else { "" };
            for table in ["queue_pending", "queue_parked"] {
                self.execute(
                    &format!(
                        "WITH c AS MATERIALIZED (SELECT q.ctid AS place FROM {{ns}}{table} q \
                             WHERE q.backlog_id = $1 {gone} FOR UPDATE {skip}), \
                         d AS (DELETE FROM {{ns}}{table} q USING c WHERE q.ctid = c.place \
                             RETURNING q.lead_id, q.attempts) \
                         INSERT INTO {{tmp}}rq_gone (lead_id, attempts) SELECT lead_id, attempts FROM d"
                    ),
                    &[Param::Int(self.backlog_id)],
                )?;
            }
        }
        let pending = self.execute(
            "INSERT INTO {ns}queue_settled (lead_id, backlog_id, status, attempts, run_id, settled_at) \
             SELECT lead_id, $1, 3, attempts, $2, $3 FROM {tmp}rq_gone ORDER BY lead_id",
            &[Param::Int(self.backlog_id), Param::Int(self.run_id), Param::Int(self.now)],
        )?;
        let wake = "DELETE FROM {ns}queue_wake_key WHERE lead_id IN (SELECT q.lead_id \
             FROM {ns}queue_settled q WHERE +q.status = 2 AND +q.backlog_id = $1 ";
        self.execute(&format!("{wake} {gone})"), &[Param::Int(self.backlog_id)])?;
        let failed = self.execute(
            &format!(
                "UPDATE {{ns}}queue_settled AS q SET status = 3, reason = NULL, evidence = NULL, \
                     run_id = $1, settled_at = $2 WHERE +q.status = 2 AND +q.backlog_id = $3 {gone}"
            ),
            &[Param::Int(self.run_id), Param::Int(self.now), Param::Int(self.backlog_id)],
        )?;
        Ok(pending + failed)
    }

    /// Refuses a seed that has withdrawn too much: its transaction goes, and with it whatever it wrote.
    fn mind_the_fuse(
        &mut self,
        backlog: &str,
        fuse: Option<Fuse>,
        withdrawn: u64,
        back: u64,
    ) -> Result<(), StoreError> {
        let Some(fuse) = fuse.filter(|fuse| withdrawn >= fuse.at_least.max(1)) else {
            return Ok(());
        };
        let left = self.count(
            "SELECT (SELECT count(*) FROM {ns}queue_pending WHERE backlog_id = $1 AND +lead_id <= $2) \
                 + (SELECT count(*) FROM {ns}queue_parked WHERE backlog_id = $1) \
                 + (SELECT count(*) FROM {ns}queue_settled WHERE status = 2 AND backlog_id = $1) AS value",
            &[Param::Int(self.backlog_id), Param::Int(self.known)],
        )?;
        match fuse.blows(withdrawn, (left + withdrawn).saturating_sub(back)) {
            Some(reason) => Err(StoreError::Backlog {
                backlog: backlog.to_owned(),
                reason,
                remedy: Fuse::REMEDY,
            }),
            None => Ok(()),
        }
    }

    /// Records the matched leads that are in the backlog: all of them, and those not known before.
    fn leaks(&mut self, view: Option<&str>) -> Result<(u64, u64), StoreError> {
        let mut all = self.execute(
            "INSERT INTO {tmp}rq_leak (lead_id, source_pk) SELECT r.lead_id, l.source_pk FROM {tmp}rq_seed r \
             CROSS JOIN {ns}queue_settled s CROSS JOIN {ns}queue_lead l \
             WHERE s.lead_id = r.lead_id AND l.id = r.lead_id AND s.status = 1 AND s.settled_at <= $1",
            &[Param::Int(self.now)],
        )?;
        // PostgreSQL's workers go on while the stage is read, so a lead may have been matched since: the view is
        // read again, whole and once, after the matches were seen. Rows from elsewhere cannot be read again.
        if let Some(view) = view.filter(|_| all > 0 && !self.db.is_sqlite()) {
            self.execute(
                &format!(
                    "INSERT INTO {{tmp}}rq_again (source_pk) SELECT DISTINCT {} FROM {view} \
                     WHERE lead_source_pk IS NOT NULL",
                    view_values::key_text(false, "lead_source_pk"),
                ),
                &[],
            )?;
            self.execute(
                "DELETE FROM {tmp}rq_leak AS x WHERE NOT EXISTS \
                 (SELECT 1 FROM {tmp}rq_again a WHERE a.source_pk = x.source_pk)",
                &[],
            )?;
            all = self.count("SELECT count(*) AS value FROM {tmp}rq_leak", &[])?;
        }
        self.execute(
            "DELETE FROM {ns}queue_leak WHERE backlog_id = $1 AND NOT EXISTS \
             (SELECT 1 FROM {tmp}rq_leak x WHERE x.lead_id = {ns}queue_leak.lead_id)",
            &[Param::Int(self.backlog_id)],
        )?;
        let new = self.execute(
            "INSERT INTO {ns}queue_leak (lead_id, backlog_id, first_seen_at) \
             SELECT x.lead_id, $1, $2 FROM {tmp}rq_leak x WHERE NOT EXISTS \
                 (SELECT 1 FROM {ns}queue_leak k WHERE k.lead_id = x.lead_id) ORDER BY x.lead_id",
            &[Param::Int(self.backlog_id), Param::Int(self.now)],
        )?;
        Ok((all, new))
    }
}

pub(crate) fn seed(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    run_id: i64,
    backlog: &dyn Backlog,
    options: &SeedOptions,
) -> Result<SeedSummary, StoreError> {
    let now = match clock {
        Some(now) => now,
        None => db.now().map_err(failed(SEED))?,
    };
    stage::create(db)?;
    let rows: Vec<BacklogRow> = db
        .query(
            &names.sql(
                "SELECT id, first_seeded_at, last_seeded_at FROM {ns}queue_backlog WHERE name = $1",
            ),
            &[Param::Text(backlog.name())],
        )
        .map_err(failed(SEED))?;
    // Numbers begin at 1, so a backlog that is new holds no lead.
    let asked = Asked {
        backlog_id: rows.first().map_or(0, |row| row.id),
        seeded_at: rows.first().and_then(|row| row.last_seeded_at),
        rested: options.cool_down.map_or(i64::MIN, |rest| now.saturating_sub(from_std(rest))),
    };
    let (staged, view) = stage::fill(db, names, backlog, now, &asked, options.feed.as_ref())?;
    let (backlog_id, opening) = if let Some(row) = rows.first() {
        (row.id, row.first_seeded_at.is_none())
    } else {
        let sql = "INSERT INTO {ns}queue_backlog (name) VALUES ($1) RETURNING id AS value";
        let id = db.int(&names.sql(sql), &[Param::Text(backlog.name())]).map_err(failed(SEED))?;
        (id, true)
    };
    let known = db
        .int(&names.sql("SELECT COALESCE(max(id), 0) AS value FROM {ns}queue_lead"), &[])
        .map_err(failed(SEED))?;
    let mut seed = Seed { db, names, backlog_id, known, now, run_id };
    // Where every staged lead is known there is nothing to look for.
    let numbered = seed.number_known(staged.touched.is_none())?;
    let added = if numbered < staged.kept { seed.add_new()? } else { 0 };
    let held_elsewhere = seed.count(
        "SELECT count(*) AS value FROM {tmp}rq_seed r LEFT JOIN {ns}queue_settled s ON s.lead_id = r.lead_id \
         WHERE r.backlog_id <> $1 AND COALESCE(s.status, 2) = 2",
        &[Param::Int(backlog_id)],
    )?;
    let (back, reopened) = seed.bring_back(asked.rested)?;
    let withdrawn = seed.withdraw(staged.whole)?;
    seed.mind_the_fuse(backlog.name(), options.fuse, withdrawn, back)?;
    let (leaks, new_leaks) = seed.leaks(view.as_ref().map(BacklogView::quoted).as_deref())?;
    seed.execute(
        "UPDATE {ns}queue_backlog SET first_seeded_at = COALESCE(first_seeded_at, $1), \
         last_seeded_at = $1, view_schema = $2, view_name = $3 WHERE id = $4",
        &[
            Param::Int(now),
            Param::OptText(view.as_ref().map(|view| view.schema.as_str())),
            Param::OptText(view.as_ref().map(|view| view.name.as_str())),
            Param::Int(backlog_id),
        ],
    )?;
    let mut events = Events::default();
    events.add(if opening { EventKind::Opening } else { EventKind::Arrived }, None, added + back);
    events.add(EventKind::Reopened, None, reopened);
    events.add(EventKind::Withdrawn, None, withdrawn);
    events.add(EventKind::Leaked, None, new_leaks);
    events.append(db, names, now, backlog_id, Some(run_id))?;
    let rejections = stage::record_rejected(db, names, backlog_id)?;
    stage::drop(db)?;
    let backlog_size = if staged.touched.is_some() {
        let open = db.int(&names.sql(OPEN), &[Param::Int(backlog_id)]).map_err(failed(SEED))?;
        u64::try_from(open).unwrap_or_default() + leaks
    } else {
        staged.leads
    };
    Ok(SeedSummary {
        backlog: backlog.name().to_owned(),
        backlog_size,
        touched: staged.touched,
        duplicates: staged.duplicates,
        undated: staged.undated,
        opening,
        arrived: added + back,
        reopened,
        withdrawn,
        leaks,
        new_leaks,
        held_elsewhere,
        rejected: staged.rejected,
        rejections,
        reconnects: 0,
    })
}

/// Lets one seed, link command or wake-up work at a time; workers are not held up.
pub(crate) fn lock(db: &mut Database, names: &Names) -> Result<(), StoreError> {
    if let Some(schema) = &names.schema {
        let _: Vec<TextRow> = db
            .query(
                "SELECT CAST(pg_advisory_xact_lock(hashtextextended($1, 7472)) AS TEXT) AS value",
                &[Param::Text(schema)],
            )
            .map_err(failed(SEED))?;
    }
    Ok(())
}
