//! Makes a resolver of any matcher of `identity-matching`.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use identity_matching::index::{IndexError, IndexKey};
use identity_matching::{
    Decision, MatchError, Matcher, Normaliser, Outcome, Record, Rejections, UnmatchedReason,
};
use sha2::{Digest, Sha256};

use crate::model::evidence::Evidence;
use crate::model::key::PersonKey;
use crate::model::resolver::{ClaimedLead, FailReason, Resolution, ResolveError, Resolver};

/// Fetches the subjects of a batch, from wherever the leads' own data lies.
///
/// One answer per lead, in order; `None` where the source does not know the lead, which is then settled as
/// `LEAD_NOT_FOUND`. Any closure of that shape is a source.
pub trait LeadSource {
    /// Fetches the subjects of a batch: one answer per lead, in order.
    ///
    /// # Errors
    /// As [`Resolver::resolve`].
    fn fetch(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Option<Record>>, ResolveError>;
}

impl<F> LeadSource for F
where
    F: FnMut(&[ClaimedLead]) -> Result<Vec<Option<Record>>, ResolveError>,
{
    fn fetch(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Option<Record>>, ResolveError> {
        self(leads)
    }
}

impl LeadSource for Box<dyn LeadSource + Send + '_> {
    fn fetch(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Option<Record>>, ResolveError> {
        (**self).fetch(leads)
    }
}

/// A maker of wake keys: digests of records under a secret, equal for a lead and a person who share a key.
///
/// The normaliser must be the matcher's. A key is the fingerprint of the normaliser and the first half of the SHA-256 of
/// secret and key: it cannot be turned back without the secret. Where the fingerprint changes, because values are read
/// otherwise, keys of before wake nobody any more: [`QueueStore::wake_outdated`](crate::QueueStore::wake_outdated) has
/// their leads decided anew.
#[derive(Clone)]
pub struct WakeKeys {
    normaliser: Normaliser,
    secret: [u8; 32],
}

impl std::fmt::Debug for WakeKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WakeKeys(..)")
    }
}

impl WakeKeys {
    /// Makes wake keys with a normaliser and a secret that never changes for one queue.
    #[must_use]
    pub fn new(normaliser: Normaliser, secret: [u8; 32]) -> Self {
        Self { normaliser, secret }
    }

    /// Gives what each key begins with: the fingerprint of the normaliser.
    #[must_use]
    pub fn reading(&self) -> &str {
        self.normaliser.fingerprint()
    }

    /// Gives what reads the values.
    #[must_use]
    pub fn normaliser(&self) -> &Normaliser {
        &self.normaliser
    }

    /// Gives the wake keys of a lead's or a person's record.
    #[must_use]
    pub fn of(&self, record: &Record) -> Vec<String> {
        let mut keys: Vec<String> = self
            .normaliser
            .normalise(record)
            .keys()
            .iter()
            .map(|held| {
                // All parts have a fixed length, so no two inputs run into each other.
                let digest = Sha256::new()
                    .chain_update(self.secret)
                    .chain_update(IndexKey::from(held.key).to_bytes())
                    .finalize();
                let mut text = String::with_capacity(48);
                text.push_str(self.reading());
                HEXLOWER.encode_append(&digest[..16], &mut text);
                text
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// Resolves leads by a matcher: fetches their subjects, has them decided, and keeps the evidence.
///
/// ```
/// use identity_matching::index::InMemoryIndex;
/// use identity_matching::{DeterministicMatcher, Normaliser, Policy, Record, Region};
/// use recovery_queue::{ClaimedLead, FailReason, MatcherResolver, Resolution, Resolver, SourcePk};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let normaliser = Normaliser::for_region(Region::parse("PE")?);
/// let phone = |text: &str| Record { phones: vec![text.into()], ..Record::default() };
/// let mut builder = InMemoryIndex::builder();
/// builder.add("P-1", &normaliser.normalise(&phone("+51 987 654 321")))?;
/// let matcher = DeterministicMatcher::new(builder.build()?, normaliser, Policy::default())?;
///
/// let source = |leads: &[ClaimedLead]| {
///     Ok(leads.iter().map(|lead| (lead.source_pk.as_str() == "L-1").then(|| phone("987654321"))).collect())
/// };
/// let mut resolver = MatcherResolver::new(matcher, source);
/// let lead = |pk: &str| Ok::<_, recovery_queue::KeyError>(ClaimedLead::new(SourcePk::new(pk)?, Default::default()));
/// let answers = resolver.resolve(&[lead("L-1")?, lead("L-2")?])?;
/// assert!(matches!(&answers[0], Resolution::Matched(found) if found.person_key.as_str() == "P-1"));
/// assert!(matches!(&answers[1], Resolution::Unmatched { reason: FailReason::LeadNotFound, .. }));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MatcherResolver<M, S> {
    matcher: M,
    source: S,
    wake: Option<WakeKeys>,
    evidence: bool,
    observer: Option<Observer>,
}

/// Takes each decision as it is made.
#[derive(Clone)]
struct Observer(Arc<Observe>);

type Observe = dyn Fn(&ClaimedLead, &Record, &Decision) + Send + Sync;

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer(..)")
    }
}

impl<M: Matcher, S: LeadSource> MatcherResolver<M, S> {
    /// Makes a resolver of a matcher and a source of subjects; evidence is kept, wake keys are not.
    pub fn new(matcher: M, source: S) -> Self {
        Self { matcher, source, wake: None, evidence: true, observer: None }
    }

    /// Hands each decision to `each` as it is made, with the lead and its record: for counts of what was read, which need
    /// no second reading.
    ///
    /// It is made before it is written: a batch that is tried again is handed over again, and a person's key may still
    /// be refused.
    #[must_use]
    pub fn observing(
        mut self,
        each: impl Fn(&ClaimedLead, &Record, &Decision) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Observer(Arc::new(each)));
        self
    }

    /// Keeps wake keys of failed leads, so that a new person wakes up the leads that share a key.
    #[must_use]
    pub fn with_wake_keys(mut self, wake: WakeKeys) -> Self {
        self.wake = Some(wake);
        self
    }

    /// Leaves the evidence out: the queue's rows are smaller, and explain nothing.
    #[must_use]
    pub fn without_evidence(mut self) -> Self {
        self.evidence = false;
        self
    }
}

fn reason(reason: UnmatchedReason) -> FailReason {
    reason.as_str().parse().unwrap_or(FailReason::Error)
}

impl<M: Matcher, S: LeadSource> Resolver for MatcherResolver<M, S> {
    fn resolve(&mut self, leads: &[ClaimedLead]) -> Result<Vec<Resolution>, ResolveError> {
        let fetched = self.source.fetch(leads)?;
        if fetched.len() != leads.len() {
            return Err(ResolveError::Unavailable(format!(
                "the lead source answered {} records for {} leads",
                fetched.len(),
                leads.len()
            )));
        }
        let known: Vec<bool> = fetched.iter().map(Option::is_some).collect();
        // By the places of the leads that have a record.
        let rejections: Rejections = leads
            .iter()
            .zip(&known)
            .filter(|(_, known)| **known)
            .enumerate()
            .flat_map(|(at, (lead, _))| {
                lead.rejected.iter().map(move |person| (at, person.as_str()))
            })
            .collect();
        let records: Vec<Record> = fetched.into_iter().flatten().collect();
        let decisions =
            self.matcher.decide(&records, &rejections).map_err(|error| match error {
                // The index is away: that is no lead's fault.
                MatchError::Index(IndexError::Unavailable { .. }) => {
                    ResolveError::Unavailable(error.to_string())
                }
                other => ResolveError::Batch(other.to_string()),
            })?;
        if decisions.len() != records.len() {
            return Err(ResolveError::Unavailable(
                "the matcher left subjects undecided".to_owned(),
            ));
        }
        let mut decided = decisions.into_iter().zip(&records);
        Ok(known
            .into_iter()
            .zip(leads)
            .map(|(known, lead)| {
                let (true, Some((decision, record))) =
                    (known, known.then(|| decided.next()).flatten())
                else {
                    return Resolution::unmatched(FailReason::LeadNotFound);
                };
                if let Some(Observer(each)) = &self.observer {
                    each(lead, record, &decision);
                }
                let resolution = match &decision.outcome {
                    Outcome::Matched { person, rule, confidence } => {
                        match PersonKey::new(person.as_str()) {
                            Ok(key) => Resolution::matched(key, rule.as_str(), confidence.as_str()),
                            Err(error) => return Resolution::error(error.to_string()),
                        }
                    }
                    Outcome::Unmatched { reason: why, .. } => {
                        let keys =
                            self.wake.as_ref().map(|wake| wake.of(record)).unwrap_or_default();
                        Resolution::unmatched(reason(*why)).with_wake_keys(keys)
                    }
                };
                if self.evidence {
                    resolution.with_evidence(Evidence::written(decision.evidence.to_json()))
                } else {
                    resolution
                }
            })
            .collect())
    }
}
