//! The rules as plain data, and their defaults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Confidence, Rule,
    condition::{Agree, Differ, Require},
};
use crate::{
    key::KeyKind,
    kinds::{OwnKindRules, email::AddressUse},
    normalise::Placeholders,
    weak::blocking,
};

/// Every rule of a policy as plain data; the default is the policy that the README describes.
///
/// A section that is left out of a file takes its default, and a `rules` list stands for itself: what it does not
/// name is no rule. An unknown field is refused, since a misspelt rule that is silently ignored would decide other
/// than its author thinks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PolicyRules {
    /// The version that the author gives these rules, such as `1` or `2026-03`; 1 to 64 characters.
    pub version: String,
    /// The strong kinds that are used, most trusted first, each once.
    pub precedence: Vec<KeyKind>,
    /// What decides among several persons who fit as well: the one who alone agrees on all of this. None for a
    /// conflict.
    pub tie_break: Vec<Agree>,
    /// What makes a match doubtful, and the most that it may then be granted.
    pub doubt: DoubtRules,
    /// How weak evidence is looked up.
    pub weak: WeakRules,
    /// How the keys of each strong kind are used; a kind of `precedence` that is not listed takes the defaults.
    pub kinds: BTreeMap<KeyKind, KindRules>,
    /// What addresses of roles and throw-away services are good for; see [`Policy::normalise_options`].
    ///
    /// [`Policy::normalise_options`]: super::Policy::normalise_options
    pub addresses: AddressRules,
    /// Values that give no key, added to the built-in ones; see [`Policy::normalise_options`].
    ///
    /// [`Policy::normalise_options`]: super::Policy::normalise_options
    pub placeholders: Placeholders,
    /// Kinds of a service's own that are data: how their values are read, and which columns hold them; see
    /// [`Policy::normalise_options`]. Each is used where `precedence` lists it.
    ///
    /// [`Policy::normalise_options`]: super::Policy::normalise_options
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub own_kinds: Vec<OwnKindRules>,
    /// The rules, most trusted first: of a candidate the first that fits counts.
    pub rules: Vec<MatchRule>,
}

impl Default for PolicyRules {
    fn default() -> Self {
        let kinds = KeyKind::BUILT_IN.map(|kind| (kind, KindRules::of(kind)));
        let strong = |name: Rule, require: Require, grant| MatchRule {
            veto: if require.kind == KeyKind::DOCUMENT {
                Vec::new()
            } else {
                vec![Differ::Kind(KeyKind::DOCUMENT)]
            },
            require: vec![require],
            grant: Some(grant),
            ..MatchRule::named(name)
        };
        let weak = |name: Rule, agree: [Agree; 2]| MatchRule {
            agree: agree.into(),
            veto: vec![Differ::Kind(KeyKind::DOCUMENT)],
            ..MatchRule::named(name)
        };
        Self {
            version: "1".into(),
            precedence: KeyKind::BUILT_IN.into(),
            tie_break: vec![Agree::Name(0.8), Agree::BirthDate],
            doubt: DoubtRules::default(),
            weak: WeakRules::default(),
            kinds: kinds.into(),
            addresses: AddressRules::default(),
            placeholders: Placeholders::default(),
            own_kinds: Vec::new(),
            rules: vec![
                strong(Rule::DOCUMENT_EXACT, Require::exact(KeyKind::DOCUMENT), Confidence::High),
                strong(Rule::DOCUMENT_DERIVED, Require::any(KeyKind::DOCUMENT), Confidence::High),
                strong(Rule::PHONE_EXACT, Require::exact(KeyKind::PHONE), Confidence::High),
                strong(Rule::PHONE_ALIAS, Require::any(KeyKind::PHONE), Confidence::Medium),
                strong(Rule::EMAIL_EXACT, Require::exact(KeyKind::EMAIL), Confidence::High),
                weak(Rule::PLATE_NAME, [Agree::Plate, Agree::Name(0.66)]),
                weak(Rule::NAME_BIRTH_DATE, [Agree::Name(0.8), Agree::BirthDate]),
                weak(Rule::PHONE_TAIL, [Agree::PhoneTail, Agree::NameWhereGiven(0.66)]),
                weak(Rule::EMAIL_WEAK, [Agree::Address, Agree::NameWhereGiven(0.66)]),
            ],
        }
    }
}

impl PolicyRules {
    /// Uses a kind of the service's own, behind those that are there: exact keys of it match with high confidence
    /// by the rule `<CODE>_EXACT`, others with medium confidence by `<CODE>_ALIAS`.
    ///
    /// ```
    /// use identity_matching::{KindRules, Policy, PolicyRules};
    ///
    /// // A customer may hold two loyalty cards: they contradict nobody.
    /// let rules = PolicyRules::default().with_kind("loyalty".parse()?, KindRules::default());
    /// let policy = Policy::new(rules)?;
    /// assert!(policy.rule(&"LOYALTY_EXACT".parse()?).is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_kind(mut self, kind: KeyKind, rules: KindRules) -> Self {
        let code = kind.as_str().to_ascii_uppercase();
        let name = |form: &str| Rule::new(&format!("{code}_{form}")).expect("a code is a name");
        let place = self.rules.iter().rposition(|rule| !rule.require.is_empty());
        let mut added = vec![
            MatchRule {
                require: vec![Require::exact(kind)],
                grant: Some(Confidence::High),
                ..MatchRule::named(name("EXACT"))
            },
            MatchRule {
                require: vec![Require::any(kind)],
                grant: Some(Confidence::Medium),
                ..MatchRule::named(name("ALIAS"))
            },
        ];
        if self.precedence.contains(&KeyKind::DOCUMENT) {
            for rule in &mut added {
                rule.veto.push(Differ::Kind(KeyKind::DOCUMENT));
            }
        }
        let at = place.map_or(0, |last| last + 1);
        self.rules.splice(at..at, added);
        self.precedence.push(kind);
        self.kinds.insert(kind, rules);
        self
    }

    /// Leaves out a kind, the rules that require it and the vetoes that name it.
    #[must_use]
    pub fn without_kind(mut self, kind: KeyKind) -> Self {
        self.precedence.retain(|&known| known != kind);
        self.kinds.remove(&kind);
        self.rules.retain(|rule| rule.require.iter().all(|key| key.kind != kind));
        self.doubt.differ.retain(|differ| *differ != Differ::Kind(kind));
        for rule in &mut self.rules {
            rule.veto.retain(|differ| *differ != Differ::Kind(kind));
        }
        self
    }

    /// Returns the rule of a name, to be changed.
    #[must_use]
    pub fn rule_mut(&mut self, name: &Rule) -> Option<&mut MatchRule> {
        self.rules.iter_mut().find(|rule| rule.name == *name)
    }

    /// Returns how the keys of a kind are used, to be changed.
    pub fn kind_mut(&mut self, kind: KeyKind) -> &mut KindRules {
        self.kinds.entry(kind).or_insert_with(|| KindRules::of(kind))
    }
}

/// One rule: what a candidate must share, agree on and not contradict, and the grade that it then is granted.
///
/// ```
/// use identity_matching::{Policy, PolicyRules};
///
/// // A phone is enough only where the date of birth is the same.
/// let policy = Policy::from_json(
///     r#"{"rules": [{"name": "PHONE_BIRTH_DATE", "require": ["phone"], "agree": ["birth_date"], "grant": "high"}]}"#,
/// )?;
/// assert_eq!(policy.rules().rules.len(), 1);
/// # Ok::<(), identity_matching::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchRule {
    /// The name, which decisions carry; each once.
    pub name: Rule,
    /// The keys that must be shared, at least one of which so few persons hold that it makes candidates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<Require>,
    /// The weak evidence that must agree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agree: Vec<Agree>,
    /// The differences of which none may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub veto: Vec<Differ>,
    /// The grade of a match by this rule; without one the person is only told as `WEAK_MATCH_ONLY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Confidence>,
}

impl MatchRule {
    /// Makes a rule that asks for nothing and grants nothing.
    #[must_use]
    pub const fn named(name: Rule) -> Self {
        Self { name, require: Vec::new(), agree: Vec::new(), veto: Vec::new(), grant: None }
    }
}

/// What makes a match by strong keys doubtful.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DoubtRules {
    /// The differences that together make a match doubtful; none for never. By default names of a similarity below
    /// 0.66 and another date of birth.
    pub differ: Vec<Differ>,
    /// The most that a doubtful match is granted; `medium` by default.
    pub grant: Confidence,
}

impl Default for DoubtRules {
    fn default() -> Self {
        Self { differ: vec![Differ::Name(0.66), Differ::BirthDate], grant: Confidence::Medium }
    }
}

/// What addresses are good for that no single person has for long.
///
/// ```
/// use identity_matching::{AddressUse, Policy};
///
/// let policy = Policy::from_json(r#"{"addresses": {"roles": "weak"}}"#)?;
/// assert_eq!(policy.rules().addresses.roles, AddressUse::Weak);
/// assert_eq!(policy.rules().addresses.disposable, AddressUse::Unusable);
/// # Ok::<(), identity_matching::PolicyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AddressRules {
    /// Addresses of roles, such as `info@…`: `unusable` (the default), `weak` or `key`.
    pub roles: AddressUse,
    /// Addresses of throw-away services: `unusable` (the default), `weak` or `key`.
    pub disposable: AddressUse,
}

/// How the keys of one strong kind are used.
///
/// The two caps follow the idea of Senzing's generic thresholds: a value that many persons hold first stops
/// making candidates, and only later stops to confirm one that another key made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct KindRules {
    /// A key held by more persons than this is shared: it makes no candidate, counts as weak, and still
    /// corroborates. 3 by default.
    pub max_persons_per_key: u32,
    /// A key held by more persons than this counts for nothing. 50 by default.
    pub corroboration_cap: u32,
    /// Whether a person has one value of the kind only (of documents: one of each country and type), so that two
    /// different ones contradict. `true` for documents, `false` for other kinds where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<bool>,
    /// The types of documents that contradict nobody, since one person comes to have several: `PASSPORT` for
    /// the type of every country, `PE PASSPORT` for that of one. `PASSPORT` for documents where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exempt: Option<Vec<String>>,
}

impl KindRules {
    /// Returns the default rules of a kind.
    #[must_use]
    pub fn of(kind: KeyKind) -> Self {
        Self::default().completed(kind)
    }

    /// Says what is not said, as it is for the kind.
    pub(super) fn completed(mut self, kind: KeyKind) -> Self {
        let document = kind == KeyKind::DOCUMENT;
        self.exclusive.get_or_insert(document);
        if document {
            self.exempt.get_or_insert_with(|| vec!["PASSPORT".into()]);
        }
        self
    }
}

impl Default for KindRules {
    fn default() -> Self {
        Self { max_persons_per_key: 3, corroboration_cap: 50, exclusive: None, exempt: None }
    }
}

/// How weak evidence is looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WeakRules {
    /// How many of a phone's last digits must be the same, 6 to 12; 8 by default. See
    /// [`Policy::normalise_options`].
    ///
    /// A stranger's number shares its last *d* digits with one of *n* persons of its country by chance with
    /// a probability of about 1 − exp(−n / 10ᵈ): with a million persons 10 % for 7 digits, 1 % for 8 and 0.1 %
    /// for 9; with ten million 63 %, 10 % and 1 %. Each such stranger is `WEAK_MATCH_ONLY` and not
    /// `NO_CANDIDATES`.
    ///
    /// [`Policy::normalise_options`]: super::Policy::normalise_options
    pub phone_tail_digits: u8,
    /// A weak key held by more persons than this finds nobody. 50 by default.
    pub max_persons_per_key: u32,
}

impl Default for WeakRules {
    fn default() -> Self {
        Self { phone_tail_digits: blocking::PHONE_TAIL_DIGITS, max_persons_per_key: 50 }
    }
}
