//! Placeholders: values that people and forms put where an identifier is missing.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Normaliser, OptionsError};
use crate::{
    key::{Field, KeyKind, UnusableReason},
    kinds::{Normalised, PlaceholderSet, RawValue},
    text::{Region, filler::letters_and_digits},
};

/// Values that give no key and no weak evidence, added to the built-in rules: a list for each field.
///
/// They are read as values of a record are, by the same normaliser and its default region, so that every way to
/// write one is listed. An e-mail may be a whole domain, `@example.com`; a document may have its country and type
/// before it, `PE DNI 12345678`, and is listed for every type. A name is listed whatever the order of its words.
///
/// ```
/// use identity_matching::{Field, NormaliseOptions, Normaliser, Placeholders, Record, Region, UnusableReason};
///
/// let listed = Placeholders::default()
///     .with(Field::PHONE, ["01 613 5000"])
///     .with(Field::Name, ["Cliente Mostrador"]);
/// let options = NormaliseOptions::for_region(Region::parse("PE")?).with_placeholders(listed);
/// let record = Record {
///     phones: vec!["+51 1 6135000".into()],
///     name: Some("MOSTRADOR, cliente".into()),
///     ..Record::default()
/// };
/// let read = Normaliser::new(options)?.normalise(&record);
/// assert!(read.keys().is_empty() && read.name().is_none());
/// assert!(read.unusable().iter().all(|value| value.reason == UnusableReason::Placeholder));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Placeholders(BTreeMap<Field, Vec<String>>);

impl Placeholders {
    /// Adds values of a field.
    #[must_use]
    pub fn with(
        mut self,
        field: Field,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.0.entry(field).or_default().extend(values.into_iter().map(Into::into));
        self
    }

    /// Lists the values of a field.
    #[must_use]
    pub fn of(&self, field: Field) -> &[String] {
        self.0.get(&field).map_or(&[], Vec::as_slice)
    }

    /// Lists the fields with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &[String])> {
        self.0.iter().map(|(&field, values)| (field, values.as_slice()))
    }

    /// Tells whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }
}

impl fmt::Debug for Placeholders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(field, values)| (field, values.len()))).finish()
    }
}

/// Reads lists by a normaliser that has none yet.
pub(super) fn read(
    lists: &Placeholders,
    normaliser: &Normaliser,
) -> Result<PlaceholderSet, OptionsError> {
    let mut set = PlaceholderSet::default();
    let mut read = Normalised::default();
    for (field, values) in lists.iter() {
        if let Field::Identifier(kind) = field
            && !normaliser.kinds().any(|known| known.code() == kind)
        {
            return Err(OptionsError::PlaceholderKind { kind });
        }
        for (at, value) in values.iter().enumerate() {
            read.clear();
            let found = add(&mut set, field, value, normaliser, &mut read);
            let reason = read.unusable().first().map(|unusable| unusable.reason);
            match reason.unwrap_or(UnusableReason::Blank) {
                _ if found => {}
                // It is one already.
                UnusableReason::Placeholder => {}
                reason => {
                    return Err(OptionsError::Placeholder { field, number: at + 1, reason });
                }
            }
        }
    }
    Ok(set)
}

/// Adds one value; tells whether it could be read.
fn add(
    set: &mut PlaceholderSet,
    field: Field,
    value: &str,
    normaliser: &Normaliser,
    read: &mut Normalised,
) -> bool {
    let mut reader = normaliser.read_into(read);
    match field {
        Field::EMAIL if value.trim_start().starts_with('@') => {
            reader.email(&format!("{SOMEBODY}{}", value.trim()));
            let read = reader.finish();
            let domain = |key| Some(read.text(key)?.strip_prefix(SOMEBODY)?.to_owned());
            let domain = read.keys().first().and_then(|held| domain(held.key));
            let found = domain.is_some();
            set.emails.extend(domain);
            return found;
        }
        Field::DOCUMENT => reader.document(as_document(value)),
        Field::Identifier(kind) => reader.value(kind, value.into()),
        Field::Name => reader.name(value),
        Field::Plate => reader.plate(value),
        Field::BirthDate => reader.birth_date(value),
    }
    let read = reader.finish();
    for held in read.keys() {
        let text = || read.text(held.key).unwrap_or_default();
        match held.key.kind() {
            KeyKind::DOCUMENT => drop(set.documents.insert(letters_and_digits(&text()))),
            KeyKind::EMAIL => drop(set.emails.insert(text().into_owned())),
            _ => drop(set.keys.insert(held.key)),
        }
    }
    if let Some(name) = read.name() {
        set.add_name(name);
    }
    set.plates.extend(read.plate());
    set.birth_dates.extend(read.birth_date());
    let weak = read.name().is_some() || read.plate().is_some() || read.birth_date().is_some();
    weak || !read.keys().is_empty()
}

/// A local part that is nobody's and no filler, before a listed domain.
const SOMEBODY: &str = "jkuquispe";

/// Takes country and type from before a number, `PE DNI 12345678`.
fn as_document(value: &str) -> RawValue<'_> {
    let mut parts = value.trim().splitn(3, char::is_whitespace);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(country), Some(kind), Some(number)) if Region::parse(country).is_ok() => {
            RawValue { value: number, kind, country }
        }
        _ => value.into(),
    }
}
