//! The rules as plain data, and their defaults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    decide::{Confidence, Rule},
    key::KeyKind,
    kinds::email::AddressUse,
    normalise::Placeholders,
    weak::blocking,
};

/// Lists every rule of a policy as plain data.
///
/// Each field that is left out of a file takes its default; an unknown field is refused, since a misspelt
/// rule that is silently ignored would decide other than its author thinks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PolicyRules {
    /// The version that the author gives these rules, such as `1` or `2026-03`; 1 to 64 characters.
    pub version: String,
    /// The strong kinds, most trusted first; each kind once.
    pub precedence: Vec<KeyKind>,
    /// How documents are used.
    pub document: KindRules,
    /// How phones are used.
    pub phone: KindRules,
    /// How e-mails are used.
    pub email: KindRules,
    /// What holds a candidate apart although it shares a strong key.
    pub contradiction: ContradictionRules,
    /// How weak evidence finds candidates.
    pub weak: WeakRules,
    /// The rules that may be accepted, each with the confidence that it grants.
    ///
    /// A match by a rule that is not listed is reported as `WEAK_MATCH_ONLY`. By default: the strong rules.
    pub accept: BTreeMap<Rule, Confidence>,
    /// What addresses of roles and throw-away services are good for; see [`Policy::normalise_options`].
    ///
    /// [`Policy::normalise_options`]: super::Policy::normalise_options
    pub addresses: AddressRules,
    /// Values that give no key, added to the built-in ones; see [`Policy::normalise_options`].
    ///
    /// [`Policy::normalise_options`]: super::Policy::normalise_options
    pub placeholders: Placeholders,
}

impl Default for PolicyRules {
    fn default() -> Self {
        Self {
            version: "1".into(),
            precedence: vec![KeyKind::DOCUMENT, KeyKind::PHONE, KeyKind::EMAIL],
            document: KindRules::default(),
            phone: KindRules::default(),
            email: KindRules::default(),
            contradiction: ContradictionRules::default(),
            weak: WeakRules::default(),
            accept: BTreeMap::from([
                (Rule::DocumentExact, Confidence::High),
                (Rule::DocumentDerived, Confidence::High),
                (Rule::PhoneExact, Confidence::High),
                (Rule::PhoneAlias, Confidence::Medium),
                (Rule::EmailExact, Confidence::High),
                (Rule::EmailAlias, Confidence::Medium),
            ]),
            addresses: AddressRules::default(),
            placeholders: Placeholders::default(),
        }
    }
}

/// Says what addresses are good for that no single person has for long.
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

/// Says how the keys of one strong kind are used.
///
/// The two caps follow the idea of Senzing's generic thresholds: a value that many persons hold first stops
/// making candidates, and only later stops to confirm one that another key made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct KindRules {
    /// Whether keys of this kind are used at all; `true` by default.
    pub enabled: bool,
    /// Whether derived and alias keys are used; `true` by default.
    pub equivalents: bool,
    /// A key held by more persons than this is shared: it makes no candidate, counts as weak, and still
    /// corroborates. 3 by default.
    pub max_persons_per_key: u32,
    /// A key held by more persons than this counts for nothing. 50 by default.
    pub corroboration_cap: u32,
}

impl Default for KindRules {
    fn default() -> Self {
        Self { enabled: true, equivalents: true, max_persons_per_key: 3, corroboration_cap: 50 }
    }
}

/// Says what contradicts a candidate, so that its strong keys count as weak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ContradictionRules {
    /// Both sides carry a document of the same country and type, and share no document. `true` by default.
    pub document: bool,
    /// The types of documents that contradict nobody, since one person comes to have several: `PASSPORT` for
    /// the type of every country, `PE PASSPORT` for that of one. None by default.
    pub exempt_documents: Vec<String>,
    /// Both sides carry a birth date and the dates differ. `false` by default, since dates are often
    /// typed wrong.
    pub birth_date: bool,
    /// Both sides carry a name and the similarity lies below this, 0 to 1. Off by default.
    pub name_similarity_below: Option<f64>,
}

impl Default for ContradictionRules {
    fn default() -> Self {
        Self {
            document: true,
            exempt_documents: vec!["PASSPORT".to_owned()],
            birth_date: false,
            name_similarity_below: None,
        }
    }
}

/// Says how weak evidence finds candidates; a rule is accepted only where [`PolicyRules::accept`] lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WeakRules {
    /// The same plate and a similar name: `PLATE_NAME`.
    pub plate_name: WeakRule,
    /// The same birth date and a similar name: `NAME_BIRTH_DATE`.
    pub name_birth_date: WeakRule,
    /// The same last digits of a phone of one country; names that both sides give must be similar: `PHONE_TAIL`.
    pub phone_tail: WeakRule,
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
    /// The same address of a role or a throw-away service, where [`PolicyRules::addresses`] says that it is weak;
    /// names that both sides give must be similar: `EMAIL_WEAK`.
    pub email: WeakRule,
    /// A weak key held by more persons than this finds nobody. 50 by default.
    pub max_persons_per_key: u32,
}

impl Default for WeakRules {
    fn default() -> Self {
        Self {
            plate_name: WeakRule::default(),
            name_birth_date: WeakRule { enabled: true, min_name_similarity: 0.8 },
            phone_tail: WeakRule::default(),
            phone_tail_digits: blocking::PHONE_TAIL_DIGITS,
            email: WeakRule::default(),
            max_persons_per_key: 50,
        }
    }
}

/// Says whether one weak rule is used, and how similar the names must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WeakRule {
    /// Whether the rule finds candidates; `true` by default.
    pub enabled: bool,
    /// The least name similarity, 0 to 1; 0.66 by default.
    pub min_name_similarity: f64,
}

impl Default for WeakRule {
    fn default() -> Self {
        Self { enabled: true, min_name_similarity: 0.66 }
    }
}
