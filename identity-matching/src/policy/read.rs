//! Policies read from text.

use super::{Policy, PolicyError, former};

impl Policy {
    /// Reads rules from JSON and checks them; a field left out takes its default, an unknown one is refused.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Syntax`] with line and column, or what [`Policy::new`] refuses.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let rules = serde_json::from_str(text).map_err(|error| {
            let former = serde_json::from_str(text).ok().map(former::translate);
            former.unwrap_or_else(|| PolicyError::Syntax { reason: error.to_string() })
        })?;
        Self::new(rules)
    }

    /// Reads rules from TOML and checks them; a field left out takes its default, an unknown one is refused.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Syntax`] with the place, or what [`Policy::new`] refuses.
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let rules = toml::from_str(text).map_err(|error: toml::de::Error| {
            let former = toml::from_str(text).ok().map(former::translate);
            // The parser's own words repeat the line, and a policy may list identifiers.
            let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            former.unwrap_or_else(|| PolicyError::Syntax {
                reason: format!("line {line}: {}", error.message()),
            })
        })?;
        Self::new(rules)
    }
}
