//! What people and programs do to whole files: each is read, or named once with what to do.

use raw_packets::{
    Accept, CheckedPlan, Code, CsvProfile, KpiRow, PacketPlan, PacketStatus, ReturnedFile,
};

use unicode_normalization::UnicodeNormalization as _;

use crate::support::{as_of, filled, plan, returned, stamp};

type Change = fn(&str) -> Vec<u8>;

/// The rows of a table.
type Rows = Vec<Vec<String>>;

/// Writes the rows of a text anew, with another delimiter.
fn columns(text: &str, delimiter: u8, change: fn(Rows) -> Rows) -> Vec<u8> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows = reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect());
    let mut writer =
        csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(Vec::new());
    for row in change(rows.collect()) {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Returns the loaded counts and days of the first packet.
fn loaded(checked: &CheckedPlan<'_>) -> Vec<String> {
    let load = checked.load(Accept::Valid, &stamp()).unwrap();
    let number = |row: &KpiRow| match (row.numerator, row.denominator) {
        (Some(numerator), Some(denominator)) => format!("{numerator}/{denominator}"),
        _ => row.value.to_string(),
    };
    load.rows().iter().map(number).collect()
}

fn check(plan: &PacketPlan, change: Change) -> CheckedPlan<'_> {
    let mut file = returned(plan, &plan.packets()[0], CsvProfile::Plain);
    file.bytes = change(std::str::from_utf8(&file.bytes).unwrap());
    plan.check(&[file], as_of())
}

fn utf16(text: &str, mark: bool) -> Vec<u8> {
    let marked = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
    marked.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, one change an entry")]
fn what_a_program_does_to_a_whole_file_is_read_as_the_same_values() {
    let cases: [(&str, Change, Option<Code>); 28] = [
        ("UTF-16", |t| utf16(t, true), Some(Code::EncodingDetected)),
        ("UTF-16 without a mark", |t| utf16(t, false), Some(Code::EncodingDetected)),
        (
            "UTF-32",
            |t| t.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
            Some(Code::EncodingDetected),
        ),
        ("Ctrl-Z at the end", |t| format!("{t}\u{1a}").into(), None),
        ("CR CR LF", |t| t.replace("\r\n", "\r\r\n").into(), None),
        ("CR alone", |t| t.replace("\r\n", "\r").into(), None),
        ("sep= filled up", |t| format!("sep=,,,,,\r\n{t}").into(), None),
        ("no last line end", |t| t.trim_end().into(), None),
        ("blank rows of commas", |t| format!("{t}{}", ",,,,,\r\n".repeat(5_000)).into(), None),
        ("rows of spaces", |t| format!("{t}{}", " ,\u{a0},\r\n".repeat(2_000)).into(), None),
        (
            "blank rows between",
            |t| t.replacen("\r\n", "\r\n,,,\r\n\u{a0},,\r\n", 1).into(),
            Some(Code::BlankRow),
        ),
        (
            "spaces around labels",
            |t| t.replacen("evidence_date", "\u{a0} evidence_date\u{200b} ", 1).into(),
            None,
        ),
        (
            "labels in capitals",
            |t| {
                let (header, row) = t.split_once("\r\n").unwrap();
                format!("{}\r\n{row}", header.to_uppercase()).into()
            },
            Some(Code::IncorrectLabel),
        ),
        (
            "the title for the label",
            |t| {
                let title = "\"Fecha de la publicación, AAAA-MM-DD\"";
                t.replacen("evidence_date", title, 1).into()
            },
            Some(Code::IncorrectLabel),
        ),
        (
            "a key as an office program writes it",
            |t| t.replace(",2024-01-01,year", ",01/01/2024,year").into(),
            Some(Code::KeyRewritten),
        ),
        (
            "UTF-16 of the other order",
            |t| t.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Some(Code::EncodingDetected),
        ),
        ("two marks of UTF-8", |t| format!("\u{feff}\u{feff}{t}").into(), None),
        ("accents that are composed", |t| t.nfd().collect::<String>().into(), None),
        ("tabs", |t| columns(t, b'\t', |c| c), None),
        ("bars", |t| columns(t, b'|', |c| c), None),
        ("carets", |t| columns(t, b'^', |c| c), None),
        ("SEP= in capitals", |t| [b"SEP=|\n".to_vec(), columns(t, b'|', |c| c)].concat(), None),
        (
            "labels in camel case",
            |t| {
                let (header, row) = t.split_once("\r\n").unwrap();
                format!("{}\r\n{row}", header.replace('_', "")).into()
            },
            Some(Code::IncorrectLabel),
        ),
        (
            "labels with stars and hints",
            |t| {
                let (header, row) = t.split_once("\r\n").unwrap();
                format!("{} (obligatorio)*\r\n{row}", header.replace(',', "*,")).into()
            },
            Some(Code::IncorrectLabel),
        ),
        (
            "the upright form saved as CSV",
            |t| {
                columns(t, b';', |rows| {
                    let head =
                        vec!["campo".to_owned(), "valor".to_owned(), "qué significa".to_owned()];
                    let field = |(label, cell): (&String, &String)| {
                        vec![label.clone(), cell.replace("182.5", "182,5"), String::new()]
                    };
                    std::iter::once(head).chain(rows[0].iter().zip(&rows[1]).map(field)).collect()
                })
            },
            None,
        ),
        (
            "labels and values below each other",
            |t| {
                columns(t, b',', |rows| {
                    rows[0]
                        .iter()
                        .zip(&rows[1])
                        .map(|(label, cell)| vec![label.clone(), cell.clone()])
                        .collect()
                })
            },
            None,
        ),
        (
            "a key as a number of days",
            |t| t.replace(",2024-01-01,year", ",45292,year").into(),
            Some(Code::KeyRewritten),
        ),
        ("a text that starts with a dash", |t| t.replace("En 2024 se", "-En 2024 se").into(), None),
    ];
    let plan = plan();
    let values = loaded(&check(&plan, |text| text.into()));
    assert_eq!(values, ["60/1200", "300/1200", "182.5"]);
    for (name, change, note) in cases {
        let checked = check(&plan, change);
        let packet = &checked.packets()[0];
        let codes: Vec<_> = packet.findings().iter().map(|finding| finding.code).collect();
        assert_eq!(packet.status(), PacketStatus::Ready, "{name}: {:?}", packet.findings());
        assert_eq!(codes, Vec::from_iter(note), "{name}");
        assert_eq!(loaded(&checked), values, "{name}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, one change an entry")]
fn what_cannot_be_read_is_named_once_with_what_to_do() {
    let cases: [(&str, Change, PacketStatus, Code, &str); 16] = [
        (
            "padded with NUL",
            |t| format!("{t}{}", "\0".repeat(900)).into(),
            PacketStatus::InvalidRow,
            Code::EncodingError,
            "copy it again",
        ),
        (
            "all in one column",
            |t| {
                let quoted = |line: &str| format!("\"{}\"\r\n", line.replace('"', "\"\""));
                t.lines().map(quoted).collect::<String>().into()
            },
            PacketStatus::InvalidHeaders,
            Code::OneColumn,
            "Text to Columns",
        ),
        (
            "single quotes",
            |t| {
                let quoted = |line: &str| format!("'{}'\r\n", line.replace(',', "','"));
                t.lines().map(quoted).collect::<String>().into()
            },
            PacketStatus::InvalidHeaders,
            Code::QuoteCharacter,
            "save it from a spreadsheet",
        ),
        (
            "notes above",
            |t| format!("Paquete de 2024\r\n\r\nRellenado por,Ana\r\n{t}").into(),
            PacketStatus::InvalidHeaders,
            Code::HeaderRow,
            "delete the rows above",
        ),
        (
            "other labels",
            |t| t.replace("evidence", "prueba").replace("recurso", "caso").into(),
            PacketStatus::InvalidHeaders,
            Code::MissingLabel,
            "put them back",
        ),
        (
            "a total row",
            |t| format!("{t}TOTAL,,,,,,1200,300,60,,,,,,,,,\r\n").into(),
            PacketStatus::MultipleRows,
            Code::RowUnexpected,
            "delete row 3",
        ),
        (
            "the header twice",
            |t| format!("{t}{}\r\n", t.lines().next().unwrap()).into(),
            PacketStatus::MultipleRows,
            Code::RowUnexpected,
            "delete row 3",
        ),
        (
            "another source under this name",
            |t| {
                let t = t.replace("contencioso_sentencias", "teac_resolutions");
                t.replace("contencioso-sentencias", "teac-resolutions").into()
            },
            PacketStatus::InvalidRow,
            Code::KeyAltered,
            "put these figures into the packet that they belong to",
        ),
        (
            "another encoding",
            |t| t.replace("Organismo", "Organizaci\u{f3}n").chars().map(|c| c as u8).collect(),
            PacketStatus::InvalidRow,
            Code::EncodingError,
            "CSV UTF-8",
        ),
        (
            "the header deleted",
            |t| t.split_once("\r\n").unwrap().1.into(),
            PacketStatus::InvalidHeaders,
            Code::MissingLabel,
            "copy the first row",
        ),
        (
            "a quotation mark left open",
            |t| t.replacen("En 2024", "\"En 2024", 1).into(),
            PacketStatus::InvalidRow,
            Code::QuoteCharacter,
            "doubles quotation marks",
        ),
        (
            "semicolons in one column",
            |t| {
                let text = String::from_utf8(columns(t, b';', |c| c)).unwrap();
                let quoted = |line: &str| format!("\"{}\"\r\n", line.replace('"', "\"\""));
                text.lines().map(quoted).collect::<String>().into()
            },
            PacketStatus::InvalidHeaders,
            Code::OneColumn,
            "Semicolon",
        ),
        (
            "commas of several numbers",
            |t| t.replace("182.5", "182,5").replace(",1200,", ",1,200,").into(),
            PacketStatus::InvalidRow,
            Code::ExtraCell,
            "write numbers without commas",
        ),
        (
            "the labels of a column twice",
            |t| {
                columns(t, b',', |mut rows| {
                    rows[0].push("evidence_date".to_owned());
                    rows[1].push("2025-04-01".to_owned());
                    rows
                })
            },
            PacketStatus::InvalidHeaders,
            Code::DuplicateLabel,
            "delete the other",
        ),
        (
            "bytes of another program",
            |_| b"\x7fELF\x02\x01\0\0\0".to_vec(),
            PacketStatus::InvalidHeaders,
            Code::EncodingError,
            "copy it again",
        ),
        (
            "a decimal comma that moved the row",
            |t| t.replace("182.5", "182,5").into(),
            PacketStatus::InvalidRow,
            Code::CommaShift,
            "write `182.5`",
        ),
    ];
    let plan = plan();
    for (name, change, status, code, says) in cases {
        let checked = check(&plan, change);
        let packet = &checked.packets()[0];
        assert_eq!(packet.status(), status, "{name}: {:?}", packet.findings());
        let errors: Vec<_> = packet.findings().iter().filter(|f| f.is_error()).collect();
        let [finding] = errors[..] else { panic!("{name}: {errors:?}") };
        assert_eq!(finding.code, code, "{name}");
        assert!(finding.remedy.contains(says), "{name}: {finding}");
        assert!(checked.load(Accept::All, &stamp()).is_err(), "{name}");
    }
}

#[test]
fn a_row_that_fell_apart_at_a_comma_is_repaired_where_there_is_one_way_to_join_it() {
    let plan = plan();
    for (change, cell, repair) in [
        ((|t| t.replace("182.5", "182,5").into()) as Change, "J2", "182.5"),
        (|t| t.replace(",1200,", ",1,200,").replace("1.200 ", "1200 ").into(), "G2", "1200"),
        (
            |t| t.replace("se presentaron", "se presentaron, dicen,").replace('"', "").into(),
            "F2",
            "En 2024 se presentaron, dicen, 1.200 recursos y se estimaron 300.",
        ),
    ] {
        let checked = check(&plan, change);
        let packet = &checked.packets()[0];
        let here = packet.findings().iter().find(|f| f.cell.as_deref() == Some(cell));
        let told: Vec<_> = packet.findings().iter().map(ToString::to_string).collect();
        assert_eq!(here.and_then(|f| f.repair.as_deref()), Some(repair), "{told:#?}");
        let repaired = checked.repaired(packet).unwrap();
        let again = plan.check(&[ReturnedFile::new(repaired.path, repaired.bytes)], as_of());
        assert_eq!(again.packets()[0].status(), PacketStatus::Ready, "{told:#?}");
        assert_eq!(loaded(&again), ["60/1200", "300/1200", "182.5"]);
    }
}

#[test]
fn rows_of_several_sources_in_one_file_are_told_and_no_packet_is_said_not_to_have_come_back() {
    let plan = plan();
    let files: Vec<_> =
        plan.packets().iter().map(|p| returned(&plan, p, CsvProfile::Plain)).collect();
    let mut all = String::from_utf8(files[0].bytes.clone()).unwrap();
    for file in &files[1..] {
        let text = std::str::from_utf8(&file.bytes).unwrap();
        all.push_str(text.split_once("\r\n").unwrap().1);
    }
    let checked = plan.check(&[ReturnedFile::new(files[0].name.as_str(), all)], as_of());
    let first = &checked.packets()[0];
    assert_eq!(first.status(), PacketStatus::MultipleRows);
    let [finding] = first.findings() else { panic!("{:?}", first.findings()) };
    assert!(finding.message.contains("several sources: 3-5"), "{finding}");
    assert!(finding.repair.is_none());
    for (packet, row) in checked.packets()[1..].iter().zip(3..) {
        assert_eq!(packet.status(), PacketStatus::MissingPacketFile);
        let said = &packet.findings()[0].message;
        assert!(said.contains(&format!("row {row}")) && !said.contains("did not come"), "{said}");
    }
}

#[test]
fn a_filled_copy_counts_before_the_unfilled_original_and_a_packet_of_another_year_is_named() {
    let plan = plan();
    let packet = &plan.packets()[0];
    let blank = ReturnedFile::new(packet.file_name(), plan.issued_file(packet).bytes);
    let mut copy = returned(&plan, packet, CsvProfile::Plain);
    copy.name = "copia de TEAR (1).csv".to_owned();
    let checked = plan.check(&[blank, copy.clone()], as_of());
    assert_eq!(checked.packets()[0].status(), PacketStatus::Ready);
    let codes: Vec<_> = checked.packets()[0].findings().iter().map(|f| f.code).collect();
    assert_eq!(codes, [Code::FileRenamed, Code::UnfilledCopy]);

    let text = std::str::from_utf8(&copy.bytes).unwrap().replace("2024-01-01", "2023-01-01");
    let other = plan.check(&[ReturnedFile::new("old.csv", text)], as_of());
    let stranger = other.packets().last().unwrap();
    assert_eq!(stranger.findings()[0].code, Code::PacketUnknown);
    assert!(stranger.findings()[0].message.contains("another period, `2023-01-01`"));
}

#[test]
fn a_bound_with_priority_0_still_refuses() {
    let template = include_str!("../../templates/official-review.json");
    let template = template.replace("\"priority\": 80", "\"priority\": 0").parse().unwrap();
    let request = crate::support::request(crate::support::scope());
    let plan =
        PacketPlan::new(&request, &template, &raw_packets::PacketOptions::default()).unwrap();
    let mut cells = filled(&plan, &plan.packets()[0]);
    cells[6] = "0".to_owned();
    let bytes = raw_packets::packet_csv(&template, &[cells], CsvProfile::Plain);
    let file = ReturnedFile::new(plan.packets()[0].file_name(), bytes);
    let checked = plan.check(&[file], as_of());
    assert_eq!(checked.packets()[0].status(), PacketStatus::InvalidRow);
    let bound = checked.packets()[0].findings().iter().find(|f| f.cell.as_deref() == Some("G2"));
    assert!(bound.unwrap().is_error());
}
