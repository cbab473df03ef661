//! What is wrong or odd with a returned file as a whole.

use crate::finding::{Finding, Reason};
use crate::read::{Oddity, Sheet, SheetRow};

/// Tells what was odd about a file as a whole.
pub(super) fn of_oddity(oddity: &Oddity) -> Finding {
    let save = "save the file as `CSV UTF-8`";
    match oddity {
        Oddity::Encoding { row } => {
            let message = "the file is not in UTF-8, so letters with accents are lost";
            Finding::new(Reason::INVALID_ENCODING, "encoding-error", message, save).at_row(*row)
        }
        Oddity::Utf16 => {
            let message = "the file is in UTF-16; it was read all the same";
            Finding::new(Reason::COLUMNS_MOVED, "encoding-error", message, save)
        }
        Oddity::Empty => {
            let remedy = "start again from the issued packet";
            Finding::new(Reason::EMPTY_PACKET, "source-error", "the file is empty", remedy)
        }
        Oddity::Unreadable(problem) => {
            let remedy =
                "open it in a spreadsheet and save it anew, as a workbook or as `CSV UTF-8`";
            Finding::new(Reason::INVALID_HEADERS, "format-error", problem.clone(), remedy)
        }
    }
}

/// Notes the blank rows above the data.
pub(super) fn blank_rows(sheet: &Sheet, filled: &[&SheetRow], findings: &mut Vec<Finding>) {
    // Blank rows below the data are no damage; one between the header and the data is said.
    let last = filled.last().map_or(0, |row| row.number);
    for row in sheet.rows.iter().filter(|row| row.is_blank() && row.number < last) {
        let (message, remedy) = ("the row is blank, and is not read", "delete it");
        let finding = Finding::new(Reason::BLANK_ROW, "blank-row", message, remedy);
        findings.push(finding.at_row(row.number));
    }
}
