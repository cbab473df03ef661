//! Policies of the former form, with sections in place of the list of rules: read, so that they can be refused with
//! the new form written out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Agree, Confidence, Differ, KindRules, Policy, PolicyError, PolicyRules, Require, Rule,
};
use crate::key::{Field, KeyKind};

/// What a policy of the former form said; what was left out had the same defaults as now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FormerRules {
    version: Option<String>,
    precedence: Option<Vec<KeyKind>>,
    document: Option<FormerKind>,
    phone: Option<FormerKind>,
    email: Option<FormerKind>,
    contradiction: Option<FormerContradiction>,
    weak: Option<FormerWeak>,
    accept: Option<BTreeMap<Rule, Confidence>>,
    addresses: Option<super::AddressRules>,
    placeholders: Option<FormerPlaceholders>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FormerPlaceholders {
    phones: Vec<String>,
    documents: Vec<String>,
    emails: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerKind {
    enabled: Option<bool>,
    equivalents: Option<bool>,
    max_persons_per_key: Option<u32>,
    corroboration_cap: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerContradiction {
    document: Option<bool>,
    exempt_documents: Option<Vec<String>>,
    birth_date: Option<bool>,
    name_similarity_below: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerWeak {
    plate_name: Option<FormerWeakRule>,
    name_birth_date: Option<FormerWeakRule>,
    phone_tail: Option<FormerWeakRule>,
    phone_tail_digits: Option<u8>,
    email: Option<FormerWeakRule>,
    max_persons_per_key: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerWeakRule {
    enabled: Option<bool>,
    min_name_similarity: Option<f64>,
}

/// Returns the refusal of a policy of the former form, which writes the new form out.
pub(super) fn translate(former: FormerRules) -> PolicyError {
    let mut rules = PolicyRules::default();
    if let Some(version) = former.version {
        rules.version = version;
    }
    rules.addresses = former.addresses.unwrap_or_default();
    let listed = former.placeholders.unwrap_or_default();
    for (field, values) in [
        (Field::PHONE, listed.phones),
        (Field::DOCUMENT, listed.documents),
        (Field::EMAIL, listed.emails),
    ] {
        if !values.is_empty() {
            rules.placeholders = rules.placeholders.with(field, values);
        }
    }
    for (kind, own) in
        KeyKind::BUILT_IN.into_iter().zip([former.document, former.phone, former.email])
    {
        let Some(own) = own else { continue };
        let caps = KindRules::default();
        let used = rules.kind_mut(kind);
        used.max_persons_per_key = own.max_persons_per_key.unwrap_or(caps.max_persons_per_key);
        used.corroboration_cap = own.corroboration_cap.unwrap_or(caps.corroboration_cap);
        if own.enabled == Some(false) {
            rules = rules.without_kind(kind);
        } else if own.equivalents == Some(false) {
            rules.rules.retain(|rule| !rule.require.contains(&Require::any(kind)));
        }
    }
    if let Some(mut precedence) = former.precedence {
        precedence.retain(|kind| rules.precedence.contains(kind));
        let place = |kind: KeyKind| precedence.iter().position(|&known| known == kind);
        rules.rules.sort_by_key(|rule| {
            rule.require.first().map_or(usize::MAX, |key| place(key.kind).unwrap_or(usize::MAX))
        });
        rules.precedence = precedence;
    }
    if let Some(accept) = former.accept {
        for rule in &mut rules.rules {
            rule.grant = accept.get(&rule.name).copied();
        }
    }
    contradict(&mut rules, former.contradiction);
    weaken(&mut rules, former.weak);
    match Policy::new(rules) {
        Ok(policy) => PolicyError::Former { written: write(&policy) },
        Err(error) => error,
    }
}

fn contradict(rules: &mut PolicyRules, former: Option<FormerContradiction>) {
    let Some(former) = former else { return };
    let documents = Differ::Kind(KeyKind::DOCUMENT);
    for rule in &mut rules.rules {
        if former.document == Some(false) {
            rule.veto.retain(|differ| *differ != documents);
        }
        if former.birth_date == Some(true) && !rule.agree.contains(&Agree::BirthDate) {
            rule.veto.push(Differ::BirthDate);
        }
        if let Some(below) = former.name_similarity_below {
            let least = rule.agree.iter().filter_map(|agree| agree.ratio()).reduce(f64::max);
            if least.is_none_or(|least| below > least) {
                rule.veto.push(Differ::Name(below));
            }
        }
    }
    if former.exempt_documents.is_some() && rules.precedence.contains(&KeyKind::DOCUMENT) {
        rules.kind_mut(KeyKind::DOCUMENT).exempt = former.exempt_documents;
    }
}

fn weaken(rules: &mut PolicyRules, former: Option<FormerWeak>) {
    let Some(former) = former else { return };
    rules.weak.phone_tail_digits = former.phone_tail_digits.unwrap_or(rules.weak.phone_tail_digits);
    rules.weak.max_persons_per_key =
        former.max_persons_per_key.unwrap_or(rules.weak.max_persons_per_key);
    let named = [
        (Rule::PLATE_NAME, former.plate_name),
        (Rule::NAME_BIRTH_DATE, former.name_birth_date),
        (Rule::PHONE_TAIL, former.phone_tail),
        (Rule::EMAIL_WEAK, former.email),
    ];
    for (name, own) in named {
        let Some(own) = own else { continue };
        if own.enabled == Some(false) {
            rules.rules.retain(|rule| rule.name != name);
        } else if let (Some(least), Some(rule)) = (own.min_name_similarity, rules.rule_mut(&name)) {
            for agree in &mut rule.agree {
                match agree {
                    Agree::Name(ratio) | Agree::NameWhereGiven(ratio) => *ratio = least,
                    _ => {}
                }
            }
        }
    }
}

#[cfg(feature = "toml")]
fn write(policy: &Policy) -> String {
    policy.to_toml()
}

#[cfg(not(feature = "toml"))]
fn write(policy: &Policy) -> String {
    serde_json::to_string_pretty(policy.rules()).expect("rules are plain data with string keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_of_the_former_form_is_refused_with_the_new_form_written_out() {
        let former = r#"{"version": "7", "email": {"enabled": false}, "phone": {"max_persons_per_key": 1},
            "contradiction": {"birth_date": true}, "weak": {"plate_name": {"min_name_similarity": 0.9}},
            "accept": {"DOCUMENT_EXACT": "high", "PLATE_NAME": "medium"}}"#;
        let Err(PolicyError::Former { written }) = Policy::from_json(former) else {
            panic!("the former form is refused")
        };
        #[cfg(feature = "toml")]
        let policy = Policy::from_toml(&written).unwrap();
        #[cfg(not(feature = "toml"))]
        let policy = Policy::from_json(&written).unwrap();
        assert_eq!(policy.version(), "7");
        assert_eq!(policy.rules().precedence, [KeyKind::DOCUMENT, KeyKind::PHONE]);
        assert_eq!(policy.kind(KeyKind::PHONE).unwrap().max_persons_per_key, 1);
        let plate = policy.rule(&Rule::PLATE_NAME).unwrap();
        assert_eq!(plate.grant, Some(Confidence::Medium));
        assert_eq!(plate.agree, [Agree::Plate, Agree::Name(0.9)]);
        assert!(plate.veto.contains(&Differ::BirthDate));
        assert_eq!(policy.rule(&Rule::PHONE_EXACT).unwrap().grant, None);
    }
}
