//! Links by hand in memory.

use super::kept::{InMemoryStore, Lead, Link, State};
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::ledger::EventKind;
use crate::model::links::{Decider, LinkHistoryRow, MANUAL_RULE, RejectedPair};
use crate::store::links::LinkStore;

pub(super) fn conflict(lead: &SourcePk, reason: &str) -> StoreError {
    StoreError::Conflict { key: lead.to_string(), reason: reason.to_owned() }
}

impl InMemoryStore {
    pub(super) fn known(&self, lead: &SourcePk) -> Result<(), StoreError> {
        if self.leads.contains_key(lead) {
            return Ok(());
        }
        Err(StoreError::NotFound { what: "lead", key: lead.to_string() })
    }

    pub(super) fn end_link(
        &mut self,
        lead: &SourcePk,
        decider: Decider<'_>,
    ) -> Result<PersonKey, StoreError> {
        self.known(lead)?;
        let Some(link) = self.links.remove(lead) else {
            return Err(conflict(lead, "it is not linked"));
        };
        let ended = LinkHistoryRow::new(link.row(lead), self.now, decider.by, decider.reason);
        self.link_history.entry(lead.clone()).or_default().push(ended);
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
            evidence: Some(serde_json::json!({ "reason": decider.reason }).to_string()),
        };
        self.links.insert(pk.clone(), link);
        if let Some(lead) = self.leads.get_mut(pk) {
            lead.state = State::Matched { person: person.clone(), attempts: 0, run_id: None };
            lead.since = self.now;
        }
        self.mend_origin(person);
    }
}

impl LinkStore for InMemoryStore {
    fn link(
        &mut self,
        lead: &SourcePk,
        person: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        decider.check()?;
        self.known(lead)?;
        if self.links.contains_key(lead) {
            return Err(conflict(lead, "it is linked already; move the link instead"));
        }
        let was_open = self.leads.get(lead).is_some_and(Lead::is_open);
        self.make_link(lead, person, decider);
        if was_open {
            self.event(EventKind::Matched, None, 1, None);
        }
        Ok(())
    }

    fn unlink(&mut self, lead: &SourcePk, decider: Decider<'_>) -> Result<(), StoreError> {
        decider.check()?;
        self.end_link(lead, decider)?;
        self.leaks.remove(lead);
        if let Some(lead) = self.leads.get_mut(lead) {
            lead.state = Lead::pending();
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
        decider.check()?;
        if self.links.get(lead).is_some_and(|link| link.person == *to) {
            return Err(conflict(lead, "it is linked to that person already"));
        }
        self.end_link(lead, decider)?;
        self.make_link(lead, to, decider);
        Ok(())
    }

    fn reject_pair(
        &mut self,
        lead: &SourcePk,
        person: &PersonKey,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        decider.check()?;
        self.known(lead)?;
        if self.links.get(lead).is_some_and(|link| link.person == *person) {
            return Err(conflict(lead, "it is linked to that person; undo the link first"));
        }
        let version = self.leads.get(lead).and_then(|lead| lead.version.clone());
        let pair = RejectedPair::new(lead.clone(), person.clone(), self.now, decider);
        self.rejected.insert((lead.clone(), person.clone()), (pair, version));
        Ok(())
    }

    fn allow_pair(&mut self, lead: &SourcePk, person: &PersonKey) -> Result<bool, StoreError> {
        Ok(self.rejected.remove(&(lead.clone(), person.clone())).is_some())
    }

    fn rejected_pairs(&mut self, lead: Option<&SourcePk>) -> Result<Vec<RejectedPair>, StoreError> {
        let wanted = |pair: &&RejectedPair| lead.is_none_or(|lead| pair.source_pk == *lead);
        let now = |key: &SourcePk| self.leads.get(key).and_then(|lead| lead.version.as_ref());
        let told = |(pair, was): &(RejectedPair, Option<String>)| RejectedPair {
            holds: was.as_ref() == now(&pair.source_pk),
            ..pair.clone()
        };
        let pairs = self.rejected.values().filter(|(pair, _)| wanted(&pair));
        Ok(pairs.map(told).collect())
    }

    fn link_history(&mut self, lead: &SourcePk) -> Result<Vec<LinkHistoryRow>, StoreError> {
        Ok(self.link_history.get(lead).cloned().unwrap_or_default())
    }
}
