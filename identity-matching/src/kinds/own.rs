//! Kinds of a service's own: as data, or as a closure.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{IdentifierKind, RawValue, Sink};
use crate::{
    key::UnusableReason,
    key::{KeyForm, KeyKind, Reading},
    text::{self, LONGEST_VALUE, Region, filler},
};

/// A kind of a service's own, read by rules that are data or by a closure.
///
/// ```
/// use identity_matching::{
///     Characters, CheckDigits, KeyForm, NormaliseOptions, Normaliser, OwnKind, OwnKindRules, Record,
/// };
///
/// // An International Bank Account Number (ISO 13616): letters and digits, two of them check digits.
/// let iban = OwnKind::new(OwnKindRules {
///     lengths: (15, 34),
///     characters: Characters::LettersAndDigits,
///     check: CheckDigits::Iban,
///     ..OwnKindRules::of("iban".parse()?)
/// })?;
/// // A device, by what its own service says of it.
/// let device = OwnKind::reading("device".parse()?, |value, sink| match value.strip_prefix("dev-") {
///     Some(number) => sink.key(&number.to_ascii_lowercase(), KeyForm::Exact),
///     None => sink.unusable(identity_matching::UnusableReason::Malformed),
/// });
/// let options = NormaliseOptions::default().with_kind(iban)?.with_kind(device)?;
/// let lead = Record::default()
///     .with("iban".parse()?, "ES91 2100 0418 4502 0005 1332")
///     .with("device".parse()?, "dev-00FF17");
/// let normalised = Normaliser::new(options)?.normalise(&lead);
/// assert_eq!(normalised.keys().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct OwnKind {
    code: KeyKind,
    columns: Vec<String>,
    version: u32,
    read: Arc<Read>,
}

type Read = dyn Fn(&str, &mut Sink<'_>) + Send + Sync;

impl OwnKind {
    /// Makes a kind whose values are read by rules that are data.
    ///
    /// # Errors
    ///
    /// [`OwnKindError`] for rules that no value can satisfy.
    pub fn new(rules: OwnKindRules) -> Result<Self, OwnKindError> {
        let (least, most) = rules.lengths;
        if least == 0 || least > most || most > LONGEST_VALUE {
            return Err(OwnKindError::Lengths { kind: rules.code, least, most });
        }
        if rules.check == CheckDigits::Luhn && rules.characters != Characters::Digits {
            return Err(OwnKindError::Check { kind: rules.code });
        }
        let columns = rules.columns.clone();
        let code = rules.code;
        // Other rules read other keys.
        let digest = Sha256::digest(serde_json::to_vec(&rules).expect("rules are plain data"));
        let version = digest.first_chunk().copied().map(u32::from_be_bytes).unwrap_or_default();
        let kind = Self::reading(code, move |value, sink| rules.read(value, sink));
        let kind = kind.with_version(version);
        Ok(if columns.is_empty() { kind } else { kind.with_columns(columns) })
    }

    /// Makes a kind whose values a closure reads; it is given the value without blanks around it.
    pub fn reading(
        code: KeyKind,
        read: impl Fn(&str, &mut Sink<'_>) + Send + Sync + 'static,
    ) -> Self {
        Self { code, columns: vec![code.to_string()], version: 1, read: Arc::new(read) }
    }

    /// Names the columns of a table that hold values of the kind, in place of its code.
    #[must_use]
    pub fn with_columns(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// States the version of the reading; see [`IdentifierKind::version`].
    #[must_use]
    pub fn with_version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }
}

impl IdentifierKind for OwnKind {
    fn code(&self) -> KeyKind {
        self.code
    }

    fn read(&self, raw: RawValue<'_>, _: Option<Region>, sink: &mut Sink<'_>) {
        if raw.value.len() > LONGEST_VALUE {
            return sink.unusable(UnusableReason::TooLong);
        }
        let mut folded = String::new();
        let value = if raw.value.is_ascii() {
            raw.value
        } else {
            text::fold(raw.value, &mut folded);
            &folded
        };
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        if filler::is_filler(value) {
            return sink.unusable(UnusableReason::Placeholder);
        }
        (self.read)(value, sink);
    }

    fn columns(&self) -> Vec<String> {
        self.columns.clone()
    }

    fn version(&self) -> u32 {
        self.version
    }
}

impl fmt::Debug for OwnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnKind")
            .field("code", &self.code)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// The rules of a kind as data: what its values consist of, how long they are, and their check digits.
///
/// Letters are compared without case; blanks, `-`, `.`, `/` and `_` between the signs count for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnKindRules {
    /// The code.
    pub code: KeyKind,
    /// The columns that hold its values; none for the code itself.
    #[serde(default)]
    pub columns: Vec<String>,
    /// What a value consists of.
    #[serde(default)]
    pub characters: Characters,
    /// The least and the greatest number of signs, from 1 to 256.
    #[serde(default = "any_length")]
    pub lengths: (usize, usize),
    /// The check digits.
    #[serde(default)]
    pub check: CheckDigits,
}

const fn any_length() -> (usize, usize) {
    (4, 64)
}

impl OwnKindRules {
    /// Returns rules that take 4 to 64 digits without a check digit.
    #[must_use]
    pub const fn of(code: KeyKind) -> Self {
        Self {
            code,
            columns: Vec::new(),
            characters: Characters::Digits,
            lengths: any_length(),
            check: CheckDigits::None,
        }
    }

    fn read(&self, value: &str, sink: &mut Sink<'_>) {
        let mut canonical = String::with_capacity(value.len());
        for sign in value.chars() {
            match sign {
                ' ' | '-' | '.' | '/' | '_' | '\t' | '\r' | '\n' | '\u{a0}' => {}
                '0'..='9' => canonical.push(sign),
                _ if sign.is_ascii_alphabetic()
                    && self.characters == Characters::LettersAndDigits =>
                {
                    canonical.push(sign.to_ascii_uppercase());
                }
                _ => return sink.unusable(UnusableReason::WrongAlphabet),
            }
        }
        let (least, most) = self.lengths;
        if !(least..=most).contains(&canonical.len()) {
            return sink.unusable(UnusableReason::WrongLength);
        }
        let digits = canonical.bytes().all(|byte| byte.is_ascii_digit());
        if digits && filler::is_repeated_or_run(canonical.as_bytes()) {
            return sink.unusable(UnusableReason::Placeholder);
        }
        match self.check.fits(canonical.as_bytes()) {
            None => {}
            Some(true) => sink.mark(Reading::CHECK_VERIFIED),
            Some(false) => return sink.unusable(UnusableReason::WrongCheckDigit),
        }
        sink.key(&canonical, KeyForm::Exact);
    }
}

/// What the values of a kind consist of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Characters {
    /// Digits alone.
    #[default]
    Digits,
    /// Letters of the Latin alphabet and digits.
    LettersAndDigits,
}

/// How the check digits of a kind are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckDigits {
    /// There are none.
    #[default]
    None,
    /// The last digit, by ISO/IEC 7812-1 (Luhn).
    Luhn,
    /// The third and fourth sign, by ISO 13616 (IBAN): MOD 97-10 of the number with its first four signs last.
    Iban,
    /// The last two digits, by ISO/IEC 7064 MOD 97-10.
    Mod97,
}

impl CheckDigits {
    /// Tells whether the check digits fit; nothing where there are none.
    fn fits(self, signs: &[u8]) -> Option<bool> {
        match self {
            Self::None => None,
            Self::Luhn => {
                let sum: u32 = signs
                    .iter()
                    .rev()
                    .enumerate()
                    .map(|(at, &byte)| match (at % 2, u32::from(byte - b'0')) {
                        (0, digit) => digit,
                        (_, digit) => digit * 2 / 10 + digit * 2 % 10,
                    })
                    .sum();
                Some(sum.is_multiple_of(10))
            }
            Self::Iban => {
                let (front, back) = signs.split_at(signs.len().min(4));
                let form = front.len() == 4
                    && front[..2].iter().all(u8::is_ascii_uppercase)
                    && front[2..].iter().all(u8::is_ascii_digit);
                Some(form && mod97(back.iter().chain(front)) == 1)
            }
            Self::Mod97 => Some(mod97(signs.iter()) == 1),
        }
    }
}

/// Returns the remainder by 97, a letter counting as a number from 10 to 35.
fn mod97<'a>(signs: impl Iterator<Item = &'a u8>) -> u32 {
    signs.fold(0, |rest, &sign| match sign {
        b'0'..=b'9' => (rest * 10 + u32::from(sign - b'0')) % 97,
        _ => (rest * 100 + u32::from(sign.saturating_sub(b'A')) + 10) % 97,
    })
}

/// Why the rules of a kind were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OwnKindError {
    /// No value can have such a length.
    #[error("the kind `{kind}` has lengths from {least} to {most}: use 1 to 256, the least first")]
    Lengths {
        /// The kind.
        kind: KeyKind,
        /// The least length.
        least: usize,
        /// The greatest length.
        most: usize,
    },
    /// Luhn check digits are of digits alone.
    #[error(
        "the kind `{kind}` has letters and Luhn check digits: use digits alone, or another check"
    )]
    Check {
        /// The kind.
        kind: KeyKind,
    },
}
