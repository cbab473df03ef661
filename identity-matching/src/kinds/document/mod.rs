//! Documents to country, type and canonical number.
//!
//! A number is compacted, read by the rule of its type, and checked for fillers. Rules stand in one
//! file per country, written from the issuers' own definitions; [`table`] lists them with their sources.

mod argentina;
mod brazil;
mod check;
mod chile;
mod colombia;
mod ecuador;
mod mexico;
mod number;
mod passport;
mod peru;
mod rule;
mod spain;
mod table;

pub use number::DocumentNumber;
pub use rule::{DocumentReading, DocumentRule};
pub use table::{DocumentType, DocumentTypeConflict, DocumentTypes};

use super::{IdentifierKind, RawValue, Sink};
use crate::key::{DocumentTypeId, Key, KeyForm, KeyKind, Reading};
use crate::normalise::{PlaceholderSet, UnusableReason};
use crate::text::LONGEST_VALUE;
use crate::text::Region;
use crate::text::filler;

/// Tells how a number was read, of which type.
struct Read {
    kind: DocumentTypeId,
    reading: DocumentReading,
}

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
        read(raw, &Context { types: &self.types, region }, sink);
    }
}

/// What a document is read by.
#[derive(Clone, Copy)]
struct Context<'a> {
    types: &'a DocumentTypes,
    /// The country of a document that names none.
    region: Option<Region>,
}

/// Reads one document into `sink`.
fn read(raw: RawValue<'_>, context: &Context<'_>, sink: &mut Sink<'_>) {
    if raw.value.is_empty() && raw.kind.is_empty() {
        return;
    }
    if raw.value.len() <= LONGEST_VALUE && is_blank(raw.value) {
        // A type without a number is a gap in the source; nothing at all is nothing.
        if !is_blank(raw.kind) {
            sink.unusable(UnusableReason::Blank);
        }
        return;
    }
    let mut number = match compact(raw.value) {
        Ok(number) => number,
        Err(reason) => return sink.unusable(reason),
    };
    match understand(raw, &mut number, context, sink.placeholders) {
        Ok(read) => accept(&number, &read, sink),
        Err(reason) => sink.unusable(reason),
    }
}

/// Tells whether a text is empty or of blanks; mostly its first letter says no.
fn is_blank(text: &str) -> bool {
    !text.bytes().next().is_some_and(|first| first.is_ascii_graphic())
        && text.trim_start().is_empty()
}

fn compact(raw: &str) -> Result<DocumentNumber, UnusableReason> {
    let number = match DocumentNumber::compact(raw) {
        Ok(number) => number,
        Err(UnusableReason::TooLong) => return Err(UnusableReason::TooLong),
        Err(_) if filler::is_filler(raw) => return Err(UnusableReason::Placeholder),
        Err(reason) => return Err(reason),
    };
    // Mostly the first letter settles it.
    let has_digit = number.as_bytes().iter().any(u8::is_ascii_digit);
    if !has_digit && filler::is_filler(raw) {
        return Err(UnusableReason::Placeholder);
    }
    Ok(number)
}

/// Brings `number` into canonical form.
fn understand(
    raw: RawValue<'_>,
    number: &mut DocumentNumber,
    context: &Context<'_>,
    placeholders: &PlaceholderSet,
) -> Result<Read, UnusableReason> {
    let country = country(raw.country, context)?;
    let read = if is_blank(raw.kind) {
        infer(country, number, context)
    } else {
        read_typed(country, raw, number, context)
    };
    match read {
        Ok(read) if is_placeholder(number, &read, placeholders) => Err(UnusableReason::Placeholder),
        Err(_) if is_filler_number(raw.value) => Err(UnusableReason::Placeholder),
        read => read,
    }
}

fn country(raw: &str, context: &Context<'_>) -> Result<Region, UnusableReason> {
    if is_blank(raw) {
        return context.region.ok_or(UnusableReason::NoRegion);
    }
    Region::parse(raw).map_err(|_| UnusableReason::UnknownRegion)
}

/// Reads a number of a stated type; one that no table knows is kept as it is.
fn read_typed(
    country: Region,
    raw: RawValue<'_>,
    number: &mut DocumentNumber,
    context: &Context<'_>,
) -> Result<Read, UnusableReason> {
    if raw.kind.len() > LONGEST_VALUE {
        return Err(UnusableReason::TooLong);
    }
    let Some(found) = context.types.find(country, raw.kind) else {
        let reading = passport::opaque(number)?;
        return Ok(Read { kind: table::unknown_id(country, raw.kind), reading });
    };
    apply(found, country, number).or_else(|reason| {
        // `DNI 45678912`: the type may stand before the number too. The rule may have changed the number, and
        // reading it again costs less than keeping a copy of every one.
        let written = compact(raw.value)?;
        let code = found.code().as_bytes();
        match written.as_bytes().strip_prefix(code) {
            Some(rest) if !rest.is_empty() => {
                *number = written;
                number.drop_front(code.len());
                apply(found, country, number).map_err(|_| reason)
            }
            _ => Err(reason),
        }
    })
}

fn apply(
    kind: &DocumentType,
    country: Region,
    number: &mut DocumentNumber,
) -> Result<Read, UnusableReason> {
    let reading = kind.rule().read(number)?;
    Ok(Read { kind: reading.kind.unwrap_or_else(|| kind.id(country)), reading })
}

/// Tries the country's types in order and takes the first that the number fits as it is written.
fn infer(
    country: Region,
    number: &mut DocumentNumber,
    context: &Context<'_>,
) -> Result<Read, UnusableReason> {
    let written = *number;
    let complete = |read: &Read| {
        let marks = read.reading.reading;
        let as_written =
            !marks.contains(Reading::ZEROS_RESTORED) || marks.contains(Reading::CHECK_VERIFIED);
        as_written && read.reading.form == KeyForm::Exact
    };
    let types = &context.types;
    for kind in types.tried(country).filter(|kind| kind.is_tried_on(&written)) {
        *number = written;
        if let Some(mut read) = apply(kind, country, number).ok().filter(complete) {
            read.reading = read.reading.with(Reading::TYPE_INFERRED);
            return Ok(read);
        }
    }
    Err(UnusableReason::NoTypeFits)
}

/// Tells whether an accepted number is a filler all the same.
fn is_placeholder(number: &DocumentNumber, read: &Read, placeholders: &PlaceholderSet) -> bool {
    let whole = number.as_bytes();
    let body = read.reading.body.clone().and_then(|body| whole.get(body)).unwrap_or(whole);
    is_filler_body(body) || placeholders.has_document(number)
}

/// Tells whether a number that no rule accepts is a filler: then that is the better reason.
fn is_filler_number(raw: &str) -> bool {
    let written = compact(raw);
    written.is_ok_and(|written| written.len() > 2 && is_filler_body(written.as_bytes()))
        || filler::is_filler(raw)
}

/// Tells whether digits are zeros only, one digit repeated, or a run, also behind restored zeros.
fn is_filler_body(body: &[u8]) -> bool {
    if !body.iter().all(u8::is_ascii_digit) {
        let Some((&first, rest)) = body.split_first() else { return false };
        return rest.len() > 1 && rest.iter().all(|&byte| byte == first);
    }
    let zeros = body.iter().take_while(|&&digit| digit == b'0').count();
    let rest = &body[zeros..];
    rest.is_empty()
        || filler::is_repeated_or_run(body)
        || rest.len() >= 5 && filler::is_repeated_or_run(rest)
}

fn accept(number: &DocumentNumber, read: &Read, sink: &mut Sink<'_>) {
    sink.mark(read.reading.reading);
    push(read.kind, number, read.reading.form, sink);
    if let Some((kind, part)) = &read.reading.carried {
        let mut carried = *number;
        carried.truncate(part.end);
        carried.drop_front(part.start);
        if !carried.is_empty() && !sink.placeholders.has_document(&carried) {
            push(*kind, &carried, KeyForm::Derived, sink);
        }
    }
}

fn push(kind: DocumentTypeId, number: &DocumentNumber, form: KeyForm, sink: &mut Sink<'_>) {
    let key = Key::document(kind, number.as_bytes(), sink.hash_key);
    if key.is_hashed() {
        sink.out.push_text(key, number.as_str());
    }
    sink.push_key(key, form);
}
