//! The ledger's roll-up: events are summed up by 15 minutes, and may then be removed.

use chrono::{DateTime, Utc};
use diesel::dsl::min;
use diesel::prelude::*;

use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::store::SqlStore;
use crate::diesel::tables::{queue_ledger, queue_ledger_mark, queue_run};
use crate::diesel::write::events::SLOT_MICROS;
use crate::diesel::write::seed;
use crate::model::error::{ConfigError, StoreError};

const ROLLUP: &str = "the roll-up of the ledger";

/// What a roll-up did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RollupSummary {
    /// Leads counted by the events that were summed up.
    pub rolled_up: u64,
    /// Events removed.
    pub pruned: u64,
}

impl SqlStore {
    /// Sums the ledger up until a time (cut to 15 minutes), and removes the summed events that are older than
    /// another; no figure changes by either.
    ///
    /// Events since the start of a run that has not ended are kept: its figures are summed up from them. A run
    /// that was killed ends when the next run begins.
    ///
    /// What is rolled up is closed: no later event is dated into it, even if the clock jumps back.
    ///
    /// # Errors
    /// A time in the future, and removing what is not summed up.
    pub fn roll_up(
        &mut self,
        until: DateTime<Utc>,
        prune_before: Option<DateTime<Utc>>,
    ) -> Result<RollupSummary, StoreError> {
        let slot = until.timestamp_micros().div_euclid(SLOT_MICROS);
        let prune = prune_before.map(|at| at.timestamp_micros().div_euclid(SLOT_MICROS));
        if prune.is_some_and(|prune| prune > slot) {
            return Err(ConfigError::new(
                "prune_before",
                prune_before.map(|at| at.to_rfc3339()).unwrap_or_default(),
                "it is after the end of the roll-up",
                "remove only events that are summed up",
            )
            .into());
        }
        let (names, clock) = (self.names.clone(), self.clock);
        self.db.transaction(ROLLUP, |db| {
            seed::lock(db, &names)?;
            if slot > now(db, clock)?.div_euclid(SLOT_MICROS) {
                return Err(ConfigError::new(
                    "until",
                    until.to_rfc3339(),
                    "it is in the future",
                    "roll up what is over",
                )
                .into());
            }
            roll_up(db, &names, slot, prune)
        })
    }
}

fn roll_up(
    db: &mut Database,
    names: &Names,
    slot: i64,
    prune: Option<i64>,
) -> Result<RollupSummary, StoreError> {
    if !db.is_sqlite() {
        // Workers that write events wait until the sums are there.
        db.script(&names.sql("LOCK TABLE {ns}queue_ledger IN SHARE ROW EXCLUSIVE MODE"))
            .map_err(failed(ROLLUP))?;
    }
    let mark = queue_ledger_mark::table.filter(queue_ledger_mark::id.eq(1));
    let (from, was_pruned_to): (i64, i64) = typed!(
        db,
        names,
        get_result,
        mark.select((queue_ledger_mark::rolled_up_to, queue_ledger_mark::pruned_to))
    )
    .map_err(failed(ROLLUP))?;
    let to = slot.max(from);
    let range = format!("e.at >= $1 * {SLOT_MICROS} AND e.at < $2 * {SLOT_MICROS}");
    let bounds = [Param::Int(from), Param::Int(to)];
    let rolled_up = db
        .int(
            &names.sql(&format!(
                "SELECT CAST(COALESCE(sum(e.leads), 0) AS BIGINT) AS value FROM {{ns}}queue_ledger e \
                 WHERE {range}"
            )),
            &bounds,
        )
        .map_err(failed(ROLLUP))?;
    db.execute(
        &names.sql(&format!(
            "INSERT INTO {{ns}}queue_ledger_slot (slot, backlog_id, kind, reason, leads) \
             SELECT e.at / {SLOT_MICROS}, e.backlog_id, e.kind, COALESCE(e.reason, ''), sum(e.leads) \
             FROM {{ns}}queue_ledger e WHERE {range} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        )),
        &bounds,
    )
    .map_err(failed(ROLLUP))?;
    let mut pruned = 0;
    let mut pruned_to = 0;
    if let Some(prune) = prune {
        // A run that has not ended is summed up from its events, so they stay until it has.
        let open = queue_run::table.filter(queue_run::finished_at.is_null());
        let first: Option<i64> =
            typed!(db, names, get_result, open.select(min(queue_run::started_at)))
                .map_err(failed(ROLLUP))?;
        let first = first.map_or(prune, |at| at.div_euclid(SLOT_MICROS));
        pruned_to = first.min(prune).min(to);
        let old = queue_ledger::table.filter(queue_ledger::at.lt(pruned_to * SLOT_MICROS));
        pruned = typed!(db, names, execute, diesel::delete(old)).map_err(failed(ROLLUP))? as u64;
    }
    let marked = (
        queue_ledger_mark::rolled_up_to.eq(to),
        queue_ledger_mark::pruned_to.eq(was_pruned_to.max(pruned_to)),
    );
    typed!(db, names, execute, diesel::update(mark).set(marked)).map_err(failed(ROLLUP))?;
    Ok(RollupSummary { rolled_up: u64::try_from(rolled_up).unwrap_or_default(), pruned })
}
