//! What a kind of identifier is: a code, a reader and a mask.
//!
//! Telephone numbers, documents and e-mail addresses are three implementations of [`IdentifierKind`]; a service
//! adds its own beside them, and everything behind reading treats it alike: decisions, evidence, explanations,
//! evaluation, indexes and policies know a kind by its code.

use std::fmt;

use super::{Normalised, PlaceholderSet, RawValue};
use crate::{
    key::{HashKey, Key, KeyForm, KeyKind, Masked, Reading, UnusableReason, ValueSource},
    text::Region,
};

/// A kind of identifier: how its values are read to keys, and how they are shown.
///
/// Two values are one identifier exactly when they are read to the same canonical text. Reading is pure: the same
/// value and region give the same answer, and no value makes it panic.
///
/// ```
/// use identity_matching::{
///     IdentifierKind, KeyForm, KeyKind, NormaliseOptions, Normaliser, RawValue, Record, Region, Sink,
///     UnusableReason,
/// };
///
/// /// A customer's card: `C` and six digits.
/// struct Card(KeyKind);
///
/// impl IdentifierKind for Card {
///     fn code(&self) -> KeyKind {
///         self.0
///     }
///
///     fn read(&self, raw: RawValue<'_>, _: Option<Region>, sink: &mut Sink<'_>) {
///         let digits = raw.value.trim().trim_start_matches(['C', 'c']);
///         if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
///             sink.key(digits, KeyForm::Exact);
///         } else {
///             sink.unusable(UnusableReason::Malformed);
///         }
///     }
/// }
///
/// let card = KeyKind::new("card")?;
/// let normaliser = Normaliser::new(NormaliseOptions::default().with_kind(Card(card))?)?;
/// let lead = Record::default().with(card, "c123457");
/// assert_eq!(normaliser.normalise(&lead).keys()[0].key.kind(), card);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait IdentifierKind: Send + Sync {
    /// Returns the kind, which is its code.
    fn code(&self) -> KeyKind;

    /// Reads one value by the record's region, and reports into `sink` its keys or why it gives none.
    ///
    /// Reporting nothing says that nothing was written.
    fn read(&self, raw: RawValue<'_>, region: Option<Region>, sink: &mut Sink<'_>);

    /// Returns what of a value may be shown; by default its last four characters.
    fn mask(&self, value: &str) -> String {
        Masked::new(self.code(), value).to_string()
    }

    /// Lists the columns of a table that hold values of the kind; by default its code.
    ///
    /// No two kinds may claim one column.
    fn columns(&self) -> Vec<String> {
        vec![self.code().to_string()]
    }

    /// Returns the version of the reading, to be raised whenever a value is read to another key than before.
    ///
    /// It goes into [`NormaliseOptions::fingerprint`](crate::NormaliseOptions::fingerprint), by which stored keys
    /// are found to be of another reading.
    fn version(&self) -> u32 {
        1
    }
}

impl fmt::Debug for dyn IdentifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentifierKind({})", self.code())
    }
}

/// Takes what a kind reads of one value.
#[derive(Debug)]
pub struct Sink<'a> {
    pub(crate) out: &'a mut Normalised,
    pub(crate) source: ValueSource,
    pub(crate) hash_key: HashKey,
    pub(crate) placeholders: &'a PlaceholderSet,
    pub(crate) kind: KeyKind,
    pub(crate) reading: Reading,
}

impl Sink<'_> {
    /// Adds marks that tell how the value was read, to the keys that follow.
    pub fn mark(&mut self, marks: Reading) {
        self.reading = self.reading.with(marks);
    }

    /// Reports a key by its canonical text, or that the value is a listed placeholder.
    ///
    /// A kind of one's own reports text; an empty one is reported as malformed.
    pub fn key(&mut self, canonical: &str, form: KeyForm) {
        if canonical.is_empty() {
            return self.unusable(UnusableReason::Malformed);
        }
        let key = Key::own(self.kind, canonical, self.hash_key);
        if self.placeholders.has_key(key) {
            return self.unusable(UnusableReason::Placeholder);
        }
        self.out.push_text(key, canonical);
        self.push_key(key, form);
    }

    /// Reports why the value gives no key.
    pub fn unusable(&mut self, reason: UnusableReason) {
        self.out.push_unusable(self.source, reason);
    }

    /// Adds a key that a built-in kind made.
    pub(crate) fn push_key(&mut self, key: Key, form: KeyForm) {
        self.out.push_key(key, form, self.source, self.reading);
    }
}
