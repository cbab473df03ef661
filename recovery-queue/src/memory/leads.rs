//! What a person does by hand with single leads, in memory.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::kept::{InMemoryStore, Lead, Link, State};
use super::links::conflict;
use crate::model::error::StoreError;
use crate::model::inconsistency::{Inconsistency, InconsistencyKind};
use crate::model::key::{PersonKey, SourcePk};
use crate::model::lead::{
    Forget, Forgotten, LeadAction, LeadActionKind, LeadRecord, PersonRecord, Pruned, Reopen,
    Retention,
};
use crate::model::ledger::EventKind;
use crate::model::links::{Decider, LinkHistoryRow};
use crate::model::resolver::FailReason;
use crate::model::rows::QueueRow;
use crate::model::store_action::{StoreAction, StoreActionKind};
use crate::store::leads::LeadStore;
use crate::store::links::LinkStore as _;

/// What stands in the place of evidence that named somebody who was forgotten.
const FORGOTTEN: &str = r#"{"forgotten":true}"#;

impl InMemoryStore {
    fn known_lead(&self, key: &SourcePk) -> Result<&Lead, StoreError> {
        let unknown = || StoreError::NotFound { what: "lead", key: key.to_string() };
        self.leads.get(key).ok_or_else(unknown)
    }

    pub(super) fn act(&mut self, kind: LeadActionKind, key: &SourcePk, decider: Decider<'_>) {
        let mut action = LeadAction::new(kind, self.now, decider.by, decider.reason);
        if let Some(State::Failed { reason, .. }) = self.leads.get(key).map(|lead| &lead.state) {
            action.fail_reason = Some(reason.clone());
        }
        self.actions.entry(key.clone()).or_default().push(action);
    }

    /// Finds the leads to be tried again, in the order of their keys.
    fn to_reopen(&self, leads: &Reopen<'_>) -> Result<Vec<SourcePk>, StoreError> {
        let keys = match leads {
            Reopen::Keys(keys) => {
                let mut found = Vec::new();
                for key in *keys {
                    match self.known_lead(key)?.state {
                        State::Matched { .. } => {
                            return Err(conflict(key, "it is matched; undo its link instead"));
                        }
                        State::Withdrawn { cancelled: false, .. } => {
                            return Err(conflict(key, "it has left its backlog"));
                        }
                        State::Pending { .. } => {}
                        _ => found.push(key.clone()),
                    }
                }
                found.sort_unstable();
                found.dedup();
                return Ok(found);
            }
            Reopen::Reason(wanted) => self.failed_where(|reason, _| reason == wanted),
            Reopen::OtherPolicyThan(policy) => self.failed_where(|_, run| {
                let run = self.runs.iter().find(|record| record.run_id.get() == run);
                run.and_then(|record| record.policy.as_deref()) != Some(*policy)
            }),
        };
        Ok(keys)
    }

    fn failed_where(&self, wanted: impl Fn(&FailReason, i64) -> bool) -> Vec<SourcePk> {
        let failed = |lead: &Lead| match &lead.state {
            State::Failed { reason, run_id, .. } => wanted(reason, run_id.get()),
            _ => false,
        };
        self.leads.iter().filter(|(_, lead)| failed(lead)).map(|(key, _)| key.clone()).collect()
    }

    /// Lists the leads that are linked to persons who are gone: all that can disagree in a store that nobody else writes to.
    fn linked_to_nobody(&self) -> Vec<SourcePk> {
        let gone = |link: &Link| self.gone.contains(&link.person);
        self.links.iter().filter(|(_, link)| gone(link)).map(|(key, _)| key.clone()).collect()
    }

    /// Replaces the evidence that names a key; gives how often.
    fn redact(&mut self, key: &str) -> u64 {
        let named = serde_json::json!(key).to_string();
        let failed = self.leads.values_mut().filter_map(|lead| match &mut lead.state {
            State::Failed { evidence, .. } => evidence.as_mut(),
            State::Pending { parked, .. } => parked.as_mut().and_then(|it| it.message.as_mut()),
            _ => None,
        });
        let links = self.links.values_mut().filter_map(|link| link.evidence.as_mut());
        let mut replaced = 0;
        for evidence in failed.chain(links).filter(|evidence| evidence.contains(&named)) {
            FORGOTTEN.clone_into(evidence);
            replaced += 1;
        }
        replaced
    }

    fn forget_lead(&mut self, key: &SourcePk) -> Result<Forgotten, StoreError> {
        if self.known_lead(key)?.is_open() {
            self.event(EventKind::Withdrawn, None, 1, None);
        }
        self.leads.remove(key);
        let mut done = Forgotten { rows: 1, ..Forgotten::default() };
        if let Some(link) = self.links.remove(key) {
            done.rows += 1;
            self.mend_origin(&link.person);
        }
        done.rows += self.link_history.remove(key).map_or(0, |rows| rows.len() as u64);
        done.rows += self.actions.remove(key).map_or(0, |rows| rows.len() as u64);
        let before = self.rejected.len();
        self.rejected.retain(|(lead, _), _| lead != key);
        done.rows += (before - self.rejected.len()) as u64;
        done.rows += u64::from(self.leaks.remove(key).is_some());
        done.rows += self.reviews.forget(Some(key), None);
        done.evidence = self.redact(key.as_str());
        Ok(done)
    }

    fn forget_person(&mut self, person: &PersonKey) -> Result<Forgotten, StoreError> {
        let former = |rows: &Vec<LinkHistoryRow>| rows.iter().any(|row| row.person_key == *person);
        let linked: Vec<SourcePk> = self
            .links
            .iter()
            .filter(|(_, link)| link.person == *person)
            .map(|(key, _)| key.clone())
            .collect();
        if linked.is_empty() && !self.link_history.values().any(former) {
            return Err(StoreError::NotFound { what: "person", key: person.to_string() });
        }
        let mut done = Forgotten { rows: 1, ..Forgotten::default() };
        for key in &linked {
            self.links.remove(key);
            self.leaks.remove(key);
            if let Some(lead) = self.leads.get_mut(key) {
                lead.state = Lead::pending();
                lead.since = self.now;
            }
        }
        done.rows += linked.len() as u64;
        done.reopened = linked.len() as u64;
        self.event(EventKind::Arrived, None, done.reopened, None);
        self.mend_origin(person);
        for rows in self.link_history.values_mut() {
            let before = rows.len();
            rows.retain(|row| row.person_key != *person);
            done.rows += (before - rows.len()) as u64;
        }
        let before = self.rejected.len();
        self.rejected.retain(|(_, rejected), _| rejected != person);
        done.rows += (before - self.rejected.len()) as u64;
        done.rows += self.reviews.forget(None, Some(person));
        done.evidence = self.redact(person.as_str());
        Ok(done)
    }
}

impl InMemoryStore {
    fn act_on_store(
        &mut self,
        kind: StoreActionKind,
        subject: String,
        rows: u64,
        decider: Decider<'_>,
    ) {
        let mut action = StoreAction::new(kind, subject, self.now, decider.by, decider.reason);
        action.rows = rows;
        self.store_actions.push(action);
    }
}

impl LeadStore for InMemoryStore {
    fn lead(&mut self, key: &SourcePk) -> Result<Option<LeadRecord>, StoreError> {
        let Some(lead) = self.leads.get(key) else { return Ok(None) };
        let mut record = LeadRecord::new(self.row(key, lead));
        let link = self.links.get(key);
        record.evidence = match &lead.state {
            State::Failed { evidence, .. } => evidence.clone(),
            State::Pending { parked, .. } => parked.as_ref().and_then(|it| it.message.clone()),
            State::Matched { .. } => link.and_then(|link| link.evidence.clone()),
            State::Withdrawn { .. } => None,
        };
        record.link = link.map(|link| link.row(key));
        record.origin = link.and_then(|link| self.origin(&link.person));
        record.former_links = self.link_history.get(key).cloned().unwrap_or_default();
        record.actions = self.actions.get(key).cloned().unwrap_or_default();
        Ok(Some(record))
    }

    fn person(&mut self, key: &PersonKey) -> Result<Option<PersonRecord>, StoreError> {
        let mut record = PersonRecord::new(key.clone());
        record.origin = self.origin(key);
        let linked = self.links.iter().filter(|(_, link)| link.person == *key);
        record.links = linked.map(|(lead, link)| link.row(lead)).collect();
        for (lead, rows) in &self.link_history {
            let former = rows.iter().filter(|row| row.person_key == *key);
            record.former_links.extend(former.map(|row| (lead.clone(), row.clone())));
        }
        record.former_links.sort_by(|a, b| (a.1.ended_at, &a.0).cmp(&(b.1.ended_at, &b.0)));
        let known = !record.links.is_empty() || !record.former_links.is_empty();
        Ok(known.then_some(record))
    }

    fn failed(
        &mut self,
        reason: Option<&FailReason>,
        after: Option<&SourcePk>,
        limit: u32,
    ) -> Result<Vec<QueueRow>, StoreError> {
        let wanted = |found: &FailReason, _: i64| reason.is_none_or(|wanted| wanted == found);
        let keys = self.failed_where(wanted).into_iter();
        let keys = keys.filter(|key| after.is_none_or(|after| key > after)).take(limit as usize);
        Ok(keys.filter_map(|key| Some(self.row(&key, self.leads.get(&key)?))).collect())
    }

    fn reopen_leads(&mut self, leads: Reopen<'_>, decider: Decider<'_>) -> Result<u64, StoreError> {
        decider.check()?;
        let keys = self.to_reopen(&leads)?;
        let (mut failed, mut cancelled) = (0, 0);
        for key in &keys {
            self.act(LeadActionKind::Reopened, key, decider);
            let Some(lead) = self.leads.get_mut(key) else { continue };
            match lead.state {
                State::Failed { .. } => failed += 1,
                _ => cancelled += 1,
            }
            lead.state = Lead::pending();
            lead.since = self.now;
        }
        self.event(EventKind::Reopened, None, failed, None);
        self.event(EventKind::Arrived, None, cancelled, None);
        Ok(failed + cancelled)
    }

    fn cancel(&mut self, leads: &[SourcePk], decider: Decider<'_>) -> Result<u64, StoreError> {
        decider.check()?;
        for key in leads {
            if matches!(self.known_lead(key)?.state, State::Matched { .. }) {
                return Err(conflict(key, "it is matched; undo its link instead"));
            }
        }
        let (mut done, mut open) = (0, 0);
        for key in leads {
            let state = self.known_lead(key)?.state.clone();
            let (attempts, was_open) = match state {
                State::Pending { attempts, .. } | State::Failed { attempts, .. } => {
                    (attempts, true)
                }
                State::Withdrawn { attempts, cancelled: false, .. } => (attempts, false),
                _ => continue,
            };
            self.act(LeadActionKind::Cancelled, key, decider);
            if let Some(lead) = self.leads.get_mut(key) {
                lead.state = State::Withdrawn { attempts, run_id: None, cancelled: true };
                lead.since = self.now;
            }
            done += 1;
            open += u64::from(was_open);
        }
        self.event(EventKind::Withdrawn, None, open, None);
        Ok(done)
    }

    fn forget(&mut self, whom: Forget<'_>, decider: Decider<'_>) -> Result<Forgotten, StoreError> {
        whom.check(decider)?;
        let done = match whom {
            Forget::Lead(key) => self.forget_lead(key),
            Forget::Person(key) => self.forget_person(key),
        }?;
        self.act_on_store(whom.kind(), String::new(), done.rows + done.evidence, decider);
        Ok(done)
    }

    fn inconsistencies(&mut self) -> Result<Vec<Inconsistency>, StoreError> {
        let keys = self.linked_to_nobody().iter().map(ToString::to_string).collect::<Vec<_>>();
        let found = Inconsistency::of(InconsistencyKind::PersonGone, keys);
        Ok(Some(found).filter(|found| found.count > 0).into_iter().collect())
    }

    fn reconcile(&mut self, decider: Decider<'_>) -> Result<Vec<Inconsistency>, StoreError> {
        decider.check()?;
        let found = self.inconsistencies()?;
        for key in self.linked_to_nobody() {
            self.unlink(&key, decider)?;
            let why = format!("{}: {}", InconsistencyKind::PersonGone, decider.reason);
            self.act(LeadActionKind::Reconciled, &key, Decider { reason: &why, ..decider });
        }
        Ok(found)
    }

    fn actions(&mut self) -> Result<Vec<StoreAction>, StoreError> {
        Ok(self.store_actions.clone())
    }

    fn record_forgotten(
        &mut self,
        whom: Forget<'_>,
        rows: u64,
        decider: Decider<'_>,
    ) -> Result<(), StoreError> {
        whom.check(decider)?;
        self.act_on_store(whom.kind(), String::new(), rows, decider);
        Ok(())
    }

    fn prune(&mut self, retention: Retention, decider: Decider<'_>) -> Result<Pruned, StoreError> {
        decider.check()?;
        let now = self.now;
        let over = |at: DateTime<Utc>, age: Option<Duration>| {
            age.and_then(|age| TimeDelta::from_std(age).ok())
                .and_then(|age| now.checked_sub_signed(age))
                .is_some_and(|before| at <= before)
        };
        let mut done = Pruned::default();
        let gone: Vec<SourcePk> = self
            .leads
            .iter()
            .filter(|(_, lead)| matches!(lead.state, State::Withdrawn { cancelled: false, .. }))
            .filter(|(_, lead)| over(lead.since, retention.withdrawn))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.forget_lead(&key)?;
            done.leads += 1;
        }
        for (key, link) in &mut self.links {
            let since = self.leads.get(key).map(|lead| lead.since);
            if since.is_some_and(|since| over(since, retention.evidence)) {
                done.evidence += u64::from(link.evidence.take().is_some());
            }
        }
        for rows in self.link_history.values_mut() {
            let before = rows.len();
            rows.retain(|row| !over(row.ended_at, retention.history));
            done.history += (before - rows.len()) as u64;
        }
        for rows in self.actions.values_mut() {
            let before = rows.len();
            rows.retain(|row| !over(row.at, retention.history));
            done.history += (before - rows.len()) as u64;
        }
        let before = self.runs.len();
        self.runs.retain(|run| !run.finished_at.is_some_and(|at| over(at, retention.runs)));
        done.runs = (before - self.runs.len()) as u64;
        if done.total() > 0 {
            let ages = retention.to_string();
            self.act_on_store(StoreActionKind::Pruned, ages, done.total(), decider);
        }
        Ok(done)
    }
}
