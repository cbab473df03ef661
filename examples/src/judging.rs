//! The verdicts at the end of a cycle, and what else one consistent read tells: of all leads, or of those touched alone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Days;
use guardrails::Suite;
use guardrails::SuiteReport;
use guardrails::clock::Monotonic;
use guardrails::page::LeadFigures;
use guardrails::recovery::RecoveryFacts as _;
use recovery_queue::{
    DailyMetrics, DatabaseUrl, Snapshot as _, SourcePk, SqlSnapshot, SqlStore, ViewBacklog,
};

use crate::cli::{Console, Failure};
use crate::guards::{facts_of, facts_of_readers, recovery_suite, shown};
use crate::service::Database;

/// Which leads the guardrails look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Judged {
    /// All leads; where that took more than a minute the last time, those that were touched.
    Auto,
    /// All leads.
    Full,
    /// The leads that changed or were settled; all where it is not noted which changed.
    Touched,
}

/// How long the full suite took the last time, in seconds.
const TOOK: &str = "full_guardrails_seconds";
/// A full suite that takes longer is not run each time.
const LONG: f64 = 60.0;
/// More leads than this are as well all looked at.
const MOST: usize = 100_000;

/// The leads that a run touches, as they become known.
#[derive(Debug)]
pub struct Touched(Option<BTreeSet<SourcePk>>);

impl Judged {
    /// Begins to collect what a run touches, before it seeds; `whole` where its seed reads all leads.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn begin(self, service: &mut Database, whole: bool) -> Result<Touched, Failure> {
        let touched = match self {
            Self::Full => false,
            Self::Touched => true,
            Self::Auto => {
                let took = service.kept(TOOK)?.and_then(|seconds| seconds.parse::<f64>().ok());
                took.is_some_and(|seconds| seconds > LONG)
            }
        };
        if !touched || whole {
            return Ok(Touched(None));
        }
        Ok(Touched(service.noted_leads(MOST)?))
    }
}

impl Touched {
    /// Adds the leads that wait to be decided.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn add_pending(&mut self, store: &mut SqlStore) -> Result<(), Failure> {
        let Some(leads) = &mut self.0 else { return Ok(()) };
        leads.extend(store.read()?.pending(u32::try_from(MOST + 1)?)?);
        if leads.len() > MOST {
            self.0 = None;
        }
        Ok(())
    }
}

/// What one consistent read tells at the end of a cycle.
#[derive(Debug)]
pub struct Judgement {
    /// The verdicts.
    pub report: SuiteReport,
    /// The figures of the page.
    pub figures: LeadFigures,
    /// Leads in the backlog.
    pub backlog: u64,
    /// Leads that failed, by reason, the most first.
    pub reasons: Vec<(String, u64)>,
    /// The last seven days.
    pub days: Vec<DailyMetrics>,
    /// Links by rule; none where the touched leads alone were looked at.
    pub links: BTreeMap<String, u64>,
}

impl Judgement {
    /// Judges all leads, or those that a run has touched.
    ///
    /// # Errors
    ///
    /// The database's.
    pub fn of(
        (store, service): (&mut SqlStore, &mut Database),
        (backlog, url): (&ViewBacklog, &DatabaseUrl),
        zone: chrono_tz::Tz,
        touched: Touched,
        console: &Console,
    ) -> Result<Self, Failure> {
        if let Some(leads) = touched.0 {
            return Self::of_touched(store, (backlog, url), zone, leads, console);
        }
        let judged = Self::of_all(store, (backlog, url), zone, console)?;
        let seconds = judged.report.duration_ms as f64 / 1e3;
        service.keep(TOOK, &seconds.to_string())?;
        Ok(judged)
    }

    fn of_all(
        store: &mut SqlStore,
        (backlog, url): (&ViewBacklog, &DatabaseUrl),
        zone: chrono_tz::Tz,
        console: &Console,
    ) -> Result<Self, Failure> {
        let (mut facts, mut others) = facts_of_readers(store, backlog, url, zone)?;
        let suite = shown(recovery_suite()?, console.bars());
        let report = suite.run_on_readers(&mut facts, &mut others, &Monotonic::start());
        drop(others);
        let queue = facts.queue()?;
        let figures = LeadFigures::read(&facts)?.time_zone(zone.name());
        let mut snapshot = facts.into_snapshot();
        let mut links = BTreeMap::new();
        snapshot.links(&mut |link| *links.entry(link.rule).or_default() += 1)?;
        Ok(Self {
            report,
            figures,
            backlog: queue.backlog,
            reasons: queue.reasons.into_iter().map(|row| (row.reason, row.leads)).collect(),
            days: week(&mut snapshot, zone)?,
            links,
        })
    }

    fn of_touched(
        store: &mut SqlStore,
        (backlog, url): (&ViewBacklog, &DatabaseUrl),
        zone: chrono_tz::Tz,
        leads: BTreeSet<SourcePk>,
        console: &Console,
    ) -> Result<Self, Failure> {
        let leads: Vec<SourcePk> = leads.into_iter().collect();
        let facts = facts_of(store.read()?, backlog, url)?.of_touched(&leads)?;
        let report = Suite::touched().run(&facts, &Monotonic::start());
        console.note(format_args!(
            "the guardrails looked at the {} leads that this run has touched; verify_guardrails looks at all",
            leads.len()
        ));
        let figures = LeadFigures::read(&facts)?.time_zone(zone.name());
        let mut snapshot = facts.into_snapshot();
        let reasons = snapshot.reason_counts()?;
        let mut reasons: Vec<(String, u64)> =
            reasons.into_iter().map(|(reason, leads)| (reason.code().to_owned(), leads)).collect();
        reasons.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        let left = report.kpi.as_ref().and_then(|kpi| kpi.left);
        Ok(Self {
            backlog: left.ok_or_else(|| {
                Failure::new("no run is on record, so nothing says what is left")
                    .remedy("run with --guardrails full")
            })?,
            report,
            figures,
            reasons,
            days: week(&mut snapshot, zone)?,
            links: BTreeMap::new(),
        })
    }
}

/// The last seven days.
fn week(snapshot: &mut SqlSnapshot<'_>, zone: chrono_tz::Tz) -> Result<Vec<DailyMetrics>, Failure> {
    let today = snapshot.as_of().with_timezone(&zone).date_naive();
    Ok(snapshot.daily_metrics(today - Days::new(6), today, zone)?)
}
