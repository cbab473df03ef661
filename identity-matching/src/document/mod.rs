//! Documents to country, type and canonical number.

use crate::key::{DocumentTypeId, Key, KeyForm, Reading, Source};
use crate::normalise::{Normalised, Normaliser};
use crate::record::DocumentParts;
use crate::region::Region;
use crate::unusable::UnusableReason;

/// Reads one document into `out`.
pub(crate) fn read(
    raw: DocumentParts<'_>,
    source: Source,
    normaliser: &Normaliser,
    out: &mut Normalised,
) {
    let country = if raw.country.is_empty() {
        normaliser.options().default_region
    } else {
        match Region::parse(raw.country) {
            Ok(region) => Some(region),
            Err(_) => return out.push_unusable(source, UnusableReason::UnknownRegion),
        }
    };
    let Some(country) = country else {
        return out.push_unusable(source, UnusableReason::NoRegion);
    };
    let number: String = raw
        .number
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    if number.is_empty() {
        return out.push_unusable(source, UnusableReason::Blank);
    }
    if normaliser.placeholders.has_document(&number) {
        return out.push_unusable(source, UnusableReason::Placeholder);
    }
    let kind = DocumentTypeId::new(country, raw.kind);
    let key = Key::document(kind, &number, normaliser.options().hash_key);
    if key.is_hashed() {
        out.push_text(key, &number);
    }
    out.push_key(key, KeyForm::Exact, source, Reading::default());
}
