//! The figures of the review: what waits, how fast it is decided, and how.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::model::age::{AGE_BOUNDS, AgeBucket};
use crate::model::key::SourcePk;
use crate::model::resolver::FailReason;
use crate::model::review::agreement::ReviewerAgreement;
use crate::model::review::{ReviewCase, ReviewEffect, ReviewRow};

/// The figures of the review as of an instant: of what people were asked to decide.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReviewFigures {
    /// The instant.
    pub as_of: DateTime<Utc>,
    /// Leads that are with a reviewer: given out, still open and not decided.
    pub waiting: u64,
    /// The same by the reason of their failure and their age.
    pub queue: Vec<WaitingCases>,
    /// Leads whose first decision waits for a second reviewer.
    pub waiting_for_second: u64,
    /// Leads on which two reviewers disagree, and nobody has decided since.
    pub disagreeing: u64,
    /// Leads that were put off and come back later.
    pub put_off: u64,
    /// Decisions per day in the last 28 days.
    pub decided_per_day: f64,
    /// The median time from giving a case out to loading its decision, in seconds.
    pub median_seconds_to_decision: Option<i64>,
    /// Decisions by word.
    pub decisions: BTreeMap<String, u64>,
    /// How far first and second reviewers agree.
    pub agreement: Option<ReviewerAgreement>,
    /// Packets with undecided cases, the longest out first.
    pub out: Vec<PacketOut>,
}

/// Leads that are with a reviewer, of one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WaitingCases {
    /// Why they failed; `None` where they are to be decided anew meanwhile.
    pub reason: Option<FailReason>,
    /// How old they are, youngest first.
    pub ageing: Vec<AgeBucket>,
}

impl WaitingCases {
    /// Counts them.
    #[must_use]
    pub fn leads(&self) -> u64 {
        self.ageing.iter().map(|bucket| bucket.leads).sum()
    }
}

/// A packet that is out: whose it is, since when, and what it still holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PacketOut {
    /// The packet.
    pub packet: String,
    /// Who has it; `None` = whoever may decide.
    pub reviewer: Option<String>,
    /// When it was given out.
    pub issued_at: DateTime<Utc>,
    /// Open cases that it was not returned with.
    pub undecided: u64,
}

/// How many days `decided_per_day` looks at.
pub(crate) const DAYS: i64 = 28;

impl ReviewFigures {
    /// What counts as the second decision where both name a person, and not the same one.
    pub(crate) const ANOTHER: &'static str = "another person";

    /// Computes the figures from what the store holds.
    #[must_use]
    pub fn of(cases: &[ReviewCase], reviews: &[ReviewRow], as_of: DateTime<Utc>) -> Self {
        let asked = |needed: u8| needed > 0;
        let reviews: Vec<&ReviewRow> =
            reviews.iter().filter(|review| asked(review.reviews_needed)).collect();
        let undecided = || {
            let open = cases.iter().filter(|case| case.open && !case.decided);
            open.filter(|case| asked(case.reviews_needed))
        };
        let waiting: BTreeSet<&SourcePk> = undecided().map(|case| &case.source_pk).collect();
        let mut queue: BTreeMap<Option<FailReason>, [u64; AGE_BOUNDS.len()]> = BTreeMap::new();
        let mut counted = BTreeSet::new();
        for case in undecided().filter(|case| counted.insert(&case.source_pk)) {
            let ages = queue.entry(case.fail_reason.clone()).or_default();
            ages[AgeBucket::of(as_of - case.lead_at)] += 1;
        }
        let queue = queue
            .into_iter()
            .map(|(reason, ages)| WaitingCases { reason, ageing: AgeBucket::all(|at| ages[at]) });
        let with = |effect| {
            let rows = reviews.iter().filter(move |review| review.effect == effect);
            rows.map(|review| &review.source_pk).collect::<BTreeSet<_>>()
        };
        let applied = with(ReviewEffect::Applied);
        let since = as_of - TimeDelta::days(DAYS);
        let recent = reviews.iter().filter(|review| review.decided_at > since).count();
        let mut seconds: Vec<i64> = reviews
            .iter()
            .map(|review| (review.decided_at - review.issued_at).num_seconds().max(0))
            .collect();
        seconds.sort_unstable();
        let mut decisions = BTreeMap::new();
        for review in &reviews {
            *decisions.entry(review.decision.clone()).or_default() += 1;
        }
        let mut out: BTreeMap<&str, PacketOut> = BTreeMap::new();
        for case in undecided() {
            out.entry(&case.packet)
                .or_insert_with(|| PacketOut {
                    packet: case.packet.clone(),
                    reviewer: case.reviewer.clone(),
                    issued_at: case.issued_at,
                    undecided: 0,
                })
                .undecided += 1;
        }
        let mut out: Vec<PacketOut> = out.into_values().collect();
        out.sort_by(|a, b| (a.issued_at, &a.packet).cmp(&(b.issued_at, &b.packet)));
        Self {
            as_of,
            waiting: waiting.len() as u64,
            queue: queue.collect(),
            waiting_for_second: with(ReviewEffect::Waiting).len() as u64,
            disagreeing: with(ReviewEffect::Disagreeing).difference(&applied).count() as u64,
            put_off: put_off(reviews.iter().copied(), as_of).len() as u64,
            decided_per_day: recent as f64 / DAYS as f64,
            median_seconds_to_decision: median(&seconds),
            decisions,
            agreement: agreement(&reviews),
            out,
        }
    }

    /// Lists the packets that are out for longer than so many days.
    pub fn out_longer_than(&self, days: u32) -> impl Iterator<Item = &PacketOut> {
        let before = self.as_of - TimeDelta::days(i64::from(days));
        self.out.iter().filter(move |packet| packet.issued_at < before)
    }
}

fn median(sorted: &[i64]) -> Option<i64> {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some(i64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// Gives the leads whose latest decision puts them off beyond an instant, with when they come back.
pub(crate) fn put_off<'r>(
    reviews: impl IntoIterator<Item = &'r ReviewRow>,
    as_of: DateTime<Utc>,
) -> BTreeMap<SourcePk, DateTime<Utc>> {
    let mut latest: BTreeMap<&SourcePk, Option<DateTime<Utc>>> = BTreeMap::new();
    for review in reviews {
        latest.insert(&review.source_pk, review.until);
    }
    let off = latest.into_iter().filter_map(|(lead, until)| Some((lead.clone(), until?)));
    off.filter(|(_, until)| *until > as_of).collect()
}

/// Compares what first and second reviewers decided, lead by lead; whom they name counts as a decision of its own.
fn agreement(reviews: &[&ReviewRow]) -> Option<ReviewerAgreement> {
    let mut by_lead: BTreeMap<&SourcePk, Vec<&ReviewRow>> = BTreeMap::new();
    for review in reviews.iter().filter(|review| review.reviews_needed > 1) {
        by_lead.entry(&review.source_pk).or_default().push(review);
    }
    let mut pairs = Vec::new();
    for rows in by_lead.values() {
        let [first, second, ..] = rows.as_slice() else { continue };
        // Which person is meant differs from case to case: a category is the kind of decision, and two persons are two.
        let other = first.decision == second.decision && first.person_key != second.person_key;
        pairs.push((
            first.decision.as_str(),
            if other { ReviewFigures::ANOTHER } else { second.decision.as_str() },
        ));
    }
    ReviewerAgreement::of(pairs)
}
