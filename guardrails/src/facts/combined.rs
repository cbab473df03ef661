use super::{
    AgeBucket, Facts, FactsError, FactsResult, Invariant, LackCount, LedgerFacts, MigrationFacts,
    Offenders, QueueFacts, RunFacts, Snapshot,
};

/// Two sources of facts as one: what the first leaves out, the second is asked for.
///
/// The snapshot is the first one's. Use it to add facts that a database does not hold, such as those
/// of the packets, to those of its one read; not to join two reads of one database, which would
/// break the promise of a single snapshot.
///
/// ```
/// use guardrails::facts::{Combined, Facts, InMemoryFacts, Invariant, QueueFacts};
///
/// let now = "2026-03-01T00:00:00Z".parse().unwrap();
/// let queue = InMemoryFacts::new("db", now).with_queue(QueueFacts::default());
/// let packets =
///     InMemoryFacts::new("files", now).with_offenders(Invariant::PacketComplete, 4, vec![]);
/// let both = Combined::new(queue, packets);
/// assert!(both.queue().is_ok() && both.offenders(Invariant::PacketComplete, 9).is_ok());
/// assert_eq!(both.snapshot().id, "db");
/// ```
#[derive(Debug, Clone)]
pub struct Combined<A, B> {
    first: A,
    second: B,
}

impl<A: Facts, B: Facts> Combined<A, B> {
    /// Puts the second source behind the first.
    pub fn new(first: A, second: B) -> Self {
        Self { first, second }
    }

    fn ask<T>(
        &self,
        first: impl FnOnce(&A) -> FactsResult<T>,
        second: impl FnOnce(&B) -> FactsResult<T>,
    ) -> FactsResult<T> {
        match first(&self.first) {
            Err(FactsError::NotProvided { .. }) => second(&self.second),
            answer => answer,
        }
    }
}

impl<A: Facts, B: Facts> Facts for Combined<A, B> {
    fn snapshot(&self) -> Snapshot {
        self.first.snapshot()
    }

    fn queue(&self) -> FactsResult<QueueFacts> {
        self.ask(Facts::queue, Facts::queue)
    }

    fn offenders(&self, invariant: Invariant, limit: usize) -> FactsResult<Offenders> {
        self.ask(|f| f.offenders(invariant, limit), |f| f.offenders(invariant, limit))
    }

    fn ledger(&self) -> FactsResult<LedgerFacts> {
        self.ask(Facts::ledger, Facts::ledger)
    }

    fn runs(&self, limit: usize) -> FactsResult<Vec<RunFacts>> {
        self.ask(|f| f.runs(limit), |f| f.runs(limit))
    }

    fn migrations(&self) -> FactsResult<MigrationFacts> {
        self.ask(Facts::migrations, Facts::migrations)
    }

    fn ageing(&self) -> FactsResult<Vec<AgeBucket>> {
        self.ask(Facts::ageing, Facts::ageing)
    }

    fn lacking(&self) -> FactsResult<Vec<LackCount>> {
        self.ask(Facts::lacking, Facts::lacking)
    }

    fn query(&self, sql: &str, limit: usize) -> FactsResult<Offenders> {
        self.ask(|f| f.query(sql, limit), |f| f.query(sql, limit))
    }

    fn limit_time(&self, budget: Option<std::time::Duration>) {
        self.first.limit_time(budget);
        self.second.limit_time(budget);
    }
}
