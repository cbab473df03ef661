//! Pairs of leads and persons that somebody has rejected.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::diesel::batch::settled::Claim;
use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::read::records::time;
use crate::diesel::tables::{queue_lead, queue_person, queue_rejected_pair};
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

/// Lists the pairs of one lead, or all.
pub(crate) fn list(
    db: &mut Database,
    names: &Names,
    lead: Option<&SourcePk>,
) -> Result<Vec<RejectedPair>, StoreError> {
    use queue_rejected_pair as pair;
    type Row = (String, String, i64, String, String, Option<String>, Option<String>);
    let pairs = pair::table
        .inner_join(queue_lead::table.on(queue_lead::id.eq(pair::lead_id)))
        .inner_join(queue_person::table.on(queue_person::id.eq(pair::person_id)))
        .order((queue_lead::source_pk, queue_person::person_key))
        .select((
            queue_lead::source_pk,
            queue_person::person_key,
            pair::rejected_at,
            pair::rejected_by,
            pair::comment,
            pair::lead_version,
            queue_lead::lead_version,
        ));
    let rows: Vec<Row> = match lead {
        None => typed!(db, names, load, pairs),
        Some(lead) => {
            typed!(db, names, load, pairs.filter(queue_lead::source_pk.eq(lead.as_str())))
        }
    }
    .map_err(failed(READ))?;
    let pair = |(lead, person, at, by, comment, then, now): Row| RejectedPair {
        source_pk: SourcePk::stored(lead),
        person_key: PersonKey::stored(person),
        rejected_at: time(at),
        rejected_by: by,
        comment,
        holds: then == now,
    };
    Ok(rows.into_iter().map(pair).collect())
}
