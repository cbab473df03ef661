//! The written forms of a packet: which delimiter, which decimal mark, with or without BOM.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::template::{Language, Template};
use crate::value::guard;

/// The form in which packets are written; every form is read back, whichever was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PacketForm {
    /// A CSV file in a profile.
    Csv(CsvProfile),
    /// A workbook with locked keys, validation and instructions in a language (feature `xlsx`).
    #[cfg(feature = "xlsx")]
    Xlsx(Language),
}

impl Default for PacketForm {
    fn default() -> Self {
        Self::Csv(CsvProfile::Plain)
    }
}

impl PacketForm {
    /// Returns the CSV profile; `None` for a workbook.
    #[must_use]
    pub const fn profile(self) -> Option<CsvProfile> {
        match self {
            Self::Csv(profile) => Some(profile),
            #[cfg(feature = "xlsx")]
            Self::Xlsx(_) => None,
        }
    }

    /// Returns the language that a workbook speaks; English for CSV, which says nothing by itself.
    #[must_use]
    pub const fn language(self) -> Language {
        match self {
            Self::Csv(_) => Language::En,
            #[cfg(feature = "xlsx")]
            Self::Xlsx(language) => language,
        }
    }

    /// Returns the extension of a packet's file.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            #[cfg(feature = "xlsx")]
            Self::Xlsx(_) => "xlsx",
        }
    }
}

impl fmt::Display for PacketForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Csv(profile) => profile.fmt(f),
            #[cfg(feature = "xlsx")]
            Self::Xlsx(Language::En) => f.write_str("xlsx-en"),
            #[cfg(feature = "xlsx")]
            Self::Xlsx(Language::Es) => f.write_str("xlsx-es"),
        }
    }
}

impl FromStr for PacketForm {
    type Err = UnknownProfile;

    /// Reads `plain`, `excel-us`, `excel-eu` and, with feature `xlsx`, `xlsx-en` and `xlsx-es`.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            #[cfg(feature = "xlsx")]
            "xlsx-en" => Ok(Self::Xlsx(Language::En)),
            #[cfg(feature = "xlsx")]
            "xlsx-es" => Ok(Self::Xlsx(Language::Es)),
            _ => word.parse().map(Self::Csv),
        }
    }
}

/// The dialect of a CSV packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CsvProfile {
    /// RFC 4180 in UTF-8: comma, decimal point, no BOM.
    #[default]
    Plain,
    /// For Excel in English: BOM, comma, decimal point.
    ExcelUs,
    /// For Excel in most of Europe and Latin America: BOM, semicolon, decimal comma.
    ExcelEu,
}

/// The error for a word that names no profile, or a form that was not built in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no form of a packet; use plain, excel-us, excel-eu, xlsx-en or xlsx-es")]
pub struct UnknownProfile {
    /// The word as given.
    pub word: String,
}

impl CsvProfile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Plain, Self::ExcelUs, Self::ExcelEu];

    /// Returns the name that flags use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::ExcelUs => "excel-us",
            Self::ExcelEu => "excel-eu",
        }
    }

    /// Says whether the file starts with a byte order mark, which Excel needs to see UTF-8.
    #[must_use]
    pub const fn bom(self) -> bool {
        !matches!(self, Self::Plain)
    }

    /// Returns the delimiter between cells.
    #[must_use]
    pub const fn delimiter(self) -> u8 {
        if matches!(self, Self::ExcelEu) { b';' } else { b',' }
    }

    /// Returns the decimal mark of numbers.
    #[must_use]
    pub const fn decimal_mark(self) -> char {
        if matches!(self, Self::ExcelEu) { ',' } else { '.' }
    }
}

impl fmt::Display for CsvProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CsvProfile {
    type Err = UnknownProfile;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|profile| profile.as_str() == word);
        found.ok_or_else(|| UnknownProfile { word: word.to_owned() })
    }
}

/// Writes rows under the template's header in a CSV profile.
///
/// Cells are given in their canonical form: numbers with a decimal point, days as `YYYY-MM-DD`.
/// Texts are guarded against formulas, numbers take the profile's decimal mark, lines end in CR LF
/// as RFC 4180 asks. A short row is filled up with blanks; cells beyond the template's columns are not
/// written.
///
/// ```
/// use raw_packets::{CsvProfile, Template, packet_csv};
///
/// let template = Template::official_review();
/// let row: Vec<String> = template.columns().iter().map(|_| "1.5".to_owned()).collect();
/// let bytes = packet_csv(&template, &[row], CsvProfile::ExcelEu);
/// let text = String::from_utf8(bytes)?;
/// assert!(text.starts_with("\u{feff}sanction_source_id;period_date;"));
/// assert!(text.contains(";1,5;"));
/// # Ok::<(), std::string::FromUtf8Error>(())
/// ```
///
/// # Panics
///
/// Never: writing to memory does not fail.
#[must_use]
pub fn packet_csv(template: &Template, rows: &[Vec<String>], profile: CsvProfile) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024 * (rows.len() + 1));
    if profile.bom() {
        bytes.extend_from_slice("\u{feff}".as_bytes());
    }
    let mut writer = csv::WriterBuilder::new()
        .delimiter(profile.delimiter())
        .terminator(csv::Terminator::CRLF)
        .from_writer(bytes);
    let header = template.columns().iter().map(|column| column.name.as_str());
    writer.write_record(header).expect("memory takes every write");
    for row in rows {
        for (at, column) in template.columns().iter().enumerate() {
            let cell = row.get(at).map_or("", String::as_str);
            let written = if column.cell_type.is_number() {
                writer.write_field(localised(cell, profile.decimal_mark()))
            } else {
                writer.write_field(guard(cell).as_ref())
            };
            written.expect("memory takes every write");
        }
        writer.write_record(None::<&[u8]>).expect("every row has the header's length");
    }
    writer.into_inner().expect("memory takes every write")
}

fn localised(number: &str, mark: char) -> String {
    if mark == '.' { number.to_owned() } else { number.replacen('.', &mark.to_string(), 1) }
}
