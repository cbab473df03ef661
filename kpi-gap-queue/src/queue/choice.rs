//! Chooses which of several values for one pair counts, whatever the order they come in.

use std::cmp::Ordering;

use chrono::NaiveDate;

use super::names::{Granularities, own_key};
use crate::{
    metric::MetricRef,
    policy::ValueChoice,
    status::{Chain, GapStatus},
};

/// The reason why a value counts for its pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChosenBy {
    /// It is the only value in the scope.
    OnlyValue,
    /// It is further along the evidence chain than every other value.
    FurthestAlongChain,
    /// Its period is later than that of every other value.
    LatestPeriod,
    /// Nothing else tells the values apart: its granularity and key come first.
    FirstKey,
}

impl ChosenBy {
    /// Returns the reason as reports write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnlyValue => "only_value",
            Self::FurthestAlongChain => "furthest_along_chain",
            Self::LatestPeriod => "latest_period",
            Self::FirstKey => "first_key",
        }
    }
}

/// A value as the choice sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) status: GapStatus,
    pub(super) source_record: bool,
    pub(super) evidence: bool,
    pub(super) period_date: Option<NaiveDate>,
    /// The number of its granularity.
    pub(super) granularity: u32,
    /// The key that the value carries, where it is not made of its parts.
    pub(super) own_key: Option<Box<str>>,
}

/// The value that counts so far, and what it was chosen over.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    pub(super) candidate: Candidate,
    pub(super) values: u32,
    runner_up: Option<(Rank, Option<NaiveDate>)>,
}

/// How far along the chain: the status, then whether evidence is there without a record.
type Rank = (GapStatus, bool);

impl Candidate {
    pub(super) fn new(
        metric: &MetricRef<'_>,
        granularities: &mut Granularities,
        buffer: &mut String,
    ) -> Self {
        let source_record = metric.source_record_present();
        let evidence = metric.evidence_present();
        Self {
            status: GapStatus::of(Chain { source: true, metric: true, source_record, evidence }),
            source_record,
            evidence,
            period_date: metric.period_date,
            granularity: granularities.number(metric.period_granularity),
            own_key: own_key(metric, buffer),
        }
    }

    fn rank(&self) -> Rank {
        (self.status, self.evidence)
    }

    /// Compares by merit; the one that counts is the greater.
    fn merit(&self, other: &Self, choice: ValueChoice, names: &Granularities) -> Ordering {
        merit((self.rank(), self.period_date), (other.rank(), other.period_date), choice)
            .then_with(|| names.text(other.granularity).cmp(names.text(self.granularity)))
            .then_with(|| other.own_key.cmp(&self.own_key))
    }
}

type Merit = (Rank, Option<NaiveDate>);

fn merit(one: Merit, other: Merit, choice: ValueChoice) -> Ordering {
    let chain = one.0.cmp(&other.0);
    let period = one.1.cmp(&other.1);
    match choice {
        ValueChoice::FurthestAlongChain => chain.then(period),
        ValueChoice::LatestPeriod => period.then(chain),
    }
}

impl Counted {
    pub(super) fn new(candidate: Candidate) -> Self {
        Self { candidate, values: 1, runner_up: None }
    }

    /// Weighs one more value for the pair.
    pub(super) fn weigh(&mut self, other: Candidate, choice: ValueChoice, names: &Granularities) {
        self.values = self.values.saturating_add(1);
        let loser = if other.merit(&self.candidate, choice, names) == Ordering::Greater {
            std::mem::replace(&mut self.candidate, other)
        } else {
            other
        };
        let loser = (loser.rank(), loser.period_date);
        if self.runner_up.is_none_or(|best| merit(loser, best, choice) == Ordering::Greater) {
            self.runner_up = Some(loser);
        }
    }

    /// Says why the value counts: the first merit in which it beats the best of the others.
    pub(super) fn chosen_by(&self, choice: ValueChoice) -> ChosenBy {
        let Some((rank, period_date)) = self.runner_up else { return ChosenBy::OnlyValue };
        let by_chain = (self.candidate.rank() != rank).then_some(ChosenBy::FurthestAlongChain);
        let by_period =
            (self.candidate.period_date != period_date).then_some(ChosenBy::LatestPeriod);
        match choice {
            ValueChoice::FurthestAlongChain => by_chain.or(by_period),
            ValueChoice::LatestPeriod => by_period.or(by_chain),
        }
        .unwrap_or(ChosenBy::FirstKey)
    }
}
