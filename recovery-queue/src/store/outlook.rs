//! How the backlog stands: how old it is, how fast it moves, and why its leads failed.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::model::age::AgeBucket;
use crate::model::error::StoreError;
use crate::model::ledger::EventKind;
use crate::model::resolver::FailReason;
use crate::model::rows::backlog_size;
use crate::store::Snapshot;

/// How much of the failures one reason makes up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReasonShare {
    /// The reason.
    pub reason: FailReason,
    /// Failed leads with it.
    pub leads: u64,
    /// Their share of all failed leads, 0 to 1.
    pub share: f64,
    /// The share of this reason and all before it.
    pub cumulative: f64,
}

/// How the backlog stands and how it moves.
///
/// Rates are those of the window. When the backlog would be empty is `TimeToDrain`'s to say, of the crate `guardrails`:
/// from typical days, and for what is pending alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Outlook {
    /// The instant that all figures belong to.
    pub as_of: DateTime<Utc>,
    /// Leads pending or failed.
    pub backlog: u64,
    /// Leads that came in per day.
    pub arrived_per_day: f64,
    /// Leads that left by a match per day.
    pub matched_per_day: f64,
    /// Leads that left by another way per day.
    pub withdrawn_per_day: f64,
    /// The backlog by age, youngest first.
    pub ageing: Vec<AgeBucket>,
    /// The failed leads by reason, most first; of equals, the first by code.
    pub reasons: Vec<ReasonShare>,
    /// Leads whose back-off or lease is over and that nobody has claimed again: leases stuck until the next run.
    pub overdue: u64,
}

/// Computes the outlook from a snapshot and the last `days` times 24 hours of the ledger.
///
/// # Errors
/// As the snapshot's reads.
pub fn outlook(snapshot: &mut dyn Snapshot, days: u16) -> Result<Outlook, StoreError> {
    let as_of = snapshot.as_of();
    let days = days.max(1);
    let from = as_of - TimeDelta::days(i64::from(days));
    let days = f64::from(days);
    let (mut arrived, mut matched, mut withdrawn) = (0_u64, 0_u64, 0_u64);
    snapshot.ledger(DateTime::<Utc>::MAX_UTC, &mut |slot| {
        if slot.start >= from {
            match slot.kind {
                EventKind::Arrived => arrived += slot.leads,
                EventKind::Matched => matched += slot.leads,
                EventKind::Withdrawn => withdrawn += slot.leads,
                _ => {}
            }
        }
    })?;
    let backlog = backlog_size(&snapshot.status_counts()?);
    let rate = |leads: u64| leads as f64 / days;
    let mut counts: Vec<(FailReason, u64)> = snapshot.reason_counts()?.into_iter().collect();
    // They come in the order of their codes, and the sort keeps it among equals.
    counts.sort_by_key(|(_, leads)| std::cmp::Reverse(*leads));
    let failed: u64 = counts.iter().map(|(_, leads)| leads).sum();
    let mut so_far = 0;
    let reasons = counts
        .into_iter()
        .map(|(reason, leads)| {
            so_far += leads;
            ReasonShare {
                reason,
                leads,
                share: leads as f64 / failed as f64,
                cumulative: so_far as f64 / failed as f64,
            }
        })
        .collect();
    Ok(Outlook {
        as_of,
        backlog,
        arrived_per_day: rate(arrived),
        matched_per_day: rate(matched),
        withdrawn_per_day: rate(withdrawn),
        ageing: snapshot.ageing()?,
        reasons,
        overdue: snapshot.overdue()?,
    })
}
