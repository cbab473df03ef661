//! Texts: what is blank, how long a text is, and what an encoding did to it.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Says whether a text shows nothing: only spaces of any kind and characters without width.
///
/// ```
/// use raw_packets::value::is_blank;
///
/// assert!(is_blank(" \u{a0}\u{2060}\u{feff}\t"));
/// assert!(!is_blank("0"));
/// ```
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_space)
}

/// Takes spaces of any kind and characters without width off both ends.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Says whether a character shows nothing.
///
/// The two overrides of direction are none of them: they change how what follows is shown.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202c}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Counts the letters of a text as a person does: composed, without marks of their own and without
/// characters that have no width.
///
/// ```
/// use raw_packets::value::letters;
///
/// assert_eq!(letters("an\u{303}o\u{200b}"), 3);
/// ```
#[must_use]
pub fn letters(text: &str) -> usize {
    let shown = |c: &char| c.is_whitespace() || !is_space(*c) && !is_combining_mark(*c);
    trim(text).nfc().filter(shown).count()
}

/// Returns a label as a column name is written: without accents, in lower case, one `_` for each gap.
///
/// ```
/// use raw_packets::value::folded;
///
/// assert_eq!(folded(" Período  (FECHA) "), "periodo_fecha");
/// ```
#[must_use]
pub fn folded(label: &str) -> String {
    let mut name = String::with_capacity(label.len());
    for c in label.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') && !is_combining_mark(c) {
            name.push('_');
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

/// Says whether two texts look alike: without regard to spaces at their ends, to how line breaks are
/// written and to whether accents are composed (Unicode Standard Annex 15).
///
/// ```
/// use raw_packets::value::same_text;
///
/// assert!(same_text("catalun\u{303}a\r\n", "cataluña"));
/// assert!(!same_text("Cataluña", "cataluña"));
/// ```
#[must_use]
pub fn same_text(one: &str, other: &str) -> bool {
    let (one, other) = (trim(one), trim(other));
    one == other || {
        let plain = |text: &str| text.replace("\r\n", "\n").nfc().collect::<String>();
        plain(one) == plain(other)
    }
}

/// Returns what a text was before its UTF-8 was read as windows-1252, where that is what happened.
///
/// ```
/// use raw_packets::value::repaired_mojibake;
///
/// assert_eq!(repaired_mojibake("aÃ±o").as_deref(), Some("año"));
/// assert_eq!(repaired_mojibake("año"), None);
/// ```
#[must_use]
pub fn repaired_mojibake(text: &str) -> Option<String> {
    let mut repaired = String::with_capacity(text.len());
    let mut found = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let run_end = rest.find(|c| windows_1252(c).is_none_or(|b| b < 0x80)).unwrap_or(rest.len());
        if run_end == 0 {
            repaired.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (run, after) = rest.split_at(run_end);
        let bytes: Vec<u8> = run.chars().filter_map(windows_1252).collect();
        match std::str::from_utf8(&bytes) {
            // Nobody writes control characters, so such a run is what it says.
            Ok(text) if !text.contains(char::is_control) => {
                repaired.push_str(text);
                found = true;
            }
            _ => repaired.push_str(run),
        }
        rest = after;
    }
    found.then_some(repaired)
}

/// Returns the byte that stands for a character in windows-1252 (Unicode's mapping CP1252, with the five
/// undefined bytes as the controls that decoders give for them).
fn windows_1252(c: char) -> Option<u8> {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match u8::try_from(u32::from(c)) {
        Ok(byte @ (0..=0x7f | 0xa0..)) => Some(byte),
        _ => UPPER.iter().zip(0x80_u8..).find(|(upper, _)| **upper == c).map(|(_, byte)| byte),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_whole_runs_of_misread_utf_8_are_repaired() {
        for (text, repaired) in [
            ("se estimÃ³ el 25 % de los recursos", Some("se estimó el 25 % de los recursos")),
            ("â€œcitaâ€\u{9d}", Some("“cita”")),
            ("NÃO é mojibake", None),
            ("ÂŸ", None),
            ("«Año» y 5 €", None),
            ("plain", None),
        ] {
            assert_eq!(repaired_mojibake(text).as_deref(), repaired, "{text}");
        }
    }

    #[test]
    fn a_label_is_folded_as_people_vary_it() {
        for (label, name) in [
            ("SOURCE_URL", "source_url"),
            ("Evidence date", "evidence_date"),
            (
                "\u{feff}Días hasta la resolución, percentil 90",
                "dias_hasta_la_resolucion_percentil_90",
            ),
            ("источник", "источник"),
            ("--", ""),
        ] {
            assert_eq!(folded(label), name);
        }
    }

    proptest! {
        #[test]
        fn misread_utf_8_comes_back(text in "[a-zñáéíóúü¿¡ ]{1,20}[ñáé][a-z ]{0,9}") {
            let read: String = text.bytes().map(|byte| {
                (0..=0x2122_u32).filter_map(char::from_u32).find(|c| windows_1252(*c) == Some(byte)).unwrap()
            }).collect();
            prop_assert_eq!(repaired_mojibake(&read), Some(text));
        }

        #[test]
        fn no_text_makes_the_readers_panic(text in ".{0,40}") {
            let _ = (repaired_mojibake(&text), letters(&text), is_blank(trim(&text)));
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }
    }
}
