//! Cases given out to people, and their decisions applied and undone, in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::kept::{Before, InMemoryStore, Kept, Lead, Link, Reviews, State};
use super::links::conflict;
use crate::model::error::StoreError;
use crate::model::key::{PersonKey, SourcePk};
use crate::model::lead::LeadActionKind;
use crate::model::ledger::EventKind;
use crate::model::links::{Decider, MANUAL_RULE, RejectedPair};
use crate::model::resolver::FailReason;
use crate::model::review::judge::{self, Former, Known, KnownLead, KnownPacket, Taken};
use crate::model::review::{
    NewReviewPacket, Review, ReviewCase, ReviewDecision, ReviewEffect, ReviewLoad, ReviewLoadRow,
    ReviewReceipt, ReviewRow, ReviewUndone, ReviewerChange,
};
use crate::store::reviews::ReviewStore;

impl Kept {
    fn links(&self) -> bool {
        self.effect == ReviewEffect::Applied && self.review.decision.person().is_some()
    }

    fn opens(&self) -> bool {
        self.effect == ReviewEffect::Applied && self.review.decision.is_decided_anew()
    }
}

impl Before {
    fn was_open(&self) -> bool {
        !matches!(self.state, State::Withdrawn { .. })
    }
}

/// A place as the number that a database would have for it.
fn number(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

impl Reviews {
    /// Forgets what names a lead or a person; gives how many rows.
    pub(super) fn forget(&mut self, lead: Option<&SourcePk>, person: Option<&PersonKey>) -> u64 {
        let before = self.decided.len();
        self.decided.retain(|of| {
            lead != Some(&of.review.source_pk)
                && (person.is_none() || person != of.review.decision.person())
        });
        let mut rows = (before - self.decided.len()) as u64;
        for (packet, _) in &mut self.packets {
            let before = packet.cases.len();
            packet.cases.retain(|(pk, _)| lead != Some(pk));
            rows += (before - packet.cases.len()) as u64;
        }
        for of in self.decided.iter_mut().filter_map(|of| of.before.as_mut()) {
            of.rejected.retain(|key| Some(key) != person);
        }
        rows
    }

    /// Lists the decisions that were not undone, with their places.
    fn in_effect(&self) -> impl Iterator<Item = (usize, &Kept)> {
        self.decided.iter().enumerate().filter(|(_, of)| self.loads[of.load].undone_at.is_none())
    }
}

impl InMemoryStore {
    /// Collects what is known of the leads and packets of a load.
    fn known_of(&self, asked: &ReviewLoad) -> Known {
        let mut leads = HashMap::new();
        for (pk, lead) in &self.leads {
            let row = self.row(pk, lead);
            let fail_reason = row.reason.map(|reason| reason.code().to_owned());
            let (id, backlog_id, status) = (lead.id, lead.backlog, row.status);
            leads.insert(pk.to_string(), KnownLead { id, backlog_id, status, fail_reason });
        }
        let packets = self.reviews.packets.iter().enumerate().map(|(at, (packet, _))| {
            let (id, reviewer) = (number(at), packet.reviewer.clone());
            let reviews_needed = packet.reviews_needed;
            (packet.packet.clone(), KnownPacket { id, reviewer, reviews_needed })
        });
        let cases = self.reviews.packets.iter().enumerate().flat_map(|(at, (packet, _))| {
            packet.cases.iter().filter_map(move |(pk, fingerprint)| {
                Some(((number(at), self.leads.get(pk)?.id), fingerprint.clone()))
            })
        });
        let mut former: BTreeMap<i64, Vec<Former>> = BTreeMap::new();
        for (at, of) in self.reviews.in_effect() {
            let Some(lead) = self.leads.get(&of.review.source_pk) else { continue };
            former.entry(lead.id).or_default().push(Former {
                id: Some(number(at)),
                packet_id: number(of.packet),
                decision: judge::decided(&of.review.decision),
                decided_by: of.review.decided_by.clone(),
                effect: Some(of.effect),
                fingerprint: of.review.fingerprint.clone(),
            });
        }
        let mut rejected = BTreeSet::new();
        for pk in asked.reviews.iter().map(|review| &review.source_pk) {
            let Some(lead) = self.leads.get(pk) else { continue };
            for person in self.rejected_for(pk, lead.version.as_ref()) {
                rejected.insert((lead.id, person.to_string()));
            }
        }
        Known {
            reviewers: self.reviews.reviewers.clone(),
            leads,
            packets: packets.collect(),
            cases: cases.collect(),
            former,
            rejected,
        }
    }

    fn judged(&self, load: &ReviewLoad) -> Result<(ReviewReceipt, Vec<Taken>), StoreError> {
        judge::check_load(load)?;
        let judged = self.known_of(load).judge_all(load);
        let mut receipt = ReviewReceipt { unchanged: judged.unchanged, ..ReviewReceipt::default() };
        receipt.refused = judged.refused;
        let is_kept_out = load.strict && !receipt.refused.is_empty();
        Ok((receipt, if is_kept_out { Vec::new() } else { judged.taken }))
    }

    /// Applies one decision; gives where the lead stood.
    fn apply_review(
        &mut self,
        taken: &Taken,
        review: &Review,
        counted: &mut BTreeMap<EventKind, u64>,
        receipt: &mut ReviewReceipt,
    ) -> Option<Before> {
        let (now, pk) = (self.now, &review.source_pk);
        let by = match &taken.first {
            Some((_, first)) => format!("{first}, {}", review.decided_by),
            None => review.decided_by.clone(),
        };
        let word = review.decision.word();
        let comment = review.comment.trim();
        let why = if comment.is_empty() { word.to_owned() } else { format!("{word}: {comment}") };
        self.act(LeadActionKind::Reviewed, pk, Decider { by: &by, reason: &why });
        let lead = self.leads.get(pk)?;
        let version = lead.version.clone();
        let mut before =
            Before { state: lead.state.clone(), since: lead.since, rejected: Vec::new() };
        let rejects = match &review.decision {
            ReviewDecision::Later(_) => return None,
            ReviewDecision::NoneOfThese | ReviewDecision::NewPerson(_) => &review.candidates[..],
            _ => &[],
        };
        let holding = self.rejected_for(pk, version.as_ref());
        for key in rejects {
            if Some(key) == review.decision.person()
                || holding.contains(key)
                || before.rejected.contains(key)
            {
                continue;
            }
            let reason = if comment.is_empty() { word } else { &review.comment };
            let pair = RejectedPair::new(pk.clone(), key.clone(), now, Decider { by: &by, reason });
            self.rejected.insert((pk.clone(), key.clone()), (pair, version.clone()));
            before.rejected.push(key.clone());
        }
        receipt.rejected_pairs += before.rejected.len() as u64;
        let lead = self.leads.get_mut(pk)?;
        if let Some(person) = review.decision.person() {
            lead.state = State::Matched { person: person.clone(), attempts: 0, run_id: None };
            lead.since = now;
            let evidence = serde_json::json!({ "packet": review.packet, "reason": review.comment });
            let link = Link {
                person: person.clone(),
                rule: MANUAL_RULE.to_owned(),
                confidence: "manual".to_owned(),
                decided_by: Some(by),
                run_id: None,
                linked_at: now,
                evidence: Some(evidence.to_string()),
            };
            self.links.insert(pk.clone(), link);
            self.mend_origin(person);
            if before.was_open() {
                *counted.entry(EventKind::Matched).or_default() += 1;
            }
        } else if matches!(lead.state, State::Failed { .. }) {
            lead.state = Lead::pending();
            lead.since = now;
            *counted.entry(EventKind::Reopened).or_default() += 1;
        }
        Some(before)
    }

    /// Refuses to undo what was changed since.
    fn refuse_undo(&self, load: usize) -> Result<(), StoreError> {
        let own = || self.reviews.decided.iter().enumerate().filter(|(_, of)| of.load == load);
        for (at, of) in own() {
            let pk = &of.review.source_pk;
            let link = self.links.get(pk);
            if of.links() {
                let is_its = link.is_some_and(|link| {
                    Some(&link.person) == of.review.decision.person()
                        && link.linked_at == of.decided_at
                });
                if !is_its {
                    return Err(conflict(pk, "its link was changed since; nothing was undone"));
                }
            } else if of.effect == ReviewEffect::Applied
                && of.review.decision.corrected().is_some()
                && link.is_some()
            {
                return Err(conflict(
                    pk,
                    "it was matched since by what was corrected; undo its link first, nothing was undone",
                ));
            }
            let later = |(other, later): (usize, &Kept)| {
                other > at && later.load != load && later.review.source_pk == *pk
            };
            if self.reviews.in_effect().any(later) {
                return Err(conflict(pk, "it was decided again since; undo that load first"));
            }
        }
        Ok(())
    }

    /// Takes one decision of a load back.
    fn undo_review(
        &mut self,
        of: &Kept,
        decider: Decider<'_>,
        counted: &mut BTreeMap<(EventKind, Option<FailReason>), u64>,
        done: &mut ReviewUndone,
    ) {
        let pk = &of.review.source_pk;
        if of.effect == ReviewEffect::Applied {
            let why = format!("{}: {}", of.review.decision.word(), decider.reason);
            let failed = self.leads.get_mut(pk).map(|lead| lead.state.clone());
            // What is recorded names no reason, as the decision itself did.
            self.act(LeadActionKind::ReviewUndone, pk, Decider { reason: &why, ..decider });
            if matches!(failed, Some(State::Failed { .. }))
                && let Some(action) = self.actions.get_mut(pk).and_then(|all| all.last_mut())
            {
                action.fail_reason = None;
            }
        }
        let Some(before) = &of.before else { return };
        for key in &before.rejected {
            done.allowed_pairs +=
                u64::from(self.rejected.remove(&(pk.clone(), key.clone())).is_some());
        }
        if of.links() {
            if let Ok(person) = self.end_link(pk, decider) {
                self.leaks.remove(pk);
                self.mend_origin(&person);
            }
            done.unlinked += 1;
            if before.was_open() {
                *counted.entry((EventKind::Arrived, None)).or_default() += 1;
            }
        }
        let now = self.now;
        let Some(lead) = self.leads.get_mut(pk) else { return };
        if !of.links() && (!of.opens() || matches!(lead.state, State::Matched { .. })) {
            return;
        }
        done.restored += 1;
        if !of.links() && matches!(lead.state, State::Failed { .. }) {
            // A run has decided it since, by what is no longer so.
            lead.state = Lead::pending();
            lead.since = now;
            *counted.entry((EventKind::Reopened, None)).or_default() += 1;
            return;
        }
        lead.state = before.state.clone();
        lead.since = before.since;
        if let State::Failed { reason, .. } = &before.state {
            *counted.entry((EventKind::Failed, Some(reason.clone()))).or_default() += 1;
        }
    }
}

impl ReviewStore for InMemoryStore {
    fn reviewers(&mut self) -> Result<Vec<String>, StoreError> {
        Ok(self.reviews.reviewers.iter().cloned().collect())
    }

    fn set_reviewer(
        &mut self,
        name: &str,
        may_decide: bool,
        decider: Decider<'_>,
    ) -> Result<bool, StoreError> {
        decider.check()?;
        judge::check_text("reviewer", name)?;
        let changed = if may_decide {
            self.reviews.reviewers.insert(name.to_owned())
        } else {
            self.reviews.reviewers.remove(name)
        };
        if changed {
            self.reviews.changes.push(ReviewerChange {
                name: name.to_owned(),
                may_decide,
                changed_at: self.now,
                changed_by: decider.by.to_owned(),
                reason: decider.reason.to_owned(),
            });
        }
        Ok(changed)
    }

    fn reviewer_changes(&mut self) -> Result<Vec<ReviewerChange>, StoreError> {
        Ok(self.reviews.changes.clone())
    }

    fn review_loads(&mut self) -> Result<Vec<ReviewLoadRow>, StoreError> {
        let decided =
            |load: usize| self.reviews.decided.iter().filter(|of| of.load == load).count();
        let row = |(place, load): (usize, &ReviewLoadRow)| ReviewLoadRow {
            reviews: decided(place) as u64,
            ..load.clone()
        };
        Ok(self.reviews.loads.iter().enumerate().map(row).collect())
    }

    fn issue_review(&mut self, packet: &NewReviewPacket) -> Result<(), StoreError> {
        judge::check_packet(packet)?;
        for (lead, _) in &packet.cases {
            self.known(lead)?;
        }
        if self.reviews.packets.iter().all(|(known, _)| known.packet != packet.packet) {
            let mut packet = packet.clone();
            let mut seen = BTreeSet::new();
            packet.cases.retain(|(lead, _)| seen.insert(lead.clone()));
            self.reviews.packets.push((packet, self.now));
        }
        Ok(())
    }

    fn review_cases(&mut self) -> Result<Vec<ReviewCase>, StoreError> {
        let decided: BTreeSet<(usize, &SourcePk)> =
            self.reviews.in_effect().map(|(_, of)| (of.packet, &of.review.source_pk)).collect();
        let mut cases = Vec::new();
        for (at, (packet, issued_at)) in self.reviews.packets.iter().enumerate() {
            let mut own: Vec<(i64, ReviewCase)> = Vec::new();
            for (pk, fingerprint) in &packet.cases {
                let Some(lead) = self.leads.get(pk) else { continue };
                let case = ReviewCase {
                    source_pk: pk.clone(),
                    packet: packet.packet.clone(),
                    reviewer: packet.reviewer.clone(),
                    issued_at: *issued_at,
                    fingerprint: fingerprint.clone(),
                    reviews_needed: packet.reviews_needed,
                    lead_at: lead.lead_at,
                    fail_reason: self.row(pk, lead).reason,
                    open: lead.is_open(),
                    decided: decided.contains(&(at, pk)),
                };
                own.push((lead.id, case));
            }
            own.sort_by_key(|(id, _)| *id);
            cases.extend(own.into_iter().map(|(_, case)| case));
        }
        Ok(cases)
    }

    fn load_reviews(&mut self, load: &ReviewLoad) -> Result<ReviewReceipt, StoreError> {
        let (mut receipt, taken) = self.judged(load)?;
        if taken.is_empty() {
            return Ok(receipt);
        }
        judge::count(load, &taken, &mut receipt);
        let place = self.reviews.loads.len();
        self.reviews.loads.push(ReviewLoadRow {
            load: load.id(),
            loaded_at: self.now,
            loaded_by: load.by.clone(),
            reviews: 0,
            undone_at: None,
            undone_by: None,
        });
        let mut counted = BTreeMap::new();
        for one in &taken {
            let review = &load.reviews[one.at];
            let applied = one.effect == ReviewEffect::Applied;
            let before = if applied {
                receipt.applied.push(one.at);
                self.apply_review(one, review, &mut counted, &mut receipt)
            } else {
                None
            };
            // The first of two decisions becomes what the second makes of it.
            if one.first.is_some() {
                let becomes = if applied { ReviewEffect::Confirmed } else { one.effect };
                for first in &mut self.reviews.decided {
                    if first.review.source_pk == review.source_pk
                        && first.effect == ReviewEffect::Waiting
                    {
                        first.effect = becomes;
                    }
                }
            }
            self.reviews.decided.push(Kept {
                load: place,
                packet: usize::try_from(one.packet_id).unwrap_or_default(),
                review: review.clone(),
                fail_reason: one.fail_reason.as_deref().map(FailReason::stored),
                decided_at: self.now,
                effect: one.effect,
                before,
            });
        }
        for (kind, leads) in counted {
            self.event(kind, None, leads, None);
        }
        receipt.load = Some(load.id());
        Ok(receipt)
    }

    fn check_reviews(&mut self, load: &ReviewLoad) -> Result<ReviewReceipt, StoreError> {
        let (mut receipt, taken) = self.judged(load)?;
        judge::count(load, &taken, &mut receipt);
        Ok(receipt)
    }

    fn undo_reviews(
        &mut self,
        load: &str,
        decider: Decider<'_>,
    ) -> Result<ReviewUndone, StoreError> {
        decider.check()?;
        let found =
            self.reviews.loads.iter().rposition(|of| of.load == load && of.undone_at.is_none());
        let Some(place) = found else {
            return Err(StoreError::NotFound { what: "load of reviews", key: load.to_owned() });
        };
        self.refuse_undo(place)?;
        let own: Vec<Kept> =
            self.reviews.decided.iter().filter(|of| of.load == place).cloned().collect();
        let mut done = ReviewUndone { reviews: own.len() as u64, ..ReviewUndone::default() };
        let mut counted = BTreeMap::new();
        for of in &own {
            self.undo_review(of, decider, &mut counted, &mut done);
            // The first of two decisions waits for its second again.
            for other in &mut self.reviews.decided {
                let first = [ReviewEffect::Confirmed, ReviewEffect::Disagreeing];
                if other.load != place
                    && other.review.source_pk == of.review.source_pk
                    && first.contains(&other.effect)
                {
                    other.effect = ReviewEffect::Waiting;
                }
            }
        }
        self.reviews.loads[place].undone_at = Some(self.now);
        self.reviews.loads[place].undone_by = Some(decider.by.to_owned());
        for ((kind, reason), leads) in counted {
            self.event(kind, reason, leads, None);
        }
        Ok(done)
    }

    fn reviews(&mut self) -> Result<Vec<ReviewRow>, StoreError> {
        let row = |(_, of): (usize, &Kept)| {
            let (packet, issued_at) = &self.reviews.packets[of.packet];
            ReviewRow {
                source_pk: of.review.source_pk.clone(),
                packet: packet.packet.clone(),
                load: self.reviews.loads[of.load].load.clone(),
                decision: of.review.decision.word().to_owned(),
                person_key: of.review.decision.person().cloned(),
                until: of.review.decision.until(),
                decided_by: of.review.decided_by.clone(),
                comment: of.review.comment.clone(),
                fail_reason: of.fail_reason.clone(),
                decided_at: of.decided_at,
                issued_at: *issued_at,
                effect: of.effect,
                reviews_needed: packet.reviews_needed,
            }
        };
        Ok(self.reviews.in_effect().map(row).collect())
    }
}
