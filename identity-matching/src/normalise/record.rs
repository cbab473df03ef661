//! Records: what is known of a lead or a person, as it was written.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{key::KeyKind, kinds::RawValue, text::Region};

/// The identifiers of one lead or person as they were written.
///
/// Every field may be empty. Empty values in a list are skipped. `Debug` shows how many values there
/// are and none of them.
///
/// ```
/// use identity_matching::{RawDocument, Record};
/// let record = Record {
///     phones: vec!["987 654 321".into()],
///     documents: vec![RawDocument::typed("PE", "DNI", "45678912")],
///     ..Record::default()
/// };
/// assert!(!format!("{record:?}").contains("987"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Telephone numbers.
    pub phones: Vec<String>,
    /// Documents.
    pub documents: Vec<RawDocument>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Values of a service's own kinds.
    pub own: Vec<OwnValue>,
    /// Full name, in any order; `Rojas Quispe, Ana` says which words are the surnames. Weak evidence.
    pub name: Option<String>,
    /// Vehicle registration plate; weak evidence.
    pub plate: Option<String>,
    /// Date of birth, as `1987-03-21` or `21/03/1987`; weak evidence.
    pub birth_date: Option<String>,
    /// The region by which local values of this record are read; the normaliser's default where there is none.
    pub region: Option<Region>,
}

impl Record {
    /// Adds a value of one of the service's own kinds.
    #[must_use]
    pub fn with(mut self, kind: KeyKind, value: impl Into<String>) -> Self {
        self.own.push(OwnValue { kind, value: value.into() });
        self
    }

    /// Reads the record by a region of its own.
    #[must_use]
    pub fn in_region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }
}

/// One value of a service's own kind, as it was written.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OwnValue {
    /// The kind.
    pub kind: KeyKind,
    /// The value.
    pub value: String,
}

impl fmt::Debug for OwnValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnValue").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("phones", &self.phones.len())
            .field("documents", &self.documents.len())
            .field("emails", &self.emails.len())
            .field("own", &self.own)
            .field("name", &self.name.is_some())
            .field("plate", &self.plate.is_some())
            .field("birth_date", &self.birth_date.is_some())
            .field("region", &self.region)
            .finish()
    }
}

/// One document as it was written.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct RawDocument {
    /// Issuing country; the default region when empty.
    pub country: Option<String>,
    /// Type code, such as `DNI`; when empty the country's types are tried.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The number.
    pub number: String,
}

impl RawDocument {
    /// Makes a document whose country and type are known.
    #[must_use]
    pub fn typed(country: &str, kind: &str, number: &str) -> Self {
        Self {
            country: Some(country.to_owned()),
            kind: Some(kind.to_owned()),
            number: number.to_owned(),
        }
    }

    /// Makes a document of which nothing but the number is known.
    #[must_use]
    pub fn untyped(number: &str) -> Self {
        Self { number: number.to_owned(), ..Self::default() }
    }

    /// Borrows the three parts.
    #[must_use]
    pub fn as_raw(&self) -> RawValue<'_> {
        RawValue {
            value: &self.number,
            kind: self.kind.as_deref().unwrap_or_default(),
            country: self.country.as_deref().unwrap_or_default(),
        }
    }
}

impl fmt::Debug for RawDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawDocument")
            .field("country", &self.country)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
