//! CSV in any dialect that a spreadsheet saves.

use super::encoding::decode;
use super::{Builder, Cell, Oddity, Sheet, SheetRow};
use crate::template::Labels;

/// How many lines are looked at for the delimiter: those among which a header is found.
const SNIFFED: usize = 60;

/// Reads CSV bytes; by the labels the delimiter and the header are found.
pub(crate) fn read_csv(bytes: &[u8], labels: &Labels) -> Sheet {
    let mut sheet = Sheet { decimal_mark: '.', ..Sheet::default() };
    let text = decode(bytes, &mut sheet.oddities);
    if text.trim().is_empty() {
        sheet.oddities.push(Oddity::Empty);
        return sheet;
    }
    let (hint, text, mut row) = separator_hint(&text);
    let delimiter = hint.unwrap_or_else(|| sniff(text, labels));
    sheet.delimiter = Some(delimiter);
    sheet.decimal_mark = if delimiter == b';' { ',' } else { '.' };
    sheet.odd_quotes = text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;

    let mut builder = Builder::new(labels, sheet);
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
        if record.iter().all(str::is_empty) {
            continue;
        }
        builder.push(SheetRow { number: row, cells: record.iter().map(Cell::text).collect() });
    }
    builder.finish()
}

/// Takes a `sep=;` line off, which some programs write above the header; others then fill it up with
/// delimiters.
fn separator_hint(text: &str) -> (Option<u8>, &str, u64) {
    let first = text.lines().next().unwrap_or_default();
    let hint = first.trim().trim_start_matches('"').as_bytes();
    let hint = hint.split_at_checked(4).filter(|(word, _)| word.eq_ignore_ascii_case(b"sep="));
    let hint = hint.map(|(_, delimiter)| delimiter);
    match hint {
        Some([delimiter, filling @ ..])
            if DELIMITERS.contains(delimiter)
                && filling.iter().all(|byte| byte == delimiter || *byte == b'"') =>
        {
            let rest = text[first.len()..].trim_start_matches(['\r', '\n']);
            (Some(*delimiter), rest, 1)
        }
        // Of `sep=` and a tab, trimming leaves nothing.
        Some([]) if first.contains('\t') => {
            (Some(b'\t'), text[first.len()..].trim_start_matches(['\r', '\n']), 1)
        }
        _ => (None, text, 0),
    }
}

/// What may stand between cells: what office programs write, and what exports of databases do.
const DELIMITERS: [u8; 7] = *b",;\t|^~\x1f";

/// Finds the delimiter that gives most known labels in any of the first lines, the comma where none does.
fn sniff(text: &str, labels: &Labels) -> u8 {
    let count = |line: &str, delimiter: u8| {
        let cells = line.split(char::from(delimiter));
        let known = |label: &&str| {
            labels.find(crate::value::trim(label).trim_matches('"').trim()).is_some()
        };
        cells.filter(known).count()
    };
    let mut best = (b',', 0);
    for line in text.lines().take(SNIFFED) {
        for delimiter in DELIMITERS {
            let found = count(line, delimiter);
            // A line that is one cell has no delimiter.
            if found > best.1.max(1) {
                best = (delimiter, found);
            }
        }
    }
    // Of an upright form, each line begins with a label.
    let fields = |delimiter: u8| {
        let begin =
            |line: &str| line.split_once(char::from(delimiter)).map(|(label, _)| label.to_owned());
        let is_known = |label: &String| {
            labels.find(crate::value::trim(label).trim_matches('"').trim()).is_some()
        };
        text.lines().take(SNIFFED).filter_map(begin).filter(is_known).count()
    };
    let most =
        DELIMITERS.into_iter().max_by_key(|delimiter| (fields(*delimiter), *delimiter == b','));
    most.filter(|delimiter| fields(*delimiter) > best.1.max(2)).unwrap_or(best.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read::MAX_ROWS;
    use crate::template::Template;

    /// Reads a table of three columns, of which the shipped template knows all.
    fn read(bytes: &[u8]) -> Sheet {
        read_csv(bytes, &Labels::new(&small()))
    }

    /// A template with the least columns that there may be.
    fn small() -> Template {
        let fills = ["source", "period_date", "period_granularity", "source_record_id"];
        let key = |(at, fill): (usize, &&str)| {
            let kind = if at == 1 { "date" } else { "text" };
            format!(
                "{{\"name\":\"k{at}\",\"role\":\"key\",\"type\":\"{kind}\",\"required\":true,\"fill\":\"{fill}\"}}"
            )
        };
        let keys: Vec<String> = fills.iter().enumerate().map(key).collect();
        format!(
            "{{\"name\":\"t\",\"version\":1,\"title\":{{\"en\":\"t\",\"es\":\"t\"}},\"record_prefix\":\"t\",\
             \"default_source_id\":\"t\",\"default_granularity\":\"year\",\"evidence_date\":\"a\",\
             \"evidence_quote\":\"b\",\"columns\":[{},\
             {{\"name\":\"a\",\"role\":\"capture\",\"type\":\"date\",\"required\":true}},\
             {{\"name\":\"b\",\"role\":\"capture\",\"type\":\"text\",\"required\":true}}],\"kpis\":[]}}",
            keys.join(",")
        )
        .parse()
        .unwrap()
    }

    fn texts(sheet: &Sheet) -> Vec<Vec<&str>> {
        sheet.rows.iter().map(|row| row.cells.iter().map(|c| c.text.as_str()).collect()).collect()
    }

    #[test]
    fn every_dialect_gives_the_same_sheet() {
        let utf16: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain("a\tb\tk0\r\n1\té\t3\r\n".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        for bytes in [
            "a,b,k0\n1,é,3\n".as_bytes(),
            "\u{feff}a,b,k0\r\n1,é,3\r\n".as_bytes(),
            "\u{feff}\"a\",\"b\",\"k0\"\r\n\"1\",\"é\",\"3\"\r\n".as_bytes(),
            "a;b;k0\r\n1;é;3".as_bytes(),
            "sep=;\r\na;b;k0\r\n1;é;3".as_bytes(),
            "sep=,,\r\na,b,k0\r\n1,é,3".as_bytes(),
            "\u{feff}SEP=;\na;b;k0\n1;é;3".as_bytes(),
            "sep=\t\na\tb\tk0\n1\té\t3".as_bytes(),
            "a^b^k0\n1^é^3".as_bytes(),
            "a~b~k0\n1~é~3".as_bytes(),
            "a\x1fb\x1fk0\n1\x1fé\x1f3".as_bytes(),
            "\"sep=,\",,\r\na,b,k0\r\n1,é,3".as_bytes(),
            "\"a\"\t\"b\"\tk0\r1\té\t3\r".as_bytes(),
            "a|b|k0\r\r\n1|é|3\r\r\n".as_bytes(),
            &utf16,
        ] {
            let sheet = read(bytes);
            assert_eq!(sheet.header, ["a", "b", "k0"], "{}", String::from_utf8_lossy(bytes));
            assert_eq!(texts(&sheet), [["1", "é", "3"]], "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_counts_them_and_blank_ones_are_none() {
        let sheet = read(b"a,b,k0\n\n\"1\nand\",2,\n,,\n \xc2\xa0,,\n3,4,\n,,\n");
        let numbers: Vec<_> = sheet.rows.iter().map(|row| row.number).collect();
        assert_eq!((sheet.header_row, numbers), (1, vec![3, 6]));
    }

    #[test]
    fn an_upright_form_is_read_as_one_row() {
        for text in [
            "campo;valor;qué significa\na;1;x\nb;2;\nk0;\"3;4\"\n",
            "a\t1\nb\t2\nk0\t3;4\n",
            "\u{feff}\"a\",\"1\"\r\n\"b\",\"2\"\r\n\"k0\",\"3;4\"\r\n",
        ] {
            let sheet = read(text.as_bytes());
            assert_eq!(sheet.header[sheet.header.len() - 3..], ["a", "b", "k0"], "{text}");
            assert_eq!(texts(&sheet), [["1", "2", "3;4"]], "{text}");
            assert_eq!(sheet.upright.last(), Some(&(text.lines().count() as u64)), "{text}");
        }
    }

    #[test]
    fn a_header_is_found_below_titles_and_notes() {
        let sheet = read(b"Packet of 2024\n\nfilled in by,Ana\na;b;k0\n1;2;3\n");
        assert_eq!((sheet.header_row, sheet.rows_above), (4, 2));
        assert_eq!(texts(&sheet), [["1", "2", "3"]]);
        let none = read(b"x,y\n1,2\n");
        assert_eq!((none.header_row, none.rows_above, none.header.len()), (1, 0, 2));
    }

    #[test]
    fn what_is_odd_about_a_whole_file_is_told() {
        for (bytes, oddity) in [
            (b"a,b\n1,caf\xe9\n".as_slice(), Oddity::Encoding { row: 2 }),
            (b" \n", Oddity::Empty),
            (b"\"a,b,k0,k1\"\n\"1,2,3,4\"\n", Oddity::OneColumn(',')),
            (b"\"a;b;k0;k1\"\n\"1;2;3;4\"\n", Oddity::OneColumn(';')),
            (b"'a','b','k0'\n'1','2','3'\n", Oddity::SingleQuotes),
        ] {
            assert_eq!(read(bytes).oddities, [oddity], "{}", String::from_utf8_lossy(bytes));
        }
        let lost = read(b"a,b,k0\n1,caf\xe9,3\n");
        assert_eq!(texts(&lost), [["1", "caf\u{fffd}", "3"]]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let sheet = read(&bytes);
            prop_assert!(sheet.rows.len() <= MAX_ROWS);
        }
    }
}
