//! A service with facts of its own, which have nothing to do with leads.

use std::cell::Cell;

use guardrails::clock::StoppedClock;
use guardrails::facts::{Facts, FactsError, Offender, Offenders, SnapshotInfo};
use guardrails::{CheckError, Description, Finding, KpiReading, KpiState, Suite, Verdict, closure};

use crate::support::now;

/// What a billing service knows; its database goes away after so many answers.
pub(crate) struct Billing {
    answers: Cell<u32>,
    overdue: Vec<Offender>,
    unpaid: u64,
}

impl Billing {
    pub(crate) fn new(answers: u32) -> Self {
        let overdue = vec![Offender::new("F-12", "due on 2026-01-31")];
        Self { answers: Cell::new(answers), overdue, unpaid: 7 }
    }

    fn asked(&self) -> Result<(), FactsError> {
        let left = self.answers.get().checked_sub(1);
        self.answers.set(left.ok_or_else(|| FactsError::unavailable("the connection is gone"))?);
        Ok(())
    }

    fn overdue(&self, list: usize) -> Result<Offenders, FactsError> {
        self.asked()?;
        Ok(Offenders::of(self.overdue.clone(), Some(40), list))
    }
}

impl Facts for Billing {
    fn snapshot(&self) -> SnapshotInfo {
        SnapshotInfo::new("billing-1", now())
    }
}

pub(crate) fn suite() -> Suite<Billing> {
    let unpaid = |facts: &Billing| {
        facts.asked()?;
        Ok::<_, CheckError>(KpiReading::left(facts.unpaid, "unpaid invoice"))
    };
    let overdue = |id: &str| {
        let expected = Description::counting("no invoice is overdue");
        closure(id, expected, |facts: &Billing, list| {
            Ok(Finding::counted(facts.overdue(list)?, "invoices are overdue"))
        })
    };
    let suite = Suite::new("billing").with(overdue("overdue")).unwrap();
    suite.with(overdue("overdue_again")).unwrap().kpi("unpaid invoices", unpaid)
}

#[test]
fn a_service_runs_its_own_checks_and_its_own_kpi_over_its_own_facts() {
    let report = suite().run(&Billing::new(9), &StoppedClock);
    let check = &report.checks[0];
    assert_eq!((check.verdict, check.numerator, check.denominator), (Verdict::Fail, 1, Some(40)));
    let kpi = report.kpi.unwrap();
    assert_eq!((kpi.state, kpi.left), (KpiState::Red, Some(7)));
    assert_eq!(kpi.summary, "7 unpaid invoices left");
}

#[test]
fn facts_that_fail_midway_make_the_checks_after_it_an_error_by_name_and_the_report_stands() {
    let report = suite().run(&Billing::new(1), &StoppedClock);
    assert_eq!(report.checks[0].verdict, Verdict::Fail);
    let broken = report.check("overdue_again").unwrap();
    assert_eq!(broken.verdict, Verdict::Error);
    assert_eq!(
        broken.reason.as_deref(),
        Some("the facts could not be read: the connection is gone")
    );
    let kpi = report.kpi.as_ref().unwrap();
    assert_eq!((kpi.state, kpi.left), (KpiState::Unknown, None));
    assert!(kpi.in_words().starts_with("the KPI is not known: the facts could not be read"));
    assert_eq!(report.exit_code(guardrails::ExitPolicy::default()), 1);
}
