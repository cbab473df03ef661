//! Packets as office programs save them; `tests/data/README.md` says how the files were made.

use std::fs;
use std::path::Path;

use raw_packets::{CheckedPlan, PacketPlan, PacketStatus, ReturnedFile};

use crate::support::{as_of, filled, forms, plan, plan_in};

/// Is no test of its own: issues a packet in every form to the folder that the variable names, for a
/// spreadsheet to open.
#[test]
fn issue_packets_for_a_spreadsheet() {
    let Some(folder) = std::env::var_os("RAW_PACKETS_ISSUE_TO") else { return };
    for form in forms() {
        let plan = plan_in(form);
        let name = format!("{form}.{}", form.extension());
        let bytes = plan.issued_file(&plan.packets()[0]).bytes;
        fs::write(Path::new(&folder).join(name), bytes).unwrap();
    }
}

/// Returns the status and what keeps the packet out, by cell, and whether the repairs that are offered
/// make it ready.
fn judged(
    plan: &PacketPlan,
    file: ReturnedFile,
) -> (PacketStatus, Vec<(String, &'static str)>, bool) {
    let errors = |checked: &CheckedPlan<'_>| -> Vec<_> {
        let errors = checked.packets()[0].findings().iter().filter(|f| f.is_error());
        errors.map(|f| (f.cell.clone().unwrap_or_default(), f.code.as_str())).collect()
    };
    let checked = plan.check(&[file], as_of());
    let packet = &checked.packets()[0];
    let ready = checked.repaired(packet).is_some_and(|repaired| {
        let again = plan.check(&[ReturnedFile::new(repaired.path, repaired.bytes)], as_of());
        again.packets()[0].status() == PacketStatus::Ready
    });
    (packet.status(), errors(&checked), ready)
}

#[test]
fn what_libreoffice_saved_is_taken_or_named_with_what_it_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let parts: Vec<&str> = name.split(['.']).next().unwrap().split("__").collect();
        let [form, locale, saved] = parts[..] else { continue };
        seen += 1;
        let plan = plan_in(form.parse().unwrap());
        let stem = plan.packets()[0].key().file_stem();
        let extension = path.extension().unwrap().to_str().unwrap();
        let file = ReturnedFile::new(format!("{stem}.{extension}"), fs::read(&path).unwrap());
        let (status, errors, repairable) = judged(&plan, file);
        let errors: Vec<_> = errors.iter().map(|(cell, code)| (cell.as_str(), *code)).collect();

        // A workbook's date cell keeps its format; in a CSV the country's short one is shown.
        let date = locale == "es-ES" && form != "xlsx-es" && extension == "csv";
        let date = date.then_some(("E2", "locale-date"));
        // The decimal mark of the country, in a file whose delimiter promises the other.
        let number = match (locale, saved.starts_with("semicolon")) {
            _ if extension != "csv" => None,
            ("en-US", true) | ("es-ES", false) => Some(("J2", "locale-number")),
            _ => None,
        };
        let expected: Vec<(&str, &str)> = match saved {
            "semicolon-win1252" => {
                // The file as a whole is named, and not its letters one by one.
                let lost = [("", "encoding-error")];
                lost.into_iter().chain(date).chain(number).collect()
            }
            _ => date.into_iter().chain(number).collect(),
        };
        let sorted = |mut list: Vec<(&str, &str)>| {
            list.sort_unstable();
            list.into_iter().map(|(a, b)| format!("{a} {b}")).collect::<Vec<_>>()
        };
        let lost = saved == "semicolon-win1252";
        assert_eq!(sorted(errors), sorted(expected.clone()), "{name}");
        assert_eq!(status == PacketStatus::Ready, expected.is_empty(), "{name}: {status}");
        assert_eq!(repairable, !expected.is_empty() && !lost, "{name}");
    }
    assert_eq!(seen, 38);
}

#[test]
fn what_other_programs_are_documented_to_write_is_taken_or_named_with_what_they_did() {
    let plan = plan();
    let packet = &plan.packets()[0];
    let cells = filled(&plan, packet);
    let labels: Vec<&str> = plan.template().columns().iter().map(|c| c.name.as_str()).collect();
    let written = |delimiter: char, end: &str, date: &str, number: &str, bom: bool, last: bool| {
        let cell = |(at, cell): (usize, &String)| {
            let text = match at {
                4 => date,
                9 => number,
                _ => cell,
            };
            if text.contains([delimiter, '"', '\n']) {
                format!("\"{text}\"")
            } else {
                text.to_owned()
            }
        };
        let row: Vec<String> = cells.iter().enumerate().map(cell).collect();
        let separator = delimiter.to_string();
        let lines = [labels.join(&separator), row.join(&separator)].join(end);
        let (bom, last) = (if bom { "\u{feff}" } else { "" }, if last { end } else { "" });
        format!("{bom}{lines}{last}")
    };
    let date = ("E2", "locale-date");
    let number = ("J2", "locale-number");
    for (program, text, expected) in [
        (
            "Excel, English, CSV UTF-8",
            written(',', "\r\n", "3/31/2025", "182.5", true, true),
            vec![date],
        ),
        (
            "Excel, Spanish, CSV UTF-8",
            written(';', "\r\n", "31/03/2025", "182,5", true, true),
            vec![date],
        ),
        (
            "Excel for Mac, Spanish, CSV UTF-8",
            written(';', "\r\n", "31/3/25", "182,5", true, true),
            vec![date],
        ),
        (
            "Google Sheets, United States",
            written(',', "\r\n", "2025-03-31", "182.5", false, false),
            vec![],
        ),
        (
            "Google Sheets, Spain",
            written(',', "\r\n", "31/03/2025", "182,5", false, false),
            vec![number, date],
        ),
        ("Numbers, English", written(',', "\n", "31/03/2025", "182.5", false, true), vec![date]),
        ("Numbers, Spanish", written(';', "\n", "31/3/25", "182,5", false, true), vec![date]),
    ] {
        let (status, errors, repairable) =
            judged(&plan, ReturnedFile::new(packet.file_name(), text));
        let errors: Vec<_> = errors.iter().map(|(cell, code)| (cell.as_str(), *code)).collect();
        assert_eq!(errors, expected, "{program}");
        assert_eq!(status == PacketStatus::Ready, expected.is_empty(), "{program}");
        assert_eq!(repairable, !expected.is_empty(), "{program}");
    }
}
