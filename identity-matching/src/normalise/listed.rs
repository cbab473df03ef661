//! Making a normaliser: the placeholders that its options list are read as values of records are.

use super::normaliser::Normaliser;
use super::options::{NormaliseOptions, OptionsError};
use super::placeholders::Placeholders;
use crate::{
    key::{Field, KeyKind, UnusableReason},
    kinds::{Normalised, PlaceholderSet, RawValue},
    text::{Region, filler::letters_and_digits},
};

impl Normaliser {
    /// Makes a normaliser.
    ///
    /// # Errors
    ///
    /// [`OptionsError`] for options by which no value can be read, such as a placeholder that is none.
    pub fn new(options: NormaliseOptions) -> Result<Self, OptionsError> {
        options.check()?;
        let mut normaliser = Self::without_placeholders(options);
        let listed = read(&normaliser.options().placeholders, &normaliser)?;
        normaliser.placeholders = listed;
        Ok(normaliser)
    }
}

/// Reads lists by a normaliser that has none yet.
fn read(lists: &Placeholders, normaliser: &Normaliser) -> Result<PlaceholderSet, OptionsError> {
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
