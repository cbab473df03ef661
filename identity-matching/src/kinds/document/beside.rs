//! What stood beside the last number: a source mostly writes country and type alike in all its rows, so what they mean is
//! looked up once.

use super::reading::{Context, Wanted};
use super::table::DocumentTypes;
use crate::kinds::RawValue;
use crate::{key::Reading, text::Region};

/// What country and type mean, as they were written beside a number.
pub(super) struct Stated<'t> {
    pub(super) wanted: Wanted<'t>,
    pub(super) country: Region,
    pub(super) context: Context<'t>,
    pub(super) marks: Reading,
}

/// Keeps what country, type and region meant, in the buffer of the records that are read one after the other.
///
/// It changes nothing of what is read, so two buffers are equal whatever they keep.
#[derive(Clone, Default)]
pub(crate) struct Beside {
    kept: Option<Box<Kept>>,
}

#[derive(Clone)]
struct Kept {
    country: String,
    kind: String,
    region: Option<Region>,
    /// The table that the type was found in, held so that no other can lie in its place.
    types: DocumentTypes,
    /// The type's place in the table.
    place: usize,
    of: Region,
    issuer: Option<Region>,
}

impl Beside {
    /// Returns what was found for the same country, type and region in the same table.
    #[inline]
    pub(super) fn find<'t>(
        &self,
        raw: RawValue<'_>,
        region: Option<Region>,
        types: &'t DocumentTypes,
    ) -> Option<Stated<'t>> {
        let kept = self.kept.as_deref()?;
        // They are short: byte by byte is the quickest.
        let equal = |one: &str, other: &str| {
            one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| a == b)
        };
        let same = equal(&kept.kind, raw.kind)
            && equal(&kept.country, raw.country)
            && kept.region == region
            && kept.types.is_same(types);
        let kind = types.at(kept.place).filter(|_| same)?;
        Some(Stated {
            wanted: Wanted::Type(kind),
            country: kept.of,
            context: Context { types, issuer: kept.issuer },
            marks: Reading::new(),
        })
    }

    /// Keeps what was found, where it is one type of a country that was written as a code.
    pub(super) fn keep(
        &mut self,
        raw: RawValue<'_>,
        region: Option<Region>,
        types: &DocumentTypes,
        stated: &Stated<'_>,
    ) {
        let Wanted::Type(kind) = stated.wanted else { return };
        let Some(place) = types.place(kind).filter(|_| stated.marks == Reading::new()) else {
            return;
        };
        let (of, issuer) = (stated.country, stated.context.issuer);
        let Some(kept) = &mut self.kept else {
            let (country, kind) = (raw.country.to_owned(), raw.kind.to_owned());
            let types = types.clone();
            self.kept = Some(Box::new(Kept { country, kind, region, types, place, of, issuer }));
            return;
        };
        raw.country.clone_into(&mut kept.country);
        raw.kind.clone_into(&mut kept.kind);
        if !kept.types.is_same(types) {
            kept.types = types.clone();
        }
        (kept.region, kept.place, kept.of, kept.issuer) = (region, place, of, issuer);
    }
}

impl PartialEq for Beside {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
