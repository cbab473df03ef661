//! What follows for each decision of a load from what a store knows: the same on every backend.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    NewReviewPacket, Review, ReviewDecision, ReviewEffect, ReviewLoad, ReviewReceipt, ReviewRefusal,
};
use crate::model::error::{ConfigError, StoreError};
use crate::model::key::PersonKey;
use crate::model::rows::Status;

/// A decision that is taken, with what it becomes.
pub(crate) struct Taken {
    /// Its place in the load.
    pub(crate) at: usize,
    pub(crate) packet_id: i64,
    #[cfg_attr(not(any(feature = "sqlite", feature = "postgres")), allow(dead_code))]
    // read by the stores in SQL
    pub(crate) lead_id: i64,
    #[cfg_attr(not(any(feature = "sqlite", feature = "postgres")), allow(dead_code))]
    // read by the stores in SQL
    pub(crate) backlog_id: i64,
    pub(crate) fail_reason: Option<String>,
    pub(crate) effect: ReviewEffect,
    /// The first of two decisions: the id of its row, none where it stands in the same load; and who made it.
    pub(crate) first: Option<(Option<i64>, String)>,
}

/// A load, judged.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) taken: Vec<Taken>,
    pub(crate) refused: Vec<(usize, ReviewRefusal)>,
    pub(crate) unchanged: u64,
}

/// A lead that a load decides.
pub(crate) struct KnownLead {
    pub(crate) id: i64,
    pub(crate) backlog_id: i64,
    pub(crate) status: Status,
    pub(crate) fail_reason: Option<String>,
}

/// A packet that was given out.
pub(crate) struct KnownPacket {
    pub(crate) id: i64,
    pub(crate) reviewer: Option<String>,
    pub(crate) reviews_needed: u8,
}

/// What the store knows of the leads and packets of a load.
pub(crate) struct Known {
    pub(crate) reviewers: BTreeSet<String>,
    pub(crate) leads: HashMap<String, KnownLead>,
    pub(crate) packets: HashMap<String, KnownPacket>,
    /// By packet and lead.
    pub(crate) cases: HashMap<(i64, i64), String>,
    /// Earlier decisions by lead, oldest first, those of the load that were taken behind them.
    pub(crate) former: BTreeMap<i64, Vec<Former>>,
    /// Persons who are rejected, by lead.
    pub(crate) rejected: BTreeSet<(i64, String)>,
}

/// What two decisions are compared by.
#[derive(PartialEq, Eq)]
pub(crate) struct Decided {
    pub(crate) word: String,
    pub(crate) person: Option<String>,
    pub(crate) until: Option<i64>,
    pub(crate) corrected: Option<String>,
}

/// An earlier decision of a lead.
pub(crate) struct Former {
    /// None where it stands in the same load.
    pub(crate) id: Option<i64>,
    pub(crate) packet_id: i64,
    pub(crate) decision: Decided,
    pub(crate) decided_by: String,
    pub(crate) effect: Option<ReviewEffect>,
    pub(crate) fingerprint: String,
}

impl Known {
    /// Finds the decisions of a load that contradict one another, by their places: none of them is to win by its place.
    ///
    /// Of one case every two that differ; of one lead those that differ, unless two reviewers are to decide it or one puts
    /// it off.
    fn contradictions(&self, load: &ReviewLoad) -> BTreeSet<usize> {
        let mut groups: BTreeMap<(i64, Option<i64>), Vec<usize>> = BTreeMap::new();
        for (at, review) in load.reviews.iter().enumerate() {
            let Some(packet) = self.packets.get(&review.packet) else { continue };
            let Some(of) = self.leads.get(review.source_pk.as_str()).map(|row| row.id) else {
                continue;
            };
            // What was loaded before is history.
            let mut former = self.former.get(&of).into_iter().flatten();
            if former.any(|former| former.packet_id == packet.id) {
                continue;
            }
            groups.entry((of, Some(packet.id))).or_default().push(at);
            if packet.reviews_needed < 2 && review.decision.until().is_none() {
                groups.entry((of, None)).or_default().push(at);
            }
        }
        let differ = |places: &Vec<usize>| {
            let decision = |at: usize| &load.reviews[at].decision;
            places.iter().any(|at| decision(*at) != decision(places[0]))
        };
        groups.into_values().filter(differ).flatten().collect()
    }

    /// Judges every decision of a load, in its order.
    pub(crate) fn judge_all(mut self, load: &ReviewLoad) -> Judged {
        let mut judged = Judged::default();
        let contradictions = self.contradictions(load);
        for (at, review) in load.reviews.iter().enumerate() {
            match self.judge(at, review, contradictions.contains(&at)) {
                Ok(Some(taken)) => judged.taken.push(taken),
                Ok(None) => judged.unchanged += 1,
                Err(refusal) => judged.refused.push((at, refusal)),
            }
        }
        judged
    }

    /// Judges one decision: what it becomes, nothing where it was loaded before, or why it is refused.
    fn judge(
        &mut self,
        at: usize,
        review: &Review,
        contradicted: bool,
    ) -> Result<Option<Taken>, ReviewRefusal> {
        let packet = self.packets.get(&review.packet).ok_or(ReviewRefusal::UnknownPacket)?;
        let lead = self.leads.get(review.source_pk.as_str()).ok_or(ReviewRefusal::UnknownCase)?;
        let shown = self.cases.get(&(packet.id, lead.id)).ok_or(ReviewRefusal::UnknownCase)?;
        let former = self.former.entry(lead.id).or_default();
        let decision = decided(&review.decision);
        if let Some(same) = former.iter().find(|former| former.packet_id == packet.id) {
            if same.decision == decision && same.decided_by == review.decided_by {
                return Ok(None);
            }
            let twice = same.id.is_none();
            return Err(if twice { ReviewRefusal::Twice } else { ReviewRefusal::Decided });
        }
        if !self.reviewers.is_empty() && !self.reviewers.contains(&review.decided_by) {
            return Err(ReviewRefusal::NotAReviewer);
        }
        if packet.reviewer.as_ref().is_some_and(|name| *name != review.decided_by) {
            return Err(ReviewRefusal::OtherReviewer);
        }
        match lead.status {
            Status::Matched => return Err(ReviewRefusal::Matched),
            // A claim takes its lead out of the backlog itself.
            Status::Withdrawn if packet.reviews_needed > 0 => return Err(ReviewRefusal::Withdrawn),
            _ => {}
        }
        if *shown != review.fingerprint {
            return Err(ReviewRefusal::Changed);
        }
        let person = review.decision.person().map(PersonKey::as_str);
        if person.is_some_and(|person| self.rejected.contains(&(lead.id, person.to_owned()))) {
            return Err(ReviewRefusal::Rejected);
        }
        let puts_off = matches!(review.decision, ReviewDecision::Later(_));
        let settles = |former: &Former| {
            former.id.is_none()
                && former.decision.until.is_none()
                && former.effect == Some(ReviewEffect::Applied)
        };
        if contradicted || !puts_off && former.iter().any(settles) {
            return Err(ReviewRefusal::Twice);
        }
        let mut taken = Taken {
            at,
            packet_id: packet.id,
            lead_id: lead.id,
            backlog_id: lead.backlog_id,
            fail_reason: lead.fail_reason.clone(),
            effect: ReviewEffect::Applied,
            first: None,
        };
        if packet.reviews_needed > 1 && !puts_off {
            let first = former.iter().find(|former| {
                former.effect == Some(ReviewEffect::Waiting)
                    && former.fingerprint == review.fingerprint
            });
            match first {
                None => taken.effect = ReviewEffect::Waiting,
                // One person is not two.
                Some(first) if first.decided_by == review.decided_by => {
                    return Err(ReviewRefusal::Decided);
                }
                Some(first) => {
                    if first.decision != decision {
                        taken.effect = ReviewEffect::Disagreeing;
                    }
                    taken.first = Some((first.id, first.decided_by.clone()));
                }
            }
        }
        former.push(Former {
            id: None,
            packet_id: packet.id,
            decision,
            decided_by: review.decided_by.clone(),
            effect: Some(taken.effect),
            fingerprint: review.fingerprint.clone(),
        });
        Ok(Some(taken))
    }
}

/// Gives what two decisions are compared by.
pub(crate) fn decided(decision: &ReviewDecision) -> Decided {
    Decided {
        word: decision.word().to_owned(),
        person: decision.person().map(|person| person.as_str().to_owned()),
        until: decision.until().map(|until| until.timestamp_micros()),
        corrected: decision.corrected().map(str::to_owned),
    }
}

/// Counts what a load would do.
pub(crate) fn count(load: &ReviewLoad, taken: &[Taken], receipt: &mut ReviewReceipt) {
    for one in taken {
        let place = match (one.effect, &load.reviews[one.at].decision) {
            (ReviewEffect::Waiting, _) => &mut receipt.waiting,
            (ReviewEffect::Disagreeing, _) => &mut receipt.disagreeing,
            (_, ReviewDecision::Link(_)) => &mut receipt.linked,
            (_, ReviewDecision::NewPerson(_)) => &mut receipt.new_persons,
            (_, ReviewDecision::NoneOfThese) => &mut receipt.none_of_these,
            (_, ReviewDecision::Later(_)) => &mut receipt.later,
            (_, ReviewDecision::Corrected(_)) => &mut receipt.corrected,
        };
        *place += 1;
    }
}

/// Checks a text that is kept: a name, a packet's key.
pub(crate) fn check_text(what: &'static str, text: &str) -> Result<(), ConfigError> {
    if text.trim().is_empty() || text.contains('\0') || text.len() > 500 {
        return Err(ConfigError::new(
            what,
            text.chars().take(40).collect::<String>(),
            "it is blank, too long or holds a NUL byte",
            "give up to 500 bytes",
        ));
    }
    Ok(())
}

/// Checks a packet that is given out.
pub(crate) fn check_packet(packet: &NewReviewPacket) -> Result<(), StoreError> {
    check_text("review packet", &packet.packet)?;
    check_text("who gives a review packet out", &packet.issued_by)?;
    packet.reviewer.as_deref().map_or(Ok(()), |name| check_text("reviewer", name))?;
    if packet.reviews_needed > 2 {
        return Err(ConfigError::new(
            "number of reviewers",
            packet.reviews_needed.to_string(),
            "one or two reviewers decide a case",
            "give 1 or 2; 0 for decisions that nobody was asked for",
        )
        .into());
    }
    Ok(())
}

/// Checks the texts of a load.
pub(crate) fn check_load(load: &ReviewLoad) -> Result<(), StoreError> {
    check_text("who loads reviews", &load.by)?;
    for review in &load.reviews {
        check_text("reviewer", &review.decided_by)?;
        if review.comment.contains('\0') || review.comment.len() > 2000 {
            return Err(StoreError::Conflict {
                key: review.source_pk.to_string(),
                reason: "its comment is longer than 2000 bytes or holds a NUL byte".to_owned(),
            });
        }
    }
    Ok(())
}
