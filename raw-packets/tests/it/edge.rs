//! Folders of packets.

use std::fs;

use raw_packets::edge::{EdgeError, ReadLimits, read_packets, write_packets};

use raw_packets::{
    CellType, Column, CsvProfile, MetricScope, NotRead, PacketForm, PacketOptions, PacketPlan,
    ReturnedFile, Role, RowPacket, RowPlan, SourceFacts, Template, TemplateBuilder, Text,
};

use crate::support::{all_returned, as_of, found, plan, request, scope};

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
fn an_export_never_overwrites_what_a_person_may_have_typed_wherever_they_typed_it() {
    let plan = plan();
    let packet = &plan.packets()[1];
    let issued = String::from_utf8(plan.issued_file(packet).bytes).unwrap();
    let (header, row) = issued.trim_end().split_once("\r\n").unwrap();
    for (what, typed) in [
        ("a column of their own", format!("{header},remarks\r\n{row},no se publica\r\n")),
        ("a row below", format!("{issued}pregunté a Ana\r\n")),
        ("a row above", format!("pregunté a Ana\r\n{issued}")),
        ("another address", issued.replace("https://example.org/", "https://example.org/b")),
        ("another form", issued.replace(',', ";")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write_packets(folder.path(), &plan).unwrap();
        let path = folder.path().join(packet.file_name());
        fs::write(&path, &typed).unwrap();
        for _ in 0..2 {
            let written = write_packets(folder.path(), &plan).unwrap();
            assert_eq!(written.kept, std::slice::from_ref(&path), "{what}");
            assert_eq!(fs::read_to_string(&path).unwrap(), typed, "{what}");
        }
    }
}

#[test]
fn a_page_in_the_language_of_the_packets_says_how_to_fill_them_in() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan();
    write_packets(folder.path(), &plan).unwrap();
    let page = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let (english, spanish) = (page("README.html"), page("LEEME.html"));
    for (page, told) in [
        (&english, ["Appeals filed (appeals)", "a whole number; more than 0; must be filled in"]),
        (&spanish, ["Recursos presentados (recursos)", "un número entero; más de 0; obligatorio"]),
    ] {
        assert!(told.iter().all(|told| page.contains(told)), "{page}");
        // Nothing comes from outside, and each column to fill in has its row.
        assert!(!page.contains("src=") && !page.contains("<link") && !page.contains("<script"));
        for column in plan.template().columns().iter().filter(|c| c.role == Role::Capture) {
            assert!(page.contains(&format!("<code>{}</code>", column.name)), "{}", column.name);
        }
    }
    assert_eq!(read_packets(folder.path(), ReadLimits::default()).unwrap().len(), 4);
}

#[test]
fn what_a_template_says_is_text_on_the_page_and_a_number_keeps_to_its_bounds_and_mark() {
    let text = |text: &str| Text::same(text);
    let template = TemplateBuilder::of_rows("questions", text("<script>alert(1)</script>"))
        .column(Column { role: Role::Key, ..Column::capture("id", CellType::Text).required() })
        .column(
            Column::capture("share", CellType::Decimal)
                .at_least(0, "low", 70)
                .at_most(1, "high", 70),
        )
        .column(Column::capture("answer", CellType::Text).one_of(["<b>", "no"]))
        .build()
        .unwrap();
    let row = vec!["1".to_owned(), String::new(), String::new()];
    let form = PacketForm::Csv(CsvProfile::ExcelEu);
    let plan = RowPlan::new(&template, form, vec![RowPacket::new("monday", vec![row])]).unwrap();
    for file in plan.guides() {
        let page = String::from_utf8(file.bytes).unwrap();
        assert!(!page.contains("<script>") && !page.contains("<b>"), "{page}");
        assert!(page.contains("&lt;b&gt;, no") && page.contains("<td>0,5</td>"), "{page}");
    }
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
fn what_is_no_returned_packet_is_named_and_never_a_reason_to_refuse_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan();
    for file in all_returned(&plan) {
        fs::write(folder.path().join(&file.name), &file.bytes).unwrap();
    }
    for other in [".hidden.csv", "~$book.xlsx", "Thumbs.db"] {
        fs::write(folder.path().join(other), "x").unwrap();
    }
    let read = || read_packets(folder.path(), ReadLimits::default()).unwrap();
    assert_eq!(read(), all_returned(&plan));

    fs::create_dir(folder.path().join("older.csv")).unwrap();
    fs::write(folder.path().join("notes.md"), "call Ana\n").unwrap();
    fs::write(folder.path().join("scan.pdf"), "%PDF-1.7").unwrap();
    let checked = plan.check(&read(), as_of());
    assert!(checked.is_ready(), "a stray file keeps nothing out");
    let named: Vec<_> =
        checked.ignored().iter().map(|f| (f.file.as_str(), f.code.as_str())).collect();
    let ignored = ["notes.md", "older.csv", "scan.pdf"].map(|name| (name, "file-ignored"));
    assert_eq!(named, ignored);

    let mut limits = ReadLimits::default();
    limits.bytes_per_file = 100;
    let large = read_packets(folder.path(), limits).unwrap();
    let large = plan.check(&large, as_of());
    assert_eq!(large.packets()[0].findings()[0].code.as_str(), "format-error");
    assert!(large.packets()[0].findings()[0].message.contains("larger than 100 bytes"));
    let mut limits = ReadLimits::default();
    limits.files = 3;
    let many = read_packets(folder.path(), limits).unwrap_err();
    assert!(matches!(many, EdgeError::TooManyFiles { .. }), "{many}");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_named_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("packet.csv")).unwrap();
    let files = read_packets(folder.path(), ReadLimits::default()).unwrap();
    assert_eq!((files[0].not_read.as_ref(), files[0].bytes.len()), (Some(&NotRead::Symlink), 0));
}

/// The plan once the source of the first packet has published something else.
fn later_plan() -> PacketPlan {
    let mut later = request(scope());
    later.add_source(SourceFacts {
        sanction_source_id: "es:sanctions:contencioso_sentencias".into(),
        label: "Another label".into(),
        ..SourceFacts::default()
    });
    PacketPlan::new(&later, &Template::official_review(), &PacketOptions::default()).unwrap()
}

#[test]
fn the_descriptor_in_the_folder_tells_which_packets_are_stale_and_a_new_export_keeps_it_true() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, later) = (plan(), later_plan());
    write_packets(folder.path(), &plan).unwrap();
    let filled = all_returned(&plan).remove(0);
    fs::write(folder.path().join(&filled.name), &filled.bytes).unwrap();
    let ids = |files: Vec<ReturnedFile>| files.into_iter().map(|file| file.packet_id.unwrap());
    let read = || read_packets(folder.path(), ReadLimits::default()).unwrap();
    let issued: Vec<String> = plan.packets().iter().map(|packet| packet.id().to_owned()).collect();
    assert_eq!(ids(read()).collect::<Vec<_>>(), issued);
    assert!(!found(&plan.check(&read(), as_of())).iter().any(|f| f.starts_with("packet_stale")));

    let written = write_packets(folder.path(), &later).unwrap();
    assert_eq!(written.kept.len(), 1);
    assert_eq!(ids(read()).next().unwrap(), issued[0], "it is of the issue that it was of");
    let stale = later.check(&read(), as_of());
    assert_eq!(stale.packets()[0].findings()[0].code.as_str(), "packet-stale");

    for nonsense in ["{", "[]", r#"{"resources": [{"path": ["a.csv"]}]}"#] {
        fs::write(folder.path().join("datapackage.json"), nonsense).unwrap();
        assert!(read().iter().all(|file| file.packet_id.is_none()), "{nonsense}");
    }
}

#[test]
fn no_name_in_the_data_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("in");
    let mut request = raw_packets::InMemoryRequest::new(MetricScope::all_time());
    for id in ["../../up", "/etc/passwd", "..", "C:\\windows", "a/../b", "con", "nul\0"] {
        request.add_source(SourceFacts { sanction_source_id: id.into(), ..SourceFacts::default() });
        let kpi = "kpi:formal_annulment_rate";
        request.add_gap(id, kpi, raw_packets::GapStatus::MissingMetric);
    }
    let plan =
        PacketPlan::new(&request, &Template::official_review(), &PacketOptions::default()).unwrap();
    write_packets(&dir, &plan).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing stands beside the folder");
    for file in plan.data_package() {
        assert!(dir.join(&file.path).is_file(), "{}", file.path);
    }
    assert_eq!(read_packets(&dir, ReadLimits::default()).unwrap().len(), 7);
}

#[cfg(unix)]
#[test]
fn an_export_does_not_follow_links_out_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let plan = plan();
    for link in [plan.packets()[0].file_name(), "package", ".packets.lock"] {
        let dir = folder.path().join(format!("with {link}"));
        fs::create_dir(&dir).unwrap();
        std::os::unix::fs::symlink(&victim, dir.join(link)).unwrap();
        let told = write_packets(&dir, &plan);
        assert_eq!(fs::read(&victim).unwrap(), b"precious", "{link}");
        assert!(link.starts_with('.') || matches!(told, Err(EdgeError::Symlink { .. })), "{link}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_name_that_is_no_unicode_is_read_all_the_same() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.csv")), "x").unwrap();
    let files = read_packets(folder.path(), ReadLimits::default()).unwrap();
    assert_eq!(files[0].name, "caf\u{fffd}.csv");
}

#[test]
fn a_million_rows_are_counted_and_not_kept() {
    let plan = plan();
    let mut file = all_returned(&plan).remove(0);
    file.bytes.extend(b"x\r\n".repeat(1_000_000));
    let checked = plan.check(&[file], as_of());
    let packet = &checked.packets()[0];
    assert_eq!(packet.status(), raw_packets::PacketStatus::MultipleRows);
    let told =
        packet.findings().iter().find(|finding| finding.code.as_str() == "row-unexpected").unwrap();
    assert!(told.message.contains("1000001 rows"), "{told}");
}
