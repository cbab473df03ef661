//! What is decided of a subject.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::policy::{Confidence, Rule};

/// Why a subject was not matched.
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

/// What was decided about one subject.
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
    pub fn rule(&self) -> Option<&Rule> {
        match self {
            Self::Matched { rule, .. } => Some(rule),
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
