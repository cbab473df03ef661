//! How the work stands: since when gaps are due, and whose they are.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::gap_queue::GapQueue;
use crate::{publication::GapTiming, scope::MetricScope, status::GapStatus};

/// The pairs of one owner, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct OwnerShare {
    /// The owner; `None` for the pairs of nobody.
    pub owner: Option<String>,
    /// The pairs that are expected.
    pub expected_pairs_total: u64,
    /// The pairs that are not ready.
    pub actionable_pairs_total: u64,
    /// The actionable pairs by their age.
    #[serde(flatten)]
    pub ageing: Ageing,
}

/// Actionable pairs, counted by the days since they were due.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Ageing {
    /// The pairs of sources that do not say when they publish.
    pub without_due_date_total: u64,
    /// The pairs that are not due yet, or today.
    pub not_overdue_total: u64,
    /// The pairs that have been due for 1 to 30 days.
    pub overdue_1_to_30_days_total: u64,
    /// The pairs that have been due for 31 to 90 days.
    pub overdue_31_to_90_days_total: u64,
    /// The pairs that have been due for 91 to 365 days.
    pub overdue_91_to_365_days_total: u64,
    /// The pairs that have been due for more than 365 days.
    pub overdue_over_365_days_total: u64,
    /// The earliest day on which one of them was due.
    pub oldest_due_on: Option<NaiveDate>,
}

impl Ageing {
    /// Returns the number of pairs that are overdue.
    #[must_use]
    pub const fn overdue_total(&self) -> u64 {
        self.overdue_1_to_30_days_total
            + self.overdue_31_to_90_days_total
            + self.overdue_91_to_365_days_total
            + self.overdue_over_365_days_total
    }

    fn add(&mut self, timing: Option<GapTiming>) {
        let Some(timing) = timing else {
            self.without_due_date_total += 1;
            return;
        };
        let bucket = match timing.age_days {
            ..=0 => &mut self.not_overdue_total,
            1..=30 => &mut self.overdue_1_to_30_days_total,
            31..=90 => &mut self.overdue_31_to_90_days_total,
            91..=365 => &mut self.overdue_91_to_365_days_total,
            _ => &mut self.overdue_over_365_days_total,
        };
        *bucket += 1;
        if self.oldest_due_on.is_none_or(|oldest| timing.due_on < oldest) {
            self.oldest_due_on = Some(timing.due_on);
        }
    }
}

/// The pairs of one scope, counted by status.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ScopeTotals {
    /// The scope, as `2025-12-31 year`.
    pub scope: String,
    /// The pairs by status, every status in the order of the chain.
    pub pairs_by_status: Vec<(GapStatus, u64)>,
}

impl GapQueue {
    /// Counts the pairs of each scope by status, in the order of the scopes.
    #[must_use]
    pub fn scope_totals(&self) -> Vec<ScopeTotals> {
        let scopes = &self.layout.scopes;
        let mut counts = vec![[0_u64; GapStatus::ALL.len()]; scopes.len()];
        for (at, state) in self.pairs.iter().enumerate() {
            counts[at % scopes.len()][state.status().index()] += 1;
        }
        let totals = scopes.iter().zip(counts).map(|(scope, counts)| ScopeTotals {
            scope: scope.to_string(),
            pairs_by_status: GapStatus::ALL.into_iter().zip(counts).collect(),
        });
        totals.collect()
    }

    /// Says since when the pairs of a source are due in a scope, as of a day.
    ///
    /// `None` where the source is not seeded or does not say when it publishes.
    #[must_use]
    pub fn timing(
        &self,
        source_id: &str,
        scope: &MetricScope,
        as_of: NaiveDate,
    ) -> Option<GapTiming> {
        self.timing_at(self.layout.source(source_id)?, scope, as_of)
    }

    fn timing_at(&self, at: usize, scope: &MetricScope, as_of: NaiveDate) -> Option<GapTiming> {
        let publication = self.layout.sources[at].seeded.as_ref()?.publication?;
        Some(GapTiming::new(publication.due_on(scope, as_of)?, as_of))
    }

    /// Returns whose a pair is: the source's owner, else the KPI's, else nobody's.
    #[must_use]
    pub fn owner(&self, source_id: &str, kpi_id: &str) -> Option<&str> {
        let of_source = self.source(source_id).and_then(|source| source.owner.as_deref());
        of_source.or_else(|| self.layout.kpi(kpi_id)?.owner.as_deref())
    }

    /// Counts the actionable pairs by the days since they were due, as of a day.
    #[must_use]
    pub fn ageing(&self, as_of: NaiveDate) -> Ageing {
        let mut ageing = Ageing::default();
        self.each_pair(as_of, |_, _, status, timing| {
            if status.is_actionable() {
                ageing.add(timing);
            }
        });
        ageing
    }

    /// Sums up the pairs by owner, as of a day: nobody's first, then by name.
    #[must_use]
    pub fn owners(&self, as_of: NaiveDate) -> Vec<OwnerShare> {
        let mut shares: BTreeMap<Option<&str>, OwnerShare> = BTreeMap::new();
        self.each_pair(as_of, |source, place, status, timing| {
            let of_source = self.layout.sources[source].seeded.as_ref();
            let owner = of_source
                .and_then(|source| source.owner.as_deref())
                .or_else(|| self.layout.kpi_at(source, place).owner.as_deref());
            let share = shares.entry(owner).or_default();
            share.expected_pairs_total += 1;
            if status.is_actionable() {
                share.actionable_pairs_total += 1;
                share.ageing.add(timing);
            }
        });
        shares
            .into_iter()
            .map(|(owner, share)| OwnerShare { owner: owner.map(str::to_owned), ..share })
            .collect()
    }

    /// Walks through all pairs with the timing of their source and scope.
    fn each_pair(
        &self,
        as_of: NaiveDate,
        mut pair: impl FnMut(usize, usize, GapStatus, Option<GapTiming>),
    ) {
        for source in 0..self.layout.sources.len() {
            let timings: Vec<_> = self
                .layout
                .scopes
                .iter()
                .map(|scope| self.timing_at(source, scope, as_of))
                .collect();
            let pairs = &self.pairs[self.layout.pairs_of(source..source + 1)];
            for (at, state) in pairs.iter().enumerate() {
                let scopes = timings.len();
                pair(source, at / scopes, state.status(), timings[at % scopes]);
            }
        }
    }
}
