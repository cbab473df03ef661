//! The rows that a snapshot reads.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

#[derive(QueryableByName)]
pub(super) struct QueueRecord {
    #[diesel(sql_type = Text)]
    pub(super) source_pk: String,
    #[diesel(sql_type = Text)]
    pub(super) backlog: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) status: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) person_key: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub(super) attempts: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) lead_at: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) first_seen_at: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) since: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) not_before: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) run_id: Option<i64>,
}

#[derive(QueryableByName)]
pub(super) struct LinkRecord {
    #[diesel(sql_type = Text)]
    pub(super) source_pk: String,
    #[diesel(sql_type = Text)]
    pub(super) person_key: String,
    #[diesel(sql_type = Text)]
    pub(super) rule: String,
    #[diesel(sql_type = Text)]
    pub(super) confidence: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) decided_by: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) run_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub(super) linked_at: i64,
}

#[derive(QueryableByName)]
pub(super) struct OriginRecord {
    #[diesel(sql_type = Text)]
    pub(super) person_key: String,
    #[diesel(sql_type = Text)]
    pub(super) source_pk: String,
    #[diesel(sql_type = BigInt)]
    pub(super) lead_at: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) since: i64,
}

#[derive(QueryableByName)]
pub(super) struct SlotRecord {
    #[diesel(sql_type = BigInt)]
    pub(super) slot: i64,
    #[diesel(sql_type = Text)]
    pub(super) kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) reason: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub(super) leads: i64,
}

#[derive(QueryableByName)]
pub(super) struct Aged {
    #[diesel(sql_type = BigInt)]
    pub(super) bucket: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) leads: i64,
}

#[derive(QueryableByName)]
pub(super) struct Counted {
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = BigInt)]
    pub(super) leads: i64,
}
