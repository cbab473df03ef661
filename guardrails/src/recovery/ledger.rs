use super::{DailyMetrics, Invariant, LedgerFacts, RecoveryFacts, RunFacts};
use crate::facts::{FactsError, Offender, Offenders, if_provided};
use crate::{Check, CheckError, Description, Finding, Remedy};

/// The check that every day adds up, that days join, that the last runs add up, and that ledger and queue agree.
///
/// Per day: `backlog_end = backlog_start + new_backlog_in − matched_out − other_out` and
/// `net_change = backlog_end − backlog_start`; between days: yesterday's end is today's start.
#[derive(Debug, Clone, Copy, Default)]
pub struct LedgerBalance;

impl<F: RecoveryFacts + ?Sized> Check<F> for LedgerBalance {
    fn id(&self) -> &'static str {
        "ledger_balance"
    }

    fn describe(&self) -> Description {
        Description::counting("every day of the ledger adds up, and ledger and queue agree")
    }

    fn evaluate(&self, facts: &F, list: usize) -> Result<Finding, CheckError> {
        let ledger = facts.ledger()?;
        let mut faults = faults(&ledger);
        // Each day makes two statements, each join one, and the balance with the queue one.
        let days = ledger.days.len() as u64;
        let mut statements = 3 * days + u64::from(days == 0);
        if days == 0 && ledger.open_by_ledger == 0 && ledger.open_by_queue == 0 {
            statements = 0;
        }
        // A run tells where the leads went by its own count of events: what is left over is a fault.
        let runs = if_provided(facts.runs(RUNS))?.unwrap_or_default();
        let ended = runs.iter().filter(|run| run.finished_at.is_some());
        statements += ended.clone().count() as u64;
        faults.extend(ended.filter_map(remainder));
        let mut beyond = 0;
        match facts.offenders(Invariant::LEDGER_AGREES_WITH_QUEUE, list) {
            Ok(found) => {
                statements += found.population.unwrap_or(found.total);
                beyond = found.total - (found.listed.len() as u64).min(found.total);
                faults.extend(found.listed);
            }
            // The balance above compares the totals; lead by lead is a bonus of stores that can.
            Err(FactsError::NotProvided { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let mut found = Offenders::of(faults, Some(statements), list);
        found.total += beyond;
        let offends = found.total > 0;
        let finding = Finding::counted(found, "statements of the ledger do not hold")
            .where_empty("the ledger has no day yet")
            .figure("days", days)
            .figure("open_by_ledger", ledger.open_by_ledger)
            .figure("open_by_queue", ledger.open_by_queue);
        if !offends {
            return Ok(finding);
        }
        Ok(finding
            .cause("queue rows were changed without their ledger event")
            .cause("ledger events were changed or removed; they are append-only")
            .remedy(
                Remedy::new(
                    "Put ledger and queue right: by an appended event, never by editing. Then find the writer that bypasses the queue.",
                )
                .command("queue_admin reconcile --why ledger_balance"),
            ))
    }
}

/// How many of the last runs are looked at.
const RUNS: usize = 20;

/// Gives what a run leaves over: leads that its backlog lost or won without an event.
fn remainder(run: &RunFacts) -> Option<Offender> {
    let wide = i128::from;
    let expected = wide(run.backlog_before) + wide(run.new_backlog_in)
        - wide(run.matched)
        - wide(run.other_out);
    (expected != wide(run.backlog_after)).then(|| {
        let found = run.backlog_after;
        let reason =
            format!("backlog_after is {found}, but before + in − matched − other is {expected}");
        Offender::new(format!("run {}", run.run_id), reason)
    })
}

fn faults(ledger: &LedgerFacts) -> Vec<Offender> {
    let mut faults = Vec::new();
    for day in &ledger.days {
        let DailyMetrics {
            backlog_start,
            new_backlog_in,
            matched_out,
            other_out,
            backlog_end,
            net_change,
            ..
        } = *day;
        // In 128 bits no sum of 64-bit counts can overflow.
        let wide = i128::from;
        let expected =
            wide(backlog_start) + wide(new_backlog_in) - wide(matched_out) - wide(other_out);
        if expected != wide(backlog_end) {
            faults.push(Offender::new(
                day.day.to_string(),
                format!("backlog_end is {backlog_end}, but start + in − out is {expected}"),
            ));
        }
        let difference = wide(backlog_end) - wide(backlog_start);
        if difference != wide(net_change) {
            faults.push(Offender::new(
                day.day.to_string(),
                format!("net_change is {net_change}, but end − start is {difference}"),
            ));
        }
    }
    for pair in ledger.days.windows(2) {
        if pair[0].backlog_end != pair[1].backlog_start {
            faults.push(Offender::new(
                pair[1].day.to_string(),
                format!(
                    "backlog_start is {}, but the day before ended with {}",
                    pair[1].backlog_start, pair[0].backlog_end
                ),
            ));
        }
    }
    if ledger.open_by_ledger != ledger.open_by_queue {
        faults.push(Offender::new(
            "balance",
            format!(
                "{} leads are open by the ledger, but {} by the queue",
                ledger.open_by_ledger, ledger.open_by_queue
            ),
        ));
    }
    faults
}
