//! The names of rules.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// The name of the rule that decided a match, such as `PHONE_EXACT`.
///
/// One to 64 capital letters, digits, `_` and `+`, a letter first. A policy names its rules; where several persons
/// fitted and weak evidence chose among them, the name joins both: `PHONE_EXACT+NAME_BIRTH_DATE`. Cloning
/// allocates nothing.
///
/// ```
/// use identity_matching::Rule;
///
/// assert_eq!("PHONE_EXACT".parse(), Ok(Rule::PHONE_EXACT));
/// assert!("phone exact".parse::<Rule>().is_err());
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct Rule(Text);

#[derive(Clone)]
enum Text {
    Known(&'static str),
    Shared(Arc<str>),
}

impl Rule {
    /// Both sides carry the same document.
    pub const DOCUMENT_EXACT: Self = Self::known("DOCUMENT_EXACT");
    /// One side carries the document inside another one or in an equivalent form.
    pub const DOCUMENT_DERIVED: Self = Self::known("DOCUMENT_DERIVED");
    /// Both sides carry the same E.164 number.
    pub const PHONE_EXACT: Self = Self::known("PHONE_EXACT");
    /// Both sides carry the same subscriber in different written forms.
    pub const PHONE_ALIAS: Self = Self::known("PHONE_ALIAS");
    /// Both sides carry the same mailbox.
    pub const EMAIL_EXACT: Self = Self::known("EMAIL_EXACT");
    /// The same vehicle plate and a similar name: weak.
    pub const PLATE_NAME: Self = Self::known("PLATE_NAME");
    /// The same birth date and a similar name: weak.
    pub const NAME_BIRTH_DATE: Self = Self::known("NAME_BIRTH_DATE");
    /// The same last digits of a phone, and no name that differs: weak.
    pub const PHONE_TAIL: Self = Self::known("PHONE_TAIL");
    /// The same address of a role or a throw-away service, and no name that differs: weak.
    pub const EMAIL_WEAK: Self = Self::known("EMAIL_WEAK");

    const fn known(name: &'static str) -> Self {
        Self(Text::Known(name))
    }

    /// Makes the name of a rule.
    ///
    /// # Errors
    ///
    /// [`RuleNameError`] for a text that is none.
    pub fn new(name: &str) -> Result<Self, RuleNameError> {
        let sign = |byte: u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'+');
        let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
        if first && name.len() <= 64 && name.bytes().all(sign) {
            Ok(Self(Text::Shared(name.into())))
        } else {
            Err(RuleNameError { name: name.chars().take(64).collect() })
        }
    }

    /// Joins this name and another, which chose among several persons.
    pub(crate) fn with(&self, other: &str) -> Self {
        Self(Text::Shared(format!("{self}+{other}").into()))
    }

    /// Returns the name that is written to files and tables.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Known(name) => name,
            Text::Shared(name) => name,
        }
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Rule {}

impl PartialOrd for Rule {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rule {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::hash::Hash for Rule {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({self})")
    }
}

impl AsRef<str> for Rule {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for Rule {
    type Err = RuleNameError;

    fn from_str(name: &str) -> Result<Self, RuleNameError> {
        Self::new(name)
    }
}

impl TryFrom<&str> for Rule {
    type Error = RuleNameError;

    fn try_from(name: &str) -> Result<Self, RuleNameError> {
        Self::new(name)
    }
}

impl TryFrom<Cow<'_, str>> for Rule {
    type Error = RuleNameError;

    fn try_from(name: Cow<'_, str>) -> Result<Self, RuleNameError> {
        Self::new(&name)
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.as_str().to_owned()
    }
}

/// Reports a text that is no name of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no name of a rule: use 1 to 64 of A–Z, 0–9, `_` and `+`, a letter first")]
#[non_exhaustive]
pub struct RuleNameError {
    /// What was given, cut to 64 characters.
    pub name: String,
}
