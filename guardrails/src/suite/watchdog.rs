//! Time limits that hold even where a check or its facts do not give up by themselves.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::Suite;
use crate::clock::Clock;
use crate::facts::Facts;
use crate::{CheckError, SuiteReport};

/// How much longer than its limit a check is waited for, so that the store's own time-out, which
/// says more, comes first.
const GRACE: Duration = Duration::from_millis(250);

impl<F> Suite<F>
where
    F: Facts + Send + Sync + 'static,
{
    /// Evaluates every check like [`Suite::run`], those with a time limit on a thread of their own.
    ///
    /// A check that is not done when its limit is over is an `error`, and the others run. Its thread
    /// cannot be stopped: it is left behind and its finding dropped. Where it holds the facts'
    /// connection meanwhile, checks after it that need the same connection wait for it, up to their
    /// own limits; so give the facts a time-out of their own, too ([`Facts::limit_time`]).
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use std::time::Duration;
    /// use guardrails::clock::StoppedClock;
    /// use guardrails::recovery::InMemoryFacts;
    /// use guardrails::{Description, Finding, Settings, Suite, Verdict, closure};
    ///
    /// let gate = Arc::new(Mutex::new(()));
    /// let shut = gate.lock().unwrap();
    /// let waits = Arc::clone(&gate);
    /// let stuck = closure("stuck", Description::judging_itself("it ends"), move |_: &InMemoryFacts, _| {
    ///     drop(waits.lock());
    ///     Ok(Finding::judged(Verdict::Pass, "it ended"))
    /// });
    /// let soon = Settings::default().with_time_limit(Duration::from_millis(1));
    /// let suite = Suite::new("s").with_settings(stuck, soon).unwrap();
    /// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap());
    /// let report = suite.run_with_time_limits(&Arc::new(facts), &StoppedClock);
    /// assert_eq!(report.verdict, Verdict::Error);
    /// drop(shut);
    /// ```
    pub fn run_with_time_limits(&self, facts: &Arc<F>, clock: &dyn Clock) -> SuiteReport {
        self.run_each(&**facts, clock, |entry, list| {
            let Some(limit) = entry.settings.time_limit else {
                return entry.evaluate(&**facts, list);
            };
            let (sender, receiver) = mpsc::channel();
            let (entry, facts) = (entry.clone(), Arc::clone(facts));
            let spawned = std::thread::Builder::new()
                .name(format!("check {}", entry.check.id()))
                // Nobody listens any more where the limit is over.
                .spawn(move || drop(sender.send(entry.evaluate(&*facts, list))));
            if let Err(error) = spawned {
                let message = format!("no thread could be started for the check: {error}");
                return Err(CheckError::Broken { message });
            }
            receiver
                .recv_timeout(limit.saturating_add(GRACE))
                .unwrap_or(Err(CheckError::TimedOut { limit }))
        })
    }
}
