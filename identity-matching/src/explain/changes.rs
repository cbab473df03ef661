//! What would change an outcome, found by deciding again.

use super::{Change, sources};
use crate::{
    decide::{
        CandidateEvidence, Confidence, Decision, DeterministicMatcher, MatchError, Matcher,
        Standing,
    },
    index::CandidateIndex,
    key::{Field, KeyKind, Source},
    normalise::Record,
    policy::{Policy, PolicyRules},
};

/// Of a subject with more values than this, only the first are left out one by one.
const MAX_VALUES: usize = 64;

impl<I: CandidateIndex> DeterministicMatcher<I> {
    /// Decides the subject again without each of its values.
    pub(super) fn without_each_value(
        &self,
        subject: &Record,
        decision: &Decision,
    ) -> Result<Vec<Change>, MatchError> {
        let mut changes = Vec::new();
        for (source, raw) in sources(subject).take(MAX_VALUES) {
            let outcome = self.decide_one(&without(subject, source))?.outcome;
            if outcome != decision.outcome {
                let field = source.field.as_str();
                let value = self.shown(source.field, raw);
                changes.push(Change { what: format!("without the {field} {value}"), outcome });
            }
        }
        Ok(changes)
    }

    /// Decides the subject again under policies that differ in one rule.
    pub(super) fn under_other_policies(
        &self,
        subject: &Record,
        decision: &Decision,
    ) -> Result<Vec<Change>, MatchError> {
        let mut changes = Vec::new();
        let mut other = variations(self.policy().rules(), decision);
        other.extend(self.exemptions(subject, decision));
        for (what, rules) in other {
            // A variation that contradicts another rule of the policy is no way out.
            let Ok(policy) = Policy::new(rules) else { continue };
            let outcome = self.under(policy).decide_one(subject)?.outcome;
            if outcome != decision.outcome {
                changes.push(Change { what, outcome });
            }
        }
        Ok(changes)
    }

    /// Lists the policies that exempt one of the subject's document types, where a document contradicted.
    fn exemptions(&self, subject: &Record, decision: &Decision) -> Vec<(String, PolicyRules)> {
        let contradicts = |c: &CandidateEvidence| c.standing == Standing::DocumentContradicts;
        if !decision.evidence.candidates.iter().any(contradicts) {
            return Vec::new();
        }
        let normaliser = self.normaliser();
        let subject = normaliser.normalise(subject);
        let mut kinds: Vec<_> =
            subject.keys().iter().filter_map(|held| held.key.document_type()).collect();
        kinds.dedup();
        // A type of no table has no code to name it by.
        let named = kinds.into_iter().filter_map(|kind| {
            let code = normaliser.options().document_types.code(kind)?;
            Some(format!("{} {code}", kind.country().as_str()))
        });
        named
            .map(|name| {
                let mut rules = self.policy().rules().clone();
                rules.contradiction.exempt_documents.push(name.clone());
                (format!("with {name} in the policy's `contradiction.exempt_documents`"), rules)
            })
            .collect()
    }
}

fn without(subject: &Record, source: Source) -> Record {
    let mut rest = subject.clone();
    let at = usize::from(source.position);
    match source.field {
        Field::DOCUMENT => drop(rest.documents.remove(at)),
        Field::PHONE => drop(rest.phones.remove(at)),
        Field::EMAIL => drop(rest.emails.remove(at)),
        Field::Identifier(kind) => {
            let mut of_kind = rest.own.iter().enumerate().filter(|(_, own)| own.kind == kind);
            if let Some((place, _)) = of_kind.nth(at) {
                rest.own.remove(place);
            }
        }
        Field::Name => rest.name = None,
        Field::Plate => rest.plate = None,
        Field::BirthDate => rest.birth_date = None,
    }
    rest
}

/// Lists policies that differ in one rule which the decision met.
fn variations(rules: &PolicyRules, decision: &Decision) -> Vec<(String, PolicyRules)> {
    type Relax = fn(&mut PolicyRules);
    let mut variations = Vec::new();
    let contradictions: [(Standing, &str, Relax); 3] = [
        (Standing::DocumentContradicts, "document", |r| r.contradiction.document = false),
        (Standing::BirthDateContradicts, "birth_date", |r| r.contradiction.birth_date = false),
        (Standing::NameContradicts, "name_similarity_below", |r| {
            r.contradiction.name_similarity_below = None;
        }),
    ];
    for (standing, name, change) in contradictions {
        if decision.evidence.candidates.iter().any(|candidate| candidate.standing == standing) {
            let mut rules = rules.clone();
            change(&mut rules);
            variations.push((format!("with the policy rule `contradiction.{name}` off"), rules));
        }
    }
    for kind in KeyKind::BUILT_IN {
        let keys = decision.evidence.keys.iter().filter(|key| key.kind == kind);
        let holders = keys.map(|key| key.holders).max().unwrap_or(0);
        let mut rules = rules.clone();
        let caps = match kind {
            KeyKind::DOCUMENT => &mut rules.document,
            KeyKind::PHONE => &mut rules.phone,
            _ => &mut rules.email,
        };
        if holders > caps.max_persons_per_key {
            caps.max_persons_per_key = holders;
            caps.corroboration_cap = caps.corroboration_cap.max(holders);
            let name = kind.as_str();
            let what = format!("with the policy rule `{name}.max_persons_per_key` at {holders}");
            variations.push((what, rules));
        }
    }
    let mut found: Vec<_> = decision
        .evidence
        .candidates
        .iter()
        .filter_map(|candidate| candidate.rule)
        .filter(|rule| !rules.accept.contains_key(rule))
        .collect();
    found.sort_unstable();
    found.dedup();
    for rule in found {
        let mut rules = rules.clone();
        rules.accept.insert(rule, Confidence::Medium);
        variations.push((format!("with the rule {rule} accepted by the policy"), rules));
    }
    variations
}
