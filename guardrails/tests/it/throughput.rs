//! The time to drain, and days that are judged one by one.

use guardrails::clock::StoppedClock;
use guardrails::recovery::{
    DailyMetrics, InMemoryFacts, LedgerFacts, QueueFacts, ReasonCount, TimeToDrain,
};
use guardrails::{Aspect, CheckReport, KpiState, Suite, SuiteReport, Verdict};
use proptest::prelude::*;

use crate::support::{day, now, unchanged_backlog};

fn queue(pending: u64, failed: u64) -> QueueFacts {
    let reasons = vec![ReasonCount::new("NO_CANDIDATES", failed)];
    QueueFacts { backlog: pending + failed, pending, failed, reasons, ..QueueFacts::default() }
}

/// Days from so many arrivals and matches each, the first on 2026-02-01.
fn days(start: i64, flows: &[(i64, i64)]) -> Vec<DailyMetrics> {
    let mut open = start;
    let mut rows = Vec::new();
    for (n, (arrived, matched)) in flows.iter().enumerate() {
        let row = day(&format!("2026-02-{:02}", n + 1), open, *arrived, *matched);
        open = row.backlog_end;
        rows.push(row);
    }
    rows
}

fn ledger(days: Vec<DailyMetrics>) -> LedgerFacts {
    LedgerFacts { days, ..LedgerFacts::default() }
}

fn report(ledger: LedgerFacts, queue: QueueFacts) -> SuiteReport {
    let facts = InMemoryFacts::new("s", now()).with_ledger(ledger).with_queue(queue);
    Suite::recovery().only(["throughput"]).unwrap().run(&facts, &StoppedClock)
}

fn throughput(ledger: LedgerFacts) -> CheckReport {
    report(ledger, queue(10, 0)).checks.remove(0)
}

#[test]
fn failed_leads_do_not_drain_by_running_whatever_the_rate() {
    // One bulk match long ago, and 132,684 failed leads since.
    let flows = [(0, 169_000), (0, 0), (0, 0), (0, 0)];
    let time = TimeToDrain::of(&ledger(days(301_684, &flows)), &queue(0, 132_684));
    assert_eq!(
        time.in_words(),
        "does not drain by running: 132,684 failed need data or a person (132,684 NO_CANDIDATES)"
    );
    assert_eq!(time.in_short(), "not by running");
}

#[test]
fn the_time_is_unknown_under_three_days_and_then_that_of_a_typical_one() {
    let words = |flows: &[(i64, i64)], pending| {
        TimeToDrain::of(&ledger(days(90_000, flows)), &queue(pending, 0)).in_words()
    };
    assert_eq!(words(&[], 9), "unknown: no day is over yet");
    assert_eq!(words(&[(0, 9), (0, 9)], 9), "unknown: only 2 days are over");
    // A bulk match is no typical day: neither the middle nor the range follows it.
    assert_eq!(words(&[(0, 60_000), (0, 10), (0, 10), (0, 10), (0, 10)], 60), "6 days (6 to 6)");
    assert_eq!(words(&[(0, 10), (5, 0), (0, 10), (9, 0)], 60), "24 days (6 to never)");
    assert_eq!(words(&[(9, 0), (9, 0), (9, 0)], 60), "never at the rate of a typical day");
    assert_eq!(words(&[(0, 1), (0, 1), (0, 1)], 0), "nothing is left");
}

#[test]
fn a_day_that_is_not_over_tells_no_rate_and_misses_nothing() {
    let mut unfinished = ledger(days(100, &[(0, 10), (0, 10), (0, 10), (4, 0)]));
    unfinished.unfinished = Some("2026-02-04".parse().unwrap());
    let time = TimeToDrain::of(&unfinished, &queue(60, 0));
    assert_eq!(time.in_words(), "6 days (6 to 6)");
    assert_eq!(throughput(unfinished.clone()).verdict, Verdict::Pass);
    unfinished.unfinished = None;
    assert_eq!(throughput(unfinished).verdict, Verdict::Warn);
}

#[test]
fn one_bulk_match_does_not_hide_the_days_on_which_the_backlog_rose() {
    let flows = [(10, 500), (9, 4), (12, 3), (8, 2), (7, 1), (9, 0), (11, 2)];
    let check = throughput(ledger(days(1_000, &flows)));
    assert_eq!(check.verdict, Verdict::Warn);
    let missed = "6 of 7 days missed: 2026-02-02, 2026-02-03, 2026-02-04, 2026-02-05, 2026-02-06, \
                  2026-02-07";
    assert!(check.actual.contains(missed), "{}", check.actual);
    assert!(check.actual.starts_with("the backlog fell: 1000 → 554 in 7 days"), "{}", check.actual);
    assert_eq!(check.params["days_missed"], "6");
}

#[test]
fn a_day_is_good_by_matches_by_a_fall_or_by_an_empty_end() {
    let mut fell_otherwise = days(100, &[(5, 2)]);
    fell_otherwise[0].other_out = 9;
    fell_otherwise[0].backlog_end = 94;
    fell_otherwise[0].net_change = -6;
    assert_eq!(throughput(ledger(fell_otherwise)).verdict, Verdict::Pass);
    assert_eq!(throughput(ledger(days(100, &[(5, 6)]))).verdict, Verdict::Pass);
    assert_eq!(throughput(ledger(days(0, &[(0, 0)]))).verdict, Verdict::Pass);
    assert_eq!(throughput(ledger(days(100, &[(0, 0)]))).verdict, Verdict::Warn);
    assert_eq!(throughput(ledger(vec![])).verdict, Verdict::Inconclusive);
}

#[test]
fn a_sound_machinery_and_a_red_kpi_are_said_apart() {
    let suite = Suite::recovery().without(["throughput"]).unwrap();
    let mut queue = queue(0, 203);
    queue.reasons = vec![ReasonCount::new("NO_CANDIDATES", 203)];
    let mut facts = unchanged_backlog().with_queue(queue);
    for invariant in guardrails::recovery::Invariant::BUILT_IN {
        facts = facts.with_offenders(invariant, 9, vec![]);
    }
    let report = suite.run(&facts, &StoppedClock);
    assert_eq!((report.verdict, report.machinery), (Verdict::Pass, Verdict::Pass), "{report:#?}");
    let kpi = report.kpi.as_ref().unwrap();
    assert_eq!((kpi.state, kpi.left), (KpiState::Red, Some(203)));
    assert_eq!(kpi.in_words(), "the KPI is red: 203 leads left");
    assert!(kpi.outlook.as_ref().unwrap().contains("does not drain by running: 203 failed"));
    assert_eq!(report.machinery_in_words(), "the machinery is sound: 6 of 6 checks hold");
    let aspect = |id: &str| report.check(id).unwrap().aspect;
    assert_eq!((aspect("drain"), aspect("impact")), (Aspect::Machinery, Aspect::Kpi));
}

proptest! {
    #[test]
    fn the_verdict_is_that_of_the_rule_day_by_day_and_over_all(
        flows in prop::collection::vec((0_i64..20, 0_i64..20), 1..10),
    ) {
        let rows = days(1_000, &flows);
        let good = |matched: i64, arrived: i64| matched > arrived;
        let last = &rows[rows.len().saturating_sub(7)..];
        let sums = last.iter().fold((0, 0), |sum, d| (sum.0 + d.matched_out, sum.1 + d.new_backlog_in));
        let holds = good(sums.0, sums.1) && last.iter().all(|d| good(d.matched_out, d.new_backlog_in));
        let check = throughput(ledger(rows));
        prop_assert_eq!(check.verdict == Verdict::Pass, holds, "{}", check.actual);
    }

    #[test]
    fn the_range_holds_the_time_and_no_time_is_below_zero(
        flows in prop::collection::vec((0_i64..50, 0_i64..50), 0..30),
        pending in 1_u64..1_000,
    ) {
        if let TimeToDrain::Days { soonest, expected, latest, .. } =
            TimeToDrain::of(&ledger(days(10_000, &flows[..flows.len().min(28)])), &queue(pending, 0))
        {
            prop_assert!(0.0 < soonest && soonest <= expected);
            prop_assert!(latest.is_none_or(|latest| expected <= latest));
        }
    }
}
