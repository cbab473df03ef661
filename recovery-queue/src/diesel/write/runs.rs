//! The record of runs in databases: opened, closed, read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde::{Deserialize, Serialize};

use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, IntRow, Param, failed};
use crate::diesel::conn::namespace::Names;
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
    db.int(
        &names.sql(
            "INSERT INTO {ns}queue_run (kind, actor, policy, started_at, backlog_before, totals_before) \
             VALUES ($1, $2, $3, $4, $5, $6) RETURNING id AS value",
        ),
        &[
            Param::Text(run.kind.code()),
            Param::Text(&run.actor),
            Param::OptText(run.policy.as_deref()),
            Param::Int(now),
            Param::Int(totals.balance()),
            Param::Text(&kept),
        ],
    )
    .map_err(failed(BEGIN))
}

/// Says whether a run is recorded as ended.
pub(crate) fn has_ended(
    db: &mut Database,
    names: &Names,
    run_id: i64,
    actor: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) AS value FROM {ns}queue_run \
         WHERE id = $1 AND actor = $2 AND finished_at IS NOT NULL";
    let found = db.int(&names.sql(sql), &[Param::Int(run_id), Param::Text(actor)]);
    Ok(found.map_err(failed(END))? > 0)
}

/// What the ledger tells of a run; kept in its record when it ends.
struct Figures {
    events: BTreeMap<String, u64>,
    failed: BTreeMap<FailReason, u64>,
    new_backlog_in: u64,
    other_out: Option<u64>,
}

#[derive(QueryableByName)]
struct Start {
    #[diesel(sql_type = BigInt)]
    started_at: i64,
    #[diesel(sql_type = Nullable<Text>)]
    totals_before: Option<String>,
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
    let start = "SELECT started_at, totals_before FROM {ns}queue_run WHERE id = $1";
    let rows: Vec<Start> =
        db.query(&names.sql(start), &[Param::Int(run_id)]).map_err(failed(END))?;
    let Some(start) = rows.into_iter().next() else {
        return Err(StoreError::NotFound { what: "run", key: run_id.to_string() });
    };
    let started = start.started_at;
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
    let before = start.totals_before.and_then(|text| serde_json::from_str::<Totals>(&text).ok());
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
    db.execute(
        &names.sql(
            "UPDATE {ns}queue_run SET finished_at = $1, events = $2, backlog_after = $3, \
                 outcome = $4, new_backlog_in = $5, fail_reasons = $6, other_out = $7 WHERE id = $8",
        ),
        &[
            Param::Int(finished),
            Param::Text(&events),
            Param::OptInt(totals.as_ref().map(Totals::balance)),
            Param::Text(outcome.code()),
            Param::Int(i64::try_from(figures.new_backlog_in).unwrap_or(i64::MAX)),
            Param::Text(&reasons),
            Param::OptInt(figures.other_out.map(|leads| i64::try_from(leads).unwrap_or(i64::MAX))),
            Param::Int(run_id),
        ],
    )
    .map_err(failed(END))?;
    Ok(())
}

/// Closes the runs of recovery that have not ended and have no worker with a mark, but for one.
pub(crate) fn end_killed(db: &mut Database, names: &Names, but: i64) -> Result<(), StoreError> {
    let dead: Vec<IntRow> = db
        .query(
            &names.sql(
                "SELECT r.id AS value FROM {ns}queue_run r WHERE r.finished_at IS NULL \
                 AND r.kind = 'recover' AND r.id <> $1 AND NOT EXISTS (SELECT 1 \
                     FROM {ns}queue_marker m WHERE m.worker LIKE CAST(r.id AS TEXT) || '/%') \
                 ORDER BY r.id",
            ),
            &[Param::Int(but)],
        )
        .map_err(failed(END))?;
    for run in dead {
        finish(db, names, None, run.value, RunOutcome::Killed)?;
        tracing::warn!(name: "recovery_queue.run_killed", run_id = run.value);
    }
    Ok(())
}

#[derive(QueryableByName)]
struct RunRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Nullable<Text>)]
    policy: Option<String>,
    #[diesel(sql_type = BigInt)]
    started_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    finished_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    outcome: Option<String>,
    #[diesel(sql_type = BigInt)]
    backlog_before: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    backlog_after: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    new_backlog_in: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    other_out: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    events: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
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
    let rows: Vec<RunRow> = db
        .query(
            &names.sql(
                "SELECT id, kind, actor, policy, started_at, finished_at, outcome, backlog_before, \
                     backlog_after, new_backlog_in, other_out, events, fail_reasons FROM {ns}queue_run \
                 WHERE COALESCE($1, kind) = kind ORDER BY id DESC LIMIT $2",
            ),
            &[Param::OptText(kind.map(RunKind::code)), Param::Int(i64::from(limit))],
        )
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
