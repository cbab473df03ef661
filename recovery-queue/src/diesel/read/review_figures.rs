//! The figures of the review, counted by the database: no case and no decision is read one by one.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::diesel::conn::database::{Database, IntRow, Param, Row, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::records::{age_bucket, time};
use crate::model::age::AgeBucket;
use crate::model::error::StoreError;
use crate::model::resolver::FailReason;
use crate::model::review::ReviewEffect;
use crate::model::review::agreement::ReviewerAgreement;
use crate::model::review::figures::{DAYS, PacketOut, ReviewFigures, WaitingCases};

const READ: &str = "the figures of the review";

/// Cases that somebody was asked about, that are open and were not decided in their packet.
const UNDECIDED: &str = "FROM {ns}queue_review_packet p JOIN {ns}queue_review_case c ON c.packet_id = p.id \
     JOIN {ns}queue_lead l ON l.id = c.lead_id LEFT JOIN {ns}queue_settled s ON s.lead_id = c.lead_id \
     WHERE p.reviews_needed > 0 AND COALESCE(s.status, 0) IN (0, 2) AND NOT EXISTS (SELECT 1 FROM {ns}queue_review r \
         JOIN {ns}queue_review_load o ON o.id = r.load_id AND o.undone_at IS NULL \
         WHERE r.lead_id = c.lead_id AND r.packet_id = c.packet_id)";

/// Decisions that somebody was asked for and that were not undone.
const DECIDED: &str = "FROM {ns}queue_review r \
     JOIN {ns}queue_review_load o ON o.id = r.load_id AND o.undone_at IS NULL \
     JOIN {ns}queue_review_packet p ON p.id = r.packet_id AND p.reviews_needed > 0";

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    leads: i64,
}

#[derive(QueryableByName)]
struct Out {
    #[diesel(sql_type = Text)]
    packet: String,
    #[diesel(sql_type = Nullable<Text>)]
    reviewer: Option<String>,
    #[diesel(sql_type = BigInt)]
    issued_at: i64,
    #[diesel(sql_type = BigInt)]
    undecided: i64,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
    #[diesel(sql_type = BigInt)]
    cases: i64,
}

#[derive(QueryableByName)]
struct PairRow {
    #[diesel(sql_type = Text)]
    first: String,
    #[diesel(sql_type = Text)]
    second: String,
    #[diesel(sql_type = BigInt)]
    cases: i64,
}

struct Reader<'a, 'c> {
    db: &'a mut Database<'c>,
    names: &'a Names,
}

impl Reader<'_, '_> {
    fn query<T: Row>(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<T>, StoreError> {
        self.db.query(&self.names.sql(sql), params).map_err(failed(READ))
    }

    fn count(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let rows: Vec<IntRow> = self.query(sql, params)?;
        Ok(rows.first().map_or(0, |row| row.value.unsigned_abs()))
    }

    fn waiting(&mut self, now: i64) -> Result<Vec<WaitingCases>, StoreError> {
        let rows: Vec<Waiting> = self.query(
            &format!(
                "SELECT x.reason, {} AS bucket, count(*) AS leads \
                 FROM (SELECT DISTINCT c.lead_id, s.reason, $1 - l.lead_at AS age {UNDECIDED}) x GROUP BY 1, 2",
                age_bucket("x.age")
            ),
            &[Param::Int(now)],
        )?;
        let mut by_reason: BTreeMap<Option<FailReason>, Vec<&Waiting>> = BTreeMap::new();
        for row in &rows {
            let reason = row.reason.as_deref().map(FailReason::stored);
            by_reason.entry(reason).or_default().push(row);
        }
        let waiting = by_reason.into_iter().map(|(reason, rows)| WaitingCases {
            reason,
            ageing: AgeBucket::all(|at| {
                let own = rows.iter().filter(|row| usize::try_from(row.bucket) == Ok(at));
                own.map(|row| row.leads.unsigned_abs()).sum()
            }),
        });
        Ok(waiting.collect())
    }

    fn out(&mut self) -> Result<Vec<PacketOut>, StoreError> {
        let rows: Vec<Out> = self.query(
            &format!(
                "SELECT p.packet, p.reviewer, p.issued_at, count(*) AS undecided {UNDECIDED} \
                 GROUP BY p.id, p.packet, p.reviewer, p.issued_at"
            ),
            &[],
        )?;
        let out = rows.into_iter().map(|row| PacketOut {
            packet: row.packet,
            reviewer: row.reviewer,
            issued_at: time(row.issued_at),
            undecided: row.undecided.unsigned_abs(),
        });
        let mut out: Vec<PacketOut> = out.collect();
        // Sorted here: no collation of a server changes the order.
        out.sort_by(|a, b| (a.issued_at, &a.packet).cmp(&(b.issued_at, &b.packet)));
        Ok(out)
    }

    /// The median time to a decision, of so many decisions.
    fn median(&mut self, decided: u64) -> Result<Option<i64>, StoreError> {
        let Some(last) = decided.checked_sub(1) else { return Ok(None) };
        let (at, rows) = (last / 2, 1 + last % 2);
        let sql = format!(
            "SELECT CASE WHEN r.decided_at > p.issued_at THEN (r.decided_at - p.issued_at) / 1000000 ELSE 0 END AS value \
             {DECIDED} ORDER BY 1 LIMIT {rows} OFFSET {at}"
        );
        let rows: Vec<IntRow> = self.query(&sql, &[])?;
        Ok(match rows.as_slice() {
            [one] => Some(one.value),
            [one, other] => Some(i64::midpoint(one.value, other.value)),
            _ => None,
        })
    }

    fn agreement(&mut self) -> Result<Option<ReviewerAgreement>, StoreError> {
        let rows: Vec<PairRow> = self.query(
            &format!(
                "WITH q AS (SELECT r.id, r.lead_id, r.decision, r.person_id {DECIDED} WHERE p.reviews_needed > 1), \
                 f AS (SELECT lead_id, min(id) AS id FROM q GROUP BY lead_id), \
                 s AS (SELECT q.lead_id, min(q.id) AS id FROM q JOIN f ON f.lead_id = q.lead_id AND q.id > f.id \
                     GROUP BY q.lead_id) \
                 SELECT a.decision AS first, CASE WHEN a.decision = b.decision \
                         AND a.person_id IS DISTINCT FROM b.person_id THEN $1 ELSE b.decision END AS second, \
                     count(*) AS cases \
                 FROM f JOIN s ON s.lead_id = f.lead_id JOIN {{ns}}queue_review a ON a.id = f.id \
                 JOIN {{ns}}queue_review b ON b.id = s.id GROUP BY 1, 2"
            ),
            &[Param::Text(ReviewFigures::ANOTHER)],
        )?;
        Ok(ReviewerAgreement::counted(
            rows.iter()
                .map(|row| ((row.first.as_str(), row.second.as_str()), row.cases.unsigned_abs())),
        ))
    }
}

/// Counts the figures as of an instant.
pub(crate) fn read(
    db: &mut Database,
    names: &Names,
    as_of: DateTime<Utc>,
) -> Result<ReviewFigures, StoreError> {
    let mut reader = Reader { db, names };
    let now = as_of.timestamp_micros();
    let since = (as_of - TimeDelta::days(DAYS)).timestamp_micros();
    let words: Vec<Word> = reader.query(
        &format!("SELECT r.decision AS word, count(*) AS cases {DECIDED} GROUP BY r.decision"),
        &[],
    )?;
    let decisions: BTreeMap<String, u64> =
        words.into_iter().map(|row| (row.word, row.cases.unsigned_abs())).collect();
    let decided = decisions.values().sum();
    let recent = format!("SELECT count(*) AS value {DECIDED} WHERE r.decided_at > $1");
    let recent = reader.count(&recent, &[Param::Int(since)])?;
    let effect = format!("SELECT count(DISTINCT r.lead_id) AS value {DECIDED} WHERE r.effect = $1");
    let waiting_for_second = reader.count(&effect, &[Param::Text(ReviewEffect::Waiting.code())])?;
    let disagreeing = format!(
        "{effect} AND NOT EXISTS (SELECT 1 FROM {{ns}}queue_review x JOIN {{ns}}queue_review_load u \
             ON u.id = x.load_id AND u.undone_at IS NULL WHERE x.lead_id = r.lead_id AND x.effect = $2)"
    );
    let words = [ReviewEffect::Disagreeing, ReviewEffect::Applied];
    let disagreeing = reader.count(&disagreeing, &words.map(|of| Param::Text(of.code())))?;
    let put_off = format!(
        "SELECT count(*) AS value {DECIDED} WHERE r.comes_back_at > $1 AND NOT EXISTS ( \
             SELECT 1 FROM {{ns}}queue_review x JOIN {{ns}}queue_review_load u \
             ON u.id = x.load_id AND u.undone_at IS NULL WHERE x.lead_id = r.lead_id AND x.id > r.id)"
    );
    let put_off = reader.count(&put_off, &[Param::Int(now)])?;
    let queue = reader.waiting(now)?;
    Ok(ReviewFigures {
        as_of,
        waiting: queue.iter().map(WaitingCases::leads).sum(),
        queue,
        waiting_for_second,
        disagreeing,
        put_off,
        decided_per_day: recent as f64 / DAYS as f64,
        median_seconds_to_decision: reader.median(decided)?,
        decisions,
        agreement: reader.agreement()?,
        out: reader.out()?,
    })
}
