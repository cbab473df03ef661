//! Where a key of a record came from, and how it was read.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Key, KeyForm, KeyKind, KindCodeError};

/// Names the input field that a key or a finding came from.
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
