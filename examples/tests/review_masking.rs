//! What packets of leads show: nothing that calls anybody, unless it was asked for, and then the file says so.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use crate::reviews::{done, packets, step};

/// Reads the sheets of a packet as the texts of their cells, parted by `|`: one of a CSV, those that show rows of a workbook.
fn sheets(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).expect("a packet");
    if path.extension().is_some_and(|ext| ext == "csv") {
        return vec![String::from_utf8(bytes).expect("UTF-8").replace([',', ';', '"'], "|")];
    }
    let mut book = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a workbook");
    let mut part = |name: &str| {
        let mut text = String::new();
        let mut file = book.by_name(name).ok()?;
        file.read_to_string(&mut text).expect("UTF-8");
        Some(text)
    };
    let shared = part("xl/sharedStrings.xml").expect("texts");
    let shared: Vec<&str> = shared.split("<si>").skip(1).collect();
    let mut sheets = Vec::new();
    for number in 1.. {
        let Some(sheet) = part(&format!("xl/worksheets/sheet{number}.xml")) else { break };
        let mut texts = String::new();
        for cell in sheet.split("t=\"s\"><v>").skip(1) {
            let at: usize =
                cell.split('<').next().and_then(|at| at.parse().ok()).expect("a number");
            let text = shared[at].split_once('>').and_then(|(_, text)| text.split_once('<'));
            let _ = write!(texts, "|{}|", text.expect("a text").0);
        }
        sheets.push(texts);
    }
    // The instructions and the hidden marks show no lead.
    sheets.retain(|texts| texts.contains("L-"));
    sheets
}

#[test]
fn every_kind_of_packet_is_masked_unless_asked_and_says_itself_when_it_is_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let url = &format!("sqlite://{}", folder.join("q.sqlite").display());
    let leads = "id,phone,email,first_name,last_name,lead_created_at\n\
        L-1,987650001,,Ana,Rojas,2026-01-01T10:00:00Z\n\
        L-2,98765O002,ana@@correo.pe,Eva,Quispe,2026-01-02T10:00:00Z\n";
    let persons =
        "person_key,phone,full_name\nP-1,+51987650001,Ana Soto\nP-2,+51987650001,Luz Vega\n";
    std::fs::write(folder.join("leads.csv"), leads).expect("the folder can be written");
    std::fs::write(folder.join("persons.csv"), persons).expect("the folder can be written");
    let files = ["--leads", "leads.csv", "--persons", "persons.csv"];
    let run = step(folder, url, "recovery_cycle", &files);
    assert!(run.code <= 1, "{}", run.stderr);

    let whose = ["98765", "Soto", "Vega", "Rojas", "ana@"];
    for form in ["plain", "excel-us", "excel-eu", "xlsx-en", "xlsx-es"] {
        let says = if form == "xlsx-es" {
            ["ocultos", "COMPLETOS: datos personales"]
        } else {
            ["masked", "FULL: personal data"]
        };
        for (correct, rows, full) in [
            (false, "9", false),
            (false, "9", true),
            (false, "1", false),
            (false, "1", true),
            (true, "9", false),
            (true, "9", true),
            (true, "1", false),
            (true, "1", true),
        ] {
            let what = format!("{form} {correct} {rows} {full}");
            let _ = std::fs::remove_dir_all(folder.join("out"));
            let mut args = vec!["--form", form, "--rows", rows, "--again", "--out-dir", "out"];
            args.extend(correct.then_some("--correct"));
            args.extend(full.then_some("--full"));
            done(folder, url, "export_review", &args);
            let packet = packets(&folder.join("out")).remove(0);
            let sheets = sheets(&packet);
            // One lead is shown upright, too.
            let cases = usize::from(form.starts_with("xlsx"));
            assert_eq!(sheets.len(), 1 + cases, "{what}: {sheets:?}");
            for sheet in &sheets {
                let is_cell = |text: &str| sheet.contains(&format!("|{text}|"));
                assert!(is_cell(says[usize::from(full)]), "{what}: {sheet}");
                assert!(!is_cell(says[usize::from(!full)]), "{what}: {sheet}");
                let shown = whose.iter().filter(|text| sheet.contains(**text)).count();
                assert_eq!(shown > 0, full, "{what}: {sheet}");
            }
            let name = packet.file_name().expect("a name").to_string_lossy();
            assert_eq!(name.contains("full"), full, "{name}");
        }
    }
}
