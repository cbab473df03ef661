//! The keys of leads, persons and runs.

use std::fmt;

use serde::Serialize;

/// The longest key that a store accepts, in bytes of UTF-8.
///
/// An index entry of PostgreSQL holds about 2,700 bytes; a key far below that is refused here, where the
/// message can name it, and not by the server.
pub const MAX_KEY_BYTES: usize = 512;

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is empty.
    #[error("a {what} is empty; give every row one")]
    Empty {
        /// Which kind of key.
        what: &'static str,
    },
    /// The text is longer than [`MAX_KEY_BYTES`].
    #[error(
        "a {what} has {bytes} bytes; at most {MAX_KEY_BYTES} are stored; use a shorter key or its digest"
    )]
    TooLong {
        /// Which kind of key.
        what: &'static str,
        /// Its length in bytes of UTF-8.
        bytes: usize,
    },
    /// The text holds a NUL byte, which PostgreSQL cannot store.
    #[error("a {what} holds a NUL byte, which PostgreSQL cannot store; remove it at the source")]
    NulByte {
        /// Which kind of key.
        what: &'static str,
    },
}

fn check(what: &'static str, text: &str) -> Result<(), KeyError> {
    if text.is_empty() {
        return Err(KeyError::Empty { what });
    }
    if text.len() > MAX_KEY_BYTES {
        return Err(KeyError::TooLong { what, bytes: text.len() });
    }
    if text.contains('\0') {
        return Err(KeyError::NulByte { what });
    }
    Ok(())
}

macro_rules! text_key {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes over a text that was checked on its way into the store.
            #[cfg(any(feature = "sqlite", feature = "postgres"))]
            pub(crate) fn stored(text: String) -> Self {
                Self(text.into())
            }

            #[doc = concat!("Checks a text and makes it a ", $what, ".")]
            ///
            /// # Errors
            /// An empty text, one longer than [`MAX_KEY_BYTES`], and one with a NUL byte are refused.
            pub fn new(text: impl Into<Box<str>>) -> Result<Self, KeyError> {
                let text = text.into();
                check($what, &text)?;
                Ok(Self(text))
            }

            /// Gives the text, byte for byte as it came in.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = KeyError;

            fn from_str(text: &str) -> Result<Self, KeyError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), &self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_key! {
    /// Names a lead: `COALESCE(external_id, id)` as text, byte for byte.
    ///
    /// No case folding, no trimming: two texts that differ in one byte are two leads.
    ///
    /// ```
    /// use recovery_queue::SourcePk;
    ///
    /// assert_eq!(SourcePk::new("L-1")?.as_str(), "L-1");
    /// assert!(SourcePk::new("").is_err());
    /// # Ok::<(), recovery_queue::KeyError>(())
    /// ```
    SourcePk, "lead key"
}

text_key! {
    /// Names a person: a UUID or any other text, byte for byte.
    PersonKey, "person key"
}

/// Numbers a run of seeding or recovering; ascending in one store, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RunId(pub(crate) i64);

impl RunId {
    /// The run of a store that records none.
    pub const UNRECORDED: Self = Self(0);

    /// Takes the number that a store gave a run.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Gives the number, as the column `run_id` holds it.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_every_byte() {
        for text in [" a ", "ÁÉ", "a\u{301}", "0012", "l-1"] {
            assert_eq!(SourcePk::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_key_too_long_is_refused_with_its_length() {
        let error = PersonKey::new("x".repeat(513)).unwrap_err();
        assert!(error.to_string().contains("513"), "{error}");
    }

    #[test]
    fn a_nul_byte_is_refused() {
        assert!(SourcePk::new("a\0b").is_err());
    }
}
