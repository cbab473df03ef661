//! What is done with and old enough is removed.

use std::time::Duration;

use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::seed;
use crate::model::error::StoreError;
use crate::model::lead::{Pruned, Retention};
use crate::model::work::from_std;

const PRUNE: &str = "the removal of what is old";

/// Withdrawn leads that may go: not those that were cancelled, which stay out by being there, nor any that is linked.
const GONE: &str = "SELECT z.lead_id FROM {ns}queue_settled z WHERE z.status = 3 AND z.cancelled = 0 \
    AND z.settled_at <= $1 AND NOT EXISTS (SELECT 1 FROM {ns}queue_link y WHERE y.lead_id = z.lead_id)";

/// Removes what is older than it is to be kept, inside a transaction.
pub(crate) fn prune(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    retention: Retention,
) -> Result<Pruned, StoreError> {
    seed::lock(db, names)?;
    let now = now(db, clock)?;
    let mut remove = |age: Option<Duration>, sql: &str| -> Result<u64, StoreError> {
        let Some(age) = age else { return Ok(0) };
        let before = Param::Int(now.saturating_sub(from_std(age)));
        db.execute(&names.sql(sql), &[before]).map_err(failed(PRUNE))
    };
    let mut done = Pruned::default();
    for table in [
        "queue_link_history",
        "queue_origin_history",
        "queue_rejected_pair",
        "queue_review",
        "queue_review_case",
        "queue_wake_key",
        "queue_leak",
    ] {
        remove(
            retention.withdrawn,
            &format!("DELETE FROM {{ns}}{table} WHERE lead_id IN ({GONE})"),
        )?;
    }
    remove(
        retention.withdrawn,
        &format!("DELETE FROM {{ns}}queue_lead_action WHERE lead_id IN ({GONE})"),
    )?;
    done.leads =
        remove(retention.withdrawn, &format!("DELETE FROM {{ns}}queue_lead WHERE id IN ({GONE})"))?;
    remove(
        retention.withdrawn,
        &format!("DELETE FROM {{ns}}queue_settled WHERE lead_id IN ({GONE})"),
    )?;
    done.evidence = remove(
        retention.evidence,
        "UPDATE {ns}queue_link SET evidence = NULL WHERE evidence IS NOT NULL AND lead_id IN \
         (SELECT z.lead_id FROM {ns}queue_settled z WHERE z.status = 1 AND z.settled_at <= $1)",
    )?;
    for (table, ended) in [
        ("queue_link_history", "ended_at"),
        ("queue_origin_history", "ended_at"),
        ("queue_lead_action", "at"),
    ] {
        done.history +=
            remove(retention.history, &format!("DELETE FROM {{ns}}{table} WHERE {ended} <= $1"))?;
    }
    done.runs = remove(retention.runs, "DELETE FROM {ns}queue_run WHERE finished_at <= $1")?;
    Ok(done)
}
