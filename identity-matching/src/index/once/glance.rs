//! A look at a person's values as they are written, before anything is normalised.

use std::fmt;

use super::filter::SubjectFilter;
use crate::{
    key::KeyKind,
    kinds::{RawValue, document, email, phone},
    normalise::Normaliser,
    text::Region,
    weak::BlockingKind,
};

/// Decides by a look at the values of a record whether its person can matter to given subjects: most cannot, and need not
/// be normalised.
///
/// A value is looked at where it is plain: a number of a common country, digits of a document, an address as providers
/// write it. Whatever is not plain, values of own kinds, and weak evidence that subjects have too count as what may
/// matter, so a `false` is certain. One serves any number of records, one after the other.
///
/// ```
/// use identity_matching::{Normaliser, Record, Region, index::{Glance, SubjectKeys}};
///
/// let normaliser = Normaliser::for_region(Region::parse("PE")?);
/// let lead = Record { phones: vec!["987 654 321".into()], ..Record::default() };
/// let mut keys = SubjectKeys::default();
/// keys.add_strong(&normaliser.normalise(&lead));
/// let filter = keys.filter();
///
/// let mut glance = Glance::new(&filter, &normaliser);
/// glance.begin(None);
/// glance.phone("+51 912-345-678");
/// assert!(!glance.may_matter());
/// glance.begin(None);
/// glance.phone("0051987654321");
/// assert!(glance.may_matter());
/// # Ok::<(), identity_matching::UnknownRegion>(())
/// ```
pub struct Glance<'a> {
    filter: &'a SubjectFilter,
    normaliser: &'a Normaliser,
    documents: document::Glance<'a>,
    region: Option<Region>,
    may_matter: bool,
    has_name: bool,
    has_birth_date: bool,
}

impl<'a> Glance<'a> {
    /// Makes one for the records that a normaliser would read.
    #[must_use]
    pub fn new(filter: &'a SubjectFilter, normaliser: &'a Normaliser) -> Self {
        let options = normaliser.options();
        Self {
            filter,
            normaliser,
            documents: document::Glance::new(&options.document_types, options.hash_key),
            region: options.default_region,
            may_matter: false,
            has_name: false,
            has_birth_date: false,
        }
    }

    /// Begins a record, with its own region where it has one.
    pub fn begin(&mut self, region: Option<Region>) {
        self.region = region.or(self.normaliser.options().default_region);
        (self.may_matter, self.has_name, self.has_birth_date) = (false, false, false);
    }

    /// Looks at a document.
    pub fn document(&mut self, raw: RawValue<'_>) {
        if self.may_matter || raw.value.is_empty() && raw.kind.is_empty() {
            return;
        }
        let (filter, may_matter) = (self.filter, &mut self.may_matter);
        let mut look = |key: crate::key::Key| *may_matter |= filter.may_hold(key.into());
        if !self.documents.keys(raw, self.region, &mut look) {
            self.may_matter = true;
        }
    }

    /// Looks at a telephone number.
    pub fn phone(&mut self, raw: &str) {
        if self.may_matter || raw.is_empty() {
            return;
        }
        let (filter, may_matter) = (self.filter, &mut self.may_matter);
        let mut look = |key: crate::key::Key| *may_matter |= filter.may_hold(key.into());
        let tail_digits = self.normaliser.options().phone_tail_digits;
        match phone::glance(raw, self.region, tail_digits, &mut look) {
            Some(tail) if filter.has(BlockingKind::PhoneTail) => {
                self.may_matter |= filter.may_hold(tail.into());
            }
            Some(_) => {}
            None => self.may_matter = true,
        }
    }

    /// Looks at an e-mail address.
    pub fn email(&mut self, raw: &str) {
        if self.may_matter || raw.is_empty() {
            return;
        }
        self.may_matter = self.filter.has(BlockingKind::Email)
            || email::glance(raw, self.normaliser.email_table())
                .is_none_or(|mailbox| self.filter.may_hold_mailbox(mailbox));
    }

    /// Looks at a value of any kind; one of an own kind may always matter.
    pub fn value(&mut self, kind: KeyKind, raw: RawValue<'_>) {
        match kind {
            KeyKind::DOCUMENT => self.document(raw),
            KeyKind::PHONE => self.phone(raw.value),
            KeyKind::EMAIL => self.email(raw.value),
            _ => self.may_matter |= !raw.value.is_empty(),
        }
    }

    /// Looks at a name.
    pub fn name(&mut self, raw: &str) {
        self.has_name |= !raw.is_empty();
    }

    /// Looks at plates.
    pub fn plate(&mut self, raw: &str) {
        self.may_matter |= !raw.is_empty() && self.filter.has(BlockingKind::Plate);
    }

    /// Looks at a date of birth.
    pub fn birth_date(&mut self, raw: &str) {
        self.has_birth_date |= !raw.is_empty();
    }

    /// Tells whether the record may hold a key of a subject; a `false` is certain.
    #[must_use]
    pub fn may_matter(&self) -> bool {
        let weak =
            self.has_name && self.has_birth_date && self.filter.has(BlockingKind::NameBirthDate);
        self.may_matter || weak
    }
}

impl fmt::Debug for Glance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Glance").field("filter", self.filter).finish_non_exhaustive()
    }
}
