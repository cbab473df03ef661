//! The words of an outcome: rule, confidence, reason.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::key::{KeyForm, KeyKind};

/// Names the rule that decided a match.
///
/// The order is the default order of precedence: documents before phones before e-mails, an exact key
/// before one that was derived or that is an alias, strong evidence before weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Rule {
    /// Both sides carry the same document.
    DocumentExact,
    /// One side carries the document inside another one, such as the DNI inside a Peruvian RUC.
    DocumentDerived,
    /// Both sides carry the same E.164 number.
    PhoneExact,
    /// Both sides carry the same subscriber in different written forms.
    PhoneAlias,
    /// Both sides carry the same mailbox.
    EmailExact,
    /// Both sides carry equivalent addresses of one mailbox.
    EmailAlias,
    /// The same vehicle plate and a similar name: weak.
    PlateName,
    /// The same birth date and a similar name: weak.
    NameBirthDate,
    /// The same last digits of a phone, and no name that differs: weak.
    PhoneTail,
    /// The same address of a role or a throw-away service, and no name that differs: weak.
    EmailWeak,
}

impl Rule {
    /// Every rule, in the default order of precedence.
    pub const ALL: [Self; 10] = [
        Self::DocumentExact,
        Self::DocumentDerived,
        Self::PhoneExact,
        Self::PhoneAlias,
        Self::EmailExact,
        Self::EmailAlias,
        Self::PlateName,
        Self::NameBirthDate,
        Self::PhoneTail,
        Self::EmailWeak,
    ];

    /// Returns the rule of a strong key of this kind and form.
    #[must_use]
    pub fn of(kind: KeyKind, form: KeyForm) -> Self {
        match (kind, form) {
            (KeyKind::DOCUMENT, KeyForm::Exact) => Self::DocumentExact,
            (KeyKind::DOCUMENT, _) => Self::DocumentDerived,
            (KeyKind::PHONE, KeyForm::Exact) => Self::PhoneExact,
            (KeyKind::PHONE, _) => Self::PhoneAlias,
            (_, KeyForm::Exact) => Self::EmailExact,
            _ => Self::EmailAlias,
        }
    }

    /// Returns the name that is written to files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DocumentExact => "DOCUMENT_EXACT",
            Self::DocumentDerived => "DOCUMENT_DERIVED",
            Self::PhoneExact => "PHONE_EXACT",
            Self::PhoneAlias => "PHONE_ALIAS",
            Self::EmailExact => "EMAIL_EXACT",
            Self::EmailAlias => "EMAIL_ALIAS",
            Self::PlateName => "PLATE_NAME",
            Self::NameBirthDate => "NAME_BIRTH_DATE",
            Self::PhoneTail => "PHONE_TAIL",
            Self::EmailWeak => "EMAIL_WEAK",
        }
    }

    /// Returns the kind of key of a strong rule.
    #[must_use]
    pub fn kind(self) -> Option<KeyKind> {
        match self {
            Self::DocumentExact | Self::DocumentDerived => Some(KeyKind::DOCUMENT),
            Self::PhoneExact | Self::PhoneAlias => Some(KeyKind::PHONE),
            Self::EmailExact | Self::EmailAlias => Some(KeyKind::EMAIL),
            _ => None,
        }
    }

    /// Tells whether both sides hold the key itself, neither derived nor as an alias.
    #[must_use]
    pub fn is_exact(self) -> bool {
        matches!(self, Self::DocumentExact | Self::PhoneExact | Self::EmailExact)
    }

    /// Tells whether the rule rests on weak evidence, which no default policy accepts.
    #[must_use]
    pub fn is_weak(self) -> bool {
        self.kind().is_none()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Grades how far an accepted match may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Confidence {
    /// To be looked at by a person before anything depends on it.
    Low,
    /// Likely right; an equivalence or weak evidence stands behind it.
    Medium,
    /// The same identifier on both sides.
    High,
}

impl Confidence {
    /// Returns the name that is written to files and tables: `low`, `medium` or `high`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Says why a subject was not matched.
///
/// Written in upper snake case; reading also accepts lower case and the synonyms `no_match_found` and
/// `missing_identifiers` that older tables hold.
///
/// ```
/// use identity_matching::UnmatchedReason;
///
/// assert_eq!("no_match_found".parse(), Ok(UnmatchedReason::NoCandidates));
/// assert_eq!(UnmatchedReason::WeakMatchOnly.to_string(), "WEAK_MATCH_ONLY");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
#[non_exhaustive]
pub enum UnmatchedReason {
    /// Several persons fit and none of them stands out.
    ConflictMultipleCandidates,
    /// Persons fit by weak evidence alone.
    WeakMatchOnly,
    /// The subject has a usable strong key, and nobody holds it.
    NoCandidates,
    /// The subject has no usable strong key.
    MissingIdentifiers,
}

impl UnmatchedReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::ConflictMultipleCandidates,
        Self::WeakMatchOnly,
        Self::NoCandidates,
        Self::MissingIdentifiers,
    ];

    /// Returns the code that is written to files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConflictMultipleCandidates => "CONFLICT_MULTIPLE_CANDIDATES",
            Self::WeakMatchOnly => "WEAK_MATCH_ONLY",
            Self::NoCandidates => "NO_CANDIDATES",
            Self::MissingIdentifiers => "MISSING_IDENTIFIERS",
        }
    }
}

impl fmt::Display for UnmatchedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<UnmatchedReason> for &'static str {
    fn from(reason: UnmatchedReason) -> Self {
        reason.as_str()
    }
}

impl FromStr for UnmatchedReason {
    type Err = UnknownReason;

    fn from_str(code: &str) -> Result<Self, UnknownReason> {
        if code.eq_ignore_ascii_case("no_match_found") {
            return Ok(Self::NoCandidates);
        }
        Self::ALL
            .into_iter()
            .find(|reason| code.eq_ignore_ascii_case(reason.as_str()))
            .ok_or_else(|| UnknownReason { code: code.chars().take(64).collect() })
    }
}

impl TryFrom<String> for UnmatchedReason {
    type Error = UnknownReason;

    fn try_from(code: String) -> Result<Self, UnknownReason> {
        code.parse()
    }
}

/// Reports a reason code that this crate does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown reason code {code:?}: use CONFLICT_MULTIPLE_CANDIDATES, WEAK_MATCH_ONLY, NO_CANDIDATES or MISSING_IDENTIFIERS"
)]
pub struct UnknownReason {
    /// What was read, cut to 64 characters.
    pub code: String,
}

/// Says what was decided about one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Outcome {
    /// One person, by one rule.
    Matched {
        /// The person's key, as the population wrote it.
        person: String,
        /// The rule that decided.
        rule: Rule,
        /// What the policy grants that rule.
        confidence: Confidence,
    },
    /// Nobody that may be accepted.
    Unmatched {
        /// Why not.
        reason: UnmatchedReason,
        /// Keys of the persons that came into question, in order: all of a conflict's, and of weak
        /// evidence's.
        candidates: Vec<String>,
    },
}

impl Outcome {
    /// Returns the matched person's key.
    #[must_use]
    pub fn person(&self) -> Option<&str> {
        match self {
            Self::Matched { person, .. } => Some(person),
            Self::Unmatched { .. } => None,
        }
    }

    /// Returns the deciding rule of a match.
    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        match self {
            Self::Matched { rule, .. } => Some(*rule),
            Self::Unmatched { .. } => None,
        }
    }

    /// Returns why there is no match.
    #[must_use]
    pub fn reason(&self) -> Option<UnmatchedReason> {
        match self {
            Self::Matched { .. } => None,
            Self::Unmatched { reason, .. } => Some(*reason),
        }
    }

    /// Returns `MATCHED` or the reason code: one word for each of the five outcomes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.reason().map_or("MATCHED", UnmatchedReason::as_str)
    }
}
