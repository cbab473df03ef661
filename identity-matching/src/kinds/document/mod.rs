//! Documents to country, type and canonical number.
//!
//! A plain number is compacted, read by the rule of its type, and checked for fillers; what people write around one is
//! taken apart by [`written`]. Rules stand in one file per country, written from the issuers' own definitions; [`types`]
//! lists them with their names and sources, and [`names`] reads what people call them.

mod argentina;
mod beside;
mod bolivia;
mod brazil;
mod check;
mod chile;
mod colombia;
mod costa_rica;
mod dominican_republic;
mod ecuador;
mod el_salvador;
mod filler;
mod guatemala;
mod honduras;
mod italy;
mod mexico;
mod names;
mod number;
mod organisation;
mod panama;
mod paraguay;
mod passport;
mod peru;
mod portugal;
mod reading;
mod rule;
mod spain;
mod spelling;
mod table;
mod types;
mod uruguay;
mod venezuela;
mod written;

pub use number::DocumentNumber;
pub use rule::{DocumentReading, DocumentRule};
pub use table::{DocumentType, DocumentTypeConflict, DocumentTypes};

pub(crate) use self::beside::Beside;
use self::beside::Stated;
use self::filler::{compact, is_filler_body, is_filler_number};
use self::names::Named;
use self::reading::{Context, Read, Wanted};
use self::table::ANY_PASSPORT;
use super::{IdentifierKind, RawValue, Sink};
use crate::key::{DocumentTypeId, HashKey, Key, KeyForm, KeyKind, Reading};
use crate::text::LONGEST_VALUE;
use crate::text::Region;
use crate::{key::UnusableReason, kinds::PlaceholderSet};

/// Documents: a type of a country, and a number.
#[derive(Clone, Debug)]
pub(crate) struct DocumentKind {
    pub(crate) types: DocumentTypes,
}

impl IdentifierKind for DocumentKind {
    fn code(&self) -> KeyKind {
        KeyKind::DOCUMENT
    }

    fn read(&self, raw: RawValue<'_>, region: Option<Region>, sink: &mut Sink<'_>) {
        if read_again(raw, &self.types, region, sink) || raw.value.is_empty() && raw.kind.is_empty()
        {
            return;
        }
        if raw.value.len() <= LONGEST_VALUE && is_blank(raw.value) {
            // A type without a number is a gap in the source; nothing at all is nothing.
            if !is_blank(raw.kind) {
                sink.unusable(UnusableReason::Blank);
            }
            return;
        }
        if let Err(reason) = read(raw, &self.types, region, sink) {
            sink.unusable(reason);
        }
    }
}

/// Reads what stands beside a number.
fn stated<'t>(
    raw: RawValue<'_>,
    types: &'t DocumentTypes,
    region: Option<Region>,
) -> Result<Stated<'t>, UnusableReason> {
    let (issuer, marks) = match country(raw.country) {
        // A passport is one whoever issued it: `Otro`, `Extranjero`.
        Err(_) if types.find(table::ANY, raw.kind).is_some() => (None, Reading::COUNTRY_NAMED),
        read => read?,
    };
    let context = Context { types, issuer };
    // A passport has an issuer that nobody named; other documents are read by the region.
    let country = match issuer.or(region) {
        Some(country) => country,
        None if types.find(table::ANY, raw.kind).is_some() => table::ANY,
        None => return Err(UnusableReason::NoRegion),
    };
    Ok(Stated { wanted: wanted(raw.kind, country, types), country, context, marks })
}

/// Reads digits alone of the type that the last number had; `false`, with nothing done, where there is more to it.
fn read_again(
    raw: RawValue<'_>,
    types: &DocumentTypes,
    region: Option<Region>,
    sink: &mut Sink<'_>,
) -> bool {
    let Some(number) = DocumentNumber::of_digits(raw.value.as_bytes()) else { return false };
    let Some(stated) = sink.out.beside.find(raw, region, types) else { return false };
    let Wanted::Type(kind) = stated.wanted else { return false };
    match reading::plain(&number, kind, stated.country, &stated.context) {
        Some(read) if !is_placeholder(&read, sink.placeholders) => {
            sink.mark(read.reading.reading);
            accept(&read, sink);
            true
        }
        _ => false,
    }
}

fn read(
    raw: RawValue<'_>,
    types: &DocumentTypes,
    region: Option<Region>,
    sink: &mut Sink<'_>,
) -> Result<(), UnusableReason> {
    if raw.value.len() > LONGEST_VALUE || raw.kind.len() > LONGEST_VALUE {
        return Err(UnusableReason::TooLong);
    }
    let stated = if let Some(known) = sink.out.beside.find(raw, region, types) {
        known
    } else {
        let stated = stated(raw, types, region)?;
        sink.out.beside.keep(raw, region, types, &stated);
        stated
    };
    let Stated { wanted, country, context, marks } = stated;
    sink.mark(marks);
    let marks = sink.reading;
    if is_plain_value(raw.value.as_bytes()) {
        let number = compact(raw.value)?;
        let mut outcome = Outcome::default();
        let read = reading::read(&number, &wanted, country, &context, &mut |read| {
            outcome.accept(&read, marks, sink);
        });
        match read {
            Ok(()) => return outcome.finish(),
            Err(_) if is_filler_number(raw.value) => return Err(UnusableReason::Placeholder),
            Err(reason) if number.len() == raw.value.len() && number.is_digits() => {
                return Err(reason);
            }
            Err(_) => {}
        }
    }
    written::read(raw.value, &wanted, country, &context, &mut |found| {
        let mut outcome = Outcome::default();
        let found = found.and_then(|reads| {
            for read in &reads {
                outcome.accept(read, marks, sink);
            }
            outcome.finish()
        });
        if let Err(reason) = found {
            sink.unusable(reason);
        }
    });
    Ok(())
}

/// Says what became of the readings of one number.
#[derive(Default)]
struct Outcome {
    accepted: bool,
}

impl Outcome {
    fn accept(&mut self, read: &Read, marks: Reading, sink: &mut Sink<'_>) {
        if !is_placeholder(read, sink.placeholders) {
            self.accepted = true;
            sink.reading = marks.with(read.reading.reading);
            accept(read, sink);
        }
    }

    fn finish(&self) -> Result<(), UnusableReason> {
        if self.accepted { Ok(()) } else { Err(UnusableReason::Placeholder) }
    }
}

/// Finds the types that a name stands for.
fn wanted<'t>(name: &str, country: Region, types: &'t DocumentTypes) -> Wanted<'t> {
    if is_blank(name) {
        return Wanted::ANY;
    }
    if let Some(found) = types.find(country, name) {
        return Wanted::Type(found);
    }
    match names::resolve(types, country, name) {
        Named::Unknown => Wanted::Opaque(table::unknown_id(country, name)),
        named => Wanted::Named(named),
    }
}

/// Tells whether a value is digits, letters and separators as documents are usually written: letters beside separators
/// stand at an end, and alone.
fn is_plain_value(value: &[u8]) -> bool {
    // Most are digits alone.
    if value.iter().all(u8::is_ascii_digit) {
        return true;
    }
    let (mut letters, mut inside, mut signs) = (0, false, 0);
    for (at, &byte) in value.iter().enumerate() {
        if byte.is_ascii_alphabetic() {
            letters += 1;
            inside |= at > 0 && at + 1 < value.len();
        } else if !byte.is_ascii_digit() {
            if !matches!(byte, b' ' | b'-' | b'.' | b'/') {
                return false;
            }
            signs += 1;
        }
    }
    if signs == 0 {
        return true;
    }
    // A spreadsheet's decimals.
    let decimals = matches!(value, [.., b'.', _] | [.., b'.', _, _]);
    !decimals && (letters == 0 || !inside)
}

/// Tells whether a text is empty or of blanks; mostly its first letter says no.
fn is_blank(text: &str) -> bool {
    !text.bytes().next().is_some_and(|first| first.is_ascii_graphic())
        && text.trim_start().is_empty()
}

/// Reads the name of a country; nothing where none or a filler stands there.
fn country(raw: &str) -> Result<(Option<Region>, Reading), UnusableReason> {
    let plain = Reading::new();
    if is_blank(raw) {
        return Ok((None, plain));
    }
    if let Ok(region) = Region::parse(raw) {
        return Ok((Some(region), plain));
    }
    let code = raw.len() == 2 && raw.bytes().all(|byte| byte.is_ascii_alphabetic());
    if raw.len() <= LONGEST_VALUE && !code && crate::text::filler::is_filler(raw) {
        return Ok((None, plain));
    }
    let region = Region::from_name(raw).ok_or(UnusableReason::UnknownRegion)?;
    Ok((Some(region), Reading::COUNTRY_NAMED))
}

/// Tells whether an accepted number is a filler all the same.
fn is_placeholder(read: &Read, placeholders: &PlaceholderSet) -> bool {
    let whole = read.number.as_bytes();
    let body = read.reading.body.clone().and_then(|body| whole.get(body)).unwrap_or(whole);
    is_filler_body(body) || placeholders.has_document(&read.number)
}

#[inline]
fn accept(read: &Read, sink: &mut Sink<'_>) {
    let mut carried = false;
    each_number(read, |kind, number, form| {
        if !carried || !sink.placeholders.has_document(number) {
            push(kind, number, form, sink);
        }
        // The first is the whole; others are a part of it, or it again.
        carried = true;
    });
}

/// Reports the numbers that a reading gives, the whole first.
#[inline]
fn each_number(read: &Read, mut report: impl FnMut(DocumentTypeId, &DocumentNumber, KeyForm)) {
    let form = read.reading.form;
    let organisation =
        read.reading.organisation || organisation::is_number_of(read.kind, &read.number);
    let kind = if organisation { read.kind.of_organisation() } else { read.kind };
    report(kind, &read.number, form);
    if read.kind != ANY_PASSPORT && read.kind.code_hash() == ANY_PASSPORT.code_hash() {
        report(ANY_PASSPORT, &read.number, KeyForm::Alias);
    }
    if let Some((kind, part)) = &read.reading.carried {
        let mut carried = read.number;
        carried.truncate(part.end);
        carried.drop_front(part.start);
        if !carried.is_empty() {
            report(*kind, &carried, form.max(KeyForm::Derived));
        }
    }
}

/// Makes the keys of plain documents, row after row, without noting how they were read: what stands beside a number is
/// mostly what stood there in the row before.
pub(crate) struct Glance<'t> {
    types: &'t DocumentTypes,
    hash_key: HashKey,
    last: Option<([String; 2], Option<Region>, Stated<'t>)>,
}

impl<'t> Glance<'t> {
    pub(crate) fn new(types: &'t DocumentTypes, hash_key: HashKey) -> Self {
        Self { types, hash_key, last: None }
    }

    /// Reports every key that the value may give; `false` where it is more than digits of a type, and all may be.
    pub(crate) fn keys(
        &mut self,
        raw: RawValue<'_>,
        region: Option<Region>,
        report: &mut dyn FnMut(Key),
    ) -> bool {
        let digits = raw.value.len() <= DocumentNumber::CAPACITY
            && raw.value.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || raw.value.is_empty() || raw.kind.len() > LONGEST_VALUE {
            return false;
        }
        let known = self.last.as_ref().is_some_and(|([country, kind], last, _)| {
            country == raw.country && kind == raw.kind && *last == region
        });
        if !known {
            let stated = stated(raw, self.types, region);
            let beside = [raw.country.to_owned(), raw.kind.to_owned()];
            self.last = stated.ok().map(|stated| (beside, region, stated));
        }
        let Some((_, _, stated)) = &self.last else { return false };
        let Ok(number) = DocumentNumber::compact(raw.value) else { return false };
        let Stated { wanted, country, context, .. } = stated;
        let hash_key = self.hash_key;
        reading::read(&number, wanted, *country, context, &mut |read| {
            each_number(&read, |kind, number, _| {
                report(Key::document(kind, number.as_bytes(), hash_key));
            });
        })
        .is_ok()
    }
}

fn push(kind: DocumentTypeId, number: &DocumentNumber, form: KeyForm, sink: &mut Sink<'_>) {
    let key = Key::document(kind, number.as_bytes(), sink.hash_key);
    if key.is_hashed() {
        sink.out.push_text(key, number.as_str());
    }
    sink.push_key(key, form);
}
