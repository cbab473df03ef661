//! Cases that were given out, and what people decided.

use std::collections::HashMap;

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;

use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::read::records::time;
use crate::diesel::tables::{
    queue_lead, queue_person, queue_review, queue_review_case, queue_review_load,
    queue_review_packet, queue_reviewer, queue_reviewer_change, queue_settled,
};
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::resolver::FailReason;
use crate::model::review::{ReviewCase, ReviewEffect, ReviewLoadRow, ReviewRow, ReviewerChange};

const READ: &str = "the look at reviews";

/// Lists who may decide.
pub(crate) fn reviewers(db: &mut Database, names: &Names) -> Result<Vec<String>, StoreError> {
    let mut listed: Vec<String> =
        typed!(db, names, load, queue_reviewer::table.select(queue_reviewer::name))
            .map_err(failed(READ))?;
    // Sorted here: no collation of a server changes the order.
    listed.sort_unstable();
    Ok(listed)
}

#[derive(Queryable)]
struct ChangeRow {
    name: String,
    may_decide: i64,
    changed_at: i64,
    changed_by: String,
    comment: String,
}

/// Lists the changes of who may decide, oldest first.
pub(crate) fn reviewer_changes(
    db: &mut Database,
    names: &Names,
) -> Result<Vec<ReviewerChange>, StoreError> {
    use queue_reviewer_change as change;
    let columns =
        (change::name, change::may_decide, change::changed_at, change::changed_by, change::comment);
    let rows: Vec<ChangeRow> =
        typed!(db, names, load, change::table.order(change::id).select(columns))
            .map_err(failed(READ))?;
    let change = |row: ChangeRow| ReviewerChange {
        name: row.name,
        may_decide: row.may_decide != 0,
        changed_at: time(row.changed_at),
        changed_by: row.changed_by,
        reason: row.comment,
    };
    Ok(rows.into_iter().map(change).collect())
}

#[derive(Queryable)]
struct CaseRow {
    source_pk: String,
    packet: String,
    reviewer: Option<String>,
    issued_at: i64,
    fingerprint: String,
    reviews_needed: i64,
    lead_at: i64,
    settled: Option<(i64, Option<String>)>,
    is_decided: bool,
}

/// Lists the cases in the order in which they were given out.
pub(crate) fn cases(db: &mut Database, names: &Names) -> Result<Vec<ReviewCase>, StoreError> {
    use queue_review_case as case;
    use queue_review_packet as packet;
    let decided = queue_review::table
        .inner_join(queue_review_load::table.on(queue_review_load::id.eq(queue_review::load_id)))
        .filter(queue_review_load::undone_at.is_null())
        .filter(queue_review::lead_id.eq(case::lead_id))
        .filter(queue_review::packet_id.eq(case::packet_id));
    let rows: Vec<CaseRow> = typed!(
        db,
        names,
        load,
        packet::table
            .inner_join(case::table.on(case::packet_id.eq(packet::id)))
            .inner_join(queue_lead::table.on(queue_lead::id.eq(case::lead_id)))
            .left_join(queue_settled::table.on(queue_settled::lead_id.eq(case::lead_id)))
            .order((packet::id, case::lead_id))
            .select((
                queue_lead::source_pk,
                packet::packet,
                packet::reviewer,
                packet::issued_at,
                case::fingerprint,
                packet::reviews_needed,
                queue_lead::lead_at,
                (queue_settled::status, queue_settled::reason).nullable(),
                exists(decided),
            ))
    )
    .map_err(failed(READ))?;
    let case = |row: CaseRow| ReviewCase {
        source_pk: SourcePk::stored(row.source_pk),
        packet: row.packet,
        reviewer: row.reviewer,
        issued_at: time(row.issued_at),
        fingerprint: row.fingerprint,
        reviews_needed: u8::try_from(row.reviews_needed).unwrap_or(u8::MAX),
        lead_at: time(row.lead_at),
        open: row.settled.as_ref().is_none_or(|(status, _)| *status == 2),
        fail_reason: row.settled.and_then(|(_, code)| code).as_deref().map(FailReason::stored),
        decided: row.is_decided,
    };
    Ok(rows.into_iter().map(case).collect())
}

#[derive(Queryable)]
struct Reviewed {
    source_pk: String,
    packet: String,
    load_key: String,
    decision: String,
    person_key: Option<String>,
    comes_back_at: Option<i64>,
    decided_by: String,
    comment: String,
    fail_reason: Option<String>,
    decided_at: i64,
    issued_at: i64,
    effect: String,
    reviews_needed: i64,
}

/// Lists the loads of decisions, oldest first.
pub(crate) fn loads(db: &mut Database, names: &Names) -> Result<Vec<ReviewLoadRow>, StoreError> {
    use queue_review_load as load;
    type Row = (i64, String, i64, String, Option<i64>, Option<String>);
    let columns = (
        load::id,
        load::load_key,
        load::loaded_at,
        load::loaded_by,
        load::undone_at,
        load::undone_by,
    );
    let rows: Vec<Row> = typed!(db, names, load, load::table.order(load::id).select(columns))
        .map_err(failed(READ))?;
    let of_load = (queue_review::load_id, count_star());
    let reviews: Vec<(i64, i64)> = typed!(
        db,
        names,
        load,
        queue_review::table.group_by(queue_review::load_id).select(of_load)
    )
    .map_err(failed(READ))?;
    let reviews: HashMap<i64, i64> = reviews.into_iter().collect();
    let load = |(id, load, loaded_at, loaded_by, undone_at, undone_by): Row| ReviewLoadRow {
        load,
        loaded_at: time(loaded_at),
        loaded_by,
        reviews: reviews.get(&id).map_or(0, |count| u64::try_from(*count).unwrap_or_default()),
        undone_at: undone_at.map(time),
        undone_by,
    };
    Ok(rows.into_iter().map(load).collect())
}

/// Lists the decisions that were not undone, oldest first.
pub(crate) fn reviews(db: &mut Database, names: &Names) -> Result<Vec<ReviewRow>, StoreError> {
    use queue_review as review;
    use queue_review_packet as packet;
    let rows: Vec<Reviewed> = typed!(
        db,
        names,
        load,
        review::table
            .inner_join(queue_review_load::table.on(queue_review_load::id.eq(review::load_id)))
            .inner_join(packet::table.on(packet::id.eq(review::packet_id)))
            .inner_join(queue_lead::table.on(queue_lead::id.eq(review::lead_id)))
            .left_join(queue_person::table.on(review::person_id.eq(queue_person::id.nullable())))
            .filter(queue_review_load::undone_at.is_null())
            .order(review::id)
            .select((
                queue_lead::source_pk,
                packet::packet,
                queue_review_load::load_key,
                review::decision,
                queue_person::person_key.nullable(),
                review::comes_back_at,
                review::decided_by,
                review::comment,
                review::fail_reason,
                review::decided_at,
                packet::issued_at,
                review::effect,
                packet::reviews_needed,
            ))
    )
    .map_err(failed(READ))?;
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
