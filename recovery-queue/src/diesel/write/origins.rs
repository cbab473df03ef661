//! Identity origins: one per person, the first lead by creation time.

use crate::diesel::batch::settled::Context;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::model::error::StoreError;

const ORIGIN: &str = "the mending of identity origins";

/// Makes the origin of each person that `persons` selects the first of the person's linked leads.
///
/// A replaced origin goes to the history. A person without links loses the origin.
pub(crate) fn ensure(
    db: &mut Database,
    names: &Names,
    persons: &str,
    context: &Context,
) -> Result<(), StoreError> {
    let first = "SELECT l.id FROM {ns}queue_link k JOIN {ns}queue_lead l ON l.id = k.lead_id \
         WHERE k.person_id = p.id ORDER BY l.lead_at, l.id LIMIT 1";
    let wrong = format!("p.id IN ({persons}) AND p.origin_lead_id IS DISTINCT FROM ({first})");
    db.execute(
        &names.sql(&format!(
            "INSERT INTO {{ns}}queue_origin_history \
                 (person_id, lead_id, lead_at, since, run_id, ended_at, ended_run_id) \
             SELECT p.id, p.origin_lead_id, p.origin_lead_at, p.origin_since, p.origin_run_id, $1, $2 \
             FROM {{ns}}queue_person p WHERE p.origin_lead_id IS NOT NULL AND {wrong}"
        )),
        &[Param::Int(context.now), Param::OptInt(run(context))],
    )
    .map_err(failed(ORIGIN))?;
    db.execute(
        &names.sql(&format!(
            "UPDATE {{ns}}queue_person AS p SET origin_lead_id = ({first}), \
                 origin_lead_at = (SELECT l.lead_at FROM {{ns}}queue_lead l WHERE l.id = ({first})), \
                 origin_since = $1, origin_run_id = $2 WHERE {wrong}"
        )),
        &[Param::Int(context.now), Param::OptInt(run(context))],
    )
    .map_err(failed(ORIGIN))?;
    Ok(())
}

/// Writes ids of ours as a list for `IN`.
#[cfg(feature = "postgres")]
pub(crate) fn listed(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}

fn run(context: &Context) -> Option<i64> {
    (context.run_id > 0).then_some(context.run_id)
}

/// Persons that have links and no origin, or an origin that is not linked to the person.
pub(crate) const BROKEN: &str = "SELECT x.id FROM {ns}queue_person x LEFT JOIN {ns}queue_link y \
     ON y.lead_id = x.origin_lead_id AND y.person_id = x.id \
     WHERE y.lead_id IS NULL AND (x.origin_lead_id IS NOT NULL \
         OR EXISTS (SELECT 1 FROM {ns}queue_link z WHERE z.person_id = x.id))";

/// Mends every person that has links and no origin, or an origin that is not linked to the person.
pub(crate) fn mend(db: &mut Database, names: &Names, context: &Context) -> Result<(), StoreError> {
    ensure(db, names, BROKEN, context)
}
