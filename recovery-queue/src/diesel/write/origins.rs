//! Identity origins: one per person, the first lead by creation time.

use diesel::prelude::*;

use crate::diesel::batch::settled::Context;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::tables::queue_missing_origin;
use crate::model::error::StoreError;

const ORIGIN: &str = "the mending of identity origins";

/// Persons per statement.
const PERSONS: usize = 1000;

/// Makes the origin of each person that `persons` selects the first of the person's linked leads.
///
/// A replaced origin goes to the history. A person without links loses the origin.
///
/// On PostgreSQL the persons are locked by a statement of its own, as every batch locks those that it links: what is read
/// next sees the links of whoever was waited for, and whoever waits sees the new origin.
pub(crate) fn ensure(
    db: &mut Database,
    names: &Names,
    persons: &str,
    context: &Context,
) -> Result<(), StoreError> {
    if !db.is_sqlite() {
        let sql = format!(
            "SELECT count(*) AS value FROM (SELECT 1 FROM {{ns}}queue_person p WHERE p.id IN ({persons}) \
             ORDER BY p.id FOR UPDATE) held"
        );
        db.int(&names.sql(&sql), &[]).map_err(failed(ORIGIN))?;
    }
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

/// Mends every person that has links and no origin; reads those without one alone.
pub(crate) fn mend_missing(
    db: &mut Database,
    names: &Names,
    context: &Context,
) -> Result<(), StoreError> {
    let missing = queue_missing_origin::table.select(queue_missing_origin::person_id);
    let persons: Vec<i64> = typed!(db, names, load, missing).map_err(failed(ORIGIN))?;
    for part in persons.chunks(PERSONS) {
        ensure(db, names, &listed(part), context)?;
    }
    Ok(())
}
