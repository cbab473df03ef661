//! The rows that a snapshot reads.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::model::age::AGE_BOUNDS;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::rows::{LinkRow, OriginRow};

/// Gives the instant of a stored time.
pub(crate) fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

impl LinkRecord {
    /// Gives the link; nothing for a lead of a page that has none.
    pub(crate) fn into_row(self) -> Option<LinkRow> {
        Some(LinkRow {
            source_pk: SourcePk::stored(self.source_pk),
            person_key: PersonKey::stored(self.person_key?),
            rule: self.rule?,
            confidence: self.confidence?,
            decided_by: self.decided_by,
            run_id: self.run_id.map(RunId),
            linked_at: time(self.linked_at?),
        })
    }
}

impl OriginRecord {
    /// Gives the origin; nothing for a person of a page who has none.
    pub(crate) fn into_row(self) -> Option<OriginRow> {
        Some(OriginRow {
            person_key: PersonKey::stored(self.person_key),
            source_pk: SourcePk::stored(self.source_pk?),
            lead_at: time(self.lead_at?),
            since: time(self.since),
        })
    }
}

#[derive(QueryableByName)]
pub(crate) struct QueueRecord {
    #[diesel(sql_type = Text)]
    pub(crate) source_pk: String,
    #[diesel(sql_type = Text)]
    pub(crate) backlog: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) status: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) person_key: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub(crate) attempts: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) lead_at: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) first_seen_at: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) since: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) not_before: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) run_id: Option<i64>,
}

#[derive(QueryableByName)]
pub(crate) struct LinkRecord {
    #[diesel(sql_type = Text)]
    pub(crate) source_pk: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) person_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) rule: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) confidence: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) decided_by: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) run_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) linked_at: Option<i64>,
}

#[derive(QueryableByName)]
pub(crate) struct OriginRecord {
    #[diesel(sql_type = Text)]
    pub(crate) person_key: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) source_pk: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) lead_at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub(crate) since: i64,
}

#[derive(QueryableByName)]
pub(crate) struct SlotRecord {
    #[diesel(sql_type = BigInt)]
    pub(crate) slot: i64,
    #[diesel(sql_type = Text)]
    pub(crate) kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) reason: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub(crate) leads: i64,
}

#[derive(QueryableByName)]
pub(crate) struct Aged {
    #[diesel(sql_type = BigInt)]
    pub(crate) bucket: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) leads: i64,
}

#[derive(QueryableByName)]
pub(crate) struct Counted {
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) leads: i64,
}

/// Writes the number of the bucket of [`AGE_BOUNDS`] into which an age in microseconds falls; a lead from the future is new.
pub(crate) fn age_bucket(age: &str) -> String {
    const DAY_MICROS: i64 = 86_400_000_000;
    let bounds = AGE_BOUNDS.iter().enumerate().rev();
    let cases: Vec<String> = bounds
        .map(|(bucket, days)| {
            format!("WHEN {age} >= {} THEN {bucket}", DAY_MICROS * i64::from(*days))
        })
        .collect();
    format!("CAST(CASE {} ELSE 0 END AS BIGINT)", cases.join(" "))
}
