//! What people and spreadsheets do to a packet, each found and named.

use raw_packets::{CsvProfile, Finding, PacketStatus, ReturnedFile, packet_csv};

use crate::support::{all_returned, as_of, filled, found, plan, returned};

/// Checks the first packet with one cell changed, and returns its status and first finding.
fn with_cell(column: &str, value: &str, profile: CsvProfile) -> (PacketStatus, Finding) {
    let plan = plan();
    let packet = &plan.packets()[0];
    let mut cells = filled(&plan, packet);
    let at = plan.template().position(column).unwrap();
    "CELL".clone_into(&mut cells[at]);
    let text = String::from_utf8(packet_csv(plan.template(), &[cells], profile)).unwrap();
    // As a spreadsheet saves it, past the writer's guard and decimal mark.
    let text = text.replace("CELL", &format!("\"{}\"", value.replace('"', "\"\"")));
    let checked = plan.check(&[ReturnedFile::new(packet.file_name(), text)], as_of());
    let packet = &checked.packets()[0];
    let finding = packet.findings().first().cloned();
    (packet.status(), finding.unwrap_or_else(|| panic!("nothing is found for {column}={value}")))
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, one damage an entry")]
fn each_damage_to_a_cell_is_found_with_its_reason_code_place_and_repair() {
    for (column, value, reason, code, repair) in [
        ("recurso_presentado_count", "", "invalid_numeric", "constraint-error", None),
        ("recurso_presentado_count", "many", "invalid_numeric", "type-error", None),
        ("recurso_presentado_count", "12.5", "invalid_numeric", "type-error", None),
        ("recurso_presentado_count", "12.000", "invalid_numeric", "locale-number", None),
        ("recurso_presentado_count", "1.200", "invalid_numeric", "locale-number", Some("1200")),
        ("recurso_presentado_count", "(1200)", "invalid_numeric", "number-sign", None),
        ("recurso_presentado_count", "#¡DIV/0!", "formula_cell", "formula-cell", None),
        ("evidence_quote", "#¿NOMBRE?", "formula_cell", "formula-cell", None),
        (
            "evidence_quote",
            "se estimÃ³ en 300 de los 1200 casos",
            "invalid_encoding",
            "encoding-error",
            Some("se estimó en 300 de los 1200 casos"),
        ),
        (
            "evidence_quote",
            "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
            "short_evidence_quote",
            "constraint-error",
            None,
        ),
        (
            "evidence_date",
            "31 de marzo de 2025",
            "invalid_evidence_date",
            "locale-date",
            Some("2025-03-31"),
        ),
        ("evidence_date", "13:45", "invalid_evidence_date", "type-error", None),
        ("evidence_date", "######", "value_not_allowed", "type-error", None),
        ("recurso_presentado_count", "1,200", "invalid_numeric", "locale-number", Some("1200")),
        ("recurso_presentado_count", "1.2E+03", "invalid_numeric", "scientific-notation", None),
        ("recurso_presentado_count", "1200 recursos", "invalid_numeric", "unit-mismatch", None),
        ("recurso_presentado_count", "=SUM(A1:A3)", "formula_cell", "formula-cell", None),
        ("recurso_presentado_count", "#REF!", "formula_cell", "formula-cell", None),
        (
            "recurso_presentado_count",
            "0",
            "non_positive_recurso_presentado_count",
            "constraint-error",
            None,
        ),
        (
            "recurso_presentado_count",
            "-5",
            "non_positive_recurso_presentado_count",
            "constraint-error",
            None,
        ),
        ("recurso_estimado_count", "-1", "negative_component_count", "constraint-error", None),
        ("recurso_estimado_count", "1201", "rate_out_of_range", "row-constraint", None),
        ("anulaciones_formales_count", "1201", "rate_out_of_range", "row-constraint", None),
        (
            "resolution_delay_p90_days",
            "0",
            "non_positive_resolution_delay_p90_days",
            "constraint-error",
            None,
        ),
        ("resolution_delay_p90_days", "182,5", "invalid_numeric", "locale-number", Some("182.5")),
        ("resolution_delay_p90_days", "1,825", "invalid_numeric", "locale-number", None),
        ("evidence_date", "", "invalid_evidence_date", "evidence-missing", None),
        ("evidence_date", "31/03/2025", "invalid_evidence_date", "locale-date", Some("2025-03-31")),
        ("evidence_date", "01/03/2025", "invalid_evidence_date", "date-ambiguous", None),
        ("evidence_date", "45747", "invalid_evidence_date", "date-serial", Some("2025-03-31")),
        ("evidence_date", "2027-01-01", "invalid_evidence_date", "constraint-error", None),
        ("evidence_quote", "", "short_evidence_quote", "evidence-missing", None),
        ("evidence_quote", "too short", "short_evidence_quote", "constraint-error", None),
        (
            "evidence_quote",
            "\u{200b}\u{200b}\u{200b}",
            "short_evidence_quote",
            "evidence-missing",
            None,
        ),
        (
            "evidence_quote",
            "=HYPERLINK(\"http://x.example\",\"proof\")",
            "formula_cell",
            "formula-cell",
            None,
        ),
        ("evidence_quote", "+1+1*(2-3)/4+(12-5)*3", "formula_cell", "formula-cell", None),
        ("source_url", "see the web", "missing_required_metadata", "type-error", None),
        ("source_url", "", "missing_required_metadata", "constraint-error", None),
        ("sanction_source_id", "es:sanctions:other", "key_altered", "key-altered", None),
        ("sanction_source_id", "es:sanctions:teac_resolutions", "key_altered", "key-altered", None),
        (
            "sanction_source_id",
            "ES:Sanctions:contencioso_sentencias",
            "key_altered",
            "key-altered",
            Some("es:sanctions:contencioso_sentencias"),
        ),
        (
            "sanction_source_id",
            "",
            "missing_required_metadata",
            "key-altered",
            Some("es:sanctions:contencioso_sentencias"),
        ),
        ("period_date", "2023-01-01", "key_altered", "key-altered", None),
        ("period_granularity", "Year", "key_altered", "key-altered", Some("year")),
        ("source_id", "", "missing_required_metadata", "readonly-missing", Some("boe_api_legal")),
    ] {
        let (status, finding) = with_cell(column, value, CsvProfile::Plain);
        let told = (finding.reason.as_str(), finding.code.as_str(), finding.repair.as_deref());
        assert_eq!(told, (reason, code, repair), "{column}={value}: {finding}");
        assert_eq!(status, PacketStatus::InvalidRow, "{column}={value}");
        assert_eq!((finding.row, finding.column.as_deref()), (Some(2), Some(column)), "{finding}");
        assert!(!finding.remedy.is_empty() && finding.cell.is_some(), "{finding}");
    }
}

#[test]
fn a_key_that_an_office_program_wrote_in_its_own_way_is_taken_where_it_is_no_other_packets() {
    // The same day by each program's count of days, and by each country's order.
    for text in ["45292", "01/01/2024", "1-ene-2024", "2024-01-01 00:00:00", "1 de enero de 2024"] {
        let (status, finding) = with_cell("period_date", text, CsvProfile::Plain);
        let told = (finding.reason.as_str(), finding.code.as_str());
        assert_eq!((status, told), (PacketStatus::Ready, ("key_rewritten", "key-rewritten")));
    }
    for text in ["45293", "01/02/2024", "ene-24", "2024"] {
        let (status, finding) = with_cell("period_date", text, CsvProfile::Plain);
        assert_eq!((status, finding.reason.as_str()), (PacketStatus::InvalidRow, "key_altered"));
    }
}

#[test]
fn a_change_to_a_cell_for_reading_only_is_noted_and_ignored() {
    for (column, value, reason) in [
        ("organismo", "Another body", "readonly_changed"),
        ("source_id", "another_api", "readonly_changed"),
        ("expected_metrics", "", "readonly_changed"),
        ("procedural_metric_rows_total", "x", "readonly_changed"),
    ] {
        let (status, finding) = with_cell(column, value, CsvProfile::Plain);
        assert_eq!((status, finding.reason.as_str()), (PacketStatus::Ready, reason), "{finding}");
    }
}

#[test]
fn a_decimal_point_in_a_semicolon_file_is_told_apart_from_groups() {
    let (_, point) = with_cell("resolution_delay_p90_days", "182.5", CsvProfile::ExcelEu);
    assert_eq!((point.code.as_str(), point.repair.as_deref()), ("locale-number", Some("182,5")));
    let (_, group) = with_cell("resolution_delay_p90_days", "1.825", CsvProfile::ExcelEu);
    assert_eq!((group.code.as_str(), group.repair), ("locale-number", None));
}

/// Changes the text of the first packet, and returns its status and what was found.
fn with_text(change: impl Fn(String) -> Vec<u8>) -> (PacketStatus, Vec<String>) {
    let plan = plan();
    let mut file = returned(&plan, &plan.packets()[0], CsvProfile::Plain);
    file.bytes = change(String::from_utf8(file.bytes).unwrap());
    let checked = plan.check(&[file], as_of());
    let status = checked.packets()[0].status();
    let reasons =
        checked.packets()[0].findings().iter().map(|f| format!("{}/{}", f.reason, f.code.as_str()));
    (status, reasons.collect())
}

fn columns(text: &str, change: impl Fn(&mut Vec<String>)) -> Vec<u8> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for record in reader.records() {
        let mut cells: Vec<String> = record.unwrap().iter().map(str::to_owned).collect();
        change(&mut cells);
        writer.write_record(&cells).unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn each_damage_to_a_table_is_found_with_its_status() {
    type Change = fn(String) -> Vec<u8>;
    let cases: [(&str, Change, PacketStatus, &str); 13] = [
        ("empty file", |_| Vec::new(), PacketStatus::EmptyPacket, "empty_packet/source-error"),
        (
            "header alone",
            |t| t.lines().next().unwrap().into(),
            PacketStatus::EmptyPacket,
            "empty_packet/empty-packet",
        ),
        (
            "column deleted",
            |t| columns(&t, |c| drop(c.remove(4))),
            PacketStatus::InvalidHeaders,
            "invalid_headers/missing-label",
        ),
        (
            "column renamed",
            |t| t.replacen("evidence_date", "Evidence Date", 1).into(),
            PacketStatus::Ready,
            "columns_moved/incorrect-label",
        ),
        (
            "column doubled",
            |t| columns(&t, |c| c.push(c[4].clone())),
            PacketStatus::InvalidHeaders,
            "invalid_headers/duplicate-label",
        ),
        (
            "a page of a website",
            |_| "<html><body>Sign in".into(),
            PacketStatus::InvalidHeaders,
            "invalid_headers/format-error",
        ),
        (
            "row doubled",
            |t| format!("{t}{}\r\n", t.lines().nth(1).unwrap()).into(),
            PacketStatus::MultipleRows,
            "multiple_rows/row-unexpected",
        ),
        (
            "header moved down",
            |t| format!("Packet of 2024\r\n{t}").into(),
            PacketStatus::InvalidHeaders,
            "invalid_headers/header-row",
        ),
        (
            "wrong encoding",
            |t| {
                t.replace("estimaron", "estimar\u{1}")
                    .into_bytes()
                    .into_iter()
                    .map(|b| if b == 1 { 0xe9 } else { b })
                    .collect()
            },
            PacketStatus::InvalidRow,
            "invalid_encoding/encoding-error",
        ),
        (
            "cell beyond",
            |t| format!("{},beyond", t.trim_end()).into(),
            PacketStatus::InvalidRow,
            "extra_cell/extra-cell",
        ),
        (
            "columns moved",
            |t| columns(&t, |c| c.swap(0, 4)),
            PacketStatus::Ready,
            "columns_moved/label-order",
        ),
        (
            "column added",
            |t| columns(&t, |c| c.push("mine".into())),
            PacketStatus::Ready,
            "columns_moved/extra-label",
        ),
        (
            "blank row above",
            |t| t.replacen("\r\n", "\r\n,,,\r\n", 1).into(),
            PacketStatus::Ready,
            "blank_row/blank-row",
        ),
    ];
    for (name, change, status, reason) in cases {
        let (found_status, reasons) = with_text(change);
        assert_eq!(found_status, status, "{name}: {reasons:?}");
        assert!(reasons.iter().any(|found| found == reason), "{name}: {reasons:?}");
    }
}

#[test]
fn a_packet_as_issued_is_empty_and_one_started_is_not() {
    let plan = plan();
    let packet = &plan.packets()[0];
    let issued = packet_csv(plan.template(), &[packet.cells().to_vec()], CsvProfile::Plain);
    let checked = plan.check(&[ReturnedFile::new(packet.file_name(), issued)], as_of());
    assert_eq!(checked.packets()[0].status(), PacketStatus::EmptyPacket);
    assert_eq!(checked.packets()[0].findings().len(), 1);
}

#[test]
fn all_findings_of_a_packet_come_in_one_pass() {
    let plan = plan();
    let mut cells = plan.packets()[0].cells().to_vec();
    cells[6] = "1,200".to_owned();
    let bytes = packet_csv(plan.template(), &[cells], CsvProfile::Plain);
    let checked = plan.check(&[ReturnedFile::new(plan.packets()[0].file_name(), bytes)], as_of());
    let columns: Vec<_> =
        checked.packets()[0].findings().iter().filter_map(|f| f.column.as_deref()).collect();
    assert_eq!(columns.len(), 6, "{columns:?}");
}

#[test]
fn files_are_told_apart_by_name_then_by_content() {
    let plan = plan();
    let mut files = all_returned(&plan);
    files[0].name = "packet (1).csv".to_owned();
    let copy = ReturnedFile::new("packet (2).csv", files[0].bytes.clone());
    files.push(copy);
    files.push(ReturnedFile::new("notes.csv", "who,what\nana,everything\n"));
    let checked = plan.check(&files, as_of());
    assert!(checked.is_ready());
    assert_eq!(
        found(&checked),
        ["file_renamed/file-renamed", "file_ignored/duplicate-file", "file_ignored/file-ignored"]
    );

    let mut other = files[0].clone();
    other.name = "packet (3).csv".to_owned();
    other.bytes = String::from_utf8(other.bytes).unwrap().replace(",300,", ",301,").into_bytes();
    files.push(other);
    let checked = plan.check(&files, as_of());
    assert!(found(&checked).contains(&"duplicate_metric_key/duplicate-row".to_owned()));
    assert_eq!(checked.count(PacketStatus::InvalidRow), 1);
}

#[test]
fn a_packet_of_another_catalogue_is_named_as_such() {
    let plan = plan();
    let mut files = all_returned(&plan);
    let text = String::from_utf8(files[0].bytes.clone()).unwrap();
    let text = text.replace("es:sanctions:contencioso", "pt:sanctions:contencioso");
    files.push(ReturnedFile::new("pt-sanctions__2024-01-01__year.csv", text));
    let checked = plan.check(&files, as_of());
    assert_eq!(found(&checked), ["packet_unknown/packet-unknown"]);
    assert!(!checked.is_ready());
}

#[test]
fn the_fix_queue_is_ordered_by_status_and_written_as_json_and_csv() {
    let plan = plan();
    let mut files = all_returned(&plan);
    files.truncate(3);
    files[0].bytes = columns(std::str::from_utf8(&files[0].bytes).unwrap(), |c| drop(c.remove(4)));
    let text = String::from_utf8(files[1].bytes.clone()).unwrap();
    files[1].bytes = text.replace(",300,", ",=1+1,").into_bytes();
    let checked = plan.check(&files, as_of());
    let report = checked.report(crate::support::stamp().at);
    let json = serde_json::to_value(&report).unwrap();
    let statuses: Vec<_> = json["fix_queue"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["missing_packet_file", "invalid_headers", "invalid_row"]);
    assert_eq!(json["totals"]["packets_ready_total"], 1);
    assert_eq!(json["totals"]["packets_by_status"]["invalid_row"], 1);
    let csv = String::from_utf8(raw_packets::fix_queue_csv(&report.fix_queue)).unwrap();
    assert!(csv.starts_with("priority,status,sanction_source_id,file,row,column,cell,value,"));
    assert!(csv.contains(",'=1+1,"), "{csv}");
    assert_eq!(csv.lines().count(), 4);
}
