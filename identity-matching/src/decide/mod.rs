//! From a batch of subjects to one decision each.
//!
//! [`Matcher`] is what a caller needs: a batch of records in, one [`Decision`] each out.
//! [`DeterministicMatcher`] is the implementation by a [`Policy`](crate::Policy) over a
//! [`CandidateIndex`](crate::index::CandidateIndex).

mod batch;
mod compare;
mod evidence;
mod matcher;
mod outcome;
mod weak;

pub use batch::{Considered, SubjectView, Verdict};
pub use evidence::{
    Agreement, CandidateEvidence, Decision, Evidence, KeyEvidence, KeyUse, PolicyStamp, Standing,
};
pub use matcher::{DeterministicMatcher, MatchError, Matcher};
pub use outcome::{Confidence, Outcome, Rule, UnknownReason, UnmatchedReason};
