//! Text as people and programs write it: digits of any script, compatibility forms, invisible characters.

pub(crate) mod filler;
pub(crate) mod mojibake;
mod region;
mod region_names;
pub(crate) mod spreadsheet;

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

pub use region::{Region, UnknownRegion};

/// Longest value that is read at all, in bytes: no identifier comes near it, and a megabyte in a
/// field is refused after looking at its length alone.
pub(crate) const LONGEST_VALUE: usize = 256;

/// The zeros of every run of ten decimal digits (general category Nd) of Unicode 16.
///
/// Source: `UnicodeData.txt`; the standard promises that such digits stand in runs of ten, in order.
const ZEROS: [u32; 76] = [
    0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6,
    0x0d66, 0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80,
    0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
    0xff10, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450,
    0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50,
    0x11d50, 0x11da0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce,
    0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// Returns the value of a decimal digit of any script.
pub(crate) fn digit_value(character: char) -> Option<u8> {
    let code = u32::from(character);
    let run = ZEROS.partition_point(|&zero| zero <= code).checked_sub(1)?;
    u8::try_from(code - ZEROS[run]).ok().filter(|&value| value < 10)
}

/// Tells whether a character is a format character (general category Cf) or another that shows nothing.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(
        u32::from(character),
        0xad | 0x34f
            | 0x600..=0x605
            | 0x61c
            | 0x6dd
            | 0x70f
            | 0x890..=0x891
            | 0x8e2
            | 0x115f..=0x1160
            | 0x17b4..=0x17b5
            | 0x180b..=0x180f
            | 0x200b..=0x200f
            | 0x202a..=0x202e
            | 0x2060..=0x206f
            | 0x3164
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xffa0
            | 0xfff9..=0xfffb
            | 0x110bd
            | 0x110cd
            | 0x13430..=0x1343f
            | 0x1bca0..=0x1bca3
            | 0x1d173..=0x1d17a
            | 0xe0000..=0xe0fff
    )
}

/// Appends `raw` to `out` in compatibility composition (NFKC), with every decimal digit in ASCII,
/// every blank and control character as one space, every dash as `-`, and nothing invisible.
///
/// Source: Unicode Standard Annex 15.
pub(crate) fn fold(raw: &str, out: &mut String) {
    if raw.is_ascii() {
        out.extend(raw.bytes().map(|byte| match byte {
            0..=b' ' | 0x7f => ' ',
            _ => char::from(byte),
        }));
        return;
    }
    let visible = raw.chars().filter(|&character| !is_invisible(character));
    out.extend(visible.nfkc().filter(|&character| !is_invisible(character)).map(|character| {
        match character {
            _ if character.is_ascii_graphic() => character,
            _ if character.is_whitespace() || character.is_control() => ' ',
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' => '-',
            _ => digit_value(character).map_or(character, |value| char::from(b'0' + value)),
        }
    }));
}

/// Returns a value with a line break in the place of each escape that a program left in it: the two signs `\n`, `\r` or `\t`.
pub(crate) fn unescaped(raw: &str) -> Cow<'_, str> {
    const ESCAPES: [&str; 3] = ["\\n", "\\r", "\\t"];
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let broken = ESCAPES.iter().fold(raw.to_owned(), |text, escape| text.replace(escape, "\n"));
    Cow::Owned(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zero_starts_a_run_of_ten() {
        assert!(ZEROS.is_sorted());
        assert!(ZEROS.windows(2).all(|pair| pair[1] - pair[0] >= 10));
        assert_eq!(digit_value('٣'), Some(3));
        assert_eq!(digit_value('９'), Some(9));
        assert_eq!(digit_value('/'), None);
        assert_eq!(digit_value(':'), None);
    }

    #[test]
    fn folding_leaves_ascii_digits_and_plain_blanks() {
        let mut out = String::new();
        fold("\u{feff}＋５１\u{a0}٩٨\u{200b}7–1\t", &mut out);
        assert_eq!(out, "+51 987-1 ");
    }
}
