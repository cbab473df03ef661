//! What goes back to the person who filled a packet in.

use raw_packets::{CsvProfile, PacketStatus, ReturnedFile, packet_csv};

use crate::support::{as_of, filled, plan, returned};

/// Checks the first packet after a change of its text.
fn damage(change: impl Fn(String) -> String) -> (raw_packets::PacketPlan, ReturnedFile) {
    let plan = plan();
    let mut file = returned(&plan, &plan.packets()[0], CsvProfile::Plain);
    file.bytes = change(String::from_utf8(file.bytes).unwrap()).into();
    (plan, file)
}

#[test]
fn the_error_sheet_of_several_rows_says_beside_each_row_what_is_wrong_with_it() {
    let (plan, file) = damage(|text| {
        let row = text.lines().nth(1).unwrap().replace(",1200,", ",many,");
        format!("{text}{row}\r\n\r\n,,,a remark of mine\r\n")
    });
    let checked = plan.check(&[file], as_of());
    assert_eq!(checked.packets()[0].status(), PacketStatus::MultipleRows);
    let sheet = checked.error_sheet(&checked.packets()[0]).unwrap();
    let mut reader = csv::Reader::from_reader(sheet.bytes.as_slice());
    let said: Vec<String> =
        reader.records().map(|row| row.unwrap().iter().next_back().unwrap().to_owned()).collect();
    assert_eq!(said.len(), 3);
    assert_eq!(said[0], "");
    assert!(said[1].contains("3 rows; one was issued"), "{}", said[1]);
    assert!(said[1].contains("recurso_presentado_count: this is not a number"), "{}", said[1]);
    assert!(said[1].contains("delete rows 3, 5"), "{}", said[1]);
    assert_eq!(said[2], "", "of a row that is nobody's one thing is said");

    let text = String::from_utf8(sheet.bytes).unwrap();
    let kept = text.split_inclusive("\r\n").take(2).collect::<String>();
    let checked = plan.check(&[ReturnedFile::new(sheet.path, kept)], as_of());
    assert_eq!(checked.packets()[0].status(), PacketStatus::Ready);
}

#[test]
fn a_column_whose_label_was_written_otherwise_is_read_and_its_cells_are_judged() {
    let (plan, file) = damage(|text| {
        text.replacen("evidence_date", "Evidence Date", 1)
            .replacen("recurso_presentado_count", "RECURSO PRESENTADO (count)", 1)
            .replace("2025-03-31", "31/03/2025")
            .replace(",1200,", ",\"1,200\",")
    });
    let checked = plan.check(std::slice::from_ref(&file), as_of());
    let packet = &checked.packets()[0];
    assert_eq!(packet.status(), PacketStatus::InvalidRow);
    let findings = packet.findings().iter();
    let found: Vec<_> = findings.map(|f| (f.cell.as_deref(), f.code.as_str())).collect();
    assert_eq!(
        found,
        [(Some("G2"), "locale-number"), (Some("E2"), "locale-date"), (None, "incorrect-label"),]
    );
    let sheet = checked.error_sheet(packet).unwrap();
    let text = String::from_utf8(sheet.bytes).unwrap();
    assert!(text.contains(",Evidence Date,"), "{text}");
    let repaired = checked.repaired(packet).unwrap();
    let again = plan.check(&[ReturnedFile::new(repaired.path, repaired.bytes)], as_of());
    assert_eq!(again.packets()[0].status(), PacketStatus::Ready);
}

#[test]
fn a_missing_column_is_said_once_and_the_others_are_judged_all_the_same() {
    let (plan, file) =
        damage(|text| text.replacen("evidence_quote", "note", 1).replace(",1200,", ",many,"));
    let checked = plan.check(&[file], as_of());
    let errors = checked.packets()[0].findings().iter().filter(|finding| finding.is_error());
    let found: Vec<_> = errors.map(|f| (f.column.as_deref().unwrap(), f.code.as_str())).collect();
    assert_eq!(
        found,
        [("evidence_quote", "missing-label"), ("recurso_presentado_count", "type-error")]
    );
    let sheet = checked.error_sheet(&checked.packets()[0]).unwrap();
    let text = String::from_utf8(sheet.bytes).unwrap();
    assert!(text.contains("evidence_quote: the column `evidence_quote` is missing"), "{text}");
}

#[test]
fn a_packet_whose_issue_is_known_to_be_another_is_stale_and_says_in_which_cells() {
    let (plan, file) = damage(|text| text.replace("Label of es", "Earlier label of es"));
    let stale = plan.check(&[file.clone().issued_as("another id")], as_of());
    let codes: Vec<_> =
        stale.packets()[0].findings().iter().map(|f| (f.row, f.code.as_str())).collect();
    assert_eq!(codes, [(None, "packet-stale"), (Some(2), "packet-stale")]);
    assert_eq!(stale.packets()[0].status(), PacketStatus::Ready);
    let id = plan.packets()[0].id();
    let current = plan.check(&[file.issued_as(id)], as_of());
    let codes: Vec<_> = current.packets()[0].findings().iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["readonly-changed"]);
}

#[test]
fn letters_that_were_lost_are_found_in_their_cell_also_when_the_file_is_utf_8_again() {
    let (plan, file) = damage(|text| text.replace("En 2024", "En el a\u{fffd}o 2024"));
    let checked = plan.check(&[file], as_of());
    let finding = &checked.packets()[0].findings()[0];
    assert_eq!((finding.cell.as_deref(), finding.code.as_str()), (Some("F2"), "encoding-error"));
}

#[test]
fn the_error_sheet_is_the_same_sheet_with_the_reasons_and_comes_back_corrected() {
    let plan = plan();
    let packet = &plan.packets()[0];
    let mut cells = filled(&plan, packet);
    cells[6] = "=1+1".to_owned();
    cells[5] = "'=as quoted, for twenty characters".to_owned();
    let bytes = packet_csv(plan.template(), &[cells], CsvProfile::ExcelEu);
    let checked = plan.check(&[ReturnedFile::new(packet.file_name(), bytes)], as_of());
    let sheet = checked.error_sheet(&checked.packets()[0]).unwrap();
    assert!(sheet.path.ends_with("__year__errors.csv"), "{}", sheet.path);
    let text = String::from_utf8(sheet.bytes).unwrap();
    assert!(text.starts_with("\u{feff}sanction_source_id;period_date;"), "{text}");
    assert!(text.contains(";what_to_do\r\n"), "{text}");
    assert!(text.contains(";'=1+1;300;60;182,5;"), "{text}");
    assert!(text.contains("recurso_presentado_count: the cell holds a formula"), "{text}");

    let corrected = text.replace("'=1+1", "1200");
    let checked = plan.check(&[ReturnedFile::new(sheet.path, corrected)], as_of());
    assert_eq!(checked.packets()[0].status(), PacketStatus::Ready);
    assert!(checked.error_sheet(&checked.packets()[0]).is_none());
}

#[test]
fn offered_repairs_are_applied_only_to_a_copy_that_is_asked_for() {
    let plan = plan();
    let packet = &plan.packets()[0];
    let mut cells = filled(&plan, packet);
    for (at, damaged) in [
        (0, "ES:sanctions:Contencioso_sentencias"),
        (2, "Year"),
        (4, "31/03/2025"),
        (6, "1 200"),
        (9, "x"),
    ] {
        damaged.clone_into(&mut cells[at]);
    }
    let bytes = packet_csv(plan.template(), &[cells], CsvProfile::ExcelEu);
    let file = ReturnedFile::new(packet.file_name(), bytes);
    let checked = plan.check(&[file], as_of());
    let repaired = checked.repaired(&checked.packets()[0]).unwrap();
    assert_eq!(repaired.path, packet.file_name());
    let again = plan.check(&[ReturnedFile::new(repaired.path, repaired.bytes)], as_of());
    let left: Vec<_> =
        again.packets()[0].findings().iter().filter_map(|f| f.column.as_deref()).collect();
    assert_eq!(left, ["resolution_delay_p90_days"]);
}
