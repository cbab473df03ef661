//! What kind of file bytes are, whatever their name says.

/// What a file is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text, as a CSV file is.
    Text,
    /// A workbook of the kind since 2007: `.xlsx`, `.xlsm`, `.xltx`.
    Xlsx,
    /// A workbook in binary parts, `.xlsb`.
    Xlsb,
    /// A workbook of the kind before 2007, `.xls`.
    Xls,
    /// An `OpenDocument` workbook, `.ods`.
    Ods,
    /// A workbook under a password.
    Encrypted,
    /// What holds no table, by the word that messages know.
    Other(&'static str),
}

/// Tells what a file is.
pub(crate) fn kind_of(bytes: &[u8]) -> Kind {
    match bytes {
        [b'P', b'K', 3, 4, ..] => archive(bytes),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => compound(bytes),
        _ if bytes.starts_with(b"%PDF") => Kind::Other("pdf"),
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] | [b'G', b'I', b'F', b'8', ..] => {
            Kind::Other("image")
        }
        [b'R', b'a', b'r', b'!', ..] | [b'7', b'z', 0xbc, 0xaf, ..] | [0x1f, 0x8b, ..] => {
            Kind::Other("zip")
        }
        [b'P', b'A', b'R', b'1', ..] => Kind::Other("database"),
        _ if bytes.starts_with(b"SQLite format 3\0") => Kind::Other("database"),
        _ if bytes.starts_with(b"{\\rtf") => Kind::Other("document"),
        _ => markup(bytes).or_else(|| json(bytes)).map_or(Kind::Text, Kind::Other),
    }
}

/// Says whether bytes contain others.
fn has(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Tells a zip archive by the names of its parts, which stand in it as they are.
fn archive(bytes: &[u8]) -> Kind {
    // An OpenDocument's first part is its media type, stored as it is, at a fixed place.
    if let Some(media) = bytes
        .get(30..)
        .and_then(|rest| rest.strip_prefix(b"mimetypeapplication/vnd.oasis.opendocument."))
    {
        return if media.starts_with(b"spreadsheet") { Kind::Ods } else { Kind::Other("document") };
    }
    // The directory of an archive is at its end, and lists every part.
    let directory = &bytes[bytes.len().saturating_sub(1 << 16)..];
    if has(directory, b"xl/workbook.bin") {
        Kind::Xlsb
    } else if has(directory, b"xl/workbook.xml") || has(directory, b"xl/worksheets/") {
        Kind::Xlsx
    } else if has(directory, b"word/document.xml") {
        Kind::Other("document")
    } else if has(directory, b"Index/Document.iwa") || has(directory, b"index.apxl") {
        Kind::Other("numbers")
    } else if has(directory, b"[Content_Types].xml") {
        Kind::Xlsx
    } else {
        Kind::Other("zip")
    }
}

/// Tells a compound file by the names of its streams, which stand in it as UTF-16.
fn compound(bytes: &[u8]) -> Kind {
    let wide = |name: &str| name.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    if has(bytes, &wide("EncryptedPackage")) {
        Kind::Encrypted
    } else if has(bytes, &wide("WordDocument")) || has(bytes, &wide("PowerPoint Document")) {
        Kind::Other("document")
    } else if has(bytes, &wide("__substg1.0_")) {
        Kind::Other("mail")
    } else {
        Kind::Xls
    }
}

/// Tells JSON by how it begins.
fn json(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let (first, rest) = text.split_first()?;
    let then = rest.trim_ascii_start().first()?;
    matches!((first, then), (b'{', b'"') | (b'[', b'{' | b'[')).then_some("json")
}

/// Tells markup by how it begins.
fn markup(bytes: &[u8]) -> Option<&'static str> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1_000)]).to_lowercase();
    let start = start.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']);
    if !start.starts_with('<') {
        return None;
    }
    if start.contains("office:document") {
        Some("flat-odf")
    } else if start.contains("urn:schemas-microsoft-com:office:spreadsheet")
        || start.contains("mso-application")
    {
        Some("spreadsheetml")
    } else if ["<!doctype html", "<html", "<table", "<head", "<body", "<meta"]
        .iter()
        .any(|tag| start.contains(tag))
    {
        Some("html")
    } else {
        start.starts_with("<?xml").then_some("xml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_by_its_bytes() {
        for (bytes, kind) in [
            (b"a,b\r\n1,2\r\n".as_slice(), Kind::Text),
            (b"", Kind::Text),
            (b"%PDF-1.7", Kind::Other("pdf")),
            (b"\x89PNG\r\n", Kind::Other("image")),
            (b"\r\n<!DOCTYPE html><html>", Kind::Other("html")),
            (
                b"<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><table>",
                Kind::Other("html"),
            ),
            (
                b"<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>",
                Kind::Other("spreadsheetml"),
            ),
            (b"<?xml version=\"1.0\"?><office:document ", Kind::Other("flat-odf")),
            (b"<5,ten\r\n", Kind::Text),
            (b"\xef\xbb\xbf[\n {\"source\": 1}]", Kind::Other("json")),
            (b"{\\rtf1\\ansi", Kind::Other("document")),
            (b"[1],2\r\n", Kind::Text),
            (b"{x},2\r\n", Kind::Text),
            (b"<?xml version=\"1.0\"?><rows/>", Kind::Other("xml")),
            (b"PAR1\x15\x04", Kind::Other("database")),
            (b"PK\x03\x04 packets.csv", Kind::Other("zip")),
        ] {
            assert_eq!(kind_of(bytes), kind, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
