//! The history of what was done with the store as a whole.

use diesel::prelude::*;

use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::read::records::time;
use crate::diesel::tables::queue_store_action as action;
use crate::model::error::StoreError;
use crate::model::links::Decider;
use crate::model::store_action::{StoreAction, StoreActionKind};

const HISTORY: &str = "the history of the store";

/// Records one, inside its transaction.
pub(crate) fn record(
    db: &mut Database,
    names: &Names,
    now: i64,
    (what, whom, rows): (StoreActionKind, &str, u64),
    decider: Decider<'_>,
) -> Result<(), StoreError> {
    let row = (
        action::kind.eq(what.code()),
        action::subject.eq(whom),
        action::rows_touched.eq(i64::try_from(rows).unwrap_or(i64::MAX)),
        action::at.eq(now),
        action::decided_by.eq(decider.by),
        action::comment.eq(decider.reason),
    );
    typed!(db, names, execute, diesel::insert_into(action::table).values(row))
        .map(drop)
        .map_err(failed(HISTORY))
}

/// Lists them, oldest first.
pub(crate) fn list(db: &mut Database, names: &Names) -> Result<Vec<StoreAction>, StoreError> {
    let columns = (
        action::kind,
        action::subject,
        action::rows_touched,
        action::at,
        action::decided_by,
        action::comment,
    );
    let rows: Vec<(String, String, i64, i64, String, String)> =
        typed!(db, names, load, action::table.order(action::id).select(columns))
            .map_err(failed(HISTORY))?;
    let told = |(what, whom, rows, when, by, reason): (String, _, i64, _, _, _)| StoreAction {
        kind: StoreActionKind::from_code(&what).unwrap_or(StoreActionKind::Unknown),
        subject: whom,
        rows: u64::try_from(rows).unwrap_or_default(),
        at: time(when),
        by,
        reason,
    };
    Ok(rows.into_iter().map(told).collect())
}
