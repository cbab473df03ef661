//! What goes back to the person: the same sheet with the reasons beside it, and offered repairs.

use std::collections::BTreeMap;

use crate::check::{CheckedPacket, CheckedPlan, ERRORS, ReturnedSheet, reasons_label};
use crate::finding::Finding;
use crate::package::PackageFile;
use crate::plan::Packet;
use crate::template::Template;
use crate::value::guard;
#[cfg(feature = "xlsx")]
use crate::workbook::MarkedSheet;

impl ReturnedSheet {
    /// Finds the cell that a finding is about: its row, 0 being the header, and its column.
    fn place(&self, template: &Template, finding: &Finding) -> (usize, Option<usize>) {
        let row = self.rows.iter().position(|(number, _)| Some(*number) == finding.row);
        let column = finding.column.as_deref();
        match row {
            Some(row) => {
                let at = column.and_then(|column| template.position(column));
                (row + 1, at.and_then(|at| self.positions[at]))
            }
            None => (0, column.and_then(|column| self.labels.iter().position(|l| l == column))),
        }
    }

    /// Puts the offered repairs in their places; says whether there are any.
    fn repair(&mut self, template: &Template, findings: &[Finding]) -> bool {
        // Rows above the header go by being left out.
        let mut any = self.cut_above;
        for finding in findings {
            let Some(repair) = &finding.repair else { continue };
            match self.place(template, finding) {
                (0, Some(at)) => self.labels[at].clone_from(repair),
                (row, Some(at)) if row > 0 => self.rows[row - 1].1[at].clone_from(repair),
                _ => continue,
            }
            any = true;
        }
        any
    }
}

impl CheckedPlan<'_> {
    /// Returns the error sheet of a packet: the sheet as it was returned, with what is wrong and what
    /// to do beside it, in the language of the check.
    ///
    /// A workbook comes back as a workbook whose wrong cells are red and say why in a note; a CSV file
    /// as one with a last column `what_to_do` (`que_hacer`). Several rows, renamed columns and columns of
    /// the person's own are there as they came, only a formula goes back as a text. It can be corrected and returned as it is. `None` where
    /// nothing is wrong, or the file could not be read as a table.
    ///
    /// # Panics
    ///
    /// Never: writing to memory does not fail.
    #[must_use]
    pub fn error_sheet(&self, packet: &CheckedPacket) -> Option<PackageFile> {
        let (issued, sheet) = (packet.packet()?, packet.returned()?);
        let template = self.plan().template();
        let errors: Vec<_> = packet
            .findings()
            .iter()
            .filter(|finding| finding.is_error())
            .map(|finding| (sheet.place(template, finding), finding))
            .collect();
        if errors.is_empty() {
            return None;
        }
        let stem = issued.key().file_stem();
        let Some(delimiter) = sheet.delimiter else {
            let bytes = self.workbook(issued, sheet, marks(&errors))?;
            return Some(PackageFile { path: format!("{stem}{ERRORS}.xlsx"), bytes });
        };
        // What is wrong with the header is said beside the first row, where it is seen.
        let mut reasons = vec![Vec::new(); sheet.rows.len().max(1)];
        for ((row, _), finding) in &errors {
            reasons[row.saturating_sub(1)].push(told(finding));
        }
        let reasons: Vec<String> = reasons.into_iter().map(|said| said.join("\n")).collect();
        let said = Some((reasons_label(self.language()), reasons.as_slice()));
        let bytes = raw_csv(template, sheet, delimiter, said);
        Some(PackageFile { path: format!("{stem}{ERRORS}.csv"), bytes })
    }

    /// Returns a packet with every offered repair applied, for somebody to look at and return; `None` where
    /// none is offered. A formula stands in it as a text.
    ///
    /// What may have meant two things is left as it came, and so is every row of a packet that has several.
    #[must_use]
    pub fn repaired(&self, packet: &CheckedPacket) -> Option<PackageFile> {
        let (issued, sheet) = (packet.packet()?, packet.returned()?);
        let template = self.plan().template();
        let mut sheet = sheet.clone();
        if !sheet.repair(template, packet.findings()) {
            return None;
        }
        let stem = issued.key().file_stem();
        if let Some(delimiter) = sheet.delimiter {
            let bytes = raw_csv(template, &sheet, delimiter, None);
            return Some(PackageFile { path: format!("{stem}.csv"), bytes });
        }
        let bytes = self.workbook(issued, &sheet, BTreeMap::new())?;
        Some(PackageFile { path: format!("{stem}.xlsx"), bytes })
    }

    #[cfg(feature = "xlsx")]
    fn workbook(
        &self,
        issued: &Packet,
        sheet: &ReturnedSheet,
        marks: BTreeMap<(usize, usize), String>,
    ) -> Option<Vec<u8>> {
        let marked = MarkedSheet {
            labels: sheet.labels.iter().map(String::as_str).collect(),
            rows: sheet.rows.iter().map(|(_, cells)| cells.as_slice()).collect(),
            marks,
            upright: false,
            locked: sheet.rows.len() == 1,
        };
        let template = self.plan().template();
        // A cell that is too long for a workbook came from one that was made by other means.
        crate::workbook::packet_workbook(template, &marked, issued.id(), self.language()).ok()
    }

    /// Gives none: without feature `xlsx` no workbook is read, and so none is to be written.
    #[cfg(not(feature = "xlsx"))]
    #[expect(clippy::unused_self, reason = "as where workbooks are written")]
    fn workbook(
        &self,
        _: &Packet,
        _: &ReturnedSheet,
        _: BTreeMap<(usize, usize), String>,
    ) -> Option<Vec<u8>> {
        None
    }
}

/// Gathers what is wrong by the cell that it is shown at.
fn marks(errors: &[((usize, Option<usize>), &Finding)]) -> BTreeMap<(usize, usize), String> {
    let mut marks: BTreeMap<_, String> = BTreeMap::new();
    for ((row, column), finding) in errors {
        let text = marks.entry((*row, column.unwrap_or_default())).or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&told(finding));
    }
    marks
}

/// Tells a finding to the person who filled the sheet in.
fn told(finding: &Finding) -> String {
    let column = finding.column.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
    let repair = finding.repair.as_deref().map(|r| format!(" ({r}?)")).unwrap_or_default();
    format!("{column}{}; {}{repair}", finding.message, finding.remedy)
}

/// Writes a sheet as it came, in the dialect that it came in; only a formula is made a text.
fn raw_csv(
    template: &Template,
    sheet: &ReturnedSheet,
    delimiter: u8,
    reasons: Option<(&str, &[String])>,
) -> Vec<u8> {
    let memory = "memory takes every write";
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    let numeric: Vec<bool> = (0..sheet.labels.len())
        .map(|at| {
            let column = sheet.positions.iter().position(|position| *position == Some(at));
            column.is_some_and(|column| template.columns()[column].cell_type.is_number())
        })
        .collect();
    for label in &sheet.labels {
        writer.write_field(guard(label).as_ref()).expect(memory);
    }
    if let Some((label, _)) = reasons {
        writer.write_field(label).expect(memory);
    }
    writer.write_record(None::<&[u8]>).expect(memory);
    let blank = (0, vec![String::new(); sheet.labels.len()]);
    // Of a header alone the reasons still have to stand somewhere.
    let for_reasons = reasons.filter(|_| sheet.rows.is_empty()).map(|_| &blank);
    for (row, (_, cells)) in sheet.rows.iter().chain(for_reasons).enumerate() {
        for (cell, numeric) in cells.iter().zip(&numeric) {
            let number = *numeric && !cell.starts_with('=');
            let guarded = cell.starts_with('\'') || number;
            let written = if guarded { cell.as_str().into() } else { guard(cell) };
            writer.write_field(written.as_ref()).expect(memory);
        }
        if let Some((_, reasons)) = reasons {
            writer.write_field(guard(&reasons[row]).as_ref()).expect(memory);
        }
        writer.write_record(None::<&[u8]>).expect(memory);
    }
    writer.into_inner().expect(memory)
}
