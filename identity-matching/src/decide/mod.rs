//! From a batch of subjects to one decision each.
//!
//! [`Matcher`] is what a caller needs: a batch of records in, one [`Decision`] each out.
//! [`DeterministicMatcher`] is the implementation over a [`CandidateIndex`](crate::index::CandidateIndex): it looks up
//! (`batch`), compares (`compare`), and has the result judged: by the [`judge`](judge()) of its
//! [`Policy`](crate::Policy), or by a [`Judge`] of one's own.

mod batch;
mod compare;
mod evidence;
mod judge;
mod matcher;
mod outcome;
mod rejections;
mod rule;

pub use batch::{Considered, SubjectView};
pub use compare::{Compared, KindSet};
pub use evidence::{
    Agreement, CandidateEvidence, Decision, Disagreement, Evidence, KeyEvidence, KeyUse,
    PolicyStamp, Standing,
};
pub use judge::{Judge, Judged, Verdict, judge};
pub use matcher::{DeterministicMatcher, MatchError, Matcher};
pub use outcome::{Confidence, Outcome, UnknownConfidence, UnknownReason, UnmatchedReason};
pub use rejections::Rejections;
pub use rule::{Rule, RuleNameError};
