//! What is done with and old enough is removed.

use std::time::Duration;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::tables::{
    queue_lead, queue_lead_action, queue_leak, queue_link, queue_link_history,
    queue_origin_history, queue_rejected_pair, queue_review, queue_review_case, queue_run,
    queue_settled, queue_wake_key,
};
use crate::diesel::write::lead_rows::remove;
use crate::diesel::write::seed;
use crate::model::error::StoreError;
use crate::model::lead::{Pruned, Retention};
use crate::model::work::from_std;

const PRUNE: &str = "the removal of what is old";

diesel::alias! {
    const SETTLED: Alias<Settled> = queue_settled as settled;
    const LINK: Alias<Link> = queue_link as link;
}

/// Removes what is older than it is to be kept, inside a transaction.
pub(crate) fn prune(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    retention: Retention,
) -> Result<Pruned, StoreError> {
    seed::lock(db, names)?;
    let now = now(db, clock)?;
    let before = |age: Duration| now.saturating_sub(from_std(age));
    prune_before(db, names, retention, before).map_err(failed(PRUNE))
}

fn prune_before(
    db: &mut Database,
    names: &Names,
    retention: Retention,
    before: impl Fn(Duration) -> i64,
) -> QueryResult<Pruned> {
    let mut done = Pruned::default();
    if let Some(before) = retention.withdrawn.map(&before) {
        done.leads = prune_withdrawn(db, names, before)?;
    }
    if let Some(before) = retention.evidence.map(&before) {
        let matched = SETTLED
            .filter(SETTLED.field(queue_settled::status).eq(1))
            .filter(SETTLED.field(queue_settled::settled_at).le(before))
            .select(SETTLED.field(queue_settled::lead_id));
        let links = queue_link::table
            .filter(queue_link::evidence.is_not_null())
            .filter(queue_link::lead_id.eq_any(matched));
        let nothing = queue_link::evidence.eq(None::<String>);
        done.evidence = typed!(db, names, execute, diesel::update(links).set(nothing))? as u64;
    }
    if let Some(before) = retention.history.map(&before) {
        let links = queue_link_history::table.filter(queue_link_history::ended_at.le(before));
        let origins = queue_origin_history::table.filter(queue_origin_history::ended_at.le(before));
        let actions = queue_lead_action::table.filter(queue_lead_action::at.le(before));
        done.history = typed!(db, names, execute, diesel::delete(links))? as u64;
        done.history += typed!(db, names, execute, diesel::delete(origins))? as u64;
        done.history += typed!(db, names, execute, diesel::delete(actions))? as u64;
    }
    if let Some(before) = retention.runs.map(&before) {
        let runs = queue_run::table.filter(queue_run::finished_at.le(before));
        done.runs = typed!(db, names, execute, diesel::delete(runs))? as u64;
    }
    Ok(done)
}

/// Removes the leads that were withdrawn; gives how many.
///
/// Not those that were cancelled, which stay out by being there, nor any that is linked.
fn prune_withdrawn(db: &mut Database, names: &Names, before: i64) -> QueryResult<u64> {
    let gone = || {
        let of_lead = LINK.field(queue_link::lead_id).eq(SETTLED.field(queue_settled::lead_id));
        SETTLED
            .filter(SETTLED.field(queue_settled::status).eq(3))
            .filter(SETTLED.field(queue_settled::cancelled).eq(0))
            .filter(SETTLED.field(queue_settled::settled_at).le(before))
            .filter(not(exists(LINK.filter(of_lead))))
            .select(SETTLED.field(queue_settled::lead_id))
    };
    remove!(db, names, queue_link_history.lead_id, gone())?;
    remove!(db, names, queue_origin_history.lead_id, gone())?;
    remove!(db, names, queue_rejected_pair.lead_id, gone())?;
    remove!(db, names, queue_review.lead_id, gone())?;
    remove!(db, names, queue_review_case.lead_id, gone())?;
    remove!(db, names, queue_wake_key.lead_id, gone())?;
    remove!(db, names, queue_leak.lead_id, gone())?;
    remove!(db, names, queue_lead_action.lead_id, gone())?;
    let leads = remove!(db, names, queue_lead.id, gone())?;
    // What is settled goes last: it is what the leads are selected by.
    remove!(db, names, queue_settled.lead_id, gone())?;
    Ok(leads as u64)
}
