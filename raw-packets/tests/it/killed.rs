//! Exports in processes of their own: killed anywhere, and two at once.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use raw_packets::edge::write_packets;
use raw_packets::{CsvProfile, PacketForm, PacketOptions, PacketPlan, Template};

use crate::support::{all_returned, request, scope};

/// Names the folder that a child exports to.
const FOLDER: &str = "RAW_PACKETS_EXPORT_TO";
/// Says which plans it exports in turn.
const PLANS: &str = "RAW_PACKETS_EXPORT_PLANS";

/// Two plans for the same packets, whose files differ in every byte that matters.
fn plans() -> [PacketPlan; 2] {
    [CsvProfile::Plain, CsvProfile::ExcelEu].map(|profile| {
        let options = PacketOptions::default()
            .with_form(PacketForm::Csv(profile))
            .with_default_source_id(profile.to_string());
        PacketPlan::new(&request(scope()), &Template::official_review(), &options).unwrap()
    })
}

/// Every file of an export, in the order of writing.
fn files(plan: &PacketPlan) -> Vec<(String, Vec<u8>)> {
    let packets = plan.packets().iter().map(|packet| plan.issued_file(packet));
    packets.chain(plan.data_package()).map(|file| (file.path, file.bytes)).collect()
}

/// Is no test of its own: what a child runs until it is killed, or for a number of rounds.
#[test]
fn child_that_exports() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let order = std::env::var(PLANS).unwrap();
    let plans = plans();
    for plan in order.bytes().map(|digit| &plans[usize::from(digit - b'0')]) {
        write_packets(Path::new(&folder), plan).unwrap();
        let mut out = std::io::stdout();
        // Past the harness, which keeps what a test prints.
        let _ = writeln!(out, "\nexported").and_then(|()| out.flush());
    }
}

fn exporter(folder: &Path, order: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::child_that_exports", "--nocapture"])
        .env(FOLDER, folder)
        .env(PLANS, order)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn an_export_that_is_killed_anywhere_leaves_whole_files_and_somebodys_work() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("packets");
    let plans = plans();
    let [one, other] = plans.each_ref().map(files);
    write_packets(&dir, &plans[0]).unwrap();
    let work = all_returned(&plans[0]).remove(1);
    fs::write(dir.join(&work.name), &work.bytes).unwrap();
    for spins in 0..24_u32 {
        let mut child = exporter(&dir, &"01".repeat(1_000));
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("exported") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the child exports until it is killed");
        }
        // Further into the next round each time, without a clock.
        for _ in 0..spins * 40_000 {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for ((path, bytes), (_, others)) in one.iter().zip(&other) {
            let now = fs::read(dir.join(path)).unwrap();
            let kept = *path == work.name && now == work.bytes;
            // The descriptors of a folder with kept work say which issue that is of.
            let descriptor = path.ends_with("datapackage.json");
            let whole = if descriptor {
                serde_json::from_slice::<serde_json::Value>(&now).is_ok()
            } else {
                now == *bytes || now == *others
            };
            assert!(kept || whole, "{path}");
        }
    }
    assert_eq!(fs::read(dir.join(&work.name)).unwrap(), work.bytes);
    write_packets(&dir, &plans[0]).unwrap();
    let left: BTreeSet<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".packet-"))
        .collect();
    assert_eq!(left, BTreeSet::new(), "what the killed ones left is swept");
}

#[test]
fn two_processes_that_export_at_once_leave_the_files_of_one_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("packets");
    for _ in 0..4 {
        let children = ["0000", "1111"].map(|order| exporter(&dir, order));
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let [one, other] = plans().each_ref().map(files);
        let stands = |files: &[(String, Vec<u8>)]| {
            files.iter().all(|(path, bytes)| fs::read(dir.join(path)).unwrap() == *bytes)
        };
        assert!(stands(&one) != stands(&other));
    }
}
