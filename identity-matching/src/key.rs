//! Keys: what two records must share to be taken for one person.
//!
//! A [`Key`] is sixteen bytes, `Copy`, and compared as one integer: no string, no allocation. It can
//! only be made by normalising, so an unnormalised value cannot be looked up by mistake.
//!
//! | bits | content |
//! |---|---|
//! | 124..128 | scheme: packed document, hashed document, E.164 phone, phone subscriber, e-mail |
//! | 96..124 | [`DocumentTypeId`], zero for other kinds |
//! | 0..96 | the value |
//!
//! Phones are held exactly, as the integer behind the `+`. Documents of up to eighteen ASCII letters and
//! digits are held exactly too. Longer documents, documents with other letters, and e-mails are held as
//! 96 bits of `SipHash`-1-3 under the caller's [`HashKey`]: among *n* such keys the chance that any two
//! differing values collide is below n² / 2⁹⁷, which for a hundred million values is 10⁻¹³.
//!
//! Source of the hash: Aumasson and Bernstein, "a fast short-input PRF" (2012).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::region::Region;

/// Names the kind of identifier behind a key, in the default order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyKind {
    /// A national document, tax number or passport.
    Document,
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
}

impl KeyKind {
    /// Lists all kinds in the default order of precedence.
    pub const ALL: [Self; 3] = [Self::Document, Self::Phone, Self::Email];

    /// Returns the name used in policies and evidence: `document`, `phone` or `email`.
    ///
    /// ```
    /// assert_eq!(identity_matching::KeyKind::Email.as_str(), "email");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }
}

/// Tells how one record came to hold a key; the first form is the strongest.
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
}

impl KeyForm {
    /// Returns the name used in evidence: `exact`, `derived` or `alias`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Derived => "derived",
            Self::Alias => "alias",
        }
    }
}

/// Identifies a document type of a country, such as the Peruvian DNI.
///
/// The id is made from the country and the type's code alone, so it is the same in every run, in every
/// table and for types that no table knows. The country lies in it exactly; the code as an 18-bit hash,
/// and a table refuses two codes of one country that collide.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentTypeId(u32);

impl DocumentTypeId {
    const HASH_BITS: u32 = 18;

    /// Makes the id of the type `code` of `country`; letters are compared without case.
    ///
    /// ```
    /// use identity_matching::{DocumentTypeId, Region};
    /// let peru = Region::parse("PE")?;
    /// assert_eq!(DocumentTypeId::new(peru, "DNI"), DocumentTypeId::new(peru, "dni"));
    /// assert_ne!(DocumentTypeId::new(peru, "DNI"), DocumentTypeId::new(peru, "RUC"));
    /// # Ok::<(), identity_matching::UnknownRegion>(())
    /// ```
    #[must_use]
    pub const fn new(country: Region, code: &str) -> Self {
        // FNV-1a, folded to 18 bits: short upper-case codes, checked for collisions by the table.
        let bytes = code.as_bytes();
        let mut hash = 0x811c_9dc5_u32;
        let mut at = 0;
        while at < bytes.len() {
            hash = (hash ^ bytes[at].to_ascii_uppercase() as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        let folded = (hash >> Self::HASH_BITS) ^ (hash & ((1 << Self::HASH_BITS) - 1));
        Self((country.index() as u32) << Self::HASH_BITS | folded)
    }

    /// Returns the country that issues the document.
    #[must_use]
    pub const fn country(self) -> Region {
        Region::from_index((self.0 >> Self::HASH_BITS) as u16)
    }

    /// Returns the id as an integer below 2²⁸, the same in every run.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Debug for DocumentTypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentTypeId({}#{:x})", self.country(), self.0 & ((1 << Self::HASH_BITS) - 1))
    }
}

/// Holds the secret under which long documents and e-mails are hashed into keys.
///
/// Keys are comparable only under the same secret. The default is a fixed, public value: right for
/// matching in memory. Who saves an index outside gives an own secret, so that the file cannot be
/// searched by hashing guessed addresses.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// Makes a hash key from sixteen secret bytes.
    #[must_use]
    pub const fn new(secret: [u8; 16]) -> Self {
        Self(secret)
    }

    /// Starts a hash under the secret.
    pub(crate) fn hasher(self) -> siphasher::sip128::SipHasher13 {
        siphasher::sip128::SipHasher13::new_with_key(&self.0)
    }

    /// Hashes `bytes` to 96 bits.
    pub(crate) fn hash96(self, bytes: &[u8]) -> u128 {
        let hash = self.hasher().hash(bytes);
        (u128::from(hash.h1) << 64 | u128::from(hash.h2)) & Key::PAYLOAD
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(…)")
    }
}

/// Is one normalised identifier, ready to be compared and looked up.
///
/// Two records share an identifier exactly when they hold equal keys. `Debug` and `Display` are masked;
/// [`Key::text`] gives the plain value on purpose. The order of keys is that of [`KeyKind`] first and
/// of no meaning otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u128);

impl Key {
    const PAYLOAD: u128 = (1 << 96) - 1;
    /// Set in a packed document of digits only, whose value is then length and integer.
    const DIGITS: u128 = 1 << 95;
    /// How many letters and digits a packed document holds.
    pub(crate) const PACKED_MAX: usize = 18;

    const DOCUMENT: u128 = 1 << 124;
    const DOCUMENT_HASHED: u128 = 2 << 124;
    const PHONE: u128 = 3 << 124;
    const PHONE_SUBSCRIBER: u128 = 4 << 124;
    const EMAIL: u128 = 5 << 124;

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
        let kind = u128::from(kind.0) << 96;
        match pack(canonical) {
            Some(packed) => Self(Self::DOCUMENT | kind | packed),
            None => Self(Self::DOCUMENT_HASHED | kind | hash_key.hash96(canonical)),
        }
    }

    /// Returns the kind of identifier.
    #[must_use]
    pub const fn kind(self) -> KeyKind {
        match self.scheme() {
            Self::DOCUMENT | Self::DOCUMENT_HASHED => KeyKind::Document,
            Self::PHONE | Self::PHONE_SUBSCRIBER => KeyKind::Phone,
            _ => KeyKind::Email,
        }
    }

    /// Returns country and type of a document, and nothing for other kinds.
    ///
    /// Two keys with one document type and different values contradict each other.
    #[must_use]
    pub const fn document_type(self) -> Option<DocumentTypeId> {
        match self.kind() {
            KeyKind::Document => Some(DocumentTypeId((self.0 >> 96) as u32 & 0x0fff_ffff)),
            _ => None,
        }
    }

    /// Tells whether the key holds a keyed hash and not the value itself.
    #[must_use]
    pub const fn is_hashed(self) -> bool {
        matches!(self.scheme(), Self::DOCUMENT_HASHED | Self::EMAIL)
    }

    /// Tells whether the key is the subscriber behind a phone's legacy forms.
    #[must_use]
    pub const fn is_subscriber(self) -> bool {
        self.scheme() == Self::PHONE_SUBSCRIBER
    }

    /// Returns the integer behind the `+` of a phone.
    pub(crate) const fn phone_number(self) -> Option<u64> {
        match self.kind() {
            // Phones are made from 64 bits.
            #[allow(clippy::cast_possible_truncation)]
            KeyKind::Phone => Some(self.0 as u64),
            _ => None,
        }
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
    #[allow(dead_code)]
    pub(crate) const fn from_bits(bits: u128) -> Option<Self> {
        let key = Self(bits);
        match key.scheme() >> 124 {
            1..=5 => Some(key),
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
            Some(text) => crate::mask::write_masked(f, self.kind(), &text),
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
    let mut digits = 0_u64;
    let mut all_digits = true;
    for &byte in text {
        all_digits &= byte.is_ascii_digit();
        digits = digits.wrapping_mul(10).wrapping_add(u64::from(byte & 0x0f));
    }
    if all_digits {
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

/// Names the input field that a key or a finding came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Field {
    /// [`Record::documents`](crate::Record::documents).
    Document,
    /// [`Record::phones`](crate::Record::phones).
    Phone,
    /// [`Record::emails`](crate::Record::emails).
    Email,
    /// [`Record::name`](crate::Record::name).
    Name,
    /// [`Record::plate`](crate::Record::plate).
    Plate,
    /// [`Record::birth_date`](crate::Record::birth_date).
    BirthDate,
}

impl Field {
    /// Returns the name used in evidence, such as `birth_date`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Name => "name",
            Self::Plate => "plate",
            Self::BirthDate => "birth_date",
        }
    }
}

/// Points at one value of a record: its field and its position among the field's values, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// The field.
    pub field: Field,
    /// The position in the field's list, from 0; always 0 for single fields.
    pub position: u16,
}

/// Is one key of one record, with how the record came to hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct HeldKey {
    /// The key.
    pub key: Key,
    /// How the record holds it.
    pub form: KeyForm,
    /// The value that it was read from.
    pub source: Source,
    /// What had to be understood or supplied to read it.
    pub reading: Reading,
}

/// Collects what a normaliser had to understand or supply to read a value.
///
/// A set of marks, empty for a value that was already in canonical form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Reading(u16);

impl Reading {
    /// The phone was written with `+` and its country code.
    pub const PLUS: Self = Self(1);
    /// The phone was written with the region's international prefix, such as `00`.
    pub const INTERNATIONAL_PREFIX: Self = Self(1 << 1);
    /// The phone began with its country code, without `+`.
    pub const COUNTRY_CODE: Self = Self(1 << 2);
    /// The default region supplied the country.
    pub const DEFAULT_REGION: Self = Self(1 << 3);
    /// An extension was dropped.
    pub const EXTENSION_DROPPED: Self = Self(1 << 4);
    /// The document's type was found by trying the country's types.
    pub const TYPE_INFERRED: Self = Self(1 << 5);
    /// Lost leading zeros were put back.
    pub const ZEROS_RESTORED: Self = Self(1 << 6);
    /// A check digit or letter was verified.
    pub const CHECK_VERIFIED: Self = Self(1 << 7);
    /// The provider's rules removed dots or a tag, or joined its domains.
    pub const PROVIDER_RULES: Self = Self(1 << 8);
    /// The type is in no table; the number is kept as it is.
    pub const OPAQUE: Self = Self(1 << 9);
    /// A legacy dialling form was read as today's number.
    pub const LEGACY_FORM: Self = Self(1 << 10);

    const NAMES: [(Self, &'static str); 11] = [
        (Self::PLUS, "plus"),
        (Self::INTERNATIONAL_PREFIX, "international_prefix"),
        (Self::COUNTRY_CODE, "country_code"),
        (Self::DEFAULT_REGION, "default_region"),
        (Self::EXTENSION_DROPPED, "extension_dropped"),
        (Self::TYPE_INFERRED, "type_inferred"),
        (Self::ZEROS_RESTORED, "zeros_restored"),
        (Self::CHECK_VERIFIED, "check_verified"),
        (Self::PROVIDER_RULES, "provider_rules"),
        (Self::OPAQUE, "opaque"),
        (Self::LEGACY_FORM, "legacy_form"),
    ];

    /// Makes the empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Adds the marks of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Tells whether all marks of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Lists the names of the marks that are set.
    ///
    /// ```
    /// use identity_matching::Reading;
    /// let reading = Reading::PLUS.with(Reading::EXTENSION_DROPPED);
    /// assert!(reading.names().eq(["plus", "extension_dropped"]));
    /// ```
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(mark, _)| self.contains(*mark)).map(|(_, name)| name)
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reading(")?;
        for (at, name) in self.names().enumerate() {
            write!(f, "{}{name}", if at > 0 { " | " } else { "" })?;
        }
        f.write_str(")")
    }
}
