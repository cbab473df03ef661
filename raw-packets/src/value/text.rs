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
    for c in plain(label) {
        if c.is_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

/// Returns what tells the name of a column from others: its letters and digits, without accents and case.
///
/// Headers of packets and of every other table are compared by it.
///
/// ```
/// use raw_packets::value::label_key;
///
/// for label in ["evidence_date", "Evidence Date", "evidenceDate", "EVIDENCE-DATE"] {
///     assert_eq!(label_key(label), "evidencedate");
/// }
/// assert_eq!(label_key("Nº de teléfono"), label_key("No de telefono"));
/// ```
#[must_use]
pub fn label_key(label: &str) -> String {
    plain(label).filter(|c| c.is_alphanumeric()).collect()
}

/// Gives the characters of a label that are seen, decomposed (`ª` is `a`, `№` is `no`), without accents, in
/// lower case.
fn plain(label: &str) -> impl Iterator<Item = char> {
    let is_seen = |c: &char| c.is_whitespace() || !is_space(*c) && !is_accent(*c);
    label.nfkd().flat_map(char::to_lowercase).filter(is_seen)
}

/// Says whether a mark is one that people leave out: an accent, or what joins no letter. The vowels of
/// Indic scripts are combining marks too, and tell words apart.
fn is_accent(c: char) -> bool {
    is_combining_mark(c) && (!c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}'))
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

/// Returns what a text was before its UTF-8 was read as an encoding of single bytes, once or several times
/// over, where that is what happened: as windows-1252, as Mac Roman or as a code page of DOS.
///
/// ```
/// use raw_packets::value::repaired_mojibake;
///
/// for misread in ["aÃ±o", "aÃƒÂ±o", "a√±o", "a├▒o"] {
///     assert_eq!(repaired_mojibake(misread).as_deref(), Some("año"));
/// }
/// assert_eq!(repaired_mojibake("año"), None);
/// ```
#[must_use]
pub fn repaired_mojibake(text: &str) -> Option<String> {
    let mut repaired = reread(text)?;
    while repaired.contains(['Ã', 'Â'])
        && let Some(again) = reread(&repaired)
    {
        repaired = again;
    }
    Some(repaired)
}

/// Undoes one reading in the wrong encoding.
fn reread(text: &str) -> Option<String> {
    // Of the others only what begins with a sign that is no letter is sure to be misread.
    let as_mac = || text.contains(['√', '¬', '‚']).then(|| reread_as(text, mac_roman)).flatten();
    let as_dos = || text.contains(['├', '┬']).then(|| reread_as(text, dos)).flatten();
    reread_as(text, windows_1252).or_else(as_mac).or_else(as_dos)
}

/// Reads the runs of bytes beyond ASCII as UTF-8 where they are such.
fn reread_as(text: &str, byte_of: fn(char) -> Option<u8>) -> Option<String> {
    let mut repaired = String::with_capacity(text.len());
    let mut found = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let run_end = rest.find(|c| byte_of(c).is_none_or(|b| b < 0x80)).unwrap_or(rest.len());
        if run_end == 0 {
            repaired.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let before = &text[..text.len() - rest.len()];
        let run = without_closing_quotes(before, &rest[..run_end]);
        let closing = &rest[run.len()..run_end];
        let bytes: Vec<u8> = run.chars().filter_map(byte_of).collect();
        match std::str::from_utf8(&bytes) {
            Ok(text) if is_plausible(text) => {
                repaired.push_str(text);
                found = true;
            }
            _ => repaired.push_str(run),
        }
        repaired.push_str(closing);
        rest = &rest[run_end..];
    }
    found.then_some(repaired)
}

/// Leaves out the quotes that close what was opened before: with the letter in front of it, as in `«CAFÉ»`,
/// such a quote looks like UTF-8 that was misread.
fn without_closing_quotes<'r>(before: &str, run: &'r str) -> &'r str {
    let closes = |c: char| match c {
        '»' => before.contains('«'),
        '”' => before.contains(['“', '„']),
        '’' => before.contains('‘'),
        _ => false,
    };
    let inner = run.trim_end_matches(closes);
    if inner.is_empty() { run } else { inner }
}

/// Says whether a run was meant: letters of Latin scripts and signs that people write, or several letters
/// of another script; one alone is made of what is there by chance, as of `É”`.
fn is_plausible(text: &str) -> bool {
    let known = |c: char| matches!(c, '\u{a0}'..='\u{17f}' | '\u{2010}'..='\u{2044}' | '€' | '™' | '−' | '\u{1f300}'..='\u{1faff}');
    // Nobody writes control characters, so such a run is what it says.
    !text.contains(char::is_control) && (text.chars().all(known) || text.chars().nth(1).is_some())
}

/// Returns the byte that stands for a character in Mac Roman.
fn mac_roman(c: char) -> Option<u8> {
    let mut buffer = [0; 4];
    let (bytes, _, unknown) = encoding_rs::MACINTOSH.encode(c.encode_utf8(&mut buffer));
    bytes.first().copied().filter(|_| !unknown)
}

/// Returns the byte that stands for a character in the code pages of DOS, as far as they are needed to
/// find accented letters again (Unicode's mappings CP437 and CP850): the two bytes that such letters begin
/// with, and those that follow.
fn dos(c: char) -> Option<u8> {
    const SHARED: &str =
        "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ\0£\0\0\0áíóúñÑªº¿\0¬½¼¡«»░▒▓│┤\0\0\0\0╣║╗╝\0\0┐";
    const OTHERS: [(char, u8); 19] = [
        ('┬', 0xc2),
        ('├', 0xc3),
        ('ø', 0x9b),
        ('¢', 0x9b),
        ('Ø', 0x9d),
        ('¥', 0x9d),
        ('×', 0x9e),
        ('₧', 0x9e),
        ('ƒ', 0x9f),
        ('®', 0xa9),
        ('⌐', 0xa9),
        ('Á', 0xb5),
        ('╡', 0xb5),
        ('Â', 0xb6),
        ('╢', 0xb6),
        ('À', 0xb7),
        ('╖', 0xb7),
        ('╕', 0xb8),
        ('©', 0xb8),
    ];
    if c.is_ascii() {
        return u8::try_from(u32::from(c)).ok();
    }
    let shared = SHARED.chars().zip(0x80_u8..).find(|(known, _)| *known == c);
    shared.or_else(|| OTHERS.into_iter().find(|(known, _)| *known == c)).map(|(_, byte)| byte)
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
            ("se estimÃƒÂ³ en 2024", Some("se estimó en 2024")),
            ("resoluci√≥n del a√±o ‚Äúdos‚Äù", Some("resolución del año “dos”")),
            ("resoluci├│n del a├▒o, Espa├▒a", Some("resolución del año, España")),
            ("N┬║ 5", Some("Nº 5")),
            ("la raíz √2 y el ¬ lógico", None),
            ("«¿Cuántos años?», ¡más de 30!", None),
            ("«CAFÉ», “COMITÉ”, «IRMÃ», “MAÇÔ y ‘IRMÃ’", None),
            ("CAFÉ», COMITÉ”, ‘ESPAÑ’ y ESPAÑ…", None),
            ("“«café»” y é¿¡", None),
            ("«NiÃ±os»", Some("«Niños»")),
            ("Ð¿Ñ€Ð¸Ð²ÐµÑ‚", Some("привет")),
            ("declaração, ações e ãç", None),
            ("NÃO é mojibake", None),
            ("ÂŸ", None),
            ("«Año» y 5 €", None),
            ("plain", None),
        ] {
            assert_eq!(repaired_mojibake(text).as_deref(), repaired, "{text}");
        }
    }

    #[test]
    fn labels_are_compared_by_their_letters_and_digits() {
        for (one, other) in [
            ("External ID", "external_id"),
            ("externalId", "EXTERNAL-ID"),
            ("\u{200b}Phone ", "phone"),
            ("pho\u{ad}ne", "phone"),
            ("Tele\u{301}fono", "TELÉFONO"),
            ("N° documento", "n-documento"),
            ("1ª fecha", "1a fecha"),
            ("№ записи", "No записи"),
            ("ｆｅｃｈａ", "fecha"),
            ("\u{feff}\u{a0}período", "PERIODO"),
        ] {
            assert_eq!(label_key(one), label_key(other), "{one}");
        }
        // Vowels of Devanagari are marks, and no accents.
        for (one, other) in [("दिन", "दान"), ("dato_1", "dato_2")] {
            assert_ne!(label_key(one), label_key(other), "{one}");
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
            ("1ª  Fecha\u{ad}s", "1a_fechas"),
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
