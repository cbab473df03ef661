//! What the planner asks of the outside: the rows of a gap queue and the facts of each source.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The missing link of a pair's evidence chain, as a gap queue classifies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapStatus {
    /// The expected source is not in the catalogue.
    MissingSource,
    /// There is no value for the pair.
    MissingMetric,
    /// There is a value, but no source record behind it.
    MissingSourceRecord,
    /// There is a source record, but its evidence date or quote is blank.
    MissingEvidence,
    /// The whole chain is there.
    Ready,
}

impl GapStatus {
    /// Every status, in the order of the evidence chain.
    pub const ALL: [Self; 5] = [
        Self::MissingSource,
        Self::MissingMetric,
        Self::MissingSourceRecord,
        Self::MissingEvidence,
        Self::Ready,
    ];

    /// Returns the name that reports and flags use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingSource => "missing_source",
            Self::MissingMetric => "missing_metric",
            Self::MissingSourceRecord => "missing_source_record",
            Self::MissingEvidence => "missing_evidence",
            Self::Ready => "ready",
        }
    }
}

impl fmt::Display for GapStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error for a word that names no gap status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{word}` is no status of a gap queue; use missing_source, missing_metric, \
     missing_source_record, missing_evidence or ready"
)]
pub struct UnknownGapStatus {
    /// The word as given.
    pub word: String,
}

impl FromStr for GapStatus {
    type Err = UnknownGapStatus;

    /// Reads the name that reports and flags use.
    ///
    /// ```
    /// use raw_packets::GapStatus;
    ///
    /// assert_eq!("missing_metric".parse(), Ok(GapStatus::MissingMetric));
    /// assert!("missing".parse::<GapStatus>().is_err());
    /// ```
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == word.trim());
        found.ok_or_else(|| UnknownGapStatus { word: word.to_owned() })
    }
}

/// The status of a run of a gap queue or of a packet plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Nothing is missing that should be there.
    Ok,
    /// Something is missing, and the report says what.
    Degraded,
    /// Nothing could be expected: no source or no KPI.
    Failed,
}

/// The period that a gap queue looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct MetricScope {
    /// The date that stands for the period, such as 2025-12-31; `None` where the scope is all time.
    pub period_date: Option<NaiveDate>,
    /// The period's granularity, such as `year`; `None` where the scope has none.
    pub period_granularity: Option<String>,
    /// `period` or `all_time`.
    pub label: String,
}

impl MetricScope {
    /// Makes the scope of all time.
    #[must_use]
    pub fn all_time() -> Self {
        Self { period_date: None, period_granularity: None, label: "all_time".to_owned() }
    }

    /// Makes the scope of one period.
    #[must_use]
    pub fn period(date: NaiveDate, granularity: impl Into<String>) -> Self {
        Self {
            period_date: Some(date),
            period_granularity: Some(granularity.into()),
            label: "period".to_owned(),
        }
    }
}

/// The part of the gap queue's report that a packet run repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GapQueueFacts {
    /// How the queue's run went.
    pub status: RunStatus,
    /// The period that the queue looked at.
    pub metric_scope: MetricScope,
    /// Whether ready pairs are among the rows.
    pub include_ready: bool,
    /// The queue's totals by name, repeated as they are.
    pub totals: serde_json::Value,
}

/// One row of a gap queue: one pair source × KPI in one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap<'a> {
    /// The source that should have published the value.
    pub sanction_source_id: &'a str,
    /// The KPI that lacks it.
    pub kpi_id: &'a str,
    /// The pair's period; `None` for all time.
    pub period_date: Option<NaiveDate>,
    /// The period's granularity; `None` takes the template's default.
    pub period_granularity: Option<&'a str>,
    /// Which link of the chain is missing.
    pub status: GapStatus,
}

/// One source of the catalogue, as far as a packet repeats it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceFacts {
    /// The source's id.
    pub sanction_source_id: String,
    /// Its name for people.
    pub label: String,
    /// The body that publishes it.
    pub organismo: String,
    /// Where it publishes.
    pub source_url: String,
    /// The raw metrics that it is expected to publish.
    pub expected_metrics: Vec<String>,
    /// The KPIs that are expected of it.
    pub kpis_expected: Vec<String>,
    /// How many of those KPIs have a value already.
    pub kpis_covered_total: u64,
    /// How many values are held for this source.
    pub metric_rows_total: u64,
    /// The same two counts by scope, where a queue looks at several; empty where it looks at one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_scope: Vec<ScopeFacts>,
}

/// What is held of a source in one of several scopes, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScopeFacts {
    /// The date of the scope; `None` for all.
    pub period_date: Option<NaiveDate>,
    /// The granularity of the scope; `None` for all.
    pub period_granularity: Option<String>,
    /// How many of the source's KPIs have a value in it.
    pub kpis_covered_total: u64,
    /// How many values are held for the source in it.
    pub metric_rows_total: u64,
}

impl SourceFacts {
    /// Returns how many KPIs have a value and how many values are held, in a scope whose granularity,
    /// where it names none, is `granularity`.
    pub(crate) fn held_in(&self, period_date: Option<NaiveDate>, granularity: &str) -> (u64, u64) {
        let of_scope = self.by_scope.iter().find(|scope| {
            scope.period_date == period_date
                && scope.period_granularity.as_deref().is_none_or(|word| word == granularity)
        });
        let of_all = (self.kpis_covered_total, self.metric_rows_total);
        of_scope.map_or(of_all, |scope| (scope.kpis_covered_total, scope.metric_rows_total))
    }
}

/// A gap queue as the planner sees it.
///
/// An implementation only hands over facts; which of them become packets is decided in
/// [`PacketPlan::new`](crate::PacketPlan::new). [`InMemoryRequest`] is always there; feature
/// `kpi-gap-queue` serves this trait from that crate's report.
pub trait PacketRequest {
    /// Returns what the summary repeats of the queue's report.
    fn queue(&self) -> GapQueueFacts;

    /// Returns the queue's rows, in the queue's order.
    fn gaps(&self) -> Box<dyn Iterator<Item = Gap<'_>> + '_>;

    /// Returns every source of the catalogue, also those without a gap: their packets may have
    /// been issued earlier and still come back.
    fn sources(&self) -> Box<dyn Iterator<Item = SourceFacts> + '_>;
}

impl<R: PacketRequest + ?Sized> PacketRequest for &R {
    fn queue(&self) -> GapQueueFacts {
        (**self).queue()
    }

    fn gaps(&self) -> Box<dyn Iterator<Item = Gap<'_>> + '_> {
        (**self).gaps()
    }

    fn sources(&self) -> Box<dyn Iterator<Item = SourceFacts> + '_> {
        (**self).sources()
    }
}

impl<R: PacketRequest + ?Sized> PacketRequest for Box<R> {
    fn queue(&self) -> GapQueueFacts {
        (**self).queue()
    }

    fn gaps(&self) -> Box<dyn Iterator<Item = Gap<'_>> + '_> {
        (**self).gaps()
    }

    fn sources(&self) -> Box<dyn Iterator<Item = SourceFacts> + '_> {
        (**self).sources()
    }
}

/// One row of an [`InMemoryRequest`]; the owned form of [`Gap`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OwnedGap {
    /// The source that should have published the value.
    pub sanction_source_id: String,
    /// The KPI that lacks it.
    pub kpi_id: String,
    /// The pair's period; `None` for all time.
    pub period_date: Option<NaiveDate>,
    /// The period's granularity; `None` takes the template's default.
    pub period_granularity: Option<String>,
    /// Which link of the chain is missing.
    pub status: GapStatus,
}

/// A request in memory, for tests and for a service that computes its gaps
/// by itself.
///
/// ```
/// use raw_packets::{GapStatus, InMemoryRequest, MetricScope, PacketRequest, SourceFacts};
///
/// let mut request = InMemoryRequest::new(MetricScope::all_time());
/// request.add_source(SourceFacts { sanction_source_id: "a".into(), ..Default::default() });
/// request.add_gap("a", "kpi:x", GapStatus::MissingMetric);
/// assert_eq!(request.gaps().count(), 1);
/// assert_eq!(request.sources().count(), 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct InMemoryRequest {
    queue: GapQueueFacts,
    gaps: Vec<OwnedGap>,
    sources: Vec<SourceFacts>,
}

impl InMemoryRequest {
    /// Makes an empty request for `scope`, whose queue status is `ok`.
    #[must_use]
    pub fn new(scope: MetricScope) -> Self {
        let queue = GapQueueFacts {
            status: RunStatus::Ok,
            metric_scope: scope,
            include_ready: false,
            totals: serde_json::json!({}),
        };
        Self { queue, gaps: Vec::new(), sources: Vec::new() }
    }

    /// Adds a source of the catalogue.
    pub fn add_source(&mut self, source: SourceFacts) -> &mut Self {
        self.sources.push(source);
        self
    }

    /// Adds a gap in the request's scope; a status other than `ready` makes the queue `degraded`.
    pub fn add_gap(&mut self, source: &str, kpi: &str, status: GapStatus) -> &mut Self {
        let scope = &self.queue.metric_scope;
        self.gaps.push(OwnedGap {
            sanction_source_id: source.to_owned(),
            kpi_id: kpi.to_owned(),
            period_date: scope.period_date,
            period_granularity: scope.period_granularity.clone(),
            status,
        });
        if status != GapStatus::Ready && self.queue.status == RunStatus::Ok {
            self.queue.status = RunStatus::Degraded;
        }
        self
    }

    /// Replaces what the summary repeats of the queue.
    pub fn set_queue(&mut self, queue: GapQueueFacts) -> &mut Self {
        self.queue = queue;
        self
    }
}

impl PacketRequest for InMemoryRequest {
    fn queue(&self) -> GapQueueFacts {
        self.queue.clone()
    }

    fn gaps(&self) -> Box<dyn Iterator<Item = Gap<'_>> + '_> {
        Box::new(self.gaps.iter().map(|gap| Gap {
            sanction_source_id: &gap.sanction_source_id,
            kpi_id: &gap.kpi_id,
            period_date: gap.period_date,
            period_granularity: gap.period_granularity.as_deref(),
            status: gap.status,
        }))
    }

    fn sources(&self) -> Box<dyn Iterator<Item = SourceFacts> + '_> {
        Box::new(self.sources.iter().cloned())
    }
}
