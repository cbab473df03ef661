use chrono::NaiveDate;

use super::{DailyMetrics, RecoveryFacts, TimeToDrain};
use crate::facts::if_provided;
use crate::words::count_of;
use crate::{Check, CheckError, Description, Finding, Remedy, Severity, Verdict};

/// The check, day by day and over all days, that more leads are matched than arrive or that the backlog falls.
///
/// It looks at the last days of the ledger, seven unless told otherwise. A day is good if more was matched than
/// arrived, or the backlog was smaller at its end than at its start, or nothing was left at its end. The days that
/// missed are named, so that one bulk match does not hide a backlog that has risen since. A day that is not over
/// counts where it is good already, and is no miss where it is not. By default the check only warns, since an
/// unchanged backlog is no failure: [`Impact`](super::Impact) explains it.
#[derive(Debug, Clone, Copy)]
pub struct Throughput {
    days: usize,
}

impl Default for Throughput {
    fn default() -> Self {
        Self { days: 7 }
    }
}

impl Throughput {
    /// Looks at the last `days` days, at least one.
    #[must_use]
    pub fn over(days: usize) -> Self {
        Self { days: days.max(1) }
    }
}

fn is_good(matched: i64, arrived: i64, start: i64, end: i64) -> bool {
    matched > arrived || end < start || end == 0
}

fn missed(day: &DailyMetrics) -> bool {
    !is_good(day.matched_out, day.new_backlog_in, day.backlog_start, day.backlog_end)
}

impl<F: RecoveryFacts + ?Sized> Check<F> for Throughput {
    fn id(&self) -> &'static str {
        "throughput"
    }

    fn describe(&self) -> Description {
        Description::judging_itself(
            "on each day, and over all of them, more is matched than arrives or the backlog falls",
        )
        .severity(Severity::Warn)
        .of_the_kpi()
    }

    fn evaluate(&self, facts: &F, _list: usize) -> Result<Finding, CheckError> {
        let ledger = facts.ledger()?;
        let days = &ledger.days[ledger.days.len().saturating_sub(self.days)..];
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Ok(Finding::judged(Verdict::Inconclusive, "the ledger has no day yet"));
        };
        let sum = |of: fn(&DailyMetrics) -> i64| {
            days.iter().fold(0_i64, |sum, day| sum.saturating_add(of(day)))
        };
        let arrived = sum(|day| day.new_backlog_in);
        let matched = sum(|day| day.matched_out);
        let other = sum(|day| day.other_out);
        let (start, end) = (first.backlog_start, last.backlog_end);
        // The only day there is must speak, over or not.
        let judged = |day: &&DailyMetrics| days.len() == 1 || Some(day.day) != ledger.unfinished;
        let misses: Vec<NaiveDate> =
            days.iter().filter(judged).filter(|day| missed(day)).map(|day| day.day).collect();
        let whole = is_good(matched, arrived, start, end);
        let what = if end == 0 {
            "the backlog is empty"
        } else if end < start {
            "the backlog fell"
        } else if end > start {
            "the backlog grew"
        } else {
            "the backlog stands still"
        };
        let verdict = if whole && misses.is_empty() { Verdict::Pass } else { Verdict::Fail };
        let mut words = format!(
            "{what}: {start} → {end} in {}, {arrived} arrived, {matched} matched, \
             {other} left otherwise",
            count_of(days.len(), "day"),
        );
        if !misses.is_empty() {
            words = format!("{words}; {}", named(&misses, days.len()));
        }
        let mut finding = Finding::judged(verdict, "")
            .figure("days", days.len() as u64)
            .figure("days_missed", misses.len() as u64)
            .figure("backlog_start", start)
            .figure("backlog_end", end)
            .figure("new_backlog_in", arrived)
            .figure("matched_out", matched)
            .figure("other_out", other);
        if let Some(queue) = if_provided(facts.queue())? {
            let time = TimeToDrain::of(&ledger, &queue);
            words = format!("{words}; time to drain: {}", time.in_words());
            if let TimeToDrain::Days { expected, .. } = time {
                finding = finding.figure("drain_days", expected);
            }
        }
        finding = finding.words(words);
        if verdict == Verdict::Pass {
            return Ok(finding);
        }
        if let Some(reason) = last.top_fail_reason.as_deref() {
            finding = finding.figure("top_fail_reason", reason);
        }
        // A day that is over stays as it was.
        let remedy = if whole {
            Remedy::new(format!(
                "Recover every night; a day that missed counts until it is out of the last {}.",
                count_of(self.days, "day")
            ))
        } else {
            Remedy::new("Recover the leads that wait.")
        };
        Ok(finding
            .cause("leads fail for reasons that a run cannot change: see the check `impact`")
            .remedy(remedy.command("recover_leads")))
    }
}

/// Names the days that missed: `2 of 7 days missed: 2026-03-01, 2026-03-02`.
fn named(misses: &[NaiveDate], days: usize) -> String {
    const LISTED: usize = 7;
    let more = misses.len().saturating_sub(LISTED);
    let mut listed: Vec<String> = misses.iter().take(LISTED).map(ToString::to_string).collect();
    if more > 0 {
        listed.push(format!("{more} more"));
    }
    format!("{} of {} missed: {}", misses.len(), count_of(days, "day"), listed.join(", "))
}
