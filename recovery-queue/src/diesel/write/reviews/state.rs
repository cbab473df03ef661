//! What the store knows of the leads of a load, and what follows for each decision.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::{CHUNK, REVIEW};
use crate::diesel::conn::database::{Database, Param, Row, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::reviews;
use crate::model::error::StoreError;
use crate::model::key::PersonKey;
use crate::model::review::{Review, ReviewDecision, ReviewEffect, ReviewLoad, ReviewRefusal};

/// A decision that is taken, with what it becomes.
pub(super) struct Taken {
    /// Its place in the load.
    pub(super) at: usize,
    pub(super) packet_id: i64,
    pub(super) lead_id: i64,
    pub(super) backlog_id: i64,
    pub(super) fail_reason: Option<String>,
    pub(super) effect: ReviewEffect,
    /// The first of two decisions: the id of its row, none where it stands in the same load; and who made it.
    pub(super) first: Option<(Option<i64>, String)>,
}

/// A load, judged.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) taken: Vec<Taken>,
    pub(super) refused: Vec<(usize, ReviewRefusal)>,
    pub(super) unchanged: u64,
}

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

/// What the store knows of the leads and packets of a load.
struct Known {
    reviewers: BTreeSet<String>,
    leads: HashMap<String, LeadRow>,
    packets: HashMap<String, PacketRow>,
    /// By packet and lead.
    cases: HashMap<(i64, i64), String>,
    /// Earlier decisions by lead, oldest first, those of the load that were taken behind them.
    former: BTreeMap<i64, Vec<Former>>,
    /// Persons who are rejected, by lead.
    rejected: BTreeSet<(i64, String)>,
}

/// What two decisions are compared by.
#[derive(PartialEq, Eq)]
struct Decided {
    word: String,
    person: Option<String>,
    until: Option<i64>,
    corrected: Option<String>,
}

/// An earlier decision of a lead.
struct Former {
    /// None where it stands in the same load.
    id: Option<i64>,
    packet_id: i64,
    decision: Decided,
    decided_by: String,
    effect: Option<ReviewEffect>,
    fingerprint: String,
}

impl Known {
    fn read(db: &mut Database, names: &Names, load: &ReviewLoad) -> Result<Self, StoreError> {
        let mut keys: Vec<&str> =
            load.reviews.iter().map(|review| review.source_pk.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        let leads = leads_of(db, names, &keys)?;
        let ids: Vec<i64> = leads.iter().map(|row| row.id).collect();
        let mut packets: Vec<&str> =
            load.reviews.iter().map(|review| review.packet.as_str()).collect();
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
        Ok(Self {
            reviewers: reviews::reviewers(db, names)?.into_iter().collect(),
            leads: leads.into_iter().map(|row| (row.source_pk.clone(), row)).collect(),
            packets: packets.into_iter().map(|row| (row.packet.clone(), row)).collect(),
            cases: cases.into_iter().map(|c| ((c.packet_id, c.lead_id), c.fingerprint)).collect(),
            former: super::by(former.into_iter().map(|row| (row.lead_id, Former::of(row)))),
            rejected: pairs.into_iter().map(|pair| (pair.lead_id, pair.person_key)).collect(),
        })
    }

    /// Finds the decisions of a load that contradict one another, by their places: none of them is to win by its place.
    ///
    /// Of one case every two that differ; of one lead those that differ, unless two reviewers are to decide it or one puts
    /// it off.
    fn contradictions(&self, load: &ReviewLoad) -> BTreeSet<usize> {
        let mut groups: BTreeMap<(i64, Option<i64>), Vec<usize>> = BTreeMap::new();
        for (at, review) in load.reviews.iter().enumerate() {
            let Some(packet) = self.packets.get(&review.packet) else { continue };
            let Some(of) = self.leads.get(review.source_pk.as_str()).map(|row| row.id) else {
                continue;
            };
            // What was loaded before is history.
            let mut former = self.former.get(&of).into_iter().flatten();
            if former.any(|former| former.packet_id == packet.id) {
                continue;
            }
            groups.entry((of, Some(packet.id))).or_default().push(at);
            if packet.reviews_needed < 2 && review.decision.until().is_none() {
                groups.entry((of, None)).or_default().push(at);
            }
        }
        let differ = |places: &Vec<usize>| {
            let decision = |at: usize| &load.reviews[at].decision;
            places.iter().any(|at| decision(*at) != decision(places[0]))
        };
        groups.into_values().filter(differ).flatten().collect()
    }

    /// Judges one decision: what it becomes, nothing where it was loaded before, or why it is refused.
    fn judge(
        &mut self,
        at: usize,
        review: &Review,
        contradicted: bool,
    ) -> Result<Option<Taken>, ReviewRefusal> {
        let packet = self.packets.get(&review.packet).ok_or(ReviewRefusal::UnknownPacket)?;
        let lead = self.leads.get(review.source_pk.as_str()).ok_or(ReviewRefusal::UnknownCase)?;
        let shown = self.cases.get(&(packet.id, lead.id)).ok_or(ReviewRefusal::UnknownCase)?;
        let former = self.former.entry(lead.id).or_default();
        let decision = decided(&review.decision);
        if let Some(same) = former.iter().find(|former| former.packet_id == packet.id) {
            if same.decision == decision && same.decided_by == review.decided_by {
                return Ok(None);
            }
            let twice = same.id.is_none();
            return Err(if twice { ReviewRefusal::Twice } else { ReviewRefusal::Decided });
        }
        if !self.reviewers.is_empty() && !self.reviewers.contains(&review.decided_by) {
            return Err(ReviewRefusal::NotAReviewer);
        }
        if packet.reviewer.as_ref().is_some_and(|name| *name != review.decided_by) {
            return Err(ReviewRefusal::OtherReviewer);
        }
        match lead.status {
            Some(1) => return Err(ReviewRefusal::Matched),
            // A claim takes its lead out of the backlog itself.
            Some(3) if packet.reviews_needed > 0 => return Err(ReviewRefusal::Withdrawn),
            _ => {}
        }
        if *shown != review.fingerprint {
            return Err(ReviewRefusal::Changed);
        }
        let person = review.decision.person().map(PersonKey::as_str);
        if person.is_some_and(|person| self.rejected.contains(&(lead.id, person.to_owned()))) {
            return Err(ReviewRefusal::Rejected);
        }
        let puts_off = matches!(review.decision, ReviewDecision::Later(_));
        let settles = |former: &Former| {
            former.id.is_none()
                && former.decision.until.is_none()
                && former.effect == Some(ReviewEffect::Applied)
        };
        if contradicted || !puts_off && former.iter().any(settles) {
            return Err(ReviewRefusal::Twice);
        }
        let mut taken = Taken {
            at,
            packet_id: packet.id,
            lead_id: lead.id,
            backlog_id: lead.backlog_id,
            fail_reason: lead.reason.clone(),
            effect: ReviewEffect::Applied,
            first: None,
        };
        if packet.reviews_needed > 1 && !puts_off {
            let first = former.iter().find(|former| {
                former.effect == Some(ReviewEffect::Waiting)
                    && former.fingerprint == review.fingerprint
            });
            match first {
                None => taken.effect = ReviewEffect::Waiting,
                // One person is not two.
                Some(first) if first.decided_by == review.decided_by => {
                    return Err(ReviewRefusal::Decided);
                }
                Some(first) => {
                    if first.decision != decision {
                        taken.effect = ReviewEffect::Disagreeing;
                    }
                    taken.first = Some((first.id, first.decided_by.clone()));
                }
            }
        }
        former.push(Former {
            id: None,
            packet_id: packet.id,
            decision,
            decided_by: review.decided_by.clone(),
            effect: Some(taken.effect),
            fingerprint: review.fingerprint.clone(),
        });
        Ok(Some(taken))
    }
}

impl Former {
    fn of(row: FormerRow) -> Self {
        Self {
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
}

/// Gives what two decisions are compared by.
fn decided(decision: &ReviewDecision) -> Decided {
    Decided {
        word: decision.word().to_owned(),
        person: decision.person().map(|person| person.as_str().to_owned()),
        until: decision.until().map(|until| until.timestamp_micros()),
        corrected: decision.corrected().map(str::to_owned),
    }
}

/// Judges every decision of a load, in its order.
pub(super) fn judge(
    db: &mut Database,
    names: &Names,
    load: &ReviewLoad,
) -> Result<Judged, StoreError> {
    let mut known = Known::read(db, names, load)?;
    let mut judged = Judged::default();
    let contradictions = known.contradictions(load);
    for (at, review) in load.reviews.iter().enumerate() {
        match known.judge(at, review, contradictions.contains(&at)) {
            Ok(Some(taken)) => judged.taken.push(taken),
            Ok(None) => judged.unchanged += 1,
            Err(refusal) => judged.refused.push((at, refusal)),
        }
    }
    Ok(judged)
}
