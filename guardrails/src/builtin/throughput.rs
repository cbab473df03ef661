use crate::facts::{DailyMetrics, Facts};
use crate::finding::count_of;
use crate::{Check, CheckError, Description, Finding, Remedy, Severity, Verdict};

/// Checks that more leads are matched than arrive, or that the backlog falls.
///
/// It looks at the last days of the ledger, seven unless told otherwise. By default it only warns,
/// since an unchanged backlog is no failure: [`Impact`](super::Impact) explains it.
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

/// How long the backlog takes to drain if the last days go on.
///
/// The rate is leads out minus leads in, per day; the time is the open leads divided by it. It is
/// a range, from the better and the worse half of the days, since one number would promise too
/// much. `None` means never: at that rate the backlog does not fall.
///
/// ```
/// use guardrails::builtin::TimeToDrain;
/// use guardrails::facts::DailyMetrics;
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
/// let days = [day("2026-03-01", 20, 120), day("2026-03-02", 30, 110)];
/// let time = TimeToDrain::of(&days);
/// assert_eq!((time.soonest, time.expected, time.latest), (Some(4.5), Some(6.0), Some(9.0)));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TimeToDrain {
    /// In days, at the rate of the better half of the days.
    pub soonest: Option<f64>,
    /// In days, at the rate of all days.
    pub expected: Option<f64>,
    /// In days, at the rate of the worse half of the days.
    pub latest: Option<f64>,
}

impl TimeToDrain {
    /// Reckons the time from days in order, oldest first.
    #[must_use]
    pub fn of(days: &[DailyMetrics]) -> Self {
        let Some(last) = days.last() else { return Self::default() };
        let open = last.backlog_end as f64;
        let rate = |days: &[DailyMetrics]| {
            let out: f64 = days
                .iter()
                .map(|d| d.matched_out as f64 + d.other_out as f64 - d.new_backlog_in as f64)
                .sum();
            out / days.len().max(1) as f64
        };
        let time = |rate: f64| match (open <= 0.0, rate > 0.0) {
            (true, _) => Some(0.0),
            (false, true) => Some(open / rate),
            (false, false) => None,
        };
        let (older, newer) = days.split_at(days.len() / 2);
        let halves = if older.is_empty() { [rate(newer); 2] } else { [rate(older), rate(newer)] };
        Self {
            soonest: time(halves[0].max(halves[1])),
            expected: time(rate(days)),
            latest: time(halves[0].min(halves[1])),
        }
    }

    /// Says the time in words, such as `6 days (4.5 to 9)` or `never at this rate`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let days = |time: Option<f64>| {
            time.map_or("never".to_owned(), |days| ((days * 10.0).round() / 10.0).to_string())
        };
        match self.expected {
            None => "never at this rate".to_owned(),
            Some(expected) => format!(
                "{} {} ({} to {})",
                days(self.expected),
                if (expected - 1.0).abs() < 0.05 { "day" } else { "days" },
                days(self.soonest),
                days(self.latest)
            ),
        }
    }
}

impl Check for Throughput {
    fn id(&self) -> &'static str {
        "throughput"
    }

    fn describe(&self) -> Description {
        Description::judging_itself("more is matched than arrives, or the backlog falls")
            .severity(Severity::Warn)
    }

    fn evaluate(&self, facts: &dyn Facts, _list: usize) -> Result<Finding, CheckError> {
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
        let time = TimeToDrain::of(days);
        let (verdict, why) = if end == 0 {
            (Verdict::Pass, "the backlog is empty")
        } else if end < start {
            (Verdict::Pass, "the backlog fell")
        } else if matched > arrived {
            (Verdict::Pass, "more was matched than arrived")
        } else if end == start {
            (Verdict::Fail, "the backlog stands still")
        } else {
            (Verdict::Fail, "the backlog grows")
        };
        let mut finding = Finding::judged(
            verdict,
            format!(
                "{why}: {start} → {end} in {}, {arrived} arrived, {matched} matched, \
                 {other} left otherwise; time to drain: {}",
                count_of(days.len(), "day"),
                time.in_words()
            ),
        )
        .figure("days", days.len() as u64)
        .figure("backlog_start", start)
        .figure("backlog_end", end)
        .figure("new_backlog_in", arrived)
        .figure("matched_out", matched)
        .figure("other_out", other);
        if let Some(expected) = time.expected {
            finding = finding.figure("drain_days", expected);
        }
        if verdict == Verdict::Pass {
            return Ok(finding);
        }
        if let Some(reason) = last.top_fail_reason.as_deref() {
            finding = finding.figure("top_fail_reason", reason);
        }
        Ok(finding
            .cause("leads fail for reasons that a run cannot change: see the check `impact`")
            .remedy(Remedy::new("Recover the leads that wait.").command("recover_leads")))
    }
}
