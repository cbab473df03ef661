//! A lead as it is claimed, and what is written of it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::model::cursor::Position;
use crate::model::resolver::FailReason;

pub(crate) const BATCH: &str = "the batch";

/// A lead as claimed.
#[derive(QueryableByName)]
pub(crate) struct Claim {
    #[diesel(sql_type = BigInt)]
    pub(crate) priority: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) lead_at: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) lead_id: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) attempts: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) since: i64,
    #[diesel(sql_type = Text)]
    pub(crate) source_pk: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) lead_version: Option<String>,
    /// The person that the lead is linked to already.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) person_id: Option<i64>,
}

impl Claim {
    pub(crate) fn position(&self) -> Position {
        Position { priority: self.priority, lead_at: self.lead_at, lead_id: self.lead_id }
    }
}

/// What is written of one lead.
pub(crate) enum Verdict {
    Matched {
        person_key: String,
        rule: String,
        confidence: String,
        evidence: Option<String>,
    },
    AlreadyLinked,
    Failed {
        reason: FailReason,
        evidence: Option<String>,
        wake_keys: Vec<String>,
    },
    Retry {
        not_before: i64,
        message: String,
    },
    /// The lead has left its backlog since it was claimed.
    Withdrawn,
}

/// A lead and what is written of it.
pub(crate) struct Settled {
    pub(crate) claim: Claim,
    pub(crate) attempts: i64,
    pub(crate) verdict: Verdict,
}

/// Where and when a batch is written.
pub(crate) struct Context {
    pub(crate) backlog_id: i64,
    pub(crate) run_id: i64,
    pub(crate) now: i64,
}

/// Writes numbers of ours as rows of `VALUES`.
pub(crate) fn rows<const N: usize>(claims: &[Claim], row: impl Fn(&Claim) -> [i64; N]) -> String {
    let row = |claim| format!("({})", row(claim).map(|number| number.to_string()).join(", "));
    claims.iter().map(row).collect::<Vec<_>>().join(", ")
}
