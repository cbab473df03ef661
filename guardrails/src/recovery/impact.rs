use super::remedies::Remedies;
use super::{QueueFacts, ReasonCount, RecoveryFacts, RunFacts};
use crate::facts::if_provided;
use crate::words::{count_of, percent};
use crate::{Check, CheckError, Description, Finding, Remedy, Verdict};

/// The check that explains the backlog before and after the last run.
///
/// It fails only when the backlog rose by leads that did not arrive. An unchanged backlog is no
/// failure, but it must be *explained*: by how many leads wait, and by which reason the others
/// failed, with the share of each. It warns when some leads are left without explanation.
///
/// ```
/// use guardrails::clock::StoppedClock;
/// use guardrails::recovery::{Impact, InMemoryFacts, QueueFacts, ReasonCount, RunFacts};
/// use guardrails::{Suite, Verdict};
///
/// let now = "2026-03-01T00:00:00Z".parse().unwrap();
/// let run = RunFacts {
///     run_id: "r1".into(),
///     started_at: now,
///     finished_at: Some(now),
///     backlog_before: 203,
///     backlog_after: 203,
///     new_backlog_in: 0,
///     matched: 0,
///     other_out: 0,
///     failed: vec![ReasonCount::new("NO_CANDIDATES", 203)],
/// };
/// let queue = QueueFacts { backlog: 203, failed: 203, reasons: run.failed.clone(), ..QueueFacts::default() };
/// let facts = InMemoryFacts::new("s", now).with_runs(vec![run]).with_queue(queue);
/// let report = Suite::new("impact").with(Impact::default()).unwrap().run(&facts, &StoppedClock);
/// assert_eq!(report.verdict, Verdict::Pass);
/// assert_eq!(
///     report.checks[0].actual,
///     "203 leads before, 203 after, 0 arrived, 0 matched; 203 NO_CANDIDATES (100 %)"
/// );
/// ```
#[derive(Debug, Clone, Default)]
pub struct Impact {
    remedies: Remedies,
}

impl Impact {
    /// Sets what to do about a reason, and the command that does it or begins it, in the place of what
    /// this crate knows of it.
    #[must_use]
    pub fn remedy(mut self, reason: &str, action: &str, command: Option<&str>) -> Self {
        self.remedies.set(reason, action, command);
        self
    }
}

/// The backlog, taken apart: why each lead is still in it.
///
/// ```
/// use guardrails::recovery::{Explained, QueueFacts, ReasonCount};
///
/// let queue = QueueFacts {
///     backlog: 10,
///     pending: 3,
///     failed: 6,
///     reasons: vec![ReasonCount::new("NO_CANDIDATES", 6)],
///     ..QueueFacts::default()
/// };
/// let explained = Explained::of(&queue);
/// assert_eq!(explained.parts[0], ReasonCount::new("NO_CANDIDATES", 6));
/// assert_eq!((explained.backlog, explained.unexplained), (10, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Leads in the backlog.
    pub backlog: u64,
    /// Fail reasons, and `pending`, `not_in_queue`, `rejected` and `cancelled` for leads that nobody has tried; most
    /// leads first, then by name.
    pub parts: Vec<ReasonCount>,
    /// Leads that none of the parts accounts for.
    pub unexplained: u64,
}

impl Explained {
    /// Takes the backlog apart by what the queue knows of it.
    #[must_use]
    pub fn of(queue: &QueueFacts) -> Self {
        let waiting = [
            ("pending", queue.pending),
            ("not_in_queue", queue.backlog_not_in_queue),
            ("rejected", queue.rejected),
            ("cancelled", queue.cancelled),
        ]
        .map(|(name, leads)| ReasonCount::new(name, leads));
        Self::from_parts(queue.backlog, queue.reasons.iter().cloned().chain(waiting))
    }

    fn from_parts(backlog: u64, parts: impl IntoIterator<Item = ReasonCount>) -> Self {
        let mut parts: Vec<_> = parts.into_iter().filter(|part| part.leads > 0).collect();
        parts.sort_by(|a, b| b.leads.cmp(&a.leads).then_with(|| a.reason.cmp(&b.reason)));
        let known = parts.iter().fold(0_u64, |sum, part| sum.saturating_add(part.leads));
        Self { backlog, unexplained: backlog.saturating_sub(known), parts }
    }

    /// Returns the share of the backlog that a part accounts for, from 0 to 1.
    #[must_use]
    pub fn share(&self, part: &ReasonCount) -> f64 {
        let known: u64 = self.parts.iter().fold(0, |sum, p| sum.saturating_add(p.leads));
        let all = known.max(self.backlog);
        if all == 0 { 0.0 } else { part.leads as f64 / all as f64 }
    }

    /// Says the parts in words, each with its share.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut words: Vec<String> = self
            .parts
            .iter()
            .map(|part| format!("{} {} ({} %)", part.leads, part.reason, percent(self.share(part))))
            .collect();
        if self.unexplained > 0 {
            words.push(format!("{} without explanation", self.unexplained));
        }
        words.join(", ")
    }
}

impl<F: RecoveryFacts + ?Sized> Check<F> for Impact {
    fn id(&self) -> &'static str {
        "impact"
    }

    fn describe(&self) -> Description {
        Description::judging_itself(
            "the last run left no rise of the backlog without arrivals, and what is left is explained",
        )
        .of_the_kpi()
    }

    fn evaluate(&self, facts: &F, _list: usize) -> Result<Finding, CheckError> {
        // An unfinished run has no backlog after it; the newest finished one is what counts.
        const LOOK_BACK: usize = 20;
        let runs = facts.runs(LOOK_BACK)?;
        let Some(run) = runs.iter().find(|run| run.finished_at.is_some()) else {
            return Ok(Finding::judged(Verdict::Inconclusive, "no run has finished yet")
                .remedy(Remedy::new("Run the recovery.").command("recover_leads")));
        };
        let explained = match if_provided(facts.queue())? {
            Some(queue) => Explained::of(&queue),
            None => Explained::from_parts(run.backlog_after, run.failed.iter().cloned()),
        };
        // Without it the remedies are those of the reasons alone.
        let lacking = if_provided(facts.lacking())?.unwrap_or_default();
        let finding = finding(run, &explained);
        let remedies = self.remedies.ranked(&explained.parts, &lacking);
        Ok(remedies.into_iter().fold(finding, Finding::remedy))
    }
}

fn finding(run: &RunFacts, explained: &Explained) -> Finding {
    let delta = i128::from(run.backlog_after) - i128::from(run.backlog_before);
    let beyond = delta - i128::from(run.new_backlog_in);
    let (verdict, why) = if delta > 0 && beyond > 0 {
        (Verdict::Fail, Some(format!("{} more without having arrived", count_of(beyond, "lead"))))
    } else if explained.unexplained > 0 {
        (Verdict::Warn, None)
    } else {
        (Verdict::Pass, None)
    };
    let mut words = format!(
        "{} before, {} after, {} arrived, {} matched",
        count_of(run.backlog_before, "lead"),
        run.backlog_after,
        run.new_backlog_in,
        run.matched
    );
    for more in why.into_iter().chain(Some(explained.in_words()).filter(|w| !w.is_empty())) {
        words = format!("{words}; {more}");
    }
    let mut finding = Finding::judged(verdict, words)
        .figure("run_id", run.run_id.as_str())
        .figure("backlog_before", run.backlog_before)
        .figure("backlog_after", run.backlog_after)
        .figure("reduced_by", i64::try_from(-delta).unwrap_or(i64::MAX))
        .figure("backlog_delta", i64::try_from(delta).unwrap_or(i64::MAX))
        .figure("new_backlog_in", run.new_backlog_in)
        .figure("matched", run.matched)
        .figure("other_out", run.other_out)
        .figure("backlog_now", explained.backlog)
        .figure("unexplained", explained.unexplained);
    for part in &explained.parts {
        finding = finding
            .figure(format!("leads_{}", part.reason.to_lowercase()), part.leads)
            .figure(format!("share_{}", part.reason.to_lowercase()), explained.share(part));
    }
    if verdict == Verdict::Fail {
        finding = finding
            .cause("links or claims were removed during the run")
            .cause("the backlog view was changed")
            .remedy(
                Remedy::new("Find out what did so, then recover: the next run is judged anew.")
                    .command("recover_leads"),
            );
    }
    if explained.unexplained > 0 {
        finding = finding
            .cause("leads of the backlog are settled as matched or withdrawn: see the check `drain`")
            .remedy(
                Remedy::new("Seed: a lead that was withdrawn comes back; for one that is matched, do what `drain` says.")
                    .command("seed_queue"),
            );
    }
    finding
}
