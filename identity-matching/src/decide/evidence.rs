//! What a decision rests on, to be kept beside it.

use serde::{Deserialize, Serialize};

use super::{
    Judgement, Outcome, Standing, UnmatchedReason,
    batch::Considered,
    compare::{Agreed, Candidate, Differing, Weight, weight},
};
use crate::{
    key::Unusable,
    key::{DocumentTypeId, Field, HeldKey, KeyForm, KeyKind, Reading},
    kinds::Normalised,
    normalise::Normaliser,
    policy::{Policy, Rule},
};

/// The outcome of one subject with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// What it rests on.
    pub evidence: Evidence,
}

impl Decision {
    /// Makes a decision of a matcher of one's own.
    #[must_use]
    pub fn new(outcome: Outcome, evidence: Evidence) -> Self {
        Self { outcome, evidence }
    }
}

/// Lists the keys, the candidates and the policy behind a decision; identifiers are masked unless the
/// matcher was told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// The policy that decided.
    pub policy: PolicyStamp,
    /// The subject's keys, by precedence.
    pub keys: Vec<KeyEvidence>,
    /// The subject's values that gave no key, each with its reason.
    pub unusable: Vec<Unusable>,
    /// Every person that came into question, by key.
    pub candidates: Vec<CandidateEvidence>,
    /// Persons that came into question and that a person has rejected for this subject, by key.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rejected_by_person: Vec<String>,
}

impl Evidence {
    /// Makes the evidence of a matcher of one's own.
    #[must_use]
    pub fn new(
        policy: PolicyStamp,
        keys: Vec<KeyEvidence>,
        unusable: Vec<Unusable>,
        candidates: Vec<CandidateEvidence>,
    ) -> Self {
        Self { policy, keys, unusable, candidates, ..Self::default() }
    }

    /// Returns the evidence as JSON on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("evidence is plain data with string keys")
    }
}

/// Names a policy by its version and the hash of its content, and how values were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStamp {
    /// The version that the policy's author gave it.
    pub version: String,
    /// The first 16 hexadecimal digits of the SHA-256 of its rules.
    pub hash: String,
    /// The [fingerprint](Normaliser::fingerprint) of what read the values; empty in evidence of before there was one.
    #[serde(default)]
    pub reading: String,
}

/// Tells about one key of the subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyEvidence {
    /// What kind of identifier it is.
    pub kind: KeyKind,
    /// How the subject holds it.
    pub form: KeyForm,
    /// The canonical value.
    pub value: String,
    /// How many persons hold it.
    pub holders: u32,
    /// What it was good for.
    #[serde(rename = "use")]
    pub used: KeyUse,
    /// Whether it is a document of a type that no table knows, kept as it was written.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub opaque: bool,
}

impl KeyEvidence {
    /// Makes the evidence of one key.
    #[must_use]
    pub fn new(kind: KeyKind, form: KeyForm, value: String, holders: u32, used: KeyUse) -> Self {
        Self { kind, form, value, holders, used, opaque: false }
    }
}

/// What one key of the subject was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyUse {
    /// It made candidates.
    Candidates,
    /// Nobody holds it.
    Unheld,
    /// More persons than `max_persons_per_key` hold it: it only corroborated.
    Shared,
    /// More persons than `corroboration_cap` hold it: it counted for nothing.
    Generic,
    /// It is the number of an organisation: it only found weak candidates.
    Organisation,
    /// It is what may have been meant by a likely typing error: it only found weak candidates.
    Supposed,
    /// The policy leaves its kind out.
    Disabled,
}

/// Tells about one person that came into question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CandidateEvidence {
    /// The person's key.
    pub person: String,
    /// What became of it.
    pub standing: Standing,
    /// The rule that fits it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<Rule>,
    /// The keys that it shares with the subject.
    pub agrees: Vec<Agreement>,
    /// What both give, and give differently.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub disagrees: Vec<Disagreement>,
    /// How similar the names are, 0 to 1, where both give one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_similarity: Option<f64>,
    /// What a scorer of one's own made of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<f64>,
}

impl CandidateEvidence {
    /// Makes the evidence of a person that shares nothing yet.
    #[must_use]
    pub fn new(person: impl Into<String>, standing: Standing) -> Self {
        Self {
            person: person.into(),
            standing,
            rule: None,
            agrees: Vec::new(),
            disagrees: Vec::new(),
            name_similarity: None,
            score: None,
        }
    }
}

/// One key that candidate and subject share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Agreement {
    /// What kind of identifier it is.
    pub kind: KeyKind,
    /// The weaker of the two forms in which both hold it.
    pub form: KeyForm,
    /// The canonical value.
    pub value: String,
    /// Whether it is weak by itself: many persons hold it, it is an organisation's, or what may have been meant.
    pub shared: bool,
}

impl Agreement {
    /// Makes one agreement.
    #[must_use]
    pub fn new(kind: KeyKind, form: KeyForm, value: String, shared: bool) -> Self {
        Self { kind, form, value, shared }
    }
}

/// One thing that both give, and give differently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Disagreement {
    /// What differs: the code of an exclusive kind, `name` or `birth_date`.
    pub kind: Field,
    /// Country and type of documents, such as `PE DNI`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none", default)]
    pub document_type: Option<String>,
    /// The subject's value.
    pub subject: String,
    /// The person's value.
    pub person: String,
    /// How similar the two names are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub similarity: Option<f64>,
}

impl Disagreement {
    /// Makes one disagreement.
    #[must_use]
    pub fn new(kind: Field, subject: String, person: String) -> Self {
        Self { kind, document_type: None, subject, person, similarity: None }
    }
}

/// Writes evidence.
pub(super) struct EvidenceWriter<'a> {
    pub(super) policy: &'a Policy,
    pub(super) normaliser: &'a Normaliser,
    pub(super) show_identifiers: bool,
}

impl EvidenceWriter<'_> {
    pub(super) fn decision(&self, subject: &Normalised, considered: &Considered<'_>) -> Decision {
        let values: Vec<String> =
            subject.keys().iter().map(|held| self.value(subject, held)).collect();
        let mut candidates: Vec<CandidateEvidence> = considered
            .candidates
            .iter()
            .enumerate()
            .filter(|(at, _)| {
                considered.judged.get(*at).is_none_or(|one| one.standing != Standing::Unrelated)
            })
            .map(|(at, candidate)| self.candidate(subject, considered, at, candidate, &values))
            .collect();
        candidates.sort_unstable_by(|left, right| left.person.cmp(&right.person));
        let outcome = match considered.verdict() {
            Judgement::Matched { rule, confidence, .. } => Outcome::Matched {
                person: considered.person().unwrap_or_default().to_owned(),
                rule: rule.clone(),
                confidence: *confidence,
            },
            &Judgement::Unmatched(reason) => Outcome::Unmatched {
                reason,
                candidates: candidates
                    .iter()
                    .filter(|candidate| {
                        reason != UnmatchedReason::ConflictMultipleCandidates
                            || candidate.standing == Standing::Conflicting
                    })
                    .map(|candidate| candidate.person.clone())
                    .collect(),
            },
        };
        let rejected = considered.rejected.iter().map(|&text| considered.text(text).to_owned());
        let mut rejected_by_person: Vec<String> = rejected.collect();
        rejected_by_person.sort_unstable();
        let evidence = Evidence {
            policy: PolicyStamp {
                version: self.policy.version().to_owned(),
                hash: self.policy.hash().to_owned(),
                reading: self.normaliser.fingerprint().to_owned(),
            },
            keys: self.keys(subject, considered, values),
            unusable: subject.unusable().to_vec(),
            candidates,
            rejected_by_person,
        };
        Decision { outcome, evidence }
    }

    fn value(&self, subject: &Normalised, held: &HeldKey) -> String {
        match subject.text(held.key) {
            Some(text) if self.show_identifiers => text.into_owned(),
            Some(text) => self.normaliser.mask(held.key.kind(), &text),
            None => held.key.to_string(),
        }
    }

    fn place(&self, kind: KeyKind) -> usize {
        self.policy.place(kind).unwrap_or(usize::MAX)
    }

    fn keys(
        &self,
        subject: &Normalised,
        considered: &Considered<'_>,
        values: Vec<String>,
    ) -> Vec<KeyEvidence> {
        let mut keys: Vec<KeyEvidence> = subject
            .keys()
            .iter()
            .zip(considered.keys)
            .zip(considered.hits)
            .zip(values)
            .map(|(((held, &key), hit), value)| {
                let kind = held.key.kind();
                let used = self.policy.place(kind).map(|place| &self.policy.used()[place]);
                let used = match weight(used, key, held.form, hit.total) {
                    Weight::Nothing if used.is_some() => KeyUse::Generic,
                    Weight::Nothing => KeyUse::Disabled,
                    _ if hit.total == 0 => KeyUse::Unheld,
                    Weight::Organisation => KeyUse::Organisation,
                    Weight::Supposed => KeyUse::Supposed,
                    Weight::Strong => KeyUse::Candidates,
                    Weight::Shared => KeyUse::Shared,
                };
                let opaque = held.reading.contains(Reading::OPAQUE);
                KeyEvidence { kind, form: held.form, value, holders: hit.total, used, opaque }
            })
            .collect();
        keys.sort_by_key(|key| (self.place(key.kind), key.form));
        keys
    }

    fn candidate(
        &self,
        subject: &Normalised,
        considered: &Considered<'_>,
        at: usize,
        candidate: &Candidate,
        values: &[String],
    ) -> CandidateEvidence {
        let mut agrees: Vec<Agreement> = considered
            .agreed(candidate)
            .iter()
            .map(|&Agreed { key, form, weight }| Agreement {
                kind: subject.keys()[key].key.kind(),
                form,
                value: values[key].clone(),
                shared: weight != Weight::Strong,
            })
            .collect();
        agrees.sort_by(|left, right| {
            // Two values may be masked alike.
            let order = |one: &Agreement| (self.place(one.kind), one.form, one.shared);
            order(left).cmp(&order(right)).then_with(|| left.value.cmp(&right.value))
        });
        let judged = considered.judged.get(at);
        CandidateEvidence {
            person: considered.text(candidate.text).to_owned(),
            standing: judged.map_or(Standing::Weak, |judged| judged.standing),
            rule: judged.and_then(|judged| judged.rule.clone()),
            agrees,
            disagrees: self.disagrees(subject, considered, candidate, values),
            name_similarity: candidate.compared.name,
            score: judged.and_then(|judged| judged.score),
        }
    }

    fn disagrees(
        &self,
        subject: &Normalised,
        considered: &Considered<'_>,
        candidate: &Candidate,
        values: &[String],
    ) -> Vec<Disagreement> {
        let differing = considered.differing(candidate).iter();
        let mut disagrees: Vec<Disagreement> = differing
            .map(|&Differing { key, other, .. }| {
                let own = subject.keys()[key].key;
                let person = match other.text().filter(|_| self.show_identifiers) {
                    Some(text) => text,
                    None => other.masked(),
                };
                Disagreement {
                    document_type: own.document_type().map(|kind| self.document_type(kind)),
                    ..Disagreement::new(Field::Identifier(own.kind()), values[key].clone(), person)
                }
            })
            .collect();
        disagrees.sort_by(|left, right| {
            let order =
                |one: &Disagreement| (one.kind, one.document_type.clone(), one.subject.clone());
            order(left).cmp(&order(right)).then_with(|| left.person.cmp(&right.person))
        });
        if let (Some(own), Some(name)) = (subject.name(), candidate.name) {
            disagrees.push(Disagreement {
                similarity: candidate.compared.name,
                ..Disagreement::new(
                    Field::Name,
                    self.shown(own.as_str()),
                    self.shown(considered.text(name)),
                )
            });
        }
        if let (Some(own), Some(date)) = (subject.birth_date(), candidate.birth_date) {
            disagrees.push(Disagreement::new(
                Field::BirthDate,
                self.shown(&own.to_string()),
                self.shown(&date.to_string()),
            ));
        }
        disagrees
    }

    fn document_type(&self, kind: DocumentTypeId) -> String {
        let country = kind.country();
        match self.normaliser.options().document_types.code(kind) {
            Some(code) => format!("{country} {code}"),
            None => country.to_string(),
        }
    }

    /// Returns a name or a date with its letters and digits replaced, unless identifiers are shown.
    fn shown(&self, text: &str) -> String {
        if self.show_identifiers {
            return text.to_owned();
        }
        text.chars().take(64).map(|c| if c.is_alphanumeric() { '*' } else { c }).collect()
    }
}
