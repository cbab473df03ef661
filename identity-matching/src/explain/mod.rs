//! One decision in words: what was read, who came into question, which rule decided, what would change it.
//!
//! The answers to the last question are not guessed: the subject is decided again without each of its values
//! in turn, and under each small change of the policy, and what came out otherwise is listed.

mod changes;
mod text;

use serde::{Deserialize, Serialize};

use crate::{
    decide::{Decision, DeterministicMatcher, MatchError, Outcome, UnmatchedReason},
    index::CandidateIndex,
    key::Masked,
    key::UnusableReason,
    key::{Field, KeyForm, KeyKind, ValueSource},
    kinds::Normalised,
    normalise::Record,
};

/// The explanation of one subject's decision; `Display` writes it as text, serde as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Explanation {
    /// Every value of the subject, and what became of it.
    pub values: Vec<ValueReading>,
    /// The decision with its evidence.
    pub decision: Decision,
    /// One sentence: which rule decided, or why none did.
    pub summary: String,
    /// What would change the outcome.
    pub changes: Vec<Change>,
}

/// What became of one value of the subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ValueReading {
    /// The field and the position in it.
    #[serde(flatten)]
    pub source: ValueSource,
    /// The value as it was written, masked unless identifiers are shown.
    pub value: String,
    /// The keys that it gives.
    pub keys: Vec<ReadKey>,
    /// Why it gives none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unusable: Option<UnusableReason>,
    /// What to do about it, where it gives none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remedy: Option<String>,
}

/// One key that was read from a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadKey {
    /// What kind of identifier it is.
    pub kind: KeyKind,
    /// How the value holds it.
    pub form: KeyForm,
    /// The canonical value, masked unless identifiers are shown.
    pub value: String,
    /// What had to be understood or supplied to read it.
    pub reading: Vec<String>,
    /// How it was read, step by step, a part of a sentence each.
    #[serde(default)]
    pub steps: Vec<String>,
}

/// One change of subject or policy that would lead to another outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// The change.
    pub what: String,
    /// The outcome that it would lead to.
    pub outcome: Outcome,
}

impl Explanation {
    /// Makes the explanation of a decision from its evidence alone.
    #[must_use]
    pub fn of(decision: Decision) -> Self {
        Self { values: Vec::new(), summary: summary(&decision), decision, changes: Vec::new() }
    }
}

/// Explains how a matcher decides a subject.
///
/// It decides the subject again once for each of its values and for a few changes of the policy: meant for
/// one subject, not for a batch.
pub(crate) fn explain<I: CandidateIndex>(
    matcher: &DeterministicMatcher<I>,
    subject: &Record,
) -> Result<Explanation, MatchError> {
    let normalised = matcher.normaliser().normalise(subject);
    let decision = matcher.decide_record(subject)?;
    let mut changes = matcher.without_each_value(subject, &decision)?;
    changes.extend(matcher.under_other_policies(subject, &decision)?);
    let values = matcher.values(subject, &normalised);
    Ok(Explanation { values, changes, ..Explanation::of(decision) })
}

impl<I: CandidateIndex> DeterministicMatcher<I> {
    fn values(&self, subject: &Record, normalised: &Normalised) -> Vec<ValueReading> {
        sources(subject)
            .map(|(source, raw)| {
                let keys = normalised
                    .keys()
                    .iter()
                    .filter(|held| held.source == source)
                    .map(|held| ReadKey {
                        kind: held.key.kind(),
                        form: held.form,
                        value: normalised.text(held.key).map_or_else(
                            || held.key.to_string(),
                            |text| self.shown(source.field, &text),
                        ),
                        reading: held.reading.names().map(String::from).collect(),
                        steps: held.reading.steps().map(String::from).collect(),
                    })
                    .collect();
                let unusable = normalised
                    .unusable()
                    .iter()
                    .find(|unusable| unusable.source == source)
                    .map(|unusable| unusable.reason);
                ValueReading {
                    source,
                    value: self.shown(source.field, raw),
                    keys,
                    unusable,
                    remedy: unusable.map(|reason| reason.remedy().to_owned()),
                }
            })
            .collect()
    }

    fn shown(&self, field: Field, raw: &str) -> String {
        if self.shows_identifiers() {
            // A megabyte helps nobody to understand.
            raw.chars().take(200).collect()
        } else {
            match field {
                Field::Identifier(kind) => self.normaliser().mask(kind, raw),
                Field::Plate => Masked::new(KeyKind::DOCUMENT, raw).to_string(),
                Field::Name | Field::BirthDate => raw
                    .chars()
                    .take(64)
                    .map(|c| if c.is_alphanumeric() { '*' } else { c })
                    .collect(),
            }
        }
    }
}

/// Lists the values of a record with their places.
fn sources(subject: &Record) -> impl Iterator<Item = (ValueSource, &str)> {
    let place =
        |field, at: usize| ValueSource { field, position: u16::try_from(at).unwrap_or(u16::MAX) };
    let documents = subject.documents.iter().map(|document| document.number.as_str());
    let documents =
        documents.enumerate().map(move |(at, value)| (place(Field::DOCUMENT, at), value));
    let phones = subject.phones.iter().enumerate();
    let phones = phones.map(move |(at, value)| (place(Field::PHONE, at), value.as_str()));
    let emails = subject.emails.iter().enumerate();
    let emails = emails.map(move |(at, value)| (place(Field::EMAIL, at), value.as_str()));
    let single = [
        (Field::Name, &subject.name),
        (Field::Plate, &subject.plate),
        (Field::BirthDate, &subject.birth_date),
    ];
    let single = single
        .into_iter()
        .filter_map(move |(field, value)| Some((place(field, 0), value.as_deref()?)));
    let own = subject.own.iter().enumerate().map(move |(at, own)| {
        let before = subject.own[..at].iter().filter(|other| other.kind == own.kind).count();
        (place(Field::Identifier(own.kind), before), own.value.as_str())
    });
    documents.chain(phones).chain(emails).chain(own).chain(single)
}

fn summary(decision: &Decision) -> String {
    match &decision.outcome {
        Outcome::Matched { person, rule, confidence } => {
            let rest = match decision.evidence.candidates.len() {
                0 | 1 => "nobody else came into question".to_owned(),
                2 => "one other candidate was dropped".to_owned(),
                n => format!("{} other candidates were dropped", n - 1),
            };
            format!("matched {person} by {rule}, confidence {confidence}; {rest}")
        }
        Outcome::Unmatched { reason, candidates } => {
            let count = candidates.len();
            let why = match reason {
                UnmatchedReason::ConflictMultipleCandidates => {
                    format!("{count} persons fit, and none agrees on more than the others")
                }
                UnmatchedReason::WeakMatchOnly if count == 1 => {
                    "one person came into question, by weak evidence alone".to_owned()
                }
                UnmatchedReason::WeakMatchOnly => {
                    format!("{count} persons came into question, by weak evidence alone")
                }
                UnmatchedReason::NoCandidates => {
                    "nobody holds a key of the subject that counts".to_owned()
                }
                UnmatchedReason::MissingIdentifiers => {
                    "the subject has no usable identifier".to_owned()
                }
            };
            format!("not matched, {reason}: {why}")
        }
    }
}
