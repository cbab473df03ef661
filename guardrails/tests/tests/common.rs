//! Facts that several modules look at.

use chrono::{DateTime, Utc};
use guardrails::facts::{
    DailyMetrics, InMemoryFacts, Invariant, LedgerFacts, MigrationFacts, Offender, QueueFacts,
    ReasonCount, RunFacts,
};

pub(crate) fn now() -> DateTime<Utc> {
    "2026-03-01T06:00:00Z".parse().unwrap()
}

pub(crate) fn run(before: u64, after: u64, arrived: u64, matched: u64) -> RunFacts {
    RunFacts {
        run_id: "run-1".into(),
        started_at: now(),
        finished_at: Some(now()),
        backlog_before: before,
        backlog_after: after,
        new_backlog_in: arrived,
        matched,
        other_out: 0,
        failed: Vec::new(),
    }
}

pub(crate) fn day(day: &str, start: i64, arrived: i64, matched: i64) -> DailyMetrics {
    DailyMetrics {
        day: day.parse().unwrap(),
        backlog_start: start,
        new_backlog_in: arrived,
        matched_out: matched,
        other_out: 0,
        backlog_end: start + arrived - matched,
        net_change: arrived - matched,
        top_fail_reason: Some("NO_CANDIDATES".into()),
    }
}

/// 203 leads before, 203 after, matched 0, every lead explained.
pub(crate) fn unchanged_backlog() -> InMemoryFacts {
    let reasons = vec![
        ReasonCount::new("NO_CANDIDATES", 151),
        ReasonCount::new("MISSING_IDENTIFIERS", 40),
        ReasonCount::new("CONFLICT_MULTIPLE_CANDIDATES", 12),
    ];
    let queue =
        QueueFacts { backlog: 203, failed: 203, reasons: reasons.clone(), ..QueueFacts::default() };
    let versions = vec!["2026-01-01-000000".to_owned()];
    InMemoryFacts::new("read-1", now())
        .with_queue(queue)
        .with_runs(vec![RunFacts { failed: reasons, ..run(203, 203, 0, 0) }])
        .with_ledger(LedgerFacts {
            days: vec![day("2026-02-28", 203, 0, 0), day("2026-03-01", 203, 0, 0)],
            open_by_ledger: 203,
            open_by_queue: 203,
        })
        .with_migrations(MigrationFacts {
            embedded: versions.clone(),
            applied: versions,
            drifted: Vec::new(),
        })
        .with_offenders(Invariant::MatchedNotInBacklog, 0, Vec::new())
        .with_offenders(Invariant::MatchedHasOrigin, 0, Vec::new())
        .with_offenders(Invariant::OriginHasLink, 0, Vec::new())
        .with_offenders(Invariant::MatchedHasLink, 0, Vec::new())
        .with_offenders(Invariant::LinkToSamePerson, 0, Vec::new())
        .with_offenders(Invariant::SourcePkInOneFormat, 203, Vec::new())
}

/// A backlog that fell, with something wrong in every check that can be wrong.
pub(crate) fn troubled() -> InMemoryFacts {
    let offenders = |keys: &[&str], reason: &str| {
        keys.iter().map(|key| Offender::new(*key, reason)).collect::<Vec<_>>()
    };
    let reasons = vec![ReasonCount::new("NO_CANDIDATES", 30), ReasonCount::new("ERROR", 2)];
    let mut broken = day("2026-03-01", 60, 5, 20);
    broken.backlog_end += 1;
    InMemoryFacts::new("read-2", now())
        .with_queue(QueueFacts {
            backlog: 50,
            backlog_not_in_queue: 3,
            pending: 10,
            matched: 120,
            failed: 32,
            withdrawn: 4,
            reasons: reasons.clone(),
        })
        .with_runs(vec![RunFacts { failed: reasons, ..run(40, 50, 0, 0) }])
        .with_ledger(LedgerFacts {
            days: vec![day("2026-02-28", 70, 0, 10), broken],
            open_by_ledger: 46,
            open_by_queue: 42,
        })
        .with_migrations(MigrationFacts {
            embedded: vec!["1".into(), "2".into()],
            applied: vec!["1".into()],
            drifted: Vec::new(),
        })
        .with_offenders(
            Invariant::MatchedNotInBacklog,
            120,
            offenders(&["L-7", "it's 9"], "matched by run-0, and in the backlog again"),
        )
        .with_offenders(Invariant::MatchedHasOrigin, 120, Vec::new())
        .with_offenders(
            Invariant::OriginHasLink,
            80,
            offenders(&["P-3"], "its lead L-9 has no link"),
        )
        .with_offenders(Invariant::MatchedHasLink, 120, offenders(&["L-9"], "no link"))
        .with_offenders(
            Invariant::LinkToSamePerson,
            119,
            offenders(&["L-8"], "queue P-1, link P-2"),
        )
        .with_offenders(Invariant::SourcePkInOneFormat, 170, offenders(&["007"], "7 in the queue"))
}
