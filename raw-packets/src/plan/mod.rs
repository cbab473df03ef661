//! From gaps to packets: which sources get one.

mod packet;
mod rows;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use self::packet::issue;
pub use self::packet::{Packet, PacketKey};
pub(crate) use self::rows::key_of;
pub use self::rows::{RowPacket, RowPlan};
use crate::profile::PacketForm;
use crate::read::{MAX_CELL, MAX_ROWS};
use crate::request::{GapQueueFacts, GapStatus, PacketRequest, SourceFacts};
use crate::template::Template;

/// How long a file name may be on every common file system, in bytes.
const MAX_FILE_NAME: usize = 200;

/// Options of planning and writing packets; every field has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketOptions {
    /// The statuses of a gap that ask for a packet; default `missing_metric` alone.
    pub statuses: BTreeSet<GapStatus>,
    /// The id of the system that the source records are filed under; `None` takes the template's.
    pub default_source_id: Option<String>,
    /// The form in which the packets are written.
    pub form: PacketForm,
}

impl Default for PacketOptions {
    fn default() -> Self {
        Self {
            statuses: BTreeSet::from([GapStatus::MissingMetric]),
            default_source_id: None,
            form: PacketForm::default(),
        }
    }
}

impl PacketOptions {
    /// Sets the statuses of a gap that ask for a packet.
    #[must_use]
    pub fn with_statuses(mut self, statuses: impl IntoIterator<Item = GapStatus>) -> Self {
        self.statuses = statuses.into_iter().collect();
        self
    }

    /// Sets the id of the system that the source records are filed under.
    #[must_use]
    pub fn with_default_source_id(mut self, id: impl Into<String>) -> Self {
        self.default_source_id = Some(id.into());
        self
    }

    /// Sets the form in which the packets are written.
    #[must_use]
    pub fn with_form(mut self, form: PacketForm) -> Self {
        self.form = form;
        self
    }
}

/// The reason why no plan can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The template is one of rows, which belong to no source.
    #[error("the template is one of rows; plan its packets with `RowPlan`")]
    OfRows,
    /// The template has KPIs, and so one row for each source.
    #[error(
        "the template has KPIs, and so one row for each source; plan its packets with `PacketPlan`"
    )]
    NotOfRows,
    /// A row of a packet of rows cannot be issued.
    #[error("row {row} of the packet `{packet}` {problem}")]
    Row {
        /// The packet's name.
        packet: String,
        /// The row, counted from 1.
        row: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A packet of rows has none, or more than are read back.
    #[error("the packet `{packet}` has {rows} rows; 1 to {MAX_ROWS} are possible")]
    RowCount {
        /// The packet's name.
        packet: String,
        /// How many.
        rows: usize,
    },
    /// No status asks for a packet.
    #[error("no status is asked for; name at least one, such as missing_metric")]
    NoStatuses,
    /// Two sources would share a file and a source record.
    #[error("the sources `{first}` and `{second}` both become the file `{file_name}`; rename one")]
    FileNameCollision {
        /// The one source's id.
        first: String,
        /// The other source's id.
        second: String,
        /// The file name of both.
        file_name: String,
    },
    /// A gap asks for a KPI that the template has no formula for.
    #[error(
        "`{kpi_id}` is asked of `{source_id}`, and no formula gives it, so that its packet could never be \
         loaded; give the KPI a formula in the template or the catalogue, or do not expect it"
    )]
    KpiWithoutFormula {
        /// The KPI's id.
        kpi_id: String,
        /// The source's id.
        source_id: String,
    },
    /// A prefilled text is longer than a cell of a spreadsheet.
    #[error(
        "the source `{source_id}` prefills `{column}` with more than 32767 characters; shorten it"
    )]
    CellTooLong {
        /// The source's id.
        source_id: String,
        /// The column.
        column: String,
    },
    /// A file name is longer than file systems allow.
    #[error(
        "the source `{source_id}` gives a file name of {length} bytes; at most 200 are possible"
    )]
    FileNameTooLong {
        /// The source's id.
        source_id: String,
        /// The length of the name.
        length: usize,
    },
}

/// The packets that are issued; returned ones are checked against it.
///
/// Planning is pure: the same request, template and options give the same plan. Rows are read
/// once; the plan keeps one packet per source and scope and counts what it leaves out.
///
/// ```
/// use raw_packets::{GapStatus, InMemoryRequest, MetricScope, PacketOptions, PacketPlan, SourceFacts, Template};
///
/// let mut request = InMemoryRequest::new(MetricScope::all_time());
/// request
///     .add_source(SourceFacts { sanction_source_id: "es:a".into(), ..Default::default() })
///     .add_gap("es:a", "kpi:formal_annulment_rate", GapStatus::MissingMetric)
///     .add_gap("es:unknown", "kpi:formal_annulment_rate", GapStatus::MissingMetric)
///     .add_gap("es:a", "kpi:recurso_estimation_rate", GapStatus::Ready);
/// let plan = PacketPlan::new(&request, &Template::official_review(), &PacketOptions::default())?;
///
/// assert_eq!(plan.packets().len(), 1);
/// assert_eq!(plan.packets()[0].file_name(), "es-a__na__year.csv");
/// assert_eq!(plan.counts().sources_skipped_missing_template_total, 1);
/// assert_eq!(plan.counts().rows_skipped_by_status["ready"], 1);
/// # Ok::<(), raw_packets::PlanError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PacketPlan {
    template: Template,
    options: PacketOptions,
    default_source_id: String,
    queue: GapQueueFacts,
    packets: Vec<Packet>,
    settled: Vec<Packet>,
    counts: PlanCounts,
}

/// What a plan saw, emits and leaves out, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct PlanCounts {
    /// The rows of the queue.
    pub queue_rows_seen_total: u64,
    /// The sources with at least one row of a wanted status.
    pub sources_actionable_total: u64,
    /// The packets of the plan.
    pub packets_emitted_total: u64,
    /// The actionable sources that the catalogue does not know.
    pub sources_skipped_missing_template_total: u64,
    /// The rows whose status is not wanted.
    pub rows_skipped_filtered_status_total: u64,
    /// The same rows by status.
    pub rows_skipped_by_status: BTreeMap<&'static str, u64>,
}

impl PacketPlan {
    /// Plans the packets for `request`.
    pub fn new(
        request: &impl PacketRequest,
        template: &Template,
        options: &PacketOptions,
    ) -> Result<Self, PlanError> {
        let span = tracing::info_span!("raw_packets.plan");
        let _entered = span.enter();
        if template.is_of_rows() {
            return Err(PlanError::OfRows);
        }
        if options.statuses.is_empty() {
            return Err(PlanError::NoStatuses);
        }
        let queue = request.queue();
        let default_source_id = options
            .default_source_id
            .clone()
            .unwrap_or_else(|| template.default_source_id().to_owned());
        let sources: Vec<SourceFacts> = request.sources().collect();
        let known: HashMap<&str, &SourceFacts> =
            sources.iter().map(|source| (source.sanction_source_id.as_str(), source)).collect();

        let mut counts = PlanCounts::default();
        let mut actionable = BTreeSet::new();
        let mut skipped = BTreeSet::new();
        let mut position: HashMap<(&str, Option<NaiveDate>, &str), usize> = HashMap::new();
        let mut packets: Vec<(&SourceFacts, PacketKey, Vec<String>)> = Vec::new();
        let mut scopes = BTreeSet::from([(
            queue.metric_scope.period_date,
            grain(queue.metric_scope.period_granularity.as_deref(), template),
        )]);
        for gap in request.gaps() {
            counts.queue_rows_seen_total += 1;
            let granularity = grain(gap.period_granularity, template);
            scopes.insert((gap.period_date, granularity));
            if !options.statuses.contains(&gap.status) {
                counts.rows_skipped_filtered_status_total += 1;
                *counts.rows_skipped_by_status.entry(gap.status.as_str()).or_default() += 1;
                continue;
            }
            actionable.insert(gap.sanction_source_id);
            let Some(source) = known.get(gap.sanction_source_id) else {
                skipped.insert(gap.sanction_source_id);
                continue;
            };
            if !template.kpis().iter().any(|kpi| kpi.kpi_id == gap.kpi_id) {
                return Err(PlanError::KpiWithoutFormula {
                    kpi_id: gap.kpi_id.to_owned(),
                    source_id: gap.sanction_source_id.to_owned(),
                });
            }
            let at = *position
                .entry((gap.sanction_source_id, gap.period_date, granularity))
                .or_insert_with(|| {
                    let key = PacketKey::new(source, gap.period_date, granularity);
                    packets.push((source, key, Vec::new()));
                    packets.len() - 1
                });
            if !packets[at].2.iter().any(|kpi| kpi == gap.kpi_id) {
                packets[at].2.push(gap.kpi_id.to_owned());
            }
        }
        let mut settled = Vec::new();
        for source in &sources {
            for (date, granularity) in &scopes {
                let id = source.sanction_source_id.as_str();
                if !position.contains_key(&(id, *date, *granularity)) {
                    settled.push((source, PacketKey::new(source, *date, granularity), Vec::new()));
                }
            }
        }
        counts.sources_actionable_total = actionable.len() as u64;
        counts.sources_skipped_missing_template_total = skipped.len() as u64;
        counts.packets_emitted_total = packets.len() as u64;

        let issue = |(source, key, kpis_missing): (&SourceFacts, PacketKey, Vec<String>)| {
            let mut packet = issue(template, source, key, &default_source_id, options.form);
            packet.kpis_missing = kpis_missing;
            packet
        };
        let packets: Vec<_> = packets.into_iter().map(issue).collect();
        let settled: Vec<_> = settled.into_iter().map(issue).collect();
        check_names(packets.iter().chain(&settled))?;
        check_cells(template, packets.iter().chain(&settled))?;
        tracing::info!(
            name: "raw_packets.planned",
            rows = counts.queue_rows_seen_total,
            packets = counts.packets_emitted_total,
            sources_skipped = counts.sources_skipped_missing_template_total,
        );
        Ok(Self {
            template: template.clone(),
            options: options.clone(),
            default_source_id,
            queue,
            packets,
            settled,
            counts,
        })
    }

    /// Returns the packets to issue, in the queue's order.
    #[must_use]
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// Returns the packets of the catalogue's other sources: not issued now, but one that was
    /// issued earlier may still come back, as a correction or once more.
    #[must_use]
    pub fn settled(&self) -> &[Packet] {
        &self.settled
    }

    /// Returns the template that the packets follow.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Returns the options that the plan was made with.
    #[must_use]
    pub fn options(&self) -> &PacketOptions {
        &self.options
    }

    /// Returns what the plan saw, emits and leaves out.
    #[must_use]
    pub fn counts(&self) -> &PlanCounts {
        &self.counts
    }

    /// Returns the facts of the queue that the plan was made for.
    #[must_use]
    pub fn queue(&self) -> &GapQueueFacts {
        &self.queue
    }

    /// Returns the id of the system that the source records are filed under.
    #[must_use]
    pub fn default_source_id(&self) -> &str {
        &self.default_source_id
    }
}

fn grain<'a>(granularity: Option<&'a str>, template: &'a Template) -> &'a str {
    granularity.filter(|text| !text.trim().is_empty()).unwrap_or(template.default_granularity())
}

fn check_names<'a>(packets: impl Iterator<Item = &'a Packet>) -> Result<(), PlanError> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for packet in packets {
        let source = packet.key.sanction_source_id.as_str();
        if packet.file_name.len() > MAX_FILE_NAME {
            let length = packet.file_name.len();
            return Err(PlanError::FileNameTooLong { source_id: source.to_owned(), length });
        }
        if let Some(first) = seen.insert(&packet.file_name, source) {
            return Err(PlanError::FileNameCollision {
                first: first.to_owned(),
                second: source.to_owned(),
                file_name: packet.file_name.clone(),
            });
        }
    }
    Ok(())
}

fn check_cells<'a>(
    template: &Template,
    packets: impl Iterator<Item = &'a Packet>,
) -> Result<(), PlanError> {
    for packet in packets {
        let long = |cell: &String| cell.encode_utf16().nth(MAX_CELL).is_some();
        if let Some(at) = packet.cells.iter().position(long) {
            return Err(PlanError::CellTooLong {
                source_id: packet.key.sanction_source_id.clone(),
                column: template.columns()[at].name.clone(),
            });
        }
    }
    Ok(())
}
