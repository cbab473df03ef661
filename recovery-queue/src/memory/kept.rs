//! What the store in memory keeps: leads, links, events, reviews.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::model::cursor::{Cursor, Position};
use crate::model::evidence::Evidence;
use crate::model::key::{PersonKey, RunId, SourcePk};
use crate::model::lead::LeadAction;
use crate::model::ledger::{EventKind, LedgerSlot};
use crate::model::links::{LinkHistoryRow, RejectedPair};
use crate::model::resolver::{ClaimedLead, FailReason, Resolution};
use crate::model::review::{NewReviewPacket, Review, ReviewEffect, ReviewLoadRow, ReviewerChange};
use crate::model::rows::{LinkRow, Status};
use crate::model::run::RunRecord;
use crate::model::settlement::Settlement;
use crate::model::store_action::StoreAction;
use crate::model::work::{BatchRequest, BatchSummary};
/// Where a lead stands, with what belongs to it there.
#[derive(Clone, Debug)]
pub(super) enum State {
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
pub(super) struct Parked {
    pub(super) not_before: DateTime<Utc>,
    pub(super) token: Option<i64>,
    pub(super) message: Option<String>,
}

#[derive(Clone, Debug)]
#[allow(clippy::struct_field_names)] // named as the column is
pub(super) struct Lead {
    pub(super) id: i64,
    pub(super) backlog: i64,
    pub(super) priority: i32,
    pub(super) lead_at: DateTime<Utc>,
    pub(super) version: Option<String>,
    pub(super) first_seen_at: DateTime<Utc>,
    pub(super) since: DateTime<Utc>,
    pub(super) state: State,
}

#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) person: PersonKey,
    pub(super) rule: String,
    pub(super) confidence: String,
    pub(super) decided_by: Option<String>,
    pub(super) run_id: Option<RunId>,
    pub(super) linked_at: DateTime<Utc>,
    pub(super) evidence: Option<String>,
}

impl Link {
    pub(super) fn row(&self, lead: &SourcePk) -> LinkRow {
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
pub(super) struct Origin {
    pub(super) lead: SourcePk,
    pub(super) lead_at: DateTime<Utc>,
    pub(super) since: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: DateTime<Utc>,
    pub(super) kind: EventKind,
    pub(super) reason: Option<FailReason>,
    pub(super) leads: u64,
    pub(super) run_id: Option<RunId>,
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
    pub(super) now: DateTime<Utc>,
    pub(super) backlogs: Vec<String>,
    pub(super) leads: BTreeMap<SourcePk, Lead>,
    pub(super) links: BTreeMap<SourcePk, Link>,
    pub(super) link_history: BTreeMap<SourcePk, Vec<LinkHistoryRow>>,
    pub(super) origins: BTreeMap<PersonKey, Origin>,
    pub(super) ledger: Vec<Event>,
    pub(super) runs: Vec<RunRecord>,
    /// How long the ledger was when each run began.
    pub(super) run_starts: BTreeMap<RunId, usize>,
    pub(super) leaks: BTreeMap<SourcePk, i64>,
    pub(super) actions: BTreeMap<SourcePk, Vec<LeadAction>>,
    pub(super) store_actions: Vec<StoreAction>,
    /// Pairs that somebody has rejected, with the version that the lead's data was of.
    pub(super) rejected: BTreeMap<(SourcePk, PersonKey), (RejectedPair, Option<String>)>,
    pub(super) reviews: Reviews,
    /// Leads that have left their backlog since the last seed.
    pub(super) left: BTreeSet<SourcePk>,
    /// Persons who are gone.
    pub(super) gone: BTreeSet<PersonKey>,
    pub(super) marks: BTreeMap<String, u32>,
    pub(super) last_token: i64,
    pub(super) last_lead: i64,
    pub(super) last_run: i64,
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
    pub(super) fn latest(&self) -> DateTime<Utc> {
        let event = self.ledger.last().map(|event| event.at);
        let run = self.runs.last().map(|run| run.started_at);
        [event, run].into_iter().flatten().fold(self.now, DateTime::max)
    }

    pub(super) fn event(
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
    pub(super) fn mend_origin(&mut self, person: &PersonKey) {
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

    pub(super) fn backlog_size(&self) -> u64 {
        self.leads.values().filter(|lead| lead.is_open()).count() as u64
    }

    /// Ends the rest of the leads whose back-off or lease is over.
    pub(super) fn promote(&mut self) {
        for lead in self.leads.values_mut() {
            if let State::Pending { parked, .. } = &mut lead.state {
                parked.take_if(|parked| parked.not_before <= self.now);
            }
        }
    }

    /// Claims the next leads of the backlog whose turn it is, with their keys.
    pub(super) fn claim(
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
    pub(super) fn settle(
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
    pub(super) fn claimed(&self, pk: &SourcePk) -> Option<ClaimedLead> {
        let lead = self.leads.get(pk)?;
        let State::Pending { attempts, .. } = lead.state else { return None };
        let mut claimed = ClaimedLead::new(pk.clone(), lead.lead_at);
        claimed.lead_version.clone_from(&lead.version);
        claimed.attempts = attempts;
        claimed.rejected = self.rejected_for(pk, lead.version.as_ref());
        Some(claimed)
    }

    /// Gives the persons who are rejected for a lead whose data is of a version.
    pub(super) fn rejected_for(&self, lead: &SourcePk, version: Option<&String>) -> Vec<PersonKey> {
        let holds = |(pair, was): &&(RejectedPair, Option<String>)| {
            pair.source_pk == *lead && was.as_ref() == version
        };
        self.rejected.values().filter(holds).map(|(pair, _)| pair.person_key.clone()).collect()
    }

    /// Appends the events of a batch.
    pub(super) fn tell(&mut self, run: RunId, summary: &BatchSummary) {
        for (kind, reason, leads) in summary.events() {
            self.event(kind, reason, leads, Some(run));
        }
    }
}

impl Lead {
    /// Gives the lead up after technical errors.
    pub(super) fn fail_as_error(&mut self, attempts: u32, run_id: RunId, message: &str) {
        let evidence = Some(serde_json::json!({ "error": message }).to_string());
        let (reason, wake_keys) = (FailReason::Error, Vec::new());
        self.state = State::Failed { reason, attempts, run_id, wake_keys, evidence };
    }

    pub(super) fn pending() -> State {
        State::Pending { attempts: 0, parked: None }
    }

    pub(super) fn position(&self) -> Position {
        Position {
            priority: i64::from(self.priority),
            lead_at: self.lead_at.timestamp_micros(),
            lead_id: self.id,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Pending { .. } | State::Failed { .. })
    }
}

impl InMemoryStore {
    /// Makes failed leads pending again, `limit` at most, by the wake keys that they hold.
    pub(super) fn wake_where(&mut self, limit: u64, wakes: impl Fn(&[String]) -> bool) -> u64 {
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

pub(super) fn slot(event: &Event) -> LedgerSlot {
    LedgerSlot::new(event.at, event.kind, event.reason.clone(), event.leads)
}

/// What a store in memory keeps of reviews.
#[derive(Clone, Debug, Default)]
pub(super) struct Reviews {
    pub(super) reviewers: BTreeSet<String>,
    pub(super) changes: Vec<ReviewerChange>,
    pub(super) packets: Vec<(NewReviewPacket, DateTime<Utc>)>,
    /// The loads, without how many decisions are left of each.
    pub(super) loads: Vec<ReviewLoadRow>,
    pub(super) decided: Vec<Kept>,
}

/// One decision that was loaded.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Its load and its packet, by their places.
    pub(super) load: usize,
    pub(super) packet: usize,
    pub(super) review: Review,
    pub(super) fail_reason: Option<FailReason>,
    pub(super) decided_at: DateTime<Utc>,
    pub(super) effect: ReviewEffect,
    pub(super) before: Option<Before>,
}

/// Where a lead stood before a decision was applied, and whom it rejected.
#[derive(Clone, Debug)]
pub(super) struct Before {
    pub(super) state: State,
    pub(super) since: DateTime<Utc>,
    pub(super) rejected: Vec<PersonKey>,
}
