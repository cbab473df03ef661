//! Considering a chunk of subjects: look up, examine, decide.
//!
//! One chunk makes at most four calls to the index, whatever its size: the holders of all its strong keys,
//! the persons that they raise, and for the subjects that nobody strong is left for, the holders of their
//! blocking keys and those persons.

use super::{
    Confidence, Rule, UnmatchedReason,
    compare::{Agreed, Candidate, Examination, Hit, Weight, weight},
    weak,
};
use crate::{
    index::{CandidateIndex, IndexError, IndexKey, PersonId},
    key::HeldKey,
    normalise::Normalised,
    policy::Policy,
    weak::BirthDate,
    weak::Name,
    weak::blocking::BlockingKey,
};

/// Borrows what deciding needs of one normalised subject.
#[derive(Clone, Copy, Debug, Default)]
pub struct SubjectView<'a> {
    pub(super) keys: &'a [HeldKey],
    pub(super) blocking: &'a [BlockingKey],
    pub(super) name: Option<&'a Name>,
    pub(super) birth_date: Option<BirthDate>,
}

impl<'a> SubjectView<'a> {
    /// Makes the view of a subject of which nothing but its strong keys is known, each key once.
    #[must_use]
    pub fn of_keys(keys: &'a [HeldKey]) -> Self {
        Self { keys, ..Self::default() }
    }

    /// Lists the keys that are looked up for the subject, strong and blocking.
    #[inline]
    pub(crate) fn index_keys(self) -> impl Iterator<Item = IndexKey> + 'a {
        let strong = self.keys.iter().map(|held| IndexKey::from(held.key));
        strong.chain(self.blocking.iter().map(|&key| IndexKey::from(key)))
    }
}

impl<'a> From<&'a Normalised> for SubjectView<'a> {
    fn from(subject: &'a Normalised) -> Self {
        Self {
            keys: subject.keys(),
            blocking: subject.blocking_keys(),
            name: subject.name(),
            birth_date: subject.birth_date(),
        }
    }
}

/// Says what was decided, without a word of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One person, by one rule.
    Matched {
        /// The person inside the index that was asked.
        person: PersonId,
        /// The rule that decided.
        rule: Rule,
        /// What the policy grants that rule.
        confidence: Confidence,
    },
    /// Nobody that may be accepted.
    Unmatched(UnmatchedReason),
}

/// Shows one subject's verdict and what it rests on.
#[derive(Debug)]
pub struct Considered<'a> {
    pub(super) policy: &'a Policy,
    pub(super) verdict: Verdict,
    pub(super) hits: &'a [Hit],
    pub(super) strong: &'a [Candidate],
    pub(super) weak: &'a [Candidate],
    pub(super) agreed: &'a [Agreed],
    pub(super) text: &'a str,
}

impl<'a> Considered<'a> {
    /// Returns the verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Returns the matched person's key.
    #[must_use]
    pub fn person(&self) -> Option<&'a str> {
        let Verdict::Matched { person, .. } = self.verdict else { return None };
        self.candidates().find(|c| c.person == person).map(|c| self.text(c))
    }

    pub(super) fn candidates(&self) -> impl Iterator<Item = &'a Candidate> {
        self.strong.iter().chain(self.weak)
    }

    pub(super) fn text(&self, candidate: &Candidate) -> &'a str {
        let (start, length) = candidate.text;
        &self.text[start..(start + length)]
    }

    pub(super) fn agreed(&self, candidate: &Candidate) -> &'a [Agreed] {
        let (start, length) = candidate.agreed;
        &self.agreed[start..(start + length)]
    }
}

/// Keeps its memory from chunk to chunk, so that considering allocates nothing per subject.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) keys: Vec<IndexKey>,
    pub(super) hits: Vec<Hit>,
    pub(super) holders: Vec<PersonId>,
    pub(super) strong: Vec<Candidate>,
    pub(super) weak: Vec<Candidate>,
    pub(super) persons: Vec<PersonId>,
    pub(super) agreed: Vec<Agreed>,
    pub(super) text: String,
    pub(super) subjects: Vec<Span>,
    pub(super) blocking: Vec<IndexKey>,
    /// The subject of each blocking key that is looked up, and the keys.
    pub(super) wanted: Vec<usize>,
    pub(super) wanted_keys: Vec<IndexKey>,
}

/// Where the parts of one subject lie in the scratch lists.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) keys: (usize, usize),
    pub(super) blocking: (usize, usize),
    pub(super) strong: (usize, usize),
    pub(super) weak: (usize, usize),
}

pub(super) fn part<T>(list: &[T], (start, end): (usize, usize)) -> &[T] {
    &list[start..end]
}

/// Considers one chunk of subjects and reports each, in order.
pub(super) fn consider<I: CandidateIndex + ?Sized>(
    index: &I,
    policy: &Policy,
    subjects: &[SubjectView<'_>],
    scratch: &mut Scratch,
    report: &mut dyn FnMut(usize, &Considered<'_>),
) -> Result<(), IndexError> {
    scratch.look_up(index, policy, subjects)?;
    scratch.raise(policy, subjects);
    scratch.examine_strong(index, policy, subjects)?;
    weak::gather(index, policy, subjects, scratch)?;
    for (at, (&subject, span)) in subjects.iter().zip(&scratch.subjects).enumerate() {
        let strong = part(&scratch.strong, span.strong);
        let weak = part(&scratch.weak, span.weak);
        let hits = part(&scratch.hits, span.keys);
        let verdict = decide(policy, subject, strong, weak);
        report(
            at,
            &Considered {
                policy,
                verdict,
                hits,
                strong,
                weak,
                agreed: &scratch.agreed,
                text: &scratch.text,
            },
        );
    }
    Ok(())
}

impl Scratch {
    /// Finds who holds the subjects' strong keys.
    fn look_up<I: CandidateIndex + ?Sized>(
        &mut self,
        index: &I,
        policy: &Policy,
        subjects: &[SubjectView<'_>],
    ) -> Result<(), IndexError> {
        self.keys.clear();
        self.blocking.clear();
        self.subjects.clear();
        for subject in subjects {
            let (key, blocking) = (self.keys.len(), self.blocking.len());
            let keys = subject.keys.iter().map(|held| index.as_held(IndexKey::from(held.key)));
            self.keys.extend(keys);
            let held = subject.blocking.iter().map(|&key| index.as_held(IndexKey::from(key)));
            self.blocking.extend(held);
            self.subjects.push(Span {
                keys: (key, self.keys.len()),
                blocking: (blocking, self.blocking.len()),
                ..Span::default()
            });
        }
        self.hits.clear();
        self.hits.resize(self.keys.len(), Hit::default());
        self.holders.clear();
        let (hits, holders) = (&mut self.hits, &mut self.holders);
        index.holders(&self.keys, policy.list_limit(), &mut |at, held| {
            if let Some(hit) = hits.get_mut(at) {
                *hit = Hit { total: held.total, start: holders.len(), len: held.persons.len() };
                holders.extend_from_slice(held.persons);
            }
        })
    }

    /// Lists the persons that hold a strong key of each subject, each once.
    fn raise(&mut self, policy: &Policy, subjects: &[SubjectView<'_>]) {
        self.strong.clear();
        for (at, (subject, span)) in subjects.iter().zip(&mut self.subjects).enumerate() {
            let first = self.strong.len();
            for (held, hit) in subject.keys.iter().zip(part(&self.hits, span.keys)) {
                if weight(policy, held.key.kind(), held.form, hit.total) != Weight::Strong {
                    continue;
                }
                for &person in part(&self.holders, (hit.start, hit.start + hit.len)) {
                    if !self.strong[first..].iter().any(|known| known.person == person) {
                        self.strong.push(Candidate::new(at, person));
                    }
                }
            }
            span.strong = (first, self.strong.len());
        }
    }

    /// Reads the persons that were raised and examines each beside its subject.
    fn examine_strong<I: CandidateIndex + ?Sized>(
        &mut self,
        index: &I,
        policy: &Policy,
        subjects: &[SubjectView<'_>],
    ) -> Result<(), IndexError> {
        self.agreed.clear();
        self.text.clear();
        let mut candidates = std::mem::take(&mut self.strong);
        let examined = self.examine(index, policy, subjects, &mut candidates);
        self.strong = candidates;
        examined
    }

    pub(super) fn examine<I: CandidateIndex + ?Sized>(
        &mut self,
        index: &I,
        policy: &Policy,
        subjects: &[SubjectView<'_>],
        candidates: &mut [Candidate],
    ) -> Result<(), IndexError> {
        self.persons.clear();
        self.persons.extend(candidates.iter().map(|candidate| candidate.person));
        let Self { keys, blocking, hits, persons, agreed, text, subjects: spans, .. } = self;
        index.persons(persons, &mut |at, person| {
            let Some(candidate) = candidates.get_mut(at) else { return };
            let subject = candidate.subject;
            let span = spans[subject];
            let examination = Examination {
                policy,
                subject: subjects[subject],
                keys: part(keys, span.keys),
                blocking: part(blocking, span.blocking),
                hits: part(hits, span.keys),
            };
            examination.examine(&person, candidate, agreed);
            candidate.text = (text.len(), person.key().len());
            text.push_str(person.key());
        })
    }
}

/// Decides one subject from its examined candidates.
fn decide(
    policy: &Policy,
    subject: SubjectView<'_>,
    strong: &[Candidate],
    weak: &[Candidate],
) -> Verdict {
    let mut standing = strong.iter().filter(|candidate| candidate.may_match());
    if let Some(first) = standing.next() {
        return match standing.next() {
            None => matched(policy, first, first.rule),
            Some(_) => match dominant(policy, strong) {
                Some(winner) => matched(policy, winner, winner.rule),
                None => Verdict::Unmatched(UnmatchedReason::ConflictMultipleCandidates),
            },
        };
    }
    let mut accepted =
        strong.iter().chain(weak).filter_map(|c| weak::accepted(policy, c).map(|rule| (c, rule)));
    if let Some((first, rule)) = accepted.next() {
        return match accepted.next() {
            None => matched(policy, first, Some(rule)),
            Some(_) => Verdict::Unmatched(UnmatchedReason::ConflictMultipleCandidates),
        };
    }
    Verdict::Unmatched(if strong.iter().chain(weak).any(Candidate::has_evidence) {
        UnmatchedReason::WeakMatchOnly
    } else if usable(policy, subject) {
        UnmatchedReason::NoCandidates
    } else {
        UnmatchedReason::MissingIdentifiers
    })
}

fn matched(policy: &Policy, candidate: &Candidate, rule: Option<Rule>) -> Verdict {
    let granted = rule.and_then(|rule| Some((rule, policy.accepts(rule)?)));
    match granted {
        Some((rule, confidence)) => Verdict::Matched { person: candidate.person, rule, confidence },
        None => Verdict::Unmatched(UnmatchedReason::WeakMatchOnly),
    }
}

/// Returns the one candidate that agrees on the first kind of the precedence where no other does, or whose
/// agreeing kinds strictly contain every other's.
fn dominant<'a>(policy: &Policy, strong: &'a [Candidate]) -> Option<&'a Candidate> {
    let first_kind = 1 << policy.place(policy.rules().precedence[0]);
    let standing = || strong.iter().filter(|candidate| candidate.may_match());
    standing().find(|one| {
        let others = || standing().filter(|other| other.person != one.person);
        let alone = one.kinds & first_kind != 0 && others().all(|o| o.kinds & first_kind == 0);
        alone || others().all(|o| o.kinds & one.kinds == o.kinds && o.kinds != one.kinds)
    })
}

/// Tells whether the subject has a strong key of a kind that the policy uses.
fn usable(policy: &Policy, subject: SubjectView<'_>) -> bool {
    subject.keys.iter().any(|held| policy.kind(held.key.kind()).enabled)
}
