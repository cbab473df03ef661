//! One packet after the check, and the KPI rows that follow from it.

use super::returned::ReturnedSheet;
use super::row::RawRow;
use crate::finding::{Finding, PacketStatus};
use crate::load::{KpiRow, LoadStamp, Provenance};
use crate::plan::Packet;

/// One packet after the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPacket {
    pub(super) packet: Option<Packet>,
    pub(super) file: String,
    pub(super) sha256: Option<String>,
    pub(super) required: bool,
    pub(super) status: PacketStatus,
    pub(super) findings: Vec<Finding>,
    pub(super) row: Option<RawRow>,
    /// The sheet as it came, kept where it has to go back.
    pub(super) returned: Option<ReturnedSheet>,
}

impl CheckedPacket {
    pub(super) fn new(file: &str, status: PacketStatus) -> Self {
        Self {
            packet: None,
            file: file.to_owned(),
            sha256: None,
            required: false,
            status,
            findings: Vec::new(),
            row: None,
            returned: None,
        }
    }

    /// Returns the sheet as it came, where something was found in it.
    pub(crate) fn returned(&self) -> Option<&ReturnedSheet> {
        self.returned.as_ref()
    }
}

impl CheckedPacket {
    /// Returns the packet as issued; `None` for a file that belongs to none.
    #[must_use]
    pub fn packet(&self) -> Option<&Packet> {
        self.packet.as_ref()
    }

    /// Returns the file's name as returned, or as issued where it did not come back.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Says whether the plan asks for this packet now.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// Returns how far the packet is.
    #[must_use]
    pub fn status(&self) -> PacketStatus {
        self.status
    }

    /// Returns everything that was found in the packet, the most urgent first.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

impl CheckedPacket {
    pub(super) fn refuse(&mut self, finding: Finding) {
        if finding.is_error() {
            self.status = self.status.worse(PacketStatus::InvalidRow);
            self.row = None;
        }
        self.findings.push(finding);
    }

    pub(super) fn metric_keys(&self) -> Vec<String> {
        let (Some(packet), Some(row)) = (&self.packet, &self.row) else { return Vec::new() };
        let key = packet.key();
        let metric_key = |kpi: &str| {
            KpiRow::key_of(kpi, &key.sanction_source_id, row.period_date, &key.period_granularity)
        };
        row.kpis.iter().map(|(kpi, _)| metric_key(kpi)).collect()
    }

    pub(super) fn kpi_rows(&self, stamp: &LoadStamp) -> Vec<KpiRow> {
        let (Some(packet), Some(row), Some(sha256)) = (&self.packet, &self.row, &self.sha256)
        else {
            return Vec::new();
        };
        let key = packet.key();
        let kpi_row = |(metric_key, (kpi_id, value)): (String, &(String, _))| {
            let value: &crate::formula::KpiValue = value;
            KpiRow {
                metric_key,
                sanction_source_id: key.sanction_source_id.clone(),
                kpi_id: kpi_id.clone(),
                period_date: row.period_date,
                period_granularity: key.period_granularity.clone(),
                value: value.value,
                numerator: value.numerator,
                denominator: value.denominator,
                source_record_pk: row.source_record_id.clone(),
                evidence_date: row.evidence_date,
                evidence_quote: row.evidence_quote.clone(),
                source_url: row.source_url.clone(),
                provenance: Provenance {
                    packet: self.file.clone(),
                    row: row.row,
                    sha256: sha256.clone(),
                    loaded_by: stamp.by.clone(),
                    loaded_at: stamp.at,
                },
            }
        };
        self.metric_keys().into_iter().zip(&row.kpis).map(kpi_row).collect()
    }
}
