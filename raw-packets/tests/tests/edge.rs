//! Folders of packets.

use std::fs;

use raw_packets::edge::{EdgeError, ReadLimits, read_packets, write_packets};

use crate::common::{all_returned, as_of, plan};

#[test]
fn packets_are_written_and_read_back_as_they_were_issued() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("out");
    let plan = plan();
    let written = write_packets(&dir, &plan).unwrap();
    assert_eq!(written.packets.len(), 4);
    let files = read_packets(&dir, ReadLimits::default()).unwrap();
    assert_eq!(files.len(), 4);
    let checked = plan.check(&files, as_of());
    assert_eq!(checked.count(raw_packets::PacketStatus::EmptyPacket), 4);
    assert_eq!(write_packets(&dir, &plan).unwrap(), written);
}

#[test]
fn an_export_keeps_what_somebody_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan();
    write_packets(folder.path(), &plan).unwrap();
    let filled = all_returned(&plan).remove(2);
    let path = folder.path().join(&filled.name);
    fs::write(&path, &filled.bytes).unwrap();
    let written = write_packets(folder.path(), &plan).unwrap();
    assert_eq!((written.packets.len(), written.kept), (3, vec![path.clone()]));
    assert_eq!(fs::read(&path).unwrap(), filled.bytes);
}

#[test]
fn exports_at_once_to_one_folder_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| write_packets(folder.path(), &plan).unwrap());
        }
    });
    for packet in plan.packets() {
        let bytes = fs::read(folder.path().join(packet.file_name())).unwrap();
        assert_eq!(bytes, plan.issued_file(packet).bytes);
    }
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().starts_with(".packet-")));
}

#[test]
fn a_folder_that_cannot_be_written_or_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plain");
    fs::write(&file, "").unwrap();
    let error = write_packets(&file.join("below"), &plan()).unwrap_err().to_string();
    assert!(error.contains("below"), "{error}");
    let error = read_packets(&folder.path().join("nowhere"), ReadLimits::default()).unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn what_is_no_returned_packet_is_left_alone_and_what_is_too_much_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan();
    for file in all_returned(&plan) {
        fs::write(folder.path().join(&file.name), &file.bytes).unwrap();
    }
    for other in ["notes.md", ".hidden.csv", "~$book.xlsx"] {
        fs::write(folder.path().join(other), "x").unwrap();
    }
    fs::create_dir(folder.path().join("older.csv")).unwrap();
    assert_eq!(read_packets(folder.path(), ReadLimits::default()).unwrap(), all_returned(&plan));

    let mut limits = ReadLimits::default();
    limits.bytes_per_file = 100;
    let large = read_packets(folder.path(), limits).unwrap_err();
    assert!(matches!(large, EdgeError::FileTooLarge { .. }), "{large}");
    let mut limits = ReadLimits::default();
    limits.files = 3;
    let many = read_packets(folder.path(), limits).unwrap_err();
    assert!(matches!(many, EdgeError::TooManyFiles { .. }), "{many}");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("packet.csv")).unwrap();
    let error = read_packets(folder.path(), ReadLimits::default()).unwrap_err();
    assert!(matches!(error, EdgeError::Symlink { .. }), "{error}");
}
