//! Tables of outside rows: every form that exporters write, and what no form may do.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use raw_packets::table::{
    ColumnMap, ForeignFile, MAX_ROW, RefusedRow, TableError, TableReader, TableReport, TableSchema,
};

/// Columns, rows with their lines, and the report.
struct Read {
    rows: Vec<(u64, Vec<String>)>,
    report: TableReport,
}

impl Read {
    fn texts(&self) -> Vec<Vec<&str>> {
        self.rows.iter().map(|(_, cells)| cells.iter().map(String::as_str).collect()).collect()
    }

    fn lines(&self) -> Vec<u64> {
        self.rows.iter().map(|(line, _)| *line).collect()
    }

    fn refused(&self) -> Vec<u64> {
        self.report.rows_refused_listed.iter().map(|row| row.line).collect()
    }
}

fn schema() -> TableSchema {
    TableSchema::new("leads", ["id", "phone", "name"]).needs(["id"])
}

fn read_with(bytes: &[u8], map: &ColumnMap) -> Result<Read, TableError> {
    let file = std::io::Cursor::new(bytes.to_vec());
    let mut table = TableReader::new("leads.csv", file, &schema(), map)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row()? {
        rows.push((row.line(), row.cells().map(str::to_owned).collect()));
    }
    Ok(Read { rows, report: table.finish() })
}

fn read(bytes: impl AsRef<[u8]>) -> Read {
    read_with(bytes.as_ref(), &ColumnMap::default()).unwrap()
}

fn error(bytes: impl AsRef<[u8]>) -> TableError {
    read_with(bytes.as_ref(), &ColumnMap::default()).map(|read| read.rows).unwrap_err()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// RFC 4180; Excel, `LibreOffice`, `PowerShell` `Export-Csv`, phpMyAdmin, `HubSpot`, psql, sqlcmd, `MySQL`, Markdown.
#[test]
fn every_form_of_one_table_gives_the_same_rows() {
    for bytes in [
        b"id,phone,name\nA,987,Ana\nB,654,Rosa\n".to_vec(),
        b"\xef\xbb\xbfid,phone,name\r\nA,987,Ana\r\nB,654,Rosa\r\n".to_vec(),
        b"\xef\xbb\xbf\"id\",\"phone\",\"name\"\r\n\"A\",\"987\",\"Ana\"\r\n\"B\",\"654\",\"Rosa\"\r\n".to_vec(),
        b"id;phone;name\nA;987;Ana\nB;654;Rosa".to_vec(),
        b"id\tphone\tname\nA\t987\tAna\nB\t654\tRosa\n".to_vec(),
        b"id|phone|name\nA|987|Ana\nB|654|Rosa\n".to_vec(),
        b"sep=;\r\nid;phone;name\r\nA;987;Ana\r\nB;654;Rosa\r\n".to_vec(),
        b"id,phone,name\rA,987,Ana\rB,654,Rosa\r".to_vec(),
        b"id,phone,name\r\nA,987,Ana\nB,654,Rosa\r\n".to_vec(),
        b"id,phone,name\r\r\nA,987,Ana\r\r\nB,654,Rosa\r\r\n".to_vec(),
        b"\n,,\n;;\nid,phone,name\n\nA,987,Ana\n , ,\xc2\xa0\nB,654,Rosa\n,,,,\n\n".to_vec(),
        b"name, PHONE ,Id,colour\nAna,987,A,red\nRosa,654,B,blue\n".to_vec(),
        b"ID,Phone,N.a.m.e\nA,987,Ana,,\nB,654,Rosa,\n".to_vec(),
        b"id, \"phone\", \"name\"\nA, \"987\", \"Ana\"\nB,\"654\" ,\"Rosa\"\n".to_vec(),
        // A mark of UTF-8 twice, and one that went through Windows-1252.
        b"\xef\xbb\xbf\xef\xbb\xbf\"id\",phone,name\nA,987,Ana\nB,654,Rosa\n".to_vec(),
        b"\xc3\xaf\xc2\xbb\xc2\xbf\"id\",phone,name\nA,987,Ana\nB,654,Rosa\n".to_vec(),
        // Lines for programs: the type of Windows PowerShell 5, with and without quotes.
        b"#TYPE System.Data.DataRow\r\n\"id\",\"phone\",\"name\"\r\n\"A\",\"987\",\"Ana\"\r\n\"B\",\"654\",\"Rosa\"\r\n".to_vec(),
        b"\xef\xbb\xbf\"#TYPE System.String\"\r\nid,phone,name\r\nA,987,Ana\r\nB,654,Rosa\r\n".to_vec(),
        utf16("\u{feff}sep=\t\r\nid\tphone\tname\r\nA\t987\tAna\r\nB\t654\tRosa\r\n"),
        // Tables that are drawn: lines of dashes, blanks around the cells, a count of the rows.
        b"id|phone|name\n--|-----|----\nA|987|Ana\nB|654|Rosa\n\n(2 rows affected)\n".to_vec(),
        b" id | phone | name \n----+-------+------\n A  | 987   | Ana\n B  | 654   | Rosa\n(2 filas)\n".to_vec(),
        b"+----+-------+------+\n| id | phone | name |\n+----+-------+------+\n| A  | 987   | Ana  |\n| B  | 654   | Rosa |\n+----+-------+------+\n".to_vec(),
        b"| id | phone | name |\n|:---|---:|---|\n| A | 987 | Ana |\n| B | 654 | Rosa |\n".to_vec(),
        b"id;phone;name\n==;==;==\nA;987;Ana\nB;654;Rosa\n2 rows selected.\n".to_vec(),
        b"id, phone, name\nA, 987, Ana\nB, \"654\", Rosa\n".to_vec(),
        // The end of a text of DOS.
        b"id,phone,name\r\nA,987,Ana\r\nB,654,Rosa\r\n\x1a".to_vec(),
        utf16("\u{feff}id\tphone\tname\r\nA\t987\tAna\r\nB\t654\tRosa\r\n"),
        utf16("id,phone,name\nA,987,Ana\nB,654,Rosa\n"),
    ] {
        let read = read(&bytes);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(read.texts(), [["A", "987", "Ana"], ["B", "654", "Rosa"]], "{shown}");
        assert!(read.report.is_clean(), "{shown}");
        assert_eq!(read.report.rows_read_total, 2, "{shown}");
    }
}

#[test]
fn the_form_is_told_where_it_is_not_plain() {
    let read = read(utf16("\u{feff}id;phone;utm_source\r\nA;987\r\n"));
    assert_eq!((read.report.encoding, read.report.separator), ("UTF-16", "semicolon"));
    assert_eq!(read.report.rows_short_total, 1);
    let notes = read.report.notes().join("\n");
    for told in
        ["semicolon", "UTF-16", "utm_source", "missing columns read as blank: name", "1 rows"]
    {
        assert!(notes.contains(told), "{notes}");
    }
    assert!(read.report.warnings().is_empty());
}

#[test]
fn blanks_around_a_value_stay_where_the_header_has_none() {
    for (table, id) in [
        ("id,phone\n A ,987\n", " A "),
        ("id ,phone\n A ,987\n", " A "),
        ("id, phone, name\n\" A \", 987, x\n", " A "),
        ("id ; phone\n A ; 987\n", "A"),
    ] {
        assert_eq!(read(table).texts()[0][..2], [id, "987"], "{table}");
    }
}

#[test]
fn a_row_that_is_none_is_refused_for_what_it_is() {
    let table =
        "id,phone,name\nA,1,x\n\u{feff}id,phone,name\n\"B,2,y\"\nid,phone,\n-,-,-\n---,2,x\nC\n";
    let read = read(table);
    let texts =
        [["A", "1", "x"], ["id", "phone", ""], ["-", "-", "-"], ["---", "2", "x"], ["C", "", ""]];
    assert_eq!((read.texts(), read.refused()), (texts.map(Vec::from).to_vec(), vec![3, 4]));
    let told = read.report.warnings().join("\n");
    assert!(told.contains("repeats the header") && told.contains("one pair of quotes"), "{told}");
    assert!(!told.contains("B,2"), "{told}");
}

#[test]
fn quotes_that_csv_does_not_know_are_refused_with_the_header() {
    for header in ["'id','phone'", "“id”;“phone”", "”id”,”phone”", "«id»|«phone»"]
    {
        let refused = error(format!("{header}\n'A','9,8'\n"));
        assert!(matches!(refused, TableError::BrokenHeader { line: 1, .. }), "{refused}");
    }
    let whole = error("\"id,phone,name\"\n\"A,987,Ana\"\n").to_string();
    assert!(whole.contains("one pair of quotes"), "{whole}");
}

#[test]
fn line_breaks_and_doubled_quotes_in_quotes_are_part_of_the_value() {
    let read = read(
        "id,phone,name\nA,\"987\n\",\"Ana \"\"La\"\" X\"\r\n\nB,,\"1\r2\r\n3\"\nC,\"\",x\"y\"\n",
    );
    assert_eq!(
        read.texts(),
        [["A", "987\n", "Ana \"La\" X"], ["B", "", "1\r2\r\n3"], ["C", "", "x\"y\""]]
    );
    assert_eq!(read.lines(), [2, 5, 7]);
}

#[test]
fn a_quote_that_is_not_closed_names_its_line_and_swallows_nothing() {
    for (table, rows, refused) in [
        // To the end of the file.
        ("id,phone\nA,\"open\nB,1\n\nC,2", vec!["B", "C"], vec![2]),
        // To the quote of another value, lines below.
        ("id,phone\nA,\"open\nB,1\nC,\"2\"\nD,3\n", vec!["B", "C", "D"], vec![2]),
        ("id,phone\nA,\"open\nB,1\nC,\"\"\nD,3\n", vec!["B", "C", "D"], vec![2]),
        // Within one line.
        ("id,phone\nA,\"open,\"x\"\nB,1\n", vec!["B"], vec![2]),
        ("id,phone\nA,\"Ana \\\"La\\\" X\"\nB,1\n", vec!["B"], vec![2]),
        // In the first cell.
        ("id,phone\n\"A,1\nB,2\nC,3\n", vec!["B", "C"], vec![2]),
        // The quote of another value ends it so that too many cells stand there.
        ("id,phone\nA,\"open\nB,\",x,y\"\nC,3\n", vec!["B", "C"], vec![2]),
    ] {
        let read = read(table);
        let ids: Vec<_> = read.rows.iter().map(|(_, cells)| cells[0].as_str()).collect();
        assert_eq!((ids, read.refused()), (rows, refused), "{table}");
    }
}

#[test]
fn a_piece_of_a_text_with_a_wrong_quote_never_passes_for_a_row() {
    let read =
        read("id,phone,name\nA,1,\"first\nsecond \"quoted\" word\",x\nthird, line,\"\nB,2,Rosa\n");
    assert_eq!(read.texts(), [["B", "2", "Rosa"]]);
    assert_eq!(read.refused(), [2, 3, 4]);
}

#[test]
fn rows_are_refused_by_line_and_the_rest_is_read() {
    let long = "x".repeat(MAX_ROW + 5);
    let table = format!(
        "id,phone\nA,1,x\nB,\0\nC,9\r8\nD,4\n{long}\nE,5\nF,\"{}\nG,6\n",
        "y\n".repeat(MAX_ROW)
    );
    let read = read(table);
    let ids: Vec<_> = read.rows.iter().map(|(_, cells)| cells[0].as_str()).take(2).collect();
    assert!(ids == ["D", "E"], "{}", ids.len());
    assert_eq!(read.refused()[..5], [2, 3, 4, 6, 8]);
    assert_eq!(read.rows.last().map(|(_, cells)| cells[0].as_str()), Some("G"));
    assert_eq!(
        read.report.rows_read_total,
        read.rows.len() as u64 + read.report.rows_refused_total
    );
    let told = read.report.warnings().join("\n");
    assert!(told.contains("more refused rows") && !told.contains("xxx"), "{told}");
}

#[test]
fn every_refused_row_is_handed_out_and_the_first_are_listed() {
    let table = format!("id\n{}", "x,y\n".repeat(50));
    let file = std::io::Cursor::new(table.into_bytes());
    let schema = schema();
    let mut table = TableReader::new("l.csv", file, &schema, &ColumnMap::default()).unwrap();
    let all = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&all);
    table.on_refused(move |row: &RefusedRow| kept.lock().unwrap().push(row.line));
    assert!(table.next_row().unwrap().is_none());
    assert_eq!(*all.lock().unwrap(), (2..52).collect::<Vec<u64>>());
    let report = table.finish();
    assert_eq!((report.rows_refused_listed.len(), report.rows_refused_total), (20, 50));
}

/// The index of windows-1252 in the Encoding Standard (WHATWG); five bytes have no meaning there.
#[test]
fn rows_that_are_not_utf_8_are_read_as_windows_1252_and_told() {
    let table = b"id,name\nA,Jos\xe9\nB,Pe\xc3\xb1a\nC,\x80 5\nD,\x81\n\xe9\xe9,\"x\xf1\ny\"\n";
    let read = read(table);
    assert_eq!(
        read.texts(),
        [["A", "", "José"], ["B", "", "Peña"], ["C", "", "€ 5"], ["éé", "", "xñ\ny"]]
    );
    assert_eq!(read.refused(), [5]);
    assert_eq!((read.report.rows_guessed_total, read.report.rows_guessed_first), (3, Some(2)));
    assert!(!read.report.is_clean());
    let told = read.report.warnings().join("\n");
    assert!(told.contains("line 2") && told.contains("Windows-1252"), "{told}");

    let stated = |name: &str| {
        let map = ColumnMap::from_toml(&format!("encoding = \"{name}\""), &[schema()]).unwrap();
        read_with(b"id,name\nA,Jos\xe9\n", &map).unwrap()
    };
    let known = stated("windows-1252");
    assert_eq!((known.texts(), known.report.is_clean()), (vec![vec!["A", "", "José"]], true));
    assert_eq!(stated("utf-8").refused(), [2]);
}

#[test]
fn half_a_character_of_utf_16_costs_its_row() {
    let mut bytes = utf16("\u{feff}id,name\nA,x");
    bytes.extend(0xd83d_u16.to_le_bytes());
    bytes.extend(utf16("\nB,\u{1f600}\n"));
    let read = read(bytes);
    assert_eq!((read.texts(), read.refused()), (vec![vec!["B", "", "\u{1f600}"]], vec![2]));
}

#[test]
fn a_header_without_a_needed_column_is_refused_and_never_repeated() {
    for table in ["Rosa Quispe,987654321,rosa@correo.pe\n", "name;telefono\n", "Leads\nid,phone\n"]
    {
        let refused = error(table);
        let said = format!("{refused}; {}", refused.remedy());
        assert!(said.contains("leads.csv: line 1: the header has no column `id`"), "{said}");
        assert!(said.contains("id,phone,name"), "{said}");
        for value in ["Rosa", "Quispe", "987", "correo"] {
            assert!(!said.contains(value), "{said}");
        }
    }
    assert!(
        error("Leads of May\n\nid,phone\n").to_string().contains("line 3 looks like the header")
    );
    assert!(error("telefono;name\n").to_string().contains("phone = \"telefono\""));
    assert!(error("telefono;name\n").to_string().contains("2 columns separated by the semicolon"));
    for empty in ["", "\n\n", "\u{feff}", ",,\n"] {
        assert!(matches!(error(empty), TableError::Empty { .. }), "{empty:?}");
    }
    assert!(matches!(error("\"id\n1\n"), TableError::BrokenHeader { line: 1, .. }));
    let twice = error("id,phone,Phone\n");
    assert!(matches!(&twice, TableError::DuplicateColumn { first: 2, second: 3, .. }), "{twice}");
}

#[test]
fn names_of_columns_that_may_be_values_are_told_by_their_place() {
    let read = read("id,Rosa Quispe,987654321,rosa@correo.pe,telefono,,utm_source\nA,,,,,x,y\n");
    let ignored = read.report.columns_ignored.join("; ");
    for value in ["Rosa", "987", "correo"] {
        assert!(!ignored.contains(value), "{ignored}");
    }
    for told in ["column 2 (", "column 3 (", "column 4 (", "telefono", "column 6 (", "utm_source"] {
        assert!(ignored.contains(told), "{ignored}");
    }
    assert_eq!(read.report.columns_suggested, [("telefono".to_owned(), "phone".to_owned())]);
}

#[test]
fn a_second_column_of_a_kind_is_told_as_not_read() {
    let read = read("id,phone,name,Mobile,colour\nA,1,x,2,red\n");
    assert_eq!(read.report.columns_doubled, [("Mobile".to_owned(), "phone".to_owned())]);
    assert_eq!(read.report.columns_ignored, ["Mobile", "colour"]);
    let told = read.report.notes().join("\n");
    assert!(told.contains("`Mobile` looks like another `phone`"), "{told}");
}

#[test]
fn what_is_no_table_is_refused_for_what_it_is() {
    let refused = error(b"PK\x03\x04\x14\0");
    assert!(matches!(&refused, TableError::Foreign { kind: ForeignFile::Workbook, .. }));
    assert!(refused.to_string().contains("workbook") && refused.remedy().contains("CSV UTF-8"));
}

#[test]
fn a_map_of_columns_names_what_the_file_calls_them() {
    let map = |text: &str| ColumnMap::from_toml(text, &[schema(), TableSchema::persons()]);
    let two = map("phone = \"Tel. 1\"\n[leads]\nid = [\"ID de contacto\", \"Contact\"]\n").unwrap();
    let read = read_with(b"Contact,phone,TEL 1\nA,1,2\n", &two).unwrap();
    assert_eq!(read.texts(), [["A", "2", ""]]);
    assert_eq!(read.report.columns_ignored, ["phone"]);
    for (wrong, says) in [
        ("fone = \"x\"", "`fone`"),
        ("[lead]\nid = \"x\"", "`lead`"),
        ("[persons]\nid = \"x\"", "`id`"),
        ("encoding = \"ebcdic\"", "windows-1252"),
        ("phone = 1", "a name in quotes"),
        ("phone = ", "line 1"),
    ] {
        let said = map(wrong).unwrap_err().to_string();
        assert!(said.contains(says), "{wrong}: {said}");
    }
}

#[test]
fn leads_and_persons_must_bring_something_that_identifies_a_person() {
    let open = |table: &'static str, schema: TableSchema| {
        TableReader::new("t.csv", table.as_bytes(), &schema, &ColumnMap::default()).map(|_| ())
    };
    let said = open("id,nombre,celular\n", TableSchema::leads()).unwrap_err().to_string();
    assert!(
        said.contains("`phone` or `document` or `email`") && said.contains("celular"),
        "{said}"
    );
    let hubspot = "Record ID - Contact,First Name,Last Name,Phone Number,Email\n";
    let said = open(hubspot, TableSchema::leads()).unwrap_err().to_string();
    assert!(said.contains("write id = \"Record ID - Contact\""), "{said}");
    open("person_key,full_name\n", TableSchema::persons()).unwrap_err();
    open("id,plate\n", TableSchema::leads()).unwrap();
    open("claim_id,source_pk\n", TableSchema::claims()).unwrap();
    open("source_pk\n", TableSchema::truth()).unwrap_err();
}

#[cfg(feature = "kpi-gap-queue")]
#[test]
fn a_value_that_is_none_is_refused_by_line_and_column_and_the_rest_is_read() {
    use raw_packets::table::MetricRows;

    let csv = "sanction_source_id,kpi_id,period_date,value,colour\n\
        s,k,2025-12-31,1,red\n\
        s,k,31/12/2025,1\n\
        s,k,2024-12-31,\"1,5\"\n\
        s,,2024-12-31,1\n\
        s|t,k,2024-12-31,1\n\
        s,k,2025-12-31,2\n\
        s,k2,2025-12-31,\n\
        s,k,2024-12-31,1,,x\n\
        s,k,2023-12-31,3\n";
    let names = kpi_gap_queue::GapPolicy::default().names;
    let read = |csv: &str, names: &_| {
        let file = std::io::Cursor::new(csv.as_bytes().to_vec());
        MetricRows::new("metrics.csv", file, names, &ColumnMap::default())
    };
    let mut rows = read(csv, &names).unwrap();
    let mut values = Vec::new();
    while let Some((line, metric)) = rows.next_metric().unwrap() {
        values.push((line, metric.value));
    }
    assert_eq!(values, [(2, "1".to_owned()), (10, "3".to_owned())]);
    let totals = rows.finish();
    let refused = totals.table.rows_refused_listed.iter();
    let places: Vec<_> = refused.map(|row| (row.line, row.column.as_deref())).collect();
    let wanted = [
        (3, Some("period_date")),
        (4, Some("value")),
        (5, Some("kpi_id")),
        (6, Some("sanction_source_id")),
        (7, Some("metric_key")),
        (9, None),
    ];
    assert_eq!(places, wanted);
    assert_eq!(totals.rows_without_value_total, 1);
    assert_eq!(totals.table.columns_ignored, ["colour"]);
    assert_eq!(totals.table.rows_read_total, 9);
    assert!(!totals.table.columns_missing.iter().any(|name| name == "numerator"));

    let mut own = names.clone();
    own.source_id = "town".to_owned();
    assert!(read("town;kpi_id\n", &own).is_ok());
    read("kpi_id,value\n", &own).unwrap_err();
}

#[test]
fn a_file_can_be_kept_as_it_is_with_its_own_columns_and_broken_lines() {
    use raw_packets::table::Entry;

    let file =
        std::io::Cursor::new(b"\xef\xbb\xbfID;colour\n1;red\n2;\"open\n\n3;blue;;\n".to_vec());
    let schema = schema();
    let mut table = TableReader::new("l.csv", file, &schema, &ColumnMap::default()).unwrap();
    assert_eq!(table.header(), ["id", "colour"]);
    let mut kept = Vec::new();
    while let Some(entry) = table.next_entry().unwrap() {
        kept.push(match entry {
            Entry::Row(row) => row.all().collect::<Vec<_>>().join("|"),
            Entry::Refused(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => unreachable!("there are rows and refused lines"),
        });
    }
    assert_eq!(kept, ["1|red", "2;\"open\n", "3|blue"]);
}

/// A cell of any content, and whether the writer quotes it.
fn cell() -> impl Strategy<Value = String> {
    "[a-zé,;\"\r\n\t|' ]{0,8}"
}

proptest! {
    #[test]
    fn what_a_csv_writer_writes_is_read_back(
        rows in prop::collection::vec((cell(), cell()), 0..20),
        separator in prop::sample::select(b",;\t|".to_vec()),
        quote_all in any::<bool>(),
        ending in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        let style = if quote_all { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let terminator =
            if ending == "\n" { csv::Terminator::Any(b'\n') } else { csv::Terminator::CRLF };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator)
            .quote_style(style)
            .terminator(terminator)
            .from_writer(Vec::new());
        writer.write_record(["id", "phone"]).unwrap();
        for (id, phone) in &rows {
            // A value with a blank before it begins no quote.
            writer.write_record([id.trim(), phone.trim()]).unwrap();
        }
        let read = read(writer.into_inner().unwrap());
        let wanted: Vec<_> = rows
            .iter()
            .map(|(id, phone)| vec![id.trim(), phone.trim(), ""])
            .filter(|row| row.iter().any(|cell| !cell.is_empty()))
            .collect();
        prop_assert_eq!(read.texts(), wanted);
        prop_assert!(read.report.is_clean());
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_every_row_is_counted(
        content in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(b",\"\n\r;".to_vec())],
            0..400,
        ),
    ) {
        let read = read([b"id,phone\n".as_slice(), &content].concat());
        let counted = read.rows.len() as u64 + read.report.rows_refused_total;
        prop_assert_eq!(read.report.rows_read_total, counted);
        let in_order = read.lines().windows(2).all(|pair| pair[0] < pair[1]);
        prop_assert!(in_order);
    }

    #[test]
    fn one_open_quote_costs_only_its_own_line(
        rows in prop::collection::vec("[a-z0-9 ]{1,6}", 1..30),
        quoted in any::<bool>(),
        at in any::<prop::sample::Index>(),
    ) {
        let at = at.index(rows.len());
        let line = |(number, phone): (usize, &String)| {
            let open = if quoted || number == at { "\"" } else { "" };
            let close = if quoted && number != at { "\"" } else { "" };
            format!("r{number},{open}{phone}{close}\n")
        };
        let lines: String = rows.iter().enumerate().map(line).collect();
        let table = format!("id,phone\n{lines}");
        let read = read(&table);
        prop_assert_eq!(read.refused(), [at as u64 + 2], "{}", table);
        prop_assert_eq!(read.rows.len(), rows.len() - 1);
    }
}
