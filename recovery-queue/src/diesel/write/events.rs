//! The ledger's writer: one row per transaction, kind and reason.

use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::model::error::StoreError;
use crate::model::ledger::{EventKind, SLOT_SECONDS};
use crate::model::resolver::FailReason;

pub(crate) const SLOT_MICROS: i64 = SLOT_SECONDS * 1_000_000;

/// The time up to which the ledger is rolled up, as one value.
pub(crate) const ROLLED_UP_TO: &str =
    "(SELECT m.rolled_up_to * 900000000 FROM {ns}queue_ledger_mark m WHERE m.id = 1)";

/// Which index finds events of the ledger, whose rows are then called `e`.
///
/// Written out for SQLite: by statistics of a ledger that was short it reads a long one from end to end.
#[derive(Clone, Copy)]
pub(crate) enum LedgerIndex {
    Time,
    Run,
}

impl LedgerIndex {
    pub(crate) fn of(self, sqlite: bool) -> &'static str {
        match self {
            _ if !sqlite => "{ns}queue_ledger e",
            Self::Time => "{ns}queue_ledger e INDEXED BY {bare}queue_ledger_at",
            Self::Run => "{ns}queue_ledger e INDEXED BY {bare}queue_ledger_run",
        }
    }
}

/// The latest instant that the store has seen, the time `$1` included: of its events, its last run and its roll-up.
fn latest_sql(sqlite: bool) -> String {
    let greatest = if sqlite { "max" } else { "greatest" };
    format!(
        "{greatest}($1, COALESCE((SELECT max(e.at) FROM {{ns}}queue_ledger e), $1), \
         COALESCE((SELECT r.started_at FROM {{ns}}queue_run r ORDER BY r.id DESC LIMIT 1), $1), {ROLLED_UP_TO})"
    )
}

/// Gives the time, or the latest instant that the store has seen where the clock has gone back behind it.
///
/// A day is closed as soon as the next one has begun: what is told and dated goes forward alone. What waits (a back-off,
/// a lease, a cool-down) goes by the clock as it is.
pub(crate) fn latest_instant(
    db: &mut Database,
    names: &Names,
    now: i64,
) -> Result<i64, StoreError> {
    let sql = names.sql(&format!("SELECT {} AS value", latest_sql(db.is_sqlite())));
    db.int(&sql, &[Param::Int(now)]).map_err(failed("the look at the ledger"))
}

/// The events of one transaction.
#[derive(Default)]
pub(crate) struct Events(Vec<(EventKind, Option<FailReason>, i64)>);

impl Events {
    /// Makes the events of a summary.
    pub(crate) fn of(all: Vec<(EventKind, Option<FailReason>, u64)>) -> Self {
        let mut events = Self::default();
        for (kind, reason, leads) in all {
            events.add(kind, reason, leads);
        }
        events
    }

    pub(crate) fn add(&mut self, kind: EventKind, reason: Option<FailReason>, leads: u64) {
        if leads > 0 {
            self.0.push((kind, reason, i64::try_from(leads).unwrap_or(i64::MAX)));
        }
    }

    /// Appends the events.
    ///
    /// An event is never dated before the latest instant that the store has seen: a clock that goes back cannot change
    /// a day that was reported.
    pub(crate) fn append(
        &self,
        db: &mut Database,
        names: &Names,
        at: i64,
        backlog_id: i64,
        run_id: Option<i64>,
    ) -> Result<(), StoreError> {
        let sql = names.sql(&format!(
            "INSERT INTO {{ns}}queue_ledger (at, backlog_id, run_id, kind, reason, leads) \
             SELECT {}, $2, $3, $4, $5, $6",
            latest_sql(db.is_sqlite()),
        ));
        for (kind, reason, leads) in &self.0 {
            db.execute_prepared(
                &sql,
                &[
                    Param::Int(at),
                    Param::Int(backlog_id),
                    Param::OptInt(run_id),
                    Param::Text(kind.code()),
                    Param::OptText(reason.as_ref().map(FailReason::code)),
                    Param::Int(*leads),
                ],
            )
            .map_err(failed("the ledger's entry"))?;
        }
        Ok(())
    }
}
