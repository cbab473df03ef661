//! Bytes into text: UTF-8, UTF-16 and UTF-32, with or without a byte order mark.

use std::borrow::Cow;

use super::Oddity;

/// Decodes the bytes of a text file, telling what was odd about them.
pub(super) fn decode<'a>(bytes: &'a [u8], oddities: &mut Vec<Oddity>) -> Cow<'a, str> {
    let text = match wide(bytes) {
        Some((encoding, text)) => {
            oddities.push(Oddity::Decoded(encoding));
            Cow::Owned(text)
        }
        None => narrow(bytes, oddities),
    };
    // A file that DOS programs wrote ends in Ctrl-Z.
    let end = text.trim_end_matches(['\u{1a}', '\r', '\n', ' ']).len();
    let dos = text[end..].contains('\u{1a}');
    if text.contains('\0') {
        oddities.push(Oddity::NulBytes);
        return Cow::Owned(text.replace('\0', ""));
    }
    match text {
        text if !dos => text,
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

fn narrow<'a>(bytes: &'a [u8], oddities: &mut Vec<Oddity>) -> Cow<'a, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let lines = String::from_utf8_lossy(before).matches('\n').count();
            oddities.push(Oddity::Encoding { row: lines as u64 + 1 });
            String::from_utf8_lossy(bytes)
        }
    }
}

/// Decodes UTF-16 and UTF-32: by the mark, else by where the zeros of the header's plain letters stand.
fn wide(bytes: &[u8]) -> Option<(&'static str, String)> {
    let utf16 = |bytes: &[u8], from: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| from([pair[0], pair[1]])).collect();
        Some(("UTF-16", String::from_utf16_lossy(&units)))
    };
    let utf32 = |bytes: &[u8], from: fn([u8; 4]) -> u32| {
        let decoded = bytes.chunks_exact(4).map(|four| {
            let code = from([four[0], four[1], four[2], four[3]]);
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
        });
        Some(("UTF-32", decoded.collect()))
    };
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes),
        [0, 0, 0xfe, 0xff, rest @ ..] => utf32(rest, u32::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [a, 0, 0, 0, b, 0, 0, 0, ..] if *a != 0 && *b != 0 => utf32(bytes, u32::from_le_bytes),
        [0, 0, 0, a, 0, 0, 0, b, ..] if *a != 0 && *b != 0 => utf32(bytes, u32::from_be_bytes),
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => utf16(bytes, u16::from_le_bytes),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => utf16(bytes, u16::from_be_bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_and_order_gives_the_same_text() {
        let text = "a,é\r\n";
        let with = |mark: bool| -> Vec<Vec<u8>> {
            let marked = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
            let sixteen = |to: fn(u16) -> [u8; 2]| marked.encode_utf16().flat_map(to).collect();
            let thirty_two =
                |to: fn(u32) -> [u8; 4]| marked.chars().flat_map(|c| to(u32::from(c))).collect();
            vec![
                sixteen(u16::to_le_bytes),
                sixteen(u16::to_be_bytes),
                thirty_two(u32::to_le_bytes),
                thirty_two(u32::to_be_bytes),
            ]
        };
        for bytes in with(true).into_iter().chain(with(false)) {
            let mut oddities = Vec::new();
            assert_eq!(decode(&bytes, &mut oddities), text, "{bytes:?}");
            assert!(matches!(oddities[..], [Oddity::Decoded(_)]), "{bytes:?}");
        }
    }

    #[test]
    fn what_a_damaged_file_ends_in_is_told() {
        let decoded = |bytes: &[u8]| {
            let mut oddities = Vec::new();
            (decode(bytes, &mut oddities).into_owned(), oddities)
        };
        assert_eq!(decoded(b"a,b\r\n1,2\r\n\x1a"), ("a,b\r\n1,2".to_owned(), vec![]));
        assert_eq!(decoded(b"a,b\n1,2\0\0\0"), ("a,b\n1,2".to_owned(), vec![Oddity::NulBytes]));
        assert_eq!(decoded(b"a\ncaf\xe9").1, [Oddity::Encoding { row: 2 }]);
    }
}
