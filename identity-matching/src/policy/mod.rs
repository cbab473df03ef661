//! What counts as a match, as data: precedence, caps, contradictions, what is accepted at which confidence.
//!
//! [`PolicyRules`] is plain data for TOML and JSON; a [`Policy`] is rules that were checked, with the hash
//! of their content. Every decision carries the policy's version and hash, so that a later reader knows
//! by which rules it was made.

mod check;
mod exempt;
mod rules;

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};

use exempt::ExemptDocument;

pub use check::PolicyError;
pub use rules::{AddressRules, ContradictionRules, KindRules, PolicyRules, WeakRule, WeakRules};

use crate::{
    decide::{Confidence, Rule},
    key::{DocumentTypeId, KeyKind},
    kinds::email::EmailRules,
    normalise::NormaliseOptions,
    text::Region,
};

/// Holds rules that were checked, and the hash of their content.
///
/// The default is the policy that this crate's README describes. Cloning is cheap.
///
/// ```
/// use identity_matching::{Policy, PolicyRules};
///
/// let mut rules = PolicyRules::default();
/// rules.phone.max_persons_per_key = 1;
/// rules.version = "2".into();
/// let strict = Policy::new(rules).expect("valid");
/// assert_ne!(strict.hash(), Policy::default().hash());
///
/// let mut wrong = PolicyRules::default();
/// wrong.phone.max_persons_per_key = 60; // above the corroboration cap of 50
/// assert!(Policy::new(wrong).is_err());
/// ```
#[derive(Clone)]
pub struct Policy {
    rules: Arc<PolicyRules>,
    hash: Arc<str>,
    /// What the decisions read most, laid out by number.
    places: [KeyKind; 3],
    accepted: [Option<Confidence>; Rule::ALL.len()],
    exempt: Arc<[ExemptDocument]>,
}

/// The rules of a kind that the policy does not know.
static UNUSED: KindRules =
    KindRules { enabled: false, equivalents: false, max_persons_per_key: 1, corroboration_cap: 1 };

impl Policy {
    /// Checks rules and seals them.
    ///
    /// # Errors
    ///
    /// The first rule that contradicts itself, by its path and with the remedy.
    pub fn new(rules: PolicyRules) -> Result<Self, PolicyError> {
        check::check(&rules)?;
        Ok(Self::seal(rules))
    }

    /// Reads rules from JSON and checks them; a field left out takes its default, an unknown one is refused.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Syntax`] with line and column, or what [`Policy::new`] refuses.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let rules = serde_json::from_str(text)
            .map_err(|error| PolicyError::Syntax { reason: error.to_string() })?;
        Self::new(rules)
    }

    /// Reads rules from TOML and checks them; a field left out takes its default, an unknown one is refused.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Syntax`] with the place, or what [`Policy::new`] refuses.
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let rules = toml::from_str(text)
            .map_err(|error| PolicyError::Syntax { reason: error.to_string() })?;
        Self::new(rules)
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

    /// Returns the options that read values by a region, leave out the policy's placeholders and keep what it
    /// takes for weak evidence.
    ///
    /// Whoever normalises by these options has every rule that led to a decision under the policy's hash.
    ///
    /// ```
    /// use identity_matching::{Normaliser, Policy, PolicyRules, Record, Region};
    ///
    /// let mut rules = PolicyRules::default();
    /// rules.placeholders.emails = vec!["@own-company.pe".into()];
    /// let normaliser = Normaliser::new(Policy::new(rules)?.normalise_options(Region::parse("PE")?));
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
        options
    }

    /// Returns the rules of one strong kind.
    #[must_use]
    pub fn kind(&self, kind: KeyKind) -> &KindRules {
        match kind {
            KeyKind::DOCUMENT => &self.rules.document,
            KeyKind::PHONE => &self.rules.phone,
            KeyKind::EMAIL => &self.rules.email,
            _ => &UNUSED,
        }
    }

    /// Returns the rules of one weak rule, and nothing for a strong one.
    #[must_use]
    pub fn weak(&self, rule: Rule) -> Option<&WeakRule> {
        match rule {
            Rule::PlateName => Some(&self.rules.weak.plate_name),
            Rule::NameBirthDate => Some(&self.rules.weak.name_birth_date),
            Rule::PhoneTail => Some(&self.rules.weak.phone_tail),
            Rule::EmailWeak => Some(&self.rules.weak.email),
            _ => None,
        }
    }

    /// Returns the confidence that an accepted rule grants, and nothing for one that is not accepted.
    #[must_use]
    pub fn accepts(&self, rule: Rule) -> Option<Confidence> {
        self.accepted[rule as usize]
    }

    /// Tells whether two different documents of this type contradict nobody.
    pub(crate) fn exempts(&self, kind: Option<DocumentTypeId>) -> bool {
        kind.is_some_and(|kind| self.exempt.iter().any(|exempt| exempt.covers(kind)))
    }

    /// Returns the place of a rule in the precedence; lower decides first.
    pub(crate) fn rank(&self, rule: Rule) -> usize {
        let Some(kind) = rule.kind() else { return 8 + rule as usize };
        2 * self.place(kind) + usize::from(!rule.is_exact())
    }

    /// Returns the place of a kind in the precedence, from 0.
    pub(crate) fn place(&self, kind: KeyKind) -> usize {
        self.places.iter().position(|&known| known == kind).unwrap_or(self.places.len())
    }

    /// Returns the greatest number of holders of which any rule wants to know who they are.
    pub(crate) fn list_limit(&self) -> u32 {
        let rules = &self.rules;
        [&rules.document, &rules.phone, &rules.email]
            .map(|kind| if kind.enabled { kind.corroboration_cap } else { 0 })
            .into_iter()
            .fold(0, u32::max)
    }

    fn seal(rules: PolicyRules) -> Self {
        let json = serde_json::to_vec(&rules).expect("rules are plain data with string keys");
        let digest = Sha256::digest(&json);
        let first = digest[..8].iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
        let hash = format!("{first:016x}");
        let mut places = KeyKind::BUILT_IN;
        places.copy_from_slice(&rules.precedence);
        let accepted = Rule::ALL.map(|rule| rules.accept.get(&rule).copied());
        let exempt = rules.contradiction.exempt_documents.iter();
        let exempt = exempt.filter_map(|name| ExemptDocument::parse(name)).collect();
        Self { rules: Arc::new(rules), hash: hash.into(), places, accepted, exempt }
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

    #[test]
    fn an_exact_rule_ranks_before_its_derived_or_alias_form_and_weak_rules_last() {
        let policy = Policy::default();
        let mut ranked = Rule::ALL;
        ranked.sort_by_key(|&rule| policy.rank(rule));
        assert_eq!(ranked, Rule::ALL);
    }
}
