//! The matcher: what a caller needs, a batch of records in, one [`Decision`] each out.

use crate::{
    decide::{Decision, DeterministicMatcher, MatchError, Rejections},
    explain::Explanation,
    index::CandidateIndex,
    normalise::Record,
};

/// Decides which person of a population a subject is.
///
/// Implementations answer the same for the same subject, in any batch, any order and on any thread.
pub trait Matcher: Send + Sync {
    /// Decides a batch: one decision for each subject, in their order.
    ///
    /// Pairs of a subject and a person that a person has rejected are dropped before anything is judged.
    ///
    /// # Errors
    ///
    /// [`MatchError`] where the batch could not be decided; nothing was decided then.
    fn decide(
        &self,
        subjects: &[Record],
        rejections: &Rejections,
    ) -> Result<Vec<Decision>, MatchError>;

    /// Explains how one subject is decided, with nobody rejected; by default by its decision and evidence alone.
    ///
    /// # Errors
    ///
    /// As [`decide`](Self::decide).
    fn explain(&self, subject: &Record) -> Result<Explanation, MatchError> {
        Ok(Explanation::of(self.decide_one(subject)?))
    }

    /// Decides one subject, with nobody rejected.
    ///
    /// # Errors
    ///
    /// As [`decide`](Self::decide).
    fn decide_one(&self, subject: &Record) -> Result<Decision, MatchError> {
        let decisions = self.decide(std::slice::from_ref(subject), &Rejections::default())?;
        decisions.into_iter().next().ok_or_else(|| MatchError::Failed {
            reason: "the matcher gave no decision for one subject".into(),
            source: None,
        })
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<M: Matcher + ?Sized> Matcher for $pointer {
            fn decide(
                &self,
                subjects: &[Record],
                rejections: &Rejections,
            ) -> Result<Vec<Decision>, MatchError> {
                (**self).decide(subjects, rejections)
            }

            fn explain(&self, subject: &Record) -> Result<Explanation, MatchError> {
                (**self).explain(subject)
            }
        }
    )*};
}
forward!(&M, Box<M>, std::sync::Arc<M>);

impl<I: CandidateIndex> Matcher for DeterministicMatcher<I> {
    fn decide(
        &self,
        subjects: &[Record],
        rejections: &Rejections,
    ) -> Result<Vec<Decision>, MatchError> {
        self.decide_records(subjects, rejections)
    }

    fn explain(&self, subject: &Record) -> Result<Explanation, MatchError> {
        crate::explain::explain(self, subject)
    }
}
