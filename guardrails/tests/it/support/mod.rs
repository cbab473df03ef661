//! Facts that several modules look at.

use chrono::{DateTime, Utc};
use guardrails::Suite;
use guardrails::facts::{Offender, Offenders};
use guardrails::packets::WithPackets;
use guardrails::recovery::{
    AgeBucket, DailyMetrics, InMemoryFacts, Invariant, LackCount, LedgerFacts, MigrationFacts,
    QueueFacts, ReasonCount, RunFacts,
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
            ..LedgerFacts::default()
        })
        .with_migrations(MigrationFacts {
            embedded: versions.clone(),
            applied: versions,
            ..MigrationFacts::default()
        })
        .with_offenders(Invariant::MATCHED_NOT_IN_BACKLOG, 0, Vec::new())
        .with_offenders(Invariant::MATCHED_HAS_ORIGIN, 0, Vec::new())
        .with_offenders(Invariant::ORIGIN_HAS_LINK, 0, Vec::new())
        .with_offenders(Invariant::MATCHED_HAS_LINK, 0, Vec::new())
        .with_offenders(Invariant::LINK_TO_SAME_PERSON, 0, Vec::new())
        .with_offenders(Invariant::SOURCE_PK_IN_ONE_FORMAT, 203, Vec::new())
}

/// A backlog that rose without arrivals, with something wrong in every check that can be wrong.
///
/// The figures are those of one database: 57 leads in the backlog are 3 that no seed has taken in, 10 pending, 42
/// failed and the 2 leaks; the ledger says 53 open where the queue says 52, since its last day does not add up.
pub(crate) fn troubled() -> InMemoryFacts {
    let offenders = |keys: &[&str], reason: &str| {
        keys.iter().map(|key| Offender::new(*key, reason)).collect::<Vec<_>>()
    };
    let reasons = vec![ReasonCount::new("NO_CANDIDATES", 40), ReasonCount::new("ERROR", 2)];
    let days = vec![
        day("2026-02-26", 70, 0, 12),
        day("2026-02-27", 58, 4, 9),
        day("2026-02-28", 53, 6, 11),
        broken_day(),
    ];
    InMemoryFacts::new("read-2", now())
        .with_queue(QueueFacts {
            backlog: 57,
            backlog_not_in_queue: 3,
            rejected: 0,
            cancelled: 0,
            pending: 10,
            matched: 120,
            failed: 42,
            withdrawn: 4,
            reasons: reasons.clone(),
        })
        .with_lacking(vec![LackCount::new("NO_CANDIDATES", ["document"], 25)])
        .with_runs(vec![RunFacts { failed: reasons, ..run(48, 57, 4, 0) }])
        .with_ledger(LedgerFacts {
            days,
            open_by_ledger: 53,
            open_by_queue: 52,
            unfinished: None,
            matched_last_24h: Some(0),
        })
        .with_ageing(vec![
            age(0, Some(1), 7),
            age(1, Some(3), 0),
            age(3, Some(7), 10),
            age(7, Some(30), 0),
            age(30, None, 40),
        ])
        .with_migrations(MigrationFacts {
            embedded: vec!["1".into(), "2".into()],
            applied: vec!["1".into()],
            ..MigrationFacts::default()
        })
        .with_offenders(
            Invariant::MATCHED_NOT_IN_BACKLOG,
            120,
            offenders(&["L-7", "it's 9"], "matched by run-0, and in the backlog again"),
        )
        .with_offenders(Invariant::MATCHED_HAS_ORIGIN, 120, Vec::new())
        .with_offenders(
            Invariant::ORIGIN_HAS_LINK,
            80,
            offenders(&["P-3"], "its lead L-9 has no link"),
        )
        .with_offenders(Invariant::MATCHED_HAS_LINK, 120, offenders(&["L-9"], "no link"))
        .with_offenders(
            Invariant::LINK_TO_SAME_PERSON,
            119,
            offenders(&["L-8"], "queue P-1, link P-2"),
        )
        .with_offenders(
            Invariant::SOURCE_PK_IN_ONE_FORMAT,
            170,
            offenders(&["007"], "7 in the queue"),
        )
}

/// A day on which 4 arrived and none was matched, written down with one lead too many at its end.
fn broken_day() -> DailyMetrics {
    let mut broken = day("2026-03-01", 48, 4, 0);
    broken.backlog_end += 1;
    broken.net_change += 1;
    broken
}

pub(crate) fn age(from_days: u32, below_days: Option<u32>, leads: u64) -> AgeBucket {
    AgeBucket { from_days, below_days, leads }
}

/// The troubled facts with packets that are all complete but one.
pub(crate) fn with_packets(facts: InMemoryFacts) -> WithPackets<InMemoryFacts> {
    let late = vec![Offender::new("es-teac__2025-12-31__year.csv", "missing_packet_file")];
    WithPackets::new(facts, Some(Offenders::of(late, Some(4), 20)))
}

/// Every built-in check.
pub(crate) fn everything() -> Suite<WithPackets<InMemoryFacts>> {
    Suite::recovery().and(Suite::packets()).unwrap().named("all")
}
