use std::cell::Cell;
use std::time::Duration;

use guardrails::clock::StoppedClock;
use guardrails::facts::Offender;
use guardrails::recovery::{InMemoryFacts, Invariant, RecoveryFacts};
use guardrails::{
    ConfigError, Description, ExitPolicy, Finding, Settings, Severity, Suite, Threshold, Verdict,
    closure,
};

use crate::support::{everything, now, troubled, unchanged_backlog, with_packets};

fn verdict(suite: &Suite<InMemoryFacts>, facts: &InMemoryFacts, id: &str) -> Verdict {
    suite.run(facts, &StoppedClock).check(id).unwrap().verdict
}

#[test]
fn an_unchanged_backlog_fails_nothing_and_exits_with_zero_once_emptiness_is_allowed() {
    let report = Suite::recovery().run(&unchanged_backlog(), &StoppedClock);
    assert_eq!(report.totals.fail + report.totals.error, 0, "{report:#?}");
    assert_eq!(report.check("drain").unwrap().verdict, Verdict::Inconclusive);
    assert_eq!(report.exit_code(ExitPolicy::default()), 3);
    assert_eq!(report.exit_code(ExitPolicy::default().with_inconclusive_allowed(true)), 0);
}

#[test]
fn every_check_finds_its_trouble_with_exact_totals() {
    let report = everything().run(&with_packets(troubled()), &StoppedClock);
    let found: Vec<_> = report
        .checks
        .iter()
        .map(|c| (c.assertion.as_str(), c.verdict, c.numerator, c.denominator))
        .collect();
    assert_eq!(
        found,
        [
            ("drain", Verdict::Fail, 2, Some(120)),
            ("origin_missing", Verdict::Fail, 1, Some(200)),
            ("source_pk_consistency", Verdict::Fail, 1, Some(170)),
            ("identity_link_integrity", Verdict::Fail, 2, Some(120)),
            ("single_migration_head", Verdict::Fail, 1, Some(2)),
            ("ledger_balance", Verdict::Fail, 3, Some(13)),
            ("impact", Verdict::Fail, 0, None),
            ("throughput", Verdict::Warn, 0, None),
            ("packets_complete", Verdict::Fail, 1, Some(4)),
        ]
    );
    assert_eq!(report.exit_code(ExitPolicy::default()), 1);
}

#[test]
fn an_empty_population_passes_only_where_it_is_expected_and_the_reason_is_written() {
    let facts = unchanged_backlog();
    let expected =
        Settings::default().with_expect_empty("no lead can match before the persons come");
    let suite = Suite::recovery().configure("drain", expected).unwrap();
    let report = suite.run(&facts, &StoppedClock);
    let drain = report.check("drain").unwrap();
    assert_eq!(drain.verdict, Verdict::Pass);
    assert!(drain.reason.as_ref().unwrap().contains("before the persons come"));
    let blank = Suite::<InMemoryFacts>::recovery()
        .configure("drain", Settings::default().with_expect_empty(" "));
    assert!(matches!(blank, Err(ConfigError::EmptyReason { .. })));
}

#[test]
fn a_listing_that_is_cut_keeps_the_exact_total_and_a_sensitive_check_lists_nothing() {
    let many = (0..1_000).map(|i| Offender::new(format!("L-{i:04}"), "leak")).collect();
    let facts = InMemoryFacts::new("s", now()).with_offenders(
        Invariant::MATCHED_NOT_IN_BACKLOG,
        5_000,
        many,
    );
    let report = Suite::recovery().only(["drain"]).unwrap().list(3).run(&facts, &StoppedClock);
    let drain = &report.checks[0];
    assert_eq!((drain.samples.len(), drain.samples_total, drain.unlisted()), (3, 1_000, 997));
    assert_eq!(drain.help[0].command.as_deref(), Some("explain_match --source-pk=L-0000"));
    let silent = Settings::default().with_sensitive(true);
    let suite = Suite::recovery().only(["drain"]).unwrap().configure("drain", silent).unwrap();
    let report = suite.run(&facts, &StoppedClock);
    assert_eq!((report.checks[0].samples.len(), report.checks[0].samples_total), (0, 1_000));
}

#[test]
fn a_check_that_panics_is_an_error_and_the_others_run() {
    let bang = closure("bang", Description::counting("never"), |_: &InMemoryFacts, _| {
        panic!("out of luck")
    });
    let suite = Suite::new("s").with(bang).unwrap();
    let suite = suite.and(Suite::recovery().only(["drain"]).unwrap()).unwrap();
    let report = suite.run(&troubled(), &StoppedClock);
    assert_eq!(report.checks[0].verdict, Verdict::Error);
    assert!(report.checks[0].reason.as_ref().unwrap().contains("out of luck"));
    assert_eq!(report.checks[1].verdict, Verdict::Fail);
    assert_eq!(report.exit_code(ExitPolicy::default()), 1);
}

#[test]
fn a_sample_never_passes() {
    let sampled =
        closure("sampled", Description::judging_itself("all is well"), |_: &InMemoryFacts, _| {
            Ok(Finding::judged(Verdict::Pass, "100 rows hold").partial("100 of 5,000 rows"))
        });
    let suite = Suite::new("s").with(sampled).unwrap();
    assert_eq!(verdict(&suite, &troubled(), "sampled"), Verdict::Inconclusive);
}

#[test]
fn a_failing_check_of_severity_warn_warns() {
    let warn = Settings::default().with_severity(Severity::Warn);
    let suite = Suite::recovery().configure("drain", warn).unwrap();
    assert_eq!(verdict(&suite, &troubled(), "drain"), Verdict::Warn);
}

#[test]
fn a_fail_threshold_never_makes_a_check_warn_and_a_warn_threshold_never_fails() {
    let only_fail = Settings::default().with_fail(Threshold::count(10));
    let suite = Suite::recovery().configure("drain", only_fail).unwrap();
    assert_eq!(verdict(&suite, &troubled(), "drain"), Verdict::Pass);
    let only_warn = Settings::default().with_warn(Threshold::ANY);
    let suite = Suite::recovery().configure("drain", only_warn).unwrap();
    assert_eq!(verdict(&suite, &troubled(), "drain"), Verdict::Warn);
}

#[test]
fn thresholds_by_count_and_by_ratio_weigh_warn_and_fail_apart_in_code_and_in_toml() {
    // `drain` has 2 offenders of 120: 1.67 %.
    let cases = [
        ("1", "5", Verdict::Warn),
        ("1%", "5%", Verdict::Warn),
        ("1%", "5", Verdict::Warn),
        ("1, 50%", "9, 1.5%", Verdict::Fail),
        ("5", "9", Verdict::Pass),
        ("2%", "3%", Verdict::Pass),
        ("0", "1", Verdict::Fail),
        ("1%", "1.6%", Verdict::Fail),
    ];
    for (warn, fail, expected) in cases {
        let settings =
            Settings::default().with_warn(warn.parse().unwrap()).with_fail(fail.parse().unwrap());
        let code = Suite::recovery().configure("drain", settings).unwrap();
        assert_eq!(verdict(&code, &troubled(), "drain"), expected, "warn {warn}, fail {fail}");
        #[cfg(feature = "toml")]
        {
            let text = format!("[check.drain]\nwarn = '{warn}'\nfail = '{fail}'");
            let toml = crate::declared::recovery(&text).unwrap();
            assert_eq!(verdict(&toml, &troubled(), "drain"), expected, "{text}");
        }
    }
}

/// A check of the user's own: no queue has more failed than matched leads.
struct MoreMatchedThanFailed;

impl<F: RecoveryFacts + ?Sized> guardrails::Check<F> for MoreMatchedThanFailed {
    fn id(&self) -> &'static str {
        "more_matched_than_failed"
    }
    fn describe(&self) -> Description {
        Description::counting("fewer leads fail than match").severity(Severity::Warn)
    }
    fn evaluate(&self, facts: &F, _: usize) -> Result<Finding, guardrails::CheckError> {
        let queue = facts.queue()?;
        let mut failed = guardrails::facts::Offenders::none_of(queue.matched + queue.failed);
        failed.total = queue.failed;
        Ok(Finding::counted(failed, "leads failed"))
    }
}

#[test]
fn a_trait_implementation_and_a_closure_of_the_users_own_are_weighed_as_the_built_in_ones() {
    let closed = closure(
        "no_lead_waits",
        Description::counting("no lead waits"),
        |facts: &InMemoryFacts, _| {
            let queue = facts.queue()?;
            let mut waiting = guardrails::facts::Offenders::none_of(queue.backlog);
            waiting.total = queue.pending;
            Ok(Finding::counted(waiting, "leads wait"))
        },
    );
    let lenient =
        Settings::default().with_warn(Threshold::ANY).with_fail(Threshold::ratio(0.5).unwrap());
    let suite = Suite::new("own")
        .with(MoreMatchedThanFailed)
        .unwrap()
        .with_settings(closed, lenient.with_owner("data team"))
        .unwrap();
    let report = suite.run(&troubled(), &StoppedClock);
    let found: Vec<_> =
        report.checks.iter().map(|c| (c.verdict, c.actual.as_str(), c.owner.as_deref())).collect();
    assert_eq!(
        found,
        [
            (Verdict::Warn, "42 of 162 leads failed (25.93 %)", None),
            (Verdict::Warn, "10 of 57 leads wait (17.54 %)", Some("data team")),
        ]
    );
}

#[test]
fn a_finding_that_comes_after_its_limit_is_an_error_and_the_others_count() {
    let clock = std::rc::Rc::new(Cell::new(0));
    let reads = clock.clone();
    let clock = move || {
        reads.set(reads.get() + 40);
        Duration::from_millis(reads.get())
    };
    let limited = Settings::default().with_time_limit(Duration::from_millis(30));
    let suite = Suite::recovery().only(["drain", "origin_missing"]).unwrap();
    let suite = suite.configure("drain", limited).unwrap();
    let report = suite.run(&troubled(), &clock);
    assert_eq!(report.checks[0].verdict, Verdict::Error);
    assert!(report.checks[0].reason.as_ref().unwrap().contains("limit of 30ms"));
    assert_eq!(report.checks[1].verdict, Verdict::Fail);
}

#[test]
fn wrong_settings_name_the_check_and_what_would_do() {
    let unknown = Suite::<InMemoryFacts>::recovery().only(["drian"]).unwrap_err().to_string();
    assert!(unknown.contains("`drian`") && unknown.contains("drain, origin_missing"), "{unknown}");
    let twice = Suite::<InMemoryFacts>::recovery().and(Suite::recovery()).unwrap_err();
    assert!(matches!(twice, ConfigError::DuplicateCheck { .. }));
    let fail = Settings::default().with_fail(Threshold::ANY);
    let judging = Suite::<InMemoryFacts>::recovery().configure("impact", fail).unwrap_err();
    assert!(matches!(judging, ConfigError::NoThresholds { .. }));
    let useless = Settings::default().with_warn(Threshold::count(5)).with_fail(Threshold::count(5));
    let useless = Suite::<InMemoryFacts>::recovery().configure("drain", useless).unwrap_err();
    assert!(matches!(useless, ConfigError::Threshold { .. }));
}

#[test]
fn durations_come_from_the_clock_that_is_passed_in() {
    let ticks = Cell::new(0);
    let clock = || {
        ticks.set(ticks.get() + 1);
        Duration::from_millis(ticks.get())
    };
    let report = Suite::recovery().only(["drain"]).unwrap().run(&troubled(), &clock);
    assert_eq!((report.checks[0].duration_ms, report.duration_ms), (1, 3));
}

#[cfg(feature = "testing")]
#[test]
fn facts_in_memory_keep_the_promises_of_the_trait() {
    guardrails::testing::conformance(&unchanged_backlog());
    guardrails::testing::conformance(&troubled());
    guardrails::testing::conformance(&InMemoryFacts::new("s", now()));
}
