//! How the gaps went down over a series of runs.

use chrono::{DateTime, Utc};

use crate::difference::Difference;

/// Counts the gaps of one run, and what happened since the run before.
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

/// Holds a series of runs whose counts agree with one another.
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
/// assert_eq!(burn_down.days_to_drain(), Some(8.0));
/// # Ok::<(), kpi_gap_queue::BurnDownError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct BurnDown {
    points: Vec<RunPoint>,
}

/// Reports that a run does not go on from the one before.
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

    /// Returns in how many days the queue is empty if it goes on as it did.
    ///
    /// 0 when it is empty; `None`, which means never, while it is not falling, and with fewer than two
    /// runs.
    #[must_use]
    pub fn days_to_drain(&self) -> Option<f64> {
        let open = self.points.last()?.gaps_total;
        if open == 0 {
            return Some(0.0);
        }
        self.net_per_day().filter(|&net| net > 0.0).map(|net| open as f64 / net)
    }
}
