//! Document types that contradict nobody.

use crate::{key::DocumentTypeId, text::Region};

/// One entry of `kinds.document.exempt`: a type, of one country or of every one.
/// Stands in the id of a type of every country.
const ANY: Region = Region::known(*b"ZZ");

#[derive(Clone, Copy, Debug)]
pub(super) struct ExemptDocument {
    kind: DocumentTypeId,
    /// Whether the type of every country is meant; then the country of `kind` means nothing.
    every_country: bool,
}

impl ExemptDocument {
    /// Reads `PASSPORT` or `PE PASSPORT`; nothing for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (first, second, rest) = (words.next()?, words.next(), words.next());
        let code = second.unwrap_or(first);
        let named = code.bytes().any(|byte| byte.is_ascii_alphanumeric());
        if rest.is_some() || !named {
            return None;
        }
        let country = if second.is_some() { Region::parse(first).ok()? } else { ANY };
        Some(Self { kind: DocumentTypeId::new(country, code), every_country: second.is_none() })
    }

    pub(super) fn covers(self, kind: DocumentTypeId) -> bool {
        self.kind == kind || self.every_country && self.kind.code_hash() == kind.code_hash()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(text: &str, country: &str, code: &str) -> bool {
        let kind = DocumentTypeId::new(Region::parse(country).unwrap(), code);
        ExemptDocument::parse(text).unwrap().covers(kind)
    }

    #[test]
    fn a_type_is_exempt_in_its_country_or_in_every_one() {
        assert!(covers("passport", "ES", "PASSPORT"));
        assert!(covers("PE PASSPORT", "PE", "PASSPORT"));
        assert!(!covers("PE PASSPORT", "ES", "PASSPORT"));
        assert!(!covers("PASSPORT", "PE", "DNI"));
    }
}
