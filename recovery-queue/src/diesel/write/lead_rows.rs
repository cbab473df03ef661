//! Rows of leads that are moved by hand: out of where they wait, back to pending, and into the histories.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::diesel::conn::database::Database;
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::tables::{
    queue_lead_action, queue_link, queue_link_history, queue_parked, queue_person, queue_settled,
    queue_wake_key,
};
use crate::model::lead::LeadActionKind;
use crate::model::links::Decider;

/// Leads of one statement.
pub(crate) const PART: usize = 1000;

/// Removes the rows of a table whose column is any of the values.
macro_rules! remove {
    ($db:expr, $names:expr, $table:ident.$column:ident, $values:expr) => {
        $crate::diesel::conn::typed::typed!(
            $db,
            $names,
            execute,
            diesel::delete($table::table.filter($table::$column.eq_any($values)))
        )
    };
}
pub(crate) use remove;

/// Makes the leads that are selected pending; they are nowhere else.
macro_rules! make_pending {
    ($db:expr, $names:expr, $now:expr, $leads:expr) => {{
        use diesel::IntoSql as _;
        use $crate::diesel::tables::{queue_lead, queue_pending};
        $crate::diesel::conn::typed::typed!(
            $db,
            $names,
            execute,
            queue_lead::table
                .filter(queue_lead::id.eq_any($leads))
                .order((
                    queue_lead::backlog_id,
                    queue_lead::priority,
                    queue_lead::lead_at,
                    queue_lead::id,
                ))
                .select((
                    queue_lead::backlog_id,
                    queue_lead::priority,
                    queue_lead::lead_at,
                    queue_lead::id,
                    0_i64.into_sql::<diesel::sql_types::BigInt>(),
                    $now.into_sql::<diesel::sql_types::BigInt>(),
                ))
                .insert_into(queue_pending::table)
                .into_columns((
                    queue_pending::backlog_id,
                    queue_pending::priority,
                    queue_pending::lead_at,
                    queue_pending::lead_id,
                    queue_pending::attempts,
                    queue_pending::since,
                ))
        )
    }};
}
pub(crate) use make_pending;

/// What was taken out of the tables of states.
#[derive(Clone, Copy, Default)]
pub(crate) struct Taken {
    /// Leads that were in the backlog.
    pub(crate) open: u64,
    /// Rows, those of wake keys and of leads that had left the backlog too.
    pub(crate) rows: u64,
}

/// Takes leads that are not matched out of wherever they are.
///
/// On PostgreSQL this waits for workers that hold them.
pub(crate) fn take(db: &mut Database, names: &Names, leads: &[i64]) -> QueryResult<Taken> {
    let mut taken = Taken::default();
    for part in leads.chunks(PART) {
        // Diesel compares no several columns at once, and by the lead alone no index finds the row.
        let listed = part.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let pending = format!(
            "DELETE FROM {{ns}}queue_pending WHERE (backlog_id, priority, lead_at, lead_id) IN \
             (SELECT l.backlog_id, l.priority, l.lead_at, l.id FROM {{ns}}queue_lead l WHERE l.id IN ({listed}))"
        );
        taken.open += db.execute(&names.sql(&pending), &[])?;
        taken.open += remove!(db, names, queue_parked.lead_id, part)? as u64;
        taken.rows += remove!(db, names, queue_wake_key.lead_id, part)? as u64;
        let settled = |status: i64| {
            let of_leads = queue_settled::lead_id.eq_any(part);
            diesel::delete(
                queue_settled::table.filter(of_leads.and(queue_settled::status.eq(status))),
            )
        };
        taken.open += typed!(db, names, execute, settled(2))? as u64;
        taken.rows += typed!(db, names, execute, settled(3))? as u64;
    }
    taken.rows += taken.open;
    Ok(taken)
}

/// Makes leads pending that are nowhere.
pub(crate) fn make_pending_leads(
    db: &mut Database,
    names: &Names,
    now: i64,
    leads: &[i64],
) -> QueryResult<u64> {
    let mut made = 0;
    for part in leads.chunks(PART) {
        made += make_pending!(db, names, now, part)? as u64;
    }
    Ok(made)
}

/// Keeps the present links of leads in the history, as ended.
pub(crate) fn keep_links(
    db: &mut Database,
    names: &Names,
    now: i64,
    leads: &[i64],
    decider: Decider<'_>,
) -> QueryResult<()> {
    use queue_link_history as history;
    for part in leads.chunks(PART) {
        typed!(
            db,
            names,
            execute,
            queue_link::table
                .filter(queue_link::lead_id.eq_any(part))
                .order(queue_link::lead_id)
                .select((
                    queue_link::lead_id,
                    queue_link::person_id,
                    queue_link::rule,
                    queue_link::confidence,
                    queue_link::decided_by,
                    queue_link::run_id,
                    queue_link::linked_at,
                    queue_link::evidence,
                    now.into_sql::<BigInt>(),
                    decider.by.into_sql::<Text>(),
                    decider.reason.into_sql::<Text>(),
                ))
                .insert_into(history::table)
                .into_columns((
                    history::lead_id,
                    history::person_id,
                    history::rule,
                    history::confidence,
                    history::decided_by,
                    history::run_id,
                    history::linked_at,
                    history::evidence,
                    history::ended_at,
                    history::ended_by,
                    history::reason,
                ))
        )?;
    }
    Ok(())
}

/// Records what was done with a lead by hand.
pub(crate) fn record_action(
    db: &mut Database,
    names: &Names,
    now: i64,
    (lead, kind, fail_reason): (i64, LeadActionKind, Option<&str>),
    decider: Decider<'_>,
) -> QueryResult<()> {
    use queue_lead_action as action;
    let row = (
        action::lead_id.eq(lead),
        action::kind.eq(kind.code()),
        action::at.eq(now),
        action::decided_by.eq(decider.by),
        action::reason.eq(decider.reason),
        action::fail_reason.eq(fail_reason),
    );
    typed!(db, names, execute, diesel::insert_into(action::table).values(row)).map(drop)
}

/// Gives the number of a person, made where the person is new.
pub(crate) fn person(db: &mut Database, names: &Names, key: &str) -> QueryResult<i64> {
    let row = queue_person::person_key.eq(key);
    typed!(
        db,
        names,
        execute,
        diesel::insert_into(queue_person::table)
            .values(row)
            .on_conflict(queue_person::person_key)
            .do_nothing()
    )?;
    let found = queue_person::table.filter(queue_person::person_key.eq(key));
    typed!(db, names, get_result, found.select(queue_person::id))
}
