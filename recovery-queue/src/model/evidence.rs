//! The evidence behind a decision.

use std::fmt;

use crate::model::error::ConfigError;

/// Evidence as JSON: what a decision rests on, with identifiers masked.
///
/// Whatever is stored as evidence can be read as JSON again, so this is made of JSON only.
///
/// ```
/// use recovery_queue::Evidence;
///
/// assert_eq!(Evidence::parse(r#"{"rule":"PHONE_EXACT"}"#)?.as_str(), r#"{"rule":"PHONE_EXACT"}"#);
/// assert_eq!(Evidence::from(serde_json::json!({ "candidates": 2 })).as_str(), r#"{"candidates":2}"#);
/// assert!(Evidence::parse("two candidates").is_err());
/// # Ok::<(), recovery_queue::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence(String);

impl Evidence {
    /// Takes a text that is JSON.
    ///
    /// # Errors
    /// Any other text, and one with a NUL byte, which PostgreSQL cannot store.
    pub fn parse(json: impl Into<String>) -> Result<Self, ConfigError> {
        let json = json.into();
        let refused = |reason| {
            Err(ConfigError::new("evidence", "…", reason, "write JSON, with identifiers masked"))
        };
        if json.contains('\0') {
            return refused("it holds a NUL byte".to_owned());
        }
        // The message names the place and never the text.
        match serde_json::from_str::<serde::de::IgnoredAny>(&json) {
            Ok(_) => Ok(Self(json)),
            Err(error) => refused(format!(
                "it is no JSON at line {}, column {}",
                error.line(),
                error.column()
            )),
        }
    }

    /// Takes a text that a JSON writer of ours made.
    #[cfg(feature = "identity-matching")]
    pub(crate) fn written(json: String) -> Self {
        Self(json)
    }

    /// Gives the JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the JSON as an owned text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl From<serde_json::Value> for Evidence {
    fn from(value: serde_json::Value) -> Self {
        // A NUL byte is written as an escape, and an escape is what PostgreSQL's text can hold.
        Self(value.to_string())
    }
}

/// Evidence may name persons: its text stays out of logs.
impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Evidence({} bytes)", self.0.len())
    }
}
