//! What LibreOffice saves of each form, for real: opened and saved again in the countries' ways, a packet
//! gives the same values, or is refused; never others.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use raw_packets::{
    Accept, CheckedPlan, CsvProfile, PacketForm, PacketPlan, PacketStatus, ReturnedFile,
};

use crate::support::{as_of, filled, forms, plan_in, stamp};

const LOCALES: [&str; 4] = ["es-ES", "en-US", "pt-BR", "de-DE"];

/// What is saved: the extension, and how `--convert-to` names the filter with its options (delimiter,
/// quote, character set, first line, columns, language, quote all, numbers detected, as shown).
const SAVED: [(&str, &str); 4] = [
    ("xlsx", "xlsx:Calc MS Excel 2007 XML"),
    ("ods", "ods:calc8"),
    ("csv", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true"),
    ("csv", "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,true"),
];

/// Says whether the round trips are to be run; a plain `cargo test` leaves them out, and says so.
#[expect(clippy::print_stderr, reason = "what is left out is to be seen")]
fn wanted() -> bool {
    let there = Command::new("soffice").arg("--version").output().is_ok();
    let ci = std::env::var_os("CI").is_some();
    assert!(there || !ci, "LibreOffice is missing: install libreoffice-calc");
    if !ci {
        eprintln!(
            "LEFT OUT: what LibreOffice saves is tried with CI=true alone, for it takes minutes"
        );
    }
    there && ci
}

/// Returns a profile of LibreOffice in which the system speaks as a country does.
fn profile(folder: &Path, locale: &str) {
    let user = folder.join("user");
    fs::create_dir_all(&user).unwrap();
    let settings = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <oor:items xmlns:oor=\"http://openoffice.org/2001/registry\">\
         <item oor:path=\"/org.openoffice.Setup/L10N\">\
         <prop oor:name=\"ooSetupSystemLocale\" oor:op=\"fuse\"><value>{locale}</value></prop></item>\
         </oor:items>"
    );
    fs::write(user.join("registrymodifications.xcu"), settings).unwrap();
}

/// Opens files and saves them again.
fn save(
    profile: &Path,
    files: &[std::path::PathBuf],
    delimiter: Option<u8>,
    filter: &str,
    out: &Path,
) {
    let mut office = Command::new("soffice");
    office.arg(format!("-env:UserInstallation=file://{}", profile.display()));
    office.args(["--headless", "--norestore", "--nologo"]);
    if let Some(delimiter) = delimiter {
        // As the dialogue proposes it: UTF-8, columns as they are, special numbers detected.
        office.arg(format!("--infilter=CSV:{delimiter},34,76,1,,0,false,true"));
    }
    office.args(["--convert-to", filter, "--outdir"]).arg(out).args(files);
    let done = office.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Returns what would be loaded.
fn facts(checked: &CheckedPlan<'_>) -> Vec<String> {
    let load = checked.load(Accept::Valid, &stamp()).unwrap();
    let fact = |row: &raw_packets::KpiRow| {
        let sides = (row.numerator, row.denominator);
        format!(
            "{} {} {sides:?} {} {}",
            row.metric_key, row.value, row.evidence_date, row.evidence_quote
        )
    };
    load.rows().iter().map(fact).collect()
}

#[test]
fn what_libreoffice_saves_gives_the_same_values_or_is_refused() {
    if !wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Files that are opened in the same way are saved in one go.
    let mut groups: BTreeMap<Option<u8>, Vec<PacketForm>> = BTreeMap::new();
    for form in forms() {
        groups.entry(form.profile().map(CsvProfile::delimiter)).or_default().push(form);
    }
    for locale in LOCALES {
        let profile_of = folder.path().join(locale);
        profile(&profile_of, locale);
        for (delimiter, forms) in &groups {
            let issued = |form: &PacketForm| {
                let plan = plan_in(*form);
                let path = folder.path().join(format!("{form}.{}", form.extension()));
                let bytes = plan.filled_file(&plan.packets()[0], &counts(&plan));
                fs::write(&path, bytes).unwrap();
                path
            };
            let files: Vec<_> = forms.iter().map(issued).collect();
            for (at, (extension, filter)) in SAVED.into_iter().enumerate() {
                let out = folder.path().join(format!("{locale}-{at}"));
                save(&profile_of, &files, *delimiter, filter, &out);
                for (form, file) in forms.iter().zip(&files) {
                    let name = format!("{form} in {locale} as {extension} ({at})");
                    judge(*form, extension, file, &out, &name);
                }
            }
        }
    }
}

/// Returns the filled cells of the first packet, with counts that countries write with marks.
fn counts(plan: &PacketPlan) -> Vec<String> {
    let mut cells = filled(plan, &plan.packets()[0]);
    for (at, count) in [(6, "12000"), (7, "3000"), (8, "1000")] {
        count.clone_into(&mut cells[at]);
    }
    cells
}

fn judge(form: PacketForm, extension: &str, issued: &Path, out: &Path, name: &str) {
    let plan = plan_in(form);
    let check = |path: &Path| {
        let name = format!("{}.{extension}", plan.packets()[0].key().file_stem());
        plan.check(&[ReturnedFile::new(name, fs::read(path).unwrap())], as_of())
    };
    let expected = facts(&check(issued));
    assert_eq!(expected.len(), 3, "{name}");
    // A workbook is saved as one CSV, whose name has the sheet's, too.
    let stem = form.to_string();
    let saved = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    let mut saved = saved.filter(|path| {
        let file = path.file_stem().unwrap().to_str().unwrap();
        file == stem || file.strip_prefix(&stem).is_some_and(|rest| rest.starts_with('-'))
    });
    let checked = check(&saved.next().unwrap());
    let packet = &checked.packets()[0];
    let told: Vec<_> = packet.findings().iter().map(ToString::to_string).collect();
    if packet.status() == PacketStatus::Ready {
        assert_eq!(facts(&checked), expected, "{name}: {told:#?}");
        return;
    }
    // A workbook keeps what its cells are; a CSV shows them as the country does, which can only mean one thing.
    assert!(form.profile().is_some() || extension == "csv", "{name}: {told:#?}");
    let repaired = checked.repaired(packet).unwrap_or_else(|| panic!("{name}: {told:#?}"));
    let again = plan.check(&[ReturnedFile::new(repaired.path, repaired.bytes)], as_of());
    assert_eq!(facts(&again), expected, "{name}: {told:#?}");
}

#[test]
fn what_is_told_of_a_flat_open_document_makes_it_ready() {
    if !wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let of = folder.path().join("es-ES");
    profile(&of, "es-ES");
    let plan = plan_in(PacketForm::Xlsx(raw_packets::Language::Es));
    let issued = folder.path().join("packet.xlsx");
    fs::write(&issued, plan.filled_file(&plan.packets()[0], &counts(&plan))).unwrap();
    save(&of, &[issued], None, "fods:OpenDocument Spreadsheet Flat XML", folder.path());
    let flat = folder.path().join("packet.fods");
    let check = |path: &Path| {
        let extension = path.extension().unwrap().to_str().unwrap();
        let name = format!("{}.{extension}", plan.packets()[0].key().file_stem());
        plan.check(&[ReturnedFile::new(name, fs::read(path).unwrap())], as_of())
    };
    let told = check(&flat);
    let [finding] = told.packets()[0].findings() else { panic!("{:?}", told.packets()[0]) };
    assert!(
        finding.remedy.contains("(.xlsx)") && finding.remedy.contains("CSV UTF-8"),
        "{finding}"
    );
    // Saved as a workbook, as the remedy says.
    let saved = folder.path().join("saved");
    save(&of, &[flat], None, "xlsx:Calc MS Excel 2007 XML", &saved);
    let again = check(&saved.join("packet.xlsx"));
    assert_eq!(again.packets()[0].status(), PacketStatus::Ready, "{:?}", again.packets()[0]);
}
