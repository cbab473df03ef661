//! Cases that were given out, and what people decided.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::diesel::conn::database::{Database, TextRow, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::records::time;
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::resolver::FailReason;
use crate::model::review::{ReviewCase, ReviewEffect, ReviewLoadRow, ReviewRow, ReviewerChange};

const READ: &str = "the look at reviews";

/// Lists who may decide.
pub(crate) fn reviewers(db: &mut Database, names: &Names) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT name AS value FROM {ns}queue_reviewer";
    let rows: Vec<TextRow> = db.query(&names.sql(sql), &[]).map_err(failed(READ))?;
    let mut listed: Vec<String> = rows.into_iter().map(|row| row.value).collect();
    // Sorted here: no collation of a server changes the order.
    listed.sort_unstable();
    Ok(listed)
}

#[derive(QueryableByName)]
struct ChangeRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    may_decide: i64,
    #[diesel(sql_type = BigInt)]
    changed_at: i64,
    #[diesel(sql_type = Text)]
    changed_by: String,
    #[diesel(sql_type = Text)]
    comment: String,
}

/// Lists the changes of who may decide, oldest first.
pub(crate) fn reviewer_changes(
    db: &mut Database,
    names: &Names,
) -> Result<Vec<ReviewerChange>, StoreError> {
    let sql = "SELECT name, may_decide, changed_at, changed_by, comment \
         FROM {ns}queue_reviewer_change ORDER BY id";
    let rows: Vec<ChangeRow> = db.query(&names.sql(sql), &[]).map_err(failed(READ))?;
    let change = |row: ChangeRow| ReviewerChange {
        name: row.name,
        may_decide: row.may_decide != 0,
        changed_at: time(row.changed_at),
        changed_by: row.changed_by,
        reason: row.comment,
    };
    Ok(rows.into_iter().map(change).collect())
}

#[derive(QueryableByName)]
struct CaseRow {
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = Text)]
    packet: String,
    #[diesel(sql_type = Nullable<Text>)]
    reviewer: Option<String>,
    #[diesel(sql_type = BigInt)]
    issued_at: i64,
    #[diesel(sql_type = Text)]
    fingerprint: String,
    #[diesel(sql_type = BigInt)]
    reviews_needed: i64,
    #[diesel(sql_type = BigInt)]
    lead_at: i64,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = BigInt)]
    is_open: i64,
    #[diesel(sql_type = BigInt)]
    decided: i64,
}

/// Lists the cases in the order in which they were given out.
pub(crate) fn cases(db: &mut Database, names: &Names) -> Result<Vec<ReviewCase>, StoreError> {
    let sql = "SELECT l.source_pk, p.packet, p.reviewer, p.issued_at, c.fingerprint, p.reviews_needed, \
             l.lead_at, s.reason, CAST(CASE WHEN COALESCE(s.status, 0) IN (0, 2) THEN 1 ELSE 0 END AS BIGINT) AS is_open, \
             CAST(CASE WHEN EXISTS (SELECT 1 FROM {ns}queue_review r JOIN {ns}queue_review_load o \
                     ON o.id = r.load_id AND o.undone_at IS NULL \
                 WHERE r.lead_id = c.lead_id AND r.packet_id = c.packet_id) THEN 1 ELSE 0 END AS BIGINT) AS decided \
         FROM {ns}queue_review_packet p JOIN {ns}queue_review_case c ON c.packet_id = p.id \
         JOIN {ns}queue_lead l ON l.id = c.lead_id \
         LEFT JOIN {ns}queue_settled s ON s.lead_id = c.lead_id ORDER BY p.id, c.lead_id";
    let rows: Vec<CaseRow> = db.query(&names.sql(sql), &[]).map_err(failed(READ))?;
    let case = |row: CaseRow| ReviewCase {
        source_pk: SourcePk::stored(row.source_pk),
        packet: row.packet,
        reviewer: row.reviewer,
        issued_at: time(row.issued_at),
        fingerprint: row.fingerprint,
        reviews_needed: u8::try_from(row.reviews_needed).unwrap_or(u8::MAX),
        lead_at: time(row.lead_at),
        fail_reason: row.reason.as_deref().map(FailReason::stored),
        open: row.is_open != 0,
        decided: row.decided != 0,
    };
    Ok(rows.into_iter().map(case).collect())
}

#[derive(QueryableByName)]
struct Reviewed {
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = Text)]
    packet: String,
    #[diesel(sql_type = Text)]
    load_key: String,
    #[diesel(sql_type = Text)]
    decision: String,
    #[diesel(sql_type = Nullable<Text>)]
    person_key: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    comes_back_at: Option<i64>,
    #[diesel(sql_type = Text)]
    decided_by: String,
    #[diesel(sql_type = Text)]
    comment: String,
    #[diesel(sql_type = Nullable<Text>)]
    fail_reason: Option<String>,
    #[diesel(sql_type = BigInt)]
    decided_at: i64,
    #[diesel(sql_type = BigInt)]
    issued_at: i64,
    #[diesel(sql_type = Text)]
    effect: String,
    #[diesel(sql_type = BigInt)]
    reviews_needed: i64,
}

#[derive(QueryableByName)]
struct LoadRow {
    #[diesel(sql_type = Text)]
    load_key: String,
    #[diesel(sql_type = BigInt)]
    loaded_at: i64,
    #[diesel(sql_type = Text)]
    loaded_by: String,
    #[diesel(sql_type = BigInt)]
    reviews: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    undone_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    undone_by: Option<String>,
}

/// Lists the loads of decisions, oldest first.
pub(crate) fn loads(db: &mut Database, names: &Names) -> Result<Vec<ReviewLoadRow>, StoreError> {
    let sql = "SELECT o.load_key, o.loaded_at, o.loaded_by, o.undone_at, o.undone_by, \
             (SELECT count(*) FROM {ns}queue_review r WHERE r.load_id = o.id) AS reviews \
         FROM {ns}queue_review_load o ORDER BY o.id";
    let rows: Vec<LoadRow> = db.query(&names.sql(sql), &[]).map_err(failed(READ))?;
    let load = |row: LoadRow| ReviewLoadRow {
        load: row.load_key,
        loaded_at: time(row.loaded_at),
        loaded_by: row.loaded_by,
        reviews: u64::try_from(row.reviews).unwrap_or_default(),
        undone_at: row.undone_at.map(time),
        undone_by: row.undone_by,
    };
    Ok(rows.into_iter().map(load).collect())
}

/// Lists the decisions that were not undone, oldest first.
pub(crate) fn reviews(db: &mut Database, names: &Names) -> Result<Vec<ReviewRow>, StoreError> {
    let sql = "SELECT l.source_pk, p.packet, o.load_key, r.decision, h.person_key, r.comes_back_at, \
             r.decided_by, r.comment, r.fail_reason, r.decided_at, p.issued_at, r.effect, p.reviews_needed \
         FROM {ns}queue_review r JOIN {ns}queue_review_load o ON o.id = r.load_id AND o.undone_at IS NULL \
         JOIN {ns}queue_review_packet p ON p.id = r.packet_id JOIN {ns}queue_lead l ON l.id = r.lead_id \
         LEFT JOIN {ns}queue_person h ON h.id = r.person_id ORDER BY r.id";
    let rows: Vec<Reviewed> = db.query(&names.sql(sql), &[]).map_err(failed(READ))?;
    let review = |row: Reviewed| ReviewRow {
        source_pk: SourcePk::stored(row.source_pk),
        packet: row.packet,
        load: row.load_key,
        decision: row.decision,
        person_key: row.person_key.map(PersonKey::stored),
        until: row.comes_back_at.map(time),
        decided_by: row.decided_by,
        comment: row.comment,
        fail_reason: row.fail_reason.as_deref().map(FailReason::stored),
        decided_at: time(row.decided_at),
        issued_at: time(row.issued_at),
        effect: ReviewEffect::from_code(&row.effect).unwrap_or(ReviewEffect::Applied),
        reviews_needed: u8::try_from(row.reviews_needed).unwrap_or(u8::MAX),
    };
    Ok(rows.into_iter().map(review).collect())
}
