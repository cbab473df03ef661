//! The history of what was done by hand with the store as a whole.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::records::time;
use crate::model::error::StoreError;
use crate::model::links::Decider;
use crate::model::store_action::{StoreAction, StoreActionKind};

const HISTORY: &str = "the history of what was done by hand";

#[derive(QueryableByName)]
struct ActionRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = BigInt)]
    rows_touched: i64,
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Text)]
    decided_by: String,
    #[diesel(sql_type = Text)]
    comment: String,
}

/// Records one, inside its transaction.
pub(crate) fn record(
    db: &mut Database,
    names: &Names,
    now: i64,
    (kind, subject, rows): (StoreActionKind, &str, u64),
    decider: Decider<'_>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO {ns}queue_store_action (kind, subject, rows_touched, at, decided_by, comment) \
         VALUES ($1, $2, $3, $4, $5, $6)";
    let row = [
        Param::Text(kind.code()),
        Param::Text(subject),
        Param::Int(i64::try_from(rows).unwrap_or(i64::MAX)),
        Param::Int(now),
        Param::Text(decider.by),
        Param::Text(decider.reason),
    ];
    db.execute(&names.sql(sql), &row).map(drop).map_err(failed(HISTORY))
}

/// Lists them, oldest first.
pub(crate) fn list(db: &mut Database, names: &Names) -> Result<Vec<StoreAction>, StoreError> {
    let sql = "SELECT kind, subject, rows_touched, at, decided_by, comment \
         FROM {ns}queue_store_action ORDER BY id";
    let rows: Vec<ActionRow> = db.query(&names.sql(sql), &[]).map_err(failed(HISTORY))?;
    let action = |row: ActionRow| StoreAction {
        kind: StoreActionKind::from_code(&row.kind).unwrap_or(StoreActionKind::Unknown),
        subject: row.subject,
        rows: u64::try_from(row.rows_touched).unwrap_or_default(),
        at: time(row.at),
        by: row.decided_by,
        reason: row.comment,
    };
    Ok(rows.into_iter().map(action).collect())
}
