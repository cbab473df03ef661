//! What is wrong or odd with a returned file as a whole.

use super::problem::Problem;
use crate::finding::{Finding, Reason};
use crate::read::{Oddity, Sheet, SheetRow};
use crate::template::Language;

/// Tells what was odd about a file as a whole.
pub(super) fn of_oddity(language: Language, oddity: &Oddity) -> Finding {
    let finding = |reason, code, problem| Finding::new(language, reason, code, &problem);
    match oddity {
        Oddity::Encoding { row } => {
            finding(Reason::INVALID_ENCODING, "encoding-error", Problem::Encoding).at_row(*row)
        }
        Oddity::Utf16 => finding(Reason::COLUMNS_MOVED, "encoding-error", Problem::Utf16),
        Oddity::Empty => finding(Reason::EMPTY_PACKET, "source-error", Problem::EmptyFile),
        Oddity::Unreadable(why) => {
            finding(Reason::INVALID_HEADERS, "format-error", Problem::Unreadable(why))
        }
    }
}

/// Notes the blank rows above the data.
pub(super) fn blank_rows(
    language: Language,
    sheet: &Sheet,
    filled: &[&SheetRow],
    findings: &mut Vec<Finding>,
) {
    // Blank rows below the data are no damage; one between the header and the data is said.
    let last = filled.last().map_or(0, |row| row.number);
    for row in sheet.rows.iter().filter(|row| row.is_blank() && row.number < last) {
        let finding = Finding::new(language, Reason::BLANK_ROW, "blank-row", &Problem::BlankRow);
        findings.push(finding.at_row(row.number));
    }
}
