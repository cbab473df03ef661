//! The check of the data loop, over facts of its own.

use crate::facts::{
    Dialect, Facts, FactsError, FactsResult, Offenders, Query, SnapshotInfo, Tables,
};
use crate::recovery::{
    AgeBucket, Invariant, LackCount, LedgerFacts, MigrationFacts, QueueFacts, RecoveryFacts,
    RunFacts,
};
use crate::{Check, CheckError, Description, Finding, Remedy, Suite};

/// Facts of packets: which actionable sources have no complete one.
pub trait PacketFacts: Facts {
    /// Lists the actionable sources without a complete packet: at most `limit` by key, and their exact total.
    ///
    /// The key is the source or the packet's file name; the population is the actionable sources.
    fn incomplete_packets(&self, limit: usize) -> FactsResult<Offenders>;
}

/// The check that every actionable source has its packet, complete.
#[derive(Debug, Clone, Copy, Default)]
pub struct PacketsComplete;

impl<F: PacketFacts + ?Sized> Check<F> for PacketsComplete {
    fn id(&self) -> &'static str {
        "packets_complete"
    }

    fn describe(&self) -> Description {
        Description::counting("every actionable source has its packet, complete")
            .column("sanction_source_id")
    }

    fn evaluate(&self, facts: &F, list: usize) -> Result<Finding, CheckError> {
        let found = facts.incomplete_packets(list)?;
        let offends = found.total > 0;
        let finding = Finding::counted(found, "actionable sources lack a complete packet")
            .where_empty("no source is actionable");
        if !offends {
            return Ok(finding);
        }
        Ok(finding
            .cause("a source is expected but not in the catalogue, so there is no template for it")
            .cause("a packet was not returned, or not filled in")
            .remedy(
                Remedy::new("Read the packets back and work through the fix queue.")
                    .command("check_packets"),
            ))
    }
}

impl<F: PacketFacts + ?Sized> Suite<F> {
    /// Makes the suite of the data loop: `packets_complete`.
    #[must_use]
    pub fn packets() -> Self {
        Self::new("packets").built_in(PacketsComplete)
    }
}

/// Facts with those of the packets beside them: the packets lie in files, the rest in a database.
///
/// ```
/// use guardrails::clock::StoppedClock;
/// use guardrails::facts::Offenders;
/// use guardrails::packets::WithPackets;
/// use guardrails::recovery::InMemoryFacts;
/// use guardrails::{Suite, Verdict};
///
/// let leads = InMemoryFacts::new("db", "2026-03-01T00:00:00Z".parse().unwrap());
/// let facts = WithPackets::new(leads, Some(Offenders::none_of(4)));
/// let suite = Suite::recovery().and(Suite::packets()).unwrap();
/// let report = suite.run(&facts, &StoppedClock);
/// assert_eq!(report.check("packets_complete").unwrap().verdict, Verdict::Pass);
/// ```
#[derive(Debug, Clone)]
pub struct WithPackets<F> {
    facts: F,
    packets: Option<Offenders>,
}

impl<F> WithPackets<F> {
    /// Puts the incomplete packets beside the facts; `None` where no packets were looked at.
    pub fn new(facts: F, packets: Option<Offenders>) -> Self {
        Self { facts, packets }
    }

    /// Returns the facts beside the packets.
    pub fn facts(&self) -> &F {
        &self.facts
    }
}

impl<F: Facts> Facts for WithPackets<F> {
    fn snapshot(&self) -> SnapshotInfo {
        self.facts.snapshot()
    }
    fn limit_time(&self, budget: Option<std::time::Duration>) {
        self.facts.limit_time(budget);
    }
}

impl<F: Facts> PacketFacts for WithPackets<F> {
    fn incomplete_packets(&self, limit: usize) -> FactsResult<Offenders> {
        let found = self.packets.as_ref().ok_or_else(|| FactsError::not_provided("packets"))?;
        let listed = found.listed.iter().take(limit).cloned().collect();
        Ok(Offenders { listed, ..*found })
    }
}

impl<F: Tables> Tables for WithPackets<F> {
    fn dialect(&self) -> Dialect {
        self.facts.dialect()
    }
    fn query(&self, query: &Query<'_>, limit: usize) -> FactsResult<Offenders> {
        self.facts.query(query, limit)
    }
}

impl<F: RecoveryFacts> RecoveryFacts for WithPackets<F> {
    fn queue(&self) -> FactsResult<QueueFacts> {
        self.facts.queue()
    }
    fn offenders(&self, invariant: Invariant, limit: usize) -> FactsResult<Offenders> {
        self.facts.offenders(invariant, limit)
    }
    fn ledger(&self) -> FactsResult<LedgerFacts> {
        self.facts.ledger()
    }
    fn runs(&self, limit: usize) -> FactsResult<Vec<RunFacts>> {
        self.facts.runs(limit)
    }
    fn migrations(&self) -> FactsResult<Vec<MigrationFacts>> {
        self.facts.migrations()
    }
    fn ageing(&self) -> FactsResult<Vec<AgeBucket>> {
        self.facts.ageing()
    }
    fn lacking(&self) -> FactsResult<Vec<LackCount>> {
        self.facts.lacking()
    }
}
