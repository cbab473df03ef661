//! The deterministic matcher.

use std::{num::NonZeroUsize, sync::Arc};

use super::{
    Considered, Decision, Judge, Rejections,
    batch::{Batch, Scratch},
    evidence::EvidenceWriter,
};
use crate::{
    index::{CandidateIndex, IndexError, SubjectView},
    kinds::Normalised,
    normalise::Normaliser,
    normalise::Record,
    policy::{Policy, ReadingConflict},
};

/// Reports that a batch could not be decided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MatchError {
    /// The population could not be read: no decision of the batch was made.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A matcher of one's own failed.
    #[error("the subjects could not be decided: {reason}")]
    Failed {
        /// Why, without identifiers.
        reason: String,
        /// What lay behind it.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// Decides by a policy over a population: same input, same answer.
///
/// ```
/// use identity_matching::{
///     DeterministicMatcher, Matcher, Normaliser, Outcome, Policy, Record, Region, Rule,
///     index::InMemoryIndex,
/// };
///
/// let normaliser = Normaliser::for_region(Region::parse("PE")?);
/// let ana = Record { phones: vec!["+51 987 654 321".into()], ..Record::default() };
/// let mut builder = InMemoryIndex::builder();
/// builder.add("P1", &normaliser.normalise(&ana))?;
/// let matcher = DeterministicMatcher::new(builder.build()?, normaliser, Policy::default())?;
///
/// let lead = Record { phones: vec!["987654321".into()], ..Record::default() };
/// let decision = matcher.decide_one(&lead)?;
/// assert_eq!(decision.outcome.person(), Some("P1"));
/// assert_eq!(decision.outcome.rule(), Some(&Rule::PHONE_EXACT));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DeterministicMatcher<I> {
    index: I,
    normaliser: Normaliser,
    policy: Policy,
    judge: Option<Arc<dyn Judge>>,
    threads: NonZeroUsize,
    show_identifiers: bool,
}

/// How many subjects are looked up at once: their candidates' rows fit the second-level cache.
const CHUNK: usize = 256;

impl<I: CandidateIndex> DeterministicMatcher<I> {
    /// Makes a matcher that works on the calling thread and masks identifiers.
    ///
    /// The normaliser must be the one, or equal to the one, that normalised the population.
    ///
    /// # Errors
    ///
    /// [`ReadingConflict`] where the normaliser reads records otherwise than the policy says.
    pub fn new(index: I, normaliser: Normaliser, policy: Policy) -> Result<Self, ReadingConflict> {
        policy.check_reading(normaliser.options())?;
        Ok(Self {
            index,
            normaliser,
            policy,
            judge: None,
            threads: NonZeroUsize::MIN,
            show_identifiers: false,
        })
    }

    /// Judges by a scorer of one's own in place of the policy's rules; what is looked up stays the policy's affair.
    #[must_use]
    pub fn judging_by(mut self, judge: impl Judge + 'static) -> Self {
        self.judge = Some(Arc::new(judge));
        self
    }

    /// Splits each batch over so many threads; the decisions are the same.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads;
        self
    }

    /// Returns over how many threads a batch is split.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// Shows identifiers in evidence as they are: evidence then is personal data.
    #[must_use]
    pub fn showing_identifiers(mut self) -> Self {
        self.show_identifiers = true;
        self
    }

    /// Returns the population.
    pub fn index(&self) -> &I {
        &self.index
    }

    /// Returns the population to update it; decisions made before stand as they are.
    pub fn index_mut(&mut self) -> &mut I {
        &mut self.index
    }

    /// Returns the normaliser.
    pub fn normaliser(&self) -> &Normaliser {
        &self.normaliser
    }

    /// Returns the policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Tells whether evidence shows identifiers as they are.
    pub(crate) fn shows_identifiers(&self) -> bool {
        self.show_identifiers
    }

    /// Returns the same matcher under another policy, which reads records as this one does.
    ///
    /// # Errors
    ///
    /// [`ReadingConflict`] for a policy with other placeholders, addresses, phone digits or kinds, which needs a
    /// population of its own.
    pub fn under(&self, policy: Policy) -> Result<DeterministicMatcher<&I>, ReadingConflict> {
        policy.check_reading(self.normaliser.options())?;
        Ok(DeterministicMatcher {
            index: &self.index,
            normaliser: self.normaliser.clone(),
            policy,
            judge: self.judge.clone(),
            threads: self.threads,
            show_identifiers: self.show_identifiers,
        })
    }

    /// Considers subjects that are normalised already and reports each, in order, without making evidence.
    ///
    /// This is the fast way: nothing is allocated per subject, and [`Considered`] gives the verdict and the
    /// person's key.
    ///
    /// # Errors
    ///
    /// [`IndexError`] where the population cannot be read; what was reported before stands.
    pub fn consider(
        &self,
        subjects: &[SubjectView<'_>],
        rejections: &Rejections,
        report: &mut dyn FnMut(usize, &Considered<'_>),
    ) -> Result<(), IndexError> {
        self.consider_from(0, subjects, rejections, report)
    }

    fn consider_from(
        &self,
        first: usize,
        subjects: &[SubjectView<'_>],
        rejections: &Rejections,
        report: &mut dyn FnMut(usize, &Considered<'_>),
    ) -> Result<(), IndexError> {
        let mut scratch = Scratch::default();
        for (chunk, subjects) in subjects.chunks(CHUNK).enumerate() {
            let start = chunk * CHUNK;
            let batch = Batch {
                index: &self.index,
                policy: &self.policy,
                judge: self.judge.as_deref(),
                subjects,
                first: first + start,
                rejections,
            };
            self.index.read(&mut |read| {
                let report = &mut |at, considered: &Considered<'_>| report(start + at, considered);
                batch.decide(read, &mut scratch, report)
            })?;
        }
        Ok(())
    }

    /// Decides subjects that are normalised already, on the calling thread.
    ///
    /// # Errors
    ///
    /// [`IndexError`] where the population cannot be read.
    pub fn decide_normalised(
        &self,
        subjects: &[Normalised],
        rejections: &Rejections,
    ) -> Result<Vec<Decision>, IndexError> {
        self.decide_from(0, subjects, rejections)
    }

    fn decide_from(
        &self,
        first: usize,
        subjects: &[Normalised],
        rejections: &Rejections,
    ) -> Result<Vec<Decision>, IndexError> {
        let views: Vec<SubjectView<'_>> = subjects.iter().map(SubjectView::from).collect();
        let mut decisions = Vec::with_capacity(subjects.len());
        let writer = EvidenceWriter {
            policy: &self.policy,
            normaliser: &self.normaliser,
            show_identifiers: self.show_identifiers,
        };
        self.consider_from(first, &views, rejections, &mut |at, considered| {
            decisions.push(writer.decision(&subjects[at], considered));
        })?;
        Ok(decisions)
    }

    fn decide_part(
        &self,
        first: usize,
        subjects: &[Record],
        rejections: &Rejections,
    ) -> Result<Vec<Decision>, MatchError> {
        let mut decisions = Vec::with_capacity(subjects.len());
        let mut buffers = vec![Normalised::default(); subjects.len().min(CHUNK)];
        for (chunk, subjects) in subjects.chunks(CHUNK).enumerate() {
            for (subject, buffer) in subjects.iter().zip(&mut buffers) {
                self.normaliser.normalise_into(subject, buffer);
            }
            let start = first + chunk * CHUNK;
            decisions.extend(self.decide_from(start, &buffers[..subjects.len()], rejections)?);
        }
        Ok(decisions)
    }
}

impl<I> std::fmt::Debug for DeterministicMatcher<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeterministicMatcher")
            .field("policy", &self.policy)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl<I: CandidateIndex> DeterministicMatcher<I> {
    /// Decides a batch: one decision for each subject, in their order; what [`Matcher`](crate::Matcher) does.
    pub(crate) fn decide_records(
        &self,
        subjects: &[Record],
        rejections: &Rejections,
    ) -> Result<Vec<Decision>, MatchError> {
        // One span per call, never per subject: without a subscriber it costs one load.
        let span = tracing::debug_span!("identity_matching.decide", subjects = subjects.len());
        let _entered = span.enter();
        let decisions = self.decide_all(subjects, rejections)?;
        if tracing::enabled!(tracing::Level::DEBUG) {
            let matched = |d: &&Decision| matches!(d.outcome, super::Outcome::Matched { .. });
            tracing::debug!(
                name: "identity_matching.decided",
                subjects = decisions.len(),
                matched = decisions.iter().filter(matched).count(),
            );
        }
        Ok(decisions)
    }

    /// Decides one subject, with nobody rejected.
    pub(crate) fn decide_record(&self, subject: &Record) -> Result<Decision, MatchError> {
        let decisions =
            self.decide_records(std::slice::from_ref(subject), &Rejections::default())?;
        Ok(decisions.into_iter().next().expect("one decision for each subject"))
    }

    fn decide_all(
        &self,
        subjects: &[Record],
        rejections: &Rejections,
    ) -> Result<Vec<Decision>, MatchError> {
        let share = subjects.len().div_ceil(self.threads.get());
        if share == subjects.len() || share < CHUNK {
            return self.decide_part(0, subjects, rejections);
        }
        std::thread::scope(|scope| {
            let parts: Vec<_> = subjects
                .chunks(share)
                .enumerate()
                .map(|(at, part)| {
                    scope.spawn(move || self.decide_part(at * share, part, rejections))
                })
                .collect();
            let mut decisions = Vec::with_capacity(subjects.len());
            for part in parts {
                match part.join() {
                    Ok(part) => decisions.extend(part?),
                    // A panic of an index of one's own goes on where it would without threads.
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(decisions)
        })
    }
}
