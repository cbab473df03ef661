//! Pairs of leads and persons that somebody has rejected.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::diesel::batch::settled::Claim;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::records::time;
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::links::RejectedPair;

const READ: &str = "the look at rejected pairs";

#[derive(QueryableByName)]
struct OfLead {
    #[diesel(sql_type = BigInt)]
    lead_id: i64,
    #[diesel(sql_type = Text)]
    person_key: String,
}

/// The persons who are rejected for the leads of a batch, by lead.
pub(crate) type Rejected = BTreeMap<i64, Vec<PersonKey>>;

/// Reads the pairs that hold for claimed leads; where there is none at all, one look tells.
pub(crate) fn of_claims(
    db: &mut Database,
    names: &Names,
    claims: &[Claim],
) -> Result<Rejected, StoreError> {
    let any = "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM {ns}queue_rejected_pair) THEN 1 ELSE 0 END AS BIGINT) \
         AS value";
    if claims.is_empty() || db.int_prepared(&names.sql(any)).map_err(failed(READ))? == 0 {
        return Ok(Rejected::new());
    }
    let leads = claims.iter().map(|claim| claim.lead_id.to_string()).collect::<Vec<_>>().join(", ");
    // CROSS JOIN keeps the order of the tables on SQLite.
    let sql = format!(
        "SELECT r.lead_id, p.person_key FROM {{ns}}queue_rejected_pair r CROSS JOIN {{ns}}queue_lead l \
         CROSS JOIN {{ns}}queue_person p WHERE r.lead_id IN ({leads}) AND l.id = r.lead_id \
           AND p.id = r.person_id AND l.lead_version IS NOT DISTINCT FROM r.lead_version"
    );
    let rows: Vec<OfLead> = db.query(&names.sql(&sql), &[]).map_err(failed(READ))?;
    let mut rejected = Rejected::new();
    for row in rows {
        rejected.entry(row.lead_id).or_default().push(PersonKey::stored(row.person_key));
    }
    Ok(rejected)
}

#[derive(QueryableByName)]
struct PairRow {
    #[diesel(sql_type = Text)]
    source_pk: String,
    #[diesel(sql_type = Text)]
    person_key: String,
    #[diesel(sql_type = BigInt)]
    rejected_at: i64,
    #[diesel(sql_type = Text)]
    rejected_by: String,
    #[diesel(sql_type = Text)]
    comment: String,
    #[diesel(sql_type = BigInt)]
    holds: i64,
}

/// Lists the pairs of one lead, or all.
pub(crate) fn list(
    db: &mut Database,
    names: &Names,
    lead: Option<&SourcePk>,
) -> Result<Vec<RejectedPair>, StoreError> {
    let sql = "SELECT l.source_pk, p.person_key, r.rejected_at, r.rejected_by, r.comment, \
             CAST(CASE WHEN l.lead_version IS NOT DISTINCT FROM r.lead_version THEN 1 ELSE 0 END AS BIGINT) AS holds \
         FROM {ns}queue_rejected_pair r JOIN {ns}queue_lead l ON l.id = r.lead_id \
         JOIN {ns}queue_person p ON p.id = r.person_id \
         WHERE COALESCE($1, l.source_pk) = l.source_pk ORDER BY l.source_pk, p.person_key";
    let params = [Param::OptText(lead.map(SourcePk::as_str))];
    let rows: Vec<PairRow> = db.query(&names.sql(sql), &params).map_err(failed(READ))?;
    let pair = |row: PairRow| RejectedPair {
        source_pk: SourcePk::stored(row.source_pk),
        person_key: PersonKey::stored(row.person_key),
        rejected_at: time(row.rejected_at),
        rejected_by: row.rejected_by,
        comment: row.comment,
        holds: row.holds != 0,
    };
    Ok(rows.into_iter().map(pair).collect())
}
