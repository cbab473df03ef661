//! Placeholders: values that people and forms put where an identifier is missing.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::document::DocumentNumber;
use crate::region::Region;

/// Lists values that give no key, added to the built-in rules.
///
/// Phones are read like any phone, with their `+` or by the default region; e-mails are addresses, or
/// whole domains written `@example.com`; documents and texts are compared by letters and digits alone,
/// whatever their case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Placeholders {
    /// Telephone numbers, such as that of the own call centre.
    pub phones: Vec<String>,
    /// Document numbers, of any type.
    pub documents: Vec<String>,
    /// Addresses, or domains with a leading `@`.
    pub emails: Vec<String>,
}

/// The user's lists in the form in which values are compared with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlaceholderSet {
    phones: BTreeSet<u64>,
    documents: BTreeSet<String>,
    emails: BTreeSet<String>,
}

impl PlaceholderSet {
    pub(crate) fn new(lists: &Placeholders, region: Option<Region>) -> Self {
        let folded = |text: &String| letters_and_digits(text);
        Self {
            phones: lists.phones.iter().filter_map(|raw| crate::phone::e164(raw, region)).collect(),
            documents: lists.documents.iter().map(folded).collect(),
            emails: lists.emails.iter().map(|raw| raw.trim().to_lowercase()).collect(),
        }
    }

    pub(crate) fn has_phone(&self, e164: u64) -> bool {
        !self.phones.is_empty() && self.phones.contains(&e164)
    }

    /// Takes a canonical number.
    pub(crate) fn has_document(&self, canonical: &DocumentNumber) -> bool {
        !self.documents.is_empty()
            && self.documents.contains(&letters_and_digits(canonical.as_str()))
    }

    /// Takes a canonical address.
    pub(crate) fn has_email(&self, canonical: &str) -> bool {
        !self.emails.is_empty()
            && (self.emails.contains(canonical)
                || canonical.rfind('@').is_some_and(|at| self.emails.contains(&canonical[at..])))
    }
}

/// Words that stand for "there is none", in letters and digits alone.
const FILLERS: &[&str] = &[
    "0",
    "000",
    "anonimo",
    "anonymous",
    "blank",
    "desconhecido",
    "desconocido",
    "empty",
    "falta",
    "na",
    "nada",
    "nao",
    "naoinformado",
    "naopossui",
    "naotem",
    "nd",
    "ne",
    "nenhum",
    "nil",
    "ninguna",
    "ninguno",
    "no",
    "noaplica",
    "nocuenta",
    "nodata",
    "nodisponible",
    "none",
    "noposee",
    "noregistra",
    "nosabe",
    "notengo",
    "notiene",
    "nr",
    "ns",
    "null",
    "nulo",
    "pendente",
    "pendiente",
    "prueba",
    "sc",
    "sd",
    "sem",
    "semcpf",
    "sememail",
    "semtelefone",
    "sin",
    "sincelular",
    "sincorreo",
    "sindato",
    "sindatos",
    "sindni",
    "sindocumento",
    "sinemail",
    "sininformacion",
    "sinnumero",
    "sintelefono",
    "sn",
    "st",
    "tbd",
    "test",
    "teste",
    "undefined",
    "unknown",
    "void",
    "x",
    "xx",
    "xxx",
    "xxxx",
    "xxxxx",
    "xxxxxxxx",
];

/// Tells whether a text says that there is no value: `no tiene`, `n/a`, `-`, `S/N`.
///
/// A text without any letter or digit is one too.
pub(crate) fn is_filler(text: &str) -> bool {
    use unicode_normalization::UnicodeNormalization;
    let mut folded = [0; FILLER_MAX];
    let mut length = 0;
    // Takes one character; whatever is longer than any filler, or of other letters, is none.
    let mut take = |character: char| {
        if !character.is_alphanumeric() {
            return true;
        }
        match (folded.get_mut(length), u8::try_from(character)) {
            (Some(slot), Ok(byte)) if byte.is_ascii() => {
                *slot = byte.to_ascii_lowercase();
                length += 1;
                true
            }
            _ => false,
        }
    };
    let short = if text.is_ascii() {
        text.bytes().all(|byte| take(char::from(byte)))
    } else {
        text.nfkd().all(take)
    };
    let folded = &folded[..length];
    short
        && (length == 0 || FILLERS.binary_search_by(|filler| filler.as_bytes().cmp(folded)).is_ok())
}

/// Longest of the fillers.
const FILLER_MAX: usize = 16;

/// Returns the letters and digits of a text, unaccented and in lower case.
fn letters_and_digits(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfkd().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Tells whether digits are one digit repeated, or a run up or down, with 0 after 9.
pub(crate) fn is_repeated_or_run(digits: &[u8]) -> bool {
    let &[first, second, ..] = digits else { return false };
    // The difference of neighbours, modulo ten, must stay 0, 1 or -1.
    let step = (second + 10 - first) % 10;
    matches!(step, 0 | 1 | 9) && digits.windows(2).all(|pair| (pair[1] + 10 - pair[0]) % 10 == step)
}

/// Tells whether an assigned national number is a placeholder.
///
/// One digit repeated: all of the number, or its last eight (`900000000`, `+55 11 99999-9999`). Runs: all of
/// the number, up or down, except `987654321`, which a Peruvian operator assigns like any other. And the
/// North American `555-0100` to `555-0199` and `555-1212`, kept for fiction and directory assistance
/// (source: ATIS-0300115).
pub(crate) fn is_phone(country_code: u16, national: u64, length: u8) -> bool {
    const REPEATED: u64 = 11_111_111;
    if length >= 8 && (national % 100_000_000).is_multiple_of(REPEATED) {
        return true;
    }
    if country_code == 1 && matches!(national % 10_000_000, 5_550_100..=5_550_199 | 5_551_212) {
        return true;
    }
    if national == 987_654_321 {
        return false;
    }
    // Most numbers are settled by their last two digits.
    let step = (national % 10 + 10 - national / 10 % 10) % 10;
    if !matches!(step, 0 | 1 | 9) {
        return false;
    }
    let mut rest = national;
    (1..length).all(|_| {
        let pair = (rest % 10 + 10 - rest / 10 % 10) % 10;
        rest /= 10;
        pair == step
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_sorted_so_that_they_are_found() {
        assert!(FILLERS.is_sorted());
        assert!(FILLERS.iter().all(|filler| filler.len() <= FILLER_MAX));
    }

    #[test]
    fn words_for_nothing_are_fillers_in_any_writing() {
        for text in
            ["no tiene", "NO TIENE", "N/A", "s/n", "-", "--", "Não tem", "sin teléfono", "."]
        {
            assert!(is_filler(text), "{text}");
        }
        for text in ["nora", "45678912", "tengo"] {
            assert!(!is_filler(text), "{text}");
        }
    }

    #[test]
    fn repeated_digits_and_runs_are_placeholders() {
        for (national, length) in [
            (999_999_999, 9),
            (900_000_000, 9),
            (123_456_789, 9),
            (1_234_567_890, 10),
            (9_876_543_210, 10),
            (3_333_333, 7),
        ] {
            assert!(is_phone(51, national, length), "{national}");
        }
        for national in [987_654_321, 912_345_678, 987_123_456] {
            assert!(!is_phone(51, national, 9), "{national}");
        }
        assert!(is_phone(1, 2_025_550_123, 10));
    }
}
