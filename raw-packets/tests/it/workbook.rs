//! Packets as workbooks.

use raw_packets::{Code, Language, PacketForm, PacketStatus, ReturnedFile};
use rust_xlsxwriter::{Formula, Workbook};

use crate::support::{as_of, filled, plan, plan_in};

fn book(rows: &[Vec<&str>], change: impl Fn(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(row, column, *cell).unwrap();
        }
    }
    change(sheet);
    workbook.save_to_buffer().unwrap()
}

fn check(
    change: impl Fn(&mut rust_xlsxwriter::Worksheet),
) -> (PacketStatus, Vec<(String, String)>) {
    let plan = plan_in(PacketForm::Xlsx(Language::En));
    let packet = &plan.packets()[0];
    let cells = filled(&plan, packet);
    let header: Vec<&str> = plan.template().columns().iter().map(|c| c.name.as_str()).collect();
    let bytes = book(&[header, cells.iter().map(String::as_str).collect()], change);
    let checked = plan.check(&[ReturnedFile::new("Copy of packet.xlsx", bytes)], as_of());
    let findings = checked.packets()[0].findings().iter();
    let told = findings
        .filter(|finding| finding.is_error())
        .map(|f| (f.cell.clone().unwrap_or_default(), f.code.as_str().to_owned()));
    (checked.packets()[0].status(), told.collect())
}

#[test]
fn the_same_packet_is_the_same_bytes_in_every_language() {
    for language in [Language::En, Language::Es] {
        let plan = plan_in(PacketForm::Xlsx(language));
        let packet = &plan.packets()[0];
        assert_eq!(packet.file_name().rsplit_once('.').unwrap().1, "xlsx");
        assert_eq!(plan.issued_file(packet), plan.issued_file(packet));
        let issued = ReturnedFile::new(packet.file_name(), plan.issued_file(packet).bytes);
        let checked = plan.check(&[issued], as_of());
        assert_eq!(checked.packets()[0].status(), PacketStatus::EmptyPacket);
        assert_eq!(checked.packets()[0].findings().len(), 1);
    }
}

#[test]
fn a_workbook_made_anew_is_read_by_its_content() {
    assert_eq!(check(|_| {}), (PacketStatus::Ready, Vec::new()));
}

#[test]
fn typed_damage_is_named() {
    type Change = fn(&mut rust_xlsxwriter::Worksheet);
    let date = rust_xlsxwriter::Format::new().set_num_format("dd/mm/yyyy");
    let cases: [(Change, &str, &str); 4] = [
        (
            |s| drop(s.write_formula(1, 6, Formula::new("=600*2").set_result("1200"))),
            "G2",
            "formula-cell",
        ),
        (|s| drop(s.write_number(1, 4, 45747)), "E2", "date-serial"),
        (|s| drop(s.write_number(1, 6, 12.5)), "G2", "type-error"),
        (|s| drop(s.write_string(1, 9, "182,5")), "J2", "locale-number"),
    ];
    for (change, cell, code) in cases {
        let (status, told) = check(change);
        assert_eq!(status, PacketStatus::InvalidRow);
        assert_eq!(told, [(cell.to_owned(), code.to_owned())]);
    }
    let number_as_date = check(|sheet| drop(sheet.write_number_with_format(1, 6, 1200, &date)));
    assert_eq!(number_as_date.1, [("G2".to_owned(), "number-as-date".to_owned())]);
    let typed = check(|sheet| drop(sheet.write_number_with_format(1, 4, 45747, &date)));
    assert_eq!(typed, (PacketStatus::Ready, Vec::new()));
}

#[test]
fn a_number_that_is_shown_as_something_else_is_never_taken_for_what_is_stored() {
    let shown = |format: &str| rust_xlsxwriter::Format::new().set_num_format(format);
    // Who types `100%` or `182:30` sees that, and a spreadsheet keeps 1 and 7.6.
    for (column, value, format, code) in [
        (6, 1.0, "0%", Some("unit-mismatch")),
        (9, 1.825, "0.0 %;[Red]-0.0 %", Some("unit-mismatch")),
        (9, 7.604_166, "[h]:mm", Some("number-as-date")),
        (9, 0.4375, "hh:mm", Some("number-as-date")),
        (4, 0.4375, "hh:mm", Some("type-error")),
        (4, 1.0, "dd/mm/yyyy", Some("constraint-error")),
        (9, 182.5, "0.0\"%\"", None),
        (9, 182.5, "# ?/?", None),
        (6, 1200.0, "#,##0", None),
        (6, 1200.0, "#,##0.00 [$€-C0A]", None),
    ] {
        let format_of = shown(format);
        let (status, told) =
            check(|sheet| drop(sheet.write_number_with_format(1, column, value, &format_of)));
        let codes: Vec<&str> = told.iter().map(|(_, code)| code.as_str()).collect();
        assert_eq!(codes, Vec::from_iter(code), "{value} as {format}");
        assert_eq!(status == PacketStatus::Ready, code.is_none(), "{value} as {format}");
    }
}

#[test]
fn a_cell_in_the_last_corner_costs_nothing() {
    let (status, _) = check(|sheet| drop(sheet.write_string(1_048_575, 16_383, "far away")));
    assert_eq!(status, PacketStatus::Ready);
    let (status, _) = check(|sheet| drop(sheet.write_string(1_048_575, 0, "far below")));
    assert_eq!(status, PacketStatus::MultipleRows);
}

#[test]
fn what_is_no_workbook_is_told_with_what_to_do() {
    let plan = plan_in(PacketForm::Xlsx(Language::En));
    let name = plan.packets()[0].file_name();
    let nothing = b"PK\x03\x04 and then nothing [Content_Types].xml";
    for bytes in [&nothing[..], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"] {
        let checked = plan.check(&[ReturnedFile::new(name, bytes)], as_of());
        let finding = &checked.packets()[0].findings()[0];
        assert_eq!(finding.code.as_str(), "format-error");
        assert!(finding.remedy.contains("save it again"), "{finding}");
    }
}

#[test]
fn the_error_sheet_of_a_workbook_is_a_workbook_that_comes_back() {
    let plan = plan_in(PacketForm::Xlsx(Language::Es));
    let packet = &plan.packets()[0];
    let mut cells = filled(&plan, packet);
    "31/03/2025".clone_into(&mut cells[4]);
    let file = ReturnedFile::new(packet.file_name(), plan.filled_file(packet, &cells));
    let checked = plan.check(&[file], as_of());
    let sheet = checked.error_sheet(&checked.packets()[0]).unwrap();
    assert!(sheet.path.ends_with("__errors.xlsx"));
    let again = plan.check(&[ReturnedFile::new(sheet.path, sheet.bytes)], as_of());
    assert_eq!(again.packets()[0].status(), PacketStatus::InvalidRow);
    let repaired = checked.repaired(&checked.packets()[0]).unwrap();
    let again = plan.check(&[ReturnedFile::new(repaired.path, repaired.bytes)], as_of());
    assert_eq!(again.packets()[0].status(), PacketStatus::Ready);
}

#[test]
fn the_error_sheet_of_a_workbook_shows_several_rows_and_a_renamed_column_and_can_be_corrected() {
    let plan = plan_in(PacketForm::Xlsx(Language::En));
    let packet = &plan.packets()[0];
    let cells = filled(&plan, packet);
    let mut labels: Vec<&str> = plan.template().columns().iter().map(|c| c.name.as_str()).collect();
    labels[4] = "Evidence date";
    let row: Vec<&str> = cells.iter().map(String::as_str).collect();
    let mut wrong = row.clone();
    wrong[6] = "many";
    let bytes = book(&[labels, row, wrong], |_| {});
    let file = ReturnedFile::new(packet.file_name(), bytes);
    let checked = plan.check(std::slice::from_ref(&file), as_of());
    assert_eq!(checked.packets()[0].status(), PacketStatus::MultipleRows);
    let sheet = checked.error_sheet(&checked.packets()[0]).unwrap();
    let again = plan.check(&[ReturnedFile::new(sheet.path, sheet.bytes.clone())], as_of());
    let found = |checked: &raw_packets::CheckedPlan<'_>| -> Vec<_> {
        let errors = checked.packets()[0].findings().iter().filter(|f| f.is_error());
        errors.map(|f| (f.cell.clone(), f.code.as_str())).collect()
    };
    assert_eq!(found(&checked), found(&again));
    // A sheet whose lines have to be changed is not protected.
    let sheet_xml = part(&sheet.bytes, "xl/worksheets/sheet1.xml");
    assert!(!sheet_xml.contains("sheetProtection"), "{sheet_xml}");
    let issued = part(&plan.issued_file(packet).bytes, "xl/worksheets/sheet1.xml");
    assert!(issued.contains("sheetProtection"), "{issued}");
    // Which of several rows counts is for the person to say.
    assert!(checked.repaired(&checked.packets()[0]).is_none());
}

fn part(workbook: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(workbook)).unwrap();
    std::io::read_to_string(archive.by_name(name).unwrap()).unwrap()
}

#[test]
fn files_that_are_no_table_are_told_apart_whatever_their_names_say() {
    let plan = plan();
    let stem = plan.packets()[0].key().file_stem();
    let encrypted: Vec<u8> = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        .iter()
        .copied()
        .chain("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for (extension, bytes, says, do_this) in [
        ("ods", &b"<?xml version=\"1.0\"?><office:document>"[..], "OpenDocument", ".xlsx"),
        ("xls", b"<html><table><tr><td>1", "web page", ".xlsx"),
        (
            "xls",
            b"<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>",
            "Excel 2003",
            ".xlsx",
        ),
        ("xlsx", &encrypted, "password", "password off"),
        ("pdf", b"%PDF-1.7", "PDF", "CSV UTF-8"),
        ("zip", b"PK\x03\x04", "archive", "unpack it"),
        ("json", b"[{\"evidence_date\": \"2025-03-31\"}]", "JSON", "CSV UTF-8"),
        ("xml", b"<?xml version=\"1.0\"?><rows/>", "XML", "CSV UTF-8"),
        ("parquet", b"PAR1\x15\x04", "database", "CSV UTF-8"),
    ] {
        let file = ReturnedFile::new(format!("{stem}.{extension}"), bytes);
        let checked = plan.check(&[file], as_of());
        let packet = &checked.packets()[0];
        assert_eq!(packet.status(), PacketStatus::InvalidHeaders, "{extension}");
        let [finding] = packet.findings() else { panic!("{:?}", packet.findings()) };
        assert_eq!(finding.code, Code::FormatError);
        assert!(finding.message.contains(says) && finding.remedy.contains(do_this), "{finding}");
    }
}

#[test]
fn a_filled_copy_of_the_sheet_counts_and_other_sheets_comments_and_hidden_rows_are_told() {
    let plan = plan();
    let packet = &plan.packets()[0];
    let labels: Vec<&str> = plan.template().columns().iter().map(|c| c.name.as_str()).collect();
    let filled = filled(&plan, packet);
    let write = |sheet: &mut rust_xlsxwriter::Worksheet, cells: &[String]| {
        for (column, (label, cell)) in (0..).zip(labels.iter().zip(cells)) {
            sheet.write_string(0, column, *label).unwrap();
            sheet.write_string(1, column, cell).unwrap();
        }
    };
    let mut workbook = Workbook::new();
    write(workbook.add_worksheet().set_name("packet").unwrap(), packet.cells());
    let copy = workbook.add_worksheet().set_name("packet (2)").unwrap();
    write(copy, &filled);
    copy.insert_note(1, 6, &rust_xlsxwriter::Note::new("dato provisional & <5")).unwrap();
    copy.set_row_hidden(1).unwrap();
    let notes = workbook.add_worksheet().set_name("Notas").unwrap();
    notes.write_string(3, 2, "llamar al TEAC").unwrap();
    let bytes = workbook.save_to_buffer().unwrap();
    let checked = plan.check(&[ReturnedFile::new("packet.xlsx", bytes)], as_of());
    let packet = &checked.packets()[0];
    assert_eq!(packet.status(), PacketStatus::Ready);
    let told: Vec<_> = packet.findings().iter().map(|f| (f.code, f.message.as_str())).collect();
    let says =
        |code, word: &str| told.iter().any(|(c, message)| *c == code && message.contains(word));
    assert!(says(Code::SheetChosen, "packet (2)"), "{told:?}");
    assert!(says(Code::SheetIgnored, "llamar al TEAC"), "{told:?}");
    assert!(says(Code::CellComment, "dato provisional & <5"), "{told:?}");
    assert!(says(Code::RowHidden, "hidden"), "{told:?}");
}

/// Cells by row and column.
type Cells<'a> = &'a [(u32, u16, &'a str)];

/// Makes the sheets of an issued workbook with what a person typed into them.
fn typed_into(plan: &raw_packets::PacketPlan, sheets: &[(&str, Cells<'_>)]) -> Vec<u8> {
    let packet = &plan.packets()[0];
    let mut workbook = Workbook::new();
    let labels: Vec<&str> = plan.template().columns().iter().map(|c| c.name.as_str()).collect();
    for (name, cells) in sheets {
        let sheet = workbook.add_worksheet().set_name(*name).unwrap();
        if *name == "packet" {
            for (at, label) in (0..).zip(&labels) {
                sheet.write_string(0, at, *label).unwrap();
                sheet.write_string(1, at, &packet.cells()[usize::from(at)]).unwrap();
            }
        } else {
            for (at, label) in (0..).zip(["campo", "valor", "qué significa"]) {
                sheet.write_string(0, at, label).unwrap();
            }
            for (row, label) in (1..).zip(&labels) {
                sheet.write_string(row, 0, *label).unwrap();
                sheet.write_string(row, 1, &packet.cells()[row as usize - 1]).unwrap();
                sheet.write_string(row, 2, "title").unwrap();
            }
        }
        for (row, column, text) in *cells {
            sheet.write_string(*row, *column, *text).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

#[test]
fn the_upright_form_is_read_where_it_is_filled_in_and_its_cells_are_named() {
    let plan = plan();
    let filled = filled(&plan, &plan.packets()[0]);
    let upright: Vec<(u32, u16, &str)> =
        (1..).zip(&filled).map(|(row, cell)| (row, 1, cell.as_str())).collect();
    let across: Vec<(u32, u16, &str)> =
        (0..).zip(&filled).map(|(column, cell)| (1, column, cell.as_str())).collect();
    let check = |bytes| plan.check(&[ReturnedFile::new("p.xlsx", bytes)], as_of());

    let by_form = check(typed_into(&plan, &[("packet", &[]), ("formulario", &upright)]));
    assert_eq!(by_form.packets()[0].status(), PacketStatus::Ready, "{:?}", by_form.packets()[0]);
    let both = check(typed_into(&plan, &[("packet", &across), ("formulario", &upright)]));
    assert_eq!(both.packets()[0].status(), PacketStatus::Ready);
    let codes: Vec<_> = both.packets()[0].findings().iter().map(|f| f.code).collect();
    assert_eq!(codes, [Code::FileRenamed]);

    let mut other = upright.clone();
    other[6].2 = "1300";
    let differs = check(typed_into(&plan, &[("packet", &across), ("formulario", &other)]));
    assert_eq!(differs.packets()[0].status(), PacketStatus::InvalidRow);
    assert_eq!(differs.packets()[0].findings()[0].code, Code::DuplicateRow);

    other[6].2 = "12.000";
    let wrong = check(typed_into(&plan, &[("packet", &[]), ("formulario", &other)]));
    let finding = &wrong.packets()[0].findings()[0];
    assert_eq!((finding.code, finding.cell.as_deref()), (Code::LocaleNumber, Some("B8")));
}

#[test]
fn a_sheet_that_explains_the_fields_is_no_other_version_of_the_packet() {
    let plan = plan();
    let cells = filled(&plan, &plan.packets()[0]);
    let mut workbook = Workbook::new();
    let explains = workbook.add_worksheet().set_name("Diccionario").unwrap();
    for (row, column) in (0..).zip(plan.template().columns()) {
        explains.write_string(row, 0, &column.name).unwrap();
        explains.write_string(row, 1, "lo que significa").unwrap();
    }
    let packet = workbook.add_worksheet().set_name("Hoja2").unwrap();
    for (at, (column, cell)) in (0..).zip(plan.template().columns().iter().zip(&cells)) {
        packet.write_string(0, at, &column.name).unwrap();
        packet.write_string(1, at, cell).unwrap();
    }
    let bytes = workbook.save_to_buffer().unwrap();
    let checked = plan.check(&[ReturnedFile::new("p.xlsx", bytes)], as_of());
    let packet = &checked.packets()[0];
    assert_eq!(packet.status(), PacketStatus::Ready, "{:?}", packet.findings());
    let told: Vec<_> = packet.findings().iter().map(|f| (f.code, f.message.as_str())).collect();
    let [(Code::SheetIgnored, says), (Code::FileRenamed, _)] = told[..] else { panic!("{told:?}") };
    assert!(says.contains("Diccionario"), "{says}");
}

#[test]
fn what_stands_beside_the_cells_of_an_upright_form_is_told_of_its_fields() {
    let plan = plan();
    let cells = filled(&plan, &plan.packets()[0]);
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("form").unwrap();
    for (row, (column, cell)) in (0..).zip(plan.template().columns().iter().zip(&cells)) {
        sheet.write_string(row, 0, &column.name).unwrap();
        sheet.write_string(row, 1, cell).unwrap();
    }
    let percent = rust_xlsxwriter::Format::new().set_num_format("0%");
    sheet.write_number_with_format(6, 1, 1, &percent).unwrap();
    sheet.insert_note(7, 1, &rust_xlsxwriter::Note::new("dato provisional")).unwrap();
    sheet.set_row_hidden(9).unwrap();
    let bytes = workbook.save_to_buffer().unwrap();
    let checked = plan.check(&[ReturnedFile::new("p.xlsx", bytes)], as_of());
    let told = checked.packets()[0].findings().iter();
    let told: Vec<_> =
        told.map(|f| (f.code, f.row, f.cell.as_deref(), f.column.as_deref())).collect();
    for finding in [
        (Code::UnitMismatch, Some(2), Some("B7"), Some("recurso_presentado_count")),
        (Code::CellComment, Some(8), Some("B8"), Some("recurso_estimado_count")),
        (Code::RowHidden, Some(10), None, None),
    ] {
        assert!(told.contains(&finding), "{finding:?}: {told:?}");
    }
}

#[test]
fn an_issued_workbook_asks_for_whole_numbers_in_its_language_and_shows_its_row_upright() {
    let plan = plan_in(PacketForm::Xlsx(Language::Es));
    let bytes = plan.issued_file(&plan.packets()[0]).bytes;
    let table = part(&bytes, "xl/worksheets/sheet1.xml");
    assert!(table.contains("type=\"whole\"") && table.contains("solo con cifras"), "{table}");
    let form = part(&bytes, "xl/worksheets/sheet2.xml");
    assert!(form.contains("type=\"whole\"") && form.contains("sheetProtection"), "{form}");
    let texts = part(&bytes, "xl/sharedStrings.xml");
    assert!(texts.contains("qué significa") && texts.contains("Recursos presentados (recursos)"));
}
