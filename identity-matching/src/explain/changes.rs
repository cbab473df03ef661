//! What would change an outcome, found by deciding again.

use super::{Change, sources};
use crate::{
    decide::{CandidateEvidence, Decision, DeterministicMatcher, MatchError, Standing},
    index::CandidateIndex,
    key::{Field, KeyKind, ValueSource},
    normalise::Record,
    policy::{Confidence, Differ, Policy, PolicyRules, Rule},
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
            let outcome = self.decide_record(&without(subject, source))?.outcome;
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
            // No variation changes how records are read.
            let Ok(other) = self.under(policy) else { continue };
            let outcome = other.decide_record(subject)?.outcome;
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
                rules.kind_mut(KeyKind::DOCUMENT).exempt.get_or_insert_default().push(name.clone());
                (format!("with {name} in the policy's `kinds.document.exempt`"), rules)
            })
            .collect()
    }
}

fn without(subject: &Record, source: ValueSource) -> Record {
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
    type IsMet = fn(&Differ) -> bool;
    let mut variations = Vec::new();
    let met = |standing| decision.evidence.candidates.iter().any(|c| c.standing == standing);
    let differences: [(Standing, IsMet); 3] = [
        (Standing::DocumentContradicts, |differ| matches!(differ, Differ::Kind(_))),
        (Standing::BirthDateContradicts, |differ| *differ == Differ::BirthDate),
        (Standing::NameContradicts, |differ| matches!(differ, Differ::Name(_))),
    ];
    for (_, is_met) in differences.into_iter().filter(|(standing, _)| met(*standing)) {
        let vetoes = rules.rules.iter().flat_map(|rule| &rule.veto);
        let Some(name) = vetoes.filter(|differ| is_met(differ)).map(Differ::to_string).next()
        else {
            continue;
        };
        let mut rules = rules.clone();
        rules.rules.iter_mut().for_each(|rule| rule.veto.retain(|differ| !is_met(differ)));
        variations.push((format!("without `{name}` in the policy's vetoes"), rules));
    }
    for &kind in &rules.precedence {
        let keys = decision.evidence.keys.iter().filter(|key| key.kind == kind);
        let holders = keys.map(|key| key.holders).max().unwrap_or(0);
        let mut rules = rules.clone();
        let caps = rules.kind_mut(kind);
        if holders > caps.max_persons_per_key {
            caps.max_persons_per_key = holders;
            caps.corroboration_cap = caps.corroboration_cap.max(holders);
            let what =
                format!("with the policy rule `kinds.{kind}.max_persons_per_key` at {holders}");
            variations.push((what, rules));
        }
    }
    let candidates = decision.evidence.candidates.iter();
    let mut found: Vec<&Rule> =
        candidates.filter_map(|candidate| candidate.rule.as_ref()).collect();
    found.sort_unstable();
    found.dedup();
    for name in found {
        let mut rules = rules.clone();
        if let Some(rule) = rules.rule_mut(name).filter(|rule| rule.grant.is_none()) {
            rule.grant = Some(Confidence::Medium);
            variations.push((format!("with the rule {name} granted by the policy"), rules));
        }
    }
    variations
}
