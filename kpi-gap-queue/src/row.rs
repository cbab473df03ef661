//! One row of the queue.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::{policy::ReportNames, status::GapStatus};

/// One pair of the queue: what is missing and what to do next.
///
/// The fields are those of the written row, in its order; text that is not known is blank.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GapRow<'q> {
    /// `source|kpi|period or all|granularity or all`, unique in a queue.
    pub queue_key: Cow<'q, str>,
    /// The source.
    pub source_id: Cow<'q, str>,
    /// The KPI.
    pub kpi_id: Cow<'q, str>,
    /// The name of the KPI.
    pub kpi_label: Cow<'q, str>,
    /// The date of the scope as `YYYY-MM-DD`, or blank.
    pub period_date: Cow<'q, str>,
    /// The granularity of the scope, or blank.
    pub period_granularity: Cow<'q, str>,
    /// The name of the source.
    pub label: Cow<'q, str>,
    /// The body that publishes the source.
    pub organismo: Cow<'q, str>,
    /// Where the source is published.
    pub source_url: Cow<'q, str>,
    /// A value exists in the scope.
    pub metric_exists: bool,
    /// The value names its source record.
    pub source_record_present: bool,
    /// Evidence date and quote of the value are both given.
    pub evidence_present: bool,
    /// The key of the value that counts, or blank.
    pub metric_key: Cow<'q, str>,
    /// The key that a value of exactly this pair and scope has.
    pub metric_key_expected: Cow<'q, str>,
    /// The first link that is missing.
    pub status: GapStatus,
    /// The priority of the status.
    pub priority: u32,
    /// The next action of the status.
    pub next_action: Cow<'q, str>,
}

impl GapRow<'_> {
    /// Takes the row out of its queue.
    #[must_use]
    pub fn into_owned(self) -> GapRow<'static> {
        fn own(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        GapRow {
            queue_key: own(self.queue_key),
            source_id: own(self.source_id),
            kpi_id: own(self.kpi_id),
            kpi_label: own(self.kpi_label),
            period_date: own(self.period_date),
            period_granularity: own(self.period_granularity),
            label: own(self.label),
            organismo: own(self.organismo),
            source_url: own(self.source_url),
            metric_exists: self.metric_exists,
            source_record_present: self.source_record_present,
            evidence_present: self.evidence_present,
            metric_key: own(self.metric_key),
            metric_key_expected: own(self.metric_key_expected),
            status: self.status,
            priority: self.priority,
            next_action: own(self.next_action),
        }
    }

    /// Returns the cells of the row in the order of [`ReportNames::columns`].
    #[must_use]
    pub fn cells(&self) -> [Cell<'_>; 17] {
        [
            Cell::Text(&self.queue_key),
            Cell::Text(&self.source_id),
            Cell::Text(&self.kpi_id),
            Cell::Text(&self.kpi_label),
            Cell::Text(&self.period_date),
            Cell::Text(&self.period_granularity),
            Cell::Text(&self.label),
            Cell::Text(&self.organismo),
            Cell::Text(&self.source_url),
            Cell::Flag(self.metric_exists),
            Cell::Flag(self.source_record_present),
            Cell::Flag(self.evidence_present),
            Cell::Text(&self.metric_key),
            Cell::Text(&self.metric_key_expected),
            Cell::Text(self.status.as_str()),
            Cell::Number(self.priority),
            Cell::Text(&self.next_action),
        ]
    }

    /// Lends the row with the names that JSON writes.
    #[must_use]
    pub fn named<'r>(&'r self, names: &'r ReportNames) -> NamedRow<'r> {
        NamedRow { row: self, names }
    }
}

/// One cell of a row, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'r> {
    /// A text.
    Text(&'r str),
    /// A yes or no.
    Flag(bool),
    /// A number.
    Number(u32),
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(flag),
            Self::Number(number) => serializer.serialize_u32(number),
        }
    }
}

/// A row that serialises as a map with the names of a policy; made by [`GapRow::named`].
#[derive(Debug, Clone, Copy)]
pub struct NamedRow<'r> {
    row: &'r GapRow<'r>,
    names: &'r ReportNames,
}

impl Serialize for NamedRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(17))?;
        for (name, cell) in self.names.columns().into_iter().zip(self.row.cells()) {
            map.serialize_entry(name, &cell)?;
        }
        map.end()
    }
}
