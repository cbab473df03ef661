//! When the backlog would be empty: one answer, used by every check, page and runner.

use super::{DailyMetrics, LedgerFacts, QueueFacts, ReasonCount};
use crate::words::{grouped, many};

/// The time until no lead is pending, from typical days.
///
/// Only what is pending drains by running; a failed lead needs data or a person, and no rate frees it. The rate
/// is what left the backlog less what arrived, per day: its median over the last fourteen days that are over, so
/// that one bulk match, or one day without a run, promises nothing. The range comes from the quartiles of the
/// same days. Fewer than three days tell nothing.
///
/// ```
/// use guardrails::recovery::{DailyMetrics, LedgerFacts, QueueFacts, TimeToDrain};
///
/// let day = |day: &str, matched_out, backlog_start: i64| DailyMetrics {
///     day: day.parse().unwrap(),
///     backlog_start,
///     new_backlog_in: 10,
///     matched_out,
///     other_out: 0,
///     backlog_end: backlog_start + 10 - matched_out,
///     net_change: 10 - matched_out,
///     top_fail_reason: None,
/// };
/// let days = vec![day("2026-03-01", 20, 120), day("2026-03-02", 30, 110), day("2026-03-03", 40, 90)];
/// let ledger = LedgerFacts { days, ..LedgerFacts::default() };
/// let queue = QueueFacts { backlog: 60, pending: 60, ..QueueFacts::default() };
/// let time = TimeToDrain::of(&ledger, &queue);
/// assert_eq!(time.in_words(), "3 days (2.4 to 4)");
///
/// let stuck = QueueFacts { backlog: 60, failed: 60, ..QueueFacts::default() };
/// let time = TimeToDrain::of(&ledger, &stuck);
/// assert_eq!(time.in_words(), "does not drain by running: 60 failed need data or a person");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TimeToDrain {
    /// Nothing is left.
    Empty,
    /// Nothing is pending: every lead left has failed and needs data or a person.
    NotByRunning {
        /// Failed leads.
        failed: u64,
        /// The same by reason, most leads first.
        reasons: Vec<ReasonCount>,
    },
    /// Fewer than three days are over, which tells nothing.
    Unknown {
        /// Days that are over.
        days: usize,
    },
    /// On a typical day the backlog does not fall.
    Never {
        /// Failed leads beside the pending ones.
        failed: u64,
    },
    /// In days, for what is pending.
    Days {
        /// At the rate of the better days: the upper quartile.
        soonest: f64,
        /// At the rate of a typical day: the median.
        expected: f64,
        /// At the rate of the worse days: the lower quartile; `None` where those do not drain at all.
        latest: Option<f64>,
        /// Failed leads, which do not drain by running.
        failed: u64,
    },
}

/// How many days tell something.
const ENOUGH: usize = 3;

impl TimeToDrain {
    /// How many days are looked at.
    pub const DAYS: usize = 14;

    /// Reckons the time from the ledger's days and what the queue holds.
    #[must_use]
    pub fn of(ledger: &LedgerFacts, queue: &QueueFacts) -> Self {
        let over = ledger.days.iter().filter(|day| Some(day.day) != ledger.unfinished);
        let rates: Vec<f64> = over.rev().map(net_out).collect();
        let pending = queue.pending.saturating_add(queue.backlog_not_in_queue);
        Self::at_rates(pending, &rates, queue.failed, &queue.reasons)
    }

    /// Reckons the time for whatever drains: how many are pending, and by how many they fell on each day that is over,
    /// newest day first; a day on which they rose is below zero.
    ///
    /// `failed` counts those that no rate frees, with their `reasons`.
    ///
    /// ```
    /// use guardrails::recovery::TimeToDrain;
    ///
    /// let gaps = TimeToDrain::at_rates(12, &[4.0, 3.0, 2.0], 0, &[]);
    /// assert_eq!(gaps.in_words(), "4 days (3.4 to 4.8)");
    /// assert_eq!(gaps.expected_days(), Some(4.0));
    /// assert_eq!(TimeToDrain::at_rates(12, &[4.0], 0, &[]).in_words(), "unknown: only one day is over");
    /// ```
    #[must_use]
    pub fn at_rates(pending: u64, rates: &[f64], failed: u64, reasons: &[ReasonCount]) -> Self {
        if pending == 0 {
            return match failed {
                0 => Self::Empty,
                failed => Self::NotByRunning { failed, reasons: reasons.to_vec() },
            };
        }
        let mut rates: Vec<f64> = rates.iter().copied().take(Self::DAYS).collect();
        if rates.len() < ENOUGH {
            return Self::Unknown { days: rates.len() };
        }
        rates.sort_by(f64::total_cmp);
        let days = |rate: f64| (rate > 0.0).then(|| pending as f64 / rate);
        match (days(at(&rates, 0.75)), days(at(&rates, 0.5))) {
            (Some(soonest), Some(expected)) => {
                Self::Days { soonest, expected, latest: days(at(&rates, 0.25)), failed }
            }
            _ => Self::Never { failed },
        }
    }

    /// Returns the days at the rate of a typical day: 0 where nothing is left, none where it is never or unknown.
    #[must_use]
    pub fn expected_days(&self) -> Option<f64> {
        match self {
            Self::Empty => Some(0.0),
            Self::Days { expected, .. } => Some(*expected),
            _ => None,
        }
    }

    /// Says the time in words, such as `6 days (4.5 to 9)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Empty => "nothing is left".to_owned(),
            Self::NotByRunning { failed, reasons } => {
                let by: Vec<String> = reasons
                    .iter()
                    .filter(|part| part.leads > 0)
                    .map(|part| format!("{} {}", grouped(part.leads.into()), part.reason))
                    .collect();
                let by =
                    if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
                format!(
                    "does not drain by running: {} failed need data or a person{by}",
                    grouped((*failed).into())
                )
            }
            Self::Unknown { days: 0 } => "unknown: no day is over yet".to_owned(),
            Self::Unknown { days: 1 } => "unknown: only one day is over".to_owned(),
            Self::Unknown { days } => format!("unknown: only {days} days are over"),
            Self::Never { failed } => {
                format!("never at the rate of a typical day{}", beside(*failed))
            }
            Self::Days { soonest, expected, latest, failed } => {
                let unit = if is_one(*expected) { "day" } else { "days" };
                let latest = latest.map_or("never".to_owned(), short);
                let range =
                    format!("{} {unit} ({} to {latest})", short(*expected), short(*soonest));
                format!("{range}{}", beside(*failed))
            }
        }
    }

    /// Says it in two or three words, for a small place.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self {
            Self::Empty => "nothing left".to_owned(),
            Self::NotByRunning { .. } => "not by running".to_owned(),
            Self::Unknown { .. } => "unknown".to_owned(),
            Self::Never { .. } => "never".to_owned(),
            Self::Days { expected, .. } => {
                format!("{} {}", short(*expected), if is_one(*expected) { "day" } else { "days" })
            }
        }
    }
}

fn net_out(day: &DailyMetrics) -> f64 {
    day.matched_out as f64 + day.other_out as f64 - day.new_backlog_in as f64
}

/// The value at a share of a sorted list, between two neighbours where it lies between them.
fn at(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let low = sorted.iter().enumerate().take_while(|(i, _)| *i as f64 <= place).last();
    let Some((i, low)) = low else { return 0.0 };
    let high = sorted.get(i + 1).unwrap_or(low);
    low + (high - low) * (place - i as f64)
}

fn beside(failed: u64) -> String {
    match failed {
        0 => String::new(),
        failed => format!("; {} that failed need data or a person", many(failed, "lead")),
    }
}

fn short(days: f64) -> String {
    if days < 0.1 { "under 0.1".to_owned() } else { ((days * 10.0).round() / 10.0).to_string() }
}

fn is_one(days: f64) -> bool {
    (days - 1.0).abs() < 0.05
}
