//! What an import found and did.

use raw_packets::table::TableReport;
use serde::Serialize;

use crate::cli::{Console, Exit};
use crate::tables;

/// What an import found and did, table by table.
#[derive(Clone, Debug, Serialize)]
pub struct ImportSummary {
    /// What the file held.
    #[serde(flatten)]
    pub table: TableReport,
    /// Rows (of persons: persons) that were new or had changed.
    pub written_total: u64,
    /// Rows that repeat an earlier row of the same file word for word.
    pub repeated_total: u64,
    /// Leads whose `lead_created_at` names no zone and was read as UTC.
    pub zone_missing_total: u64,
    /// Failed leads that new and changed persons made pending again.
    pub woken_total: u64,
    /// Whether the file was taken for all that there is.
    pub full: bool,
    /// What was not in a full file, and was removed.
    pub removed_total: u64,
    /// Leads that had an id alone and have an external id now; the former key is removed.
    pub rekeyed_total: u64,
    /// Leads in the place of which another lead stands now, of another id and the same key.
    pub replaced_total: u64,
}

impl ImportSummary {
    pub(super) fn of(table: TableReport, full: bool) -> Self {
        Self {
            table,
            written_total: 0,
            repeated_total: 0,
            zone_missing_total: 0,
            woken_total: 0,
            full,
            removed_total: 0,
            rekeyed_total: 0,
            replaced_total: 0,
        }
    }

    /// Says whether what is not in the file is to be removed.
    pub(super) fn removes(&self) -> bool {
        self.full && self.table.rows_refused_total == 0
    }

    /// Tells on stderr what was refused, ignored or read by assumption.
    pub fn tell(&self, console: &Console) {
        tables::tell(&self.table, console);
        let file = &self.table.file;
        if self.repeated_total > 0 {
            console
                .note(format_args!("{file}: {} rows repeat an earlier one", self.repeated_total));
        }
        if self.full && !self.removes() {
            console.warn(format_args!(
                "{file}: rows were refused, so nothing was removed although it is a full file; correct them and import again"
            ));
        }
        if self.removed_total > 0 {
            let gone = self.removed_total;
            console.warn(format_args!(
                "{file}: {gone} are not in this full file any more and were removed"
            ));
        }
        if self.rekeyed_total > 0 {
            let leads = self.rekeyed_total;
            console.warn(format_args!("{file}: {leads} leads have an external_id now; their former key, the id, was removed"));
        }
        if self.replaced_total > 0 {
            let leads = self.replaced_total;
            console.warn(format_args!(
                "{file}: {leads} keys belonged to a lead of another id before; give each lead a key of its own"
            ));
        }
        if self.zone_missing_total > 0 {
            let rows = self.zone_missing_total;
            console.note(format_args!("{file}: {rows} times name no zone and were read as UTC"));
        }
    }

    /// Returns what the exit code must say of this import.
    #[must_use]
    pub fn exit(&self) -> Exit {
        tables::exit(&self.table)
    }
}
