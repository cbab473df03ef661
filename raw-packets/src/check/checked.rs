//! A plan whose packets were checked, and what a load takes of it.

use std::collections::BTreeSet;

use super::packet::CheckedPacket;
use crate::finding::{Finding, PacketStatus};
use crate::load::{LeftOut, Load, LoadStamp};
use crate::plan::PacketPlan;
use crate::template::Language;

/// The packets that a load takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Accept {
    /// All of them, or nothing is loaded.
    #[default]
    All,
    /// The ready ones; what stays out is recorded.
    Valid,
}

/// The error where a strict load finds packets that are not ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{not_ready} of {total} packets are not ready, so nothing is loaded; correct them, or load only the \
     valid ones"
)]
pub struct NotReady {
    /// How many packets are not ready.
    pub not_ready: usize,
    /// How many packets there are.
    pub total: usize,
}

/// A plan whose returned packets were checked; only this can be loaded.
///
/// ```
/// use raw_packets::{
///     Accept, CheckOptions, GapStatus, InMemoryRequest, MetricScope, PacketOptions, PacketPlan,
///     PacketStatus, SourceFacts, LoadStamp, Template,
/// };
///
/// let mut request = InMemoryRequest::new(MetricScope::all_time());
/// request
///     .add_source(SourceFacts { sanction_source_id: "es:a".into(), ..Default::default() })
///     .add_gap("es:a", "kpi:formal_annulment_rate", GapStatus::MissingMetric);
/// let plan = PacketPlan::new(&request, &Template::official_review(), &PacketOptions::default())?;
///
/// let checked = plan.check(&[], CheckOptions::default());
/// assert_eq!(checked.packets()[0].status(), PacketStatus::MissingPacketFile);
/// let stamp = LoadStamp::new("ana", chrono::DateTime::UNIX_EPOCH);
/// assert!(checked.load(Accept::All, &stamp).is_err());
/// # Ok::<(), raw_packets::PlanError>(())
/// ```
///
/// A plan that was not checked has no `load`:
///
/// ```compile_fail
/// fn load(plan: raw_packets::PacketPlan, stamp: raw_packets::LoadStamp) {
///     plan.load(raw_packets::Accept::All, &stamp);
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedPlan<'p> {
    pub(super) plan: &'p PacketPlan,
    pub(super) packets: Vec<CheckedPacket>,
    pub(super) ignored: Vec<Finding>,
    pub(super) language: Language,
}

impl<'p> CheckedPlan<'p> {
    /// Returns the plan that the packets were checked against.
    #[must_use]
    pub fn plan(&self) -> &'p PacketPlan {
        self.plan
    }

    /// Returns the language of the findings and of the error sheets.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// Returns the packets: the plan's in its order, then others that came back.
    #[must_use]
    pub fn packets(&self) -> &[CheckedPacket] {
        &self.packets
    }

    /// Returns the files that are no packets at all.
    #[must_use]
    pub fn ignored(&self) -> &[Finding] {
        &self.ignored
    }

    /// Returns every finding, packet by packet.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.packets.iter().flat_map(|packet| &packet.findings).chain(&self.ignored)
    }

    /// Counts the packets with one status.
    #[must_use]
    pub fn count(&self, status: PacketStatus) -> usize {
        self.packets.iter().filter(|packet| packet.status == status).count()
    }

    /// Says whether every packet is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.count(PacketStatus::Ready) == self.packets.len()
    }

    /// Turns the ready packets into KPI rows for one transaction.
    ///
    /// With [`Accept::All`] one packet that is not ready keeps everything out; with
    /// [`Accept::Valid`] the others are recorded in [`Load::left_out`]. The same checked plan gives the
    /// same rows, whether for a dry run or a real one.
    pub fn load(&self, accept: Accept, stamp: &LoadStamp) -> Result<Load, NotReady> {
        let not_ready: Vec<_> =
            self.packets.iter().filter(|p| p.status != PacketStatus::Ready).collect();
        if accept == Accept::All && !not_ready.is_empty() {
            return Err(NotReady { not_ready: not_ready.len(), total: self.packets.len() });
        }
        let left_out = not_ready.into_iter().map(|packet| {
            let reasons: BTreeSet<&str> = packet
                .findings
                .iter()
                .filter(|finding| finding.is_error())
                .map(|finding| finding.reason.as_str())
                .collect();
            LeftOut {
                packet: packet.file.clone(),
                status: packet.status.as_str().to_owned(),
                reasons: reasons.into_iter().map(str::to_owned).collect(),
            }
        });
        let left_out: Vec<LeftOut> = left_out.collect();
        let rows: Vec<_> = self.packets.iter().flat_map(|packet| packet.kpi_rows(stamp)).collect();
        tracing::info!(name: "raw_packets.transformed", rows = rows.len(), left_out = left_out.len());
        Ok(Load::new(rows, left_out, stamp.clone()))
    }
}
