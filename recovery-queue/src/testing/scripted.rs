//! A resolver that answers by a script.

use std::collections::BTreeMap;

use crate::model::key::SourcePk;
use crate::model::resolver::{ClaimedLead, FailReason, Resolution, ResolveError, Resolver};

/// What the script says of a lead.
#[derive(Clone, Debug)]
enum Line {
    Answer(Resolution),
    Fails(String),
    Panics,
}

/// A resolver that answers by a script, and remembers what it was asked.
///
/// A lead without a line of its own is answered as [`otherwise`](Self::otherwise) says, at first `NO_CANDIDATES`.
///
/// ```
/// use chrono::DateTime;
/// use recovery_queue::testing::ScriptedResolver;
/// use recovery_queue::{
///     BacklogLead, FailReason, InMemoryBacklog, InMemoryStore, PersonKey, QueueStore, Recover, RecoverOptions, Resolution,
///     SeedOptions, SourcePk,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let lead = |key: &str| Ok::<_, recovery_queue::KeyError>(BacklogLead::new(SourcePk::new(key)?, DateTime::UNIX_EPOCH));
/// let mut store = InMemoryStore::new();
/// store.seed(&InMemoryBacklog::new("leads", [lead("L-1")?, lead("L-2")?, lead("L-3")?]), &SeedOptions::default())?;
///
/// let mut resolver = ScriptedResolver::new()
///     .answer("L-1", Resolution::matched(PersonKey::new("P-1")?, "PHONE_EXACT", "high"))
///     .panic_on("L-2");
/// let run = store.recover(&mut resolver, &RecoverOptions::default())?;
/// assert_eq!((run.matched, run.retried, run.failed[&FailReason::NoCandidates]), (1, 1, 1));
/// assert_eq!(resolver.calls()[0].len(), 3, "the whole batch first, then its parts");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ScriptedResolver {
    lines: BTreeMap<String, Line>,
    otherwise: Resolution,
    away: u32,
    calls: Vec<Vec<SourcePk>>,
}

impl Default for ScriptedResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl ScriptedResolver {
    /// Makes a resolver that finds nobody.
    #[must_use]
    pub fn new() -> Self {
        Self {
            lines: BTreeMap::new(),
            otherwise: Resolution::unmatched(FailReason::NoCandidates),
            away: 0,
            calls: Vec::new(),
        }
    }

    fn line(mut self, lead: &str, line: Line) -> Self {
        self.lines.insert(lead.to_owned(), line);
        self
    }

    /// Answers for a lead.
    #[must_use]
    pub fn answer(self, lead: &str, answer: Resolution) -> Self {
        self.line(lead, Line::Answer(answer))
    }

    /// Fails on each batch that holds a lead.
    #[must_use]
    pub fn fail_on(self, lead: &str, message: &str) -> Self {
        self.line(lead, Line::Fails(message.to_owned()))
    }

    /// Panics on each batch that holds a lead.
    #[must_use]
    pub fn panic_on(self, lead: &str) -> Self {
        self.line(lead, Line::Panics)
    }

    /// Answers for all leads without a line of their own.
    #[must_use]
    pub fn otherwise(mut self, answer: Resolution) -> Self {
        self.otherwise = answer;
        self
    }

    /// Is unavailable the next `calls` times that it is asked.
    #[must_use]
    pub fn away(mut self, calls: u32) -> Self {
        self.away = calls;
        self
    }

    /// Gives the leads of each call so far, in order.
    #[must_use]
    pub fn calls(&self) -> &[Vec<SourcePk>] {
        &self.calls
    }
}

impl Resolver for ScriptedResolver {
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        self.calls.push(leads.iter().map(|lead| lead.source_pk.clone()).collect());
        if self.away > 0 {
            self.away -= 1;
            return Err(ResolveError::Unavailable("the script says so".to_owned()));
        }
        let answer = |lead: &ClaimedLead| match self.lines.get(lead.source_pk.as_str()) {
            None => Ok(self.otherwise.clone()),
            Some(Line::Answer(answer)) => Ok(answer.clone()),
            Some(Line::Fails(message)) => Err(ResolveError::Batch(message.clone())),
            // Not `panic!`: the hook of panics stays quiet, and the payload is the same kind.
            Some(Line::Panics) => std::panic::resume_unwind(Box::new("the script says so")),
        };
        leads.iter().map(answer).collect()
    }
}
