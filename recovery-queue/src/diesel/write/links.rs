//! Links by hand in databases.

use diesel::prelude::*;

use crate::diesel::batch::settled::Context;
use crate::diesel::borrowed::BorrowedStore;
use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::conn::typed::typed;
use crate::diesel::read::{leads, rejected_pairs};
use crate::diesel::store::SqlStore;
use crate::diesel::tables::{
    queue_lead, queue_leak, queue_link, queue_person, queue_rejected_pair, queue_settled,
};
use crate::diesel::write::events::Events;
use crate::diesel::write::lead_rows::{self, remove};
use crate::diesel::write::origins;
use crate::diesel::write::seed;
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::ledger::EventKind;
use crate::model::links::{Decider, LinkHistoryRow, MANUAL_RULE, RejectedPair};
use crate::store::links::LinkStore;

const LINK: &str = "the change of a link";

#[derive(Queryable)]
struct Lead {
    id: i64,
    backlog_id: i64,
    person_id: Option<i64>,
    status: Option<i64>,
}

/// One command by hand, inside its transaction.
struct ManualLink<'a, 'c> {
    db: &'a mut Database<'c>,
    names: &'a Names,
    now: i64,
    lead: Lead,
}

impl ManualLink<'_, '_> {
    /// Takes the lead out of wherever it waits; says whether it was in the backlog.
    fn take(&mut self) -> Result<bool, StoreError> {
        let taken = lead_rows::take(self.db, self.names, &[self.lead.id]).map_err(failed(LINK))?;
        Ok(taken.open > 0)
    }

    fn person(&mut self, key: &PersonKey) -> Result<i64, StoreError> {
        lead_rows::person(self.db, self.names, key.as_str()).map_err(failed(LINK))
    }

    fn is_linked(&mut self) -> Result<bool, StoreError> {
        let links = queue_link::table.filter(queue_link::lead_id.eq(self.lead.id));
        let found: i64 =
            typed!(self.db, self.names, get_result, links.count()).map_err(failed(LINK))?;
        Ok(found > 0)
    }

    /// Removes the row that says how the lead was settled.
    fn unsettle(&mut self) -> Result<(), StoreError> {
        remove!(self.db, self.names, queue_settled.lead_id, &[self.lead.id])
            .map(drop)
            .map_err(failed(LINK))
    }

    /// Keeps the present link in the history and removes it.
    fn end_link(&mut self, decider: Decider<'_>) -> Result<(), StoreError> {
        let lead = [self.lead.id];
        lead_rows::keep_links(self.db, self.names, self.now, &lead, decider)
            .map_err(failed(LINK))?;
        remove!(self.db, self.names, queue_link.lead_id, &lead).map(drop).map_err(failed(LINK))
    }

    fn make_link(&mut self, person_id: i64, decider: Decider<'_>) -> Result<(), StoreError> {
        let evidence = serde_json::json!({ "reason": decider.reason }).to_string();
        let link = (
            queue_link::lead_id.eq(self.lead.id),
            queue_link::person_id.eq(person_id),
            queue_link::rule.eq(MANUAL_RULE),
            queue_link::confidence.eq("manual"),
            queue_link::decided_by.eq(decider.by),
            queue_link::linked_at.eq(self.now),
            queue_link::evidence.eq(&evidence),
        );
        let insert = diesel::insert_into(queue_link::table).values(link);
        typed!(self.db, self.names, execute, insert).map_err(failed(LINK))?;
        self.unsettle()?;
        let settled = (
            queue_settled::lead_id.eq(self.lead.id),
            queue_settled::backlog_id.eq(self.lead.backlog_id),
            queue_settled::status.eq(1),
            queue_settled::person_id.eq(person_id),
            queue_settled::attempts.eq(0),
            queue_settled::settled_at.eq(self.now),
        );
        let insert = diesel::insert_into(queue_settled::table).values(settled);
        typed!(self.db, self.names, execute, insert).map_err(failed(LINK))?;
        self.origin(person_id)
    }

    /// Remembers that the lead, as its data is now, is not this person.
    fn reject(&mut self, person_id: i64, decider: Decider<'_>) -> Result<(), StoreError> {
        use queue_rejected_pair as pair;
        let version = queue_lead::table.filter(queue_lead::id.eq(self.lead.id));
        let version: Option<String> =
            typed!(self.db, self.names, get_result, version.select(queue_lead::lead_version))
                .map_err(failed(LINK))?;
        let data = (
            pair::lead_version.eq(version.as_deref()),
            pair::rejected_at.eq(self.now),
            pair::rejected_by.eq(decider.by),
            pair::comment.eq(decider.reason),
        );
        let row = (pair::lead_id.eq(self.lead.id), pair::person_id.eq(person_id), data);
        let insert = diesel::insert_into(pair::table)
            .values(row)
            .on_conflict((pair::lead_id, pair::person_id))
            .do_update()
            .set(data);
        typed!(self.db, self.names, execute, insert).map(drop).map_err(failed(LINK))
    }

    fn origin(&mut self, person_id: i64) -> Result<(), StoreError> {
        let context = Context { backlog_id: self.lead.backlog_id, run_id: 0, now: self.now };
        origins::ensure(self.db, self.names, &person_id.to_string(), &context)
    }

    fn event(&mut self, kind: EventKind) -> Result<(), StoreError> {
        let mut events = Events::default();
        events.add(kind, None, 1);
        events.append(self.db, self.names, self.now, self.lead.backlog_id, None)
    }
}

fn conflict(lead: &SourcePk, reason: &str) -> StoreError {
    StoreError::Conflict { key: lead.to_string(), reason: reason.to_owned() }
}

impl BorrowedStore<'_> {
    fn by_hand<T>(
        &mut self,
        lead: &SourcePk,
        decider: Decider<'_>,
        body: impl FnOnce(&mut ManualLink<'_, '_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        decider.check()?;
        let (names, clock) = (self.names.clone(), self.clock);
        self.db.transaction(LINK, |db| {
            seed::lock(db, &names)?;
            let now = now(db, clock)?;
            let found: Option<Lead> = typed!(
                db,
                names,
                get_result,
                queue_lead::table
                    .left_join(queue_link::table.on(queue_link::lead_id.eq(queue_lead::id)))
                    .left_join(queue_settled::table.on(queue_settled::lead_id.eq(queue_lead::id)))
                    .filter(queue_lead::source_pk.eq(lead.as_str()))
                    .select((
                        queue_lead::id,
                        queue_lead::backlog_id,
                        queue_link::person_id.nullable(),
                        queue_settled::status.nullable(),
                    ))
            )
            .optional()
            .map_err(failed(LINK))?;
            let Some(found) = found else {
                return Err(StoreError::NotFound { what: "lead", key: lead.to_string() });
            };
            body(&mut ManualLink { db, names: &names, now, lead: found })
        })
    }
}

impl LinkStore for BorrowedStore<'_> {
    fn link(
        &mut self,
        lead: &SourcePk,
        person: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        self.by_hand(lead, decider, |hand| {
            let linked = "it is linked already; move the link instead";
            if hand.lead.person_id.is_some() || hand.lead.status == Some(1) {
                return Err(conflict(lead, linked));
            }
            let was_open = hand.take()?;
            // A worker may have matched it while the row was waited for.
            if hand.is_linked()? {
                return Err(conflict(lead, linked));
            }
            let person_id = hand.person(person)?;
            hand.make_link(person_id, decider)?;
            if was_open { hand.event(EventKind::Matched) } else { Ok(()) }
        })
    }

    fn unlink(&mut self, lead: &SourcePk, decider: Decider<'_>) -> Result<(), StoreError> {
        self.by_hand(lead, decider, |hand| {
            let Some(person_id) = hand.lead.person_id else {
                return Err(conflict(lead, "it is not linked"));
            };
            let was_matched = hand.lead.status == Some(1);
            hand.end_link(decider)?;
            hand.origin(person_id)?;
            let lead = [hand.lead.id];
            remove!(hand.db, hand.names, queue_leak.lead_id, &lead).map_err(failed(LINK))?;
            if !was_matched {
                return Ok(());
            }
            hand.unsettle()?;
            lead_rows::make_pending_leads(hand.db, hand.names, hand.now, &lead)
                .map_err(failed(LINK))?;
            hand.event(EventKind::Arrived)
        })
    }

    fn move_link(
        &mut self,
        lead: &SourcePk,
        to: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        self.by_hand(lead, decider, |hand| {
            let Some(from) = hand.lead.person_id else {
                return Err(conflict(lead, "it is not linked"));
            };
            let person_id = hand.person(to)?;
            if person_id == from {
                return Err(conflict(lead, "it is linked to that person already"));
            }
            hand.end_link(decider)?;
            hand.origin(from)?;
            hand.make_link(person_id, decider)
        })
    }

    fn reject_pair(
        &mut self,
        lead: &SourcePk,
        person: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        self.by_hand(lead, decider, |hand| {
            let person_id = hand.person(person)?;
            if hand.lead.person_id == Some(person_id) {
                return Err(conflict(lead, "it is linked to that person; undo the link first"));
            }
            hand.reject(person_id, decider)
        })
    }

    fn allow_pair(&mut self, lead: &SourcePk, person: &PersonKey) -> Result<bool, StoreError> {
        use queue_rejected_pair as pair;
        let names = &self.names;
        let of_lead = queue_lead::table.filter(queue_lead::source_pk.eq(lead.as_str()));
        let of_person = queue_person::table.filter(queue_person::person_key.eq(person.as_str()));
        let pairs = pair::table
            .filter(pair::lead_id.eq_any(of_lead.select(queue_lead::id)))
            .filter(pair::person_id.eq_any(of_person.select(queue_person::id)));
        let gone = self.db.transaction(LINK, |db| {
            typed!(db, names, execute, diesel::delete(pairs)).map_err(failed(LINK))
        })?;
        Ok(gone > 0)
    }

    fn rejected_pairs(&mut self, lead: Option<&SourcePk>) -> Result<Vec<RejectedPair>, StoreError> {
        rejected_pairs::list(&mut self.db, &self.names, lead)
    }

    fn link_history(&mut self, lead: &SourcePk) -> Result<Vec<LinkHistoryRow>, StoreError> {
        let rows = leads::former_links(&mut self.db, &self.names, leads::Of::Lead(lead))?;
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}

impl LinkStore for SqlStore {
    fn link(
        &mut self,
        lead: &SourcePk,
        person: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        self.borrowed().link(lead, person, decider)
    }

    fn unlink(&mut self, lead: &SourcePk, decider: Decider<'_>) -> Result<(), StoreError> {
        self.borrowed().unlink(lead, decider)
    }

    fn move_link(
        &mut self,
        lead: &SourcePk,
        to: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        self.borrowed().move_link(lead, to, decider)
    }

    fn reject_pair(
        &mut self,
        lead: &SourcePk,
        person: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        self.borrowed().reject_pair(lead, person, decider)
    }

    fn allow_pair(&mut self, lead: &SourcePk, person: &PersonKey) -> Result<bool, StoreError> {
        self.borrowed().allow_pair(lead, person)
    }

    fn rejected_pairs(&mut self, lead: Option<&SourcePk>) -> Result<Vec<RejectedPair>, StoreError> {
        self.borrowed().rejected_pairs(lead)
    }

    fn link_history(&mut self, lead: &SourcePk) -> Result<Vec<LinkHistoryRow>, StoreError> {
        self.borrowed().link_history(lead)
    }
}
