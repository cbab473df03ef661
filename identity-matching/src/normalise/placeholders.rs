//! Placeholders: values that people and forms put where an identifier is missing.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::key::Field;

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
