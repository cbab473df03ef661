//! Where a key of a record came from, and how it was read.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Key, KeyForm, KeyKind, KindCodeError};

/// The input field that a key or a finding came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
#[non_exhaustive]
pub enum Field {
    /// The values of one kind of identifier.
    Identifier(KeyKind),
    /// [`Record::name`](crate::Record::name).
    Name,
    /// [`Record::plate`](crate::Record::plate).
    Plate,
    /// [`Record::birth_date`](crate::Record::birth_date).
    BirthDate,
}

impl Field {
    /// [`Record::documents`](crate::Record::documents).
    pub const DOCUMENT: Self = Self::Identifier(KeyKind::DOCUMENT);
    /// [`Record::phones`](crate::Record::phones).
    pub const PHONE: Self = Self::Identifier(KeyKind::PHONE);
    /// [`Record::emails`](crate::Record::emails).
    pub const EMAIL: Self = Self::Identifier(KeyKind::EMAIL);

    /// Returns the name used in evidence, such as `birth_date`; of an identifier its kind's code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Identifier(kind) => kind.as_str(),
            Self::Name => "name",
            Self::Plate => "plate",
            Self::BirthDate => "birth_date",
        }
    }
}

impl FromStr for Field {
    type Err = KindCodeError;

    fn from_str(name: &str) -> Result<Self, KindCodeError> {
        match name {
            "name" => Ok(Self::Name),
            "plate" => Ok(Self::Plate),
            "birth_date" => Ok(Self::BirthDate),
            code => KeyKind::new(code).map(Self::Identifier),
        }
    }
}

impl TryFrom<Cow<'_, str>> for Field {
    type Error = KindCodeError;

    fn try_from(name: Cow<'_, str>) -> Result<Self, KindCodeError> {
        name.parse()
    }
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        field.as_str().to_owned()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Points at one value of a record: its field and its position among the field's values, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ValueSource {
    /// The field.
    pub field: Field,
    /// The position in the field's list, from 0; always 0 for single fields.
    pub position: u16,
}

/// One key of one record, with how the record came to hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct HeldKey {
    /// The key.
    pub key: Key,
    /// How the record holds it.
    pub form: KeyForm,
    /// The value that it was read from.
    pub source: ValueSource,
    /// What had to be understood or supplied to read it.
    pub reading: Reading,
}

impl HeldKey {
    /// Makes a held key of a matcher or an index of one's own; a key itself is only made by normalising.
    #[must_use]
    pub const fn new(key: Key, form: KeyForm, source: ValueSource, reading: Reading) -> Self {
        Self { key, form, source, reading }
    }
}

/// What a normaliser had to understand or supply to read a value.
///
/// A set of marks, empty for a value that was already in canonical form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Reading(u32);

impl Reading {
    /// Signs around the value were dropped: quotation marks, brackets, a spreadsheet's `="…"`, a link.
    pub const WRAPPING_DROPPED: Self = Self(1);
    /// A decimal or an exponent was read as the whole number that it is.
    pub const SPREADSHEET_NUMBER: Self = Self(1 << 1);
    /// The value holds several; this is one of them.
    pub const SPLIT: Self = Self(1 << 2);
    /// Words around the value were dropped: a label, a remark, the name of the type.
    pub const WORDS_DROPPED: Self = Self(1 << 3);
    /// An extension was dropped.
    pub const EXTENSION_DROPPED: Self = Self(1 << 4);
    /// The country was written by its name, its three letters or its number.
    pub const COUNTRY_NAMED: Self = Self(1 << 5);
    /// The country's letters before a document were dropped, as those of a VAT number.
    pub const COUNTRY_DROPPED: Self = Self(1 << 6);
    /// The document's type was found by another of its names, an official code, or beside the number.
    pub const TYPE_NAMED: Self = Self(1 << 7);
    /// The field names several types; the number decided.
    pub const TYPE_CHOSEN: Self = Self(1 << 8);
    /// The document's type was found by trying the country's types.
    pub const TYPE_INFERRED: Self = Self(1 << 9);
    /// The type is in no table; the number is kept as it is.
    pub const OPAQUE: Self = Self(1 << 10);
    /// The phone was written with `+` and its country code.
    pub const PLUS: Self = Self(1 << 11);
    /// The phone was written with an international prefix, such as `00`.
    pub const INTERNATIONAL_PREFIX: Self = Self(1 << 12);
    /// The phone began with its country code, without `+`.
    pub const COUNTRY_CODE: Self = Self(1 << 13);
    /// The region supplied the country.
    pub const DEFAULT_REGION: Self = Self(1 << 14);
    /// The country code was written twice.
    pub const PREFIX_TWICE: Self = Self(1 << 15);
    /// A trunk prefix was written that the plan does not have there.
    pub const TRUNK_PREFIX: Self = Self(1 << 16);
    /// A legacy dialling form was read as today's number.
    pub const LEGACY_FORM: Self = Self(1 << 17);
    /// The end of a free number was written in letters.
    pub const VANITY: Self = Self(1 << 18);
    /// Lost leading zeros were put back.
    pub const ZEROS_RESTORED: Self = Self(1 << 19);
    /// Leading zeros beyond the length of the type were dropped.
    pub const PADDING_DROPPED: Self = Self(1 << 20);
    /// A check digit or letter that nobody wrote was added.
    pub const COMPLETED: Self = Self(1 << 21);
    /// A check digit or letter was verified.
    pub const CHECK_VERIFIED: Self = Self(1 << 22);
    /// The value can be read in two ways, and this is one of them.
    pub const SECOND_READING: Self = Self(1 << 23);
    /// The provider's rules removed dots or a tag, or joined its domains.
    pub const PROVIDER_RULES: Self = Self(1 << 24);
    /// The domain looks like a typing error, and was read as the one that may be meant; the address as it was written has
    /// a key of its own.
    pub const LIKELY_TYPO: Self = Self(1 << 25);
    /// Letters of another script that look Latin stand in it: the address is kept as it was written.
    pub const MIXED_SCRIPTS: Self = Self(1 << 26);

    /// Every mark with its name and what it says, in the order in which a value is read.
    const MARKS: [(Self, &'static str, &'static str); 27] = [
        (
            Self::WRAPPING_DROPPED,
            "wrapping_dropped",
            "signs around the value, such as quotation marks or a link, were dropped",
        ),
        (
            Self::SPREADSHEET_NUMBER,
            "spreadsheet_number",
            "a spreadsheet's decimal or exponent was read as the whole number that it is",
        ),
        (Self::SPLIT, "split", "the value was cut: it holds several"),
        (
            Self::WORDS_DROPPED,
            "words_dropped",
            "words around it, such as a label or a remark, were dropped",
        ),
        (Self::EXTENSION_DROPPED, "extension_dropped", "its extension was dropped"),
        (
            Self::COUNTRY_NAMED,
            "country_named",
            "the country was found by its name, its three letters or its number",
        ),
        (
            Self::COUNTRY_DROPPED,
            "country_dropped",
            "the country's letters before the number were dropped",
        ),
        (
            Self::TYPE_NAMED,
            "type_named",
            "the type was found by another name, an official code, or beside the number",
        ),
        (Self::TYPE_CHOSEN, "type_chosen", "the field names several types, and the number decided"),
        (Self::TYPE_INFERRED, "type_inferred", "the type was found by trying the country's types"),
        (Self::OPAQUE, "opaque", "the type is in no table, so the number is kept as it is"),
        (Self::PLUS, "plus", "it names its country after `+`"),
        (
            Self::INTERNATIONAL_PREFIX,
            "international_prefix",
            "it names its country after an international prefix, such as `00`",
        ),
        (Self::COUNTRY_CODE, "country_code", "it begins with its country code, without `+`"),
        (Self::DEFAULT_REGION, "default_region", "the region supplied the country"),
        (Self::PREFIX_TWICE, "prefix_twice", "the country code was written twice, and counts once"),
        (Self::TRUNK_PREFIX, "trunk_prefix", "a trunk `0` that has no place there was left out"),
        (Self::LEGACY_FORM, "legacy_form", "a form of before a reform was read as today's number"),
        (
            Self::VANITY,
            "vanity",
            "the letters of a free number were read as the digits of their keys",
        ),
        (Self::ZEROS_RESTORED, "zeros_restored", "lost leading zeros were put back"),
        (
            Self::PADDING_DROPPED,
            "padding_dropped",
            "leading zeros beyond the length of the type were dropped",
        ),
        (Self::COMPLETED, "completed", "its missing check digit or letter was added"),
        (Self::CHECK_VERIFIED, "check_verified", "its check digit or letter fits"),
        (
            Self::SECOND_READING,
            "second_reading",
            "it can be read in two ways, and this is one of them",
        ),
        (
            Self::PROVIDER_RULES,
            "provider_rules",
            "the provider's rules removed dots or a tag, or joined its domains",
        ),
        (
            Self::LIKELY_TYPO,
            "likely_typo",
            "the domain looks like a typing error, and was read as the one that may be meant",
        ),
        (
            Self::MIXED_SCRIPTS,
            "mixed_scripts",
            "letters of another script that look Latin stand in it",
        ),
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
    /// assert!(reading.names().eq(["extension_dropped", "plus"]));
    /// ```
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.marks().map(|(_, name, _)| name)
    }

    /// Lists what the marks say, a part of a sentence each, in the order in which the value was read.
    ///
    /// ```
    /// use identity_matching::Reading;
    /// let steps: Vec<_> = Reading::DEFAULT_REGION.with(Reading::EXTENSION_DROPPED).steps().collect();
    /// assert_eq!(steps, ["its extension was dropped", "the region supplied the country"]);
    /// ```
    pub fn steps(self) -> impl Iterator<Item = &'static str> {
        self.marks().map(|(_, _, said)| said)
    }

    fn marks(self) -> impl Iterator<Item = (Self, &'static str, &'static str)> {
        Self::MARKS.into_iter().filter(move |(mark, ..)| self.contains(*mark))
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
