//! The marks of workers: how big the batch in hand was, should the process die.
//!
//! On PostgreSQL a worker holds an advisory lock as long as its session lives, so that the mark of a live worker
//! is told from that of a dead one without a heartbeat. SQLite has no such lock, and behind a pooler it would stay on a
//! session that goes on to serve others: there every mark of another worker is taken for that of a dead one.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::runs;
use crate::model::error::StoreError;

const MARK: &str = "the worker's mark";
const TAKE: &str = "the look at old marks";

/// The number of a worker's advisory lock.
const LOCK: &str = "hashtextextended($1 || '/' || worker, 7473)";

/// Takes or gives back the lock that says that this session's worker lives.
pub(crate) fn live(
    db: &mut Database,
    names: &Names,
    worker: &str,
    lives: bool,
) -> Result<(), StoreError> {
    let (Some(schema), true) = (&names.schema, db.is_own_session()) else { return Ok(()) };
    let verb = if lives { "pg_try_advisory_lock" } else { "pg_advisory_unlock" };
    let _: Vec<TextRow> = db
        .query(
            &format!("SELECT CAST({verb}({LOCK}) AS TEXT) AS value FROM (SELECT $2 AS worker) w"),
            &[Param::Text(schema), Param::Text(worker)],
        )
        .map_err(failed(MARK))?;
    Ok(())
}

/// Writes a worker's mark anew, or takes it away.
pub(crate) fn write(
    db: &mut Database,
    names: &Names,
    worker: &str,
    size: Option<u32>,
    now: i64,
) -> Result<(), StoreError> {
    db.execute(
        &names.sql("DELETE FROM {ns}queue_marker WHERE worker = $1"),
        &[Param::Text(worker)],
    )
    .map_err(failed(MARK))?;
    let Some(size) = size else { return Ok(()) };
    db.execute(
        &names.sql("INSERT INTO {ns}queue_marker (worker, size, started_at) VALUES ($1, $2, $3)"),
        &[Param::Text(worker), Param::Int(i64::from(size)), Param::Int(now)],
    )
    .map_err(failed(MARK))?;
    Ok(())
}

#[derive(QueryableByName)]
struct Mark {
    #[diesel(sql_type = Text)]
    worker: String,
    #[diesel(sql_type = BigInt)]
    size: i64,
}

/// Takes the marks of dead workers away and closes their runs; gives the smallest size among them.
pub(crate) fn take(db: &mut Database, names: &Names, run: i64) -> Result<Option<u32>, StoreError> {
    let dead: Vec<Mark> = if let Some(schema) = &names.schema {
        // Materialized, so that each lock is tried once.
        db.query(
            &names.sql(&format!(
                "WITH dead AS MATERIALIZED (SELECT worker FROM {{ns}}queue_marker \
                     WHERE pg_try_advisory_xact_lock({LOCK})) \
                 DELETE FROM {{ns}}queue_marker m USING dead WHERE m.worker = dead.worker \
                 RETURNING m.worker, m.size"
            )),
            &[Param::Text(schema)],
        )
    } else {
        db.query(&names.sql("DELETE FROM {ns}queue_marker RETURNING worker, size"), &[])
    }
    .map_err(failed(TAKE))?;
    for mark in &dead {
        tracing::warn!(
            name: "recovery_queue.worker_died",
            worker = mark.worker,
            size = mark.size,
        );
    }
    runs::end_killed(db, names, run)?;
    Ok(dead.iter().map(|mark| mark.size).min().and_then(|size| u32::try_from(size).ok()))
}
