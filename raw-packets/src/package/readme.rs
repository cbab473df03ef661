//! The text that tells people what a folder of packets is and how to fill it in.

use super::PackageFile;
use crate::plan::PacketPlan;
use crate::template::{CellType, Column, Language, Role};

/// The names of the text by language.
pub(crate) const READMES: [(Language, &str); 2] =
    [(Language::En, "README.txt"), (Language::Es, "LEEME.txt")];

impl PacketPlan {
    /// Returns the text that tells people what the folder is: in the language of the workbooks, in every
    /// language beside CSV files, which have none; none where there are no packets.
    #[must_use]
    pub fn readmes(&self) -> Vec<PackageFile> {
        let spoken = |language: &Language| {
            self.options().form.profile().is_some() || self.options().form.language() == *language
        };
        let texts = READMES.into_iter().filter(|(language, _)| spoken(language));
        let texts = texts.filter(|_| !self.packets().is_empty());
        texts
            .map(|(language, name)| PackageFile {
                path: name.to_owned(),
                bytes: self.readme(language).into_bytes(),
            })
            .collect()
    }

    fn readme(&self, language: Language) -> String {
        let template = self.template();
        let [how, fill, back, about] = match language {
            Language::En => [
                "Each file is one packet: the values of one source and one period.",
                "What is to be filled in:",
                "Save the files under their names, as a workbook (.xlsx) or as \"CSV UTF-8\", and send \
                 them back. Numbers without marks of thousands, days as 2025-03-31. Remarks may stand in \
                 a column of your own. What is not published stays blank; say so in a remark.",
                "datapackage.json, return.datapackage.json and package/ are for programs; leave them as \
                 they are.",
            ],
            Language::Es => [
                "Cada archivo es un paquete: los valores de una fuente y un período.",
                "Lo que hay que rellenar:",
                "Guarde los archivos con su nombre, como libro (.xlsx) o como \"CSV UTF-8\", y \
                 devuélvalos. Los números sin marcas de miles, los días como 2025-03-31. Puede poner \
                 observaciones en una columna suya. Lo que no se publica queda en blanco; dígalo en una \
                 observación.",
                "datapackage.json, return.datapackage.json y package/ son para programas; déjelos como \
                 están.",
            ],
        };
        let columns = template.columns().iter();
        let asked = columns.filter(|column| column.role == Role::Capture);
        let fields: Vec<String> = asked.map(|column| field(column, language)).collect();
        let mut text = String::new();
        for paragraph in [
            template.title().get(language),
            template.instructions().get(language),
            how,
            fill,
            &fields.join("\n"),
            back,
            about,
        ] {
            if !paragraph.is_empty() {
                text.extend([&textwrap::fill(paragraph, 78), "\n\n"]);
            }
        }
        // A text for Windows programs, too.
        text.trim_end().replace('\n', "\r\n") + "\r\n"
    }
}

/// Tells what one column asks for.
fn field(column: &Column, language: Language) -> String {
    let unit = column.unit.as_ref().map(|unit| format!(", {}", unit.get(language)));
    let example = match column.cell_type {
        CellType::Integer => ": 1200",
        CellType::Decimal => ": 182.5",
        CellType::Date => ": 2025-03-31",
        CellType::Url => ": https://…",
        CellType::Text => "",
    };
    let title = column.title.get(language);
    format!("- {}: {title}{}{example}", column.name, unit.unwrap_or_default())
}
