//! The sheet of one returned packet: its header, its rows, and how far it is.

use chrono::NaiveDate;

use super::cell::Context;
use super::correct::ReturnedSheet;
use super::file::{blank_rows, of_oddity};
use super::header::read_header;
use super::packet::CheckedPacket;
use super::problem::Problem;
use super::row::RowCheck;
use crate::finding::{Finding, PacketStatus, Reason};
use crate::plan::Packet;
use crate::read::{Oddity, Sheet, SheetRow};
use crate::template::{Language, Template};

/// A check of the sheet that came back for a packet.
pub(super) struct SheetCheck<'a> {
    pub(super) template: &'a Template,
    pub(super) packet: &'a Packet,
    pub(super) sheet: &'a Sheet,
    /// Whether the packet is known to have been issued from other facts.
    pub(super) stale: bool,
    pub(super) as_of: Option<NaiveDate>,
    pub(super) language: Language,
}

impl SheetCheck<'_> {
    /// Finds everything that is wrong, and takes the row where nothing is.
    pub(super) fn check(&self, checked: &mut CheckedPacket) {
        for oddity in &self.sheet.oddities {
            let status = match oddity {
                Oddity::Empty => PacketStatus::EmptyPacket,
                Oddity::Unreadable(_) => PacketStatus::InvalidHeaders,
                Oddity::Encoding { .. } => PacketStatus::InvalidRow,
                Oddity::Utf16 => PacketStatus::Ready,
            };
            checked.status = checked.status.worse(status);
            checked.findings.push(of_oddity(self.language, oddity));
        }
        if matches!(checked.status, PacketStatus::EmptyPacket | PacketStatus::InvalidHeaders) {
            return;
        }
        if self.stale {
            let problem = Problem::Stale;
            checked.findings.push(self.finding(Reason::PACKET_STALE, "packet-stale", &problem));
        }
        let (columns, header) = read_header(self.language, self.sheet, self.template);
        let bad_header = header.iter().any(Finding::is_error);
        checked.findings.extend(header);
        let filled: Vec<&SheetRow> = self.sheet.rows.iter().filter(|row| !row.is_blank()).collect();
        blank_rows(self.language, self.sheet, &filled, &mut checked.findings);
        let rows = RowCheck {
            context: Context {
                template: self.template,
                decimal_mark: self.sheet.decimal_mark,
                as_of: self.as_of,
                stale: self.stale,
                language: self.language,
            },
            packet: self.packet,
            sheet: self.sheet,
            columns: &columns,
        };
        let several = filled.len() as u64 + self.sheet.rows_beyond > 1;
        let unfilled = filled.iter().all(|row| rows.is_unfilled(row));
        let mut row = None;
        // All in one pass: what stands in the cells is judged under a bad header, too.
        if !unfilled || several {
            for filled in &filled {
                row = rows.check(filled, &mut checked.findings);
            }
        }
        let status = if bad_header {
            PacketStatus::InvalidHeaders
        } else if several {
            self.several_rows(&filled, &mut checked.findings);
            PacketStatus::MultipleRows
        } else if unfilled {
            let problem = Problem::NothingFilledIn;
            checked.findings.push(self.finding(Reason::EMPTY_PACKET, "empty-packet", &problem));
            PacketStatus::EmptyPacket
        } else if row.is_some() {
            PacketStatus::Ready
        } else {
            PacketStatus::InvalidRow
        };
        checked.status = checked.status.worse(status);
        if checked.status == PacketStatus::Ready {
            checked.row = row;
        }
        // What is as it should be need not go back.
        if !checked.findings.is_empty() {
            checked.returned = Some(ReturnedSheet::new(self.sheet, &filled, columns));
        }
    }

    fn several_rows(&self, filled: &[&SheetRow], findings: &mut Vec<Finding>) {
        let total = filled.len() as u64 + self.sheet.rows_beyond;
        let problem = Problem::SeveralRows { total };
        let finding = self.finding(Reason::MULTIPLE_ROWS, "row-unexpected", &problem);
        findings.push(finding.at_row(filled.get(1).map_or(0, |row| row.number)));
    }

    fn finding(&self, reason: Reason, code: &'static str, problem: &Problem<'_>) -> Finding {
        Finding::new(self.language, reason, code, problem)
    }
}
