//! Values that give no key, each with its reason.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ValueSource;

/// One value of a record that gives no key, and why; or what is odd about a key that it gives.
///
/// The value itself is not repeated: [`Unusable::source`] points at it in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unusable {
    /// Which value.
    pub source: ValueSource,
    /// Why it gives no key.
    pub reason: UnusableReason,
}

impl Unusable {
    /// Makes the finding of a matcher of one's own.
    #[must_use]
    pub const fn new(source: ValueSource, reason: UnusableReason) -> Self {
        Self { source, reason }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.source.field, self.source.position + 1, self.reason)
    }
}

/// Why a value gives no key, or what is odd about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum UnusableReason {
    /// Nothing but blanks and invisible characters, in a field that says there should be more.
    Blank,
    /// Longer than any identifier; the value was not read further.
    TooLong,
    /// A filler such as one digit repeated, a run, `test@…`, `no tiene`, or a listed value.
    Placeholder,
    /// No identifier of this kind is written so.
    Malformed,
    /// The value is local and no region was given to read it by.
    NoRegion,
    /// The region or country code is not assigned.
    UnknownRegion,
    /// The number of digits or characters fits no number of this kind.
    WrongLength,
    /// Letters or digits stand where the type has none.
    WrongAlphabet,
    /// The check digit or letter does not fit the rest.
    WrongCheckDigit,
    /// The form is right, but the value is not assigned: no such prefix, date or series.
    NotAssigned,
    /// The numbering plan of the country is not built in; the feature `phone-metadata` knows all.
    UnknownPlan,
    /// None of the country's types fits an untyped number.
    NoTypeFits,
    /// A spreadsheet rounded the number: its last digits are lost.
    Rounded,
    /// The value can be read as several identifiers, and nothing in it says which.
    Ambiguous,
    /// The domain of the address looks like a typing error; it is a key as it was written.
    LikelyTypo,
    /// Letters of another script that look Latin stand in the address; it is a key as it was written.
    MixedScripts,
    /// The address is one of a role and not of a person, such as `info@…`, and the options refuse it.
    RoleAddress,
    /// The address belongs to a throw-away service.
    DisposableAddress,
    /// The normaliser reads no values of the kind.
    UnknownKind,
}

impl UnusableReason {
    /// Lists all reasons.
    pub const ALL: [Self; 19] = [
        Self::Blank,
        Self::TooLong,
        Self::Placeholder,
        Self::Malformed,
        Self::NoRegion,
        Self::UnknownRegion,
        Self::WrongLength,
        Self::WrongAlphabet,
        Self::WrongCheckDigit,
        Self::NotAssigned,
        Self::UnknownPlan,
        Self::NoTypeFits,
        Self::Rounded,
        Self::Ambiguous,
        Self::LikelyTypo,
        Self::MixedScripts,
        Self::RoleAddress,
        Self::DisposableAddress,
        Self::UnknownKind,
    ];

    /// Says whether the value gave a key all the same, so that the reason tells what is odd about it.
    ///
    /// ```
    /// use identity_matching::UnusableReason;
    /// assert!(UnusableReason::LikelyTypo.gives_key() && !UnusableReason::WrongLength.gives_key());
    /// ```
    #[must_use]
    pub const fn gives_key(self) -> bool {
        matches!(self, Self::LikelyTypo | Self::MixedScripts)
    }

    /// Returns the reason code in upper snake case, such as `WRONG_CHECK_DIGIT`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Blank => "BLANK",
            Self::TooLong => "TOO_LONG",
            Self::Placeholder => "PLACEHOLDER",
            Self::Malformed => "MALFORMED",
            Self::NoRegion => "NO_REGION",
            Self::UnknownRegion => "UNKNOWN_REGION",
            Self::WrongLength => "WRONG_LENGTH",
            Self::WrongAlphabet => "WRONG_ALPHABET",
            Self::WrongCheckDigit => "WRONG_CHECK_DIGIT",
            Self::NotAssigned => "NOT_ASSIGNED",
            Self::UnknownPlan => "UNKNOWN_PLAN",
            Self::NoTypeFits => "NO_TYPE_FITS",
            Self::Rounded => "ROUNDED",
            Self::Ambiguous => "AMBIGUOUS",
            Self::LikelyTypo => "LIKELY_TYPO",
            Self::MixedScripts => "MIXED_SCRIPTS",
            Self::RoleAddress => "ROLE_ADDRESS",
            Self::DisposableAddress => "DISPOSABLE_ADDRESS",
            Self::UnknownKind => "UNKNOWN_KIND",
        }
    }

    /// Returns one sentence that says what is wrong and what would make the value usable.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Blank => "the field is blank; leave out its type and country too, or fill it in",
            Self::TooLong => {
                "the value is longer than any identifier; give one identifier per value"
            }
            Self::Placeholder => "the value is a filler; ask for the real one or leave it empty",
            Self::Malformed => "the value is not written like an identifier of this kind",
            Self::NoRegion => "the value is local; give a default region or its country",
            Self::UnknownRegion => "the country is unknown; give an ISO 3166-1 alpha-2 code",
            Self::WrongLength => "the value is too short or too long for its type or country",
            Self::WrongAlphabet => "letters or digits stand where the type has none",
            Self::WrongCheckDigit => "the check digit does not fit; look for a typing error",
            Self::NotAssigned => "no such number is assigned; look for a typing error",
            Self::UnknownPlan => {
                "this build does not know the country's numbering plan; build with the feature phone-metadata"
            }
            Self::NoTypeFits => "no document type of the country fits; give the type",
            Self::Rounded => {
                "a spreadsheet rounded the number and its last digits are lost; export the column as text"
            }
            Self::Ambiguous => {
                "the value can be read as several identifiers; write the one that is meant, with its country code or type"
            }
            Self::LikelyTypo => {
                "the domain looks like a typing error for a great provider's; ask for the address again"
            }
            Self::MixedScripts => {
                "letters of another script that look Latin stand in the address; ask for it again"
            }
            Self::RoleAddress => "the address belongs to a role, not to a person",
            Self::DisposableAddress => "the address belongs to a throw-away service",
            Self::UnknownKind => "no such kind of identifier is known; add it to the normaliser",
        }
    }
}

impl fmt::Display for UnusableReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.remedy())
    }
}

impl std::error::Error for UnusableReason {}

impl FromStr for UnusableReason {
    type Err = UnknownUnusableReason;

    fn from_str(code: &str) -> Result<Self, UnknownUnusableReason> {
        let mut all = Self::ALL.into_iter();
        all.find(|reason| reason.code() == code)
            .ok_or_else(|| UnknownUnusableReason { code: code.chars().take(64).collect() })
    }
}

impl TryFrom<&str> for UnusableReason {
    type Error = UnknownUnusableReason;

    fn try_from(code: &str) -> Result<Self, UnknownUnusableReason> {
        code.parse()
    }
}

/// Reports a code that names no reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown reason {code:?}: use a code such as WRONG_CHECK_DIGIT")]
#[non_exhaustive]
pub struct UnknownUnusableReason {
    /// What was read, cut to 64 characters.
    pub code: String,
}
