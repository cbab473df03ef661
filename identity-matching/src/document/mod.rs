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

use crate::key::{DocumentTypeId, Key, KeyForm, Reading, Source};
use crate::normalise::{Normalised, Normaliser};
use crate::placeholder;
use crate::record::DocumentParts;
use crate::region::Region;
use crate::unusable::UnusableReason;

/// Is a number in canonical form.
struct Read {
    kind: DocumentTypeId,
    number: DocumentNumber,
    reading: DocumentReading,
}

/// Reads one document into `out`.
pub(crate) fn read(
    raw: DocumentParts<'_>,
    source: Source,
    normaliser: &Normaliser,
    out: &mut Normalised,
) {
    if raw.number.is_empty() && raw.kind.is_empty() {
        return;
    }
    match understand(raw, normaliser) {
        Ok(Some(read)) => accept(&read, source, normaliser, out),
        Ok(None) => {}
        Err(reason) => out.push_unusable(source, reason),
    }
}

fn understand(
    raw: DocumentParts<'_>,
    normaliser: &Normaliser,
) -> Result<Option<Read>, UnusableReason> {
    if raw.number.len() <= crate::text::LONGEST_VALUE && raw.number.trim().is_empty() {
        // A type without a number is a gap in the source; nothing at all is nothing.
        return if raw.kind.trim().is_empty() { Ok(None) } else { Err(UnusableReason::Blank) };
    }
    let written = match DocumentNumber::compact(raw.number) {
        Ok(number) => number,
        Err(UnusableReason::TooLong) => return Err(UnusableReason::TooLong),
        Err(_) if placeholder::is_filler(raw.number) => return Err(UnusableReason::Placeholder),
        Err(reason) => return Err(reason),
    };
    let has_digit = written.as_bytes().iter().any(u8::is_ascii_digit);
    if !has_digit && placeholder::is_filler(raw.number) {
        return Err(UnusableReason::Placeholder);
    }
    let country = country(raw.country, normaliser)?;
    let read = if raw.kind.trim().is_empty() {
        infer(country, &written, normaliser)
    } else {
        read_typed(country, raw.kind, &written, normaliser)
    };
    match read {
        Ok(read) if is_placeholder(&read, normaliser) => Err(UnusableReason::Placeholder),
        Ok(read) => Ok(Some(read)),
        Err(_) if is_filler_number(&written, raw.number) => Err(UnusableReason::Placeholder),
        Err(reason) => Err(reason),
    }
}

fn country(raw: &str, normaliser: &Normaliser) -> Result<Region, UnusableReason> {
    match raw.trim() {
        "" => normaliser.options().default_region.ok_or(UnusableReason::NoRegion),
        code => Region::parse(code).map_err(|_| UnusableReason::UnknownRegion),
    }
}

/// Reads a number of a stated type; one that no table knows is kept as it is.
fn read_typed(
    country: Region,
    kind: &str,
    written: &DocumentNumber,
    normaliser: &Normaliser,
) -> Result<Read, UnusableReason> {
    let Some(found) = normaliser.options().document_types.find(country, kind) else {
        if kind.len() > crate::text::LONGEST_VALUE {
            return Err(UnusableReason::TooLong);
        }
        let mut number = *written;
        let reading = passport::opaque(&mut number)?;
        let id = DocumentTypeId::new(country, &table::folded_name(kind));
        return Ok(Read { kind: id, number, reading });
    };
    apply(found, country, written).or_else(|reason| {
        // `DNI 45678912`: the type may stand before the number too.
        let code = found.code().as_bytes();
        match written.as_bytes().strip_prefix(code) {
            Some(rest) if !rest.is_empty() => {
                let mut number = *written;
                number.drop_front(code.len());
                apply(found, country, &number).map_err(|_| reason)
            }
            _ => Err(reason),
        }
    })
}

fn apply(
    kind: &DocumentType,
    country: Region,
    written: &DocumentNumber,
) -> Result<Read, UnusableReason> {
    let mut number = *written;
    let reading = kind.rule().read(&mut number)?;
    let own = DocumentTypeId::new(country, kind.code());
    Ok(Read { kind: reading.kind.unwrap_or(own), number, reading })
}

/// Tries the country's types in order and takes the first that the number fits as it is written.
fn infer(
    country: Region,
    written: &DocumentNumber,
    normaliser: &Normaliser,
) -> Result<Read, UnusableReason> {
    let types = &normaliser.options().document_types;
    let complete = |read: &Read| {
        let marks = read.reading.reading;
        let as_written =
            !marks.contains(Reading::ZEROS_RESTORED) || marks.contains(Reading::CHECK_VERIFIED);
        as_written && read.reading.form == KeyForm::Exact
    };
    types
        .tried(country)
        .filter(|kind| kind.is_tried_on(written))
        .find_map(|kind| apply(kind, country, written).ok().filter(complete))
        .map(|mut read| {
            read.reading = read.reading.with(Reading::TYPE_INFERRED);
            read
        })
        .ok_or(UnusableReason::NoTypeFits)
}

/// Tells whether an accepted number is a filler all the same.
fn is_placeholder(read: &Read, normaliser: &Normaliser) -> bool {
    let number = read.number.as_bytes();
    let body = read.reading.body.clone().and_then(|body| number.get(body)).unwrap_or(number);
    is_filler_body(body) || normaliser.placeholders.has_document(read.number.as_str())
}

/// Tells whether a number that no rule accepts is a filler: then that is the better reason.
fn is_filler_number(written: &DocumentNumber, raw: &str) -> bool {
    written.len() > 2 && is_filler_body(written.as_bytes()) || placeholder::is_filler(raw)
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
        || placeholder::is_repeated_or_run(body)
        || rest.len() >= 5 && placeholder::is_repeated_or_run(rest)
}

fn accept(read: &Read, source: Source, normaliser: &Normaliser, out: &mut Normalised) {
    let hash_key = normaliser.options().hash_key;
    let marks = read.reading.reading;
    let key = Key::document(read.kind, read.number.as_bytes(), hash_key);
    if key.is_hashed() {
        out.push_text(key, read.number.as_str());
    }
    out.push_key(key, read.reading.form, source, marks);
    if let Some((kind, part)) = &read.reading.carried
        && let Some(carried) = read.number.as_str().get(part.clone())
        && !normaliser.placeholders.has_document(carried)
    {
        let key = Key::document(*kind, carried.as_bytes(), hash_key);
        if key.is_hashed() {
            out.push_text(key, carried);
        }
        out.push_key(key, KeyForm::Derived, source, marks);
    }
}
