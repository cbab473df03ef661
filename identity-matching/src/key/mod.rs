//! Keys: what two records must share to be taken for one person.
//!
//! A [`Key`] is sixteen bytes, `Copy`, and compared as one integer: no string, no allocation. It can
//! only be made by normalising, so an unnormalised value cannot be looked up by mistake.
//!
//! | bits | content |
//! |---|---|
//! | 124..128 | scheme: packed document, hashed document, E.164 phone, phone subscriber, e-mail, own kind |
//! | 96..124 | [`DocumentTypeId`]; of an own kind its code, in bits 70..123; else zero |
//! | 0..96 | the value |
//!
//! Phones are held exactly, as the integer behind the `+`. Documents of up to eighteen ASCII letters and
//! digits are held exactly too. Longer documents, documents with other letters, and e-mails are held as
//! 96 bits of `SipHash`-1-3 under the caller's [`HashKey`], and values of own kinds as 70 bits: among *n* such
//! keys the chance that any two differing values collide is below n² / 2⁹⁷, which for a hundred million values
//! is 10⁻¹³, and n² / 2⁷¹ for an own kind, which for ten million values is 4 · 10⁻⁸.
//!
//! Source of the hash: Aumasson and Bernstein, "a fast short-input PRF" (2012).

mod document_type;
mod kind;
mod mask;
mod reading;
mod secret;
mod unusable;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use document_type::DocumentTypeId;
pub use kind::{KeyKind, KindCodeError};
pub use mask::Masked;
pub(crate) use mask::write_masked;
pub use reading::{Field, HeldKey, Reading, ValueSource};
pub use secret::HashKey;
pub use unusable::{UnknownUnusableReason, Unusable, UnusableReason};

/// How one record came to hold a key; the first form is the strongest.
///
/// The form belongs to the occurrence and not to the key: a lead may hold as [`Derived`](Self::Derived)
/// what a person holds as [`Exact`](Self::Exact).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyForm {
    /// The value itself, in canonical form.
    Exact,
    /// A value carried inside another, such as the DNI inside a Peruvian RUC `10…`.
    Derived,
    /// An equivalent form, such as the subscriber behind an Argentine number with and without `9`.
    Alias,
    /// What may have been meant by a likely typing error, such as `ana@gmail.com` by `ana@gmial.com`: a subject finds
    /// persons by it, as weak evidence alone; no person holds a key so.
    Supposed,
}

impl KeyForm {
    /// Returns the name used in evidence: `exact`, `derived`, `alias` or `supposed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Derived => "derived",
            Self::Alias => "alias",
            Self::Supposed => "supposed",
        }
    }
}

impl fmt::Display for KeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for KeyForm {
    type Err = UnknownKeyForm;

    fn from_str(name: &str) -> Result<Self, UnknownKeyForm> {
        let all = [Self::Exact, Self::Derived, Self::Alias, Self::Supposed];
        all.into_iter()
            .find(|form| form.as_str() == name)
            .ok_or_else(|| UnknownKeyForm { name: name.chars().take(64).collect() })
    }
}

impl TryFrom<&str> for KeyForm {
    type Error = UnknownKeyForm;

    fn try_from(name: &str) -> Result<Self, UnknownKeyForm> {
        name.parse()
    }
}

/// Reports a word that names no form of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown form {name:?}: use exact, derived, alias or supposed")]
#[non_exhaustive]
pub struct UnknownKeyForm {
    /// What was read, cut to 64 characters.
    pub name: String,
}

/// One normalised identifier, ready to be compared and looked up.
///
/// Two records share an identifier exactly when they hold equal keys. `Debug` and `Display` are masked;
/// [`Key::text`] gives the plain value on purpose. The order of keys is that of [`KeyKind`] first and
/// of no meaning otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u128);

impl Key {
    const PAYLOAD: u128 = secret::LOW_96;
    /// Set in a packed document of digits only, whose value is then length and integer.
    const DIGITS: u128 = 1 << 95;
    /// How many letters and digits a packed document holds.
    pub(crate) const PACKED_MAX: usize = 18;

    const DOCUMENT: u128 = 1 << 124;
    const DOCUMENT_HASHED: u128 = 2 << 124;
    const PHONE: u128 = 3 << 124;
    const PHONE_SUBSCRIBER: u128 = 4 << 124;
    const EMAIL: u128 = 5 << 124;
    const OWN: u128 = 6 << 124;
    /// The bits of an own kind's hash; above them stand 53 bits of its code and a zero.
    const OWN_BITS: u32 = 70;

    /// Makes the key of a phone from its country code and national number as one integer.
    pub(crate) const fn phone(e164: u64) -> Self {
        Self(Self::PHONE | e164 as u128)
    }

    /// Makes the alias key of the subscriber behind a phone's legacy forms.
    pub(crate) const fn phone_subscriber(e164: u64) -> Self {
        Self(Self::PHONE_SUBSCRIBER | e164 as u128)
    }

    /// Makes the key of a canonical address.
    pub(crate) fn email(canonical: &str, hash_key: HashKey) -> Self {
        Self(Self::EMAIL | hash_key.hash96(canonical.as_bytes()))
    }

    /// Makes the key of a canonical document number.
    pub(crate) fn document(kind: DocumentTypeId, canonical: &[u8], hash_key: HashKey) -> Self {
        let kind = u128::from(kind.as_u32()) << 96;
        match pack(canonical) {
            Some(packed) => Self(Self::DOCUMENT | kind | packed),
            None => Self(Self::DOCUMENT_HASHED | kind | hash_key.hash96(canonical)),
        }
    }

    /// Makes the key of a canonical value of an own kind.
    pub(crate) fn own(kind: KeyKind, canonical: &str, hash_key: HashKey) -> Self {
        let hash = hash_key.hash96(canonical.as_bytes()) & ((1 << Self::OWN_BITS) - 1);
        Self(Self::OWN | u128::from(kind.packed()) << Self::OWN_BITS | hash)
    }

    /// Returns the kind of identifier.
    #[must_use]
    pub fn kind(self) -> KeyKind {
        match self.scheme() {
            Self::DOCUMENT | Self::DOCUMENT_HASHED => KeyKind::DOCUMENT,
            Self::PHONE | Self::PHONE_SUBSCRIBER => KeyKind::PHONE,
            Self::EMAIL => KeyKind::EMAIL,
            _ => self.own_kind().expect("a key of an own kind is made from its code"),
        }
    }

    fn own_kind(self) -> Option<KeyKind> {
        let packed = (self.0 >> Self::OWN_BITS) & ((1 << (124 - Self::OWN_BITS)) - 1);
        KeyKind::unpacked(u64::try_from(packed).ok()?)
    }

    /// Returns country and type of a document, and nothing for other kinds.
    ///
    /// Two keys with one document type and different values contradict each other.
    #[must_use]
    pub const fn document_type(self) -> Option<DocumentTypeId> {
        match self.scheme() {
            Self::DOCUMENT | Self::DOCUMENT_HASHED => {
                Some(DocumentTypeId::from_bits((self.0 >> 96) as u32))
            }
            _ => None,
        }
    }

    /// Tells whether the key holds a keyed hash and not the value itself.
    #[must_use]
    pub const fn is_hashed(self) -> bool {
        matches!(self.scheme(), Self::DOCUMENT_HASHED | Self::EMAIL | Self::OWN)
    }

    /// Tells whether the key is the subscriber behind a phone's legacy forms.
    #[must_use]
    pub const fn is_subscriber(self) -> bool {
        self.scheme() == Self::PHONE_SUBSCRIBER
    }

    /// Returns the plain canonical value where the key holds it: `+51987654321`, `45678912`.
    ///
    /// Hashed keys give nothing; [`Normalised::text`](crate::Normalised::text) knows their value while
    /// the record is at hand. The value is personal data: it belongs into no log.
    #[must_use]
    pub fn text(self) -> Option<String> {
        match self.scheme() {
            Self::PHONE | Self::PHONE_SUBSCRIBER => Some(format!("+{}", self.0 & Self::PAYLOAD)),
            Self::DOCUMENT => Some(unpack(self.0 & Self::PAYLOAD)),
            _ => None,
        }
    }

    /// Returns the bits that an index may store and compare.
    ///
    /// They never are zero, and the highest four bits are never all set, so an index has its empty
    /// and its deleted mark.
    pub(crate) const fn bits(self) -> u128 {
        self.0
    }

    /// Makes a key from bits that [`Key::bits`] gave before.
    pub(crate) fn from_bits(bits: u128) -> Option<Self> {
        let key = Self(bits);
        match key.scheme() >> 124 {
            1..=5 => Some(key),
            6 => key.own_kind().map(|_| key),
            _ => None,
        }
    }

    const fn scheme(self) -> u128 {
        self.0 & (0xf << 124)
    }
}

impl fmt::Display for Key {
    /// Writes the masked value: `+51*****4321`, `****8912`, `email:#9f3c`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => write_masked(f, self.kind(), &text),
            None => write!(f, "{}:#{:04x}", self.kind().as_str(), self.0 & 0xffff),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// Packs up to eighteen ASCII digits and upper-case letters; nothing when they do not fit.
fn pack(text: &[u8]) -> Option<u128> {
    if text.is_empty() || text.len() > Key::PACKED_MAX {
        return None;
    }
    if let Some(digits) = digits(text) {
        // 10¹⁸ is below 2⁶⁰, so the length (needed for leading zeros) has its own bits.
        return Some(Key::DIGITS | (text.len() as u128) << 64 | u128::from(digits));
    }
    // Bijective base 37: no digit is zero, so no two texts of any length share a value.
    text.iter().try_fold(0_u128, |packed, &byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0' + 1,
            b'A'..=b'Z' => byte - b'A' + 11,
            _ => return None,
        };
        Some(packed * 37 + u128::from(digit))
    })
}

/// Returns the number that up to eighteen digits are.
fn digits(text: &[u8]) -> Option<u64> {
    let (words, rest) = text.as_chunks::<8>();
    let number = words
        .iter()
        .try_fold(0_u64, |number, word| Some(number * 100_000_000 + eight_digits(*word)?))?;
    rest.iter().try_fold(number, |number, &byte| {
        byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
    })
}

/// Returns the number that eight digits are, all at once: neighbours are joined to pairs, and those by two products
/// (Lemire, *Quickly parsing eight digits*, 2018).
const fn eight_digits(text: [u8; 8]) -> Option<u64> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let digits = u64::from_le_bytes(text).wrapping_sub(EACH * b'0' as u64);
    let beyond_nine = digits | digits.wrapping_add(EACH * (0x80 - 10));
    if beyond_nine & (EACH * 0x80) != 0 {
        return None;
    }
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let even = (pairs & 0xff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let odd = (pairs >> 16 & 0xff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    Some(even.wrapping_add(odd) >> 32)
}

fn unpack(payload: u128) -> String {
    if payload & Key::DIGITS != 0 {
        let value = payload & u128::from(u64::MAX);
        let length = usize::try_from((payload ^ Key::DIGITS) >> 64).unwrap_or(0);
        return format!("{value:0length$}");
    }
    let mut rest = payload;
    let mut text = Vec::with_capacity(Key::PACKED_MAX);
    while rest > 0 {
        // 1..=36 for every value that `pack` made.
        let digit = (rest % 37) as u8;
        text.push(match digit {
            1..=10 => digit - 1 + b'0',
            _ => digit.wrapping_sub(11).wrapping_add(b'A'),
        });
        rest /= 37;
    }
    text.iter().rev().map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_and_digits_are_told_from_letters(text in "[0-9]{1,18}|[0-9A-Z]{1,18}") {
            let packed = pack(text.as_bytes()).expect("digits and letters");
            prop_assert_eq!(unpack(packed), &*text);
            prop_assert_eq!(digits(text.as_bytes()), text.parse().ok());
        }

        #[test]
        fn eight_digits_are_the_number_that_they_spell_and_no_other_bytes_are(text: [u8; 8], digits in "[0-9]{8}") {
            let digits = <[u8; 8]>::try_from(digits.as_bytes()).expect("eight");
            for bytes in [text, digits] {
                let number = std::str::from_utf8(&bytes).ok().filter(|text| !text.starts_with('+'));
                prop_assert_eq!(eight_digits(bytes), number.and_then(|text| text.parse().ok()));
            }
        }
    }
}
