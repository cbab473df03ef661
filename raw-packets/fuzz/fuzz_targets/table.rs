//! Any bytes as a table of people: no panic, every row read or refused, and none invented.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raw_packets::table::{ColumnMap, TableReader, TableSchema};

fuzz_target!(|bytes: &[u8]| {
    // The first byte chooses whether a header is put in front, so that rows are reached at once.
    let (headed, rest) = bytes.split_first().unwrap_or((&0, bytes));
    let header: &[u8] = match headed % 4 {
        0 => b"",
        1 => b"id,phone,email\n",
        2 => b"\xef\xbb\xbf\"external_id\";\"phone\"\r\n",
        _ => b"id\tphone\r",
    };
    let file = [header, rest].concat();
    let lines = 1 + file.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64;
    let file = std::io::Cursor::new(file);
    let leads = TableSchema::leads();
    let Ok(mut table) = TableReader::new("leads.csv", file, &leads, &ColumnMap::default()) else {
        return;
    };
    let (mut rows, mut last) = (0, 0);
    while let Ok(Some(row)) = table.next_row() {
        assert!(row.line() > last, "rows come in the order of their lines");
        last = row.line();
        rows += 1;
        assert!(row.cells().any(|cell| !cell.is_empty()) || row.optional("id").is_none());
    }
    let report = table.finish();
    assert_eq!(report.rows_read_total, rows + report.rows_refused_total);
    // UTF-16 may hold line breaks in bytes that are none.
    assert!(report.encoding == "UTF-16" || report.rows_read_total <= lines);
});
