//! Kinds of identifiers, by their codes.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A kind of identifier, by its code: `document`, `phone`, `email`, or one of a service's own.
///
/// A code has one to ten lower-case letters, digits and `_`, and begins with a letter. It stands in policies,
/// evidence and stored keys, so it must not change once keys are stored. The built-in kinds come first in
/// order, as documents, phones, e-mails.
///
/// ```
/// use identity_matching::KeyKind;
///
/// let loyalty: KeyKind = "loyalty".parse()?;
/// assert_eq!(loyalty.as_str(), "loyalty");
/// assert!(KeyKind::EMAIL < loyalty);
/// assert!("Loyalty card".parse::<KeyKind>().is_err());
/// # Ok::<(), identity_matching::KindCodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct KeyKind {
    /// The code, and zeros behind it.
    code: [u8; Self::MAX_LENGTH],
}

impl KeyKind {
    /// The greatest length of a code.
    pub const MAX_LENGTH: usize = 10;

    /// A national document, tax number or passport.
    pub const DOCUMENT: Self = Self::known("document");
    /// A telephone number.
    pub const PHONE: Self = Self::known("phone");
    /// An e-mail address.
    pub const EMAIL: Self = Self::known("email");

    /// The kinds that are always there, in the default order of precedence.
    pub const BUILT_IN: [Self; 3] = [Self::DOCUMENT, Self::PHONE, Self::EMAIL];

    /// Codes that mean something else where kinds are named.
    const RESERVED: [&'static str; 3] = ["name", "plate", "birth_date"];

    /// Makes a kind from its code.
    ///
    /// # Errors
    ///
    /// [`KindCodeError`] for a code that is none.
    pub fn new(code: &str) -> Result<Self, KindCodeError> {
        let first = code.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = code.bytes().all(|byte| digit(byte).is_some());
        if !first || !rest || code.len() > Self::MAX_LENGTH || Self::RESERVED.contains(&code) {
            return Err(KindCodeError { code: code.chars().take(40).collect() });
        }
        Ok(Self::known(code))
    }

    const fn known(code: &str) -> Self {
        let mut bytes = [0; Self::MAX_LENGTH];
        let mut at = 0;
        while at < code.len() {
            bytes[at] = code.as_bytes()[at];
            at += 1;
        }
        Self { code: bytes }
    }

    /// Returns the code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let length = self.code.iter().position(|&byte| byte == 0).unwrap_or(Self::MAX_LENGTH);
        std::str::from_utf8(&self.code[..length]).expect("codes are ASCII")
    }

    /// Tells whether the kind is one of [`BUILT_IN`](Self::BUILT_IN).
    #[must_use]
    pub fn is_built_in(self) -> bool {
        Self::BUILT_IN.contains(&self)
    }

    /// Returns the code as an integer below 2⁵³, which no other code has.
    pub(super) fn packed(self) -> u64 {
        self.code.iter().fold(0, |packed, &byte| packed * 38 + digit(byte).unwrap_or(0))
    }

    /// Makes the kind anew from [`packed`](Self::packed).
    pub(super) fn unpacked(mut packed: u64) -> Option<Self> {
        let mut code = [0; Self::MAX_LENGTH];
        for byte in code.iter_mut().rev() {
            *byte = match packed % 38 {
                0 => 0,
                letter @ 1..=26 => b'a' + u8::try_from(letter - 1).ok()?,
                digit @ 27..=36 => b'0' + u8::try_from(digit - 27).ok()?,
                _ => b'_',
            };
            packed /= 38;
        }
        let length = code.iter().position(|&byte| byte == 0).unwrap_or(Self::MAX_LENGTH);
        let whole = packed == 0 && code[length..].iter().all(|&byte| byte == 0);
        Self::new(std::str::from_utf8(&code[..length]).ok()?).ok().filter(|_| whole)
    }
}

/// Returns the value of a sign of a code, from 1 to 37.
fn digit(byte: u8) -> Option<u64> {
    match byte {
        b'a'..=b'z' => Some(u64::from(byte - b'a') + 1),
        b'0'..=b'9' => Some(u64::from(byte - b'0') + 27),
        b'_' => Some(37),
        _ => None,
    }
}

impl Ord for KeyKind {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let place = |kind: &Self| Self::BUILT_IN.iter().position(|one| one == kind).unwrap_or(3);
        place(self).cmp(&place(other)).then_with(|| self.code.cmp(&other.code))
    }
}

impl PartialOrd for KeyKind {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyKind({self})")
    }
}

impl AsRef<str> for KeyKind {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for KeyKind {
    type Err = KindCodeError;

    fn from_str(code: &str) -> Result<Self, KindCodeError> {
        Self::new(code)
    }
}

impl TryFrom<Cow<'_, str>> for KeyKind {
    type Error = KindCodeError;

    fn try_from(code: Cow<'_, str>) -> Result<Self, KindCodeError> {
        Self::new(&code)
    }
}

impl From<KeyKind> for String {
    fn from(kind: KeyKind) -> Self {
        kind.as_str().to_owned()
    }
}

/// Reports a text that is no code of a kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{code}` is no code of a kind: use one to ten of a–z, 0–9 and `_`, a letter first, and none of name, plate, \
     birth_date"
)]
#[non_exhaustive]
pub struct KindCodeError {
    /// What was given, cut after forty characters.
    pub code: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_packing() {
        for code in ["a", "iban", "loyalty", "z_9_______", "zzzzzzzzzz", "a000000000"] {
            let kind = KeyKind::new(code).unwrap();
            assert!(kind.packed() < 1 << 53, "{code}");
            assert_eq!(KeyKind::unpacked(kind.packed()), Some(kind), "{code}");
        }
        assert_eq!(KeyKind::unpacked(0), None);
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for code in ["", "9a", "_a", "abcdefghijk", "IBAN", "a b", "ñ", "name"] {
            assert!(KeyKind::new(code).is_err(), "{code}");
        }
    }
}
