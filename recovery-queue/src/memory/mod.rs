//! The store in memory: the plainest implementation, always built, and the model of the others.

mod links;
mod seed;
mod snapshot;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::model::backlog::Backlog;
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::ledger::{EventKind, LedgerSlot};
use crate::model::options::{ClaimMode, SeedOptions};
use crate::model::resolver::{ClaimedLead, FailReason, Resolution, Resolver};
use crate::model::run::{NewRun, RunKind, RunOutcome, RunRecord};
use crate::model::work::{BatchRequest, BatchSummary, SeedSummary};
use crate::store::links::LinkHistoryRow;
use crate::store::{QueueStore, Snapshot};
use crate::worker::{Cursor, Position, resolve_isolated};

/// Where a lead stands, with what belongs to it there.
#[derive(Clone, Debug)]
enum State {
    Pending { attempts: u32, not_before: Option<DateTime<Utc>> },
    Matched { person: PersonKey, attempts: u32, run_id: Option<RunId> },
    Failed { reason: FailReason, attempts: u32, run_id: RunId, wake_keys: Vec<String> },
    Withdrawn { attempts: u32, run_id: RunId },
}

#[derive(Clone, Debug)]
#[allow(clippy::struct_field_names)] // named as the column is
struct Lead {
    id: i64,
    backlog: i64,
    priority: i32,
    lead_at: DateTime<Utc>,
    version: Option<String>,
    first_seen_at: DateTime<Utc>,
    since: DateTime<Utc>,
    state: State,
}

#[derive(Clone, Debug)]
struct Link {
    person: PersonKey,
    rule: String,
    confidence: String,
    decided_by: Option<String>,
    run_id: Option<RunId>,
    linked_at: DateTime<Utc>,
}

#[derive(Clone, Debug)]
struct Origin {
    lead: SourcePk,
    lead_at: DateTime<Utc>,
    since: DateTime<Utc>,
}

#[derive(Clone, Debug)]
struct Event {
    at: DateTime<Utc>,
    kind: EventKind,
    reason: Option<FailReason>,
    leads: u64,
    run_id: Option<RunId>,
}

/// Keeps the recovery queue in memory.
///
/// For tests, and for a backlog that need not outlive the process. It has no clock: the time is what
/// [`set_clock`](Self::set_clock) says, 1970 at first.
///
/// ```
/// use std::ops::ControlFlow;
/// use chrono::DateTime;
/// use recovery_queue::{
///     BacklogLead, ClaimedLead, FailReason, MemoryBacklog, MemoryStore, QueueStore, RecoverOptions, Resolution,
///     ResolveError, SeedOptions, Snapshot, SourcePk,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut store = MemoryStore::new();
/// let lead = BacklogLead::new(SourcePk::new("L-1")?, DateTime::UNIX_EPOCH);
/// store.seed(&MemoryBacklog::new("leads", [lead]), &SeedOptions::default())?;
/// let mut nobody = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
///     Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
/// };
/// let run = store.recover(&mut nobody, &RecoverOptions::default(), &mut |_| ControlFlow::Continue(()))?;
/// assert_eq!(run.failed_total(), 1);
/// assert_eq!(store.snapshot()?.reason_counts()?[&FailReason::NoCandidates], 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    now: DateTime<Utc>,
    backlogs: Vec<String>,
    leads: BTreeMap<SourcePk, Lead>,
    links: BTreeMap<SourcePk, Link>,
    link_history: BTreeMap<SourcePk, Vec<LinkHistoryRow>>,
    origins: BTreeMap<PersonKey, Origin>,
    ledger: Vec<Event>,
    runs: Vec<RunRecord>,
    leaks: BTreeMap<SourcePk, i64>,
}

impl MemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time that all further commands happen at.
    pub fn set_clock(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }

    fn event(
        &mut self,
        kind: EventKind,
        reason: Option<FailReason>,
        leads: u64,
        run_id: Option<RunId>,
    ) {
        if leads > 0 {
            self.ledger.push(Event { at: self.now, kind, reason, leads, run_id });
        }
    }

    /// Makes the origin of a person the first of the person's linked leads.
    fn mend_origin(&mut self, person: &PersonKey) {
        let first = self
            .links
            .iter()
            .filter(|(_, link)| link.person == *person)
            .filter_map(|(pk, _)| self.leads.get(pk).map(|lead| (lead.lead_at, lead.id, pk)))
            .min();
        match first {
            None => {
                self.origins.remove(person);
            }
            Some((lead_at, _, pk)) => {
                if self.origins.get(person).is_none_or(|origin| origin.lead != *pk) {
                    let origin = Origin { lead: pk.clone(), lead_at, since: self.now };
                    self.origins.insert(person.clone(), origin);
                }
            }
        }
    }

    fn backlog_size(&self) -> u64 {
        self.leads.values().filter(|lead| lead.is_open()).count() as u64
    }

    fn new_run(&mut self, run: &NewRun) -> RunId {
        let run_id = RunId(i64::try_from(self.runs.len()).unwrap_or(i64::MAX) + 1);
        self.runs.push(RunRecord {
            run_id,
            kind: run.kind,
            actor: run.actor.clone(),
            policy: run.policy.clone(),
            started_at: self.now,
            finished_at: None,
            outcome: None,
            backlog_before: self.backlog_size(),
            backlog_after: None,
            new_backlog_in: 0,
            events: BTreeMap::new(),
            failed: BTreeMap::new(),
            leads_per_second: None,
        });
        run_id
    }

    /// Ends the rest of the leads whose back-off is over.
    fn promote(&mut self) {
        for lead in self.leads.values_mut() {
            if let State::Pending { not_before, .. } = &mut lead.state {
                not_before.take_if(|at| *at <= self.now);
            }
        }
    }

    /// Claims the next leads of the backlog whose turn it is, with their keys.
    fn claim(
        &self,
        batch: &BatchRequest<'_>,
        cursor: &mut Cursor,
    ) -> (i64, Vec<(Position, SourcePk)>) {
        let wanted = |name: &str| batch.options.backlog.as_deref().is_none_or(|only| only == name);
        let ids = (0_i64..).zip(&self.backlogs).filter(|(_, name)| wanted(name)).map(|(id, _)| id);
        for backlog in cursor.in_turn(ids.collect()) {
            let after = cursor.position(backlog);
            let mut found: Vec<(Position, SourcePk)> = self
                .leads
                .iter()
                .filter(|(_, lead)| lead.backlog == backlog)
                .filter(|(_, lead)| match lead.state {
                    State::Pending { not_before, .. } => not_before.is_none_or(|at| at <= self.now),
                    _ => false,
                })
                .map(|(pk, lead)| (lead.position(), pk.clone()))
                .filter(|(position, _)| *position > after)
                .collect();
            found.sort_unstable();
            found.truncate(batch.size as usize);
            if let Some((last, _)) = found.last() {
                cursor.advance(backlog, *last);
                return (backlog, found);
            }
        }
        (0, Vec::new())
    }

    fn settle(
        &mut self,
        pk: &SourcePk,
        answer: Resolution,
        batch: &BatchRequest<'_>,
        summary: &mut BatchSummary,
    ) {
        let now = self.now;
        let Some(lead) = self.leads.get_mut(pk) else { return };
        let State::Pending { attempts, .. } = lead.state else { return };
        match answer {
            Resolution::Matched(found) => {
                lead.state = State::Matched {
                    person: found.person_key.clone(),
                    attempts,
                    run_id: Some(batch.run),
                };
                lead.since = now;
                self.links.insert(
                    pk.clone(),
                    Link {
                        person: found.person_key.clone(),
                        rule: found.rule,
                        confidence: found.confidence,
                        decided_by: None,
                        run_id: Some(batch.run),
                        linked_at: now,
                    },
                );
                self.mend_origin(&found.person_key);
                summary.matched += 1;
            }
            Resolution::Unmatched { reason, wake_keys, .. } => {
                lead.state = State::Failed { reason, attempts, run_id: batch.run, wake_keys };
                lead.since = now;
                *summary.failed.entry(reason).or_default() += 1;
            }
            Resolution::Error { .. } => {
                let attempts = attempts + 1;
                if attempts >= batch.options.max_attempts {
                    let (reason, run_id) = (FailReason::Error, batch.run);
                    lead.state = State::Failed { reason, attempts, run_id, wake_keys: Vec::new() };
                    lead.since = now;
                    *summary.failed.entry(reason).or_default() += 1;
                } else {
                    let rest = batch.options.backoff.delay(pk.as_str(), attempts);
                    let not_before = now + chrono::TimeDelta::from_std(rest).unwrap_or_default();
                    lead.state = State::Pending { attempts, not_before: Some(not_before) };
                    lead.since = now;
                    summary.retried += 1;
                }
            }
        }
    }
}

impl Lead {
    fn position(&self) -> Position {
        Position {
            priority: i64::from(self.priority),
            lead_at: self.lead_at.timestamp_micros(),
            lead_id: self.id,
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Pending { .. } | State::Failed { .. })
    }
}

impl QueueStore for MemoryStore {
    fn seed(
        &mut self,
        backlog: &dyn Backlog,
        options: &SeedOptions,
    ) -> Result<SeedSummary, StoreError> {
        seed::seed(self, backlog, options)
    }

    fn open_run(&mut self, run: &NewRun) -> Result<RunId, StoreError> {
        let run_id = self.new_run(run);
        if run.kind == RunKind::Recover {
            let persons: Vec<PersonKey> =
                self.links.values().map(|link| link.person.clone()).collect();
            for person in persons {
                self.mend_origin(&person);
            }
        }
        Ok(run_id)
    }

    fn recover_batch(
        &mut self,
        batch: &BatchRequest<'_>,
        cursor: &mut Cursor,
        resolver: &mut dyn Resolver,
    ) -> Result<BatchSummary, StoreError> {
        // One caller at a time owns the store: a lease adds nothing here.
        let (ClaimMode::Transaction | ClaimMode::Lease { .. }) = batch.options.claim;
        self.promote();
        let mut ahead = cursor.clone();
        let (_, claimed) = self.claim(batch, &mut ahead);
        let open: Vec<ClaimedLead> = claimed
            .iter()
            .filter_map(|(_, pk)| {
                let lead = self.leads.get(pk)?;
                let State::Pending { attempts, .. } = lead.state else { return None };
                Some(ClaimedLead {
                    source_pk: pk.clone(),
                    lead_at: lead.lead_at,
                    lead_version: lead.version.clone(),
                    attempts,
                })
            })
            .collect();
        let answers = resolve_isolated(resolver, &open)?;
        let mut summary = BatchSummary { claimed: claimed.len() as u64, ..BatchSummary::default() };
        for (lead, answer) in open.iter().zip(answers) {
            self.settle(&lead.source_pk, answer, batch, &mut summary);
        }
        self.event(EventKind::Matched, None, summary.matched, Some(batch.run));
        for (reason, leads) in summary.failed.clone() {
            self.event(EventKind::Failed, Some(reason), leads, Some(batch.run));
        }
        self.event(EventKind::Retried, None, summary.retried, Some(batch.run));
        *cursor = ahead;
        Ok(summary)
    }

    fn close_run(&mut self, run: RunId, outcome: RunOutcome) -> Result<(), StoreError> {
        let (now, size) = (self.now, self.backlog_size());
        let Some(record) = self.runs.iter_mut().find(|record| record.run_id == run) else {
            return Err(StoreError::NotFound { what: "run", key: run.to_string() });
        };
        record.finished_at = Some(now);
        record.outcome = Some(outcome);
        record.backlog_after = Some(size);
        (record.events, record.failed, record.new_backlog_in) = Default::default();
        for event in &self.ledger {
            let own = event.run_id == Some(run);
            if own {
                *record.events.entry(event.kind.code().to_owned()).or_default() += event.leads;
            }
            if let (true, EventKind::Failed, Some(reason)) = (own, event.kind, event.reason) {
                *record.failed.entry(reason).or_default() += event.leads;
            }
            let arrival = matches!(event.kind, EventKind::Arrived | EventKind::Opening);
            if arrival && (own || event.at > record.started_at) {
                record.new_backlog_in += event.leads;
            }
        }
        Ok(())
    }

    fn wake(&mut self, keys: &[String]) -> Result<u64, StoreError> {
        let now = self.now;
        let mut woken = 0;
        for lead in self.leads.values_mut() {
            if let State::Failed { wake_keys, .. } = &lead.state
                && wake_keys.iter().any(|key| keys.contains(key))
            {
                lead.state = State::Pending { attempts: 0, not_before: None };
                lead.since = now;
                woken += 1;
            }
        }
        self.event(EventKind::Reopened, None, woken, None);
        Ok(woken)
    }

    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(snapshot::MemorySnapshot::new(self)))
    }
}

fn slot(event: &Event) -> LedgerSlot {
    LedgerSlot::new(event.at, event.kind, event.reason, event.leads)
}
