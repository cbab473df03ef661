//! Links by hand in databases.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use crate::diesel::batch::settled::Context;
use crate::diesel::borrowed::BorrowedStore;
use crate::diesel::conn::database::now;
use crate::diesel::conn::database::{Database, Param, failed};
use crate::diesel::conn::namespace::Names;
use crate::diesel::read::{leads, rejected_pairs};
use crate::diesel::store::SqlStore;
use crate::diesel::write::events::Events;
use crate::diesel::write::link_history::keep_links;
use crate::diesel::write::origins;
use crate::diesel::write::seed;
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::ledger::EventKind;
use crate::model::links::{Decider, LinkHistoryRow, MANUAL_RULE, RejectedPair};
use crate::store::links::LinkStore;

const LINK: &str = "the change of a link";

#[derive(QueryableByName)]
struct Lead {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    backlog_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    person_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
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
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        self.db.execute(&self.names.sql(sql), params).map_err(failed(LINK))
    }

    /// Takes the lead out of wherever it waits; says whether it was in the backlog.
    fn take(&mut self) -> Result<bool, StoreError> {
        let id = Param::Int(self.lead.id);
        // On PostgreSQL this waits for a worker that holds the lead.
        let mut waiting = self.execute(
            "DELETE FROM {ns}queue_pending WHERE lead_id = $1 AND (backlog_id, priority, lead_at) = \
                 (SELECT l.backlog_id, l.priority, l.lead_at FROM {ns}queue_lead l WHERE l.id = $1)",
            &[id],
        )?;
        waiting += self.execute("DELETE FROM {ns}queue_parked WHERE lead_id = $1", &[id])?;
        self.execute("DELETE FROM {ns}queue_wake_key WHERE lead_id = $1", &[id])?;
        let failed =
            self.execute("DELETE FROM {ns}queue_settled WHERE lead_id = $1 AND status = 2", &[id])?;
        self.execute("DELETE FROM {ns}queue_settled WHERE lead_id = $1", &[id])?;
        Ok(waiting + failed > 0)
    }

    fn person(&mut self, key: &PersonKey) -> Result<i64, StoreError> {
        let key = Param::Text(key.as_str());
        self.execute(
            "INSERT INTO {ns}queue_person (person_key) VALUES ($1) ON CONFLICT (person_key) DO NOTHING",
            &[key],
        )?;
        self.db
            .int(
                &self.names.sql("SELECT id AS value FROM {ns}queue_person WHERE person_key = $1"),
                &[key],
            )
            .map_err(failed(LINK))
    }

    /// Keeps the present link in the history and removes it.
    fn end_link(&mut self, decider: Decider<'_>) -> Result<(), StoreError> {
        self.execute(
            &keep_links("lead_id = $4"),
            &[
                Param::Int(self.now),
                Param::Text(decider.by),
                Param::Text(decider.reason),
                Param::Int(self.lead.id),
            ],
        )?;
        self.execute("DELETE FROM {ns}queue_link WHERE lead_id = $1", &[Param::Int(self.lead.id)])?;
        Ok(())
    }

    fn make_link(&mut self, person_id: i64, decider: Decider<'_>) -> Result<(), StoreError> {
        let evidence = serde_json::json!({ "reason": decider.reason }).to_string();
        self.execute(
            "INSERT INTO {ns}queue_link \
                 (lead_id, person_id, rule, confidence, decided_by, linked_at, evidence) \
             VALUES ($1, $2, $3, 'manual', $4, $5, $6)",
            &[
                Param::Int(self.lead.id),
                Param::Int(person_id),
                Param::Text(MANUAL_RULE),
                Param::Text(decider.by),
                Param::Int(self.now),
                Param::Text(&evidence),
            ],
        )?;
        self.execute(
            "DELETE FROM {ns}queue_settled WHERE lead_id = $1",
            &[Param::Int(self.lead.id)],
        )?;
        self.execute(
            "INSERT INTO {ns}queue_settled (lead_id, backlog_id, status, person_id, attempts, settled_at) \
             VALUES ($1, $2, 1, $3, 0, $4)",
            &[
                Param::Int(self.lead.id),
                Param::Int(self.lead.backlog_id),
                Param::Int(person_id),
                Param::Int(self.now),
            ],
        )?;
        self.origin(person_id)
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
            let sql = names.sql(
                "SELECT l.id, l.backlog_id, k.person_id, s.status FROM {ns}queue_lead l \
                 LEFT JOIN {ns}queue_link k ON k.lead_id = l.id \
                 LEFT JOIN {ns}queue_settled s ON s.lead_id = l.id WHERE l.source_pk = $1",
            );
            let found: Vec<Lead> =
                db.query(&sql, &[Param::Text(lead.as_str())]).map_err(failed(LINK))?;
            let Some(found) = found.into_iter().next() else {
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
            let sql = "SELECT count(*) AS value FROM {ns}queue_link WHERE lead_id = $1";
            let now_linked = hand
                .db
                .int(&hand.names.sql(sql), &[Param::Int(hand.lead.id)])
                .map_err(failed(LINK))?;
            if now_linked > 0 {
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
            let id = Param::Int(hand.lead.id);
            hand.execute("DELETE FROM {ns}queue_leak WHERE lead_id = $1", &[id])?;
            if !was_matched {
                return Ok(());
            }
            hand.execute("DELETE FROM {ns}queue_settled WHERE lead_id = $1", &[id])?;
            let now = Param::Int(hand.now);
            hand.execute(
                "INSERT INTO {ns}queue_pending (backlog_id, priority, lead_at, lead_id, attempts, since) \
                 SELECT backlog_id, priority, lead_at, id, 0, $1 FROM {ns}queue_lead WHERE id = $2",
                &[now, id],
            )?;
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
            hand.execute(
                "INSERT INTO {ns}queue_rejected_pair \
                     (lead_id, person_id, lead_version, rejected_at, rejected_by, comment) \
                 SELECT l.id, $1, l.lead_version, $2, $3, $4 FROM {ns}queue_lead l WHERE l.id = $5 \
                 ON CONFLICT (lead_id, person_id) DO UPDATE SET lead_version = excluded.lead_version, \
                     rejected_at = excluded.rejected_at, rejected_by = excluded.rejected_by, \
                     comment = excluded.comment",
                &[
                    Param::Int(person_id),
                    Param::Int(hand.now),
                    Param::Text(decider.by),
                    Param::Text(decider.reason),
                    Param::Int(hand.lead.id),
                ],
            )?;
            Ok(())
        })
    }

    fn allow_pair(&mut self, lead: &SourcePk, person: &PersonKey) -> Result<bool, StoreError> {
        let names = &self.names;
        let sql = names.sql(
            "DELETE FROM {ns}queue_rejected_pair \
             WHERE lead_id = (SELECT l.id FROM {ns}queue_lead l WHERE l.source_pk = $1) \
               AND person_id = (SELECT p.id FROM {ns}queue_person p WHERE p.person_key = $2)",
        );
        let pair = [Param::Text(lead.as_str()), Param::Text(person.as_str())];
        let gone = self.db.transaction(LINK, |db| db.execute(&sql, &pair).map_err(failed(LINK)))?;
        Ok(gone > 0)
    }

    fn rejected_pairs(&mut self, lead: Option<&SourcePk>) -> Result<Vec<RejectedPair>, StoreError> {
        rejected_pairs::list(&mut self.db, &self.names, lead)
    }

    fn link_history(&mut self, lead: &SourcePk) -> Result<Vec<LinkHistoryRow>, StoreError> {
        let whose = Param::Text(lead.as_str());
        let rows = leads::former_links(&mut self.db, &self.names, "l.source_pk", whose)?;
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
