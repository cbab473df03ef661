//! Placeholders: values that people and forms put where an identifier is missing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::kinds::document::DocumentNumber;
use crate::text::{Region, filler::letters_and_digits};

/// Lists values that give no key, added to the built-in rules.
///
/// Phones are read like any phone, with their `+` or by the default region; e-mails are addresses, or
/// whole domains written `@example.com`; documents and texts are compared by letters and digits alone,
/// whatever their case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Placeholders {
    /// Telephone numbers, such as that of the own call centre.
    pub phones: Vec<String>,
    /// Document numbers, of any type.
    pub documents: Vec<String>,
    /// Addresses, or domains with a leading `@`.
    pub emails: Vec<String>,
}

/// The user's lists in the form in which values are compared with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlaceholderSet {
    phones: BTreeSet<u64>,
    documents: BTreeSet<String>,
    emails: BTreeSet<String>,
}

impl PlaceholderSet {
    pub(crate) fn new(lists: &Placeholders, region: Option<Region>) -> Self {
        let folded = |text: &String| letters_and_digits(text);
        Self {
            phones: lists
                .phones
                .iter()
                .filter_map(|raw| crate::kinds::phone::e164(raw, region))
                .collect(),
            documents: lists.documents.iter().map(folded).collect(),
            emails: lists.emails.iter().map(|raw| raw.trim().to_lowercase()).collect(),
        }
    }

    pub(crate) fn has_phone(&self, e164: u64) -> bool {
        !self.phones.is_empty() && self.phones.contains(&e164)
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
}
