//! The batch's writes on SQLite: one insert into a temporary table, then set-based statements.
//!
//! The writer holds the database alone, so the leads claimed are exactly the pending rows between the
//! cursor and the last one: they are removed as one range of the clustered table.

use diesel::prelude::*;

use super::batch::{BATCH, Claim, Context, Settled, Verdict};
use super::database::{Database, Param, failed};
use super::namespace::Names;
use super::sqlite_rows::{self, StagedRow};
use crate::error::StoreError;
use crate::recover::Position;

/// Keys per statement: below SQLite's limit of 32,766 binds.
const CHUNK: usize = 2000;

const MATCHED: i64 = 1;
const FAILED: i64 = 2;
const LINKED: i64 = 4;
const RETRY: i64 = 5;

/// Makes the temporary table, once per connection.
pub(super) const PREPARE: &str = "CREATE TEMP TABLE rq_batch (lead_id INTEGER PRIMARY KEY, \
    lead_at INTEGER, attempts INTEGER, status INTEGER, reason TEXT, person_key TEXT, \
    person_id INTEGER, rule TEXT, confidence TEXT, evidence TEXT, not_before INTEGER);";

/// Claims the next leads; `CROSS JOIN` keeps the order of the tables.
const CLAIM: &str = "WITH c AS MATERIALIZED (SELECT p.priority, p.lead_at, p.lead_id, p.attempts, \
            p.since \
        FROM {ns}queue_pending p WHERE p.backlog_id = $1 \
        AND (p.priority, p.lead_at, p.lead_id) > ($2, $3, $4) \
        ORDER BY p.priority, p.lead_at, p.lead_id LIMIT $5) \
    SELECT c.priority, c.lead_at, c.lead_id, c.attempts, c.since, l.source_pk, l.lead_version, k.person_id \
    FROM c CROSS JOIN {ns}queue_lead l ON l.id = c.lead_id \
    LEFT JOIN {ns}queue_link k ON k.lead_id = c.lead_id \
    ORDER BY c.priority, c.lead_at, c.lead_id";

pub(super) fn claim(
    db: &mut Database,
    names: &Names,
    backlog_id: i64,
    after: Position,
    size: u32,
) -> QueryResult<Vec<Claim>> {
    let [backlog, size] = [backlog_id, i64::from(size)].map(Param::Int);
    let after = [after.priority, after.lead_at, after.lead_id].map(Param::Int);
    let claims: Vec<Claim> =
        db.query_prepared(&names.sql(CLAIM), &[&[backlog], &after[..], &[size]].concat())?;
    if let Some(last) = claims.last().map(Claim::position) {
        let last = [last.priority, last.lead_at, last.lead_id].map(Param::Int);
        db.execute_prepared(
            &names.sql(
                "DELETE FROM {ns}queue_pending WHERE backlog_id = $1 \
                     AND (priority, lead_at, lead_id) > ($2, $3, $4) \
                     AND (priority, lead_at, lead_id) <= ($5, $6, $7)",
            ),
            &[&[backlog], &after[..], &last[..]].concat(),
        )?;
    }
    Ok(claims)
}

fn row(lead: &Settled) -> StagedRow<'_> {
    let claim = &lead.claim;
    let mut row = StagedRow {
        lead_id: claim.lead_id,
        lead_at: claim.lead_at,
        attempts: lead.attempts,
        status: LINKED,
        person_id: claim.person_id,
        ..StagedRow::default()
    };
    match &lead.verdict {
        Verdict::Matched { person_key, rule, confidence, evidence } => {
            row.status = MATCHED;
            row.person_key = Some(person_key);
            row.rule = Some(rule);
            row.confidence = Some(confidence);
            row.evidence = evidence.as_deref();
        }
        Verdict::AlreadyLinked => {}
        Verdict::Failed { reason, evidence, .. } => {
            row.status = FAILED;
            row.reason = Some(reason.code());
            row.evidence = evidence.as_deref();
        }
        Verdict::Retry { not_before, message } => {
            row.status = RETRY;
            row.evidence = Some(message);
            row.not_before = Some(*not_before);
        }
    }
    row
}

fn fill(db: &mut Database, settled: &[Settled]) -> Result<(), StoreError> {
    let rows: Vec<StagedRow<'_>> = settled.iter().map(row).collect();
    #[allow(irrefutable_let_patterns)] // there may be no other backend
    let Database::Sqlite(connection) = db else { return Ok(()) };
    sqlite_rows::stage(connection, &rows).map_err(failed(BATCH))
}

fn persons(db: &mut Database, names: &Names, context: &Context) -> Result<(), StoreError> {
    let (now, run) = (Param::Int(context.now), Param::Int(context.run_id));
    db.execute_prepared(
        &names.sql(
            "INSERT INTO {ns}queue_origin_history \
                 (person_id, lead_id, lead_at, since, run_id, ended_at, ended_run_id) \
             SELECT p.id, p.origin_lead_id, p.origin_lead_at, p.origin_since, p.origin_run_id, $1, $2 \
             FROM temp.rq_batch b CROSS JOIN {ns}queue_person p ON p.person_key = b.person_key \
             WHERE b.status = 1 AND (b.lead_at, b.lead_id) < (p.origin_lead_at, p.origin_lead_id) \
             UNION \
             SELECT p.id, p.origin_lead_id, p.origin_lead_at, p.origin_since, p.origin_run_id, $1, $2 \
             FROM temp.rq_batch b CROSS JOIN {ns}queue_person p ON p.id = b.person_id \
             WHERE b.status = 4 AND (b.lead_at, b.lead_id) < (p.origin_lead_at, p.origin_lead_id)",
        ),
        &[now, run],
    )
    .map_err(failed(BATCH))?;
    // In the order of the leads, so that of two leads of one person the first becomes the origin.
    db.execute_prepared(
        &names.sql(
            "INSERT INTO {ns}queue_person \
                 (person_key, origin_lead_id, origin_lead_at, origin_since, origin_run_id) \
             SELECT b.person_key, b.lead_id, b.lead_at, $1, $2 FROM temp.rq_batch b \
             WHERE b.status = 1 ORDER BY b.lead_at, b.lead_id \
             ON CONFLICT (person_key) DO UPDATE SET origin_lead_id = excluded.origin_lead_id, \
                 origin_lead_at = excluded.origin_lead_at, origin_since = excluded.origin_since, \
                 origin_run_id = excluded.origin_run_id \
             WHERE origin_lead_id IS NULL OR (excluded.origin_lead_at, excluded.origin_lead_id) \
                 < (origin_lead_at, origin_lead_id)",
        ),
        &[now, run],
    )
    .map_err(failed(BATCH))?;
    Ok(())
}

pub(super) fn settle(
    db: &mut Database,
    names: &Names,
    context: &Context,
    settled: &[Settled],
) -> Result<(), StoreError> {
    fill(db, settled)?;
    let (now, run, backlog) =
        (Param::Int(context.now), Param::Int(context.run_id), Param::Int(context.backlog_id));
    let has = |wanted: fn(&Verdict) -> bool| settled.iter().any(|lead| wanted(&lead.verdict));
    let run_sql = |db: &mut Database, sql: &str, params: &[Param<'_>]| {
        db.execute_prepared(&names.sql(sql), params).map(|_| ()).map_err(failed(BATCH))
    };
    if has(|v| matches!(v, Verdict::Matched { .. })) {
        persons(db, names, context)?;
        run_sql(
            db,
            "INSERT INTO {ns}queue_link \
                 (lead_id, person_id, rule, confidence, run_id, linked_at, evidence) \
             SELECT b.lead_id, p.id, b.rule, b.confidence, $1, $2, b.evidence \
             FROM temp.rq_batch b CROSS JOIN {ns}queue_person p ON p.person_key = b.person_key \
             WHERE b.status = 1",
            &[run, now],
        )?;
    }
    if has(|v| matches!(v, Verdict::AlreadyLinked)) {
        super::origins::ensure(
            db,
            names,
            "SELECT person_id FROM temp.rq_batch WHERE status = 4",
            context,
        )?;
    }
    run_sql(
        db,
        "INSERT INTO {ns}queue_settled \
             (lead_id, backlog_id, status, reason, person_id, attempts, run_id, settled_at, evidence) \
         SELECT b.lead_id, $1, CASE b.status WHEN 2 THEN 2 ELSE 1 END, b.reason, k.person_id, \
             b.attempts, $2, $3, CASE b.status WHEN 2 THEN b.evidence END \
         FROM temp.rq_batch b LEFT JOIN {ns}queue_link k ON k.lead_id = b.lead_id AND b.status <> 2 \
         WHERE b.status <> 5 ORDER BY b.lead_id",
        &[backlog, run, now],
    )?;
    if has(|v| matches!(v, Verdict::Retry { .. })) {
        run_sql(
            db,
            "INSERT INTO {ns}queue_parked (lead_id, backlog_id, not_before, attempts, since, message) \
             SELECT b.lead_id, $1, b.not_before, b.attempts, $2, b.evidence \
             FROM temp.rq_batch b WHERE b.status = 5",
            &[backlog, now],
        )?;
    }
    wake_keys(db, names, settled)?;
    db.execute_prepared("DELETE FROM temp.rq_batch", &[]).map_err(failed(BATCH))?;
    Ok(())
}

fn wake_keys(db: &mut Database, names: &Names, settled: &[Settled]) -> Result<(), StoreError> {
    let keys: Vec<(&str, i64)> = settled
        .iter()
        .filter_map(|lead| match &lead.verdict {
            Verdict::Failed { wake_keys, .. } => Some((wake_keys, lead.claim.lead_id)),
            _ => None,
        })
        .flat_map(|(keys, lead_id)| keys.iter().map(move |key| (key.as_str(), lead_id)))
        .collect();
    for chunk in keys.chunks(CHUNK) {
        let values = vec!["(?,?)"; chunk.len()].join(",");
        let params: Vec<Param<'_>> =
            chunk.iter().flat_map(|&(key, id)| [Param::Text(key), Param::Int(id)]).collect();
        db.execute(
            &names.sql(&format!("INSERT OR IGNORE INTO {{ns}}queue_wake_key VALUES {values}")),
            &params,
        )
        .map_err(failed(BATCH))?;
    }
    Ok(())
}
