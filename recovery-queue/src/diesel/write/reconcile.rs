//! Puts right what disagrees, in one transaction, with ledger and history.

use crate::diesel::batch::settled::Context;
use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::inconsistencies::{find, open};
use crate::diesel::write::events::{Events, LeadsOfBacklog};
use crate::diesel::write::link_history::keep_links;
use crate::diesel::write::{origins, seed};
use crate::model::error::StoreError;
use crate::model::inconsistency::{Inconsistency, InconsistencyKind as Kind};
use crate::model::lead::LeadActionKind;
use crate::model::ledger::EventKind;
use crate::model::links::Decider;

const RECONCILE: &str = "the putting right of what disagrees";

/// Leads per statement.
const CHUNK: usize = 1000;

/// Tables with a row for each state of a lead.
const STATES: [&str; 3] = ["queue_pending", "queue_parked", "queue_settled"];

struct Reconcile<'a, 'c> {
    db: &'a mut Database<'c>,
    names: &'a Names,
    now: i64,
    decider: Decider<'a>,
}

impl Reconcile<'_, '_> {
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.db.execute(&self.names.sql(sql), params).map_err(failed(RECONCILE))
    }

    /// Removes the rows of leads from tables.
    fn remove(&mut self, tables: &[&str], leads: &str) -> Result<(), StoreError> {
        for table in tables {
            self.execute(&format!("DELETE FROM {{ns}}{table} WHERE lead_id IN ({leads})"), &[])?;
        }
        Ok(())
    }

    /// Keeps in the history of leads what was put right.
    fn note(&mut self, kind: Kind, leads: &str) -> Result<(), StoreError> {
        let why = format!("{kind}: {}", self.decider.reason);
        let sql = format!(
            "INSERT INTO {{ns}}queue_lead_action (lead_id, kind, at, decided_by, reason) \
             SELECT l.id, $1, $2, $3, $4 FROM {{ns}}queue_lead l WHERE l.id IN ({leads}) ORDER BY l.id"
        );
        let params = [
            Param::Text(LeadActionKind::Reconciled.code()),
            Param::Int(self.now),
            Param::Text(self.decider.by),
            Param::Text(&why),
        ];
        self.execute(&sql, &params)?;
        Ok(())
    }

    /// Appends an event for leads, under the backlog that each belongs to.
    fn event(&mut self, kind: EventKind, leads: &str) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT l.backlog_id, count(*) AS leads FROM {{ns}}queue_lead l WHERE l.id IN ({leads}) \
             GROUP BY l.backlog_id ORDER BY l.backlog_id"
        );
        let rows: Vec<LeadsOfBacklog> =
            self.db.query(&self.names.sql(&sql), &[]).map_err(failed(RECONCILE))?;
        for row in rows {
            let mut events = Events::default();
            events.add(kind, None, u64::try_from(row.leads).unwrap_or_default());
            events.append(self.db, self.names, self.now, row.backlog_id, None)?;
        }
        Ok(())
    }

    /// Brings leads to pending, whatever they were.
    fn pending(&mut self, leads: &str) -> Result<(), StoreError> {
        self.remove(&STATES, leads)?;
        self.remove(&["queue_wake_key", "queue_leak"], leads)?;
        let sql = format!(
            "INSERT INTO {{ns}}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
             SELECT backlog_id, priority, lead_at, id, 0, $1 FROM {{ns}}queue_lead WHERE id IN ({leads}) \
             ORDER BY backlog_id, priority, lead_at, id"
        );
        self.execute(&sql, &[Param::Int(self.now)])?;
        Ok(())
    }

    /// Brings leads that are linked to matched, and the others to pending.
    fn by_link(&mut self, leads: &str) -> Result<(), StoreError> {
        let linked =
            format!("SELECT y.lead_id FROM {{ns}}queue_link y WHERE y.lead_id IN ({leads})");
        self.pending(&format!(
            "SELECT z.id FROM {{ns}}queue_lead z WHERE z.id IN ({leads}) AND z.id NOT IN ({linked})"
        ))?;
        self.remove(&STATES, &linked)?;
        self.remove(&["queue_wake_key"], &linked)?;
        let sql = format!(
            "INSERT INTO {{ns}}queue_settled (lead_id, backlog_id, status, person_id, attempts, run_id, settled_at) \
             SELECT k.lead_id, l.backlog_id, 1, k.person_id, 0, k.run_id, $1 FROM {{ns}}queue_link k \
             JOIN {{ns}}queue_lead l ON l.id = k.lead_id WHERE k.lead_id IN ({leads}) ORDER BY k.lead_id"
        );
        self.execute(&sql, &[Param::Int(self.now)])?;
        Ok(())
    }

    /// Undoes links, and keeps them in the history.
    fn unlink(&mut self, leads: &str) -> Result<(), StoreError> {
        let sql = keep_links(&format!("lead_id IN ({leads})"));
        let params =
            [Param::Int(self.now), Param::Text(self.decider.by), Param::Text(self.decider.reason)];
        self.execute(&sql, &params)?;
        self.remove(&["queue_link"], leads)
    }

    /// Puts the leads of one kind right.
    fn mend(&mut self, kind: Kind, leads: &str) -> Result<(), StoreError> {
        self.note(kind, leads)?;
        match kind {
            Kind::RowWithoutLead => {
                self.remove(&STATES, leads)?;
                self.remove(&["queue_link", "queue_wake_key", "queue_leak"], leads)
            }
            // Whether the ledger counts them as open nobody can say: the sums are compared at the end.
            Kind::InSeveralStates | Kind::InNoState | Kind::MatchedToAnother => self.by_link(leads),
            Kind::PersonGone => {
                self.unlink(leads)?;
                self.event(EventKind::Arrived, leads)?;
                self.pending(leads)
            }
            Kind::LinkedNotMatched => {
                let open = format!(
                    "SELECT x.lead_id FROM (SELECT lead_id FROM {{ns}}queue_pending UNION ALL \
                         SELECT lead_id FROM {{ns}}queue_parked UNION ALL \
                         SELECT lead_id FROM {{ns}}queue_settled WHERE status = 2) x WHERE x.lead_id IN ({leads})"
                );
                self.event(EventKind::Matched, &open)?;
                self.by_link(leads)
            }
            Kind::MatchedWithoutLink => {
                self.event(EventKind::Arrived, leads)?;
                self.pending(leads)
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
        let first = "SELECT COALESCE(min(id), 0) AS value FROM {ns}queue_backlog";
        let backlog = self.db.int(&self.names.sql(first), &[]).map_err(failed(RECONCILE))?;
        let kind = if queue > ledger { EventKind::Arrived } else { EventKind::Withdrawn };
        let mut events = Events::default();
        events.add(kind, None, queue.abs_diff(ledger));
        events.append(self.db, self.names, self.now, backlog, None)
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
        let tables = STATES.map(|table| format!("{{ns}}{table}")).join(", ");
        let lock = format!(
            "LOCK TABLE {tables}, {{ns}}queue_link, {{ns}}queue_person, {{ns}}queue_ledger IN SHARE ROW EXCLUSIVE MODE"
        );
        db.script(&names.sql(&lock)).map_err(failed(RECONCILE))?;
    }
    let found = find(db, names)?;
    let now = now(db, clock)?;
    let mut reconcile = Reconcile { db, names, now, decider };
    for kind in Kind::ALL {
        for part in found.leads(kind).chunks(CHUNK) {
            let leads = part.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
            reconcile.mend(kind, &leads)?;
        }
    }
    if found.told.iter().any(|told| told.kind.can_be_mended()) {
        let context = Context { backlog_id: 0, run_id: 0, now };
        origins::mend(reconcile.db, names, &context)?;
        reconcile.balance()?;
    }
    Ok(found.told)
}
