//! A value as files and tables keep it: text by column.

use std::collections::BTreeMap;

use chrono::DateTime;
use rust_decimal::Decimal;

use crate::load::{KpiRow, Provenance};

impl KpiRow {
    /// The columns in which a load is kept as text: those of a file of values, then where each value comes from.
    pub const COLUMNS: [&'static str; 17] = [
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

    /// The last of the columns, which only say where a value comes from.
    pub const PROVENANCE: [&'static str; 6] =
        ["source_url", "packet", "packet_row", "packet_sha256", "loaded_by", "loaded_at"];

    /// Reads a row from text by column, if it has all that a load has.
    ///
    /// A row that was written by hand says nothing of its coming in; its provenance is blank then.
    #[must_use]
    pub fn from_cells(metric_key: &str, cells: &BTreeMap<String, String>) -> Option<Self> {
        let text = |column: &str| cells.get(column).map_or("", |text| text.trim());
        let decimal = |column: &str| match text(column) {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        };
        Some(Self {
            metric_key: metric_key.to_owned(),
            sanction_source_id: text("sanction_source_id").to_owned(),
            kpi_id: text("kpi_id").to_owned(),
            period_date: text("period_date").parse().ok()?,
            period_granularity: text("period_granularity").to_owned(),
            value: text("value").parse().ok()?,
            numerator: decimal("numerator")?,
            denominator: decimal("denominator")?,
            source_record_pk: text("source_record_pk").to_owned(),
            evidence_date: text("evidence_date").parse().ok()?,
            evidence_quote: cells.get("evidence_quote").cloned().unwrap_or_default(),
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

    /// Writes the row into text by column; other columns stay.
    pub fn write_cells(&self, cells: &mut BTreeMap<String, String>) {
        let decimal =
            |value: Option<Decimal>| value.map(|value| value.to_string()).unwrap_or_default();
        for (column, text) in Self::COLUMNS.into_iter().zip([
            self.sanction_source_id.clone(),
            self.kpi_id.clone(),
            self.period_date.to_string(),
            self.period_granularity.clone(),
            self.value.to_string(),
            self.source_record_pk.clone(),
            self.evidence_date.to_string(),
            self.evidence_quote.clone(),
            self.metric_key.clone(),
            decimal(self.numerator),
            decimal(self.denominator),
            self.source_url.clone(),
            self.provenance.packet.clone(),
            self.provenance.row.to_string(),
            self.provenance.sha256.clone(),
            self.provenance.loaded_by.clone(),
            self.provenance.loaded_at.to_rfc3339(),
        ]) {
            cells.insert(column.to_owned(), text);
        }
    }
}
