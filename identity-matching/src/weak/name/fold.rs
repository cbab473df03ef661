//! Folding of names: what two writings of one name have in common.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::order;
use crate::text::{is_invisible, mojibake};

/// Usual abbreviations of names (Real Academia Española, Ortografía, appendix of abbreviations).
const ABBREVIATIONS: &[(&str, &str)] = &[
    ("fco.", "francisco"),
    ("fdez.", "fernandez"),
    ("fdo.", "fernando"),
    ("glez.", "gonzalez"),
    ("gmo.", "guillermo"),
    ("gzlez.", "gonzalez"),
    ("hdez.", "hernandez"),
    ("m.ª", "maria"),
    ("ma.", "maria"),
    ("mª", "maria"),
    ("mª.", "maria"),
    ("mtez.", "martinez"),
    ("mtnez.", "martinez"),
    ("rdguez.", "rodriguez"),
    ("rguez.", "rodriguez"),
];

/// Appends the words of a name: unaccented, in lower case, without particles, with one space between, as
/// [`order::arrange`] places them.
///
/// A hyphen parts words and an apostrophe does not. Signs and digits are dropped, but for the comma or semicolon
/// behind surnames.
pub(super) fn fold(raw: &str, out: &mut String) {
    let start = out.len();
    // Plain names have none of these signs.
    if let Some(mended) = mended(raw) {
        fold_plain(&mended, out);
    } else {
        fold_plain(raw, out);
    }
    order::arrange(start, out);
}

/// Mends what programs did to a name, and writes out abbreviations; nothing where there is nothing to mend.
///
/// A letter that a program lost, a `?` or a replacement character between letters, is left out: the words are alike still.
fn mended(raw: &str) -> Option<String> {
    let lost = |sign: char| sign == '?' || sign == '\u{fffd}';
    let odd = |sign: char| {
        lost(sign)
            || matches!(sign, '.' | 'ª' | 'Ã' | 'Â' | '&' | '\\')
            || matches!(sign, '¡' | '¢' | '£' | '¤' | '¥' | '‚')
    };
    if !raw.contains(odd) {
        return None;
    }
    let unescaped = mojibake::unescaped(raw);
    let text = unescaped.as_deref().unwrap_or(raw);
    let repaired = mojibake::repaired(text).or_else(|| mojibake::from_dos(text));
    let text = repaired.as_deref().unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let lower = word.to_lowercase();
        let bare = lower.trim_end_matches(',');
        if let Some((_, name)) = ABBREVIATIONS.iter().find(|(written, _)| *written == bare) {
            out.push_str(name);
            out.push_str(&lower[bare.len()..]);
            continue;
        }
        let letters = word.trim_matches(lost);
        out.extend(letters.chars().filter(|&sign| !lost(sign)));
    }
    Some(out)
}

fn fold_plain(raw: &str, out: &mut String) {
    if raw.is_ascii() {
        for byte in raw.bytes() {
            push(char::from(byte), out);
        }
    } else {
        let visible = raw.chars().filter(|&character| !is_invisible(character));
        for character in visible.nfkd().filter(|&character| !is_combining_mark(character)) {
            match character {
                // Letters that no decomposition takes apart.
                'ß' | 'ẞ' => out.push_str("ss"),
                'æ' | 'Æ' => out.push_str("ae"),
                'œ' | 'Œ' => out.push_str("oe"),
                'ø' | 'Ø' => out.push('o'),
                'ł' | 'Ł' => out.push('l'),
                'đ' | 'Đ' | 'ð' | 'Ð' => out.push('d'),
                'þ' | 'Þ' => out.push_str("th"),
                'ı' => out.push('i'),
                _ => push(character, out),
            }
        }
    }
}

fn push(character: char, out: &mut String) {
    if character.is_ascii_uppercase() {
        out.push(character.to_ascii_lowercase());
    } else if character.is_ascii_lowercase() {
        out.push(character);
    } else if matches!(character, '\'' | '’' | '`' | '´' | '\u{2bc}') {
    } else if !character.is_ascii() && character.is_alphabetic() {
        // Lower case may decompose anew, as that of `İ` does.
        let lower = character.to_lowercase().nfkd();
        out.extend(lower.filter(|&letter| !is_combining_mark(letter)));
    } else if matches!(character, ',' | ';') {
        out.push(',');
    } else {
        out.push(' ');
    }
}

/// Folds a word further to how Spanish and Portuguese pronounce it, and hashes that.
///
/// Equal: `b` and `v`; `s`, `z`, and `c` before `e` and `i`; `ll` and `y`, and `i` for a single `y`; `qu`, `k` and hard
/// `c`; `g` before `e` and `i`, and `j`; `ph` and `f`. Silent: `h`, and doubled letters.
pub(super) fn sound(word: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut last = 0;
    let mut letters = word.bytes().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        let soft = matches!(next, Some(b'e' | b'i'));
        let sound = match letter {
            b'h' => continue,
            b'v' => b'b',
            b'z' => b's',
            b'c' if soft => b's',
            b'c' => b'k',
            b'q' => {
                letters.next_if_eq(&b'u');
                b'k'
            }
            b'g' if soft => b'j',
            b'p' if next == Some(b'h') => b'f',
            b'l' if next == Some(b'l') => {
                letters.next();
                b'i'
            }
            b'y' => b'i',
            other => other,
        };
        if sound != last {
            // FNV-1a.
            hash = (hash ^ u64::from(sound)).wrapping_mul(0x0100_0000_01b3);
            last = sound;
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(raw: &str) -> String {
        let mut out = String::new();
        fold(raw, &mut out);
        out
    }

    #[test]
    fn accents_case_and_particles_fold_away() {
        for (name, expected) in [
            ("María de la Cruz Ñahui", "maria cruz nahui"),
            ("ÑAHUI CRUZ, MARIA", "nahui cruz, maria"),
            ("nahui y cruz; maria", "nahui cruz, maria"),
            ("María Cruz-Ñahui", "maria cruz nahui"),
            ("Fdez., Fco.", "fernandez, francisco"),
            ("O'Hara dos Santos", "ohara santos"),
            ("ＪＯＳÉ\u{200b} İnan", "jose inan"),
            ("王 小明", "王 小明"),
        ] {
            assert_eq!(folded(name), expected, "{name}");
        }
    }

    #[test]
    fn words_that_sound_alike_have_one_sound() {
        for (one, other) in [
            ("valdez", "baldes"),
            ("cecilia", "sesilia"),
            ("llanos", "yanos"),
            ("quispe", "kispe"),
            ("gimenez", "jimenes"),
            ("hernandez", "ernandes"),
            ("vasquez", "basques"),
            ("sofia", "sophia"),
        ] {
            assert_eq!(sound(one), sound(other), "{one} {other}");
        }
        assert_ne!(sound("garcia"), sound("gomez"));
    }
}
