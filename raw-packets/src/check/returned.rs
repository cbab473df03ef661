//! The sheet of a returned packet, kept as it came where it has to go back.

use super::header::Columns;
use crate::read::{Sheet, SheetRow};
use crate::template::Language;

/// The column that says what is wrong, behind the others, by language.
const REASONS: [(Language, &str); 2] = [(Language::En, "what_to_do"), (Language::Es, "que_hacer")];

/// Returns the label of the column that says what is wrong.
pub(crate) fn reasons_label(language: Language) -> &'static str {
    REASONS.iter().find(|(of, _)| *of == language).map_or(REASONS[0].1, |(_, label)| label)
}

/// Says whether a label is that of the reasons of an earlier error sheet.
pub(super) fn is_reasons_label(label: &str) -> bool {
    REASONS.iter().any(|(_, reasons)| label == *reasons)
}

/// Is the sheet of a returned packet, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReturnedSheet {
    /// The labels, one for each column.
    pub(crate) labels: Vec<String>,
    /// The rows that are not blank, with the numbers that a spreadsheet gives them, each as wide as the
    /// header.
    pub(crate) rows: Vec<(u64, Vec<String>)>,
    /// By the template's position, the position of the column.
    pub(crate) positions: Vec<Option<usize>>,
    /// The delimiter of the file; `None` for a workbook.
    pub(crate) delimiter: Option<u8>,
    /// Whether rows stood above the header, which go back without them.
    pub(crate) cut_above: bool,
}

impl ReturnedSheet {
    pub(super) fn new(sheet: &Sheet, rows: &[SheetRow], columns: Columns) -> Self {
        let texts = |row: &SheetRow| row.cells.iter().map(|cell| cell.text.clone()).collect();
        let mut returned = Self {
            labels: sheet.header.clone(),
            rows: rows.iter().map(|row| (row.number, texts(row))).collect(),
            positions: columns.positions,
            delimiter: sheet.delimiter,
            cut_above: sheet.rows_above > 0,
        };
        returned.square();
        returned.drop_reasons();
        returned
    }

    /// Gives every row as many cells, blank ones where it has fewer.
    fn square(&mut self) {
        let width = self.rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or_default();
        let width = width.max(self.labels.len());
        self.labels.resize_with(width, String::new);
        for (_, cells) in &mut self.rows {
            cells.resize_with(width, String::new);
        }
    }

    /// Takes the reasons of an earlier error sheet away.
    fn drop_reasons(&mut self) {
        while let Some(at) = self.labels.iter().rposition(|label| is_reasons_label(label)) {
            self.labels.remove(at);
            for (_, cells) in &mut self.rows {
                cells.remove(at);
            }
            for position in self.positions.iter_mut().flatten().filter(|p| **p > at) {
                *position -= 1;
            }
        }
    }
}
