//! What the runners that take packets back share: the flags, the check and what is told of it.

use std::path::{Path, PathBuf};

use chrono::{Days, Utc};
use raw_packets::edge::{ReadLimits, read_packets};
use raw_packets::{
    CheckOptions, CheckedPlan, Language, PacketStatus, PacketSummary, ReadinessReport,
    fix_queue_csv,
};
use serde::Serialize;

use crate::cli::{Console, Failure};
use crate::files;
use crate::packets::{PacketArgs, Planned, write_queue};

/// How many lines of the fix queue are printed; all are counted, and written to files.
const LISTED: usize = 50;

/// The flags of a return of packets.
#[derive(Clone, Debug, clap::Args)]
pub struct ReturnArgs {
    /// The folder with the returned packets (left out: that of `--out-dir`).
    #[arg(value_name = "DIR", conflicts_with = "packets_dir")]
    pub folder: Option<PathBuf>,
    /// The same, by name.
    #[arg(long, value_name = "DIR")]
    pub packets_dir: Option<PathBuf>,
    /// Ends with 1 unless every packet is ready.
    #[arg(long)]
    pub strict_ready: bool,
    /// Writes what is to be fixed, most urgent first, to this file as CSV.
    #[arg(long, value_name = "CSV")]
    pub fix_queue_csv_out: Option<PathBuf>,
    /// Writes what is to be fixed, most urgent first, to this file as JSON.
    #[arg(long, value_name = "JSON")]
    pub fix_queue_json_out: Option<PathBuf>,
    /// Says findings, remedies and error sheets in this language: en or es (left out: that of the form).
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<Language>,
    /// Writes each refused packet to this folder, as it came, with the reasons beside the cells.
    #[arg(long, value_name = "DIR")]
    pub errors_dir: Option<PathBuf>,
    /// Writes each packet with a cell that can have meant only one thing to this folder, repaired, for
    /// somebody to look at and return.
    #[arg(long, value_name = "DIR")]
    pub repaired_dir: Option<PathBuf>,
    /// What is expected and held, as `export_packets` takes it.
    #[command(flatten)]
    pub packets: PacketArgs,
}

impl ReturnArgs {
    /// Reads the returned packets and checks them against the plan.
    ///
    /// # Errors
    ///
    /// A folder that is missing or cannot be read, or that holds what no packet is.
    pub fn check<'p>(&self, planned: &'p Planned) -> Result<CheckedPlan<'p>, Failure> {
        let files = read_packets(self.folder(), ReadLimits::default())?;
        // Where a day has begun already, it is still the day before in UTC.
        let today = Utc::now().date_naive() + Days::new(1);
        let mut options = CheckOptions::default().with_as_of(today);
        options.language = self.language;
        Ok(planned.plan.check(&files, options))
    }

    /// Writes the summary of the plan where `--summary-out` asks for it, with the readiness of what came
    /// back, and what was loaded of it, beside its keys.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn write_summary(
        &self,
        planned: &Planned,
        report: &ReadinessReport,
        load: Option<&impl Serialize>,
    ) -> Result<(), Failure> {
        #[derive(Serialize)]
        struct Summed<'a, L> {
            #[serde(flatten)]
            summary: PacketSummary,
            readiness: &'a ReadinessReport,
            #[serde(skip_serializing_if = "Option::is_none")]
            load: Option<L>,
        }
        let Some(path) = &self.packets.summary_out else { return Ok(()) };
        let folder = self.folder().display().to_string();
        let summary = planned.plan.summary(planned.at, &folder);
        let mut bytes = serde_json::to_vec_pretty(&Summed { summary, readiness: report, load })?;
        bytes.push(b'\n');
        files::write_atomic(path, &bytes)
    }

    /// Returns the folder with the returned packets.
    fn folder(&self) -> &Path {
        let folder = self.folder.as_ref().or(self.packets_dir.as_ref());
        folder.unwrap_or(&self.packets.out_dir)
    }

    /// Writes the reports that the flags ask for.
    ///
    /// # Errors
    ///
    /// A file that cannot be written.
    pub fn write(
        &self,
        planned: &Planned,
        checked: &CheckedPlan<'_>,
        report: &ReadinessReport,
    ) -> Result<(), Failure> {
        let packets = &self.packets;
        write_queue(&packets.queue, &planned.queue, planned.at)?;
        let json = |value: serde_json::Result<Vec<u8>>| {
            value.map(|mut bytes| {
                bytes.push(b'\n');
                bytes
            })
        };
        if let Some(path) = &self.fix_queue_json_out {
            files::write_atomic(path, &json(serde_json::to_vec_pretty(&report.fix_queue))?)?;
        }
        if let Some(path) = &self.fix_queue_csv_out {
            files::write_atomic(path, &fix_queue_csv(&report.fix_queue))?;
        }
        for packet in checked.packets() {
            if let Some(folder) = &self.errors_dir
                && let Some(sheet) = checked.error_sheet(packet)
            {
                files::write_atomic(&folder.join(sheet.path), &sheet.bytes)?;
            }
            if let Some(folder) = &self.repaired_dir
                && let Some(repaired) = checked.repaired(packet)
            {
                files::write_atomic(&folder.join(repaired.path), &repaired.bytes)?;
            }
        }
        Ok(())
    }
}

/// Prints how far the packets are, and what to fix first.
///
/// # Errors
///
/// A stdout that cannot be written.
pub fn tell(
    checked: &CheckedPlan<'_>,
    report: &ReadinessReport,
    console: &Console,
) -> Result<(), Failure> {
    let totals = &report.totals;
    console.data(format_args!(
        "packets: {} expected, {} came back, {} ready",
        totals.packets_expected_total, totals.packets_returned_total, totals.packets_ready_total,
    ))?;
    for packet in checked.packets().iter().filter(|p| p.status() != PacketStatus::Ready) {
        console.data(format_args!("  {}: {}", packet.file(), packet.status()))?;
    }
    if totals.errors_total > 0 {
        console.data(format_args!("to fix: {}", totals.errors_total))?;
    }
    if !report.fix_queue.is_empty() {
        console.data(report.fix_list(LISTED).trim_end())?;
    }
    if totals.errors_total > LISTED {
        let more = totals.errors_total - LISTED;
        console.data(format_args!("… and {more} more; --fix-queue-csv-out writes them all"))?;
    }
    let noted = report.noted(LISTED);
    if !noted.is_empty() {
        console.note(noted.trim_end());
    }
    if report.notes.len() > LISTED {
        console.note(format_args!(
            "… and {} more notes; --json writes them all",
            report.notes.len() - LISTED
        ));
    }
    Ok(())
}

/// Says whether a packet came back and was refused.
#[must_use]
pub fn any_refused(checked: &CheckedPlan<'_>) -> bool {
    use PacketStatus::{EmptyPacket, MissingPacketFile, Ready};
    checked.packets().iter().any(|p| !matches!(p.status(), Ready | MissingPacketFile | EmptyPacket))
}
