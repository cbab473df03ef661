//! The bytes of a file as UTF-8, as far as the file as a whole says how it is encoded.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE};

use super::error::ForeignFile;

/// How many bytes at the beginning tell what a file is.
const HEAD: usize = 512;
const CHUNK: usize = 1 << 16;

/// What the beginning of a file says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// UTF-8, or an encoding that only the rows can tell; so many bytes of a mark come first.
    Bytes(usize),
    LittleEndian(usize),
    BigEndian(usize),
    Foreign(ForeignFile),
}

/// A file whose bytes are UTF-8, or as they stand where the file is in some encoding of single bytes.
pub(super) struct Decoded {
    file: Box<dyn Read + Send>,
    /// Bytes of the head that are still to be handed out.
    head: Vec<u8>,
    wide: Option<Wide>,
}

/// A decoder of UTF-16, with what it has read and not yet handed out.
struct Wide {
    decoder: Decoder,
    input: Vec<u8>,
    output: Vec<u8>,
    given: usize,
    ended: bool,
}

impl Decoded {
    /// Looks at the beginning of a file; a file that is no text is told as what it is.
    pub(super) fn new(mut file: Box<dyn Read + Send>) -> io::Result<Result<Self, ForeignFile>> {
        let mut head = Vec::new();
        file.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let wide = match kind(&head) {
            Head::Foreign(kind) => return Ok(Err(kind)),
            Head::Bytes(mark) => {
                head.drain(..mark);
                return Ok(Ok(Self { file, head, wide: None }));
            }
            Head::LittleEndian(mark) => (mark, UTF_16LE),
            Head::BigEndian(mark) => (mark, UTF_16BE),
        };
        let (mark, encoding) = wide;
        let wide = Wide {
            decoder: encoding.new_decoder_without_bom_handling(),
            input: head.split_off(mark),
            output: Vec::new(),
            given: 0,
            ended: false,
        };
        Ok(Ok(Self { file, head: Vec::new(), wide: Some(wide) }))
    }

    pub(super) fn is_utf16(&self) -> bool {
        self.wide.is_some()
    }
}

impl Read for Decoded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(wide) = &mut self.wide else {
            if self.head.is_empty() {
                return self.file.read(into);
            }
            let most = self.head.len().min(into.len());
            into[..most].copy_from_slice(&self.head[..most]);
            self.head.drain(..most);
            return Ok(most);
        };
        while wide.given == wide.output.len() && !wide.ended {
            wide.output.clear();
            wide.given = 0;
            if wide.input.is_empty() {
                self.file.by_ref().take(CHUNK as u64).read_to_end(&mut wide.input)?;
            }
            wide.decode();
        }
        let most = (wide.output.len() - wide.given).min(into.len());
        into[..most].copy_from_slice(&wide.output[wide.given..wide.given + most]);
        wide.given += most;
        Ok(most)
    }
}

impl Wide {
    fn decode(&mut self) {
        let last = self.input.is_empty();
        let mut at = 0;
        loop {
            let begin = self.output.len();
            self.output.resize(begin + 3 * (self.input.len() - at) + 16, 0);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.input[at..],
                &mut self.output[begin..],
                last,
            );
            at += read;
            self.output.truncate(begin + written);
            match result {
                // Half a character: a NUL, which makes the reader refuse the row.
                DecoderResult::Malformed(..) => self.output.push(0),
                DecoderResult::OutputFull => {}
                DecoderResult::InputEmpty => break,
            }
        }
        self.input.clear();
        self.ended = last;
    }
}

fn kind(head: &[u8]) -> Head {
    let text = head.trim_ascii_start();
    let begins = |mark: &str| {
        text.get(..mark.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(mark.as_bytes()))
    };
    match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Head::Foreign(ForeignFile::Utf32),
        [0xff, 0xfe, ..] => Head::LittleEndian(2),
        [0xfe, 0xff, ..] => Head::BigEndian(2),
        [0xef, 0xbb, 0xbf, ..] => Head::Bytes(3),
        [b'P', b'K', 3, 4, ..] => Head::Foreign(ForeignFile::Workbook),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Head::Foreign(ForeignFile::OldWorkbook),
        [0x1f, 0x8b, ..] => Head::Foreign(ForeignFile::Compressed),
        [b'P', b'A', b'R', b'1', 0x15, ..] => Head::Foreign(ForeignFile::Parquet),
        _ if head.starts_with(b"%PDF-") => Head::Foreign(ForeignFile::Pdf),
        _ if head.starts_with(b"SQLite format 3\0") => Head::Foreign(ForeignFile::Sqlite),
        _ if begins("<?xml") || begins("<!doctype") || begins("<html") || begins("<table") => {
            Head::Foreign(ForeignFile::Markup)
        }
        _ if begins("{\"") || begins("[{") || begins("[[") => Head::Foreign(ForeignFile::Json),
        _ => unmarked(head),
    }
}

/// Tells UTF-16 without a mark by the NULs that ASCII has in every other byte, and hardly any character in the other.
fn unmarked(head: &[u8]) -> Head {
    let pairs = head.len() / 2;
    let nuls = |odd: usize| head.chunks_exact(2).filter(|pair| pair[odd] == 0).count();
    let high = |high: usize, low: usize| pairs >= 4 && 2 * high > pairs && 8 * low < pairs;
    let (even, odd) = (nuls(0), nuls(1));
    if high(odd, even) {
        Head::LittleEndian(0)
    } else if high(even, odd) {
        Head::BigEndian(0)
    } else {
        Head::Bytes(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<Vec<u8>, ForeignFile> {
        let mut text = Vec::new();
        let mut file = Decoded::new(Box::new(io::Cursor::new(bytes.to_vec()))).unwrap()?;
        file.read_to_end(&mut text).unwrap();
        Ok(text)
    }

    #[test]
    fn utf_16_is_decoded_in_either_order_with_and_without_its_mark() {
        let text = "id,phone\r\n1,é\u{1f600}\r\n".repeat(9_000);
        for mark in ["", "\u{feff}"] {
            let marked = format!("{mark}{text}");
            let little: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(decoded(&little).unwrap(), text.as_bytes());
            assert_eq!(decoded(&big).unwrap(), text.as_bytes());
            assert_eq!(decoded(marked.as_bytes()).unwrap(), text.as_bytes());
        }
        // Half a surrogate pair, and half a unit at the end.
        assert_eq!(decoded(b"\xff\xfea\0\x3d\xd8b\0\x3d").unwrap(), b"a\0b\0");
    }

    #[test]
    fn what_is_no_text_is_told_as_what_it_is() {
        for (bytes, kind) in [
            (b"PK\x03\x04....".as_slice(), ForeignFile::Workbook),
            (b"\xd0\xcf\x11\xe0\xa1", ForeignFile::OldWorkbook),
            (b"\x1f\x8b\x08", ForeignFile::Compressed),
            (b"%PDF-1.7", ForeignFile::Pdf),
            (b"SQLite format 3\0", ForeignFile::Sqlite),
            (b"\n <!DOCTYPE html>", ForeignFile::Markup),
            (b"[{\"id\":1}]", ForeignFile::Json),
            (b"\xff\xfe\0\0i\0\0\0", ForeignFile::Utf32),
        ] {
            assert_eq!(decoded(bytes).unwrap_err(), kind);
        }
        assert_eq!(decoded(b"").unwrap(), b"");
    }
}
