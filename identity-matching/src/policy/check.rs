//! Refuses rules that contradict themselves.

use std::fmt::Display;

use super::{
    KindRules, MatchRule, PolicyRules,
    compiled::Finds,
    condition::{Agree, Differ},
    exempt::ExemptDocument,
};
use crate::{
    key::{Field, KeyKind},
    kinds::{KINDS_MAX, OwnKind, OwnKindRules},
    normalise::NormaliseOptions,
    weak::blocking::PHONE_TAIL_RANGE,
};

/// Why rules were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is not rules: not well-formed, an unknown field or a value of the wrong type.
    #[error("the policy could not be read: {reason}")]
    Syntax {
        /// What the parser found, with the place.
        reason: String,
    },
    /// The text is a policy of the former form, with sections in place of the list of rules.
    #[error(
        "the policy is of the former form, with `accept`, `contradiction` or sections for each kind: rules are a list now. \
         The same policy in the new form:\n\n{written}"
    )]
    Former {
        /// The same rules in the new form.
        written: String,
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

/// Adds what is not said of the kinds that are used.
pub(super) fn complete(mut rules: PolicyRules) -> PolicyRules {
    for &kind in &rules.precedence {
        let own = rules.kinds.remove(&kind).unwrap_or_default();
        rules.kinds.insert(kind, own.completed(kind));
    }
    rules
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
    check_own_kinds(&rules.own_kinds)?;
    for (kind, own) in &rules.kinds {
        if !rules.precedence.contains(kind) {
            return Err(refuse(
                format!("kinds.{kind}"),
                &"given",
                "list the kind in `precedence`, or leave its section out",
            ));
        }
        check_kind(*kind, own)?;
    }
    let digits = rules.weak.phone_tail_digits;
    if !PHONE_TAIL_RANGE.contains(&digits) {
        return Err(refuse(
            "weak.phone_tail_digits",
            &digits,
            "use a number of digits from 6 to 12",
        ));
    }
    check_cap("weak.max_persons_per_key", rules.weak.max_persons_per_key)?;
    for agree in &rules.tie_break {
        check_agree("tie_break", *agree)?;
    }
    for differ in &rules.doubt.differ {
        check_differ("doubt.differ", *differ, rules)?;
    }
    for (field, _) in rules.placeholders.iter() {
        if let Field::Identifier(kind) = field
            && !kind.is_built_in()
            && !rules.precedence.contains(&kind)
        {
            return Err(refuse(
                format!("placeholders.{kind}"),
                &"given",
                "list placeholders of phone, document, email, name, plate, birth_date, or of a kind of `precedence`",
            ));
        }
    }
    check_rules(rules)
}

fn check_own_kinds(own: &[OwnKindRules]) -> Result<(), PolicyError> {
    let mut options = NormaliseOptions::default();
    for rules in own {
        let path = || format!("own_kinds.{}", rules.code);
        let kind = OwnKind::new(rules.clone())
            .map_err(|error| refuse(path(), &"a kind that no value fits", &error.to_string()))?;
        options = options
            .with_kind(kind)
            .map_err(|error| refuse(path(), &"not to be told from another", &error.to_string()))?;
    }
    Ok(())
}

fn check_precedence(precedence: &[KeyKind]) -> Result<(), PolicyError> {
    let mut sorted = precedence.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let length = precedence.len();
    if (1..=KINDS_MAX).contains(&length) && sorted.len() == length {
        Ok(())
    } else {
        let listed: Vec<&str> = precedence.iter().map(KeyKind::as_str).collect();
        Err(refuse(
            "precedence",
            &format_args!("{listed:?}"),
            "list one to 16 kinds, each once, most trusted first",
        ))
    }
}

fn check_rules(rules: &PolicyRules) -> Result<(), PolicyError> {
    for (at, rule) in rules.rules.iter().enumerate() {
        let path = |part: &str| format!("rules.{}.{part}", rule.name);
        let before = &rules.rules[..at];
        if before.iter().any(|other| other.name == rule.name) {
            return Err(refuse(path("name"), &"given twice", "give each rule a name of its own"));
        }
        for required in &rule.require {
            if !rules.precedence.contains(&required.kind) {
                return Err(refuse(
                    path("require"),
                    required,
                    "list the kind in `precedence`, or require another",
                ));
            }
        }
        for agree in &rule.agree {
            check_agree(&path("agree"), *agree)?;
        }
        for differ in &rule.veto {
            check_differ(&path("veto"), *differ, rules)?;
            let agreed = rule.agree.contains(&Agree::BirthDate) && *differ == Differ::BirthDate
                || matches!((rule.agree.iter().filter_map(|agree| agree.ratio()).reduce(f64::max), differ),
                    (Some(least), Differ::Name(below)) if *below <= least)
                || matches!(differ, Differ::Kind(kind) if rule.require.iter().any(|r| r.kind == *kind));
            if agreed {
                return Err(refuse(
                    path("veto"),
                    differ,
                    "leave it out: the rule asks for the contrary already, so it vetoes nothing",
                ));
            }
        }
        if rule.require.is_empty() && !Finds::default().add(rule) {
            return Err(refuse(
                path("require"),
                &"empty",
                "the rule can never fire, since nobody is looked up by it: require a kind, or agree on plate, phone_tail, \
                 address, or name and birth_date",
            ));
        }
        if let Some(first) = before.iter().find(|first| covers(first, rule)) {
            return Err(refuse(
                path("name"),
                &format_args!("behind {}", first.name),
                "the rule can never fire, since the other fits wherever it does: put it first, or leave it out",
            ));
        }
    }
    if rules.rules.iter().all(|rule| rule.grant.is_none()) {
        return Err(refuse(
            "rules",
            &"a list without any `grant`",
            "let at least one rule grant a grade, else nothing can match",
        ));
    }
    Ok(())
}

/// Tells whether every candidate that `rule` fits is fitted by `first` already.
fn covers(first: &MatchRule, rule: &MatchRule) -> bool {
    let required = first.require.iter().all(|key| {
        rule.require.iter().any(|own| own.kind == key.kind && (own.exact || !key.exact))
    });
    let agreed =
        first.agree.iter().all(|&agree| rule.agree.iter().any(|&own| agree.follows_from(own)));
    // What vetoes the first must veto the other too.
    let vetoed = first.veto.iter().all(|&differ| {
        rule.veto.iter().any(|&own| differ == own || own.follows_from(differ))
            || matches!(differ, Differ::Kind(kind) if rule.require.iter().any(|r| r.kind == kind))
    });
    // A rule that requires a key comes before those that require none, and one that grants before those that do not.
    let both = first.require.is_empty() == rule.require.is_empty();
    let granted = first.grant.is_some() || rule.grant.is_none();
    both && granted && required && agreed && vetoed
}

fn check_agree(path: &str, agree: Agree) -> Result<(), PolicyError> {
    agree.ratio().map_or(Ok(()), |ratio| check_ratio(path, ratio))
}

fn check_differ(path: &str, differ: Differ, rules: &PolicyRules) -> Result<(), PolicyError> {
    match differ {
        Differ::Name(below) => check_ratio(path, below),
        Differ::BirthDate => Ok(()),
        Differ::Kind(kind) => {
            let own = rules.kinds.get(&kind).filter(|_| rules.precedence.contains(&kind));
            match own {
                Some(own) if own.exclusive == Some(true) => Ok(()),
                Some(_) => Err(refuse(
                    path,
                    &kind,
                    "the kind contradicts nobody: set its `exclusive`, or leave it out here",
                )),
                None => {
                    Err(refuse(path, &kind, "list the kind in `precedence`, or leave it out here"))
                }
            }
        }
    }
}

fn check_kind(kind: KeyKind, own: &KindRules) -> Result<(), PolicyError> {
    check_cap(&format!("kinds.{kind}.max_persons_per_key"), own.max_persons_per_key)?;
    check_cap(&format!("kinds.{kind}.corroboration_cap"), own.corroboration_cap)?;
    if own.corroboration_cap < own.max_persons_per_key {
        return Err(refuse(
            format!("kinds.{kind}.corroboration_cap"),
            &own.corroboration_cap,
            "it must be at least max_persons_per_key, since a key that makes candidates also confirms them",
        ));
    }
    for (at, name) in own.exempt.iter().flatten().enumerate() {
        if kind != KeyKind::DOCUMENT || ExemptDocument::parse(name).is_none() {
            return Err(refuse(
                format!("kinds.{kind}.exempt[{at}]"),
                &format_args!("{:?}", name.chars().take(64).collect::<String>()),
                "write a type of document as in `PASSPORT`, or with its country as in `PE PASSPORT`",
            ));
        }
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

    fn named(name: &str) -> MatchRule {
        MatchRule::named(name.parse().unwrap())
    }

    #[test]
    fn the_default_rules_are_allowed() {
        assert_eq!(check(&PolicyRules::default()), Ok(()));
    }

    #[test]
    fn each_refusal_names_the_rule_and_the_remedy() {
        let phone = KeyKind::PHONE;
        assert!(refused(|r| r.version.clear()).contains("`version`"));
        assert!(refused(|r| r.precedence.clear()).contains("each once"));
        assert!(refused(|r| r.precedence[0] = KeyKind::EMAIL).contains("each once"));
        assert!(refused(|r| r.kind_mut(phone).max_persons_per_key = 0).contains("1 to 10000"));
        let said = refused(|r| r.kind_mut(phone).corroboration_cap = 2);
        assert!(said.contains("`kinds.phone.corroboration_cap`"), "{said}");
        assert!(refused(|r| r.rules[5].agree[1] = Agree::Name(1.5)).contains("0 to 1"));
        assert!(refused(|r| r.doubt.differ[0] = Differ::Name(f64::NAN)).contains("NaN"));
        assert!(refused(|r| r.weak.phone_tail_digits = 5).contains("from 6 to 12"));
        for wrong in ["", "QQ DNI", "PE DNI 1", "?"] {
            let said = refused(|r| {
                r.kind_mut(KeyKind::DOCUMENT).exempt = Some(vec![wrong.into()]);
            });
            assert!(said.contains("exempt[0]") && said.contains("PE PASSPORT"), "{said}");
        }
        assert!(refused(|r| r.rules.clear()).contains("nothing can match"));
        assert!(
            refused(|r| r.rules.iter_mut().for_each(|rule| rule.grant = None)).contains("grant")
        );
    }

    #[test]
    fn a_rule_that_cannot_fire_is_refused_by_name() {
        let said = refused(|r| {
            let rule = MatchRule { agree: vec![Agree::Name(0.9)], ..named("NAME") };
            r.rules.push(rule);
        });
        assert!(said.contains("rules.NAME") && said.contains("never fire"), "{said}");
        let said = refused(|r| {
            let mut rule = r.rules[2].clone();
            rule.name = "PHONE_AGAIN".parse().unwrap();
            rule.agree = vec![Agree::BirthDate];
            r.rules.insert(3, rule);
        });
        assert!(said.contains("PHONE_AGAIN") && said.contains("behind PHONE_EXACT"), "{said}");
        let said = refused(|r| r.rules[6].veto.push(Differ::BirthDate));
        assert!(said.contains("NAME_BIRTH_DATE.veto") && said.contains("contrary"), "{said}");
        let said = refused(|r| r.rules[0].veto.push(Differ::Kind(KeyKind::DOCUMENT)));
        assert!(said.contains("DOCUMENT_EXACT.veto"), "{said}");
        assert!(refused(|r| r.rules[1].name = r.rules[0].name.clone()).contains("twice"));
    }

    #[test]
    fn a_kind_that_is_not_used_is_refused_by_name() {
        let loyalty = KeyKind::new("loyalty").unwrap();
        assert!(
            refused(|r| *r.kind_mut(loyalty) = KindRules::of(loyalty)).contains("kinds.loyalty")
        );
        let said = refused(|r| r.rules[0].require[0].kind = loyalty);
        assert!(said.contains("loyalty exact") && said.contains("precedence"), "{said}");
        let said = refused(|r| r.rules[2].veto[0] = Differ::Kind(KeyKind::EMAIL));
        assert!(said.contains("email") && said.contains("exclusive"), "{said}");
    }
}
