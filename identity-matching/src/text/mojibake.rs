//! UTF-8 that was read as Windows-1252: `MarÃ­a` for `María`.

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
    }
}
