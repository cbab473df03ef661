//! What changed between two runs, pair by pair.

use std::cmp::Ordering;

use chrono::NaiveDate;

use crate::status::GapStatus;

/// One pair of a run with its status, borrowed.
///
/// The order is that of the pairs of a run: source id, KPI id, period date, granularity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairRef<'a> {
    /// The source.
    pub source_id: &'a str,
    /// The KPI.
    pub kpi_id: &'a str,
    /// The date of the scope.
    pub period_date: Option<NaiveDate>,
    /// The granularity of the scope.
    pub period_granularity: Option<&'a str>,
    /// The first link that is missing.
    pub status: GapStatus,
}

impl PairRef<'_> {
    fn key(&self) -> (&str, &str, Option<NaiveDate>, Option<&str>) {
        (self.source_id, self.kpi_id, self.period_date, self.period_granularity)
    }
}

/// What happened to a pair between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Movement {
    /// It is a gap now and was none before: newly expected, or ready before.
    Opened,
    /// It was a gap and is none now: ready, or no longer expected.
    Closed,
    /// It is a gap still, and a later link is missing.
    MovedOn,
    /// It is a gap still, and an earlier link is missing.
    Regressed,
}

/// One change between two runs, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PairChange<'a> {
    /// The pair; its status is the newest that is known.
    pub pair: PairRef<'a>,
    /// What happened.
    pub movement: Movement,
    /// The status before; `None` where the pair was not expected.
    pub from: Option<GapStatus>,
    /// The status after; `None` where the pair is no longer expected.
    pub to: Option<GapStatus>,
}

/// The changes between two runs, counted.
///
/// Always `gaps_after_total = gaps_before_total + opened_total - closed_total`.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The actionable pairs of the run before.
    pub gaps_before_total: u64,
    /// The pairs that are gaps now and were none.
    pub opened_total: u64,
    /// Those of them that were ready before.
    pub reopened_total: u64,
    /// The pairs that were gaps and are none now.
    pub closed_total: u64,
    /// Those of them that are no longer expected.
    pub no_longer_expected_total: u64,
    /// The gaps whose missing link is a later one now.
    pub moved_on_total: u64,
    /// The gaps whose missing link is an earlier one now.
    pub regressed_total: u64,
    /// The gaps that are as they were.
    pub unchanged_total: u64,
    /// The actionable pairs of the run after.
    pub gaps_after_total: u64,
}

/// Reports that the pairs of a run do not come in ascending order, each once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the pairs of the run {run} are not in ascending order at {source_id} and {kpi_id}; sort them"
)]
pub struct OutOfOrder {
    /// `before` or `after`.
    pub run: &'static str,
    /// The source of the pair that comes too late or twice.
    pub source_id: String,
    /// The KPI of that pair.
    pub kpi_id: String,
}

impl Difference {
    /// Compares two runs and pushes every change to `each`, in the order of the pairs.
    ///
    /// Each run is a walk through its pairs in ascending order, such as
    /// [`GapQueue::pairs`](crate::GapQueue::pairs), so that memory does not grow with them. A run that
    /// left out its ready pairs may be compared, too; a gap that was ready then counts as opened and
    /// not as reopened.
    ///
    /// ```
    /// use kpi_gap_queue::{Difference, GapStatus, Movement, PairRef};
    ///
    /// let pair = |status| PairRef {
    ///     source_id: "es:town",
    ///     kpi_id: "kpi:days",
    ///     period_date: None,
    ///     period_granularity: None,
    ///     status,
    /// };
    /// let before = [pair(GapStatus::MissingMetric)];
    /// let after = [pair(GapStatus::MissingEvidence)];
    /// let mut seen = Vec::new();
    /// let difference = Difference::between(before, after, |change| seen.push(change.movement))?;
    /// assert_eq!(seen, [Movement::MovedOn]);
    /// assert_eq!(difference.moved_on_total, 1);
    /// # Ok::<(), kpi_gap_queue::OutOfOrder>(())
    /// ```
    pub fn between<'a, 'b>(
        before: impl IntoIterator<Item = PairRef<'a>>,
        after: impl IntoIterator<Item = PairRef<'b>>,
        mut each: impl FnMut(PairChange<'_>),
    ) -> Result<Self, OutOfOrder> {
        let mut before = Ascending::new("before", before.into_iter())?;
        let mut after = Ascending::new("after", after.into_iter())?;
        let mut difference = Self::default();
        loop {
            match (before.head, after.head) {
                (None, None) => return Ok(difference),
                (Some(old), None) => {
                    difference.count(old, Some(old.status), None, &mut each);
                    before.advance()?;
                }
                (None, Some(new)) => {
                    difference.count(new, None, Some(new.status), &mut each);
                    after.advance()?;
                }
                (Some(old), Some(new)) => match old.key().cmp(&new.key()) {
                    Ordering::Less => {
                        difference.count(old, Some(old.status), None, &mut each);
                        before.advance()?;
                    }
                    Ordering::Greater => {
                        difference.count(new, None, Some(new.status), &mut each);
                        after.advance()?;
                    }
                    Ordering::Equal => {
                        difference.count(new, Some(old.status), Some(new.status), &mut each);
                        before.advance()?;
                        after.advance()?;
                    }
                },
            }
        }
    }

    fn count(
        &mut self,
        pair: PairRef<'_>,
        from: Option<GapStatus>,
        to: Option<GapStatus>,
        each: &mut impl FnMut(PairChange<'_>),
    ) {
        let gap = |status: Option<GapStatus>| status.filter(|status| status.is_actionable());
        self.gaps_before_total += u64::from(gap(from).is_some());
        self.gaps_after_total += u64::from(gap(to).is_some());
        let movement = match (gap(from), gap(to)) {
            (None, None) => return,
            (None, Some(_)) => {
                self.opened_total += 1;
                self.reopened_total += u64::from(from.is_some());
                Movement::Opened
            }
            (Some(_), None) => {
                self.closed_total += 1;
                self.no_longer_expected_total += u64::from(to.is_none());
                Movement::Closed
            }
            (Some(old), Some(new)) => match old.cmp(&new) {
                Ordering::Equal => {
                    self.unchanged_total += 1;
                    return;
                }
                Ordering::Less => {
                    self.moved_on_total += 1;
                    Movement::MovedOn
                }
                Ordering::Greater => {
                    self.regressed_total += 1;
                    Movement::Regressed
                }
            },
        };
        each(PairChange { pair, movement, from, to });
    }
}

/// Walks through pairs and refuses those that come too late.
struct Ascending<'a, I> {
    run: &'static str,
    head: Option<PairRef<'a>>,
    rest: I,
}

impl<'a, I: Iterator<Item = PairRef<'a>>> Ascending<'a, I> {
    fn new(run: &'static str, rest: I) -> Result<Self, OutOfOrder> {
        let mut walk = Self { run, head: None, rest };
        walk.advance()?;
        Ok(walk)
    }

    fn advance(&mut self) -> Result<(), OutOfOrder> {
        let next = self.rest.next();
        if let (Some(here), Some(next)) = (&self.head, &next)
            && here.key() >= next.key()
        {
            return Err(OutOfOrder {
                run: self.run,
                source_id: next.source_id.to_owned(),
                kpi_id: next.kpi_id.to_owned(),
            });
        }
        self.head = next;
        Ok(())
    }
}
