//! Puts right what disagrees, in one transaction, with ledger and history.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::diesel::batch::settled::Context;
use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::read::inconsistencies::{find, open};
use crate::diesel::tables::{
    queue_backlog, queue_lead, queue_lead_action, queue_leak, queue_link, queue_parked,
    queue_pending, queue_settled, queue_wake_key,
};
use crate::diesel::write::events::Events;
use crate::diesel::write::lead_rows::{self, PART, remove};
use crate::diesel::write::{origins, seed};
use crate::model::error::StoreError;
use crate::model::inconsistency::{Inconsistency, InconsistencyKind as Kind};
use crate::model::lead::LeadActionKind;
use crate::model::ledger::EventKind;
use crate::model::links::Decider;

const RECONCILE: &str = "the putting right of what disagrees";

struct Reconcile<'a, 'c> {
    db: &'a mut Database<'c>,
    names: &'a Names,
    now: i64,
    decider: Decider<'a>,
}

impl Reconcile<'_, '_> {
    /// Removes leads from whatever state they are in.
    fn unstate(&mut self, leads: &[i64]) -> QueryResult<()> {
        remove!(self.db, self.names, queue_pending.lead_id, leads)?;
        remove!(self.db, self.names, queue_parked.lead_id, leads)?;
        remove!(self.db, self.names, queue_settled.lead_id, leads)?;
        remove!(self.db, self.names, queue_wake_key.lead_id, leads)?;
        Ok(())
    }

    /// Keeps in the history of leads what was put right.
    fn note(&mut self, kind: Kind, leads: &[i64]) -> QueryResult<()> {
        use queue_lead_action as action;
        let why = format!("{kind}: {}", self.decider.reason);
        let (now, by) = (self.now, self.decider.by);
        typed!(
            self.db,
            self.names,
            execute,
            queue_lead::table
                .filter(queue_lead::id.eq_any(leads))
                .order(queue_lead::id)
                .select((
                    queue_lead::id,
                    LeadActionKind::Reconciled.code().into_sql::<Text>(),
                    now.into_sql::<BigInt>(),
                    by.into_sql::<Text>(),
                    why.as_str().into_sql::<Text>(),
                ))
                .insert_into(action::table)
                .into_columns((
                    action::lead_id,
                    action::kind,
                    action::at,
                    action::decided_by,
                    action::reason,
                ))
        )?;
        Ok(())
    }

    /// Appends an event for leads, under the backlog that each belongs to.
    fn event(&mut self, kind: EventKind, leads: &[i64]) -> Result<(), StoreError> {
        let counted: Vec<(i64, i64)> = typed!(
            self.db,
            self.names,
            load,
            queue_lead::table
                .filter(queue_lead::id.eq_any(leads))
                .group_by(queue_lead::backlog_id)
                .order(queue_lead::backlog_id)
                .select((queue_lead::backlog_id, count_star()))
        )
        .map_err(failed(RECONCILE))?;
        for (backlog, leads) in counted {
            let mut events = Events::default();
            events.add(kind, None, u64::try_from(leads).unwrap_or_default());
            events.append(self.db, self.names, self.now, backlog, None)?;
        }
        Ok(())
    }

    /// Brings leads to pending, whatever they were.
    fn pending(&mut self, leads: &[i64]) -> QueryResult<()> {
        self.unstate(leads)?;
        remove!(self.db, self.names, queue_leak.lead_id, leads)?;
        lead_rows::make_pending_leads(self.db, self.names, self.now, leads)?;
        Ok(())
    }

    /// Gives those of the leads that are linked.
    fn linked(&mut self, leads: &[i64]) -> QueryResult<Vec<i64>> {
        let links = queue_link::table.filter(queue_link::lead_id.eq_any(leads));
        typed!(self.db, self.names, load, links.select(queue_link::lead_id))
    }

    /// Brings leads that are linked to matched, and the others to pending.
    fn by_link(&mut self, leads: &[i64]) -> QueryResult<()> {
        let linked = self.linked(leads)?;
        let others: Vec<i64> =
            leads.iter().copied().filter(|lead| !linked.contains(lead)).collect();
        self.pending(&others)?;
        self.unstate(&linked)?;
        let now = self.now;
        typed!(
            self.db,
            self.names,
            execute,
            queue_link::table
                .inner_join(queue_lead::table.on(queue_lead::id.eq(queue_link::lead_id)))
                .filter(queue_link::lead_id.eq_any(&linked))
                .order(queue_link::lead_id)
                .select((
                    queue_link::lead_id,
                    queue_lead::backlog_id,
                    1_i64.into_sql::<BigInt>(),
                    queue_link::person_id.nullable(),
                    0_i64.into_sql::<BigInt>(),
                    queue_link::run_id,
                    now.into_sql::<BigInt>(),
                ))
                .insert_into(queue_settled::table)
                .into_columns((
                    queue_settled::lead_id,
                    queue_settled::backlog_id,
                    queue_settled::status,
                    queue_settled::person_id,
                    queue_settled::attempts,
                    queue_settled::run_id,
                    queue_settled::settled_at,
                ))
        )?;
        Ok(())
    }

    /// Undoes links, and keeps them in the history.
    fn unlink(&mut self, leads: &[i64]) -> QueryResult<()> {
        lead_rows::keep_links(self.db, self.names, self.now, leads, self.decider)?;
        remove!(self.db, self.names, queue_link.lead_id, leads).map(drop)
    }

    /// Gives those of the leads that are in the backlog.
    fn open(&mut self, leads: &[i64]) -> QueryResult<Vec<i64>> {
        let pending = queue_pending::table.filter(queue_pending::lead_id.eq_any(leads));
        let parked = queue_parked::table.filter(queue_parked::lead_id.eq_any(leads));
        let failed = queue_settled::lead_id.eq_any(leads).and(queue_settled::status.eq(2));
        let failed = queue_settled::table.filter(failed);
        let mut open: Vec<i64> =
            typed!(self.db, self.names, load, pending.select(queue_pending::lead_id))?;
        let parked: Vec<i64> =
            typed!(self.db, self.names, load, parked.select(queue_parked::lead_id))?;
        let failed: Vec<i64> =
            typed!(self.db, self.names, load, failed.select(queue_settled::lead_id))?;
        open.extend(parked);
        open.extend(failed);
        Ok(open)
    }

    /// Puts the leads of one kind right.
    fn mend(&mut self, kind: Kind, leads: &[i64]) -> Result<(), StoreError> {
        self.note(kind, leads).map_err(failed(RECONCILE))?;
        match kind {
            Kind::RowWithoutLead => {
                self.unstate(leads).map_err(failed(RECONCILE))?;
                remove!(self.db, self.names, queue_link.lead_id, leads)
                    .map_err(failed(RECONCILE))?;
                remove!(self.db, self.names, queue_leak.lead_id, leads)
                    .map_err(failed(RECONCILE))?;
                Ok(())
            }
            // Whether the ledger counts them as open nobody can say: the sums are compared at the end.
            Kind::InSeveralStates | Kind::InNoState | Kind::MatchedToAnother => {
                self.by_link(leads).map_err(failed(RECONCILE))
            }
            Kind::PersonGone => {
                self.unlink(leads).map_err(failed(RECONCILE))?;
                self.event(EventKind::Arrived, leads)?;
                self.pending(leads).map_err(failed(RECONCILE))
            }
            Kind::LinkedNotMatched => {
                let open = self.open(leads).map_err(failed(RECONCILE))?;
                self.event(EventKind::Matched, &open)?;
                self.by_link(leads).map_err(failed(RECONCILE))
            }
            Kind::MatchedWithoutLink => {
                self.event(EventKind::Arrived, leads)?;
                self.pending(leads).map_err(failed(RECONCILE))
            }
            Kind::OriginWrong | Kind::LedgerDiffers | Kind::LeakedThoughLinked => Ok(()),
        }
    }

    /// Appends what makes the ledger's sum that of the queue.
    fn balance(&mut self) -> Result<(), StoreError> {
        let (queue, ledger) = open(self.db, self.names)?;
        if queue == ledger {
            return Ok(());
        }
        let first = queue_backlog::table.order(queue_backlog::id).limit(1);
        let first: Option<i64> =
            typed!(self.db, self.names, get_result, first.select(queue_backlog::id))
                .optional()
                .map_err(failed(RECONCILE))?;
        let kind = if queue > ledger { EventKind::Arrived } else { EventKind::Withdrawn };
        let mut events = Events::default();
        events.add(kind, None, queue.abs_diff(ledger));
        events.append(self.db, self.names, self.now, first.unwrap_or_default(), None)
    }
}

/// Finds what disagrees and puts it right, inside a transaction; gives what was found.
pub(crate) fn reconcile(
    db: &mut Database,
    names: &Names,
    clock: Option<i64>,
    decider: Decider<'_>,
) -> Result<Vec<Inconsistency>, StoreError> {
    decider.check()?;
    seed::lock(db, names)?;
    if !db.is_sqlite() {
        // What a worker has in hand is in no committed state: it is waited for, and none begins meanwhile.
        let lock = "LOCK TABLE {ns}queue_pending, {ns}queue_parked, {ns}queue_settled, {ns}queue_link, \
             {ns}queue_person, {ns}queue_ledger IN SHARE ROW EXCLUSIVE MODE";
        db.script(&names.sql(lock)).map_err(failed(RECONCILE))?;
    }
    let found = find(db, names)?;
    let now = now(db, clock)?;
    let mut reconcile = Reconcile { db, names, now, decider };
    for kind in Kind::ALL {
        for part in found.leads(kind).chunks(PART) {
            reconcile.mend(kind, part)?;
        }
    }
    if found.told.iter().any(|told| told.kind.can_be_mended()) {
        let context = Context { backlog_id: 0, run_id: 0, now };
        origins::mend(reconcile.db, names, &context)?;
        reconcile.balance()?;
    }
    Ok(found.told)
}
