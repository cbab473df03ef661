//! How the queue stands: what each source owes, since when, whose it is, and which values count.

use chrono::NaiveDate;
use kpi_gap_queue::{Ageing, GapQueue, MetricScope, OwnerShare};
use serde::Serialize;

use crate::cli::{Console, Failure};

/// How the queue stands, as of a day.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// The actionable pairs by the days since they were due.
    pub ageing: Ageing,
    /// The pairs by owner, nobody's first.
    pub owners: Vec<OwnerShare>,
    /// What each source owes, by source and scope.
    pub sources: Vec<SourceStanding>,
    /// The pairs of the queue's rows that hold several values, and which of them counts.
    pub values_chosen: Vec<ChosenValue>,
    /// The values whose pair nobody expects.
    pub values_unexpected_total: u64,
}

/// What one source owes in one scope.
#[derive(Debug, Serialize)]
pub struct SourceStanding {
    /// The source.
    pub sanction_source_id: String,
    /// The scope.
    pub scope: String,
    /// Whether the catalogue describes the source.
    pub seeded: bool,
    /// The KPIs that it owes.
    pub kpis_expected: Vec<String>,
    /// How many of them have a value.
    pub kpis_covered_total: u64,
    /// How many values of them are held.
    pub metric_rows_total: u64,
    /// Whose the source is.
    pub owner: Option<String>,
    /// The day on which the values are due; none where the source does not say when it publishes.
    pub due_on: Option<NaiveDate>,
    /// The days since then; negative while it is yet to come.
    pub age_days: Option<i64>,
}

/// Which of several values of a pair counts.
#[derive(Debug, Serialize)]
pub struct ChosenValue {
    /// The source.
    pub sanction_source_id: String,
    /// The KPI.
    pub kpi_id: String,
    /// The scope.
    pub scope: String,
    /// How many values the pair has in it.
    pub values_total: u32,
    /// The key of the one that counts.
    pub metric_key: String,
    /// The date that stands for the period, such as 2025-12-31.
    pub period_date: Option<NaiveDate>,
    /// The granularity of its period.
    pub period_granularity: String,
    /// Why it counts.
    pub chosen_by: &'static str,
}

impl Standing {
    /// Tells how a queue stands, as of a day.
    #[must_use]
    pub fn new(queue: &GapQueue, as_of: NaiveDate) -> Self {
        let sources = queue.source_facts().map(|facts| {
            let timing = queue.timing(&facts.source_id, &facts.scope, as_of);
            SourceStanding {
                scope: facts.scope.to_string(),
                seeded: facts.source.is_some(),
                owner: facts.source.and_then(|source| source.owner),
                sanction_source_id: facts.source_id,
                kpis_expected: facts.kpis_expected,
                kpis_covered_total: facts.kpis_covered_total,
                metric_rows_total: facts.metric_rows_total,
                due_on: timing.map(|timing| timing.due_on),
                age_days: timing.map(|timing| timing.age_days),
            }
        });
        Self {
            ageing: queue.ageing(as_of),
            owners: queue.owners(as_of),
            sources: sources.collect(),
            values_chosen: values_chosen(queue),
            values_unexpected_total: queue.values_unexpected_total(),
        }
    }

    /// Prints what is overdue and whose it is, for a person.
    ///
    /// # Errors
    ///
    /// A stdout that cannot be written.
    pub fn tell(&self, console: &Console) -> Result<(), Failure> {
        if let Some(oldest) = self.ageing.oldest_due_on {
            let (overdue, not_yet) = (self.ageing.overdue_total(), self.ageing.not_overdue_total);
            console.data(format_args!(
                "due: {overdue} overdue, the oldest since {oldest}; {not_yet} not yet"
            ))?;
        }
        for share in self.owners.iter().filter(|share| share.owner.is_some()) {
            console.data(format_args!(
                "  {}: {} of {} pairs to act on, {} overdue",
                share.owner.as_deref().unwrap_or_default(),
                share.actionable_pairs_total,
                share.expected_pairs_total,
                share.ageing.overdue_total(),
            ))?;
        }
        if let Some(chosen) = self.values_chosen.first() {
            console.data(format_args!(
                "{} pairs hold several values; of {} and {} counts `{}` ({}); --json says it of each",
                self.values_chosen.len(),
                chosen.sanction_source_id,
                chosen.kpi_id,
                chosen.metric_key,
                chosen.chosen_by,
            ))?;
        }
        Ok(())
    }
}

fn values_chosen(queue: &GapQueue) -> Vec<ChosenValue> {
    let chosen = queue.pairs().filter_map(|pair| {
        let scope = MetricScope::new(pair.period_date, pair.period_granularity);
        let counted = queue.counted_value(pair.source_id, pair.kpi_id, &scope)?;
        (counted.values_total > 1).then(|| ChosenValue {
            sanction_source_id: pair.source_id.to_owned(),
            kpi_id: pair.kpi_id.to_owned(),
            scope: scope.to_string(),
            values_total: counted.values_total,
            metric_key: counted.metric_key,
            period_date: counted.period_date,
            period_granularity: counted.period_granularity,
            chosen_by: counted.chosen_by.as_str(),
        })
    });
    chosen.collect()
}
