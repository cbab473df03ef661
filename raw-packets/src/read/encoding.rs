//! The bytes of a returned file as text, with what is odd about them.

use std::borrow::Cow;

use super::Oddity;
use crate::encoding::Encoding;

/// Decodes the bytes of a text file, telling what was odd about them.
pub(super) fn decode<'a>(bytes: &'a [u8], oddities: &mut Vec<Oddity>) -> Cow<'a, str> {
    let (encoding, marked) = Encoding::of(bytes);
    let bytes = &bytes[marked..];
    let text = match encoding.name().zip(encoding.decoder(char::REPLACEMENT_CHARACTER)) {
        Some((name, mut decoder)) => {
            oddities.push(Oddity::Decoded(name));
            let mut text = Vec::with_capacity(bytes.len());
            decoder.decode(bytes, true, &mut text);
            Cow::Owned(String::from_utf8(text).expect("a decoder writes UTF-8"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_damaged_file_ends_in_is_told() {
        let decoded = |bytes: &[u8]| {
            let mut oddities = Vec::new();
            (decode(bytes, &mut oddities).into_owned(), oddities)
        };
        assert_eq!(decoded(b"a,b\r\n1,2\r\n\x1a"), ("a,b\r\n1,2".to_owned(), vec![]));
        assert_eq!(decoded(b"a,b\n1,2\0\0\0"), ("a,b\n1,2".to_owned(), vec![Oddity::NulBytes]));
        assert_eq!(decoded(b"a\ncaf\xe9").1, [Oddity::Encoding { row: 2 }]);
        let told = vec![Oddity::Decoded("UTF-16")];
        assert_eq!(decoded(b"\xff\xfea\0\xe9\0\x3d\xd8"), ("aé\u{fffd}".to_owned(), told));
    }
}
