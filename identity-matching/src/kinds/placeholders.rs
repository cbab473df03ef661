//! Listed placeholders, as values are compared with them.

use std::collections::BTreeSet;

use super::document::DocumentNumber;
use crate::{
    key::Key,
    text::filler::letters_and_digits,
    weak::{BirthDate, Name, Plate},
};

/// The user's lists in the form in which values are compared with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlaceholderSet {
    /// Phones, subscribers and values of own kinds.
    pub(crate) keys: BTreeSet<Key>,
    /// Numbers of any type.
    pub(crate) documents: BTreeSet<String>,
    pub(crate) emails: BTreeSet<String>,
    /// The words of names, sorted.
    pub(crate) names: BTreeSet<String>,
    pub(crate) plates: BTreeSet<Plate>,
    pub(crate) birth_dates: BTreeSet<BirthDate>,
}

impl PlaceholderSet {
    /// Adds the words of a name.
    pub(crate) fn add_name(&mut self, name: &Name) {
        self.names.insert(sorted(name));
    }

    /// Takes a phone, a subscriber, or a value of an own kind.
    pub(crate) fn has_key(&self, key: Key) -> bool {
        !self.keys.is_empty() && self.keys.contains(&key)
    }

    /// Takes a canonical number.
    pub(crate) fn has_document(&self, canonical: &DocumentNumber) -> bool {
        !self.documents.is_empty()
            && self.documents.contains(&letters_and_digits(canonical.as_str()))
    }

    /// Takes a canonical address.
    pub(crate) fn has_email(&self, canonical: &str) -> bool {
        !self.emails.is_empty()
            && (self.emails.contains(canonical)
                || canonical.rfind('@').is_some_and(|at| self.emails.contains(&canonical[at..])))
    }

    pub(crate) fn has_name(&self, name: &Name) -> bool {
        !self.names.is_empty() && self.names.contains(&sorted(name))
    }

    pub(crate) fn has_plate(&self, plate: Plate) -> bool {
        self.plates.contains(&plate)
    }

    pub(crate) fn has_birth_date(&self, date: BirthDate) -> bool {
        self.birth_dates.contains(&date)
    }
}

fn sorted(name: &Name) -> String {
    let mut words: Vec<&str> = name.words().collect();
    words.sort_unstable();
    words.join(" ")
}
