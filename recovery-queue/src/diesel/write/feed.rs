//! The leads that a seed looks at where a feed names what may have changed.
//!
//! What the feed names is taken first, so that nothing which changes later is taken for done. To it come the leads that the
//! queue must look at again by itself. They are read from the view by its index, where it has one for its keys.

use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::lookup;
use crate::diesel::write::staged::Asked;
use crate::diesel::write::view::{self, BacklogView};
use crate::model::backlog::{Backlog, ViewName};
use crate::model::error::StoreError;
use crate::model::key::SourcePk;
use crate::model::options::Feed;

const TAKE: &str = "the look at what a feed names";

/// Fewer leads than this are always looked at alone.
const FEW: i64 = 1_000;
/// A feed that names more than one lead of so many saves nothing.
const PART: i64 = 8;

/// Keys per statement.
const CHUNK: usize = 2_000;

/// Takes what the feed names into `rq_wanted`, with what the queue must look at again; gives how many leads that are, or
/// none where the whole backlog is to be read.
pub(crate) fn take(
    db: &mut Database,
    names: &Names,
    backlog: &dyn Backlog,
    feed: &Feed,
    asked: &Asked,
    view: Option<&BacklogView>,
) -> Result<Option<u64>, StoreError> {
    match feed {
        Feed::Keys(keys) => add(db, keys)?,
        Feed::Outbox(table) => empty(db, backlog, table)?,
    }
    let Some(seeded_at) = asked.seeded_at else { return Ok(None) };
    if !is_relied_on(db, names, asked, view)? {
        return Ok(None);
    }
    let rested = "SELECT s.lead_id FROM {ns}queue_settled s \
         WHERE s.status = 2 AND s.backlog_id = $1 AND +s.settled_at <= $2";
    let params = [Param::Int(asked.backlog_id), Param::Int(asked.rested)];
    look_at(db, names, rested, &params)?;
    let leaks = "SELECT k.lead_id FROM {ns}queue_leak k WHERE k.backlog_id = $1";
    look_at(db, names, leaks, &[Param::Int(asked.backlog_id)])?;
    // What was done by hand may disagree with the backlog: a withdrawn lead was reopened, a link is gone.
    for by_hand in [
        "SELECT a.lead_id FROM {ns}queue_lead_action a WHERE a.at >= $1",
        "SELECT h.lead_id FROM {ns}queue_link_history h WHERE h.ended_at >= $1",
    ] {
        look_at(db, names, by_hand, &[Param::Int(seeded_at)])?;
    }
    let count = |db: &mut Database, sql: &str| db.int(&names.sql(sql), &[]).map_err(failed(TAKE));
    let wanted = count(db, "SELECT count(*) AS value FROM {tmp}rq_wanted")?;
    let known = count(db, "SELECT COALESCE(max(id), 0) AS value FROM {ns}queue_lead")?;
    if wanted > FEW.max(known / PART) {
        return Ok(None);
    }
    Ok(u64::try_from(wanted).ok())
}

/// Says whether what has changed since the last seed is all that this one must know.
fn is_relied_on(
    db: &mut Database,
    names: &Names,
    asked: &Asked,
    view: Option<&BacklogView>,
) -> Result<bool, StoreError> {
    // A lead that another backlog gives up would be taken by this one; what was left out may be readable now.
    let sql = "SELECT (SELECT count(*) FROM {ns}queue_backlog b WHERE b.id <> $1) \
             + (SELECT count(*) FROM {ns}queue_rejected r WHERE r.backlog_id = $1) \
             + (SELECT count(*) FROM {ns}queue_backlog b WHERE b.id = $1 \
                 AND (b.view_schema IS DISTINCT FROM $2 OR b.view_name IS DISTINCT FROM $3)) AS value";
    let params = [
        Param::Int(asked.backlog_id),
        Param::OptText(view.map(|view| view.schema.as_str())),
        Param::OptText(view.map(|view| view.name.as_str())),
    ];
    Ok(db.int(&names.sql(sql), &params).map_err(failed(TAKE))? == 0)
}

/// Writes the keys of leads, given by a query of their numbers, into `rq_wanted`.
fn look_at(
    db: &mut Database,
    names: &Names,
    leads: &str,
    params: &[Param<'_>],
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO {{tmp}}rq_wanted (source_pk) SELECT l.source_pk FROM {{ns}}queue_lead l WHERE l.id IN ({leads}) \
         ON CONFLICT DO NOTHING"
    );
    db.execute(&names.sql(&sql), params).map_err(failed(TAKE))?;
    Ok(())
}

fn add(db: &mut Database, keys: &[SourcePk]) -> Result<(), StoreError> {
    for chunk in keys.chunks(CHUNK) {
        match db {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(_) => {
                let places = vec!["(?)"; chunk.len()].join(",");
                let params: Vec<_> = chunk.iter().map(|key| Param::Text(key.as_str())).collect();
                let sql = format!("INSERT OR IGNORE INTO temp.rq_wanted (source_pk) VALUES {places}");
                db.execute(&sql, &params)
            }
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => {
                let keys: Vec<_> = chunk.iter().map(|key| Some(key.as_str())).collect();
                let sql = "INSERT INTO pg_temp.rq_wanted (source_pk) SELECT DISTINCT k.key FROM unnest($1) AS k (key) \
                     ON CONFLICT DO NOTHING";
                db.execute(sql, &[Param::OptTexts(&keys)])
            }
        }
        .map_err(failed(TAKE))?;
    }
    Ok(())
}

/// Takes all rows out of an outbox, but for those that another transaction holds.
fn empty(db: &mut Database, backlog: &dyn Backlog, table: &ViewName) -> Result<(), StoreError> {
    let refuse = |reason: &str, remedy| StoreError::Backlog {
        backlog: backlog.name().to_owned(),
        reason: format!("its feed {}: {reason}", table.quoted()),
        remedy,
    };
    let columns = view::columns(db, table)?;
    if columns.is_empty() {
        return Err(refuse("it does not exist", "create it, or seed without a feed"));
    }
    if !columns.iter().any(|(name, _)| name == "lead_source_pk") {
        return Err(refuse(
            "it has no column lead_source_pk",
            "add it: the key of a lead that changed, as the backlog has it",
        ));
    }
    let outbox = table.quoted();
    if db.is_sqlite() {
        let taken = format!(
            "INSERT OR IGNORE INTO temp.rq_wanted (source_pk) \
             SELECT CAST(o.lead_source_pk AS TEXT) FROM {outbox} o WHERE o.lead_source_pk IS NOT NULL"
        );
        db.execute(&taken, &[]).map_err(failed(TAKE))?;
        db.execute(&format!("DELETE FROM {outbox}"), &[]).map_err(failed(TAKE))?;
        return Ok(());
    }
    let taken = format!(
        "WITH held AS MATERIALIZED (SELECT o.tableoid AS part, o.ctid AS place FROM {outbox} o FOR UPDATE SKIP LOCKED), \
         taken AS (DELETE FROM {outbox} o USING held WHERE o.ctid = held.place AND o.tableoid = held.part \
             RETURNING CAST(o.lead_source_pk AS TEXT) AS source_pk) \
         INSERT INTO pg_temp.rq_wanted (source_pk) SELECT DISTINCT t.source_pk FROM taken t \
         WHERE t.source_pk IS NOT NULL ON CONFLICT DO NOTHING"
    );
    db.execute(&taken, &[]).map_err(failed(TAKE))?;
    Ok(())
}

/// Gives the part of a query that reads the wanted rows of the view, each found by an index; none where none finds them.
pub(crate) fn by_index(
    db: &mut Database,
    view: &BacklogView,
) -> Result<Option<String>, StoreError> {
    if db.is_sqlite() {
        return lookup::by_index(db, view, "temp.rq_wanted n", "n.source_pk", &[]);
    }
    // Keys without a collation of their own beside them, so that the column's is the one that compares.
    let named =
        "INSERT INTO pg_temp.rq_named (lead_key) SELECT w.source_pk FROM pg_temp.rq_wanted w";
    for sql in [named, "ANALYZE pg_temp.rq_named"] {
        db.execute(sql, &[]).map_err(failed(TAKE))?;
    }
    lookup::by_index(db, view, "pg_temp.rq_named n", "n.lead_key", &[])
}

/// Writes the known leads that were looked for and that the backlog does not hold into `rq_absent`.
pub(crate) fn find_absent(db: &mut Database, names: &Names) -> Result<(), StoreError> {
    let sql = "INSERT INTO {tmp}rq_absent (lead_id) SELECT l.id FROM {tmp}rq_wanted w CROSS JOIN {ns}queue_lead l \
         WHERE l.source_pk = w.source_pk AND w.source_pk NOT IN \
             (SELECT s.source_pk FROM {tmp}rq_stage s WHERE s.source_pk IS NOT NULL)";
    db.execute(&names.sql(sql), &[]).map_err(failed(TAKE))?;
    Ok(())
}
