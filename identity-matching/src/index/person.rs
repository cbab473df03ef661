//! What an index holds of one person.

use super::IndexKey;
use crate::{
    key::{KeyForm, KeyKind},
    kinds::Normalised,
    weak::{BirthDate, Name},
};

/// The longest key of a person, in bytes.
pub(in crate::index) const MAX_PERSON_KEY: usize = 4095;

/// One key of a person as an index holds it, with the form in which the person holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonKey {
    /// The key.
    pub key: IndexKey,
    /// How the person holds it.
    pub form: KeyForm,
}

impl PersonKey {
    /// Lists the keys of one record, strong and blocking, as every index holds them: a document that had to be
    /// completed counts as derived, and a key that is only supposed is no person's.
    ///
    /// A person's keys are those of all its records, each once and in its strongest form, which sorts first.
    pub fn of(record: &Normalised) -> impl Iterator<Item = Self> + '_ {
        let held = record.keys().iter().filter(|held| held.form != KeyForm::Supposed);
        let strong = held.map(|held| {
            let key = IndexKey::from(held.key);
            let form = match (held.key.kind(), held.form) {
                (KeyKind::DOCUMENT, KeyForm::Alias) => KeyForm::Derived,
                (KeyKind::DOCUMENT, form) => form,
                (_, KeyForm::Derived) => KeyForm::Alias,
                (_, form) => form,
            };
            Self { key, form }
        });
        let blocking = record.blocking_keys().iter();
        strong.chain(blocking.map(|&key| Self { key: key.into(), form: KeyForm::Exact }))
    }
}

/// The weak evidence of one person that is compared: what all its records say, in order, each once.
///
/// Plates are compared by their blocking keys and need no place here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The folded names.
    pub names: Vec<Name>,
    /// The dates of birth.
    pub birth_dates: Vec<BirthDate>,
}

impl Profile {
    /// Takes the weak evidence of one record.
    #[must_use]
    pub fn of(record: &Normalised) -> Self {
        Self {
            names: record.name().cloned().into_iter().collect(),
            birth_dates: record.birth_date().into_iter().collect(),
        }
    }

    /// Tells whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.birth_dates.is_empty()
    }

    pub(in crate::index) fn bytes(&self) -> usize {
        let names = self.names.iter().map(|name| name.as_str().len() + size_of::<Name>());
        size_of::<Self>() + names.sum::<usize>() + size_of_val(&self.birth_dates[..])
    }

    /// Adds what another record says; the order of records leaves no trace.
    pub fn merge(&mut self, other: &Self) {
        self.names.extend_from_slice(&other.names);
        self.names.sort_unstable_by(|left, right| left.as_str().cmp(right.as_str()));
        self.names.dedup();
        self.birth_dates.extend_from_slice(&other.birth_dates);
        self.birth_dates.sort_unstable();
        self.birth_dates.dedup();
    }
}
