//! The bytes of a file as UTF-8, as far as the file as a whole says how it is encoded.

use std::io::{self, Read};

use super::error::ForeignFile;
use crate::encoding::{Decoder, Encoding, HEAD};

const CHUNK: usize = 1 << 16;

/// The mark of UTF-8, once and written in UTF-8 twice.
const MARKS: [&[u8]; 2] = [b"\xef\xbb\xbf", b"\xc3\xaf\xc2\xbb\xc2\xbf"];

/// A file whose bytes are UTF-8, or as they stand where the file is in some encoding of single bytes.
pub(super) struct Decoded {
    file: Box<dyn Read + Send>,
    /// Bytes of the head that are still to be handed out.
    head: Vec<u8>,
    wide: Option<Wide>,
}

/// A decoder of wide units, with what it has read and not yet handed out.
struct Wide {
    name: &'static str,
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
        let (encoding, marked) = Encoding::of(&head);
        head.drain(..marked);
        // A file that was saved with a mark, opened as Windows-1252 and saved again, or joined from such files.
        while let Some(mark) = MARKS.iter().find(|mark| head.starts_with(mark)) {
            head.drain(..mark.len());
        }
        if let Some(kind) = foreign(&head) {
            return Ok(Err(kind));
        }
        // Half a character is a NUL, which makes the reader refuse the row.
        let Some((name, decoder)) = encoding.name().zip(encoding.decoder('\0')) else {
            return Ok(Ok(Self { file, head, wide: None }));
        };
        let wide = Wide { name, decoder, input: head, output: Vec::new(), given: 0, ended: false };
        Ok(Ok(Self { file, head: Vec::new(), wide: Some(wide) }))
    }

    /// Returns the name of the encoding that is decoded, where the bytes are not handed out as they stand.
    pub(super) fn encoding(&self) -> Option<&'static str> {
        self.wide.as_ref().map(|wide| wide.name)
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
        self.decoder.decode(&self.input, last, &mut self.output);
        self.input.clear();
        self.ended = last;
    }
}

/// Tells what a file is that is no text, by its first bytes.
fn foreign(head: &[u8]) -> Option<ForeignFile> {
    let text = head.trim_ascii_start();
    let begins = |mark: &str| {
        text.get(..mark.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(mark.as_bytes()))
    };
    let within = text.get(1..).unwrap_or_default().trim_ascii_start().first();
    Some(match head {
        [b'P', b'K', 3, 4, ..] => ForeignFile::Workbook,
        [0xd0, 0xcf, 0x11, 0xe0, ..] => ForeignFile::OldWorkbook,
        // gzip, zstd, bzip2, xz, 7z and RAR.
        [0x1f, 0x8b, ..]
        | [0x28, 0xb5, 0x2f, 0xfd, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..]
        | [0xfd, b'7', b'z', b'X', b'Z', 0, ..]
        | [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..]
        | [b'R', b'a', b'r', b'!', 0x1a, ..] => ForeignFile::Compressed,
        [b'P', b'A', b'R', b'1', 0x15, ..] => ForeignFile::Parquet,
        _ if head.starts_with(b"%PDF-") => ForeignFile::Pdf,
        _ if head.starts_with(b"SQLite format 3\0") => ForeignFile::Sqlite,
        _ if begins("<?xml") || begins("<!doctype") || begins("<html") || begins("<table") => {
            ForeignFile::Markup
        }
        _ if begins("{\\rtf") => ForeignFile::RichText,
        _ if (begins("{") && within == Some(&b'"'))
            || (begins("[") && matches!(within, Some(b'{' | b'['))) =>
        {
            ForeignFile::Json
        }
        _ => return None,
    })
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
    fn a_wide_file_of_any_length_is_handed_out_as_utf_8() {
        let text = "id,phone\r\n1,é\u{1f600}\r\n".repeat(9_000);
        let marked = format!("\u{feff}{text}");
        let little: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let four: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        for bytes in [&little, &big, &four, marked.as_bytes(), text.as_bytes()] {
            assert_eq!(decoded(bytes).unwrap(), text.as_bytes());
        }
        assert_eq!(decoded(b"\xff\xfea\0\x3d\xd8b\0\x3d").unwrap(), b"a\0b\0");
    }

    #[test]
    fn what_is_no_text_is_told_as_what_it_is() {
        for (bytes, kind) in [
            (b"PK\x03\x04....".as_slice(), ForeignFile::Workbook),
            (b"\xd0\xcf\x11\xe0\xa1", ForeignFile::OldWorkbook),
            (b"\x1f\x8b\x08", ForeignFile::Compressed),
            (b"\x28\xb5\x2f\xfd\x04", ForeignFile::Compressed),
            (b"BZh91AY&SY", ForeignFile::Compressed),
            (b"\xfd7zXZ\0\0", ForeignFile::Compressed),
            (b"7z\xbc\xaf\x27\x1c", ForeignFile::Compressed),
            (b"Rar!\x1a\x07", ForeignFile::Compressed),
            (b"{\\rtf1\\ansi", ForeignFile::RichText),
            (b"[\n  {\"id\": 1}\n]", ForeignFile::Json),
            (b"{\"id\": 1}\n{\"id\": 2}", ForeignFile::Json),
            (b"%PDF-1.7", ForeignFile::Pdf),
            (b"SQLite format 3\0", ForeignFile::Sqlite),
            (b"\n <!DOCTYPE html>", ForeignFile::Markup),
            (b"[{\"id\":1}]", ForeignFile::Json),
        ] {
            assert_eq!(decoded(bytes).unwrap_err(), kind);
        }
        assert_eq!(decoded(b"").unwrap(), b"");
    }
}
