//! The rows that a snapshot reads.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

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
    #[diesel(sql_type = Text)]
    pub(crate) person_key: String,
    #[diesel(sql_type = Text)]
    pub(crate) rule: String,
    #[diesel(sql_type = Text)]
    pub(crate) confidence: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) decided_by: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) run_id: Option<i64>,
    #[diesel(sql_type = BigInt)]
    pub(crate) linked_at: i64,
}

#[derive(QueryableByName)]
pub(crate) struct OriginRecord {
    #[diesel(sql_type = Text)]
    pub(crate) person_key: String,
    #[diesel(sql_type = Text)]
    pub(crate) source_pk: String,
    #[diesel(sql_type = BigInt)]
    pub(crate) lead_at: i64,
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
