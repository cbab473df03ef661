//! One value as it stands in a file or a table: text by column.

use std::collections::BTreeMap;

use chrono::DateTime;
use raw_packets::{KpiRow, Provenance};
use rust_decimal::Decimal;

/// The columns that a load writes: those of the contract, then where each value comes from.
pub(super) const COLUMNS: [&str; 17] = [
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

/// Text by column.
pub(super) type RawRow = BTreeMap<String, String>;

/// Reads a row as a load states it, if it has all that a load has.
pub(super) fn kpi_row(metric_key: &str, raw: &RawRow) -> Option<KpiRow> {
    let text = |column: &str| raw.get(column).map_or("", |text| text.trim());
    let decimal = |column: &str| match text(column) {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    };
    Some(KpiRow {
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

/// Writes what a load states into a row; other columns of it stay.
pub(super) fn write(row: &KpiRow, raw: &mut RawRow) {
    let decimal = |value: Option<Decimal>| value.map(|value| value.to_string()).unwrap_or_default();
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
}
