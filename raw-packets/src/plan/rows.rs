//! Packets of many rows, which a service gives itself.

use std::collections::HashSet;

use super::{MAX_FILE_NAME, PlanError};
use crate::digest::sha256;
use crate::package::PackageFile;
use crate::profile::{PacketForm, packet_csv};
use crate::read::{MAX_CELL, MAX_ROWS};
use crate::slug::slug_of_id;
use crate::template::{Role, Template};

/// A packet of rows as issued: one text per column of the template, row by row.
///
/// Key columns say which row it is and come back unchanged; context columns are shown; captured columns are blank or say
/// what is proposed. Whoever only takes packets back may leave the context blank: what is blank is not compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPacket {
    name: String,
    rows: Vec<Vec<String>>,
}

impl RowPacket {
    /// Makes a packet; its name becomes that of its file.
    #[must_use]
    pub fn new(name: impl Into<String>, rows: Vec<Vec<String>>) -> Self {
        Self { name: name.into(), rows }
    }

    /// Returns the packet's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the rows as issued.
    #[must_use]
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }
}

/// The packets of rows that are issued; returned ones are checked against it.
///
/// ```
/// use raw_packets::{
///     CellType, CheckOptions, Column, PacketForm, CsvProfile, ReturnedFile, Role, RowPacket, RowPlan, TemplateBuilder, Text,
/// };
///
/// let mut order = Column::capture("order_id", CellType::Text).required();
/// order.role = Role::Key;
/// let template = TemplateBuilder::of_rows("order-questions", Text::same("Questions on orders"))
///     .column(order)
///     .column(Column::capture("answer", CellType::Text).one_of(["keep", "cancel"]))
///     .build()?;
/// let row = |order: &str| vec![order.to_owned(), String::new()];
/// let packet = RowPacket::new("monday", vec![row("A-1"), row("A-2")]);
/// let plan = RowPlan::new(&template, PacketForm::Csv(CsvProfile::Plain), vec![packet])?;
/// let issued = plan.file(&plan.packets()[0]);
/// assert_eq!(issued.path, "monday.csv");
///
/// let filled = String::from_utf8(issued.bytes)?.replace("A-2,", "A-2,cancel");
/// let checked = plan.check(&[ReturnedFile::new("monday.csv", filled)], CheckOptions::default());
/// let answers: Vec<_> = checked.answers().collect();
/// assert_eq!(answers[0].key(), ["A-2"]);
/// assert_eq!(answers[0].text("answer"), Some("cancel"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RowPlan {
    template: Template,
    form: PacketForm,
    packets: Vec<RowPacket>,
}

impl RowPlan {
    /// Plans packets of a template of rows.
    ///
    /// # Errors
    ///
    /// A template with KPIs; a packet without rows, or with more than 1,000; a row with another number of cells than the
    /// template has columns, a blank key, the key of another row or a text too long for a cell; two packets of one name.
    pub fn new(
        template: &Template,
        form: PacketForm,
        packets: Vec<RowPacket>,
    ) -> Result<Self, PlanError> {
        if !template.is_of_rows() {
            return Err(PlanError::NotOfRows);
        }
        let (mut keys, mut names) = (HashSet::new(), HashSet::new());
        for packet in &packets {
            let name = packet.name.as_str();
            if !names.insert(slug_of_id(name)) {
                let (first, second) = (name.to_owned(), name.to_owned());
                let file_name = file_name(packet, form);
                return Err(PlanError::FileNameCollision { first, second, file_name });
            }
            let length = file_name(packet, form).len();
            if length > MAX_FILE_NAME {
                return Err(PlanError::FileNameTooLong { source_id: name.to_owned(), length });
            }
            if packet.rows.is_empty() || packet.rows.len() > MAX_ROWS {
                return Err(PlanError::RowCount {
                    packet: name.to_owned(),
                    rows: packet.rows.len(),
                });
            }
            for (row, number) in packet.rows.iter().zip(1..) {
                let wrong =
                    |problem| PlanError::Row { packet: name.to_owned(), row: number, problem };
                if row.len() != template.columns().len() {
                    return Err(wrong("has another number of cells than the template has columns"));
                }
                let key = key_of(template, row);
                if key.iter().any(|cell| cell.trim().is_empty()) {
                    return Err(wrong("has a blank key"));
                }
                if !keys.insert(key) {
                    return Err(wrong("has the key of another row"));
                }
                if row.iter().any(|cell| cell.encode_utf16().nth(MAX_CELL).is_some()) {
                    return Err(wrong("has a cell of more than 32767 characters"));
                }
            }
        }
        drop((keys, names));
        Ok(Self { template: template.clone(), form, packets })
    }

    /// Returns the template.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Returns the form in which packets are written.
    #[must_use]
    pub fn form(&self) -> PacketForm {
        self.form
    }

    /// Returns the packets.
    #[must_use]
    pub fn packets(&self) -> &[RowPacket] {
        &self.packets
    }

    /// Returns a packet's file as issued; a workbook of one row shows it upright, too.
    ///
    /// # Panics
    ///
    /// Never: a plan holds nothing that is too long for a workbook.
    #[must_use]
    pub fn file(&self, packet: &RowPacket) -> PackageFile {
        let bytes = match self.form {
            PacketForm::Csv(profile) => packet_csv(&self.template, &packet.rows, profile),
            #[cfg(feature = "xlsx")]
            PacketForm::Xlsx(language) => {
                let sheet = crate::workbook::MarkedSheet::of_rows(&self.template, &packet.rows);
                let id = self.id(packet);
                crate::workbook::packet_workbook(&self.template, &sheet, &id, language)
                    .expect("a plan and a template hold nothing that is too long for a workbook")
            }
        };
        PackageFile { path: file_name(packet, self.form), bytes }
    }

    /// Returns the SHA-256 of the keys of a packet's rows, which a workbook carries.
    #[must_use]
    pub fn id(&self, packet: &RowPacket) -> String {
        let keys: Vec<String> =
            packet.rows.iter().map(|row| key_of(&self.template, row).join("\u{1f}")).collect();
        sha256(keys.join("\u{1e}").as_bytes())
    }
}

/// Returns the key cells of a row.
pub(crate) fn key_of<'r>(template: &Template, row: &'r [String]) -> Vec<&'r str> {
    let cells = template.columns().iter().zip(row);
    cells.filter(|(column, _)| column.role == Role::Key).map(|(_, cell)| cell.as_str()).collect()
}

fn file_name(packet: &RowPacket, form: PacketForm) -> String {
    format!("{}.{}", slug_of_id(&packet.name), form.extension())
}
