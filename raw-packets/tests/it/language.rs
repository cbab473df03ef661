//! What a check says, in the language chosen.

use raw_packets::{
    CheckedPlan, CsvProfile, Finding, Language, PacketStatus, ReturnedFile, packet_csv,
};

use crate::support::{all_returned, as_of, filled, forms, plan, plan_in, returned};

/// Returns files with damage of every kind, to cells, headers, rows and whole files.
pub(crate) fn damaged() -> Vec<ReturnedFile> {
    let plan = plan();
    let mut files = all_returned(&plan);
    let text = |file: &ReturnedFile| String::from_utf8(file.bytes.clone()).unwrap();
    let mut cells = filled(&plan, &plan.packets()[0]);
    for (at, value) in [
        (0, "ES:SANCTIONS:contencioso_sentencias"),
        (1, "45292"),
        (2, ""),
        (3, "see the web"),
        (4, "2027-01-01"),
        (5, "short"),
        (6, "1200 recursos"),
        (7, "1.2E+03"),
        (8, "-1"),
        (9, ""),
        (13, "Another body"),
        (17, "7"),
    ] {
        value.clone_into(&mut cells[at]);
    }
    files[0].bytes = packet_csv(plan.template(), &[cells], CsvProfile::Plain);
    files[1].bytes = text(&files[1])
        .replacen("evidence_date", "Evidence Date", 1)
        .replacen("evidence_quote", "note", 1)
        .replace(",1200,", ",=1+1,")
        .into();
    let row = text(&files[2]).lines().nth(1).unwrap().to_owned();
    files[2].bytes = format!("{}\r\n{row},beyond\r\n", text(&files[2])).into();
    files[3].bytes = text(&files[3]).replace("2025-03-31", "01/03/2025").into();
    files.push(ReturnedFile::new("other.csv", "a,b\r\n1,2\r\n"));
    let copy = returned(&plan, &plan.packets()[3], CsvProfile::ExcelEu);
    files.push(ReturnedFile::new("copy of it.csv", copy.bytes));
    files
}

fn said<'f>(checked: &'f CheckedPlan<'_>) -> Vec<&'f Finding> {
    checked.findings().collect()
}

#[test]
fn every_finding_is_said_in_spanish_with_the_same_facts() {
    let plan = plan();
    let files = damaged();
    let english = plan.check(&files, as_of());
    let spanish = plan.check(&files, as_of().with_language(Language::Es));
    assert_eq!((english.language(), spanish.language()), (Language::En, Language::Es));
    assert!(said(&english).len() > 20, "{:?}", said(&english).len());
    assert_eq!(said(&english).len(), said(&spanish).len());
    for (en, es) in said(&english).into_iter().zip(said(&spanish)) {
        assert_eq!(
            (&en.file, en.row, &en.cell, en.code.as_str()),
            (&es.file, es.row, &es.cell, es.code.as_str())
        );
        assert_eq!((&en.reason, &en.value, &en.repair), (&es.reason, &es.value, &es.repair));
        assert_ne!(en.message, es.message);
        assert_ne!(en.remedy, es.remedy);
        // What was found and what is to be written stands in both.
        let quoted = |text: &str| -> Vec<String> {
            let mut parts: Vec<_> = text.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            parts.sort();
            parts
        };
        assert_eq!(quoted(&en.message), quoted(&es.message), "{en} / {es}");
        assert_eq!(quoted(&en.remedy), quoted(&es.remedy), "{en} / {es}");
    }
    let first = said(&spanish)[0].to_string();
    assert!(first.contains(", fila 2, columna `"), "{first}");
}

#[test]
fn a_check_speaks_the_language_of_the_form_unless_told_otherwise() {
    for form in forms() {
        let plan = plan_in(form);
        let language = plan.check(&[], as_of()).language();
        assert_eq!(language == Language::Es, form.to_string() == "xlsx-es");
    }
}

#[test]
fn the_error_sheet_names_its_column_in_the_language() {
    let plan = plan();
    let checked = plan.check(&damaged(), as_of().with_language(Language::Es));
    let sheet = checked.error_sheet(&checked.packets()[0]).unwrap();
    let text = String::from_utf8(sheet.bytes.clone()).unwrap();
    assert!(text.contains(",que_hacer\r\n") && text.contains("escriba"), "{text}");
    // Returned as it is, in any language, its last column is not taken for the person's own again.
    let again = plan.check(&[ReturnedFile::new(sheet.path, sheet.bytes)], as_of());
    assert_eq!(again.packets()[0].status(), PacketStatus::InvalidRow);
    let sheet = again.error_sheet(&again.packets()[0]).unwrap();
    let header = String::from_utf8(sheet.bytes).unwrap().lines().next().unwrap().to_owned();
    assert!(header.ends_with(",what_to_do") && !header.contains("que_hacer"), "{header}");
}
