//! Text that a program misread or escaped: `MarÃ­a`, `Mar¡a`, `Mar&iacute;a`, `Mar\u00eda` for `María`.

/// What Windows-1252 has for the bytes 0x80 to 0x9f; a blank where it has nothing (Unicode mapping table CP1252).
const UPPER: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/// Reads the text that was meant, where there is exactly one: all its signs are of Windows-1252, and their bytes are UTF-8.
pub(crate) fn repaired(raw: &str) -> Option<String> {
    if !raw.contains(['Ã', 'Â', 'â', 'Ð']) {
        return None;
    }
    let byte = |sign: char| match u32::from(sign) {
        // Some programs keep the control characters from 0x80 as they are.
        code @ 0..=0xff => u8::try_from(code).ok(),
        _ if sign == ' ' => None,
        _ => {
            let at = UPPER.chars().position(|known| known == sign)?;
            u8::try_from(at + 0x80).ok()
        }
    };
    let bytes: Option<Vec<u8>> = raw.chars().map(byte).collect();
    String::from_utf8(bytes?).ok().filter(|text| text.len() < raw.len())
}

/// Signs that stand inside no word, and the letters of code page 850 behind them, read as Windows-1252.
///
/// Source: Unicode mapping tables CP850 and CP1252.
const DOS: [(char, char); 12] = [
    ('\u{a0}', 'á'),
    ('¡', 'í'),
    ('¢', 'ó'),
    ('£', 'ú'),
    ('¤', 'ñ'),
    ('¥', 'Ñ'),
    ('‚', 'é'),
    ('\u{81}', 'ü'),
    ('µ', 'Á'),
    ('\u{90}', 'É'),
    ('Ö', 'Í'),
    ('š', 'Ü'),
];

/// Reads code page 850 that was read as Windows-1252: `N£¤ez`; nothing where none of the signs of which there is no doubt
/// stands between letters.
pub(crate) fn from_dos(raw: &str) -> Option<String> {
    const SURE: [char; 6] = ['¡', '¢', '£', '¤', '¥', '‚'];
    let signs: Vec<char> = raw.chars().collect();
    let beside = |at: usize| signs.get(at).is_some_and(|sign| sign.is_alphabetic());
    let sure = signs.iter().enumerate().any(|(at, sign)| {
        SURE.contains(sign)
            && (at > 0 && beside(at - 1) || at == 0 && *sign != '¡')
            && (beside(at + 1)
                || at + 1 == signs.len()
                || signs[at + 1] == ' '
                || SURE.contains(&signs[at + 1]))
    });
    let letter =
        |sign: char| DOS.iter().find(|(read, _)| *read == sign).map_or(sign, |&(_, meant)| meant);
    sure.then(|| {
        signs.iter().map(|&sign| if SURE.contains(&sign) { letter(sign) } else { sign }).collect()
    })
}

/// Reads escapes of letters: `&#225;`, `&aacute;` (HTML), `\u00e1` (JSON); nothing where there is none.
pub(crate) fn unescaped(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '\\']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (letter, length) = entity(rest)
            .or_else(|| json_escape(rest))
            .unwrap_or((char::from(rest.as_bytes()[0]), 1));
        out.push(letter);
        rest = &rest[length..];
    }
    out.push_str(rest);
    (out != raw).then_some(out)
}

/// Reads an entity of HTML: a number, or a Latin letter with its accent.
fn entity(text: &str) -> Option<(char, usize)> {
    let name = text.strip_prefix('&')?;
    let end = name.find(';').filter(|&end| end <= 8)?;
    let name = &name[..end];
    let number = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).ok()?);
    let letter = if let Some(code) = name.strip_prefix('#') {
        match code.strip_prefix(['x', 'X']) {
            Some(hex) => number(hex, 16)?,
            None => number(code, 10)?,
        }
    } else {
        use unicode_normalization::UnicodeNormalization;
        const ACCENTS: [(&str, char); 5] = [
            ("acute", '\u{301}'),
            ("grave", '\u{300}'),
            ("circ", '\u{302}'),
            ("tilde", '\u{303}'),
            ("uml", '\u{308}'),
        ];
        let plain = name.chars().next().filter(char::is_ascii_alphabetic)?;
        let accent = match &name[1..] {
            "cedil" => '\u{327}',
            rest => ACCENTS.iter().find(|(known, _)| *known == rest)?.1,
        };
        [plain, accent].into_iter().nfc().next()?
    };
    letter.is_alphabetic().then_some((letter, end + 2))
}

fn json_escape(text: &str) -> Option<(char, usize)> {
    let code = text.strip_prefix("\\u")?.get(..4)?;
    let letter = char::from_u32(u32::from_str_radix(code, 16).ok()?)?;
    letter.is_alphabetic().then_some((letter, 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_one_reading_is_repaired() {
        assert_eq!(repaired("Mar\u{c3}\u{ad}a D\u{c3}\u{ad}az").as_deref(), Some("María Díaz"));
        assert_eq!(repaired("PeÃ±a").as_deref(), Some("Peña"));
        assert_eq!(repaired("Ã‘ahui").as_deref(), Some("Ñahui"));
        for text in ["María", "JOÃO", "Ana Ãlvares", "Ana"] {
            assert_eq!(repaired(text), None, "{text}");
        }
        assert_eq!(from_dos("Mar¡a N£¤ez Jos‚").as_deref(), Some("María Núñez José"));
        for text in ["¡Ana!", "María", "¿Ana?", "Ana £5"] {
            assert_eq!(from_dos(text), None, "{text}");
        }
        for text in ["Jos&eacute; P&#233;rez", "Jos\\u00e9 P\\u00e9rez", "Jos&#xe9; P&eacute;rez"] {
            assert_eq!(unescaped(text).as_deref(), Some("José Pérez"), "{text}");
        }
        assert_eq!(unescaped("Ana & Luis \\ &amp; &nbsp;"), None);
    }
}
