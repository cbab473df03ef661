//! What became of a candidate.

use serde::{Deserialize, Serialize};

/// What became of a candidate, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Standing {
    /// It is the match.
    Matched,
    /// It fits as well as another one.
    Conflicting,
    /// Another one agrees on more.
    Outranked,
    /// It has another value of an exclusive kind: of documents, one of the same country and type.
    DocumentContradicts,
    /// It has another date of birth.
    BirthDateContradicts,
    /// It has another name.
    NameContradicts,
    /// It shares only keys that many persons hold, or an organisation's, or holds what may have been meant.
    SharedOnly,
    /// It shares keys only by rules that the policy does not accept.
    NotAccepted,
    /// It was found by weak evidence.
    Weak,
    /// Nothing speaks for it.
    Unrelated,
}

impl Standing {
    /// Returns one clause that says why the person is, or is not, the match.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Matched => "is the match",
            Self::Conflicting => "fits as well as another candidate",
            Self::Outranked => "agrees on less than the match",
            Self::DocumentContradicts => "has another value of a kind of which a person has one",
            Self::BirthDateContradicts => "has another date of birth",
            Self::NameContradicts => "has another name",
            Self::SharedOnly => {
                "shares only keys that many persons hold, an organisation's, or what may have been meant"
            }
            Self::NotAccepted => "shares keys only by rules that the policy does not accept",
            Self::Weak => "was found by weak evidence",
            Self::Unrelated => "shares nothing that a rule asks for",
        }
    }
}
