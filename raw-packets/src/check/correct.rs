//! What goes back to the person: the same sheet with the reasons beside it, and offered repairs.

use std::collections::BTreeMap;

use super::{CheckedPacket, CheckedPlan};
use crate::finding::Finding;
use crate::guard::guard;
use crate::package::PackageFile;
use crate::plan::{Packet, PacketPlan};
use crate::template::Template;

/// The column that says what is wrong, after the template's own.
const REASONS: &str = "what_to_do";

/// Is the one row of a returned packet, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReturnedRow {
    /// One text per column of the template, as it stands in the file.
    pub(super) cells: Vec<String>,
    /// The delimiter of the file; `None` for a workbook.
    pub(super) delimiter: Option<u8>,
}

impl CheckedPlan<'_> {
    /// Returns the error sheet of a packet: the row as it was returned, under the same header, with
    /// what is wrong and what to do beside it.
    ///
    /// A workbook comes back as a workbook whose wrong cells are red and say why in a note; a CSV file
    /// as one with a last column `what_to_do`. It can be corrected and returned as it is. `None` where
    /// nothing is wrong, or there is no row to show.
    ///
    /// # Panics
    ///
    /// Never: writing to memory does not fail.
    #[must_use]
    pub fn error_sheet(&self, packet: &CheckedPacket) -> Option<PackageFile> {
        let (issued, row) = (packet.packet()?, packet.returned.as_ref()?);
        let errors: Vec<&Finding> = packet.findings().iter().filter(|f| f.is_error()).collect();
        if errors.is_empty() {
            return None;
        }
        let stem = issued.key().file_stem();
        let Some(delimiter) = row.delimiter else {
            let marked = marked(self.plan().template(), &errors);
            let bytes = workbook(self.plan(), issued, &row.cells, &marked)?;
            return Some(PackageFile { path: format!("{stem}__errors.xlsx"), bytes });
        };
        let reasons: Vec<String> = errors.iter().map(|finding| told(finding)).collect();
        let bytes =
            raw_csv(self.plan().template(), &row.cells, delimiter, Some(&reasons.join("\n")));
        Some(PackageFile { path: format!("{stem}__errors.csv"), bytes })
    }

    /// Returns a packet with every offered repair applied, for somebody to look at and return; `None`
    /// where none is offered for a cell.
    #[must_use]
    pub fn repaired(&self, packet: &CheckedPacket) -> Option<PackageFile> {
        let (issued, row) = (packet.packet()?, packet.returned.as_ref()?);
        let template = self.plan().template();
        let mut repairs: BTreeMap<usize, &str> = BTreeMap::new();
        for finding in packet.findings() {
            if let (Some(column), Some(repair)) = (&finding.column, &finding.repair) {
                repairs.extend(template.position(column).map(|at| (at, repair.as_str())));
            }
        }
        if repairs.is_empty() {
            return None;
        }
        let mut cells = row.cells.clone();
        for (at, repair) in repairs {
            let number = template.columns()[at].cell_type.is_number();
            let plain = number || row.delimiter.is_none();
            cells[at] = if plain { repair.to_owned() } else { guard(repair).into_owned() };
        }
        let stem = issued.key().file_stem();
        if let Some(delimiter) = row.delimiter {
            let bytes = raw_csv(template, &cells, delimiter, None);
            return Some(PackageFile { path: format!("{stem}.csv"), bytes });
        }
        let bytes = workbook(self.plan(), issued, &cells, &[])?;
        Some(PackageFile { path: format!("{stem}.xlsx"), bytes })
    }
}

/// Gathers what is wrong by the column that it is shown at.
fn marked(template: &Template, errors: &[&Finding]) -> Vec<(usize, String)> {
    let mut marked: BTreeMap<usize, String> = BTreeMap::new();
    for finding in errors {
        let at = finding.column.as_deref().and_then(|column| template.position(column));
        let text = marked.entry(at.unwrap_or_default()).or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&told(finding));
    }
    marked.into_iter().collect()
}

#[cfg(feature = "xlsx")]
fn workbook(
    plan: &PacketPlan,
    issued: &Packet,
    cells: &[String],
    marked: &[(usize, String)],
) -> Option<Vec<u8>> {
    let language = match plan.options().form {
        crate::profile::PacketForm::Xlsx(language) => language,
        crate::profile::PacketForm::Csv(_) => crate::template::Language::default(),
    };
    // A cell that is too long for a workbook came from one that was made by other means.
    crate::workbook::packet_workbook(plan.template(), cells, &issued.id(), language, marked).ok()
}

/// Gives none: without feature `xlsx` no workbook is read, and so none is to be written.
#[cfg(not(feature = "xlsx"))]
fn workbook(_: &PacketPlan, _: &Packet, _: &[String], _: &[(usize, String)]) -> Option<Vec<u8>> {
    None
}

/// Tells a finding to the person who filled the sheet in.
fn told(finding: &Finding) -> String {
    let column = finding.column.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
    let repair = finding.repair.as_deref().map(|r| format!(" ({r}?)")).unwrap_or_default();
    format!("{column}{}; {}{repair}", finding.message, finding.remedy)
}

/// Writes cells as they came, in the dialect that they came in; only a formula is made a text.
fn raw_csv(template: &Template, cells: &[String], delimiter: u8, reasons: Option<&str>) -> Vec<u8> {
    let memory = "memory takes every write";
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    let labels = template.columns().iter().map(|column| column.name.as_str());
    writer.write_record(labels.chain(reasons.map(|_| REASONS))).expect(memory);
    for (column, cell) in template.columns().iter().zip(cells) {
        let number = column.cell_type.is_number() && !cell.starts_with('=');
        let guarded = cell.starts_with('\'') || number;
        let written = if guarded { cell.as_str().into() } else { guard(cell) };
        writer.write_field(written.as_ref()).expect(memory);
    }
    if let Some(reasons) = reasons {
        writer.write_field(guard(reasons).as_ref()).expect(memory);
    }
    writer.write_record(None::<&[u8]>).expect(memory);
    writer.into_inner().expect(memory)
}
