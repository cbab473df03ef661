use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    AgeBucket, Invariant, LackCount, LedgerFacts, MigrationFacts, QueueFacts, RecoveryFacts,
    RunFacts,
};
use crate::facts::{
    Dialect, Facts, FactsError, FactsResult, Offender, Offenders, Query, Scope, SnapshotInfo,
    Tables,
};

/// Facts held in memory, given one family at a time; what was not given is not provided.
///
/// It is the reference implementation, the test double and the way to feed facts from a file.
/// Memory is one [`Offender`] per offending row.
///
/// ```
/// use guardrails::facts::Offender;
/// use guardrails::recovery::{InMemoryFacts, Invariant, RecoveryFacts};
///
/// let facts = InMemoryFacts::new("s1", "2026-03-01T00:00:00Z".parse().unwrap())
///     .with_offenders(Invariant::MATCHED_HAS_LINK, 10, vec![Offender::new("L-7", "no link")]);
/// assert_eq!(facts.offenders(Invariant::MATCHED_HAS_LINK, 0).unwrap().total, 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InMemoryFacts {
    snapshot: SnapshotInfo,
    #[serde(default)]
    queue: Option<QueueFacts>,
    #[serde(default)]
    offenders: BTreeMap<String, (u64, Vec<Offender>)>,
    #[serde(default)]
    ledger: Option<LedgerFacts>,
    #[serde(default)]
    runs: Option<Vec<RunFacts>>,
    #[serde(default)]
    migrations: Option<Vec<MigrationFacts>>,
    #[serde(default)]
    ageing: Option<Vec<AgeBucket>>,
    #[serde(default)]
    lacking: Option<Vec<LackCount>>,
}

impl InMemoryFacts {
    /// Makes facts that provide nothing yet.
    pub fn new(snapshot_id: impl Into<String>, as_of: DateTime<Utc>) -> Self {
        Self {
            snapshot: SnapshotInfo::new(snapshot_id, as_of),
            queue: None,
            offenders: BTreeMap::new(),
            ledger: None,
            runs: None,
            migrations: None,
            ageing: None,
            lacking: None,
        }
    }

    /// Has the facts speak of some rows alone.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.snapshot = self.snapshot.of(scope);
        self
    }

    /// Gives the counts of the queue.
    #[must_use]
    pub fn with_queue(mut self, queue: QueueFacts) -> Self {
        self.queue = Some(queue);
        self
    }

    /// Gives all offenders against an invariant and the population that they come from.
    #[must_use]
    pub fn with_offenders(
        mut self,
        invariant: Invariant,
        population: u64,
        mut all: Vec<Offender>,
    ) -> Self {
        all.sort();
        self.offenders.insert(invariant.to_string(), (population, all));
        self
    }

    /// Gives the daily rows and balances.
    #[must_use]
    pub fn with_ledger(mut self, ledger: LedgerFacts) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// Gives the runs, newest first.
    #[must_use]
    pub fn with_runs(mut self, runs: Vec<RunFacts>) -> Self {
        self.runs = Some(runs);
        self
    }

    /// Gives a book of migrations, beside those that were given.
    #[must_use]
    pub fn with_migrations(mut self, book: MigrationFacts) -> Self {
        self.migrations.get_or_insert_default().push(book);
        self
    }

    /// Gives the backlog by age.
    #[must_use]
    pub fn with_ageing(mut self, ageing: Vec<AgeBucket>) -> Self {
        self.ageing = Some(ageing);
        self
    }

    /// Gives what the failed leads lack.
    #[must_use]
    pub fn with_lacking(mut self, lacking: Vec<LackCount>) -> Self {
        self.lacking = Some(lacking);
        self
    }
}

fn given<T: Clone>(fact: Option<&T>, name: &'static str) -> FactsResult<T> {
    fact.cloned().ok_or_else(|| FactsError::not_provided(name))
}

impl Facts for InMemoryFacts {
    fn snapshot(&self) -> SnapshotInfo {
        self.snapshot.clone()
    }
}

/// Facts in memory have no tables: every query is left out, so that a declared check is `inconclusive`.
impl Tables for InMemoryFacts {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn query(&self, _query: &Query<'_>, _limit: usize) -> FactsResult<Offenders> {
        Err(FactsError::not_provided("tables"))
    }
}

impl RecoveryFacts for InMemoryFacts {
    fn queue(&self) -> FactsResult<QueueFacts> {
        given(self.queue.as_ref(), "queue")
    }

    fn offenders(&self, invariant: Invariant, limit: usize) -> FactsResult<Offenders> {
        let known = self.offenders.get(invariant.as_str());
        let (population, all) =
            known.ok_or_else(|| FactsError::not_provided(invariant.as_str()))?;
        Ok(Offenders {
            population: Some(*population),
            total: all.len() as u64,
            listed: all.iter().take(limit).cloned().collect(),
        })
    }

    fn ledger(&self) -> FactsResult<LedgerFacts> {
        given(self.ledger.as_ref(), "ledger")
    }

    fn runs(&self, limit: usize) -> FactsResult<Vec<RunFacts>> {
        let mut runs = given(self.runs.as_ref(), "runs")?;
        runs.truncate(limit);
        Ok(runs)
    }

    fn migrations(&self) -> FactsResult<Vec<MigrationFacts>> {
        given(self.migrations.as_ref(), "migrations")
    }

    fn ageing(&self) -> FactsResult<Vec<AgeBucket>> {
        given(self.ageing.as_ref(), "ageing")
    }

    fn lacking(&self) -> FactsResult<Vec<LackCount>> {
        given(self.lacking.as_ref(), "lacking")
    }
}
