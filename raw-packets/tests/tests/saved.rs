//! Packets as real office programs save them; `tests/data/README.md` says how the files were made.

use std::fs;
use std::path::Path;

use raw_packets::{Packet, ReturnedFile};

use crate::common::{as_of, forms, plan_in};

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
