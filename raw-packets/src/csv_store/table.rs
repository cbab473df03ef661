//! A `metrics.csv` that can be changed without losing what it holds beside the values.

use std::collections::BTreeMap;

use std::path::Path;

use csv::StringRecord;

use super::error::CsvStoreError;
use super::{CsvOptions, RawRow};
use crate::load::KpiRow;
use crate::table::{Entry, TableReader, TableSchema};
use crate::value::{guard, unguard};

/// All rows of the file, broken ones and unknown columns included.
#[derive(Debug, Clone)]
pub(super) struct CsvTable {
    header: Vec<String>,
    lines: Vec<Line>,
    /// The place of each value by its metric key.
    places: BTreeMap<String, usize>,
}

/// The columns of texts: a person opens the file, and a spreadsheet takes none of them for a formula.
const TEXTS: [&str; 9] = [
    "sanction_source_id",
    "kpi_id",
    "period_granularity",
    "source_record_pk",
    "evidence_quote",
    "metric_key",
    "source_url",
    "packet",
    "loaded_by",
];

#[derive(Debug, Clone)]
enum Line {
    Row(StringRecord),
    /// A line that cannot be read, which stays as it is.
    Broken(Vec<u8>),
}

impl CsvTable {
    /// Splits a file into its rows; `lines` says on which line the row of each key begins.
    pub(super) fn new(
        options: &CsvOptions,
        path: &Path,
        bytes: &[u8],
        lines: &BTreeMap<String, u64>,
    ) -> Result<Self, CsvStoreError> {
        let mut rows = Vec::new();
        let mut at_line = BTreeMap::new();
        let mut header = Vec::new();
        if !bytes.is_empty() {
            let schema = TableSchema::metrics(&options.names);
            let name = path.display().to_string();
            let file = std::io::Cursor::new(bytes.to_vec());
            let mut table = TableReader::new(name, file, &schema, &options.columns)?;
            header = table.header().iter().map(|name| name.trim().to_lowercase()).collect();
            while let Some(entry) = table.next_entry()? {
                match entry {
                    Entry::Row(row) => {
                        at_line.insert(row.line(), rows.len());
                        rows.push(Line::Row(row.all().collect()));
                    }
                    Entry::Refused(line) if !line.is_empty() => {
                        rows.push(Line::Broken(line.trim_ascii_end().to_vec()));
                    }
                    _ => {
                        return Err(CsvStoreError::LineTooLong { path: path.to_owned() });
                    }
                }
            }
        }
        for column in KpiRow::COLUMNS {
            if !header.iter().any(|name| name == column) {
                header.push(column.to_owned());
            }
        }
        let place = |(key, line): (&String, &u64)| Some((key.clone(), *at_line.get(line)?));
        Ok(Self { header, lines: rows, places: lines.iter().filter_map(place).collect() })
    }

    /// Returns the row of a key as it stands.
    pub(super) fn raw(&self, key: &str) -> Option<RawRow> {
        let Line::Row(record) = &self.lines[*self.places.get(key)?] else { return None };
        let cells = self.header.iter().zip(record);
        Some(cells.map(|(name, cell)| (name.clone(), cell.to_owned())).collect())
    }

    /// Returns the row of a key as a load states it, if it has all that a load has.
    pub(super) fn kpi_row(&self, key: &str) -> Option<KpiRow> {
        let mut cells = self.raw(key)?;
        for text in TEXTS {
            if let Some(cell) = cells.get_mut(text) {
                *cell = unguard(cell).into_owned();
            }
        }
        KpiRow::from_cells(key, &cells)
    }

    /// Puts a row in the place of its key, or at the end; other columns of the row stay.
    pub(super) fn put(&mut self, row: &KpiRow) {
        let mut raw = self.raw(&row.metric_key).unwrap_or_default();
        row.write_cells(&mut raw);
        for text in TEXTS {
            if let Some(cell) = raw.get_mut(text) {
                *cell = guard(cell).into_owned();
            }
        }
        self.put_raw(&row.metric_key, &raw);
    }

    /// Puts a row as it stood.
    pub(super) fn put_raw(&mut self, key: &str, raw: &RawRow) {
        let cells = self.header.iter().map(|name| raw.get(name).map_or("", String::as_str));
        let row = Line::Row(cells.collect());
        if let Some(&place) = self.places.get(key) {
            self.lines[place] = row;
        } else {
            self.places.insert(key.to_owned(), self.lines.len());
            self.lines.push(row);
        }
    }

    /// Takes the row of a key away.
    pub(super) fn remove(&mut self, key: &str) {
        if let Some(place) = self.places.remove(key) {
            self.lines.remove(place);
            for other in self.places.values_mut().filter(|other| **other > place) {
                *other -= 1;
            }
        }
    }

    /// Writes the file: commas, UTF-8, and every row as wide as the header.
    pub(super) fn to_bytes(&self) -> csv::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.header)?;
        for line in &self.lines {
            match line {
                Line::Row(cells) => {
                    let blanks = self.header.len() - cells.len();
                    writer.write_record(cells.iter().chain(std::iter::repeat_n("", blanks)))?;
                }
                Line::Broken(text) => {
                    let mut bytes = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
                    bytes.extend_from_slice(text);
                    bytes.push(b'\n');
                    writer = csv::Writer::from_writer(bytes);
                }
            }
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }
}
