//! Checks that run at once, each on a reader of its own, all of one snapshot.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::Suite;
use crate::SuiteReport;
use crate::clock::Clock;
use crate::facts::Facts;
use crate::report::CheckReport;

impl<F: Facts + Send> Suite<F> {
    /// Evaluates every check like [`Suite::run`], as many at once as there are readers of one snapshot.
    ///
    /// The report is the same but for the durations. A reader whose snapshot is not that of the first is left out; the KPI
    /// is measured on the first.
    ///
    /// ```
    /// use guardrails::clock::StoppedClock;
    /// use guardrails::recovery::InMemoryFacts;
    /// use guardrails::Suite;
    ///
    /// let suite = Suite::recovery();
    /// let mut facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap());
    /// let alone = suite.run(&facts, &StoppedClock);
    /// let mut others = [facts.clone()];
    /// assert_eq!(suite.run_on_readers(&mut facts, &mut others, &StoppedClock), alone);
    /// ```
    pub fn run_on_readers(
        &self,
        first: &mut F,
        others: &mut [F],
        clock: &(dyn Clock + Sync),
    ) -> SuiteReport {
        let snapshot = first.snapshot();
        let span = self.span();
        let began = clock.elapsed();
        // From both ends: what is dear tends to stand together.
        let waiting: Mutex<VecDeque<usize>> = Mutex::new((0..self.entries.len()).collect());
        let work = |facts: &mut F, from_the_end: bool| {
            let facts: &F = facts;
            let _entered = span.enter();
            let mut done: Vec<(usize, CheckReport)> = Vec::new();
            loop {
                let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
                let next = if from_the_end { waiting.pop_back() } else { waiting.pop_front() };
                drop(waiting);
                let Some(at) = next else { return done };
                let entry = &self.entries[at];
                let check = |list| entry.evaluate(facts, list);
                done.push((at, self.checked(entry, &snapshot, clock, check)));
            }
        };
        let beside = others.iter_mut().filter(|facts| facts.snapshot().id == snapshot.id);
        let mut done = std::thread::scope(|threads| {
            let work = &work;
            let threads: Vec<_> = beside
                .zip([true, false].into_iter().cycle())
                .map(|(facts, from_the_end)| threads.spawn(move || work(facts, from_the_end)))
                .collect();
            let mut done = work(first, false);
            for thread in threads {
                // A check that panics is an error of its own; nothing else here does.
                done.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            done
        });
        done.sort_by_key(|(at, _)| *at);
        let checks = done.into_iter().map(|(_, report)| report).collect();
        let _entered = span.enter();
        self.concluded(first, checks, clock, began)
    }
}
