//! The store in memory: the plainest implementation, always built, and the model of the others.

mod leads;
mod leases;
mod links;
mod reviews;
mod runs;
mod seed;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::model::backlog::Backlog;
use crate::model::cursor::{Cursor, Position};
use crate::model::error::StoreError;
use crate::model::evidence::Evidence;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::lead::LeadAction;
use crate::model::ledger::{EventKind, LedgerSlot};
use crate::model::links::{LinkHistoryRow, RejectedPair};
use crate::model::options::SeedOptions;
use crate::model::resolver::{ClaimedLead, FailReason, Resolution, Resolver};
use crate::model::rows::{LinkRow, Status};
use crate::model::run::RunRecord;
use crate::model::settlement::Settlement;
use crate::model::store_action::StoreAction;
use crate::model::work::{BatchRequest, BatchSummary, SeedSummary};
use crate::store::leases::LeaseStore;
use crate::store::runs::RunStore;
use crate::store::{QueueStore, Snapshot};
use crate::worker::resolve_isolated;

/// Where a lead stands, with what belongs to it there.
#[derive(Clone, Debug)]
enum State {
    Pending {
        attempts: u32,
        parked: Option<Parked>,
    },
    Matched {
        person: PersonKey,
        attempts: u32,
        run_id: Option<RunId>,
    },
    Failed {
        reason: FailReason,
        attempts: u32,
        run_id: RunId,
        wake_keys: Vec<String>,
        evidence: Option<String>,
    },
    Withdrawn {
        attempts: u32,
        run_id: Option<RunId>,
        cancelled: bool,
    },
}

/// Why nobody may claim a pending lead yet: a back-off with what the error said, or a lease.
#[derive(Clone, Debug)]
struct Parked {
    not_before: DateTime<Utc>,
    token: Option<i64>,
    message: Option<String>,
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
    evidence: Option<String>,
}

impl Link {
    fn row(&self, lead: &SourcePk) -> LinkRow {
        LinkRow {
            source_pk: lead.clone(),
            person_key: self.person.clone(),
            rule: self.rule.clone(),
            confidence: self.confidence.clone(),
            decided_by: self.decided_by.clone(),
            run_id: self.run_id,
            linked_at: self.linked_at,
        }
    }
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

/// A recovery queue in memory.
///
/// For tests, and for a backlog that need not outlive the process. It has no clock: the time is what
/// [`set_clock`](Self::set_clock) says, 1970 at first.
///
/// ```
/// use chrono::DateTime;
/// use recovery_queue::{
///     BacklogLead, ClaimedLead, FailReason, InMemoryBacklog, InMemoryStore, QueueStore, Recover, RecoverOptions, Resolution,
///     ResolveError, SeedOptions, Snapshot, SourcePk,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut store = InMemoryStore::new();
/// let lead = BacklogLead::new(SourcePk::new("L-1")?, DateTime::UNIX_EPOCH);
/// store.seed(&InMemoryBacklog::new("leads", [lead]), &SeedOptions::default())?;
/// let mut nobody = |leads: &[ClaimedLead]| -> Result<Vec<Resolution>, ResolveError> {
///     Ok(leads.iter().map(|_| Resolution::unmatched(FailReason::NoCandidates)).collect())
/// };
/// let run = store.recover(&mut nobody, &RecoverOptions::default())?;
/// assert_eq!(run.failed_total(), 1);
/// assert_eq!(store.snapshot()?.reason_counts()?[&FailReason::NoCandidates], 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct InMemoryStore {
    now: DateTime<Utc>,
    backlogs: Vec<String>,
    leads: BTreeMap<SourcePk, Lead>,
    links: BTreeMap<SourcePk, Link>,
    link_history: BTreeMap<SourcePk, Vec<LinkHistoryRow>>,
    origins: BTreeMap<PersonKey, Origin>,
    ledger: Vec<Event>,
    runs: Vec<RunRecord>,
    /// How long the ledger was when each run began.
    run_starts: BTreeMap<RunId, usize>,
    leaks: BTreeMap<SourcePk, i64>,
    actions: BTreeMap<SourcePk, Vec<LeadAction>>,
    store_actions: Vec<StoreAction>,
    /// Pairs that somebody has rejected, with the version that the lead's data was of.
    rejected: BTreeMap<(SourcePk, PersonKey), (RejectedPair, Option<String>)>,
    reviews: reviews::Reviews,
    /// Leads that have left their backlog since the last seed.
    left: BTreeSet<SourcePk>,
    /// Persons who are gone.
    gone: BTreeSet<PersonKey>,
    marks: BTreeMap<String, u32>,
    last_token: i64,
    last_lead: i64,
    last_run: i64,
}

impl InMemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time that all further commands happen at.
    pub fn set_clock(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }

    /// Says that a lead has left its backlog since the last seed: the batch that settles it withdraws it.
    ///
    /// A store in a database looks at the backlog's view again by itself.
    pub fn leave_backlog(&mut self, lead: &SourcePk) {
        self.left.insert(lead.clone());
    }

    /// Says that a person is gone: no batch links a lead to the person any more.
    ///
    /// A store in a database looks at the view of persons that is recorded in it.
    pub fn remove_person(&mut self, person: &PersonKey) {
        self.gone.insert(person.clone());
    }

    /// Gives the time, or the latest instant that the store has seen where the clock has gone back behind it.
    fn latest(&self) -> DateTime<Utc> {
        let event = self.ledger.last().map(|event| event.at);
        let run = self.runs.last().map(|run| run.started_at);
        [event, run].into_iter().flatten().fold(self.now, DateTime::max)
    }

    fn event(
        &mut self,
        kind: EventKind,
        reason: Option<FailReason>,
        leads: u64,
        run_id: Option<RunId>,
    ) {
        if leads > 0 {
            self.ledger.push(Event { at: self.latest(), kind, reason, leads, run_id });
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

    /// Ends the rest of the leads whose back-off or lease is over.
    fn promote(&mut self) {
        for lead in self.leads.values_mut() {
            if let State::Pending { parked, .. } = &mut lead.state {
                parked.take_if(|parked| parked.not_before <= self.now);
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
                .filter(|(_, lead)| matches!(lead.state, State::Pending { parked: None, .. }))
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

    /// Writes one answer.
    fn settle(
        &mut self,
        claimed: &ClaimedLead,
        answer: Resolution,
        batch: &BatchRequest<'_>,
        summary: &mut BatchSummary,
    ) {
        let (now, pk) = (self.now, &claimed.source_pk);
        let Some(lead) = self.leads.get(pk) else { return };
        let rejected = self.rejected_for(pk, lead.version.as_ref());
        let is_rejected =
            matches!(&answer, Resolution::Matched(found) if rejected.contains(&found.person_key));
        let Some(lead) = self.leads.get_mut(pk) else { return };
        if !matches!(lead.state, State::Pending { .. }) {
            return;
        }
        let told = if self.left.contains(pk) {
            Settlement::withdrawn(claimed)
        } else if is_rejected {
            Settlement::rejected(claimed)
        } else if matches!(&answer, Resolution::Matched(found) if self.gone.contains(&found.person_key))
        {
            Settlement::person_gone(claimed)
        } else {
            Settlement::of(&answer, claimed, now, batch.options)
        };
        summary.count(&told);
        lead.since = now;
        let (attempts, run_id) = (told.attempts, batch.run);
        match answer {
            _ if told.status == Status::Withdrawn => {
                lead.state = State::Withdrawn { attempts, run_id: Some(run_id), cancelled: false };
            }
            Resolution::Matched(_) if told.status == Status::Failed => {
                let reason = told.reason.unwrap_or(FailReason::PersonGone);
                let wake_keys = Vec::new();
                lead.state = State::Failed { reason, attempts, run_id, wake_keys, evidence: None };
            }
            Resolution::Matched(found) => {
                let person = found.person_key;
                lead.state =
                    State::Matched { person: person.clone(), attempts, run_id: Some(run_id) };
                let link = Link {
                    person: person.clone(),
                    rule: found.rule,
                    confidence: found.confidence,
                    decided_by: None,
                    run_id: Some(run_id),
                    linked_at: now,
                    evidence: found.evidence.map(Evidence::into_string),
                };
                self.links.insert(pk.clone(), link);
                self.mend_origin(&person);
            }
            Resolution::Unmatched { reason, wake_keys, evidence } => {
                let evidence = evidence.map(Evidence::into_string);
                lead.state = State::Failed { reason, attempts, run_id, wake_keys, evidence };
            }
            Resolution::Error { message } | Resolution::Later { message, .. } => {
                match told.not_before {
                    None => lead.fail_as_error(attempts, run_id, &message),
                    Some(not_before) => {
                        let parked = Parked { not_before, token: None, message: Some(message) };
                        lead.state = State::Pending { attempts, parked: Some(parked) };
                    }
                }
            }
        }
    }

    /// Gives the lead as a resolver sees it; absent where it is not pending.
    fn claimed(&self, pk: &SourcePk) -> Option<ClaimedLead> {
        let lead = self.leads.get(pk)?;
        let State::Pending { attempts, .. } = lead.state else { return None };
        let mut claimed = ClaimedLead::new(pk.clone(), lead.lead_at);
        claimed.lead_version.clone_from(&lead.version);
        claimed.attempts = attempts;
        claimed.rejected = self.rejected_for(pk, lead.version.as_ref());
        Some(claimed)
    }

    /// Gives the persons who are rejected for a lead whose data is of a version.
    fn rejected_for(&self, lead: &SourcePk, version: Option<&String>) -> Vec<PersonKey> {
        let holds = |(pair, was): &&(RejectedPair, Option<String>)| {
            pair.source_pk == *lead && was.as_ref() == version
        };
        self.rejected.values().filter(holds).map(|(pair, _)| pair.person_key.clone()).collect()
    }

    /// Appends the events of a batch.
    fn tell(&mut self, run: RunId, summary: &BatchSummary) {
        for (kind, reason, leads) in summary.events() {
            self.event(kind, reason, leads, Some(run));
        }
    }
}

impl Lead {
    /// Gives the lead up after technical errors.
    fn fail_as_error(&mut self, attempts: u32, run_id: RunId, message: &str) {
        let evidence = Some(serde_json::json!({ "error": message }).to_string());
        let (reason, wake_keys) = (FailReason::Error, Vec::new());
        self.state = State::Failed { reason, attempts, run_id, wake_keys, evidence };
    }

    fn pending() -> State {
        State::Pending { attempts: 0, parked: None }
    }

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

impl InMemoryStore {
    /// Makes failed leads pending again, `limit` at most, by the wake keys that they hold.
    fn wake_where(&mut self, limit: u64, wakes: impl Fn(&[String]) -> bool) -> u64 {
        let now = self.now;
        let mut woken = 0;
        for lead in self.leads.values_mut() {
            if let State::Failed { wake_keys, .. } = &lead.state
                && woken < limit
                && wakes(wake_keys)
            {
                lead.state = Lead::pending();
                lead.since = now;
                woken += 1;
            }
        }
        self.event(EventKind::Reopened, None, woken, None);
        woken
    }
}

impl QueueStore for InMemoryStore {
    fn seed(
        &mut self,
        backlog: &dyn Backlog,
        options: &SeedOptions,
    ) -> Result<SeedSummary, StoreError> {
        seed::seed(self, backlog, options)
    }

    fn recover_batch(
        &mut self,
        batch: &BatchRequest<'_>,
        cursor: &mut Cursor,
        resolver: &mut dyn Resolver,
    ) -> Result<BatchSummary, StoreError> {
        self.promote();
        let mut ahead = cursor.clone();
        let (_, claimed) = self.claim(batch, &mut ahead);
        let mut summary = BatchSummary { claimed: claimed.len() as u64, ..BatchSummary::default() };
        let open: Vec<ClaimedLead> =
            claimed.iter().filter_map(|(_, pk)| self.claimed(pk)).collect();
        let answers = resolve_isolated(resolver, &open)?;
        for (lead, answer) in open.iter().zip(answers) {
            self.settle(lead, answer, batch, &mut summary);
        }
        self.tell(batch.run, &summary);
        *cursor = ahead;
        Ok(summary)
    }

    fn wake(&mut self, keys: &[String]) -> Result<u64, StoreError> {
        Ok(self.wake_where(u64::MAX, |held| held.iter().any(|key| keys.contains(key))))
    }

    fn wake_outdated(&mut self, reading: &str, limit: u32) -> Result<u64, StoreError> {
        let outdated = |held: &[String]| held.iter().any(|key| !key.starts_with(reading));
        Ok(self.wake_where(u64::from(limit), outdated))
    }

    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(snapshot::InMemorySnapshot::new(self)))
    }

    fn lease_store(&mut self) -> Option<&mut dyn LeaseStore> {
        Some(self)
    }

    fn run_store(&mut self) -> Option<&mut dyn RunStore> {
        Some(self)
    }
}

fn slot(event: &Event) -> LedgerSlot {
    LedgerSlot::new(event.at, event.kind, event.reason.clone(), event.leads)
}
