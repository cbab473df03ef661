//! Every written format against a file that was looked at; `UPDATE_GOLDEN=1` writes the files anew.

use std::path::Path;

use raw_packets::{Language, fix_queue_csv};

use crate::language::damaged;
use crate::support::{as_of, plan, stamp};

fn compare(name: &str, actual: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let golden = std::fs::read(&path).unwrap_or_default();
    assert!(golden == actual, "{name} differs; look at it, then run with UPDATE_GOLDEN=1");
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap();
    bytes.push(b'\n');
    bytes
}

#[test]
fn the_summary_is_as_it_was_looked_at() {
    compare("summary.json", &json(&plan().summary(stamp().at, "out/packets")));
}

#[test]
fn a_packet_and_the_descriptors_of_its_folder_are_as_they_were_looked_at() {
    let plan = plan();
    compare("packet.csv", &plan.issued_file(&plan.packets()[0]).bytes);
    for file in plan.data_package() {
        compare(file.path.rsplit('/').next().unwrap(), &file.bytes);
    }
}

#[test]
fn the_pages_for_who_fills_packets_in_are_as_they_were_looked_at() {
    for file in plan().guides() {
        compare(&file.path, &file.bytes);
    }
}

#[test]
fn the_fix_queue_and_the_error_sheet_are_as_they_were_looked_at() {
    let plan = plan();
    let checked = plan.check(&damaged(), as_of());
    let report = checked.report(stamp().at);
    compare("readiness.json", &json(&report));
    compare("fix-queue.json", &json(&report.fix_queue));
    compare("fix-queue.csv", &fix_queue_csv(&report.fix_queue));
    let sheet = checked.error_sheet(&checked.packets()[0]).unwrap();
    compare("errors.csv", &sheet.bytes);
}

#[test]
fn the_fix_queue_in_spanish_is_as_it_was_looked_at() {
    let plan = plan();
    let checked = plan.check(&damaged(), as_of().with_language(Language::Es));
    compare("fix-queue.es.csv", &fix_queue_csv(&checked.report(stamp().at).fix_queue));
}
