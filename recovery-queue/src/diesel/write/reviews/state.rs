//! What the store knows of the leads of a load.

use std::collections::HashMap;

use diesel::prelude::*;

use super::parts::{CHUNK, REVIEW, by};
use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::read::reviews;
use crate::diesel::tables::{
    queue_lead, queue_link, queue_person, queue_rejected_pair, queue_review, queue_review_case,
    queue_review_load, queue_review_packet, queue_settled,
};
use crate::model::error::StoreError;
use crate::model::review::judge::{Decided, Former, Judged, Known, KnownLead, KnownPacket};
use crate::model::review::{ReviewEffect, ReviewLoad};
use crate::model::rows::Status;

#[derive(Queryable)]
struct LeadRow {
    id: i64,
    source_pk: String,
    backlog_id: i64,
    settled: Option<(i64, Option<String>)>,
    link: Option<i64>,
}

#[derive(Queryable)]
struct PacketRow {
    id: i64,
    packet: String,
    reviewer: Option<String>,
    reviews_needed: i64,
}

#[derive(Queryable)]
struct FormerRow {
    id: i64,
    packet_id: i64,
    lead_id: i64,
    decision: String,
    person_key: Option<String>,
    comes_back_at: Option<i64>,
    corrected: Option<String>,
    decided_by: String,
    effect: String,
    fingerprint: String,
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
    let mut rows = Vec::with_capacity(leads.len());
    for part in leads.chunks(CHUNK) {
        let found: Vec<LeadRow> = typed!(
            db,
            names,
            load,
            queue_lead::table
                .left_join(queue_settled::table.on(queue_settled::lead_id.eq(queue_lead::id)))
                .left_join(queue_link::table.on(queue_link::lead_id.eq(queue_lead::id)))
                .filter(queue_lead::source_pk.eq_any(part))
                .select((
                    queue_lead::id,
                    queue_lead::source_pk,
                    queue_lead::backlog_id,
                    (queue_settled::status, queue_settled::reason).nullable(),
                    queue_link::lead_id.nullable(),
                ))
        )
        .map_err(failed(REVIEW))?;
        rows.extend(found);
    }
    Ok(rows)
}

fn packets_of(db: &mut Database, names: &Names, packets: &[&str]) -> QueryResult<Vec<PacketRow>> {
    use queue_review_packet as packet;
    let mut rows = Vec::new();
    for part in packets.chunks(CHUNK) {
        let columns = (packet::id, packet::packet, packet::reviewer, packet::reviews_needed);
        let wanted = packet::table.filter(packet::packet.eq_any(part)).select(columns);
        let found: Vec<PacketRow> = typed!(db, names, load, wanted)?;
        rows.extend(found);
    }
    Ok(rows)
}

/// Gives the fingerprints of the cases of leads, by packet and lead.
fn cases_of(
    db: &mut Database,
    names: &Names,
    leads: &[i64],
) -> QueryResult<Vec<((i64, i64), String)>> {
    use queue_review_case as case;
    let mut rows = Vec::new();
    for part in leads.chunks(CHUNK) {
        let cases = case::table.filter(case::lead_id.eq_any(part));
        let found: Vec<((i64, i64), String)> = typed!(
            db,
            names,
            load,
            cases.select(((case::packet_id, case::lead_id), case::fingerprint))
        )?;
        rows.extend(found);
    }
    Ok(rows)
}

/// Reads the decisions on leads that were not undone, oldest first.
fn former_of_leads(db: &mut Database, names: &Names, leads: &[i64]) -> QueryResult<Vec<FormerRow>> {
    use queue_review as review;
    use queue_review_case as case;
    use queue_review_load as load;
    let mut rows = Vec::new();
    for part in leads.chunks(CHUNK) {
        let of_review =
            case::packet_id.eq(review::packet_id).and(case::lead_id.eq(review::lead_id));
        let found: Vec<FormerRow> = typed!(
            db,
            names,
            load,
            review::table
                .inner_join(load::table.on(load::id.eq(review::load_id)))
                .inner_join(case::table.on(of_review))
                .left_join(
                    queue_person::table.on(review::person_id.eq(queue_person::id.nullable()))
                )
                .filter(load::undone_at.is_null())
                .filter(review::lead_id.eq_any(part))
                .order(review::id)
                .select((
                    review::id,
                    review::packet_id,
                    review::lead_id,
                    review::decision,
                    queue_person::person_key.nullable(),
                    review::comes_back_at,
                    review::corrected,
                    review::decided_by,
                    review::effect,
                    case::fingerprint,
                ))
        )?;
        rows.extend(found);
    }
    Ok(rows)
}

/// A rejected pair: its lead, its person, and the version of the lead's data that it was decided on.
pub(super) struct Pair {
    pub(super) lead_id: i64,
    pub(super) person_id: i64,
    pub(super) person_key: String,
}

/// Reads the rejected pairs that hold for leads as their data is now.
pub(super) fn pairs_of(db: &mut Database, names: &Names, leads: &[i64]) -> QueryResult<Vec<Pair>> {
    use queue_rejected_pair as pair;
    type Row = (i64, i64, String, Option<String>, Option<String>);
    let mut pairs = Vec::new();
    for part in leads.chunks(CHUNK) {
        let found: Vec<Row> = typed!(
            db,
            names,
            load,
            pair::table
                .inner_join(queue_lead::table.on(queue_lead::id.eq(pair::lead_id)))
                .inner_join(queue_person::table.on(queue_person::id.eq(pair::person_id)))
                .filter(pair::lead_id.eq_any(part))
                .select((
                    pair::lead_id,
                    pair::person_id,
                    queue_person::person_key,
                    pair::lead_version,
                    queue_lead::lead_version,
                ))
        )?;
        let holding = found.into_iter().filter(|(_, _, _, then, now)| then == now);
        pairs.extend(holding.map(|(lead_id, person_id, person_key, ..)| Pair {
            lead_id,
            person_id,
            person_key,
        }));
    }
    Ok(pairs)
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
    let packets = packets_of(db, names, &packets).map_err(failed(REVIEW))?;
    let cases = cases_of(db, names, &ids).map_err(failed(REVIEW))?;
    let former = former_of_leads(db, names, &ids).map_err(failed(REVIEW))?;
    let pairs = pairs_of(db, names, &ids).map_err(failed(REVIEW))?;
    Ok(Known {
        reviewers: reviews::reviewers(db, names)?.into_iter().collect(),
        leads: leads.into_iter().map(lead_of).collect(),
        packets: packets.into_iter().map(packet_of).collect(),
        cases: cases.into_iter().collect(),
        former: by(former.into_iter().map(|row| (row.lead_id, former_of(row)))),
        rejected: pairs.into_iter().map(|pair| (pair.lead_id, pair.person_key)).collect(),
    })
}

fn lead_of(row: LeadRow) -> (String, KnownLead) {
    let status = match row.settled.as_ref().map(|(status, _)| *status) {
        _ if row.link.is_some() => Status::Matched,
        Some(1) => Status::Matched,
        Some(2) => Status::Failed,
        Some(3) => Status::Withdrawn,
        _ => Status::Pending,
    };
    let fail_reason = row.settled.and_then(|(_, reason)| reason);
    let (id, backlog_id) = (row.id, row.backlog_id);
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
