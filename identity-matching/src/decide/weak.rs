//! Weak evidence, looked at only for subjects that nobody strong is left for.

use super::{
    Rule, SubjectView,
    batch::{Scratch, part},
    compare::{Candidate, Weight, rule_of, weight},
};
use crate::{
    index::{CandidateIndex, IndexError},
    policy::Policy,
};

/// Finds and examines the weak candidates of the subjects without a standing candidate.
pub(super) fn gather<I: CandidateIndex + ?Sized>(
    index: &I,
    policy: &Policy,
    subjects: &[SubjectView<'_>],
    scratch: &mut Scratch,
) -> Result<(), IndexError> {
    let mut weak = std::mem::take(&mut scratch.weak);
    weak.clear();
    raise_shared(policy, subjects, scratch, &mut weak);
    raise_blocked(index, policy, subjects, scratch, &mut weak)?;
    weak.sort_unstable_by_key(|candidate| (candidate.subject, candidate.person));
    weak.dedup_by_key(|candidate| (candidate.subject, candidate.person));
    let examined = scratch.examine(index, policy, subjects, &mut weak);
    weak.retain(Candidate::has_evidence);
    let mut start = 0;
    for (at, span) in scratch.subjects.iter_mut().enumerate() {
        let length = weak[start..].iter().take_while(|c| c.subject == at).count();
        span.weak = (start, (start + length));
        start += length;
    }
    scratch.weak = weak;
    examined
}

/// Tells whether a subject has nobody that may be matched by strong keys.
fn has_no_strong_candidate(scratch: &Scratch, at: usize) -> bool {
    !part(&scratch.strong, scratch.subjects[at].strong).iter().any(Candidate::may_match)
}

/// Lists the persons that hold a shared key.
fn raise_shared(
    policy: &Policy,
    subjects: &[SubjectView<'_>],
    scratch: &Scratch,
    weak: &mut Vec<Candidate>,
) {
    for (at, subject) in subjects.iter().enumerate() {
        if !has_no_strong_candidate(scratch, at) {
            continue;
        }
        let span = scratch.subjects[at];
        for (held, hit) in subject.keys.iter().zip(part(&scratch.hits, span.keys)) {
            if weight(policy, held.key.kind(), held.form, hit.total) == Weight::Shared {
                for &person in part(&scratch.holders, (hit.start, hit.start + hit.len)) {
                    if !part(&scratch.strong, span.strong).iter().any(|c| c.person == person) {
                        weak.push(Candidate::new(at, person));
                    }
                }
            }
        }
    }
}

/// Lists the persons that share a blocking key of a rule that is in use.
fn raise_blocked<I: CandidateIndex + ?Sized>(
    index: &I,
    policy: &Policy,
    subjects: &[SubjectView<'_>],
    scratch: &mut Scratch,
    weak: &mut Vec<Candidate>,
) -> Result<(), IndexError> {
    let mut wanted = std::mem::take(&mut scratch.wanted);
    let mut keys = std::mem::take(&mut scratch.wanted_keys);
    wanted.clear();
    keys.clear();
    for (at, subject) in subjects.iter().enumerate() {
        if subject.blocking.is_empty() || !has_no_strong_candidate(scratch, at) {
            continue;
        }
        let held = part(&scratch.blocking, scratch.subjects[at].blocking);
        for (key, &held) in subject.blocking.iter().zip(held) {
            if policy.weak(rule_of(key.kind())).is_some_and(|rules| rules.enabled) {
                wanted.push(at);
                keys.push(held);
            }
        }
    }
    let found = if keys.is_empty() {
        Ok(())
    } else {
        let limit = policy.rules().weak.max_persons_per_key;
        index.holders(&keys, limit, &mut |at, held| {
            let Some(&subject) = wanted.get(at) else { return };
            let strong = part(&scratch.strong, scratch.subjects[subject].strong);
            for &person in held.persons {
                if !strong.iter().any(|candidate| candidate.person == person) {
                    weak.push(Candidate::new(subject, person));
                }
            }
        })
    };
    scratch.wanted = wanted;
    scratch.wanted_keys = keys;
    found
}

/// Returns the weak rule by which the policy accepts a candidate.
pub(super) fn accepted(policy: &Policy, candidate: &Candidate) -> Option<Rule> {
    let (rule, similarity) = candidate.weak?;
    let named = similarity.is_some();
    (named && candidate.contradiction.is_none() && policy.accepts(rule).is_some()).then_some(rule)
}
