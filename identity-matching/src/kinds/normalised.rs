//! What one record is read to.

use std::{borrow::Cow, fmt};

use crate::{
    key::{HeldKey, Key, KeyForm, Reading, Unusable, UnusableReason, ValueSource},
    kinds::document::Beside,
    weak::{BirthDate, BlockingKey, Name, Plate, blocking},
};

/// What one record normalises to; also the buffer for the next.
///
/// `Debug` shows masked keys and no plain value.
#[derive(Clone, Default, PartialEq)]
pub struct Normalised {
    pub(crate) keys: Vec<HeldKey>,
    unusable: Vec<Unusable>,
    /// Canonical texts of hashed keys, one after the other.
    texts: String,
    text_ends: Vec<(Key, usize)>,
    pub(crate) name: Option<Name>,
    /// Memory for the next name.
    pub(crate) spare: String,
    pub(crate) plate: Option<Plate>,
    pub(crate) birth_date: Option<BirthDate>,
    pub(crate) blocking: Vec<BlockingKey>,
    /// What stood beside the last document, for the next record.
    pub(crate) beside: Beside,
}

impl fmt::Debug for Normalised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Normalised")
            .field("keys", &self.keys)
            .field("unusable", &self.unusable)
            .field("blocking_keys", &self.blocking.len())
            .finish_non_exhaustive()
    }
}

impl Normalised {
    /// Lists the keys, sorted, each once and in its strongest form.
    #[must_use]
    pub fn keys(&self) -> &[HeldKey] {
        &self.keys
    }

    /// Lists the values that give no key, in the order in which they were read.
    #[must_use]
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    /// Returns the folded name.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// Returns the plate.
    #[must_use]
    pub fn plate(&self) -> Option<Plate> {
        self.plate
    }

    /// Returns the date of birth.
    #[must_use]
    pub fn birth_date(&self) -> Option<BirthDate> {
        self.birth_date
    }

    /// Lists the blocking keys under which weak candidates are looked up, sorted and each once.
    #[must_use]
    pub fn blocking_keys(&self) -> &[BlockingKey] {
        &self.blocking
    }

    /// Returns the plain canonical text of a key of this record, hashed or not.
    ///
    /// The text is personal data: it belongs into no log. [`Masked`](crate::Masked) shows a part of it.
    #[must_use]
    pub fn text(&self, key: Key) -> Option<Cow<'_, str>> {
        let at = self.text_ends.iter().position(|(held, _)| *held == key);
        match at {
            Some(at) => {
                let start = at.checked_sub(1).map_or(0, |before| self.text_ends[before].1);
                Some(Cow::Borrowed(&self.texts[start..self.text_ends[at].1]))
            }
            None => self.keys.iter().find(|held| held.key == key)?.key.text().map(Cow::Owned),
        }
    }

    /// Empties the buffer and keeps its memory.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.unusable.clear();
        self.texts.clear();
        self.text_ends.clear();
        if let Some(name) = self.name.take() {
            self.spare = name.into_buffer();
            self.spare.clear();
        }
        self.plate = None;
        self.birth_date = None;
        self.blocking.clear();
    }

    /// Makes the blocking keys of a record that is otherwise complete, and puts all in order.
    pub(crate) fn fill_blocking(&mut self) {
        if let (Some(name), Some(date)) = (&self.name, self.birth_date) {
            self.blocking.extend(blocking::name_birth_date(name.as_str(), date));
        }
        self.blocking.sort_unstable();
        self.blocking.dedup();
    }

    pub(crate) fn push_key(
        &mut self,
        key: Key,
        form: KeyForm,
        source: ValueSource,
        reading: Reading,
    ) {
        self.keys.push(HeldKey { key, form, source, reading });
    }

    pub(crate) fn push_text(&mut self, key: Key, text: &str) {
        self.texts.push_str(text);
        self.text_ends.push((key, self.texts.len()));
    }

    /// Begins a text, to be kept or dropped; gives its start.
    pub(crate) fn begin_text(&self) -> usize {
        self.texts.len()
    }

    /// Appends to the text that was begun.
    pub(crate) fn extend_text(&mut self, part: &str) {
        self.texts.push_str(part);
    }

    /// Returns the text that was begun.
    pub(crate) fn text_from(&self, start: usize) -> &str {
        &self.texts[start..]
    }

    /// Keeps the text that was begun, as that of a key.
    pub(crate) fn keep_text(&mut self, key: Key) {
        self.text_ends.push((key, self.texts.len()));
    }

    /// Drops the text that was begun.
    pub(crate) fn drop_text(&mut self, start: usize) {
        self.texts.truncate(start);
    }

    pub(crate) fn push_unusable(&mut self, source: ValueSource, reason: UnusableReason) {
        self.unusable.push(Unusable::new(source, reason));
    }
}
