//! Leads that are tried again, and leads that are cancelled, by hand.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::write::events::Events;
use crate::diesel::write::seed;
use crate::model::error::StoreError;
use crate::model::key::SourcePk;
use crate::model::lead::{LeadActionKind, Reopen};
use crate::model::ledger::EventKind;
use crate::model::links::Decider;

const REOPEN: &str = "the reopening of leads";
const CANCEL: &str = "the cancelling of leads";

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    backlog_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    status: Option<i64>,
    #[diesel(sql_type = BigInt)]
    cancelled: i64,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
}

/// Finds a lead that is not matched.
fn known(db: &mut Database, names: &Names, key: &SourcePk) -> Result<Known, StoreError> {
    let sql = names.sql(
        "SELECT l.id, l.backlog_id, CASE WHEN k.lead_id IS NULL THEN s.status ELSE 1 END AS status, \
             COALESCE(s.cancelled, 0) AS cancelled, \
             COALESCE(s.attempts, q.attempts, p.attempts, 0) AS attempts, s.reason \
         FROM {ns}queue_lead l LEFT JOIN {ns}queue_settled s ON s.lead_id = l.id \
         LEFT JOIN {ns}queue_link k ON k.lead_id = l.id \
         LEFT JOIN {ns}queue_parked q ON q.lead_id = l.id \
         LEFT JOIN {ns}queue_pending p ON p.backlog_id = l.backlog_id AND p.priority = l.priority \
             AND p.lead_at = l.lead_at AND p.lead_id = l.id WHERE l.source_pk = $1",
    );
    let rows: Vec<Known> = db.query(&sql, &[Param::Text(key.as_str())]).map_err(failed(CANCEL))?;
    let Some(found) = rows.into_iter().next() else {
        return Err(StoreError::NotFound { what: "lead", key: key.to_string() });
    };
    if found.status == Some(1) {
        return Err(conflict(key, "it is matched; undo its link instead"));
    }
    Ok(found)
}

fn conflict(key: &SourcePk, reason: &str) -> StoreError {
    StoreError::Conflict { key: key.to_string(), reason: reason.to_owned() }
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    backlog_id: i64,
    #[diesel(sql_type = BigInt)]
    status: i64,
    #[diesel(sql_type = BigInt)]
    leads: i64,
}

/// Which settled leads are reopened: a query whose one bind is the number that it is given.
struct Which<'a> {
    query: Box<dyn Fn(usize) -> String + 'a>,
    bind: Option<Param<'a>>,
}

impl<'a> Which<'a> {
    /// Gives the binds of a statement: those before the query's, then the query's.
    fn binds<'b>(&self, before: &[Param<'b>]) -> Vec<Param<'b>>
    where
        'a: 'b,
    {
        before.iter().copied().chain(self.bind).collect()
    }
}

/// Makes the selected leads pending, with their action and events; gives how many.
fn reopen_which(
    db: &mut Database,
    names: &Names,
    now: i64,
    which: &Which<'_>,
    decider: Decider<'_>,
) -> Result<u64, StoreError> {
    let sql = format!(
        "SELECT backlog_id, status, count(*) AS leads FROM {{ns}}queue_settled \
         WHERE lead_id IN ({}) GROUP BY backlog_id, status ORDER BY backlog_id, status",
        (which.query)(1)
    );
    let counted: Vec<Counted> =
        db.query(&names.sql(&sql), &which.binds(&[])).map_err(failed(REOPEN))?;
    let sql = format!(
        "INSERT INTO {{ns}}queue_lead_action (lead_id, kind, at, decided_by, reason, fail_reason) \
         SELECT lead_id, $1, $2, $3, $4, reason FROM {{ns}}queue_settled WHERE lead_id IN ({}) \
         ORDER BY lead_id",
        (which.query)(5)
    );
    let action = [
        Param::Text(LeadActionKind::Reopened.code()),
        Param::Int(now),
        Param::Text(decider.by),
        Param::Text(decider.reason),
    ];
    db.execute(&names.sql(&sql), &which.binds(&action)).map_err(failed(REOPEN))?;
    let sql = format!(
        "INSERT INTO {{ns}}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
         SELECT backlog_id, priority, lead_at, id, 0, $1 FROM {{ns}}queue_lead WHERE id IN ({}) \
         ORDER BY backlog_id, priority, lead_at, id",
        (which.query)(2)
    );
    db.execute(&names.sql(&sql), &which.binds(&[Param::Int(now)])).map_err(failed(REOPEN))?;
    // What is settled goes last: it is what the leads are selected by.
    for table in ["queue_wake_key", "queue_settled"] {
        let sql = format!("DELETE FROM {{ns}}{table} WHERE lead_id IN ({})", (which.query)(1));
        db.execute(&names.sql(&sql), &which.binds(&[])).map_err(failed(REOPEN))?;
    }
    let mut reopened = 0;
    for row in counted {
        let leads = u64::try_from(row.leads).unwrap_or_default();
        let kind = if row.status == 2 { EventKind::Reopened } else { EventKind::Arrived };
        let mut events = Events::default();
        events.add(kind, None, leads);
        events.append(db, names, now, row.backlog_id, None)?;
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
                    Some(3) if found.cancelled == 0 => {
                        return Err(conflict(key, "it has left its backlog"));
                    }
                    None => {}
                    Some(_) => ids.push(found.id),
                }
            }
            let mut reopened = 0;
            for part in ids.chunks(1000) {
                let listed = part.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
                let which = Which { query: Box::new(move |_| listed.clone()), bind: None };
                reopened += reopen_which(db, names, now, &which, decider)?;
            }
            Ok(reopened)
        }
        Reopen::Reason(reason) => {
            // IS TRUE: no index is chosen by how many leads it is thought to find.
            let query = |bind| {
                format!(
                    "SELECT z.lead_id FROM {{ns}}queue_settled z WHERE z.status = 2 AND (z.reason = ${bind}) IS TRUE"
                )
            };
            let bind = Some(Param::Text(reason.code()));
            reopen_which(db, names, now, &Which { query: Box::new(query), bind }, decider)
        }
        Reopen::OtherPolicyThan(policy) => {
            let query = |bind| {
                format!(
                    "SELECT z.lead_id FROM {{ns}}queue_settled z \
                     LEFT JOIN {{ns}}queue_run r ON r.id = z.run_id \
                     WHERE z.status = 2 AND r.policy IS DISTINCT FROM ${bind}"
                )
            };
            let bind = Some(Param::Text(policy));
            reopen_which(db, names, now, &Which { query: Box::new(query), bind }, decider)
        }
    }
}

/// Takes one lead out of wherever it is; says whether it was in the backlog.
fn take(db: &mut Database, names: &Names, lead: i64) -> Result<bool, StoreError> {
    let id = [Param::Int(lead)];
    let mut open = 0;
    // On PostgreSQL the first of these waits for a worker that holds the lead.
    for (sql, counts) in [
        (
            "DELETE FROM {ns}queue_pending WHERE lead_id = $1 AND (backlog_id, priority, lead_at) = \
             (SELECT l.backlog_id, l.priority, l.lead_at FROM {ns}queue_lead l WHERE l.id = $1)",
            true,
        ),
        ("DELETE FROM {ns}queue_parked WHERE lead_id = $1", true),
        ("DELETE FROM {ns}queue_wake_key WHERE lead_id = $1", false),
        ("DELETE FROM {ns}queue_settled WHERE lead_id = $1 AND status = 2", true),
        ("DELETE FROM {ns}queue_settled WHERE lead_id = $1 AND status = 3", false),
    ] {
        let rows = db.execute(&names.sql(sql), &id).map_err(failed(CANCEL))?;
        open += if counts { rows } else { 0 };
    }
    Ok(open > 0)
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
        if found.cancelled != 0 {
            continue;
        }
        let open = take(db, names, found.id)?;
        // A worker may have matched it while the row was waited for.
        known(db, names, key)?;
        let action = [
            Param::Int(found.id),
            Param::Text(LeadActionKind::Cancelled.code()),
            Param::Int(now),
            Param::Text(decider.by),
            Param::Text(decider.reason),
            Param::OptText(found.reason.as_deref()),
        ];
        let sql = "INSERT INTO {ns}queue_lead_action \
             (lead_id, kind, at, decided_by, reason, fail_reason) VALUES ($1, $2, $3, $4, $5, $6)";
        db.execute(&names.sql(sql), &action).map_err(failed(CANCEL))?;
        let sql = "INSERT INTO {ns}queue_settled \
             (lead_id, backlog_id, status, attempts, settled_at, cancelled) VALUES ($1, $2, 3, $3, $4, 1)";
        let row = [found.id, found.backlog_id, found.attempts, now].map(Param::Int);
        db.execute(&names.sql(sql), &row).map_err(failed(CANCEL))?;
        if open {
            let mut events = Events::default();
            events.add(EventKind::Withdrawn, None, 1);
            events.append(db, names, now, found.backlog_id, None)?;
        }
        cancelled += 1;
    }
    Ok(cancelled)
}
