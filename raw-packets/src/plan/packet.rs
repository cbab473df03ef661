//! One packet as it is issued: what identifies it, and what stands in it.

use chrono::NaiveDate;

use crate::digest::sha256;
use crate::profile::PacketForm;
use crate::request::SourceFacts;
use crate::slug::{slug, slug_of_id};
use crate::template::{Fill, Template};

/// The key of one packet: a source, a period and a granularity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketKey {
    /// The source's id.
    pub sanction_source_id: String,
    /// The date that stands for the period, such as 2025-12-31; `None` where the scope is all time and the person names the period.
    pub period_date: Option<NaiveDate>,
    /// The period's granularity.
    pub period_granularity: String,
}

impl PacketKey {
    pub(super) fn new(
        source: &SourceFacts,
        period_date: Option<NaiveDate>,
        granularity: &str,
    ) -> Self {
        Self {
            sanction_source_id: source.sanction_source_id.clone(),
            period_date,
            period_granularity: granularity.to_owned(),
        }
    }

    /// Returns the file name without its extension.
    #[must_use]
    pub fn file_stem(&self) -> String {
        format!(
            "{}__{}__{}",
            slug_of_id(&self.sanction_source_id),
            self.period_slug(),
            self.grain_slug()
        )
    }

    /// Returns the id of the source record that the packet's values will stand on.
    #[must_use]
    pub fn source_record_id(&self, prefix: &str) -> String {
        let source = slug_of_id(&self.sanction_source_id);
        format!("{prefix}:{source}:{}:{}", self.period_slug(), self.grain_slug())
    }

    fn period_slug(&self) -> String {
        slug(&self.period_date.map(|date| date.to_string()).unwrap_or_default())
    }

    fn grain_slug(&self) -> String {
        slug(&self.period_granularity)
    }
}

/// One packet of a plan: a form with one row, as issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub(super) key: PacketKey,
    pub(super) file_name: String,
    pub(super) kpis_missing: Vec<String>,
    kpis_expected: Vec<String>,
    pub(super) cells: Vec<String>,
    id: String,
    /// Whether every KPI expected of the source has a value in the packet's period.
    complete: bool,
}

impl Packet {
    /// Returns what identifies the packet.
    #[must_use]
    pub fn key(&self) -> &PacketKey {
        &self.key
    }

    /// Returns the name of the packet's file.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// Returns the KPIs that the source's gaps ask for, in the queue's order.
    #[must_use]
    pub fn kpis_missing(&self) -> &[String] {
        &self.kpis_missing
    }

    /// Returns the KPIs that are expected of the source at all.
    #[must_use]
    pub fn kpis_expected(&self) -> &[String] {
        &self.kpis_expected
    }

    /// Returns the packet's id, which a workbook and the folder's descriptor carry: the SHA-256 of the
    /// row as issued, but for the counts of what is held, which change with every load.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Says whether every KPI that is expected of the source has a value in the packet's period.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns the row as issued: one text per column, blank where it is to be filled in.
    #[must_use]
    pub fn cells(&self) -> &[String] {
        &self.cells
    }
}

/// Issues the packet of a source, for which no gap asks yet.
pub(super) fn issue(
    template: &Template,
    source: &SourceFacts,
    key: PacketKey,
    default_source_id: &str,
    form: PacketForm,
) -> Packet {
    let cells = cells(template, source, &key, default_source_id);
    let counted = |fill: &Option<Fill>| fill.as_ref().is_some_and(Fill::is_counter);
    let facts: Vec<&str> = (template.columns().iter().zip(&cells))
        .filter(|(column, _)| !counted(&column.fill))
        .map(|(_, cell)| cell.as_str())
        .collect();
    Packet {
        complete: {
            let (covered, _) = source.held_in(key.period_date, &key.period_granularity);
            covered >= source.kpis_expected.len() as u64
        },
        id: sha256(facts.join("\u{1f}").as_bytes()),
        cells,
        file_name: format!("{}.{}", key.file_stem(), form.extension()),
        kpis_expected: source.kpis_expected.clone(),
        kpis_missing: Vec::new(),
        key,
    }
}

fn cells(
    template: &Template,
    source: &SourceFacts,
    key: &PacketKey,
    default_source_id: &str,
) -> Vec<String> {
    let (kpis_covered, metric_rows) = source.held_in(key.period_date, &key.period_granularity);
    let fill = |fill: &Fill| match fill {
        Fill::Source => key.sanction_source_id.clone(),
        Fill::PeriodDate => key.period_date.map(|date| date.to_string()).unwrap_or_default(),
        Fill::PeriodGranularity => key.period_granularity.clone(),
        Fill::SourceUrl => source.source_url.clone(),
        Fill::DefaultSourceId => default_source_id.to_owned(),
        Fill::SourceRecordId => key.source_record_id(template.record_prefix()),
        Fill::SourceLabel => source.label.clone(),
        Fill::Organismo => source.organismo.clone(),
        Fill::ExpectedMetrics => source.expected_metrics.join(","),
        Fill::KpisExpected => source.kpis_expected.join(","),
        Fill::KpisCoveredTotal => kpis_covered.to_string(),
        Fill::MetricRowsTotal => metric_rows.to_string(),
        Fill::Constant(text) => text.clone(),
    };
    template
        .columns()
        .iter()
        .map(|column| column.fill.as_ref().map(fill).unwrap_or_default())
        .collect()
}
