//! CSV in any dialect that a spreadsheet saves.

use std::borrow::Cow;

use super::{Cell, MAX_ROWS, Oddity, Sheet, SheetRow};

/// Reads CSV bytes; `known` says whether a label is one of the template's, by which the delimiter is
/// found.
pub(crate) fn read_csv(bytes: &[u8], known: impl Fn(&str) -> bool) -> Sheet {
    let mut sheet = Sheet { decimal_mark: '.', ..Sheet::default() };
    let text = decode(bytes, &mut sheet.oddities);
    if text.trim().is_empty() {
        sheet.oddities.push(Oddity::Empty);
        return sheet;
    }
    let (hint, text, mut row) = separator_hint(&text);
    let delimiter = hint.unwrap_or_else(|| sniff(text, known));
    sheet.delimiter = Some(delimiter);
    sheet.decimal_mark = if delimiter == b';' { ',' } else { '.' };

    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut lines_before = reader.position().line();
    // Reading text from memory cannot fail: it is UTF-8, and rows may have any length.
    while reader.read_record(&mut record).unwrap_or(false) {
        let lines = reader.position().line() - lines_before;
        lines_before += lines;
        // The reader skips empty lines, which a spreadsheet counts as rows.
        let inside: usize = record.iter().map(|field| field.matches('\n').count()).sum();
        row += 1 + lines.saturating_sub(1 + inside as u64);
        if sheet.header.is_empty() {
            sheet.header_row = row;
            sheet.header = record.iter().map(|label| label.trim().to_owned()).collect();
        } else if sheet.rows.len() < MAX_ROWS {
            let cells = record.iter().map(Cell::text).collect();
            sheet.rows.push(SheetRow { number: row, cells });
        } else {
            sheet.rows_beyond += 1;
        }
    }
    sheet
}

fn decode<'a>(bytes: &'a [u8], oddities: &mut Vec<Oddity>) -> Cow<'a, str> {
    let wide = |from: fn([u8; 2]) -> u16| {
        let units: Vec<u16> =
            bytes[2..].chunks_exact(2).map(|pair| from([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, ..] => {
            oddities.push(Oddity::Utf16);
            Cow::Owned(wide(u16::from_le_bytes))
        }
        [0xfe, 0xff, ..] => {
            oddities.push(Oddity::Utf16);
            Cow::Owned(wide(u16::from_be_bytes))
        }
        _ => {
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
    }
}

/// Takes a `sep=;` line off, which some programs write above the header.
fn separator_hint(text: &str) -> (Option<u8>, &str, u64) {
    let first = text.lines().next().unwrap_or_default();
    match first.trim().trim_matches('"').strip_prefix("sep=").map(str::as_bytes) {
        Some([delimiter @ (b',' | b';' | b'\t' | b'|')]) => {
            let rest = text[first.len()..].trim_start_matches(['\r', '\n']);
            (Some(*delimiter), rest, 1)
        }
        _ => (None, text, 0),
    }
}

/// Finds the delimiter that gives most known labels in the first row, the comma where none does.
fn sniff(text: &str, known: impl Fn(&str) -> bool) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    // A template's labels hold neither delimiters nor quotes, so that no parser is needed to know them.
    let labels = |delimiter: u8| {
        let cells = first.split(char::from(delimiter));
        cells.filter(|label| known(label.trim().trim_matches('"').trim())).count()
    };
    let mut best = (b',', labels(b','));
    for delimiter in *b";\t|" {
        let count = labels(delimiter);
        if count > best.1 {
            best = (delimiter, count);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Sheet {
        read_csv(bytes, |label| ["a", "b", "c"].contains(&label))
    }

    fn texts(sheet: &Sheet) -> Vec<Vec<&str>> {
        let row =
            |row: &'_ SheetRow| row.cells.iter().map(|cell| cell.text.clone()).collect::<Vec<_>>();
        let _ = row;
        sheet.rows.iter().map(|row| row.cells.iter().map(|c| c.text.as_str()).collect()).collect()
    }

    #[test]
    fn every_dialect_gives_the_same_sheet() {
        let utf16: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain("a\tb\r\n1\té\r\n".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        for bytes in [
            "a,b\n1,é\n".as_bytes(),
            "\u{feff}a,b\r\n1,é\r\n".as_bytes(),
            "a;b\r\n1;é".as_bytes(),
            "sep=;\r\na;b\r\n1;é".as_bytes(),
            "\"a\"\t\"b\"\r1\té\r".as_bytes(),
            &utf16,
        ] {
            let sheet = read(bytes);
            assert_eq!(sheet.header, ["a", "b"], "{bytes:?}");
            assert_eq!(texts(&sheet), [["1", "é"]], "{bytes:?}");
        }
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_counts_them() {
        let sheet = read(b"a,b\n\n\"1\nand\",2\n\n3,4\n");
        let numbers: Vec<_> = sheet.rows.iter().map(|row| row.number).collect();
        assert_eq!((sheet.header_row, numbers), (1, vec![3, 5]));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_said_and_read_all_the_same() {
        let sheet = read(b"a,b\n1,caf\xe9\n");
        assert_eq!(sheet.oddities, [Oddity::Encoding { row: 2 }]);
        assert_eq!(texts(&sheet), [["1", "caf\u{fffd}"]]);
        assert_eq!(read(b" \n").oddities, [Oddity::Empty]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let sheet = read(&bytes);
            prop_assert!(sheet.rows.len() <= MAX_ROWS);
        }
    }
}
