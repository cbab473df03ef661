//! What a user's own files call the columns.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::schema::TableSchema;
use crate::value::label_key;

/// Names that a user's files have for the columns of tables, and how the files are encoded.
///
/// In TOML, each line names one of our columns and what the file calls it; a list gives several names of which
/// the file has one. What stands in the section of a table holds for that table; what stands above holds for
/// all. A name that is mapped replaces the column's own: a column `phone` of the file is then ignored.
///
/// `encoding = "windows-1252"` says that files are written so, and `encoding = "utf-8"` that rows which are not
/// UTF-8 are to be refused; left out, such rows are read as Windows-1252 and counted as guesses.
///
#[cfg_attr(feature = "toml", doc = "```")]
#[cfg_attr(not(feature = "toml"), doc = "```ignore")]
/// use raw_packets::table::{ColumnMap, TableReader, TableSchema};
///
/// let map = ColumnMap::from_toml(
///     r#"
///     phone = "Teléfono móvil"
///     [leads]
///     external_id = ["ID de contacto", "Contact ID"]
///     "#,
///     &[TableSchema::leads(), TableSchema::persons()],
/// )?;
/// let file = "Contact ID,Teléfono móvil\nweb-1,987654321\n";
/// let leads = TableSchema::leads();
/// let mut table = TableReader::new("leads.csv", file.as_bytes(), &leads, &map)?;
/// assert_eq!(table.next_row()?.expect("one row").text("phone"), "987654321");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnMap {
    all: Section,
    tables: BTreeMap<String, Section>,
}

/// The names of one section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Section {
    columns: BTreeMap<String, Vec<String>>,
    encoding: Option<Encoding>,
}

/// How single bytes beyond ASCII are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Windows1252,
}

/// The reason why a map of columns cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnMapError {
    /// The text is no map in TOML.
    #[error("the map of columns cannot be read: {0}")]
    Malformed(String),
    /// A section names no table.
    #[error(
        "the map of columns has a section `{found}`, which is no table; the tables are {known}"
    )]
    UnknownTable {
        /// The section.
        found: String,
        /// The tables.
        known: String,
    },
    /// A line names no column.
    #[error("the map of columns names `{found}`, which is no column{of}; the columns are {known}")]
    UnknownColumn {
        /// The name.
        found: String,
        /// Of which table, in words; blank above the sections.
        of: String,
        /// The columns.
        known: String,
    },
    /// An encoding is not known.
    #[error("the map of columns names the encoding `{0}`; write \"utf-8\" or \"windows-1252\"")]
    UnknownEncoding(String),
}

/// A value of the map: a name, several, or a section.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a name in quotes, a list of names, or a section of names")]
enum Entry {
    Name(String),
    Names(Vec<String>),
    Section(BTreeMap<String, Names>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a name in quotes, or a list of names")]
enum Names {
    One(String),
    Several(Vec<String>),
}

impl ColumnMap {
    /// Reads a map from TOML and checks its names against the tables that it may name.
    ///
    /// # Errors
    ///
    /// A text that is no such map, and a name that no table has.
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str, tables: &[TableSchema]) -> Result<Self, ColumnMapError> {
        let entries: BTreeMap<String, Entry> =
            toml::from_str(text).map_err(|error: toml::de::Error| {
                let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
                let line = before.matches('\n').count() + 1;
                ColumnMapError::Malformed(format!("line {line}: {}", error.message()))
            })?;
        Self::new(entries, tables)
    }

    #[cfg_attr(not(feature = "toml"), expect(dead_code, reason = "only TOML is read"))]
    fn new(
        entries: BTreeMap<String, Entry>,
        tables: &[TableSchema],
    ) -> Result<Self, ColumnMapError> {
        let mut map = Self::default();
        for (name, entry) in entries {
            let names = match entry {
                Entry::Name(one) => vec![one],
                Entry::Names(several) => several,
                Entry::Section(lines) => {
                    let table = tables.iter().find(|table| table.name() == name);
                    let table = table.ok_or_else(|| ColumnMapError::UnknownTable {
                        found: name.clone(),
                        known: joined(tables.iter().map(TableSchema::name)),
                    })?;
                    let section = map.tables.entry(name.clone()).or_default();
                    for (column, names) in lines {
                        let names = match names {
                            Names::One(one) => vec![one],
                            Names::Several(several) => several,
                        };
                        section.add(column, names, &format!(" of `{name}`"), &[table])?;
                    }
                    continue;
                }
            };
            let all: Vec<_> = tables.iter().collect();
            map.all.add(name, names, "", &all)?;
        }
        Ok(map)
    }

    /// Returns the names by which a file of a table may call one of its columns, by their [`label_key`].
    pub(super) fn names(&self, table: &str, column: &str) -> Vec<String> {
        let sections = [self.tables.get(table), Some(&self.all)];
        let mapped = sections.into_iter().flatten().find_map(|section| section.columns.get(column));
        match mapped {
            Some(names) => names.iter().map(|name| label_key(name)).collect(),
            None => vec![label_key(column)],
        }
    }

    /// Returns how bytes that are not UTF-8 are to be read, where the user says so.
    pub(super) fn encoding(&self, table: &str) -> Option<Encoding> {
        self.tables.get(table).and_then(|section| section.encoding).or(self.all.encoding)
    }
}

impl Section {
    fn add(
        &mut self,
        column: String,
        names: Vec<String>,
        of: &str,
        tables: &[&TableSchema],
    ) -> Result<(), ColumnMapError> {
        if column == "encoding" {
            let said = names.concat();
            self.encoding = Some(match label_key(&said).as_str() {
                "utf8" => Encoding::Utf8,
                "windows1252" | "cp1252" | "ansi" | "latin1" | "iso88591" => Encoding::Windows1252,
                _ => return Err(ColumnMapError::UnknownEncoding(said)),
            });
            return Ok(());
        }
        if !tables.iter().any(|table| table.place(&column).is_some()) {
            let mut known: Vec<_> = tables.iter().flat_map(|table| table.columns()).collect();
            known.sort_unstable();
            known.dedup();
            return Err(ColumnMapError::UnknownColumn {
                found: column,
                of: of.to_owned(),
                known: joined(known.into_iter().map(String::as_str)),
            });
        }
        self.columns.insert(column, names);
        Ok(())
    }
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
