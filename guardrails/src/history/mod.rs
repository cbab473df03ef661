//! Earlier reports of a suite: trend, baseline and regression.
//!
//! A history is a list of small [`SuiteRecord`]s, one per report, oldest first, without offenders. As text
//! it is one JSON object per line, so that a run appends and rewrites nothing. [`mod@file`] keeps it on disk.
//!
//! A check's **baseline** is its last record that passed: a failed run never becomes one, and
//! trimming never loses it.

pub mod file;
mod record;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::{Baseline, SuiteReport, Verdict};

pub use record::{CheckRecord, SuiteRecord};

/// Reports of one or more suites, oldest first.
///
/// ```
/// use guardrails::clock::StoppedClock;
/// use guardrails::facts::Offender;
/// use guardrails::recovery::{InMemoryFacts, Invariant};
/// use guardrails::history::History;
/// use guardrails::{Suite, Verdict};
///
/// let suite = Suite::recovery().only(["drain"]).unwrap();
/// let on = |day: &str, leaks: Vec<Offender>| {
///     let facts = InMemoryFacts::new(day, format!("{day}T06:00:00Z").parse().unwrap())
///         .with_offenders(Invariant::MATCHED_NOT_IN_BACKLOG, 120, leaks);
///     suite.run(&facts, &StoppedClock)
/// };
/// let mut history = History::default();
/// history.push(&on("2026-03-01", vec![]));
/// let today = on("2026-03-02", vec![Offender::new("L-7", "leak")]);
///
/// let regressions = history.regressions(&today);
/// assert_eq!(regressions[0].in_words(), "`drain` passed on 2026-03-01 (0 of 120), now fail (1 of 120)");
/// history.push(&today);
/// assert_eq!(history.baseline("recovery", "drain").unwrap().0.snapshot_id, "2026-03-01");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    records: Vec<SuiteRecord>,
}

/// The reason why a line of a history cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A line is not a record: correct or remove it.
    #[error("line {line}, column {column} is not the record of a report; correct or remove it")]
    Line {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser said.
        source: serde_json::Error,
    },
}

/// One check at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendPoint<'a> {
    /// When.
    pub as_of: DateTime<Utc>,
    /// What the check came to.
    pub check: &'a CheckRecord,
}

/// A check that passed once and does not now.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// The check's id.
    pub check: String,
    /// When it last passed.
    pub baseline_as_of: DateTime<Utc>,
    /// The read that it saw then.
    pub baseline_snapshot_id: String,
    /// Its figures then.
    pub baseline: CheckRecord,
    /// Its figures now.
    pub now: CheckRecord,
}

impl Regression {
    /// Says it in one sentence.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!(
            "`{}` passed on {} ({}), now {} ({})",
            self.check,
            self.baseline_as_of.format("%Y-%m-%d"),
            self.baseline.in_words(),
            self.now.verdict,
            self.now.in_words()
        )
    }
}

impl History {
    /// Reads a history from its lines; blank lines are passed over.
    ///
    /// A last line without a line break is what a writer left that was stopped in the middle: it is
    /// read where it is whole and dropped where it is not.
    pub fn from_lines(text: &str) -> Result<Self, HistoryError> {
        let mut records = Vec::new();
        let torn = text.rfind('\n').map_or(0, |end| end + 1);
        let mut offset = 0;
        for (i, line) in text.split_inclusive('\n').enumerate() {
            let is_last_unended = offset == torn;
            offset += line.len();
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str(line) {
                Ok(record) => records.push(record),
                Err(_) if is_last_unended => {}
                Err(source) => {
                    let column = source.column();
                    return Err(HistoryError::Line { line: i + 1, column, source });
                }
            }
        }
        Ok(Self { records })
    }

    /// Writes the history as lines.
    #[must_use]
    pub fn to_lines(&self) -> String {
        self.records.iter().map(SuiteRecord::to_line).collect()
    }

    /// Appends a report.
    pub fn push(&mut self, report: &SuiteReport) {
        self.records.push(SuiteRecord::of(report));
    }

    /// Returns the records, oldest first.
    #[must_use]
    pub fn records(&self) -> &[SuiteRecord] {
        &self.records
    }

    /// Returns the records of one suite, oldest first; those of some rows alone ([`Scope`](crate::facts::Scope)) are no
    /// part of its history.
    #[must_use = "it reads and changes nothing"]
    pub fn of_suite(&self, suite: &str) -> impl DoubleEndedIterator<Item = &SuiteRecord> {
        self.records.iter().filter(move |record| record.suite == suite && record.scope.is_none())
    }

    /// Returns what one check came to over time, oldest first.
    #[must_use]
    pub fn trend(&self, suite: &str, check: &str) -> Vec<TrendPoint<'_>> {
        self.of_suite(suite)
            .filter_map(|record| {
                Some(TrendPoint { as_of: record.as_of, check: record.check(check)? })
            })
            .collect()
    }

    /// Returns the last record in which a check passed, and what it came to there.
    #[must_use]
    pub fn baseline(&self, suite: &str, check: &str) -> Option<(&SuiteRecord, &CheckRecord)> {
        self.of_suite(suite).rev().find_map(|record| {
            let found = record.check(check)?;
            (found.verdict == Verdict::Pass).then_some((record, found))
        })
    }

    /// Compares a report that is not in the history yet with the baselines of its checks.
    ///
    /// A check regressed when it passed before and now warns, fails or cannot be evaluated. Without
    /// a baseline, as on a first run, there is nothing to compare and no regression.
    #[must_use]
    pub fn regressions(&self, report: &SuiteReport) -> Vec<Regression> {
        // Some rows are not compared with all.
        let now = SuiteRecord::of(report);
        let checks = if now.scope.is_none() { now.checks } else { Vec::new() };
        checks
            .into_iter()
            .filter(|check| matches!(check.verdict, Verdict::Warn | Verdict::Fail | Verdict::Error))
            .filter_map(|check| {
                let (record, baseline) = self.baseline(&report.suite, &check.id)?;
                Some(Regression {
                    check: check.id.clone(),
                    baseline_as_of: record.as_of,
                    baseline_snapshot_id: record.snapshot_id.clone(),
                    baseline: baseline.clone(),
                    now: check,
                })
            })
            .collect()
    }

    /// Keeps the last `keep` records of each suite, its latest and every check's baseline.
    ///
    /// Returns how many records were removed.
    pub fn trim(&mut self, keep: usize) -> usize {
        let before = self.records.len();
        let mut kept = BTreeSet::new();
        let suites: BTreeSet<(&str, bool)> =
            self.records.iter().map(|r| (r.suite.as_str(), r.scope.is_some())).collect();
        for suite in suites {
            let of_suite = || {
                self.records
                    .iter()
                    .enumerate()
                    .rev()
                    .filter(|(_, r)| (r.suite.as_str(), r.scope.is_some()) == suite)
            };
            kept.extend(of_suite().take(keep.max(1)).map(|(i, _)| i));
            let mut seen = BTreeSet::new();
            for (i, record) in of_suite() {
                let passed = record.checks.iter().filter(|check| check.verdict == Verdict::Pass);
                for check in passed {
                    if seen.insert(check.id.as_str()) {
                        kept.insert(i);
                    }
                }
            }
        }
        let mut i = 0;
        self.records.retain(|_| {
            i += 1;
            kept.contains(&(i - 1))
        });
        before - self.records.len()
    }
}

impl SuiteReport {
    /// Names, at each check that passed before and does not now, the report in which it last passed.
    ///
    /// ```
    /// use guardrails::facts::Offender;
    /// use guardrails::recovery::{InMemoryFacts, Invariant};
    /// use guardrails::{Suite, clock::StoppedClock, format, history::History};
    ///
    /// let report = |leaks| {
    ///     let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap())
    ///         .with_offenders(Invariant::MATCHED_NOT_IN_BACKLOG, 120, leaks);
    ///     Suite::recovery().only(["drain"]).unwrap().run(&facts, &StoppedClock)
    /// };
    /// let mut history = History::default();
    /// history.push(&report(vec![]));
    /// let now = report(vec![Offender::new("L-7", "leak")]).compared_with(&history);
    /// assert!(format::markdown(&now).contains("regression: it passed on 2026-03-01 00:00 UTC (0 of 120)"));
    /// ```
    #[must_use]
    pub fn compared_with(mut self, history: &History) -> Self {
        for regression in history.regressions(&self) {
            let check = self.checks.iter_mut().find(|check| check.assertion == regression.check);
            if let Some(check) = check {
                check.baseline = Some(Baseline {
                    as_of: regression.baseline_as_of,
                    snapshot_id: regression.baseline_snapshot_id,
                    numerator: regression.baseline.numerator,
                    denominator: regression.baseline.denominator,
                });
            }
        }
        self
    }
}
