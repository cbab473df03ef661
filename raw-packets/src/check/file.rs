//! What is wrong or odd with a returned file as a whole.

use crate::finding::{Finding, PacketStatus, Problem};
use crate::read::{Oddity, Remark, Sheet, column_letters};
use crate::template::{Language, Template};

/// Tells what was odd about a file as a whole, and how far that leaves the packet.
pub(super) fn of_oddity(language: Language, oddity: &Oddity) -> (PacketStatus, Finding) {
    let finding = |problem| Finding::new(language, &problem);
    match oddity {
        Oddity::Encoding { row } => {
            (PacketStatus::InvalidRow, finding(Problem::Encoding).at_row(*row))
        }
        Oddity::NulBytes => (PacketStatus::InvalidRow, finding(Problem::NulBytes)),
        Oddity::Decoded(encoding) => (PacketStatus::Ready, finding(Problem::Decoded { encoding })),
        Oddity::Empty => (PacketStatus::EmptyPacket, finding(Problem::EmptyFile)),
        Oddity::OneColumn(delimiter) => {
            let problem = Problem::OneColumn { delimiter: *delimiter };
            (PacketStatus::InvalidHeaders, finding(problem))
        }
        Oddity::SingleQuotes => (PacketStatus::InvalidHeaders, finding(Problem::SingleQuotes)),
        Oddity::Unreadable(why) => {
            (PacketStatus::InvalidHeaders, finding(Problem::Unreadable(why)))
        }
    }
}

/// Tells what stands in a workbook beside the table.
///
/// The titles that an issued workbook shows as notes on its labels are nobody's comments.
pub(super) fn of_remark(
    language: Language,
    sheet: &Sheet,
    template: &Template,
    remark: &Remark,
) -> Option<Finding> {
    let finding = |problem| Finding::new(language, &problem);
    Some(match remark {
        Remark::Chosen { read, unfilled } => finding(Problem::SheetChosen { read, unfilled }),
        Remark::Rival { name, read } => finding(Problem::SheetDiffers { sheet: name, read }),
        Remark::Sheet { name, says } => finding(Problem::SheetIgnored { sheet: name, says }),
        Remark::Hidden { row } => finding(Problem::RowHidden).at_row(*row),
        Remark::Comment { row, column, says } => {
            let titles = template.columns().iter().flat_map(|c| [&c.title.en, &c.title.es]);
            if *row == sheet.header_row && titles.into_iter().any(|title| title.starts_with(says)) {
                return None;
            }
            let mut told = finding(Problem::Comment { says }).at_row(*row);
            told.cell = Some(format!("{}{row}", column_letters(*column)));
            let field = sheet.upright.iter().position(|field| field == row);
            let label = sheet.header.get(field.unwrap_or(*column));
            told.column = label.cloned().filter(|label| !label.is_empty());
            told
        }
    })
}

/// Notes the blank rows above the data, once; those below are no damage.
pub(super) fn blank_rows(language: Language, sheet: &Sheet) -> Option<Finding> {
    let last = sheet.rows.last()?.number;
    // What was not kept was blank.
    let kept: std::collections::BTreeSet<u64> = sheet.rows.iter().map(|row| row.number).collect();
    let blank = (sheet.header_row + 1..last).filter(|row| !kept.contains(row));
    let rows: Vec<u64> = blank.take(crate::read::MAX_ROWS).collect();
    let first = *rows.first()?;
    let problem = Problem::BlankRows { rows: ranges(&rows) };
    Some(Finding::new(language, &problem).at_row(first))
}

/// Writes row numbers, in ascending order, as ranges: `3-5, 9`.
pub(super) fn ranges(rows: &[u64]) -> String {
    const SHOWN: usize = 4;
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for row in rows {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *row => *last = *row,
            _ => ranges.push((*row, *row)),
        }
    }
    let more = if ranges.len() > SHOWN { ", …" } else { "" };
    let written = ranges.iter().take(SHOWN).map(|(first, last)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    });
    written.collect::<Vec<_>>().join(", ") + more
}
