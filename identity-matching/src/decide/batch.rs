//! Deciding a chunk of subjects: look up, compare, judge.
//!
//! One chunk makes at most four calls to the index, whatever its size: the holders of all its strong keys,
//! the persons that they raise, and for the subjects that have no match beyond doubt, the holders of their
//! blocking keys and those persons.

use super::{
    Compared, Judge, Judged, Judgement, Rejections,
    compare::{Agreed, Candidate, Comparison, Differing, Findings, Hit, Weight, weight},
    judge,
};
use crate::{
    index::{CandidateIndex, CandidateRead, IndexError, IndexKey, PersonId, SubjectView},
    policy::Policy,
};

/// Shows one subject's verdict and what it rests on.
#[derive(Debug)]
pub struct Considered<'a> {
    pub(super) verdict: &'a Judgement,
    pub(super) hits: &'a [Hit],
    pub(super) keys: &'a [IndexKey],
    pub(super) candidates: &'a [Candidate],
    pub(super) judged: &'a [Judged],
    pub(super) rejected: &'a [Span],
    pub(super) agreed: &'a [Agreed],
    pub(super) differing: &'a [Differing],
    pub(super) text: &'a str,
}

impl<'a> Considered<'a> {
    /// Returns the verdict.
    #[must_use]
    pub fn verdict(&self) -> &Judgement {
        self.verdict
    }

    /// Returns the matched person's key.
    #[must_use]
    pub fn person(&self) -> Option<&'a str> {
        let Judgement::Matched { candidate, .. } = self.verdict else { return None };
        self.candidates.get(*candidate).map(|candidate| self.text(candidate.text))
    }

    /// Returns the matched person inside the index that was asked.
    #[must_use]
    pub fn person_id(&self) -> Option<PersonId> {
        let Judgement::Matched { candidate, .. } = self.verdict else { return None };
        self.candidates.get(*candidate).map(Candidate::person)
    }

    pub(super) fn text(&self, (start, end): Span) -> &'a str {
        &self.text[start..end]
    }

    pub(super) fn agreed(&self, candidate: &Candidate) -> &'a [Agreed] {
        part(self.agreed, candidate.agreed)
    }

    pub(super) fn differing(&self, candidate: &Candidate) -> &'a [Differing] {
        part(self.differing, candidate.differing)
    }
}

/// A part of a scratch list, from its start to its end.
type Span = (usize, usize);

/// Keeps its memory from chunk to chunk, so that deciding allocates nothing per subject.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    keys: Vec<IndexKey>,
    places: Vec<Option<usize>>,
    hits: Vec<Hit>,
    holders: Vec<PersonId>,
    /// The candidates of all subjects, those of one subject together once all are found.
    candidates: Vec<Candidate>,
    raised: Vec<Candidate>,
    persons: Vec<PersonId>,
    agreed: Vec<Agreed>,
    differing: Vec<Differing>,
    /// The keys of persons, and names that differ.
    text: String,
    subjects: Vec<Parts>,
    blocking: Vec<IndexKey>,
    /// The subject of each blocking key that is looked up, and the keys.
    wanted: Vec<usize>,
    wanted_keys: Vec<IndexKey>,
    /// The subject of each rejected person that came into question, and the person's key in the text.
    rejected: Vec<(usize, PersonId, Span)>,
    rejected_texts: Vec<Span>,
    compared: Vec<Compared>,
    judged: Vec<Judged>,
}

/// Where the parts of one subject lie in the scratch lists.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    keys: Span,
    blocking: Span,
    candidates: Span,
}

fn part<T>(list: &[T], (start, end): Span) -> &[T] {
    &list[start..end]
}

/// What one chunk is decided by.
pub(super) struct Batch<'a, I: ?Sized> {
    pub(super) index: &'a I,
    pub(super) policy: &'a Policy,
    pub(super) judge: Option<&'a dyn Judge>,
    pub(super) subjects: &'a [SubjectView<'a>],
    /// The position of the first subject among those of the rejections.
    pub(super) first: usize,
    pub(super) rejections: &'a Rejections,
}

impl<I: CandidateIndex + ?Sized> Batch<'_, I> {
    /// Decides one chunk of subjects and reports each, in order.
    pub(super) fn decide(
        &self,
        read: &mut dyn CandidateRead,
        scratch: &mut Scratch,
        report: &mut dyn FnMut(usize, &Considered<'_>),
    ) -> Result<(), IndexError> {
        scratch.agreed.clear();
        scratch.differing.clear();
        scratch.text.clear();
        scratch.rejected.clear();
        scratch.candidates.clear();
        self.look_up(read, scratch)?;
        self.raise_strong(scratch);
        self.compare(read, scratch)?;
        self.raise_shared(scratch);
        self.raise_blocked(read, scratch)?;
        scratch.raised.sort_unstable_by_key(|candidate| (candidate.subject, candidate.person()));
        scratch.raised.dedup_by_key(|candidate| (candidate.subject, candidate.person()));
        self.compare(read, scratch)?;
        self.judge(scratch, report);
        Ok(())
    }

    /// Finds who holds the subjects' strong keys.
    fn look_up(
        &self,
        read: &mut dyn CandidateRead,
        scratch: &mut Scratch,
    ) -> Result<(), IndexError> {
        scratch.keys.clear();
        scratch.places.clear();
        scratch.blocking.clear();
        scratch.subjects.clear();
        for subject in self.subjects {
            let (key, blocking) = (scratch.keys.len(), scratch.blocking.len());
            for held in subject.keys {
                scratch.keys.push(self.index.as_held(IndexKey::from(held.key)));
                scratch.places.push(self.policy.place(held.key.kind()));
            }
            let held = subject.blocking.iter().map(|&key| self.index.as_held(IndexKey::from(key)));
            scratch.blocking.extend(held);
            scratch.subjects.push(Parts {
                keys: (key, scratch.keys.len()),
                blocking: (blocking, scratch.blocking.len()),
                candidates: (0, 0),
            });
        }
        scratch.hits.clear();
        scratch.hits.resize(scratch.keys.len(), Hit::default());
        scratch.holders.clear();
        let (hits, holders) = (&mut scratch.hits, &mut scratch.holders);
        read.holders(&scratch.keys, self.policy.list_limit(), &mut |at, held| {
            if let Some(hit) = hits.get_mut(at) {
                *hit = Hit { total: held.total, start: holders.len(), len: held.persons.len() };
                holders.extend_from_slice(held.persons);
            }
        })
    }

    fn weight(&self, scratch: &Scratch, subject: usize, at: usize) -> Weight {
        let used = scratch.places[at].map(|place| &self.policy.used()[place]);
        let held = self.subjects[subject].keys[at - scratch.subjects[subject].keys.0];
        weight(used, scratch.keys[at], held.form, scratch.hits[at].total)
    }

    /// Lists the persons that hold a strong key of each subject, each once.
    fn raise_strong(&self, scratch: &mut Scratch) {
        let mut raised = std::mem::take(&mut scratch.raised);
        raised.clear();
        for (subject, parts) in scratch.subjects.iter().enumerate() {
            let first = raised.len();
            for at in parts.keys.0..parts.keys.1 {
                if self.weight(scratch, subject, at) != Weight::Strong {
                    continue;
                }
                let hit = scratch.hits[at];
                for &person in part(&scratch.holders, (hit.start, hit.start + hit.len)) {
                    if !raised[first..].iter().any(|known| known.person() == person) {
                        raised.push(Candidate::new(subject, person));
                    }
                }
            }
        }
        scratch.raised = raised;
    }

    /// Reads the persons that were raised, compares each with its subject, and adds them to the candidates, but those
    /// that a person has rejected.
    fn compare(
        &self,
        read: &mut dyn CandidateRead,
        scratch: &mut Scratch,
    ) -> Result<(), IndexError> {
        let mut raised = std::mem::take(&mut scratch.raised);
        scratch.persons.clear();
        scratch.persons.extend(raised.iter().map(Candidate::person));
        let Scratch {
            keys,
            places,
            blocking,
            hits,
            persons,
            agreed,
            differing,
            text,
            subjects,
            ..
        } = scratch;
        let found = if persons.is_empty() {
            Ok(())
        } else {
            read.persons(persons, &mut |at, person| {
                let Some(candidate) = raised.get_mut(at) else { return };
                let parts = subjects[candidate.subject];
                let comparison = Comparison {
                    policy: self.policy,
                    subject: self.subjects[candidate.subject],
                    keys: part(keys, parts.keys),
                    places: part(places, parts.keys),
                    blocking: part(blocking, parts.blocking),
                    hits: part(hits, parts.keys),
                };
                let mut findings = Findings { agreed, differing, text };
                comparison.compare(&person, candidate, &mut findings);
                candidate.text = (text.len(), text.len() + person.key().len());
                text.push_str(person.key());
            })
        };
        for candidate in raised.drain(..) {
            let subject = candidate.subject;
            let person = &scratch.text[candidate.text.0..candidate.text.1];
            if self.rejections.hold(self.first + subject, person) {
                scratch.rejected.push((subject, candidate.person(), candidate.text));
            } else {
                scratch.candidates.push(candidate);
            }
        }
        scratch.raised = raised;
        scratch
            .candidates
            .sort_unstable_by_key(|candidate| (candidate.subject, candidate.person()));
        let mut start = 0;
        for (at, parts) in scratch.subjects.iter_mut().enumerate() {
            let own = scratch.candidates[start..].iter().take_while(|c| c.subject == at).count();
            parts.candidates = (start, start + own);
            start += own;
        }
        found
    }

    /// Tells whether a subject has exactly one match by its keys, with nothing that speaks against it.
    fn is_settled(&self, scratch: &Scratch, at: usize) -> bool {
        let candidates = part(&scratch.candidates, scratch.subjects[at].candidates);
        !candidates.is_empty()
            && candidates.iter().all(|candidate| judge::is_plain(self.policy, &candidate.compared))
    }

    /// Tells whether a person is a candidate of a subject already, or rejected.
    fn is_known(scratch: &Scratch, subject: usize, person: PersonId) -> bool {
        let candidates = part(&scratch.candidates, scratch.subjects[subject].candidates);
        candidates.iter().any(|candidate| candidate.person() == person)
            || scratch.rejected.iter().any(|&(of, known, _)| (of, known) == (subject, person))
    }

    /// Lists the persons that hold a key which is weak by itself.
    fn raise_shared(&self, scratch: &mut Scratch) {
        let mut raised = std::mem::take(&mut scratch.raised);
        for (subject, parts) in scratch.subjects.iter().enumerate() {
            if parts.keys.0 == parts.keys.1 || self.is_settled(scratch, subject) {
                continue;
            }
            for at in parts.keys.0..parts.keys.1 {
                if !self.weight(scratch, subject, at).is_weak() {
                    continue;
                }
                let hit = scratch.hits[at];
                for &person in part(&scratch.holders, (hit.start, hit.start + hit.len)) {
                    if !Self::is_known(scratch, subject, person) {
                        raised.push(Candidate::new(subject, person));
                    }
                }
            }
        }
        scratch.raised = raised;
    }

    /// Lists the persons that share a blocking key by which a rule finds persons.
    fn raise_blocked(
        &self,
        read: &mut dyn CandidateRead,
        scratch: &mut Scratch,
    ) -> Result<(), IndexError> {
        let mut wanted = std::mem::take(&mut scratch.wanted);
        let mut keys = std::mem::take(&mut scratch.wanted_keys);
        let mut raised = std::mem::take(&mut scratch.raised);
        wanted.clear();
        keys.clear();
        for (at, subject) in self.subjects.iter().enumerate() {
            if subject.blocking.is_empty() || self.is_settled(scratch, at) {
                continue;
            }
            let held = part(&scratch.blocking, scratch.subjects[at].blocking);
            for (key, &held) in subject.blocking.iter().zip(held) {
                if self.policy.blocking_list_limit(key.kind()) > 0 {
                    wanted.push(at);
                    keys.push(held);
                }
            }
        }
        let found = if keys.is_empty() {
            Ok(())
        } else {
            let limit = self.policy.rules().weak.max_persons_per_key;
            read.holders(&keys, limit, &mut |at, held| {
                let Some(&subject) = wanted.get(at) else { return };
                for &person in held.persons {
                    if !Self::is_known(scratch, subject, person) {
                        raised.push(Candidate::new(subject, person));
                    }
                }
            })
        };
        scratch.raised = raised;
        scratch.wanted = wanted;
        scratch.wanted_keys = keys;
        found
    }

    /// Judges each subject and reports it.
    fn judge(&self, scratch: &mut Scratch, report: &mut dyn FnMut(usize, &Considered<'_>)) {
        let mut compared = std::mem::take(&mut scratch.compared);
        let mut judged = std::mem::take(&mut scratch.judged);
        let mut rejected = std::mem::take(&mut scratch.rejected_texts);
        for (at, parts) in scratch.subjects.iter().enumerate() {
            let candidates = part(&scratch.candidates, parts.candidates);
            compared.clear();
            compared.extend(candidates.iter().map(|candidate| candidate.compared));
            judged.clear();
            let usable = part(&scratch.places, parts.keys).iter().any(Option::is_some);
            let verdict = match self.judge {
                Some(own) => own.judge(self.policy, usable, &compared, &mut judged),
                None => judge::judge(self.policy, usable, &compared, &mut judged),
            };
            rejected.clear();
            let of_subject = scratch.rejected.iter().filter(|(subject, ..)| *subject == at);
            rejected.extend(of_subject.map(|&(_, _, text)| text));
            report(
                at,
                &Considered {
                    verdict: &verdict,
                    hits: part(&scratch.hits, parts.keys),
                    keys: part(&scratch.keys, parts.keys),
                    candidates,
                    judged: &judged,
                    rejected: &rejected,
                    agreed: &scratch.agreed,
                    differing: &scratch.differing,
                    text: &scratch.text,
                },
            );
        }
        scratch.compared = compared;
        scratch.judged = judged;
        scratch.rejected_texts = rejected;
    }
}
