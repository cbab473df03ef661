//! What goes back to the person who filled a packet in.

use raw_packets::{PacketStatus, Profile, ReturnedFile, packet_csv};

use crate::common::{as_of, filled, plan};

#[test]
fn the_error_sheet_is_the_same_sheet_with_the_reasons_and_comes_back_corrected() {
    let plan = plan();
    let packet = &plan.packets()[0];
    let mut cells = filled(&plan, packet);
    cells[6] = "=1+1".to_owned();
    cells[5] = "'=as quoted, for twenty characters".to_owned();
    let bytes = packet_csv(plan.template(), &[cells], Profile::ExcelEu);
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
    for (at, damaged) in
        [(0, "es:sanctions:other"), (1, "45292"), (4, "31/03/2025"), (6, "1 200"), (9, "x")]
    {
        damaged.clone_into(&mut cells[at]);
    }
    let bytes = packet_csv(plan.template(), &[cells], Profile::ExcelEu);
    let file = ReturnedFile::new(packet.file_name(), bytes);
    let checked = plan.check(&[file], as_of());
    let repaired = checked.repaired(&checked.packets()[0]).unwrap();
    assert_eq!(repaired.path, packet.file_name());
    let again = plan.check(&[ReturnedFile::new(repaired.path, repaired.bytes)], as_of());
    let left: Vec<_> =
        again.packets()[0].findings().iter().filter_map(|f| f.column.as_deref()).collect();
    assert_eq!(left, ["resolution_delay_p90_days"]);
}
