//! Leases in memory.

use std::time::Duration;

use chrono::TimeDelta;

use super::kept::{InMemoryStore, Lead, Parked, State};
use crate::model::cursor::Cursor;
use crate::model::error::StoreError;
use crate::model::key::SourcePk;
use crate::model::lease::Lease;
use crate::model::resolver::{ClaimedLead, FailReason, Resolution};
use crate::model::work::{BatchRequest, BatchSummary};
use crate::store::leases::LeaseStore;
use crate::worker::storable;

impl InMemoryStore {
    /// Gives the leads that a token still holds.
    fn held(&mut self, token: i64) -> Vec<(&SourcePk, &mut Lead)> {
        let holds = |state: &State| matches!(state, State::Pending { parked: Some(parked), .. } if parked.token == Some(token));
        self.leads.iter_mut().filter(|(_, lead)| holds(&lead.state)).collect()
    }
}

impl LeaseStore for InMemoryStore {
    fn lease(
        &mut self,
        batch: &BatchRequest<'_>,
        ttl: Duration,
        cursor: &mut Cursor,
    ) -> Result<Option<Lease>, StoreError> {
        self.promote();
        let (_, claimed) = self.claim(batch, cursor);
        if claimed.is_empty() {
            return Ok(None);
        }
        let used_up = |lead: &ClaimedLead| lead.attempts >= batch.options.max_attempts;
        let open = claimed.iter().filter_map(|(_, pk)| self.claimed(pk));
        let open: Vec<ClaimedLead> = open.filter(|lead| !used_up(lead)).collect();
        self.last_token += 1;
        let until = self.now + TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
        for (_, pk) in &claimed {
            if let Some(lead) = self.leads.get_mut(pk)
                && let State::Pending { attempts, parked } = &mut lead.state
            {
                *attempts += 1;
                let token = Some(self.last_token);
                *parked = Some(Parked { not_before: until, token, message: None });
            }
        }
        Ok(Some(Lease::new(self.last_token, claimed.len() as u64, until, open)))
    }

    fn renew(&mut self, lease: &mut Lease, ttl: Duration) -> Result<u64, StoreError> {
        let until = self.now + TimeDelta::from_std(ttl).unwrap_or(TimeDelta::MAX);
        let mut kept = 0;
        for (_, lead) in self.held(lease.token()) {
            if let State::Pending { parked: Some(parked), .. } = &mut lead.state {
                parked.not_before = until;
                kept += 1;
            }
        }
        lease.prolong(until);
        Ok(kept)
    }

    fn settle(
        &mut self,
        batch: &BatchRequest<'_>,
        lease: &Lease,
        answers: &[Resolution],
    ) -> Result<BatchSummary, StoreError> {
        let leads = lease.leads();
        if answers.len() != leads.len() {
            return Err(StoreError::ResolutionCount { wanted: leads.len(), given: answers.len() });
        }
        let mut ours = Vec::new();
        for (pk, lead) in self.held(lease.token()) {
            if let State::Pending { attempts, parked } = &mut lead.state {
                *attempts -= 1;
                *parked = None;
                ours.push(pk.clone());
            }
        }
        let lost_leases = lease.claimed() - ours.len() as u64;
        let mut summary =
            BatchSummary { claimed: lease.claimed(), lost_leases, ..BatchSummary::default() };
        let now = self.now;
        for pk in ours {
            if let Some(at) = leads.iter().position(|lead| lead.source_pk == pk) {
                self.settle(&leads[at], storable(answers[at].clone()), batch, &mut summary);
            } else if let Some(lead) = self.leads.get_mut(&pk)
                && let State::Pending { attempts, .. } = lead.state
            {
                if self.left.contains(&pk) {
                    let run_id = Some(batch.run);
                    lead.state = State::Withdrawn { attempts, run_id, cancelled: false };
                    lead.since = now;
                    summary.withdrawn += 1;
                    continue;
                }
                lead.fail_as_error(attempts, batch.run, "every attempt ended without an answer");
                lead.since = now;
                *summary.failed.entry(FailReason::Error).or_default() += 1;
            }
        }
        self.tell(batch.run, &summary);
        Ok(summary)
    }

    fn give_back(&mut self, lease: &Lease) -> Result<u64, StoreError> {
        let mut given = 0;
        for (_, lead) in self.held(lease.token()) {
            if let State::Pending { attempts, parked } = &mut lead.state {
                *attempts -= 1;
                *parked = None;
                given += 1;
            }
        }
        Ok(given)
    }
}
