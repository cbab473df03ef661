//! The outcome of a check: readiness, the fix queue, and both as JSON and CSV.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::check::CheckedPlan;
use crate::finding::{Code, Finding, PacketStatus};
use crate::request::RunStatus;
use crate::value::guard;

/// The summary of a check: how many packets are ready, and what to fix first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadinessReport {
    /// When the check took place, in UTC.
    pub generated_at: String,
    /// `ok` when every packet is ready, else `degraded`; `failed` when the queue's run failed.
    pub status: RunStatus,
    /// The counts; never cut.
    pub totals: ReadinessTotals,
    /// What keeps packets from being loaded, the most urgent first.
    pub fix_queue: Vec<FixItem>,
    /// What someone should know, though it keeps nothing from being loaded.
    pub notes: Vec<Finding>,
}

/// Packets and findings, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ReadinessTotals {
    /// The packets that the plan asks for.
    pub packets_expected_total: usize,
    /// The packets that came back, asked for or not.
    pub packets_returned_total: usize,
    /// The packets that can be loaded.
    pub packets_ready_total: usize,
    /// The packets by status.
    pub packets_by_status: BTreeMap<&'static str, usize>,
    /// The findings that keep a packet from being loaded.
    pub errors_total: usize,
    /// The other findings.
    pub notes_total: usize,
    /// The errors that can be repaired without guessing.
    pub repairs_offered_total: usize,
}

/// One line of the fix queue: a finding with its packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FixItem {
    /// The priority of the packet's status.
    pub priority: u8,
    /// The packet's status.
    pub status: PacketStatus,
    /// The packet's source; `None` for a file that belongs to none.
    pub sanction_source_id: Option<String>,
    /// The priority of the finding's reason.
    pub reason_priority: u8,
    /// What is wrong, where, and what to do.
    #[serde(flatten)]
    pub finding: Finding,
}

/// The columns of the fix queue as CSV.
const COLUMNS: [&str; 14] = [
    "priority",
    "status",
    "sanction_source_id",
    "file",
    "row",
    "column",
    "cell",
    "value",
    "reason_priority",
    "reason",
    "code",
    "message",
    "remedy",
    "repair",
];

impl CheckedPlan<'_> {
    /// Returns the fix queue: every finding that keeps a packet from being loaded, by the packet's
    /// priority, then by file; what is wrong with the file or its rows before what is wrong with cells, and
    /// these by the reason's priority, row and cell.
    #[must_use]
    pub fn fix_queue(&self) -> Vec<FixItem> {
        let mut queue: Vec<FixItem> = self
            .packets()
            .iter()
            .flat_map(|packet| {
                packet.findings().iter().filter(|finding| finding.is_error()).map(|finding| {
                    FixItem {
                        priority: packet.status().priority(),
                        status: packet.status(),
                        sanction_source_id: packet
                            .packet()
                            .map(|packet| packet.key().sanction_source_id.clone()),
                        reason_priority: finding.reason.priority(),
                        finding: finding.clone(),
                    }
                })
            })
            .collect();
        queue.sort_by(|a, b| {
            (b.priority.cmp(&a.priority))
                .then_with(|| a.finding.file.cmp(&b.finding.file))
                .then_with(|| a.finding.cell.is_some().cmp(&b.finding.cell.is_some()))
                .then_with(|| b.reason_priority.cmp(&a.reason_priority))
                .then_with(|| a.finding.row.cmp(&b.finding.row))
                .then_with(|| a.finding.cell.cmp(&b.finding.cell))
        });
        queue
    }

    /// Sums the check up, as of `generated_at`.
    #[must_use]
    pub fn report(&self, generated_at: DateTime<Utc>) -> ReadinessReport {
        let fix_queue = self.fix_queue();
        let notes: Vec<Finding> =
            self.findings().filter(|finding| !finding.is_error()).cloned().collect();
        let missing = self.count(PacketStatus::MissingPacketFile);
        let by_status =
            PacketStatus::ALL.iter().map(|status| (status.as_str(), self.count(*status)));
        let totals = ReadinessTotals {
            packets_expected_total: self.plan().packets().len(),
            packets_returned_total: self.packets().len() - missing,
            packets_ready_total: self.count(PacketStatus::Ready),
            packets_by_status: by_status.collect(),
            errors_total: fix_queue.len(),
            notes_total: notes.len(),
            repairs_offered_total: fix_queue.iter().filter(|i| i.finding.repair.is_some()).count(),
        };
        let status = if self.plan().queue().status == RunStatus::Failed {
            RunStatus::Failed
        } else if self.is_ready() {
            RunStatus::Ok
        } else {
            RunStatus::Degraded
        };
        let generated_at = generated_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        ReadinessReport { generated_at, status, totals, fix_queue, notes }
    }
}

impl ReadinessReport {
    /// Tells a person what to fix, at most `most` findings: grouped by file, each with its cell, what is
    /// wrong and what to do, in lines of fewer than 100 characters where no name is longer.
    ///
    /// All of them are in [`fix_queue`](Self::fix_queue).
    #[must_use]
    pub fn fix_list(&self, most: usize) -> String {
        let items = self.fix_queue.iter().take(most);
        grouped(items.map(|item| (item.status.as_str(), &item.finding)))
    }

    /// Tells a person what was noted, as [`fix_list`](Self::fix_list) does; that no gap asks for a packet is
    /// nothing to tell.
    #[must_use]
    pub fn noted(&self, most: usize) -> String {
        let notes = self.notes.iter().filter(|note| note.code != Code::AlreadyLoaded).take(most);
        grouped(notes.map(|note| ("note", note)))
    }
}

/// How wide a line is at most.
const WIDTH: usize = 99;

/// Writes findings under the names of their files.
fn grouped<'f>(findings: impl Iterator<Item = (&'static str, &'f Finding)>) -> String {
    let mut text = String::new();
    let mut file = None;
    for (status, finding) in findings {
        if file != Some(&finding.file) {
            text.extend([finding.file.as_str(), ": ", status, "\n"]);
            file = Some(&finding.file);
        }
        let mut place: Vec<String> = Vec::new();
        place.extend(finding.cell.clone().or_else(|| finding.row.map(|row| row.to_string())));
        place.extend(finding.column.clone());
        place.extend(finding.value.as_ref().filter(|v| !v.is_empty()).map(|value| {
            let shown: String = value.chars().take(40).collect();
            let cut = if shown.len() < value.len() { "…" } else { "" };
            format!("`{}{cut}`", shown.escape_debug())
        }));
        place.push(format!("[{}]", finding.code));
        let repair = finding.repair.as_ref().map(|repair| format!(" ({repair})"));
        let remedy = format!("{}{}", finding.remedy, repair.unwrap_or_default());
        for (line, first, then) in [
            (place.join(" "), "  ", "    "),
            (finding.message.clone(), "    ", "    "),
            (remedy, "    → ", "      "),
        ] {
            let options = textwrap::Options::new(WIDTH)
                .initial_indent(first)
                .subsequent_indent(then)
                .break_words(false)
                .word_splitter(textwrap::WordSplitter::NoHyphenation);
            for line in textwrap::wrap(&line, options) {
                text.extend([&*line, "\n"]);
            }
        }
    }
    text
}

/// Writes a fix queue as CSV, texts guarded against formulas.
///
/// # Panics
///
/// Never: writing to memory does not fail.
#[must_use]
pub fn fix_queue_csv(queue: &[FixItem]) -> Vec<u8> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS).expect("memory takes every write");
    for item in queue {
        let finding = &item.finding;
        let row = finding.row.map(|row| row.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| guard(text.as_deref().unwrap_or_default()).into_owned();
        writer
            .write_record([
                item.priority.to_string(),
                item.status.to_string(),
                text(&item.sanction_source_id),
                guard(&finding.file).into_owned(),
                row,
                text(&finding.column),
                text(&finding.cell),
                text(&finding.value),
                item.reason_priority.to_string(),
                finding.reason.to_string(),
                finding.code.to_string(),
                guard(&finding.message).into_owned(),
                guard(&finding.remedy).into_owned(),
                text(&finding.repair),
            ])
            .expect("memory takes every write");
    }
    writer.into_inner().expect("memory takes every write")
}
