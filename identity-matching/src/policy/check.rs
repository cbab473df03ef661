//! Refuses rules that contradict themselves.

use std::fmt::Display;

use super::{KindRules, PolicyRules, exempt::ExemptDocument};
use crate::{key::KeyKind, weak::blocking::PHONE_TAIL_RANGE};

/// Says why rules were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is not rules: not well-formed, an unknown field or a value of the wrong type.
    #[error("the policy could not be read: {reason}")]
    Syntax {
        /// What the parser found, with the place.
        reason: String,
    },
    /// A rule has a value that cannot be meant.
    #[error("policy rule `{rule}` is {value}: {remedy}")]
    Rule {
        /// The path of the rule, such as `phone.max_persons_per_key`.
        rule: String,
        /// The value that was refused.
        value: String,
        /// What to write instead.
        remedy: String,
    },
}

fn refuse(rule: impl Into<String>, value: &dyn Display, remedy: &str) -> PolicyError {
    PolicyError::Rule { rule: rule.into(), value: value.to_string(), remedy: remedy.into() }
}

pub(super) fn check(rules: &PolicyRules) -> Result<(), PolicyError> {
    let length = rules.version.chars().count();
    if length == 0 || length > 64 || rules.version.chars().any(char::is_control) {
        return Err(refuse(
            "version",
            &format_args!("{length} characters long"),
            "give it 1 to 64 characters, none of them a control character",
        ));
    }
    check_precedence(&rules.precedence)?;
    for (name, kind) in
        [("document", &rules.document), ("phone", &rules.phone), ("email", &rules.email)]
    {
        check_kind(name, kind)?;
    }
    if !(rules.document.enabled || rules.phone.enabled || rules.email.enabled) {
        return Err(refuse("document.enabled", &false, "enable at least one strong kind"));
    }
    if let Some(least) = rules.contradiction.name_similarity_below {
        check_ratio("contradiction.name_similarity_below", least)?;
    }
    for (name, weak) in [
        ("weak.plate_name", &rules.weak.plate_name),
        ("weak.name_birth_date", &rules.weak.name_birth_date),
        ("weak.phone_tail", &rules.weak.phone_tail),
        ("weak.email", &rules.weak.email),
    ] {
        check_ratio(&format!("{name}.min_name_similarity"), weak.min_name_similarity)?;
    }
    let digits = rules.weak.phone_tail_digits;
    if !PHONE_TAIL_RANGE.contains(&digits) {
        return Err(refuse(
            "weak.phone_tail_digits",
            &digits,
            "use a number of digits from 6 to 12",
        ));
    }
    for (at, name) in rules.contradiction.exempt_documents.iter().enumerate() {
        if ExemptDocument::parse(name).is_none() {
            return Err(refuse(
                format!("contradiction.exempt_documents[{at}]"),
                &format_args!("{:?}", name.chars().take(64).collect::<String>()),
                "write a type as in `PASSPORT`, or with its country as in `PE PASSPORT`",
            ));
        }
    }
    check_cap("weak.max_persons_per_key", rules.weak.max_persons_per_key)?;
    if rules.accept.is_empty() {
        return Err(refuse("accept", &"empty", "list at least one rule, else nothing can match"));
    }
    Ok(())
}

fn check_precedence(precedence: &[KeyKind]) -> Result<(), PolicyError> {
    let every = [KeyKind::DOCUMENT, KeyKind::PHONE, KeyKind::EMAIL];
    let mut sorted = precedence.to_vec();
    sorted.sort_unstable();
    if sorted == every {
        Ok(())
    } else {
        Err(refuse(
            "precedence",
            &format_args!("{precedence:?}"),
            "list document, phone and email, each once, most trusted first",
        ))
    }
}

fn check_kind(name: &str, kind: &KindRules) -> Result<(), PolicyError> {
    check_cap(&format!("{name}.max_persons_per_key"), kind.max_persons_per_key)?;
    check_cap(&format!("{name}.corroboration_cap"), kind.corroboration_cap)?;
    if kind.corroboration_cap < kind.max_persons_per_key {
        return Err(refuse(
            format!("{name}.corroboration_cap"),
            &kind.corroboration_cap,
            "it must be at least max_persons_per_key, since a key that makes candidates also confirms them",
        ));
    }
    Ok(())
}

/// Above this a cap no longer bounds the work of one decision.
const MAX_CAP: u32 = 10_000;

fn check_cap(rule: &str, cap: u32) -> Result<(), PolicyError> {
    if (1..=MAX_CAP).contains(&cap) {
        Ok(())
    } else {
        Err(refuse(rule, &cap, "use a number from 1 to 10000"))
    }
}

fn check_ratio(rule: &str, ratio: f64) -> Result<(), PolicyError> {
    if (0.0..=1.0).contains(&ratio) {
        Ok(())
    } else {
        Err(refuse(rule, &ratio, "use a ratio from 0 to 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut PolicyRules)) -> String {
        let mut rules = PolicyRules::default();
        change(&mut rules);
        check(&rules).unwrap_err().to_string()
    }

    #[test]
    fn each_refusal_names_the_rule_and_the_remedy() {
        assert!(refused(|r| r.version.clear()).contains("`version`"));
        assert!(refused(|r| r.precedence.truncate(2)).contains("each once"));
        assert!(refused(|r| r.precedence[0] = KeyKind::EMAIL).contains("each once"));
        assert!(refused(|r| r.phone.max_persons_per_key = 0).contains("from 1 to 10000"));
        assert!(refused(|r| r.email.corroboration_cap = 2).contains("`email.corroboration_cap`"));
        assert!(refused(|r| r.weak.plate_name.min_name_similarity = 1.5).contains("0 to 1"));
        assert!(
            refused(|r| r.contradiction.name_similarity_below = Some(f64::NAN)).contains("NaN")
        );
        assert!(refused(|r| r.weak.phone_tail_digits = 5).contains("from 6 to 12"));
        for wrong in ["", "QQ DNI", "PE DNI 1", "?"] {
            let said = refused(|r| r.contradiction.exempt_documents = vec![wrong.into()]);
            assert!(said.contains("exempt_documents[0]") && said.contains("PE PASSPORT"), "{said}");
        }
        assert!(refused(|r| r.accept.clear()).contains("nothing can match"));
        assert!(
            refused(|r| {
                r.document.enabled = false;
                r.phone.enabled = false;
                r.email.enabled = false;
            })
            .contains("at least one")
        );
    }
}
