//! One person beside one subject: what agrees and what differs, without a word on what follows from it.

use crate::{
    index::{IndexKey, IndexedPerson, PersonId, SubjectView},
    key::{DocumentTypeId, KeyForm, KeyKind},
    policy::{Policy, UsedKind},
    weak::{BirthDate, BlockingKind},
};

/// A set of strong kinds, each by its place in the policy's precedence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindSet(u16);

impl KindSet {
    /// Tells whether no kind is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Tells whether the kind at a place of the precedence is in the set.
    #[must_use]
    pub const fn contains(self, place: usize) -> bool {
        place < 16 && self.0 & 1 << place != 0
    }

    /// Adds the kind at a place of the precedence.
    pub const fn insert(&mut self, place: usize) {
        if place < 16 {
            self.0 |= 1 << place;
        }
    }

    /// Tells whether every kind of `other` is in the set.
    #[must_use]
    pub const fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Lists the kinds of the set by the precedence of a policy.
    pub fn kinds(self, policy: &Policy) -> impl Iterator<Item = KeyKind> {
        let used = policy.used().iter().enumerate();
        used.filter(move |(place, _)| self.contains(*place)).map(|(_, used)| used.kind)
    }
}

/// What one person and one subject have in common, and what they have not; a plain value that anybody can make.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
pub struct Compared {
    /// The person inside the index that was asked.
    pub person: PersonId,
    /// Kinds of which both hold a key that not too many persons hold.
    pub agrees: KindSet,
    /// Of these, the kinds of which both hold the key itself, neither derived nor as an alias.
    pub exact: KindSet,
    /// Kinds of which both hold a key that so few persons hold that it makes candidates.
    pub strong: KindSet,
    /// Of these, the kinds of which both hold the key itself.
    pub strong_exact: KindSet,
    /// Whether both hold the number of an organisation, or a key that many persons hold, or the person holds what the
    /// subject may have meant.
    pub weak_key: bool,
    /// Exclusive kinds of which both hold a key of one sort (of documents: of one country and type) and share none.
    pub differs: KindSet,
    /// The similarity of the names, from 0 to 1, where both give one.
    pub name: Option<f64>,
    /// Whether the dates of birth are the same, where both give one.
    pub birth_date: Option<bool>,
    /// Whether both give the same plate.
    pub plate: bool,
    /// Whether both give a phone of one country with the same last digits.
    pub phone_tail: bool,
    /// Whether both give the same address of a role or of a throw-away service.
    pub address: bool,
}

impl Compared {
    /// Makes the comparison with a person of whom nothing is known.
    #[must_use]
    pub const fn new(person: PersonId) -> Self {
        Self {
            person,
            agrees: KindSet(0),
            exact: KindSet(0),
            strong: KindSet(0),
            strong_exact: KindSet(0),
            weak_key: false,
            differs: KindSet(0),
            name: None,
            birth_date: None,
            plate: false,
            phone_tail: false,
            address: false,
        }
    }
}

/// How many persons hold one key of a subject, and where they are listed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hit {
    pub(super) total: u32,
    pub(super) start: usize,
    pub(super) len: usize,
}

/// What a subject's key may do, given how many persons hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Few hold it: it makes candidates.
    Strong,
    /// Many hold it: it confirms candidates and is weak by itself.
    Shared,
    /// It is an organisation's: it is weak, whoever holds it.
    Organisation,
    /// It is what may have been meant: it is weak, whoever holds it.
    Supposed,
    /// Too many hold it, or the policy leaves its kind out.
    Nothing,
}

impl Weight {
    /// Tells whether the key raises candidates that are weak by themselves.
    pub(super) const fn is_weak(self) -> bool {
        matches!(self, Self::Shared | Self::Organisation | Self::Supposed)
    }
}

/// Weighs one key that a subject holds in a form, and `total` persons hold.
pub(super) fn weight(used: Option<&UsedKind>, key: IndexKey, form: KeyForm, total: u32) -> Weight {
    match used {
        Some(used) if total > used.corroboration_cap => Weight::Nothing,
        Some(_) if form == KeyForm::Supposed => Weight::Supposed,
        Some(_) if key.is_organisation() => Weight::Organisation,
        Some(used) if total <= used.max_persons_per_key => Weight::Strong,
        Some(_) => Weight::Shared,
        None => Weight::Nothing,
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

/// Two keys of one exclusive kind that differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Differing {
    pub(super) place: usize,
    /// The subject's key, by its position.
    pub(super) key: usize,
    pub(super) other: IndexKey,
}

/// One person that came into question for one subject.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// The subject's position in its chunk.
    pub(super) subject: usize,
    /// The person's key in the scratch text.
    pub(super) text: (usize, usize),
    /// The agreements in the scratch list.
    pub(super) agreed: (usize, usize),
    /// The differing keys in the scratch list.
    pub(super) differing: (usize, usize),
    /// The person's most similar name in the scratch text, where the names differ.
    pub(super) name: Option<(usize, usize)>,
    /// A date of birth of the person, where the dates differ.
    pub(super) birth_date: Option<BirthDate>,
    pub(super) compared: Compared,
}

impl Candidate {
    pub(super) fn new(subject: usize, person: PersonId) -> Self {
        Self {
            subject,
            text: (0, 0),
            agreed: (0, 0),
            differing: (0, 0),
            name: None,
            birth_date: None,
            compared: Compared::new(person),
        }
    }

    pub(super) fn person(&self) -> PersonId {
        self.compared.person
    }
}

/// Where comparing writes its findings.
pub(super) struct Findings<'a> {
    pub(super) agreed: &'a mut Vec<Agreed>,
    pub(super) differing: &'a mut Vec<Differing>,
    pub(super) text: &'a mut String,
}

/// Everything that comparing needs to know of a subject.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison<'a> {
    pub(super) policy: &'a Policy,
    pub(super) subject: SubjectView<'a>,
    /// The subject's keys as an index holds them, the place of each one's kind, and who holds each.
    pub(super) keys: &'a [IndexKey],
    pub(super) places: &'a [Option<usize>],
    pub(super) blocking: &'a [IndexKey],
    pub(super) hits: &'a [Hit],
}

impl Comparison<'_> {
    /// Fills in what subject and person have in common and what differs.
    pub(super) fn compare(
        &self,
        person: &IndexedPerson<'_>,
        candidate: &mut Candidate,
        findings: &mut Findings<'_>,
    ) {
        let (agreed, differing) = (findings.agreed.len(), findings.differing.len());
        for held in person.keys() {
            if held.key.is_blocking() {
                self.compare_blocking(held.key, &mut candidate.compared);
                continue;
            }
            for (at, &key) in self.keys.iter().enumerate() {
                let Some(place) = self.places[at] else { continue };
                let used = &self.policy.used()[place];
                let own = self.subject.keys[at].form;
                if key == held.key {
                    let form = own.max(held.form);
                    let weight = match weight(Some(used), key, own, self.hits[at].total) {
                        // One number of two issuers is two passports (ICAO Doc 9303), or a country that somebody mistook;
                        // of one issuer they share the number with its issuer, too.
                        Weight::Strong | Weight::Shared
                            if is_of_two_issuers(key, own, held.form) =>
                        {
                            Weight::Supposed
                        }
                        weight => weight,
                    };
                    if weight != Weight::Nothing {
                        findings.agreed.push(Agreed { key: at, form, weight });
                        note(&mut candidate.compared, place, form, weight);
                    }
                } else if used.exclusive
                    && own < KeyForm::Alias
                    && self.hits[at].total <= used.corroboration_cap
                    && key.is_comparable(held.key)
                    && !used.exempts(key.document_type())
                {
                    findings.differing.push(Differing { place, key: at, other: held.key });
                }
            }
        }
        candidate.agreed = (agreed, findings.agreed.len());
        // One shared key of a kind is enough not to differ in it.
        let mut kept = differing;
        for at in differing..findings.differing.len() {
            let found = findings.differing[at];
            if !candidate.compared.agrees.contains(found.place) {
                candidate.compared.differs.insert(found.place);
                findings.differing[kept] = found;
                kept += 1;
            }
        }
        findings.differing.truncate(kept);
        candidate.differing = (differing, kept);
        self.compare_profile(person, candidate, findings.text);
    }

    fn compare_blocking(&self, key: IndexKey, compared: &mut Compared) {
        let Some(shared) = key.blocking().filter(|_| self.blocking.contains(&key)) else { return };
        match shared.kind() {
            BlockingKind::Plate => compared.plate = true,
            BlockingKind::PhoneTail => compared.phone_tail = true,
            BlockingKind::Email => compared.address = true,
            // The names and dates themselves are compared.
            BlockingKind::NameBirthDate => {}
        }
    }

    fn compare_profile(
        &self,
        person: &IndexedPerson<'_>,
        candidate: &mut Candidate,
        text: &mut String,
    ) {
        let known = person.known();
        if let (Some(own), Some(first)) = (self.subject.birth_date, known.birth_dates().next()) {
            let same = known.birth_dates().any(|date| date == own);
            candidate.compared.birth_date = Some(same);
            candidate.birth_date = (!same).then_some(first);
        }
        let Some(own) = self.subject.name else { return };
        let start = text.len();
        let mut best: Option<f64> = None;
        known.each_name(&mut |name| {
            let similarity = own.similarity_to(name);
            if best.is_none_or(|best| similarity >= best) {
                best = Some(similarity);
                text.truncate(start);
                text.push_str(name);
            }
        });
        candidate.compared.name = best;
        if best.is_some_and(|best| best < self.policy.name_differs_below()) {
            candidate.name = Some((start, text.len()));
        } else {
            text.truncate(start);
        }
    }
}

/// Tells whether both sides of a shared number without an issuer named one.
fn is_of_two_issuers(key: IndexKey, own: KeyForm, held: KeyForm) -> bool {
    own != KeyForm::Exact
        && held != KeyForm::Exact
        && key.document_type().is_some_and(DocumentTypeId::is_without_issuer)
}

/// Notes one shared key in the sets of kinds.
fn note(compared: &mut Compared, place: usize, form: KeyForm, weight: Weight) {
    compared.weak_key |= weight.is_weak();
    if matches!(weight, Weight::Organisation | Weight::Supposed) {
        return;
    }
    compared.agrees.insert(place);
    if form == KeyForm::Exact {
        compared.exact.insert(place);
    }
    if weight == Weight::Strong {
        compared.strong.insert(place);
        if form == KeyForm::Exact {
            compared.strong_exact.insert(place);
        }
    }
}
