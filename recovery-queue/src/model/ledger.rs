//! The ledger's events and the daily metrics that follow from them.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use crate::model::resolver::FailReason;

/// The width of a ledger slot: 15 minutes, of which every zone's offset since 1972 is a multiple.
pub const SLOT_SECONDS: i64 = 900;

/// What happened to a number of leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// The lead was in the backlog when it was seeded for the first time: part of the opening balance.
    Opening,
    /// The lead came into the backlog, or came back.
    Arrived,
    /// The lead left the backlog by a match.
    Matched,
    /// The lead left the backlog by another way (a claim, a correction at the source).
    Withdrawn,
    /// The lead was settled as failed; it stays in the backlog.
    Failed,
    /// A failed lead went back to pending; it never left the backlog.
    Reopened,
    /// A technical error put the lead off; it stays pending.
    Retried,
    /// A matched lead was found in the backlog; it is reported and not counted again.
    Leaked,
    /// A kind that this build does not know; a slot of it holds its text in the place of the reason.
    Unknown,
}

impl EventKind {
    /// Lists every kind that this build writes.
    pub const ALL: [Self; 8] = [
        Self::Opening,
        Self::Arrived,
        Self::Matched,
        Self::Withdrawn,
        Self::Failed,
        Self::Reopened,
        Self::Retried,
        Self::Leaked,
    ];

    /// Gives the code, as it is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Arrived => "arrived",
            Self::Matched => "matched",
            Self::Withdrawn => "withdrawn",
            Self::Failed => "failed",
            Self::Reopened => "reopened",
            Self::Retried => "retried",
            Self::Leaked => "leaked",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a stored code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Gives what one lead's event adds to the size of the backlog.
    #[must_use]
    pub const fn effect(self) -> i64 {
        match self {
            Self::Opening | Self::Arrived => 1,
            Self::Matched | Self::Withdrawn => -1,
            Self::Failed | Self::Reopened | Self::Retried | Self::Leaked | Self::Unknown => 0,
        }
    }
}

/// The events of one kind within 15 minutes, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerSlot {
    /// The start of the 15 minutes, in UTC.
    pub start: DateTime<Utc>,
    /// What happened.
    pub kind: EventKind,
    /// The reason, where the kind has one.
    pub reason: Option<FailReason>,
    /// To how many leads.
    pub leads: u64,
}

impl LedgerSlot {
    /// Makes a slot; a custom store does this from its own events.
    #[must_use]
    pub fn new(at: DateTime<Utc>, kind: EventKind, reason: Option<FailReason>, leads: u64) -> Self {
        let seconds = at.timestamp().div_euclid(SLOT_SECONDS) * SLOT_SECONDS;
        let start = DateTime::from_timestamp(seconds, 0).unwrap_or(at);
        Self { start, kind, reason, leads }
    }
}

/// How the backlog moved on one day.
///
/// `backlog_end = backlog_start + new_backlog_in − matched_out − other_out` and
/// `net_change = backlog_end − backlog_start`, exactly. `matched_out` counts the matches of this calendar
/// day in the chosen zone; "matched in the last 24 hours" is another figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DailyMetrics {
    /// The day, in the chosen zone.
    pub date: NaiveDate,
    /// Leads in the backlog as the day began, an opening balance of that day included.
    pub backlog_start: i64,
    /// Leads that came in or came back.
    pub new_backlog_in: i64,
    /// Leads that left by a match.
    pub matched_out: i64,
    /// Leads that left by another way.
    pub other_out: i64,
    /// Leads in the backlog as the day ended.
    pub backlog_end: i64,
    /// How the backlog changed over the day.
    pub net_change: i64,
    /// The most frequent reason of the day's failures; of equals, the first by code.
    pub top_fail_reason: Option<FailReason>,
}

impl DailyMetrics {
    /// Makes the figures of a day from those that the others follow from.
    #[must_use]
    pub fn new(
        date: NaiveDate,
        backlog_start: i64,
        new_backlog_in: i64,
        matched_out: i64,
        other_out: i64,
    ) -> Self {
        let backlog_end = backlog_start + new_backlog_in - matched_out - other_out;
        Self {
            date,
            backlog_start,
            new_backlog_in,
            matched_out,
            other_out,
            backlog_end,
            net_change: backlog_end - backlog_start,
            top_fail_reason: None,
        }
    }
}

#[derive(Default)]
struct Day {
    opening: i64,
    arrived: i64,
    matched: i64,
    withdrawn: i64,
    reasons: BTreeMap<FailReason, u64>,
}

/// Computes the daily metrics of the days `from..=to` in a zone, from ledger slots in any order.
///
/// Slots before `from` count towards the first day's start, slots after `to` not at all. A span with `to`
/// before `from` gives no rows.
///
/// ```
/// use chrono::{DateTime, NaiveDate};
/// use recovery_queue::{EventKind, LedgerSlot, daily_metrics};
///
/// let at = |text: &str| text.parse::<DateTime<chrono::Utc>>().unwrap();
/// let slots = [
///     LedgerSlot::new(at("2026-03-01T10:00:00Z"), EventKind::Opening, None, 5),
///     LedgerSlot::new(at("2026-03-02T03:30:00Z"), EventKind::Matched, None, 2),
/// ];
/// let first = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
/// let days = daily_metrics(slots, first, first, chrono_tz::America::Lima);
/// // In Lima the match still fell on the first of March.
/// assert_eq!((days[0].backlog_start, days[0].matched_out, days[0].backlog_end), (5, 2, 3));
/// ```
pub fn daily_metrics(
    slots: impl IntoIterator<Item = LedgerSlot>,
    from: NaiveDate,
    to: NaiveDate,
    zone: Tz,
) -> Vec<DailyMetrics> {
    let mut before = 0_i64;
    let mut days: BTreeMap<NaiveDate, Day> = BTreeMap::new();
    for slot in slots {
        let date = slot.start.with_timezone(&zone).date_naive();
        let leads = i64::try_from(slot.leads).unwrap_or(i64::MAX);
        if date < from {
            before = before.saturating_add(slot.kind.effect() * leads);
        } else if date <= to {
            let day = days.entry(date).or_default();
            match slot.kind {
                EventKind::Opening => day.opening += leads,
                EventKind::Arrived => day.arrived += leads,
                EventKind::Matched => day.matched += leads,
                EventKind::Withdrawn => day.withdrawn += leads,
                EventKind::Failed => {
                    if let Some(reason) = slot.reason {
                        *day.reasons.entry(reason).or_default() += slot.leads;
                    }
                }
                EventKind::Reopened
                | EventKind::Retried
                | EventKind::Leaked
                | EventKind::Unknown => {}
            }
        }
    }
    let mut rows = Vec::new();
    let mut date = from;
    while date <= to {
        let day = days.remove(&date).unwrap_or_default();
        let start = before + day.opening;
        let end = start + day.arrived - day.matched - day.withdrawn;
        rows.push(DailyMetrics {
            date,
            backlog_start: start,
            new_backlog_in: day.arrived,
            matched_out: day.matched,
            other_out: day.withdrawn,
            backlog_end: end,
            net_change: end - start,
            top_fail_reason: top_reason(&day.reasons),
        });
        before = end;
        match date.succ_opt() {
            Some(next) => date = next,
            None => break,
        }
    }
    rows
}

fn top_reason(reasons: &BTreeMap<FailReason, u64>) -> Option<FailReason> {
    // The map is in the order of the codes, and only a larger count replaces an earlier one.
    let mut top: Option<(&FailReason, u64)> = None;
    for (reason, &leads) in reasons {
        if leads > top.map_or(0, |(_, most)| most) {
            top = Some((reason, leads));
        }
    }
    top.map(|(reason, _)| reason.clone())
}

/// Gives the midnight in UTC of a day and so many days more.
fn midnight(day: NaiveDate, days: i64) -> Option<DateTime<Utc>> {
    let day = day.checked_add_signed(TimeDelta::days(days))?;
    DateTime::from_timestamp(i64::from(day.num_days_from_ce() - 719_163) * 86_400, 0)
}

/// Gives an instant that surely is not after the start of the day `from` in any zone.
pub(crate) fn utc_start_of(from: NaiveDate) -> DateTime<Utc> {
    midnight(from, -3).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// Gives an instant that surely is not before the end of the day `to` in any zone.
pub(crate) fn utc_end_of(to: NaiveDate) -> DateTime<Utc> {
    midnight(to, 3).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone() -> impl Strategy<Value = Tz> {
        prop::sample::select(chrono_tz::TZ_VARIANTS.to_vec())
    }

    /// Any second from 2000 to 2040.
    fn at() -> impl Strategy<Value = DateTime<Utc>> {
        (946_684_800_i64..2_208_988_800).prop_map(|at| DateTime::from_timestamp(at, 0).unwrap())
    }

    /// Events of some four days.
    fn slots() -> impl Strategy<Value = Vec<LedgerSlot>> {
        let kind = prop::sample::select(EventKind::ALL.to_vec());
        let reason = prop::sample::select(FailReason::ALL.to_vec());
        let event = (0_i64..345_600, kind, reason, 1_u64..50);
        let events = prop::collection::vec(event, 0..40);
        (at(), events).prop_map(|(start, events)| {
            let slot = |(after, kind, reason, leads)| {
                let reason = (kind == EventKind::Failed).then_some(reason);
                LedgerSlot::new(start + TimeDelta::seconds(after), kind, reason, leads)
            };
            events.into_iter().map(slot).collect()
        })
    }

    proptest! {
        #[test]
        fn a_slot_lies_in_one_day_of_every_zone(at in at(), zone in zone()) {
            let slot = LedgerSlot::new(at, EventKind::Matched, None, 1);
            let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
            prop_assert_eq!(day(slot.start), day(at));
        }

        #[test]
        fn each_day_balances_goes_on_where_the_last_one_ended_and_adds_up(
            slots in slots(), zone in zone()
        ) {
            let days = |pick: fn(NaiveDate, NaiveDate) -> NaiveDate| {
                slots.iter().map(|slot| slot.start.with_timezone(&zone).date_naive()).reduce(pick)
            };
            let (Some(from), Some(to)) = (days(NaiveDate::min), days(NaiveDate::max)) else {
                return Ok(());
            };
            let rows = daily_metrics(slots.clone(), from, to, zone);
            let opened = |date| -> i64 {
                slots
                    .iter()
                    .filter(|slot| slot.kind == EventKind::Opening)
                    .filter(|slot| slot.start.with_timezone(&zone).date_naive() == date)
                    .map(|slot| slot.leads.cast_signed())
                    .sum()
            };
            let mut before = 0;
            for row in &rows {
                let end = row.backlog_start + row.new_backlog_in - row.matched_out - row.other_out;
                prop_assert_eq!(row.backlog_end, end);
                prop_assert_eq!(row.net_change, row.backlog_end - row.backlog_start);
                prop_assert_eq!(row.backlog_start, before + opened(row.date));
                before = row.backlog_end;
            }
            let total: i64 =
                slots.iter().map(|slot| slot.kind.effect() * slot.leads.cast_signed()).sum();
            prop_assert_eq!(before, total);

            // Summed up by slot, kind and reason, as a roll-up does it, they are the same days.
            let mut sums: BTreeMap<_, u64> = BTreeMap::new();
            for slot in &slots {
                *sums.entry((slot.start, slot.kind, slot.reason.clone())).or_default() += slot.leads;
            }
            let rolled_up = sums
                .into_iter()
                .map(|((start, kind, reason), leads)| LedgerSlot { start, kind, reason, leads });
            prop_assert_eq!(daily_metrics(rolled_up, from, to, zone), rows.clone());

            // A later look at fewer days tells the same of them.
            prop_assert_eq!(daily_metrics(slots.clone(), to, to, zone), &rows[rows.len() - 1..]);
        }
    }
}
