//! The sheet of one returned packet: its header, its rows, and how far it is.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::cell::Context;
use super::file::{blank_rows, of_oddity, of_remark, ranges};
use super::header::{Columns, judge_header};
use super::identify::Known;
use super::packet::CheckedPacket;
use super::returned::ReturnedSheet;
use super::row::{RawRow, RowCheck};
use super::shift::{Fell, straighten};
use crate::finding::{Finding, PacketStatus, Problem};
use crate::plan::Packet;
use crate::read::{Oddity, Remark, Sheet, SheetRow};
use crate::template::{Labels, Language, Template};

/// A check of the sheet that came back for a packet.
pub(super) struct SheetCheck<'a> {
    pub(super) template: &'a Template,
    pub(super) known: &'a Known<'a>,
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
        let labels = &self.known.labels;
        let mut table = TableCheck::of(self.sheet, labels, self.template, self.language);
        let Some((columns, bad_header)) =
            table.check(self.stale, &self.known.keys, &mut checked.findings)
        else {
            checked.status = checked.status.worse(table.status);
            return;
        };
        checked.status = checked.status.worse(table.status);

        let width =
            self.sheet.header.iter().rposition(|label| !label.is_empty()).map_or(0, |at| at + 1);
        let check = RowCheck {
            context: Context {
                template: self.template,
                decimal_mark: self.sheet.decimal_mark,
                as_of: self.as_of,
                stale: self.stale,
                undecoded: self.sheet.oddities.iter().any(|o| matches!(o, Oddity::Encoding { .. })),
                odd_quotes: self.sheet.odd_quotes,
                keys: &self.known.keys,
                language: self.language,
            },
            issued: self.packet.cells(),
            packet: Some(self.packet),
            width,
            upright: &self.sheet.upright,
            columns: &columns,
        };
        let rows: Vec<(SheetRow, Fell)> =
            self.sheet.rows.iter().map(|row| self.straight(&check, row)).collect();
        let several = rows.len() as u64 + self.sheet.rows_beyond > 1;
        let unfilled = rows.iter().all(|(row, _)| check.is_unfilled(row));
        // All in one pass: what stands in the cells is judged under a bad header, too.
        let mut row = None;
        if several {
            self.several(&check, &rows, &mut checked.findings);
        } else if !unfilled && let [(only, fell)] = rows.as_slice() {
            row = judge(&check, only, fell, &mut checked.findings);
        }
        let status = if bad_header {
            PacketStatus::InvalidHeaders
        } else if several {
            PacketStatus::MultipleRows
        } else if unfilled {
            checked.findings.push(self.finding(&Problem::NothingFilledIn));
            PacketStatus::EmptyPacket
        } else if row.is_some() {
            PacketStatus::Ready
        } else {
            PacketStatus::InvalidRow
        };
        checked.status = checked.status.worse(status);
        if checked.status == PacketStatus::Ready {
            if let (Some(row), [(only, _)]) = (&row, rows.as_slice()) {
                check.unanswered(self.packet, only, row, &mut checked.findings);
            }
            checked.row = row;
        }
        // A sheet in which nothing was found has nowhere to go back to.
        if !checked.findings.is_empty() {
            let rows: Vec<SheetRow> = rows.into_iter().map(|(row, _)| row).collect();
            checked.returned = Some(ReturnedSheet::new(self.sheet, &rows, columns));
        }
    }

    /// Joins the cells of a row that fell apart.
    fn straight(&self, check: &RowCheck<'_>, row: &SheetRow) -> (SheetRow, Fell) {
        let fell =
            self.sheet.delimiter.map_or(Fell::Not, |delimiter| straighten(check, row, delimiter));
        match fell {
            Fell::Joined(joined) => (joined.row.clone(), Fell::Joined(joined)),
            fell => (row.clone(), fell),
        }
    }

    /// Tells which rows are too many, and judges the packet's own.
    fn several(
        &self,
        check: &RowCheck<'_>,
        rows: &[(SheetRow, Fell)],
        findings: &mut Vec<Finding>,
    ) {
        let own: Vec<bool> = rows.iter().map(|(row, _)| check.is_own(row)).collect();
        let kept = own.iter().position(|own| *own).unwrap_or_default();
        let strangers: Vec<&SheetRow> = rows
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != kept)
            .map(|(_, (row, _))| row)
            .collect();
        let of_others: Vec<u64> = (strangers.iter())
            .filter(|row| {
                let of = self.known.of_row(row, check.columns);
                of.is_some_and(|at| self.known.all[at] != self.packet)
            })
            .map(|row| row.number)
            .collect();
        let numbers: Vec<u64> = strangers.iter().map(|row| row.number).collect();
        let total = rows.len() as u64 + self.sheet.rows_beyond;
        let problem = if of_others.is_empty() {
            Problem::SeveralRows { total, others: ranges(&numbers) }
        } else {
            Problem::SeveralSources { rows: ranges(&of_others) }
        };
        let at = numbers.first().copied().unwrap_or(self.sheet.header_row);
        findings.push(self.finding(&problem).at_row(at));
        let one = own.iter().filter(|own| **own).count() == 1;
        for ((row, fell), own) in rows.iter().zip(own) {
            if own {
                let before = findings.len();
                let _ = judge(check, row, fell, findings);
                // Which of several rows counts is for the person to say, and so is what it means.
                if !one {
                    findings[before..].iter_mut().for_each(|finding| finding.repair = None);
                }
            }
        }
    }

    fn finding(&self, problem: &Problem<'_>) -> Finding {
        Finding::new(self.language, problem)
    }
}

/// A check of what a returned sheet is as a whole: what is odd about the file, and its header.
pub(super) struct TableCheck<'a> {
    sheet: &'a Sheet,
    labels: &'a Labels,
    template: &'a Template,
    language: Language,
    /// How far what was found leaves the packet.
    pub(super) status: PacketStatus,
}

impl<'a> TableCheck<'a> {
    pub(super) fn of(
        sheet: &'a Sheet,
        labels: &'a Labels,
        template: &'a Template,
        language: Language,
    ) -> Self {
        Self { sheet, labels, template, language, status: PacketStatus::Ready }
    }

    /// Finds what is wrong or odd; gives where the columns stand and whether the header is wrong, none for a file whose
    /// cells say nothing.
    pub(super) fn check(
        &mut self,
        stale: bool,
        keys: &BTreeSet<&str>,
        findings: &mut Vec<Finding>,
    ) -> Option<(Columns, bool)> {
        let (sheet, language) = (self.sheet, self.language);
        for oddity in &sheet.oddities {
            let (status, finding) = of_oddity(language, oddity);
            self.status = self.status.worse(status);
            findings.push(finding);
        }
        if matches!(self.status, PacketStatus::EmptyPacket | PacketStatus::InvalidHeaders) {
            return None;
        }
        let columns = Columns::new(sheet, self.labels, self.template);
        if columns.positions.iter().all(Option::is_none) {
            // A table whose first row was deleted, or no text at all, is told by one finding.
            let gone = sheet.header.iter().any(|label| keys.contains(label.as_str()));
            if gone {
                let finding = Finding::new(language, &Problem::HeaderGone);
                findings.push(finding.at_row(sheet.header_row));
            }
            if gone || sheet.oddities.contains(&Oddity::NulBytes) {
                self.status = self.status.worse(PacketStatus::InvalidHeaders);
                return None;
            }
        }
        if stale {
            findings.push(Finding::new(language, &Problem::Stale));
        }
        if sheet.remarks.iter().any(|remark| matches!(remark, Remark::Rival { .. })) {
            self.status = self.status.worse(PacketStatus::InvalidRow);
        }
        if sheet.rows_above > 0 {
            let row = sheet.header_row;
            findings.push(Finding::new(language, &Problem::HeaderBelow { row }).at_row(row));
        }
        findings.extend(judge_header(language, sheet, self.labels, self.template, &columns));
        let bad_header =
            findings.iter().any(|f| f.is_error() && f.reason == crate::Reason::INVALID_HEADERS);
        findings.extend(blank_rows(language, sheet));
        let remarks = sheet.remarks.iter();
        findings
            .extend(remarks.filter_map(|remark| of_remark(language, sheet, self.template, remark)));
        Some((columns, bad_header))
    }
}

/// Judges a row, joined where it fell apart; one of which nobody can say what was meant gives that alone.
fn judge(
    check: &RowCheck<'_>,
    row: &SheetRow,
    fell: &Fell,
    findings: &mut Vec<Finding>,
) -> Option<RawRow> {
    match fell {
        Fell::Not => check.check(row, findings),
        Fell::Joined(joined) => {
            findings.extend(joined.findings.iter().cloned());
            let _ = check.check(row, findings);
            None
        }
        Fell::Unclear(finding) => {
            findings.push(finding.clone());
            None
        }
    }
}
