//! What a rule asks of a candidate, as it is written: `document exact`, `name >= 0.8`, `birth_date`.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::key::KeyKind;

/// Reports a condition that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no condition: write {expected}")]
#[non_exhaustive]
pub struct ConditionError {
    /// What was read, cut to 64 characters.
    pub text: String,
    /// What can be written in its place.
    pub expected: &'static str,
}

fn no(text: &str, expected: &'static str) -> ConditionError {
    ConditionError { text: text.chars().take(64).collect(), expected }
}

/// A strong key that subject and person must share: `phone`, or `phone exact` where neither side may hold it as a
/// derived or alias key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct Require {
    /// The kind of the key.
    pub kind: KeyKind,
    /// Whether both sides must hold the key itself.
    pub exact: bool,
}

impl Require {
    /// Requires a key of a kind in any form.
    #[must_use]
    pub const fn any(kind: KeyKind) -> Self {
        Self { kind, exact: false }
    }

    /// Requires a key of a kind that both sides hold exactly.
    #[must_use]
    pub const fn exact(kind: KeyKind) -> Self {
        Self { kind, exact: true }
    }
}

impl FromStr for Require {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let expected =
            "the code of a kind, as in `phone`, or with `exact` behind it, as in `phone exact`";
        let mut words = text.split_whitespace();
        let kind = words.next().and_then(|code| KeyKind::new(code).ok());
        match (kind, words.next(), words.next()) {
            (Some(kind), None, _) => Ok(Self::any(kind)),
            (Some(kind), Some("exact"), None) => Ok(Self::exact(kind)),
            _ => Err(no(text, expected)),
        }
    }
}

impl fmt::Display for Require {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, if self.exact { " exact" } else { "" })
    }
}

/// Weak evidence on which subject and person must agree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
#[non_exhaustive]
pub enum Agree {
    /// `name >= 0.8`: both give a name, and the names are so similar.
    Name(f64),
    /// `name >= 0.8 where given`: names that both give are so similar.
    NameWhereGiven(f64),
    /// `birth_date`: the same date of birth.
    BirthDate,
    /// `plate`: the same vehicle plate.
    Plate,
    /// `phone_tail`: the same last digits of a phone of one country.
    PhoneTail,
    /// `address`: the same address of a role or a throw-away service.
    Address,
}

impl Agree {
    /// Returns the word that stands for the evidence in the name of a rule.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Name(_) | Self::NameWhereGiven(_) => "NAME",
            Self::BirthDate => "BIRTH_DATE",
            Self::Plate => "PLATE",
            Self::PhoneTail => "PHONE_TAIL",
            Self::Address => "ADDRESS",
        }
    }

    /// Tells whether a candidate that satisfies `other` satisfies this too.
    pub(crate) fn follows_from(self, other: Self) -> bool {
        match (self, other) {
            (Self::Name(least), Self::Name(given))
            | (Self::NameWhereGiven(least), Self::Name(given) | Self::NameWhereGiven(given)) => {
                given >= least
            }
            (one, other) => one == other,
        }
    }

    /// Returns the least similarity of names, where the condition has one.
    pub(crate) const fn ratio(self) -> Option<f64> {
        match self {
            Self::Name(least) | Self::NameWhereGiven(least) => Some(least),
            _ => None,
        }
    }
}

impl FromStr for Agree {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let expected = "`name >= 0.8`, `name >= 0.8 where given`, `birth_date`, `plate`, `phone_tail` or `address`";
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["birth_date"] => Ok(Self::BirthDate),
            ["plate"] => Ok(Self::Plate),
            ["phone_tail"] => Ok(Self::PhoneTail),
            ["address"] => Ok(Self::Address),
            ["name", ">=", least] => least.parse().map(Self::Name).map_err(|_| no(text, expected)),
            ["name", ">=", least, "where", "given"] => {
                least.parse().map(Self::NameWhereGiven).map_err(|_| no(text, expected))
            }
            _ => Err(no(text, expected)),
        }
    }
}

impl fmt::Display for Agree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(least) => write!(f, "name >= {least}"),
            Self::NameWhereGiven(least) => write!(f, "name >= {least} where given"),
            Self::BirthDate => f.write_str("birth_date"),
            Self::Plate => f.write_str("plate"),
            Self::PhoneTail => f.write_str("phone_tail"),
            Self::Address => f.write_str("address"),
        }
    }
}

/// What subject and person both give, and give differently.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
#[non_exhaustive]
pub enum Differ {
    /// The code of an exclusive kind: both have a value of it (a document of one country and type), and share none.
    Kind(KeyKind),
    /// `birth_date`: another date of birth.
    BirthDate,
    /// `name < 0.5`: names that are less similar.
    Name(f64),
}

impl Differ {
    /// Tells whether a candidate of which `other` is true satisfies this too.
    pub(crate) fn follows_from(self, other: Self) -> bool {
        match (self, other) {
            (Self::Name(below), Self::Name(given)) => given <= below,
            (one, other) => one == other,
        }
    }
}

impl FromStr for Differ {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let expected =
            "the code of an exclusive kind, as in `document`, `birth_date` or `name < 0.5`";
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["birth_date"] => Ok(Self::BirthDate),
            ["name", "<", below] => below.parse().map(Self::Name).map_err(|_| no(text, expected)),
            [code] => KeyKind::new(code).map(Self::Kind).map_err(|_| no(text, expected)),
            _ => Err(no(text, expected)),
        }
    }
}

impl fmt::Display for Differ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::BirthDate => f.write_str("birth_date"),
            Self::Name(below) => write!(f, "name < {below}"),
        }
    }
}

macro_rules! as_text {
    ($($condition:ty),*) => {$(
        impl TryFrom<Cow<'_, str>> for $condition {
            type Error = ConditionError;

            fn try_from(text: Cow<'_, str>) -> Result<Self, ConditionError> {
                text.parse()
            }
        }

        impl From<$condition> for String {
            fn from(condition: $condition) -> Self {
                condition.to_string()
            }
        }
    )*};
}
as_text!(Require, Agree, Differ);
