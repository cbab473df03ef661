//! The marks of workers: how big the batch in hand was, should the process die.
//!
//! On PostgreSQL a worker holds an advisory lock as long as its session lives, so that the mark of a live worker
//! is told from that of a dead one without a heartbeat. SQLite has no such lock, and behind a pooler it would stay on a
//! session that goes on to serve others: there every mark of another worker is taken for that of a dead one.

use diesel::prelude::*;

use crate::diesel::conn::database::{Database, Param, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::tables::queue_marker;
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
    let own = queue_marker::table.filter(queue_marker::worker.eq(worker));
    typed!(db, names, execute, diesel::delete(own)).map_err(failed(MARK))?;
    let Some(size) = size else { return Ok(()) };
    let mark = (
        queue_marker::worker.eq(worker),
        queue_marker::size.eq(i64::from(size)),
        queue_marker::started_at.eq(now),
    );
    typed!(db, names, execute, diesel::insert_into(queue_marker::table).values(mark))
        .map(drop)
        .map_err(failed(MARK))
}

/// Says whether nobody holds a worker's lock; it is then held until the transaction ends.
fn is_dead(db: &mut Database, names: &Names, worker: &str) -> Result<bool, StoreError> {
    let Some(schema) = &names.schema else { return Ok(true) };
    let sql = format!(
        "SELECT CAST(CAST(pg_try_advisory_xact_lock({LOCK}) AS INT) AS BIGINT) AS value FROM (SELECT $2 AS worker) w"
    );
    let free = db.int(&sql, &[Param::Text(schema), Param::Text(worker)]).map_err(failed(TAKE))?;
    Ok(free != 0)
}

/// Takes the marks of dead workers away and closes their runs; gives the smallest size among them.
pub(crate) fn take(db: &mut Database, names: &Names, run: i64) -> Result<Option<u32>, StoreError> {
    let marks = queue_marker::table.order(queue_marker::worker);
    let marks: Vec<(String, i64)> =
        typed!(db, names, load, marks.select((queue_marker::worker, queue_marker::size)))
            .map_err(failed(TAKE))?;
    let mut smallest = None;
    for (worker, size) in marks {
        if !is_dead(db, names, &worker)? {
            continue;
        }
        let dead = queue_marker::table.filter(queue_marker::worker.eq(&worker));
        // Another run may have taken it away since it was read.
        if typed!(db, names, execute, diesel::delete(dead)).map_err(failed(TAKE))? == 0 {
            continue;
        }
        tracing::warn!(name: "recovery_queue.worker_died", worker, size);
        smallest = Some(smallest.unwrap_or(size).min(size));
    }
    runs::end_killed(db, names, run)?;
    Ok(smallest.and_then(|size| u32::try_from(size).ok()))
}
