//! What several tests share: random policies with every switch and rules of every shape, and decisions that are compared.

use std::collections::BTreeSet;

use identity_matching::{
    Agree, Confidence, Decision, Differ, Field, KeyForm, KeyKind, KindRules, MatchRule,
    NormaliseOptions, OwnKind, Policy, PolicyRules, Region, Require, Sink,
};
use proptest::prelude::*;

/// Takes out what an index that holds hashes shows otherwise: the value of a person's differing key.
pub(crate) fn without_held_values(mut decision: Decision) -> Decision {
    for candidate in &mut decision.evidence.candidates {
        for differs in &mut candidate.disagrees {
            if matches!(differs.kind, Field::Identifier(_)) {
                differs.person.clear();
            }
        }
        candidate
            .disagrees
            .sort_by(|left, right| (left.kind, &left.subject).cmp(&(right.kind, &right.subject)));
    }
    decision
}

fn grants() -> impl Strategy<Value = Option<Confidence>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Confidence::Low)),
        1 => Just(Some(Confidence::Medium)),
        2 => Just(Some(Confidence::High)),
    ]
}

fn ratios() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.4), Just(0.66), Just(0.8), Just(0.95)]
}

fn agreements() -> impl Strategy<Value = Agree> {
    prop_oneof![
        ratios().prop_map(Agree::Name),
        ratios().prop_map(Agree::NameWhereGiven),
        Just(Agree::BirthDate),
        Just(Agree::Plate),
        Just(Agree::PhoneTail),
        Just(Agree::Address),
    ]
}

fn differences() -> impl Strategy<Value = Differ> {
    prop_oneof![
        2 => Just(Differ::Kind(KeyKind::DOCUMENT)),
        1 => Just(Differ::Kind(KeyKind::PHONE)),
        1 => Just(Differ::Kind(card())),
        1 => Just(Differ::BirthDate),
        1 => ratios().prop_map(Differ::Name),
    ]
}

/// A kind of the tests' own, of which a person may hold several values.
pub(crate) fn card() -> KeyKind {
    "card".parse().unwrap()
}

/// The options by which the tests read records: those of Peru, with the kind [`card`]: `~11` is an alias of a card, and `?11` may be meant to be one.
pub(crate) fn options() -> NormaliseOptions {
    let read = |value: &str, sink: &mut Sink<'_>| {
        if let Some(like) = value.strip_prefix('~') {
            sink.key(like, KeyForm::Alias);
        } else if let Some(meant) = value.strip_prefix('?') {
            sink.key(meant, KeyForm::Supposed);
        } else {
            sink.key(value, KeyForm::Exact);
        }
    };
    NormaliseOptions::for_region(Region::parse("PE").unwrap())
        .with_kind(OwnKind::reading(card(), read))
        .unwrap()
}

/// The kinds of [`options`].
fn all_kinds() -> Vec<KeyKind> {
    KeyKind::BUILT_IN.into_iter().chain([card()]).collect()
}

fn kinds() -> impl Strategy<Value = KeyKind> {
    prop::sample::select(all_kinds())
}

/// Lists names of rules that a random policy uses.
const NAMES: [&str; 8] = ["R0", "R1", "R2", "R3", "R4", "R5", "R6", "R7"];

fn rules() -> impl Strategy<Value = MatchRule> {
    let require = prop::collection::vec((kinds(), any::<bool>()), 0..3);
    let agree = prop::collection::vec(agreements(), 0..3);
    let veto = prop::collection::vec(differences(), 0..3);
    (require, agree, veto, grants()).prop_map(|(require, agree, veto, grant)| {
        let mut seen = BTreeSet::new();
        let require = require.into_iter().filter(|(kind, _)| seen.insert(*kind));
        MatchRule {
            require: require.map(|(kind, exact)| Require { kind, exact }).collect(),
            agree,
            veto,
            grant,
            ..MatchRule::named(NAMES[0].parse().unwrap())
        }
    })
}

fn kind_rules() -> impl Strategy<Value = KindRules> {
    (1..4_u32, 0..4_u32, any::<bool>(), any::<bool>()).prop_map(|(max, more, exclusive, exempt)| {
        let mut rules = KindRules::default();
        rules.max_persons_per_key = max;
        rules.corroboration_cap = max + more;
        rules.exclusive = Some(exclusive);
        rules.exempt = Some(if exempt { vec!["PE DNI".into()] } else { Vec::new() });
        rules
    })
}

/// Draws policies that are allowed: the default list with its switches turned, or a list of random rules.
pub(crate) fn policies() -> impl Strategy<Value = Policy> {
    let precedence = Just(all_kinds()).prop_shuffle();
    let caps = prop::collection::vec(kind_rules(), 4);
    let own = prop::option::of(prop::collection::vec(rules(), 1..8));
    let doubt = (prop::collection::vec(differences(), 0..3), grants());
    let tie_break = prop::collection::vec(agreements(), 0..3);
    let rest = (prop::collection::vec((any::<prop::sample::Index>(), grants()), 0..4), 1..4_u32);
    (precedence, 1..5_usize, caps, own, doubt, tie_break, rest).prop_map(
        |(mut precedence, used, caps, own, doubt, tie_break, (regrant, weak_cap))| {
            precedence.truncate(used);
            let mut rules = PolicyRules::default();
            rules.kinds = precedence.iter().copied().zip(caps).collect();
            for (kind, kind_rules) in &mut rules.kinds {
                if *kind != KeyKind::DOCUMENT {
                    kind_rules.exempt = None;
                }
            }
            rules.doubt.differ = doubt.0;
            rules.doubt.grant = doubt.1.unwrap_or(Confidence::Medium);
            rules.tie_break = tie_break;
            rules.weak.max_persons_per_key = weak_cap;
            if let Some(own) = own {
                rules.rules = own;
            }
            for (at, grant) in regrant {
                let at = at.index(rules.rules.len());
                rules.rules[at].grant = grant;
            }
            rules.precedence = precedence;
            repaired(rules)
        },
    )
}

/// Takes out what is refused, and falls back to the default where nothing is left.
fn repaired(mut rules: PolicyRules) -> Policy {
    let exclusive: Vec<KeyKind> = rules
        .kinds
        .iter()
        .filter(|(_, own)| own.exclusive == Some(true))
        .map(|(&kind, _)| kind)
        .collect();
    let known =
        |differ: &Differ| !matches!(differ, Differ::Kind(kind) if !exclusive.contains(kind));
    rules.doubt.differ.retain(known);
    let mut kept: Vec<MatchRule> = Vec::new();
    for mut rule in std::mem::take(&mut rules.rules) {
        rule.veto.retain(known);
        if let Some(name) = NAMES.get(kept.len()) {
            rule.name = name.parse().unwrap();
        }
        // A rule that cannot stand beside the others is left out.
        let mut tried = rules.clone();
        tried.rules.clone_from(&kept);
        tried.rules.push(rule.clone());
        tried.rules.push(MatchRule {
            require: vec![Require::exact(rules.precedence[0])],
            agree: vec![Agree::Address, Agree::Plate, Agree::PhoneTail, Agree::BirthDate],
            grant: Some(Confidence::High),
            ..MatchRule::named("LAST".parse().unwrap())
        });
        let refused = Policy::new(tried).err().map(|error| error.to_string());
        if refused.is_none_or(|error| error.contains("rules.LAST")) {
            kept.push(rule);
        }
    }
    rules.rules = kept;
    Policy::new(rules).unwrap_or_default()
}
