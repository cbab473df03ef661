//! How the bytes of a text are written: UTF-8, or UTF-16 and UTF-32 in either order, with a mark or without.

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE};

/// How many bytes at the beginning tell how a file is written.
pub(crate) const HEAD: usize = 512;

/// How the bytes of a text are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8, or an encoding of single bytes that only the text itself can tell.
    Bytes,
    /// UTF-16.
    Utf16(Order),
    /// UTF-32.
    Utf32(Order),
}

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The least significant one.
    Little,
    /// The most significant one.
    Big,
}

impl Encoding {
    /// Tells how a file is written by its first bytes, and how many of them are a mark.
    pub(crate) fn of(head: &[u8]) -> (Self, usize) {
        match head {
            [0xff, 0xfe, 0, 0, ..] => (Self::Utf32(Order::Little), 4),
            [0, 0, 0xfe, 0xff, ..] => (Self::Utf32(Order::Big), 4),
            [0xff, 0xfe, ..] => (Self::Utf16(Order::Little), 2),
            [0xfe, 0xff, ..] => (Self::Utf16(Order::Big), 2),
            [0xef, 0xbb, 0xbf, ..] => (Self::Bytes, 3),
            _ => (unmarked(&head[..head.len().min(HEAD)]), 0),
        }
    }

    /// Returns the name that people know; nothing where there is nothing to decode.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Bytes => None,
            Self::Utf16(_) => Some("UTF-16"),
            Self::Utf32(_) => Some("UTF-32"),
        }
    }

    /// Begins to decode a file of this encoding, writing `malformed` for what is no character; nothing where
    /// there is nothing to decode.
    pub(crate) fn decoder(self, malformed: char) -> Option<Decoder> {
        let units = match self {
            Self::Bytes => return None,
            Self::Utf16(Order::Little) => Units::Two(UTF_16LE.new_decoder_without_bom_handling()),
            Self::Utf16(Order::Big) => Units::Two(UTF_16BE.new_decoder_without_bom_handling()),
            Self::Utf32(order) => Units::Four { order, begun: Vec::new() },
        };
        Some(Decoder { units, malformed })
    }
}

/// Tells a text without a mark by the NULs that plain letters have in some bytes of each unit, and hardly any
/// character in the others.
fn unmarked(head: &[u8]) -> Encoding {
    let is_wide = |width: usize, letter: usize| {
        let units = head.len() / width;
        let nuls = |at: usize| head.chunks_exact(width).filter(|unit| unit[at] == 0).count();
        let others = (0..width).filter(|at| *at != letter);
        width * units >= 8
            && 8 * nuls(letter) < units
            && others.map(nuls).all(|nuls| 2 * nuls > units)
    };
    [
        (Encoding::Utf32(Order::Little), 4, 0),
        (Encoding::Utf32(Order::Big), 4, 3),
        (Encoding::Utf16(Order::Little), 2, 0),
        (Encoding::Utf16(Order::Big), 2, 1),
    ]
    .into_iter()
    .find(|(_, width, letter)| is_wide(*width, *letter))
    .map_or(Encoding::Bytes, |(encoding, ..)| encoding)
}

/// A decoder of wide units, which takes a file piece by piece.
pub(crate) struct Decoder {
    units: Units,
    malformed: char,
}

enum Units {
    Two(encoding_rs::Decoder),
    /// The bytes of a unit that the last piece began.
    Four {
        order: Order,
        begun: Vec<u8>,
    },
}

impl Decoder {
    /// Appends the text of the next bytes in UTF-8; `last` says that none follow.
    pub(crate) fn decode(&mut self, bytes: &[u8], last: bool, text: &mut Vec<u8>) {
        let mut buffer = [0; 4];
        let malformed = self.malformed.encode_utf8(&mut buffer).as_bytes();
        match &mut self.units {
            Units::Two(decoder) => {
                let mut at = 0;
                loop {
                    let begin = text.len();
                    text.resize(begin + 3 * (bytes.len() - at) + 16, 0);
                    let (result, read, written) = decoder.decode_to_utf8_without_replacement(
                        &bytes[at..],
                        &mut text[begin..],
                        last,
                    );
                    at += read;
                    text.truncate(begin + written);
                    match result {
                        DecoderResult::Malformed(..) => text.extend(malformed),
                        DecoderResult::OutputFull => {}
                        DecoderResult::InputEmpty => break,
                    }
                }
            }
            Units::Four { order, begun } => {
                begun.extend(bytes);
                let whole = begun.len() / 4 * 4;
                let (units, _) = begun.as_chunks::<4>();
                for unit in units {
                    let code = match order {
                        Order::Little => u32::from_le_bytes(*unit),
                        Order::Big => u32::from_be_bytes(*unit),
                    };
                    match char::from_u32(code) {
                        Some(letter) => {
                            text.extend(letter.encode_utf8(&mut [0; 4]).as_bytes());
                        }
                        None => text.extend(malformed),
                    }
                }
                begun.drain(..whole);
                if last && !begun.is_empty() {
                    begun.clear();
                    text.extend(malformed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<(Encoding, Vec<u8>)> {
        let sixteen = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect();
        let thirty_two =
            |to: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| to(u32::from(c))).collect();
        vec![
            (Encoding::Utf16(Order::Little), sixteen(u16::to_le_bytes)),
            (Encoding::Utf16(Order::Big), sixteen(u16::to_be_bytes)),
            (Encoding::Utf32(Order::Little), thirty_two(u32::to_le_bytes)),
            (Encoding::Utf32(Order::Big), thirty_two(u32::to_be_bytes)),
        ]
    }

    #[test]
    fn every_width_and_order_gives_the_same_text_in_pieces_of_any_length() {
        let text = "id,é\u{1f600}\r\n1,2\r\n";
        for mark in ["", "\u{feff}"] {
            for (encoding, bytes) in wide(&format!("{mark}{text}")) {
                let (told, marked) = Encoding::of(&bytes);
                assert_eq!((told, marked > 0), (encoding, !mark.is_empty()));
                for piece in [1, 2, 3, 5, 7, 1000] {
                    let mut decoder = told.decoder('?').unwrap();
                    let mut written = Vec::new();
                    bytes[marked..]
                        .chunks(piece)
                        .for_each(|p| decoder.decode(p, false, &mut written));
                    decoder.decode(&[], true, &mut written);
                    assert_eq!(
                        String::from_utf8(written).unwrap(),
                        text,
                        "{encoding:?} by {piece}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_no_character_is_marked() {
        for (encoding, bytes, text) in [
            // Half a surrogate pair, and half a unit at the end.
            (Encoding::Utf16(Order::Little), &b"a\0\x3d\xd8b\0\x3d"[..], "a?b?"),
            (Encoding::Utf32(Order::Little), b"a\0\0\0\0\0\x11\0b\0\0\0c", "a?b?"),
        ] {
            let mut decoded = Vec::new();
            encoding.decoder('?').unwrap().decode(bytes, true, &mut decoded);
            assert_eq!(String::from_utf8(decoded).unwrap(), text);
        }
    }

    #[test]
    fn bytes_with_nuls_among_them_are_not_wide() {
        for bytes in [
            &b""[..],
            b"a,b\r\n1,2\0\0\0\0\0\0\0\0\0\0\0\0",
            b"\0\0\0\0\0\0\0\0",
            b"a\0b",
            b"a,b\r\n",
        ] {
            assert_eq!(Encoding::of(bytes), (Encoding::Bytes, 0), "{bytes:?}");
        }
    }
}
