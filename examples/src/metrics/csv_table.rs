//! A `metrics.csv` that can be changed without losing what it holds beside the values.

use std::collections::BTreeMap;

use chrono::DateTime;
use csv::ByteRecord;
use raw_packets::{KpiRow, Provenance};

/// The columns that a load writes: those of the contract, then where each value comes from.
const COLUMNS: [&str; 17] = [
    "sanction_source_id",
    "kpi_id",
    "period_date",
    "period_granularity",
    "value",
    "source_record_pk",
    "evidence_date",
    "evidence_quote",
    "metric_key",
    "numerator",
    "denominator",
    "source_url",
    "packet",
    "packet_row",
    "packet_sha256",
    "loaded_by",
    "loaded_at",
];

/// The columns of [`COLUMNS`] that only say where a value comes from.
pub(super) const PROVENANCE: [&str; 6] =
    ["source_url", "packet", "packet_row", "packet_sha256", "loaded_by", "loaded_at"];

/// One row as it stands in the file: text by column.
pub(super) type RawRow = BTreeMap<String, String>;

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
        let raw = self.raw(key)?;
        let text = |column: &str| raw.get(column).map_or("", |text| text.trim());
        let decimal = |column: &str| match text(column) {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        };
        Some(KpiRow {
            metric_key: key.to_owned(),
            sanction_source_id: text("sanction_source_id").to_owned(),
            kpi_id: text("kpi_id").to_owned(),
            period_date: text("period_date").parse().ok()?,
            period_granularity: text("period_granularity").to_owned(),
            value: text("value").parse().ok()?,
            numerator: decimal("numerator")?,
            denominator: decimal("denominator")?,
            source_record_pk: text("source_record_pk").to_owned(),
            evidence_date: text("evidence_date").parse().ok()?,
            evidence_quote: raw.get("evidence_quote").cloned().unwrap_or_default(),
            source_url: text("source_url").to_owned(),
            provenance: Provenance {
                packet: text("packet").to_owned(),
                row: text("packet_row").parse().unwrap_or_default(),
                sha256: text("packet_sha256").to_owned(),
                loaded_by: text("loaded_by").to_owned(),
                // A row that was written by hand says nothing of its coming in.
                loaded_at: text("loaded_at").parse().unwrap_or(DateTime::UNIX_EPOCH),
            },
        })
    }

    /// Puts a row in the place of its key, or at the end; other columns of the row stay.
    pub(super) fn put(&mut self, row: &KpiRow) {
        let mut raw = self.raw(&row.metric_key).unwrap_or_default();
        let decimal = |value: Option<rust_decimal::Decimal>| {
            value.map(|value| value.to_string()).unwrap_or_default()
        };
        for (column, text) in COLUMNS.into_iter().zip([
            row.sanction_source_id.clone(),
            row.kpi_id.clone(),
            row.period_date.to_string(),
            row.period_granularity.clone(),
            row.value.to_string(),
            row.source_record_pk.clone(),
            row.evidence_date.to_string(),
            row.evidence_quote.clone(),
            row.metric_key.clone(),
            decimal(row.numerator),
            decimal(row.denominator),
            row.source_url.clone(),
            row.provenance.packet.clone(),
            row.provenance.row.to_string(),
            row.provenance.sha256.clone(),
            row.provenance.loaded_by.clone(),
            row.provenance.loaded_at.to_rfc3339(),
        ]) {
            raw.insert(column.to_owned(), text);
        }
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
