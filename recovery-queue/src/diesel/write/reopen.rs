//! Leads that are tried again, and leads that are cancelled, by hand.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::tables::{
    is_pending_of_lead, queue_lead, queue_lead_action, queue_link, queue_parked, queue_pending,
    queue_run, queue_settled, queue_wake_key,
};
use crate::diesel::write::events::Events;
use crate::diesel::write::lead_rows::{self, PART, make_pending, remove};
use crate::diesel::write::seed;
use crate::model::error::StoreError;
use crate::model::key::SourcePk;
use crate::model::lead::{LeadActionKind, Reopen};
use crate::model::ledger::EventKind;
use crate::model::links::Decider;

const REOPEN: &str = "the reopening of leads";
const CANCEL: &str = "the cancelling of leads";

diesel::alias! {
    // What is settled, where the statement around it names that table too.
    const FAILED: Alias<Failed> = queue_settled as failed;
}

/// A lead that is not matched.
struct Known {
    id: i64,
    backlog_id: i64,
    status: Option<i64>,
    is_cancelled: bool,
    attempts: i64,
    reason: Option<String>,
}

/// Finds a lead that is not matched.
fn known(db: &mut Database, names: &Names, key: &SourcePk) -> Result<Known, StoreError> {
    type Row = (
        (i64, i64),
        Option<(i64, i64, i64, Option<String>)>,
        Option<i64>,
        Option<i64>,
        Option<i64>,
    );
    let found: Option<Row> = typed!(
        db,
        names,
        get_result,
        queue_lead::table
            .left_join(queue_settled::table.on(queue_settled::lead_id.eq(queue_lead::id)))
            .left_join(queue_link::table.on(queue_link::lead_id.eq(queue_lead::id)))
            .left_join(queue_parked::table.on(queue_parked::lead_id.eq(queue_lead::id)))
            .left_join(queue_pending::table.on(is_pending_of_lead!()))
            .filter(queue_lead::source_pk.eq(key.as_str()))
            .select((
                (queue_lead::id, queue_lead::backlog_id),
                (
                    queue_settled::status,
                    queue_settled::cancelled,
                    queue_settled::attempts,
                    queue_settled::reason,
                )
                    .nullable(),
                queue_link::lead_id.nullable(),
                queue_parked::attempts.nullable(),
                queue_pending::attempts.nullable(),
            ))
    )
    .optional()
    .map_err(failed(CANCEL))?;
    let Some(((id, backlog_id), settled, link, parked, pending)) = found else {
        return Err(StoreError::NotFound { what: "lead", key: key.to_string() });
    };
    let status = settled.as_ref().map(|row| row.0);
    if link.is_some() || status == Some(1) {
        return Err(conflict(key, "it is matched; undo its link instead"));
    }
    Ok(Known {
        id,
        backlog_id,
        status,
        is_cancelled: settled.as_ref().is_some_and(|row| row.1 != 0),
        attempts: settled.as_ref().map(|row| row.2).or(parked).or(pending).unwrap_or_default(),
        reason: settled.and_then(|row| row.3),
    })
}

fn conflict(key: &SourcePk, reason: &str) -> StoreError {
    StoreError::Conflict { key: key.to_string(), reason: reason.to_owned() }
}

/// Makes the settled leads that are selected pending, with their action and events; gives how many.
macro_rules! reopen {
    ($db:expr, $names:expr, $now:expr, $decider:expr, $leads:expr) => {{
        use queue_lead_action as action;
        let (db, names, now, decider) = (&mut *$db, $names, $now, $decider);
        let counted: Vec<(i64, i64, i64)> = typed!(
            db,
            names,
            load,
            queue_settled::table
                .filter(queue_settled::lead_id.eq_any($leads))
                .group_by((queue_settled::backlog_id, queue_settled::status))
                .order((queue_settled::backlog_id, queue_settled::status))
                .select((queue_settled::backlog_id, queue_settled::status, count_star()))
        )
        .map_err(failed(REOPEN))?;
        typed!(
            db,
            names,
            execute,
            queue_settled::table
                .filter(queue_settled::lead_id.eq_any($leads))
                .order(queue_settled::lead_id)
                .select((
                    queue_settled::lead_id,
                    LeadActionKind::Reopened.code().into_sql::<Text>(),
                    now.into_sql::<BigInt>(),
                    decider.by.into_sql::<Text>(),
                    decider.reason.into_sql::<Text>(),
                    queue_settled::reason,
                ))
                .insert_into(action::table)
                .into_columns((
                    action::lead_id,
                    action::kind,
                    action::at,
                    action::decided_by,
                    action::reason,
                    action::fail_reason,
                ))
        )
        .map_err(failed(REOPEN))?;
        make_pending!(db, names, now, $leads).map_err(failed(REOPEN))?;
        // What is settled goes last: it is what the leads are selected by.
        remove!(db, names, queue_wake_key.lead_id, $leads).map_err(failed(REOPEN))?;
        remove!(db, names, queue_settled.lead_id, $leads).map_err(failed(REOPEN))?;
        append(db, names, now, counted)
    }};
}

/// Appends the events of reopened leads, counted by backlog and status; gives how many leads they are.
fn append(
    db: &mut Database,
    names: &Names,
    now: i64,
    counted: Vec<(i64, i64, i64)>,
) -> Result<u64, StoreError> {
    let mut reopened = 0;
    for (backlog, status, leads) in counted {
        let leads = u64::try_from(leads).unwrap_or_default();
        let kind = if status == 2 { EventKind::Reopened } else { EventKind::Arrived };
        let mut events = Events::default();
        events.add(kind, None, leads);
        events.append(db, names, now, backlog, None)?;
        reopened += leads;
    }
    Ok(reopened)
}

/// Makes leads pending again, inside a transaction; gives how many.
pub(crate) fn reopen(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    leads: &Reopen<'_>,
    decider: Decider<'_>,
) -> Result<u64, StoreError> {
    decider.check()?;
    seed::lock(db, names)?;
    let now = now(db, clock)?;
    match leads {
        Reopen::Keys(keys) => {
            let mut ids = Vec::new();
            for key in *keys {
                let found = known(db, names, key)?;
                match found.status {
                    Some(3) if !found.is_cancelled => {
                        return Err(conflict(key, "it has left its backlog"));
                    }
                    None => {}
                    Some(_) => ids.push(found.id),
                }
            }
            let mut reopened = 0;
            for part in ids.chunks(PART) {
                reopened += reopen!(db, names, now, decider, part)?;
            }
            Ok(reopened)
        }
        Reopen::Reason(reason) => {
            let failed_so = || {
                FAILED
                    .filter(FAILED.field(queue_settled::status).eq(2))
                    .filter(FAILED.field(queue_settled::reason).eq(reason.code()))
                    .select(FAILED.field(queue_settled::lead_id))
            };
            reopen!(db, names, now, decider, failed_so())
        }
        Reopen::OtherPolicyThan(policy) => {
            let other = || {
                let other = queue_run::policy.ne(*policy).or(queue_run::policy.is_null());
                let run = FAILED.field(queue_settled::run_id).eq(queue_run::id.nullable());
                FAILED
                    .left_join(queue_run::table.on(run))
                    .filter(FAILED.field(queue_settled::status).eq(2))
                    .filter(other)
                    .select(FAILED.field(queue_settled::lead_id))
            };
            reopen!(db, names, now, decider, other())
        }
    }
}

/// Takes leads out of the work, inside a transaction; gives how many.
pub(crate) fn cancel(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    keys: &[SourcePk],
    decider: Decider<'_>,
) -> Result<u64, StoreError> {
    decider.check()?;
    seed::lock(db, names)?;
    let now = now(db, clock)?;
    let mut cancelled = 0;
    for key in keys {
        let found = known(db, names, key)?;
        if found.is_cancelled {
            continue;
        }
        let taken = lead_rows::take(db, names, &[found.id]).map_err(failed(CANCEL))?;
        // A worker may have matched it while the row was waited for.
        known(db, names, key)?;
        let action = (found.id, LeadActionKind::Cancelled, found.reason.as_deref());
        lead_rows::record_action(db, names, now, action, decider).map_err(failed(CANCEL))?;
        let row = (
            queue_settled::lead_id.eq(found.id),
            queue_settled::backlog_id.eq(found.backlog_id),
            queue_settled::status.eq(3),
            queue_settled::attempts.eq(found.attempts),
            queue_settled::settled_at.eq(now),
            queue_settled::cancelled.eq(1),
        );
        typed!(db, names, execute, diesel::insert_into(queue_settled::table).values(row))
            .map_err(failed(CANCEL))?;
        if taken.open > 0 {
            let mut events = Events::default();
            events.add(EventKind::Withdrawn, None, 1);
            events.append(db, names, now, found.backlog_id, None)?;
        }
        cancelled += 1;
    }
    Ok(cancelled)
}
