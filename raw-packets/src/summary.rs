//! The summary of a packet run, with the JSON keys that other tools read.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::plan::{PacketPlan, PlanCounts};
use crate::request::{GapStatus, MetricScope, RunStatus};

/// How many packets the summary shows.
const PREVIEW: usize = 20;

/// The summary of a plan's packets; its JSON keys are stable.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PacketSummary {
    /// When the run took place, in UTC.
    pub generated_at: String,
    /// How the run went.
    pub status: RunStatus,
    /// The id of the system that the source records are filed under.
    pub default_source_id: String,
    /// The period that the queue looked at.
    pub metric_scope: MetricScope,
    /// The statuses that ask for a packet.
    pub statuses_filter: Vec<GapStatus>,
    /// Whether ready pairs are among the queue's rows.
    pub include_ready: bool,
    /// How the queue's run went.
    pub queue_report_status: RunStatus,
    /// The queue's totals.
    pub queue_totals: serde_json::Value,
    /// What the plan saw, emits and leaves out.
    pub totals: PlanCounts,
    /// What the status follows from.
    pub checks: SummaryChecks,
    /// The first packets, at most 20.
    pub packets_preview: Vec<PacketPreview>,
    /// Where the packets were written.
    pub output_dir: String,
    /// The names of the packets' files.
    pub packet_files: Vec<String>,
    /// The number of packets.
    pub packets_emitted_total: u64,
}

/// The checks that decide a summary's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SummaryChecks {
    /// Whether the queue's run did not fail.
    pub gap_queue_not_failed: bool,
    /// Whether at least one status is asked for and all of them are known.
    pub statuses_filter_valid: bool,
    /// Whether every actionable source has its packet.
    pub packets_complete_for_actionable_sources: bool,
}

/// One packet in a summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PacketPreview {
    /// The source's id.
    pub sanction_source_id: String,
    /// How many KPIs the packet is to bring.
    pub kpis_missing_total: usize,
    /// Those KPIs.
    pub kpis_missing: Vec<String>,
    /// The packet's file.
    pub packet_filename: String,
}

impl PacketPlan {
    /// Returns how the run went: `failed` when the queue's run failed, `degraded` when an actionable
    /// source has no packet, else `ok`.
    #[must_use]
    pub fn status(&self) -> RunStatus {
        if self.queue().status == RunStatus::Failed {
            RunStatus::Failed
        } else if self.complete() {
            RunStatus::Ok
        } else {
            RunStatus::Degraded
        }
    }

    /// Sums the plan up, as of `generated_at`, for packets written to `output_dir`.
    #[must_use]
    pub fn summary(&self, generated_at: DateTime<Utc>, output_dir: &str) -> PacketSummary {
        let queue = self.queue();
        let preview = self.packets().iter().take(PREVIEW).map(|packet| PacketPreview {
            sanction_source_id: packet.key().sanction_source_id.clone(),
            kpis_missing_total: packet.kpis_missing().len(),
            kpis_missing: packet.kpis_missing().to_vec(),
            packet_filename: packet.file_name().to_owned(),
        });
        PacketSummary {
            generated_at: generated_at.to_rfc3339_opts(SecondsFormat::Secs, true),
            status: self.status(),
            default_source_id: self.default_source_id().to_owned(),
            metric_scope: queue.metric_scope.clone(),
            statuses_filter: self.options().statuses.iter().copied().collect(),
            include_ready: queue.include_ready,
            queue_report_status: queue.status,
            queue_totals: queue.totals.clone(),
            totals: self.counts().clone(),
            checks: SummaryChecks {
                gap_queue_not_failed: queue.status != RunStatus::Failed,
                // The type of a status admits no other, and a plan without one is refused.
                statuses_filter_valid: !self.options().statuses.is_empty(),
                packets_complete_for_actionable_sources: self.complete(),
            },
            packets_preview: preview.collect(),
            output_dir: output_dir.to_owned(),
            packet_files: self.packets().iter().map(|p| p.file_name().to_owned()).collect(),
            packets_emitted_total: self.counts().packets_emitted_total,
        }
    }

    fn complete(&self) -> bool {
        let counts = self.counts();
        counts.sources_skipped_missing_template_total == 0
            && (counts.packets_emitted_total > 0 || counts.sources_actionable_total == 0)
    }
}
