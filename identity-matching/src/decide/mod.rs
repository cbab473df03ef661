//! From a batch of subjects to one decision each.
//!
//! [`DeterministicMatcher`] decides a batch of records over a [`CandidateIndex`](crate::index::CandidateIndex): it looks up
//! (`batch`), compares (`compare`), and has the result judged: by the [`judge`](judge()) of its
//! [`Policy`](crate::Policy), or by a [`Judge`] of one's own.

mod batch;
mod compare;
mod evidence;
mod judge;
mod matcher;
mod outcome;
mod rejections;
mod standing;

pub use batch::Considered;
pub use compare::{Compared, KindSet};
pub use evidence::{
    Agreement, CandidateEvidence, Decision, Disagreement, Evidence, KeyEvidence, KeyUse,
    PolicyStamp,
};
pub use judge::{Judge, Judged, Judgement, judge};
pub use matcher::{DeterministicMatcher, MatchError};
pub use outcome::{Outcome, UnknownReason, UnmatchedReason};
pub use rejections::Rejections;
pub use standing::Standing;
