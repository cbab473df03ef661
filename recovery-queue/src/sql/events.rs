//! The ledger's writer: one row per transaction, kind and reason.

use super::database::{Database, Param, failed};
use super::namespace::Names;
use crate::error::StoreError;
use crate::ledger::{EventKind, SLOT_SECONDS};
use crate::resolver::FailReason;

pub(super) const SLOT_MICROS: i64 = SLOT_SECONDS * 1_000_000;

/// The events of one transaction.
#[derive(Default)]
pub(super) struct Events(Vec<(EventKind, Option<FailReason>, i64)>);

impl Events {
    pub(super) fn add(&mut self, kind: EventKind, reason: Option<FailReason>, leads: u64) {
        if leads > 0 {
            self.0.push((kind, reason, i64::try_from(leads).unwrap_or(i64::MAX)));
        }
    }

    /// Appends the events, in one statement.
    ///
    /// An event is never dated into the part that is rolled up already: a clock that jumped back cannot
    /// change a day that was reported.
    pub(super) fn append(
        &self,
        db: &mut Database,
        names: &Names,
        at: i64,
        backlog_id: i64,
        run_id: Option<i64>,
    ) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        // The three of these are numbers of ours and the codes are constants: nothing from outside.
        let values = self
            .0
            .iter()
            .map(|(kind, reason, leads)| {
                let reason = reason.map_or("NULL".to_owned(), |r| format!("'{}'", r.code()));
                format!("('{}', {reason}, {leads})", kind.code())
            })
            .collect::<Vec<_>>()
            .join(", ");
        let greatest = if db.is_sqlite() { "max" } else { "greatest" };
        let sql = format!(
            "WITH e (kind, reason, leads) AS (VALUES {values}) \
             INSERT INTO {{ns}}queue_ledger (at, backlog_id, run_id, kind, reason, leads) \
             SELECT {greatest}($1, m.rolled_up_to * {SLOT_MICROS}), $2, $3, e.kind, e.reason, e.leads \
             FROM e, {{ns}}queue_ledger_mark m WHERE m.id = 1"
        );
        db.execute(
            &names.sql(&sql),
            &[Param::Int(at), Param::Int(backlog_id), Param::OptInt(run_id)],
        )
        .map_err(failed("the ledger's entry"))?;
        Ok(())
    }
}
