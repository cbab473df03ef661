//! Personal names as weak evidence.

use std::fmt;

/// Is a folded personal name, comparable by [`Name::similarity`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

impl Name {
    /// Folds a name; nothing when no letter is left.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let folded = raw.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        (!folded.is_empty()).then_some(Self(folded))
    }

    /// Returns the folded name: personal data.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Measures how alike two names are, from 0 (nothing shared) to 1 (the same).
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f64 {
        if self == other { 1.0 } else { 0.0 }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(…)")
    }
}
