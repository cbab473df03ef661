//! How the gaps went down over a series of runs.

use chrono::{DateTime, Utc};

use crate::difference::Difference;

/// The gaps of one run, counted, and what changed since the run before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunPoint {
    /// When the run took place.
    pub at: DateTime<Utc>,
    /// The actionable pairs of the run.
    pub gaps_total: u64,
    /// The gaps that opened since the run before; 0 for the first run.
    pub opened_total: u64,
    /// The gaps that closed since the run before; 0 for the first run.
    pub closed_total: u64,
}

impl RunPoint {
    /// Makes the point of a run from its difference to the run before.
    #[must_use]
    pub const fn after(at: DateTime<Utc>, difference: &Difference) -> Self {
        Self {
            at,
            gaps_total: difference.gaps_after_total,
            opened_total: difference.opened_total,
            closed_total: difference.closed_total,
        }
    }
}

/// A series of runs, each of which adds up with the one before it.
///
/// ```
/// use kpi_gap_queue::{BurnDown, RunPoint};
///
/// let mut burn_down = BurnDown::new();
/// let point = |day: &str, gaps_total, opened_total, closed_total| RunPoint {
///     at: format!("2026-01-{day}T00:00:00Z").parse().expect("a time"),
///     gaps_total,
///     opened_total,
///     closed_total,
/// };
/// burn_down.push(point("01", 12, 0, 0))?;
/// burn_down.push(point("05", 8, 1, 5))?;
/// assert_eq!(burn_down.net_per_day(), Some(1.0));
/// assert_eq!(burn_down.fall_by_day(3), [1.0, 1.0, 1.0]);
/// # Ok::<(), kpi_gap_queue::BurnDownError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct BurnDown {
    points: Vec<RunPoint>,
}

/// The error for a run that does not continue the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BurnDownError {
    /// The run took place before or with the last one.
    #[error("the run at {at} is not later than the last one, at {last}")]
    NotLater {
        /// The time of the run.
        at: DateTime<Utc>,
        /// The time of the last run.
        last: DateTime<Utc>,
    },
    /// Gaps before, opened and closed do not add up to the gaps after.
    #[error(
        "{before} gaps, {opened} opened and {closed} closed do not make {after}; compare the run with the one before it"
    )]
    DoesNotAddUp {
        /// The gaps of the run before.
        before: u64,
        /// The gaps that opened since.
        opened: u64,
        /// The gaps that closed since.
        closed: u64,
        /// The gaps of the run.
        after: u64,
    },
}

impl BurnDown {
    /// Makes an empty series.
    #[must_use]
    pub const fn new() -> Self {
        Self { points: Vec::new() }
    }

    /// Adds the next run; refused where it is not later, or its counts do not go on from the last.
    pub fn push(&mut self, point: RunPoint) -> Result<(), BurnDownError> {
        if let Some(last) = self.points.last() {
            if point.at <= last.at {
                return Err(BurnDownError::NotLater { at: point.at, last: last.at });
            }
            let sum = |one: u64, other: u64| u128::from(one) + u128::from(other);
            if sum(last.gaps_total, point.opened_total) != sum(point.gaps_total, point.closed_total)
            {
                return Err(BurnDownError::DoesNotAddUp {
                    before: last.gaps_total,
                    opened: point.opened_total,
                    closed: point.closed_total,
                    after: point.gaps_total,
                });
            }
        }
        self.points.push(point);
        Ok(())
    }

    /// Returns the runs, oldest first.
    #[must_use]
    pub fn points(&self) -> &[RunPoint] {
        &self.points
    }

    /// Returns by how many gaps a day the queue fell from the first run to the last, closures less
    /// arrivals; negative where it grew.
    ///
    /// `None` with fewer than two runs.
    #[must_use]
    pub fn net_per_day(&self) -> Option<f64> {
        let [first, .., last] = self.points.as_slice() else { return None };
        let days = (last.at - first.at).as_seconds_f64() / 86_400.0;
        Some((first.gaps_total as f64 - last.gaps_total as f64) / days)
    }

    /// Returns by how many gaps the queue fell on each of the last `days` days, of 24 hours each and newest first; below
    /// zero where it grew.
    ///
    /// Between two runs it is taken to fall evenly. What is not a whole day before the last run is left out.
    #[must_use]
    pub fn fall_by_day(&self, days: usize) -> Vec<f64> {
        let [first, .., last] = self.points.as_slice() else { return Vec::new() };
        let whole = usize::try_from((last.at - first.at).num_days()).unwrap_or_default();
        let open = |day: usize| {
            let back = i64::try_from(day).ok().and_then(chrono::TimeDelta::try_days);
            self.open_at(last.at - back.unwrap_or_default())
        };
        (0..days.min(whole)).map(|day| open(day + 1) - open(day)).collect()
    }

    /// The gaps at a moment between the first run and the last.
    fn open_at(&self, at: DateTime<Utc>) -> f64 {
        let behind = self.points.partition_point(|point| point.at <= at);
        let gaps = |place: usize| self.points.get(place).map(|p| (p.at, p.gaps_total as f64));
        match (behind.checked_sub(1).and_then(gaps), gaps(behind)) {
            (Some((before, open)), Some((after, then))) => {
                let share = (at - before).as_seconds_f64() / (after - before).as_seconds_f64();
                open + (then - open) * share
            }
            (Some((_, open)), None) | (None, Some((_, open))) => open,
            (None, None) => 0.0,
        }
    }
}
