//! One number, of a type that is stated, or of one that the number decides.

use super::names::Named;
use super::rule::DocumentReading;
use super::table::DocumentType;
use super::table::{ANY_PASSPORT, DocumentTypes};
use super::{DocumentNumber, passport};
use crate::key::UnusableReason;
use crate::key::{DocumentTypeId, KeyForm, Reading};
use crate::text::Region;

/// What a document is read by.
#[derive(Clone, Copy)]
pub(super) struct Context<'t> {
    pub(super) types: &'t DocumentTypes,
    /// The country that the document names.
    pub(super) issuer: Option<Region>,
}

/// How a number was read, of which type.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) number: DocumentNumber,
    pub(super) kind: DocumentTypeId,
    pub(super) reading: DocumentReading,
}

impl Read {
    pub(super) fn with(mut self, marks: Reading) -> Self {
        self.reading = self.reading.with(marks);
        self
    }

    /// Says that it is one of several readings.
    fn supposed(mut self) -> Self {
        self.reading = self.reading.with(Reading::SECOND_READING).supposed();
        self
    }

    /// Tells whether the number fits the type as it is written, or a check digit proves the zeros that were put back.
    fn is_as_written(&self) -> bool {
        let marks = self.reading.reading;
        !marks.contains(Reading::ZEROS_RESTORED) || marks.contains(Reading::CHECK_VERIFIED)
    }

    fn is_exact(&self) -> bool {
        self.reading.form == KeyForm::Exact
    }
}

/// Takes the readings of one number.
pub(super) type Found<'a> = dyn FnMut(Read) + 'a;

/// Which types a number may be of.
#[derive(Clone, Debug)]
pub(super) enum Wanted<'t> {
    Type(&'t DocumentType),
    Named(Named<'t>),
    /// A type that no table knows.
    Opaque(DocumentTypeId),
}

impl Wanted<'_> {
    pub(super) const ANY: Self = Self::Named(Named::Any);
}

/// Reads one number.
///
/// One reading is given, or several where nothing says which is meant: then none of them is exact.
pub(super) fn read(
    written: &DocumentNumber,
    wanted: &Wanted<'_>,
    country: Region,
    context: &Context<'_>,
    found: &mut Found<'_>,
) -> Result<(), UnusableReason> {
    match wanted {
        Wanted::Type(kind) => of_type(written, kind, country, context, found),
        Wanted::Named(Named::Types(kinds)) => match kinds[..] {
            [kind] => of_type(written, kind, country, context, &mut |read| {
                found(read.with(Reading::TYPE_NAMED));
            }),
            _ => chosen(written, kinds, country, context, found),
        },
        Wanted::Named(_) => inferred(written, country, context, found),
        Wanted::Opaque(kind) => {
            let mut number = *written;
            let reading = passport::opaque(&mut number)?;
            found(Read { number, kind: *kind, reading });
            Ok(())
        }
    }
}

#[inline]
fn apply(
    kind: &DocumentType,
    written: &DocumentNumber,
    country: Region,
    context: &Context<'_>,
) -> Result<Read, UnusableReason> {
    let mut number = *written;
    let reading = kind.rule().read(&mut number)?;
    // The region of a record says nothing of who issued its passport.
    let passport = kind.country().is_none() || kind.code() == "PASSPORT";
    let issuer = if passport { context.issuer } else { Some(country) };
    let kind = reading.kind.unwrap_or_else(|| match issuer {
        Some(issuer) => kind.id(issuer),
        None => ANY_PASSPORT,
    });
    Ok(Read { number, kind, reading })
}

/// Reads a number of a type where it has one reading and a rule that accepts it; nothing where more is to be said.
#[inline]
pub(super) fn plain(
    written: &DocumentNumber,
    kind: &DocumentType,
    country: Region,
    context: &Context<'_>,
) -> Option<Read> {
    let mut others = false;
    if let Some(seconds) = kind.seconds() {
        seconds(written, &mut |_, _| others = true);
    }
    if others { None } else { apply(kind, written, country, context).ok() }
}

fn of_type(
    written: &DocumentNumber,
    kind: &DocumentType,
    country: Region,
    context: &Context<'_>,
    found: &mut Found<'_>,
) -> Result<(), UnusableReason> {
    let first = apply(kind, written, country, context);
    let Some(seconds) = kind.seconds() else {
        found(first?);
        return Ok(());
    };
    let mut others = false;
    seconds(written, &mut |number, reading| {
        others = true;
        let kind = reading.kind.unwrap_or_else(|| kind.id(country));
        found(Read { number, kind, reading: reading.with(Reading::SECOND_READING) });
    });
    match first {
        Ok(first) if others => found(first.supposed()),
        Ok(first) => found(first),
        Err(_) if others => {}
        Err(reason) => return Err(reason),
    }
    Ok(())
}

/// Reads a number of one of several types that the field names, of which those come first that the number looks like.
fn chosen(
    written: &DocumentNumber,
    kinds: &[&DocumentType],
    country: Region,
    context: &Context<'_>,
    found: &mut Found<'_>,
) -> Result<(), UnusableReason> {
    let likely: Vec<_> = kinds.iter().copied().filter(|kind| kind.may_be(written)).collect();
    let read = choose(written, &likely, country, context, found);
    if read.is_err() && likely.len() < kinds.len() {
        return choose(written, kinds, country, context, found);
    }
    read
}

fn choose(
    written: &DocumentNumber,
    kinds: &[&DocumentType],
    country: Region,
    context: &Context<'_>,
    found: &mut Found<'_>,
) -> Result<(), UnusableReason> {
    let (mut exact, mut supposed) = (Vec::new(), Vec::new());
    let mut reason = UnusableReason::NoTypeFits;
    for kind in kinds {
        match apply(kind, written, country, context) {
            Ok(read) if read.is_exact() && read.is_as_written() => {
                let known =
                    |(other, _): &(Read, _)| other.kind == read.kind && other.number == read.number;
                if !exact.iter().any(known) {
                    exact.push((read, kind));
                }
            }
            Ok(read) => supposed.push(read),
            Err(why) => reason = why,
        }
    }
    match &exact[..] {
        [(_, kind)] => of_type(written, kind, country, context, &mut |read| {
            found(read.with(Reading::TYPE_CHOSEN));
        }),
        [] if supposed.is_empty() => Err(reason),
        [] => {
            for read in supposed {
                found(read.with(Reading::TYPE_CHOSEN));
            }
            Ok(())
        }
        _ => {
            for (read, _) in exact {
                found(read.supposed().with(Reading::TYPE_CHOSEN));
            }
            Ok(())
        }
    }
}

/// Tries the country's types on a number without a type.
///
/// A type counts where the number fits it as it is written, or a check digit proves the zeros that were put back.
fn inferred(
    written: &DocumentNumber,
    country: Region,
    context: &Context<'_>,
    found: &mut Found<'_>,
) -> Result<(), UnusableReason> {
    let mut exact: Option<(Read, &DocumentType)> = None;
    let mut supposed: Option<Read> = None;
    let mut several = false;
    for kind in context.types.tried(country).filter(|kind| kind.is_tried_on(written)) {
        let Ok(read) = apply(kind, written, country, context) else { continue };
        if !read.is_exact() {
            supposed.get_or_insert(read);
        } else if read.is_as_written() {
            let Some((first, _)) = &exact else {
                exact = Some((read, kind));
                continue;
            };
            if first.kind == read.kind && first.number == read.number {
                continue;
            }
            if !several {
                found(first.clone().supposed().with(Reading::TYPE_INFERRED));
            }
            several = true;
            found(read.supposed().with(Reading::TYPE_INFERRED));
        }
    }
    match exact {
        Some(_) if several => Ok(()),
        Some((read, kind)) if kind.seconds().is_none() => {
            found(read.with(Reading::TYPE_INFERRED));
            Ok(())
        }
        Some((_, kind)) => of_type(written, kind, country, context, &mut |read| {
            found(read.with(Reading::TYPE_INFERRED));
        }),
        None => {
            let read = supposed.ok_or(UnusableReason::NoTypeFits)?;
            found(read.with(Reading::TYPE_INFERRED));
            Ok(())
        }
    }
}
