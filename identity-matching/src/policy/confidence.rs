//! How far a match may be trusted.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

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

impl FromStr for Confidence {
    type Err = UnknownConfidence;

    fn from_str(name: &str) -> Result<Self, UnknownConfidence> {
        let all = [Self::Low, Self::Medium, Self::High];
        all.into_iter()
            .find(|grade| grade.as_str() == name)
            .ok_or_else(|| UnknownConfidence { name: name.chars().take(64).collect() })
    }
}

/// Reports a word that is no grade.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown grade {name:?}: use low, medium or high")]
pub struct UnknownConfidence {
    /// What was read, cut to 64 characters.
    pub name: String,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
