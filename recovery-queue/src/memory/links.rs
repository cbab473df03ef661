//! Links by hand in memory.

use super::{Link, MemoryStore, State};
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::ledger::EventKind;
use crate::store::links::{Decider, LinkHistoryRow, LinkStore, MANUAL_RULE};

fn conflict(lead: &SourcePk, reason: &str) -> StoreError {
    StoreError::Conflict { key: lead.to_string(), reason: reason.to_owned() }
}

impl MemoryStore {
    fn known(&self, lead: &SourcePk) -> Result<(), StoreError> {
        if self.leads.contains_key(lead) {
            return Ok(());
        }
        Err(StoreError::NotFound { what: "lead", key: lead.to_string() })
    }

    fn end_link(&mut self, lead: &SourcePk, decider: Decider<'_>) -> Result<PersonKey, StoreError> {
        self.known(lead)?;
        let Some(link) = self.links.remove(lead) else {
            return Err(conflict(lead, "it is not linked"));
        };
        self.link_history.entry(lead.clone()).or_default().push(LinkHistoryRow {
            person_key: link.person.clone(),
            rule: link.rule,
            decided_by: link.decided_by,
            run_id: link.run_id,
            linked_at: link.linked_at,
            ended_at: self.now,
            ended_by: decider.by.to_owned(),
            reason: decider.reason.to_owned(),
        });
        self.mend_origin(&link.person);
        Ok(link.person)
    }

    fn make_link(&mut self, pk: &SourcePk, person: &PersonKey, decider: Decider<'_>) {
        let link = Link {
            person: person.clone(),
            rule: MANUAL_RULE.to_owned(),
            confidence: "manual".to_owned(),
            decided_by: Some(decider.by.to_owned()),
            run_id: None,
            linked_at: self.now,
        };
        self.links.insert(pk.clone(), link);
        if let Some(lead) = self.leads.get_mut(pk) {
            lead.state = State::Matched { person: person.clone(), attempts: 0, run_id: None };
            lead.since = self.now;
        }
        self.mend_origin(person);
    }
}

impl LinkStore for MemoryStore {
    fn link(
        &mut self,
        lead: &SourcePk,
        person: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        self.known(lead)?;
        if self.links.contains_key(lead) {
            return Err(conflict(lead, "it is linked already; move the link instead"));
        }
        let was_open = self.leads.get(lead).is_some_and(super::Lead::is_open);
        self.make_link(lead, person, decider);
        if was_open {
            self.event(EventKind::Matched, None, 1, None);
        }
        Ok(())
    }

    fn unlink(&mut self, lead: &SourcePk, decider: Decider<'_>) -> Result<(), StoreError> {
        self.end_link(lead, decider)?;
        self.leaks.remove(lead);
        if let Some(lead) = self.leads.get_mut(lead) {
            lead.state = State::Pending { attempts: 0, not_before: None };
            lead.since = self.now;
        }
        self.event(EventKind::Arrived, None, 1, None);
        Ok(())
    }

    fn move_link(
        &mut self,
        lead: &SourcePk,
        to: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        if self.links.get(lead).is_some_and(|link| link.person == *to) {
            return Err(conflict(lead, "it is linked to that person already"));
        }
        self.end_link(lead, decider)?;
        self.make_link(lead, to, decider);
        Ok(())
    }

    fn link_history(&mut self, lead: &SourcePk) -> Result<Vec<LinkHistoryRow>, StoreError> {
        Ok(self.link_history.get(lead).cloned().unwrap_or_default())
    }
}
