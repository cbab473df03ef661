//! What the store knows of the leads of a load.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::parts::{CHUNK, REVIEW, by};
use crate::diesel::conn::database::{Database, Param, Row, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::reviews;
use crate::model::error::StoreError;
use crate::model::review::judge::{Decided, Former, Judged, Known, KnownLead, KnownPacket};
use crate::model::review::{ReviewEffect, ReviewLoad};
use crate::model::rows::Status;

#[derive(QueryableByName)]
struct LeadRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = BigInt)]
    backlog_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    status: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
}

#[derive(QueryableByName)]
struct PacketRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    packet: String,
    #[diesel(sql_type = Nullable<Text>)]
    reviewer: Option<String>,
    #[diesel(sql_type = BigInt)]
    reviews_needed: i64,
}

#[derive(QueryableByName)]
struct CaseRow {
    #[diesel(sql_type = BigInt)]
    packet_id: i64,
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = Text)]
    fingerprint: String,
}

#[derive(QueryableByName)]
struct FormerRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    packet_id: i64,
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = Text)]
    decision: String,
    #[diesel(sql_type = Nullable<Text>)]
    person_key: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    comes_back_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    corrected: Option<String>,
    #[diesel(sql_type = Text)]
    decided_by: String,
    #[diesel(sql_type = Text)]
    effect: String,
    #[diesel(sql_type = Text)]
    fingerprint: String,
}

#[derive(QueryableByName)]
struct PairRow {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = Text)]
    person_key: String,
}

/// Runs a query for parts of a list of texts; `{}` is where their binds go.
fn by_texts<T: Row>(
    db: &mut Database,
    names: &Names,
    sql: &str,
    texts: &[&str],
) -> Result<Vec<T>, StoreError> {
    let mut rows = Vec::new();
    for part in texts.chunks(CHUNK) {
        let binds: Vec<String> = (1..=part.len()).map(|bind| format!("${bind}")).collect();
        let params: Vec<Param<'_>> = part.iter().map(|text| Param::Text(text)).collect();
        let sql = names.sql(&sql.replace("{}", &binds.join(", ")));
        rows.extend(db.query::<T>(&sql, &params).map_err(failed(REVIEW))?);
    }
    Ok(rows)
}

/// Runs a query for parts of a list of ids of ours; `{}` is where they go.
pub(super) fn by_ids<T: Row>(
    db: &mut Database,
    names: &Names,
    sql: &str,
    ids: &[i64],
) -> Result<Vec<T>, StoreError> {
    let mut rows = Vec::new();
    for part in ids.chunks(CHUNK) {
        let sql = names.sql(&sql.replace("{}", &listed(part)));
        rows.extend(db.query::<T>(&sql, &[]).map_err(failed(REVIEW))?);
    }
    Ok(rows)
}

/// Writes ids of ours as a list for `IN`.
pub(super) fn listed(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

/// Finds the ids of leads by their keys.
pub(super) fn ids(
    db: &mut Database,
    names: &Names,
    leads: &[&str],
) -> Result<HashMap<String, i64>, StoreError> {
    Ok(leads_of(db, names, leads)?.into_iter().map(|row| (row.source_pk, row.id)).collect())
}

fn leads_of(db: &mut Database, names: &Names, leads: &[&str]) -> Result<Vec<LeadRow>, StoreError> {
    let sql = "SELECT l.id, l.source_pk, l.backlog_id, \
             CASE WHEN k.lead_id IS NULL THEN s.status ELSE 1 END AS status, s.reason \
         FROM {ns}queue_lead l LEFT JOIN {ns}queue_settled s ON s.lead_id = l.id \
         LEFT JOIN {ns}queue_link k ON k.lead_id = l.id WHERE l.source_pk IN ({})";
    by_texts(db, names, sql, leads)
}

/// Reads what the store knows of the leads and packets of a load.
fn known(db: &mut Database, names: &Names, load: &ReviewLoad) -> Result<Known, StoreError> {
    let mut keys: Vec<&str> = load.reviews.iter().map(|review| review.source_pk.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let leads = leads_of(db, names, &keys)?;
    let ids: Vec<i64> = leads.iter().map(|row| row.id).collect();
    let mut packets: Vec<&str> = load.reviews.iter().map(|review| review.packet.as_str()).collect();
    packets.sort_unstable();
    packets.dedup();
    let sql = "SELECT id, packet, reviewer, reviews_needed FROM {ns}queue_review_packet \
         WHERE packet IN ({})";
    let packets: Vec<PacketRow> = by_texts(db, names, sql, &packets)?;
    let sql = "SELECT packet_id, lead_id, fingerprint FROM {ns}queue_review_case \
         WHERE lead_id IN ({})";
    let cases: Vec<CaseRow> = by_ids(db, names, sql, &ids)?;
    let sql = "SELECT r.id, r.packet_id, r.lead_id, r.decision, h.person_key, r.comes_back_at, \
             r.corrected, r.decided_by, r.effect, c.fingerprint FROM {ns}queue_review r \
         JOIN {ns}queue_review_load o ON o.id = r.load_id AND o.undone_at IS NULL \
         JOIN {ns}queue_review_case c ON c.packet_id = r.packet_id AND c.lead_id = r.lead_id \
         LEFT JOIN {ns}queue_person h ON h.id = r.person_id WHERE r.lead_id IN ({}) ORDER BY r.id";
    let former: Vec<FormerRow> = by_ids(db, names, sql, &ids)?;
    let sql = "SELECT r.lead_id, h.person_key FROM {ns}queue_rejected_pair r \
         JOIN {ns}queue_lead l ON l.id = r.lead_id JOIN {ns}queue_person h ON h.id = r.person_id \
         WHERE r.lead_id IN ({}) AND l.lead_version IS NOT DISTINCT FROM r.lead_version";
    let pairs: Vec<PairRow> = by_ids(db, names, sql, &ids)?;
    Ok(Known {
        reviewers: reviews::reviewers(db, names)?.into_iter().collect(),
        leads: leads.into_iter().map(lead_of).collect(),
        packets: packets.into_iter().map(packet_of).collect(),
        cases: cases.into_iter().map(|c| ((c.packet_id, c.lead_id), c.fingerprint)).collect(),
        former: by(former.into_iter().map(|row| (row.lead_id, former_of(row)))),
        rejected: pairs.into_iter().map(|pair| (pair.lead_id, pair.person_key)).collect(),
    })
}

fn lead_of(row: LeadRow) -> (String, KnownLead) {
    let status = match row.status {
        Some(1) => Status::Matched,
        Some(2) => Status::Failed,
        Some(3) => Status::Withdrawn,
        _ => Status::Pending,
    };
    let (id, backlog_id, fail_reason) = (row.id, row.backlog_id, row.reason);
    (row.source_pk, KnownLead { id, backlog_id, status, fail_reason })
}

fn packet_of(row: PacketRow) -> (String, KnownPacket) {
    let reviews_needed = u8::try_from(row.reviews_needed).unwrap_or(u8::MAX);
    (row.packet, KnownPacket { id: row.id, reviewer: row.reviewer, reviews_needed })
}

fn former_of(row: FormerRow) -> Former {
    Former {
        id: Some(row.id),
        packet_id: row.packet_id,
        decision: Decided {
            word: row.decision,
            person: row.person_key,
            until: row.comes_back_at,
            corrected: row.corrected,
        },
        decided_by: row.decided_by,
        effect: ReviewEffect::from_code(&row.effect),
        fingerprint: row.fingerprint,
    }
}

/// Judges every decision of a load, in its order.
pub(super) fn judge(
    db: &mut Database,
    names: &Names,
    load: &ReviewLoad,
) -> Result<Judged, StoreError> {
    Ok(known(db, names, load)?.judge_all(load))
}
