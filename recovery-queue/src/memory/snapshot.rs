//! The consistent read in memory: the borrow is the isolation.

use chrono::{DateTime, Utc};

use super::kept::{InMemoryStore, Lead, State, slot};
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::ledger::LedgerSlot;
use crate::model::rows::{LinkRow, OriginRow, QueueRow, Status};
use crate::model::run::RunRecord;
use crate::store::Snapshot;

pub(super) struct InMemorySnapshot<'a>(&'a InMemoryStore);

impl<'a> InMemorySnapshot<'a> {
    pub(super) fn new(store: &'a InMemoryStore) -> Self {
        Self(store)
    }
}

impl InMemoryStore {
    /// Gives the lead's row of the recovery queue.
    pub(super) fn row(&self, pk: &SourcePk, lead: &Lead) -> QueueRow {
        let backlog = usize::try_from(lead.backlog).ok().and_then(|at| self.backlogs.get(at));
        let backlog = backlog.cloned().unwrap_or_default();
        let mut row = QueueRow::new(pk.clone(), backlog, Status::Pending, lead.lead_at, lead.since);
        row.first_seen_at = lead.first_seen_at;
        match &lead.state {
            State::Pending { attempts, parked } => {
                row.attempts = *attempts;
                row.not_before = parked.as_ref().map(|parked| parked.not_before);
            }
            State::Matched { person, attempts, run_id } => {
                row.attempts = *attempts;
                row.status = Status::Matched;
                row.person_key = Some(person.clone());
                row.run_id = *run_id;
            }
            State::Failed { reason, attempts, run_id, .. } => {
                row.status = Status::Failed;
                row.reason = Some(reason.clone());
                row.attempts = *attempts;
                row.run_id = Some(*run_id);
            }
            State::Withdrawn { attempts, run_id, .. } => {
                row.status = Status::Withdrawn;
                row.attempts = *attempts;
                row.run_id = *run_id;
            }
        }
        row
    }

    /// Gives the person's origin.
    pub(super) fn origin(&self, person: &PersonKey) -> Option<OriginRow> {
        let origin = self.origins.get(person)?;
        let (lead, at) = (origin.lead.clone(), origin.lead_at);
        Some(OriginRow::new(person.clone(), lead, at, origin.since))
    }
}

impl Snapshot for InMemorySnapshot<'_> {
    fn as_of(&self) -> DateTime<Utc> {
        self.0.latest()
    }

    fn queue(&mut self, each: &mut dyn FnMut(QueueRow)) -> Result<(), StoreError> {
        for (pk, lead) in &self.0.leads {
            let row = self.0.row(pk, lead);
            each(row);
        }
        Ok(())
    }

    fn links(&mut self, each: &mut dyn FnMut(LinkRow)) -> Result<(), StoreError> {
        for (pk, link) in &self.0.links {
            each(link.row(pk));
        }
        Ok(())
    }

    fn origins(&mut self, each: &mut dyn FnMut(OriginRow)) -> Result<(), StoreError> {
        self.0.origins.keys().filter_map(|person| self.0.origin(person)).for_each(each);
        Ok(())
    }

    fn ledger(
        &mut self,
        until: DateTime<Utc>,
        each: &mut dyn FnMut(LedgerSlot),
    ) -> Result<(), StoreError> {
        let mut slots: Vec<LedgerSlot> =
            self.0.ledger.iter().map(slot).filter(|slot| slot.start < until).collect();
        slots.sort_by_key(|slot| slot.start);
        slots.into_iter().for_each(each);
        Ok(())
    }

    fn runs(&mut self, limit: u32) -> Result<Vec<RunRecord>, StoreError> {
        Ok(self.0.runs.iter().rev().take(limit as usize).cloned().collect())
    }

    fn leaks(&mut self) -> Result<Vec<SourcePk>, StoreError> {
        Ok(self.0.leaks.keys().cloned().collect())
    }
}
