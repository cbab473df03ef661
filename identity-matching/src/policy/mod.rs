//! What counts as a match, as data: kinds with their caps, and a list of rules, each of which says what a person must
//! share with a subject, agree on and not contradict, and which grade it then is granted.
//!
//! [`PolicyRules`] is plain data for TOML and JSON; a [`Policy`] is rules that were checked, with the hash
//! of their content. Every decision carries the policy's version and hash, so that a later reader knows
//! by which rules it was made.

mod check;
mod compiled;
mod condition;
mod confidence;
mod exempt;
mod former;
mod read;
mod reading;
mod rule;
mod rules;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use exempt::ExemptDocument;

pub use check::PolicyError;
pub(crate) use compiled::{CompiledDiffer, CompiledRule, Finds, UsedKind};
pub use condition::{Agree, ConditionError, Differ, Require};
pub use confidence::{Confidence, UnknownConfidence};
pub use reading::ReadingConflict;
pub use rule::{Rule, RuleNameError};
pub use rules::{AddressRules, DoubtRules, KindRules, MatchRule, PolicyRules, WeakRules};

use crate::{
    key::KeyKind,
    kinds::{OwnKind, email::EmailRules},
    normalise::NormaliseOptions,
    text::Region,
    weak::BlockingKind,
};

/// Holds rules that were checked, and the hash of their content.
///
/// The default is the policy that this crate's README describes. Cloning is cheap.
///
/// ```
/// use identity_matching::{KeyKind, Policy, PolicyRules};
///
/// let mut rules = PolicyRules::default();
/// rules.kind_mut(KeyKind::PHONE).max_persons_per_key = 1;
/// rules.version = "2".into();
/// let strict = Policy::new(rules).expect("valid");
/// assert_ne!(strict.hash(), Policy::default().hash());
///
/// let mut wrong = PolicyRules::default();
/// wrong.kind_mut(KeyKind::PHONE).max_persons_per_key = 60; // above the corroboration cap of 50
/// assert!(Policy::new(wrong).is_err());
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "PolicyRules", into = "PolicyRules")]
pub struct Policy {
    rules: Arc<PolicyRules>,
    hash: Arc<str>,
    kinds: Arc<[UsedKind]>,
    compiled: Arc<[CompiledRule]>,
    /// Which weak evidence any rule looks persons up by.
    finds: Finds,
    list_limit: u32,
    doubt: Arc<[CompiledDiffer]>,
    /// Below this similarity two names differ.
    name_differs_below: f64,
}

/// Names that are less similar differ, where no veto and no doubt names a greater ratio.
const NAMES_DIFFER_BELOW: f64 = 0.66;

impl Policy {
    /// Checks rules and seals them.
    ///
    /// # Errors
    ///
    /// The first rule that contradicts itself, by its path and with the remedy.
    pub fn new(rules: PolicyRules) -> Result<Self, PolicyError> {
        let rules = check::complete(rules);
        check::check(&rules)?;
        Ok(Self::seal(rules))
    }

    /// Returns the rules.
    #[must_use]
    pub fn rules(&self) -> &PolicyRules {
        &self.rules
    }

    /// Returns the version that the rules' author gave them.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.rules.version
    }

    /// Returns the first 16 hexadecimal digits of the SHA-256 of the rules as JSON.
    ///
    /// Equal rules have equal hashes on every machine and in every order of fields.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Returns the options that read values by a region, know the policy's own kinds, leave out its placeholders and keep
    /// what it takes for weak evidence.
    ///
    /// Whoever normalises by these options has every rule that led to a decision under the policy's hash.
    ///
    /// ```
    /// use identity_matching::{Field, Normaliser, Policy, PolicyRules, Record, Region};
    ///
    /// let mut rules = PolicyRules::default();
    /// rules.placeholders = rules.placeholders.with(Field::EMAIL, ["@own-company.pe"]);
    /// let normaliser = Normaliser::new(Policy::new(rules)?.normalise_options(Region::parse("PE")?))?;
    /// let staff = Record { emails: vec!["ana@own-company.pe".into()], ..Record::default() };
    /// assert!(normaliser.normalise(&staff).keys().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn normalise_options(&self, region: Region) -> NormaliseOptions {
        let addresses = &self.rules.addresses;
        let mut options = NormaliseOptions::for_region(region)
            .with_placeholders(self.rules.placeholders.clone())
            .with_email_rules(EmailRules {
                roles: addresses.roles,
                disposable: addresses.disposable,
                ..EmailRules::default()
            });
        options.phone_tail_digits = self.rules.weak.phone_tail_digits;
        for rules in &self.rules.own_kinds {
            let kind = OwnKind::new(rules.clone()).expect("the policy was checked");
            options = options.with_kind(kind).expect("the policy was checked");
        }
        options
    }

    /// Returns the rules as TOML, as [`from_toml`](Self::from_toml) reads them.
    #[cfg(feature = "toml")]
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(&*self.rules).expect("rules are plain data with string keys")
    }

    /// Returns a rule by its name.
    #[must_use]
    pub fn rule(&self, name: &Rule) -> Option<&MatchRule> {
        self.rules.rules.iter().find(|rule| rule.name == *name)
    }

    /// Returns how the keys of a kind are used, and nothing for a kind that the precedence leaves out.
    #[must_use]
    pub fn kind(&self, kind: KeyKind) -> Option<&KindRules> {
        self.place(kind).and_then(|_| self.rules.kinds.get(&kind))
    }

    #[cfg(feature = "sealed")]
    /// Returns of how many holders of a strong key of one kind, at most, any rule wants to know who they are.
    pub(crate) fn strong_list_limit(&self, kind: KeyKind) -> u32 {
        self.place(kind).map_or(0, |place| self.kinds[place].corroboration_cap)
    }

    /// Returns of how many holders of a blocking key, at most, any rule wants to know who they are.
    pub(crate) fn blocking_list_limit(&self, kind: BlockingKind) -> u32 {
        if self.finds.by(kind) { self.rules.weak.max_persons_per_key } else { 0 }
    }

    /// Lists the differences that together make a match doubtful.
    pub(crate) fn doubt(&self) -> &[CompiledDiffer] {
        &self.doubt
    }

    /// Returns the similarity below which two names differ.
    pub(crate) fn name_differs_below(&self) -> f64 {
        self.name_differs_below
    }

    /// Lists the kinds by precedence.
    pub(crate) fn used(&self) -> &[UsedKind] {
        &self.kinds
    }

    /// Lists the rules in their order.
    pub(crate) fn compiled(&self) -> &[CompiledRule] {
        &self.compiled
    }

    /// Returns the place of a kind in the precedence, from 0.
    pub(crate) fn place(&self, kind: KeyKind) -> Option<usize> {
        self.kinds.iter().position(|used| used.kind == kind)
    }

    /// Returns the greatest number of holders of which any rule wants to know who they are.
    pub(crate) fn list_limit(&self) -> u32 {
        self.list_limit
    }

    fn seal(rules: PolicyRules) -> Self {
        let json = serde_json::to_vec(&rules).expect("rules are plain data with string keys");
        let digest = Sha256::digest(&json);
        let first = digest[..8].iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
        let hash = format!("{first:016x}");
        let used = |&kind: &KeyKind| {
            let own = rules.kinds.get(&kind).cloned().unwrap_or_default().completed(kind);
            let exempt = own.exempt.unwrap_or_default();
            UsedKind {
                kind,
                max_persons_per_key: own.max_persons_per_key,
                corroboration_cap: own.corroboration_cap,
                exclusive: own.exclusive.unwrap_or_default(),
                exempt: exempt.iter().filter_map(|name| ExemptDocument::parse(name)).collect(),
            }
        };
        let kinds: Arc<[UsedKind]> = rules.precedence.iter().map(used).collect();
        let place = |kind: KeyKind| kinds.iter().position(|used| used.kind == kind);
        let mut words: Vec<&str> = rules.tie_break.iter().map(|agree| agree.word()).collect();
        words.dedup();
        let words = words.join("_");
        let differ = |differ: &Differ| match *differ {
            Differ::Kind(kind) => place(kind).map(CompiledDiffer::Kind),
            Differ::BirthDate => Some(CompiledDiffer::BirthDate),
            Differ::Name(below) => Some(CompiledDiffer::Name(below)),
        };
        let mut finds = Finds::default();
        let compile = |rule: &MatchRule| {
            if rule.require.is_empty() {
                finds.add(rule);
            }
            let require = rule.require.iter();
            CompiledRule {
                require: require.filter_map(|key| Some((place(key.kind)?, key.exact))).collect(),
                veto: rule.veto.iter().filter_map(&differ).collect(),
                chosen: rule.name.with(&words),
                rule: rule.clone(),
            }
        };
        let compiled: Arc<[CompiledRule]> = rules.rules.iter().map(compile).collect();
        let doubt: Arc<[CompiledDiffer]> = rules.doubt.differ.iter().filter_map(&differ).collect();
        let vetoes = compiled.iter().flat_map(|rule| rule.veto.iter());
        let below = vetoes.chain(doubt.iter()).filter_map(|differ| match differ {
            CompiledDiffer::Name(below) => Some(*below),
            _ => None,
        });
        let name_differs_below = below.fold(NAMES_DIFFER_BELOW, f64::max);
        let list_limit = kinds.iter().map(|used| used.corroboration_cap).max().unwrap_or(0);
        let rules = Arc::new(rules);
        Self {
            rules,
            hash: hash.into(),
            compiled,
            finds,
            list_limit,
            kinds,
            doubt,
            name_differs_below,
        }
    }
}

impl TryFrom<PolicyRules> for Policy {
    type Error = PolicyError;

    fn try_from(rules: PolicyRules) -> Result<Self, PolicyError> {
        Self::new(rules)
    }
}

impl From<Policy> for PolicyRules {
    fn from(policy: Policy) -> Self {
        Arc::unwrap_or_clone(policy.rules)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::seal(PolicyRules::default())
    }
}

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("version", &self.version())
            .field("hash", &self.hash())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_rules_pass_their_own_check() {
        assert_eq!(Policy::new(PolicyRules::default()).unwrap(), Policy::default());
    }

    #[test]
    fn rules_survive_json_with_the_same_hash() {
        let policy = Policy::default();
        let json = serde_json::to_string(policy.rules()).unwrap();
        assert_eq!(Policy::from_json(&json).unwrap().hash(), policy.hash());
    }

    #[test]
    fn an_unknown_field_is_refused_by_name_and_place() {
        let error = Policy::from_json(r#"{"phones": {}}"#).unwrap_err().to_string();
        assert!(error.contains("phones") && error.contains("line 1"), "{error}");
    }
}
