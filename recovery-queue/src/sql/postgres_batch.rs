//! The batch's writes on PostgreSQL: arrays, two statements, one round trip each.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::batch::{BATCH, Context, Settled, Verdict};
use super::database::{Database, Param, failed};
use super::namespace::Names;
use crate::error::StoreError;

const MATCHED: i64 = 1;
const FAILED: i64 = 2;
const LINKED: i64 = 4;
const RETRY: i64 = 5;

/// The batch by columns, as `unnest` takes it.
#[derive(Default)]
struct Columns<'a> {
    lead_id: Vec<i64>,
    priority: Vec<i64>,
    lead_at: Vec<i64>,
    attempts: Vec<i64>,
    status: Vec<i64>,
    person_id: Vec<i64>,
    not_before: Vec<i64>,
    reason: Vec<Option<&'a str>>,
    person_key: Vec<Option<&'a str>>,
    rule: Vec<Option<&'a str>>,
    confidence: Vec<Option<&'a str>>,
    evidence: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(settled: &'a [Settled]) -> Self {
        let mut columns = Self::default();
        for lead in settled {
            columns.lead_id.push(lead.claim.lead_id);
            columns.priority.push(lead.claim.priority);
            columns.lead_at.push(lead.claim.lead_at);
            columns.attempts.push(lead.attempts);
            columns.person_id.push(lead.claim.person_id.unwrap_or_default());
            let (status, reason, key, rule, confidence, evidence, not_before) = match &lead.verdict
            {
                Verdict::Matched { person_key, rule, confidence, evidence } => (
                    MATCHED,
                    None,
                    Some(person_key.as_str()),
                    Some(rule.as_str()),
                    Some(confidence.as_str()),
                    evidence.as_deref(),
                    0,
                ),
                Verdict::AlreadyLinked => (LINKED, None, None, None, None, None, 0),
                Verdict::Failed { reason, evidence, .. } => {
                    (FAILED, Some(reason.code()), None, None, None, evidence.as_deref(), 0)
                }
                Verdict::Retry { not_before, message } => {
                    (RETRY, None, None, None, None, Some(message.as_str()), *not_before)
                }
            };
            columns.status.push(status);
            columns.reason.push(reason);
            columns.person_key.push(key);
            columns.rule.push(rule);
            columns.confidence.push(confidence);
            columns.evidence.push(evidence);
            columns.not_before.push(not_before);
        }
        columns
    }
}

/// Adds the persons that are new, and moves origins to earlier leads; what they were goes to the history.
///
/// Sorted by key, so that two workers meet shared persons in one order. A replaced origin is kept in the row
/// by the update itself, which sees the locked row: no other worker's change can slip in between.
const PERSONS: &str = "WITH b AS (SELECT DISTINCT ON (u.person_key COLLATE \"C\") u.* \
        FROM unnest($1, $2, $3) AS u(lead_id, lead_at, person_key) \
        WHERE u.person_key IS NOT NULL ORDER BY u.person_key COLLATE \"C\", u.lead_at, u.lead_id), \
    p AS (INSERT INTO {ns}queue_person AS o \
            (person_key, origin_lead_id, origin_lead_at, origin_since, origin_run_id) \
        SELECT person_key, lead_id, lead_at, $4, $5 FROM b ORDER BY person_key COLLATE \"C\" \
        ON CONFLICT (person_key) DO UPDATE SET replaced_lead_id = o.origin_lead_id, \
            replaced_lead_at = o.origin_lead_at, replaced_since = o.origin_since, \
            replaced_run_id = o.origin_run_id, origin_lead_id = excluded.origin_lead_id, \
            origin_lead_at = excluded.origin_lead_at, origin_since = excluded.origin_since, \
            origin_run_id = excluded.origin_run_id \
        WHERE o.origin_lead_id IS NULL OR (excluded.origin_lead_at, excluded.origin_lead_id) \
            < (o.origin_lead_at, o.origin_lead_id) \
        RETURNING o.id, o.replaced_lead_id, o.replaced_lead_at, o.replaced_since, o.replaced_run_id) \
    INSERT INTO {ns}queue_origin_history \
        (person_id, lead_id, lead_at, since, run_id, ended_at, ended_run_id) \
    SELECT id, replaced_lead_id, replaced_lead_at, replaced_since, replaced_run_id, $4, $5 FROM p \
    WHERE replaced_lead_id IS NOT NULL";

/// Everything else: the leads leave the hot table and come to lie where they belong.
const SETTLE: &str = "WITH d AS MATERIALIZED (SELECT * FROM \
        unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
        AS u(lead_id, priority, lead_at, attempts, status, person_id, not_before, reason, person_key, \
             rule, confidence, evidence)), \
    x AS (DELETE FROM {ns}queue_pending q USING d WHERE q.backlog_id = $13 \
        AND q.priority = d.priority AND q.lead_at = d.lead_at AND q.lead_id = d.lead_id \
        RETURNING q.lead_id), \
    r AS MATERIALIZED (SELECT d.*, COALESCE(p.id, NULLIF(d.person_id, 0)) AS person \
        FROM d LEFT JOIN {ns}queue_person p ON p.person_key = d.person_key), \
    k AS (INSERT INTO {ns}queue_link \
            (lead_id, person_id, rule, confidence, run_id, linked_at, evidence) \
        SELECT lead_id, person, rule, confidence, $14, $15, evidence FROM r WHERE status = 1 \
        ORDER BY lead_id), \
    w AS (INSERT INTO {ns}queue_parked (lead_id, backlog_id, not_before, attempts, since, message) \
        SELECT lead_id, $13, not_before, attempts, $15, evidence FROM r WHERE status = 5), \
    s AS (INSERT INTO {ns}queue_settled \
            (lead_id, backlog_id, status, reason, person_id, attempts, run_id, settled_at, evidence) \
        SELECT lead_id, $13, CASE status WHEN 2 THEN 2 ELSE 1 END, reason, \
            CASE WHEN status <> 2 THEN person END, attempts, $14, $15, \
            CASE status WHEN 2 THEN evidence END \
        FROM r WHERE status <> 5 ORDER BY lead_id) \
    SELECT count(*) AS value FROM x";

#[derive(QueryableByName)]
struct Removed {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

pub(super) fn settle(
    db: &mut Database,
    names: &Names,
    context: &Context,
    settled: &[Settled],
) -> Result<(), StoreError> {
    let columns = Columns::of(settled);
    let (now, run) = (Param::Int(context.now), Param::Int(context.run_id));
    if columns.status.contains(&MATCHED) {
        db.execute(
            &names.sql(PERSONS),
            &[
                Param::Ints(&columns.lead_id),
                Param::Ints(&columns.lead_at),
                Param::OptTexts(&columns.person_key),
                now,
                run,
            ],
        )
        .map_err(failed(BATCH))?;
    }
    let removed: Vec<Removed> = db
        .query(
            &names.sql(SETTLE),
            &[
                Param::Ints(&columns.lead_id),
                Param::Ints(&columns.priority),
                Param::Ints(&columns.lead_at),
                Param::Ints(&columns.attempts),
                Param::Ints(&columns.status),
                Param::Ints(&columns.person_id),
                Param::Ints(&columns.not_before),
                Param::OptTexts(&columns.reason),
                Param::OptTexts(&columns.person_key),
                Param::OptTexts(&columns.rule),
                Param::OptTexts(&columns.confidence),
                Param::OptTexts(&columns.evidence),
                Param::Int(context.backlog_id),
                run,
                now,
            ],
        )
        .map_err(failed(BATCH))?;
    if !context.leased && removed.first().map(|row| row.value) != i64::try_from(settled.len()).ok()
    {
        return Err(StoreError::Conflict {
            key: format!("in a batch of {}", settled.len()),
            reason: "it left the hot table while it was claimed; the batch was given back"
                .to_owned(),
        });
    }
    if columns.status.contains(&LINKED) {
        let linked: Vec<i64> = columns.person_id.iter().copied().filter(|&id| id != 0).collect();
        super::origins::ensure(db, names, &super::origins::listed(&linked), context)?;
    }
    wake_keys(db, names, settled)
}

fn wake_keys(db: &mut Database, names: &Names, settled: &[Settled]) -> Result<(), StoreError> {
    let (mut keys, mut leads) = (Vec::new(), Vec::new());
    for lead in settled {
        if let Verdict::Failed { wake_keys, .. } = &lead.verdict {
            for key in wake_keys {
                keys.push(Some(key.as_str()));
                leads.push(lead.claim.lead_id);
            }
        }
    }
    if keys.is_empty() {
        return Ok(());
    }
    db.execute(
        &names.sql(
            "INSERT INTO {ns}queue_wake_key (wake_key, lead_id) \
             SELECT u.wake_key, u.lead_id FROM unnest($1, $2) AS u(wake_key, lead_id) \
             ORDER BY u.wake_key, u.lead_id ON CONFLICT DO NOTHING",
        ),
        &[Param::OptTexts(&keys), Param::Ints(&leads)],
    )
    .map_err(failed(BATCH))?;
    Ok(())
}
