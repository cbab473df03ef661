//! What a decision rests on, to be kept beside it.

use serde::{Deserialize, Serialize};

use super::{
    Considered, Outcome, Rule, Verdict,
    compare::{Agreed, Candidate, Contradiction, Weight, weight},
};
use crate::{
    key::Masked,
    key::{HeldKey, KeyForm, KeyKind},
    normalise::Normalised,
    normalise::Unusable,
    policy::Policy,
};

/// Is the outcome of one subject with its evidence.
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
}

impl Evidence {
    /// Returns the evidence as JSON on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("evidence is plain data with string keys")
    }
}

/// Names a policy by its version and the hash of its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStamp {
    /// The version that the policy's author gave it.
    pub version: String,
    /// The first 16 hexadecimal digits of the SHA-256 of its rules.
    pub hash: String,
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
}

/// Says what one key of the subject was good for.
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
    /// The policy leaves its kind or form out.
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
    /// The rule of its best key, or the weak rule that found it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<Rule>,
    /// The keys that it shares with the subject.
    pub agrees: Vec<Agreement>,
    /// How similar the names are, 0 to 1, where a weak rule compared them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_similarity: Option<f64>,
}

/// Says what became of a candidate, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// It is the match.
    Matched,
    /// It fits as well as another one.
    Conflicting,
    /// Another one agrees on more.
    Outranked,
    /// It has another document of the same country and type.
    DocumentContradicts,
    /// It has another date of birth.
    BirthDateContradicts,
    /// It has another name.
    NameContradicts,
    /// It shares only keys that many persons hold.
    SharedOnly,
    /// It shares keys only by rules that the policy does not accept.
    NotAccepted,
    /// It was found by weak evidence.
    Weak,
}

impl Standing {
    /// Returns one clause that says why the person is, or is not, the match.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Matched => "is the match",
            Self::Conflicting => "fits as well as another candidate",
            Self::Outranked => "agrees on less than the match",
            Self::DocumentContradicts => "has another document of the same country and type",
            Self::BirthDateContradicts => "has another date of birth",
            Self::NameContradicts => "has another name",
            Self::SharedOnly => "shares only keys that many persons hold",
            Self::NotAccepted => "shares keys only by rules that the policy does not accept",
            Self::Weak => "was found by weak evidence",
        }
    }
}

/// Is one key that candidate and subject share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Agreement {
    /// What kind of identifier it is.
    pub kind: KeyKind,
    /// The weaker of the two forms in which both hold it.
    pub form: KeyForm,
    /// The canonical value.
    pub value: String,
    /// Whether many persons hold it, so that it only corroborates.
    pub shared: bool,
}

/// Writes evidence.
pub(super) struct EvidenceWriter<'a> {
    pub(super) policy: &'a Policy,
    pub(super) show_identifiers: bool,
}

impl EvidenceWriter<'_> {
    pub(super) fn decision(&self, subject: &Normalised, considered: &Considered<'_>) -> Decision {
        let values: Vec<String> =
            subject.keys().iter().map(|held| self.value(subject, held)).collect();
        let mut candidates: Vec<CandidateEvidence> = considered
            .candidates()
            .filter(|candidate| candidate.has_evidence())
            .map(|candidate| candidate_evidence(subject, considered, candidate, &values))
            .collect();
        candidates.sort_unstable_by(|left, right| left.person.cmp(&right.person));
        let outcome = match considered.verdict() {
            Verdict::Matched { rule, confidence, .. } => Outcome::Matched {
                person: considered.person().unwrap_or_default().to_owned(),
                rule,
                confidence,
            },
            Verdict::Unmatched(reason) => Outcome::Unmatched {
                reason,
                candidates: candidates
                    .iter()
                    .filter(|candidate| {
                        reason != super::UnmatchedReason::ConflictMultipleCandidates
                            || candidate.standing == Standing::Conflicting
                    })
                    .map(|candidate| candidate.person.clone())
                    .collect(),
            },
        };
        let evidence = Evidence {
            policy: PolicyStamp {
                version: self.policy.version().to_owned(),
                hash: self.policy.hash().to_owned(),
            },
            keys: self.keys(subject, considered, values),
            unusable: subject.unusable().to_vec(),
            candidates,
        };
        Decision { outcome, evidence }
    }

    fn value(&self, subject: &Normalised, held: &HeldKey) -> String {
        match subject.text(held.key) {
            Some(text) if self.show_identifiers => text.into_owned(),
            Some(text) => Masked::new(held.key.kind(), &text).to_string(),
            None => held.key.to_string(),
        }
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
            .zip(considered.hits)
            .zip(values)
            .map(|((held, hit), value)| {
                let kind = held.key.kind();
                let rules = self.policy.kind(kind);
                let used = match weight(self.policy, kind, held.form, hit.total) {
                    Weight::Strong if hit.total == 0 => KeyUse::Unheld,
                    Weight::Strong => KeyUse::Candidates,
                    Weight::Shared => KeyUse::Shared,
                    Weight::Nothing if hit.total > rules.corroboration_cap => KeyUse::Generic,
                    Weight::Nothing => KeyUse::Disabled,
                };
                KeyEvidence { kind, form: held.form, value, holders: hit.total, used }
            })
            .collect();
        keys.sort_by_key(|key| (self.policy.place(key.kind), key.form));
        keys
    }
}

fn candidate_evidence(
    subject: &Normalised,
    considered: &Considered<'_>,
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
            shared: weight == Weight::Shared,
        })
        .collect();
    agrees.sort_by(|left, right| {
        (left.kind, left.form, &left.value).cmp(&(right.kind, right.form, &right.value))
    });
    let (standing, rule) = standing(considered, candidate, &agrees);
    CandidateEvidence {
        person: considered.text(candidate).to_owned(),
        standing,
        rule,
        agrees,
        name_similarity: candidate.weak.and_then(|(_, similarity)| similarity),
    }
}

fn standing(
    considered: &Considered<'_>,
    candidate: &Candidate,
    agrees: &[Agreement],
) -> (Standing, Option<Rule>) {
    let weak = candidate.weak.map(|(rule, _)| rule);
    if let Verdict::Matched { person, rule, .. } = considered.verdict()
        && person == candidate.person
    {
        return (Standing::Matched, Some(rule));
    }
    let contradiction = candidate.contradiction.map(|contradiction| match contradiction {
        Contradiction::Document => Standing::DocumentContradicts,
        Contradiction::BirthDate => Standing::BirthDateContradicts,
        Contradiction::Name => Standing::NameContradicts,
    });
    if let Some(contradiction) = contradiction {
        return (contradiction, candidate.rule.or(weak));
    }
    let conflict = considered.verdict()
        == Verdict::Unmatched(super::UnmatchedReason::ConflictMultipleCandidates);
    if candidate.may_match() {
        let standing = if conflict { Standing::Conflicting } else { Standing::Outranked };
        return (standing, candidate.rule);
    }
    let strong_stand = considered.strong.iter().any(Candidate::may_match);
    if conflict && !strong_stand && super::weak::accepted(considered.policy, candidate).is_some() {
        return (Standing::Conflicting, weak);
    }
    match agrees.iter().find(|agreement| !agreement.shared) {
        Some(best) => (Standing::NotAccepted, Some(Rule::of(best.kind, best.form))),
        None if weak.is_some() => (Standing::Weak, weak),
        None => (Standing::SharedOnly, None),
    }
}
