//! A `metrics.csv` that can be changed without losing what it holds beside the values.

use std::collections::BTreeMap;

use csv::ByteRecord;
use raw_packets::KpiRow;

use super::raw_row::{self, COLUMNS, RawRow};

/// All rows of the file, broken ones and unknown columns included.
#[derive(Debug, Clone)]
pub(super) struct CsvTable {
    header: Vec<String>,
    rows: Vec<ByteRecord>,
    /// The place of each value by its metric key.
    places: BTreeMap<String, usize>,
}

impl CsvTable {
    /// Splits a file into its rows; `lines` says on which line the row of each key begins.
    pub(super) fn new(bytes: &[u8], lines: &BTreeMap<String, u64>) -> csv::Result<Self> {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let mut rows = Vec::new();
        let mut at_line = BTreeMap::new();
        let mut header = Vec::new();
        for record in reader.byte_records() {
            let record = record?;
            if header.is_empty() {
                header = record
                    .iter()
                    .map(|name| {
                        let name = String::from_utf8_lossy(name);
                        name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase()
                    })
                    .collect();
                continue;
            }
            if let Some(position) = record.position() {
                at_line.insert(position.line(), rows.len());
            }
            rows.push(record);
        }
        let width_before = header.len();
        for column in COLUMNS {
            if !header.iter().any(|name| name == column) {
                header.push(column.to_owned());
            }
        }
        for row in &mut rows {
            if row.len() == width_before {
                (width_before..header.len()).for_each(|_| row.push_field(b""));
            } else if row.len() == header.len() {
                // It had too many fields before, and must not look whole now.
                row.push_field(b"");
            }
        }
        let place = |(key, line): (&String, &u64)| Some((key.clone(), *at_line.get(line)?));
        Ok(Self { header, rows, places: lines.iter().filter_map(place).collect() })
    }

    /// Returns the row of a key as it stands.
    pub(super) fn raw(&self, key: &str) -> Option<RawRow> {
        let record = &self.rows[*self.places.get(key)?];
        let cells = self.header.iter().zip(record);
        Some(
            cells
                .map(|(name, cell)| (name.clone(), String::from_utf8_lossy(cell).into_owned()))
                .collect(),
        )
    }

    /// Returns the row of a key as a load states it, if it has all that a load has.
    pub(super) fn kpi_row(&self, key: &str) -> Option<KpiRow> {
        raw_row::kpi_row(key, &self.raw(key)?)
    }

    /// Puts a row in the place of its key, or at the end; other columns of the row stay.
    pub(super) fn put(&mut self, row: &KpiRow) {
        let mut raw = self.raw(&row.metric_key).unwrap_or_default();
        raw_row::write(row, &mut raw);
        self.put_raw(&row.metric_key, &raw);
    }

    /// Puts a row as it stood.
    pub(super) fn put_raw(&mut self, key: &str, raw: &RawRow) {
        let cells = self.header.iter().map(|name| raw.get(name).map_or("", String::as_str));
        let record: ByteRecord = cells.collect::<Vec<_>>().into();
        if let Some(&place) = self.places.get(key) {
            self.rows[place] = record;
        } else {
            self.places.insert(key.to_owned(), self.rows.len());
            self.rows.push(record);
        }
    }

    /// Takes the row of a key away.
    pub(super) fn remove(&mut self, key: &str) {
        if let Some(place) = self.places.remove(key) {
            self.rows.remove(place);
            for other in self.places.values_mut().filter(|other| **other > place) {
                *other -= 1;
            }
        }
    }

    /// Writes the file.
    pub(super) fn to_bytes(&self) -> csv::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        writer.write_record(&self.header)?;
        for row in &self.rows {
            writer.write_byte_record(row)?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }
}
