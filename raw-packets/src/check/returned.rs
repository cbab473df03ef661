//! What came back: a file, and the sheet of a packet, kept as it came where it has to go back.

use super::header::{Columns, is_reasons_label};
use crate::read::{NotRead, Sheet, SheetRow};

/// A file as it came back: its name without folders, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ReturnedFile {
    /// The file's name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The id of the packet that was issued under this name, where something beside the file says so;
    /// a workbook carries its own.
    pub packet_id: Option<String>,
    /// Why the bytes could not be had, where something of this name stands in the folder; they are empty
    /// then.
    pub not_read: Option<NotRead>,
}

impl ReturnedFile {
    /// Makes a returned file.
    #[must_use]
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into(), packet_id: None, not_read: None }
    }

    /// Names something that stands in the folder and could not be read, so that the check can say so.
    #[must_use]
    pub fn not_read(name: impl Into<String>, why: NotRead) -> Self {
        Self { not_read: Some(why), ..Self::new(name, Vec::new()) }
    }

    /// Says which packet was issued under the file's name, as [`Packet::id`](crate::Packet::id) gave it then.
    ///
    /// By another id than the plan's the check knows that a packet is stale.
    #[must_use]
    pub fn issued_as(mut self, packet_id: impl Into<String>) -> Self {
        self.packet_id = Some(packet_id.into());
        self
    }
}

/// The sheet of a returned packet, as it came.
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
