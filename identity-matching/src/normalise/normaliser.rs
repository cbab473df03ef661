//! A normaliser, and the reader of one record.

use std::sync::{Arc, OnceLock};

use super::options::NormaliseOptions;
use super::record::Record;
use crate::key::{Field, KeyKind, Masked, Reading, UnusableReason, ValueSource};
use crate::kinds::{
    IdentifierKind, KINDS_MAX, Normalised, PlaceholderSet, RawValue, Sink,
    document::DocumentKind,
    email::{EmailKind, EmailTable},
    phone::PhoneKind,
};
use crate::text::Region;
use crate::weak::{BirthDate, Name, Plate};

/// A reader of records: it makes keys of their values under fixed options.
///
/// ```
/// use identity_matching::{Normaliser, Record, Region};
/// let normaliser = Normaliser::for_region(Region::parse("PE")?);
/// let local = normaliser.normalise(&Record { phones: vec!["987 654 321".into()], ..Record::default() });
/// let full = normaliser.normalise(&Record { phones: vec!["+51-987654321".into()], ..Record::default() });
/// assert_eq!(local.keys()[0].key, full.keys()[0].key);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Normaliser {
    options: NormaliseOptions,
    pub(super) placeholders: PlaceholderSet,
    /// The built-in kinds in their order, and the service's own.
    kinds: Vec<Arc<dyn IdentifierKind>>,
    /// The rules of addresses among the kinds, for a glance.
    emails: Arc<EmailKind>,
    /// The fingerprint, made when it is first asked for.
    fingerprint: OnceLock<Box<str>>,
}

impl Normaliser {
    /// Makes a normaliser by the default options, with a region to read local values by.
    #[must_use]
    pub fn for_region(region: Region) -> Self {
        Self::without_placeholders(NormaliseOptions::for_region(region))
    }

    pub(super) fn without_placeholders(options: NormaliseOptions) -> Self {
        let emails = Arc::new(EmailKind { table: EmailTable::new(&options.email_rules) });
        let built_in: [Arc<dyn IdentifierKind>; 3] = [
            Arc::new(DocumentKind { types: options.document_types.clone() }),
            Arc::new(PhoneKind { tail_digits: options.phone_tail_digits }),
            emails.clone(),
        ];
        let kinds = built_in.into_iter().chain(options.kinds.own().iter().cloned()).collect();
        let (placeholders, fingerprint) = (PlaceholderSet::default(), OnceLock::new());
        Self { options, placeholders, kinds, emails, fingerprint }
    }

    /// Returns the options.
    #[must_use]
    pub fn options(&self) -> &NormaliseOptions {
        &self.options
    }

    /// Returns the first 16 hexadecimal digits of the [fingerprint](NormaliseOptions::fingerprint) of the options: what is
    /// kept of keys and decisions carries it, to be known for outdated once values are read otherwise.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        self.fingerprint.get_or_init(|| {
            let half = u128::from_be_bytes(self.options.fingerprint()) >> 64;
            format!("{half:016x}").into()
        })
    }

    /// Lists the kinds that are read: documents, phones, e-mails, and the service's own.
    pub fn kinds(&self) -> impl Iterator<Item = &dyn IdentifierKind> {
        self.kinds.iter().map(|kind| &**kind)
    }

    /// Returns what of a value of a kind may be shown.
    #[must_use]
    pub fn mask(&self, kind: KeyKind, value: &str) -> String {
        match self.kinds.iter().find(|known| known.code() == kind) {
            Some(known) => known.mask(value),
            None => Masked::new(kind, value).to_string(),
        }
    }

    /// Normalises one record.
    #[must_use]
    pub fn normalise(&self, record: &Record) -> Normalised {
        let mut out = Normalised::default();
        self.normalise_into(record, &mut out);
        out
    }

    /// Normalises one record into a buffer, which is cleared before and keeps its memory.
    pub fn normalise_into(&self, record: &Record, out: &mut Normalised) {
        let mut reader = self.read_into(out).in_region(record.region);
        for document in &record.documents {
            reader.document(document.as_raw());
        }
        for phone in &record.phones {
            reader.phone(phone);
        }
        for email in &record.emails {
            reader.email(email);
        }
        for own in &record.own {
            reader.value(own.kind, own.value.as_str().into());
        }
        if let Some(name) = &record.name {
            reader.name(name);
        }
        if let Some(plate) = &record.plate {
            reader.plate(plate);
        }
        if let Some(birth_date) = &record.birth_date {
            reader.birth_date(birth_date);
        }
        let _ = reader.finish();
    }

    pub(crate) fn email_table(&self) -> &EmailTable {
        &self.emails.table
    }

    /// Starts a record that is given value by value, without a [`Record`] and without allocating.
    ///
    /// ```
    /// use identity_matching::{Normalised, Normaliser};
    /// let normaliser = Normaliser::default();
    /// let mut buffer = Normalised::default();
    /// let mut reader = normaliser.read_into(&mut buffer);
    /// reader.phone("+51 987 654 321");
    /// reader.email("ana@example.pe");
    /// assert_eq!(reader.finish().keys().len(), 2);
    /// ```
    pub fn read_into<'a>(&'a self, out: &'a mut Normalised) -> RecordReader<'a> {
        out.clear();
        let region = self.options.default_region;
        RecordReader { normaliser: self, out, region, positions: [0; KINDS_MAX] }
    }
}

impl Default for Normaliser {
    fn default() -> Self {
        Self::without_placeholders(NormaliseOptions::default())
    }
}

/// A reader of the values of one record, one at a time.
#[derive(Debug)]
#[must_use = "the keys are in order only after `finish`"]
pub struct RecordReader<'a> {
    normaliser: &'a Normaliser,
    out: &'a mut Normalised,
    region: Option<Region>,
    /// How many values of each kind were read, by the place of the kind.
    positions: [u16; KINDS_MAX],
}

impl<'a> RecordReader<'a> {
    /// Reads the values that follow by a region of the record's own, where it has one.
    pub fn in_region(mut self, region: Option<Region>) -> Self {
        self.region = region.or(self.region);
        self
    }

    /// Reads a document.
    pub fn document(&mut self, raw: RawValue<'_>) {
        self.read(0, raw);
    }

    /// Reads a telephone number.
    pub fn phone(&mut self, raw: &str) {
        self.read(1, raw.into());
    }

    /// Reads an e-mail address.
    pub fn email(&mut self, raw: &str) {
        self.read(2, raw.into());
    }

    /// Reads a value of any kind; one of a kind that the normaliser does not know is unusable.
    pub fn value(&mut self, kind: KeyKind, raw: RawValue<'_>) {
        let place = self.normaliser.kinds.iter().position(|known| known.code() == kind);
        if let Some(place) = place {
            self.read(place, raw);
        } else {
            let source = ValueSource { field: Field::Identifier(kind), position: 0 };
            self.out.push_unusable(source, UnusableReason::UnknownKind);
        }
    }

    fn read(&mut self, place: usize, raw: RawValue<'_>) {
        let (kind, region) = (&self.normaliser.kinds[place], self.region);
        kind.read(raw, region, &mut self.sink(place));
    }

    /// Makes the sink of the next value of a kind.
    pub(crate) fn sink(&mut self, place: usize) -> Sink<'_> {
        // The kinds that are always there come first.
        let code = match KeyKind::BUILT_IN.get(place) {
            Some(code) => *code,
            None => self.normaliser.kinds[place].code(),
        };
        let position = self.positions[place];
        self.positions[place] = position.saturating_add(1);
        Sink {
            out: self.out,
            source: ValueSource { field: Field::Identifier(code), position },
            hash_key: self.normaliser.options.hash_key,
            placeholders: &self.normaliser.placeholders,
            kind: code,
            reading: Reading::new(),
        }
    }

    /// Reads a full name; the last one counts.
    pub fn name(&mut self, raw: &str) {
        if raw.is_empty() {
            return;
        }
        let buffer = self.out.name.take().map(Name::into_buffer);
        let buffer = buffer.unwrap_or_else(|| std::mem::take(&mut self.out.spare));
        match Name::parse_into(raw, buffer) {
            Ok(name) if self.normaliser.placeholders.has_name(&name) => {
                self.out.spare = name.into_buffer();
                self.refuse(Field::Name, UnusableReason::Placeholder);
            }
            Ok(name) => self.out.name = Some(name),
            Err(reason) => self.refuse(Field::Name, reason),
        }
    }

    /// Reads the vehicle registration plates of a value, of which each finds persons; the first stands for the record.
    pub fn plate(&mut self, raw: &str) {
        let listed = &self.normaliser.placeholders;
        Plate::parse_all(raw, |read| match read {
            Ok(plate) if !listed.has_plate(plate) => {
                self.out.plate.get_or_insert(plate);
                self.out.blocking.push(crate::weak::blocking::plate(plate));
            }
            Err(UnusableReason::Blank) => {}
            read => {
                let reason = read.err().unwrap_or(UnusableReason::Placeholder);
                self.out.push_unusable(ValueSource { field: Field::Plate, position: 0 }, reason);
            }
        });
    }

    /// Reads a date of birth; the last one counts.
    pub fn birth_date(&mut self, raw: &str) {
        match BirthDate::parse(raw, self.region) {
            Ok(date) if self.normaliser.placeholders.has_birth_date(date) => {
                self.refuse(Field::BirthDate, UnusableReason::Placeholder);
            }
            Ok(date) => self.out.birth_date = Some(date),
            Err(reason) => self.refuse(Field::BirthDate, reason),
        }
    }

    /// Notes why a single field gives nothing; an empty one is none.
    fn refuse(&mut self, field: Field, reason: UnusableReason) {
        if reason != UnusableReason::Blank {
            self.out.push_unusable(ValueSource { field, position: 0 }, reason);
        }
    }

    /// Puts the keys in order, each once in its strongest form, and makes the blocking keys.
    #[must_use]
    pub fn finish(self) -> &'a Normalised {
        // Most records are given in the order of kinds, one value of each.
        if !self.out.keys.is_sorted_by(|held, next| held.key < next.key) {
            self.out.keys.sort_unstable();
            self.out.keys.dedup_by_key(|held| held.key);
        }
        self.out.fill_blocking();
        self.out
    }
}
