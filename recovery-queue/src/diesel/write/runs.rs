//! The record of runs in databases: opened, closed, read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde::{Deserialize, Serialize};

use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::tables::{queue_marker, queue_run};
use crate::diesel::write::events::{LedgerIndex, ROLLED_UP_TO, latest_instant};
use crate::model::error::StoreError;
use crate::model::key::RunId;
use crate::model::ledger::EventKind;
use crate::model::resolver::FailReason;
use crate::model::run::{NewRun, RunKind, RunOutcome, RunRecord};

const BEGIN: &str = "the start of a run";
const END: &str = "the end of a run";
const READ: &str = "the read of runs";

/// The leads of all events of the ledger, by kind.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
struct Totals(BTreeMap<String, i64>);

impl Totals {
    /// Sums the ledger up, in one statement, so that no event is counted for one kind and missed for another.
    fn of(db: &mut Database, names: &Names) -> Result<Self, StoreError> {
        let sql = format!(
            "SELECT t.kind, NULL AS reason, CAST(sum(t.leads) AS BIGINT) AS leads FROM (\
                 SELECT m.kind, m.leads FROM {{ns}}queue_ledger_slot m UNION ALL \
                 SELECT e.kind, e.leads FROM {} WHERE e.at >= {ROLLED_UP_TO}) t GROUP BY t.kind ORDER BY t.kind",
            LedgerIndex::Time.of(db.is_sqlite()),
        );
        let rows: Vec<Counted> =
            db.query(&names.sql(&sql), &[]).map_err(failed("the look at the ledger"))?;
        Ok(Self(rows.into_iter().map(|row| (row.kind, row.leads)).collect()))
    }

    fn leads(&self, kind: EventKind) -> i64 {
        self.0.get(kind.code()).copied().unwrap_or_default()
    }

    /// Gives the size of the backlog, which costs the same however long the queue is.
    fn balance(&self) -> i64 {
        EventKind::ALL.into_iter().map(|kind| kind.effect() * self.leads(kind)).sum()
    }

    /// Counts the leads of some kinds since `before`.
    fn since(&self, before: &Self, kinds: &[EventKind]) -> u64 {
        count(kinds.iter().map(|&kind| self.leads(kind) - before.leads(kind)).sum())
    }
}

/// Records that a run begins; gives its number.
pub(crate) fn insert(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    run: &NewRun,
) -> Result<i64, StoreError> {
    let clock = now(db, clock)?;
    let now = latest_instant(db, names, clock)?;
    if now > clock {
        let seconds = (now - clock) / 1_000_000;
        tracing::warn!(name: "recovery_queue.clock_went_back", seconds);
    }
    let totals = Totals::of(db, names)?;
    let kept = serde_json::to_string(&totals).unwrap_or_default();
    let row = (
        queue_run::kind.eq(run.kind.code()),
        queue_run::actor.eq(&run.actor),
        queue_run::policy.eq(run.policy.as_deref()),
        queue_run::started_at.eq(now),
        queue_run::backlog_before.eq(totals.balance()),
        queue_run::totals_before.eq(&kept),
    );
    let insert = diesel::insert_into(queue_run::table).values(row).returning(queue_run::id);
    typed!(db, names, get_result, insert).map_err(failed(BEGIN))
}

/// Says whether a run is recorded as ended.
pub(crate) fn has_ended(
    db: &mut Database,
    names: &Names,
    run_id: i64,
    actor: &str,
) -> Result<bool, StoreError> {
    let ended = queue_run::table
        .filter(queue_run::id.eq(run_id))
        .filter(queue_run::actor.eq(actor))
        .filter(queue_run::finished_at.is_not_null());
    let found: i64 = typed!(db, names, get_result, ended.count()).map_err(failed(END))?;
    Ok(found > 0)
}

/// What the ledger tells of a run; kept in its record when it ends.
struct Figures {
    events: BTreeMap<String, u64>,
    failed: BTreeMap<FailReason, u64>,
    new_backlog_in: u64,
    other_out: Option<u64>,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = BigInt)]
    leads: i64,
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

/// Sums up a run's events, and what came into the backlog between its start and its end.
fn figures(
    db: &mut Database,
    names: &Names,
    run_id: i64,
    span: (i64, i64),
) -> Result<Figures, StoreError> {
    let (by_run, by_time) = (LedgerIndex::Run, LedgerIndex::Time);
    let sqlite = db.is_sqlite();
    let rows: Vec<Counted> = db
        .query(
            &names.sql(&format!(
                "SELECT kind, reason, CAST(sum(leads) AS BIGINT) AS leads FROM {} \
                 WHERE run_id = $1 GROUP BY kind, reason ORDER BY kind, reason",
                by_run.of(sqlite),
            )),
            &[Param::Int(run_id)],
        )
        .map_err(failed(READ))?;
    let arrived = db
        .int(
            &names.sql(&format!(
                "SELECT CAST(COALESCE(sum(leads), 0) AS BIGINT) AS value FROM {} \
                 WHERE kind IN ('arrived', 'opening') AND at >= $1 AND at <= $2 \
                   AND (at > $1 OR run_id = $3)",
                by_time.of(sqlite),
            )),
            &[Param::Int(span.0), Param::Int(span.1), Param::Int(run_id)],
        )
        .map_err(failed(READ))?;
    let mut figures = Figures {
        events: BTreeMap::new(),
        failed: BTreeMap::new(),
        new_backlog_in: count(arrived),
        other_out: None,
    };
    for row in rows {
        if let Some(code) = row.reason {
            *figures.failed.entry(FailReason::stored(&code)).or_default() += count(row.leads);
        }
        *figures.events.entry(row.kind).or_default() += count(row.leads);
    }
    Ok(figures)
}

/// Records that a run has ended, with its figures.
pub(crate) fn finish(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    run_id: i64,
    outcome: RunOutcome,
) -> Result<(), StoreError> {
    let this_run = queue_run::table.filter(queue_run::id.eq(run_id));
    let start: Option<(i64, Option<String>)> = typed!(
        db,
        names,
        get_result,
        this_run.select((queue_run::started_at, queue_run::totals_before))
    )
    .optional()
    .map_err(failed(END))?;
    let Some((started, totals_before)) = start else {
        return Err(StoreError::NotFound { what: "run", key: run_id.to_string() });
    };
    // When and with what backlog a killed run ended nobody saw: its last event is what is known of it.
    let (finished, totals) = if outcome == RunOutcome::Killed {
        let last = format!(
            "SELECT COALESCE(max(at), $1) AS value FROM {} WHERE run_id = $2",
            LedgerIndex::Run.of(db.is_sqlite()),
        );
        let last = db.int(&names.sql(&last), &[Param::Int(started), Param::Int(run_id)]);
        (last.map_err(failed(END))?, None)
    } else {
        let now = now(db, clock)?;
        (latest_instant(db, names, now)?, Some(Totals::of(db, names)?))
    };
    let mut figures = figures(db, names, run_id, (started, finished.max(started)))?;
    let before = totals_before.and_then(|text| serde_json::from_str::<Totals>(&text).ok());
    if let Some((totals, before)) = totals.as_ref().zip(before) {
        // What others did meanwhile counts from when it could be seen, as the two sizes of the backlog do.
        figures.new_backlog_in = totals.since(&before, &[EventKind::Opening, EventKind::Arrived]);
        let left = totals.since(&before, &[EventKind::Matched, EventKind::Withdrawn]);
        let own = figures.events.get(EventKind::Matched.code()).copied().unwrap_or_default();
        figures.other_out = Some(left.saturating_sub(own));
    }
    let events = serde_json::to_string(&figures.events).unwrap_or_default();
    let codes: BTreeMap<&str, u64> =
        figures.failed.iter().map(|(reason, leads)| (reason.code(), *leads)).collect();
    let reasons = serde_json::to_string(&codes).unwrap_or_default();
    let leads = |leads: u64| i64::try_from(leads).unwrap_or(i64::MAX);
    let end = (
        queue_run::finished_at.eq(finished),
        queue_run::events.eq(&events),
        queue_run::backlog_after.eq(totals.as_ref().map(Totals::balance)),
        queue_run::outcome.eq(outcome.code()),
        queue_run::new_backlog_in.eq(leads(figures.new_backlog_in)),
        queue_run::fail_reasons.eq(&reasons),
        queue_run::other_out.eq(figures.other_out.map(leads)),
    );
    typed!(db, names, execute, diesel::update(this_run).set(end)).map(drop).map_err(failed(END))
}

/// Closes the runs of recovery that have not ended and have no worker with a mark, but for one.
pub(crate) fn end_killed(db: &mut Database, names: &Names, but: i64) -> Result<(), StoreError> {
    let open = queue_run::table
        .filter(queue_run::finished_at.is_null())
        .filter(queue_run::kind.eq(RunKind::Recover.code()))
        .filter(queue_run::id.ne(but))
        .order(queue_run::id);
    let open: Vec<i64> =
        typed!(db, names, load, open.select(queue_run::id)).map_err(failed(END))?;
    if open.is_empty() {
        return Ok(());
    }
    let workers: Vec<String> =
        typed!(db, names, load, queue_marker::table.select(queue_marker::worker))
            .map_err(failed(END))?;
    for run in open {
        let of_run = format!("{run}/");
        if workers.iter().any(|worker| worker.starts_with(&of_run)) {
            continue;
        }
        finish(db, names, None, run, RunOutcome::Killed)?;
        tracing::warn!(name: "recovery_queue.run_killed", run_id = run);
    }
    Ok(())
}

#[derive(Queryable)]
struct RunRow {
    id: i64,
    kind: String,
    actor: String,
    policy: Option<String>,
    started_at: i64,
    finished_at: Option<i64>,
    outcome: Option<String>,
    backlog_before: i64,
    backlog_after: Option<i64>,
    new_backlog_in: Option<i64>,
    other_out: Option<i64>,
    events: Option<String>,
    fail_reasons: Option<String>,
}

impl RunRow {
    /// Gives the figures that were kept when the run ended.
    fn kept(&self) -> Option<Figures> {
        let codes: BTreeMap<String, u64> =
            serde_json::from_str(self.fail_reasons.as_deref()?).ok()?;
        Some(Figures {
            events: serde_json::from_str(self.events.as_deref()?).ok()?,
            failed: codes
                .into_iter()
                .map(|(code, leads)| (FailReason::stored(&code), leads))
                .collect(),
            new_backlog_in: count(self.new_backlog_in?),
            other_out: self.other_out.map(count),
        })
    }

    /// Gives what was kept and cannot be read.
    fn damaged(&self) -> Vec<String> {
        let is_damaged =
            |text: &&String| serde_json::from_str::<BTreeMap<String, u64>>(text).is_err();
        [&self.events, &self.fail_reasons]
            .into_iter()
            .flatten()
            .filter(is_damaged)
            .cloned()
            .collect()
    }
}

fn rate(kind: RunKind, events: &BTreeMap<String, u64>, micros: i64) -> Option<f64> {
    let settled: u64 = match kind {
        RunKind::Recover => {
            ["matched", "failed", "withdrawn"].iter().filter_map(|key| events.get(*key)).sum()
        }
        RunKind::Seed => return None,
    };
    (settled > 0 && micros > 0).then(|| settled as f64 / (micros as f64 / 1e6))
}

/// Reads the latest runs, newest first; all kinds, or one.
pub(crate) fn latest(
    db: &mut Database,
    names: &Names,
    as_of: DateTime<Utc>,
    kind: Option<RunKind>,
    limit: u32,
) -> Result<Vec<RunRecord>, StoreError> {
    let columns = (
        queue_run::id,
        queue_run::kind,
        queue_run::actor,
        queue_run::policy,
        queue_run::started_at,
        queue_run::finished_at,
        queue_run::outcome,
        queue_run::backlog_before,
        queue_run::backlog_after,
        queue_run::new_backlog_in,
        queue_run::other_out,
        queue_run::events,
        queue_run::fail_reasons,
    );
    let newest = queue_run::table.order(queue_run::id.desc()).limit(limit.into()).select(columns);
    let rows: Vec<RunRow> = match kind {
        None => typed!(db, names, load, newest),
        Some(kind) => typed!(db, names, load, newest.filter(queue_run::kind.eq(kind.code()))),
    }
    .map_err(failed(READ))?;
    let time = |micros| DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let mut runs = Vec::with_capacity(rows.len());
    for row in rows {
        let kind = if row.kind == "seed" { RunKind::Seed } else { RunKind::Recover };
        // A closed run keeps its figures; an open or killed one is summed up from the ledger, whose events
        // are kept as long as there is such a run.
        let end = row.finished_at.unwrap_or_else(|| as_of.timestamp_micros());
        let damaged = row.damaged();
        let figures = match row.kept() {
            Some(figures) => figures,
            None => figures(db, names, row.id, (row.started_at, end))?,
        };
        let rate =
            row.finished_at.and_then(|end| rate(kind, &figures.events, end - row.started_at));
        runs.push(RunRecord {
            run_id: RunId(row.id),
            kind,
            actor: row.actor,
            policy: row.policy,
            started_at: time(row.started_at),
            finished_at: row.finished_at.map(time),
            outcome: row.outcome.as_deref().and_then(RunOutcome::from_code),
            backlog_before: count(row.backlog_before),
            backlog_after: row.backlog_after.map(count),
            new_backlog_in: figures.new_backlog_in,
            other_out: figures.other_out,
            events: figures.events,
            failed: figures.failed,
            damaged,
            leads_per_second: rate,
        });
    }
    Ok(runs)
}
