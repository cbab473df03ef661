//! One person beside one subject: what agrees, what contradicts, what is weak.

use super::{Rule, SubjectView};
use crate::{
    index::{IndexKey, PersonId, PersonView},
    key::{KeyForm, KeyKind},
    policy::Policy,
    weak::Name,
    weak::blocking::BlockingKind,
};

/// Says how many persons hold one key of a subject, and where they are listed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hit {
    pub(super) total: u32,
    pub(super) start: usize,
    pub(super) len: usize,
}

/// Says what a subject's key may do, given how many persons hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Few hold it: it makes candidates.
    Strong,
    /// Many hold it: it confirms candidates and is weak by itself.
    Shared,
    /// Too many hold it, or the policy leaves it out.
    Nothing,
}

/// Weighs one key of a subject.
pub(super) fn weight(policy: &Policy, kind: KeyKind, form: KeyForm, total: u32) -> Weight {
    let rules = policy.kind(kind);
    if !rules.enabled || (form != KeyForm::Exact && !rules.equivalents) {
        Weight::Nothing
    } else if total <= rules.max_persons_per_key {
        Weight::Strong
    } else if total <= rules.corroboration_cap {
        Weight::Shared
    } else {
        Weight::Nothing
    }
}

/// One key that subject and person share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreed {
    /// The key's position among the subject's keys.
    pub(super) key: usize,
    /// The weaker of the two forms in which both hold it.
    pub(super) form: KeyForm,
    pub(super) weight: Weight,
}

/// Says what holds a candidate apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contradiction {
    Document,
    BirthDate,
    Name,
}

/// One person that came into question for one subject.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// The subject's position in its chunk.
    pub(super) subject: usize,
    pub(super) person: PersonId,
    /// The person's key in the scratch text.
    pub(super) text: (usize, usize),
    /// The agreements in the scratch list.
    pub(super) agreed: (usize, usize),
    /// One bit for each kind that agrees, by its place in the precedence.
    pub(super) kinds: u8,
    /// The best accepted rule of its strong keys.
    pub(super) rule: Option<Rule>,
    /// The best weak rule that fits, and how similar the names are.
    pub(super) weak: Option<(Rule, Option<f64>)>,
    pub(super) contradiction: Option<Contradiction>,
}

impl Candidate {
    pub(super) fn new(subject: usize, person: PersonId) -> Self {
        Self {
            subject,
            person,
            text: (0, 0),
            agreed: (0, 0),
            kinds: 0,
            rule: None,
            weak: None,
            contradiction: None,
        }
    }

    /// Tells whether the person may be matched by its strong keys.
    pub(super) fn may_match(&self) -> bool {
        self.rule.is_some() && self.contradiction.is_none()
    }

    /// Tells whether anything speaks for the person.
    pub(super) fn has_evidence(&self) -> bool {
        self.agreed.1 > 0 || self.weak.is_some()
    }
}

/// Everything that examining a candidate needs to know of its subject.
#[derive(Clone, Copy, Debug)]
pub(super) struct Examination<'a> {
    pub(super) policy: &'a Policy,
    pub(super) subject: SubjectView<'a>,
    /// The subject's keys as an index holds them, and who holds each.
    pub(super) keys: &'a [IndexKey],
    pub(super) blocking: &'a [IndexKey],
    pub(super) hits: &'a [Hit],
}

impl Examination<'_> {
    /// Fills in what speaks for and against a candidate.
    pub(super) fn examine(
        &self,
        person: &PersonView<'_>,
        candidate: &mut Candidate,
        agreed: &mut Vec<Agreed>,
    ) {
        let start = agreed.len();
        let mut document_agrees = false;
        let mut document_differs = false;
        let documents = self.policy.kind(KeyKind::DOCUMENT);
        for held in person.keys() {
            let Some(kind) = held.key.kind() else {
                self.examine_blocking(held.key, person, candidate);
                continue;
            };
            for (at, &key) in self.keys.iter().enumerate() {
                let own = &self.subject.keys[at];
                if key == held.key {
                    let form = own.form.max(held.form);
                    let weight = weight(self.policy, kind, form, self.hits[at].total);
                    if weight == Weight::Nothing {
                        continue;
                    }
                    agreed.push(Agreed { key: at, form, weight });
                    candidate.kinds |= 1 << self.policy.place(kind);
                    document_agrees |= kind == KeyKind::DOCUMENT;
                    let rule = Rule::of(kind, form);
                    if weight == Weight::Strong
                        && self.policy.accepts(rule).is_some()
                        && candidate
                            .rule
                            .is_none_or(|best| self.policy.rank(rule) < self.policy.rank(best))
                    {
                        candidate.rule = Some(rule);
                    }
                } else if kind == KeyKind::DOCUMENT
                    && documents.enabled
                    && key.document_type() == held.key.document_type()
                    && !self.policy.exempts(key.document_type())
                    && self.hits[at].total <= documents.corroboration_cap
                    // A supposed reading is no evidence against anybody.
                    && own.form.max(held.form) != KeyForm::Alias
                    && (documents.equivalents || own.form.max(held.form) == KeyForm::Exact)
                {
                    document_differs = true;
                }
            }
        }
        candidate.agreed = (start, (agreed.len() - start));
        let rules = &self.policy.rules().contradiction;
        candidate.contradiction = if rules.document && document_differs && !document_agrees {
            Some(Contradiction::Document)
        } else if rules.birth_date && self.birth_date_differs(person) {
            Some(Contradiction::BirthDate)
        } else if rules.name_similarity_below.is_some_and(|least| {
            self.similarity(person).is_some_and(|similarity| similarity < least)
        }) {
            Some(Contradiction::Name)
        } else {
            None
        };
    }

    fn examine_blocking(&self, key: IndexKey, person: &PersonView<'_>, candidate: &mut Candidate) {
        if !self.blocking.contains(&key) {
            return;
        }
        let Some(shared) = key.blocking() else { return };
        let rule = rule_of(shared.kind());
        let Some(rules) = self.policy.weak(rule).filter(|rules| rules.enabled) else { return };
        let similarity = self.similarity(person);
        let fits = match similarity {
            Some(similarity) => similarity >= rules.min_name_similarity,
            None => matches!(rule, Rule::PhoneTail | Rule::EmailWeak),
        };
        if fits && candidate.weak.is_none_or(|(best, _)| rule < best) {
            candidate.weak = Some((rule, similarity));
        }
    }

    /// Returns the greatest similarity between the subject's name and one of the person's.
    fn similarity(&self, person: &PersonView<'_>) -> Option<f64> {
        let own = self.subject.name?;
        let names: &[Name] = &person.profile()?.names;
        names.iter().map(|name| own.similarity(name)).max_by(f64::total_cmp)
    }

    fn birth_date_differs(&self, person: &PersonView<'_>) -> bool {
        let (Some(own), Some(profile)) = (self.subject.birth_date, person.profile()) else {
            return false;
        };
        !profile.birth_dates.is_empty() && !profile.birth_dates.contains(&own)
    }
}

/// Returns the weak rule that a blocking key serves.
pub(super) fn rule_of(kind: BlockingKind) -> Rule {
    match kind {
        BlockingKind::Plate => Rule::PlateName,
        BlockingKind::NameBirthDate => Rule::NameBirthDate,
        BlockingKind::PhoneTail => Rule::PhoneTail,
        BlockingKind::Email => Rule::EmailWeak,
    }
}
